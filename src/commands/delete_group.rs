//! `iam-delete-group`: deletes a group for good.
//!
//! It needs an `id`: a name might be another group's by the time it is read. A group that is not there is a failure, 404, unless a
//! deletion whose answer got lost came before.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::group;
use crate::{
    decide::{Next, Replay},
    outcome::{GroupOutcome, Outcome},
    profile::GroupProfile,
    scim::{self, ErrorKind, Object},
};

/// How often a deletion is sent whose answer gets lost. It may be repeated: to delete twice is to delete (RFC 9110
/// section 9.2.2).
const DELETIONS: usize = 2;

/// The arguments of `iam-delete-group`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeleteGroupArguments)]
pub struct Args {
    /// The group.
    pub scim: GroupProfile,
}

/// What to do next.
pub(super) fn decide(args: &Args, replay: &mut Replay<'_>) -> Result<Outcome, Next> {
    let id = group::required_id(&args.scim)?;
    let name = group::text(&args.scim, "displayName")?;
    let done = |details: Object| {
        Ok(Outcome::Group(GroupOutcome::Done {
            id: Some(id.to_string()),
            display_name: name.map(str::to_owned),
            details,
            members: None,
        }))
    };
    if replay.is_dry_run() {
        // Looking stands for asking: the deletion itself is only recorded.
        if let Err(error) = replay.group_by_id(&id)? {
            return group::failed(error);
        }
    }
    let mut lost: Option<&scim::Error> = None;
    for _ in 0..DELETIONS {
        match replay.delete_group(&id)? {
            Ok(headers) => return done(headers.to_object()),
            Err(error) if error.kind == ErrorKind::Absent && lost.is_some() => return done(Object::new()),
            Err(error) if error.is_answer_lost() => lost = Some(error),
            Err(error) => return group::failed(error),
        }
    }
    lost.map_or_else(|| group::invalid("nothing was sent"), group::failed)
}
