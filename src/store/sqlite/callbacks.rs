//! Callbacks: what sources are to be told of their operations.
//!
//! Triggers (`schema`) write them with the very change of the operation, so that no way on which an
//! operation comes to an end can leave its callback out, and no crash can come between.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{
    Connection, Result, Row, params,
    types::{FromSqlError, Type},
};

use super::{
    super::{Callback, CallbackEnd, State},
    query::{millis, time},
};

/// From now on these sources are told, and no others. What others were to be told is dropped;
/// answers how many that were.
pub(super) fn call_back_for(connection: &Connection, sources: &BTreeSet<String>) -> Result<usize> {
    connection.prepare_cached("DELETE FROM calling")?.execute([])?;
    for source in sources {
        let sql = "INSERT INTO calling (source) VALUES (?1)";
        connection.prepare_cached(sql)?.execute([source])?;
    }
    let sql = "DELETE FROM callback WHERE source NOT IN (SELECT source FROM calling)";
    connection.prepare_cached(sql)?.execute([])
}

/// The callbacks that are due, so many of each source. Those of one operation come one after the
/// other.
pub(super) fn due(connection: &Connection, now: Timestamp, each: u32) -> Result<Vec<Callback>> {
    let mut statement = connection.prepare_cached("SELECT source FROM calling ORDER BY source")?;
    let sources = statement.query_map([], |row| row.get(0))?;
    let mut due = Vec::new();
    for source in sources.collect::<Result<Vec<String>>>()? {
        let sql = "SELECT id, source, operation, state, reason, command, instance, purpose, happened_at, attempts,
                (SELECT json_group_array(id) FROM (SELECT event.id FROM event_operation
                    JOIN event ON event.number = event_operation.event
                    WHERE event_operation.operation = callback.operation ORDER BY event.number))
            FROM callback INDEXED BY callback_due WHERE source = ?1 AND due_at <= ?2
                AND NOT EXISTS (SELECT 1 FROM callback AS earlier
                    WHERE earlier.operation = callback.operation AND earlier.number < callback.number)
            ORDER BY due_at, number LIMIT ?3";
        let mut statement = connection.prepare_cached(sql)?;
        let rows = statement.query_map(params![source, millis(now), each], callback_row)?;
        for row in rows {
            due.push(row?);
        }
    }
    Ok(due)
}

fn callback_row(row: &Row<'_>) -> Result<Callback> {
    let unknown =
        |column| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(FromSqlError::InvalidType));
    let (state, events): (String, String) = (row.get(3)?, row.get(10)?);
    Ok(Callback {
        id: row.get(0)?,
        source: row.get(1)?,
        operation: row.get(2)?,
        state: State::parse(&state).ok_or_else(|| unknown(3))?,
        reason: row.get(4)?,
        command: row.get(5)?,
        instance: row.get(6)?,
        purpose: row.get(7)?,
        happened_at: time(row, 8)?.unwrap_or_default(),
        attempts: row.get(9)?,
        events: serde_json::from_str(&events).map_err(|_| unknown(10))?,
    })
}

/// Ends a try of a callback.
pub(super) fn end(connection: &Connection, id: &str, end: CallbackEnd) -> Result<()> {
    match end {
        CallbackEnd::Over => connection
            .prepare_cached("DELETE FROM callback WHERE id = ?1")?
            .execute([id])?,
        CallbackEnd::Again(at) => connection
            .prepare_cached("UPDATE callback SET due_at = ?2, attempts = attempts + 1 WHERE id = ?1")?
            .execute(params![id, millis(at)])?,
    };
    Ok(())
}
