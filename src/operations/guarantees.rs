//! What callers may rely on, as data: shown by `GET /capabilities`, told in `docs/guarantees.md`,
//! and each held by tests that are named here.

/// Something that callers may rely on.
#[derive(Clone, Copy, Debug)]
pub struct Guarantee {
    /// Its short name.
    pub id: &'static str,
    /// What is promised.
    pub statement: &'static str,
    /// Whether it holds only where there is a store.
    pub needs_store: bool,
    /// The tests that hold it: a file, and a text in it, a test's name or what a suite prints.
    pub proofs: &'static [(&'static str, &'static str)],
}

const CRASHES: &str = "tests/suites/crash.py";
const WRITES: &str = "tests/suites/crash_writes.py";
const DURABLE: &str = "tests/suites/durable.py";
const MODEL: &str = "src/store/tests/random.rs";
const SCRIPTS: (&str, &str) = (
    "tests/integration/operations/scripts.rs",
    "scripts_end_as_strict_order_has_it",
);

/// All of them.
pub const GUARANTEES: &[Guarantee] = &[
    Guarantee {
        id: "durable-acceptance",
        statement: "What was answered 202 was on the disk before. It is carried out, or shown with what kept it from that, \
            whatever becomes of the process, and after a power cut.",
        needs_store: true,
        proofs: &[
            (DURABLE, "and what was written is synced before the 202 is sent"),
            (CRASHES, "no 202 is missing"),
        ],
    },
    Guarantee {
        id: "order",
        statement: "Commands about one person or group are carried out in the order in which they were accepted, by \
            whichever of its names: those that a command gave together, and those that the directory has shown. What fails \
            for a passing reason keeps its place.",
        needs_store: true,
        proofs: &[
            (CRASHES, "went in strict order"),
            SCRIPTS,
            (MODEL, "agrees_with_the_model"),
        ],
    },
    Guarantee {
        id: "leavers-first",
        statement: "A disable does not wait for what was accepted before it where it is certain whom it means: it runs at \
            once, and in its turn as well.",
        needs_store: true,
        proofs: &[
            (
                "tests/integration/operations/order.rs",
                "a_disable_overtakes_what_waits_and_what_is_older_enables_nobody",
            ),
            (
                "tests/integration/batches/order.rs",
                "a_batch_is_carried_out_in_its_order_and_the_leaver_in_its_middle_goes_first",
            ),
        ],
    },
    Guarantee {
        id: "leavers-stay-out",
        statement: "Once a disable has been carried out, nothing that was accepted before it enables that user.",
        needs_store: true,
        proofs: &[
            (
                WRITES,
                "what is older than a disable that was carried out enables nobody",
            ),
            (
                "tests/integration/operations/unavailable.rs",
                "what_was_accepted_before_a_disable_that_went_on_without_the_store_enables_nobody",
            ),
            SCRIPTS,
        ],
    },
    Guarantee {
        id: "effects-once",
        statement: "An operation is tried until it ends, and changes the directory at most once: after a write whose answer \
            got lost, the next try looks first.",
        needs_store: true,
        proofs: &[
            (WRITES, "no operation has changed something twice"),
            (
                "tests/integration/resilience/lost.rs",
                "an_answer_lost_after_the_work_is_a_success_and_nobody_is_doubled",
            ),
        ],
    },
    Guarantee {
        id: "fencing",
        statement: "One process has a store. An attempt that was lost to a crash can't end its operation any more, and \
            stays in the operation's history.",
        needs_store: true,
        proofs: &[(DURABLE, "a second process is refused the store"), (MODEL, "end_again")],
    },
    Guarantee {
        id: "full-disk",
        statement: "While the store can't be written nothing is answered 202, what was accepted stays, and disables go on; \
            once it can be written all goes on by itself.",
        needs_store: true,
        proofs: &[
            (DURABLE, "after a crash on a full disk every 202 is there"),
            (
                "tests/integration/operations/unavailable.rs",
                "while_the_store_is_away_only_reads_and_disables_go_on",
            ),
        ],
    },
    Guarantee {
        id: "once-per-key",
        statement: "A request with an Idempotency-Key is done once, and answered so again, also after a restart and when \
            it comes many times at once.",
        needs_store: true,
        proofs: &[
            (
                "tests/integration/idempotency/crowd.rs",
                "fifty_requests_with_one_key_have_one_effect",
            ),
            (
                "tests/integration/idempotency/repeated.rs",
                "a_restart_changes_no_answer",
            ),
        ],
    },
    Guarantee {
        id: "batches-whole",
        statement: "A batch is accepted whole, in its order, or not at all.",
        needs_store: true,
        proofs: &[
            (
                "tests/integration/batches/refused.rs",
                "each_faulty_element_is_named_and_nothing_is_stored",
            ),
            (
                "tests/integration/batches/order.rs",
                "as_many_as_a_batch_takes_are_accepted_in_its_order",
            ),
        ],
    },
    Guarantee {
        id: "one-writer",
        statement: "Commands that change one person or group run one after the other within a process.",
        needs_store: false,
        proofs: &[(
            "tests/integration/gentle/subjects.rs",
            "commands_about_one_person_run_one_after_the_other",
        )],
    },
    Guarantee {
        id: "to-the-end",
        statement: "A command that has begun to write goes on to its end when its caller hangs up, and when the service is \
            told to stop.",
        needs_store: false,
        proofs: &[
            (
                "tests/integration/resilience/ends.rs",
                "a_caller_who_hangs_up_does_not_stop_a_command_between_two_writes",
            ),
            (
                "tests/integration/resilience/ends.rs",
                "shutdown_waits_for_commands_even_for_those_whose_callers_left",
            ),
        ],
    },
];
