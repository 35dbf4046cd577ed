//! How the dates of a source's events are taken, and what comes of one.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::super::event::HeldReason;
use crate::store::DueDate;

/// How the dates of a source's events are taken.
#[derive(Clone, Debug)]
pub struct DateSettings {
    /// The zones of sites, by their names in small letters.
    pub zones: Arc<BTreeMap<String, TimeZone>>,
    /// Whether events come when what they say is due, whatever their dates say.
    pub already_due: bool,
    /// What is longer ago is held.
    pub back_dated_after: SignedDuration,
    /// What is further ahead is held.
    pub far_future_after: SignedDuration,
    /// How long a disable waits for the person's hire under another employee id; none: not at all.
    pub conversion: Option<SignedDuration>,
}

/// What holds where a source says nothing.
impl Default for DateSettings {
    fn default() -> Self {
        Self {
            zones: Arc::default(),
            already_due: false,
            back_dated_after: SignedDuration::from_hours(30 * 24),
            far_future_after: SignedDuration::from_hours(366 * 24),
            conversion: None,
        }
    }
}

impl DateSettings {
    /// The zone of a site, whose letters may be small or capital.
    pub(super) fn of_site(&self, site: &str) -> Option<&TimeZone> {
        self.zones.get(&site_key(site))
    }
}

/// The form in which the names of sites are compared.
pub fn site_key(site: &str) -> String {
    site.trim().to_lowercase()
}

/// A date of an event, and the instant that it means.
pub(super) struct Dated {
    pub(super) date: DueDate,
    pub(super) instant: Timestamp,
}

impl Dated {
    /// Whether its day is yet to come for an event of this source.
    pub(super) fn is_ahead(&self, settings: &DateSettings, now: Timestamp) -> bool {
        !settings.already_due && self.instant > now
    }

    /// The time before which nothing is done; none: at once.
    pub(super) fn not_before(
        &self,
        ahead: SignedDuration,
        settings: &DateSettings,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let due = self.instant.saturating_sub(ahead).unwrap_or(Timestamp::MIN);
        (!settings.already_due && due > now).then_some(due)
    }

    /// Why what it says waits for a person's word.
    pub(super) fn held(&self, settings: &DateSettings, now: Timestamp) -> Option<HeldReason> {
        let ahead = self.instant.duration_since(now);
        if -ahead > settings.back_dated_after {
            Some(HeldReason::BackDated)
        } else if ahead > settings.far_future_after && !settings.already_due {
            Some(HeldReason::FarFuture)
        } else {
            None
        }
    }
}
