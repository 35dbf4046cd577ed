//! Tokens change while commands run, and no command notices.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use aws_ilm::sandbox::DEFAULT_TOKEN;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    Form,
    report::Report,
    world::{Caller, Directory, Folder, user},
};

const CALLERS: usize = 16;

/// Rates at which requests are on their way all the time.
const FAST: [(&str, &str); 2] = [("AWS_ILM_READ_RATE", "400"), ("AWS_ILM_WRITE_RATE", "400")];

pub(crate) async fn run(form: &Form, report: &mut Report) {
    rotated(form, report).await;
    revoked(form, report).await;
}

/// A new token is made, the file is replaced and the old token revoked at once, over and over.
async fn rotated(form: &Form, report: &mut Report) {
    let folder = Folder::new("rotated");
    let file = folder.0.join("token");
    replace(&file, DEFAULT_TOKEN);
    let directory = directory().await;
    let front = directory.service(&with(&[
        ("AWS_ILM_AUTHENTICATION_TOKEN", ""),
        ("AWS_ILM_AUTHENTICATION_TOKEN_FILE", file.to_str().unwrap()),
    ]));
    let load = Load::start(&front.caller);
    for number in 0..20 {
        // Some fall between two looks at the file, some after one.
        tokio::time::sleep(form.pick(Duration::from_millis(130), Duration::from_millis(1_300))).await;
        let token = format!("rotated-{number}");
        // The order of AWS's console: both are valid for a moment.
        let mut both = directory.sandbox.tokens();
        both.push(token.clone());
        directory.sandbox.set_tokens(both);
        replace(&file, &token);
        directory.sandbox.set_tokens(vec![token]);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (commands, failed) = load.stop().await;
    let refused = refused(&directory);
    report.figure(
        "20 rotations: commands, refused with 401",
        format!("{commands}, {refused}"),
    );
    report.claim(
        failed == 0 && commands > 20,
        format!("no command failed ({failed} did)"),
    );
    report.claim(refused > 0, "requests were under way with a revoked token");
}

/// The first of two tokens is revoked; later it is renewed and the second revoked.
async fn revoked(form: &Form, report: &mut Report) {
    let folder = Folder::new("revoked");
    let file = folder.0.join("token");
    replace(&file, DEFAULT_TOKEN);
    let directory = directory().await;
    directory
        .sandbox
        .set_tokens(vec![DEFAULT_TOKEN.to_owned(), "second".to_owned()]);
    let front = directory.service(&with(&[
        ("AWS_ILM_AUTHENTICATION_TOKEN", ""),
        ("AWS_ILM_AUTHENTICATION_TOKEN_FILE", file.to_str().unwrap()),
        ("AWS_ILM_SECOND_AUTHENTICATION_TOKEN", "second"),
    ]));
    let load = Load::start(&front.caller);
    let while_in_use = form.pick(Duration::from_millis(1_500), Duration::from_secs(10));
    tokio::time::sleep(while_in_use).await;
    let before = in_use(&front.caller).await;
    directory.sandbox.set_tokens(vec!["second".to_owned()]);
    tokio::time::sleep(while_in_use).await;
    let (after, refused_once) = (in_use(&front.caller).await, refused(&directory));
    directory
        .sandbox
        .set_tokens(vec!["second".to_owned(), "renewed".to_owned()]);
    replace(&file, "renewed");
    directory.sandbox.set_tokens(vec!["renewed".to_owned()]);
    tokio::time::sleep(while_in_use).await;
    let renewed = in_use(&front.caller).await;
    let (commands, failed) = load.stop().await;
    report.figure(
        "first revoked: commands, refused with 401",
        format!("{commands}, {refused_once}"),
    );
    report.claim(
        failed == 0 && commands > 20,
        format!("no command failed ({failed} did)"),
    );
    report.claim(
        before == "first" && after == "second",
        format!("/instances said {before}, then {after}"),
    );
    report.claim(
        refused_once <= CALLERS as u64,
        "after that nobody went on with the revoked token",
    );
    report.claim(
        renewed == "first",
        format!("the first, renewed, with the second revoked: {renewed}"),
    );
}

async fn directory() -> Directory {
    let people: Vec<Value> = (0..CALLERS).map(|number| user(&format!("p{number}"))).collect();
    Directory::holding(&json!({"users": people}), false).await
}

fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    FAST.iter().chain(more).copied().collect()
}

/// Puts another token in the file's place, as `mv` does: never half of it is there.
fn replace(file: &Path, token: &str) {
    let fresh = file.with_extension("fresh");
    fs::write(&fresh, token).unwrap();
    fs::rename(&fresh, file).unwrap();
}

async fn in_use(caller: &Caller) -> String {
    caller.instance().await["tokenInUse"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

fn refused(directory: &Directory) -> u64 {
    let requests = directory.sandbox.requests();
    requests.iter().filter(|request| request.status == Some(401)).count() as u64
}

/// Callers that read and write without a pause.
struct Load {
    stop: Arc<AtomicBool>,
    callers: JoinSet<(usize, usize)>,
}

impl Load {
    fn start(caller: &Caller) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut callers = JoinSet::new();
        for number in 0..CALLERS {
            let (caller, stop) = (caller.clone(), Arc::clone(&stop));
            callers.spawn(async move {
                let (mut commands, mut failed) = (0, 0);
                while !stop.load(Ordering::Relaxed) {
                    let mut profile = json!({"id": format!("id-p{number}"), "username": format!("p{number}")});
                    let name = if commands % 3 == 0 {
                        "iam-update-user"
                    } else {
                        "iam-get-user"
                    };
                    profile["title"] = format!("Title {commands}").into();
                    let answer = caller.command(name, &json!({"user-profile": profile})).await;
                    commands += 1;
                    if !answer.succeeded() {
                        println!("  failed: {} {}", answer.status, answer.message());
                        failed += 1;
                    }
                }
                (commands, failed)
            });
        }
        Self { stop, callers }
    }

    async fn stop(self) -> (usize, usize) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.callers.join_all().await;
        ended
            .into_iter()
            .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }
}
