//! The commands. Each has a file of its own: its manual, its arguments, its decision and the table
//! of tests for it.
//!
//! Nothing here does anything: a command decides what to do next from what is known, see
//! [`crate::decide`].

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    decide::{Known, Next, Replay},
    mapper::Mapper,
    outcome::Outcome,
    policy::Policy,
    profile::UserProfile,
    scim::{Dialect, Priority},
};

mod arguments;
pub mod create_group;
pub mod create_user;
pub mod delete_group;
pub mod disable_user;
pub mod get_group;
pub mod get_mapping_fields;
pub mod get_user;
mod group;
mod named;
mod person;
mod refused;
mod settle;
pub mod stored;
pub mod test_module;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod update_group;
pub mod update_user;

pub use arguments::{FieldNames, MemberIds, Switch};
pub use group::names_of_group;
pub use named::{NamedError, named};
pub use person::names_of_user;
pub use refused::refused;

/// How often a creation is sent whose answer gets lost. Between two, the directory is looked at.
const CREATIONS: usize = 3;

/// Every command's name, and whether the command changes a directory.
pub const NAMES: [(&str, bool); 10] = {
    let mut names = [("", false); LIST.len()];
    let mut index = 0;
    while index < LIST.len() {
        names[index] = (LIST[index].name, LIST[index].writes);
        index += 1;
    }
    names
};

/// The one list of commands.
const LIST: [Facts; 10] = [
    Facts::of::<create_user::Args>(),
    Facts::of::<update_user::Args>(),
    Facts::of::<get_user::Args>(),
    Facts::of::<disable_user::Args>(),
    Facts::of::<get_group::Args>(),
    Facts::of::<create_group::Args>(),
    Facts::of::<update_group::Args>(),
    Facts::of::<delete_group::Args>(),
    Facts::of::<test_module::Args>(),
    Facts::of::<get_mapping_fields::Args>(),
];

/// What is known of a command before its arguments are.
struct Facts {
    name: &'static str,
    writes: bool,
    arguments: &'static [&'static str],
}

impl Facts {
    const fn of<O: Operation>() -> Self {
        Self {
            name: O::NAME,
            writes: O::WRITES,
            arguments: O::ARGUMENTS,
        }
    }
}

/// The names of a command's arguments; `None` when there is no such command.
fn arguments_of(command: &str) -> Option<&'static [&'static str]> {
    let facts = LIST.iter().find(|facts| facts.name == command)?;
    Some(facts.arguments)
}

/// What the house knows of a command, implemented by its arguments.
trait Operation {
    /// Its name on the wire.
    const NAME: &'static str;
    /// The names of its arguments on the wire.
    const ARGUMENTS: &'static [&'static str];
    /// How urgent it is: leavers first.
    const PRIORITY: Priority;
    /// Whether it changes a directory.
    const WRITES: bool = !matches!(Self::PRIORITY, Priority::Read);

    /// Maps the profile and parses the ids, once a command, so that deciding again and again does
    /// not.
    fn prepare<'a>(&'a self, rules: &'a Rules) -> Box<dyn Decision + Send + 'a>;
}

/// A command's decision, ready to be made.
trait Decision {
    /// The names that the command knows its subject by: ids, user names and employee ids, old and
    /// new. Empty for a command that only reads, which may run beside any other.
    fn subject(&self) -> BTreeSet<String> {
        BTreeSet::new()
    }

    /// The keys of the caller's document that do nothing in a command that ends so.
    fn ignored(&self, _: &Outcome) -> Vec<String> {
        Vec::new()
    }

    /// The outcome, or, as an error, the next thing to do.
    fn decide<'r>(&'r mut self, replay: &mut Replay<'r>) -> Result<Outcome, Next>;
}

/// A command under the rules of an instance, ready to be decided as often as there are answers.
pub struct Prepared<'a>(Box<dyn Decision + Send + 'a>);

