//! Filters (RFC 7644 section 3.4.2.2). AWS knows `eq` only, and nothing here can say more.

use std::fmt;

/// `attribute eq "value"`. The value is written as a JSON string, which is what the RFC's grammar asks for, so that no
/// character of it can end the literal or start another comparison.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Filter {
    attribute: &'static str,
    value: String,
}

impl Filter {
    /// Matches the resources whose `attribute` equals `value`.
    pub fn equal(attribute: &'static str, value: impl Into<String>) -> Self {
        Self {
            attribute,
            value: value.into(),
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} eq {}",
            self.attribute,
            serde_json::Value::from(self.value.as_str())
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_never_leaves_its_literal() {
        let rows = [
            ("bjensen", r#"userName eq "bjensen""#),
            (
                r#"a" or userName pr or userName eq "b"#,
                r#"userName eq "a\" or userName pr or userName eq \"b""#,
            ),
            (r"a\", r#"userName eq "a\\""#),
            ("a\nb\u{0}", r#"userName eq "a\nb\u0000""#),
            ("é'(", r#"userName eq "é'(""#),
        ];
        for (value, expected) in rows {
            assert_eq!(Filter::equal("userName", value).to_string(), expected);
        }
    }
}
