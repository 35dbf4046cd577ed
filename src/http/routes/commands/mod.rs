//! The commands' routes: arguments in, envelope out. Five lines a command, and its documentation.

mod audit_guard;
mod call;
mod response;

use axum::response::Response;
use utoipa_axum::{router::OpenApiRouter, routes};

use self::call::Call;
use crate::{
    commands::{
        Command, create_group, create_user, delete_group, disable_user, get_group, get_mapping_fields, get_user,
        test_module, update_group, update_user,
    },
    envelope::{
        CreateGroupEnvelope, DeleteGroupEnvelope, GetGroupEnvelope, MappingFieldsEnvelope, TestModuleEnvelope,
        UpdateGroupEnvelope, UserEnvelope,
    },
    http::{
        arguments::{Arguments, OptionalArguments, RefusedArguments},
        state::App,
    },
};

pub(in crate::http) const USERS: &str = "User commands";
pub(in crate::http) const GROUPS: &str = "Group commands";
pub(in crate::http) const INSTANCE: &str = "Instance commands";

/// Every command's route, one by one.
pub(super) fn routes() -> [OpenApiRouter<App>; 10] {
    [
        OpenApiRouter::new().routes(routes!(iam_create_user)),
        OpenApiRouter::new().routes(routes!(iam_update_user)),
        OpenApiRouter::new().routes(routes!(iam_get_user)),
        OpenApiRouter::new().routes(routes!(iam_disable_user)),
        OpenApiRouter::new().routes(routes!(iam_get_group)),
        OpenApiRouter::new().routes(routes!(iam_create_group)),
        OpenApiRouter::new().routes(routes!(iam_update_group)),
        OpenApiRouter::new().routes(routes!(iam_delete_group)),
        OpenApiRouter::new().routes(routes!(test_module)),
        OpenApiRouter::new().routes(routes!(get_mapping_fields)),
    ]
}

/// Creates a user
///
/// Posts the person as a new app user; a user that is there already is updated instead, and the
/// answer's `action` is then `update`. Skips when creating (or updating, for a user that is there)
/// is switched off. Fails with 400 when the profile lacks what the directory requires and no key
/// finds a user, and when the profile says `active: false` while `allow-enable` is true; with 409
/// when the user that was found may be another person's, and when the e-mail or the employee id is
/// another user's: the message says whose. An `id` that the directory does not know is passed over.
#[utoipa::path(post, path = "/commands/iam-create-user", tag = USERS, operation_id = "iam-create-user",
    request_body = create_user::Args, responses((status = 200, description = "", body = UserEnvelope)))]
async fn iam_create_user(call: Call, arguments: Read<Arguments<create_user::Args>>) -> Response {
    call.run(arguments, Command::CreateUser).await
}

/// Updates a user
///
/// Finds the app user by what was true before (`olduserdata`) and then by what is true now, and
/// sends what differs in one PATCH; an inactive user is enabled in it when `allow-enable` and the
/// instance's switch both say so. Send `"allow-enable": false` with every change that is not meant
/// to bring a person back: a late message about a new title would else enable a leaver. An empty
/// field changes nothing; what `clear` names is taken out of the user. No user found: creates one
/// when the instance creates what is missing, else skips. Fails with 400 when a field can't be
/// cleared, or is filled at once, and with 409 when the user that was found may be another
/// person's.
#[utoipa::path(post, path = "/commands/iam-update-user", tag = USERS, operation_id = "iam-update-user",
    request_body = update_user::Args, responses((status = 200, description = "", body = UserEnvelope)))]
async fn iam_update_user(call: Call, arguments: Read<Arguments<update_user::Args>>) -> Response {
    call.run(arguments, Command::UpdateUser).await
}

/// Retrieves a single user
///
/// Shows the app user as the directory has it (`details`) and as a profile by display names
/// (`UserProfile`). A user that no key finds is a failure, 404.
#[utoipa::path(post, path = "/commands/iam-get-user", tag = USERS, operation_id = "iam-get-user",
    request_body = get_user::Args, responses((status = 200, description = "", body = UserEnvelope)))]
