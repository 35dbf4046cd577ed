//! An operation on the wire.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::operations::{Attempt, DueDate, Operation, State};

/// A stored command: what it is, where it stands, and what was tried.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OperationView {
    /// Its id; also in its address, `/operations/{id}`.
    #[schema(example = "0197f3a2-8f0b-7c3e-9d55-0c4f5f6d7a81")]
    id: String,
    /// Where it stands: `scheduled` (not due yet), `waiting` (for its turn, or its next try),
    /// `running`, `held` (for a person's word), `needs_data`, `done`, `skipped`, `failed`, `buried`
    /// (its last try failed), `cancelled`, `superseded`. Others may come: treat what is unknown as
    /// not ended.
    #[schema(value_type = String, example = "done")]
    state: &'static str,
    /// Why it stands there, where that says more. Of `held` a word: `back_dated` or `far_future`
    /// (its day is longer ago, or further ahead, than its source allows), `unknown_person` (a
    /// termination that finds no user); others may come. Of `needs_data` a text that names what is
    /// missing. Of `superseded` a text: `replaced by` the id of another operation, or what was said
    /// later.
    reason: Option<String>,
    /// The id of the newer operation that disabled the person, so that this one left enabling out;
    /// null where that went on without the store.
    overtaken_by: Option<String>,
    /// The command.
    #[schema(example = "iam-disable-user")]
    command: String,
    /// The instance that it is for.
    #[schema(example = "AWS-ILM_instance_1")]
    instance: String,
    /// The command's arguments.
    #[schema(value_type = Option<Object>)]
    arguments: Option<Value>,
    /// The names by which the command knows its person or group.
    subject: Vec<String>,
    /// When it was accepted.
    #[schema(format = "date-time", example = "2026-01-15T09:30:00.000Z")]
    created_at: String,
    /// Before this time it is not carried out.
    #[schema(format = "date-time")]
    not_before: Option<String>,
    /// The date from which `notBefore` is computed, again whenever the rules of its zone change;
    /// null where there is none, or a caller has moved the operation.
    due_date: Option<DueDateView>,
    /// When it is tried next, where it waits for that.
    #[schema(format = "date-time")]
    due_at: Option<String>,
    /// When it ended.
    #[schema(format = "date-time")]
    ended_at: Option<String>,
    /// What it is for, as its sender says.
    purpose: Option<String>,
    /// The batch that it belongs to.
    batch: Option<String>,
    /// The source of the webhook that it comes from.
    source: Option<String>,
    /// The caller that sent it.
    caller: Option<String>,
    /// Each try, the first one first. None is ever changed.
    attempts: Vec<AttemptView>,
    /// The command's answer, once there is one.
    #[schema(value_type = Option<Object>)]
    envelope: Option<Value>,
}

/// A date as an event said it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DueDate)]
pub struct DueDateView {
    /// The day.
    #[schema(format = "date", example = "2026-11-30")]
    date: String,
    /// The IANA name of its zone.
    #[schema(example = "Australia/Melbourne")]
    zone: String,
    /// The side of the day: `start_of_day`, `end_of_day`, or a time like `17:30`.
    #[schema(example = "end_of_day")]
    side: String,
    /// How much earlier the operation is carried out, like `336h`; null: on the day.
    #[schema(example = "336h")]
    ahead: Option<String>,
}

impl From<DueDate> for DueDateView {
    fn from(date: DueDate) -> Self {
        let ahead = Some(date.ahead).filter(|ahead| !ahead.is_zero());
        Self {
            date: date.date,
            zone: date.zone,
            side: date.side,
            ahead: ahead.map(|ahead| format!("{ahead:#}")),
        }
    }
}

/// One try of an operation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttemptView {
    /// The first is 1.
    number: u32,
    /// When it began.
    #[schema(format = "date-time")]
    started_at: String,
    /// When it ended; null while it runs.
    #[schema(format = "date-time")]
    ended_at: Option<String>,
    /// Why it failed; `died` where the service's process did.
    #[schema(example = "throttled")]
    cause: Option<String>,
    /// The envelope's `errorCode`.
    #[schema(example = 429)]
    status: Option<u16>,
    /// AWS's ids of the requests that failed, to quote to its support.
    aws_request_ids: Vec<String>,
    /// The caller that asked for this try.
    requested_by: Option<String>,
}

/// A page of operations.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OperationList {
    /// The newest first; without their attempts, which each operation's own address shows.
    operations: Vec<OperationView>,
    /// The `cursor` of the next page; null on the last.
    next: Option<String>,
}

impl OperationView {
    /// An operation, for a reader who may see it.
    pub(in crate::http::routes) fn new(operation: Operation, attempts: Vec<Attempt>) -> Self {
        let json = |text: &str| serde_json::from_str::<Value>(text).ok();
        let (reason, overtaken_by) = reason(operation.reason);
        let arguments =
            json(&operation.stored).and_then(|mut stored| stored.pointer_mut("/command/arguments").map(Value::take));
        Self {
            id: operation.id,
            state: operation.state.as_str(),
            reason,
            overtaken_by,
            command: operation.command,
            instance: operation.instance,
            arguments,
            subject: operation.subject.into_iter().collect(),
            created_at: written(operation.created_at),
            not_before: operation.not_before.map(written),
            due_date: operation.due_date.map(DueDateView::from),
            due_at: operation.due_at.map(written),
            ended_at: operation.ended_at.map(written),
            purpose: operation.purpose,
            batch: operation.batch,
            source: operation.source,
            caller: operation.caller,
            attempts: attempts.into_iter().map(AttemptView::from).collect(),
            envelope: operation.envelope.and_then(|text| json(&text)),
        }
    }
}

impl OperationList {
    /// A page, and the cursor of the next.
    pub(in crate::http::routes) fn new(operations: Vec<OperationView>, next: Option<i64>) -> Self {
        Self {
            operations,
            next: next.map(|next| next.to_string()),
        }
    }
}

impl From<Attempt> for AttemptView {
    fn from(attempt: Attempt) -> Self {
        let ids = attempt.aws_request_ids.unwrap_or_default();
        Self {
            number: attempt.number,
            started_at: written(attempt.started_at),
            ended_at: attempt.ended_at.map(written),
            cause: attempt.cause,
            status: attempt.status,
            aws_request_ids: ids.split_whitespace().map(str::to_owned).collect(),
            requested_by: attempt.requested_by,
        }
    }
}

/// A reason as it is stored, and the operation that it names.
fn reason(stored: Option<String>) -> (Option<String>, Option<String>) {
    match stored
        .as_deref()
        .and_then(|reason| reason.strip_prefix("overtaken by "))
    {
        Some(disable) => {
            // One that went on without the store has no id.
            let disable = Some(disable.to_owned()).filter(|id| !id.is_empty());
            (Some("overtaken".to_owned()), disable)
        }
        None => (stored, None),
    }
}

/// A time in UTC, to the millisecond (RFC 3339).
pub(in crate::http::routes) fn written(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// The states that have these names, separated by commas; `None` when one is no state.
pub(super) fn states(text: &str) -> Option<Vec<State>> {
    text.split(',').map(|name| State::parse(name.trim())).collect()
}
