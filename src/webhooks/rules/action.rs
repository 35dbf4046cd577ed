//! What a rule does: a command out of what its expressions gave.

use serde_json::{Map, Value, json};

use super::{
    Shown,
    expression::Evaluation,
    fields::{Fields, one},
};
use crate::{
    commands::{self, Command},
    mapper::expressions::Expression,
    store::Word,
};

/// An instance as far as rules need to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetInstance {
    /// Its name.
    pub name: String,
    /// The fields of a profile that its outgoing mapping fills the userName with, as a profile
    /// spells them inside: `username`.
    pub user_name_fields: Vec<String>,
}

impl TargetInstance {
    /// An instance whose mapping is the one that is built in.
    pub fn built_in(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            user_name_fields: vec!["username".to_owned()],
        }
    }
}

/// What a rule does.
#[derive(Debug)]
pub(super) enum Action {
    /// Nothing.
    Ignore,
    /// A command about a person.
    Person { act: PersonAct, profile: Fields },
    /// A command about a group.
    Group { act: GroupAct, scim: Fields },
}

/// A command about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PersonAct {
    /// Ahead of the day on which `Create` follows.
    Expect,
    Create,
    Update {
        allow_enable: bool,
    },
    Enable,
    /// Enables whom a disable of the same purpose has disabled, and none besides.
    Return,
    Disable,
    Cancel,
}

impl PersonAct {
    /// What it says of the person's being active.
    fn word(self) -> Word {
        match self {
            Self::Expect => Word::Expected,
            Self::Create | Self::Enable => Word::Active,
            Self::Return => Word::Back,
            Self::Update { .. } => Word::Nothing,
            Self::Disable => Word::Inactive,
            Self::Cancel => Word::Cancelled,
        }
    }

    /// What it is for where its rule does not say.
    fn purpose(self) -> Option<&'static str> {
        match self {
            // One takes the place of the other.
            Self::Expect | Self::Create | Self::Enable => Some("create"),
            Self::Disable => Some("disable"),
            Self::Update { .. } | Self::Return | Self::Cancel => None,
        }
    }
}

/// A command about a group.
#[derive(Debug)]
pub(super) enum GroupAct {
    Create,
    Update {
        add: Option<Expression>,
        delete: Option<Expression>,
    },
    Delete,
}

/// What a rule's expressions gave: what its commands are made of.
pub(super) enum Filled {
    Person(PersonAct, Map<String, Value>),
    Group(&'static str, Value),
}

impl Action {
    /// Evaluates what the commands are made of.
    ///
    /// # Errors
    /// What is missing or can't be computed.
    pub(super) fn fill(
        &self,
        evaluation: &mut Evaluation<'_>,
        shown: &mut Vec<Shown>,
    ) -> Result<Option<Filled>, String> {
        match self {
            Self::Ignore => Ok(None),
            Self::Person { act, profile } => {
                let profile = with_texts(profile.fill("profile", evaluation, shown)?);
                Ok(Some(Filled::Person(*act, profile)))
            }
            Self::Group { act, scim } => {
                let scim = scim.fill("scim", evaluation, shown)?;
                Ok(Some(match act {
                    GroupAct::Create => Filled::Group("iam-create-group", json!({"scim": scim})),
                    GroupAct::Delete => Filled::Group("iam-delete-group", json!({"scim": scim})),
                    GroupAct::Update { add, delete } => {
                        let lists = [
                            ("members_to_add", "memberIdsToAdd", add),
                            ("members_to_delete", "memberIdsToDelete", delete),
                        ];
                        update_group(&scim, lists, evaluation, shown)?
                    }
                }))
            }
        }
    }

    /// Whether of two instants with one local time the later is meant: access begins late and ends
    /// early.
    pub(super) fn prefers_later(&self) -> bool {
        match self {
            Self::Person { act, .. } => *act != PersonAct::Disable,
            Self::Ignore | Self::Group { .. } => true,
        }
    }

    /// What it is for where its rule does not say.
    pub(super) fn purpose(&self) -> Option<&'static str> {
        match self {
            Self::Person { act, .. } => act.purpose(),
            Self::Ignore | Self::Group { .. } => None,
        }
    }
}

impl Filled {
    /// What is done ahead of the day: the person is there, and not active.
    pub(super) fn expected(&self) -> Option<Self> {
        match self {
            Self::Person(PersonAct::Create, profile) => Some(Self::Person(PersonAct::Expect, profile.clone())),
            Self::Person(..) | Self::Group(..) => None,
        }
    }

    /// What it says of a person's being active; none of a group.
    pub(super) fn word(&self) -> Option<Word> {
        match self {
            Self::Person(act, _) => Some(act.word()),
            Self::Group(..) => None,
        }
    }

    /// The command for one instance.
    ///
    /// # Errors
    /// Why the command does not take what the expressions gave, without a value.
    pub(super) fn command(&self, target: &TargetInstance) -> Result<Command, String> {
        let (name, arguments) = match self {
            Self::Group(name, arguments) => (*name, arguments.clone()),
            Self::Person(act @ (PersonAct::Expect | PersonAct::Create), profile) => {
                let is_active = *act == PersonAct::Create;
                (
                    "iam-create-user",
                    json!({"user-profile": profile, "allow-enable": is_active}),
                )
            }
            Self::Person(PersonAct::Update { allow_enable }, profile) => {
                let arguments = json!({"user-profile": profile, "allow-enable": allow_enable});
                ("iam-update-user", arguments)
            }
            // What a cancelling comes to is decided when it is carried out.
            Self::Person(PersonAct::Enable | PersonAct::Return | PersonAct::Cancel, profile) => {
                let profile = without_user_name(profile, &target.user_name_fields);
                (
                    "iam-update-user",
                    json!({"user-profile": profile, "allow-enable": true}),
                )
            }
            Self::Person(PersonAct::Disable, profile) => ("iam-disable-user", json!({"user-profile": profile})),
        };
        commands::named(name, arguments).map_err(|error| format!("{name} does not take that: {error}"))
    }
}

