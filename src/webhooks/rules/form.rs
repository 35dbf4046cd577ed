//! The form of a rule in TOML, and what is wrong with one.

use jiff::SignedDuration;
use toml::{Table, Value};

use super::{
    Rule, RuleContext,
    action::{Action, GroupAct, PersonAct, TargetInstance},
    at::At,
    expression::{compile, compile_condition},
    faults::{Faults, quoted},
    fields::Fields,
    time::length,
};
use crate::{diagnostic::nearest, mapper::expressions::Expression};

/// What a rule may have.
const KEYS: [&str; 13] = [
    "when",
    "do",
    "purpose",
    "time",
    "at",
    "ahead",
    "allow_enable",
    "fetch",
    "instance",
    "profile",
    "scim",
    "members_to_add",
    "members_to_delete",
];

/// What a rule may do.
const ACTIONS: [&str; 9] = [
    "create",
    "update",
    "disable",
    "enable",
    "cancel",
    "ignore",
    "create-group",
    "update-group",
    "delete-group",
];

/// The furthest that a hire may be done ahead, in hours.
const MOST_AHEAD: SignedDuration = SignedDuration::from_hours(366 * 24);

/// One rule that is being read.
pub(super) struct Reader<'a> {
    pub(super) table: &'a Table,
    /// Its place among the rules, from 1.
    pub(super) number: usize,
    pub(super) context: &'a RuleContext<'a>,
    pub(super) faults: &'a mut Faults,
}

impl<'a> Reader<'a> {
    /// Reads the rule, or notes what is wrong with it.
    pub(super) fn read(mut self) -> Option<Rule> {
        let before = self.faults.0.len();
        self.refuse_unknown_keys();
        let when = self.when();
        let action = self.action();
        let purpose = self.purpose();
        let time = self.expression("time");
        let at = self.at();
        let ahead = self.ahead();
        self.refuse_useless_dates();
        let targets = self.targets();
        let fetch = self.fetch();
        if self.faults.0.len() > before {
            return None;
        }
        let action = action?;
        Some(Rule {
            when,
            word: self.text("do").unwrap_or_default().to_owned(),
            purpose: purpose.or_else(|| action.purpose().map(str::to_owned)),
            action,
            time,
            at,
            ahead,
            targets,
            fetch,
        })
    }

    fn path(&self, key: &str) -> String {
        format!("{key} of rule {}", self.number)
    }

    fn fault(&mut self, key: &str, found: &str, help: &str) {
        self.faults.push(&self.path(key), found, help);
    }

    fn refuse_unknown_keys(&mut self) {
        let table = self.table;
        for key in table.keys().filter(|key| !KEYS.contains(&key.as_str())) {
            let near = nearest(&key.to_ascii_lowercase(), KEYS.into_iter());
            let help = near.map_or_else(
                || format!("a rule has {}", KEYS.join(", ")),
                |near| format!("did you mean {near}?"),
            );
            let key: String = key.chars().take(120).flat_map(char::escape_debug).collect();
            self.fault(&key, "an unknown key", &help);
        }
    }

