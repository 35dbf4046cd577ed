//! Users, groups and lists as a directory sends them (RFC 7643 section 4, RFC 7644 section 3.4.2).
//!
//! A resource is kept as the JSON object that came, in its order, because callers are shown it;
//! what the service itself relies on (`id`, `userName`, `active` …) is checked once, when the
//! resource is read, and typed from then on.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::Dialect;

/// A JSON object in the order its keys came.
pub type Object = Map<String, Value>;

/// The longest identifier accepted. AWS's own are at most 47 characters (Identity Store API,
/// `ResourceId`).
const MAX_ID: usize = 64;

/// An identifier a directory gave to a user or a group, safe to stand as one segment of a path.
///
/// Only `[A-Za-z0-9_-]{1,64}` is one. Percent-encoding would not be enough: URL parsers drop `.`
/// and `..`, take `\` for `/` and delete tabs and line ends, so that another resource would be
/// addressed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Id(String);

impl Id {
    /// `text` as an identifier, or `None` when an identifier can't have one of its characters or
    /// its length.
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        (!text.is_empty() && text.len() <= MAX_ID && text.bytes().all(allowed)).then(|| Self(text.to_owned()))
    }

    /// As [`Self::parse`], lower-cased where a directory of this dialect makes no difference of
    /// letter case: AWS's own form is hexadecimal digits, which AWS writes in lower case. An id of
    /// any other form, and another server's, is case-exact (RFC 7643 section 3.1). White space
    /// around it is not taken off.
    pub fn parse_for(dialect: Dialect, text: &str) -> Option<Self> {
        Some(Self::parse(text)?.folded(dialect))
    }

    /// The identifier, as [`Self::parse_for`] has it.
    #[must_use]
    pub fn folded(mut self, dialect: Dialect) -> Self {
        if dialect == Dialect::Aws && self.is_aws_formed() {
            self.0.make_ascii_lowercase();
        }
        self
    }

    /// Whether it has the form of AWS's ids, in either letter case: a UUID, or ten hexadecimal
    /// digits, a hyphen and a UUID (Identity Store API, `ResourceId`).
    pub fn is_aws_formed(&self) -> bool {
        let uuid = match self.0.split_once('-') {
            Some((digits, rest)) if digits.len() == 10 => {
                if !is_hexadecimal(digits) {
                    return false;
                }
                rest
            }
            _ => self.0.as_str(),
        };
        let mut groups = uuid.split('-');
        [8, 4, 4, 4, 12].iter().all(|length| {
            groups
                .next()
                .is_some_and(|group| group.len() == *length && is_hexadecimal(group))
        }) && groups.next().is_none()
    }

    /// The identifier's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why an answer is not the resource it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ResourceError(pub &'static str);

/// A user (RFC 7643 section 4.1), as it came.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct User(Object);

impl User {
    /// Reads a user from an answer.
    ///
    /// # Errors
    /// When it is not an object with a usable `id` and `userName`, or when `active` is not a
    /// boolean.
    pub fn read(value: Value) -> Result<Self, ResourceError> {
        let object = into_object(value, "a user is not a JSON object")?;
        usable_id(&object)?;
        match attribute(&object, "userName") {
            Some(Value::String(name)) if !name.is_empty() => {}
            _ => return Err(ResourceError("a user has no `userName`")),
        }
        match attribute(&object, "active") {
            None | Some(Value::Null | Value::Bool(_)) => Ok(Self(object)),
            Some(_) => Err(ResourceError("a user's `active` is not a boolean")),
        }
    }

    /// A user that a dry run assumes: `attributes` as they would be stored, without what only the
    /// directory can give.
    pub fn assumed(attributes: Object) -> Self {
        Self(attributes)
    }

    /// The server-made identifier; `None` only for a user that a dry run assumes.
    pub fn id(&self) -> Option<Id> {
        self.text("id").and_then(Id::parse)
    }

    /// `userName`.
    pub fn user_name(&self) -> Option<&str> {
        self.text("userName")
    }

    /// `displayName`.
    pub fn display_name(&self) -> Option<&str> {
        self.text("displayName")
    }

    /// `active`; `None` when the directory did not say.
    pub fn active(&self) -> Option<bool> {
        self.get("active").and_then(Value::as_bool)
    }

    /// The value of the primary e-mail, else of the first (RFC 7643 section 2.4).
    pub fn email(&self) -> Option<&str> {
        let emails = self.get("emails")?.as_array()?;
        let primary = emails
            .iter()
            .find(|email| email.get("primary") == Some(&Value::Bool(true)));
        primary.or(emails.first())?.get("value")?.as_str()
    }

    /// An attribute by name; names are case-insensitive (RFC 7643 section 2.1).
    pub fn get(&self, name: &str) -> Option<&Value> {
        attribute(&self.0, name)
    }

    /// The whole resource.
    pub fn as_object(&self) -> &Object {
        &self.0
    }

