//! One instance dead, one slow, one healthy, in one service: the healthy one's callers notice nothing.

use std::{
    collections::BTreeMap,
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use aws_ilm::{
    config::Sources,
    sandbox::{DEFAULT_TENANT, DEFAULT_TOKEN, Fault, FaultKind, Sandbox},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    Form,
    report::{Report, ms, percentile},
    world::{Caller, Directory, Folder, Front, user},
};

/// Callers of each neighbour: more than it has places for.
const CROWD: usize = 150;

/// A command each, for the healthy one: 30 a second, which leaves its pace aside.
const TICK: Duration = Duration::from_millis(33);

/// What neighbours may cost the healthy one in its p99: what two cores that are shared by all of this need to be left for noise.
const NOISE: Duration = Duration::from_millis(200);

pub(crate) async fn run(form: &Form, report: &mut Report) {
    let healthy = Directory::holding(&json!({"users": [user("p0")]}), true).await;
    let slow = Directory::holding(&json!({"users": [user("p0")]}), true).await;
    let late = FaultKind::Slow {
        milliseconds: 2_000,
        work_late: false,
    };
    slow.sandbox.script(Fault::new(late).forever());
    let dead = dead().await;

    let folder = Folder::new("bulkheads");
    let config = folder.0.join("aws-ilm.toml");
    let instance = |name: &str, url: &str| {
        format!(
            "[[instances]]\nname = \"{name}\"\nurl = \"{url}\"\ntenant_id = \"{DEFAULT_TENANT}\"\nauthentication_token = \
             \"{DEFAULT_TOKEN}\"\nrequest_timeout = \"5s\"\n"
        )
    };
    let text = [
        "listen = \"127.0.0.1:0\"\n".to_owned(),
        instance("healthy", &healthy.url()),
        instance("slow", &slow.url()),
        instance("dead", &dead),
    ];
    fs::write(&config, text.concat()).unwrap();
    let front = Front::start(&Sources {
        config: Some(config),
        ..Sources::default()
    });

    let time = form.pick(Duration::from_secs(5), Duration::from_secs(30));
    let alone = measure(&front.caller, time).await;
    let stop = Arc::new(AtomicBool::new(false));
    let neighbours: Vec<_> = ["slow", "dead"].map(|name| crowd(&front.caller, name, &stop)).into();
    // Longer than the dead one's first requests take to be given up.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let beside_hanging = measure(&front.caller, time).await;
    let beside_open = measure(&front.caller, time).await;
    stop.store(true, Ordering::Relaxed);
    for (name, neighbours) in ["slow", "dead"].into_iter().zip(neighbours) {
        let statuses = neighbours
            .join_all()
            .await
            .into_iter()
            .fold(BTreeMap::new(), |mut sum, one| {
                one.into_iter()
                    .for_each(|(status, count)| *sum.entry(status).or_insert(0) += count);
                sum
            });
        report.figure(&format!("the {name} one's answers by status"), format!("{statuses:?}"));
    }
    let show = |(waits, failed): &(Vec<Duration>, usize)| {
        format!(
            "p50 {}, p99 {} ({} commands, {failed} failed)",
            ms(percentile(waits, 0.5)),
            ms(percentile(waits, 0.99)),
            waits.len()
        )
    };
    report.figure("the healthy one alone", show(&alone));
    report.figure("beside them, from their first requests on", show(&beside_hanging));
    report.figure("beside them, later", show(&beside_open));
    report.claim(
        alone.1 + beside_hanging.1 + beside_open.1 == 0,
        "none of its commands failed",
    );
    let p99 = |(waits, _): &(Vec<Duration>, usize)| percentile(waits, 0.99);
    let worst = p99(&beside_hanging).max(p99(&beside_open));
    report.claim(
        worst <= p99(&alone) + NOISE,
        format!("its p99 grew by no more than {}", ms(NOISE)),
    );
}

/// The URL of something that takes connections and never answers: the worst kind of dead.
async fn dead() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Sandbox::base_url(listener.local_addr().unwrap(), DEFAULT_TENANT);
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    url
}

/// Gets at a steady pace; how long each took, and how many failed.
async fn measure(caller: &Caller, time: Duration) -> (Vec<Duration>, usize) {
    let mut tick = tokio::time::interval(TICK);
    let mut commands = JoinSet::new();
    let arguments: Value = json!({"user-profile": {"id": "id-p0"}});
    for _ in 0..time.as_millis() / TICK.as_millis() {
        tick.tick().await;
        let (caller, arguments) = (caller.clone(), arguments.clone());
        commands.spawn(async move { caller.command_of("healthy", "iam-get-user", &arguments).await });
    }
    let answers = commands.join_all().await;
    let failed = answers.iter().filter(|answer| !answer.succeeded()).count();
    (answers.iter().map(|answer| answer.took).collect(), failed)
}

/// Callers of a neighbour, each with one command after the other; how many answers there were of each status.
fn crowd(caller: &Caller, name: &'static str, stop: &Arc<AtomicBool>) -> JoinSet<BTreeMap<u16, usize>> {
    let mut callers = JoinSet::new();
    for _ in 0..CROWD {
        let (caller, stop) = (caller.clone(), Arc::clone(stop));
        callers.spawn(async move {
            let mut statuses = BTreeMap::new();
            while !stop.load(Ordering::Relaxed) {
                let answer = caller
                    .command_of(name, "iam-get-user", &json!({"user-profile": {"id": "id-p0"}}))
                    .await;
                *statuses.entry(answer.status).or_insert(0) += 1;
                if answer.status == 503 {
                    // Not all at the same moment.
                    tokio::time::sleep(Duration::from_secs(1).mul_f64(0.5 + fastrand::f64())).await;
                }
            }
            statuses
        });
    }
    callers
}
