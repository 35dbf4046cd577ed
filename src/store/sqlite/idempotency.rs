//! Keys of requests: what each was used for, and what it is answered with again.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Result, params};

use super::{
    super::{Acceptance, FirstAnswer, NewRequest, RequestKey, StoreError},
    batch,
    query::{by_number, millis, time},
    queue,
};

pub(super) fn accept(connection: &Connection, request: &NewRequest, now: Timestamp) -> Result<Acceptance, StoreError> {
    let mut may_have_written = false;
    if let Some(key) = &request.key {
        match used(connection, key, now)? {
            Some(Use::Taken(acceptance)) => return Ok(acceptance),
            Some(Use::Free {
                may_have_written: before,
            }) => may_have_written = before,
            None => {}
        }
    }
    if let Some(new) = &request.batch {
        batch::insert(connection, new, request.operations.len(), now)?;
    }
    let accepted = queue::accept(connection, &request.operations, now)?;
    let first = accepted.first().map(|accepted| accepted.number);
    if may_have_written {
        let sql = "UPDATE operation SET may_have_written = 1 WHERE number = ?1";
        connection.prepare_cached(sql)?.execute([first])?;
    }
    if let Some(key) = &request.key {
        let batch = request.batch.as_ref().map(|batch| &batch.id);
        let sql = "INSERT OR REPLACE INTO idempotency (caller, key, digest, expires_at, operation, batch)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        connection.prepare_cached(sql)?.execute(params![
            key.caller.as_deref().unwrap_or_default(),
            key.key,
            key.digest,
            millis(key.expires_at),
            first.filter(|_| batch.is_none()),
            batch,
        ])?;
    }
    Ok(Acceptance::Stored(accepted))
}

/// What a key that was used means to a request that bears it again.
enum Use {
    Taken(Acceptance),
    /// What it was used for has ended without an answer that is kept.
    Free {
        may_have_written: bool,
    },
}

fn used(connection: &Connection, key: &RequestKey, now: Timestamp) -> Result<Option<Use>> {
    let sql = "SELECT digest, expires_at, operation, batch, status, envelope FROM idempotency
        WHERE caller = ?1 AND key = ?2 AND expires_at > ?3";
    let caller = key.caller.as_deref().unwrap_or_default();
    let found = connection
        .prepare_cached(sql)?
        .query_row(params![caller, key.key, millis(now)], |row| {
            let digest: Vec<u8> = row.get(0)?;
            let expires_at = time(row, 1)?.unwrap_or_default();
            let of: (Option<i64>, Option<String>) = (row.get(2)?, row.get(3)?);
            let kept: (Option<u16>, Option<String>) = (row.get(4)?, row.get(5)?);
            Ok((digest, expires_at, of, kept))
        })
        .optional()?;
    let Some((digest, expires_at, of, kept)) = found else {
        return Ok(None);
    };
    if digest != key.digest {
        return Ok(Some(Use::Taken(Acceptance::Reused)));
    }
    let answer = match of {
        (_, Some(id)) => FirstAnswer::Batch {
            operations: batch::ids(connection, &id)?,
            id,
        },
        (Some(number), None) => {
            let operation = by_number(connection, number)?;
            match kept {
                _ if !operation.is_synchronous => FirstAnswer::Deferred(Box::new(operation)),
                (Some(status), Some(envelope)) => FirstAnswer::Answered { status, envelope },
                (_, _) if operation.state.has_ended() => {
                    let may_have_written = operation.may_have_written;
                    return Ok(Some(Use::Free { may_have_written }));
                }
                (_, _) => FirstAnswer::Open,
            }
        }
        // What it was used for is deleted, and the key with it.
        (None, None) => return Ok(None),
    };
    Ok(Some(Use::Taken(Acceptance::Before { answer, expires_at })))
}

/// Keeps the first answer to the request that an operation was stored for, where that bears a key.
pub(super) fn keep_answer(connection: &Connection, number: i64, status: u16, envelope: Option<&str>) -> Result<()> {
    let sql = "UPDATE idempotency SET status = ?2, envelope = ?3 WHERE operation = ?1 AND status IS NULL";
    connection
        .prepare_cached(sql)?
        .execute(params![number, status, envelope])?;
    Ok(())
}

/// Deletes keys that have expired.
pub(super) fn forget(connection: &Connection, now: Timestamp, limit: u32) -> Result<()> {
    let sql = "DELETE FROM idempotency WHERE (caller, key) IN
        (SELECT caller, key FROM idempotency WHERE expires_at <= ?1 LIMIT ?2)";
    connection.prepare_cached(sql)?.execute(params![millis(now), limit])?;
    Ok(())
}
