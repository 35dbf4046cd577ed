//! `iam-delete-group`: deletes a group for good.
//!
//! It needs an `id`: a name might be another group's by the time it is read. A `displayName` beside
//! it must be that group's, letter case and normal form aside, or nothing is deleted (409). A group
//! that is not there is a failure, 404, unless a deletion whose answer got lost came before.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Decision, Operation, Rules,
    group::{AskedGroup, OfGroup, is_named},
};
use crate::{
    decide::{Next, Replay},
    outcome::{Cause, Failure, GroupAction, Outcome},
    profile::GroupProfile,
    scim::{Group, Object, Priority},
};

/// The arguments of `iam-delete-group`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeleteGroupArguments)]
pub struct Args {
    /// The group.
    pub scim: GroupProfile,
}

impl Operation for Args {
    const NAME: &'static str = "iam-delete-group";
    const ARGUMENTS: &'static [&'static str] = &["scim"];
    const PRIORITY: Priority = Priority::Update;

    fn prepare<'a>(&'a self, rules: &'a Rules) -> Box<dyn Decision + Send + 'a> {
        OfGroup::boxed(GroupAction::Delete, self, &self.scim, rules, decide)
    }
}

fn decide<'a>(_: &'a Args, asked: AskedGroup<'a>, replay: &mut Replay<'a>) -> Result<Outcome, Next> {
    let id = asked.required_id()?;
    let name = asked.text("displayName")?;
    let done = |details: Object| Ok(asked.done(Some(id.clone()), name, details, None));
    // In a dry run looking stands for asking: the deletion itself is only recorded.
    if name.is_some() || replay.is_dry_run() {
        match replay.group_by_id(&id)? {
            Ok(group) => check_name(asked, group, name)?,
            Err(error) if asked.is_unknown(&id, error) && replay.is_retried() => return done(Object::new()),
            Err(error) if asked.is_unknown(&id, error) => return asked.is_absent(),
            Err(error) => return asked.failed(error),
        }
    }
    match replay.delete_group(&id)? {
        Ok(headers) => done(headers.to_object()),
        Err(error) if asked.is_unknown(&id, error) && replay.is_retried() => done(Object::new()),
        Err(error) if asked.is_unknown(&id, error) => asked.is_absent(),
        Err(error) if error.is_answer_lost() => match replay.group_by_id(&id)? {
            Err(looking) if asked.is_unknown(&id, looking) => done(Object::new()),
            Err(looking) => asked.unsure("deleted", Some(error), looking),
            Ok(_) => asked.failed(error),
        },
        Err(error) => asked.failed(error),
    }
}