impl Prepared<'_> {
    /// The names that the command knows its subject by: ids, user names and employee ids, old and
    /// new. Empty for a command that only reads, which may run beside any other.
    pub fn subject(&self) -> BTreeSet<String> {
        self.0.subject()
    }

    /// The fields of a profile, or attributes of a group, that do nothing in a command that ends
    /// so: a typing error in one is seen by nothing else.
    pub fn ignored(&self, outcome: &Outcome) -> Vec<String> {
        self.0.ignored(outcome)
    }

    /// What to do next, given what is known. Between two calls, answers are only added to what is
    /// known.
    pub fn decide(&mut self, known: &Known) -> Next {
        self.replay(&mut known.replay())
    }

    fn replay<'r>(&'r mut self, replay: &mut Replay<'r>) -> Next {
        let decided = self.0.decide(replay);
        decided.map_or_else(|next| next, |outcome| Next::Finish(Box::new(outcome)))
    }
}

/// A command with its arguments. It is data: it can be stored and run later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", content = "arguments")]
#[expect(missing_docs, reason = "each module has the manual")]
pub enum Command {
    #[serde(rename = "iam-create-user")]
    CreateUser(create_user::Args),
    #[serde(rename = "iam-update-user")]
    UpdateUser(update_user::Args),
    #[serde(rename = "iam-get-user")]
    GetUser(get_user::Args),
    #[serde(rename = "iam-disable-user")]
    DisableUser(disable_user::Args),
    #[serde(rename = "iam-get-group")]
    GetGroup(get_group::Args),
    #[serde(rename = "iam-create-group")]
    CreateGroup(create_group::Args),
    #[serde(rename = "iam-update-group")]
    UpdateGroup(update_group::Args),
    #[serde(rename = "iam-delete-group")]
    DeleteGroup(delete_group::Args),
    #[serde(rename = "test-module")]
    TestModule(test_module::Args),
    #[serde(rename = "get-mapping-fields")]
    GetMappingFields(get_mapping_fields::Args),
}

/// What an instance makes of every command: its switches, its mapping, how its directory speaks.
#[derive(Clone, Debug)]
pub struct Rules {
    /// What its operator allows.
    pub policy: Policy,
    /// How profiles become SCIM users and back.
    pub mapper: Mapper,
    /// How its directory speaks.
    pub dialect: Dialect,
}

/// Evaluates an expression with the arguments of whichever command it is: the one match.
macro_rules! with_arguments {
    ($command:expr, $arguments:ident => $value:expr) => {
        match $command {
            Command::CreateUser($arguments) => $value,
            Command::UpdateUser($arguments) => $value,
            Command::GetUser($arguments) => $value,
            Command::DisableUser($arguments) => $value,
            Command::GetGroup($arguments) => $value,
            Command::CreateGroup($arguments) => $value,
            Command::UpdateGroup($arguments) => $value,
            Command::DeleteGroup($arguments) => $value,
            Command::TestModule($arguments) => $value,
            Command::GetMappingFields($arguments) => $value,
        }
    };
}

impl Command {
    /// The command's name on the wire.
    pub fn name(&self) -> &'static str {
        fn name<O: Operation>(_: &O) -> &'static str {
            O::NAME
        }
        with_arguments!(self, arguments => name(arguments))
    }

    /// The caller's profile, of a command that is about a user.
    pub fn user_profile(&self) -> Option<&UserProfile> {
        match self {
            Self::CreateUser(args) => Some(&args.user_profile),
            Self::UpdateUser(args) => Some(&args.user_profile),
            Self::GetUser(args) => Some(&args.user_profile),
            Self::DisableUser(args) => Some(&args.user_profile),
            Self::GetGroup(_)
            | Self::CreateGroup(_)
            | Self::UpdateGroup(_)
            | Self::DeleteGroup(_)
            | Self::TestModule(_)
            | Self::GetMappingFields(_) => None,
        }
    }

    /// How urgent the command is: leavers first.
    pub fn priority(&self) -> Priority {
        fn priority<O: Operation>(_: &O) -> Priority {
            O::PRIORITY
        }
        with_arguments!(self, arguments => priority(arguments))
    }

    /// Whether the command changes a directory.
    pub fn writes(&self) -> bool {
        self.priority() != Priority::Read
    }

    /// Makes the command ready to be decided under these rules.
    pub fn prepare<'a>(&'a self, rules: &'a Rules) -> Prepared<'a> {
        Prepared(with_arguments!(self, arguments => arguments.prepare(rules)))
    }
}

/// Ends a decision early with this outcome, through `?`.
fn finish<T>(outcome: Outcome) -> Result<T, Next> {
    Err(Next::Finish(Box::new(outcome)))
}
