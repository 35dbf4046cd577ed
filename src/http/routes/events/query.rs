//! The query of the list of events.

use url::form_urlencoded;

use crate::{
    http::problem::Problem,
    webhooks::{EventFilter, EventVerdict},
};

/// Events on a page, unless the query says how many.
const PAGE: u32 = 50;

/// The most events on a page.
const LARGEST_PAGE: u32 = 500;

/// Which events are listed.
pub(super) struct EventQuery {
    pub(super) filter: EventFilter,
    pub(super) cursor: Option<i64>,
    pub(super) limit: u32,
}

impl EventQuery {
    /// Reads a query.
    pub(super) fn parse(query: Option<&str>) -> Result<Self, Problem> {
        let mut found = Self {
            filter: EventFilter::default(),
            cursor: None,
            limit: PAGE,
        };
        let mut seen = Vec::new();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if seen.contains(&name) {
                return Err(Problem::bad_parameter(&name, "is given twice"));
            }
            found
                .take(&name, &value)
                .map_err(|detail| Problem::bad_parameter(&name, detail))?;
            seen.push(name);
        }
        Ok(found)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        let time = || {
            let time = value
                .parse()
                .map_err(|_| "is a time with its offset, like 2026-01-31T09:00:00Z");
            time.map(Some)
        };
        let filter = &mut self.filter;
        match name {
            "source" => filter.source = Some(value.to_owned()),
            "subject" => filter.subject = Some(value.to_owned()),
            "verdict" => {
                let verdict = EventVerdict::parse(value);
                filter.verdict = Some(verdict.ok_or("is accepted, ignored, failed or quarantined")?);
            }
            "from" => filter.received_from = time()?,
            "before" => filter.received_before = time()?,
            "limit" => match value.parse() {
                Ok(limit @ 1..=LARGEST_PAGE) => self.limit = limit,
                Ok(_) | Err(_) => return Err("is a number from 1 to 500"),
            },
            "cursor" => match value.parse() {
                Ok(cursor @ 1..) => self.cursor = Some(cursor),
                Ok(_) | Err(_) => return Err("is not one that `next` of a page gave"),
            },
            _ => {
                return Err(
                    "is not known; there are `source`, `verdict`, `subject`, `from`, `before`, `limit`, `cursor`",
                );
            }
        }
        Ok(())
    }
}
