//! The switches of an instance: what its operator lets the commands do.

use serde::{Deserialize, Serialize};

/// The integration's five switches, by its own names, and what it has no switch for. All switches
/// default to true.
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
    /// `allow-enable` where a create or an update is sent without it.
    pub allow_enable_default: bool,
    /// What a disable makes of a user that is not there.
    pub disable_absent: DisableAbsent,
    /// Whose identifier the `id` of a profile is.
    pub profile_id: ProfileId,
    /// Whose user a create may take over.
    pub adopt: Adopt,
}

/// What `iam-disable-user` makes of a user that is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DisableAbsent {
    /// Success, skipped: there is no account to disable.
    #[default]
    Skip,
    /// Failure 404: a leaver without an account is a mistake in the profile.
    Fail,
}

/// Whose identifier the `id` of a profile is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProfileId {
    /// The directory's: users are looked for by it.
    #[default]
    Aws,
    /// Another system's, an HR record's: users are never looked for by it.
    Foreign,
}

/// Which user that has the person's userName already a command goes on with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Adopt {
    /// The same person's: the employee id (externalId) is equal, or absent on either side.
    #[default]
    SamePerson,
    /// As [`Self::SamePerson`]; where employee ids can't be compared, e-mail, phone, given name and
    /// family name must not all contradict it, as far as at least two of them are given. Asked of
    /// updates by the current userName as well.
    Strict,
    /// Anybody's: employee ids and signs are not compared, in disables neither. For directories
    /// whose externalIds another provider wrote.
    Always,
    /// No user: a create never goes on as an update.
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
            allow_enable_default: true,
            disable_absent: DisableAbsent::default(),
            profile_id: ProfileId::default(),
            adopt: Adopt::default(),
        }
    }
}
