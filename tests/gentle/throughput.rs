//! As fast as the limit allows, never faster; and a leaver does not wait behind it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    Form,
    report::{Report, ms, per_cent, percentile, share},
    world::{Caller, Directory, newcomer, profile, user},
};

/// AWS's limit for an API that writes, in requests a second.
const LIMIT: f64 = 25.0;

/// What the sandbox lets through at once after a quiet time: a second's worth.
const BURST: f64 = 25.0;

const CALLERS: usize = 64;

pub(crate) async fn run(form: &Form, report: &mut Report) {
    creations(form.pick(300, 2_000), report).await;
    updates(form.pick(150, 500), report).await;
    too_many(report).await;
}

/// Creates so many people, with one leaver in the middle.
async fn creations(count: usize, report: &mut Report) {
    let directory = Directory::holding(&json!({"users": [user("leaver")]}), true).await;
    let front = directory.service(&[]);
    let crowd = Crowd::gather(&front.caller, count, |number| {
        ("iam-create-user", newcomer(&format!("new-{number}")))
    })
    .await;

    let ideal = (count - 1) as f64 / LIMIT;
    let with_burst = (count as f64 - BURST) / LIMIT;
    let took = crowd.took.as_secs_f64();
    let (sent, refused) = directory.throttled(|request| request.api == "CreateUser");
    report.figure("creates, callers", format!("{count}, {CALLERS}"));
    report.figure("first to last, s", format!("{took:.2}"));
    report.figure(
        "at 25 a second without a burst, s",
        format!("{ideal:.2} (ratio {:.3})", took / ideal),
    );
    report.figure(
        "with the sandbox's burst of 25 used up, s",
        format!("{with_burst:.2} (ratio {:.3})", took / with_burst),
    );
    report.figure("creates answered 429", per_cent(refused, sent));
    report.figure(
        "a caller's wait, p50 and p99",
        format!(
            "{}, {}",
            ms(percentile(&crowd.waits, 0.5)),
            ms(percentile(&crowd.waits, 0.99))
        ),
    );
    report.figure(
        "the disable in the middle",
        format!("{} ({})", ms(crowd.leaver.1), crowd.leaver.0),
    );
    report.claim(
        crowd.failed == 0,
        format!("no failure reached a caller ({} did)", crowd.failed),
    );
    report.claim(directory.count_users("new-") == count, "everybody is there, once");
    report.claim(
        share(refused, sent) <= 0.005,
        "at most 0.5 % of the creates were answered 429",
    );
    report.claim(took <= ideal * 1.03, "total within 1.03 of what 25 a second allow");
    report.claim(
        crowd.leaver.0 && crowd.leaver.1 <= Duration::from_secs(2),
        "the disable was done within 2 s",
    );
}

/// The same with updates, whose two APIs are also the leaver's: only being let through first helps
/// there.
async fn updates(count: usize, report: &mut Report) {
    let mut people: Vec<Value> = (0..count).map(|number| user(&format!("old-{number}"))).collect();
    people.push(user("leaver"));
    let directory = Directory::holding(&json!({"users": people}), true).await;
    let front = directory.service(&[]);
    let crowd = Crowd::gather(&front.caller, count, |number| {
        let mut profile = profile(&format!("old-{number}"));
        profile["title"] = "Boss".into();
        ("iam-update-user", json!({"user-profile": profile}))
    })
    .await;
    let (sent, refused) = directory.throttled(|_| true);
    report.figure("updates, callers", format!("{count}, {CALLERS}"));
    report.figure(
        "updates a second",
        format!("{:.2}", count as f64 / crowd.took.as_secs_f64()),
    );
    report.figure("requests answered 429", per_cent(refused, sent));
    report.figure("a caller's wait, p50", ms(percentile(&crowd.waits, 0.5)));
    report.figure(
        "the disable among them",
        format!("{} ({})", ms(crowd.leaver.1), crowd.leaver.0),
    );
    report.claim(
        crowd.failed == 0,
        format!("no failure reached a caller ({} did)", crowd.failed),
    );
    report.claim(
        share(refused, sent) <= 0.005,
        "at most 0.5 % of the requests were answered 429",
    );
    report.claim(
        crowd.leaver.0 && crowd.leaver.1 <= Duration::from_secs(2),
        "the disable was done within 2 s",
    );
}

