use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
};

use super::{testing::*, *};
use crate::{
    decide::{Answer, Read, Reply, Step},
    policy::Adopt,
    profile::UserProfile,
    scim::{ErrorKind, Id, User, apply},
};

/// The profile of a user command.
fn user_profile(command: &Command) -> Option<&UserProfile> {
    match command {
        Command::CreateUser(args) => Some(&args.user_profile),
        Command::UpdateUser(args) => Some(&args.user_profile),
        Command::GetUser(args) => Some(&args.user_profile),
        Command::DisableUser(args) => Some(&args.user_profile),
        Command::GetGroup(_)
        | Command::CreateGroup(_)
        | Command::UpdateGroup(_)
        | Command::DeleteGroup(_)
        | Command::TestModule(_)
        | Command::GetMappingFields(_) => None,
    }
}

/// More questions than any of the small commands below may need.
const MANY: usize = 24;

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

fn person(name: &str, changes: Value) -> Command {
    command(name, json!({"user-profile": profile(changes)}))
}

fn every_command() -> Vec<Command> {
    // Without a surname, no user is made: the ways of a creation are followed elsewhere.
    let old = json!({"surname": null, "olduserdata": {"id": "u-0", "username": "old"}, "title": "Boss"});
    let mut commands = vec![
        person("iam-create-user", json!({"title": "Boss", "employeeid": "E7"})),
        person("iam-create-user", json!({"surname": null})),
        person("iam-create-user", json!({"id": "u-1"})),
        person("iam-update-user", json!({"title": "Boss"})),
        person("iam-update-user", old),
        person("iam-update-user", json!({"id": "u-1", "olduserdata": {"id": "u-0"}})),
        person("iam-get-user", json!({})),
        person("iam-get-user", json!({"id": "u-1"})),
        person("iam-disable-user", json!({})),
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
fn answers(question: &Next, position: usize) -> Vec<Answer> {
    let early = position < EARLY;
    let mut answers = match question {
        Next::Read(Read::UserById(id)) => vec![
            shown(json!({"id": id})),
            shown(json!({"id": id, "active": false, "userName": "other"})),
            shown(json!({"id": "u-9"})),
        ],
        Next::Read(Read::UsersByExternalId(id)) => vec![
            nobody(),
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

/// Follows every answer to every question. Returns how many ends there are.
fn follow(command: &Command, rules: &Rules, known: &mut Known, asked_before: &mut Vec<String>) -> usize {
    let next = command.prepare(rules).decide(known);
    let trail = || format!("{} after {asked_before:?}: {}", command.name(), asked(&next));
    if let Next::Finish(outcome) = &next {
        holds_at_the_end(outcome, known, &trail);
        leaves_no_leaver(command, outcome, known, &trail);
        return 1;
    }
    if let Some(Err(last)) = known.answers.last() {
        let final_kinds = [
            ErrorKind::Expired,
            ErrorKind::Connect,
            ErrorKind::Congested,
            ErrorKind::CircuitOpen,
            ErrorKind::Throttled,
            ErrorKind::WrongUrl,
            ErrorKind::Status(403),
        ];
        assert!(
            !final_kinds.contains(&last.kind),
            "{:?} is the end: {}",
            last.kind,
            trail()
        );
    }
    assert!(asked_before.len() < MANY, "{}", trail());
    if let Next::Write(step) = &next {
        holds_for_a_write(step, command, rules, known, asked_before, &trail);
    }
    let question = asked(&next);
    // The service assumes that a dry run's writes succeed.
    let assumed = known.dry_run && matches!(next, Next::Write(_));
    let mut ends = 0;
    for answer in answers(&next, asked_before.len()) {
        if assumed && answer.is_err() {
            continue;
        }
        known.answers.push(answer);
        asked_before.push(question.clone());
        ends += follow(command, rules, known, asked_before);
        asked_before.pop();
        known.answers.pop();
    }
    ends
}

/// What is true of every end.
fn holds_at_the_end(outcome: &Outcome, known: &Known, trail: &dyn Fn() -> String) {
    // Something was seen that shows a success; absence shows a deletion and a leaver's end.
    let is_seen = match known.answers.last() {
        None | Some(Ok(_)) => true,
        Some(Err(error)) => {
            error.kind == ErrorKind::Absent && (outcome.label() == "skipped" || trail().starts_with("iam-delete-group"))
        }
    };
    assert!(
        outcome.failure().is_some() || is_seen,
        "a success that nothing shows: {}",
        trail()
    );
}

/// What is true of every change, given what was asked before it.
fn holds_for_a_write(
    step: &Step,
    command: &Command,
    rules: &Rules,
    known: &Known,
    asked_before: &[String],
    trail: &dyn Fn() -> String,
) {
    let said = || asked_before.iter().zip(&known.answers);
    let is_creation = |question: &str| question.starts_with("create");
    let patches = asked_before
        .iter()
        .filter(|question| question.starts_with("patch u"))
        .count();
    match step {
        Step::CreateUser(_) | Step::CreateGroup(_) => {
            let last = asked_before.last().filter(|question| is_creation(question));
            assert_eq!(last, None, "no look between two: {}", trail());
            let creations = || said().filter(|(question, _)| is_creation(question));
            assert!(creations().count() < 3, "{}", trail());
            let lost = |answer: &Answer| answer.as_ref().is_err_and(crate::scim::ScimError::is_answer_lost);
            assert!(creations().all(|(_, answer)| lost(answer)), "made again: {}", trail());
            assert_eq!(patches, 0, "an update never creates again: {}", trail());
        }
        Step::PatchUser(id, _) => {
            assert!(patches < 2, "at most two PATCHes a command: {}", trail());
            if patches == 1 {
                let after_first = || said().skip_while(|(question, _)| !question.starts_with("patch u"));
                let is_conflict =
                    |answer: &Answer| answer.as_ref().is_err_and(|error| error.kind == ErrorKind::Status(409));
                assert!(
                    after_first().any(|(_, answer)| is_conflict(answer)),
                    "only a conflict is sent once more: {}",
                    trail()
                );
                let look = format!("user {id}?");
                let last = said().next_back();
                assert!(
                    last.is_some_and(|(question, answer)| *question == look && answer.is_ok()),
                    "no look between two: {}",
                    trail()
                );
            }
            may_be_written(id, command, rules, known, asked_before, trail);
        }
        Step::DeleteGroup(_) => {
            let deletions = asked_before.iter().filter(|question| question.starts_with("delete"));
            assert_eq!(deletions.count(), 0, "one deletion a command: {}", trail());
        }
        Step::PatchGroup(..) => {}
    }
}

/// Section 4 of the contract: a user that was found by a name, and has another employee id than the
/// profile, is another person's, unless the instance adopts any; a create adopts none where it is
/// told so.
fn may_be_written(
    id: &Id,
    command: &Command,
    rules: &Rules,
    known: &Known,
    asked_before: &[String],
    trail: &dyn Fn() -> String,
) {
    let said = || asked_before.iter().zip(&known.answers);
    let shows = |answer: &Answer| match answer {
        Ok(Reply::User(user)) => user.id().as_ref() == Some(id),
        Ok(Reply::Users(users)) => users.resources.iter().any(|user| user.id().as_ref() == Some(id)),
        _ => false,
    };
    let found = said().find(|(question, answer)| question.ends_with('?') && shows(answer));
    let (question, answer) = found.unwrap_or_else(|| panic!("never seen: {}", trail()));
    let creates = matches!(command, Command::CreateUser(_));
    assert!(
        !(creates && rules.policy.adopt == Adopt::Never),
        "nobody's: {}",
        trail()
    );
    let Ok(Reply::Users(users)) = answer else { return };
    if !question.starts_with("users named") || rules.policy.adopt == Adopt::Always {
        return;
    }
    let wanted = user_profile(command).and_then(|profile| profile.field("employeeid"));
    let has = users.resources.first().and_then(|user| user.get("externalId"));
    let same = wanted.is_none() || has.is_none() || wanted == has;
    assert!(same, "another person's: {}", trail());
}

/// A disable that reports success, or that the user does not exist, leaves no user active that it
/// found.
fn leaves_no_leaver(command: &Command, outcome: &Outcome, known: &Known, trail: &dyn Fn() -> String) {
    let is_gone = matches!(known.answers.last(), Some(Err(error)) if error.kind == ErrorKind::Absent);
    if !matches!(command, Command::DisableUser(_)) || outcome.failure().is_some() || is_gone {
        return;
    }
    let found = known.answers.iter().filter_map(|answer| match answer {
        Ok(Reply::User(user)) => Some(user),
        Ok(Reply::Users(users)) => users.resources.first(),
        _ => None,
    });
    // The last that was seen of each user, who is known by its id.
    let mut last = BTreeMap::new();
    for user in found {
        last.insert(user.id().map(|id| id.to_string()), user.active());
    }
    let patched = known.answers.iter().any(|answer| matches!(answer, Ok(Reply::NoBody)));
    let any_active = last.values().any(|active| *active != Some(false));
    assert!(!any_active || patched, "a leaver stays active: {}", trail());
}

#[test]
fn every_way_through_every_command_comes_to_an_end() {
    let mut ends = 0;
    for command in every_command() {
        // A group's members are changed and read in each dialect's own way; of a person, only
        // what may be sent differs.
        let dialects: &[Dialect] = if user_profile(&command).is_some() {
            &[Dialect::Aws]
        } else {
            &[Dialect::Aws, Dialect::Rfc7644]
        };
        // Only an employee id tells the settings apart.
        let numbered = |profile: &UserProfile| profile.field("employeeid").is_some();
        let settings: &[Adopt] = if user_profile(&command).is_some_and(numbered) {
            &[Adopt::SamePerson, Adopt::Strict, Adopt::Always, Adopt::Never]
        } else {
            &[Adopt::SamePerson]
        };
        for (&dialect, &adopt) in dialects
            .iter()
            .flat_map(|dialect| settings.iter().map(move |adopt| (dialect, adopt)))
        {
            for (dry_run, retried) in [(false, false), (true, false), (false, true)] {
                let mut rules = Rules { dialect, ..rules() };
                rules.policy.adopt = adopt;
                let mut known = Known {
                    dry_run,
                    retried,
                    ..Known::default()
                };
                ends += follow(&command, &rules, &mut known, &mut Vec::new());
            }
        }
    }
    assert!(ends > 10_000, "only {ends} ends were reached");
}

#[test]
fn a_dry_run_reads_before_it_would_write() {
    for command in every_command() {
        let known = Known {
            dry_run: true,
            ..Known::default()
        };
        let rules = rules();
        let next = command.prepare(&rules).decide(&known);
        assert!(!matches!(next, Next::Write(_)), "{}: {}", command.name(), asked(&next));
    }
}

#[test]
fn a_switch_that_is_off_asks_nobody() {
    let rules = Rules {
        policy: Policy {
            create_user_enabled: false,
            update_user_enabled: false,
            enable_user_enabled: false,
            disable_user_enabled: false,
            create_if_not_exists: false,
            ..Policy::default()
        },
        ..rules()
    };
    for name in ["iam-create-user", "iam-update-user", "iam-disable-user"] {
        let skipped = outcome(&person(name, json!({})), &rules, vec![]);
        assert_eq!(skipped.label(), "skipped", "{name}");
    }
}

#[test]
fn a_command_can_be_stored_and_run_later() {
    for command in every_command() {
        let stored = serde_json::to_value(&command).unwrap();
        assert_eq!(stored["command"], command.name());
        assert_eq!(serde_json::from_value::<Command>(stored).unwrap(), command);
    }
}

#[test]
fn an_argument_that_is_not_known_is_refused() {
    let rows = [
        json!({"command": "iam-create-user", "arguments": {"user-profile": {}, "allow_enable": true}}),
        json!({"command": "iam-get-user", "arguments": {"user-profile": {}, "allow-enable": true}}),
        json!({"command": "iam-create-user", "arguments": {}}),
        json!({"command": "iam-get-group", "arguments": {"scim": {}, "includemembers": true}}),
        json!({"command": "iam-update-group", "arguments": {"scim": {}, "memberIdsToRemove": "u-1"}}),
        json!({"command": "iam-delete-group", "arguments": {"scim": [1]}}),
        json!({"command": "test-module", "arguments": {"verbose": true}}),
        json!({"command": "iam-delete-user", "arguments": {"user-profile": {}}}),
    ];
    for row in rows {
        assert!(serde_json::from_value::<Command>(row.clone()).is_err(), "{row}");
    }
}

/// Counts the profiles that are mapped in this thread.
#[derive(Clone, Default)]
struct Mappings(Arc<AtomicUsize>);

impl<S: Subscriber> Layer<S> for Mappings {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "aws_ilm::mapper" {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// How many profiles are mapped while this runs.
fn mappings(run: impl FnOnce()) -> usize {
    let mappings = Mappings::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(mappings.clone()), run);
    mappings.0.load(Ordering::Relaxed)
}

#[test]
fn a_profile_is_mapped_once_a_command() {
    let create = person("iam-create-user", json!({"title": "Boss"}));
    let rules = rules();
    let becomes_an_update = || {
        let (questions, outcome) = drive(&create, &rules, |next| match next {
            Next::Write(Step::CreateUser(_)) => failed(ErrorKind::Status(409)),
            Next::Write(_) => shown(json!({"title": "Boss"})),
            Next::Read(_) | Next::Finish(_) => found(json!({})),
        });
        assert_eq!((questions.len(), outcome.label()), (3, "done"));
    };
    assert_eq!(mappings(becomes_an_update), 1);
    let update = person(
        "iam-update-user",
        json!({"olduserdata": {"username": "old"}, "title": "Boss"}),
    );
    let with_old_data = || {
        drive(&update, &rules, |next| match next {
            Next::Read(Read::UsersByName(name)) if name == "old" => nobody(),
            Next::Write(_) => shown(json!({"title": "Boss"})),
            Next::Read(_) | Next::Finish(_) => found(json!({})),
        });
    };
    assert_eq!(mappings(with_old_data), 2, "the profile and its old data");
}
