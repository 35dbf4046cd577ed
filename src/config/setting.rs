//! What a setting is.

use super::kind::Accepts;

/// Every environment variable of ours begins with this.
pub(super) const PREFIX: &str = "AWS_ILM_";

/// The table of the file in which a setting stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The service: at the top of the file.
    Service,
    /// One directory: in its `[[instances]]` table.
    Instance,
    /// One caller: in its `[[callers]]` table.
    Caller,
    /// One issuer of bearer tokens: in its `[[issuers]]` table.
    Issuer,
    /// One source of webhooks: in its `[[sources]]` table.
    Source,
}

/// One setting.
pub struct Setting {
    /// The table in which it stands.
    pub scope: Scope,
    /// Its name in the file. In the environment it is the same in upper case, behind `AWS_ILM_`.
    pub name: &'static str,
    /// Its value when it is not set, as it would be written in the environment.
    pub default: Option<&'static str>,
    pub(super) kind: &'static dyn Accepts,
    /// The lines of its documentation, each with the space in front.
    pub(super) documentation: &'static str,
}

impl Setting {
    /// The environment variable of the setting. Callers, issuers and sources have none: there are
    /// many of them, and they are read again while the service runs.
    #[must_use]
    pub fn variable(&self) -> Option<String> {
        match self.scope {
            Scope::Service | Scope::Instance => Some(format!("{PREFIX}{}", self.name.to_ascii_uppercase())),
            Scope::Caller | Scope::Issuer | Scope::Source => None,
        }
    }

    /// What it accepts, as the words after "use" or in a table's cell.
    #[must_use]
    pub fn accepts(&self) -> String {
        self.kind.accepts()
    }

    /// What it does, for its page in `docs/`.
    #[must_use]
    pub fn meaning(&self) -> &'static str {
        self.documentation.trim()
    }
}
