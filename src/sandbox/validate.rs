//! Holds a resource against the tables of [`super::schema`], as strictly as AWS is documented to.
//!
//! Lengths and alphabets come from the Identity Store service model (botocore
//! `identitystore/2020-06-15`), the store behind the SCIM endpoint; the SCIM guide itself gives no
//! numbers. Missing and unsupported attributes get AWS's one generic 400, a second list item and a
//! bad text the more telling ones quoted in the User Guide's troubleshooting page.

use icu_properties::{
    CodePointMapData,
    props::{GeneralCategory, GeneralCategoryGroup},
};
use serde_json::{Map, Value};

use super::{
    schema::{Attribute, Rule, Shape, find_attribute},
    wire::ErrorResponse,
};

/// Names that may be neither a user's nor a group's (Identity Store API, CreateUser and
/// CreateGroup).
const RESERVED_NAMES: [&str; 2] = ["Administrator", "AWSAdministrators"];

/// Keys that a client may send back as it read them; they are the server's own and are passed over
/// (RFC 7644 section 3.5.1: read-only attributes are ignored).
const READ_ONLY: [&str; 2] = ["id", "meta"];

/// Checks a whole resource and answers its attributes under their canonical names, `schemas` and
/// read-only keys left out. `schemas` may be absent, as in AWS's own samples, but what is in it
/// must be one of `known_schemas`.
pub(super) fn resource(
    attributes: &'static [Attribute],
    known_schemas: &[&str],
    body: &Value,
) -> Result<Map<String, Value>, ErrorResponse> {
    let body = body.as_object().ok_or_else(ErrorResponse::unparsable)?;
    let mut kept = Map::new();
    for (key, value) in body {
        if key.eq_ignore_ascii_case("schemas") {
            check_schemas(value, known_schemas)?;
        } else if !READ_ONLY.iter().any(|name| key.eq_ignore_ascii_case(name)) {
            kept.insert(key.clone(), value.clone());
        }
    }
    object(attributes, &kept)
}

/// Checks an object whose keys must all be among `attributes`.
pub(super) fn object(
    attributes: &'static [Attribute],
    body: &Map<String, Value>,
) -> Result<Map<String, Value>, ErrorResponse> {
    let mut findings = Findings::default();
    let checked = findings.object(attributes, body, "");
    findings.finish().map(|()| checked)
}

/// Whether `schemas` is a list of known URNs that names at least the resource's own, the first of
/// `known`.
pub(super) fn check_schemas(value: &Value, known: &[&str]) -> Result<(), ErrorResponse> {
    let list = value.as_array().ok_or_else(ErrorResponse::unparsable)?;
    let names: Vec<&str> = list
        .iter()
        .map(Value::as_str)
        .collect::<Option<Vec<_>>>()
        .ok_or_else(ErrorResponse::unparsable)?;
    let all_known = names
        .iter()
        .all(|name| known.iter().any(|urn| urn.eq_ignore_ascii_case(name)));
    let has_own = known
        .first()
        .is_some_and(|own| names.iter().any(|name| own.eq_ignore_ascii_case(name)));
    if all_known && has_own {
        Ok(())
    } else {
        Err(ErrorResponse::unparsable())
    }
}

/// What was found wrong, by the kind of answer it leads to.
#[derive(Default)]
struct Findings {
    violates_schema: bool,
    too_long_lists: Vec<String>,
    constraints: Vec<String>,
}

impl Findings {
    fn object(
        &mut self,
        attributes: &'static [Attribute],
        body: &Map<String, Value>,
        path: &str,
    ) -> Map<String, Value> {
        let mut found = Map::new();
        for (key, value) in body {
            match find_attribute(attributes, key) {
                Some(attribute) if !found.contains_key(attribute.name) => {
                    let place = if path.is_empty() {
                        attribute.name.to_owned()
                    } else {
                        format!("{path}.{}", attribute.name)
                    };
                    if let Some(value) = self.value(attribute, value, &place) {
                        found.insert(attribute.name.to_owned(), value);
                    }
                }
                // Unsupported, or the same attribute twice in different letter case.
                Some(_) | None => self.violates_schema = true,
            }
        }
        if attributes
            .iter()
            .any(|attribute| attribute.required && !body_has(body, attribute))
        {
            self.violates_schema = true;
        }
        found
    }

