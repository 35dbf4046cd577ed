//! Asking a source for more of a person than its event says.

use std::{fmt, pin::Pin};

use serde_json::{Map, Value};

use super::{Operation, Operations};
use crate::{commands::Command, profile::UserProfile, scim::Priority};

/// Asks sources for people.
pub trait Fetch: fmt::Debug + Send + Sync {
    /// The fields that a source gives of a person, by what is known of the person already. Asks
    /// once.
    fn fetch<'a>(&'a self, source: &'a str, known: &'a UserProfile) -> FetchAnswer<'a>;
}

/// The answer of [`Fetch::fetch`], to be awaited.
pub type FetchAnswer<'a> = Pin<Box<dyn Future<Output = Result<Map<String, Value>, FetchError>> + Send + 'a>>;

/// Why nothing was fetched. Says which field or expression, and never a value or an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// It may go better another time: the source has not answered, or has too much to do.
    #[error("the source could not be asked for its person: {0}")]
    Passing(String),
    /// It will not: what is needed is not known, or the source does not give it.
    #[error("the source does not say more of its person: {0}")]
    Lasting(String),
}

impl Operations {
    /// What the source of an operation gives of its person; `None` where the operation does not ask
    /// for it. A disable never does.
    ///
    /// Only where this gives something is the directory asked. `command` is what is left of the
    /// operation, whose profile fills the address.
    ///
    /// # Errors
    /// [`FetchError::Passing`]: the attempt ends as one that failed for a passing reason, so that
    /// it is made again by the schedule of operations. [`FetchError::Lasting`]: the operation waits
    /// in `needs_data`, with the error as its reason, until a later event of its person brings what
    /// is missing, or a person lets it go on.
    pub(super) async fn fetched(
        &self,
        operation: &Operation,
        command: &Command,
    ) -> Result<Option<Map<String, Value>>, FetchError> {
        let Some((source, profile)) = question(operation, command) else {
            return Ok(None);
        };
        match &self.outward.fetch {
            Some(fetch) => fetch.fetch(source, profile).await.map(Some),
            None => Err(FetchError::Lasting("there is none to ask".to_owned())),
        }
    }
}

/// Whom an operation asks for whom, if it asks.
fn question<'a>(operation: &'a Operation, command: &'a Command) -> Option<(&'a str, &'a UserProfile)> {
    let asks = operation.wants_fetch && command.priority() != Priority::Disable;
    let source = operation.source.as_deref().filter(|_| asks)?;
    Some((source, command.user_profile()?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::{commands, store::NewOperation};

    #[test]
    fn a_disable_never_asks_and_others_where_their_rule_says_so() {
        let of_user = json!({"user-profile": {"employeeid": "42"}});
        let group = json!({"scim": {"displayName": "a"}});
        for (name, arguments, source, wants_fetch, asks) in [
            ("iam-create-user", &of_user, Some("hr"), true, true),
            ("iam-update-user", &of_user, Some("hr"), true, true),
            ("iam-update-user", &of_user, Some("hr"), false, false),
            ("iam-update-user", &of_user, None, true, false),
            ("iam-disable-user", &of_user, Some("hr"), true, false),
            ("iam-create-group", &group, Some("hr"), true, false),
        ] {
            let command = commands::named(name, arguments.clone()).unwrap();
            let operation = NewOperation {
                id: "1".to_owned(),
                instance: "a".to_owned(),
                command: name.to_owned(),
                stored: String::new(),
                class: 1,
                lanes: BTreeSet::new(),
                overtakes: false,
                is_synchronous: false,
                not_before: None,
                caller: None,
                source: source.map(str::to_owned),
                batch: None,
                purpose: None,
                traceparent: None,
                due_date: None,
                held: None,
                statement: None,
                wants_fetch,
            };
            let operation = operation.accepted(1, Timestamp::UNIX_EPOCH);
            let question = question(&operation, &command);
            let of = question.map(|(source, profile)| (source, profile.text("employeeid").unwrap()));
            assert_eq!(
                of,
                asks.then_some(("hr", Some("42"))),
                "{name} {source:?} {wants_fetch}"
            );
        }
    }
}
