//! Traces: OpenTelemetry's spans of what one request, or one stored operation, does, sent to a
//! collector by OTLP over HTTP.
//!
//! A span here is one of `tracing`, so that log lines bear it too. Without a collector there is
//! none but the request's own, and a check of one flag is all that it costs. Attributes go by
//! OpenTelemetry's semantic conventions; none holds a path, a filter or a body, which name people.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hyper::HeaderMap;
use opentelemetry::{
    Context, KeyValue,
    propagation::TextMapPropagator as _,
    trace::{Status, TraceContextExt as _, TracerProvider as _},
};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{SdkTracerProvider, Tracer},
};
use tracing::{Metadata, Span, Subscriber, field::Empty, level_filters::LevelFilter};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt as _};
use tracing_subscriber::{filter::filter_fn, layer::Layer, registry::LookupSpan};
use url::Url;

/// The header field of a trace's context (W3C Trace Context, section 3.2).
pub const TRACEPARENT: &str = "traceparent";

/// Where a collector takes spans, below its address (OTLP 1.0, "OTLP/HTTP Request").
const PATH: &str = "v1/traces";

/// How long the last spans may take to be sent when the service stops.
const LAST_SPANS: Duration = Duration::from_secs(3);

static IS_ON: AtomicBool = AtomicBool::new(false);
static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Why traces can't be sent.
#[derive(Debug, thiserror::Error)]
#[error("traces can't be sent to the collector: {0}")]
pub struct TraceError(String);

/// A collector of traces.
#[derive(Debug, Clone)]
pub struct Collector {
    /// Its address, to which `/v1/traces` is added unless it ends so.
    pub endpoint: Url,
    /// What sends to it.
    pub client: reqwest::Client,
}

/// Whether traces are sent.
pub fn is_on() -> bool {
    IS_ON.load(Ordering::Relaxed)
}

/// The layer that makes OpenTelemetry's spans of ours. From here on traces are on.
///
/// # Errors
/// When no exporter can be made for the collector.
pub(super) fn layer<S>(collector: Collector) -> Result<impl Layer<S> + Send + Sync, TraceError>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let failed = |error: &dyn std::error::Error| TraceError(error.to_string());
    let client = OnRuntime {
        client: collector.client,
        runtime: tokio::runtime::Handle::try_current().map_err(|error| failed(&error))?,
        is_failing: Arc::default(),
    };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(endpoint(&collector.endpoint))
        .build()
        .map_err(|error| failed(&error))?;
    let resource = Resource::builder()
        .with_service_name("aws-ilm")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource)
        .build();
    let tracer = provider.tracer("aws-ilm");
    // Logging starts once.
    let _first = PROVIDER.set(provider);
    IS_ON.store(true, Ordering::Relaxed);
    Ok(of_ours(tracer))
}

/// Sends what is left. Blocks.
pub fn flush() {
    if let Some(provider) = PROVIDER.get()
        && let Err(error) = provider.shutdown_with_timeout(LAST_SPANS)
    {
        tracing::warn!("the last traces were not sent: {error}");
    }
}

/// Where spans are sent.
fn endpoint(base: &Url) -> String {
    let base = base.as_str().trim_end_matches('/');
    if base.ends_with(PATH) {
        base.to_owned()
    } else {
        format!("{base}/{PATH}")
    }
}

/// Our spans as OpenTelemetry's. Events stay in the log: a span has what its attributes say.
fn of_ours<S>(tracer: Tracer) -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let is_ours = |metadata: &Metadata<'_>| metadata.is_span() && metadata.target() == module_path!();
    OpenTelemetryLayer::new(tracer)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(filter_fn(is_ours).with_max_level_hint(LevelFilter::INFO))
}

/// Sends on the service's runtime: spans are exported from a thread that has none.
#[derive(Debug)]
struct OnRuntime {
    client: reqwest::Client,
    runtime: tokio::runtime::Handle,
    is_failing: Arc<AtomicBool>,
}

impl HttpClient for OnRuntime {
    fn send_bytes<'a, 'b>(
        &'a self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        let (client, is_failing) = (self.client.clone(), Arc::clone(&self.is_failing));
        let sending = self.runtime.spawn(async move {
            let sent = client.send_bytes(request).await;
            let fault = match &sent {
                Ok(answer) if answer.status().is_success() => None,
                Ok(answer) => Some(answer.status().to_string()),
                Err(error) => Some(error.to_string()),
            };
            tell(fault, &is_failing);
            sent
        });
        Box::pin(async move { sending.await? })
    }
}

/// Tells once that the collector takes nothing, and once that it does again.
fn tell(fault: Option<String>, is_failing: &AtomicBool) {
    match (is_failing.swap(fault.is_some(), Ordering::Relaxed), fault) {
        (false, Some(fault)) => tracing::warn!("traces are lost, for the collector does not take them: {fault}"),
        (true, None) => tracing::info!("the collector takes traces again"),
        (true, Some(_)) | (false, None) => {}
    }
}

