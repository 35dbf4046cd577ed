//! The failure that stands for a command that was not run, for callers who ask for an envelope in
//! any case.

use crate::{
    outcome::{Action, Failure, GroupAction, GroupEnd, GroupOutcome, Lookup, Outcome, UserEnd, UserOutcome},
    profile::UserProfile,
    scim::Object,
};

/// The failed outcome of the command of this name, with why it failed without having been run;
/// `profile` is what could be read. None for `get-mapping-fields`, whose envelope
/// can tell no failure.
pub fn refused(command: &str, profile: Option<UserProfile>, failure: Failure) -> Option<Outcome> {
    let user = |action, failure| {
        Outcome::User(UserOutcome {
            action,
            profile: profile.unwrap_or_default(),
            lookup: Lookup::default(),
            overtaken: None,
            end: UserEnd::Failed {
                failure,
                details: Object::new(),
            },
        })
    };
    let group = |action, failure| {
        Outcome::Group(GroupOutcome {
            action,
            lookup: Lookup::default(),
            end: GroupEnd::Failed {
                id: None,
                display_name: None,
                failure,
                details: None,
            },
        })
    };
    Some(match command {
        "iam-create-user" => user(Action::Create, failure),
        "iam-update-user" => user(Action::Update, failure),
        "iam-get-user" => user(Action::Get, failure),
        "iam-disable-user" => user(Action::Disable, failure),
        "iam-get-group" => group(GroupAction::Get, failure),
        "iam-create-group" => group(GroupAction::Create, failure),
        "iam-update-group" => group(GroupAction::Update, failure),
        "iam-delete-group" => group(GroupAction::Delete, failure),
        "test-module" => Outcome::Tested(Err(failure)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{commands::NAMES, outcome::Cause};

    #[test]
    fn every_command_but_one_has_a_failure() {
        let without: Vec<_> = NAMES
            .iter()
            .filter(|(name, _)| refused(name, None, Failure::new(Cause::Invalid, "x")).is_none())
            .collect();
        assert_eq!(without, [&("get-mapping-fields", false)]);
    }
}
