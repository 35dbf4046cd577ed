//! What becomes of a configuration that is changed while the service runs.
//!
//! Callers, tokens out of files and the files of TLS are watched each by itself and put into force.
//! All other settings are read at start alone; a change of one is told, so that it is not waited
//! for in vain.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;

use crate::{
    config::{self, Shown, Sources},
    files::{self, Fingerprint},
};

/// How often the configuration file is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Reads the configuration again whenever its file has changed, or `asked` is notified, and tells
/// what of it takes effect after a restart alone.
pub async fn watch_settings(sources: Sources, asked: Arc<Notify>) {
    let Ok(at_start) = config::show(&sources) else {
        return;
    };
    let path = sources.config.clone();
    let look = move || {
        let text = path.as_deref().map(std::fs::read);
        text.map(|text| text.ok().map(|text| Fingerprint::of([&*text])))
    };
    let mut watcher = files::watch("the configuration file", POLL_INTERVAL, Some(look()), look);
    loop {
        let is_asked = tokio::select! {
            () = asked.notified() => true,
            _ = watcher.changed() => false,
        };
        let read = sources.clone();
        let found = tokio::task::spawn_blocking(move || (config::load(&read).err(), config::show(&read))).await;
        let Ok((faults, shown)) = found else {
            tracing::error!("a defect: the settings are not watched any more");
            return;
        };
        tell(faults, shown.ok().as_deref(), &at_start, is_asked);
    }
}

/// Tells what was found.
fn tell(faults: Option<config::ConfigError>, now: Option<&[Shown]>, at_start: &[Shown], is_asked: bool) {
    for fault in faults.iter().flat_map(|faults| &faults.0) {
        tracing::error!("the service would not start again with its configuration: {fault}");
    }
    let Some(now) = now else {
        return;
    };
    let waiting = config::needing_restart(at_start, now);
    if !waiting.is_empty() {
        tracing::warn!(
            settings = waiting.join(", "),
            "settings have changed that are read at start alone: restart the service to put them into force"
        );
    } else if is_asked && faults.is_none() {
        tracing::info!(
            "the configuration was read again: no setting that is read at start alone has changed; callers, token files and \
             TLS files that have are put into force by themselves"
        );
    }
}
