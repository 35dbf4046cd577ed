//! The queries of the operations' routes.

use std::time::Duration;

use jiff::Timestamp;
use url::form_urlencoded;

use super::view::states;
use crate::{http::problem::Problem, operations::Filter};

/// Operations on a page, unless the query says how many.
const PAGE: u32 = 50;

/// The most operations on a page.
const LARGEST_PAGE: u32 = 500;

/// The longest that `wait` waits.
const LONGEST_WAIT: u64 = 60;

/// The parameters that say which operations are meant.
pub(super) const FILTER: [&str; 8] = [
    "state", "command", "subject", "caller", "instance", "batch", "from", "before",
];

/// Those, and which page of them.
pub(super) const LIST: [&str; 10] = [
    "state", "command", "subject", "caller", "instance", "batch", "from", "before", "limit", "cursor",
];

/// Which operations are listed.
pub(in crate::http::routes) struct ListQuery {
    pub(in crate::http::routes) filter: Filter,
    /// The number that `next` of the page before gave.
    pub(in crate::http::routes) cursor: Option<i64>,
    pub(in crate::http::routes) limit: u32,
}

impl ListQuery {
    /// Reads a query of these parameters.
    pub(in crate::http::routes) fn parse(query: Option<&str>, known: &[&str]) -> Result<Self, Problem> {
        let mut found = Self {
            filter: Filter::default(),
            cursor: None,
            limit: PAGE,
        };
        let mut seen = Vec::new();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let refused = |detail: &str| Err(Problem::bad_parameter(&name, detail));
            if !known.contains(&&*name) {
                let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
                return refused(&format!("is not known; there are {}", known.join(", ")));
            }
            if seen.contains(&name) {
                return refused("is given twice");
            }
            let filter = &mut found.filter;
            let text = Some(value.clone().into_owned());
            match &*name {
                "state" => match states(&value) {
                    Some(states) => filter.states = states,
                    None => return refused("is a state, or several separated by commas"),
                },
                "command" => filter.command = text,
                "subject" => filter.subject = text,
                "caller" => filter.caller = text,
                "instance" => filter.instance = text,
                "batch" => filter.batch = text,
                "from" => match time(&value) {
                    Some(time) => filter.created_from = Some(time),
                    None => return refused(TIME),
                },
                "before" => match time(&value) {
                    Some(time) => filter.created_before = Some(time),
                    None => return refused(TIME),
                },
                "limit" => match value.parse() {
                    Ok(limit @ 1..=LARGEST_PAGE) => found.limit = limit,
                    Ok(_) | Err(_) => return refused("is a number from 1 to 500"),
                },
                "cursor" => match value.parse() {
                    Ok(cursor @ 1..) => found.cursor = Some(cursor),
                    Ok(_) | Err(_) => return refused("is not one that `next` of a page gave"),
                },
                _ => return refused("is not known"),
            }
            seen.push(name);
        }
        Ok(found)
    }
}

const TIME: &str = "is a time with its offset, like 2026-01-31T09:00:00Z";

/// A time with its offset (RFC 3339).
pub(super) fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// How long `wait` waits.
pub(super) fn timeout(query: Option<&str>) -> Result<Duration, Problem> {
    let mut timeout = None;
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let refused = |detail: &str| Err(Problem::bad_parameter(&name, detail));
        match (&*name, value.parse()) {
            ("timeout", _) if timeout.is_some() => return refused("is given twice"),
            ("timeout", Ok(seconds @ 0..=LONGEST_WAIT)) => timeout = Some(Duration::from_secs(seconds)),
            ("timeout", _) => return refused("is a number of seconds from 0 to 60"),
            _ => return refused("is not known; there is `timeout`"),
        }
    }
    Ok(timeout.unwrap_or(Duration::from_secs(LONGEST_WAIT)))
}
