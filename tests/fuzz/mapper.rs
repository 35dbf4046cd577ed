//! Throws made-up mappers and paths at the parsers for a bounded time:
//! `cargo run --example fuzz-mapper -- SECONDS [SEED]`.
//!
//! cargo-fuzz needs a nightly compiler; this runs on the stable one. Inputs are the mapper files of
//! the tests, cut, doubled and mixed, and texts made of what paths, texts with values and
//! expressions consist of. What compiles is run over a few profiles and explained. A panic, an
//! overflow (the profile has checks on) or an input that takes over two seconds ends the run with
//! the input and the seed.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "it prints what it found, and stops where it can't go on"
)]

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use aws_ilm::{
    mapper::{Form, Mapper, MapperFile, MappingType},
    profile::UserProfile,
    scim::{Dialect, User},
};
use serde_json::{Value, json};

/// No input may take longer.
const LONGEST: Duration = Duration::from_secs(2);

/// What paths, texts and expressions consist of.
const PIECES: [&str; 46] = [
    "${",
    "}",
    ".",
    "\\.",
    "\\",
    "[",
    "]",
    "[0]",
    "[0:2]",
    "[-1]",
    ":",
    "\"",
    "'",
    "urn:scim:schemas:extension:enterprise:1.0",
    "urn:scim:schemas:extension:enterprise:1\\.0",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    "val.x == 1",
    "=",
    ".=",
    " ",
    "\u{0}",
    "\u{202e}",
    "é",
    "😀",
    "a",
    "b",
    "list",
    "name",
    "email",
    "username",
    "0",
    "99999999999999999999",
    "{\"a\": \"",
    "\"}",
    "{",
    ",",
    "~",
    "|",
    "upper",
    "default('x')",
    "*",
    "(",
    ")",
    "not ",
    "or ",
    "(a+)+$",
];

/// Numbers from a seed (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end.max(1) as u64)).unwrap()
    }

    fn text(&mut self) -> String {
        let count = self.below(10);
        (0..count).map(|_| PIECES[self.below(PIECES.len())]).collect()
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args()
        .skip(1)
        .map(|argument| argument.parse::<u64>().unwrap());
    let limit = Duration::from_secs(arguments.next().unwrap_or(30));
    let seed = arguments.next().unwrap_or_else(|| u64::from(std::process::id()));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/mappers");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let corpus: Vec<(Form, String)> = files
        .iter()
        .map(|path| (Form::of(path), fs::read_to_string(path).unwrap()))
        .collect();
    let mut numbers = Numbers(seed);
    let (start, mut tried, mut compiled) = (Instant::now(), 0_u64, 0_u64);
    while start.elapsed() < limit {
        let (form, text) = match numbers.below(4) {
            0 => {
                let (form, text) = &corpus[numbers.below(corpus.len())];
                (*form, mangled(text, &mut numbers))
            }
            1 => (Form::Toml, by_hand(&mut numbers)),
            _ => (Form::Xsoar, export(&mut numbers)),
        };
        let began = Instant::now();
        let sound = catch_unwind(AssertUnwindSafe(|| tried_out(&text, form)));
        tried += 1;
        match sound {
            Ok(sound) => compiled += u64::from(sound),
            Err(_) => {
                println!("a panic, seed {seed}, {form:?}:\n{text}");
                return ExitCode::FAILURE;
            }
        }
        if began.elapsed() > LONGEST {
            println!("{:?}, seed {seed}, {form:?}:\n{text}", began.elapsed());
            return ExitCode::FAILURE;
        }
    }
    println!("{tried} mappers tried in {limit:?}, {compiled} of them compiled and were run; seed {seed}");
    ExitCode::SUCCESS
}

/// Compiles a mapper and runs it; whether it compiled.
fn tried_out(text: &str, form: Form) -> bool {
    let (file, findings) = MapperFile::compile(text, form);
    drop(findings.errors());
    let Some(file) = file else { return false };
    let file = Arc::new(file);
    let mapper = Mapper::new(Some(Arc::clone(&file)), Some(file));
    for source in [
        json!({}),
        json!({"username": "u", "a": "\"}", "b": ["x", {"a": 1}], "list": [[1], [2, {"b": null}]], "name": {"a": "y"}, "email": "e@x"}),
        json!({"a": "a".repeat(70_000), "list": vec!["x,y"; 1_100], "b": {"b": {"b": 1.5}}, "email": "\u{0}${a}"}),
    ] {
        let profile: UserProfile = serde_json::from_value(source.clone()).unwrap();
        for mapping_type in [MappingType::Create, MappingType::Update] {
            drop(mapper.outgoing(mapping_type, &profile));
        }
        drop(mapper.explain_outgoing(MappingType::Create, Dialect::Aws, &profile));
        let Value::Object(user) = source else { continue };
        drop(mapper.explain_incoming(&User::assumed(user)));
    }
    true
}