    /// The whole resource, taken.
    pub fn into_object(self) -> Object {
        self.0
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }
}

/// A group (RFC 7643 section 4.2), as it came.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Group(Object);

impl Group {
    /// Reads a group from an answer.
    ///
    /// # Errors
    /// When it is not an object with a usable `id` and a `displayName`.
    pub fn read(value: Value) -> Result<Self, ResourceError> {
        let object = into_object(value, "a group is not a JSON object")?;
        usable_id(&object)?;
        match attribute(&object, "displayName") {
            Some(Value::String(_)) => Ok(Self(object)),
            _ => Err(ResourceError("a group has no `displayName`")),
        }
    }

    /// A group that a dry run assumes.
    pub fn assumed(attributes: Object) -> Self {
        Self(attributes)
    }

    /// The server-made identifier; `None` only for a group that a dry run assumes.
    pub fn id(&self) -> Option<Id> {
        attribute(&self.0, "id").and_then(Value::as_str).and_then(Id::parse)
    }

    /// `displayName`.
    pub fn display_name(&self) -> Option<&str> {
        attribute(&self.0, "displayName").and_then(Value::as_str)
    }

    /// The `members` of the resource itself. AWS leaves them out or sends an empty list whatever
    /// the group holds, so this answers for servers that keep to RFC 7643 only.
    pub fn members(&self) -> Vec<Member> {
        let members = attribute(&self.0, "members").and_then(Value::as_array);
        members.into_iter().flatten().filter_map(Member::read).collect()
    }

    /// The whole resource.
    pub fn as_object(&self) -> &Object {
        &self.0
    }
}

/// A member of a group, as callers are shown it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Member {
    /// The user's identifier.
    pub value: String,
    /// The user's display name, if it has one.
    pub display: Option<String>,
}

impl Member {
    /// A user as a member.
    pub fn of(user: &User) -> Self {
        let value = user.id().map(|id| id.to_string()).unwrap_or_default();
        Self {
            value,
            display: user.display_name().map(str::to_owned),
        }
    }

    fn read(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            value: text("value")?,
            display: text("display"),
        })
    }
}

/// A page of a list (RFC 7644 section 3.4.2), with RFC 9865's cursor to the next.
#[derive(Clone, Debug, PartialEq)]
pub struct ListResponse<T> {
    /// The resources on this page.
    pub resources: Vec<T>,
    /// The cursor to ask for the next page with; `None` on the last one.
    pub next_cursor: Option<String>,
}

impl<T> ListResponse<T> {
    /// Reads a page, each resource with `read`.
    ///
    /// `Resources` may be missing when nothing matched, and `totalResults` when paging by cursor,
    /// but one of the marks of a list must be there: taking any object for an empty list would
    /// report every person as gone.
    ///
    /// # Errors
    /// When it is not a list response, or one of its resources can't be read.
    pub fn read(value: Value, read: fn(Value) -> Result<T, ResourceError>) -> Result<Self, ResourceError> {
        let mut object = into_object(value, "a list is not a JSON object")?;
        let marks = ["Resources", "totalResults", "itemsPerPage"];
        if !marks.iter().any(|mark| attribute(&object, mark).is_some()) {
            return Err(ResourceError("a list has neither `Resources` nor a count"));
        }
        let key = object.keys().find(|key| key.eq_ignore_ascii_case("Resources")).cloned();
        let resources = match key.and_then(|key| object.swap_remove(&key)) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => items.into_iter().map(read).collect::<Result<_, _>>()?,
            Some(_) => return Err(ResourceError("a list's `Resources` is not an array")),
        };
        let next_cursor = match attribute(&object, "nextCursor") {
            None | Some(Value::Null) => None,
            Some(Value::String(cursor)) => (!cursor.is_empty()).then(|| cursor.clone()),
            // Taking the page for the last one would cut the list short.
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                return Err(ResourceError("a list's `nextCursor` is not a string"));
            }
        };
        Ok(Self { resources, next_cursor })
    }
}

impl<T> ListResponse<T> {
    /// Maps each resource of the page.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> ListResponse<U> {
        ListResponse {
            resources: self.resources.into_iter().map(change).collect(),
            next_cursor: self.next_cursor,
        }
    }
}

/// The headers of an answer, as callers are shown them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, String)>);

impl Headers {
    /// The headers as a JSON object.
    pub fn to_object(&self) -> Object {
        self.0
            .iter()
            .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
            .collect()
    }
}

/// An attribute of an object, its name compared without regard to ASCII case (RFC 7643 section
/// 2.1).
pub(super) fn attribute<'a>(object: &'a Object, name: &str) -> Option<&'a Value> {
    object.get(name).or_else(|| {
        object
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    })
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn into_object(value: Value, otherwise: &'static str) -> Result<Object, ResourceError> {
    if let Value::Object(object) = value {
        Ok(object)
    } else {
        Err(ResourceError(otherwise))
    }
}

