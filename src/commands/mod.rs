//! The commands. Each has a file of its own: its manual, its arguments, its decision and the table of tests for it.
//!
//! Nothing here does anything: a command decides what to do next from what is known, see [`crate::decide`].

use serde::{Deserialize, Serialize};

use crate::{
    decide::{Known, Next, Replay},
    mapper::Mapper,
    outcome::Outcome,
    policy::Policy,
    profile::{GroupProfile, UserProfile},
    scim::Dialect,
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
mod person;
pub mod test_module;
#[cfg(test)]
mod testing;
pub mod update_group;
pub mod update_user;

pub use arguments::{MemberIds, Switch};

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

impl Command {
    /// The command's name on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CreateUser(_) => "iam-create-user",
            Self::UpdateUser(_) => "iam-update-user",
            Self::GetUser(_) => "iam-get-user",
            Self::DisableUser(_) => "iam-disable-user",
            Self::GetGroup(_) => "iam-get-group",
            Self::CreateGroup(_) => "iam-create-group",
            Self::UpdateGroup(_) => "iam-update-group",
            Self::DeleteGroup(_) => "iam-delete-group",
            Self::TestModule(_) => "test-module",
            Self::GetMappingFields(_) => "get-mapping-fields",
        }
    }

    /// The person that a user command is about.
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

    /// The group that a group command is about.
    pub fn group_profile(&self) -> Option<&GroupProfile> {
        match self {
            Self::GetGroup(args) => Some(&args.scim),
            Self::CreateGroup(args) => Some(&args.scim),
            Self::UpdateGroup(args) => Some(&args.scim),
            Self::DeleteGroup(args) => Some(&args.scim),
            Self::CreateUser(_)
            | Self::UpdateUser(_)
            | Self::GetUser(_)
            | Self::DisableUser(_)
            | Self::TestModule(_)
            | Self::GetMappingFields(_) => None,
        }
    }

    /// What to do next, given what is known.
    pub fn decide<'a>(&'a self, rules: &'a Rules, known: &'a Known) -> Next {
        let mut replay = known.replay();
        let decided = self.replay(rules, &mut replay);
        decided.map_or_else(|next| next, |outcome| Next::Finish(Box::new(outcome)))
    }

    fn replay<'a>(&'a self, rules: &'a Rules, replay: &mut Replay<'a>) -> Result<Outcome, Next> {
        match self {
            Self::CreateUser(args) => create_user::decide(args, rules, replay),
            Self::UpdateUser(args) => update_user::decide(args, rules, replay),
            Self::GetUser(args) => get_user::decide(args, rules, replay),
            Self::DisableUser(args) => disable_user::decide(args, rules, replay),
            Self::GetGroup(args) => get_group::decide(args, rules, replay),
            Self::CreateGroup(args) => create_group::decide(args, rules, replay),
            Self::UpdateGroup(args) => update_group::decide(args, rules, replay),
            Self::DeleteGroup(args) => delete_group::decide(args, replay),
            Self::TestModule(args) => test_module::decide(args, replay),
            Self::GetMappingFields(args) => Ok(get_mapping_fields::decide(args)),
        }
    }
}

/// Ends a decision early with this outcome, through `?`.
fn finish<T>(outcome: Outcome) -> Result<T, Next> {
    Err(Next::Finish(Box::new(outcome)))
}
