//! The thread that writes: many jobs in one transaction, each answered once that is on the disk.

use std::{any::Any, sync::mpsc, time::Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::super::StoreError;
use crate::telemetry::metrics;

/// How many writes are put into one transaction at most.
const BATCH: usize = 1_000;

/// One write: what it does, and how its caller is told.
pub(super) struct Job {
    pub(super) work: Work,
    pub(super) reply: oneshot::Sender<Result<Done, StoreError>>,
}

/// What is done with the connection that writes.
pub(super) type Work = Box<dyn FnOnce(&Connection) -> Result<Done, StoreError> + Send>;

/// What a write came to, of the type that its caller expects.
pub(super) type Done = Box<dyn Any + Send>;

/// Writes until the store is closed.
pub(super) fn write_all(connection: &mut Connection, waiting: &mpsc::Receiver<Job>) {
    while let Ok(first) = waiting.recv() {
        let jobs = std::iter::once(first).chain(waiting.try_iter()).take(BATCH);
        let jobs: Vec<Job> = jobs.collect();
        let mut replies = Vec::with_capacity(jobs.len());
        let began = Instant::now();
        let committed = write_together(connection, jobs, &mut replies);
        if committed.is_ok() {
            metrics::store_commit(began.elapsed());
        }
        for (reply, done) in replies {
            let done = match &committed {
                Ok(()) => done,
                Err(error) => Err(StoreError::Unavailable(error.to_string())),
            };
            if matches!(done, Err(StoreError::Unavailable(_))) {
                metrics::store_error();
            }
            // A caller that has hung up needs no answer.
            let _ = reply.send(done);
        }
    }
}

type Reply = (oneshot::Sender<Result<Done, StoreError>>, Result<Done, StoreError>);

/// Does all jobs in one transaction, each alone undone where it fails.
fn write_together(connection: &mut Connection, jobs: Vec<Job>, replies: &mut Vec<Reply>) -> rusqlite::Result<()> {
    let transaction = match connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate) {
        Ok(transaction) => transaction,
        Err(error) => {
            let unavailable = || Err(StoreError::Unavailable(error.to_string()));
            replies.extend(jobs.into_iter().map(|job| (job.reply, unavailable())));
            return Ok(());
        }
    };
    for job in jobs {
        run(&transaction, "SAVEPOINT job")?;
        let done = (job.work)(&transaction);
        let undone = done.as_ref().err().map(|_| run(&transaction, "ROLLBACK TO job"));
        replies.push((job.reply, done));
        // A disk that is full has undone the transaction as a whole.
        undone.transpose()?;
        run(&transaction, "RELEASE job")?;
    }
    transaction.commit()
}

/// Runs a statement that has no values.
fn run(transaction: &Connection, sql: &str) -> rusqlite::Result<usize> {
    transaction.prepare_cached(sql)?.execute([])
}
