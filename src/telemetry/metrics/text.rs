//! The texts of a scrape: OpenMetrics, and the older format that everything reads.

use std::fmt::Write as _;

use prometheus_client::encoding::text;

use super::list::METRICS;

/// The media type of [`encode`]'s text.
pub const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The media type of [`plain`]'s text.
pub const PLAIN: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics as OpenMetrics.
pub fn encode() -> String {
    METRICS.build_info.of([env!("CARGO_PKG_VERSION").into()]).set(1.0);
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = text::encode(&mut text, &METRICS.registry);
    text
}

/// An OpenMetrics text in Prometheus's older format, where a counter's description has the name of
/// its samples, and a unit has no line of its own.
pub fn plain(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut lines = open_metrics.lines().peekable();
    let is_counter = |line: &str| line.starts_with("# TYPE ") && line.ends_with(" counter");
    while let Some(line) = lines.next() {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        let is_of_counter = match words[..] {
            ["#", "TYPE", ..] => is_counter(line),
            ["#", "HELP", ..] => lines.peek().is_some_and(|next| is_counter(next)),
            ["#", "UNIT" | "EOF", ..] => continue,
            _ => false,
        };
        let _ = match words[..] {
            ["#", what, name, rest] if is_of_counter => writeln!(text, "# {what} {name}_total {rest}"),
            _ => writeln!(text, "{line}"),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_format_names_counters_by_their_samples() {
        let open_metrics = "# HELP a Counted.\n# TYPE a counter\na_total{x=\"# EOF\"} 1\n# HELP b_seconds Took.\n\
                            # TYPE b_seconds gauge\n# UNIT b_seconds seconds\nb_seconds 2.0\n# EOF\n";
        let expected = "# HELP a_total Counted.\n# TYPE a_total counter\na_total{x=\"# EOF\"} 1\n# HELP b_seconds Took.\n\
                        # TYPE b_seconds gauge\nb_seconds 2.0\n";
        assert_eq!(plain(open_metrics), expected);
    }
}
