//! The order in which events arrive changes nothing, where they have times of their own.

use jiff::civil::date;

use super::{
    Driven,
    company::{Arrivals, Company},
    year::{agrees, found},
};

/// How many people and orders there are in the short form; `AWS_ILM_HR_SHUFFLED=1000x100` says
/// otherwise.
const SIZE: (usize, usize) = (12, 4);

fn size() -> (usize, usize) {
    let size = std::env::var("AWS_ILM_HR_SHUFFLED").ok();
    let read = |text: &str| {
        let (people, orders) = text.split_once('x')?;
        Some((people.parse().ok()?, orders.parse().ok()?))
    };
    size.as_deref().and_then(read).unwrap_or(SIZE)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_with_times_may_arrive_in_any_order() {
    let (people, orders) = size();
    let day = |day| {
        date(2026, 5, day)
            .to_zoned(jiff::tz::TimeZone::UTC)
            .unwrap()
            .timestamp()
    };
    let (company, now) = (Company::undated(people, 7, day(2)), day(28));
    let all: Arrivals<'_> = company.events.iter().map(|event| (&*event.id, now)).collect();
    let mut first = None;
    for order in 0..orders {
        let mut events: Vec<_> = company.events.iter().collect();
        if order > 0 {
            fastrand::Rng::with_seed(order as u64).shuffle(&mut events);
        }
        let hr = Driven::at(now).await;
        for event in events {
            let told = hr.post(&event.id, &event.body()).await;
            assert_eq!(told.status, 202, "{}", told.text);
        }
        hr.settle().await;
        agrees(&hr, &company, &all, now).await;
        let found = found(&hr);
        let first = first.get_or_insert_with(|| found.clone());
        assert_eq!(*first, found, "order {order}");
    }
    println!("{people} people, {} events, {orders} orders", company.events.len());
}
