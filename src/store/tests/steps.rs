//! The steps that are done to a store and to its model.

use std::collections::BTreeSet;

use proptest::prelude::*;

/// One step. Numbers point at what there is by their remainder.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Accept {
        instance: usize,
        class: u8,
        names: BTreeSet<u8>,
        in_seconds: Option<i64>,
        overtakes: bool,
        is_synchronous: bool,
        /// The key of its request, and what that means.
        key: Option<(u8, u8)>,
    },
    Claim {
        instance: usize,
        limit: usize,
    },
    End {
        running: usize,
        end: EndOf,
        learned: Option<(u8, BTreeSet<u8>)>,
        disabled: bool,
        wrote: bool,
        answered: bool,
    },
    EndAgain {
        claim: usize,
    },
    Cancel {
        operation: usize,
    },
    Retry {
        operation: usize,
    },
    Reschedule {
        operation: usize,
        in_seconds: i64,
    },
    Pass {
        seconds: i64,
    },
    Crash,
    Forget,
    Connected {
        operation: usize,
    },
    Expedite {
        operation: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndOf {
    Done,
    Failed,
    Buried,
    BuriedInPlace,
    RetryIn(i64),
    InTurn,
    Held,
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let names = || prop::collection::btree_set(0..5_u8, 1..3);
    let step = prop_oneof![
        6 => (0..2_usize, 0..3_u8, names(), prop::option::weighted(0.2, 1..40_i64), any::<bool>(), any::<bool>(), keys()).prop_map(
            |(instance, class, names, in_seconds, overtakes, is_synchronous, key)|
                Step::Accept { instance, class, names, in_seconds, overtakes, is_synchronous, key }),
        5 => (0..2_usize, 1..4_usize).prop_map(|(instance, limit)| Step::Claim { instance, limit }),
        6 => (any::<usize>(), ends(), prop::option::weighted(0.5, (0..3_u8, names())), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
            |(running, end, learned, disabled, wrote, answered)| Step::End { running, end, learned, disabled, wrote, answered }),
        1 => any::<usize>().prop_map(|claim| Step::EndAgain { claim }),
        1 => any::<usize>().prop_map(|operation| Step::Cancel { operation }),
        1 => any::<usize>().prop_map(|operation| Step::Retry { operation }),
        1 => (any::<usize>(), -5..40_i64).prop_map(|(operation, in_seconds)| Step::Reschedule { operation, in_seconds }),
        2 => (0..30_i64).prop_map(|seconds| Step::Pass { seconds }),
        1 => Just(Step::Crash),
        1 => Just(Step::Forget),
        1 => any::<usize>().prop_map(|operation| Step::Connected { operation }),
        1 => any::<usize>().prop_map(|operation| Step::Expedite { operation }),
    ];
    prop::collection::vec(step, 1..40)
}

/// A key, and the meaning of the request that bears it.
fn keys() -> impl Strategy<Value = Option<(u8, u8)>> {
    prop::option::weighted(0.5, (0..3_u8, 0..2_u8))
}

fn ends() -> impl Strategy<Value = EndOf> {
    prop_oneof![
        4 => Just(EndOf::Done),
        1 => Just(EndOf::Failed),
        1 => Just(EndOf::Buried),
        2 => (1..40_i64).prop_map(EndOf::RetryIn),
        1 => Just(EndOf::InTurn),
        1 => Just(EndOf::BuriedInPlace),
        1 => Just(EndOf::Held),
    ]
}
