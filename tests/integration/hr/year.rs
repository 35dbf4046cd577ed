//! A year of a company: at every midnight of each of its sites the directory is what HR says.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp, civil::date};
use serde_json::Value;

use super::{
    Driven,
    company::{Arrivals, Company, Event, Expected, midnights},
};

const YEAR: i16 = 2026;

/// How many people there are in the short form; `AWS_ILM_HR_PEOPLE` says otherwise.
const PEOPLE: usize = 40;

/// When an event arrives: at once, minutes later, hours, or two days, as senders try again.
fn delay(random: &mut fastrand::Rng) -> SignedDuration {
    SignedDuration::from_secs(match random.u32(0..20) {
        0 => random.i64(3_600..2 * 86_400),
        1..=3 => random.i64(60..7_200),
        _ => random.i64(0..3),
    })
}

/// What the directory has of people.
pub(super) fn found(hr: &Driven) -> BTreeSet<Expected> {
    let dump = hr.world.sandbox.dump();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let users = dump["users"].as_array().unwrap().iter();
    users
        .map(|user| Expected {
            user_name: text(&user["userName"]),
            active: user["active"] == true,
            title: text(&user["title"]),
            department: text(&user[enterprise]["department"]),
            last_name: text(&user["name"]["familyName"]),
        })
        .collect()
}

/// Waits until the directory is what HR says, and tells how it differs where it never becomes so.
pub(super) async fn agrees(hr: &Driven, company: &Company, arrived: &Arrivals<'_>, at: Timestamp) {
    let expected = company.expected(arrived, at);
    for attempt in 0..400 {
        if found(hr) == expected {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(if attempt < 100 { 5 } else { 50 })).await;
    }
    let found = found(hr);
    let wrong: Vec<_> = found.difference(&expected).take(3).collect();
    let right: Vec<_> = expected.difference(&found).take(3).collect();
    let names: BTreeSet<_> = right
        .iter()
        .chain(&wrong)
        .map(|person| person.user_name.clone())
        .collect();
    let of = |event: &&Event| {
        let body = event.body().to_string();
        let stem = |name: &String| name.split('.').next().unwrap_or_default().to_owned();
        names.iter().any(|name| format!("p{}", event.person) == stem(name)) && !body.is_empty()
    };
    let told: Vec<_> = company
        .events
        .iter()
        .filter(of)
        .map(|event| {
            format!(
                "{} {} {}",
                if arrived.contains_key(&*event.id) {
                    "arrived"
                } else {
                    "-"
                },
                event.id,
                event.body()
            )
        })
        .collect();
    let mut operations = Vec::new();
    for name in &names {
        let number: String = name.chars().skip(1).take_while(char::is_ascii_digit).collect();
        let path = format!(
            "/operations?subject=employee%20{}&limit=100",
            10_000 + number.parse::<usize>().unwrap_or_default()
        );
        let page = hr.world.get(&path).await.json();
        for operation in page["operations"].as_array().into_iter().flatten().rev() {
            operations.push(format!(
                "{} {} {} {} {}",
                operation["command"],
                operation["state"],
                operation["reason"],
                operation["arguments"],
                operation["envelope"]["IAM"]["Vendor"]["errorMessage"]
            ));
        }
    }
    panic!(
        "at {at}: found {wrong:#?}, expected {right:#?}\n{}\n{}",
        told.join("\n"),
        operations.join("\n")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_every_local_midnight_the_directory_is_what_hr_says() {
    let people = std::env::var("AWS_ILM_HR_PEOPLE")
        .ok()
        .and_then(|text| text.parse().ok());
    let seed = std::env::var("AWS_ILM_HR_SEED").ok().and_then(|text| text.parse().ok());
    let (people, seed) = (people.unwrap_or(PEOPLE), seed.unwrap_or(1));
    let company = Company::made(people, seed, YEAR);
    let mut random = fastrand::Rng::with_seed(seed + 1_000);
    let mut deliveries: Vec<(Timestamp, &Event)> = Vec::new();
    for event in &company.events {
        deliveries.push((event.said + delay(&mut random), event));
        // Sent again, since its answer came late.
        if random.u32(0..10) == 0 {
            deliveries.push((event.said + delay(&mut random), event));
        }
    }
    deliveries.sort_by_key(|(at, event)| (*at, event.id.clone()));
    let mut hr = Driven::at(date(YEAR, 1, 1).to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp()).await;
    let mut arrived = Arrivals::new();
    let mut deliveries = deliveries.into_iter().peekable();
    let (mut checks, mut sent) = (0, 0);
    for midnight in midnights(date(YEAR, 1, 2), date(YEAR + 1, 1, 2)) {
        while let Some((at, event)) = deliveries.next_if(|(at, _)| *at < midnight) {
            hr.set_quietly(at.max(hr.now()));
            let told = hr.post(&event.id, &event.body()).await;
            assert_eq!(told.status, 202, "{}", told.text);
            arrived.entry(&*event.id).or_insert_with(|| hr.now());
            sent += 1;
        }
        hr.set(midnight).await;
        agrees(&hr, &company, &arrived, midnight).await;
        checks += 1;
    }
    println!("{people} people, seed {seed}: {sent} webhooks, {checks} midnights");
    // What is still to come then comes after the year.
    assert!(checks >= 5 * 365 && sent > people);
}
