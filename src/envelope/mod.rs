//! The standard IAM result envelope: the flat shape that callers of the integration know, made of an [`Outcome`], and the one
//! table of HTTP statuses.

mod markdown;

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    commands::Command,
    outcome::{Action, Cause, Failure, GroupOutcome, Outcome, UserOutcome},
    profile::{GroupProfile, UserProfile},
    scim::{ErrorKind, Member, Object},
};

pub use markdown::to_markdown;

/// Who answers: the instance by its brand and name.
#[derive(Clone, Copy, Debug)]
pub struct Signature<'a> {
    /// The integration's brand, `AWS-ILM` by default.
    pub brand: &'a str,
    /// The instance's name.
    pub instance_name: &'a str,
}

/// The answer to any command.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct UserEnvelope {
    /// What XSOAR puts into its context.
    #[serde(rename = "IAM")]
    pub iam: Iam,
}

/// A profile and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Iam {
    /// The caller's profile as it came; after an iam-get-user that found someone, the app user as a profile, by display names.
    #[serde(rename = "UserProfile")]
    #[schema(value_type = Object)]
    pub user_profile: Object,
    /// What came of the command.
    #[serde(rename = "Vendor")]
    pub vendor: Vendor,
}

/// What came of a user command. All 13 keys are always there.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
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
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
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
    /// The group as the directory returned it; after an update or a deletion, the headers of the last answer; when members failed,
    /// each member's fate; null when nothing came back.
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct GroupMember {
    /// The user's id.
    pub value: String,
    /// The user's display name.
    #[schema(required = true)]
    pub display: Option<String>,
}

/// The answer to iam-get-group.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct GetGroupEnvelope {
    /// What came of the command.
    #[serde(rename = "GetGroup")]
    pub result: GroupResult,
}

/// The answer to iam-create-group.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CreateGroupEnvelope {
    /// What came of the command.
    #[serde(rename = "CreateGroup")]
    pub result: GroupResult,
}

/// The answer to iam-update-group.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct UpdateGroupEnvelope {
    /// What came of the command.
    #[serde(rename = "UpdateGroup")]
    pub result: GroupResult,
}

/// The answer to iam-delete-group.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct DeleteGroupEnvelope {
    /// What came of the command.
    #[serde(rename = "DeleteGroup")]
    pub result: GroupResult,
}

/// The answer to test-module.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TestModuleEnvelope {
    /// What came of the test.
    #[serde(rename = "TestModule")]
    pub result: TestResult,
}

/// What came of test-module.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
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
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MappingFieldsEnvelope {
    /// Each attribute that the directory accepts, with its description.
    #[serde(rename = "User Profile")]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub fields: Object,
}

impl Envelope {
    /// Tells an outcome of `command`.
    pub fn new(signature: Signature<'_>, command: &Command, outcome: Outcome) -> Self {
        match outcome {
            Outcome::User(outcome) => {
                let none = UserProfile::default();
                Self::User(user(signature, command.user_profile().unwrap_or(&none), outcome))
            }
            Outcome::Group(outcome) => {
                let none = GroupProfile::default();
                let result = group(signature, command.group_profile().unwrap_or(&none), outcome);
                match command {
                    Command::CreateGroup(_) => Self::CreateGroup(CreateGroupEnvelope { result }),
                    Command::UpdateGroup(_) => Self::UpdateGroup(UpdateGroupEnvelope { result }),
                    Command::DeleteGroup(_) => Self::DeleteGroup(DeleteGroupEnvelope { result }),
                    // The commands that have no group outcome stand here with the one that has.
                    Command::GetGroup(_)
                    | Command::CreateUser(_)
                    | Command::UpdateUser(_)
                    | Command::GetUser(_)
                    | Command::DisableUser(_)
                    | Command::TestModule(_)
                    | Command::GetMappingFields(_) => Self::GetGroup(GetGroupEnvelope { result }),
                }
            }
            Outcome::Tested(tested) => Self::TestModule(TestModuleEnvelope {
                result: test(signature, tested),
            }),
            Outcome::MappingFields(fields) => {
                let fields = fields
                    .into_iter()
                    .map(|(name, description)| (name, description.into()))
                    .collect();
                Self::MappingFields(MappingFieldsEnvelope { fields })
            }
        }
    }
}

/// The HTTP status of an outcome: what the caller has to do. The only table of its kind.
pub fn status(outcome: &Outcome) -> u16 {
    let Some(failure) = failure(outcome) else { return 200 };
    match failure.cause {
        // Mend the data.
        Cause::Invalid => 400,
        // Nothing is there.
        Cause::Absent => 404,
        // Decide.
        Cause::Conflict | Cause::Ambiguous => 409,
        // Tell the operator.
        Cause::Mismatch => 502,
        Cause::Directory(kind) => match kind {
            ErrorKind::Status(400) => 400,
            ErrorKind::Status(409) => 409,
            ErrorKind::Absent => 404,
            // 401 and 403 mean our token: never the caller's.
            ErrorKind::Status(_) | ErrorKind::WrongUrl | ErrorKind::Unreadable => 502,
            // Try later.
            ErrorKind::Throttled | ErrorKind::Connect => 503,
            ErrorKind::Timeout | ErrorKind::Broken | ErrorKind::Expired => 504,
        },
    }
}

