//! The commands of the model, and the answers that each of their questions gets.

use serde_json::{Value, json};

use crate::{
    commands::{Command, testing::*, tests::person},
    decide::{Answer, Next, Read, Reply, Step},
    scim::{ErrorKind, User, apply},
};

/// An id of AWS's form that the directory may not know.
const AWS_ID: &str = "906790ab-1234-4abc-8def-0123456789ab";

/// So many questions get every sort of answer; those after them one of each way of treating it,
/// or there were millions of ways.
const EARLY: usize = 3;

/// One failure for each way of treating one: lost, not there, refused for a value, in conflict,
/// the end.
const TREATED: [ErrorKind; 5] = [
    ErrorKind::Timeout,
    ErrorKind::Absent,
    ErrorKind::Status(400),
    ErrorKind::Status(409),
    ErrorKind::Expired,
];

/// Every sort of failure, but for two of the four ways in which an answer gets lost, which are
/// treated alike.
const FAILURES: [ErrorKind; 12] = [
    ErrorKind::Connect,
    ErrorKind::Congested,
    ErrorKind::CircuitOpen,
    ErrorKind::Timeout,
    ErrorKind::Throttled,
    ErrorKind::Absent,
    ErrorKind::WrongUrl,
    ErrorKind::Status(400),
    ErrorKind::Status(403),
    ErrorKind::Status(409),
    ErrorKind::Status(500),
    ErrorKind::Expired,
];

/// What a user has of whom no sign is the person's.
fn stranger() -> Value {
    json!({
        "name": {"givenName": "Ann", "familyName": "Lee"}, "emails": [{"value": "ann@example.com"}], "displayName": "Ann Lee",
    })
}

pub(in crate::commands::tests) fn every_command() -> Vec<Command> {
    // Without a surname, no user is made: the ways of a creation are followed elsewhere.
    let old = json!({"surname": null, "olduserdata": {"id": "u-0", "username": "old"}, "title": "Boss"});
    let renumbered = json!({
        "surname": null, "employeeid": "E7", "olduserdata": {"username": "old", "employeeid": "E8"},
    });
    let mut commands = vec![
        person("iam-create-user", json!({"title": "Boss", "employeeid": "E7"})),
        person("iam-create-user", json!({"surname": null})),
        person("iam-create-user", json!({"id": "u-1"})),
        person("iam-update-user", json!({"title": "Boss"})),
        person("iam-update-user", old),
        person("iam-update-user", renumbered),
        person("iam-update-user", json!({"id": "u-1", "olduserdata": {"id": "u-0"}})),
        command(
            "iam-update-user",
            json!({"user-profile": profile(json!({"email": null, "surname": null})), "clear": "Email"}),
        ),
        person("iam-get-user", json!({})),
        person("iam-get-user", json!({"id": "u-1"})),
        person("iam-disable-user", json!({})),
        person(
            "iam-disable-user",
            json!({"employeeid": "E7", "olduserdata": {"username": "old"}}),
        ),
        person("iam-disable-user", json!({"id": AWS_ID, "employeeid": "E7"})),
        person("iam-disable-user", json!({"id": "u-1", "olduserdata": {"id": "u-0"}})),
    ];
    let group = json!({"id": "g-1", "displayName": "Admins"});
    commands.extend([
        command("iam-get-group", json!({"scim": group})),
        command("iam-get-group", json!({"scim": {"displayName": "Admins"}})),
        command("iam-create-group", json!({"scim": group})),
        command("iam-update-group", json!({"scim": group})),
        command(
            "iam-update-group",
            json!({"scim": group, "memberIdsToAdd": "u-1", "memberIdsToDelete": "u-2"}),
        ),
        command("iam-delete-group", json!({"scim": group})),
        command("test-module", json!({})),
        command("get-mapping-fields", json!({})),
    ]);
    commands
}

/// Good and bad answers of every sort that a question can get, the `position`th of its command.
pub(super) fn answers(question: &Next, position: usize) -> Vec<Answer> {
    let early = position < EARLY;
    let mut answers = match question {
        Next::Read(Read::UserById(id)) => vec![
            shown(json!({"id": id})),
            shown(json!({"id": id, "active": false, "userName": "other"})),
            shown(json!({"id": "u-9"})),
        ],
        Next::Read(Read::UsersByExternalId(id)) => vec![
            nobody(),
            found(with(
                stranger(),
                json!({"id": "u-8", "userName": "third", "externalId": id}),
            )),
            found(json!({"id": "u-7", "userName": "other", "externalId": id})),
            two(),
        ],
        Next::Read(Read::UsersByName(name)) if !early => vec![
            nobody(),
            found(json!({"userName": name, "active": false, "externalId": "E7"})),
        ],
        Next::Read(Read::UsersByName(name)) => vec![
            nobody(),
            found(json!({"userName": name})),
            found(json!({"userName": name, "active": false, "externalId": "E7"})),
            found(json!({"userName": name, "externalId": "E8"})),
            found(with(stranger(), json!({"userName": name}))),
            found(with(stranger(), json!({"userName": name, "active": false}))),
            found(json!({"userName": "toast"})),
            two(),
        ],
        Next::Read(Read::GroupById(id)) => vec![group_shown(json!({"id": id})), group_shown(json!({"id": "g-9"}))],
        Next::Read(Read::GroupsByName(_)) => vec![
            groups(vec![]),
            groups(vec![group(json!({}))]),
            groups(vec![group(json!({"displayName": "Users"}))]),
            groups(vec![group(json!({})), group(json!({"id": "g-2"}))]),
        ],
        Next::Read(Read::Members(..)) if !early => vec![members(&["u-1"], None), members(&["u-2"], None)],
        Next::Read(Read::Members(..)) => {
            vec![
                members(&["u-1"], None),
                members(&["u-2"], Some("a")),
                members(&[], Some("b")),
            ]
        }
        Next::Read(Read::Probe) => vec![nobody(), found(json!({}))],
        Next::Write(Step::CreateUser(sent)) => {
            let mut made = sent.clone();
            made.insert("id".to_owned(), "u-1".into());
            vec![
                Ok(Reply::User(User::assumed(made))),
                shown(json!({"userName": "toast"})),
            ]
        }
        Next::Write(Step::PatchUser(id, changes)) => {
            let before = user(json!({"id": id}));
            vec![
                Ok(Reply::User(apply(&changes.operations, &before))),
                shown(json!({"id": id, "userName": "toast"})),
                Ok(Reply::NoBody),
            ]
        }
        Next::Write(Step::CreateGroup(_)) => vec![group_shown(json!({}))],
        Next::Write(Step::PatchGroup(..) | Step::DeleteGroup(_)) => vec![headers()],
        Next::Finish(_) => vec![],
    };
    let failures = if early { &FAILURES[..] } else { &TREATED[..] };
    answers.extend(failures.iter().map(|&kind| failed(kind)));
    answers
}