async fn iam_get_user(call: Call, arguments: Read<Arguments<get_user::Args>>) -> Response {
    call.run(arguments, Command::GetUser).await
}

/// Disables an active user
///
/// Makes the app user inactive. Skips when disabling is switched off, when the user is inactive
/// already, and when no key finds a user (with `disable_absent = "fail"`: a failure, 404). Fails
/// with 409 when the user that was found may be another person's.
#[utoipa::path(post, path = "/commands/iam-disable-user", tag = USERS, operation_id = "iam-disable-user",
    request_body = disable_user::Args, responses((status = 200, description = "", body = UserEnvelope)))]
async fn iam_disable_user(call: Call, arguments: Read<Arguments<disable_user::Args>>) -> Response {
    call.run(arguments, Command::DisableUser).await
}

/// Retrieves a group and its members
///
/// By `id`, else by `displayName`. All members are read, page after page, unless `includeMembers`
/// is false.
#[utoipa::path(post, path = "/commands/iam-get-group", tag = GROUPS, operation_id = "iam-get-group",
    request_body = get_group::Args, responses((status = 200, description = "", body = GetGroupEnvelope)))]
async fn iam_get_group(call: Call, arguments: Read<Arguments<get_group::Args>>) -> Response {
    call.run(arguments, Command::GetGroup).await
}

/// Creates an empty group
///
/// Needs a `displayName`; an `externalId` is kept. A name or an externalId that another group has
/// is a failure, 409.
#[utoipa::path(post, path = "/commands/iam-create-group", tag = GROUPS, operation_id = "iam-create-group",
    request_body = create_group::Args, responses((status = 200, description = "", body = CreateGroupEnvelope)))]
async fn iam_create_group(call: Call, arguments: Read<Arguments<create_group::Args>>) -> Response {
    call.run(arguments, Command::CreateGroup).await
}

/// Updates a group's members, or its name
///
/// Takes any number of members and sends them in PATCHes of at most 100 changes, additions first.
/// When the directory refuses one member, the others are changed all the same, and `details` tells
/// each one's fate. Without members, `displayName` and `externalId` are replaced.
#[utoipa::path(post, path = "/commands/iam-update-group", tag = GROUPS, operation_id = "iam-update-group",
    request_body = update_group::Args, responses((status = 200, description = "", body = UpdateGroupEnvelope)))]
async fn iam_update_group(call: Call, arguments: Read<Arguments<update_group::Args>>) -> Response {
    call.run(arguments, Command::UpdateGroup).await
}

/// Permanently removes a group
///
/// By `id`. A group that is not there is a failure, 404.
#[utoipa::path(post, path = "/commands/iam-delete-group", tag = GROUPS, operation_id = "iam-delete-group",
    request_body = delete_group::Args, responses((status = 200, description = "", body = DeleteGroupEnvelope)))]
async fn iam_delete_group(call: Call, arguments: Read<Arguments<delete_group::Args>>) -> Response {
    call.run(arguments, Command::DeleteGroup).await
}

/// Tests an instance
///
/// Reads one user, and says what the answer proves: whether URL, tenant, token and rights are as
/// they should be.
#[utoipa::path(post, path = "/commands/test-module", tag = INSTANCE, operation_id = "test-module",
    request_body = test_module::Args, responses((status = 200, description = "", body = TestModuleEnvelope)))]
async fn test_module(call: Call, arguments: Read<OptionalArguments<test_module::Args>>) -> Response {
    call.run(arguments, Command::TestModule).await
}

/// Lists the fields a mapping can fill
///
/// Each attribute that the directory accepts, with its description. Makes no call.
#[utoipa::path(post, path = "/commands/get-mapping-fields", tag = INSTANCE, operation_id = "get-mapping-fields",
    request_body = get_mapping_fields::Args, responses((status = 200, description = "", body = MappingFieldsEnvelope)))]
async fn get_mapping_fields(call: Call, arguments: Read<OptionalArguments<get_mapping_fields::Args>>) -> Response {
    call.run(arguments, Command::GetMappingFields).await
}

/// Arguments that are read, or refused: a caller may want even that as an envelope.
type Read<A> = Result<A, RefusedArguments>;
