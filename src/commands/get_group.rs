//! `iam-get-group`: shows a group and, unless told otherwise, all its members.
//!
//! By `id`, else by `displayName`. Nothing of this id or name is a failure, 404; two of one name,
//! 409.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Decision, Operation, Rules, Switch,
    group::{AskedGroup, OfGroup},
};
use crate::{
    decide::{Next, Replay},
    outcome::{GroupAction, Outcome},
    profile::GroupProfile,
    scim::{Dialect, Group, Priority},
};

/// The arguments of `iam-get-group`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GetGroupArguments)]
pub struct Args {
    /// The group.
    pub scim: GroupProfile,
    /// Whether to read the members.
    #[serde(rename = "includeMembers", default)]
    pub include_members: Switch,
}

impl Operation for Args {
    const NAME: &'static str = "iam-get-group";
    const ARGUMENTS: &'static [&'static str] = &["scim", "includeMembers"];
    const PRIORITY: Priority = Priority::Read;

    fn prepare<'a>(&'a self, rules: &'a Rules) -> Box<dyn Decision + Send + 'a> {
        OfGroup::boxed(GroupAction::Get, self, &self.scim, rules, decide)
    }
}

fn decide<'a>(args: &'a Args, asked: AskedGroup<'a>, replay: &mut Replay<'a>) -> Result<Outcome, Next> {
    let group = find(asked, replay)?;
    let Some(id) = group.id() else {
        return asked.mismatch("the group that was found has no id");
    };
    let include_members = args.include_members.or(true);
    let members = match asked.rules.dialect {
        _ if !include_members => None,
        Dialect::Rfc7644 => Some(group.members()),
        Dialect::Aws => Some(asked.members(&id, replay)?.or_else(|failure| asked.fails(failure))?),
    };
    Ok(asked.done(Some(id), group.display_name(), group.as_object().clone(), members))
}

