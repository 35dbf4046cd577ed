//! Sources of webhooks, kept as they are configured while the service runs.

use std::{mem, sync::Arc, time::Duration};

use super::AppError;
use crate::{
    config::{LoadedSources, Settings, WebhookSettings},
    files,
    webhooks::{Intake, Sources},
};

/// How often the files of the sources are looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// How often it is told what had no room in quarantine.
const DROPPED_INTERVAL: Duration = Duration::from_secs(60);

/// The sources as they are configured, and where to read them again; `None` where there are none.
///
/// # Errors
/// When the system has no randomness.
pub(super) fn sources(settings: &Settings) -> Result<Option<(WebhookSettings, Arc<Sources>)>, AppError> {
    let Some(webhooks) = &settings.webhooks else {
        return Ok(None);
    };
    let sources = Sources::new(webhooks.loaded.sources.clone()).map_err(|_| AppError::Randomness)?;
    Ok(Some((webhooks.clone(), Arc::new(sources))))
}

/// Watches the sources' file and their secrets for as long as it is polled, and puts what changed
/// into force.
///
/// A file that is not there or has a fault changes nothing: the sources before stay, and the log
/// says so once a change. What is compared with is what was read at start, so that a change in
/// between is not lost.
pub(super) async fn watch(settings: WebhookSettings, sources: Arc<Sources>) {
    let WebhookSettings { in_force, file, .. } = settings;
    let file = Arc::new(file);
    let watched = Arc::clone(&file);
    let mut watcher = files::watch("the sources' file", POLL_INTERVAL, Some(Ok(in_force)), move || {
        watched.text()
    });
    let mut is_readable = true;
    loop {
        let text = match watcher.changed().await {
            Ok(text) => text,
            Err(error) => {
                tracing::error!("the sources stay as they were: {} can't be read ({error})", file.name());
                is_readable = false;
                continue;
            }
        };
        if !mem::replace(&mut is_readable, true) {
            tracing::info!("the sources' file {} can be read again", file.name());
        }
        let source_file = Arc::clone(&file);
        let Ok(found) = tokio::task::spawn_blocking(move || source_file.load(&text)).await else {
            tracing::error!("a defect: the sources are not watched any more; restart the service to change them");
            return;
        };
        match found {
            Ok(found) => put_into_force(found, &sources),
            Err(error) => {
                for fault in error.0 {
                    tracing::error!("the sources stay as they were: {fault}");
                }
            }
        }
    }
}

/// Says once a minute how many webhooks had no room in quarantine.
pub(super) async fn tell_dropped(intake: Arc<Intake>) {
    loop {
        tokio::time::sleep(DROPPED_INTERVAL).await;
        let dropped = intake.take_dropped();
        if dropped > 0 {
            tracing::warn!(
                webhooks = dropped,
                "webhooks that are not proven had no room in quarantine (quarantine_size)"
            );
        }
    }
}

fn put_into_force(loaded: LoadedSources, sources: &Sources) {
    for warning in loaded.warnings {
        tracing::warn!("{warning}");
    }
    let count = loaded.sources.len();
    sources.replace(loaded.sources);
    tracing::info!(sources = count, "the sources were read again");
}
