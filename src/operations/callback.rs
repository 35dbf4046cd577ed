//! Telling sources what became of their operations.
//!
//! The store writes a callback with the change of the operation that it tells of; here it is sent,
//! at least once, and tried again by a schedule for about a day. Those of one operation go out one
//! after the other, so that none overtakes what was before it; those of different operations don't
//! wait for each other.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::task::{Id, JoinSet};

use super::{Operations, retry::spread};
use crate::store::{Callback, CallbackEnd, StoreError};

/// The waits between tries: about a day in all.
const SCHEDULE: [SignedDuration; 7] = [
    SignedDuration::from_secs(5),
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(2),
    SignedDuration::from_hours(6),
    SignedDuration::from_hours(15),
];

/// How many a source is sent at once, so that one that hangs holds up no other and takes no more.
const OF_EACH_SOURCE: usize = 8;

/// How long callbacks that are due may lie unseen at most: where a clock was set, and where sources
/// were read again.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// How long it is waited for more before the store is asked again.
const GATHERING: Duration = Duration::from_millis(10);

/// The status by which a receiver says that it is gone (RFC 9110 section 15.5.11).
const GONE: u16 = 410;

/// Sends callbacks to where sources want them.
pub trait CallBack: fmt::Debug + Send + Sync {
    /// The names of the sources that want them.
    fn sources(&self) -> BTreeSet<String>;

    /// Signs a message and sends it once. Answers the HTTP status, else why there is none, without
    /// the address.
    fn send<'a>(
        &'a self,
        source: &'a str,
        message: CallbackMessage,
    ) -> Pin<Box<dyn Future<Output = Result<u16, String>> + Send + 'a>>;
}

/// What a source is told, in the parts that are signed.
#[derive(Clone, Debug, PartialEq)]
pub struct CallbackMessage {
    /// Its id, the same at each try.
    pub id: String,
    /// When it is sent.
    pub sent_at: Timestamp,
    /// What it says.
    pub body: Value,
}

/// What a try came to.
#[derive(Debug, PartialEq)]
enum Tried {
    Told,
    /// It is not tried again, for this reason.
    GivenUp(String),
    /// It failed for this reason, and is tried again after this.
    Again(String, SignedDuration),
}

impl Operations {
    /// Says in the store which sources are told, so that nothing that ends from now on is left out.
    pub(super) async fn arrange_callbacks(&self) -> Result<BTreeSet<String>, StoreError> {
        let sources = self.outward.callbacks.as_ref();
        let sources = sources.map(|callbacks| callbacks.sources()).unwrap_or_default();
        let dropped = self.noted(self.store.call_back_for(sources.clone()).await)?;
        if dropped > 0 {
            tracing::warn!(
                callbacks = dropped,
                "callbacks are dropped: their sources have no callback any more"
            );
        }
        Ok(sources)
    }

    /// Sends callbacks until the service stops. What is in flight then is sent again later, under
    /// the same id.
    pub(super) async fn call_back(self: Arc<Self>) {
        let Some(callbacks) = self.outward.callbacks.clone() else {
            return;
        };
        let mut changes = self.changes.subscribe();
        let mut sending = Sending::default();
        let mut arranged = None;
        while !self.stopping.is_cancelled() {
            changes.mark_unchanged();
            if let Err(error) = self.send_due(&callbacks, &mut arranged, &mut sending).await {
                tracing::warn!("callbacks can't be read: {error}");
            }
            tokio::select! {
                () = tokio::time::sleep(LONGEST_SLEEP) => {}
                () = self.stopping.cancelled() => {}
                () = sending.ended() => {}
                _ = changes.changed() => tokio::time::sleep(GATHERING).await,
            }
        }
        while !sending.tasks.is_empty() {
            sending.ended().await;
        }
    }

    /// Begins to send what is due and not being sent.
    async fn send_due(
        self: &Arc<Self>,
        callbacks: &Arc<dyn CallBack>,
        arranged: &mut Option<BTreeSet<String>>,
        sending: &mut Sending,
    ) -> Result<(), StoreError> {
        if arranged.as_ref() != Some(&callbacks.sources()) {
            *arranged = Some(self.arrange_callbacks().await?);
        }
        if arranged.as_ref().is_none_or(BTreeSet::is_empty) {
            return Ok(());
        }
        // As many more as may be in flight, which are due as well.
        let each = u32::try_from(2 * OF_EACH_SOURCE).unwrap_or(u32::MAX);
        for callback in self.store.callbacks(self.clock.now(), each).await? {
            if sending.has_place_for(&callback) {
                let task = Arc::clone(self).tell_source(Arc::clone(callbacks), callback.clone());
                sending.begin(callback, task);
            }
        }
        Ok(())
    }

    /// Tries to tell a source, and says in the store what comes of it.
    async fn tell_source(self: Arc<Self>, callbacks: Arc<dyn CallBack>, callback: Callback) {
        let message = CallbackMessage {
            id: callback.id.clone(),
            sent_at: self.clock.now(),
            body: body(&callback),
        };
        let answer = tokio::select! {
            answer = callbacks.send(&callback.source, message) => answer,
            () = self.stopping.cancelled() => return,
        };
        let end = match tried(&answer, callback.attempts, fastrand::f64()) {
            Tried::Told => CallbackEnd::Over,
            Tried::GivenUp(reason) => {
                tracing::error!(
                    source_name = callback.source,
                    operation = callback.operation,
                    callback = callback.id,
                    tries = callback.attempts + 1,
                    "a callback is dropped: {reason}"
                );
                CallbackEnd::Over
            }
            Tried::Again(reason, wait) => {
                tracing::warn!(
                    source_name = callback.source,
                    operation = callback.operation,
                    callback = callback.id,
                    tries = callback.attempts + 1,
                    "a callback failed, and is tried again: {reason}"
                );
                CallbackEnd::Again(self.clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX))
            }
        };
        // Without a note of it, it is sent once more.
        if let Err(error) = self.store.end_callback(callback.id, end).await {
            tracing::warn!("what came of a callback can't be stored: {error}");
        }
    }
}

