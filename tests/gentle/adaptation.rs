//! A rate that is set wrong, or shared with others: we find our share, and lose nothing on the way.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use aws_ilm::sandbox::{DEFAULT_TOKEN, RecordedRequest};
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    Form,
    report::{Report, per_cent, share},
    world::{Caller, Directory, Process, newcomer},
};

const CALLERS: usize = 32;

/// What a part measured.
struct Part {
    title: String,
    lines: Vec<(&'static str, String)>,
    lost: usize,
    throttled: f64,
}

/// The parts run side by side, each with a directory of its own: they wait more than they work.
pub(crate) async fn run(form: &Form, report: &mut Report) {
    let count = form.pick(300, 1_500);
    let parts = tokio::join!(
        too_fast(count),
        beside_another(count),
        two_processes(form, count, 2),
        two_processes(form, count, 1),
    );
    for part in [parts.0, parts.1, parts.2, parts.3] {
        println!("  - {}", part.title);
        for (name, value) in part.lines {
            report.figure(name, value);
        }
        report.claim(part.lost == 0, format!("nothing is lost ({} are)", part.lost));
        // In the short form the first seconds, in which a share is found, are most of it.
        let goal = form.pick(0.2, 0.05);
        report.claim(
            part.throttled < goal,
            format!("less than {:.0} % of our requests were answered 429", goal * 100.0),
        );
    }
}

async fn too_fast(count: usize) -> Part {
    let directory = Directory::holding(&json!({}), true).await;
    let front = directory.service(&[("AWS_ILM_WRITE_RATE", "37.5")]);
    let (took, failed) = create(vec![(front.caller.clone(), "we")], count).await;
    measured(
        "37.5 a second, where 25 are allowed".to_owned(),
        &directory,
        count,
        took,
        failed,
    )
}

async fn beside_another(count: usize) -> Part {
    let directory = Directory::holding(&json!({}), true).await;
    let front = directory.service(&[]);
    let other = tokio::spawn(other_client(directory.url()));
    let (took, failed) = create(vec![(front.caller.clone(), "we")], count).await;
    other.abort();
    let title = "another client takes 10 of the 25 a second".to_owned();
    let mut part = measured(title, &directory, count, took, failed);
    let (sent, refused) = directory.throttled(|request| is_of(request, "other"));
    part.lines
        .push(("the other's requests answered 429", per_cent(refused, sent)));
    part
}

async fn two_processes(form: &Form, count: usize, replicas: u32) -> Part {
    let directory = Directory::holding(&json!({}), true).await;
    let replicas_text = replicas.to_string();
    let settings = directory.settings(&[("AWS_ILM_EXPECTED_REPLICAS", &replicas_text)]);
    let start = || {
        let (binary, settings) = (form.binary.clone(), settings.clone());
        tokio::task::spawn_blocking(move || Process::start(&binary, &settings))
    };
    let (first, second) = (start().await.unwrap(), start().await.unwrap());
    let callers = vec![(first.caller.clone(), "we-a"), (second.caller.clone(), "we-b")];
    let (took, failed) = create(callers, count).await;
    let title = format!("two processes, expected_replicas = {replicas}");
    let mut part = measured(title, &directory, count, took, failed);
    for (name, start) in [
        ("  the first's answered 429", "we-a"),
        ("  the second's answered 429", "we-b"),
    ] {
        let (sent, refused) = directory.throttled(|request| is_of(request, start));
        part.lines.push((name, per_cent(refused, sent)));
    }
    part
}

fn measured(title: String, directory: &Directory, count: usize, took: Duration, failed: usize) -> Part {
    let (sent, refused) = directory.throttled(|request| is_of(request, "we"));
    let there = directory.count_users("we");
    let lines = vec![
        (
            "creates a second",
            format!(
                "{:.2} ({count} in {:.1} s)",
                count as f64 / took.as_secs_f64(),
                took.as_secs_f64()
            ),
        ),
        ("our requests answered 429", per_cent(refused, sent)),
    ];
    Part {
        title,
        lines,
        lost: failed.max(count.abs_diff(there)),
        throttled: share(refused, sent),
    }
}

/// Callers at work on one list of creations, as many with each service.
async fn create(services: Vec<(Caller, &'static str)>, count: usize) -> (Duration, usize) {
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let mut callers = JoinSet::new();
    for (caller, start) in services.iter().cycle().take(CALLERS) {
        let (caller, next, start) = (caller.clone(), Arc::clone(&next), *start);
        callers.spawn(async move {
            let mut failed = 0;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return failed;
                }
                let answer = caller
                    .command("iam-create-user", &newcomer(&format!("{start}-{number}")))
                    .await;
                if !answer.succeeded() {
                    println!("  failed: {} {}", answer.status, answer.message());
                    failed += 1;
                }
            }
        });
    }
    let failed = callers.join_all().await.into_iter().sum();
    (began.elapsed(), failed)
}

/// Creates ten users a second until it is stopped, whatever the answers are.
async fn other_client(url: String) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    for number in 0_u64.. {
        tick.tick().await;
        let name = format!("other-{number}");
        let user = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": name, "displayName": name, "name": {"givenName": "O", "familyName": "T"}, "active": true,
        });
        let request = http.post(format!("{url}Users")).bearer_auth(DEFAULT_TOKEN).json(&user);
        tokio::spawn(async move { drop(request.send().await) });
    }
}

fn is_of(request: &RecordedRequest, start: &str) -> bool {
    let name = request.body.as_ref().and_then(|body| body["userName"].as_str());
    request.api == "CreateUser" && name.is_some_and(|name| name.starts_with(start))
}
