//! How the dates of a source's events are taken.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, tz::TimeZone};

use super::{
    kind::{Custom, SWITCH, Text},
    raw::{Raw, quoted},
    section::Section,
    table::settings,
};
use crate::{
    operations::zone_named,
    webhooks::{DateSettings, Source, length, site_key},
};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const MONTH: SignedDuration = SignedDuration::from_hours(31 * 24);
const TEN_YEARS: SignedDuration = SignedDuration::from_hours(3_653 * 24);

/// How many sites may have a zone.
const MOST_SITES: usize = 1_000;

/// The longest name of a site, in bytes.
const LONGEST_SITE: usize = 256;

const WITHIN_YEARS: &str = "a length of time from 1 hour to 3653 days, like \"30d\" or \"12h\"";

settings! {
    /// How the dates of events are taken.
    pub(super) struct DateTable: Source {
        /// The zones of sites, by the names that events give them, in small or capital letters. A
        /// rule whose `at` has a `site` looks there; an event of another site, or of none, has the
        /// source's `zone`.
        zones: Option<BTreeMap<String, TimeZone>> = Custom("a table with the IANA zone of each site, like { sydney = \"Australia/Sydney\" }", zones);
        /// Whether the sender sends each event when what it says is due: then it is carried out at
        /// once, whatever its date says. What the preset says, else `false`.
        already_due: Option<bool> = SWITCH;
        /// What an event says of a day longer ago is held until a person releases it.
        back_dated_after: SignedDuration = Text(WITHIN_YEARS, within_years), default "30d";
        /// What an event says of a day further ahead is held until a person releases it.
        far_future_after: SignedDuration = Text(WITHIN_YEARS, within_years), default "366d";
        /// For how long a disable waits where there is a hire of the same mailbox under another
        /// employee id, as when a contractor becomes an employee. Without it no disable waits.
        conversion: Option<SignedDuration> = Text("a length of time from 1 minute to 31 days, like \"4h\"", conversion);
    }
}

impl DateTable {
    /// What it is to the source; `is_due` is the preset's word.
    pub(super) fn settings(self, is_due: bool) -> DateSettings {
        DateSettings {
            zones: Arc::new(self.zones.unwrap_or_default()),
            already_due: self.already_due.unwrap_or(is_due),
            back_dated_after: self.back_dated_after,
            far_future_after: self.far_future_after,
            conversion: self.conversion,
        }
    }
}

/// Tells of zones that no rule asks for.
pub(super) fn warn(section: &mut Section<'_>, source: &Source) {
    if section.is_set(DateTable::zones) && !source.has_sites() {
        let warning = "no rule asks for them: write at = { …, site = \"body.…\" }";
        section.warn(DateTable::zones, warning);
    }
}

fn within_years(text: &str) -> Option<SignedDuration> {
    length(text).filter(|length| (HOUR..=TEN_YEARS).contains(length))
}

fn conversion(text: &str) -> Option<SignedDuration> {
    length(text).filter(|length| (SignedDuration::from_mins(1)..=MONTH).contains(length))
}

fn zones(raw: Raw<'_>, complaints: &mut Vec<String>) -> Option<BTreeMap<String, TimeZone>> {
    let Raw::Toml { value, .. } = raw else {
        return None;
    };
    let table = value.as_table().filter(|table| !table.is_empty())?;
    if table.len() > MOST_SITES {
        complaints.push(format!("{} sites: there may be {MOST_SITES}", table.len()));
        return None;
    }
    let mut zones = BTreeMap::new();
    for (site, zone) in table {
        let key = site_key(site);
        if key.is_empty() || key.len() > LONGEST_SITE {
            complaints.push(format!("{}: name the site in 1 to {LONGEST_SITE} bytes", quoted(site)));
            continue;
        }
        let Some(zone) = zone.as_str().and_then(zone_named) else {
            complaints.push(format!(
                "{}: use a name of the IANA time zone database, like \"Australia/Melbourne\"",
                quoted(site)
            ));
            continue;
        };
        if zones.insert(key, zone).is_some() {
            complaints.push(format!("{} stands there twice but for its letters' case", quoted(site)));
        }
    }
    complaints.is_empty().then_some(zones)
}