/// How long to wait before trying again, where the status is one that asks for it (503).
pub fn retry_after(outcome: &Outcome) -> Option<Duration> {
    /// What is said when the directory does not say it.
    const DEFAULT: Duration = Duration::from_secs(5);
    /// No directory may send callers away for longer.
    const LONGEST: Duration = Duration::from_secs(300);
    let failure = failure(outcome).filter(|_| status(outcome) == 503)?;
    Some(
        failure
            .retry_after
            .unwrap_or(DEFAULT)
            .clamp(Duration::from_secs(1), LONGEST),
    )
}

/// An outcome in one word, for logs.
pub fn label(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::User(UserOutcome::Skipped { .. }) => "skipped",
        _ if failure(outcome).is_some() => "failed",
        Outcome::User(_) | Outcome::Group(_) | Outcome::Tested(_) | Outcome::MappingFields(_) => "done",
    }
}

/// Why a command failed, if it did.
pub fn failure(outcome: &Outcome) -> Option<&Failure> {
    match outcome {
        Outcome::User(UserOutcome::Failed { failure, .. })
        | Outcome::Group(GroupOutcome::Failed { failure, .. })
        | Outcome::Tested(Err(failure)) => Some(failure),
        Outcome::User(UserOutcome::Done { .. } | UserOutcome::Skipped { .. })
        | Outcome::Group(GroupOutcome::Done { .. })
        | Outcome::Tested(Ok(_))
        | Outcome::MappingFields(_) => None,
    }
}

fn user(signature: Signature<'_>, given: &UserProfile, outcome: UserOutcome) -> UserEnvelope {
    let given_email = given.field("email").and_then(Value::as_str).map(str::to_owned);
    let (action, details) = match &outcome {
        UserOutcome::Done { action, user, .. } => (*action, user.as_object().clone()),
        UserOutcome::Skipped { action, details, .. } | UserOutcome::Failed { action, details, .. } => {
            (*action, details.clone())
        }
    };
    let mut vendor = Vendor {
        brand: signature.brand.to_owned(),
        instance_name: signature.instance_name.to_owned(),
        action,
        success: true,
        active: None,
        id: None,
        username: None,
        email: given_email,
        error_code: None,
        error_message: String::new(),
        details,
        skipped: false,
        reason: String::new(),
    };
    let mut user_profile = given.as_object().clone();
    match outcome {
        UserOutcome::Done { user, profile, .. } => {
            vendor.active = user.active();
            vendor.id = user.id().map(|id| id.to_string());
            vendor.username = user.user_name().map(str::to_owned);
            if vendor.email.as_deref().is_none_or(str::is_empty) {
                vendor.email = user.email().map(str::to_owned).or(vendor.email);
            }
            user_profile = profile.unwrap_or(user_profile);
        }
        UserOutcome::Skipped { reason, .. } => {
            vendor.skipped = true;
            vendor.reason = reason.as_str().to_owned();
        }
        UserOutcome::Failed { failure, .. } => {
            vendor.success = false;
            vendor.error_code = Some(failure.code());
            vendor.error_message = failure.message;
        }
    }
    UserEnvelope {
        iam: Iam { user_profile, vendor },
    }
}

fn group(signature: Signature<'_>, given: &GroupProfile, outcome: GroupOutcome) -> GroupResult {
    let asked = |name: &str| given.text(name).ok().flatten().map(str::to_owned);
    let mut result = GroupResult {
        brand: signature.brand.to_owned(),
        instance_name: signature.instance_name.to_owned(),
        success: true,
        active: None,
        id: None,
        username: None,
        email: None,
        error_code: None,
        error_message: None,
        details: None,
        display_name: None,
        members: None,
    };
    match outcome {
        GroupOutcome::Done {
            id,
            display_name,
            details,
            members,
        } => {
            let shown = |Member { value, display }| GroupMember { value, display };
            result.id = id;
            result.display_name = display_name;
            result.details = Some(details.into());
            result.members = members.map(|members| members.into_iter().map(shown).collect());
        }
        GroupOutcome::Failed { failure, details } => {
            result.success = false;
            result.id = asked("id");
            result.display_name = asked("displayName");
            result.error_code = Some(failure.code());
            result.error_message = Some(failure.message);
            result.details = details;
        }
    }
    result
}

fn test(signature: Signature<'_>, tested: Result<&'static str, Failure>) -> TestResult {
    let (error_code, error_message, details) = match tested {
        Ok(proved) => (None, String::new(), proved.to_owned()),
        Err(failure) => (Some(failure.code()), failure.message, String::new()),
    };
    TestResult {
        brand: signature.brand.to_owned(),
        instance_name: signature.instance_name.to_owned(),
        success: error_code.is_none(),
        error_code,
        error_message,
        details,
    }
}
