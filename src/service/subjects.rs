//! One subject, one writer: commands about the same person or group run one after another, all
//! others side by side.
//!
//! AWS has no optimistic locking (no ETags), so two writers of one user would undo each other's
//! work. A command holds every name that it knows its subject by, from before its first question to
//! its end.
//!
//! [`HoldSubjects`] is what the service asks for that. [`InMemorySubjects`] does it for a process
//! that is alone and keeps nothing; a store whose lanes order stored operations does it for all
//! that share the store.

use std::{
    any::Any,
    collections::{BTreeSet, HashMap},
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::OwnedMutexGuard;

use crate::scim::Priority;

/// Lets one command at a time work on a subject.
pub trait HoldSubjects: fmt::Debug + Send + Sync {
    /// Waits until the command may work on its subject. Its place is given up when the future is
    /// dropped, which happens when the command's time is over.
    fn hold(&self, claim: SubjectClaim) -> Pin<Box<dyn Future<Output = Result<Held, BehindError>> + Send + '_>>;
}

/// Says which subject a command is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectClaim {
    /// The name of the instance: equal names of two directories are two subjects.
    pub instance: String,
    /// Every name that the command knows its subject by. Commands that share one name are about one
    /// subject. Empty for a command that is about none.
    pub names: BTreeSet<String>,
    /// How urgent the command is, for an order among those that wait.
    pub priority: Priority,
}

/// A subject being held. Dropping it lets the next command go on.
pub struct Held(#[expect(dead_code, reason = "held for what its end does")] Box<dyn Any + Send + Sync>);

/// Says that the command has to come after an operation that is stored and not done yet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operation {operation} on the same subject comes first")]
pub struct BehindError {
    /// That operation's id.
    pub operation: String,
}

impl Held {
    /// Holds for as long as this value is not dropped.
    pub fn by(guard: impl Send + Sync + 'static) -> Self {
        Self(Box::new(guard))
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Held").finish_non_exhaustive()
    }
}

/// The subjects of one instance that commands of this process hold or wait for. First come, first
/// served: whatever waits here has a caller that waits as well, and only until its time is over.
#[derive(Clone, Debug, Default)]
pub struct InMemorySubjects(Arc<Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>>);

/// Names being held.
struct HeldNames {
    subjects: InMemorySubjects,
    guards: Vec<(String, OwnedMutexGuard<()>)>,
}

impl HoldSubjects for InMemorySubjects {
    fn hold(&self, claim: SubjectClaim) -> Pin<Box<dyn Future<Output = Result<Held, BehindError>> + Send + '_>> {
        Box::pin(async { Ok(Held::by(self.hold_names(claim.names).await)) })
    }
}

impl InMemorySubjects {
    /// Waits until all these names are free, and holds them. They are taken in sorted order, so
    /// that no two commands wait for each other.
    async fn hold_names(&self, names: BTreeSet<String>) -> HeldNames {
        let mut held = HeldNames {
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

impl Drop for HeldNames {
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
        let subjects = InMemorySubjects::default();
        let first = subjects.hold_names(names(&["id:1", "name:a"])).await;
        subjects.hold_names(names(&["id:2", "name:b"])).await;
        let shared = names(&["id:2", "name:a"]);
        let wait = tokio::time::timeout(Duration::from_secs(1), subjects.hold_names(shared.clone())).await;
        assert!(wait.is_err());
        drop(first);
        subjects.hold_names(shared).await;
        assert!(subjects.names().is_empty(), "nothing is kept of those who have gone");
    }

    #[tokio::test]
    async fn many_with_many_names_all_come_through() {
        let subjects = InMemorySubjects::default();
        let inside = Arc::new(AtomicUsize::new(0));
        let mut tasks = Vec::new();
        for number in 0..200_usize {
            let (subjects, inside) = (subjects.clone(), Arc::clone(&inside));
            let (one, other) = (format!("n:{}", number % 7), format!("n:{}", (number * 3) % 7));
            tasks.push(tokio::spawn(async move {
                let _held = subjects.hold_names(names(&["all", &one, &other])).await;
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
