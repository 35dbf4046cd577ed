//! Sources of webhooks, kept as they are configured while the service runs.

use std::{sync::Arc, time::Duration};

use super::{AppError, followed::follow};
use crate::{
    config::{LoadedSources, Settings, WebhookSettings},
    webhooks::{Intake, Sources},
};

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
pub(super) async fn watch(settings: WebhookSettings, sources: Arc<Sources>) {
    let WebhookSettings { in_force, file, .. } = settings;
    follow(Arc::new(file), Some(in_force), move |found, _| {
        put_into_force(found, &sources);
    })
    .await;
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
