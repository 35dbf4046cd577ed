//! The reference of all settings: what is read, what is known, and what the README says.

use std::fmt::Write as _;

use super::{
    caller, instance, issuer, service,
    setting::{Scope, Setting},
    source,
};

/// All settings, the service's first, in the order in which the README shows them.
pub fn reference() -> impl Iterator<Item = &'static Setting> {
    [
        service::TABLES,
        instance::TABLES,
        caller::TABLES,
        issuer::TABLES,
        source::TABLES,
    ]
    .into_iter()
    .flatten()
    .copied()
    .flatten()
    .copied()
}

/// The setting of that name, if there is one.
pub(super) fn find(scope: Scope, name: &str) -> Option<&'static Setting> {
    reference().find(|setting| setting.scope == scope && setting.name == name)
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
        (Scope::Source, "A source of webhooks (in its `[[sources]]` table)"),
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
                setting.accepts(),
                setting.meaning(),
            );
        }
    }
    page
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
    fn the_page_has_a_row_for_each_listed_setting_and_no_broken_cell() {
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

    #[test]
    fn the_reference_names_every_api() {
        let setting = find(Scope::Instance, "api_rates").unwrap();
        for api in crate::scim::Api::ALL {
            assert!(setting.meaning().contains(api.name()), "{}", api.name());
        }
    }
}
