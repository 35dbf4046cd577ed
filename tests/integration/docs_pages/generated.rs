//! What is generated in the pages: the settings and the problems.

use std::{fmt::Write as _, fs};

use aws_ilm::config::{self, Scope};

use super::{page, root};
use crate::harness::{World, answer};

/// Set to 1, it writes what is generated into the pages instead of comparing it.
const RENEW: &str = "AWS_ILM_RENEW_DOCS";

/// Compares the parts of a page between the two lines, in their order, or writes them.
fn hold(name: &str, [begin, end]: [&str; 2], parts: &[String]) {
    let text = page(name);
    let mut pieces = text.split(begin);
    let mut made = pieces.next().unwrap().to_owned();
    let mut rest = parts.iter();
    for piece in pieces {
        let (_, after) = piece
            .split_once(end)
            .unwrap_or_else(|| panic!("{name}: no line {end:?} ends what is generated"));
        let part = rest.next().unwrap_or_else(|| panic!("{name}: one {begin:?} too many"));
        made.push_str(&format!("{begin}{part}{end}{after}"));
    }
    assert!(rest.next().is_none(), "{name}: a line {begin:?} is missing");
    if std::env::var(RENEW).is_ok_and(|value| value == "1") {
        fs::write(root().join(name), made).unwrap();
        return;
    }
    assert!(
        text == made,
        "{name} is stale: {RENEW}=1 cargo test --test integration docs_pages::generated"
    );
}

#[test]
fn the_settings_are_those_that_are_read() {
    for (name, scopes) in [
        ("docs/configuration-service.md", vec![Scope::Service]),
        ("docs/configuration-instances.md", vec![Scope::Instance]),
        ("docs/configuration-callers.md", vec![Scope::Caller, Scope::Issuer]),
        ("docs/configuration-sources.md", vec![Scope::Source]),
    ] {
        let tables: Vec<_> = scopes.into_iter().map(config::reference_markdown).collect();
        hold(
            name,
            ["<!-- settings: generated -->\n", "<!-- end of settings -->"],
            &tables,
        );
    }
}

#[tokio::test]
async fn the_problems_are_those_that_are_answered() {
    let world = World::start().await;
    let request = world.http.get(world.url("/problems")).header("accept", "text/markdown");
    let told = answer(request).await.text;
    let mut table = "| type | status | what it means |\n|---|---|---|\n".to_owned();
    for line in told.lines().filter_map(|line| line.strip_prefix("- [")) {
        let (_, rest) = line.split_once("](").unwrap();
        let (address, rest) = rest.split_once(") (").unwrap();
        let (status, meaning) = rest.split_once("): ").unwrap();
        let name = address.strip_prefix("/problems/").unwrap();
        let _ = writeln!(table, "| `{name}` | {status} | {meaning} |");
    }
    assert!(table.lines().count() > 30, "{told}");
    hold(
        "docs/problems.md",
        ["<!-- problems: generated -->\n", "<!-- end of problems -->"],
        &[table],
    );
}
