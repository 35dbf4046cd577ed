//! What the tests of the commands share: a script of questions and answers, in words, held against
//! a decision.
//!
//! A row says what the directory is asked, what it answers, and what comes of it. Beside each row,
//! every one of its answers is replaced by "no time left", which has to end the command there and
//! then, as a 504. Only a command that was refused, and asks no more than whose the clash is, stays
//! a 409.

use serde_json::{Value, json};

use super::{Command, Rules};
use crate::{
    decide::{Answer, Known, Next, Read, Reply, Step},
    mapper::Mapper,
    outcome::{GroupEnd, Outcome, UserEnd},
    policy::{Adopt, Policy, ProfileId},
    scim::{
        self, Dialect, ErrorKind, Group, Headers, ListResponse, Member, Object, Op, Operation, Page, User,
        aws::ENTERPRISE,
    },
};

/// Questions in the order they must come, each with the answer to give.
pub(super) type Script = Vec<(&'static str, Answer)>;

/// One row of a table.
pub(super) struct Row {
    name: &'static str,
    command: Command,
    rules: Rules,
    dry_run: bool,
    retried: bool,
    script: Script,
    /// Positions of the questions that only ask whose a clash is.
    asks_whose: Vec<usize>,
    end: String,
}

/// The beginning of a row: under the default rules, this command. [`Row::asks`] and [`Row::ends`]
/// say the rest.
pub(super) fn case(name: &'static str, command: Command) -> Row {
    row(name, command, vec![], "")
}

/// A row: under the default rules, this command asks the questions of the script and ends so. An
/// end with `…` at its end is the beginning of one.
pub(super) fn row(name: &'static str, command: Command, script: Script, end: &'static str) -> Row {
    Row {
        name,
        command,
        rules: rules(),
        dry_run: false,
        retried: false,
        script,
        asks_whose: Vec::new(),
        end: end.to_owned(),
    }
}

impl Row {
    /// Next, the directory is asked this, or told to change this, and answers so.
    pub(super) fn asks(mut self, question: &'static str, answer: Answer) -> Self {
        self.script.push((question, answer));
        self
    }

    /// As [`Self::asks`], only to say whose a clash is: the command is refused already.
    pub(super) fn asks_whose(mut self, question: &'static str, answer: Answer) -> Self {
        self.asks_whose.push(self.script.len());
        self.asks(question, answer)
    }

    /// Next, the directory is asked these, and none of them finds a user.
    pub(super) fn in_vain(mut self, questions: &[&'static str]) -> Self {
        let nothing = |question: &&'static str| match question.starts_with("user ") {
            true => (*question, absent()),
            false => (*question, nobody()),
        };
        self.script.extend(questions.iter().map(nothing));
        self
    }

    /// Next, these questions with their answers.
    pub(super) fn follows(mut self, script: Script) -> Self {
        self.script.extend(script);
        self
    }

    /// Ends so; `…` at the end stands for more.
    pub(super) fn ends(mut self, end: impl Into<String>) -> Self {
        self.end = end.into();
        self
    }

    /// With a switch, or several, changed.
    pub(super) fn with(mut self, change: impl FnOnce(&mut Policy)) -> Self {
        change(&mut self.rules.policy);
        self
    }

    /// Where `adopt` is set to this.
    pub(super) fn adopting(self, adopt: Adopt) -> Self {
        self.with(|policy| policy.adopt = adopt)
    }

    /// Where the `id` of a profile is another system's.
    pub(super) fn foreign_ids(self) -> Self {
        self.with(|policy| policy.profile_id = ProfileId::Foreign)
    }

    /// Against a directory that keeps to the RFC.
    pub(super) fn rfc(mut self) -> Self {
        self.rules.dialect = Dialect::Rfc7644;
        self
    }

    /// As a dry run.
    pub(super) fn dry(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// After an attempt that died and may have written.
    pub(super) fn retried(mut self) -> Self {
        self.retried = true;
        self
    }

    fn decide(&self, known: &Known) -> Next {
        self.command.prepare(&self.rules).decide(known)
    }
}

/// Walks every row.
pub(super) fn hold(rows: impl IntoIterator<Item = Row>) {
    for row in rows {
        let name = row.name;
        assert!(!row.end.is_empty(), "{name}: a row says how it ends");
        let mut known = Known {
            dry_run: row.dry_run,
            retried: row.retried,
            ..Known::default()
        };
        for (position, (question, answer)) in row.script.iter().enumerate() {
            assert_eq!(asked(&row.decide(&known)), *question, "{name}: question {position}");
            known.answers.push(failed(ErrorKind::Expired));
            let next = row.decide(&known);
            let Next::Finish(outcome) = &next else {
                panic!("{name}: went on after its time, at {position}, with {}", asked(&next))
            };
            let code = outcome.code();
            let is_refused = row.asks_whose.contains(&position);
            let expected = if is_refused { 409 } else { 504 };
            assert_eq!(code, Some(expected), "{name}: time over at {position}");
            known.answers.pop();
            known.answers.push(answer.clone());
        }
        let end = asked(&row.decide(&known));
        match row.end.strip_suffix('…') {
            Some(beginning) => assert!(end.starts_with(beginning), "{name}: {end}"),
            None => assert_eq!(end, row.end, "{name}"),
        }
    }
}

/// What comes of a command when these are the answers.
pub(super) fn outcome(command: &Command, rules: &Rules, answers: Vec<Answer>) -> Outcome {
    let known = Known {
        answers,
        ..Known::default()
    };
    match command.prepare(rules).decide(&known) {
        Next::Finish(outcome) => *outcome,
        next @ (Next::Read(_) | Next::Write(_)) => panic!("not at its end: {}", asked(&next)),
    }
}

/// Asks `answer` for the answer to every question, until the command ends: the questions, and what
/// came of them.
pub(super) fn drive(command: &Command, rules: &Rules, answer: impl Fn(&Next) -> Answer) -> (Vec<Next>, Outcome) {
    let mut known = Known::default();
    let mut questions = Vec::new();
    let mut prepared = command.prepare(rules);
    loop {
        match prepared.decide(&known) {
            Next::Finish(outcome) => return (questions, *outcome),
            next @ (Next::Read(_) | Next::Write(_)) => {
                known.answers.push(answer(&next));
                questions.push(next);
            }
        }
    }
}

/// What a command does first.
pub(super) fn first(command: &Command) -> Next {
    command.prepare(&rules()).decide(&Known::default())
}

/// How a user command ended.
pub(super) fn user_end(outcome: Outcome) -> UserEnd {
    match outcome {
        Outcome::User(outcome) => outcome.end,
        other @ (Outcome::Group(_) | Outcome::Tested(_) | Outcome::MappingFields(_)) => panic!("{other:?}"),
    }
}

/// How a group command ended.
pub(super) fn group_end(outcome: Outcome) -> GroupEnd {
    match outcome {
        Outcome::Group(outcome) => outcome.end,
        other @ (Outcome::User(_) | Outcome::Tested(_) | Outcome::MappingFields(_)) => panic!("{other:?}"),
    }
}

/// A command in its form on the wire.
pub(super) fn command(name: &str, arguments: Value) -> Command {
    serde_json::from_value(json!({"command": name, "arguments": arguments})).unwrap()
}

/// The default rules: all switches on, the built-in mapping, AWS.
pub(super) fn rules() -> Rules {
    Rules {
        policy: Policy::default(),
        mapper: Mapper::default(),
        dialect: Dialect::Aws,
    }
}

/// The profile of the person `test`, with `changes` put over it; null takes a field out.
pub(super) fn profile(changes: Value) -> Value {
    let whole = json!({
        "username": "test", "displayname": "Te St", "givenname": "Te", "surname": "St", "email": "test@example.com",
    });
    over(whole, changes)
}

/// The app user `u-1` of that person, active, with `changes` put over it; null takes an attribute
/// out.
pub(super) fn user(changes: Value) -> User {
    let whole = json!({
        "id": "u-1", "userName": "test", "displayName": "Te St", "name": {"givenName": "Te", "familyName": "St"},
        "emails": [{"value": "test@example.com", "type": "work", "primary": true}], "active": true,
    });
    User::read(over(whole, changes)).unwrap()
}

/// The group `g-1`, named `Admins`, with `changes` put over it.
pub(super) fn group(changes: Value) -> Group {
    Group::read(over(json!({"id": "g-1", "displayName": "Admins"}), changes)).unwrap()
}

// Answers.

/// One user.
pub(super) fn shown(changes: Value) -> Answer {
    Ok(Reply::User(user(changes)))
}

/// A list of one user.
pub(super) fn found(changes: Value) -> Answer {
    Ok(Reply::Users(page(vec![user(changes)], None)))
}

/// A list without a user.
pub(super) fn nobody() -> Answer {
    Ok(Reply::Users(page(Vec::new(), None)))
}

/// A list of two users of the same name.
pub(super) fn two() -> Answer {
    Ok(Reply::Users(page(
        vec![user(json!({})), user(json!({"id": "u-2"}))],
        None,
    )))
}

/// One group.
pub(super) fn group_shown(changes: Value) -> Answer {
    Ok(Reply::Group(group(changes)))
}

/// A list of groups.
pub(super) fn groups(groups: Vec<Group>) -> Answer {
    Ok(Reply::Groups(page(groups, None)))
}

/// A page of a group's members, and where the next one is.
pub(super) fn members(ids: &[&str], next: Option<&str>) -> Answer {
    let member = |id: &&str| Member::of(&user(json!({"id": id, "displayName": format!("Name of {id}")})));
    Ok(Reply::Members(page(ids.iter().map(member).collect(), next)))
}

/// The headers of a change of a group.
pub(super) fn headers() -> Answer {
    Ok(Reply::Headers(Headers(vec![(
        "x-amzn-RequestId".to_owned(),
        "r-1".to_owned(),
    )])))
}

/// A failure.
pub(super) fn failed(kind: ErrorKind) -> Answer {
    Err(scim::ScimError::new(kind, "said"))
}

/// A failure of this status.
pub(super) fn status(status: u16) -> Answer {
    failed(ErrorKind::Status(status))
}

/// Nothing is there.
pub(super) fn absent() -> Answer {
    failed(ErrorKind::Absent)
}

/// No answer in time.
pub(super) fn lost() -> Answer {
    failed(ErrorKind::Timeout)
}

/// The four ways in which an answer gets lost.
pub(super) const LOST: [ErrorKind; 4] = [
    ErrorKind::Timeout,
    ErrorKind::Broken,
    ErrorKind::Status(500),
    ErrorKind::Unreadable,
];

/// The five ways in which a request is not sent, or nothing is done by it.
pub(super) const UNDONE: [(ErrorKind, u16); 5] = [
    (ErrorKind::Connect, 503),
    (ErrorKind::Congested, 503),
    (ErrorKind::CircuitOpen, 503),
    (ErrorKind::Throttled, 429),
    (ErrorKind::Expired, 504),
];

/// A page of a list.
pub(super) fn page<T>(resources: Vec<T>, next: Option<&str>) -> ListResponse<T> {
    ListResponse {
        resources,
        next_cursor: next.map(str::to_owned),
    }
}

/// Fields of a profile, and more of them.
pub(super) fn with(mut fields: Value, more: Value) -> Value {
    let (Value::Object(all), Value::Object(more)) = (&mut fields, more) else {
        panic!("fields are put beside fields")
    };
    all.extend(more);
    fields
}

fn over(mut whole: Value, changes: Value) -> Value {
    let (Value::Object(object), Value::Object(changes)) = (&mut whole, changes) else {
        panic!("an object is put over an object")
    };
    for (name, value) in changes {
        if value.is_null() {
            object.shift_remove(&name);
        } else {
            object.insert(name, value);
        }
    }
    whole
}

// In words.

/// A question, a change or an end, in words.
pub(super) fn asked(next: &Next) -> String {
    match next {
        Next::Read(read) => match read {
            Read::UserById(id) => format!("user {id}?"),
            Read::UsersByName(name) => format!("users named {name}?"),
            Read::UsersByExternalId(id) => format!("users of employee {id}?"),
            Read::GroupById(id) => format!("group {id}?"),
            Read::GroupsByName(name) => format!("groups named {name}?"),
            Read::Members(id, Page::Next(cursor)) => format!("members of {id} from {cursor}?"),
            Read::Members(id, page) => format!("members of {id}, {page:?}?"),
            Read::Probe => "anybody?".to_owned(),
        },
        Next::Write(step) => match step {
            Step::CreateUser(user) => {
                let state = if user["active"] == true { "active" } else { "inactive" };
                format!("create {} {state}", text(user, "userName"))
            }
            Step::PatchUser(id, changes) | Step::PatchGroup(id, changes) => {
                let changes: Vec<_> = changes.operations.iter().map(change).collect();
                format!("patch {id}: {}", changes.join(" "))
            }
            Step::CreateGroup(group) => format!("create group {}", text(group, "displayName")),
            Step::DeleteGroup(id) => format!("delete {id}"),
        },
        Next::Finish(outcome) => ended(outcome),
    }
}

fn change(change: &Operation) -> String {
    let path = change.path.replace(ENTERPRISE, "enterprise");
    let value = change.value.clone().unwrap_or_default();
    let ids: Option<Vec<_>> = value
        .as_array()
        .and_then(|list| list.iter().map(|member| member["value"].as_str()).collect());
    match (change.op, ids) {
        (Op::Replace, _) => format!("{path}={value}"),
        (Op::Add, Some(ids)) if path == "members" => format!("add {}", ids.join(",")),
        (Op::Remove, Some(ids)) if path == "members" => format!("remove {}", ids.join(",")),
        (op, _) => format!("{op:?} {path}"),
    }
}

/// An outcome in words; at the end, in brackets, whom the details show.
fn ended(outcome: &Outcome) -> String {
    let whom = |details: &Object| format!("[{}]", text(details, "id"));
    match outcome {
        Outcome::User(outcome) => {
            let action = outcome.action;
            match &outcome.end {
                UserEnd::Done { user, .. } => {
                    let state = match user.active() {
                        Some(true) => "active",
                        Some(false) => "inactive",
                        None => "unknown",
                    };
                    format!("done {action:?} {} {state}", text(user.as_object(), "id"))
                }
                UserEnd::Skipped { reason, details } => {
                    format!("skipped {action:?}: {} {}", reason.as_str(), whom(details))
                }
                UserEnd::Failed { failure, details } => {
                    let (code, message) = (failure.code(), &failure.message);
                    format!("failed {action:?} {code}: {message} {}", whom(details))
                }
            }
        }
        Outcome::Group(outcome) => group_in_words(&outcome.end),
        Outcome::Tested(Ok(proved)) => format!("done: {proved}"),
        Outcome::Tested(Err(failure)) => format!("failed {}: {}", failure.code(), failure.message),
        Outcome::MappingFields(fields) => format!("{} fields", fields.len()),
    }
}

fn text<'a>(object: &'a Object, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or("-")
}

fn group_in_words(end: &GroupEnd) -> String {
    match end {
        GroupEnd::Done {
            id,
            display_name,
            members,
            ..
        } => {
            let members = members.as_ref().map(|members| {
                let members: Vec<_> = members.iter().map(|member| member.value.as_str()).collect();
                format!(" with {}", members.join(","))
            });
            format!(
                "done {} {}{}",
                id.as_deref().unwrap_or("-"),
                display_name.as_deref().unwrap_or("-"),
                members.unwrap_or_default()
            )
        }
        GroupEnd::Failed { failure, details, .. } => {
            let members = details.iter().flat_map(|details| details["members"].as_array());
            let results: Vec<_> = members
                .flatten()
                .map(|member| {
                    format!(
                        "{} {}",
                        member["value"].as_str().unwrap(),
                        member["result"].as_str().unwrap()
                    )
                })
                .collect();
            format!(
                "failed {}: {} [{}]",
                failure.code(),
                failure.message,
                results.join(", ")
            )
        }
    }
}
