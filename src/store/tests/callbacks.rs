//! Callbacks: written with whatever ends an operation or sets it aside, and kept until they are
//! over.

use std::{collections::BTreeSet, sync::Arc};

use jiff::{SignedDuration, Timestamp};

use super::{
    super::{AttemptEnd, Callback, CallbackEnd, End, NewOperation, State, Store},
    accept,
};

fn now() -> Timestamp {
    "2026-11-28T09:00:00Z".parse().expect("a time")
}

async fn due(store: &Arc<dyn Store>, at: Timestamp) -> Vec<Callback> {
    store.callbacks(at, 100).await.expect("an answer")
}

fn told(callbacks: &[Callback]) -> Vec<(&str, State, Option<&str>)> {
    let told = callbacks.iter();
    told.map(|callback| (&*callback.operation, callback.state, callback.reason.as_deref()))
        .collect()
}

/// Ends what is claimed next.
async fn end_next(store: &Arc<dyn Store>, end: End) {
    let claims = store.claim("calling".to_owned(), 1, now()).await.expect("an answer");
    let claim = claims.claimed.into_iter().next().expect("something to do").claim;
    store
        .end(claim, AttemptEnd::default(), end, now())
        .await
        .expect("ended");
}

/// Every way to an end, and aside, writes one callback; what goes on writes none.
pub(super) async fn are_written_with_every_end(store: &Arc<dyn Store>) {
    // Before its source is told, nothing is written.
    accept(store, operation("before"), now()).await;
    end_next(store, End::Ended(State::Done, None)).await;
    let sources = BTreeSet::from(["hr".to_owned()]);
    assert_eq!(store.call_back_for(sources).await.expect("an answer"), 0);

    for source in [None, Some("other".to_owned())] {
        let id = format!("of {source:?}");
        let new = NewOperation {
            source,
            ..operation(&id)
        };
        accept(store, new, now()).await;
        end_next(store, End::Ended(State::Done, None)).await;
    }
    let mut expected = Vec::new();
    for state in State::ALL.into_iter().filter(|state| state.has_ended()) {
        let id = format!("ended {}", state.as_str());
        accept(store, operation(&id), now()).await;
        end_next(store, End::RetryAt(now())).await;
        end_next(store, End::InTurn).await;
        end_next(store, End::Ended(state, Some("a reason".to_owned()))).await;
        expected.push((id, state, Some("a reason")));
    }
    let rows = [
        ("aside held", End::Aside(State::Held, Some("unknown_person".to_owned()))),
        (
            "aside data",
            End::Aside(State::NeedsData, Some("unknown_person".to_owned())),
        ),
    ];
    for (id, end) in rows {
        accept(store, operation(id), now()).await;
        let (End::Aside(state, _), id) = (end.clone(), id.to_owned()) else {
            panic!("{end:?}")
        };
        end_next(store, end).await;
        expected.push((id, state, Some("unknown_person")));
    }
    let held = NewOperation {
        held: Some("far_future".to_owned()),
        ..operation("held at once")
    };
    accept(store, held, now()).await;
    expected.push(("held at once".to_owned(), State::Held, Some("far_future")));
    let later = NewOperation {
        not_before: Some(now() + SignedDuration::from_hours(1)),
        ..operation("cancelled")
    };
    accept(store, later, now()).await;
    store
        .cancel("cancelled".to_owned(), None, now())
        .await
        .expect("cancelled");
    expected.push(("cancelled".to_owned(), State::Cancelled, None));

    let found = due(store, now()).await;
    let expected: Vec<_> = expected
        .iter()
        .map(|(id, state, reason)| (&**id, *state, *reason))
        .collect();
    assert_eq!(told(&found), expected);
    let ids: BTreeSet<&str> = found.iter().map(|callback| &*callback.id).collect();
    assert_eq!(ids.len(), found.len());
    assert!(
        found
            .iter()
            .all(|callback| callback.happened_at == now() && callback.attempts == 0)
    );
}

/// Those of one operation come one after the other, and those of a source no more than asked for.
pub(super) async fn come_in_their_order(store: &Arc<dyn Store>) {
    let sources = BTreeSet::from(["hr".to_owned(), "other".to_owned()]);
    store.call_back_for(sources).await.expect("an answer");
    for (id, source) in [("a", "hr"), ("b", "hr"), ("c", "other")] {
        let new = NewOperation {
            held: Some("back_dated".to_owned()),
            source: Some(source.to_owned()),
            ..operation(id)
        };
        accept(store, new, now()).await;
        store.cancel(id.to_owned(), None, now()).await.expect("cancelled");
    }
    let held = |id| (id, State::Held, Some("back_dated"));
    let found = due(store, now()).await;
    assert_eq!(told(&found), [held("a"), held("b"), held("c")]);
    let first = store.callbacks(now(), 1).await.expect("an answer");
    assert_eq!(told(&first), [held("a"), held("c")], "one of each source");

    let again = now() + SignedDuration::from_secs(5);
    let end = |of: &Callback, end| store.end_callback(of.id.clone(), end);
    end(&found[0], CallbackEnd::Again(again)).await.expect("ended");
    end(&found[1], CallbackEnd::Over).await.expect("ended");
    let cancelled = |id| (id, State::Cancelled, Some("back_dated"));
    assert_eq!(told(&due(store, now()).await), [cancelled("b"), held("c")]);
    let later = due(store, again).await;
    assert_eq!(told(&later), [cancelled("b"), held("a"), held("c")]);
    assert_eq!((&later[1].id, later[1].attempts), (&found[0].id, 1));

    // What a source has that is told no longer is dropped.
    let dropped = store.call_back_for(BTreeSet::from(["other".to_owned()])).await;
    assert_eq!(dropped.expect("an answer"), 3);
    assert_eq!(told(&due(store, again).await), [held("c")]);
}

fn operation(id: &str) -> NewOperation {
    NewOperation {
        id: id.to_owned(),
        instance: "calling".to_owned(),
        command: "iam-update-user".to_owned(),
        stored: "{}".to_owned(),
        class: 1,
        lanes: BTreeSet::from([format!("user name {id}")]),
        overtakes: false,
        is_synchronous: false,
        not_before: None,
        caller: None,
        source: Some("hr".to_owned()),
        batch: None,
        purpose: None,
        traceparent: None,
        due_date: None,
        held: None,
        statement: None,
        wants_fetch: false,
    }
}
