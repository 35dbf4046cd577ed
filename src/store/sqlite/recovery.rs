//! What a store takes up that it has missed, or that a process has left.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, Result, params};

use super::{lanes, query::millis, queue::cancel};

/// How much has to be written before a store that has failed counts as well, in bytes.
const ROOM: u32 = 64 * 1024;

/// Writes whom disables have disabled that are not stored, as newer than all that is.
pub(super) fn resume(connection: &Connection, disabled: &[(String, String)]) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO room (id, filling) VALUES (1, zeroblob(?1))";
    connection.prepare_cached(sql)?.execute([ROOM])?;
    // Looks at the operations too: while those can't be read, the number would come out too small.
    let sql = "INSERT INTO disabled (instance, directory_id, number, turn, operation)
        VALUES (?1, ?2, 1 + max((SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'operation'),
            (SELECT coalesce(max(number), 0) FROM operation)), (SELECT last FROM turn), '')
        ON CONFLICT DO UPDATE SET number = excluded.number, turn = excluded.turn, operation = excluded.operation";
    for (instance, directory_id) in disabled {
        connection
            .prepare_cached(sql)?
            .execute(params![instance, directory_id])?;
        let sql = "UPDATE disabled SET called_number = number, called_turn = turn, called_operation = operation
            WHERE instance = ?1 AND directory_id = ?2";
        connection
            .prepare_cached(sql)?
            .execute(params![instance, directory_id])?;
    }
    Ok(())
}

/// Takes up what a process that died has left. From its third death in a row on an operation waits:
/// it may be what its process dies of.
pub(super) fn recover(connection: &Connection, schedule: &[SignedDuration], now: Timestamp) -> Result<usize> {
    let sql =
        "SELECT id FROM operation WHERE state = 'waiting' AND is_synchronous = 1 AND attempts = 0 AND overtakes = 0";
    let mut statement = connection.prepare_cached(sql)?;
    let given_up = statement.query_map([], |row| row.get(0))?;
    for id in given_up.collect::<Result<Vec<String>>>()? {
        cancel(connection, &id, Some("its caller is gone"), now)?;
    }
    let mut statement = connection.prepare_cached("SELECT number FROM operation WHERE state = 'running'")?;
    let numbers = statement.query_map([], |row| row.get(0))?;
    let numbers = numbers.collect::<Result<Vec<i64>>>()?;
    for number in &numbers {
        let sql = "UPDATE attempt SET ended_at = ?2, cause = 'died' WHERE operation = ?1 AND ended_at IS NULL";
        connection.prepare_cached(sql)?.execute(params![number, millis(now)])?;
        let sql = "SELECT count(*) FROM attempt WHERE operation = ?1 AND number > coalesce(
            (SELECT max(number) FROM attempt WHERE operation = ?1 AND cause IS NOT 'died'), 0)";
        let deaths: u32 = connection.prepare_cached(sql)?.query_row([number], |row| row.get(0))?;
        let wait = deaths
            .checked_sub(3)
            .and_then(|nth| schedule.get(nth as usize).or(schedule.last()));
        let run_at = wait.and_then(|wait| now.checked_add(*wait).ok()).map_or(0, millis);
        let sql = "UPDATE operation SET state = 'waiting', run_at = ?2, may_have_written = 1 WHERE number = ?1";
        connection.prepare_cached(sql)?.execute(params![number, run_at])?;
        lanes::set_running(connection, *number, false)?;
    }
    Ok(numbers.len())
}
