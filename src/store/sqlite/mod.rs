//! The store in one SQLite file, for one process.
//!
//! One thread writes: it takes all that waits for it, does it in one transaction, and answers
//! everybody once that is on the disk. So a thousand callers share one sync. A few connections of
//! their own read.

use std::{
    collections::BTreeSet,
    fmt,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use super::{
    Acceptance, Answer, Attempt, AttemptEnd, Backlog, Batch, Callback, CallbackEnd, Change, Claim, Claims, Disabled,
    DueDate, End, EventFilter, EventPage, EventReading, EventVerdict, Filter, NewDelivery, NewQuarantined, NewRequest,
    NewSelection, Operation, OperationPage, QuarantineLimits, Received, Selected, SelectedOperation, State, Statement,
    Store, StoreError, StoredEvent,
};
use crate::telemetry::metrics;

mod backlog;
mod backup;
mod batch;
mod callbacks;
mod connection;
mod events;
mod file;
mod held;
mod idempotency;
mod lanes;
mod people;
mod query;
mod queue;
mod recovery;
mod schema;
mod selection;
mod statement;
mod writer;

pub use backup::{FileCheck, backup, check};

use self::{
    connection::{connect, prepare_to_write},
    writer::{Job, write_all},
};

/// Connections that read, kept open.
const READERS: usize = 4;

/// A store in a file.
pub struct Sqlite {
    path: PathBuf,
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    writer: Mutex<Option<thread::JoinHandle<()>>>,
    readers: Arc<Mutex<Vec<Connection>>>,
    /// Held as long as the store is open.
    _lock: File,
}

/// Why a file can't be opened as a store.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("it is in use by {0}: one process has a store; give each its own, or stop that one")]
    InUse(String),
    /// A newer version of this program made it.
    #[error("its schema is version {version}, and this program knows {known}: use the newer program")]
    NewerSchema {
        /// The file's version.
        version: i64,
        /// The newest that is known here.
        known: i64,
    },
    /// It lies on a network file system.
    #[error("it lies on a network file system ({0}), where locks and syncs can't be relied on: use a local disk")]
    Network(&'static str),
    /// It is a folder.
    #[error("it is a folder: name a file in it")]
    Folder,
    /// Its folder is missing.
    #[error("there is no folder {}: make it, for the user that the service runs as", .0.display())]
    NoFolder(PathBuf),
    /// Another program made it.
    #[error(
        "it is no store of this program, and nothing of it was changed: name another file, or one that is not there yet"
    )]
    Foreign,
    /// It is broken.
    #[error("it is damaged ({0}): put a copy in its place that `aws-ilm store backup` has made")]
    Damaged(rusqlite::Error),
    /// It can't be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// SQLite does not open it.
    #[error(transparent)]
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::Foreign,
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged(error),
            Some(_) | None => Self::Database(error),
        }
    }
}

