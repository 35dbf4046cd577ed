//! The standard IAM result envelope: the flat shape that callers of the integration know, made of
//! an [`Outcome`], and the one table of HTTP statuses.

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
            ErrorKind::Throttled | ErrorKind::Connect | ErrorKind::Congested | ErrorKind::CircuitOpen => 503,
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{outcome::SkipReason, scim::User};

    const SIGNATURE: Signature<'static> = Signature {
        brand: "AWS-ILM",
        instance_name: "one",
    };

    const VENDOR: [&str; 13] = [
        "brand",
        "instanceName",
        "action",
        "success",
        "active",
        "id",
        "username",
        "email",
        "errorCode",
        "errorMessage",
        "details",
        "skipped",
        "reason",
    ];

    const GROUP: [&str; 12] = [
        "brand",
        "instanceName",
        "success",
        "active",
        "id",
        "username",
        "email",
        "errorCode",
        "errorMessage",
        "details",
        "displayName",
        "members",
    ];

    fn user_command(profile: Value) -> Command {
        serde_json::from_value(json!({"command": "iam-create-user", "arguments": {"user-profile": profile}})).unwrap()
    }

    fn group_command(name: &str, group: Value) -> Command {
        serde_json::from_value(json!({"command": name, "arguments": {"scim": group}})).unwrap()
    }

    fn told(command: &Command, outcome: Outcome) -> Value {
        serde_json::to_value(Envelope::new(SIGNATURE, command, outcome)).unwrap()
    }

    fn object(value: Value) -> Object {
        value.as_object().unwrap().clone()
    }

    fn app_user(emails: Value) -> User {
        User::read(json!({"id": "u-1", "userName": "test", "active": true, "emails": emails})).unwrap()
    }

    fn done(user: User) -> Outcome {
        Outcome::User(UserOutcome::Done {
            action: Action::Create,
            user,
            profile: None,
        })
    }

    fn skipped() -> Outcome {
        Outcome::User(UserOutcome::Skipped {
            action: Action::Disable,
            reason: SkipReason::AlreadyDisabled,
            details: object(json!({"id": "u-1", "userName": "test", "active": false})),
        })
    }

    fn user_failed(failure: Failure) -> Outcome {
        Outcome::User(UserOutcome::Failed {
            action: Action::Update,
            failure,
            details: object(json!({"id": "u-1", "userName": "test"})),
        })
    }

    fn group_failed(failure: Failure, details: Option<Value>) -> Outcome {
        Outcome::Group(GroupOutcome::Failed { failure, details })
    }

    fn keys(value: &Value) -> Vec<&str> {
        value.as_object().unwrap().keys().map(String::as_str).collect()
    }

    fn failing(kind: ErrorKind) -> Failure {
        Failure::new(Cause::Directory(kind), "said")
    }

    #[test]
    fn the_table_of_statuses() {
        let rows = [
            (Cause::Invalid, 400),
            (Cause::Directory(ErrorKind::Status(400)), 400),
            (Cause::Absent, 404),
            (Cause::Directory(ErrorKind::Absent), 404),
            (Cause::Conflict, 409),
            (Cause::Ambiguous, 409),
            (Cause::Directory(ErrorKind::Status(409)), 409),
            (Cause::Directory(ErrorKind::Throttled), 503),
            (Cause::Directory(ErrorKind::Connect), 503),
            (Cause::Directory(ErrorKind::Congested), 503),
            (Cause::Directory(ErrorKind::CircuitOpen), 503),
            (Cause::Directory(ErrorKind::Status(401)), 502),
            (Cause::Directory(ErrorKind::Status(403)), 502),
            (Cause::Directory(ErrorKind::Status(412)), 502),
            (Cause::Directory(ErrorKind::Status(500)), 502),
            (Cause::Directory(ErrorKind::Status(503)), 502),
            (Cause::Directory(ErrorKind::Status(504)), 502),
            (Cause::Directory(ErrorKind::WrongUrl), 502),
            (Cause::Directory(ErrorKind::Unreadable), 502),
            (Cause::Mismatch, 502),
            (Cause::Directory(ErrorKind::Timeout), 504),
            (Cause::Directory(ErrorKind::Broken), 504),
            (Cause::Directory(ErrorKind::Expired), 504),
        ];
        for (cause, expected) in rows {
            let failure = Failure::new(cause, "said");
            for outcome in [
                user_failed(failure.clone()),
                group_failed(failure.clone(), None),
                Outcome::Tested(Err(failure)),
            ] {
                assert_eq!(status(&outcome), expected, "{cause:?}");
                assert_eq!(label(&outcome), "failed", "{cause:?}");
                assert_eq!(retry_after(&outcome).is_some(), expected == 503, "{cause:?}");
            }
        }
        let group = Outcome::Group(GroupOutcome::Done {
            id: None,
            display_name: None,
            details: Object::new(),
            members: None,
        });
        for (outcome, word) in [
            (done(app_user(json!([]))), "done"),
            (skipped(), "skipped"),
            (group, "done"),
            (Outcome::Tested(Ok("proved")), "done"),
            (Outcome::MappingFields(Vec::new()), "done"),
        ] {
            assert_eq!((status(&outcome), label(&outcome)), (200, word));
            assert_eq!(retry_after(&outcome), None);
            assert_eq!(failure(&outcome), None);
        }
    }

    #[test]
    fn a_caller_is_sent_away_for_one_second_to_five_minutes() {
        let rows = [
            (None, 5),
            (Some(Duration::ZERO), 1),
            (Some(Duration::from_millis(10)), 1),
            (Some(Duration::from_secs(7)), 7),
            (Some(Duration::from_secs(300)), 300),
            (Some(Duration::from_secs(86_400)), 300),
            (Some(Duration::MAX), 300),
        ];
        for (asked, expected) in rows {
            for kind in [
                ErrorKind::Throttled,
                ErrorKind::Connect,
                ErrorKind::Congested,
                ErrorKind::CircuitOpen,
            ] {
                let failure = Failure {
                    retry_after: asked,
                    ..failing(kind)
                };
                assert_eq!(
                    retry_after(&user_failed(failure)),
                    Some(Duration::from_secs(expected)),
                    "{kind:?} {asked:?}"
                );
            }
        }
        let slow = Failure {
            retry_after: Some(Duration::from_secs(7)),
            ..failing(ErrorKind::Status(500))
        };
        assert_eq!(retry_after(&user_failed(slow)), None, "only 503 asks to wait");
    }

    #[test]
    fn a_user_that_was_made() {
        let command = user_command(json!({"username": "test", "email": "mine@example.com", "shoesize": 43}));
        let user = app_user(json!([{"value": "theirs@example.com", "primary": true}]));
        let told = told(&command, done(user.clone()));
        assert_eq!(keys(&told["IAM"]), ["UserProfile", "Vendor"]);
        assert_eq!(keys(&told["IAM"]["Vendor"]), VENDOR);
        assert_eq!(
            told,
            json!({"IAM": {
                "UserProfile": {"username": "test", "email": "mine@example.com", "shoesize": 43},
                "Vendor": {
                    "brand": "AWS-ILM", "instanceName": "one", "action": "create", "success": true, "active": true, "id": "u-1",
                    "username": "test", "email": "mine@example.com", "errorCode": null, "errorMessage": "",
                    "details": user.as_object(), "skipped": false, "reason": "",
                },
            }})
        );
    }

    #[test]
    fn a_skip_shows_whom_it_found_in_the_details_only() {
        let command = user_command(json!({"username": "test", "email": "mine@example.com"}));
        let told = told(&command, skipped());
        assert_eq!(keys(&told["IAM"]["Vendor"]), VENDOR);
        assert_eq!(
            told["IAM"]["Vendor"],
            json!({
                "brand": "AWS-ILM", "instanceName": "one", "action": "disable", "success": true, "active": null, "id": null,
                "username": null, "email": "mine@example.com", "errorCode": null, "errorMessage": "",
                "details": {"id": "u-1", "userName": "test", "active": false}, "skipped": true,
                "reason": "User is already disabled.",
            })
        );
    }

    #[test]
    fn a_failure_shows_whom_it_found_in_the_details_only() {
        let command = user_command(json!({"username": "test"}));
        let told = told(&command, user_failed(failing(ErrorKind::Status(500))));
        assert_eq!(keys(&told["IAM"]["Vendor"]), VENDOR);
        assert_eq!(
            told["IAM"],
            json!({
                "UserProfile": {"username": "test"},
                "Vendor": {
                    "brand": "AWS-ILM", "instanceName": "one", "action": "update", "success": false, "active": null, "id": null,
                    "username": null, "email": null, "errorCode": 500, "errorMessage": "said",
                    "details": {"id": "u-1", "userName": "test"}, "skipped": false, "reason": "",
                },
            })
        );
    }

    #[test]
    fn the_email_is_the_profiles_else_the_primary_one() {
        let two = json!([{"value": "first@x"}, {"value": "primary@x", "primary": true}]);
        let rows = [
            (
                "the profile's",
                json!({"email": "mine@x"}),
                two.clone(),
                json!("mine@x"),
            ),
            (
                "by its display name",
                json!({"Email": "mine@x"}),
                two.clone(),
                json!("mine@x"),
            ),
            ("none: the primary one", json!({}), two.clone(), json!("primary@x")),
            ("null", json!({"email": null}), two.clone(), json!("primary@x")),
            ("empty", json!({"email": ""}), two.clone(), json!("primary@x")),
            ("not text", json!({"email": 7}), two, json!("primary@x")),
            (
                "no primary one: the first",
                json!({}),
                json!([{"value": "first@x"}]),
                json!("first@x"),
            ),
            ("neither", json!({}), json!([]), json!(null)),
            (
                "empty, and none to yield to",
                json!({"email": ""}),
                json!([]),
                json!(""),
            ),
        ];
        for (name, profile, emails, expected) in rows {
            let told = told(&user_command(profile), done(app_user(emails)));
            assert_eq!(told["IAM"]["Vendor"]["email"], expected, "{name}");
        }
        // On a skip and a failure it is the profile's only, whoever was found.
        for (profile, expected) in [
            (json!({"email": "mine@x"}), json!("mine@x")),
            (json!({"email": ""}), json!("")),
            (json!({}), json!(null)),
        ] {
            for outcome in [skipped(), user_failed(failing(ErrorKind::Timeout))] {
                assert_eq!(
                    told(&user_command(profile.clone()), outcome)["IAM"]["Vendor"]["email"],
                    expected
                );
            }
        }
    }

    #[test]
    fn what_the_directory_did_not_say_is_null() {
        let silent = User::read(json!({"id": "u-1", "userName": "test"})).unwrap();
        let vendor = &told(&user_command(json!({})), done(silent))["IAM"]["Vendor"];
        assert_eq!(vendor["active"], json!(null));
        assert_eq!(vendor["email"], json!(null));
        assert_eq!(vendor["id"], "u-1");
    }

    #[test]
    fn a_get_shows_the_app_user_as_the_profile() {
        let outcome = Outcome::User(UserOutcome::Done {
            action: Action::Get,
            user: app_user(json!([])),
            profile: Some(object(json!({"Username": "test"}))),
        });
        let told = told(&user_command(json!({"id": "u-1"})), outcome);
        assert_eq!(told["IAM"]["UserProfile"], json!({"Username": "test"}));
    }

    #[test]
    fn each_group_command_has_a_key_of_its_own() {
        let asked = json!({"id": "g-1", "displayName": "Admins"});
        for (name, key) in [
            ("iam-get-group", "GetGroup"),
            ("iam-create-group", "CreateGroup"),
            ("iam-update-group", "UpdateGroup"),
            ("iam-delete-group", "DeleteGroup"),
        ] {
            let outcomes = [
                Outcome::Group(GroupOutcome::Done {
                    id: Some("g-1".to_owned()),
                    display_name: None,
                    details: Object::new(),
                    members: None,
                }),
                group_failed(failing(ErrorKind::Timeout), None),
            ];
            for outcome in outcomes {
                let told = told(&group_command(name, asked.clone()), outcome);
                assert_eq!(keys(&told), [key]);
                assert_eq!(keys(&told[key]), GROUP);
            }
        }
    }

    #[test]
    fn a_group_that_was_found() {
        let member = |value: &str, display: Option<&str>| Member {
            value: value.to_owned(),
            display: display.map(str::to_owned),
        };
        let outcome = Outcome::Group(GroupOutcome::Done {
            id: Some("g-1".to_owned()),
            display_name: Some("Admins".to_owned()),
            details: object(json!({"id": "g-1", "displayName": "Admins"})),
            members: Some(vec![member("u-1", Some("One")), member("u-2", None)]),
        });
        let told = told(&group_command("iam-get-group", json!({"id": "g-1"})), outcome);
        assert_eq!(
            told["GetGroup"],
            json!({
                "brand": "AWS-ILM", "instanceName": "one", "success": true, "active": null, "id": "g-1", "username": null,
                "email": null, "errorCode": null, "errorMessage": null, "details": {"id": "g-1", "displayName": "Admins"},
                "displayName": "Admins", "members": [{"value": "u-1", "display": "One"}, {"value": "u-2", "display": null}],
            })
        );
    }

    #[test]
    fn a_failed_group_command_tells_what_was_asked_for() {
        let fates = json!({"members": [{"value": "u-1", "operation": "add", "result": "failed"}]});
        let rows = [
            (
                json!({"id": "g-1", "displayName": "Admins"}),
                json!("g-1"),
                json!("Admins"),
            ),
            (json!({"id": "../x"}), json!("../x"), json!(null)),
            (json!({"displayname": "Admins"}), json!(null), json!("Admins")),
            (json!({"id": "", "displayName": 7}), json!(null), json!(null)),
        ];
        for (asked, id, name) in rows {
            let failure = Failure::new(Cause::Directory(ErrorKind::Absent), "said");
            let told = told(
                &group_command("iam-update-group", asked),
                group_failed(failure, Some(fates.clone())),
            );
            assert_eq!(
                told["UpdateGroup"],
                json!({
                    "brand": "AWS-ILM", "instanceName": "one", "success": false, "active": null, "id": id, "username": null,
                    "email": null, "errorCode": 404, "errorMessage": "said", "details": fates, "displayName": name,
                    "members": null,
                })
            );
        }
    }

    #[test]
    fn the_two_commands_without_a_person_or_a_group() {
        let test: Command = serde_json::from_value(json!({"command": "test-module", "arguments": {}})).unwrap();
        assert_eq!(
            told(&test, Outcome::Tested(Ok("proved"))),
            json!({"TestModule": {
                "brand": "AWS-ILM", "instanceName": "one", "success": true, "errorCode": null, "errorMessage": "",
                "details": "proved",
            }})
        );
        assert_eq!(
            told(&test, Outcome::Tested(Err(failing(ErrorKind::Connect)))),
            json!({"TestModule": {
                "brand": "AWS-ILM", "instanceName": "one", "success": false, "errorCode": 503, "errorMessage": "said",
                "details": "",
            }})
        );
        let fields = vec![("userName".to_owned(), "text".to_owned())];
        assert_eq!(
            told(&test, Outcome::MappingFields(fields)),
            json!({"User Profile": {"userName": "text"}})
        );
    }
}