fn find<'a>(asked: AskedGroup<'_>, replay: &mut Replay<'a>) -> Result<&'a Group, Next> {
    if let Some(id) = asked.id()? {
        return asked.find_by_id(&id, replay);
    }
    match asked.text("displayName")? {
        Some(name) => asked.find_by_name(name, replay),
        None => asked.invalid("scim needs an id or a displayName"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::*;
    use crate::{
        commands::{Command, group::MAX_PAGES},
        decide::Reply,
        outcome::GroupEnd,
        scim::{ErrorKind, Member},
    };

    fn get(group: Value) -> Command {
        command("iam-get-group", json!({"scim": group}))
    }

    fn alone(group: Value, include_members: Value) -> Command {
        command(
            "iam-get-group",
            json!({"scim": group, "includeMembers": include_members}),
        )
    }

    const FIRST: &str = "members of g-1, First?";

    #[test]
    fn blanks_at_the_ends_of_an_id_or_a_name_are_none_of_it() {
        const ID: &str = "90672606ee-3ff0b1c5-9e2c-4a6a-a1ff-2c6a3d9b2e11";
        let shown = |id: &str| group_shown(json!({"id": id}));
        hold(vec![
            row(
                "an id",
                alone(json!({"id": "\u{a0}g-1\u{2009}"}), json!(false)),
                vec![("group g-1?", shown("g-1"))],
                "done g-1 Admins",
            ),
            row(
                "a name, the id being blank",
                alone(json!({"id": " ", "displayName": "\u{3000}Admins "}), json!(false)),
                vec![("groups named Admins?", groups(vec![group(json!({}))]))],
                "done g-1 Admins",
            ),
            row(
                "AWS's ids know no letter case",
                alone(json!({"id": ID.to_uppercase()}), json!("false")),
                vec![("group 90672606ee-3ff0b1c5-9e2c-4a6a-a1ff-2c6a3d9b2e11?", shown(ID))],
                "done 90672606ee-3ff0b1c5-9e2c-4a6a-a1ff-2c6a3d9b2e11 Admins",
            ),
            row(
                "other servers' do",
                alone(json!({"id": ID.to_uppercase()}), json!(false)),
                vec![("group 90672606EE-3FF0B1C5-9E2C-4A6A-A1FF-2C6A3D9B2E11?", shown(ID))],
                "failed 502: mismatch: the directory answered with a group of another id []",
            )
            .rfc(),
            row(
                "400 to an id that is not AWS's means unknown",
                alone(json!({"id": "123"}), json!(false)),
                vec![("group 123?", status(400))],
                "failed 404: Group Not Found []",
            ),
            row(
                "400 to one that is AWS's does not",
                alone(json!({"id": ID}), json!(false)),
                vec![("group 90672606ee-3ff0b1c5-9e2c-4a6a-a1ff-2c6a3d9b2e11?", status(400))],
                "failed 400: said []",
            ),
            row(
                "an unset switch is true",
                alone(json!({"id": "g-1"}), json!("")),
                vec![("group g-1?", shown("g-1")), (FIRST, members(&[], None))],
                "done g-1 Admins with ",
            ),
        ]);
    }

    #[test]
    fn a_group_and_all_its_members() {
        let by_id = || get(json!({"id": "g-1"}));
        let by_name = || get(json!({"displayName": "Admins"}));
        hold(vec![
            row(
                "by id",
                by_id(),
                vec![
                    ("group g-1?", group_shown(json!({}))),
                    (FIRST, members(&["u-1", "u-2"], None)),
                ],
                "done g-1 Admins with u-1,u-2",
            ),
            row(
                "by name",
                by_name(),
                vec![
                    ("groups named Admins?", groups(vec![group(json!({}))])),
                    (FIRST, members(&[], None)),
                ],
                "done g-1 Admins with ",
            ),
            row(
                "by name, letter case aside",
                get(json!({"displayname": "ADMINS"})),
                vec![
                    ("groups named ADMINS?", groups(vec![group(json!({}))])),
                    (FIRST, members(&["u-1"], None)),
                ],
                "done g-1 Admins with u-1",
            ),
            row(
                "the id wins, under whatever name",
                get(json!({"id": "g-1", "displayName": "Users"})),
                vec![("group g-1?", group_shown(json!({}))), (FIRST, members(&["u-1"], None))],
                "done g-1 Admins with u-1",
            ),
            row(
                "page after page, empty ones too",
                by_id(),
                vec![
                    ("group g-1?", group_shown(json!({}))),
                    (FIRST, members(&["u-1"], Some("a"))),
                    ("members of g-1 from a?", members(&[], Some("b"))),
                    ("members of g-1 from b?", members(&["u-2"], None)),
                ],
                "done g-1 Admins with u-1,u-2",
            ),
            row(
                "what the group itself says of members is not believed of AWS",
                by_id(),
                vec![
                    ("group g-1?", group_shown(json!({"members": [{"value": "u-9"}]}))),
                    (FIRST, members(&["u-1"], None)),
                ],
                "done g-1 Admins with u-1",
            ),
            row(
                "members of a directory that keeps to the RFC",
                by_id(),
                vec![(
                    "group g-1?",
                    group_shown(json!({"members": [{"value": "u-9", "display": "Nine"}]})),
                )],
                "done g-1 Admins with u-9",
            )
            .rfc(),
            row(
                "without members",
                alone(json!({"id": "g-1"}), json!(false)),
                vec![("group g-1?", group_shown(json!({})))],
                "done g-1 Admins",
            ),
            row(
                "without members, in a string",
                alone(json!({"displayName": "Admins"}), json!("false")),
                vec![("groups named Admins?", groups(vec![group(json!({}))]))],
                "done g-1 Admins",
            ),
            row(
                "without members, by the RFC",
                alone(json!({"id": "g-1"}), json!(false)),
                vec![("group g-1?", group_shown(json!({"members": [{"value": "u-9"}]})))],
                "done g-1 Admins",
            )
            .rfc(),
            row(
                "with members, in a string",
                alone(json!({"id": "g-1"}), json!("true")),
                vec![("group g-1?", group_shown(json!({}))), (FIRST, members(&["u-1"], None))],
                "done g-1 Admins with u-1",
            ),
            row(
                "dry",
                by_id(),
                vec![("group g-1?", group_shown(json!({}))), (FIRST, members(&["u-1"], None))],
                "done g-1 Admins with u-1",
            )
            .dry(),
        ]);
    }

    #[test]
    fn no_group_or_not_the_one() {
        let by_id = || get(json!({"id": "g-1", "displayName": "Admins"}));
        let by_name = || get(json!({"displayName": "Admins"}));
        hold(vec![
            row(
                "nothing of the id",
                by_id(),
                vec![("group g-1?", absent())],
                "failed 404: Group Not Found []",
            ),
            row(
                "nothing of the name",
                by_name(),
                vec![("groups named Admins?", groups(vec![]))],
                "failed 404: Group Not Found []",
            ),
            row(
                "two of the name",
                by_name(),
                vec![(
                    "groups named Admins?",
                    groups(vec![group(json!({})), group(json!({"id": "g-2"}))]),
                )],
                "failed 409: ambiguous: more than one group has this displayName []",
            ),
            row(
                "another name",
                by_name(),
                vec![(
                    "groups named Admins?",
                    groups(vec![group(json!({"displayName": "Users"}))]),
                )],
                "failed 502: mismatch: the directory answered with a group of another displayName []",
            ),
            row(
                "another id",
                by_id(),
                vec![("group g-1?", group_shown(json!({"id": "g-2"})))],
                "failed 502: mismatch: the directory answered with a group of another id []",
            ),
            row(
                "a wrong URL",
                by_id(),
                vec![("group g-1?", failed(ErrorKind::WrongUrl))],
                "failed 404: said []",
            ),
            row(
                "the question fails",
                by_name(),
                vec![("groups named Admins?", status(500))],
                "failed 500: said []",
            ),
            row(
                "gone between the pages",
                by_id(),
                vec![
                    ("group g-1?", group_shown(json!({}))),
                    (FIRST, members(&["u-1"], Some("a"))),
                    ("members of g-1 from a?", absent()),
                ],
                "failed 404: Group Not Found []",
            ),
            row(
                "a page fails: no half of the members",
                by_id(),
                vec![
                    ("group g-1?", group_shown(json!({}))),
                    (FIRST, members(&["u-1"], Some("a"))),
                    ("members of g-1 from a?", lost()),
                ],
                "failed 504: said []",
            ),
            row(
                "a cursor that leads back",
                by_id(),
                vec![
                    ("group g-1?", group_shown(json!({}))),
                    (FIRST, members(&["u-1"], Some("a"))),
                    ("members of g-1 from a?", members(&["u-2"], Some("b"))),
                    ("members of g-1 from b?", members(&["u-1"], Some("a"))),
                ],
                "failed 502: the directory's pages of members do not end []",
            ),
        ]);
    }

    #[test]
    fn nothing_is_asked_for_what_no_group_can_be() {
        hold(vec![
            row(
                "neither",
                get(json!({"externalId": "e"})),
                vec![],
                "failed 400: scim needs an id or a displayName []",
            ),
            row(
                "both empty",
                get(json!({"id": "", "displayName": null})),
                vec![],
                "failed 400: scim needs an id …",
            ),
            row(
                "malformed id",
                get(json!({"id": "..", "displayName": "Admins"})),
                vec![],
                "failed 400: scim.id must be 1 to 64 letters, digits, `_` or `-` []",
            ),
            row(
                "id not text",
                get(json!({"id": 7})),
                vec![],
                "failed 400: scim.id must be text, not a number; send it in quotes []",
            ),
            row(
                "name not text",
                get(json!({"displayName": ["Admins", "Users"]})),
                vec![],
                "failed 400: scim.displayName must be text, not a list of several values; send the one that counts []",
            ),
            row(
                "invisible character",
                get(json!({"displayName": "Ad\u{200b}mins"})),
                vec![],
                "failed 400: scim.displayName: U+200B ZERO WIDTH SPACE at position 3 can't stand in it; take it out, it is invisible []",
            ),
        ]);
    }

    #[test]
    fn members_have_the_names_of_the_users() {
        let answers = vec![group_shown(json!({})), members(&["u-1"], None)];
        let outcome = outcome(&get(json!({"id": "g-1"})), &rules(), answers);
        let GroupEnd::Done { members, details, .. } = group_end(outcome) else {
            panic!("the group is there")
        };
        let member = Member {
            value: "u-1".to_owned(),
            display: Some("Name of u-1".to_owned()),
        };
        assert_eq!(members, Some(vec![member]));
        assert_eq!(Value::from(details), json!({"id": "g-1", "displayName": "Admins"}));
    }

    #[test]
    fn pages_without_end_come_to_one() {
        let page_of = |number: usize| Ok(Reply::Members(page(Vec::new(), Some(&number.to_string()))));
        let mut answers = vec![group_shown(json!({}))];
        answers.extend((0..MAX_PAGES).map(page_of));
        let outcome = outcome(&get(json!({"id": "g-1"})), &rules(), answers);
        assert_eq!(outcome.code(), Some(502));
    }
}
