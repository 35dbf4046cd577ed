//! What commands say they have sent: the calls in their access lines, repetitions included. A
//! directory that is gone can't be asked.

use std::sync::atomic::{AtomicU64, Ordering};

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    layer::{Context, Layer, SubscriberExt as _},
    util::SubscriberInitExt as _,
};

static CALLS: AtomicU64 = AtomicU64::new(0);

/// Begins to count, for the whole process.
pub(crate) fn count() {
    tracing_subscriber::registry().with(Count).init();
}

/// All calls so far.
pub(crate) fn so_far() -> u64 {
    CALLS.load(Ordering::Relaxed)
}

struct Count;

impl<S: Subscriber> Layer<S> for Count {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "access" {
            event.record(&mut Sum);
        }
    }
}

struct Sum;

impl Visit for Sum {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "upstream_calls" {
            CALLS.fetch_add(value, Ordering::Relaxed);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}
