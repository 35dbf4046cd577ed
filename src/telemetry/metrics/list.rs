//! The one list of all metrics: each with its name, its kind, its labels and its meaning.
//!
//! A label's value is a name from the configuration or a word of a closed list, never a text of a
//! request or of a directory: each value is a series that is kept for as long as the process lives.

use std::{
    borrow::Cow,
    sync::{LazyLock, atomic::AtomicU64},
};

use prometheus_client::{
    metrics::{counter::Counter as AnyCounter, family::Family, gauge::Gauge as AnyGauge, histogram::Histogram},
    registry::{Registry, Unit},
};

/// The value of a label.
pub(super) type Label = Cow<'static, str>;

/// The labels of a series, each with its name.
type Labels<const N: usize> = [(&'static str, Label); N];

/// Counts up.
pub(super) type Counter = AnyCounter<u64, AtomicU64>;

/// Goes up and down.
pub(super) type Gauge = AnyGauge<f64, AtomicU64>;

/// From 5 ms to 10 s: the semantic conventions' advice for the durations of HTTP requests, and up
/// to a minute, which a command may take.
const REQUEST: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];

/// From a quarter of a second to an hour: how long a leaver keeps access.
const TO_AN_HOUR: &[f64] = &[
    0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0,
];

/// From 1 ms to 5 s: one sync of a disk takes a few, and where it takes a second the disk is in
/// trouble.
const COMMIT: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// What is told of a metric.
#[derive(Debug, Clone, Copy)]
pub struct Description {
    /// The name of its samples; of a histogram, what they begin with.
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it means.
    pub help: &'static str,
}

/// A metric with its labels.
pub(super) struct Metric<M, const N: usize> {
    family: Family<Labels<N>, M, fn() -> M>,
    labels: [&'static str; N],
}

impl<M: Clone, const N: usize> Metric<M, N> {
    /// The series of these values of its labels, in their order.
    pub(super) fn of(&self, values: [Label; N]) -> M {
        self.family.get_or_create_owned(&self.labelled(values))
    }

    /// Takes a series away that says nothing any more.
    pub(super) fn remove(&self, values: [Label; N]) {
        self.family.remove(&self.labelled(values));
    }

    fn labelled(&self, values: [Label; N]) -> Labels<N> {
        let mut names = self.labels.into_iter();
        values.map(|value| (names.next().unwrap_or_default(), value))
    }
}

/// Makes of each row a metric, its registration and its [`Description`]. A name that ends with
/// `_seconds` has that unit.
macro_rules! metrics {
    ($($(#[doc = $help:literal])+ $field:ident: $kind:ident $(($buckets:expr))? $name:literal [$($label:ident),*];)+) => {
        /// Every metric.
        pub(super) struct Metrics {
            /// Encodes them all.
            pub(super) registry: Registry,
            $($(#[doc = $help])+ pub(super) $field: Metric<$kind, { <[&str]>::len(&[$(stringify!($label)),*]) }>,)+
        }

        /// All metrics, in the order in which they are told.
        pub const LIST: &[Description] = &[$(Description {
            name: $name,
            kind: metrics!(@kind $kind),
            labels: &[$(stringify!($label)),*],
            help: concat!($($help),+),
        }),+];

        /// The metrics of this process.
        pub(super) static METRICS: LazyLock<Metrics> = LazyLock::new(|| {
            let mut registry = Registry::default();
            $(
                let $field = Metric {
                    family: Family::new_with_constructor(metrics!(@new $kind $(($buckets))?) as fn() -> $kind),
                    labels: [$(stringify!($label)),*],
                };
                register(&mut registry, $name, concat!($($help),+), $field.family.clone());
            )+
            Metrics { registry, $($field),+ }
        });
    };
    (@kind Counter) => { "counter" };
    (@kind Gauge) => { "gauge" };
    (@kind Histogram) => { "histogram" };
    (@new Histogram ($buckets:expr)) => { || Histogram::new($buckets.iter().copied()) };
    (@new $kind:ident) => { $kind::default };
}

/// Registers a metric: the name without what its kind and unit add, the meaning without its full
/// stop, as the encoder wants them.
fn register(registry: &mut Registry, name: &str, help: &str, metric: impl prometheus_client::registry::Metric) {
    let help = help.trim().trim_end_matches('.');
    let name = name.strip_suffix("_total").unwrap_or(name);
    match name.strip_suffix("_seconds") {
        Some(name) => registry.register_with_unit(name, help, Unit::Seconds, metric),
        None => registry.register(name, help, metric),
    }
}

metrics! {
    /// How long a leaver kept access: from when the disable was accepted, or was due, to the
    /// directory's answer that the user is disabled or not there. Of a disable that is not stored,
    /// from its arrival.
    leaver: Histogram(TO_AN_HOUR) "aws_ilm_leaver_seconds" [instance, source];

    /// How long requests to the service took (OpenTelemetry's semantic conventions). A request
    /// whose caller hung up has no status.
    http_server: Histogram(REQUEST) "http_server_request_duration_seconds"
        [http_request_method, http_route, http_response_status_code, error_type];

    /// How long requests to directories took, each attempt by itself (OpenTelemetry's semantic
    /// conventions).
    http_client: Histogram(REQUEST) "http_client_request_duration_seconds"
        [http_request_method, server_address, server_port, http_response_status_code, error_type];

    /// Commands that ran to their end, each try of a stored one by itself.
    commands: Counter "aws_ilm_commands_total" [command, instance, outcome];

    /// How long commands ran, waiting for their subject and their turns included.
    command_duration: Histogram(REQUEST) "aws_ilm_command_duration_seconds" [command, instance];

    /// Requests sent to a directory. Throttled ones have the status 429; where no status came it
    /// says what went wrong.
    scim_requests: Counter "aws_ilm_scim_requests_total" [instance, api, status];

    /// How long requests to a directory took.
    scim_duration: Histogram(REQUEST) "aws_ilm_scim_request_duration_seconds" [instance, api];

    /// Requests that were sent again after a failure.
    scim_retries: Counter "aws_ilm_scim_retries_total" [instance, api];

    /// How long requests waited for their turn, so that the directory's limits are kept.
    scim_pacing: Histogram(REQUEST) "aws_ilm_scim_pacing_seconds" [instance, class];

    /// Requests that wait for their turn.
    scim_waiting: Gauge "aws_ilm_scim_waiting" [instance, lane];

    /// Requests (memberships: changes) a second that are sent at most at the moment.
    scim_rate: Gauge "aws_ilm_scim_rate" [instance, lane];

    /// What the rate comes back to after a refusal.
    scim_rate_ceiling: Gauge "aws_ilm_scim_rate_ceiling" [instance, lane];

    /// 1 while the directory keeps failing, so that nothing is sent to it.
    breaker_open: Gauge "aws_ilm_breaker_open" [instance];

    /// Until the token in use expires, as far as that is known; negative once it has.
    token_expires: Gauge "aws_ilm_token_expires_seconds" [instance];

    /// Operations that were stored.
    operations_accepted: Counter "aws_ilm_operations_accepted_total" [instance, source];

    /// Operations that a try has ended, by the state that they ended in; not those that were
    /// cancelled.
    operations_finished: Counter "aws_ilm_operations_finished_total" [instance, state];

    /// Tries of operations, by how they ended: `ended`, `again`, `in_turn`, `waits`.
    operations_attempts: Counter "aws_ilm_operations_attempts_total" [instance, end];

    /// Operations that wait for their turn or their next try.
    operations_waiting: Gauge "aws_ilm_operations_waiting" [instance, class];

    /// For how long the oldest of those that wait has been due.
    operations_oldest: Gauge "aws_ilm_operations_oldest_waiting_seconds" [instance, class];

    /// Operations whose last try failed, and that have to be seen to.
    operations_buried: Gauge "aws_ilm_operations_buried" [instance];

    /// Operations that wait for a person's word, or for data.
    operations_held: Gauge "aws_ilm_operations_held" [instance];

    /// How long the store took to have a group of writes on the disk.
    store_commit: Histogram(COMMIT) "aws_ilm_store_commit_seconds" [];

    /// What the store was asked and could not do.
    store_errors: Counter "aws_ilm_store_errors_total" [];

    /// 1 while the store can be written, as far as is known; 0 while it is tried again.
    store_up: Gauge "aws_ilm_store_up" [];

    /// Events that came in by webhook, by what was made of them.
    webhook_events: Counter "aws_ilm_webhook_events_total" [source, verdict];

    /// When the last event of a source came in, in seconds since 1970.
    webhook_last: Gauge "aws_ilm_webhook_last_event_timestamp_seconds" [source];

    /// Webhooks that were not believed and had no room in quarantine.
    webhook_dropped: Counter "aws_ilm_webhook_quarantine_dropped_total" [source];

    /// Always 1, with the version of the program.
    build_info: Gauge "aws_ilm_build_info" [version];
}
