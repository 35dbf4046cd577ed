//! Watching files for changes.
//!
//! By their content and at intervals, not by notifications of the file system or by modification
//! times: those go deaf where a volume is exchanged as a whole, as Kubernetes does with secrets (a
//! symbolic link that is swapped), and where a file is replaced by renaming another over it.

use std::{fmt, sync::Arc, time::Duration};

use aws_lc_rs::digest::{Context, SHA256};

/// After this many looks in a row, each of which found another content, the last one counts: a
/// file that is written over and over must not keep a change from taking effect.
const MOST_RESTLESS: u8 = 4;

/// Watches what `read` reads, every `interval`. `name` says in the log what is watched; `current`
/// is the content that is in force, as far as it is known: another one is a change.
pub fn watch<T>(
    name: &str,
    interval: Duration,
    current: Option<T>,
    read: impl Fn() -> T + Send + Sync + 'static,
) -> Watcher<T> {
    Watcher {
        name: name.to_owned(),
        interval,
        read: Arc::new(read),
        current,
        candidate: None,
        restless: 0,
    }
}

/// Reports a content once two looks in a row found it: a file that is written in place is cut
/// first, and half a file of callers or authorities would shut callers out.
///
/// Not being able to read the file is a content like any other: `T` may be a `Result`.
pub struct Watcher<T> {
    name: String,
    interval: Duration,
    read: Arc<dyn Fn() -> T + Send + Sync>,
    /// What is in force, or was reported last.
    current: Option<T>,
    /// What the last look found, where that is not `current`.
    candidate: Option<T>,
    /// How many looks in a row found another content than the look before.
    restless: u8,
}

impl<T: Clone + PartialEq + Send + 'static> Watcher<T> {
    /// Waits for the next content that differs from the one before. Nothing is lost when the future
    /// is dropped.
    pub async fn changed(&mut self) -> T {
        loop {
            tokio::time::sleep(self.interval).await;
            let read = Arc::clone(&self.read);
            // Files may stand on a disk that is slow to answer.
            let Ok(found) = tokio::task::spawn_blocking(move || read()).await else {
                tracing::error!("a defect: {} is not watched any more", self.name);
                std::future::pending().await
            };
            if let Some(content) = self.observe(found) {
                return content;
            }
        }
    }

    /// Looks once, without waiting. Blocks.
    #[cfg(test)]
    pub(crate) fn look(&mut self) -> Option<T> {
        let found = (self.read)();
        self.observe(found)
    }

    fn observe(&mut self, found: T) -> Option<T> {
        if self.current.as_ref() == Some(&found) {
            self.candidate = None;
            self.restless = 0;
            return None;
        }
        if self.candidate.as_ref() != Some(&found) {
            self.restless += 1;
            if self.restless < MOST_RESTLESS {
                self.candidate = Some(found);
                return None;
            }
            tracing::warn!("{} changes all the time; it is taken as it is now", self.name);
        }
        self.restless = 0;
        self.candidate = None;
        self.current = Some(found);
        self.current.clone()
    }
}

impl<T> fmt::Debug for Watcher<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        // Without the contents, which may be secrets.
        formatter
            .debug_struct("Watcher")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What tells contents apart without keeping them, for contents that are secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of these contents, in this order.
    #[must_use]
    pub fn of<'a>(contents: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut context = Context::new(&SHA256);
        for content in contents {
            // With its length, so that what moves from the end of one file to the start of the next
            // is a change.
            context.update(&content.len().to_le_bytes());
            context.update(content);
        }
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(context.finish().as_ref());
        Self(fingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a watcher reports of each of these looks.
    fn reports(looks: &[&'static str]) -> Vec<Option<&'static str>> {
        let mut watcher = watch("a file", Duration::ZERO, Some("a"), || "");
        looks.iter().map(|found| watcher.observe(found)).collect()
    }

    #[test]
    fn a_content_is_reported_once_two_looks_found_it() {
        assert_eq!(reports(&["a", "a"]), [None, None]);
        assert_eq!(
            reports(&["b", "b", "b", "a", "a"]),
            [None, Some("b"), None, None, Some("a")]
        );
    }

    #[test]
    fn what_was_in_force_may_be_unknown() {
        let mut watcher = watch("a file", Duration::ZERO, None, || "a");
        assert_eq!([(); 3].map(|()| watcher.look()), [None, Some("a"), None]);
    }

    #[test]
    fn half_a_file_between_two_whole_ones_is_not_reported() {
        assert_eq!(reports(&["", "a", "a"]), [None, None, None]);
        assert_eq!(reports(&["", "b", "b"]), [None, None, Some("b")]);
        // Not even when it is written over and over: what is in force was found in between.
        assert_eq!(reports(&["", "a", "half", "a", "", "a", "half", "a"]), [None; 8]);
    }

    #[test]
    fn a_file_that_changes_all_the_time_is_taken_as_it_is() {
        assert_eq!(reports(&["b", "c", "d", "e", "f"]), [None, None, None, Some("e"), None]);
    }

    #[test]
    fn fingerprints_tell_apart_what_moves_from_one_file_to_the_next() {
        let of = |contents: [&[u8]; 2]| Fingerprint::of(contents);
        assert_eq!(of([b"ab", b"c"]), of([b"ab", b"c"]));
        assert_ne!(of([b"ab", b"c"]), of([b"a", b"bc"]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_is_waited_for() {
        let content = Arc::new(std::sync::Mutex::new("a"));
        let shared = Arc::clone(&content);
        let mut watcher = watch("a file", Duration::from_secs(1), Some("a"), move || {
            *shared.lock().unwrap()
        });
        *content.lock().unwrap() = "b";
        assert_eq!(watcher.changed().await, "b");
    }
}
