//! The flat shapes on the wire, key by key. Their documentation is the OpenAPI document's.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{outcome::Action, scim::Object};

/// The answer to any command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "each is the envelope of its command")]
pub enum Envelope {
    User(UserEnvelope),
    GetGroup(GetGroupEnvelope),
    CreateGroup(CreateGroupEnvelope),
    UpdateGroup(UpdateGroupEnvelope),
    DeleteGroup(DeleteGroupEnvelope),
    TestModule(TestModuleEnvelope),
    MappingFields(MappingFieldsEnvelope),
}

/// The answer to a user command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UserEnvelope {
    /// What XSOAR puts into its context.
    #[serde(rename = "IAM")]
    pub iam: Iam,
}

/// A profile and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Iam {
    /// The caller's profile as it came; after an iam-get-user that found someone, the app user as a
    /// profile, by display names.
    #[serde(rename = "UserProfile")]
    #[schema(value_type = Object)]
    pub user_profile: Object,
    /// What came of the command.
    #[serde(rename = "Vendor")]
    pub vendor: Vendor,
}

/// What came of a user command. All 13 keys are always there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Vendor {
    /// Name of the integration.
    pub brand: String,
    /// Name of the instance.
    pub instance_name: String,
    /// What was done, or would have been: `get`, `create`, `update`, `disable`.
    #[schema(value_type = String, example = "create")]
    pub action: Action,
    /// Whether the command succeeded. A skip is a success.
    pub success: bool,
    /// Whether the app user is active afterwards; null on a skip or a failure.
    #[schema(required = true)]
    pub active: Option<bool>,
    /// The app user's id in the directory; null on a skip or a failure.
    #[schema(required = true)]
    pub id: Option<String>,
    /// The app user's userName; null on a skip or a failure.
    #[schema(required = true)]
    pub username: Option<String>,
    /// The profile's e-mail, else the app user's primary one.
    #[schema(required = true)]
    pub email: Option<String>,
    /// The directory's HTTP status, or our own where it gave none; null unless the command failed.
    #[schema(required = true)]
    pub error_code: Option<u16>,
    /// Why the command failed, else empty.
    pub error_message: String,
    /// The app user as the directory returned it; when nothing came back, the mapped profile.
    #[schema(value_type = Object)]
    pub details: Object,
    /// Whether there was nothing to do.
    pub skipped: bool,
    /// Why there was nothing to do, else empty.
    pub reason: String,
}

/// What came of a group command. All 12 keys are always there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupResult {
    /// Name of the integration.
    pub brand: String,
    /// Name of the instance.
    pub instance_name: String,
    /// Whether the command succeeded.
    pub success: bool,
    /// Always null: a group is neither active nor inactive.
    #[schema(required = true)]
    pub active: Option<bool>,
    /// The group's id; on a failure, the one asked for.
    #[schema(required = true)]
    pub id: Option<String>,
    /// Always null for a group.
    #[schema(required = true)]
    pub username: Option<String>,
    /// Always null for a group.
    #[schema(required = true)]
    pub email: Option<String>,
    /// The directory's HTTP status, or our own where it gave none; null unless the command failed.
    #[schema(required = true)]
    pub error_code: Option<u16>,
    /// Why the command failed, else null.
    #[schema(required = true)]
    pub error_message: Option<String>,
    /// The group as the directory returned it; after an update or a deletion, the headers of the
    /// last answer; when members failed, each member's fate; null when nothing came back.
    #[schema(value_type = Option<Object>, required = true)]
    pub details: Option<Value>,
    /// The group's name; on a failure, the one asked for.
    #[schema(required = true)]
    pub display_name: Option<String>,
    /// The group's members, from iam-get-group only.
    #[schema(required = true)]
    pub members: Option<Vec<GroupMember>>,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GroupMember {
    /// The user's id.
    pub value: String,
    /// The user's display name.
    #[schema(required = true)]
    pub display: Option<String>,
}

/// The answer to iam-get-group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GetGroupEnvelope {
    /// What came of the command.
    #[serde(rename = "GetGroup")]
    pub result: GroupResult,
}

/// The answer to iam-create-group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CreateGroupEnvelope {
    /// What came of the command.
    #[serde(rename = "CreateGroup")]
    pub result: GroupResult,
}

/// The answer to iam-update-group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UpdateGroupEnvelope {
    /// What came of the command.
    #[serde(rename = "UpdateGroup")]
    pub result: GroupResult,
}

/// The answer to iam-delete-group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeleteGroupEnvelope {
    /// What came of the command.
    #[serde(rename = "DeleteGroup")]
    pub result: GroupResult,
}

/// The answer to test-module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TestModuleEnvelope {
    /// What came of the test.
    #[serde(rename = "TestModule")]
    pub result: TestResult,
}

/// What came of test-module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestResult {
    /// Name of the integration.
    pub brand: String,
    /// Name of the instance.
    pub instance_name: String,
    /// Whether the directory answered as it should.
    pub success: bool,
    /// The directory's HTTP status, or our own where it gave none; null on success.
    #[schema(required = true)]
    pub error_code: Option<u16>,
    /// What failed, else empty.
    pub error_message: String,
    /// What the answer proves; empty on a failure, whose message says it.
    pub details: String,
}

/// The answer to get-mapping-fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MappingFieldsEnvelope {
    /// Each attribute that the directory accepts, with its description.
    #[serde(rename = "User Profile")]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub fields: Object,
}
