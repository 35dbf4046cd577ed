//! Section 4 of the contract once more, apart from the product: to which users a command may write.

use serde_json::Value;

use crate::{
    commands::{Command, Rules},
    decide::{Answer, Reply},
    policy::Adopt,
    profile::UserProfile,
    scim::{ErrorKind, Id, User},
};

/// Questions with their answers.
type Said<'a> = [(&'a str, &'a Answer)];

/// The user of an answer that shows one.
pub(super) fn one_user(answer: &Answer) -> Option<&User> {
    match answer {
        Ok(Reply::User(user)) => Some(user),
        Ok(Reply::Users(users)) => match &users.resources[..] {
            [user] => Some(user),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a command that was told this may write to the user of this id: one of the questions
/// found it by a key that is enough.
pub(super) fn is_allowed(id: &Id, command: &Command, profile: &UserProfile, rules: &Rules, said: &Said<'_>) -> bool {
    let is_create = matches!(command, Command::CreateUser(_));
    if is_create && rules.policy.adopt == Adopt::Never {
        return false;
    }
    said.iter().any(|(question, answer)| {
        let Some(user) = one_user(answer).filter(|user| user.id().as_ref() == Some(id)) else {
            return false;
        };
        let meant = Meant {
            command,
            profile,
            adopt: rules.policy.adopt,
            user,
        };
        if let Some(name) = asked_for(question, "users named ") {
            meant.by_name(name) && !is_doubtful(command, profile, user, said)
        } else if asked_for(question, "users of employee ").is_some() {
            meant.by_employee_id()
        } else if let Some(asked) = asked_for(question, "user ") {
            // By the old id it is a rename, of which the directory says whether the name is taken.
            let is_id = text(profile, "id") == Some(asked) && !has_anothers_name(id, profile, user, said);
            is_id || old(profile, "id") == Some(asked)
        } else {
            false
        }
    })
}

fn asked_for<'q>(question: &'q str, kind: &str) -> Option<&'q str> {
    question.strip_prefix(kind)?.strip_suffix('?')
}

/// Whether a disable goes by a name alone although the directory does not know the id, which is
/// AWS's.
fn is_doubtful(command: &Command, profile: &UserProfile, user: &User, said: &Said<'_>) -> bool {
    let is_unknown = |id: &str| {
        let question = format!("user {id}?");
        said.iter().any(|(asked, answer)| {
            *asked == question && matches!(answer, Err(error) if error.kind == ErrorKind::Absent)
        })
    };
    let aws = text(profile, "id").filter(|id| Id::parse(id).is_some_and(|id| id.is_aws_formed()));
    let agrees = text(profile, "employeeid").is_some() && text(profile, "employeeid") == employee_id(user);
    matches!(command, Command::DisableUser(_)) && aws.is_some_and(is_unknown) && !agrees
}

/// Whether the profile's userName is, or may be, that of another user than the one of its id.
fn has_anothers_name(id: &Id, profile: &UserProfile, user: &User, said: &Said<'_>) -> bool {
    let Some(name) = text(profile, "username").filter(|name| user.user_name() != Some(*name)) else {
        return false;
    };
    let question = format!("users named {name}?");
    let mut answers = said.iter().filter(|(asked, _)| *asked == question).peekable();
    let was_asked = answers.peek().is_some();
    let is_anothers = answers.any(|(_, answer)| one_user(answer).and_then(User::id).is_some_and(|other| other != *id));
    !was_asked || is_anothers
}

/// A user that may be meant by a command.
struct Meant<'a> {
    command: &'a Command,
    profile: &'a UserProfile,
    adopt: Adopt,
    user: &'a User,
}

impl Meant<'_> {
    fn by_name(&self, name: &str) -> bool {
        let (mine, theirs) = (text(self.profile, "employeeid"), employee_id(self.user));
        if self.adopt == Adopt::Always {
            return true;
        }
        if mine.is_some() && theirs.is_some() {
            return mine == theirs || old(self.profile, "employeeid") == theirs;
        }
        let is_old = text(self.profile, "username") != Some(name);
        let asks = is_old || self.adopt == Adopt::Strict || matches!(self.command, Command::DisableUser(_));
        let (given, equal) = self.signs(true);
        let is_stranger = given >= 2 && equal.is_empty();
        let is_enabled_again = matches!(self.command, Command::CreateUser(_))
            && self.user.active() == Some(false)
            && self.signs(false).1.is_empty();
        !(is_enabled_again || asks && is_stranger)
    }

    fn by_employee_id(&self) -> bool {
        let name = text(self.profile, "username");
        if self.adopt == Adopt::Always || name.is_none() || name == self.user.user_name() {
            return true;
        }
        let (_, equal) = self.signs(false);
        if matches!(self.command, Command::CreateUser(_)) {
            let has_both_names = equal.contains(&"givenname") && equal.contains(&"surname");
            return equal.contains(&"email") || has_both_names;
        }
        !matches!(self.command, Command::UpdateUser(_)) || !equal.is_empty()
    }

    /// How many signs the profile gives, and which are the user's; old data count too where it is
    /// said so.
    fn signs(&self, with_old: bool) -> (usize, Vec<&'static str>) {
        let user = self.user.as_object();
        let name = |part: &str| user.get("name").and_then(|name| name[part].as_str());
        let email = user.get("emails").and_then(|emails| emails[0]["value"].as_str());
        let signs = [
            ("email", email),
            ("givenname", name("givenName")),
            ("surname", name("familyName")),
        ];
        let values = |field| [text(self.profile, field), old(self.profile, field).filter(|_| with_old)];
        let given = signs
            .iter()
            .filter(|(field, _)| values(field).iter().any(Option::is_some));
        let equal = signs
            .iter()
            .filter(|(field, has)| has.is_some() && values(field).contains(has));
        (given.count(), equal.map(|(field, _)| *field).collect())
    }
}

fn text<'a>(profile: &'a UserProfile, field: &str) -> Option<&'a str> {
    profile.field(field).and_then(Value::as_str)
}

fn old<'a>(profile: &'a UserProfile, field: &str) -> Option<&'a str> {
    profile
        .field("olduserdata")
        .and_then(|old| old.get(field))
        .and_then(Value::as_str)
}

fn employee_id(user: &User) -> Option<&str> {
    user.get("externalId").and_then(Value::as_str)
}
