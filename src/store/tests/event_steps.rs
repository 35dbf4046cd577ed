//! The steps of events that are done to a store and to its model.

use proptest::prelude::*;

use super::super::EventVerdict;

/// One step. Numbers point at what there is by their remainder.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Deliver {
        source: u8,
        elements: Vec<Element>,
        released: Option<usize>,
    },
    Quarantine {
        source: u8,
        address: u8,
    },
    Replay {
        event: usize,
        verdict: EventVerdict,
        person: u8,
    },
    Pass {
        hours: i64,
    },
    Prune {
        hours: i64,
    },
    List {
        source: Option<u8>,
        verdict: Option<EventVerdict>,
        person: Option<u8>,
    },
}

#[derive(Clone, Debug)]
pub(super) struct Element {
    pub(super) by_id: bool,
    pub(super) key: u8,
    pub(super) digest: u8,
    pub(super) verdict: EventVerdict,
    pub(super) person: u8,
}

pub(super) fn steps() -> impl Strategy<Value = Step> {
    let element = || {
        (any::<bool>(), 0..3_u8, 0..2_u8, verdicts(), 0..2_u8).prop_map(|(by_id, key, digest, verdict, person)| {
            Element {
                by_id,
                key,
                digest,
                verdict,
                person,
            }
        })
    };
    prop_oneof![
        6 => (0..2_u8, prop::collection::vec(element(), 1..4), prop::option::weighted(0.1, any::<usize>())).prop_map(
            |(source, elements, released)| Step::Deliver { source, elements, released }),
        2 => (0..2_u8, 0..3_u8).prop_map(|(source, address)| Step::Quarantine { source, address }),
        1 => (any::<usize>(), verdicts(), 0..2_u8).prop_map(|(event, verdict, person)| Step::Replay { event, verdict, person }),
        2 => (1..30_i64).prop_map(|hours| Step::Pass { hours }),
        1 => (0..50_i64).prop_map(|hours| Step::Prune { hours }),
        1 => (prop::option::of(0..2_u8), prop::option::of(verdicts()), prop::option::of(0..2_u8)).prop_map(
            |(source, verdict, person)| Step::List { source, verdict, person }),
    ]
}

fn verdicts() -> impl Strategy<Value = EventVerdict> {
    prop_oneof![
        3 => Just(EventVerdict::Accepted),
        1 => Just(EventVerdict::Ignored),
        1 => Just(EventVerdict::Failed),
    ]
}
