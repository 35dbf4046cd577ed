//! How operations are tried again, and how long they are kept.

use std::time::Duration;

use jiff::SignedDuration;

use super::{
    kind::{Choice, Count, List, Span},
    table::settings,
};
use crate::operations::{AfterBuried, OperationSettings, StoreUnavailable};

const HOUR: Duration = Duration::from_secs(60 * 60);
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const TEN_YEARS: Duration = Duration::from_secs(3_653 * 24 * 60 * 60);

/// The longest wait between two tries.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(7 * 24);

settings! {
    /// How operations are tried again, and how long they are kept.
    pub(super) struct OperationTable: Service => OperationSettings {
        /// What becomes of commands that change a directory while the store can't be written:
        /// `refuse` answers them 503, disables aside, which go on without it; with `go-on` all do.
        store_unavailable = Choice(&[("refuse", StoreUnavailable::Refuse), ("go-on", StoreUnavailable::GoOn)]),
            default "refuse";
        /// The waits between the tries of an operation that failed for a passing reason; after the
        /// last it is `buried`.
        retry_schedule = List(WAITS, wait), default "5s, 5m, 30m, 2h, 5h, 10h, 10h";
        /// The waits between the tries of a disable.
        disable_retry_schedule = List(WAITS, wait), default "5s, 5m, 30m, 2h, 5h, 10h, 10h, 12h, 12h, 12h";
        /// What becomes of what waits behind a `buried` operation on the same person or group: with
        /// `continue` it is carried out, with `block` it waits until the buried one is tried again
        /// with success, or cancelled. What was buried under `block` keeps its place until then,
        /// also under `continue`.
        after_buried = Choice(&[("continue", AfterBuried::Continue), ("block", AfterBuried::Block)]), default "continue";
        /// How long an operation that has ended is kept, with all that it says of a person.
        operation_retention = Span(HOUR, TEN_YEARS), default "2160h";
        /// How long the body of a webhook's event is kept, with whom it is about. So long at least
        /// its duplicates are known, and an event whose time is longer ago is refused.
        event_retention = Span(WEEK, TEN_YEARS), default "720h";
        /// How many webhooks whose sender is not proven are kept to be looked at, a tenth of them
        /// from one address at most. What is there stays until `event_retention` is over; what
        /// comes beyond is counted in the log.
        quarantine_size = Count(0, 100_000, "webhooks"), default "1000";
        /// How long an `Idempotency-Key` is kept: its request is answered so long as it was at
        /// first. Never longer than `operation_retention`.
        idempotency_retention = Span(HOUR, TEN_YEARS), default "168h";
    }
}

const WAITS: &str = "durations up to 168h like \"5s, 5m, 2h\", separated by commas (an array in the file)";

fn wait(text: &str) -> Option<SignedDuration> {
    let wait: SignedDuration = text.parse().ok()?;
    (SignedDuration::ZERO < wait && wait <= LONGEST_WAIT).then_some(wait)
}