/// Judges the answer to a callback that was tried so often before.
fn tried(answer: &Result<u16, String>, before: u32, jitter: f64) -> Tried {
    let reason = match answer {
        Ok(200..=299) => return Tried::Told,
        Ok(GONE) => return Tried::GivenUp("its receiver says that it is gone (410)".to_owned()),
        Ok(status @ 300..=399) => format!("the answer is {status}, and redirects are not followed"),
        Ok(status) => format!("the answer is {status}"),
        Err(reason) => reason.clone(),
    };
    let wait = usize::try_from(before).ok().and_then(|nth| SCHEDULE.get(nth));
    match wait {
        Some(wait) => Tried::Again(reason, spread(*wait, jitter)),
        None => Tried::GivenUp(reason),
    }
}

/// What a source is told, in the form of Standard Webhooks and without personal data.
fn body(callback: &Callback) -> Value {
    let r#type = if callback.state.has_ended() {
        "operation.ended"
    } else {
        "operation.held"
    };
    json!({
        "type": r#type,
        "timestamp": callback.happened_at.to_string(),
        "data": {
            "id": callback.operation,
            "state": callback.state.as_str(),
            "reason": callback.reason,
            "command": callback.command,
            "instance": callback.instance,
            "purpose": callback.purpose,
            "source": callback.source,
            "events": callback.events,
        },
    })
}

/// The callbacks that are being sent.
#[derive(Default)]
struct Sending {
    tasks: JoinSet<()>,
    /// Each by its task, since one that panics says nothing else.
    callbacks: HashMap<Id, Callback>,
}

impl Sending {
    /// Whether a callback is not being sent, and its source is sent no more than it may be.
    fn has_place_for(&self, callback: &Callback) -> bool {
        let of_source = self.callbacks.values().filter(|other| other.source == callback.source);
        let mut count = 0;
        for other in of_source {
            count += 1;
            if other.id == callback.id {
                return false;
            }
        }
        count < OF_EACH_SOURCE
    }

    fn begin(&mut self, callback: Callback, task: impl Future<Output = ()> + Send + 'static) {
        let handle = self.tasks.spawn(task);
        self.callbacks.insert(handle.id(), callback);
    }

    /// Waits until one has been sent; for ever where none is.
    async fn ended(&mut self) {
        let id = match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => id,
            Some(Err(error)) => error.id(),
            None => return std::future::pending().await,
        };
        self.callbacks.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::State;

    #[test]
    fn a_callback_is_tried_for_about_a_day() {
        let in_all: SignedDuration = SCHEDULE
            .iter()
            .copied()
            .fold(SignedDuration::ZERO, |all, wait| all + wait);
        assert!(in_all > SignedDuration::from_hours(23) && in_all < SignedDuration::from_hours(25));
        let failed = || Err("no connection".to_owned());
        let again = |reason: &str, wait| Tried::Again(reason.to_owned(), wait);
        let rows = [
            (Ok(200), 0, Tried::Told),
            (Ok(204), 6, Tried::Told),
            (Ok(299), 0, Tried::Told),
            (
                Ok(301),
                0,
                again("the answer is 301, and redirects are not followed", SCHEDULE[0]),
            ),
            (
                Ok(308),
                2,
                again("the answer is 308, and redirects are not followed", SCHEDULE[2]),
            ),
            (Ok(400), 0, again("the answer is 400", SCHEDULE[0])),
            (Ok(500), 1, again("the answer is 500", SCHEDULE[1])),
            (failed(), 6, again("no connection", SCHEDULE[6])),
            (failed(), 7, Tried::GivenUp("no connection".to_owned())),
            (
                Ok(410),
                0,
                Tried::GivenUp("its receiver says that it is gone (410)".to_owned()),
            ),
        ];
        for (answer, before, expected) in rows {
            assert_eq!(tried(&answer, before, 0.5), expected, "{answer:?} after {before}");
        }
    }

    #[test]
    fn a_source_that_hangs_takes_eight_places_of_its_own() {
        let callback = |id: usize, source: &str| Callback {
            id: id.to_string(),
            source: source.to_owned(),
            operation: id.to_string(),
            state: State::Held,
            reason: None,
            command: "iam-create-user".to_owned(),
            instance: "a".to_owned(),
            purpose: None,
            events: Vec::new(),
            happened_at: Timestamp::UNIX_EPOCH,
            attempts: 0,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut sending = Sending::default();
            for id in 0..OF_EACH_SOURCE {
                assert!(sending.has_place_for(&callback(id, "hangs")));
                sending.begin(callback(id, "hangs"), std::future::pending());
            }
            assert!(!sending.has_place_for(&callback(99, "hangs")));
            assert!(sending.has_place_for(&callback(99, "other")));
            sending.begin(callback(99, "other"), async { panic!("a defect") });
            assert!(!sending.has_place_for(&callback(99, "other")), "it is being sent");
            sending.ended().await;
            assert!(sending.has_place_for(&callback(99, "other")));
        });
    }
}