/// More commands at once than fit into the callers' time: the others are refused at once.
async fn too_many(report: &mut Report) {
    const TIME: usize = 4;
    let directory = Directory::holding(&json!({}), true).await;
    let time = format!("{TIME}s");
    let front = directory.service(&[("AWS_ILM_COMMAND_TIMEOUT", &time)]);
    let mut callers = JoinSet::new();
    for number in 0..200 {
        let caller = front.caller.clone();
        callers.spawn(async move {
            let answer = caller
                .command("iam-create-user", &newcomer(&format!("new-{number}")))
                .await;
            (number, answer)
        });
    }
    let answers = callers.join_all().await;
    let created = answers.iter().filter(|(_, answer)| answer.succeeded()).count();
    let refused: Vec<_> = answers.iter().filter(|(_, answer)| !answer.succeeded()).collect();
    let waits: Vec<_> = refused.iter().map(|(_, answer)| answer.took).collect();
    let fit = TIME * 25;
    report.figure(
        &format!("200 at once, {TIME} s: created, refused"),
        format!("{created}, {}", refused.len()),
    );
    report.figure(
        "a refusal's wait, p50 and p99",
        format!("{}, {}", ms(percentile(&waits, 0.5)), ms(percentile(&waits, 0.99))),
    );
    report.claim(
        !refused.is_empty()
            && refused
                .iter()
                .all(|(_, answer)| answer.status == 503 && answer.retry_after),
        "every refusal is a 503 with Retry-After",
    );
    report.claim(
        percentile(&waits, 0.95) <= Duration::from_secs(1),
        "refused early: 95 of 100 within 1 s",
    );
    report.claim(
        created * 10 >= fit * 9,
        format!("at least 9 in 10 of the {fit} that fit were created"),
    );
    report.claim(
        directory.count_users("new-") == created,
        "nobody who was refused is there",
    );
}

/// Many callers at work on one list of commands, and a leaver in the middle of it.
struct Crowd {
    took: Duration,
    failed: usize,
    waits: Vec<Duration>,
    leaver: (bool, Duration),
}

impl Crowd {
    async fn gather(caller: &Caller, count: usize, command: fn(usize) -> (&'static str, Value)) -> Self {
        let next = Arc::new(AtomicUsize::new(0));
        let began = Instant::now();
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            let (next, caller) = (Arc::clone(&next), caller.clone());
            callers.spawn(async move {
                let mut answers = Vec::new();
                let mut leaver = None;
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return (answers, leaver);
                    }
                    if number == count / 2 {
                        let gone = caller
                            .command("iam-disable-user", &json!({"user-profile": {"username": "leaver"}}))
                            .await;
                        leaver = Some((gone.succeeded() && gone.result()["active"] == false, gone.took));
                    }
                    let (name, arguments) = command(number);
                    let answer = caller.command(name, &arguments).await;
                    if !answer.succeeded() {
                        println!("  failed: {} {}", answer.status, answer.body);
                    }
                    answers.push((answer.succeeded(), answer.took));
                }
            });
        }
        let ended = callers.join_all().await;
        let took = began.elapsed();
        let leaver = ended.iter().find_map(|(_, leaver)| *leaver).unwrap_or_default();
        let answers: Vec<_> = ended.into_iter().flat_map(|(answers, _)| answers).collect();
        Self {
            took,
            failed: answers.iter().filter(|(succeeded, _)| !succeeded).count(),
            waits: answers.iter().map(|(_, took)| *took).collect(),
            leaver,
        }
    }
}
