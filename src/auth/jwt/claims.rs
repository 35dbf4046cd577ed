//! The claims of a verified token.

use std::fmt;

use serde_json::{Map, Value};

/// The claims whose text is a list of words with a space between (RFC 8693 section 4.2, RFC 9068
/// section 2.2.3; `scp` is what some issuers call it).
const SCOPES: [&str; 2] = ["scope", "scp"];

/// The claims of a token that was verified.
#[derive(Clone, PartialEq)]
pub struct Claims {
    issuer: String,
    subject: Option<String>,
    all: Map<String, Value>,
}

/// Shows the issuer and none of the claims, which are personal data.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Claims");
        shown.field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl Claims {
    pub(super) fn new(issuer: &str, subject: Option<&str>, all: Map<String, Value>) -> Self {
        Self {
            issuer: issuer.to_owned(),
            subject: subject.map(str::to_owned),
            all,
        }
    }

    /// The issuer of the token: one of those that are configured (`iss`, RFC 7519 section 4.1.1).
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The subject of the token, unique within its issuer alone (`sub`, RFC 7519 section 4.1.2). An
    /// optional claim.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// All claims, as they stand in the token.
    #[must_use]
    pub fn into_all(self) -> Map<String, Value> {
        self.all
    }

    /// Whether a claim has a value: is this text, is a number or a boolean that is spelled so in
    /// JSON, or is a list with such an item.
    ///
    /// The claim is named by its name, which may itself be a URL or hold dots
    /// (`https://example.com/roles`); else, where no claim has that name, by the way to it inside
    /// others: `realm_access.roles`, or as a JSON pointer (RFC 6901),
    /// `/resource_access/my.app/roles`, where names hold dots.
    ///
    /// The text of `scope` and of `scp` is split into its words.
    #[must_use]
    pub fn holds(&self, name: &str, value: &str) -> bool {
        let Some(claim) = self.claim(name) else {
            return false;
        };
        match claim {
            Value::String(words) if SCOPES.contains(&name) => {
                words.split(' ').any(|word| !word.is_empty() && word == value)
            }
            Value::Array(items) => items.iter().any(|item| equals(item, value)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                equals(claim, value)
            }
        }
    }

    fn claim(&self, name: &str) -> Option<&Value> {
        if let Some(claim) = self.all.get(name) {
            return Some(claim);
        }
        if let Some(pointer) = name.strip_prefix('/') {
            let (first, rest) = pointer.find('/').map_or((pointer, ""), |end| pointer.split_at(end));
            let first = first.replace("~1", "/").replace("~0", "~");
            return self.all.get(&first)?.pointer(rest);
        }
        let mut steps = name.split('.');
        let first = self.all.get(steps.next()?)?;
        steps.try_fold(first, |claim, step| claim.as_object()?.get(step))
    }
}

fn equals(claim: &Value, value: &str) -> bool {
    match claim {
        Value::String(text) => text == value,
        Value::Bool(truth) => value == if *truth { "true" } else { "false" },
        Value::Number(number) => number.to_string() == value,
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims() -> Claims {
        let claims = json!({
            "scope": "read iam-get-user  write",
            "scp": ["openid read"],
            "groups": ["hr", "it ops", 7, true, null, ["nested"], {"a": "b"}],
            "level": 3,
            "ratio": 1.5,
            "admin": false,
            "empty": "",
            "nothing": null,
            "spaced": "one two",
            "https://example.com/roles": ["approver"],
            "realm_access": {"roles": ["operator", "viewer"], "deep": {"er": "x"}},
            "realm_access.roles": null,
            "resource_access": {"my.app": {"roles": ["clerk"]}, "a/b": {"c~d": "e"}},
            "app": {"roles": ["reader"]},
            "": {"x": "y"},
            "list": [{"role": "z"}],
        });
        Claims::new("https://issuer.example", Some("s"), claims.as_object().unwrap().clone())
    }

    #[test]
    fn a_claim_has_the_values_that_it_says() {
        let claims = claims();
        for (name, value) in [
            ("scope", "read"),
            ("scope", "iam-get-user"),
            ("scope", "write"),
            ("scp", "openid read"),
            ("groups", "hr"),
            ("groups", "it ops"),
            ("groups", "7"),
            ("groups", "true"),
            ("level", "3"),
            ("ratio", "1.5"),
            ("admin", "false"),
            ("empty", ""),
            ("spaced", "one two"),
            ("https://example.com/roles", "approver"),
            ("realm_access.deep.er", "x"),
            ("/realm_access/roles", "operator"),
            ("app.roles", "reader"),
            ("/app/roles", "reader"),
            ("/resource_access/my.app/roles", "clerk"),
            ("/resource_access/a~1b/c~0d", "e"),
            ("/list/0/role", "z"),
            ("//x", "y"),
            ("/level", "3"),
        ] {
            assert!(claims.holds(name, value), "{name} {value}");
        }
    }

    #[test]
    fn a_claim_has_no_other_values() {
        let claims = claims();
        for (name, value) in [
            ("scope", ""),
            ("scope", "rea"),
            ("scope", "READ"),
            ("scope", "read iam-get-user  write"),
            ("scp", "openid"),
            ("groups", "HR"),
            ("groups", "hr "),
            ("groups", "it"),
            ("groups", "null"),
            ("groups", "nested"),
            ("groups", "b"),
            ("groups", ""),
            ("level", "3.0"),
            ("level", "03"),
            ("admin", "true"),
            ("nothing", "null"),
            ("nothing", ""),
            ("spaced", "one"),
            ("missing", ""),
            ("", "y"),
            (".x", "z"),
            ("https://example.com/role", "approver"),
            ("https://example", "approver"),
            // The claim of that very name says nothing, whatever lies on the way of that name.
            ("realm_access.roles", "operator"),
            ("realm_access", "roles"),
            ("realm_access.deep", "x"),
            ("resource_access.my.app.roles", "clerk"),
            ("/realm_access/roles/9", "operator"),
            ("/", "y"),
            ("list.0.role", "z"),
        ] {
            assert!(!claims.holds(name, value), "{name} {value}");
        }
    }

    #[test]
    fn no_claim_is_shown() {
        let shown = format!("{:?}", claims());
        assert_eq!(shown, "Claims { issuer: \"https://issuer.example\", .. }");
    }
}
