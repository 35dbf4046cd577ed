//! The reference of all settings: what is read, what is known, and what the pages of
//! `docs/` say.

use std::fmt::Write as _;

use super::{
    caller, instance, issuer, service,
    setting::{Scope, Setting},
    source,
};

/// All settings, the service's first, in the order in which they are shown.
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

/// The settings that stand in one kind of table, as their page in `docs/` holds them: a Markdown
/// table.
#[must_use]
pub fn reference_markdown(scope: Scope) -> String {
    let has_variables = matches!(scope, Scope::Service | Scope::Instance);
    let (head, rule) = if has_variables {
        (" environment |", "---|")
    } else {
        ("", "")
    };
    let mut table = format!("| setting |{head} accepts | default | meaning |\n|---|{rule}---|---|---|\n");
    for setting in reference().filter(|setting| setting.scope == scope) {
        let variable = setting
            .variable()
            .map_or_else(String::new, |name| format!(" `{name}` |"));
        let default = setting.default.filter(|value| !value.is_empty());
        let default = default.map_or_else(String::new, |value| format!("`{value}`"));
        let _ = writeln!(
            table,
            "| `{}` |{variable} {} | {default} | {} |",
            setting.name,
            setting.accepts(),
            setting.meaning(),
        );
    }
    table
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
        let tables = [
            Scope::Service,
            Scope::Instance,
            Scope::Caller,
            Scope::Issuer,
            Scope::Source,
        ];
        let page = tables.map(reference_markdown).concat();
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
