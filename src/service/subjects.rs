//! One subject, one writer: commands about the same person or group run one after another, all
//! others side by side.
//!
//! AWS has no optimistic locking (no ETags), so two writers of one user would undo each other's
//! work. A command holds every name that it knows its subject by. They are taken in sorted order,
//! so that no two commands wait for each other.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::OwnedMutexGuard;

/// The subjects of one instance that commands hold or wait for.
#[derive(Clone, Debug, Default)]
pub(super) struct Subjects(Arc<Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>>);

/// Names being held. Dropping it lets the next one go on.
#[derive(Debug)]
pub(super) struct Held {
    subjects: Subjects,
    guards: Vec<(String, OwnedMutexGuard<()>)>,
}

impl Subjects {
    /// Waits until all these names are free, and holds them.
    pub(super) async fn hold(&self, names: BTreeSet<String>) -> Held {
        let mut held = Held {
            subjects: self.clone(),
            guards: Vec::with_capacity(names.len()),
        };
        for name in names {
            let lock = Arc::clone(self.names().entry(name.clone()).or_default());
            held.guards.push((name, lock.lock_owned().await));
        }
        held
    }

    fn names(&self) -> MutexGuard<'_, HashMap<String, Arc<tokio::sync::Mutex<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut names = self.subjects.names();
        for (name, guard) in self.guards.drain(..) {
            drop(guard);
            // A waiting command has a handle of its own, taken under the lock that is held here.
            if names.get(&name).is_some_and(|lock| Arc::strong_count(lock) == 1) {
                names.remove(&name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use super::*;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_shares_a_name_waits() {
        let subjects = Subjects::default();
        let first = subjects.hold(names(&["id:1", "name:a"])).await;
        subjects.hold(names(&["id:2", "name:b"])).await;
        let shared = names(&["id:2", "name:a"]);
        let wait = tokio::time::timeout(Duration::from_secs(1), subjects.hold(shared.clone())).await;
        assert!(wait.is_err());
        drop(first);
        subjects.hold(shared).await;
        assert!(subjects.names().is_empty(), "nothing is kept of those who have gone");
    }

    #[tokio::test]
    async fn many_with_many_names_all_come_through() {
        let subjects = Subjects::default();
        let inside = Arc::new(AtomicUsize::new(0));
        let mut tasks = Vec::new();
        for number in 0..200_usize {
            let (subjects, inside) = (subjects.clone(), Arc::clone(&inside));
            let (one, other) = (format!("n:{}", number % 7), format!("n:{}", (number * 3) % 7));
            tasks.push(tokio::spawn(async move {
                let _held = subjects.hold(names(&["all", &one, &other])).await;
                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                tokio::task::yield_now().await;
                inside.fetch_sub(1, Ordering::SeqCst);
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        assert!(subjects.names().is_empty());
    }
}