/// Evaluates the members that are added and removed. An update without members would be another
/// command, a rename: so one whose expressions give none fails.
fn update_group(
    scim: &Map<String, Value>,
    lists: [(&str, &str, &Option<Expression>); 2],
    evaluation: &mut Evaluation<'_>,
    shown: &mut Vec<Shown>,
) -> Result<Filled, String> {
    let mut arguments = json!({"scim": scim});
    let (mut is_asked, mut count) = (false, 0);
    for (key, argument, expression) in lists {
        let Some(expression) = expression else { continue };
        is_asked = true;
        let members = match one(key, expression, evaluation, shown)? {
            None => Vec::new(),
            Some(Value::Array(members)) => members.iter().map(member).collect::<Option<_>>().unwrap_or_default(),
            Some(value) => member(&value).into_iter().collect(),
        };
        count += members.len();
        arguments[argument] = members.into();
    }
    if is_asked && count == 0 {
        return Err("the group's members are missing: members_to_add and members_to_delete give no id".to_owned());
    }
    Ok(Filled::Group("iam-update-group", arguments))
}

/// A profile whose whole numbers are texts, as all its fields are: many senders write ids as
/// numbers, which JSON has without leading zeros.
fn with_texts(profile: Map<String, Value>) -> Map<String, Value> {
    let text = |value| match value {
        Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string().into(),
        Value::Object(table) => with_texts(table).into(),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => other,
    };
    profile.into_iter().map(|(key, value)| (key, text(value))).collect()
}

/// A member's id; also a number is one.
fn member(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(value.clone()),
        Value::Number(number) => Some(number.to_string().into()),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A profile whose userName stands in `olduserdata` alone. A person is found by it as by any name,
/// and an update without a userName creates no user where none is found.
fn without_user_name(profile: &Map<String, Value>, user_name_fields: &[String]) -> Map<String, Value> {
    let is_user_name = |key: &str| {
        let inner: String = key.chars().filter(|character| *character != ' ').collect();
        user_name_fields.contains(&inner.to_lowercase())
    };
    let mut old = match profile.get("olduserdata") {
        Some(Value::Object(old)) => old.clone(),
        Some(_) | None => Map::new(),
    };
    let mut kept = Map::new();
    for (key, value) in profile {
        if is_user_name(key) {
            old.entry(key.clone()).or_insert_with(|| value.clone());
        } else if key != "olduserdata" {
            kept.insert(key.clone(), value.clone());
        }
    }
    if !old.is_empty() {
        kept.insert("olduserdata".to_owned(), old.into());
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(act: PersonAct, profile: Value, target: &TargetInstance) -> Value {
        let Value::Object(profile) = profile else {
            panic!("a profile is an object");
        };
        let command = Filled::Person(act, profile).command(target).unwrap();
        serde_json::to_value(command).unwrap()
    }

    #[test]
    fn each_act_is_its_command() {
        let target = TargetInstance::built_in("production");
        let profile = json!({"username": "jo", "title": "x"});
        for (act, command, arguments) in [
            (
                PersonAct::Create,
                "iam-create-user",
                json!({"user-profile": profile, "allow-enable": true}),
            ),
            (
                PersonAct::Expect,
                "iam-create-user",
                json!({"user-profile": profile, "allow-enable": false}),
            ),
            (
                PersonAct::Update { allow_enable: false },
                "iam-update-user",
                json!({"user-profile": profile, "allow-enable": false, "clear": []}),
            ),
            (
                PersonAct::Update { allow_enable: true },
                "iam-update-user",
                json!({"user-profile": profile, "allow-enable": true, "clear": []}),
            ),
            (
                PersonAct::Enable,
                "iam-update-user",
                json!({"user-profile": {"title": "x", "olduserdata": {"username": "jo"}}, "allow-enable": true, "clear": []}),
            ),
            (
                PersonAct::Cancel,
                "iam-update-user",
                json!({"user-profile": {"title": "x", "olduserdata": {"username": "jo"}}, "allow-enable": true, "clear": []}),
            ),
            (PersonAct::Disable, "iam-disable-user", json!({"user-profile": profile})),
        ] {
            assert_eq!(
                written(act, profile.clone(), &target),
                json!({"command": command, "arguments": arguments}),
                "{act:?}"
            );
        }
    }

    /// Whatever a mapping fills the userName with, an enable does not give it as a new one.
    #[test]
    fn enabling_never_has_what_a_creation_needs() {
        let by_email = TargetInstance {
            name: "x".to_owned(),
            user_name_fields: vec!["email".to_owned()],
        };
        for (profile, expected) in [
            (
                json!({"Email": "a", "username": "u"}),
                json!({"username": "u", "olduserdata": {"Email": "a"}}),
            ),
            (json!({"employeeid": "1"}), json!({"employeeid": "1"})),
            (
                json!({"email": "new", "olduserdata": {"email": "old", "employeeid": "1"}}),
                json!({"olduserdata": {"email": "old", "employeeid": "1"}}),
            ),
        ] {
            let command = written(PersonAct::Enable, profile, &by_email);
            assert_eq!(command["arguments"]["user-profile"], expected);
        }
    }

    #[test]
    fn a_member_is_an_id() {
        for (value, expected) in [
            (json!("906-a"), Some(json!("906-a"))),
            (json!(7), Some(json!("7"))),
            (json!(" "), None),
            (json!(null), None),
            (json!(["a"]), None),
        ] {
            assert_eq!(member(&value), expected, "{value}");
        }
    }
}
