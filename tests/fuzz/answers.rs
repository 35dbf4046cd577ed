//! What a directory answers, and commands that are told it.

use aws_ilm::{
    commands::{Command, Rules},
    decide::{Answer, Known, Next, Read, Reply, Step},
    envelope::{self, Envelope, Signature, to_markdown},
    mapper::Mapper,
    policy::Policy,
    scim::{
        Dialect, ErrorKind, Group, Headers, ListResponse, Member, ResourceError, ScimError, User, apply, difference,
        is_made,
    },
};
use fastrand::Rng;
use serde_json::{Value, json};

use crate::made;

/// Sound answers, as AWS documents them.
pub(crate) const PLAIN: [&str; 4] = [
    r#"{"id":"u-1","externalId":"e-1","meta":{"resourceType":"User","created":"2026-01-15T09:30:00Z"},"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"a","name":{"formatted":"A B","familyName":"B","givenName":"A"},"displayName":"A B","title":"Clerk","active":true,"emails":[{"value":"a@example.com","type":"work","primary":true}],"phoneNumbers":[{"value":"+1 555","type":"work"}],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"D","costCenter":"7"}}"#,
    r#"{"id":"g-1","meta":{"resourceType":"Group"},"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"A","members":[{"value":"u-1","display":"A B"}]}"#,
    r#"{"totalResults":1,"itemsPerPage":1,"startIndex":1,"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"nextCursor":"c+/=","Resources":[{"id":"u-1","userName":"a","displayName":"A","active":false}]}"#,
    r#"{"totalResults":0,"itemsPerPage":0,"Resources":[]}"#,
];

/// Commands that read everything there is to read.
const COMMANDS: [&str; 8] = [
    r#"{"command":"iam-get-user","arguments":{"user-profile":{"username":"a"}}}"#,
    r#"{"command":"iam-create-user","arguments":{"user-profile":{"username":"a","email":"a@example.com","givenname":"A","surname":"B","displayname":"A B"}}}"#,
    r#"{"command":"iam-update-user","arguments":{"user-profile":{"username":"a","title":"T","costcentercode":"8","olduserdata":{"username":"b"}}}}"#,
    r#"{"command":"iam-disable-user","arguments":{"user-profile":{"id":"u-1"}}}"#,
    r#"{"command":"iam-get-group","arguments":{"scim":{"displayName":"A"}}}"#,
    r#"{"command":"iam-update-group","arguments":{"scim":{"id":"g-1"},"memberIdsToAdd":"u-1,u-2,u-3","memberIdsToDelete":["u-4"]}}"#,
    r#"{"command":"iam-delete-group","arguments":{"scim":{"id":"g-1"}}}"#,
    r#"{"command":"test-module","arguments":{}}"#,
];

pub(crate) fn make(random: &mut Rng) -> Vec<u8> {
    if random.u8(..8) == 0 {
        return made::json(4, random).to_string().into_bytes();
    }
    made::mangled(made::one(&PLAIN, random).as_bytes(), random)
}

/// Reads a body as each resource that a directory sends; true when it is one.
pub(crate) fn hold(body: &[u8], random: &mut Rng) -> bool {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return false;
    };
    let user = User::read(value.clone());
    let group = Group::read(value.clone());
    let list = ListResponse::read(value.clone(), User::read);
    let sound = user.is_ok() || group.is_ok() || list.is_ok();
    if let Ok(user) = &user {
        assert!(user.id().is_some() && user.user_name().is_some_and(|name| !name.is_empty()));
        let wanted = json!({"userName": "a", "active": false, "emails": [{"value": "x@example.com"}], "name": {"givenName": "C"}});
        let operations = difference(wanted.as_object().unwrap(), user);
        let changed = apply(&operations, user);
        assert!(
            operations.iter().all(|operation| is_made(operation, &changed)),
            "{operations:?}"
        );
    }
    if let Ok(group) = &group {
        assert!(group.id().is_some() && group.display_name().is_some());
        drop(group.members());
    }
    if !sound && random.u8(..8) > 0 {
        return false;
    }
    let Ok(text) = std::str::from_utf8(body) else {
        return sound;
    };
    let command: Command = serde_json::from_str(made::one(&COMMANDS, random)).unwrap();
    // Half of the answers sound, or few commands would come past their first question.
    drive(
        &command,
        &[text, PLAIN[random.usize(..PLAIN.len())], text, PLAIN[0]],
        random,
    );
    sound
}

