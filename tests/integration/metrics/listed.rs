//! The list of metrics, the page that tells of it, and a scrape in which every one is.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use aws_ilm::{
    sandbox::{Fault, FaultKind},
    telemetry::metrics::{LIST, webhook_dropped, webhook_proven},
};
use serde_json::json;

use crate::operations::{Stored, person};

/// Set to 1, it writes the page instead of comparing it.
const RENEW: &str = "AWS_ILM_RENEW_METRICS";
const PAGE: &str = "docs/metrics.md";
const BEGIN: &str = "<!-- metrics: generated -->\n";
const END: &str = "<!-- end of metrics -->";

/// The table of the page.
fn table() -> String {
    let mut table = "| metric | kind | labels | meaning |\n|---|---|---|---|\n".to_owned();
    for metric in LIST {
        let labels: Vec<_> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let _ = writeln!(
            table,
            "| `{}` | {} | {} | {} |",
            metric.name,
            metric.kind,
            labels.join(", "),
            metric.help.trim()
        );
    }
    table
}

#[test]
fn the_page_says_what_the_list_has() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let page = fs::read_to_string(&file).unwrap();
    assert!(page.len() <= 12 * 1024, "{PAGE} has {} bytes", page.len());
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (told, after) = rest.split_once(END).unwrap();
    if std::env::var_os(RENEW).is_some() {
        fs::write(&file, format!("{before}{BEGIN}{}{END}{after}", table())).unwrap();
        return;
    }
    let hint = format!("{PAGE} is stale: {RENEW}=1 cargo test --test integration metrics::listed");
    assert_eq!(told, table(), "{hint}");
}

/// What a scrape says of each metric: its kind, its meaning, and the names of its labels.
fn described(text: &str) -> BTreeMap<String, (String, String, Vec<String>)> {
    let mut described: BTreeMap<String, (String, String, Vec<String>)> = BTreeMap::new();
    for line in text.lines() {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        match words[..] {
            ["#", "HELP", name, help] => described.entry(name.to_owned()).or_default().1 = help.to_owned(),
            ["#", "TYPE", name, kind] => described.entry(name.to_owned()).or_default().0 = kind.to_owned(),
            _ => {
                let (series, _) = line.rsplit_once(' ').unwrap();
                let (name, labels) = series.split_once('{').unwrap_or((series, ""));
                let of_histogram = ["_count", "_sum", "_bucket"]
                    .iter()
                    .find_map(|end| name.strip_suffix(end));
                let name = of_histogram
                    .filter(|name| described.contains_key(*name))
                    .unwrap_or(name);
                let labels = labels
                    .trim_end_matches('}')
                    .split("\",")
                    .filter_map(|label| label.split_once("=\""));
                let labels = labels.map(|(name, _)| name.to_owned()).filter(|name| name != "le");
                described.get_mut(name).unwrap_or_else(|| panic!("{line}")).2 = labels.collect();
            }
        }
    }
    described
}

#[tokio::test]
async fn a_scrape_has_every_metric_as_the_list_tells_it_and_no_other() {
    let expires = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(48)).to_string();
    let settings = [
        ("AWS_ILM_INSTANCE_NAME", "listed"),
        ("AWS_ILM_AUTHENTICATION_TOKEN_EXPIRES", &expires),
    ];
    let stored = Stored::holding(json!([person("kim", true)]), &settings).await;
    let world = &stored.world;
    // Webhooks are counted where they come in; here it is the metric that counts.
    webhook_proven("listed", "accepted");
    webhook_dropped("listed");
    world
        .sandbox
        .script(Fault::new(FaultKind::Status { status: 503 }).on("PatchUser"));
    let disable = json!({"user-profile": {"username": "kim"}});
    assert_eq!(world.command("iam-disable-user", &disable).await.status, 200);
    let waiting = "aws_ilm_operations_waiting{instance=\"listed\",class=\"disable\"}";
    let mut text = world.get("/metrics").await.text;
    while !text.contains(waiting) {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        text = world.get("/metrics").await.text;
    }
    let found = described(&text);
    for metric in LIST {
        let (kind, help, labels) = found
            .get(metric.name)
            .unwrap_or_else(|| panic!("{} is not there", metric.name));
        assert_eq!(
            (kind.as_str(), help.as_str()),
            (metric.kind, metric.help.trim()),
            "{}",
            metric.name
        );
        assert_eq!(labels, metric.labels, "{}", metric.name);
    }
    assert_eq!(found.len(), LIST.len(), "{:?}", found.keys());
    let scrape = super::Scrape::of(&text);
    let left = scrape.sum("aws_ilm_token_expires_seconds", &[("instance", "listed")]);
    assert!((0.0..=48.0 * 3600.0).contains(&left) && left > 47.0 * 3600.0, "{left}");
    assert_eq!(scrape.sum("aws_ilm_breaker_open", &[("instance", "listed")]), 0.0);
    assert_eq!(
        scrape.sum("aws_ilm_scim_rate", &[("instance", "listed"), ("lane", "PatchUser")]),
        5000.0
    );
}

/// What waits is counted by instance and class, and so is what is buried.
#[tokio::test]
async fn what_waits_and_what_is_buried_is_counted() {
    let settings = [
        ("AWS_ILM_INSTANCE_NAME", "backlog"),
        ("AWS_ILM_RETRY_SCHEDULE", "10m, 10m"),
        ("AWS_ILM_DISABLE_RETRY_SCHEDULE", "1ms"),
    ];
    let stored = Stored::holding(json!([person("kim", true), person("lee", true)]), &settings).await;
    let down = Fault::new(FaultKind::Status { status: 503 }).on("PatchUser").forever();
    stored.world.sandbox.script(down);
    let update = json!({"user-profile": {"username": "lee", "title": "New"}});
    stored.accepted("iam-update-user", &update).await;
    let disable = json!({"user-profile": {"username": "kim"}});
    let disable = stored.accepted("iam-disable-user", &disable).await;
    assert_eq!(stored.ended(&disable).await["state"], "buried");
    let mut told = Vec::new();
    until_told(&stored, &mut told).await;
    assert_eq!(told, [1.0, 1.0, 0.0], "waiting updates, buried, waiting disables");
}

async fn until_told(stored: &Stored, told: &mut Vec<f64>) {
    for _ in 0..2_000 {
        let scrape = stored.world.scrape().await;
        let of = |name, more: &[(&str, &str)]| {
            let labels: Vec<_> = [("instance", "backlog")].iter().chain(more).copied().collect();
            scrape.sum(name, &labels)
        };
        *told = vec![
            of("aws_ilm_operations_waiting", &[("class", "update")]),
            of("aws_ilm_operations_buried", &[]),
            of("aws_ilm_operations_waiting", &[("class", "disable")]),
        ];
        let oldest = of("aws_ilm_operations_oldest_waiting_seconds", &[("class", "update")]);
        if told[0] > 0.0 && told[1] > 0.0 && oldest > 0.0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}
