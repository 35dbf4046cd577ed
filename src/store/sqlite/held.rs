//! What stands outside its lanes: held for a person's word, or until more is known of its person.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{Connection, Result, params};

use super::{super::State, lanes, query::millis, queue::find, statement};

/// Lets what is held go on.
pub(super) fn release(
    connection: &Connection,
    id: &str,
    requested_by: Option<&str>,
    now: Timestamp,
) -> Result<Option<State>> {
    let Some((number, state)) = find(connection, id)? else {
        return Ok(None);
    };
    if state.is_releasable() {
        let sql = "SELECT instance, not_before FROM operation WHERE number = ?1";
        let (instance, not_before): (String, Option<i64>) = connection
            .prepare_cached(sql)?
            .query_row([number], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let sql = "UPDATE operation SET requested_by = ?2 WHERE number = ?1";
        connection.prepare_cached(sql)?.execute(params![number, requested_by])?;
        statement::released(connection, number, id, now)?;
        if not_before.is_some_and(|time| time > millis(now)) {
            let sql = "UPDATE operation SET state = 'scheduled', reason = NULL WHERE number = ?1";
            connection.prepare_cached(sql)?.execute([number])?;
        } else {
            resume(connection, number, &instance)?;
        }
    }
    Ok(Some(state))
}

/// Holds an operation again that was cancelled while it waited for a person's word, which
/// cancelling and retrying it does not stand for. Tells whether it did.
pub(super) fn hold_again(connection: &Connection, number: i64) -> Result<bool> {
    let sql = "UPDATE operation SET state = 'held', ended_at = NULL
        WHERE number = ?1 AND state = 'cancelled' AND reason IN ('back_dated', 'far_future')";
    let held = connection.prepare_cached(sql)?.execute([number])?;
    Ok(held > 0)
}

/// Notes by which names an operation outside its lanes waits for more of its person.
pub(super) fn await_more(connection: &Connection, number: i64) -> Result<()> {
    let sql = "INSERT OR IGNORE INTO awaiting (instance, name, operation)
        SELECT operation.instance, subject.name, operation.number FROM operation
            JOIN subject ON subject.operation = operation.number WHERE operation.number = ?1
        UNION SELECT operation.instance, person_name.name, operation.number FROM operation
            JOIN statement ON statement.number = operation.number
            JOIN person_name ON person_name.person = statement.person WHERE operation.number = ?1";
    connection.prepare_cached(sql)?.execute([number])?;
    Ok(())
}

pub(super) fn forget_awaiting(connection: &Connection, number: i64) -> Result<()> {
    let sql = "DELETE FROM awaiting WHERE operation = ?1";
    connection.prepare_cached(sql)?.execute([number])?;
    Ok(())
}

/// Lets what waits for more of the person of an operation that has ended be tried again.
pub(super) fn take_up(connection: &Connection, instance: &str, number: i64, learned: &BTreeSet<String>) -> Result<()> {
    // Nothing waits so but what was looked for in vain.
    let is_empty: bool = connection
        .prepare_cached("SELECT NOT EXISTS (SELECT 1 FROM awaiting)")?
        .query_row([], |row| row.get(0))?;
    if is_empty {
        return Ok(());
    }
    let mut names = learned.clone();
    let sql = "SELECT name FROM subject WHERE operation = ?1
        UNION SELECT person_name.name FROM statement JOIN person_name USING (person) WHERE statement.number = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    for name in statement.query_map([number], |row| row.get(0))? {
        names.insert(name?);
    }
    let mut waiting = BTreeSet::new();
    for name in &names {
        let sql = "SELECT operation FROM awaiting WHERE instance = ?1 AND name = ?2 AND operation <> ?3";
        let mut statement = connection.prepare_cached(sql)?;
        for other in statement.query_map(params![instance, name, number], |row| row.get(0))? {
            waiting.insert(other?);
        }
    }
    for other in waiting {
        resume(connection, other, instance)?;
    }
    Ok(())
}

/// Lets an operation that stands outside its lanes take its turn.
pub(super) fn resume(connection: &Connection, number: i64, instance: &str) -> Result<()> {
    forget_awaiting(connection, number)?;
    let sql = "UPDATE operation SET state = 'waiting', reason = NULL, run_at = 0 WHERE number = ?1";
    connection.prepare_cached(sql)?.execute([number])?;
    lanes::enter(connection, number, instance)?;
    Ok(())
}

/// Lets an operation that waits for a date wait until another time.
pub(super) fn redate(connection: &Connection, id: &str, not_before: Timestamp, now: Timestamp) -> Result<()> {
    let Some((number, state)) = find(connection, id)? else {
        return Ok(());
    };
    if state == State::Scheduled {
        // What is due by now takes its turn with the next claim.
        let sql = "UPDATE operation SET not_before = ?2 WHERE number = ?1";
        connection
            .prepare_cached(sql)?
            .execute(params![number, millis(not_before.max(now))])?;
    }
    Ok(())
}
