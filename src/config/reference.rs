//! What a setting is, and the reference of all of them.
//!
//! The reader, the search for unknown names and the README's reference all work from the one table,
//! and the defaults are read out of it by the same code that reads an operator's values: none of
//! them can drift from the others.

use std::fmt::Write as _;

use super::{table::SETTINGS, table_callers::CALLER_SETTINGS};

/// Every environment variable of ours begins with this.
pub(super) const PREFIX: &str = "AWS_ILM_";

/// Whom a setting belongs to, which is also where it stands in the file.
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
}

/// What a setting accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A whole number of `unit`, from `least` to `most`.
    Count {
        /// The smallest number accepted.
        least: u64,
        /// The largest number accepted.
        most: u64,
        /// What is counted.
        unit: &'static str,
    },
    /// A duration such as `10s`, `500ms` or `1m`, with its bounds in milliseconds.
    Duration {
        /// The shortest accepted, in milliseconds.
        least: u64,
        /// The longest accepted, in milliseconds.
        most: u64,
    },
    /// A number a second, at least 0.001, fractions allowed.
    Rate {
        /// The largest number accepted.
        most: u32,
        /// What is counted.
        unit: &'static str,
    },
    /// A date, which means its start in UTC, or a time with its offset (RFC 3339).
    Date,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A text; what of.
    Text(&'static str),
    /// A list of texts: an array in the file, separated by commas in the environment; what of.
    List(&'static str),
    /// A text that is never shown, nor its length.
    Secret(&'static str),
    /// `true`, `false` or the URL of a proxy, whose user and password are never shown.
    Proxy,
}

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Whom it belongs to.
    pub scope: Scope,
    /// Its name in the file. In the environment it is the same in upper case, behind `AWS_ILM_`.
    pub name: &'static str,
    /// What it accepts.
    pub kind: Kind,
    /// Its value when it is not set, as it would be written in the environment.
    pub default: Option<&'static str>,
    /// What it does, in a sentence for the README.
    pub meaning: &'static str,
}

impl Setting {
    /// The environment variable of the setting. Callers and issuers have none: there are many of
    /// them, and they are read again while the service runs.
    #[must_use]
    pub fn variable(&self) -> Option<String> {
        match self.scope {
            Scope::Service | Scope::Instance => Some(format!("{PREFIX}{}", self.name.to_ascii_uppercase())),
            Scope::Caller | Scope::Issuer => None,
        }
    }
}

impl Kind {
    /// What is accepted, as the words after "use" or in a table's cell.
    #[must_use]
    pub fn accepts(&self) -> String {
        match self {
            Self::Boolean => "true or false".to_owned(),
            Self::Count { least, most, unit } => format!("a whole number of {unit} from {least} to {most}"),
            Self::Duration { least, most } => {
                format!("a duration from {} to {}, like \"10s\"", spoken(*least), spoken(*most))
            }
            Self::Rate { most, unit } => {
                format!("a number of {unit} a second from 0.001 to {most}, like 25 or 12.5")
            }
            Self::Date => "a date like 2027-01-31, or a time like 2027-01-31T12:00:00Z".to_owned(),
            Self::Choice(words) => words
                .iter()
                .map(|word| format!("\"{word}\""))
                .collect::<Vec<_>>()
                .join(" or "),
            Self::Text(what) | Self::Secret(what) | Self::List(what) => (*what).to_owned(),
            Self::Proxy => "true, false or the URL of a proxy (http or https)".to_owned(),
        }
    }
}

/// All settings, the service's first, in the order in which the README shows them.
pub fn reference() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().chain(CALLER_SETTINGS)
}

/// The configuration reference as the README holds it: one Markdown table for each kind of table in
/// the file.
#[must_use]
pub fn reference_markdown() -> String {
    let mut page = String::new();
    for (scope, title) in [
        (Scope::Service, "The service (at the top of the file)"),
        (Scope::Instance, "An instance (in its `[[instances]]` table)"),
        (Scope::Caller, "A caller (in its `[[callers]]` table)"),
        (Scope::Issuer, "An issuer of tokens (in its `[[issuers]]` table)"),
    ] {
        let separator = if page.is_empty() { "" } else { "\n" };
        let _ = writeln!(page, "{separator}### {title}\n");
        let has_variables = matches!(scope, Scope::Service | Scope::Instance);
        let (head, rule) = if has_variables {
            (" environment |", "---|")
        } else {
            ("", "")
        };
        let _ = writeln!(
            page,
            "| setting |{head} accepts | default | meaning |\n|---|{rule}---|---|---|"
        );
        for setting in reference().filter(|setting| setting.scope == scope) {
            let variable = setting
                .variable()
                .map_or_else(String::new, |name| format!(" `{name}` |"));
            let default = setting.default.map_or_else(String::new, |value| format!("`{value}`"));
            let _ = writeln!(
                page,
                "| `{}` |{variable} {} | {default} | {} |",
                setting.name,
                setting.kind.accepts(),
                setting.meaning,
            );
        }
    }
    page
}

/// The setting of that name, if there is one.
pub(super) fn find(scope: Scope, name: &str) -> Option<&'static Setting> {
    reference().find(|setting| setting.scope == scope && setting.name == name)
}

/// Milliseconds as an operator would write them.
fn spoken(milliseconds: u64) -> String {
    match milliseconds {
        whole if whole > 0 && whole % 60_000 == 0 => format!("{}m", whole / 60_000),
        whole if whole % 1_000 == 0 => format!("{}s", whole / 1_000),
        rest => format!("{rest}ms"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_across_scopes_because_environment_variables_have_none() {
        let variables: Vec<_> = reference().filter_map(Setting::variable).collect();
        let unique: BTreeSet<_> = variables.iter().collect();
        assert_eq!(unique.len(), variables.len());
    }

    #[test]
    fn the_page_has_a_row_for_each_setting_and_no_broken_cell() {
        let page = reference_markdown();
        for setting in reference() {
            let variable = setting.variable().map(|name| format!("`{name}` | "));
            let start = format!("| `{}` | {}", setting.name, variable.as_deref().unwrap_or_default());
            let cells = 5 + usize::from(variable.is_some());
            let is_row = |row: &str| row.starts_with(&start) && row.matches('|').count() == cells;
            assert!(page.lines().any(is_row), "{}", setting.name);
        }
        assert!(
            page.contains("| a duration from 100ms to 5m, like \"10s\" | `10s` |"),
            "{page}"
        );
        assert!(page.contains("`AWS_ILM_CREATE_IF_NOT_EXISTS`"));
    }
}
