//! What is true of every end and of every change, whatever the directory answers.

use std::collections::BTreeMap;

use super::allowed::{is_allowed, one_user};
use crate::{
    commands::{Command, Rules},
    decide::{Answer, Known, Step},
    outcome::Outcome,
    scim::{Dialect, ErrorKind, Id, Op, PatchOp},
};

/// What is true of every end.
pub(super) fn holds_at_the_end(
    rules: &Rules,
    outcome: &Outcome,
    known: &Known,
    asked_before: &[String],
    trail: &dyn Fn() -> String,
) {
    let last_question = asked_before.last().map(String::as_str).unwrap_or_default();
    // What ends well was seen: in a good answer; a deletion and a leaver's end in an absence, or in
    // a 400 to an id that no directory of AWS gives.
    let is_seen = match known.answers.last() {
        None | Some(Ok(_)) => true,
        Some(Err(error)) => {
            let is_foreign = ["user u-", "group g-", "delete g-"]
                .iter()
                .any(|about| last_question.starts_with(about));
            let is_unknown_id = error.kind == ErrorKind::Status(400) && is_foreign && rules.dialect == Dialect::Aws;
            let is_absence = error.kind == ErrorKind::Absent || is_unknown_id;
            is_absence && (outcome.label() == "skipped" || trail().starts_with("iam-delete-group"))
        }
    };
    // Of the stranger whom answers show, a message may have the id and the userName.
    let message = outcome.failure().map_or("", |failure| &failure.message);
    let shown = ["Ann", "Lee", "ann@"]
        .iter()
        .find(|private| message.contains(**private));
    assert_eq!(shown, None, "a message says too much: {}", trail());
    assert!(
        outcome.failure().is_some() || is_seen,
        "a success that nothing shows: {}",
        trail()
    );
}

/// What is true of every change, given what was asked before it.
pub(super) fn holds_for_a_write(
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
        Step::PatchUser(id, changes) => {
            takes_out_what_it_clears(changes, command, trail);
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
                // At the user, or for another one who has what was refused.
                let last = said().next_back();
                assert!(
                    last.is_some_and(|(question, answer)| question.starts_with("user") && answer.is_ok()),
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

/// Only an update takes an attribute out of a user, and only what it names.
fn takes_out_what_it_clears(changes: &PatchOp, command: &Command, trail: &dyn Fn() -> String) {
    let removed = changes.operations.iter().filter(|change| change.op == Op::Remove);
    for change in removed {
        let is_named = matches!(command, Command::UpdateUser(args) if args.clear.0 == ["Email"]);
        assert!(is_named && change.path == "emails", "taken out unasked: {}", trail());
    }
}

/// Nothing is written to a user whom section 4 of the contract does not allow.
fn may_be_written(
    id: &Id,
    command: &Command,
    rules: &Rules,
    known: &Known,
    asked_before: &[String],
    trail: &dyn Fn() -> String,
) {
    let said: Vec<_> = asked_before.iter().map(String::as_str).zip(&known.answers).collect();
    let profile = command
        .user_profile()
        .unwrap_or_else(|| panic!("about no user: {}", trail()));
    assert!(
        is_allowed(id, command, profile, rules, &said),
        "another person's: {}",
        trail()
    );
}

/// A disable that reports success, or that the user does not exist, leaves no user active that it
/// found and might have disabled.
pub(super) fn leaves_no_leaver(
    command: &Command,
    rules: &Rules,
    outcome: &Outcome,
    known: &Known,
    asked_before: &[String],
    trail: &dyn Fn() -> String,
) {
    let (Command::DisableUser(args), None) = (command, outcome.failure()) else {
        return;
    };
    let said: Vec<_> = asked_before.iter().map(String::as_str).zip(&known.answers).collect();
    // The state in which each user was found, by its id, and then what a change and a look after it
    // showed. A later list does not count: another writer may be at work.
    let mut active = BTreeMap::new();
    for (question, answer) in &said {
        if let Some(user) = one_user(answer) {
            let id = user.id().unwrap_or_else(|| panic!("a user without an id: {}", trail()));
            if question.starts_with("users ") {
                active.entry(id).or_insert(user.active());
            } else {
                active.insert(id, user.active());
            }
        }
        if matches!(answer, Err(error) if error.kind == ErrorKind::Absent) {
            active.retain(|id, _| !question.starts_with(&format!("patch {id}:")) && *question != format!("user {id}?"));
        }
    }
    for (id, active) in active {
        let is_meant = is_allowed(&id, command, &args.user_profile, rules, &said);
        assert!(
            !is_meant || active == Some(false),
            "the leaver {id} stays active: {}",
            trail()
        );
    }
}
