//! Whom a command is about, by every name that it knows, and how urgent it is.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Command, Rules};
use crate::{
    mapper::MappingType,
    profile::{GroupProfile, UserProfile},
    scim::Priority,
};

impl Command {
    /// How urgent the command is: leavers first.
    pub fn priority(&self) -> Priority {
        match self {
            Self::DisableUser(_) => Priority::Disable,
            Self::UpdateUser(_) | Self::UpdateGroup(_) | Self::DeleteGroup(_) => Priority::Update,
            Self::CreateUser(_) | Self::CreateGroup(_) => Priority::Create,
            Self::GetUser(_) | Self::GetGroup(_) | Self::TestModule(_) | Self::GetMappingFields(_) => Priority::Read,
        }
    }

    /// The names that the command knows its subject by: ids, user names and employee ids, old and
    /// new. Empty for a command that only reads, which may run beside any other.
    pub fn subject(&self, rules: &Rules) -> BTreeSet<String> {
        match self {
            Self::CreateUser(args) => person(&args.user_profile, rules),
            Self::UpdateUser(args) => person(&args.user_profile, rules),
            Self::DisableUser(args) => person(&args.user_profile, rules),
            Self::CreateGroup(args) => group(&args.scim),
            Self::UpdateGroup(args) => group(&args.scim),
            Self::DeleteGroup(args) => group(&args.scim),
            Self::GetUser(_) | Self::GetGroup(_) | Self::TestModule(_) | Self::GetMappingFields(_) => BTreeSet::new(),
        }
    }
}

fn person(profile: &UserProfile, rules: &Rules) -> BTreeSet<String> {
    let old = profile.old().ok().flatten();
    let mut names = BTreeSet::new();
    for profile in [Some(profile), old.as_ref()].into_iter().flatten() {
        let mapped = rules.mapper.outgoing(MappingType::Update, profile).attributes;
        let mapped = |attribute: &str| mapped.get(attribute).and_then(Value::as_str);
        names.extend(profile.text("id").ok().flatten().map(|id| format!("user id {id}")));
        // Two spellings of a user name are one person.
        names.extend(mapped("userName").map(|name| format!("user name {}", name.to_lowercase())));
        names.extend(mapped("externalId").map(|id| format!("employee {id}")));
    }
    names
}

fn group(group: &GroupProfile) -> BTreeSet<String> {
    let text = |name: &str| group.text(name).ok().flatten();
    let id = text("id").map(|id| format!("group id {id}"));
    let name = text("displayName").map(|name| format!("group name {}", name.to_lowercase()));
    id.into_iter().chain(name).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{mapper::Mapper, policy::Policy, scim::Dialect};

    #[test]
    fn the_list_of_names_says_which_commands_change_a_directory() {
        for (name, writes) in crate::commands::NAMES {
            let arguments = json!({"user-profile": {}, "scim": {}});
            let part = |field: &str| json!({field: arguments[field]});
            let forms = [part("user-profile"), part("scim"), json!({})];
            let read = |arguments: &Value| {
                serde_json::from_value::<Command>(json!({"command": name, "arguments": arguments})).ok()
            };
            let command = forms
                .iter()
                .find_map(read)
                .unwrap_or_else(|| panic!("there is no command {name}"));
            assert_eq!((command.name(), command.priority() != Priority::Read), (name, writes));
        }
    }

    #[test]
    fn a_command_knows_its_subject_by_every_name() {
        let rules = Rules {
            policy: Policy::default(),
            mapper: Mapper::default(),
            dialect: Dialect::Aws,
        };
        let command = |name: &str, arguments: Value| -> Command {
            serde_json::from_value(json!({"command": name, "arguments": arguments})).unwrap()
        };
        let profile = json!({
            "id": "u-1", "username": "New", "employeeid": "7", "olduserdata": {"Username": "Old", "id": "u-0", "employeeid": "7"},
        });
        let rows = [
            (
                command("iam-update-user", json!({"user-profile": profile})),
                vec![
                    "employee 7",
                    "user id u-0",
                    "user id u-1",
                    "user name new",
                    "user name old",
                ],
            ),
            (
                command("iam-get-user", json!({"user-profile": {"username": "a"}})),
                vec![],
            ),
            (
                command("iam-update-group", json!({"scim": {"id": "g-1", "displayName": "G"}})),
                vec!["group id g-1", "group name g"],
            ),
            (
                command("iam-create-group", json!({"scim": {"displayName": "G"}})),
                vec!["group name g"],
            ),
        ];
        for (command, expected) in rows {
            let names: Vec<_> = command.subject(&rules).into_iter().collect();
            assert_eq!(names, expected, "{}", command.name());
        }
    }
}