/// Ends unless the group has the name that the caller takes it to have: a wrong id beside a right
/// name would delete another group.
fn check_name(asked: AskedGroup<'_>, group: &Group, name: Option<&str>) -> Result<(), Next> {
    match name {
        Some(name) if !is_named(group, name) => {
            let message = format!(
                "the group of this id is named \"{}\", not as scim.displayName says; nothing was deleted",
                group.display_name().unwrap_or_default()
            );
            asked.fails(Failure::new(Cause::Conflict, message))
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::*;
    use crate::{commands::Command, outcome::GroupEnd, scim::ErrorKind};

    fn delete(group: Value) -> Command {
        command("iam-delete-group", json!({"scim": group}))
    }

    fn admins() -> Command {
        delete(json!({"id": "g-1"}))
    }

    const DELETE: &str = "delete g-1";
    const LOOK: &str = "group g-1?";

    #[test]
    fn a_name_beside_the_id_must_be_the_groups() {
        let named = |name: &str| delete(json!({"id": "g-1", "displayName": name}));
        let there = || (LOOK, group_shown(json!({"displayName": "R\u{e9}seau"})));
        const ANOTHERS: &str = "failed 409: the group of this id is named \"Réseau\", not as scim.displayName says; nothing was deleted []";
        hold(vec![
            row(
                "its name",
                named("R\u{e9}seau"),
                vec![there(), (DELETE, headers())],
                "done g-1 Réseau",
            ),
            row(
                "its name in another letter case and normal form, with blanks",
                named("\u{a0}RE\u{301}SEAU "),
                vec![there(), (DELETE, headers())],
                "done g-1 RE\u{301}SEAU",
            ),
            row("another name", named("Admins"), vec![there()], ANOTHERS),
            row("another name, dry", named("Admins"), vec![there()], ANOTHERS).dry(),
            row("another name, after a death", named("Admins"), vec![there()], ANOTHERS).retried(),
            row(
                "a blank is no name",
                named(" "),
                vec![(DELETE, headers())],
                "done g-1 -",
            ),
            row(
                "no such group",
                named("Admins"),
                vec![(LOOK, absent())],
                "failed 404: Group Not Found []",
            ),
            row(
                "an id that is not AWS's",
                named("Admins"),
                vec![(LOOK, status(400))],
                "failed 404: Group Not Found []",
            ),
            row(
                "the same of another server",
                named("Admins"),
                vec![(LOOK, status(400))],
                "failed 400: said []",
            )
            .rfc(),
            row(
                "deleted by an attempt that died",
                named("Admins"),
                vec![(LOOK, absent())],
                "done g-1 Admins",
            )
            .retried(),
            row(
                "no look",
                named("Admins"),
                vec![(LOOK, status(403))],
                "failed 403: said []",
            ),
        ]);
    }

    #[test]
    fn a_group_is_deleted_once() {
        let mut rows = vec![
            row("there", admins(), vec![(DELETE, headers())], "done g-1 -"),
            row(
                "absent",
                admins(),
                vec![(DELETE, absent())],
                "failed 404: Group Not Found []",
            ),
            row(
                "a wrong URL",
                admins(),
                vec![(DELETE, failed(ErrorKind::WrongUrl))],
                "failed 404: said []",
            ),
            row("refused", admins(), vec![(DELETE, status(403))], "failed 403: said []"),
            row(
                "400 to an id that is none of AWS's means unknown",
                admins(),
                vec![(DELETE, status(400))],
                "failed 404: Group Not Found []",
            ),
            row(
                "400 of another server",
                admins(),
                vec![(DELETE, status(400))],
                "failed 400: said []",
            )
            .rfc(),
            row(
                "400 to one that is AWS's does not",
                delete(json!({"id": "90672606ee-3ff0b1c5-9e2c-4a6a-a1ff-2c6a3d9b2e11"})),
                vec![("delete 90672606ee-3ff0b1c5-9e2c-4a6a-a1ff-2c6a3d9b2e11", status(400))],
                "failed 400: said []",
            ),
            row("conflict", admins(), vec![(DELETE, status(409))], "failed 409: said []"),
        ];
        for (kind, there, not_known) in [
            (
                ErrorKind::Timeout,
                "failed 504: said []",
                "failed 504: whether the group was deleted is not known: said; looking failed too: said []",
            ),
            (
                ErrorKind::Broken,
                "failed 504: said []",
                "failed 504: whether the group was deleted is not known: said; looking failed too: said []",
            ),
            (
                ErrorKind::Status(500),
                "failed 500: said []",
                "failed 500: whether the group was deleted is not known: said; looking failed too: said []",
            ),
            (
                ErrorKind::Unreadable,
                "failed 502: said []",
                "failed 502: whether the group was deleted is not known: said; looking failed too: said []",
            ),
        ] {
            let lost = |look| vec![(DELETE, failed(kind)), (LOOK, look)];
            rows.extend([
                row("lost, then gone", admins(), lost(absent()), "done g-1 -"),
                row("lost, then unknown", admins(), lost(status(400)), "done g-1 -"),
                row(
                    "lost, and there: not deleted twice",
                    admins(),
                    lost(group_shown(json!({}))),
                    there,
                ),
                row(
                    "lost, then a wrong URL: nothing's absence",
                    admins(),
                    lost(failed(ErrorKind::WrongUrl)),
                    not_known,
                ),
                row("lost, and the look is refused", admins(), lost(status(403)), not_known),
                row(
                    "lost, and the look is not sent",
                    admins(),
                    lost(failed(ErrorKind::CircuitOpen)),
                    not_known,
                ),
            ]);
        }
        hold(rows);
        for (kind, code) in UNDONE {
            let outcome = outcome(&admins(), &rules(), vec![failed(kind)]);
            let failure = outcome.failure().expect("nothing was deleted");
            assert_eq!((failure.code(), failure.message.as_str()), (code, "said"), "{kind:?}");
        }
    }

    #[test]
    fn nothing_is_deleted_without_a_sound_id() {
        let malformed = "failed 400: scim.id must be 1 to 64 letters, digits, `_` or `-` []";
        hold(vec![
            row(
                "a name is not enough",
                delete(json!({"displayName": "Admins"})),
                vec![],
                "failed 400: scim.id is needed: the id of the group []",
            ),
            row(
                "empty",
                delete(json!({"id": ""})),
                vec![],
                "failed 400: scim.id is needed: the id of the group []",
            ),
            row(
                "another collection",
                delete(json!({"id": "../Users/u-1"})),
                vec![],
                malformed,
            ),
            row("encoded", delete(json!({"id": "..%2FUsers%2Fu-1"})), vec![], malformed),
            row("the collection itself", delete(json!({"id": "."})), vec![], malformed),
            row(
                "not text",
                delete(json!({"id": 7})),
                vec![],
                "failed 400: scim.id must be text, not a number; send it in quotes []",
            ),
            row(
                "name not text: found before the deletion",
                delete(json!({"id": "g-1", "displayName": 7})),
                vec![],
                "failed 400: scim.displayName must be text, not a number; send it in quotes []",
            ),
        ]);
    }

    #[test]
    fn a_dry_run_looks_at_the_group() {
        hold(vec![
            row(
                "there",
                admins(),
                vec![("group g-1?", group_shown(json!({}))), (DELETE, headers())],
                "done g-1 -",
            )
            .dry(),
            row(
                "absent",
                admins(),
                vec![("group g-1?", absent())],
                "failed 404: Group Not Found []",
            )
            .dry(),
        ]);
    }

    #[test]
    fn the_details_are_the_headers_of_the_last_answer() {
        let details = |answers| match group_end(outcome(&admins(), &rules(), answers)) {
            GroupEnd::Done { details, .. } => Value::from(details),
            end @ GroupEnd::Failed { .. } => panic!("{end:?}"),
        };
        assert_eq!(details(vec![headers()]), json!({"x-amzn-RequestId": "r-1"}));
        assert_eq!(details(vec![lost(), absent()]), json!({}));
    }

    #[test]
    fn what_an_attempt_that_died_has_deleted_is_its_own_work() {
        hold(vec![
            row("deleted before", admins(), vec![("delete g-1", absent())], "done g-1 -").retried(),
            row(
                "not deleted before",
                admins(),
                vec![("delete g-1", headers())],
                "done g-1 -",
            )
            .retried(),
        ]);
    }
}
