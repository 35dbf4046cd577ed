//! The table of all settings.
//!
//! The reader, the search for unknown names and the README's reference all work from this one table, and the defaults are
//! read out of it by the same code that reads an operator's values: none of them can drift from the others.

use std::fmt::Write as _;

/// Every environment variable of ours begins with this.
pub(super) const PREFIX: &str = "AWS_ILM_";

/// Whom a setting belongs to, which is also where it stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The service: at the top of the file.
    Service,
    /// One directory: in its `[[instances]]` table.
    Instance,
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
    /// The environment variable of the setting.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.name.to_ascii_uppercase())
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
#[must_use]
pub fn reference() -> &'static [Setting] {
    SETTINGS
}

/// The configuration reference as the README holds it: one Markdown table for the service, one for an instance.
#[must_use]
pub fn reference_markdown() -> String {
    let mut page = String::new();
    for (scope, title) in [
        (Scope::Service, "The service (at the top of the file)"),
        (Scope::Instance, "An instance (in its `[[instances]]` table)"),
    ] {
        let separator = if page.is_empty() { "" } else { "\n" };
        let _ = writeln!(page, "{separator}### {title}\n");
        page.push_str("| setting | environment | accepts | default | meaning |\n|---|---|---|---|---|\n");
        for setting in SETTINGS.iter().filter(|setting| setting.scope == scope) {
            let default = setting.default.map_or_else(String::new, |value| format!("`{value}`"));
            let _ = writeln!(
                page,
                "| `{}` | `{}` | {} | {default} | {} |",
                setting.name,
                setting.variable(),
                setting.kind.accepts(),
                setting.meaning,
            );
        }
    }
    page
}

/// The setting of that name, if there is one.
pub(super) fn find(scope: Scope, name: &str) -> Option<&'static Setting> {
    SETTINGS
        .iter()
        .find(|setting| setting.scope == scope && setting.name == name)
}

/// Milliseconds as an operator would write them.
fn spoken(milliseconds: u64) -> String {
    match milliseconds {
        whole if whole > 0 && whole % 60_000 == 0 => format!("{}m", whole / 60_000),
        whole if whole % 1_000 == 0 => format!("{}s", whole / 1_000),
        rest => format!("{rest}ms"),
    }
}

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;

const fn of_service(name: &'static str, kind: Kind, default: Option<&'static str>, meaning: &'static str) -> Setting {
    Setting {
        scope: Scope::Service,
        name,
        kind,
        default,
        meaning,
    }
}

const fn of_instance(name: &'static str, kind: Kind, default: Option<&'static str>, meaning: &'static str) -> Setting {
    Setting {
        scope: Scope::Instance,
        name,
        kind,
        default,
        meaning,
    }
}

const fn duration(least: u64, most: u64) -> Kind {
    Kind::Duration { least, most }
}

