//! One instance dead, one slow, one healthy, in one service: the healthy one's callers notice
//! nothing.

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
use tokio::{net::TcpListener, task::JoinSet, time::MissedTickBehavior};

use crate::{
    Form,
    report::{Report, ms, percentile},
    world::{Caller, Directory, Folder, Front, user},
};

/// Callers of each neighbour: more than it has places for.
const CROWD: usize = 150;

/// A command each, for the healthy one: 30 a second, far below its pace, so that nothing of what is
/// measured is waiting for a turn.
const TICK: Duration = Duration::from_millis(33);

/// What neighbours may cost the healthy one in its p99, beyond what they cost a request that needs
/// no directory: the callers and all three directories share this process and its processors.
const NOISE: Duration = Duration::from_millis(100);

/// A command is read, sent on and answered by a directory where liveness is answered at once: what
/// a busy machine costs, it costs each of them.
const HOPS: u32 = 3;

pub(crate) async fn run(form: &Form, report: &mut Report) {
    let healthy = Directory::holding(&json!({"users": [user("p0")]}), false).await;
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
             \"{DEFAULT_TOKEN}\"\nrequest_timeout = \"5s\"\nread_rate = 400\n"
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
    report.figure("the healthy one alone", alone.show());
    report.figure("beside them, from their first requests on", beside_hanging.show());
    report.figure("beside them, later", beside_open.show());
    let all = [alone, beside_hanging, beside_open];
    report.claim(
        all.iter().all(|course| course.failed == 0),
        "none of its commands failed",
    );
    report.claim(
        all.iter()
            .all(|course| percentile(&course.waits, 0.99) <= percentile(&course.bare, 0.99) * HOPS + NOISE),
        format!(
            "its p99 is never more than {} above {HOPS} times that of the service's liveness",
            ms(NOISE)
        ),
    );
}

/// Commands to the healthy one at a steady pace.
struct Course {
    waits: Vec<Duration>,
    failed: usize,
    /// What a request took that needs no directory, each at the same moment as a command.
    bare: Vec<Duration>,
}

impl Course {
    fn show(&self) -> String {
        let times = |times| {
            format!(
                "p50 {}, p99 {}",
                ms(percentile(times, 0.5)),
                ms(percentile(times, 0.99))
            )
        };
        let (count, failed) = (self.waits.len(), self.failed);
        format!(
            "{} ({count} commands, {failed} failed; liveness {})",
            times(&self.waits),
            times(&self.bare)
        )
    }
}

/// The URL of a server that takes connections and never answers: the worst kind of dead.
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

/// Gets at a steady pace.
async fn measure(caller: &Caller, time: Duration) -> Course {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut commands = JoinSet::new();
    let arguments: Value = json!({"user-profile": {"id": "id-p0"}});
    for _ in 0..time.as_millis() / TICK.as_millis() {
        tick.tick().await;
        let (caller, arguments) = (caller.clone(), arguments.clone());
        commands.spawn(async move {
            tokio::join!(
                caller.command_of("healthy", "iam-get-user", &arguments),
                caller.liveness()
            )
        });
    }
    let answers = commands.join_all().await;
    Course {
        waits: answers.iter().map(|(answer, _)| answer.took).collect(),
        failed: answers.iter().filter(|(answer, _)| !answer.succeeded()).count(),
        bare: answers.iter().map(|(_, bare)| *bare).collect(),
    }
}

/// Callers of a neighbour, each with one command after the other; how many answers there were of
/// each status.
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
