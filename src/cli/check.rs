//! `aws-ilm check`: the settings, and every configured instance.

use std::{process::ExitCode, sync::Arc};

use clap::ValueEnum;
use serde_json::{Value, json};

use super::{Configured, FAILED, MISUSED, failed, misused};
use crate::{
    app,
    commands::{Command, test_module},
    config::{self, ConfigError, Settings, Sources},
    diagnostic::Diagnostic,
    outcome::Outcome,
    service::{Completed, Instance, Run, Service, Turn},
};

/// How the result is printed: as a table for people, with warnings on standard error; or as one
/// JSON object, whose `settings` say what is wrong or doubtful, and whose `instances` how each of
/// them does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

/// What the test of an instance came to.
struct Tested {
    name: String,
    well: bool,
    details: String,
}

/// Reads the settings and tests every instance.
pub(super) async fn run(configured: Configured, format: Format) -> ExitCode {
    let settings = match config::load(&Sources::from_process(configured.config, false)) {
        Ok(settings) => settings,
        Err(error) => return refused(&error, format),
    };
    let tested = match test_instances(&settings).await {
        Ok(tested) => tested,
        Err(error) => return failed(&error),
    };
    match format {
        Format::Text => {
            for warning in &settings.warnings {
                eprintln!("warning: {warning}");
            }
            print_table(&tested);
        }
        Format::Json => println!("{:#}", report(&[], &settings.warnings, &tested)),
    }
    if tested.iter().all(|tested| tested.well) {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    }
}

/// Tells what is wrong with the settings.
fn refused(error: &ConfigError, format: Format) -> ExitCode {
    match format {
        Format::Text => misused(&error.to_string()),
        Format::Json => {
            let told = |fault: &Diagnostic| json!({"path": fault.path, "message": fault.message, "help": fault.help});
            let errors: Vec<Value> = error.0.iter().map(told).collect();
            println!("{:#}", report(&errors, &[], &[]));
            ExitCode::from(MISUSED)
        }
    }
}

/// The report as JSON.
fn report(errors: &[Value], warnings: &[String], tested: &[Tested]) -> Value {
    let instance = |tested: &Tested| json!({"name": tested.name, "ok": tested.well, "details": tested.details});
    json!({
        "ok": errors.is_empty() && tested.iter().all(|tested| tested.well),
        "settings": {"errors": errors, "warnings": warnings},
        "instances": tested.iter().map(instance).collect::<Vec<_>>(),
    })
}

fn print_table(tested: &[Tested]) {
    let width = tested
        .iter()
        .map(|tested| tested.name.chars().count())
        .max()
        .unwrap_or(0)
        .max(8);
    println!("{:width$}  {:7} WHAT IT PROVES", "INSTANCE", "RESULT");
    for Tested { name, well, details } in tested {
        println!("{name:width$}  {:7} {details}", if *well { "ok" } else { "FAILED" });
    }
}

/// Runs test-module on every instance at the same time.
async fn test_instances(settings: &Settings) -> Result<Vec<Tested>, app::AppError> {
    let instances = app::instances(settings)?.all;
    let count = instances.len();
    let service = Arc::new(Service::new(instances, &settings.default_instance, count));
    let test = |instance: &Arc<Instance>| {
        let (service, instance) = (Arc::clone(&service), Arc::clone(instance));
        tokio::spawn(async move {
            let permit = service.admit(&instance, Turn::Now).await.ok()?;
            let test = Command::TestModule(test_module::Args::default());
            service.run(permit, Run::of(test, false), ()).await.ok()
        })
    };
    let tests: Vec<_> = service.instances().iter().map(test).collect();
    let mut all = Vec::new();
    for (instance, test) in service.instances().iter().zip(tests) {
        let (well, details) = match test.await {
            Ok(Some(Completed { outcome, .. })) => match outcome {
                Outcome::Tested(Ok(proved)) => (true, proved.to_owned()),
                Outcome::Tested(Err(failure)) => (false, failure.message),
                Outcome::User(_) | Outcome::Group(_) | Outcome::MappingFields(_) => {
                    (false, "another command answered".to_owned())
                }
            },
            Ok(None) | Err(_) => (false, "the test broke off".to_owned()),
        };
        all.push(Tested {
            name: instance.name().to_owned(),
            well,
            details,
        });
    }
    Ok(all)
}
