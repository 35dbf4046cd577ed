//! The page about files of commands: its files and its lines, one after the other.

use std::fs;

use super::Service;

/// The blocks of this language, with the text before each.
fn blocks<'p>(page: &'p str, language: &str) -> Vec<(&'p str, &'p str)> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some((before, from)) = rest.split_once("```") {
        let (named, from) = from.split_once('\n').unwrap();
        let (block, after) = from.split_once("```").unwrap();
        if named == language {
            found.push((before, block));
        }
        rest = after;
    }
    found
}

#[test]
fn the_page_goes_from_a_table_to_its_last_mended_row() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/batches.md")).unwrap();
    let service = Service::start();
    let files: Vec<_> = ["csv", "json"]
        .into_iter()
        .flat_map(|language| blocks(&page, language))
        .collect();
    assert_eq!(files.len(), 2);
    for (before, content) in files {
        let name = before.trim_end().rsplit('`').nth(1).unwrap();
        service.file(name, content);
    }
    let lines = blocks(&page, "console");
    assert_eq!(lines.len(), 4);
    for (before, block) in lines {
        if before.contains("Write the missing `Reed` into it") {
            let failures = service.path("failures.csv");
            let mended = fs::read_to_string(&failures).unwrap().replace("Lou;;", "Lou;Reed;");
            fs::write(failures, mended).unwrap();
        }
        let (line, expected) = block.split_once('\n').unwrap();
        let arguments: Vec<String> = line
            .strip_prefix("$ aws-ilm ")
            .unwrap()
            .split_whitespace()
            .map(|word| {
                if word.contains('.') {
                    service.path(word)
                } else {
                    word.to_owned()
                }
            })
            .collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let ended = service.run(&arguments);
        assert_eq!(ended.stdout, expected, "{line}: {ended:?}");
    }
}
