//! The sources as they are read here: each file with its room, its code and its imports.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// A source file.
pub(super) struct Source {
    /// Below `src`, with slashes.
    pub(super) path: String,
    /// The file or folder directly below `src`, without `.rs`.
    pub(super) room: String,
    /// What is compiled outside tests, without comments and without the text of strings.
    pub(super) code: String,
    /// Lines before the tests.
    pub(super) lines: usize,
}

pub(super) fn sources() -> Vec<Source> {
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
    pub(super) fn paths_into_the_crate(&self) -> BTreeSet<String> {
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
pub(super) fn trees(code: &str, root: &str) -> Vec<BTreeSet<String>> {
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
