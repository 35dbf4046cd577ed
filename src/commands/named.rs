//! A command out of its name and its arguments, where both come in one document.

use serde_json::Value;

use super::{
    Command, Operation as _, create_group, create_user, delete_group, disable_user, get_group, get_mapping_fields,
    get_user, test_module, update_group, update_user,
};
use crate::json::{self, JsonError};

/// Why there is no such command.
#[derive(Debug, thiserror::Error)]
pub enum NamedError {
    /// No command has this name.
    #[error("no command has this name")]
    Unknown,
    /// It does not take these arguments.
    #[error(transparent)]
    Arguments(#[from] JsonError),
}

/// The command of this name with these arguments.
///
/// # Errors
/// When there is none of this name, or it does not take them.
pub fn named(name: &str, arguments: Value) -> Result<Command, NamedError> {
    Ok(match name {
        create_user::Args::NAME => Command::CreateUser(json::from_value(arguments)?),
        update_user::Args::NAME => Command::UpdateUser(json::from_value(arguments)?),
        get_user::Args::NAME => Command::GetUser(json::from_value(arguments)?),
        disable_user::Args::NAME => Command::DisableUser(json::from_value(arguments)?),
        get_group::Args::NAME => Command::GetGroup(json::from_value(arguments)?),
        create_group::Args::NAME => Command::CreateGroup(json::from_value(arguments)?),
        update_group::Args::NAME => Command::UpdateGroup(json::from_value(arguments)?),
        delete_group::Args::NAME => Command::DeleteGroup(json::from_value(arguments)?),
        test_module::Args::NAME => Command::TestModule(json::from_value(arguments)?),
        get_mapping_fields::Args::NAME => Command::GetMappingFields(json::from_value(arguments)?),
        _ => return Err(NamedError::Unknown),
    })
}
