//! A 409: which attribute clashes, and whose it is, as far as the directory can be asked.

use serde_json::Value;

use super::{
    Person,
    find::{employee_id_of, named},
    names::is_same_name,
};
use crate::{
    decide::{Next, Replay},
    outcome::Cause,
    scim::{Object, ScimError, User},
};

/// A value that must be unique, and how its holder is looked for.
enum Unique<'v> {
    UserName(&'v str),
    EmployeeId(&'v str),
    /// There is no filter on e-mail (DG ListUsers); a user often has it as userName.
    Email(&'v str),
}

/// Reads that a clash may cost.
const MOST_READS: usize = 2;

impl<'a> Person<'a> {
    /// Ends with a 409, naming the attribute and the user that has its value. `sent` are the
    /// attributes that were refused; `looked_for` those of which it is known already that no other
    /// user has them.
    pub(super) fn clashes<T>(
        &self,
        error: &ScimError,
        sent: &Object,
        looked_for: &[&str],
        replay: &mut Replay<'a>,
    ) -> Result<T, Next> {
        self.is_nobodys(error, sent, looked_for, replay)?;
        self.clashes_unseen(error, sent)
    }

    /// Looks who else has a value that was refused, and ends as [`Self::clashes`] where another
    /// user does.
    pub(super) fn is_nobodys(
        &self,
        error: &ScimError,
        sent: &Object,
        looked_for: &[&str],
        replay: &mut Replay<'a>,
    ) -> Result<(), Next> {
        let said = error.message();
        for value in unique(sent, looked_for).iter().take(MOST_READS) {
            let answer = match value {
                Unique::UserName(name) | Unique::Email(name) => replay.users_by_name(name)?,
                Unique::EmployeeId(id) => replay.users_by_external_id(id)?,
            };
            let holders = match answer {
                Ok(users) => users,
                Err(looking) => {
                    let message = format!("{said}; looking for whom it clashes with failed: {}", looking.message());
                    return self.fails(Cause::Conflict, message);
                }
            };
            let own = self.found.and_then(User::id);
            let is_holder = |user: &&User| value.is_of(user) && (own.is_none() || user.id() != own);
            let whose: Vec<_> = holders.iter().filter(is_holder).map(named).collect();
            if !whose.is_empty() {
                let message = format!("{said}; the {} is taken by {}", value.name(), whose.join(" and "));
                return self.fails(Cause::Conflict, message);
            }
        }
        Ok(())
    }

    /// Ends with a 409 for which no other user was found.
    pub(super) fn clashes_unseen<T>(&self, error: &ScimError, sent: &Object) -> Result<T, Next> {
        if !must_be_unique(sent) {
            // Another writer was at work on the user.
            return self.failed(error);
        }
        let said = error.message();
        let asked = ["userName", "employee id"];
        let asked: Vec<_> = asked.into_iter().filter(|name| is_sent(sent, name)).collect();
        let asked = asked.join(" or ");
        let message = match (sent.contains_key("emails"), asked.as_str()) {
            (false, _) => format!("{said}; no other user was found that has it"),
            (true, "") => format!("{said}; what clashes is most likely the e-mail"),
            (true, asked) => {
                format!("{said}; no other user has this {asked}, so what clashes is most likely the e-mail")
            }
        };
        self.fails(Cause::Conflict, message)
    }
}

impl Unique<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::UserName(_) => "userName",
            Self::EmployeeId(_) => "externalId (employee id)",
            Self::Email(_) => "e-mail",
        }
    }

    fn is_of(&self, user: &User) -> bool {
        match self {
            Self::UserName(name) | Self::Email(name) => user.user_name().is_some_and(|found| is_same_name(found, name)),
            Self::EmployeeId(id) => employee_id_of(user) == Some(id),
        }
    }
}

/// Whether one of the sent attributes may clash with another user's.
pub(super) fn must_be_unique(sent: &Object) -> bool {
    ["userName", "externalId", "emails"]
        .iter()
        .any(|name| sent.contains_key(*name))
}

/// What of the sent attributes must be unique, but for what was looked for.
fn unique<'v>(sent: &'v Object, looked_for: &[&str]) -> Vec<Unique<'v>> {
    let text = |name: &str| sent.get(name).and_then(Value::as_str);
    let wanted = |name: &str| !looked_for.contains(&name);
    let mut unique = Vec::new();
    unique.extend(text("userName").filter(|_| wanted("userName")).map(Unique::UserName));
    unique.extend(
        text("externalId")
            .filter(|_| wanted("externalId"))
            .map(Unique::EmployeeId),
    );
    let emails = sent.get("emails").and_then(Value::as_array).into_iter().flatten();
    let email = emails.filter_map(|email| email.get("value")).find_map(Value::as_str);
    let is_name = |email: &str| text("userName").is_some_and(|name| is_same_name(name, email));
    // A value that can't stand in a userName is no user's.
    let email = email.filter(|email| !is_name(email) && !email.chars().any(char::is_whitespace));
    unique.extend(email.map(Unique::Email));
    unique
}

fn is_sent(sent: &Object, name: &str) -> bool {
    let attribute = if name == "employee id" { "externalId" } else { name };
    sent.contains_key(attribute)
}
