//! What mapping one profile costs: `cargo run --release --example mapping`.
//!
//! With the platform's stock mapper where it is at hand (`../shared/mappers` beside the
//! repository), else with ours in its manner. Prints the median of many rounds in nanoseconds a
//! mapping, and exits with 1 when the stock mapping costs 20 µs or more.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "it prints its measurement, and stops where it can't go on"
)]

use std::{hint::black_box, path::Path, process::ExitCode, sync::Arc, time::Instant};

use aws_ilm::{
    mapper::{Mapper, MapperFile, MappingType},
    profile::UserProfile,
};
use serde_json::json;

/// What one mapping may cost, in nanoseconds.
const LIMIT: u128 = 20_000;
const ROUNDS: usize = 101;
const MAPPINGS: u32 = 2_000;

fn main() -> ExitCode {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/mappers");
    let stock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/mappers/scim-outgoing.json");
    let glued = if stock.is_file() {
        stock
    } else {
        own.join("stock-manner.json")
    };
    let full = profile(json!({
        "username": "jane.roe", "displayname": "Jane \"JR\" Roe", "givenname": "Jane", "surname": "O\"Hara", "email": "jane.roe@example.com",
        "employeeid": "e-100042", "mobilephone": "+1 555 0100", "title": "Engineer", "employeetype": "Regular", "employeenumber": "100042",
        "department": "Research & Development", "division": "North", "costcentercode": "CC-1", "countrycodenumber": "840",
        "peoplemanagerflag": "N", "city": "Springfield", "hiredate": "2026-11-23", "locationregion": "AMER",
    }));
    let sparse = profile(json!({"username": "jane.roe", "email": "jane.roe@example.com"}));
    let mapper = |path: &Path| {
        let (file, findings) = MapperFile::load(path).unwrap();
        let file = file.unwrap_or_else(|| panic!("{}", findings.errors()));
        Mapper::new(Some(Arc::new(file)), None)
    };
    let stock = mapper(&glued);
    let name = glued.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let measured = measure(&format!("{name}, a full profile"), &stock, &full);
    measure(&format!("{name}, a sparse profile"), &stock, &sparse);
    measure(
        "by-hand.toml, a full profile",
        &mapper(&own.join("by-hand.toml")),
        &full,
    );
    measure("the built-in mapping, a full profile", &Mapper::default(), &full);
    if measured < LIMIT {
        ExitCode::SUCCESS
    } else {
        println!("{measured} ns is not under {LIMIT} ns");
        ExitCode::FAILURE
    }
}

fn profile(value: serde_json::Value) -> UserProfile {
    serde_json::from_value(value).unwrap()
}

/// The median of the rounds, in nanoseconds a mapping.
fn measure(what: &str, mapper: &Mapper, profile: &UserProfile) -> u128 {
    assert_eq!(mapper.outgoing(MappingType::Create, profile).faults, []);
    let mut rounds: Vec<u128> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..MAPPINGS {
                black_box(mapper.outgoing(MappingType::Create, black_box(profile)));
            }
            start.elapsed().as_nanos() / u128::from(MAPPINGS)
        })
        .collect();
    rounds.sort_unstable();
    let median = rounds[ROUNDS / 2];
    println!(
        "{what}: {median} ns (fastest {}, slowest {})",
        rounds[0],
        rounds[ROUNDS - 1]
    );
    median
}
