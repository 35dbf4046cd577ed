//! Reads the sources, and holds every path into another room against the table of imports in
//! ARCHITECTURE.md. Also holds the length of files.

mod source;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use self::source::{sources, trees};

/// The one room that may name a database, once it is there.
const STORES: &str = "store";

/// Crates that speak with a database.
const DATABASES: &[&str] = &[
    "rusqlite",
    "libsqlite3_sys",
    "sqlx",
    "tokio_postgres",
    "deadpool_postgres",
    "diesel",
    "redis",
];

/// What stands in the table for rooms that import no other.
const NONE: &str = "nothing of ours";

/// A room of plain values that imports nothing of ours: every room may import it.
const EVERYBODYS: &str = "diagnostic";

/// Only these may speak with a directory; to all others `scim` is a vocabulary of values.
const SPEAK_SCIM: &[&str] = &["app", "service"];

/// What of `scim` speaks.
const SPEAKERS: &[&str] = &["Client", "Pool", "client"];

/// Rooms in which nothing happens: they decide, translate and describe. No network, no runtime, no
/// clock, no files.
const PURE: &[&str] = &[
    "commands",
    "decide",
    "diagnostic",
    "envelope",
    "json",
    "mapper",
    "outcome",
    "policy",
    "profile",
];

/// What makes things happen.
const IMPURE: &[&str] = &[
    "tokio",
    "tokio_util",
    "reqwest",
    "axum",
    "axum_server",
    "hyper_util",
    "tower",
    "tower_http",
    "rustls",
    "std::net",
    "std::fs",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "std::env",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
];

/// Files in a pure room that read files, with the reason.
const READ_FILES: &[(&str, &str)] = &[
    (
        "mapper/store.rs",
        "finds the mappers that settings name, once, at start",
    ),
    ("mapper/file.rs", "reads a mapper's file, once, at start"),
];

/// The longest a file may be before its tests.
const LONGEST: usize = 400;

/// Files that are longer, with the reason.
const LONGER: &[(&str, &str)] = &[(
    "mapper/transformers.rs",
    "one list of the operators that exports know, each a few lines beside what it takes",
)];

/// Each room with the rooms that it may import, from the table in ARCHITECTURE.md. A room is a file
/// or a folder directly below `src`.
fn may_import() -> BTreeMap<String, BTreeSet<String>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/ARCHITECTURE.md");
    let text = fs::read_to_string(path).unwrap();
    let (_, table) = text.split_once("## Who may import whom").unwrap();
    let rows = table
        .split("```")
        .nth(1)
        .unwrap()
        .lines()
        .filter(|row| row.contains('→'));
    let mut table = BTreeMap::new();
    for row in rows {
        let (rooms, others) = row.split_once('→').unwrap();
        let others: BTreeSet<String> = match others.trim() {
            NONE => BTreeSet::new(),
            others => others.split(", ").map(|other| other.trim().to_owned()).collect(),
        };
        for room in rooms.split(',') {
            let before = table.insert(room.trim().to_owned(), others.clone());
            assert!(before.is_none(), "{room} stands there twice");
        }
    }
    table
}

#[test]
fn rooms_import_only_whom_they_may() {
    let table = may_import();
    let sources = sources();
    let rooms: BTreeSet<&str> = sources.iter().map(|source| source.room.as_str()).collect();
    let told: BTreeSet<&str> = table.keys().map(String::as_str).collect();
    assert_eq!(rooms, told, "the table has each room once");
    let mut used: BTreeSet<(&str, String)> = BTreeSet::new();
    let mut faults = Vec::new();
    for source in &sources {
        for path in source.paths_into_the_crate() {
            let other = path.split("::").next().unwrap_or_default();
            if other == source.room || !rooms.contains(other) || other == EVERYBODYS {
                continue;
            }
            if !table[&source.room].contains(other) {
                faults.push(format!("{} imports {path}", source.path));
            }
            used.insert((&source.room, other.to_owned()));
        }
    }
    // `main` reaches the library from outside.
    used.insert(("main", "cli".to_owned()));
    assert!(faults.is_empty(), "{faults:#?}");
    for (room, others) in &table {
        for other in others {
            assert!(
                used.contains(&(room, other.clone())),
                "{room} may import {other} and does not: take it from the table"
            );
        }
    }
}

