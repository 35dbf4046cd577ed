//! The commands. Each has a file of its own: its manual, its arguments, its decision and the table
//! of tests for it.
//!
//! Nothing here does anything: a command decides what to do next from what is known, see
//! [`crate::decide`].

use serde::{Deserialize, Serialize};

use crate::{
    decide::{Known, Next, Replay},
    mapper::Mapper,
    outcome::Outcome,
    policy::Policy,
    profile::{GroupProfile, UserProfile},
    scim::Dialect,
};

mod arguments;
pub mod create_group;
pub mod create_user;
pub mod delete_group;
pub mod disable_user;
pub mod get_group;
pub mod get_mapping_fields;
pub mod get_user;
mod group;
mod person;
mod subject;
pub mod test_module;
#[cfg(test)]
mod testing;
pub mod update_group;
pub mod update_user;

pub use arguments::{MemberIds, Switch};

/// How often a creation is sent whose answer gets lost. Between two, the directory is looked at.
const CREATIONS: usize = 3;

/// Every command's name, and whether the command changes a directory.
pub const NAMES: [(&str, bool); 10] = [
    ("iam-create-user", true),
    ("iam-update-user", true),
    ("iam-get-user", false),
    ("iam-disable-user", true),
    ("iam-get-group", false),
    ("iam-create-group", true),
    ("iam-update-group", true),
    ("iam-delete-group", true),
    ("test-module", false),
    ("get-mapping-fields", false),
];

/// A command with its arguments. It is data: it can be stored and run later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", content = "arguments")]
#[expect(missing_docs, reason = "each module has the manual")]
pub enum Command {
    #[serde(rename = "iam-create-user")]
    CreateUser(create_user::Args),
    #[serde(rename = "iam-update-user")]
    UpdateUser(update_user::Args),
    #[serde(rename = "iam-get-user")]
    GetUser(get_user::Args),
    #[serde(rename = "iam-disable-user")]
    DisableUser(disable_user::Args),
    #[serde(rename = "iam-get-group")]
    GetGroup(get_group::Args),
    #[serde(rename = "iam-create-group")]
    CreateGroup(create_group::Args),
    #[serde(rename = "iam-update-group")]
    UpdateGroup(update_group::Args),
    #[serde(rename = "iam-delete-group")]
    DeleteGroup(delete_group::Args),
    #[serde(rename = "test-module")]
    TestModule(test_module::Args),
    #[serde(rename = "get-mapping-fields")]
    GetMappingFields(get_mapping_fields::Args),
}

/// What an instance makes of every command: its switches, its mapping, how its directory speaks.
#[derive(Clone, Debug)]
pub struct Rules {
    /// What its operator allows.
    pub policy: Policy,
    /// How profiles become SCIM users and back.
    pub mapper: Mapper,
    /// How its directory speaks.
    pub dialect: Dialect,
}

impl Command {
    /// The command's name on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CreateUser(_) => "iam-create-user",
            Self::UpdateUser(_) => "iam-update-user",
            Self::GetUser(_) => "iam-get-user",
            Self::DisableUser(_) => "iam-disable-user",
            Self::GetGroup(_) => "iam-get-group",
            Self::CreateGroup(_) => "iam-create-group",
            Self::UpdateGroup(_) => "iam-update-group",
            Self::DeleteGroup(_) => "iam-delete-group",
            Self::TestModule(_) => "test-module",
            Self::GetMappingFields(_) => "get-mapping-fields",
        }
    }

    /// The person that a user command is about.
    pub fn user_profile(&self) -> Option<&UserProfile> {
        match self {
            Self::CreateUser(args) => Some(&args.user_profile),
            Self::UpdateUser(args) => Some(&args.user_profile),
            Self::GetUser(args) => Some(&args.user_profile),
            Self::DisableUser(args) => Some(&args.user_profile),
            Self::GetGroup(_)
            | Self::CreateGroup(_)
            | Self::UpdateGroup(_)
            | Self::DeleteGroup(_)
            | Self::TestModule(_)
            | Self::GetMappingFields(_) => None,
        }
    }

    /// The group that a group command is about.
    pub fn group_profile(&self) -> Option<&GroupProfile> {
        match self {
            Self::GetGroup(args) => Some(&args.scim),
            Self::CreateGroup(args) => Some(&args.scim),
            Self::UpdateGroup(args) => Some(&args.scim),
            Self::DeleteGroup(args) => Some(&args.scim),
            Self::CreateUser(_)
            | Self::UpdateUser(_)
            | Self::GetUser(_)
            | Self::DisableUser(_)
            | Self::TestModule(_)
            | Self::GetMappingFields(_) => None,
        }
    }

    /// What to do next, given what is known.
    pub fn decide<'a>(&'a self, rules: &'a Rules, known: &'a Known) -> Next {
        let mut replay = known.replay();
        let decided = self.replay(rules, &mut replay);
        decided.map_or_else(|next| next, |outcome| Next::Finish(Box::new(outcome)))
    }

    fn replay<'a>(&'a self, rules: &'a Rules, replay: &mut Replay<'a>) -> Result<Outcome, Next> {
        match self {
            Self::CreateUser(args) => create_user::decide(args, rules, replay),
            Self::UpdateUser(args) => update_user::decide(args, rules, replay),
            Self::GetUser(args) => get_user::decide(args, rules, replay),
            Self::DisableUser(args) => disable_user::decide(args, rules, replay),
            Self::GetGroup(args) => get_group::decide(args, rules, replay),
            Self::CreateGroup(args) => create_group::decide(args, rules, replay),
            Self::UpdateGroup(args) => update_group::decide(args, rules, replay),
            Self::DeleteGroup(args) => delete_group::decide(args, replay),
            Self::TestModule(args) => test_module::decide(args, replay),
            Self::GetMappingFields(args) => Ok(get_mapping_fields::decide(args)),
        }
    }
}