/// The span of a request to the service, for where traces are on. It goes on with the trace of its
/// caller, if that sent one.
pub fn request(request_id: &str, method: &'static str, route: Option<&str>, headers: &HeaderMap) -> Span {
    let name = route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}"));
    let span = tracing::info_span!(
        "request",
        request_id,
        trace_id = Empty,
        otel.kind = "server",
        otel.name = name
    );
    let mut sent = headers.get_all(TRACEPARENT).iter();
    if let (Some(traceparent), None) = (sent.next().and_then(|value| value.to_str().ok()), sent.next()) {
        // A span that is disabled has no context to be set.
        let _ = span.set_parent(context_of(traceparent));
    }
    span.set_attribute("http.request.method", method);
    if let Some(route) = route {
        span.set_attribute("http.route", route.to_owned());
    }
    record_id(&span);
    span
}

/// Tells how a request was answered.
pub fn answered(span: &Span, status: u16) {
    if is_on() {
        span.set_attribute("http.response.status_code", i64::from(status));
        if status >= 500 {
            span.set_attribute("error.type", status.to_string());
            span.set_status(Status::error(""));
        }
    }
}

/// A stored operation that is to be carried out.
#[derive(Debug, Clone, Copy)]
pub struct StoredOperation<'a> {
    /// Its id.
    pub id: &'a str,
    /// The name of its command.
    pub command: &'a str,
    /// The instance that it is for.
    pub instance: &'a str,
    /// The context that it was accepted in.
    pub traceparent: Option<&'a str>,
    /// Whether the request that it came with waits for it.
    pub is_awaited: bool,
}

/// The span of one try of a stored operation: a part of the request that waits for it; else a trace
/// of its own, linked with the request's, since hours may lie between.
pub fn operation(operation: StoredOperation<'_>) -> Span {
    if !is_on() {
        return Span::none();
    }
    let name = format!("run {}", operation.command);
    let span = tracing::info_span!(parent: None, "operation", operation = operation.id, trace_id = Empty,
        otel.kind = "consumer", otel.name = name);
    if let Some(traceparent) = operation.traceparent {
        let accepted = context_of(traceparent);
        if operation.is_awaited {
            let _ = span.set_parent(accepted);
        } else {
            span.add_link(accepted.span().span_context().clone());
        }
    }
    span.set_attribute("aws_ilm.instance", operation.instance.to_owned());
    span.set_attribute("aws_ilm.operation", operation.id.to_owned());
    record_id(&span);
    span
}

/// The span of storing what a request asks for.
pub fn enqueue(operations: usize) -> Span {
    if !is_on() {
        return Span::none();
    }
    let span = tracing::info_span!("enqueue", otel.kind = "producer");
    span.set_attribute(
        "messaging.batch.message_count",
        i64::try_from(operations).unwrap_or(i64::MAX),
    );
    span
}

/// The span of one attempt of a request to a directory: AWS's name of the operation, and no target.
pub fn call(api: &'static str, method: &str, host: &str, instance: &str) -> Span {
    if !is_on() {
        return Span::none();
    }
    let span = tracing::info_span!("scim", otel.kind = "client", otel.name = api);
    span.set_attribute("http.request.method", method.to_owned());
    span.set_attribute("server.address", host.to_owned());
    span.set_attribute("rpc.method", api);
    span.set_attribute("aws_ilm.instance", instance.to_owned());
    span
}

/// Tells how an attempt ended.
pub fn call_ended(span: &Span, status: Option<u16>, error: Option<&'static str>, aws_request_id: Option<&str>) {
    if !is_on() {
        return;
    }
    if let Some(status) = status {
        span.set_attribute("http.response.status_code", i64::from(status));
    }
    if let Some(id) = aws_request_id {
        span.set_attribute("aws.request_id", id.to_owned());
    }
    let refused = status.filter(|status| *status >= 400).map(|status| status.to_string());
    if let Some(error) = error.map(str::to_owned).or(refused) {
        span.set_attribute("error.type", error);
        span.set_status(Status::error(""));
    }
}

/// The context of the span that is current, to be handed on; none where traces are off.
pub fn traceparent() -> Option<String> {
    if !is_on() {
        return None;
    }
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut carrier);
    carrier.remove(TRACEPARENT)
}

/// The id of the trace that a span belongs to; none where traces are off.
pub fn id_of(span: &Span) -> Option<String> {
    if !is_on() {
        return None;
    }
    let context = span.context();
    let context = context.span().span_context().clone();
    context.is_valid().then(|| context.trace_id().to_string())
}

/// The id of the current trace; none where traces are off.
pub fn current_id() -> Option<String> {
    if is_on() { id_of(&Span::current()) } else { None }
}

/// The context that a `traceparent` tells; an empty one where it is malformed. A caller's
/// `tracestate` is a free text and goes no further.
fn context_of(traceparent: &str) -> Context {
    let carrier = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
    TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier)
}

fn record_id(span: &Span) {
    if let Some(id) = id_of(span) {
        span.record("trace_id", id);
    }
}
