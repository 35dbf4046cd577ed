//! The query of a command.

use axum::{extract::FromRequestParts, http::request::Parts};
use url::form_urlencoded;

use super::problem::Problem;

/// What undecodable bytes are decoded to.
const REPLACEMENT: char = '\u{fffd}';

/// The query parameters of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandQuery {
    /// `instance`: which directory; the default one when absent.
    pub instance: Option<String>,
    /// `dryRun`: read, but write nothing.
    pub dry_run: bool,
    /// `notBefore`: the time, as it is written, before which nothing is to be done.
    pub not_before: Option<String>,
    /// `purpose`: what the command is for.
    pub purpose: Option<String>,
}

impl CommandQuery {
    /// Reads a raw query (`application/x-www-form-urlencoded`). Unknown, doubled and unreadable
    /// parameters are refused by name: a `dryrun` that is passed over would write.
    pub fn parse(query: Option<&str>) -> Result<Self, Problem> {
        let mut instance = None;
        let mut dry_run = None;
        let (mut not_before, mut purpose) = (None, None);
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let refused = |detail| Err(Problem::bad_parameter(&name, detail));
            if name.contains(REPLACEMENT) || value.contains(REPLACEMENT) {
                return refused("is not percent-encoded UTF-8");
            }
            let is_twice = match (&*name, &*value) {
                ("instance", "") => return refused("has no value"),
                ("instance", _) => instance.replace(value.into_owned()).is_some(),
                ("dryRun", "true") => dry_run.replace(true).is_some(),
                ("dryRun", "false") => dry_run.replace(false).is_some(),
                ("dryRun", _) => return refused("is either true or false"),
                ("notBefore", _) => not_before.replace(value.into_owned()).is_some(),
                ("purpose", _) if is_purpose(&value) => purpose.replace(value.into_owned()).is_some(),
                ("purpose", _) => return refused(PURPOSE),
                (_, _) => return refused("is not known; there are `instance`, `dryRun`, `notBefore` and `purpose`"),
            };
            if is_twice {
                return refused("is given twice");
            }
        }
        Ok(Self {
            instance,
            dry_run: dry_run.unwrap_or(false),
            not_before,
            purpose,
        })
    }
}

/// What a purpose is.
pub(super) const PURPOSE: &str = "is 1 to 64 letters, digits, `-`, `_`, `.` or `:`";

pub(super) fn is_purpose(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(is_plain)
}

impl<S: Send + Sync> FromRequestParts<S> for CommandQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::parse(parts.uri.query())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::http::problem::ProblemType;

    fn of(instance: Option<&str>, dry_run: bool) -> CommandQuery {
        CommandQuery {
            instance: instance.map(str::to_owned),
            dry_run,
            ..CommandQuery::default()
        }
    }

    #[test]
    fn a_query_is_read() {
        assert_eq!(CommandQuery::parse(None).unwrap(), of(None, false));
        for (query, expected) in [
            ("", of(None, false)),
            ("instance=AWS-ILM_instance_1", of(Some("AWS-ILM_instance_1"), false)),
            ("dryRun=true&instance=a%20b+c%C3%A9", of(Some("a b c\u{e9}"), true)),
            ("dryRun=false", of(None, false)),
            ("%69nstance=a", of(Some("a"), false)),
            // What is no percent-encoding stands for itself (URL standard), and names no instance.
            ("instance=%zz", of(Some("%zz"), false)),
        ] {
            assert_eq!(CommandQuery::parse(Some(query)).expect(query), expected);
        }
    }

    #[test]
    fn a_query_is_refused_by_name() {
        for (query, parameter) in [
            ("dryrun=true", "dryrun"),
            ("instance=a&instance=b", "instance"),
            ("instance=a&%69nstance=a", "instance"),
            ("dryRun=true&dryRun=true", "dryRun"),
            ("dryRun", "dryRun"),
            ("dryRun=1", "dryRun"),
            ("dryRun=TRUE", "dryRun"),
            ("dryRun=%zz", "dryRun"),
            ("instance=", "instance"),
            ("instance=%ff", "instance"),
            ("%ff=1", "\u{fffd}"),
            ("=1", ""),
            ("a%0d%0aX=1", "a\\u{d}\\u{a}X"),
        ] {
            let problem = CommandQuery::parse(Some(query)).expect_err(query);
            assert_eq!(problem.problem_type(), ProblemType::BadParameter);
            let body: Value = serde_json::to_value(problem).unwrap();
            assert_eq!(body["errors"][0]["parameter"], parameter, "{query}");
        }
    }
}
