//! The operations on groups. There is no PutGroup.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    directory::{Directory, Group, Times, display_name_key, external_id_key},
    filter::GroupFilter,
    memberships::{MOST_MEMBERSHIP_CHANGES, member_ids},
    paging::Paging,
    patch_group::{Change, GroupPatch},
    schema::{GROUP, GROUP_ATTRIBUTES},
    validate,
    wire::{Answer, ErrorResponse},
};

/// ListGroups. Every group has an empty `members`, also one that has some.
pub(super) fn list(directory: &Directory, query: &str) -> Result<Answer, ErrorResponse> {
    let paging = Paging::parse("Groups", query)?;
    let filter = GroupFilter::parse(paging.filter.as_deref())?;
    let entries = select(directory, &filter, paging.after)?;
    Ok(Answer::ok(paging.page(entries.map(|(number, group)| {
        let mut resource = group.resource();
        resource["members"] = json!([]);
        (number, resource)
    }))))
}

/// GetGroup: without `members`.
pub(super) fn get(directory: &Directory, id: &str) -> Result<Answer, ErrorResponse> {
    let (_, group) = directory.groups.get(id)?;
    Ok(Answer::ok(group.resource()))
}

/// A CreateGroup that was read and found well-formed.
pub(super) struct NewGroup {
    attributes: serde_json::Map<String, Value>,
    member_ids: Vec<String>,
}

impl NewGroup {
    /// Checks the body; needs no directory.
    pub(super) fn parse(body: &Value) -> Result<Self, ErrorResponse> {
        let mut body = body.as_object().ok_or_else(ErrorResponse::unparsable)?.clone();
        let members = body.keys().find(|key| key.eq_ignore_ascii_case("members")).cloned();
        let member_ids = match members.and_then(|key| body.shift_remove(&key)) {
            // A sample in the guide creates a group with `"members": []`, the one empty list that
            // is taken.
            Some(Value::Array(items)) => member_ids(&items)?,
            Some(_) => return Err(ErrorResponse::unparsable()),
            None => Vec::new(),
        };
        if member_ids.len() > MOST_MEMBERSHIP_CHANGES {
            return Err(ErrorResponse::unparsable());
        }
        let attributes = validate::resource(GROUP_ATTRIBUTES, &[GROUP], &Value::Object(body))?;
        Ok(Self { attributes, member_ids })
    }

    /// How many memberships it makes; they count against a limit of their own.
    pub(super) fn membership_changes(&self) -> usize {
        self.member_ids.len()
    }

    /// CreateGroup. An unknown member is a 400: 404 is not among the documented answers of this
    /// operation.
    pub(super) fn create(self, directory: &mut Directory) -> Result<Answer, ErrorResponse> {
        let mut members = BTreeSet::new();
        for id in &self.member_ids {
            let (number, _) = directory.users.lookup(id).ok_or_else(ErrorResponse::unparsable)?;
            members.insert(number);
        }
        let id = uuid::Uuid::new_v4().to_string();
        let group = Group {
            id,
            attributes: self.attributes,
            members,
            times: Times::now(),
        };
        let resource = group.resource();
        directory.groups.insert(group)?;
        Ok(Answer::created(resource))
    }
}

/// PatchGroup: 204, all changes or none. Adding a member again and removing a user who is none
/// change nothing and succeed; the first is RFC 7644 section 3.5.2.1, what AWS does with the second
/// is not documented. `unknown_member` is the answer to an unknown user id, undocumented as well.
pub(super) fn patch(
    directory: &mut Directory,
    id: &str,
    patch: &GroupPatch,
    unknown_member: &ErrorResponse,
) -> Result<Answer, ErrorResponse> {
    let (number, before) = directory.groups.get(id)?;
    let mut group = before.clone();
    for change in &patch.changes {
        match change {
            Change::AddMember(user) => {
                let (user, _) = directory.users.lookup(user).ok_or_else(|| unknown_member.clone())?;
                group.members.insert(user);
            }
            Change::RemoveMember(user) => {
                if let Some((user, _)) = directory.users.lookup(user) {
                    group.members.remove(&user);
                }
            }
            Change::Set(name, value) => {
                group.attributes.insert((*name).to_owned(), value.clone());
            }
            Change::Clear(name) => {
                group.attributes.shift_remove(*name);
            }
        }
    }
    group.attributes = validate::object(GROUP_ATTRIBUTES, &group.attributes)?;
    group.times = group.times.touched();
    directory.groups.replace(number, group)?;
    Ok(Answer::no_content())
}

/// DeleteGroup.
pub(super) fn delete(directory: &mut Directory, id: &str) -> Result<Answer, ErrorResponse> {
    directory.groups.remove(id)?;
    Ok(Answer::no_content())
}

/// The groups a filter means, numbered higher than `after`; 404 when it names a member that does
/// not exist (Developer Guide, ListGroups).
fn select<'a>(
    directory: &'a Directory,
    filter: &GroupFilter,
    after: u64,
) -> Result<Box<dyn Iterator<Item = (u64, &'a Group)> + 'a>, ErrorResponse> {
    let groups = &directory.groups;
    let one = |found: Option<(u64, &'a Group)>| Box::new(found.into_iter().filter(move |(number, _)| *number > after));
    Ok(match filter {
        GroupFilter::All => Box::new(groups.after(after)),
        GroupFilter::Id(id) => one(groups.lookup(id)),
        GroupFilter::DisplayName(name) => one(groups.holder(&display_name_key(name))),
        GroupFilter::ExternalId(id) => one(groups.holder(&external_id_key(id))),
        GroupFilter::Having(member) => {
            let (member, _) = directory.users.get(member)?;
            Box::new(
                groups
                    .after(after)
                    .filter(move |(_, group)| group.members.contains(&member)),
            )
        }
        GroupFilter::Membership { id, member } => {
            let (member, _) = directory.users.get(member)?;
            one(groups.lookup(id).filter(|(_, group)| group.members.contains(&member)))
        }
    })
}
