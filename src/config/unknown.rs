//! Names that no setting has: refused, because a typo that is ignored leaves a switch where it was.

use std::collections::BTreeSet;

use toml::Table;

use super::{
    callers::{CALLERS, ISSUERS},
    reader::{Environment, INSTANCES, Report, SHORT_NAME, escaped},
    reference::{self, PREFIX, Scope},
};

/// What the command line reads before there is a configuration.
const READ_BY_THE_COMMAND_LINE: &str = "AWS_ILM_CONFIG";

/// Notes every name in a table that no setting of that scope has.
pub(super) fn refuse_keys(table: &Table, scope: Scope, place: &str, report: &mut Report) {
    for key in table.keys() {
        let known = match scope {
            Scope::Service => [INSTANCES, CALLERS, ISSUERS].contains(&key.as_str()),
            Scope::Instance => key == SHORT_NAME,
            Scope::Caller | Scope::Issuer => false,
        };
        if known || reference::find(scope, key).is_some() {
            continue;
        }
        let at_home = [
            (Scope::Service, "move it to the top of the file"),
            (Scope::Instance, "move it into an [[instances]] table"),
            (Scope::Caller, "move it into a [[callers]] table"),
            (Scope::Issuer, "move it into an [[issuers]] table"),
        ];
        let elsewhere = at_home
            .into_iter()
            .find(|(other, _)| reference::find(*other, key).is_some())
            .map(|(_, help)| help);
        let help = elsewhere.map_or_else(
            || {
                suggestion(
                    key,
                    reference::reference()
                        .filter(|setting| setting.scope == scope)
                        .map(|s| s.name),
                )
            },
            str::to_owned,
        );
        report.fault(format!("{} ({place})", escaped(key)), "an unknown setting", help);
    }
    if scope == Scope::Instance && table.contains_key(SHORT_NAME) && table.contains_key("instance_name") {
        report.fault(
            format!("instance_name ({place})"),
            "name as well",
            "give one of the two",
        );
    }
}

/// Notes every variable with our prefix that is no setting, but for those that the configuration
/// itself refers to.
pub(super) fn refuse_variables(environment: &Environment, referred: &BTreeSet<&str>, report: &mut Report) {
    for (variable, value) in environment {
        let Some(name) = variable.strip_prefix(PREFIX) else {
            continue;
        };
        let known = reference::reference().any(|setting| setting.variable().as_ref() == Some(variable))
            || variable == READ_BY_THE_COMMAND_LINE
            || referred.contains(variable.as_str())
            || is_service_link(name, value);
        if !known {
            let names = reference::reference()
                .filter(|setting| setting.variable().is_some())
                .map(|setting| setting.name);
            let near = nearest(&name.to_ascii_lowercase(), names);
            let help = near.map_or_else(
                || "remove it".to_owned(),
                |near| format!("did you mean {PREFIX}{}?", near.to_ascii_uppercase()),
            );
            report.fault(escaped(variable), "an unknown setting", help);
        }
    }
}

/// Kubernetes gives every container variables about every service of its namespace, named after the
/// service
/// (<https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables>). A
/// service called `aws-ilm` or `aws-ilm-…` would otherwise keep our own containers from starting.
fn is_service_link(name: &str, value: &str) -> bool {
    let is_port = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_link = ["tcp://", "udp://", "sctp://"]
        .iter()
        .any(|scheme| value.starts_with(scheme));
    let numbered = name.match_indices("PORT_").any(|(at, prefix)| {
        let mut parts = name[at + prefix.len()..].split('_');
        parts.next().is_some_and(is_port) && matches!(parts.next(), Some("TCP" | "UDP" | "SCTP"))
    });
    name.ends_with("SERVICE_HOST") || name.contains("SERVICE_PORT") || numbered || (name.ends_with("PORT") && is_link)
}

fn suggestion(name: &str, names: impl Iterator<Item = &'static str>) -> String {
    nearest(&name.to_ascii_lowercase(), names)
        .map_or_else(|| "remove it".to_owned(), |near| format!("did you mean {near}?"))
}

/// The known name that a typo most likely stands for, if any is near enough. The typo is in lower
/// case; letter case in the names makes no difference.
pub(super) fn nearest(name: &str, names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let (mut near, mut contained) = (None, None);
    for candidate in names {
        let lower = candidate.to_ascii_lowercase();
        let distance = edits(name, &lower);
        if distance <= (name.len() / 4).max(1) && near.is_none_or(|(least, _)| distance < least) {
            near = Some((distance, candidate));
        }
        if name.len() >= 4 && lower.contains(name) && contained.is_none() {
            contained = Some(candidate);
        }
    }
    near.map(|(_, candidate)| candidate).or(contained)
}

/// The number of insertions, deletions and replacements between two names (Levenshtein).
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, character) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (column, against) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(character != *against);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_is_met_with_the_name_that_was_meant() {
        for (name, expected) in [
            ("lisen", Some("listen")),
            ("LISTEN", Some("listen")),
            ("tenantid", Some("tenant_id")),
            ("create_users_enabled", Some("create_user_enabled")),
            ("token", Some("authentication_token")),
            ("create_if_not_exist", Some("create_if_not_exists")),
            ("colour", None),
            ("x", None),
        ] {
            let names = reference::reference().map(|setting| setting.name);
            assert_eq!(nearest(&name.to_ascii_lowercase(), names), expected, "{name}");
        }
    }

    #[test]
    fn the_edit_distance_is_levenshteins() {
        for (one, other, expected) in [("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("a", "a", 0)] {
            assert_eq!(edits(one, other), expected);
        }
    }

    #[test]
    fn what_kubernetes_injects_is_not_ours() {
        for (name, value, expected) in [
            ("SERVICE_HOST", "10.0.0.1", true),
            ("SERVICE_PORT", "8080", true),
            ("SERVICE_PORT_HTTP", "8080", true),
            ("PORT", "tcp://10.0.0.1:8080", true),
            ("PORT_8080_TCP", "tcp://10.0.0.1:8080", true),
            ("PORT_8080_TCP_ADDR", "10.0.0.1", true),
            ("METRICS_SERVICE_HOST", "10.0.0.1", true),
            ("METRICS_PORT_9090_TCP_PROTO", "tcp", true),
            ("PORT", "8080", false),
            ("PORT_X", "8080", false),
            ("LISTEN_PORT_A_TCP", "8080", false),
        ] {
            assert_eq!(is_service_link(name, value), expected, "{name}");
        }
        for setting in reference::reference() {
            assert!(
                !is_service_link(&setting.name.to_ascii_uppercase(), ""),
                "{}",
                setting.name
            );
        }
    }
}
