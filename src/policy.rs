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
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            create_user_enabled: true,
            update_user_enabled: true,
            enable_user_enabled: true,
            disable_user_enabled: true,
            create_if_not_exists: true,
        }
    }
}
