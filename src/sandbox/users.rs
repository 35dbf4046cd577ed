//! The six operations on users.

use serde_json::Value;

use super::{
    directory::{Directory, Times, User, external_id_key, user_name_key},
    filter::UserFilter,
    paging::Paging,
    patch_user,
    schema::{ENTERPRISE, USER, USER_ATTRIBUTES},
    validate,
    wire::{Answer, ErrorResponse},
};

/// ListUsers.
pub(super) fn list(directory: &Directory, query: &str) -> Result<Answer, ErrorResponse> {
    let paging = Paging::parse("Users", query)?;
    let filter = UserFilter::parse(paging.filter.as_deref())?;
    let entries = select(directory, &filter, paging.after);
    Ok(Answer::ok(
        paging.page(entries.map(|(number, user)| (number, user.resource()))),
    ))
}

/// GetUser.
pub(super) fn get(directory: &Directory, id: &str) -> Result<Answer, ErrorResponse> {
    let (_, user) = directory.users.get(id)?;
    Ok(Answer::ok(user.resource()))
}

/// CreateUser. The guide's sample sends a `profileUrl` and is answered without it, so this answers
/// without it as well; the attribute is stored.
pub(super) fn create(directory: &mut Directory, body: &Value) -> Result<Answer, ErrorResponse> {
    let attributes = validate::resource(USER_ATTRIBUTES, &[USER, ENTERPRISE], body)?;
    let user = User {
        id: uuid::Uuid::new_v4().to_string(),
        attributes,
        times: Times::now(),
    };
    check_manager(directory, &user, None)?;
    let mut resource = user.resource();
    directory.users.insert(user)?;
    if let Some(resource) = resource.as_object_mut() {
        resource.remove("profileUrl");
    }
    Ok(Answer::created(resource))
}

/// PutUser: a full replacement. What is left out is cleared (RFC 7644 section 3.5.1; whether AWS
/// clears `active` too is not documented).
pub(super) fn put(directory: &mut Directory, id: &str, body: &Value) -> Result<Answer, ErrorResponse> {
    let (number, before) = directory.users.get(id)?;
    let attributes = validate::resource(USER_ATTRIBUTES, &[USER, ENTERPRISE], body)?;
    let user = User {
        id: before.id.clone(),
        attributes,
        times: before.times.touched(),
    };
    check_manager(directory, &user, Some(before))?;
    store(directory, number, user)
}

/// PatchUser: 200 with the user, all operations or none.
pub(super) fn patch(directory: &mut Directory, id: &str, body: &Value) -> Result<Answer, ErrorResponse> {
    let (number, before) = directory.users.get(id)?;
    let attributes = patch_user::apply(&before.attributes, body)?;
    let user = User {
        id: before.id.clone(),
        attributes,
        times: before.times.touched(),
    };
    check_manager(directory, &user, Some(before))?;
    store(directory, number, user)
}

/// DeleteUser.
pub(super) fn delete(directory: &mut Directory, id: &str) -> Result<Answer, ErrorResponse> {
    directory.remove_user(id)?;
    Ok(Answer::no_content())
}

fn store(directory: &mut Directory, number: u64, user: User) -> Result<Answer, ErrorResponse> {
    let resource = user.resource();
    directory.users.replace(number, user)?;
    Ok(Answer::ok(resource))
}

/// A new manager has to exist: its value is an AWS user id (Developer Guide, CreateUser). That an
/// unknown one gets 400 is an assumption; no other status fits CreateUser's documented list. One
/// that is merely kept is not looked up again, since managers leave too.
fn check_manager(directory: &Directory, user: &User, before: Option<&User>) -> Result<(), ErrorResponse> {
    match user.manager() {
        Some(manager) if before.and_then(User::manager) != Some(manager) => directory
            .users
            .lookup(manager)
            .map(|_| ())
            .ok_or_else(ErrorResponse::unparsable),
        Some(_) | None => Ok(()),
    }
}

/// The users a filter means, numbered higher than `after`. An unknown group has no members: 404 is
/// documented for ListGroups only.
fn select<'a>(
    directory: &'a Directory,
    filter: &UserFilter,
    after: u64,
) -> Box<dyn Iterator<Item = (u64, &'a User)> + 'a> {
    let users = &directory.users;
    let one = |found: Option<(u64, &'a User)>| Box::new(found.into_iter().filter(move |(number, _)| *number > after));
    match filter {
        UserFilter::All => Box::new(users.after(after)),
        UserFilter::Id(id) => one(users.lookup(id)),
        UserFilter::UserName(name) => one(users.holder(&user_name_key(name))),
        UserFilter::ExternalId(id) => one(users.holder(&external_id_key(id))),
        UserFilter::Managed { id, manager } => one(users
            .lookup(id)
            .filter(|(_, user)| user.manager() == Some(manager.as_str()))),
        UserFilter::MembersOf(group) => match directory.groups.lookup(group) {
            Some((_, group)) => Box::new(
                group
                    .members
                    .range(after.saturating_add(1)..)
                    .filter_map(|number| Some((*number, users.by_number(*number)?))),
            ),
            None => Box::new(std::iter::empty()),
        },
    }
}
