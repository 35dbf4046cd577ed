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
    config::{CallerSettings, CallerSource, ConfigError, Loaded},
    files,
};

/// How often the file of the callers is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// After so many looks that each found something else, the last of them counts as it is.
const MOST_UNLIKE: u8 = 4;

/// How often it is told how many failures were slowed.
const FAILURES_INTERVAL: Duration = Duration::from_secs(10);

/// What is known of the file.
struct Watched {
    source: CallerSource,
    /// What is in force.
    loaded: Loaded,
    /// What was found the last time, and whether something came of it already.
    found: Option<(String, bool)>,
    /// How often in a row something else was found.
    unlike: u8,
    complained: bool,
}

/// What a look at the file led to.
enum Change {
    None,
    Unreadable(files::FileError),
    Readable,
    Refused(ConfigError),
    Loaded(Loaded),
}

/// Looks for changes in the callers' file for as long as it is polled, and puts them into force. By
/// content: what a modification time or a notification says is not to be relied on where a volume
/// is swapped as a whole. A text counts only when it was found twice in a row: who writes a file in
/// place cuts it first, and half of it would shut callers out.
///
/// A file that is not there or has a fault changes nothing: those who were let in before still are,
/// and the log says so once a change.
pub(super) async fn watch(settings: CallerSettings, authenticator: Arc<Authenticator>) {
    let mut watched = Watched {
        source: settings.source,
        loaded: settings.loaded,
        found: None,
        unlike: 0,
        complained: false,
    };
    loop {
        // Files may stand on a disk that is slow to answer.
        let looked = tokio::task::spawn_blocking(move || {
            let change = watched.look();
            (watched, change)
        });
        let change;
        (watched, change) = match looked.await {
            Ok(looked) => looked,
            Err(_) => {
                tracing::error!("a defect: the callers are not watched any more; restart the service to change them");
                return;
            }
        };
        match change {
            Change::None => {}
            Change::Readable => tracing::info!("the callers' file {} can be read again", watched.source.name()),
            Change::Unreadable(fault) => {
                tracing::error!(
                    "the callers stay as they were: {} can't be read ({fault})",
                    watched.source.name()
                );
            }
            Change::Refused(error) => {
                for fault in error.0 {
                    tracing::error!("the callers stay as they were: {fault}");
                }
            }
            Change::Loaded(loaded) => put_into_force(loaded, &authenticator),
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

impl Watched {
    fn look(&mut self) -> Change {
        let text = match self.source.text() {
            Ok(text) => text,
            Err(fault) => {
                // Twice in a row means in a row.
                self.found = self.found.take().filter(|(_, used)| *used);
                return if mem::replace(&mut self.complained, true) {
                    Change::None
                } else {
                    Change::Unreadable(fault)
                };
            }
        };
        let was_unreadable = mem::take(&mut self.complained);
        match &mut self.found {
            Some((found, used)) if *found == text => {
                if mem::replace(used, true) {
                    return if was_unreadable { Change::Readable } else { Change::None };
                }
            }
            Some(_) | None => {
                self.unlike = self.unlike.saturating_add(1);
                // Whoever writes it over and over must not keep a change from taking effect.
                let is_restless = self.unlike >= MOST_UNLIKE;
                self.found = Some((text.clone(), is_restless));
                if !is_restless {
                    return Change::None;
                }
            }
        }
        self.unlike = 0;
        match self.source.load(&text) {
            Ok(loaded) if loaded.is_like(&self.loaded) => Change::None,
            Ok(loaded) => {
                self.loaded = loaded.clone();
                Change::Loaded(loaded)
            }
            Err(error) => Change::Refused(error),
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

/// Tells from time to time how many failures were slowed.
pub(super) async fn tell_failures(failures: Arc<Failures>) {
    loop {
        tokio::time::sleep(FAILURES_INTERVAL).await;
        tell_untold(&failures);
    }
}

/// Tells how many failures were slowed since this was told the last time, if any was.
pub(super) fn tell_untold(failures: &Failures) {
    match failures.take_slowed() {
        0 => {}
        count => audit::untold(count),
    }
}
