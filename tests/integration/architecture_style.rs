//! Reads the sources and holds their form: the width and the words of comments, one block of
//! imports a root, and one way to name folders.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The widest a line with a comment may be, in columns. A line that is one URL may be wider: it
/// can't be wrapped.
const COLUMNS: usize = 100;

/// Words that hide a comment's subject: it names the connection, token, value or caller instead.
const RIDDLES: [&str; 3] = ["whoever", "nobody", "somebody"];

/// Roots whose imports stand in one nested statement.
const ROOTS: [&str; 3] = ["crate", "std", "super"];

/// The text of each source file below `folder`, by its path from the repository's root.
fn sources(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut open: Vec<PathBuf> = vec![root.join(folder)];
    let mut sources = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|end| end == "rs") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            sources.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
    sources.sort();
    sources
}

/// The comment lines of a text, each with its number and what stands behind its slashes.
fn comments(text: &str) -> impl Iterator<Item = (usize, &str, &str)> {
    text.lines().enumerate().filter_map(|(index, line)| {
        let comment = line.trim_start().strip_prefix("//")?;
        Some((index + 1, line, comment.trim_start_matches(['/', '!']).trim()))
    })
}

#[test]
fn comments_are_at_most_a_hundred_columns_wide() {
    let mut wide = Vec::new();
    for (path, text) in sources("src").into_iter().chain(sources("tests")) {
        for (number, line, comment) in comments(&text) {
            let is_url = comment.contains("://") && !comment.contains(' ');
            if line.chars().count() > COLUMNS && !is_url {
                wide.push(format!("{path}:{number}"));
            }
        }
    }
    assert!(wide.is_empty(), "{wide:#?}");
}

#[test]
fn comments_name_their_subject() {
    let mut riddles = Vec::new();
    for (path, text) in sources("src") {
        for (number, _, comment) in comments(&text) {
            let mut words = comment.split(|character: char| !character.is_alphanumeric());
            let riddle = words.find(|word| RIDDLES.contains(&word.to_lowercase().as_str()));
            if let Some(word) = riddle {
                riddles.push(format!("{path}:{number}: {word}"));
            }
        }
    }
    assert!(riddles.is_empty(), "{riddles:#?}");
}

#[test]
fn each_module_imports_a_root_in_one_statement() {
    let mut doubled = Vec::new();
    for (path, text) in sources("src") {
        for root in ROOTS {
            let statement = format!("use {root}::");
            let count = text.lines().filter(|line| line.starts_with(&statement)).count();
            if count > 1 {
                doubled.push(format!("{path} has {count} statements `{statement}`"));
            }
        }
    }
    assert!(doubled.is_empty(), "{doubled:#?}");
}

#[test]
fn folders_are_named_by_their_mod_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let beside: Vec<_> = sources("src")
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| root.join(path.trim_end_matches(".rs")).is_dir())
        .collect();
    assert!(beside.is_empty(), "move into the folder, as mod.rs: {beside:#?}");
}
