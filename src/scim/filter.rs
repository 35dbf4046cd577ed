//! Filters (RFC 7644 section 3.4.2.2). AWS knows `eq` only, and nothing here can say more.

use std::fmt;

/// `attribute eq "value"`. The value is written as a JSON string, which is what the RFC's grammar
/// asks for, so that no character of it can end the literal or start another comparison.
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
    use proptest::prelude::*;

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

    /// Reads `attrPath SP "eq" SP compValue` (RFC 7644 section 3.4.2.2) to its end, the value by
    /// RFC 8259 section 7; nothing else.
    fn parse(filter: &str) -> Option<(String, String)> {
        let (attribute, rest) = filter.split_once(' ')?;
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:$".contains(&byte);
        if attribute.is_empty() || !attribute.bytes().all(sound) {
            return None;
        }
        let mut rest = rest.strip_prefix("eq \"")?.chars();
        let mut units: Vec<u16> = Vec::new();
        loop {
            match rest.next()? {
                '"' => break,
                '\\' => match rest.next()? {
                    plain @ ('"' | '\\' | '/') => units.push(u16::try_from(u32::from(plain)).ok()?),
                    'b' => units.push(8),
                    'f' => units.push(12),
                    'n' => units.push(10),
                    'r' => units.push(13),
                    't' => units.push(9),
                    'u' => {
                        let digits: String = rest.by_ref().take(4).collect();
                        units.push(u16::from_str_radix(&digits, 16).ok()?);
                    }
                    _ => return None,
                },
                control if u32::from(control) < 0x20 => return None,
                other => units.extend_from_slice(other.encode_utf16(&mut [0; 2])),
            }
        }
        // A second comparison would stand here.
        rest.next()
            .is_none()
            .then(|| Some((attribute.to_owned(), String::from_utf16(&units).ok()?)))?
    }

    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            prop::sample::select(vec![
                "\"",
                "\\",
                "\\\"",
                " or ",
                " eq ",
                "userName",
                " pr",
                "(",
                ")",
                "[",
                "]",
                " and not ",
                "\u{0}",
                "\n",
                "&",
                "#",
                "+",
                "%22",
                "é",
                "\u{1f600}",
                "\u{202e}",
                "\\u0022",
            ])
            .prop_map(str::to_owned),
            any::<String>(),
        ];
        prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        /// Hostile input 11, a user name that continues the filter: looked up literally, 404, one
        /// comparison.
        #[test]
        fn a_filter_is_one_comparison_with_the_value_that_was_given(value in hostile()) {
            for attribute in ["userName", "groups.value"] {
                let filter = Filter::equal(attribute, value.clone()).to_string();
                prop_assert_eq!(parse(&filter), Some((attribute.to_owned(), value.clone())));
            }
        }

        /// Hostile input 14, a user name of what a query is made of: arrives as it was sent.
        #[test]
        fn a_filter_is_the_only_thing_in_a_query_and_comes_out_of_it_whole(value in hostile()) {
            let base = url::Url::parse("https://scim.us-east-1.amazonaws.com/t-1/scim/v2/").unwrap();
            let filter = Filter::equal("userName", value);
            let request = crate::scim::Request::list_users(Some(filter.clone()), crate::scim::Page::Only);
            let url = request.url(&base);
            prop_assert_eq!(url.path(), "/t-1/scim/v2/Users");
            prop_assert_eq!(url.fragment(), None);
            let pairs: Vec<_> = url.query_pairs().into_owned().collect();
            prop_assert_eq!(pairs, vec![("filter".to_owned(), filter.to_string())]);
        }
    }
}
