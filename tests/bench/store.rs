//! What a store costs, and how that grows: the time of an enqueue, a claim, an end and a page with
//! 1,000 to 1,000,000 operations waiting, on as many people and on one; memory and the file; and
//! how many enqueues a second 1 to 256 senders get.
//!
//! `cargo run --release --example bench-store [-- LARGEST]`; prints, asserts nothing.

#![allow(clippy::print_stdout, reason = "printing figures is what this is for")]

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use aws_ilm::store::{AttemptEnd, End, Filter, NewOperation, NewRequest, State, Store, sqlite::Sqlite};
use jiff::Timestamp;

/// Single steps that are timed at each size.
const TIMED: usize = 300;

/// Operations that are stored in one call while a store is filled.
const AT_ONCE: usize = 1_000;

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let largest = std::env::args()
        .nth(1)
        .map_or(Ok(1_000_000), |largest| largest.parse())?;
    let folder = std::env::temp_dir().join(format!("aws-ilm-bench-{}", std::process::id()));
    fs::create_dir(&folder)?;
    let result = measure(&folder, largest).await;
    fs::remove_dir_all(&folder)?;
    result
}

async fn measure(folder: &Path, largest: usize) -> Result<(), Failure> {
    println!("median, ms         waiting  people   enqueue     claim       end      page   of one  MiB RAM  MiB file");
    let sizes = [1_000, 10_000, 100_000, 1_000_000]
        .into_iter()
        .filter(|size| *size <= largest);
    for size in sizes {
        for people in [size, 1] {
            let file = folder.join(format!("{size}-{people}"));
            let store = Sqlite::open(&file, "a benchmark")?;
            fill(&store, size, people).await?;
            row(&store, &file, size, people).await?;
        }
    }
    println!("\nsenders   enqueues a second   p50 ms   p99 ms");
    for senders in [1, 16, 64, 256] {
        let store = Arc::new(Sqlite::open(&folder.join(format!("senders-{senders}")), "a benchmark")?);
        accept(store, senders).await?;
    }
    Ok(())
}

async fn fill(store: &Sqlite, size: usize, people: usize) -> Result<(), Failure> {
    for first in (0..size).step_by(AT_ONCE) {
        let operations = (first..first + AT_ONCE)
            .map(|number| operation(number, number % people))
            .collect();
        store.accept(request(operations), Timestamp::now()).await?;
    }
    Ok(())
}

async fn row(store: &Sqlite, file: &Path, size: usize, people: usize) -> Result<(), Failure> {
    let mut times: [Vec<Duration>; 5] = Default::default();
    for number in 0..TIMED {
        let now = Timestamp::now();
        let begun = Instant::now();
        store
            .accept(request(vec![operation(size + number, number % people)]), now)
            .await?;
        times[0].push(begun.elapsed());
        let begun = Instant::now();
        let claimed = store
            .claim("production".to_owned(), 1, now)
            .await?
            .claimed
            .pop()
            .ok_or("nothing to claim")?;
        times[1].push(begun.elapsed());
        let begun = Instant::now();
        store
            .end(claimed.claim, AttemptEnd::default(), End::Ended(State::Done, None), now)
            .await?;
        times[2].push(begun.elapsed());
        let begun = Instant::now();
        store.operations(Filter::default(), None, 100).await?;
        times[3].push(begun.elapsed());
        let begun = Instant::now();
        let filter = Filter {
            subject: Some("user name p0".to_owned()),
            ..Filter::default()
        };
        store.operations(filter, None, 100).await?;
        times[4].push(begun.elapsed());
    }
    let median = times.map(|mut times| {
        times.sort();
        times[TIMED / 2].as_secs_f64() * 1_000.0
    });
    let [enqueue, claim, end, page, of_one] = median;
    let bytes = fs::metadata(file)?.len();
    println!(
        "{size:>26}{people:>8}{enqueue:>10.3}{claim:>10.3}{end:>10.3}{page:>10.3}{of_one:>9.3}{:>9}{:>10}",
        resident()?,
        bytes >> 20,
    );
    Ok(())
}

/// A request under no key.
fn request(operations: Vec<NewOperation>) -> NewRequest {
    NewRequest {
        operations,
        ..NewRequest::default()
    }
}

async fn accept(store: Arc<Sqlite>, senders: usize) -> Result<(), Failure> {
    let until = Instant::now() + Duration::from_secs(5);
    let tasks: Vec<_> = (0..senders)
        .map(|sender| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut times = Vec::new();
                while Instant::now() < until {
                    let number = sender * 10_000_000 + times.len();
                    let begun = Instant::now();
                    if store
                        .accept(request(vec![operation(number, number)]), Timestamp::now())
                        .await
                        .is_err()
                    {
                        break;
                    }
                    times.push(begun.elapsed());
                }
                times
            })
        })
        .collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await?);
    }
    times.sort();
    let at = |share: usize| {
        times
            .get(times.len() * share / 100)
            .copied()
            .unwrap_or_default()
            .as_secs_f64()
            * 1_000.0
    };
    println!(
        "{senders:>7}{:>20.0}{:>9.2}{:>9.2}",
        times.len() as f64 / 5.0,
        at(50),
        at(99)
    );
    Ok(())
}

/// MiB of memory that this process has now.
fn resident() -> Result<u64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .ok_or("no VmRSS")?;
    let kib: u64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
    Ok(kib >> 10)
}

fn operation(number: usize, person: usize) -> NewOperation {
    let profile =
        format!(r#"{{"username": "p{person}", "email": "p{person}@example.com", "title": "Engineer {number}"}}"#);
    NewOperation {
        due_date: None,
        held: None,
        statement: None,
        id: format!("{number:032x}"),
        instance: "production".to_owned(),
        command: "iam-update-user".to_owned(),
        stored: format!(r#"{{"v": 1, "command": {{"iam-update-user": {{"user-profile": {profile}}}}}}}"#),
        class: 2,
        lanes: BTreeSet::from([format!("user name p{person}"), format!("employee {person}")]),
        overtakes: false,
        is_synchronous: false,
        not_before: None,
        caller: Some("hr".to_owned()),
        source: None,
        batch: None,
        purpose: None,
        traceparent: None,
        wants_fetch: false,
    }
}
