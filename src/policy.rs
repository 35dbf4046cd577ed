//! The switches of an instance: what its operator lets the commands do.

use serde::{Deserialize, Serialize};

/// The integration's five switches, by its own names. All default to true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// "Allow creating users".
    pub create_user_enabled: bool,
    /// "Allow updating users".
    pub update_user_enabled: bool,
    /// "Allow enabling users".
    pub enable_user_enabled: bool,
    /// "Allow disabling users".
    pub disable_user_enabled: bool,
    /// "Automatically create user if not found in update command".
    pub create_if_not_exists: bool,
    /// Whose user a create may take over.
    pub adopt: Adopt,
}

/// Which user that has the person's userName already a create goes on with, as an update.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Adopt {
    /// The same person's: the employee id (externalId) is equal, or absent on either side.
    #[default]
    SamePerson,
    /// Anybody's.
    Always,
    /// Nobody's.
    Never,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            create_user_enabled: true,
            update_user_enabled: true,
            enable_user_enabled: true,
            disable_user_enabled: true,
            create_if_not_exists: true,
            adopt: Adopt::default(),
        }
    }
}