/// Runs a command to its end on these answers and made-up failures, and tells its outcome in both
/// forms.
pub(crate) fn drive(command: &Command, answers: &[&str], random: &mut Rng) {
    let dialect = if random.u8(..4) == 0 {
        Dialect::Rfc7644
    } else {
        Dialect::Aws
    };
    let rules = Rules {
        policy: Policy::default(),
        mapper: Mapper::default(),
        dialect,
    };
    let mut known = Known {
        dry_run: random.u8(..4) == 0,
        ..Known::default()
    };
    let mut prepared = command.prepare(&rules);
    // Longer than any of these commands needs: whatever goes on then is told that its time is over.
    for turn in 0.. {
        assert!(turn < 2_000, "{} does not end", command.name());
        let answer = match prepared.decide(&known) {
            Next::Finish(outcome) => return told(*outcome),
            Next::Read(_) | Next::Write(_) if turn > 60 => Err(ScimError::new(ErrorKind::Expired, "its time was over")),
            Next::Read(_) | Next::Write(_) if random.u8(..4) == 0 => {
                Err(ScimError::new(kind(random), made::text(random)))
            }
            Next::Read(read) => reply(&read, made::one(answers, random)),
            Next::Write(Step::PatchUser(..)) if random.bool() => Ok(Reply::NoBody),
            Next::Write(step) => written(&step, made::one(answers, random)),
        };
        known.answers.push(answer);
    }
}

fn kind(random: &mut Rng) -> ErrorKind {
    use ErrorKind::{Absent, Broken, Connect, Status, Throttled, Timeout, Unreadable, WrongUrl};
    let kinds = [
        Absent,
        Broken,
        Connect,
        Throttled,
        Timeout,
        Unreadable,
        WrongUrl,
        Status(400),
        Status(401),
        Status(404),
        Status(409),
        Status(500),
    ];
    kinds[random.usize(..kinds.len())]
}

fn read<T>(text: &str, read: impl Fn(Value) -> Result<T, ResourceError>) -> Result<T, ScimError> {
    let value = serde_json::from_str(text).map_err(|_| ResourceError("it is not JSON"));
    value
        .and_then(read)
        .map_err(|malformed| ScimError::new(ErrorKind::Unreadable, malformed.to_string()))
}

fn reply(question: &Read, text: &str) -> Answer {
    let users = || read(text, |value| ListResponse::read(value, User::read));
    match question {
        Read::UserById(_) => read(text, User::read).map(Reply::User),
        Read::UsersByName(_) | Read::UsersByExternalId(_) | Read::Probe => users().map(Reply::Users),
        Read::GroupById(_) => read(text, Group::read).map(Reply::Group),
        Read::GroupsByName(_) => read(text, |value| ListResponse::read(value, Group::read)).map(Reply::Groups),
        Read::Members(..) => users().map(|page| Reply::Members(page.map(|user| Member::of(&user)))),
        Read::NewerDisable(_) => Ok(Reply::NewerDisable(Some(text.to_owned()))),
    }
}

fn written(step: &Step, text: &str) -> Answer {
    match step {
        Step::CreateUser(_) | Step::PatchUser(..) => read(text, User::read).map(Reply::User),
        Step::CreateGroup(_) => read(text, Group::read).map(Reply::Group),
        Step::PatchGroup(..) | Step::DeleteGroup(_) => {
            Ok(Reply::Headers(Headers(vec![("X".to_owned(), text.to_owned())])))
        }
    }
}

fn told(outcome: aws_ilm::outcome::Outcome) {
    let status = envelope::status(&outcome);
    assert!([200, 400, 404, 409, 502, 503, 504].contains(&status), "{status}");
    let signature = Signature {
        brand: "AWS-ILM",
        instance_name: "AWS-ILM_instance_1",
    };
    let envelope = Envelope::new(signature, outcome);
    let text = serde_json::to_string(&envelope).unwrap();
    serde_json::from_str::<Value>(&text).unwrap();
    let table = to_markdown(&envelope);
    let is_fields = matches!(envelope, Envelope::MappingFields(_));
    assert!(is_fields || table.lines().count() == 4, "{table:?}");
    assert!(!table.replace('\n', "").contains(char::is_control), "{table:?}");
}
