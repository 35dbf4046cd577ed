//! How many commands run at once, in the whole service and on each instance.
//!
//! Both limits are taken in one place, here. A request takes its places now or is refused: its
//! caller can come again. What is stored already waits for them until a deadline of its own.

use std::sync::Arc;

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

/// How long a command waits for its places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Not at all.
    Now,
    /// Until then, in the order in which they came.
    Until(Instant),
}

/// Says that as many commands run as may, in the whole service or on the instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("as many commands run already as may")]
pub struct BusyError;

/// A place among what runs; dropping it gives it to another.
#[derive(Debug)]
pub struct Place(#[expect(dead_code, reason = "held for what its end does")] OwnedSemaphorePermit);

/// One limit. Clones count together.
#[derive(Clone, Debug)]
pub(super) struct Limit(Arc<Semaphore>);

impl Limit {
    /// Lets this many in at once.
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))))
    }

    /// Takes a place.
    ///
    /// # Errors
    /// When none is free in time.
    pub(super) async fn take(&self, turn: Turn) -> Result<Place, BusyError> {
        let places = Arc::clone(&self.0);
        let place = match turn {
            Turn::Now => places.try_acquire_owned().ok(),
            Turn::Until(deadline) => {
                let taken = timeout_at(deadline, places.acquire_owned()).await;
                taken.ok().and_then(Result::ok)
            }
        };
        place.map(Place).ok_or(BusyError)
    }
}

/// Takes a command's place on its instance, and then its place in the whole service: a command that
/// waits for a slow directory takes no place from those of other directories.
pub(super) async fn admit(service: &Limit, instance: &Limit, turn: Turn) -> Result<[Place; 2], BusyError> {
    let on_instance = instance.take(turn).await?;
    let in_service = service.take(turn).await?;
    Ok([on_instance, in_service])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn soon() -> Turn {
        Turn::Until(Instant::now() + Duration::from_secs(1))
    }

    #[tokio::test]
    async fn either_limit_refuses_what_will_not_wait() {
        let service = Limit::new(2);
        let [small, large] = [Limit::new(1), Limit::new(2)];
        let first = admit(&service, &small, Turn::Now).await.expect("there is a place");
        let full = admit(&service, &small, Turn::Now).await;
        assert_eq!(full.unwrap_err(), BusyError, "the instance's only place is taken");
        let second = admit(&service, &large, Turn::Now).await.expect("there is a place");
        let full = admit(&service, &large, Turn::Now).await;
        assert_eq!(full.unwrap_err(), BusyError, "the service's places are taken");
        drop(first);
        let third = admit(&service, &large, Turn::Now).await;
        assert!(third.is_ok(), "a refusal keeps no place");
        drop((second, third));
        assert_eq!(service.0.available_permits(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_ends_with_a_place_or_with_its_time() {
        for (service, instance) in [(1, 2), (2, 1)].map(|(service, most)| (Limit::new(service), Limit::new(most))) {
            let first = admit(&service, &instance, soon()).await.expect("there is a place");
            assert_eq!(admit(&service, &instance, soon()).await.unwrap_err(), BusyError);
            let waiting = tokio::spawn({
                let (service, instance) = (service.clone(), instance.clone());
                async move { admit(&service, &instance, soon()).await }
            });
            tokio::task::yield_now().await;
            assert!(!waiting.is_finished());
            drop(first);
            // What is freed is its place already: none that will not wait comes before it.
            assert!(admit(&service, &instance, Turn::Now).await.is_err());
            assert!(waiting.await.unwrap().is_ok());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_command_that_waits_for_its_instance_takes_no_place_from_others() {
        let service = Limit::new(2);
        let [slow, other] = [Limit::new(1), Limit::new(1)];
        let running = admit(&service, &slow, Turn::Now).await;
        let waiting = tokio::spawn({
            let (service, slow) = (service.clone(), slow.clone());
            async move { admit(&service, &slow, soon()).await }
        });
        tokio::task::yield_now().await;
        assert!(admit(&service, &other, Turn::Now).await.is_ok());
        drop(running);
        assert!(waiting.await.unwrap().is_ok());
    }
}
