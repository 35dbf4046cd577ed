//! The audit log: what stands there of a refusal and of a write, and what never does.

mod endings;
mod events;

use serde_json::Value;

use crate::{
    callers::{caller, key, two_instances},
    harness::World,
    process::{File, Running},
};

/// The audit lines so far, as JSON.
fn lines(service: &Running) -> Vec<Value> {
    let text = service.stderr.text();
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["target"] == "audit").collect()
}

/// Waits for the audit line of a request.
pub(super) async fn line(service: &Running, id: &str) -> Value {
    for _ in 0..400 {
        if let Some(line) = lines(service).into_iter().find(|line| line["request_id"] == id) {
            return line;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("no audit line for {id} in {}", service.stderr.text());
}

/// A directory, the key of the one caller, which has every right, and the configuration of a
/// service in front.
pub(super) async fn one_caller() -> (World, String, File) {
    let directory = World::start().await;
    let (key, digest) = key();
    let caller = caller("hr", &[&digest], "commands = [\"*\"]\ninstances = [\"*\"]");
    let config = File::new(&format!("{}{caller}", two_instances(&directory)));
    (directory, key, config)
}
