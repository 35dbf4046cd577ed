//! The README and the pages of `docs/`: their examples are run, what is generated in them is up to
//! date, their links lead somewhere, and each has the form that readers count on.

mod examples;
mod form;
mod generated;
mod production;

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a page.
pub(crate) fn page(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Every page of `docs/`, by its path.
fn docs() -> Vec<String> {
    let files = fs::read_dir(root().join("docs")).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    let mut pages: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path: PathBuf| format!("docs/{}", path.file_name().unwrap().display()))
        .collect();
    pages.sort();
    pages
}

/// A fenced block of a page.
struct Block<'p> {
    /// The text before it, back to the block before.
    before: &'p str,
    /// The word behind the fence.
    language: &'p str,
    text: &'p str,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some((before, from)) = rest.split_once("\n```") {
        let (language, from) = from.split_once('\n').unwrap();
        let (text, after) = from.split_once("```\n").unwrap();
        found.push(Block { before, language, text });
        rest = after;
    }
    found
}

/// The page without its fenced blocks.
fn prose(page: &str) -> String {
    let mut is_prose = true;
    let lines = page.lines().filter(|line| {
        let is_fence = line.starts_with("```");
        is_prose ^= is_fence;
        is_prose && !is_fence
    });
    lines.collect::<Vec<_>>().join("\n")
}