/// Ends a decision early with this outcome, through `?`.
fn finish<T>(outcome: Outcome) -> Result<T, Next> {
    Err(Next::Finish(Box::new(outcome)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{testing::*, *};
    use crate::{
        decide::{Answer, Read, Reply, Step},
        envelope,
        policy::Adopt,
        scim::{ErrorKind, User, apply},
    };

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
        // Without a surname, nobody is made: the ways of a creation are followed elsewhere.
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
        let next = command.decide(rules, known);
        let trail = || format!("{} after {asked_before:?}: {}", command.name(), asked(&next));
        if let Next::Finish(outcome) = &next {
            holds_at_the_end(outcome, known, &trail);
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
        let mut end_with = 0;
        for answer in answers(&next, asked_before.len()) {
            if assumed && answer.is_err() {
                continue;
            }
            known.answers.push(answer);
            asked_before.push(question.clone());
            end_with += follow(command, rules, known, asked_before);
            asked_before.pop();
            known.answers.pop();
        }
        end_with
    }

    /// What is true of every end.
    fn holds_at_the_end(outcome: &Outcome, known: &Known, trail: &dyn Fn() -> String) {
        let status = envelope::status(outcome);
        assert!(
            [200, 400, 404, 409, 502, 503, 504].contains(&status),
            "{status}: {}",
            trail()
        );
        // Something was seen that shows a success; absence shows a deletion and a leaver's end.
        let is_seen = match known.answers.last() {
            None | Some(Ok(_)) => true,
            Some(Err(error)) => {
                error.kind == ErrorKind::Absent
                    && (envelope::label(outcome) == "skipped" || trail().starts_with("iam-delete-group"))
            }
        };
        assert!(status != 200 || is_seen, "a success that nothing shows: {}", trail());
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
                // Whom a create by name may take over.
                let by_name = said().rfind(|(question, _)| question.starts_with("users named"));
                let creates =
                    said().any(|(question, _)| is_creation(question)) || matches!(command, Command::CreateUser(_));
                if let Some((_, Ok(Reply::Users(found)))) = by_name.filter(|_| creates) {
                    let wanted = command.user_profile().and_then(|profile| profile.field("employeeid"));
                    let has = found.resources.first().and_then(|user| user.get("externalId"));
                    match rules.policy.adopt {
                        Adopt::Always => {}
                        Adopt::SamePerson => {
                            let same = wanted.is_none() || has.is_none() || wanted == has;
                            assert!(same, "another person's: {}", trail());
                        }
                        Adopt::Never => panic!("nobody's: {}", trail()),
                    }
                }
            }
            Step::DeleteGroup(_) => {
                let deletions = asked_before.iter().filter(|question| question.starts_with("delete"));
                assert_eq!(deletions.count(), 0, "one deletion a command: {}", trail());
            }
            Step::PatchGroup(..) => {}
        }
    }

    #[test]
    fn every_way_through_every_command_comes_to_an_end() {
        let mut end_with = 0;
        for command in every_command() {
            // A group's members are changed and read in each dialect's own way; of a person, only
            // what may be sent differs.
            let dialects: &[Dialect] = if command.user_profile().is_some() {
                &[Dialect::Aws]
            } else {
                &[Dialect::Aws, Dialect::Rfc7644]
            };
            // Only an employee id tells the settings apart.
            let numbered = |profile: &UserProfile| profile.field("employeeid").is_some();
            let settings: &[Adopt] = if command.user_profile().is_some_and(numbered) {
                &[Adopt::SamePerson, Adopt::Always, Adopt::Never]
            } else {
                &[Adopt::SamePerson]
            };
            for (&dialect, &adopt) in dialects
                .iter()
                .flat_map(|dialect| settings.iter().map(move |adopt| (dialect, adopt)))
            {
                for dry_run in [false, true] {
                    let mut rules = Rules { dialect, ..rules() };
                    rules.policy.adopt = adopt;
                    let mut known = Known {
                        dry_run,
                        ..Known::default()
                    };
                    end_with += follow(&command, &rules, &mut known, &mut Vec::new());
                }
            }
        }
        assert!(end_with > 10_000, "only {end_with} ends were reached");
    }

    #[test]
    fn a_dry_run_reads_before_it_would_write() {
        for command in every_command() {
            let known = Known {
                dry_run: true,
                ..Known::default()
            };
            let next = command.decide(&rules(), &known);
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
                adopt: crate::policy::Adopt::default(),
            },
            ..rules()
        };
        for name in ["iam-create-user", "iam-update-user", "iam-disable-user"] {
            let skipped = outcome(&person(name, json!({})), &rules, vec![]);
            assert_eq!(envelope::label(&skipped), "skipped", "{name}");
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

    #[test]
    fn a_command_knows_whom_it_is_about() {
        for command in every_command() {
            let is_user = command.name().ends_with("-user");
            let is_group = command.name().ends_with("-group");
            assert_eq!(command.user_profile().is_some(), is_user, "{}", command.name());
            assert_eq!(command.group_profile().is_some(), is_group, "{}", command.name());
        }
    }
}
