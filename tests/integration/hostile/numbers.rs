//! Each number of the list of hostile inputs stands in the documentation of the test that shows it,
//! with the input and the answer that it must get: "Hostile input 7, …".

use std::{collections::BTreeSet, fs, ops::RangeInclusive, path::Path};

const ALL: RangeInclusive<u8> = 1..=103;

/// What the service has nothing for yet.
const NOT_YET: [(RangeInclusive<u8>, &str); 2] = [
    (72..=72, "there are no brakes"),
    (102..=102, "there is no chain of audit records"),
];

#[test]
fn every_hostile_input_has_its_test_or_its_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut shown = BTreeSet::new();
    for folder in ["src", "tests/integration"] {
        collect(&root.join(folder), &mut shown);
    }
    let not_yet: BTreeSet<u8> = NOT_YET.iter().flat_map(|(numbers, _)| numbers.clone()).collect();
    assert!(shown.is_disjoint(&not_yet), "take what is shown from the list");
    let known: BTreeSet<u8> = shown.union(&not_yet).copied().collect();
    assert_eq!(known, ALL.collect());
}

/// Collects the numbers in documentation that stands before a test.
fn collect(folder: &Path, shown: &mut BTreeSet<u8>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, shown);
        } else if path.extension().is_some_and(|end| end == "rs") {
            shown.extend(numbers_before_tests(&fs::read_to_string(&path).unwrap()));
        }
    }
}

fn numbers_before_tests(text: &str) -> Vec<u8> {
    let mut numbers = Vec::new();
    let mut pending = Vec::new();
    for line in text.lines().map(str::trim_start) {
        if let Some(comment) = line.strip_prefix("///") {
            let after = comment
                .split_once("Hostile input ")
                .and_then(|(_, rest)| rest.split_once(','));
            pending.extend(after.and_then(|(number, _)| number.parse::<u8>().ok()));
        } else if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            numbers.append(&mut pending);
        } else {
            pending.clear();
        }
    }
    numbers
}

#[test]
fn a_number_counts_only_before_a_test() {
    let text = "/// Hostile input 3, an id: 400.\n#[test]\nfn a() {}\n/// Hostile input 4, an id: 400.\nfn b() {}";
    assert_eq!(numbers_before_tests(text), [3]);
}
