//! `iam-update-group`: adds and removes members, or renames a group.
//!
//! With members: the group is named by its `id`, or found by its `displayName`, which beside an id
//! is only echoed. Adds come first, then removals, in PATCHes of at most 100 changes. A PATCH that
//! the directory refuses with 400 or 404 is split in halves until the bad member is found; the
//! others are changed all the same. Adding who is in, or removing who is out, is no fault (RFC 7644
//! section 3.5.2.1), so a half may be sent again safely. Without members it needs the `id`:
//! `displayName` and `externalId` are replaced. It refuses ids that can't be ids, an id in both
//! lists, and a command that would change nothing.

mod membership;
mod rename;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Decision, MemberIds, Operation, Rules,
    group::{AskedGroup, malformed},
};
use crate::{
    decide::{Next, Replay},
    outcome::{GroupAction, Outcome},
    profile::GroupProfile,
    scim::{Dialect, Id, Op, Priority},
};
pub(in crate::commands) use membership::{Change, Membership, Progress};

/// What a member is named by.
const WANTED: &str = "the directory's id is wanted (IAM.Vendor.id of iam-get-user)";

/// The arguments of `iam-update-group`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UpdateGroupArguments)]
pub struct Args {
    /// The group: its `id`, or its `displayName` where members change; and what it is renamed to if
    /// no members are given.
    pub scim: GroupProfile,
    /// Users to add.
    #[serde(rename = "memberIdsToAdd", default)]
    pub add: MemberIds,
    /// Users to remove.
    #[serde(rename = "memberIdsToDelete", default)]
    pub remove: MemberIds,
}

impl Operation for Args {
    const NAME: &'static str = "iam-update-group";
    const ARGUMENTS: &'static [&'static str] = &["scim", "memberIdsToAdd", "memberIdsToDelete"];
    const PRIORITY: Priority = Priority::Update;

    fn prepare<'a>(&'a self, rules: &'a Rules) -> Box<dyn Decision + Send + 'a> {
        let lists = [
            ("memberIdsToAdd", &self.add, Op::Add),
            ("memberIdsToDelete", &self.remove, Op::Remove),
        ];
        let changes = changes(lists, rules.dialect);
        let members = changes.as_ref().map_or(0, Vec::len);
        Box::new(Prepared {
            group: AskedGroup::new(GroupAction::Update, &self.scim, rules),
            changes,
            progress: Progress::of(members),
        })
    }
}

/// The command ready to be decided: ids are parsed once, and members that are dealt with are not
/// dealt with again at each answer.
struct Prepared<'a> {
    group: AskedGroup<'a>,
    /// The members to change, or what is wrong with an id.
    changes: Result<Vec<Change>, String>,
    progress: Progress,
}

impl Decision for Prepared<'_> {
    fn subject(&self) -> BTreeSet<String> {
        self.group.subject()
    }

    fn ignored(&self, _: &Outcome) -> Vec<String> {
        let with_members = self.changes.as_ref().map_or(true, |changes| !changes.is_empty());
        self.group.ignored(with_members)
    }

    fn decide<'r>(&'r mut self, replay: &mut Replay<'r>) -> Result<Outcome, Next> {
        let asked = self.group;
        let id = asked.id()?;
        // Read before anything is changed: a fault in it must not follow a change.
        let name = asked.text("displayName")?;
        let changes = match &self.changes {
            Ok(changes) => changes,
            Err(message) => return asked.invalid(message),
        };
        if changes.is_empty() {
            let Some(id) = id else {
                return asked.invalid("scim.id is needed where no members are given: the id of the group to rename");
            };
            let details = rename::rename(&id, asked, replay)?;
            return Ok(asked.done(Some(id), name, details, None));
        }
        let id = match (id, name) {
            (Some(id), _) => {
                if replay.is_dry_run() {
                    asked.find_by_id(&id, replay)?;
                }
                id
            }
            (None, Some(name)) => match asked.find_by_name(name, replay)?.id() {
                Some(id) => id,
                None => return asked.mismatch("the group that was found has no id"),
            },
            (None, None) => return asked.invalid("scim needs an id or a displayName"),
        };
        let details = Membership::new(asked, &id, changes, &mut self.progress).change(replay)?;
        Ok(asked.done(Some(id), name, details, None))
    }
}

/// The members to change, each id once, in the order of the lists; or what is wrong with one.
pub(in crate::commands) fn changes<'l>(
    lists: impl IntoIterator<Item = (&'l str, &'l MemberIds, Op)>,
    dialect: Dialect,
) -> Result<Vec<Change>, String> {
    let mut changes = Vec::new();
    let mut seen: HashMap<Id, Op> = HashMap::new();
    for (argument, ids, op) in lists {
        for (position, text) in ids.0.iter().enumerate() {
            let text = text.trim();
            if text.is_empty() {
                continue;
            }
            let Some(id) = Id::parse_for(dialect, text) else {
                let fault = malformed(&format!("{argument}[{position}]"), text);
                return Err(format!("{fault}; {WANTED}"));
            };
            match seen.insert(id.clone(), op) {
                None => changes.push(Change { op, id }),
                Some(before) if before == op => {}
                Some(_) => {
                    return Err(format!(
                        "{id} is in memberIdsToAdd and in memberIdsToDelete; leave it in one"
                    ));
                }
            }
        }
    }
    Ok(changes)
}
