//! The standard IAM result envelope: the flat shape that callers of the integration know, made of
//! an [`Outcome`], and the one table of HTTP statuses.

mod dry_run;
mod markdown;
mod status;
#[cfg(test)]
mod tests;
mod wire;

use serde_json::Value;

use crate::{
    outcome::{Failure, GroupAction, GroupEnd, GroupOutcome, Outcome, UserEnd, UserOutcome},
    scim::{Member, Object},
};

pub use dry_run::{CommandResponse, DryRun, PlannedRequest};
pub use markdown::to_markdown;
pub use status::status;
pub use wire::{
    CreateGroupEnvelope, DeleteGroupEnvelope, Envelope, GetGroupEnvelope, GroupMember, GroupResult, Iam,
    MappingFieldsEnvelope, TestModuleEnvelope, TestResult, UpdateGroupEnvelope, UserEnvelope, Vendor,
};

/// The instance that answers, by its brand and name.
#[derive(Clone, Copy, Debug)]
pub struct Signature<'a> {
    /// The integration's brand, `AWS-ILM` by default.
    pub brand: &'a str,
    /// The instance's name.
    pub instance_name: &'a str,
}

impl Envelope {
    /// The envelope of an outcome.
    pub fn new(signature: Signature<'_>, outcome: Outcome) -> Self {
        match outcome {
            Outcome::User(outcome) => Self::User(user(signature, outcome)),
            Outcome::Group(GroupOutcome { action, end, .. }) => {
                let result = group(signature, end);
                match action {
                    GroupAction::Get => Self::GetGroup(GetGroupEnvelope { result }),
                    GroupAction::Create => Self::CreateGroup(CreateGroupEnvelope { result }),
                    GroupAction::Update => Self::UpdateGroup(UpdateGroupEnvelope { result }),
                    GroupAction::Delete => Self::DeleteGroup(DeleteGroupEnvelope { result }),
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

fn user(signature: Signature<'_>, outcome: UserOutcome) -> UserEnvelope {
    let UserOutcome {
        action, profile, end, ..
    } = outcome;
    let mut vendor = Vendor {
        brand: signature.brand.to_owned(),
        instance_name: signature.instance_name.to_owned(),
        action,
        success: true,
        active: None,
        id: None,
        username: None,
        email: profile.field("email").and_then(Value::as_str).map(str::to_owned),
        error_code: None,
        error_message: String::new(),
        details: Object::new(),
        skipped: false,
        reason: String::new(),
    };
    let mut user_profile = profile.into_object();
    match end {
        UserEnd::Done { user, shown } => {
            vendor.active = user.active();
            vendor.id = user.id().map(|id| id.to_string());
            vendor.username = user.user_name().map(str::to_owned);
            if vendor.email.as_deref().is_none_or(str::is_empty) {
                vendor.email = user.email().map(str::to_owned).or(vendor.email);
            }
            vendor.details = user.into_object();
            user_profile = shown.unwrap_or(user_profile);
        }
        UserEnd::Skipped { reason, details } => {
            vendor.details = details;
            vendor.skipped = true;
            vendor.reason = reason.as_str().to_owned();
        }
        UserEnd::Failed { failure, details } => {
            vendor.details = details;
            vendor.success = false;
            vendor.error_code = Some(failure.code());
            vendor.error_message = failure.message;
        }
    }
    UserEnvelope {
        iam: Iam { user_profile, vendor },
    }
}

fn group(signature: Signature<'_>, end: GroupEnd) -> GroupResult {
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
    match end {
        GroupEnd::Done {
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
        GroupEnd::Failed {
            id,
            display_name,
            failure,
            details,
        } => {
            result.success = false;
            result.id = id;
            result.display_name = display_name;
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