/// A text with pieces cut out, doubled, and put in.
fn mangled(text: &str, numbers: &mut Numbers) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(characters.len() + 1);
        let end = (at + numbers.below(40)).min(characters.len());
        match numbers.below(3) {
            0 => drop(characters.drain(at..end)),
            1 => {
                let piece: Vec<char> = characters[at..end].to_vec();
                characters.splice(at..at, piece);
            }
            _ => {
                let piece: Vec<char> = numbers.text().chars().collect();
                characters.splice(at..at, piece);
            }
        }
    }
    characters.into_iter().collect()
}

/// An export with made-up paths, operators and arguments.
fn export(numbers: &mut Numbers) -> String {
    const TRANSFORMERS: [&str; 26] = [
        "concat",
        "ParseJSON",
        "Stringify",
        "toLowerCase",
        "toUpperCase",
        "trim",
        "split",
        "splitAndTrim",
        "join",
        "append",
        "uniq",
        "count",
        "atIndex",
        "FirstArrayElement",
        "getField",
        "substring",
        "substringFrom",
        "substringTo",
        "replace",
        "replaceMatch",
        "StripChars",
        "SetIfEmpty",
        "If-Then-Else",
        "MapValuesTransformer",
        "TimeStampToDate",
        "DateStringToISOFormat",
    ];
    const ARGUMENTS: [&str; 16] = [
        "prefix",
        "suffix",
        "delimiter",
        "separator",
        "item",
        "index",
        "field",
        "from",
        "to",
        "toReplace",
        "replaceWith",
        "regex",
        "chars",
        "defaultValue",
        "then",
        "rhs",
    ];
    const FILTERS: [&str; 14] = [
        "isEqualString",
        "isNotEqualString",
        "isEmpty",
        "isNotEmpty",
        "isExists",
        "contains",
        "containsGeneral",
        "startsWith",
        "endsWith",
        "match",
        "inList",
        "isTrue",
        "isFalse",
        "stringHasLength",
    ];
    let simple = |numbers: &mut Numbers| {
        let text = match numbers.below(3) {
            0 => ["a", "b", "list", "email", "name.a", "0", "1", "x"][numbers.below(8)].to_owned(),
            _ => numbers.text(),
        };
        json!({"isContext": numbers.below(2) == 0, "value": {"simple": text}})
    };
    let mut targets = serde_json::Map::new();
    for _ in 0..=numbers.below(3) {
        let rule = if numbers.below(3) == 0 {
            json!({"simple": numbers.text()})
        } else {
            let root = ["a", "b", "list", "email", "${a}", "b.a", "list[0:1]"][numbers.below(7)];
            let steps: Vec<Value> = (0..numbers.below(6))
                .map(|_| {
                    let arguments: serde_json::Map<String, Value> = (0..numbers.below(4))
                        .map(|_| (ARGUMENTS[numbers.below(ARGUMENTS.len())].to_owned(), simple(numbers)))
                        .collect();
                    json!({"operator": TRANSFORMERS[numbers.below(TRANSFORMERS.len())], "args": arguments})
                })
                .collect();
            let tests: Vec<Value> = (0..numbers.below(2))
                .map(|_| json!([{"operator": FILTERS[numbers.below(FILTERS.len())], "left": simple(numbers), "right": simple(numbers)}]))
                .collect();
            let accessor = if numbers.below(3) == 0 {
                numbers.text()
            } else {
                String::new()
            };
            json!({"complex": {"root": root, "filters": tests, "accessor": accessor, "transformers": steps}})
        };
        let target = [
            "title",
            "name",
            "name.givenName",
            "emails",
            "urn:scim:schemas:extension:enterprise:1.0",
        ][numbers.below(5)];
        targets.insert(target.to_owned(), rule);
    }
    json!({"type": "mapping-outgoing", "mapping": {"User Profile": {"internalMapping": targets}}})
        .to_string()
        .replace("mapping-outgoing", ["mapping-outgoing", "other"][numbers.below(2)])
}

/// A mapper by hand with a made-up expression.
fn by_hand(numbers: &mut Numbers) -> String {
    let expression = numbers.text().replace('\u{0}', " ");
    format!(
        "direction = \"outgoing\"\n[\"User Profile\"]\ntitle = {}\n",
        Value::from(expression)
    )
}