    fn value(&mut self, attribute: &'static Attribute, value: &Value, place: &str) -> Option<Value> {
        let checked = match (attribute.shape, value) {
            (Shape::Text(rule), Value::String(text)) => {
                self.text(rule, text, place);
                Some(value.clone())
            }
            (Shape::Boolean, Value::Bool(_)) => Some(value.clone()),
            // An empty object is as little "unset" as an empty array is: AWS wants the key left
            // out.
            (Shape::Complex(subs), Value::Object(body)) if !body.is_empty() => {
                Some(Value::Object(self.object(subs, body, place)))
            }
            (Shape::SingleItemList(subs), Value::Array(items)) if !items.is_empty() => {
                Some(self.list(attribute, subs, items, place))
            }
            // Null, an empty array, or another type than the schema's.
            (Shape::Text(_) | Shape::Boolean | Shape::Complex(_) | Shape::SingleItemList(_), _) => None,
        };
        if checked.is_none() {
            self.violates_schema = true;
        }
        checked
    }

    fn list(&mut self, attribute: &Attribute, subs: &'static [Attribute], items: &[Value], place: &str) -> Value {
        if items.len() > 1 {
            self.too_long_lists.push(attribute.name.to_owned());
        }
        let mut checked = Vec::new();
        for item in items {
            match item.as_object().filter(|body| !body.is_empty()) {
                Some(body) => checked.push(Value::Object(self.object(subs, body, place))),
                None => self.violates_schema = true,
            }
        }
        // Developer Guide, CreateUser: the one e-mail must be the primary one.
        if attribute.name == "emails" && !checked.iter().all(|item| item["primary"] == Value::Bool(true)) {
            self.violates_schema = true;
        }
        Value::Array(checked)
    }

    fn text(&mut self, rule: Rule, text: &str, place: &str) {
        let length = text.chars().count();
        let mut complain = |constraint: String| {
            self.constraints
                .push(format!("Value at '{place}' failed to satisfy constraint: {constraint}"));
        };
        if text.is_empty() || !text.chars().all(|character| is_allowed(rule, character)) {
            complain(format!(
                "Member must satisfy regular expression pattern: {}",
                pattern(rule)
            ));
        }
        if text.is_empty() {
            complain("Member must have length greater than or equal to 1".to_owned());
        }
        if length > longest(rule) {
            complain(format!(
                "Member must have length less than or equal to {}",
                longest(rule)
            ));
        }
        if rule == Rule::MemberType && text != "User" {
            self.violates_schema = true;
        }
        if matches!(rule, Rule::UserName | Rule::GroupName)
            && RESERVED_NAMES.iter().any(|name| name.eq_ignore_ascii_case(text))
        {
            self.violates_schema = true;
        }
    }

    fn finish(self) -> Result<(), ErrorResponse> {
        if self.violates_schema {
            return Err(ErrorResponse::unparsable());
        }
        if let Some(list) = self.too_long_lists.first() {
            return Err(ErrorResponse::invalid(format!(
                "List attribute {list} exceeds allowed limit of 1"
            )));
        }
        match self.constraints.len() {
            0 => Ok(()),
            1 => Err(ErrorResponse::invalid(format!(
                "1 validation error detected: {}",
                self.constraints[0]
            ))),
            count => Err(ErrorResponse::invalid(format!(
                "{count} validation errors detected: {}",
                self.constraints.join("; ")
            ))),
        }
    }
}

fn body_has(body: &Map<String, Value>, attribute: &Attribute) -> bool {
    body.keys().any(|key| key.eq_ignore_ascii_case(attribute.name))
}

fn longest(rule: Rule) -> usize {
    match rule {
        Rule::UserName => 128,
        Rule::ExternalId => 256,
        Rule::General | Rule::GroupName | Rule::MemberType => 1024,
        Rule::Id => 47,
    }
}

fn pattern(rule: Rule) -> &'static str {
    match rule {
        Rule::UserName | Rule::ExternalId | Rule::Id | Rule::MemberType => r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+",
        Rule::General | Rule::GroupName => "[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}\\t\\n\\r \u{a0}\u{3000}]+",
    }
}

