//! How the service treats a directory: whose user a create takes over, one writer a subject, tokens
//! that change, waits that are asked for, and what an operator sees of it all.

mod breaker;
mod pace;
mod subjects;
mod tokens;

use aws_ilm::sandbox::FaultKind;
use serde_json::{Value, json};

use crate::harness::World;

fn slow(milliseconds: u64) -> FaultKind {
    FaultKind::Slow {
        milliseconds,
        work_late: true,
    }
}

fn about(profile: &Value) -> Value {
    json!({"user-profile": profile})
}

/// The only instance, as `GET /instances` shows it.
async fn instance(world: &World) -> Value {
    let answer = world.get("/instances").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()[0].clone()
}

/// The only instance, once it looks as wanted.
async fn instance_once(world: &World, wanted: impl Fn(&Value) -> bool) -> Value {
    let waited = async {
        loop {
            let instance = instance(world).await;
            if wanted(&instance) {
                return instance;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), waited)
        .await
        .unwrap()
}

fn rate(instance: &Value, api: &str) -> Value {
    let rates = instance["rates"].as_array().unwrap();
    rates.iter().find(|rate| rate["api"] == api).unwrap().clone()
}
