//! Callers, kept as they are configured while the service runs.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use super::followed::follow;
use crate::{
    audit,
    auth::{Authenticator, Failures, Verdict},
    config::{CallerSettings, Loaded},
};

/// How often the number of failures that were slowed is audited.
const FAILURES_INTERVAL: Duration = Duration::from_secs(10);

/// Watches the callers' file for as long as it is polled, and puts what changed into force.
pub(super) async fn watch(settings: CallerSettings, authenticator: Arc<Authenticator>) {
    let CallerSettings { mut loaded, source } = settings;
    let in_force = source.text().ok().filter(|text| {
        let found = source.load(text);
        found.is_ok_and(|found| found.is_like(&loaded))
    });
    let name = source.name().to_owned();
    let put = move |found: Loaded, was_faulty| {
        if !found.is_like(&loaded) {
            put_into_force(found.clone(), &authenticator);
            loaded = found;
        } else if was_faulty {
            tracing::info!("the callers' file {name} has no fault any more; its callers are those in force");
        }
    };
    follow(Arc::new(source), in_force, put).await;
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
