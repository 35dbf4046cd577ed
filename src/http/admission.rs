//! How many commands run at once in the whole service.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Admits commands as long as fewer than the limit are running. Cheap to clone; all clones count
/// together.
#[derive(Debug, Clone)]
pub struct Admission(Arc<Semaphore>);

/// A place among the running commands. Move it into the task that runs the command: dropping it
/// gives the place to another.
#[derive(Debug)]
pub struct Permit(#[expect(dead_code, reason = "held for what its end does")] OwnedSemaphorePermit);

impl Admission {
    /// Admits this many commands at once.
    pub fn new(max_running: usize) -> Self {
        Self(Arc::new(Semaphore::new(max_running.min(Semaphore::MAX_PERMITS))))
    }

    /// Takes a place; `None` when all are taken.
    pub fn admit(&self) -> Option<Permit> {
        Arc::clone(&self.0).try_acquire_owned().ok().map(Permit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_and_given_back() {
        let admission = Admission::new(1);
        let first = admission.admit().expect("there is a place");
        assert!(admission.clone().admit().is_none());
        drop(first);
        assert!(admission.admit().is_some());
    }
}
