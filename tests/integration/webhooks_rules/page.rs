//! The page about what events mean: its source, what comes of each of its events, and the lines for
//! senders whose signature is not public.

use serde_json::Value;
use toml::Table;

use super::{
    explain::{RECEIVED, explain, headers},
    *,
};

const DEAD: &str = "http://127.0.0.1:1/T/scim/v2/";

const COLUMNS: [&str; 8] = [
    "command",
    "word",
    "purpose",
    "date",
    "side",
    "zone",
    "notBefore",
    "held",
];

fn read(path: &str) -> String {
    fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The blocks of the page: each with its language.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some((_, from)) = rest.split_once("\n```") {
        let (language, from) = from.split_once('\n').unwrap();
        let (block, after) = from.split_once("```\n").unwrap();
        found.push((language, block));
        rest = after;
    }
    found
}

#[test]
fn each_event_of_the_page_comes_to_what_stands_below_it() {
    let page = read("docs/hr-events.md");
    let blocks = blocks(&page);
    let of = |language: &'static str| blocks.iter().filter(move |(other, _)| *other == language);
    let source = of("toml").next().unwrap().1.replace("secrets/hr", "secret");
    let configured = Configured::new(DEAD, &source);
    let line = of("sh").next().unwrap().1;
    assert!(
        line.contains(RECEIVED),
        "the line explains as of the time that the page tells of"
    );
    for column in COLUMNS {
        assert!(line.contains(&format!(".{column}")), "{column}");
    }
    let mut count = 0;
    for pair in blocks.windows(2) {
        let [("json", body), (language, expected)] = pair else {
            continue;
        };
        assert_eq!(*language, "text", "{body}");
        let body = body.trim_end();
        let (code, found) = explain(&configured, &headers(body), body);
        assert_eq!(code, Some(0), "{found:#}");
        let commands = found["events"][0]["commands"].as_array().unwrap();
        let told: String = commands
            .iter()
            .map(|command| {
                let row: Vec<_> = COLUMNS.into_iter().map(|column| command[column].clone()).collect();
                format!("{}\n", Value::from(row))
            })
            .collect();
        assert_eq!(told, *expected, "{body}");
        count += 1;
    }
    assert_eq!(count, of("json").count());
    assert!(count >= 7, "{count}");
}

/// They are those of the table of senders, and sources that are taken.
#[test]
fn the_lines_for_senders_without_a_public_signature_are_sources() {
    let page = read("docs/hr-events.md");
    let known: Table = read("src/webhooks/presets/presets.toml").parse().unwrap();
    let known = known["undocumented"].as_table().unwrap();
    let mut rows = 0;
    for sender in known.values() {
        let title = sender["title"].as_str().unwrap();
        let row = page.lines().find(|line| line.starts_with(&format!("| {title} |")));
        let row = row.unwrap_or_else(|| panic!("{title} has no row"));
        let (_, line) = row.trim_end_matches(" |").rsplit_once("| ").unwrap();
        let line = line.trim_matches('`');
        let written: Table = line.parse().unwrap();
        assert_eq!(written["verifier"], sender["verifier"], "{title}");
        let source = format!(
            "[[sources]]\nname = \"sender\"\nsecret_files = [\"secret\"]\n{line}\n[[sources.rules]]\ndo = \"disable\"\n\
             profile = {{ employeeid = \"body.id\" }}\n"
        );
        let configured = Configured::new(DEAD, &source);
        let ended = configured.run(&["source", "list"]);
        assert_eq!(ended.code, Some(0), "{title}: {}", ended.stderr);
        rows += 1;
    }
    assert_eq!(rows, 6);
}