    /// The text of a key; something else is a fault.
    fn text(&mut self, key: &str) -> Option<&'a str> {
        let table = self.table;
        match table.get(key)? {
            Value::String(text) => Some(text),
            Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_)
            | Value::Table(_) => {
                let found = table.get(key).map_or("nothing", |value| value.type_str());
                self.fault(key, found, "write a text in quotes");
                None
            }
        }
    }

    fn when(&mut self) -> Option<Expression> {
        let text = self.text("when")?;
        match compile_condition(text) {
            Ok(expression) => Some(expression),
            Err(help) => {
                self.faults.expression(&self.path("when"), text, &help);
                None
            }
        }
    }

    fn expression(&mut self, key: &str) -> Option<Expression> {
        let text = self.text(key)?;
        match compile(text) {
            Ok(expression) => Some(expression),
            Err(help) => {
                self.faults.expression(&self.path(key), text, &help);
                None
            }
        }
    }

    fn action(&mut self) -> Option<Action> {
        let Some(word) = self.text("do") else {
            if !self.table.contains_key("do") {
                self.fault("do", "nothing", &format!("say what is done: {}", ACTIONS.join(", ")));
            }
            return None;
        };
        let act = self.act(word)?;
        self.refuse_useless_keys(word, &act);
        match act {
            Act::Ignore => Some(Action::Ignore),
            Act::Person(act) => Some(Action::Person {
                act,
                profile: self.profile()?,
            }),
            Act::Group(act) => Some(Action::Group {
                act,
                scim: self.scim()?,
            }),
        }
    }

    fn act(&mut self, word: &str) -> Option<Act> {
        let allow_enable = self.allow_enable(word);
        Some(match word {
            "create" => Act::Person(PersonAct::Create),
            "update" => Act::Person(PersonAct::Update { allow_enable }),
            // With a purpose of its own it ends what was disabled for that, such as a leave.
            "enable" if self.table.contains_key("purpose") => Act::Person(PersonAct::Return),
            "enable" => Act::Person(PersonAct::Enable),
            "disable" => Act::Person(PersonAct::Disable),
            "create-group" => Act::Group(GroupAct::Create),
            "delete-group" => Act::Group(GroupAct::Delete),
            "update-group" => {
                let (add, delete) = (self.expression("members_to_add"), self.expression("members_to_delete"));
                Act::Group(GroupAct::Update { add, delete })
            }
            "ignore" => Act::Ignore,
            "cancel" => Act::Person(PersonAct::Cancel),
            _ => {
                let near = nearest(&word.to_ascii_lowercase(), ACTIONS.into_iter());
                let help = near.map_or_else(
                    || format!("use {}", ACTIONS.join(", ")),
                    |near| format!("did you mean {near}?"),
                );
                self.fault("do", &quoted(word), &help);
                return None;
            }
        })
    }

    /// Refuses what the rule has and does nothing with.
    fn refuse_useless_keys(&mut self, word: &str, act: &Act) {
        let takes: &[&str] = match act {
            Act::Ignore => &[],
            Act::Person(_) => &["profile"],
            Act::Group(GroupAct::Update { .. }) => &["scim", "members_to_add", "members_to_delete"],
            Act::Group(GroupAct::Create | GroupAct::Delete) => &["scim"],
        };
        for key in ["profile", "scim", "members_to_add", "members_to_delete"] {
            if self.table.contains_key(key) && !takes.contains(&key) {
                let help = format!("take it out: a rule that does \"{word}\" has no use for it");
                self.fault(key, "a value", &help);
            }
        }
    }

    fn allow_enable(&mut self, word: &str) -> bool {
        match self.table.get("allow_enable") {
            None => false,
            Some(Value::Boolean(flag)) if word == "update" => *flag,
            Some(Value::Boolean(_)) => {
                let help = "take it out: it stands with do = \"update\" alone";
                self.fault("allow_enable", "a value", help);
                false
            }
            Some(value) => {
                let found = value.type_str();
                self.fault("allow_enable", found, "use true or false");
                false
            }
        }
    }

    /// Whether the source is asked for more of the person. A disable never waits for that.
    fn fetch(&mut self) -> bool {
        let word = self.table.get("do").and_then(Value::as_str).unwrap_or_default();
        match self.table.get("fetch") {
            None => false,
            Some(Value::Boolean(flag)) if ["create", "update", "enable"].contains(&word) => *flag,
            Some(Value::Boolean(_)) => {
                self.fault(
                    "fetch",
                    "a value",
                    "take it out: it stands with create, update and enable alone",
                );
                false
            }
            Some(value) => {
                let found = value.type_str();
                self.fault("fetch", found, "use true or false");
                false
            }
        }
    }

    /// The profile, as a table here or by the name of one of the source's.
    fn profile(&mut self) -> Option<Fields> {
        let path = self.path("profile");
        let (table, profiles) = (self.table, self.context.profiles);
        match table.get("profile") {
            Some(Value::Table(table)) => Some(Fields::read(table, &path, self.faults)),
            Some(Value::String(name)) => {
                let fields = profiles
                    .and_then(|profiles| profiles.get(name))
                    .and_then(|profile| profile.get("fields"));
                match fields.and_then(Value::as_table) {
                    // What is wrong in it is told once, where the profile stands.
                    Some(table) => Some(Fields::read(table, &path, &mut Faults::default())),
                    None if profiles.is_some_and(|profiles| profiles.contains_key(name)) => None,
                    None => {
                        let help = format!(
                            "there is no [sources.profiles.{}]: write it, or a table here",
                            name.escape_debug()
                        );
                        self.faults.push(&path, &quoted(name), &help);
                        None
                    }
                }
            }
            Some(_) | None => {
                let help = "say who it is: a table like { employeeid = \"body.data.id\" }, or the name of a profile";
                self.faults.push(&path, "no profile", help);
                None
            }
        }
    }

    fn scim(&mut self) -> Option<Fields> {
        let path = self.path("scim");
        let table = self.table;
        if let Some(Value::Table(table)) = table.get("scim") {
            return Some(Fields::read(table, &path, self.faults));
        }
        let help = "say which group: a table like { displayName = \"body.data.department\" }";
        self.faults.push(&path, "no group", help);
        None
    }

    fn purpose(&mut self) -> Option<String> {
        let purpose = self.text("purpose")?.to_owned();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        if !(1..=64).contains(&purpose.len()) || !purpose.bytes().all(is_plain) {
            self.fault(
                "purpose",
                &quoted(&purpose),
                "use 1 to 64 letters, digits, `-`, `_`, `.` or `:`",
            );
            return None;
        }
        Some(purpose)
    }

    fn at(&mut self) -> Option<At> {
        let value = self.table.get("at")?;
        let path = self.path("at");
        At::read(value, &path, self.context, self.faults)
    }

    /// How long before the date a hire is done.
    fn ahead(&mut self) -> Option<SignedDuration> {
        let text = self.text("ahead")?;
        let ahead = length(text).filter(|ahead| *ahead <= MOST_AHEAD);
        if ahead.is_none() {
            self.fault(
                "ahead",
                &quoted(text),
                "use a length of time up to \"366d\", like \"14d\"",
            );
        }
        ahead
    }

    /// Refuses dates and purposes that do not go with what the rule does.
    fn refuse_useless_dates(&mut self) {
        let table = self.table;
        let (has_at, has_ahead) = (table.contains_key("at"), table.contains_key("ahead"));
        match table.get("do").and_then(Value::as_str) {
            Some("cancel") => {
                for key in ["at", "ahead"].into_iter().filter(|key| table.contains_key(*key)) {
                    let help = "take it out: what waits is cancelled at once";
                    self.fault(key, "a value", help);
                }
                if !table.contains_key("purpose") {
                    let help = "say what is cancelled: the purpose of the rule that asked for it, like \"termination\"";
                    self.fault("purpose", "nothing", help);
                }
            }
            Some("create") if has_ahead && !has_at => {
                let help = "write the date as well: at = { date = \"body.…\", side = \"start_of_day\" }";
                self.fault("at", "nothing", help);
            }
            Some("create") if has_ahead && self.context.dates.already_due => {
                let help = "take it out: the events of a source with already_due come on the day";
                self.fault("ahead", "a value", help);
            }
            Some(word) if has_ahead && word != "create" => {
                self.fault("ahead", "a value", "take it out: it stands with do = \"create\" alone");
            }
            Some(_) | None => {}
        }
    }

    /// The instances that the rule is for.
    fn targets(&mut self) -> Vec<TargetInstance> {
        let context = self.context;
        match self.text("instance") {
            None => context.instances.to_vec(),
            Some(name) => match context.target(name) {
                Some(target) => vec![target],
                None => {
                    let known: Vec<_> = context
                        .known
                        .iter()
                        .flat_map(|known| known.iter())
                        .map(|target| quoted(&target.name))
                        .collect();
                    let help = format!("there is no such instance: use {}", known.join(" or "));
                    self.fault("instance", &quoted(name), &help);
                    Vec::new()
                }
            },
        }
    }
}

enum Act {
    Ignore,
    Person(PersonAct),
    Group(GroupAct),
}
