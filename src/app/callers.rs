//! Callers, kept as they are configured while the service runs.

use std::{sync::Arc, time::Duration};

use crate::{
    auth::{Authenticator, Failures},
    config::{CallerSettings, Loaded},
    http::audit,
};

/// How often the file of the callers is looked at. A key that is taken out of it is refused at most this much later.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// How often it is told how many failures were slowed.
const FAILURES_INTERVAL: Duration = Duration::from_secs(10);

/// Looks for changes in the callers' file for as long as it is polled, and puts them into force. By content: what a modification time or a
/// notification says is not to be relied on where a volume is swapped as a whole.
///
/// A file that is not there or has a fault changes nothing: those who were let in before still are, and the log says so once a change.
pub(super) async fn watch(settings: CallerSettings, authenticator: Arc<Authenticator>) {
    let source = settings.source;
    // Read anew at once: it may have changed since the start.
    let mut seen = None;
    let mut complained = false;
    loop {
        match source.text() {
            Ok(text) if seen.as_ref() == Some(&text) => {}
            Ok(text) => {
                complained = false;
                match source.load(&text) {
                    Ok(loaded) if seen.is_none() && loaded.is_like(&settings.loaded) => {}
                    Ok(loaded) => put_into_force(loaded, &authenticator),
                    Err(faults) => {
                        for fault in faults.0 {
                            tracing::error!("the callers stay as they were: {fault}");
                        }
                    }
                }
                seen = Some(text);
            }
            Err(error) if !complained => {
                complained = true;
                tracing::error!(
                    "the callers stay as they were: {} can't be read ({})",
                    source.name(),
                    error.kind()
                );
            }
            Err(_) => {}
        }
        tokio::time::sleep(POLL_INTERVAL).await;
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

/// Tells from time to time how many failures were slowed.
pub(super) async fn tell_failures(failures: Arc<Failures>) {
    loop {
        tokio::time::sleep(FAILURES_INTERVAL).await;
        match failures.take_untold() {
            0 => {}
            count => audit::untold(count),
        }
    }
}
