//! The people and groups themselves, kept in the order they came, with the indexes that uniqueness
//! needs.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    schema::{ENTERPRISE, GROUP, USER},
    wire::ErrorResponse,
};

/// The whole state of an Identity Center as SCIM shows it.
#[derive(Debug, Clone, Default)]
pub(super) struct Directory {
    pub(super) users: Shelf<User>,
    pub(super) groups: Shelf<Group>,
}

impl Directory {
    /// Removes a user from the directory and from every group.
    pub(super) fn remove_user(&mut self, id: &str) -> Result<(), ErrorResponse> {
        let number = self.users.remove(id)?;
        for group in self.groups.entries.values_mut() {
            group.members.remove(&number);
        }
        Ok(())
    }

    /// Puts a group back as it stood in `seed`, if it stood there and its names are still free.
    pub(super) fn restore_group(&mut self, seed: &Self, id: &str) {
        if let Some((_, group)) = seed.groups.lookup(id) {
            let mut group = group.clone();
            group.members.retain(|number| self.users.by_number(*number).is_some());
            // Refused when a group made since has its name: then that one stays, and this one is
            // gone after all.
            let _restored = self.groups.insert(group);
        }
    }
}

/// An entry of a [`Shelf`].
pub(super) trait Entry {
    fn id(&self) -> &str;
    /// The values no other entry of the shelf may have, each with the name of its attribute.
    fn unique_keys(&self) -> Vec<UniqueKey>;
}

/// An attribute's name and a value of it that only one entry may have, folded where letter case
/// does not count.
pub(super) type UniqueKey = (&'static str, String);

/// Entries by a number that only ever grows: the order of lists, what a cursor remembers, and what
/// a group knows its members by.
#[derive(Debug, Clone)]
pub(super) struct Shelf<T> {
    entries: BTreeMap<u64, T>,
    numbers: HashMap<String, u64>,
    unique: HashMap<UniqueKey, u64>,
    last_number: u64,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            numbers: HashMap::new(),
            unique: HashMap::new(),
            last_number: 0,
        }
    }
}

impl<T: Entry> Shelf<T> {
    /// Adds a new entry; 409 when its id or one of its unique values is taken.
    pub(super) fn insert(&mut self, entry: T) -> Result<u64, ErrorResponse> {
        if self.numbers.contains_key(entry.id()) {
            return Err(ErrorResponse::duplicate());
        }
        let number = self.last_number + 1;
        self.claim(number, &entry)?;
        self.last_number = number;
        self.numbers.insert(entry.id().to_owned(), number);
        self.entries.insert(number, entry);
        Ok(number)
    }

    /// Puts an entry in the place of the one with this number; 409 when another entry has one of
    /// its unique values.
    pub(super) fn replace(&mut self, number: u64, entry: T) -> Result<(), ErrorResponse> {
        let before = self.entries.get(&number).map(Entry::unique_keys).unwrap_or_default();
        self.claim(number, &entry)?;
        let after = entry.unique_keys();
        for key in before.into_iter().filter(|key| !after.contains(key)) {
            self.unique.remove(&key);
        }
        self.entries.insert(number, entry);
        Ok(())
    }

    /// Takes an entry away; 404 when there is none with this id.
    pub(super) fn remove(&mut self, id: &str) -> Result<u64, ErrorResponse> {
        let number = self.numbers.remove(id).ok_or_else(ErrorResponse::not_found)?;
        if let Some(entry) = self.entries.remove(&number) {
            for key in entry.unique_keys() {
                self.unique.remove(&key);
            }
        }
        Ok(number)
    }

    /// The entry with this id, or 404.
    pub(super) fn get(&self, id: &str) -> Result<(u64, &T), ErrorResponse> {
        self.lookup(id).ok_or_else(ErrorResponse::not_found)
    }

    /// The entry with this id, if there is one.
    pub(super) fn lookup(&self, id: &str) -> Option<(u64, &T)> {
        let number = *self.numbers.get(id)?;
        Some((number, self.entries.get(&number)?))
    }

    /// The entry with this number, if it is still there.
    pub(super) fn by_number(&self, number: u64) -> Option<&T> {
        self.entries.get(&number)
    }

    /// The entry that holds a unique value, if there is one.
    pub(super) fn holder(&self, key: &UniqueKey) -> Option<(u64, &T)> {
        let number = *self.unique.get(key)?;
        Some((number, self.entries.get(&number)?))
    }

    /// All entries numbered higher than `after`, in order.
    pub(super) fn after(&self, after: u64) -> impl Iterator<Item = (u64, &T)> {
        self.entries
            .range(after.saturating_add(1)..)
            .map(|(number, entry)| (*number, entry))
    }

