//! `aws-ilm source test`: an example of a source's preset, signed, verified, and carried out
//! without writing.

use std::{path::Path, process::ExitCode, sync::Arc};

use jiff::Timestamp;
use serde_json::json;

use super::{
    super::{Configured, FAILED, failed, misused},
    LONGEST_BODY, find, load,
};
use crate::{
    app,
    commands::Command,
    config::Settings,
    files,
    outcome::Outcome,
    service::{Completed, Run, Service, Turn},
    webhooks::{
        Delivery, Source,
        explain::{ExplainedCommand, Explanation, explain},
        presets,
    },
};

/// Tests a source to its end.
pub(super) async fn run(name: &str, body: Option<&Path>, configured: Configured) -> ExitCode {
    let settings = match load(configured) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let source = match find(&settings, name) {
        Ok(source) => source,
        Err(code) => return code,
    };
    let delivery = match example(source, body) {
        Ok(delivery) => delivery,
        Err(message) => return misused(&message),
    };
    let explanation = explain(source, &delivery).await;
    let mut is_well = tell(&explanation);
    match dry_run(&settings, &explanation).await {
        Ok(all_went) => is_well &= all_went,
        Err(error) => return failed(&error),
    }
    if is_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    }
}

/// The example of the source's preset, or another body, signed as its sender would.
fn example(source: &Source, body: Option<&Path>) -> Result<Delivery, String> {
    let preset = source.preset().and_then(presets::find);
    let own = body.map(|path| files::read(path, LONGEST_BODY).map_err(|error| format!("{}: {error}", path.display())));
    let own = own.transpose()?;
    let body = match (&own, preset) {
        (Some(body), _) => &body[..],
        (None, Some(preset)) => preset.example.body.as_bytes(),
        (None, None) => return Err("the source has no preset, so there is no example: give one with --body".to_owned()),
    };
    let now = Timestamp::now();
    let example = source.verifier().sign(body, now);
    let example = example.map_err(|error| format!("no example can be signed: {error}"))?;
    Ok(Delivery {
        path_type: preset.and_then(|preset| preset.example.path_type.clone()),
        ..example.delivery(now)
    })
}

/// Prints what would become of the delivery; whether all of it would.
fn tell(explanation: &Explanation) -> bool {
    let verification = &explanation.verification;
    match &verification.reason {
        None => println!("believed: {}", verification.proof),
        Some(reason) => println!("refused: {reason}"),
    }
    if let Some(fault) = &explanation.fault {
        println!("no event: {fault}");
    }
    for event in &explanation.events {
        let kind = event.r#type.as_deref().unwrap_or("without a type");
        let rule = event
            .rule
            .map_or_else(|| "no rule".to_owned(), |rule| format!("rule {rule}"));
        let reason = event
            .reason
            .as_deref()
            .map_or_else(String::new, |reason| format!(": {reason}"));
        println!("event {} ({kind}): {rule}, {}{reason}", event.index + 1, event.verdict);
    }
    let failed = explanation.events.iter().any(|event| event.verdict == "failed");
    verification.accepted && explanation.fault.is_none() && !failed
}

/// Runs the commands without writing, and prints what each would send; whether none failed.
async fn dry_run(settings: &Settings, explanation: &Explanation) -> Result<bool, app::AppError> {
    let commands = explanation.events.iter().flat_map(|event| &event.commands);
    let instances = app::instances(settings)?.all;
    let service = Arc::new(Service::new(instances, &settings.default_instance, 1));
    let mut all_went = true;
    for planned in commands {
        let (command, name) = (planned.command.clone(), planned.command.name());
        // What a cancelling comes to hangs on what was done before, which a dry run has not.
        let tried = if planned.takes_back() {
            Some((true, "would take back what was said for its purpose".to_owned()))
        } else {
            let tried = one(&service, &planned.instance, command).await;
            tried.map(|(outcome, told)| (outcome.failure().is_none(), told))
        };
        let (went, told) = tried.unwrap_or_else(|| (false, "could not be tried".to_owned()));
        all_went &= went;
        println!("  {} {name}: {told}", planned.instance);
        let said = said(planned);
        if !said.is_empty() {
            println!("    {said}");
        }
    }
    Ok(all_went)
}

/// What a command says of its person, and when it would be carried out.
fn said(planned: &ExplainedCommand) -> String {
    let mut said: Vec<String> = planned.word.into_iter().map(str::to_owned).collect();
    said.extend(planned.purpose.as_ref().map(|purpose| format!("purpose {purpose}")));
    if let (Some(date), Some(side), Some(zone)) = (&planned.date, &planned.side, &planned.zone) {
        let ahead = planned.ahead.as_ref().map(|ahead| format!(", {ahead} ahead"));
        said.push(format!("{date} {side} in {zone}{}", ahead.unwrap_or_default()));
    }
    said.extend(planned.not_before.map(|time| format!("not before {time}")));
    said.extend(planned.held.map(|reason| format!("held ({reason})")));
    said.join("; ")
}

/// What a command would do, told as one line.
async fn one(service: &Arc<Service>, instance: &str, command: Command) -> Option<(Outcome, String)> {
    let instance = service.instances().iter().find(|known| known.name() == instance)?;
    let permit = service.admit(instance, Turn::Now).await.ok()?;
    let completed: Completed = service.run(permit, Run::of(command, true), ()).await.ok()?;
    let sent: Vec<_> = completed
        .journal
        .written
        .iter()
        .map(|request| format!("{} {} {}", request.method, request.path(), json!(request.body)))
        .collect();
    let told = match completed.outcome.failure() {
        Some(failure) => format!("fails: {}", failure.message),
        None if sent.is_empty() => "would send nothing".to_owned(),
        None => format!("would send {}", sent.join("; ")),
    };
    Some((completed.outcome, told))
}
