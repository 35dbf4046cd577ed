mod model;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
};

use self::model::every_command;
use super::{testing::*, *};
use crate::{
    decide::{Read, Step},
    scim::ErrorKind,
};

fn person(name: &str, changes: Value) -> Command {
    command(name, json!({"user-profile": profile(changes)}))
}

#[test]
fn the_model_follows_every_command() {
    let followed = every_command();
    for (name, _) in NAMES {
        assert!(followed.iter().any(|command| command.name() == name), "{name}");
    }
}

#[test]
fn a_dry_run_reads_before_it_would_write() {
    for command in every_command() {
        let known = Known {
            dry_run: true,
            ..Known::default()
        };
        let rules = rules();
        let next = command.prepare(&rules).decide(&known);
        assert!(!matches!(next, Next::Write(_)), "{}: {}", command.name(), asked(&next));
    }
}

#[test]
fn a_switch_that_is_off_asks_nobody() {
    let rules = Rules {
        policy: Policy {
            create_user_enabled: false,
            update_user_enabled: false,
            enable_user_enabled: false,
            disable_user_enabled: false,
            create_if_not_exists: false,
            ..Policy::default()
        },
        ..rules()
    };
    for name in ["iam-create-user", "iam-update-user", "iam-disable-user"] {
        let skipped = outcome(&person(name, json!({})), &rules, vec![]);
        assert_eq!(skipped.label(), "skipped", "{name}");
    }
}

#[test]
fn a_command_can_be_stored_and_run_later() {
    for command in every_command() {
        let stored = serde_json::to_value(&command).unwrap();
        assert_eq!(stored["command"], command.name());
        assert_eq!(serde_json::from_value::<Command>(stored).unwrap(), command);
    }
}

#[test]
fn an_argument_that_is_not_known_is_refused() {
    let rows = [
        json!({"command": "iam-create-user", "arguments": {"user-profile": {}, "allow_enable": true}}),
        json!({"command": "iam-get-user", "arguments": {"user-profile": {}, "allow-enable": true}}),
        json!({"command": "iam-create-user", "arguments": {}}),
        json!({"command": "iam-get-group", "arguments": {"scim": {}, "includemembers": true}}),
        json!({"command": "iam-update-group", "arguments": {"scim": {}, "memberIdsToRemove": "u-1"}}),
        json!({"command": "iam-delete-group", "arguments": {"scim": [1]}}),
        json!({"command": "test-module", "arguments": {"verbose": true}}),
        json!({"command": "iam-delete-user", "arguments": {"user-profile": {}}}),
    ];
    for row in rows {
        assert!(serde_json::from_value::<Command>(row.clone()).is_err(), "{row}");
    }
}

/// Counts the profiles that are mapped in this thread.
#[derive(Clone, Default)]
struct Mappings(Arc<AtomicUsize>);

impl<S: Subscriber> Layer<S> for Mappings {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "aws_ilm::mapper" {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// How many profiles are mapped while this runs.
fn mappings(run: impl Fn()) -> usize {
    // Other tests' subscribers come and go, and an event may be missed then: the most is the truth.
    (0..20).map(|_| mappings_once(&run)).max().unwrap_or_default()
}

fn mappings_once(run: &impl Fn()) -> usize {
    let mappings = Mappings::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(mappings.clone()), run);
    mappings.0.load(Ordering::Relaxed)
}

#[test]
fn a_profile_is_mapped_once_a_command() {
    let create = person("iam-create-user", json!({"title": "Boss"}));
    let rules = rules();
    let becomes_an_update = || {
        let (questions, outcome) = drive(&create, &rules, |next| match next {
            Next::Write(Step::CreateUser(_)) => failed(ErrorKind::Status(409)),
            Next::Write(_) => shown(json!({"title": "Boss"})),
            Next::Read(_) | Next::Finish(_) => found(json!({})),
        });
        assert_eq!((questions.len(), outcome.label()), (3, "done"));
    };
    assert_eq!(mappings(becomes_an_update), 1);
    let update = person(
        "iam-update-user",
        json!({"olduserdata": {"username": "old"}, "title": "Boss"}),
    );
    let with_old_data = || {
        drive(&update, &rules, |next| match next {
            Next::Read(Read::UsersByName(name)) if name == "old" => nobody(),
            Next::Write(_) => shown(json!({"title": "Boss"})),
            Next::Read(_) | Next::Finish(_) => found(json!({})),
        });
    };
    assert_eq!(mappings(with_old_data), 2, "the profile and its old data");
}
