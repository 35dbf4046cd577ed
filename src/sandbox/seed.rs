//! What a sandbox starts with, and what its state is written out as.

use std::{collections::BTreeSet, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::{
    directory::{Directory, Entry, Group, Times, User},
    memberships::member_ids,
    schema::{ENTERPRISE, GROUP, GROUP_ATTRIBUTES, USER, USER_ATTRIBUTES},
    validate,
    wire::ErrorResponse,
};

const DEMO: &str = include_str!("demo.json");

/// People and groups that hold together: every attribute is one the endpoint would have taken, what
/// must be unique is, and every member exists. As JSON: `{"users": […], "groups": […]}`, each a
/// SCIM resource; an `id` is kept as it is, and made where there is none; groups have
/// `members: [{"value": id}]`, any number of them.
#[derive(Clone, Default)]
pub struct Seed(pub(super) Directory);

/// Why a seed does not hold together.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// Not JSON, or not an object with the two lists.
    #[error("the seed is not a JSON object with the lists `users` and `groups`")]
    Syntax(#[source] serde_json::Error),
    /// A resource would have been refused.
    #[error("{list}[{index}]: {detail}")]
    Resource {
        /// `users` or `groups`.
        list: &'static str,
        /// Place in that list, from 0.
        index: usize,
        /// The refusal in the words of the endpoint, or what is missing.
        detail: String,
    },
}

impl Seed {
    /// No users and no groups.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// A small firm, in it the person `test` with the id 123456, and the group 121212,
    /// `The best group`, that has no members yet.
    #[must_use]
    pub fn demo() -> Self {
        Self::from_json(DEMO).expect("the built-in seed is read by a test")
    }

    /// Reads a seed from its JSON form.
    ///
    /// # Errors
    /// When it is not JSON of that form, or does not hold together.
    pub fn from_json(text: &str) -> Result<Self, SeedError> {
        let object: Map<String, Value> = serde_json::from_str(text).map_err(SeedError::Syntax)?;
        SeedDocument::read(object).map_err(SeedError::Syntax)?.build()
    }

    /// The JSON form, ids and times included.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let directory = &self.0;
        let users: Vec<Value> = directory.users.after(0).map(|(_, user)| user.resource()).collect();
        let groups: Vec<Value> = directory
            .groups
            .after(0)
            .map(|(_, group)| {
                let mut resource = group.resource();
                resource["members"] = group
                    .members
                    .iter()
                    .filter_map(|number| directory.users.by_number(*number))
                    .map(|user| json!({"value": user.id()}))
                    .collect();
                resource
            })
            .collect();
        json!({"users": users, "groups": groups})
    }
}

/// Counts the users and groups: their attributes must not reach a log.
impl fmt::Debug for Seed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (users, groups) = (self.0.users.after(0).count(), self.0.groups.after(0).count());
        formatter
            .debug_struct("Seed")
            .field("users", &users)
            .field("groups", &groups)
            .finish()
    }
}

impl Serialize for Seed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Seed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        SeedDocument::deserialize(deserializer)?
            .build()
            .map_err(serde::de::Error::custom)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedDocument {
    #[serde(default)]
    users: Vec<Map<String, Value>>,
    #[serde(default)]
    groups: Vec<Map<String, Value>>,
}

impl SeedDocument {
    /// Goes by way of an object because serde would read a bare list as a struct too.
    fn read(object: Map<String, Value>) -> Result<Self, serde_json::Error> {
        serde_json::from_value(Value::Object(object))
    }

    fn build(self) -> Result<Seed, SeedError> {
        let mut directory = Directory::default();
        for (index, resource) in self.users.into_iter().enumerate() {
            add_user(&mut directory, resource).map_err(|refusal| SeedError::Resource {
                list: "users",
                index,
                detail: refusal.detail,
            })?;
        }
        for (index, resource) in self.groups.into_iter().enumerate() {
            add_group(&mut directory, resource).map_err(|refusal| SeedError::Resource {
                list: "groups",
                index,
                detail: refusal.detail,
            })?;
        }
        Ok(Seed(directory))
    }
}

