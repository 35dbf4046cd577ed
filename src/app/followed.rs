//! A file of the configuration that is read again while the service runs.

use std::{mem, sync::Arc, time::Duration};

use crate::{
    config::{CallerSource, ConfigError, Loaded, LoadedSources, SourceFile, SourceText},
    files::{self, FileError},
};

/// How often a file is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// A file, and what is made of it.
pub(super) trait Followed: Send + Sync + 'static {
    /// What stands in it, in messages.
    const WHAT: &'static str;
    /// What is read of it.
    type Text: Clone + PartialEq + Send + 'static;
    /// What is made of that.
    type Found: Send + 'static;

    /// What it is called in messages.
    fn name(&self) -> &str;

    /// Reads it.
    ///
    /// # Errors
    /// When it can't be read.
    fn text(&self) -> Result<Self::Text, FileError>;

    /// Makes of it what it says.
    ///
    /// # Errors
    /// Everything that is wrong with it, together.
    fn load(&self, text: &Self::Text) -> Result<Self::Found, ConfigError>;
}

/// Follows a file for as long as this is polled: what it says after a change is given to `put`,
/// with whether it had a fault before.
///
/// A file that is not there or has a fault changes nothing: what was before stays, and the log says
/// so once a change. `in_force` is what was read at start, so that a change in between is not lost;
/// none where that is not known.
pub(super) async fn follow<F: Followed>(file: Arc<F>, in_force: Option<F::Text>, mut put: impl FnMut(F::Found, bool)) {
    let (what, watched) = (F::WHAT, Arc::clone(&file));
    let in_force = in_force.map(Ok);
    let mut watcher = files::watch(&format!("the {what}' file"), POLL_INTERVAL, in_force, move || {
        watched.text()
    });
    let mut is_readable = true;
    let mut is_faulty = false;
    loop {
        let text = match watcher.changed().await {
            Ok(text) => text,
            Err(error) => {
                tracing::error!("the {what} stay as they were: {} can't be read ({error})", file.name());
                is_readable = false;
                continue;
            }
        };
        if !mem::replace(&mut is_readable, true) {
            tracing::info!("the {what}' file {} can be read again", file.name());
        }
        let loading = Arc::clone(&file);
        let Ok(found) = tokio::task::spawn_blocking(move || loading.load(&text)).await else {
            tracing::error!("a defect: the {what} are not watched any more; restart the service to change them");
            return;
        };
        match found {
            Ok(found) => put(found, mem::take(&mut is_faulty)),
            Err(error) => {
                is_faulty = true;
                for fault in error.0 {
                    tracing::error!("the {what} stay as they were: {fault}");
                }
            }
        }
    }
}

impl Followed for CallerSource {
    const WHAT: &'static str = "callers";
    type Text = String;
    type Found = Loaded;

    fn name(&self) -> &str {
        self.name()
    }

    fn text(&self) -> Result<String, FileError> {
        self.text()
    }

    fn load(&self, text: &String) -> Result<Loaded, ConfigError> {
        self.load(text)
    }
}

impl Followed for SourceFile {
    const WHAT: &'static str = "sources";
    type Text = SourceText;
    type Found = LoadedSources;

    fn name(&self) -> &str {
        self.name()
    }

    fn text(&self) -> Result<SourceText, FileError> {
        self.text()
    }

    fn load(&self, text: &SourceText) -> Result<LoadedSources, ConfigError> {
        self.load(text)
    }
}
