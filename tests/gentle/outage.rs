//! A directory that goes away, or half away: it is left alone, callers are told at once, and it is
//! found again as soon as it is back.

use std::time::{Duration, Instant};

use aws_ilm::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::MissedTickBehavior};

use crate::{
    Form, calls,
    report::{Report, ms, percentile},
    world::{Answer, Caller, Directory, user},
};

/// How many people the load is about.
const PEOPLE: usize = 50;

/// The repetitions that an instance begins with.
const SAVED: u64 = 10;

/// A command each: 40 a second, whatever becomes of those before.
const TICK: Duration = Duration::from_millis(25);

pub(crate) async fn run(form: &Form, report: &mut Report) {
    gone(form.pick(Duration::from_secs(8), Duration::from_secs(60)), report).await;
    half_gone(form.pick(Duration::from_secs(6), Duration::from_secs(60)), report).await;
}

async fn directory() -> Directory {
    let people: Vec<Value> = (0..PEOPLE).map(|number| user(&format!("p{number}"))).collect();
    Directory::holding(&json!({"users": people}), true).await
}

/// The listener closes, and opens again.
async fn gone(outage: Duration, report: &mut Report) {
    let mut directory = directory().await;
    let front = directory.service(&[]);
    let load = Load::start(front.caller.clone(), |number| {
        let name = format!("p{}", number % PEOPLE);
        if number % 4 == 0 {
            let profile = json!({"id": format!("id-{name}"), "username": name, "title": format!("Title {number}")});
            ("iam-update-user", json!({"user-profile": profile}))
        } else {
            ("iam-get-user", json!({"user-profile": {"id": format!("id-{name}")}}))
        }
    });
    tokio::time::sleep(Duration::from_secs(2)).await;

    directory.go_away().await;
    let (gone, calls_before) = (Instant::now(), calls::so_far());
    while front.caller.instance().await["breaker"] != "open" && gone.elapsed() < outage {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let opened = Instant::now();
    tokio::time::sleep(outage.saturating_sub(gone.elapsed())).await;
    let calls = calls::so_far() - calls_before;
    directory.come_back().await;
    let back = Instant::now();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let done = load.stop().await;

    let issued = |from: Instant, to: Instant| done.iter().filter(move |(at, _)| (from..to).contains(at));
    let commands = issued(gone, back).count() as u64;
    let while_open: Vec<_> = issued(opened, back - Duration::from_millis(100)).collect();
    let waits: Vec<_> = while_open.iter().map(|(_, answer)| answer.took).collect();
    let refused = while_open
        .iter()
        .filter(|(_, answer)| answer.status == 503 && answer.retry_after)
        .count();
    // Each command begins with one request, which the outage answers; what is beyond one a command
    // are repetitions.
    let ends = |(at, answer): &&(Instant, Answer)| answer.succeeded().then(|| *at + answer.took);
    let recovered = done
        .iter()
        .filter(|(at, _)| *at >= opened)
        .filter_map(|done| ends(&done))
        .filter(|end| *end > back)
        .min();
    let late = issued(back + Duration::from_secs(2), Instant::now())
        .filter(|(_, answer)| !answer.succeeded())
        .count();
    report.figure("outage, s", outage.as_secs());
    report.figure("breaker open after", ms(opened - gone));
    report.figure(
        "commands in the outage, calls they made",
        format!("{commands}, {calls}"),
    );
    report.figure(
        "commands while open, answered 503",
        format!("{}, {refused}", while_open.len()),
    );
    report.figure(
        "their wait, p50, p99, longest",
        format!(
            "{}, {}, {}",
            ms(percentile(&waits, 0.5)),
            ms(percentile(&waits, 0.99)),
            ms(percentile(&waits, 1.0))
        ),
    );
    report.figure(
        "first success after its return",
        recovered.map_or_else(|| "none".to_owned(), |at| ms(at - back)),
    );
    report.claim(
        calls * 5 <= commands * 6,
        "at most 20 % were added to the load by repetitions",
    );
    report.claim(
        !while_open.is_empty() && refused == while_open.len(),
        "every caller got 503 with Retry-After while the breaker was open",
    );
    report.claim(
        percentile(&waits, 0.99) <= Duration::from_millis(50),
        "99 of 100 of them within 50 ms",
    );
    report.claim(
        recovered.is_some_and(|at| at - back <= Duration::from_secs(2)) && late == 0,
        format!("recovered within 2 s of its return ({late} failed after that)"),
    );
}

/// Four in ten requests fail: too few for the breaker, many for repetitions.
async fn half_gone(time: Duration, report: &mut Report) {
    let people: Vec<Value> = (0..PEOPLE).map(|number| user(&format!("p{number}"))).collect();
    let directory = Directory::holding(&json!({"users": people}), false).await;
    // Far above the load, so that the budget and not the pace is what bounds repetitions.
    let front = directory.service(&[("AWS_ILM_READ_RATE", "400")]);
    directory.sandbox.script(
        Fault::new(FaultKind::Status { status: 503 })
            .on("GetUser")
            .forever()
            .with_probability(0.4),
    );
    // One request a command, so that what is beyond the commands are repetitions.
    let load = Load::start(front.caller.clone(), |number| {
        (
            "iam-get-user",
            json!({"user-profile": {"id": format!("id-p{}", number % PEOPLE)}}),
        )
    });
    tokio::time::sleep(time).await;
    let done = load.stop().await;
    let calls = directory.sandbox.calls().get("GetUser").copied().unwrap_or_default();
    let succeeded = done.iter().filter(|(_, answer)| answer.succeeded()).count();
    let commands = done.len() as u64;
    report.figure(
        "4 of 10 requests fail: commands, calls",
        format!(
            "{commands}, {calls} (ratio {:.3})",
            calls as f64 / commands.max(1) as f64
        ),
    );
    report.figure("of the commands succeeded", succeeded);
    report.claim(calls > commands, "there were repetitions");
    report.claim(
        calls * 5 <= commands * 6 + 5 * SAVED,
        "at most 20 %, and ten saved up, were added by repetitions",
    );
}

/// Commands at a steady pace.
struct Load {
    stop: tokio::sync::oneshot::Sender<()>,
    running: tokio::task::JoinHandle<Vec<(Instant, Answer)>>,
}

impl Load {
    fn start(caller: Caller, command: fn(usize) -> (&'static str, Value)) -> Self {
        let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
        let running = tokio::spawn(async move {
            let mut tick = tokio::time::interval(TICK);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut commands = JoinSet::new();
            for number in 0.. {
                tokio::select! {
                    _ = tick.tick() => {}
                    _ = &mut stopped => break,
                }
                let caller = caller.clone();
                let (name, arguments) = command(number);
                commands.spawn(async move {
                    let at = Instant::now();
                    (at, caller.command(name, &arguments).await)
                });
            }
            commands.join_all().await
        });
        Self { stop, running }
    }

    async fn stop(self) -> Vec<(Instant, Answer)> {
        drop(self.stop);
        self.running.await.unwrap()
    }
}
