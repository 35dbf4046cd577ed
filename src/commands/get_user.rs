//! `iam-get-user`: shows the app user, as the directory has it and as a profile.
//!
//! It changes nothing and has no switch. It refuses a profile without a key, and keys that are two
//! users'; a user that is not there is a failure, 404.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Decision, Operation, Rules,
    person::{ABSENT, OfPerson, Person, PreparedPerson},
};
use crate::{
    decide::{Next, Replay},
    outcome::{Action, Cause, Outcome},
    profile::UserProfile,
    scim::Priority,
};

/// The arguments of `iam-get-user`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GetUserArguments)]
pub struct Args {
    /// The person.
    #[serde(rename = "user-profile")]
    pub user_profile: UserProfile,
}

impl Operation for Args {
    const NAME: &'static str = "iam-get-user";
    const ARGUMENTS: &'static [&'static str] = &["user-profile"];
    const PRIORITY: Priority = Priority::Read;

    fn prepare<'a>(&'a self, rules: &'a Rules) -> Box<dyn Decision + Send + 'a> {
        Box::new(OfPerson {
            arguments: self,
            person: PreparedPerson::new(Action::Get, &self.user_profile, rules),
            decide,
        })
    }
}

fn decide<'a>(_: &'a Args, prepared: &'a PreparedPerson<'a>, replay: &mut Replay<'a>) -> Result<Outcome, Next> {
    let mut person = Person::new(Action::Get, prepared);
    let keys = person.keys()?;
    match person.find(&keys, replay)? {
        Some(user) => Ok(person.done(user)),
        None => person.fails(Cause::Absent, ABSENT),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::*;
    use crate::{commands::Command, outcome::UserEnd, scim::ErrorKind};

    fn get(profile: Value) -> Command {
        command("iam-get-user", json!({"user-profile": profile}))
    }

    #[test]
    fn one_question_and_its_answer() {
        let by_name = || get(json!({"username": "test"}));
        let by_id = || get(json!({"id": "u-1", "username": "somebody else"}));
        hold(vec![
            row(
                "by name",
                by_name(),
                vec![("users named test?", found(json!({})))],
                "done Get u-1 active",
            ),
            row(
                "by name, no switch holds it back",
                by_name(),
                vec![("users named test?", found(json!({"active": false})))],
                "done Get u-1 inactive",
            )
            .with(|policy| {
                policy.create_user_enabled = false;
                policy.update_user_enabled = false;
                policy.enable_user_enabled = false;
                policy.disable_user_enabled = false;
                policy.create_if_not_exists = false;
            }),
            row(
                "by name, letter case aside",
                get(json!({"Username": "TÉST"})),
                vec![("users named TÉST?", found(json!({"userName": "tést"})))],
                "done Get u-1 active",
            ),
            row(
                "by id, which wins",
                by_id(),
                vec![("user u-1?", shown(json!({})))],
                "done Get u-1 active",
            ),
            row(
                "an old id and an old name are not its own",
                get(json!({"username": "test", "olduserdata": {"id": "u-9", "username": "old"}})),
                vec![("users named test?", found(json!({})))],
                "done Get u-1 active",
            ),
            row(
                "nobody of the name",
                by_name(),
                vec![("users named test?", nobody())],
                "failed Get 404: User does not exist [-]",
            ),
            row(
                "nobody of the id: no name is looked for",
                by_id(),
                vec![("user u-1?", absent())],
                "failed Get 404: User does not exist [-]",
            ),
            row(
                "two",
                by_name(),
                vec![("users named test?", two())],
                "failed Get 409: ambiguous: more than one user has this userName [-]",
            ),
            row(
                "another name",
                by_name(),
                vec![("users named test?", found(json!({"userName": "test2"})))],
                "failed Get 502: mismatch: the directory answered with a user of another userName [-]",
            ),
            row(
                "another id",
                by_id(),
                vec![("user u-1?", shown(json!({"id": "u-2"})))],
                "failed Get 502: mismatch: the directory answered with a user of another id [-]",
            ),
            row(
                "an id in another letter case is another",
                get(json!({"id": "U-1"})),
                vec![("user U-1?", shown(json!({})))],
                "failed Get 502: mismatch: the directory answered with a user of another id [-]",
            ),
            row(
                "a field that is not asked for need not be text",
                get(json!({"username": "test", "title": 7})),
                vec![("users named test?", found(json!({})))],
                "done Get u-1 active",
            ),
            row(
                "dry",
                by_name(),
                vec![("users named test?", found(json!({})))],
                "done Get u-1 active",
            )
            .dry(),
        ]);
    }

    #[test]
    fn a_failed_question_is_a_failure() {
        let rows = [
            (ErrorKind::Connect, "failed Get 503: said [-]"),
            (ErrorKind::Timeout, "failed Get 504: said [-]"),
            (ErrorKind::Broken, "failed Get 504: said [-]"),
            (ErrorKind::Throttled, "failed Get 429: said [-]"),
            (ErrorKind::Congested, "failed Get 503: said [-]"),
            (ErrorKind::CircuitOpen, "failed Get 503: said [-]"),
            (ErrorKind::WrongUrl, "failed Get 404: said [-]"),
            (ErrorKind::Status(401), "failed Get 401: said [-]"),
            (ErrorKind::Status(500), "failed Get 500: said [-]"),
            (ErrorKind::Unreadable, "failed Get 502: said [-]"),
        ];
        for (kind, end) in rows {
            hold(vec![
                row(
                    "by name",
                    get(json!({"username": "test"})),
                    vec![("users named test?", failed(kind))],
                    end,
                ),
                row(
                    "by id",
                    get(json!({"id": "u-1"})),
                    vec![("user u-1?", failed(kind))],
                    end,
                ),
            ]);
        }
    }

    #[test]
    fn nothing_is_asked_for_what_nobody_can_be() {
        let sixty_five = "x".repeat(65);
        let malformed = "failed Get 400: user-profile.id must be 1 to 64 letters, digits, `_` or `-` [-]";
        let mut rows: Vec<_> = [
            json!("."),
            json!(".."),
            json!("a/b"),
            json!("a\\b"),
            json!("a b"),
            json!("a\n"),
            json!("a%2fb"),
            json!("é"),
            json!(sixty_five),
        ]
        .into_iter()
        .map(|id| {
            row(
                "malformed",
                get(json!({"id": id, "username": "test"})),
                vec![],
                malformed,
            )
        })
        .collect();
        rows.extend([
            row(
                "id not text",
                get(json!({"id": 7, "username": "test"})),
                vec![],
                "failed Get 400: user-profile.id must be text, not a number; send it in quotes [-]",
            ),
            row(
                "name not text",
                get(json!({"username": true})),
                vec![],
                "failed Get 400: user-profile.username: must be text, not a boolean; send it in quotes [-]",
            ),
            row(
                "invisible",
                get(json!({"username": "te\u{ad}st"})),
                vec![],
                "failed Get 400: userName: control and invisible characters can't stand in it; take them out [-]",
            ),
            row(
                "no key",
                get(json!({"email": "test@example.com"})),
                vec![],
                "failed Get 400: user-profile needs at least one of: id, username [-]",
            ),
        ]);
        hold(rows);
    }

    #[test]
    fn who_is_found_is_shown_as_a_profile_by_display_names() {
        let command = get(json!({"username": "test"}));
        let UserEnd::Done { shown, .. } = user_end(outcome(&command, &rules(), vec![found(json!({}))])) else {
            panic!("somebody was found")
        };
        assert_eq!(
            shown.map(Value::from),
            Some(json!({"Email": "test@example.com", "Given Name": "Te", "Surname": "St", "Username": "test"}))
        );
    }
}
