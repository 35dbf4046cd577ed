//! A configuration file to begin with: every setting with its meaning and its default.

use std::fmt::Write as _;

use super::{
    reference::reference,
    setting::{Scope, Setting},
};

/// The width of a comment.
const WIDTH: usize = 100;

const BEGINNING: &str = "\
# The settings of aws-ilm. What begins with `#` and a name is a default, or an example of what has none: take the `#` off to
# change it. `aws-ilm check --config FILE` tries the file, `aws-ilm config show --config FILE` says what holds.
";

/// What has to be set for an instance.
const INSTANCE: &str = "\
[[instances]]
url = \"https://scim.us-east-1.amazonaws.com/TENANT/scim/v2/\"
# Better in a file of its own: see authentication_token_file.
authentication_token = \"PUT-THE-ACCESS-TOKEN-HERE\"
";

/// The file as it is printed. It loads as it is.
pub fn example() -> String {
    let mut page = BEGINNING.to_owned();
    for (scope, title, head) in [
        (Scope::Service, "The service", ""),
        (Scope::Instance, "A directory; one such table for each", INSTANCE),
        (Scope::Caller, "A caller; one such table for each", "#[[callers]]\n"),
        (
            Scope::Issuer,
            "An issuer of callers' tokens; one such table for each",
            "#[[issuers]]\n",
        ),
        (
            Scope::Source,
            "A source of webhooks; one such table for each",
            "#[[sources]]\n",
        ),
    ] {
        let _ = write!(page, "\n# ---- {title} ----\n\n{head}");
        for setting in reference().filter(|setting| setting.scope == scope) {
            let is_set = head
                .lines()
                .any(|line| line.starts_with(&format!("{} = ", setting.name)));
            if !is_set {
                add(&mut page, setting);
            }
        }
    }
    page
}

/// Adds a setting: its meaning, what it accepts, and its default or an example.
fn add(page: &mut String, setting: &Setting) {
    page.push('\n');
    let accepted = format!("{} Accepts {}.", setting.meaning(), setting.accepts());
    let mut line = "#".to_owned();
    for word in accepted.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH {
            let _ = writeln!(page, "{line}");
            line = "#".to_owned();
        }
        let _ = write!(line, " {word}");
    }
    let _ = writeln!(page, "{line}");
    let _ = match setting.default {
        Some(default) => writeln!(page, "#{} = {}", setting.name, in_toml(setting, default)),
        None => writeln!(page, "#{} = …", setting.name),
    };
}

/// A default as it is written in a file. Held by a test that reads all of them.
fn in_toml(setting: &Setting, default: &str) -> String {
    let is_list = setting.accepts().contains("an array");
    let is_bare = default.parse::<bool>().is_ok() || default.parse::<f64>().is_ok();
    if is_list {
        let entries = default.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        format!(
            "[{}]",
            entries.map(|entry| format!("{entry:?}")).collect::<Vec<_>>().join(", ")
        )
    } else if is_bare {
        default.to_owned()
    } else {
        format!("{default:?}")
    }
}