fn add_user(directory: &mut Directory, resource: Map<String, Value>) -> Result<(), ErrorResponse> {
    let (id, times) = (id(&resource)?, times(&resource)?);
    let attributes = validate::resource(USER_ATTRIBUTES, &[USER, ENTERPRISE], &Value::Object(resource))?;
    directory.users.insert(User { id, attributes, times }).map(|_| ())
}

fn add_group(directory: &mut Directory, mut resource: Map<String, Value>) -> Result<(), ErrorResponse> {
    let (id, times) = (id(&resource)?, times(&resource)?);
    let ids = match resource.shift_remove("members") {
        Some(Value::Array(items)) => member_ids(&items)?,
        Some(_) => return Err(ErrorResponse::invalid("`members` is not a list")),
        None => Vec::new(),
    };
    let mut members = BTreeSet::new();
    for member in ids {
        let (number, _) = directory
            .users
            .lookup(&member)
            .ok_or_else(|| ErrorResponse::invalid(format!("there is no user `{member}`")))?;
        members.insert(number);
    }
    let attributes = validate::resource(GROUP_ATTRIBUTES, &[GROUP], &Value::Object(resource))?;
    directory
        .groups
        .insert(Group {
            id,
            attributes,
            members,
            times,
        })
        .map(|_| ())
}

fn id(resource: &Map<String, Value>) -> Result<String, ErrorResponse> {
    match resource.get("id") {
        None => Ok(uuid::Uuid::new_v4().to_string()),
        Some(Value::String(id)) if !id.is_empty() => Ok(id.clone()),
        Some(_) => Err(ErrorResponse::invalid("`id` is not a text")),
    }
}

fn times(resource: &Map<String, Value>) -> Result<Times, ErrorResponse> {
    let now = Times::now();
    let time = |name: &str, otherwise: Timestamp| match resource.get("meta").and_then(|meta| meta.get(name)) {
        None => Ok(otherwise),
        Some(value) => value
            .as_str()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| ErrorResponse::invalid(format!("`meta.{name}` is not a time"))),
    };
    let created = time("created", now.created)?;
    Ok(Times {
        created,
        last_modified: time("lastModified", created)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_is_read_and_written_back() {
        let written = Seed::demo().to_json();
        let user = &written["users"][0];
        assert_eq!(
            (user["id"].as_str(), user["userName"].as_str()),
            (Some("123456"), Some("test"))
        );
        assert_eq!(user["emails"][0]["value"], "john.doe@example.com");
        let best = written["groups"]
            .as_array()
            .unwrap()
            .iter()
            .find(|group| group["id"] == "121212")
            .unwrap();
        assert_eq!(best["displayName"], "The best group");
        assert_eq!(best["members"], json!([]));
        let again = Seed::from_json(&written.to_string()).unwrap();
        assert_eq!(again.to_json(), written);
    }

    #[test]
    fn a_seed_that_does_not_hold_together_is_refused_with_its_place() {
        let person = r#"{"userName":"a","displayName":"A","name":{"givenName":"A","familyName":"A"}}"#;
        let rows = [
            ("[]".to_owned(), "the seed is not"),
            (r#"{"people":[]}"#.to_owned(), "the seed is not"),
            (format!(r#"{{"users":[{person},{person}]}}"#), "users[1]: Refused"),
            (
                r#"{"users":[{"userName":"a"}]}"#.to_owned(),
                "users[0]: Request is unparsable",
            ),
            (
                r#"{"groups":[{"displayName":"g","members":[{"value":"x"}]}]}"#.to_owned(),
                "groups[0]: there is no user `x`",
            ),
        ];
        for (text, start) in rows {
            let error = Seed::from_json(&text).unwrap_err().to_string();
            assert!(error.starts_with(start), "{text}: {error}");
        }
    }
}