fn usable_id(object: &Object) -> Result<(), ResourceError> {
    let id = attribute(object, "id").and_then(Value::as_str).and_then(Id::parse);
    id.map(|_| ()).ok_or(ResourceError("a resource has no usable `id`"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_id_is_letters_digits_underscores_and_hyphens() {
        let long = "a".repeat(64);
        for good in [
            "u-1",
            "121212",
            "90672606ee-3ff0b1c5-9e2c-4a6a-a1ff-2c6a3d9b2e11",
            "A_b",
            long.as_str(),
        ] {
            assert!(Id::parse(good).is_some(), "{good:?} should be accepted");
        }
        let too_long = "a".repeat(65);
        let bad = [
            "",
            ".",
            "..",
            "a/b",
            "a\\b",
            "..%2F",
            "a b",
            "a\n",
            "a\tb",
            "é",
            "a?x",
            "a#",
            too_long.as_str(),
            "%2e",
        ];
        for bad in bad {
            assert!(Id::parse(bad).is_none(), "{bad:?} should be refused");
        }
    }

    #[test]
    fn only_ids_of_awss_form_know_no_letter_case() {
        let aws = [
            "90672606ee-3ff0b1c5-9e2c-4a6a-a1ff-2c6a3d9b2e11",
            "90672606EE-3FF0B1C5-9e2c-4a6a-a1ff-2c6a3d9b2e11",
            "3FF0B1C5-9E2C-4A6A-A1FF-2C6A3D9B2E11",
        ];
        let others = [
            "U-1",
            "123",
            "3FF0B1C59E2C4A6AA1FF2C6A3D9B2E11",
            "3FF0B1C5-9E2C-4A6A-A1FF-2C6A3D9B2E1",
            "3FF0B1C5-9E2C-4A6A-A1FF-2C6A3D9B2E11-",
            "3FF0B1C5-9E2C-4A6A-A1FF-2C6A3D9B2E1G",
            "9067260GEE-3FF0B1C5-9E2C-4A6A-A1FF-2C6A3D9B2E11",
            "0672606EE-3FF0B1C5-9E2C-4A6A-A1FF-2C6A3D9B2E11",
            "90672606EE",
            "90672606EE-",
        ];
        let forms = aws
            .map(|text| (text, true))
            .into_iter()
            .chain(others.map(|text| (text, false)));
        for (text, is_aws_formed) in forms {
            assert_eq!(Id::parse(text).unwrap().is_aws_formed(), is_aws_formed, "{text}");
            let folded = if is_aws_formed {
                text.to_ascii_lowercase()
            } else {
                text.to_owned()
            };
            assert_eq!(Id::parse_for(Dialect::Aws, text).unwrap().as_str(), folded);
            assert_eq!(Id::parse_for(Dialect::Rfc7644, text).unwrap().as_str(), text);
        }
        assert_eq!(Id::parse_for(Dialect::Aws, " u-1"), None);
    }

    #[test]
    fn a_user_needs_what_the_service_relies_on() {
        let rows = [
            (json!({"id": "u-1", "userName": "a"}), true),
            (json!({"ID": "u-1", "username": "a", "active": true}), true),
            (json!({"id": "../Users/1", "userName": "a"}), false),
            (json!({"userName": "a"}), false),
            (json!({"id": "u-1"}), false),
            (json!({"id": "u-1", "userName": ""}), false),
            (json!({"id": "u-1", "userName": "a", "active": "true"}), false),
            (json!([]), false),
        ];
        for (value, good) in rows {
            assert_eq!(User::read(value.clone()).is_ok(), good, "{value}");
        }
    }

    #[test]
    fn the_primary_email_comes_before_the_first() {
        let read = |emails: Value| User::read(json!({"id": "u", "userName": "a", "emails": emails})).unwrap();
        let two = read(json!([{"value": "a@x"}, {"value": "b@x", "primary": true}]));
        assert_eq!(two.email(), Some("b@x"));
        assert_eq!(read(json!([{"value": "a@x"}])).email(), Some("a@x"));
        assert_eq!(read(json!([])).email(), None);
        assert_eq!(read(json!("odd")).email(), None);
    }

    #[test]
    fn any_object_is_not_an_empty_list() {
        assert!(ListResponse::read(json!({}), User::read).is_err());
        assert!(ListResponse::read(json!({"message": "hello"}), User::read).is_err());
        let empty = ListResponse::read(json!({"totalResults": 0}), User::read).unwrap();
        assert!(empty.resources.is_empty());
        let page = json!({"itemsPerPage": 1, "nextCursor": "a+b", "Resources": [{"id": "u", "userName": "a"}]});
        let page = ListResponse::read(page, User::read).unwrap();
        assert_eq!((page.resources.len(), page.next_cursor.as_deref()), (1, Some("a+b")));
    }
}
