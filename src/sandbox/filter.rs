//! The few filters that Identity Center takes: `eq` only, at most two joined with `and`.
//!
//! Source: AWS SCIM Developer Guide, "ListUsers", "ListGroups", "Limitations". Everything else,
//! grammatical or not, is answered with 400. The grammar is RFC 7644 section 3.4.2.2: operators and
//! attribute names in any letter case, the value a JSON string with its escapes.

use super::wire::ErrorResponse;

/// Which users are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum UserFilter {
    All,
    Id(String),
    UserName(String),
    ExternalId(String),
    /// The members of the group with this id.
    MembersOf(String),
    /// The user with this id, if that is its manager.
    Managed {
        id: String,
        manager: String,
    },
}

/// Which groups are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum GroupFilter {
    All,
    Id(String),
    DisplayName(String),
    ExternalId(String),
    /// The groups of the user with this id.
    Having(String),
    /// The group with this id, if that user is a member. Here the attribute is spelt `members`,
    /// above `members.value`.
    Membership {
        id: String,
        member: String,
    },
}

impl UserFilter {
    /// Reads the `filter` parameter of ListUsers.
    pub(super) fn parse(text: Option<&str>) -> Result<Self, ErrorResponse> {
        let Some(text) = text else { return Ok(Self::All) };
        match attribute_values(&comparisons(text)?)[..] {
            [("id", id)] => Ok(Self::Id(id.to_owned())),
            [("username", name)] => Ok(Self::UserName(name.to_owned())),
            [("externalid", id)] => Ok(Self::ExternalId(id.to_owned())),
            [("groups.value", group)] => Ok(Self::MembersOf(group.to_owned())),
            [("id", id), ("manager", manager)] | [("manager", manager), ("id", id)] => Ok(Self::Managed {
                id: id.to_owned(),
                manager: manager.to_owned(),
            }),
            _ => Err(ErrorResponse::unparsable()),
        }
    }
}

impl GroupFilter {
    /// Reads the `filter` parameter of ListGroups.
    pub(super) fn parse(text: Option<&str>) -> Result<Self, ErrorResponse> {
        let Some(text) = text else { return Ok(Self::All) };
        match attribute_values(&comparisons(text)?)[..] {
            [("id", id)] => Ok(Self::Id(id.to_owned())),
            [("displayname", name)] => Ok(Self::DisplayName(name.to_owned())),
            [("externalid", id)] => Ok(Self::ExternalId(id.to_owned())),
            [("members.value", member)] => Ok(Self::Having(member.to_owned())),
            [("id", id), ("members", member)] | [("members", member), ("id", id)] => Ok(Self::Membership {
                id: id.to_owned(),
                member: member.to_owned(),
            }),
            _ => Err(ErrorResponse::unparsable()),
        }
    }
}

/// `attribute eq "value"`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Comparison {
    /// In lower case.
    pub(super) attribute: String,
    pub(super) value: String,
}

/// Reads `a eq "x"` or a chain of them joined with `and`.
pub(super) fn comparisons(text: &str) -> Result<Vec<Comparison>, ErrorResponse> {
    let mut found = Vec::new();
    let mut rest = text.trim_matches(' ');
    loop {
        let (attribute, after) = word(rest)?;
        let (operator, after) = word(after)?;
        if !operator.eq_ignore_ascii_case("eq") {
            return Err(ErrorResponse::unparsable());
        }
        let (value, after) = string_literal(after)?;
        found.push(Comparison {
            attribute: attribute.to_ascii_lowercase(),
            value,
        });
        if after.is_empty() {
            return Ok(found);
        }
        let (joint, after) = word(after.strip_prefix(' ').ok_or_else(ErrorResponse::unparsable)?)?;
        if !joint.eq_ignore_ascii_case("and") {
            return Err(ErrorResponse::unparsable());
        }
        rest = after;
    }
}

fn attribute_values(comparisons: &[Comparison]) -> Vec<(&str, &str)> {
    comparisons
        .iter()
        .map(|one| (one.attribute.as_str(), one.value.as_str()))
        .collect()
}

/// One word and what stands behind the spaces that follow it.
fn word(text: &str) -> Result<(&str, &str), ErrorResponse> {
    let text = text.trim_start_matches(' ');
    let (word, rest) = text.split_once(' ').ok_or_else(ErrorResponse::unparsable)?;
    if word.is_empty() {
        Err(ErrorResponse::unparsable())
    } else {
        Ok((word, rest.trim_start_matches(' ')))
    }
}

