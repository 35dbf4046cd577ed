//! Callers, kept as they are configured while the service runs.

use std::{
    mem,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    audit,
    auth::{Authenticator, Failures, Verdict},
    config::{CallerSettings, Loaded},
    files,
};

/// How often the file of the callers is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// How often the number of failures that were slowed is audited.
const FAILURES_INTERVAL: Duration = Duration::from_secs(10);

/// Watches the callers' file for as long as it is polled, and puts what changed into force.
///
/// A file that is not there or has a fault changes nothing: the callers before stay, and the log
/// says so once a change.
pub(super) async fn watch(settings: CallerSettings, authenticator: Arc<Authenticator>) {
    let CallerSettings { mut loaded, source } = settings;
    let source = Arc::new(source);
    let in_force = source.text().ok().filter(|text| {
        let found = source.load(text);
        found.is_ok_and(|found| found.is_like(&loaded))
    });
    let watched = Arc::clone(&source);
    let mut watcher = files::watch("the callers' file", POLL_INTERVAL, in_force.map(Ok), move || {
        watched.text()
    });
    let mut is_readable = true;
    let mut is_faulty = false;
    loop {
        let text = match watcher.changed().await {
            Ok(text) => text,
            Err(error) => {
                let name = source.name();
                tracing::error!("the callers stay as they were: {name} can't be read ({error})");
                is_readable = false;
                continue;
            }
        };
        if !mem::replace(&mut is_readable, true) {
            tracing::info!("the callers' file {} can be read again", source.name());
        }
        let source_name = source.name().to_owned();
        let source = Arc::clone(&source);
        let Ok(found) = tokio::task::spawn_blocking(move || source.load(&text)).await else {
            tracing::error!("a defect: the callers are not watched any more; restart the service to change them");
            return;
        };
        match found {
            Ok(found) if found.is_like(&loaded) => {
                if mem::take(&mut is_faulty) {
                    tracing::info!(
                        "the callers' file {} has no fault any more; its callers are those in force",
                        source_name
                    );
                }
            }
            Ok(found) => {
                is_faulty = false;
                put_into_force(found.clone(), &authenticator);
                loaded = found;
            }
            Err(error) => {
                is_faulty = true;
                for fault in error.0 {
                    tracing::error!("the callers stay as they were: {fault}");
                }
            }
        }
    }
}

fn put_into_force(loaded: Loaded, authenticator: &Authenticator) {
    let Loaded {
        callers,
        issuers,
        warnings,
    } = loaded;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let count = callers.len();
    match authenticator.replace(callers, issuers) {
        Ok(()) if count == 0 => tracing::warn!("the callers were read again: there is none, so nobody is let in"),
        Ok(()) => tracing::info!(callers = count, "the callers were read again"),
        Err(error) => tracing::error!("the callers stay as they were: {error}"),
    }
}

/// Counts and audits the clients whose certificates did not verify.
pub(super) fn refused_handshakes(failures: Arc<Failures>) -> impl Fn(IpAddr, &'static str) + Send + Sync + 'static {
    move |address, reason| match failures.record(address, Instant::now()) {
        Verdict::Reported => audit::handshake_refused(address, reason),
        Verdict::Slowed(_) => {}
    }
}

/// Audits from time to time how many failures were slowed.
pub(super) async fn audit_failures(failures: Arc<Failures>) {
    loop {
        tokio::time::sleep(FAILURES_INTERVAL).await;
        audit_slowed(&failures);
    }
}

/// Audits how many failures were slowed since the last time, if any was.
pub(super) fn audit_slowed(failures: &Failures) {
    match failures.take_slowed() {
        0 => {}
        count => audit::slowed(count),
    }
}
