//! Names that no setting has: refused, because a typo that is ignored leaves a switch where it was.

use std::collections::BTreeSet;

use toml::Table;

use super::{
    file::{CALLERS, INSTANCES, ISSUERS, SOURCES},
    raw::escaped,
    reference,
    section::{Environment, Report, SHORT_NAME},
    setting::{PREFIX, Scope},
};
use crate::diagnostic::nearest;

/// A right of callers that was taken out; explained for one release before it is just unknown.
const GONE: &str = "webhooks";

/// What the command line reads before there is a configuration.
const READ_BY_THE_COMMAND_LINE: [&str; 2] = ["AWS_ILM_CONFIG", "AWS_ILM_KEY_FILE"];

/// Refuses every name in a table that no setting of that scope has.
pub(super) fn refuse_keys(table: &Table, scope: Scope, place: &str, report: &mut Report) {
    for key in table.keys() {
        let known = match scope {
            Scope::Service => [INSTANCES, CALLERS, ISSUERS, SOURCES].contains(&key.as_str()),
            Scope::Instance => key == SHORT_NAME,
            Scope::Caller | Scope::Issuer | Scope::Source => false,
        };
        if known || reference::find(scope, key).is_some() {
            continue;
        }
        if scope == Scope::Caller && key == GONE {
            report.error(
                format!("{GONE} ({place})"),
                "a right that is gone",
                "remove it: nothing ever asked for it",
            );
            continue;
        }
        let homes = [
            (Scope::Service, "move it to the top of the file"),
            (Scope::Instance, "move it into an [[instances]] table"),
            (Scope::Caller, "move it into a [[callers]] table"),
            (Scope::Issuer, "move it into an [[issuers]] table"),
            (Scope::Source, "move it into a [[sources]] table"),
        ];
        let home = homes
            .into_iter()
            .find(|(other, _)| reference::find(*other, key).is_some());
        let help = home.map_or_else(|| suggestion(key, scope), |(_, help)| help.to_owned());
        report.error(format!("{} ({place})", escaped(key)), "an unknown setting", help);
    }
    if scope == Scope::Instance && table.contains_key(SHORT_NAME) && table.contains_key("instance_name") {
        report.error(
            format!("instance_name ({place})"),
            "name as well",
            "give one of the two",
        );
    }
}

/// Refuses every variable with our prefix that is no setting, but for those that the configuration
/// itself refers to.
pub(super) fn refuse_variables(environment: &Environment, referred: &BTreeSet<&str>, report: &mut Report) {
    for (variable, value) in environment {
        let Some(name) = variable.strip_prefix(PREFIX) else {
            continue;
        };
        let known = reference::reference().any(|setting| setting.variable().as_ref() == Some(variable))
            || READ_BY_THE_COMMAND_LINE.contains(&variable.as_str())
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
            report.error(escaped(variable), "an unknown setting", help);
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

/// What to do about a name that no setting of this scope has.
fn suggestion(name: &str, scope: Scope) -> String {
    let names = reference::reference()
        .filter(|setting| setting.scope == scope)
        .map(|setting| setting.name);
    nearest(&name.to_ascii_lowercase(), names)
        .map_or_else(|| "remove it".to_owned(), |near| format!("did you mean {near}?"))
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
