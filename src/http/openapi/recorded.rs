//! Recorded examples of what is no command: the test `recorded` sends each request and compares.

use serde_json::Value;
use utoipa::openapi::{RefOr, path::Operation};

/// Operations, and the answer to a deferred command, with their example: the body that is sent,
/// where there is one, and the answer.
const RECORDED: [(&str, &str); 24] = [
    ("deferred", include_str!("../../../openapi/recorded/deferred.json")),
    ("operations", include_str!("../../../openapi/recorded/operations.json")),
    ("operation", include_str!("../../../openapi/recorded/operation.json")),
    (
        "operation-wait",
        include_str!("../../../openapi/recorded/operation-wait.json"),
    ),
    (
        "operation-retry",
        include_str!("../../../openapi/recorded/operation-retry.json"),
    ),
    (
        "operation-release",
        include_str!("../../../openapi/recorded/operation-release.json"),
    ),
    (
        "operation-cancel",
        include_str!("../../../openapi/recorded/operation-cancel.json"),
    ),
    (
        "operation-move",
        include_str!("../../../openapi/recorded/operation-move.json"),
    ),
    (
        "capabilities",
        include_str!("../../../openapi/recorded/capabilities.json"),
    ),
    (
        "batch-accept",
        include_str!("../../../openapi/recorded/batch-accept.json"),
    ),
    ("batch", include_str!("../../../openapi/recorded/batch.json")),
    (
        "batch-operations",
        include_str!("../../../openapi/recorded/batch-operations.json"),
    ),
    (
        "operations-retry",
        include_str!("../../../openapi/recorded/operations-retry.json"),
    ),
    (
        "operations-cancel",
        include_str!("../../../openapi/recorded/operations-cancel.json"),
    ),
    (
        "operations-move",
        include_str!("../../../openapi/recorded/operations-move.json"),
    ),
    ("webhook", include_str!("../../../openapi/recorded/webhook.json")),
    ("events", include_str!("../../../openapi/recorded/events.json")),
    ("event", include_str!("../../../openapi/recorded/event.json")),
    (
        "event-verify-again",
        include_str!("../../../openapi/recorded/event-verify-again.json"),
    ),
    (
        "event-replay",
        include_str!("../../../openapi/recorded/event-replay.json"),
    ),
    ("sources", include_str!("../../../openapi/recorded/sources.json")),
    (
        "source-explain",
        include_str!("../../../openapi/recorded/source-explain.json"),
    ),
    ("webhook-typed", include_str!("../../../openapi/recorded/webhook.json")),
    ("webhook-secret", include_str!("../../../openapi/recorded/webhook.json")),
];

/// The answer to a command that is deferred.
pub(super) fn deferred() -> Option<Value> {
    Some(example("deferred")?["response"].take())
}

fn example(name: &str) -> Option<Value> {
    let (_, example) = RECORDED.iter().find(|(other, _)| *other == name)?;
    serde_json::from_str(example).ok()
}

/// Adds the example of an operation, if it has one, to its request and to its answer of success.
pub(super) fn add_example(operation: &mut Operation) {
    let id = operation.operation_id.as_deref().unwrap_or_default();
    let Some(mut example) = example(id) else {
        return;
    };
    if let Some(RefOr::T(body)) = &mut operation.request_body
        && let Some(RefOr::T(content)) = body.content.get_mut("application/json")
    {
        content.example = Some(example["request"].take());
    }
    for status in ["200", "202"] {
        if let Some(RefOr::T(answer)) = operation.responses.responses.get_mut(status)
            && let Some(RefOr::T(content)) = answer.content.get_mut("application/json")
        {
            content.example = Some(example["response"].take());
        }
    }
}