    /// Claims the entry's unique values for this number, all of them or none.
    fn claim(&mut self, number: u64, entry: &T) -> Result<(), ErrorResponse> {
        let keys = entry.unique_keys();
        if keys
            .iter()
            .any(|key| self.unique.get(key).is_some_and(|holder| *holder != number))
        {
            return Err(ErrorResponse::duplicate());
        }
        self.unique.extend(keys.into_iter().map(|key| (key, number)));
        Ok(())
    }
}

/// When a resource was made and last changed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) created: Timestamp,
    pub(super) last_modified: Timestamp,
}

impl Times {
    pub(super) fn now() -> Self {
        let now = Timestamp::now();
        Self {
            created: now,
            last_modified: now,
        }
    }

    /// The same creation, changed now.
    pub(super) fn touched(self) -> Self {
        Self {
            last_modified: Timestamp::now(),
            ..self
        }
    }

    /// AWS's `meta`: three keys, UTC to the second, neither `location` nor `version`.
    fn meta(self, resource_type: &str) -> Value {
        let text = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        json!({
            "resourceType": resource_type,
            "created": text(self.created),
            "lastModified": text(self.last_modified),
        })
    }
}

/// A person: checked attributes under their canonical names.
#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) attributes: Map<String, Value>,
    pub(super) times: Times,
}

impl User {
    /// The resource as it is answered: what was not set is left out, and so is the manager's `$ref`
    /// (the guide's CreateUser sample sends one and answers without).
    pub(super) fn resource(&self) -> Value {
        let mut schemas = vec![json!(USER)];
        if self.attributes.contains_key(ENTERPRISE) {
            schemas.push(json!(ENTERPRISE));
        }
        let mut resource = Map::new();
        resource.insert("id".to_owned(), json!(self.id));
        resource.insert("meta".to_owned(), self.times.meta("User"));
        resource.insert("schemas".to_owned(), Value::Array(schemas));
        resource.extend(self.attributes.clone());
        if let Some(manager) = resource
            .get_mut(ENTERPRISE)
            .and_then(|extension| extension.get_mut("manager"))
            .and_then(Value::as_object_mut)
        {
            manager.remove("$ref");
        }
        Value::Object(resource)
    }

    /// The id of the manager, if one is set.
    pub(super) fn manager(&self) -> Option<&str> {
        self.attributes.get(ENTERPRISE)?.get("manager")?.get("value")?.as_str()
    }
}

impl Entry for User {
    fn id(&self) -> &str {
        &self.id
    }

    /// User Guide, "Troubleshooting": user name, primary e-mail and external id are unique.
    /// `userName` and e-mail are `caseExact: false` in RFC 7643 section 8.7.1; AWS does not say how
    /// it folds.
    fn unique_keys(&self) -> Vec<UniqueKey> {
        let text = |name: &str| self.attributes.get(name).and_then(Value::as_str);
        let email = self.attributes.get("emails").and_then(|list| list[0]["value"].as_str());
        let mut keys = Vec::new();
        keys.extend(text("userName").map(user_name_key));
        keys.extend(text("externalId").map(external_id_key));
        keys.extend(email.map(|value| ("emails", value.to_lowercase())));
        keys
    }
}

/// A group, knowing its members by their numbers on the users' shelf.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) id: String,
    pub(super) attributes: Map<String, Value>,
    pub(super) members: BTreeSet<u64>,
    pub(super) times: Times,
}

impl Group {
    /// The resource without `members`: AWS answers a group's members nowhere but through a filter
    /// on users.
    pub(super) fn resource(&self) -> Value {
        let mut resource = Map::new();
        resource.insert("id".to_owned(), json!(self.id));
        resource.insert("meta".to_owned(), self.times.meta("Group"));
        resource.insert("schemas".to_owned(), json!([GROUP]));
        resource.extend(self.attributes.clone());
        Value::Object(resource)
    }
}

impl Entry for Group {
    fn id(&self) -> &str {
        &self.id
    }

    fn unique_keys(&self) -> Vec<UniqueKey> {
        let text = |name: &str| self.attributes.get(name).and_then(Value::as_str);
        let mut keys = Vec::new();
        keys.extend(text("displayName").map(display_name_key));
        keys.extend(text("externalId").map(external_id_key));
        keys
    }
}

/// The key under which a user name is unique and found: letter case does not count.
pub(super) fn user_name_key(value: &str) -> UniqueKey {
    ("userName", value.to_lowercase())
}

/// The key under which a group's name is unique and found. That letter case does not count is RFC
/// 7643's default; what AWS does is not documented.
pub(super) fn display_name_key(value: &str) -> UniqueKey {
    ("displayName", value.to_lowercase())
}

/// The key under which an external id is unique and found, letter by letter (RFC 7643 section 3.1).
pub(super) fn external_id_key(value: &str) -> UniqueKey {
    ("externalId", value.to_owned())
}
