//! Batches: many operations that were stored together.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{
    Connection, OptionalExtension as _, Result, Row, params,
    types::{FromSqlError, Type},
};

use super::{
    super::{Batch, NewBatch, OperationPage, State},
    query::{COLUMNS, millis, operation_row, time},
};

pub(super) fn insert(connection: &Connection, new: &NewBatch, size: usize, now: Timestamp) -> Result<()> {
    let instances: Vec<&str> = new.instances.iter().map(String::as_str).collect();
    let sql = "INSERT INTO batch (id, caller, instances, created_at, size) VALUES (?1, ?2, ?3, ?4, ?5)";
    connection.prepare_cached(sql)?.execute(params![
        new.id,
        new.caller,
        serde_json::Value::from(instances).to_string(),
        millis(now),
        i64::try_from(size).unwrap_or(i64::MAX),
    ])?;
    Ok(())
}

pub(super) fn batch(connection: &Connection, id: &str) -> Result<Option<Batch>> {
    let sql = "SELECT id, caller, instances, created_at, size FROM batch WHERE id = ?1";
    let found = connection.prepare_cached(sql)?.query_row([id], batch_row).optional()?;
    let Some(mut batch) = found else {
        return Ok(None);
    };
    let sql = "SELECT state, count(*) FROM operation WHERE batch = ?1 GROUP BY state";
    let mut statement = connection.prepare_cached(sql)?;
    let counts = statement.query_map([id], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    for count in counts {
        let (state, count) = count?;
        batch.counts.insert(parsed(&state, 0)?, count);
    }
    Ok(Some(batch))
}

fn batch_row(row: &Row<'_>) -> Result<Batch> {
    let instances: String = row.get(2)?;
    Ok(Batch {
        id: row.get(0)?,
        caller: row.get(1)?,
        instances: serde_json::from_str(&instances).map_err(|_| unreadable(2))?,
        created_at: time(row, 3)?.unwrap_or_default(),
        size: row.get(4)?,
        counts: BTreeMap::new(),
    })
}

/// The ids of a batch's operations, in their order.
pub(super) fn ids(connection: &Connection, id: &str) -> Result<Vec<String>> {
    let mut statement = connection.prepare_cached("SELECT id FROM operation WHERE batch = ?1 ORDER BY number")?;
    let ids = statement.query_map([id], |row| row.get(0))?;
    ids.collect()
}

pub(super) fn operations(
    connection: &Connection,
    id: &str,
    states: &[State],
    after: Option<i64>,
    limit: u32,
) -> Result<OperationPage> {
    let states: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
    let is_any = states.is_empty();
    let states = serde_json::Value::from(states).to_string();
    let sql = format!(
        "SELECT {COLUMNS} FROM operation WHERE batch = ?1 AND number > ?2
            AND (?3 OR state IN (SELECT value FROM json_each(?4))) ORDER BY number LIMIT ?5"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    // One more than is shown says whether there is another page.
    let values = params![id, after.unwrap_or(0), is_any, states, limit.saturating_add(1)];
    let rows = statement.query_map(values, operation_row)?;
    let mut operations = rows.collect::<Result<Vec<_>>>()?;
    let limit = limit as usize;
    let next = operations.get(limit).map(|_| operations[limit - 1].number);
    operations.truncate(limit);
    Ok(OperationPage { operations, next })
}

/// Deletes batches whose operations are all deleted.
pub(super) fn forget(connection: &Connection, limit: u32) -> Result<()> {
    let sql = "DELETE FROM batch WHERE id IN (SELECT id FROM batch WHERE NOT EXISTS
        (SELECT 1 FROM operation WHERE operation.batch = batch.id) LIMIT ?1)";
    connection.prepare_cached(sql)?.execute([limit])?;
    Ok(())
}

pub(super) fn parsed(state: &str, column: usize) -> Result<State> {
    State::parse(state).ok_or_else(|| unreadable(column))
}

fn unreadable(column: usize) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(FromSqlError::InvalidType))
}