static SETTINGS: &[Setting] = &[
    of_service(
        "listen",
        Kind::Text("an IP address and a port, like \"127.0.0.1:8080\" or \"[::1]:8080\""),
        Some("127.0.0.1:8080"),
        "Where the service listens. Anything but loopback needs `allow_unauthenticated`.",
    ),
    of_service(
        "allow_unauthenticated",
        Kind::Boolean,
        Some("false"),
        "Says that something in front of the service checks its callers, so that it may listen beyond loopback.",
    ),
    of_service(
        "allowed_hosts",
        Kind::List("host names without scheme, port or path, separated by commas (an array in the file)"),
        Some(""),
        "Names other than loopback's that a request's Host may have.",
    ),
    of_service(
        "default_instance",
        Kind::Text("the name of an instance"),
        None,
        "The instance that serves a request which names none; without it the first.",
    ),
    of_service(
        "log_format",
        Kind::Choice(&["text", "json"]),
        Some("text"),
        "How log lines are written to stderr.",
    ),
    of_service(
        "log_filter",
        Kind::Text("a level or `target=level` pairs separated by commas, like \"info,aws_ilm=debug\""),
        Some("info"),
        "What is logged. Libraries never log below `debug`.",
    ),
    of_service(
        "body_limit",
        Kind::Count {
            least: 1024,
            most: 16 * 1024 * 1024,
            unit: "bytes",
        },
        Some("1048576"),
        "The largest request body that is read.",
    ),
    of_service(
        "max_concurrent_commands",
        Kind::Count {
            least: 1,
            most: 65_536,
            unit: "commands",
        },
        Some("256"),
        "Commands run at once; what comes beyond is answered 503.",
    ),
    of_service(
        "header_timeout",
        duration(100, 5 * MINUTE),
        Some("10s"),
        "How long a caller may take to send a request's headers.",
    ),
    of_service(
        "body_timeout",
        duration(100, 10 * MINUTE),
        Some("20s"),
        "How long a caller may take to send a request's body.",
    ),
    of_service(
        "command_timeout",
        duration(100, 10 * MINUTE),
        Some("60s"),
        "The time after which a command starts no new write.",
    ),
    of_service(
        "shutdown_delay",
        duration(0, 10 * MINUTE),
        Some("0s"),
        "How long the service goes on serving after it has reported itself not ready.",
    ),
    of_service(
        "shutdown_timeout",
        duration(0, 60 * MINUTE),
        Some("30s"),
        "How long what is in flight at shutdown may take to finish.",
    ),
    of_service(
        "strict_secret_files",
        Kind::Boolean,
        Some("false"),
        "Refuses to start, instead of warning, when a file that holds a token can be read by everybody.",
    ),
    of_instance(
        "instance_name",
        Kind::Text("1 to 128 printable characters, unique without regard to letter case"),
        Some("AWS-ILM_instance_1"),
        "The instance's name, in answers and for `?instance=`; `name` for short in the file. In the environment it picks \
         the instance that the other variables are for.",
    ),
    of_instance(
        "brand",
        Kind::Text("1 to 128 printable characters"),
        Some("AWS-ILM"),
        "The `brand` in answers.",
    ),
    of_instance(
        "url",
        Kind::Text("the SCIM endpoint, like \"https://scim.us-east-1.amazonaws.com/TENANT/scim/v2/\""),
        None,
        "The directory's SCIM endpoint, with or without the tenant and `/scim/v2`.",
    ),
    of_instance(
        "tenant_id",
        Kind::Text("letters, digits and hyphens"),
        None,
        "The tenant, where it is not already in `url`.",
    ),
    of_instance(
        "authentication_token",
        Kind::Secret("the access token, without \"Bearer\""),
        None,
        "The access token itself. Exactly one of the three is given.",
    ),
    of_instance(
        "authentication_token_file",
        Kind::Secret("the path of a file that holds the token"),
        None,
        "A file that holds the access token; in the configuration file relative to it.",
    ),
    of_instance(
        "authentication_token_env",
        Kind::Secret("the name of an environment variable"),
        None,
        "The environment variable that holds the access token.",
    ),
    of_instance(
        "create_user_enabled",
        Kind::Boolean,
        Some("true"),
        "Whether users are created.",
    ),
    of_instance(
        "update_user_enabled",
        Kind::Boolean,
        Some("true"),
        "Whether users are updated.",
    ),
    of_instance(
        "enable_user_enabled",
        Kind::Boolean,
        Some("true"),
        "Whether inactive users are enabled.",
    ),
    of_instance(
        "disable_user_enabled",
        Kind::Boolean,
        Some("true"),
        "Whether users are disabled.",
    ),
    of_instance(
        "create_if_not_exists",
        Kind::Boolean,
        Some("true"),
        "Whether an update creates the user whom it does not find.",
    ),
    of_instance(
        "mapper_in",
        Kind::Text("nothing"),
        None,
        "Not supported by this version: leave it out. The built-in incoming mapper is used.",
    ),
    of_instance(
        "mapper_out",
        Kind::Text("nothing"),
        None,
        "Not supported by this version: leave it out. The built-in outgoing mapper is used.",
    ),
    of_instance(
        "insecure",
        Kind::Boolean,
        Some("false"),
        "Skips the check of the directory's certificate. Whoever is on the way can then read the token.",
    ),
    of_instance(
        "proxy",
        Kind::Proxy,
        Some("false"),
        "Whether the directory is reached through the proxy that `HTTPS_PROXY` names, or through which one.",
    ),
    of_instance(
        "connect_timeout",
        duration(100, MINUTE),
        Some("5s"),
        "How long connecting to the directory may take.",
    ),
    of_instance(
        "request_timeout",
        duration(100, 5 * MINUTE),
        Some("20s"),
        "How long one request to the directory may take in all.",
    ),
    of_instance(
        "scim_dialect",
        Kind::Choice(&["aws", "rfc7644"]),
        Some("aws"),
        "How the directory speaks SCIM: as IAM Identity Center does, or plainly by RFC 7644.",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_across_scopes_because_environment_variables_have_none() {
        let names: BTreeSet<_> = SETTINGS.iter().map(|setting| setting.name).collect();
        assert_eq!(names.len(), SETTINGS.len());
    }

    #[test]
    fn the_page_has_a_row_for_each_setting_and_no_broken_cell() {
        let page = reference_markdown();
        for setting in reference() {
            let start = format!("| `{}` | `{}` | ", setting.name, setting.variable());
            let row = page.lines().find(|line| line.starts_with(&start));
            assert_eq!(row.map(|row| row.matches('|').count()), Some(6), "{}", setting.name);
        }
        assert!(
            page.contains("| a duration from 100ms to 5m, like \"10s\" | `10s` |"),
            "{page}"
        );
        assert!(page.contains("`AWS_ILM_CREATE_IF_NOT_EXISTS`"));
    }
}
