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
        let (Some(source), Some(profile)) = (&operation.source, command.user_profile()) else {
            return Ok(None);
        };
        if !operation.wants_fetch || command.priority() == Priority::Disable {
            return Ok(None);
        }
        match &self.outward.fetch {
            Some(fetch) => fetch.fetch(source, profile).await.map(Some),
            None => Err(FetchError::Lasting("there is none to ask".to_owned())),
        }
    }
}
