//! Deleting what is past its retention.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::{Timestamp, ToSpan as _};

use super::{
    super::{AttemptEnd, End, Filter, NewOperation, NewStatement, State, Store, Word},
    accept,
};

/// Deletes what ended long ago, in a state that may go, and no more at once than it is told.
pub(super) async fn deletes_what_is_past_its_retention(store: &Arc<dyn Store>) {
    let now: Timestamp = "2026-11-28T09:00:00Z".parse().expect("a time");
    let ends = [State::Done, State::Done, State::Failed, State::Buried];
    let mut said = None;
    for (number, state) in ends.into_iter().enumerate() {
        let new = operation(number);
        let accepted = accept(store, new, now).await;
        said.get_or_insert(accepted.number);
        let claimed = store
            .claim("pruning".to_owned(), 1, now)
            .await
            .expect("an answer")
            .claimed
            .remove(0);
        let ended = now.saturating_add((number as i64).hours()).expect("a near time");
        let end = End::Ended(state, None);
        store
            .end(claimed.claim, AttemptEnd::default(), end, ended)
            .await
            .expect("ended");
    }
    accept(store, operation(9), now).await;
    let later = now.saturating_add(24.hours()).expect("a near time");
    let states = vec![State::Done, State::Failed];
    let prune = |before, limit| store.prune(states.clone(), before, limit);
    assert_eq!(prune(now, 10).await.expect("pruned"), 0, "nothing ended before");
    assert_eq!(prune(later, 2).await.expect("pruned"), 2, "no more at once than that");
    assert_eq!(prune(later, 10).await.expect("pruned"), 1);
    let filter = Filter {
        instance: Some("pruning".to_owned()),
        ..Filter::default()
    };
    let left = store
        .operations(filter.clone(), None, 10)
        .await
        .expect("a page")
        .operations;
    let left: Vec<_> = left.iter().map(|operation| operation.state).collect();
    assert_eq!(
        left,
        [State::Waiting, State::Buried],
        "what is open and what is buried stays"
    );
    let subject = Filter {
        subject: Some("user name pruned".to_owned()),
        ..filter
    };
    let named = store.operations(subject, None, 10).await.expect("a page").operations;
    assert_eq!(named.len(), 2, "the names of what is deleted are gone too");
    assert_eq!(store.attempts("pruning-0".to_owned()).await.expect("an answer"), []);
    let said = store.statements(said.expect("a number")).await.expect("an answer");
    assert_eq!(said.len(), 1, "that the person was hired is known for longer");
    assert!(said[0].attributes.is_empty() && said[0].names.is_empty(), "{said:?}");
}

fn operation(number: usize) -> NewOperation {
    NewOperation {
        id: format!("pruning-{number}"),
        instance: "pruning".to_owned(),
        command: "iam-update-user".to_owned(),
        stored: "{}".to_owned(),
        class: 1,
        lanes: BTreeSet::from(["user name pruned".to_owned()]),
        overtakes: false,
        is_synchronous: false,
        not_before: None,
        caller: None,
        source: None,
        batch: None,
        purpose: None,
        traceparent: None,
        due_date: None,
        held: None,
        statement: (number == 0).then(|| {
            Box::new(NewStatement {
                said_at: Timestamp::UNIX_EPOCH,
                effective_at: None,
                names: BTreeSet::from(["user name pruned".to_owned()]),
                word: Word::Active,
                attributes: BTreeMap::from([("title".to_owned(), "\"Clerk\"".to_owned())]),
                conversion: None,
            })
        }),
        wants_fetch: false,
    }
}