/// A JSON string at the start, and what stands behind it.
fn string_literal(text: &str) -> Result<(String, &str), ErrorResponse> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>();
    match values.next() {
        Some(Ok(serde_json::Value::String(value))) => {
            let end = values.byte_offset();
            Ok((value, &text[end..]))
        }
        // Numbers, booleans, null, broken escapes, a missing quote, nothing at all.
        Some(Ok(_) | Err(_)) | None => Err(ErrorResponse::unparsable()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_user_filters_are_read() {
        let rows = [
            (r#"userName eq "ada""#, UserFilter::UserName("ada".into())),
            (r#"USERNAME EQ "ada""#, UserFilter::UserName("ada".into())),
            (
                r#"userName eq "a\"b\\c\u00e9 and x""#,
                UserFilter::UserName("a\"b\\cé and x".into()),
            ),
            (r#"externalId eq "e""#, UserFilter::ExternalId("e".into())),
            (r#"groups.value eq "g""#, UserFilter::MembersOf("g".into())),
            (r#"id eq "u""#, UserFilter::Id("u".into())),
            (
                r#"id eq "u" and manager eq "m""#,
                UserFilter::Managed {
                    id: "u".into(),
                    manager: "m".into(),
                },
            ),
            (
                r#"manager eq "m" AND id eq "u""#,
                UserFilter::Managed {
                    id: "u".into(),
                    manager: "m".into(),
                },
            ),
        ];
        for (text, expected) in rows {
            assert_eq!(UserFilter::parse(Some(text)), Ok(expected), "{text}");
        }
        assert_eq!(UserFilter::parse(None), Ok(UserFilter::All));
    }

    #[test]
    fn the_documented_group_filters_are_read() {
        let rows = [
            (r#"displayName eq "x y""#, GroupFilter::DisplayName("x y".into())),
            (r#"externalId eq "e""#, GroupFilter::ExternalId("e".into())),
            (r#"members.value eq "u""#, GroupFilter::Having("u".into())),
            (r#"id eq "g""#, GroupFilter::Id("g".into())),
            (
                r#"id eq "g" and members eq "u""#,
                GroupFilter::Membership {
                    id: "g".into(),
                    member: "u".into(),
                },
            ),
            (
                r#"members eq "u" and id eq "g""#,
                GroupFilter::Membership {
                    id: "g".into(),
                    member: "u".into(),
                },
            ),
        ];
        for (text, expected) in rows {
            assert_eq!(GroupFilter::parse(Some(text)), Ok(expected), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let rows = [
            "",
            "userName",
            "userName eq",
            "userName pr",
            "userName eq ada",
            r#"userName eq "ada"#,
            r#"userName eq 'ada'"#,
            r#"userName eq "ada"and externalId eq "e""#,
            r#"userName eq "ada" and externalId eq "e""#,
            r#"userName eq "ada" or userName eq "b""#,
            r#"userName eq "a" and"#,
            r#"not (userName eq "a")"#,
            r#"(userName eq "a")"#,
            r#"userName co "a""#,
            r#"userName sw "a""#,
            r#"emails.value eq "a@example.com""#,
            r#"emails[type eq "work"]"#,
            r#"active eq true"#,
            r#"members.value eq "u""#,
            r#"userName eq "\ud800""#,
            "userName\teq\t\"ada\"",
        ];
        for text in rows {
            assert_eq!(
                UserFilter::parse(Some(text)),
                Err(ErrorResponse::unparsable()),
                "{text}"
            );
        }
        let compound_with_value = r#"id eq "g" and members.value eq "u""#;
        assert_eq!(
            GroupFilter::parse(Some(compound_with_value)),
            Err(ErrorResponse::unparsable())
        );
        assert_eq!(
            GroupFilter::parse(Some(r#"members eq "u""#)),
            Err(ErrorResponse::unparsable())
        );
    }
    proptest::proptest! {
        #[test]
        fn any_value_survives_its_escaping(value in "\\PC*") {
            let text = format!("userName eq {}", serde_json::Value::from(value.clone()));
            assert_eq!(UserFilter::parse(Some(&text)), Ok(UserFilter::UserName(value)));
        }

        #[test]
        fn no_text_is_more_than_refused(text in r#"(id|eq|and|members| |"|\\|\[|é|x)*"#) {
            let _either = (UserFilter::parse(Some(&text)), GroupFilter::parse(Some(&text)));
        }
    }
}
