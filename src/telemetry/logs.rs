//! Logging: one event is one line on stderr, for people or as JSON.
//!
//! Text of callers and directories ends up in fields, and `tracing-subscriber` writes a field
//! recorded with `%` as it is, line breaks included: a name such as `x\n2026-01-01 INFO paid` would
//! forge an entry. So every event is escaped once more as it is written, for every way of
//! recording.

use std::{
    io::{self, IsTerminal as _, Write},
    panic,
};

use tracing::{Metadata, Subscriber};
use tracing_subscriber::{
    EnvFilter, Registry,
    filter::{FilterExt as _, LevelFilter, filter_fn},
    fmt::{self, MakeWriter},
    layer::{Layer as _, SubscriberExt as _},
    registry::LookupSpan,
    util::{SubscriberInitExt as _, TryInitError},
};

use super::traces::{self, Collector, TraceError};

/// The target of the audit log.
pub const AUDIT: &str = "audit";
/// The prefix of this crate's own events.
const OURS: &str = "aws_ilm";
const ESCAPE: char = '\u{1b}';

/// How the service logs.
#[derive(Debug, Clone)]
pub struct LogSettings {
    /// How log lines are written.
    pub log_format: LogFormat,
    /// What is logged, in `tracing`'s filter language.
    pub log_filter: String,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Why logging could not be started.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The filter is not in `tracing`'s filter language.
    #[error("the log filter is not valid")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// There is a collector of traces, and nothing can be sent to it.
    #[error(transparent)]
    Traces(#[from] TraceError),
    /// Another subscriber logs for this process already.
    #[error("logging has been started already")]
    Started(#[from] TryInitError),
}

/// Starts logging to stderr for the whole process, in colour if that is a terminal and the format
/// is for people; and traces, where there is a collector of them.
///
/// # Errors
/// When the filter is not valid, nothing can be sent to the collector, or logging has been started
/// before.
pub fn init(settings: &LogSettings, collector: Option<Collector>) -> Result<(), InitError> {
    let format = settings.log_format;
    let colour = format == LogFormat::Text && io::stderr().is_terminal();
    let logs = subscriber(format, &settings.log_filter, colour, io::stderr)?;
    match collector {
        None => logs.try_init()?,
        Some(collector) => logs.with(traces::layer(collector)?).try_init()?,
    }
    panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Logs where a panic happened, without its message: that may quote a person's data.
fn log_panic(panic: &panic::PanicHookInfo<'_>) {
    match panic.location() {
        Some(location) => tracing::error!(
            file = location.file(),
            line = location.line(),
            "a defect: the code panicked"
        ),
        None => tracing::error!("a defect: the code panicked"),
    }
}

/// The whole pipeline, to any writer.
fn subscriber<W>(
    format: LogFormat,
    filter: &str,
    colour: bool,
    writer: W,
) -> Result<impl Subscriber + for<'a> LookupSpan<'a> + Send + Sync + use<W>, InitError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let writer = OneLine { writer, colour };
    let layer = match format {
        LogFormat::Text => fmt::layer().with_ansi(colour).with_writer(writer).boxed(),
        LogFormat::Json => fmt::layer()
            .json()
            .flatten_event(true)
            // Write all spans, not the innermost alone: the request's id stands in the outermost.
            .with_current_span(false)
            .with_span_list(true)
            .with_ansi(false)
            .with_writer(writer)
            .boxed(),
    };
    // The hint leaves it to the operator's filter which levels are not even looked at.
    let libraries = filter_fn(may_be_logged).with_max_level_hint(LevelFilter::TRACE);
    // Audit events pass every filter: a level set for debugging must not cut the audit log.
    let audit = filter_fn(|metadata| metadata.target() == AUDIT).with_max_level_hint(LevelFilter::INFO);
    let filter = EnvFilter::builder().parse(filter)?.and(libraries).or(audit);
    Ok(Registry::default().with(layer.with_filter(filter)))
}

/// Whether an event may be logged. HTTP libraries trace the bytes and headers that they send,
/// people's names and tokens among them, so their events end at `debug`.
fn may_be_logged(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    let is_ours = target
        .strip_prefix(OURS)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
    is_ours || *metadata.level() <= LevelFilter::DEBUG
}

/// Makes writers that keep each event on one line.
struct OneLine<W> {
    writer: W,
    colour: bool,
}

/// Escapes what it is given. The formatter hands over each event in one piece.
struct Escaping<W> {
    writer: W,
    colour: bool,
}

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for OneLine<W> {
    type Writer = Escaping<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Escaping {
            writer: self.writer.make_writer(),
            colour: self.colour,
        }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Self::Writer {
        Escaping {
            writer: self.writer.make_writer_for(metadata),
            colour: self.colour,
        }
    }
}

impl<W: Write> Write for Escaping<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let line = escape(&String::from_utf8_lossy(event), self.colour);
        self.writer.write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Escapes characters that could end the line, move the cursor or reorder the text, but for the
/// event's own line end. The form is JSON's, so that it is right inside a JSON string too. With
/// `colour` the formatter's colours pass, and nothing else that begins with an escape.
fn escape(event: &str, colour: bool) -> String {
    let (event, end) = event.strip_suffix('\n').map_or((event, ""), |event| (event, "\n"));
    let mut line = String::with_capacity(event.len() + end.len());
    for (at, character) in event.char_indices() {
        match character {
            ESCAPE if colour && is_colour(&event[at + 1..]) => line.push(character),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            hidden if hidden.is_control() || is_reordering(hidden) => {
                line.push_str(&format!("\\u{:04x}", u32::from(hidden)));
            }
            plain => line.push(plain),
        }
    }
    line.push_str(end);
    line
}

/// Whether the text behind an escape makes it a colour: `[`, digits and semicolons, `m`.
fn is_colour(rest: &str) -> bool {
    let Some(parameters) = rest.strip_prefix('[') else {
        return false;
    };
    let end = parameters.find(|character: char| !character.is_ascii_digit() && character != ';');
    end.is_some_and(|end| parameters[end..].starts_with('m'))
}

/// Unicode's line and paragraph separators, and the marks that change the direction of writing.
fn is_reordering(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    const HOSTILE: &str = "a\nb\r\nc\u{1b}[2J\u{9b}31m\u{85}\u{2028}\u{202e}\u{0}\u{7f}é";

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written while `work` runs.
    fn written(format: LogFormat, filter: &str, colour: bool, work: impl FnOnce()) -> String {
        let written = Written::default();
        let writer = written.clone();
        let subscriber = subscriber(format, filter, colour, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, work);
        let bytes = written.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    fn log_hostile_values() {
        let span = tracing::info_span!("request", of = %HOSTILE, quoted = ?HOSTILE, plain = HOSTILE);
        let _entered = span.enter();
        let failure = io::Error::other(HOSTILE);
        tracing::info!(display = %HOSTILE, debug = ?HOSTILE, plain = HOSTILE, error = &failure as &dyn std::error::Error, "{HOSTILE}");
    }

    #[test]
    fn a_hostile_value_stays_on_one_line_however_it_is_recorded() {
        for (format, colour) in [
            (LogFormat::Text, false),
            (LogFormat::Text, true),
            (LogFormat::Json, false),
        ] {
            let written = written(format, "info", colour, log_hostile_values);
            let line = written.strip_suffix('\n').unwrap();
            for (at, character) in line.char_indices() {
                let passes = !character.is_control() && !is_reordering(character);
                let colours = colour && character == ESCAPE && is_colour(&line[at + 1..]);
                assert!(passes || colours, "{format:?} {colour}: {character:?} in {line:?}");
            }
            assert!(line.contains('é'), "{line}");
        }
    }

    #[test]
    fn json_is_flat_and_whole() {
        let written = written(LogFormat::Json, "info", false, log_hostile_values);
        let event: serde_json::Value = serde_json::from_str(&written).unwrap();
        // The characters come back as they were, apart from those which the formatter has escaped
        // itself.
        assert_eq!(event["plain"], HOSTILE);
        assert_eq!(event["level"], "INFO");
        assert_eq!(event["target"], "aws_ilm::telemetry::logs::tests");
        assert_eq!(event["spans"][0]["name"], "request");
        assert_eq!(event["spans"][0]["plain"], HOSTILE);
        assert!(event["message"].as_str().unwrap().starts_with("a\nb"));
    }

    #[test]
    fn only_colours_pass_to_a_terminal() {
        for (event, colour, expected) in [
            ("\u{1b}[32mINFO\u{1b}[0m\n", true, "\u{1b}[32mINFO\u{1b}[0m\n"),
            ("\u{1b}[1;31mx", true, "\u{1b}[1;31mx"),
            ("\u{1b}[32mINFO", false, "\\u001b[32mINFO"),
            ("\u{1b}[2Jx", true, "\\u001b[2Jx"),
            ("\u{1b}]0;title\u{7}", true, "\\u001b]0;title\\u0007"),
            ("\u{1b}", true, "\\u001b"),
            ("\u{1b}[", true, "\\u001b["),
            ("a\n\n", false, "a\\n\n"),
            ("", false, ""),
        ] {
            assert_eq!(escape(event, colour), expected, "{event:?}");
        }
    }

    #[test]
    fn libraries_never_trace() {
        let text = written(LogFormat::Text, "trace", false, || {
            tracing::trace!(target: "hyper::proto", "theirs at trace");
            tracing::trace!(target: "aws_ilm_lookalike", "a lookalike's");
            tracing::debug!(target: "hyper::proto", "theirs at debug");
            tracing::trace!("ours at trace");
        });
        assert!(
            !text.contains("theirs at trace") && !text.contains("a lookalike's"),
            "{text}"
        );
        assert!(
            text.contains("theirs at debug") && text.contains("ours at trace"),
            "{text}"
        );
    }

    #[test]
    fn the_filter_decides_and_a_wrong_one_is_refused() {
        let work = || {
            tracing::info!("quiet");
            tracing::warn!("loud");
        };
        let text = written(LogFormat::Text, "warn", false, work);
        assert!(text.contains("loud") && !text.contains("quiet"), "{text}");
        let refused = subscriber(LogFormat::Text, "aws_ilm=loudly", false, io::sink).err();
        assert!(matches!(refused, Some(InitError::Filter(_))), "{refused:?}");
    }
}
