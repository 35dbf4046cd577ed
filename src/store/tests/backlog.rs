//! Counting what waits.

use std::{collections::BTreeSet, sync::Arc};

use jiff::{Timestamp, ToSpan as _};

use super::{
    super::{AttemptEnd, Backlog, End, NewOperation, State, Store},
    accept,
};

const INSTANCE: &str = "backlog";

/// Counts what is open or buried by instance, state and class, with since when the oldest has been
/// due; and leaves out what has ended.
pub(super) async fn counts_what_waits(store: &Arc<dyn Store>) {
    let now: Timestamp = "2026-11-28T09:00:00Z".parse().expect("a time");
    let at = |minutes: i64| now.saturating_add(minutes.minutes()).expect("a near time");
    assert_eq!(store.backlog().await.expect("an answer"), []);
    // Those that are claimed first, one after the other, and what becomes of each.
    let ends = [
        End::Ended(State::Done, None),
        End::Ended(State::Buried, None),
        End::Waits(State::Buried, None),
        End::Waits(State::Held, None),
    ];
    for (number, end) in ends.into_iter().enumerate() {
        accept(store, operation(&format!("ends-{number}"), 0, None), at(0)).await;
        let claimed = store
            .claim(INSTANCE.to_owned(), 1, at(1))
            .await
            .expect("an answer")
            .claimed
            .remove(0);
        let attempt = AttemptEnd::default();
        store.end(claimed.claim, attempt, end, at(1)).await.expect("ended");
    }
    accept(store, operation("running", 2, None), at(2)).await;
    assert_eq!(
        store
            .claim(INSTANCE.to_owned(), 1, at(2))
            .await
            .expect("an answer")
            .claimed
            .len(),
        1
    );
    for (id, class, minutes, due) in [
        ("first", 1, 5, None),
        ("second", 1, 3, None),
        ("late", 0, 3, Some(at(30))),
        ("was due", 0, 4, Some(at(6))),
    ] {
        accept(store, operation(id, class, due), at(minutes)).await;
    }
    // Claiming nothing lets what is due take its turn.
    store.claim(INSTANCE.to_owned(), 0, at(10)).await.expect("an answer");
    let row = |state, class, count, oldest| Backlog {
        instance: INSTANCE.to_owned(),
        state,
        class,
        count,
        oldest,
    };
    let mut counted = store.backlog().await.expect("an answer");
    counted.sort_by_key(|row| (row.state, row.class));
    let expected = [
        row(State::Scheduled, 0, 1, at(30)),
        row(State::Waiting, 0, 1, at(6)),
        row(State::Waiting, 1, 2, at(3)),
        row(State::Running, 2, 1, at(2)),
        row(State::Held, 0, 1, at(0)),
        row(State::Buried, 0, 2, at(0)),
    ];
    assert_eq!(counted, expected);
}

fn operation(id: &str, class: u8, not_before: Option<Timestamp>) -> NewOperation {
    NewOperation {
        id: format!("backlog-{id}"),
        instance: INSTANCE.to_owned(),
        command: "iam-update-user".to_owned(),
        stored: "{}".to_owned(),
        class,
        lanes: BTreeSet::from([format!("user name {id}")]),
        overtakes: false,
        is_synchronous: false,
        not_before,
        caller: None,
        source: None,
        batch: None,
        purpose: None,
        traceparent: None,
        due_date: None,
        held: None,
        statement: None,
        wants_fetch: false,
    }
}
