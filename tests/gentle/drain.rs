//! Working off what was stored: as fast as the directory allows, and a leaver first.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use aws_ilm::sandbox::{self, Rates, RecordedRequest, Seed};
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    Form,
    report::{Report, ms, per_cent, share},
    world::{Caller, Directory, Folder, Front, newcomer, user},
};

/// Callers that post at once while operations are accepted.
const SENDERS: usize = 32;

/// How many commands an instance carries out at once.
const AT_ONCE: usize = 256;

pub(crate) async fn run(form: &Form, report: &mut Report) {
    let folder = Folder::new("drain");
    fast(&folder.0.join("fast.db"), form.pick(1_000, 10_000), report).await;
    if form.full {
        at_the_rate_of_aws(&folder.0.join("slow.db"), report).await;
    }
}

/// Works off so many creations where the directory allows 2,500 writes a second, with one leaver
/// posted in the middle.
async fn fast(store: &Path, count: usize, report: &mut Report) {
    const LIMIT: f64 = 2_500.0;
    let directory = directory(LIMIT).await;
    let front = service(&directory, store, LIMIT);
    let caller = &front.caller;
    let due = accept(caller, count, report).await;
    tokio::time::sleep(
        due.duration_since(jiff::Timestamp::now())
            .try_into()
            .unwrap_or_default(),
    )
    .await;
    let began = Instant::now();
    while created(&directory) < count / 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let before = created(&directory);
    let disabled = caller
        .command("iam-disable-user", &json!({"user-profile": {"username": "leaver"}}))
        .await;
    let overtaken = before_the_disable(&directory.sandbox.requests()) - before;
    while created(&directory) < count {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let took = began.elapsed();

    let (sent, refused) = directory.throttled(|request| request.api == "CreateUser");
    let rate = count as f64 / took.as_secs_f64();
    report.figure(
        "operations worked off, s",
        format!("{count}, {:.2}", took.as_secs_f64()),
    );
    report.figure(
        "a second, of 2,500 allowed",
        format!("{rate:.0} ({:.1} %)", rate / LIMIT * 100.0),
    );
    report.figure("creates answered 429", per_cent(refused, sent));
    report.figure("the disable in the middle", ms(disabled.took));
    report.claim(
        share(refused, sent) <= 0.005,
        "at most 0.5 % of the creates were answered 429",
    );
    report.claim(
        disabled.succeeded() && overtaken <= AT_ONCE,
        format!("only what ran already came before the disable ({overtaken} creates, at most {AT_ONCE})"),
    );
    all_have_ended(caller, count, report).await;
}

/// A minute at what AWS allows.
async fn at_the_rate_of_aws(store: &Path, report: &mut Report) {
    const LIMIT: f64 = 25.0;
    const MINUTE: Duration = Duration::from_secs(60);
    let directory = directory(LIMIT).await;
    let front = service(&directory, store, LIMIT);
    let due = accept(&front.caller, 2_000, report).await;
    tokio::time::sleep(
        due.duration_since(jiff::Timestamp::now())
            .try_into()
            .unwrap_or_default(),
    )
    .await;
    tokio::time::sleep(MINUTE).await;
    let (sent, refused) = directory.throttled(|request| request.api == "CreateUser");
    let allowed = LIMIT * (MINUTE.as_secs_f64() + 1.0);
    report.figure(
        "creates in a minute, of what 25 a second allow",
        per_cent(sent - refused, allowed as usize),
    );
    report.claim(
        refused == 0 && sent >= 1_400,
        format!("at the pace of the limit, and none answered 429 ({refused} of {sent} were)"),
    );
}

/// A directory that allows so many writes a second, with one who leaves.
async fn directory(writes: f64) -> Directory {
    Directory::with(sandbox::Options {
        seed: Seed::from_json(&json!({"users": [user("leaver")]}).to_string()).unwrap(),
        limits: true,
        rates: Rates {
            reads_per_second: writes,
            writes_per_second: writes,
            ..Rates::default()
        },
        ..sandbox::Options::default()
    })
    .await
}

fn service(directory: &Directory, store: &Path, rate: f64) -> Front {
    directory.service(&[
        ("AWS_ILM_STORE_PATH", &store.display().to_string()),
        ("AWS_ILM_WRITE_RATE", &rate.to_string()),
        ("AWS_ILM_READ_RATE", &rate.to_string()),
        ("AWS_ILM_MAX_CONCURRENT_COMMANDS", &AT_ONCE.to_string()),
    ])
}

/// Stores so many creations, all due at one time; answers when that is.
async fn accept(caller: &Caller, count: usize, report: &mut Report) -> jiff::Timestamp {
    // Long enough for all to be stored before, also by a debug build.
    let due = jiff::Timestamp::now() + jiff::SignedDuration::from_millis(2_000 + count as i64 * 2);
    let began = Instant::now();
    let mut senders = JoinSet::new();
    for sender in 0..SENDERS {
        let caller = caller.clone();
        senders.spawn(async move {
            for number in (sender..count).step_by(SENDERS) {
                let newcomer = newcomer(&format!("new-{number}"));
                let status = caller
                    .defer("iam-create-user", &format!("?notBefore={due}"), &newcomer)
                    .await;
                assert_eq!(status, 202);
            }
        });
    }
    while let Some(sender) = senders.join_next().await {
        sender.unwrap();
    }
    let rate = count as f64 / began.elapsed().as_secs_f64();
    report.figure("accepted over HTTP, a second", format!("{rate:.0} ({SENDERS} senders)"));
    report.claim(jiff::Timestamp::now() < due, "all were stored before they were due");
    due
}

fn created(directory: &Directory) -> usize {
    directory.sandbox.calls().get("CreateUser").copied().unwrap_or_default() as usize
}

/// How many creations the directory was sent before it was sent the disable.
fn before_the_disable(requests: &[RecordedRequest]) -> usize {
    let until = requests.iter().take_while(|request| request.api != "PatchUser");
    until.filter(|request| request.api == "CreateUser").count()
}

/// That the service says of each operation that it is done.
async fn all_have_ended(caller: &Caller, count: usize, report: &mut Report) {
    let open = "/operations?state=scheduled,waiting,running&limit=1";
    while caller.get(open).await["operations"] != json!([]) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut done = 0;
    let mut cursor = String::new();
    loop {
        let page = caller
            .get(&format!(
                "/operations?state=done&command=iam-create-user&limit=500{cursor}"
            ))
            .await;
        done += page["operations"].as_array().unwrap().len();
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    report.claim(done == count, format!("each operation is done ({done} of {count})"));
}
