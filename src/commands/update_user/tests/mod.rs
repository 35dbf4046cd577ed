mod absent;
mod changing;
mod clashing;
mod clearing;
mod looking;
mod refusing;
mod settling;
mod whose;

use serde_json::{Value, json};

use crate::commands::{Command, testing::*};

fn update(changes: Value) -> Command {
    command("iam-update-user", json!({"user-profile": profile(changes)}))
}

fn with_allow_enable(changes: Value, allow_enable: Value) -> Command {
    command(
        "iam-update-user",
        json!({"user-profile": profile(changes), "allow-enable": allow_enable}),
    )
}

fn boss() -> Command {
    update(json!({"title": "Boss"}))
}

/// Changes of a profile of which no sign is the user's.
fn ann_lee() -> Value {
    json!({"givenname": "Ann", "surname": "Lee", "email": null})
}

/// What an update makes of the user's name then.
const NAMED_ANN_LEE: &str = "patch u-1: name={\"givenName\":\"Ann\",\"familyName\":\"Lee\"}";
