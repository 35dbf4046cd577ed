mod disabling;
mod looking;
mod settling;
mod whose;

use serde_json::{Value, json};

use crate::{
    commands::{Command, testing::*},
    decide::Answer,
};

/// The change of a disable.
const OFF: &str = "patch u-1: active=false";

fn disable(profile: Value) -> Command {
    command("iam-disable-user", json!({"user-profile": profile}))
}

fn leaver() -> Command {
    disable(json!({"username": "test"}))
}

/// The user after a disable.
fn inactive() -> Answer {
    shown(json!({"active": false}))
}
