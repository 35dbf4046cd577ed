//! Reads the sources, and holds every path into another room against one table of imports. Also
//! holds the length of files, and the form of comments and imports.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Each room, with the rooms that it may import. A room is a file or a folder directly below `src`.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    ("lib", &[]),
    (
        "cli",
        &[
            "app",
            "auth",
            "commands",
            "config",
            "http",
            "json",
            "mapper",
            "outcome",
            "profile",
            "sandbox",
            "scim",
            "service",
            "telemetry",
        ],
    ),
    (
        "app",
        &[
            "audit", "auth", "commands", "config", "files", "http", "net", "sandbox", "scim", "service",
        ],
    ),
    (
        "http",
        &[
            "audit", "auth", "commands", "envelope", "json", "mapper", "net", "profile", "scim", "service",
        ],
    ),
    ("service", &["commands", "decide", "outcome", "scim"]),
    ("envelope", &["outcome", "scim"]),
    (
        "commands",
        &["decide", "json", "mapper", "outcome", "policy", "profile", "scim"],
    ),
    ("mapper", &["files", "json", "profile", "scim"]),
    ("decide", &["outcome", "scim"]),
    ("outcome", &["profile", "scim"]),
    ("profile", &["json"]),
    ("telemetry", &[]),
    (
        "config",
        &[
            "auth",
            "commands",
            "files",
            "mapper",
            "net",
            "policy",
            "scim",
            "telemetry",
        ],
    ),
    ("audit", &["auth"]),
    ("auth", &["files", "json", "outbound"]),
    ("diagnostic", &[]),
    ("net", &["files"]),
    ("outbound", &[]),
    ("files", &[]),
    ("json", &[]),
    ("policy", &[]),
    ("scim", &["outbound"]),
    ("sandbox", &[]),
];

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

/// Rooms of plain values that import nothing of ours: every room may import them.
const LEAVES: &[&str] = &["diagnostic"];

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

/// A source file.
struct Source {
    /// Below `src`, with slashes.
    path: String,
    /// The file or folder directly below `src`, without `.rs`.
    room: String,
    /// What is compiled outside tests, without comments and without the text of strings.
    code: String,
    /// Lines before the tests.
    lines: usize,
}

fn sources() -> Vec<Source> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    find(&root, &mut paths);
    let mut sources: Vec<_> = paths.iter().map(|path| Source::read(&root, path)).collect();
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    sources
}

fn find(folder: &Path, paths: &mut Vec<PathBuf>) {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    // A module of tests is no part of what it tests.
    let room = fs::read_to_string(folder.join("mod.rs")).unwrap_or_default();
    let is_tests = |path: &PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap();
        room.contains(&format!("#[cfg(test)]\nmod {name};"))
    };
    found.retain(|path| !is_tests(path));
    for path in found {
        if path.is_dir() {
            find(&path, paths);
        } else if path.extension().is_some_and(|end| end == "rs") {
            paths.push(path);
        }
    }
}

impl Source {
    fn read(root: &Path, path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let own = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let path = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
        let room = path.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        Self {
            path,
            room,
            code: code_of(own),
            lines: own.trim_end().lines().count(),
        }
    }

    /// Every path that begins with `crate`, or leaves the room through `super`, from its first
    /// segment on.
    fn paths_into_the_crate(&self) -> BTreeSet<String> {
        let mut paths = BTreeSet::new();
        for tree in trees(&self.code, "crate") {
            paths.extend(tree);
        }
        // How many `super` lead to the crate: `a.rs` and `a/mod.rs` are one below it, `a/b.rs` two.
        let depth = self.path.trim_end_matches("/mod.rs").split('/').count();
        let up = vec!["super"; depth].join("::");
        for tree in trees(&self.code, &up) {
            paths.extend(tree);
        }
        paths
    }
}

/// The code without comments and with empty strings, so that nothing written about the code is
/// taken for it.
fn code_of(text: &str) -> String {
    let mut code = String::new();
    for line in text.lines() {
        let mut rest = line.split("//").next().unwrap_or_default();
        while let Some((before, after)) = rest.split_once('"') {
            code.push_str(before);
            rest = after.split_once('"').map_or("", |(_, after)| after);
        }
        code.push_str(rest);
        code.push('\n');
    }
    code
}

/// The paths of each use of `root::`, with braces taken apart: `root::{a, b::{c, d}}` is `a`,
/// `b::c` and `b::d`.
fn trees(code: &str, root: &str) -> Vec<BTreeSet<String>> {
    let start = format!("{root}::");
    let begins = |at: usize| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|character| character.is_alphanumeric() || character == '_' || character == ':')
    };
    let places = code.match_indices(&start).filter(|(at, _)| begins(*at));
    places
        .map(|(at, _)| {
            let mut paths = BTreeSet::new();
            expand(&code[at + start.len()..], "", &mut paths);
            paths
        })
        .collect()
}

/// Expands one tree, and gives how much of the text it takes.
fn expand(text: &str, prefix: &str, paths: &mut BTreeSet<String>) -> usize {
    let inside = |character: char| character.is_alphanumeric() || character == '_' || character == ':';
    let end = text.find(|character| !inside(character)).unwrap_or(text.len());
    let path = format!("{prefix}{}", &text[..end]);
    let branches = (path.is_empty() || path.ends_with("::")) && text[end..].starts_with('{');
    if !branches {
        paths.insert(path);
        return end;
    }
    let mut at = end + 1;
    loop {
        at += text[at..].len() - text[at..].trim_start_matches([' ', '\n', ',']).len();
        if text[at..].is_empty() || text[at..].starts_with('}') {
            return at + 1;
        }
        let taken = expand(&text[at..], &path, paths);
        at += taken;
        // `as other`, a glob.
        let rest = text[at..].find([',', '}']).unwrap_or(text[at..].len());
        at += rest;
    }
}

#[test]
fn trees_are_taken_apart() {
    let code = code_of(
        "use crate::{a::{B, c::D as E}, f, // crate::no\n g::*};\nlet x = crate::h::I::new(\"crate::j\"); notcrate::k;",
    );
    let paths: BTreeSet<String> = trees(&code, "crate").into_iter().flatten().collect();
    let expected = ["a::B", "a::c::D", "f", "g::", "h::I::new"].map(str::to_owned);
    assert_eq!(paths, expected.into());
}

#[test]
fn rooms_import_only_whom_they_may() {
    let table: BTreeMap<&str, BTreeSet<&str>> = MAY_IMPORT
        .iter()
        .map(|(room, others)| (*room, others.iter().copied().collect()))
        .collect();
    assert_eq!(table.len(), MAY_IMPORT.len(), "a room stands there twice");
    let sources = sources();
    let rooms: BTreeSet<&str> = sources.iter().map(|source| source.room.as_str()).collect();
    assert_eq!(rooms, table.keys().copied().collect(), "the table has each room once");
    let mut used: BTreeSet<(&str, String)> = BTreeSet::new();
    let mut faults = Vec::new();
    for source in &sources {
        for path in source.paths_into_the_crate() {
            let other = path.split("::").next().unwrap_or_default();
            if other == source.room || !rooms.contains(other) || LEAVES.contains(&other) {
                continue;
            }
            if !table[source.room.as_str()].contains(other) {
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
                used.contains(&(room, (*other).to_owned())),
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