/// Letters, marks, symbols, numbers and punctuation everywhere; some white space in names and other
/// general texts. Control and format characters, the zero-width joiner of many emoji among them,
/// are outside.
fn is_allowed(rule: Rule, character: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(character);
    let graphic = GeneralCategoryGroup::Letter
        .union(GeneralCategoryGroup::Mark)
        .union(GeneralCategoryGroup::Symbol)
        .union(GeneralCategoryGroup::Number)
        .union(GeneralCategoryGroup::Punctuation);
    if graphic.contains(category) {
        return true;
    }
    match rule {
        Rule::UserName | Rule::ExternalId | Rule::Id | Rule::MemberType => false,
        Rule::General | Rule::GroupName => {
            matches!(character, '\t' | '\n' | '\r' | ' ' | '\u{a0}' | '\u{3000}')
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::schema::{ENTERPRISE, USER, USER_ATTRIBUTES},
        *,
    };

    fn person(changes: Value) -> Value {
        let mut body = json!({
            "userName": "ada", "displayName": "Ada", "name": {"givenName": "Ada", "familyName": "Lovelace"},
        });
        for (key, value) in changes.as_object().unwrap() {
            body[key] = value.clone();
        }
        body
    }

    fn check(body: &Value) -> Result<Map<String, Value>, ErrorResponse> {
        resource(USER_ATTRIBUTES, &[USER, ENTERPRISE], body)
    }

    #[test]
    fn what_is_fine_is_kept_under_canonical_names() {
        let kept = check(&person(json!({
            "id": "1", "meta": {}, "schemas": [USER, ENTERPRISE], "NICKNAME": "Countess",
            "emails": [{"value": "ada@example.com", "primary": true}],
            ENTERPRISE: {"department": "Engines", "manager": {"value": "m-1"}},
        })))
        .unwrap();
        assert_eq!(kept["nickName"], "Countess");
        assert_eq!(kept[ENTERPRISE]["manager"]["value"], "m-1");
        assert!(!kept.contains_key("id") && !kept.contains_key("schemas") && !kept.contains_key("meta"));
    }

    #[test]
    fn the_generic_400_covers_most_faults() {
        let rows = [
            json!({"userName": null}),
            json!({"userName": 5}),
            json!({"name": {"givenName": "Ada"}}),
            json!({"name": {}}),
            json!({"photos": []}),
            json!({"groups": []}),
            json!({"entitlements": []}),
            json!({"password": "x"}),
            json!({"emails": []}),
            json!({"emails": [{"value": "a@example.com"}]}),
            json!({"emails": [{"value": "a@example.com", "primary": false}]}),
            json!({"emails": [{"primary": true}]}),
            json!({"emails": [{"value": "a@example.com", "primary": true, "display": "A"}]}),
            json!({"emails": {"value": "a@example.com", "primary": true}}),
            json!({"active": "true"}),
            json!({"schemas": ["urn:example:other"]}),
            json!({"schemas": [ENTERPRISE]}),
            json!({"USERNAME": "twice"}),
            json!({"userName": "administrator"}),
            json!({ENTERPRISE: {"manager": {"value": "m", "displayName": "M"}}}),
        ];
        for row in rows {
            assert_eq!(check(&person(row.clone())), Err(ErrorResponse::unparsable()), "{row}");
        }
        assert_eq!(check(&json!([])), Err(ErrorResponse::unparsable()));
        assert_eq!(check(&json!({"userName": "ada"})), Err(ErrorResponse::unparsable()));
    }

    #[test]
    fn a_second_item_is_named() {
        for list in ["emails", "phoneNumbers", "roles"] {
            let two = json!([{"value": "1", "primary": true}, {"value": "2", "primary": true}]);
            let refusal = check(&person(json!({list: two}))).unwrap_err();
            assert_eq!(
                refusal.detail,
                format!("List attribute {list} exceeds allowed limit of 1")
            );
        }
    }

    #[test]
    fn texts_have_lengths_and_alphabets() {
        let rows = [
            (
                json!({"name": {"givenName": "", "familyName": "x"}}),
                Some("2 validation errors detected: Value at 'name.givenName'"),
            ),
            (
                json!({"userName": "two words"}),
                Some("1 validation error detected: Value at 'userName'"),
            ),
            (json!({"userName": "a".repeat(128)}), None),
            (
                json!({"userName": "a".repeat(129)}),
                Some("1 validation error detected: Value at 'userName'"),
            ),
            (
                json!({"externalId": "e".repeat(257)}),
                Some("1 validation error detected: Value at 'externalId'"),
            ),
            (
                json!({"displayName": "d".repeat(1025)}),
                Some("1 validation error detected: Value at 'displayName'"),
            ),
            (json!({"displayName": "Ada\u{a0}\u{3000}\t\r\n Lovelace <>;:%"}), None),
            (
                json!({"displayName": "zero\u{200d}width"}),
                Some("1 validation error detected: Value at 'displayName'"),
            ),
            (
                json!({"title": "nul\u{0}"}),
                Some("1 validation error detected: Value at 'title'"),
            ),
            (
                json!({"name": {"givenName": "Ёлка", "familyName": "😀 e\u{301}"}}),
                None,
            ),
        ];
        for (row, expected) in rows {
            match (check(&person(row.clone())), expected) {
                (Ok(_), None) => {}
                (Err(refusal), Some(start)) => assert!(refusal.detail.starts_with(start), "{row}: {}", refusal.detail),
                (outcome, expected) => panic!("{row}: {outcome:?}, expected {expected:?}"),
            }
        }
    }
}