impl Sqlite {
    /// Opens a store, and makes or migrates its file. `holder` is how another process is told who
    /// has it.
    ///
    /// # Errors
    /// When the file is not this process's to have; see [`OpenError`].
    pub fn open(path: &Path, holder: &str) -> Result<Self, OpenError> {
        let (path, lock) = file::take(path, holder)?;
        let mut connection = connect(&path, false)?;
        // Before anything of it is changed.
        schema::known_version(&connection)?;
        prepare_to_write(&connection)?;
        schema::migrate(&mut connection)?;
        let (jobs, waiting) = mpsc::channel();
        let writer = thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || write_all(&mut connection, &waiting))?;
        Ok(Self {
            path,
            jobs: Mutex::new(Some(jobs)),
            writer: Mutex::new(Some(writer)),
            readers: Arc::default(),
            _lock: lock,
        })
    }

    /// Has a write done, and waits until it is on the disk.
    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<'_, T> {
        let (reply, answer) = oneshot::channel();
        let job = Job {
            work: Box::new(|connection| Ok(Box::new(work(connection)?))),
            reply,
        };
        let sent = match &*self.jobs.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(jobs) => jobs.send(job).is_ok(),
            None => false,
        };
        Box::pin(async move {
            let stopped = || StoreError::Unavailable("its writer has stopped".to_owned());
            let done = if sent {
                answer.await.map_err(|_| stopped())??
            } else {
                return Err(stopped());
            };
            done.downcast().map(|done| *done).map_err(|_| stopped())
        })
    }

    /// Reads on a connection of its own.
    fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<'_, T> {
        let (readers, path) = (Arc::clone(&self.readers), self.path.clone());
        let reading = tokio::task::spawn_blocking(move || {
            let kept = readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = kept.map_or_else(|| connect(&path, true), Ok)?;
            let done = work(&connection)?;
            let mut kept = readers.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() < READERS {
                kept.push(connection);
            }
            Ok(done)
        });
        Box::pin(async move {
            let panicked = |_| StoreError::Unavailable("a read has panicked".to_owned());
            let done = reading.await.map_err(panicked)?;
            if done.is_err() {
                metrics::store_error();
            }
            done
        })
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        // What was sent is written before the lock is given up.
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        if let Some(writer) = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = writer.join();
        }
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Sqlite")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl Store for Sqlite {
    fn accept(&self, request: NewRequest, now: Timestamp) -> Answer<'_, Acceptance> {
        self.write(move |connection| idempotency::accept(connection, &request, now))
    }

    fn claim(&self, instance: String, limit: usize, now: Timestamp) -> Answer<'_, Claims> {
        self.write(move |connection| Ok(queue::claim(connection, &instance, limit, now)?))
    }

    fn end(&self, claim: Claim, attempt: AttemptEnd, end: End, now: Timestamp) -> Answer<'_, ()> {
        self.write(move |connection| queue::end(connection, &claim, &attempt, &end, now))
    }

    fn connected(&self, id: String, limit: u32) -> Answer<'_, Option<BTreeSet<String>>> {
        self.read(move |connection| lanes::connected_names(connection, &id, limit))
    }

    fn expedite(&self, id: String, limit: u32) -> Answer<'_, ()> {
        self.write(move |connection| Ok(lanes::expedite(connection, &id, limit)?))
    }

    fn last_disable(&self, instance: String, directory_id: String) -> Answer<'_, Option<Disabled>> {
        self.read(move |connection| query::last_disable(connection, &instance, &directory_id))
    }

    fn statements(&self, number: i64) -> Answer<'_, Vec<Statement>> {
        self.read(move |connection| statement::of_operation(connection, number))
    }

    fn release(&self, id: String, requested_by: Option<String>, now: Timestamp) -> Answer<'_, Option<State>> {
        self.write(move |connection| Ok(held::release(connection, &id, requested_by.as_deref(), now)?))
    }

    fn dated(&self) -> Answer<'_, Vec<(String, DueDate, Timestamp)>> {
        self.read(query::dated)
    }

    fn redate(&self, id: String, not_before: Timestamp, now: Timestamp) -> Answer<'_, ()> {
        self.write(move |connection| Ok(held::redate(connection, &id, not_before, now)?))
    }

    fn operation(&self, id: String) -> Answer<'_, Option<Operation>> {
        self.read(move |connection| query::operation(connection, &id))
    }

    fn attempts(&self, id: String) -> Answer<'_, Vec<Attempt>> {
        self.read(move |connection| query::attempts(connection, &id))
    }

    fn operations(&self, filter: Filter, before: Option<i64>, limit: u32) -> Answer<'_, OperationPage> {
        self.read(move |connection| query::operations(connection, &filter, before, limit))
    }

    fn backlog(&self) -> Answer<'_, Vec<Backlog>> {
        self.read(backlog::backlog)
    }

    fn batch(&self, id: String) -> Answer<'_, Option<Batch>> {
        self.read(move |connection| batch::batch(connection, &id))
    }

    fn batch_operations(
        &self,
        id: String,
        states: Vec<State>,
        after: Option<i64>,
        limit: u32,
    ) -> Answer<'_, OperationPage> {
        self.read(move |connection| batch::operations(connection, &id, &states, after, limit))
    }

    fn cancel(&self, id: String, reason: Option<String>, now: Timestamp) -> Answer<'_, Option<State>> {
        self.write(move |connection| Ok(queue::cancel(connection, &id, reason.as_deref(), now)?))
    }

    fn retry(&self, id: String, requested_by: Option<String>, now: Timestamp) -> Answer<'_, Option<State>> {
        self.write(move |connection| Ok(queue::retry(connection, &id, requested_by.as_deref(), now)?))
    }

    fn reschedule(&self, id: String, not_before: Timestamp, now: Timestamp) -> Answer<'_, Option<State>> {
        self.write(move |connection| Ok(queue::reschedule(connection, &id, not_before, now)?))
    }

    fn select(&self, selection: NewSelection) -> Answer<'_, Selected> {
        self.write(move |connection| Ok(selection::select(connection, &selection)?))
    }

    fn take_selection(
        &self,
        token: String,
        caller: Option<String>,
        digest: Vec<u8>,
        now: Timestamp,
    ) -> Answer<'_, Option<Vec<SelectedOperation>>> {
        self.write(move |connection| Ok(selection::take(connection, &token, caller.as_deref(), &digest, now)?))
    }

    fn change(&self, operations: Vec<SelectedOperation>, change: Change, now: Timestamp) -> Answer<'_, Vec<String>> {
        self.write(move |connection| Ok(selection::change(connection, &operations, &change, now)?))
    }

    fn forget(&self, now: Timestamp, limit: u32) -> Answer<'_, ()> {
        self.write(move |connection| {
            idempotency::forget(connection, now, limit)?;
            selection::forget(connection, now, limit)?;
            Ok(batch::forget(connection, limit)?)
        })
    }

    fn prune(&self, states: Vec<State>, ended_before: Timestamp, limit: u32) -> Answer<'_, usize> {
        self.write(move |connection| Ok(queue::prune(connection, &states, ended_before, limit)?))
    }

    fn receive(&self, delivery: NewDelivery, now: Timestamp) -> Answer<'_, Received> {
        self.write(move |connection| events::receive(connection, &delivery, now))
    }

    fn quarantine(&self, delivery: NewQuarantined, limits: QuarantineLimits) -> Answer<'_, bool> {
        self.write(move |connection| Ok(events::quarantine(connection, &delivery, limits)?))
    }

    fn replay(&self, id: String, reading: EventReading, now: Timestamp) -> Answer<'_, Option<EventVerdict>> {
        self.write(move |connection| events::replay(connection, &id, &reading, now))
    }

    fn event(&self, id: String) -> Answer<'_, Option<StoredEvent>> {
        self.read(move |connection| events::event(connection, &id))
    }

    fn events(&self, filter: EventFilter, before: Option<i64>, limit: u32) -> Answer<'_, EventPage> {
        self.read(move |connection| events::events(connection, &filter, before, limit))
    }

    fn prune_events(&self, received_before: Timestamp, limit: u32) -> Answer<'_, usize> {
        self.write(move |connection| Ok(events::prune(connection, received_before, limit)?))
    }

    fn call_back_for(&self, sources: BTreeSet<String>) -> Answer<'_, usize> {
        self.write(move |connection| Ok(callbacks::call_back_for(connection, &sources)?))
    }

    fn callbacks(&self, now: Timestamp, each: u32) -> Answer<'_, Vec<Callback>> {
        self.read(move |connection| callbacks::due(connection, now, each))
    }

    fn end_callback(&self, id: String, end: CallbackEnd) -> Answer<'_, ()> {
        self.write(move |connection| Ok(callbacks::end(connection, &id, end)?))
    }

    fn resume(&self, disabled: Vec<(String, String)>) -> Answer<'_, ()> {
        self.write(move |connection| Ok(recovery::resume(connection, &disabled)?))
    }

    fn recover(&self, schedule: Vec<SignedDuration>, now: Timestamp) -> Answer<'_, usize> {
        self.write(move |connection| Ok(recovery::recover(connection, &schedule, now)?))
    }
}
