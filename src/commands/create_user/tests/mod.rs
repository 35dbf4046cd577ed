mod adopting;
mod existing;
mod looking;
mod lost;
mod posting;
mod refusing;
mod whose;

use serde_json::{Value, json};

use crate::commands::{Command, testing::*};

fn create(changes: Value) -> Command {
    command("iam-create-user", json!({"user-profile": profile(changes)}))
}

fn with_allow_enable(changes: Value, allow_enable: Value) -> Command {
    command(
        "iam-create-user",
        json!({"user-profile": profile(changes), "allow-enable": allow_enable}),
    )
}

/// A new person with an employee id.
fn numbered() -> Command {
    create(json!({"employeeid": "E7"}))
}

fn boss() -> Command {
    create(json!({"title": "Boss"}))
}

/// Changes of a profile of which no sign is the user's.
fn ann_lee() -> Value {
    json!({"givenname": "Ann", "surname": "Lee", "email": "ann@example.com"})
}