#[test]
fn only_service_and_app_speak_with_a_directory() {
    let mut faults = Vec::new();
    for source in sources() {
        if source.room == "scim" || SPEAK_SCIM.contains(&source.room.as_str()) {
            continue;
        }
        for path in source.paths_into_the_crate() {
            if let Some(of_scim) = path.strip_prefix("scim::")
                && of_scim.split("::").any(|segment| SPEAKERS.contains(&segment))
            {
                faults.push(format!("{} imports {path}", source.path));
            }
        }
        // Where the module itself was imported.
        for speaker in SPEAKERS {
            if source.code.contains(&format!("scim::{speaker}")) {
                faults.push(format!("{} names scim::{speaker}", source.path));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// The one thing of `outbound` that the client of directories uses is its guard of addresses.
#[test]
fn scim_takes_only_the_guard_of_addresses_from_outbound() {
    for source in sources().iter().filter(|source| source.room == "scim") {
        for path in source.paths_into_the_crate() {
            assert!(
                !path.starts_with("outbound") || path == "outbound::Guard",
                "{} imports {path}",
                source.path
            );
        }
    }
}

/// Others would come to depend on how requests are answered; the command line may print the
/// document.
#[test]
fn only_app_names_a_type_of_http() {
    for source in sources()
        .iter()
        .filter(|source| source.room != "http" && source.room != "app")
    {
        for path in source.paths_into_the_crate() {
            let of_http = path.strip_prefix("http::").unwrap_or_default();
            assert!(!of_http.contains(char::is_uppercase), "{} imports {path}", source.path);
        }
        let names_type = source.code.match_indices("http::").any(|(at, _)| {
            let before = source.code[..at].chars().next_back();
            let is_ours = before.is_none_or(|before| !before.is_alphanumeric() && before != '_' && before != ':');
            is_ours && source.code[at + "http::".len()..].starts_with(char::is_uppercase)
        });
        let imports_ours = source.paths_into_the_crate().contains("http");
        assert!(!(imports_ours && names_type), "{} names a type of http", source.path);
    }
}

#[test]
fn only_the_store_names_a_database() {
    for source in sources().iter().filter(|source| source.room != STORES) {
        for name in DATABASES {
            assert!(
                trees(&source.code, name).is_empty(),
                "{} names {name}, which only {STORES} may",
                source.path
            );
        }
    }
}

#[test]
fn nothing_happens_in_pure_rooms() {
    let mut faults = Vec::new();
    for source in sources().iter().filter(|source| PURE.contains(&source.room.as_str())) {
        for impure in IMPURE {
            let (first, rest) = impure.split_once("::").unwrap_or((impure, ""));
            let paths = trees(&source.code, first).into_iter().flatten();
            let reads_files = *impure == "std::fs" && READ_FILES.iter().any(|(path, _)| *path == source.path);
            for path in paths.filter(|path| path.starts_with(rest) && !reads_files) {
                faults.push(format!("{} uses {first}::{path}", source.path));
            }
        }
        for word in ["async fn", ".await", "async move"] {
            if source.code.contains(word) {
                faults.push(format!("{} has `{word}`", source.path));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn files_are_short() {
    let mut lengths: Vec<(usize, String)> = sources()
        .into_iter()
        .map(|source| (source.lines, source.path))
        .collect();
    lengths.sort();
    let (count, median) = (lengths.len(), lengths[lengths.len() / 2].0);
    let largest: Vec<_> = lengths.iter().rev().take(3).collect();
    println!("{count} files; lines before the tests: median {median}; the largest {largest:?}");
    for (lines, path) in &lengths {
        let reason = LONGER.iter().find(|(longer, _)| longer == path);
        assert!(
            *lines <= LONGEST || reason.is_some(),
            "{path} has {lines} lines before its tests; cut it, or give a reason here"
        );
        assert!(*lines > LONGEST || reason.is_none(), "{path} needs no reason any more");
    }
    assert!(median <= 300, "the median is {median}");
}

/// Papers go stale where files are moved.
#[test]
fn papers_name_files_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut missing = Vec::new();
    for paper in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = fs::read_to_string(root.join(paper)).unwrap();
        let words = text.split(|character: char| character.is_whitespace() || "`()|,;:>".contains(character));
        let of_ours = |word: &&str| {
            ["src/", "tests/", "openapi/", ".ci/"]
                .iter()
                .any(|start| word.starts_with(start))
        };
        for word in words.filter(of_ours) {
            let path = word.trim_end_matches('.');
            // `src/commands/<name>.rs` stands for any.
            if !path.contains('<') && !root.join(path).exists() {
                missing.push(format!("{paper}: {path}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}
