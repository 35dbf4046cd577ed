//! The signals that end the process.

use std::{future::pending, io::IsTerminal as _, process, sync::Arc};

use tokio::sync::Notify;

use super::FAILED;

/// Ends when the process is asked to stop, from this call on: SIGTERM, SIGHUP, or Ctrl-C. After
/// that a second SIGTERM or Ctrl-C ends the process at once, whatever is in flight.
pub(super) fn shutdown() -> impl Future<Output = ()> + Send + 'static {
    stop(Signals::new(), Hangups::new(), None)
}

/// As [`shutdown`] for a service, which is asked by SIGHUP to read its configuration again
/// (systemd.service(5), `ExecReload=`): `reload` is notified. Where its input is a terminal, SIGHUP
/// says that this has closed, and stops it.
pub(super) fn shutdown_of_service(reload: Arc<Notify>) -> impl Future<Output = ()> + Send + 'static {
    let is_in_terminal = std::io::stdin().is_terminal();
    stop(Signals::new(), Hangups::new(), (!is_in_terminal).then_some(reload))
}

async fn stop(mut signals: Signals, mut hangups: Hangups, reload: Option<Arc<Notify>>) {
    loop {
        tokio::select! {
            () = signals.next() => break,
            // A terminal that closes hangs up: no reason to cut off what is in flight. A shell and
            // the system may both send it, so that a second one is no second wish.
            () = hangups.next() => match &reload {
                Some(reload) => reload.notify_one(),
                None => break,
            },
        }
    }
    tokio::spawn(async move {
        signals.next().await;
        tracing::error!("ended at once by a second signal; what the commands in flight did is not known");
        process::exit(i32::from(FAILED));
    });
}

#[cfg(unix)]
use unix::{Hangups, Signals};

#[cfg(unix)]
mod unix {
    use tokio::signal::unix::{Signal, SignalKind, signal};

    /// SIGTERM and Ctrl-C.
    pub(super) struct Signals(Option<Signal>, Option<Signal>);

    /// SIGHUP.
    pub(super) struct Hangups(Option<Signal>);

    impl Signals {
        pub(super) fn new() -> Self {
            Self(
                signal(SignalKind::terminate()).ok(),
                signal(SignalKind::interrupt()).ok(),
            )
        }

        pub(super) async fn next(&mut self) {
            tokio::select! {
                () = next(&mut self.0) => {}
                () = next(&mut self.1) => {}
            }
        }
    }

    impl Hangups {
        pub(super) fn new() -> Self {
            Self(signal(SignalKind::hangup()).ok())
        }

        pub(super) async fn next(&mut self) {
            next(&mut self.0).await;
        }
    }

    /// Waits for a signal; for ever where it can't be listened to.
    async fn next(signal: &mut Option<Signal>) {
        match signal {
            Some(signal) => drop(signal.recv().await),
            None => super::pending().await,
        }
    }
}

/// Ctrl-C, where there are no other signals.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Self {
        Self
    }

    async fn next(&mut self) {
        drop(tokio::signal::ctrl_c().await);
    }
}

#[cfg(not(unix))]
struct Hangups;

#[cfg(not(unix))]
impl Hangups {
    fn new() -> Self {
        Self
    }

    async fn next(&mut self) {
        pending().await
    }
}
