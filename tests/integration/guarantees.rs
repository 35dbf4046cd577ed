//! What callers may rely on: shown, told in a page that is made of the same data, and held by tests
//! that are there.

use std::{fmt::Write as _, fs, path::Path};

use aws_ilm::operations::GUARANTEES;
use serde_json::json;

use crate::{harness::World, operations::Stored};

/// Set to 1, it writes the page instead of comparing it.
const RENEW: &str = "AWS_ILM_RENEW_DOCS";

const PAGE: &str = "docs/guarantees.md";

const BEGINNING: &str = "\
# What callers may rely on

After this page you know what the service promises, what each promise needs, and which test kills, cuts or fills something to hold it.
`GET /capabilities` shows the same, as it holds in the service that you ask; with a store (`store_path`) all of it holds.

| promise | needs a store | held by |
|---|---|---|
";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page() -> String {
    let mut page = BEGINNING.to_owned();
    for guarantee in GUARANTEES {
        let needs = if guarantee.needs_store { "yes" } else { "no" };
        let proofs: Vec<_> = guarantee
            .proofs
            .iter()
            .map(|(file, name)| format!("[{name}](../{file})"))
            .collect();
        let _ = writeln!(
            page,
            "| **{}**: {} | {needs} | {} |",
            guarantee.id,
            guarantee.statement,
            proofs.join(" · ")
        );
    }
    page
}

#[test]
fn the_page_says_what_the_table_has() {
    let file = root().join(PAGE);
    if std::env::var_os(RENEW).is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, page()).unwrap();
    }
    assert_eq!(
        fs::read_to_string(file).unwrap_or_default(),
        page(),
        "{PAGE} is stale: {RENEW}=1 cargo test --test integration guarantees::"
    );
}

#[test]
fn each_guarantee_names_tests_that_are_there() {
    for guarantee in GUARANTEES {
        assert!(!guarantee.proofs.is_empty(), "{} is held by nothing", guarantee.id);
        for (file, name) in guarantee.proofs {
            let text = fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
            assert!(text.contains(name), "{}: there is no {name:?} in {file}", guarantee.id);
        }
    }
}

#[tokio::test]
async fn capabilities_say_what_holds_here() {
    let without = World::start().await.get("/capabilities").await.json();
    assert_eq!(without["store"], json!(null));
    let holds = |answer: &serde_json::Value, id: &str| {
        let guarantees = answer["guarantees"].as_array().unwrap();
        guarantees.iter().find(|one| one["id"] == id).unwrap()["holds"].clone()
    };
    assert_eq!(
        (holds(&without, "order"), holds(&without, "one-writer")),
        (json!(false), json!(true))
    );
    let settings = [("AWS_ILM_AFTER_BURIED", "block"), ("AWS_ILM_RETRY_SCHEDULE", "5s, 2h")];
    let stored = Stored::holding(json!([]), &settings).await;
    let with = stored.world.get("/capabilities").await.json();
    assert_eq!(
        (holds(&with, "order"), holds(&with, "one-writer")),
        (json!(true), json!(true))
    );
    let store = &with["store"];
    assert_eq!(store["afterBuried"], "block");
    assert_eq!(store["retrySchedule"], json!([5, 7200]));
    assert_eq!(
        (&store["batchElements"], &store["batchBytes"]),
        (&json!(10_000), &json!(16_777_216))
    );
}
