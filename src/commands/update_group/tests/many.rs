//! Many members.

use super::*;

#[test]
fn a_patch_has_at_most_a_hundred_changes() {
    let rows = [
        (100, 0, vec![(100, 0)]),
        (101, 0, vec![(100, 0), (1, 0)]),
        (250, 0, vec![(100, 0), (100, 0), (50, 0)]),
        (60, 60, vec![(60, 40), (0, 20)]),
        (100, 1, vec![(100, 0), (0, 1)]),
        (0, 200, vec![(0, 100), (0, 100)]),
    ];
    for dialect in [Dialect::Aws, Dialect::Rfc7644] {
        let rules = Rules { dialect, ..rules() };
        for (adds, removals, expected) in &rows {
            let command = change(json!(ids(0..*adds)), json!(ids(1000..1000 + removals)));
            let (questions, outcome) = drive(&command, &rules, refusing(&[], ErrorKind::Absent));
            let sent: Vec<_> = questions.iter().filter_map(sizes).collect();
            assert_eq!(sent, *expected, "{adds} and {removals}");
            assert_eq!(outcome.label(), "done");
        }
    }
}

#[test]
fn bad_members_are_found_among_many() {
    for kind in [ErrorKind::Absent, ErrorKind::Status(400)] {
        for (bad, calls) in [
            (vec!["u-0"], 16),
            (vec!["u-37"], 16),
            (vec!["u-99"], 16),
            (vec!["u-5", "u-62", "u-63"], 45),
            (vec!["u-99", "u-100"], 32),
            (vec!["u-120", "u-249"], 32),
        ] {
            let command = change(json!(ids(0..125)), json!(ids(125..250)));
            let (questions, outcome) = drive(&command, &rules(), refusing(&bad, kind));
            assert_eq!(results(&outcome, "failed"), bad, "{kind:?}");
            assert_eq!(results(&outcome, "done").len(), 250 - bad.len(), "{kind:?} {bad:?}");
            assert!(questions.len() <= 3 + calls + 1, "{bad:?}: {} calls", questions.len());
            let looks = questions.iter().filter(|question| sizes(question).is_none()).count();
            assert_eq!(looks, 1, "the group is read once, {bad:?}");
        }
    }
}

#[test]
fn a_directory_that_refuses_everything_costs_two_hundred_calls_a_chunk() {
    let all = ids(0..200);
    let bad: Vec<_> = all.iter().map(String::as_str).collect();
    let (questions, outcome) = drive(
        &change(json!(all), json!(null)),
        &rules(),
        refusing(&bad, ErrorKind::Status(400)),
    );
    // The group itself is looked at once.
    assert!(questions.len() <= 401, "{}", questions.len());
    assert_eq!(results(&outcome, "failed").len(), 200);
    let failure = outcome.failure().unwrap();
    assert_eq!(
        failure.message,
        "said; 0 of 200 done; failed: u-0, u-1, u-2, u-3, u-4, u-5, u-6, u-7, u-8, u-9 and 190 more; u-0 looks like a user name: the directory's id is wanted (IAM.Vendor.id of iam-get-user)"
    );
}

/// Changes this many members; how many answers are told to the decision in all of it.
fn answers_told(members: usize) -> usize {
    let command = change(json!(ids(0..members)), json!(null));
    let rules = rules();
    let mut prepared = command.prepare(&rules);
    let mut known = Known::default();
    let mut told = 0;
    loop {
        let mut replay = known.replay();
        let next = prepared.replay(&mut replay);
        told += replay.told();
        match next {
            Next::Finish(outcome) => {
                assert_eq!(outcome.label(), "done");
                return told;
            }
            Next::Read(_) | Next::Write(_) => known.answers.push(headers()),
        }
    }
}

#[test]
fn many_members_cost_linear_work() {
    for members in [10_000, 100_000] {
        let chunks = members / 100;
        assert_eq!(
            answers_told(members),
            chunks,
            "{members} members: each answer is told once"
        );
    }
}
