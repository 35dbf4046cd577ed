//! Which operation is first in all its lanes.
//!
//! `operation.first` says it, kept true by whatever changes a lane, so that claiming costs the same
//! whatever waits: only the head of a lane can become first, and only heads are looked at again.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _, Result, params};

use super::super::Learned;

/// Puts an operation at the end of its lanes, by the names that it was accepted with and all that
/// was learned of them. Tells whether something is before it.
pub(super) fn enter(connection: &Connection, number: i64, instance: &str) -> Result<bool> {
    connection
        .prepare_cached("UPDATE turn SET last = last + 1")?
        .execute([])?;
    let sql = "SELECT last FROM turn";
    let turn: i64 = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    let mut subject = connection.prepare_cached("SELECT name FROM subject WHERE operation = ?1")?;
    let names = subject.query_map([number], |row| row.get(0))?.collect::<Result<_>>()?;
    let names = with_aliases(connection, instance, names)?;
    let mut is_behind = false;
    for name in &names {
        is_behind = is_behind || head(connection, instance, name)?.is_some();
    }
    for name in &names {
        join(connection, instance, name, turn, number, false)?;
    }
    let sql = "UPDATE operation SET turn = ?2, first = NOT ?3, overtaking = overtakes AND ?3 WHERE number = ?1";
    connection
        .prepare_cached(sql)?
        .execute(params![number, turn, is_behind])?;
    Ok(is_behind)
}

/// Takes an operation out of its lanes, and lets those behind it come forward.
pub(super) fn leave(connection: &Connection, number: i64) -> Result<()> {
    let lanes = lanes_of(connection, number)?;
    connection
        .prepare_cached("DELETE FROM lane WHERE operation = ?1")?
        .execute([number])?;
    connection
        .prepare_cached("UPDATE operation SET turn = NULL, first = 0 WHERE number = ?1")?
        .execute([number])?;
    refresh_heads(connection, &lanes)
}

/// Marks that an operation runs, or runs no more, and says anew which is first in its lanes.
pub(super) fn set_running(connection: &Connection, number: i64, is_running: bool) -> Result<()> {
    connection
        .prepare_cached("UPDATE lane SET running = ?2 WHERE operation = ?1")?
        .execute(params![number, is_running])?;
    refresh(connection, number)?;
    refresh_heads(connection, &lanes_of(connection, number)?)
}

/// Marks that an operation runs which is first in all its lanes. Nothing else becomes first by
/// that, so that nothing is looked at.
pub(super) fn begin_first(connection: &Connection, number: i64) -> Result<()> {
    let sql = "UPDATE lane SET running = 1 WHERE operation = ?1";
    connection.prepare_cached(sql)?.execute([number])?;
    Ok(())
}

/// Whether an operation runs in one of the lanes of this one.
pub(super) fn is_beside_running(connection: &Connection, number: i64) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM lane mine JOIN lane other INDEXED BY lane_running USING (instance, name)
        WHERE mine.operation = ?1 AND other.running = 1 AND other.operation <> ?1)";
    connection.prepare_cached(sql)?.query_row([number], |row| row.get(0))
}

/// Keeps the names by which the directory has a person. Whatever waits under one of them waits in
/// the lanes of all of them from now on, in its own turn.
pub(super) fn learn(connection: &Connection, instance: &str, learned: &Learned) -> Result<()> {
    let sql = "INSERT INTO alias (instance, name, directory_id) VALUES (?1, ?2, ?3)
        ON CONFLICT DO UPDATE SET directory_id = excluded.directory_id WHERE directory_id <> excluded.directory_id";
    let mut is_new = false;
    for name in &learned.lanes {
        let changed = connection
            .prepare_cached(sql)?
            .execute(params![instance, name, learned.directory_id])?;
        is_new = is_new || changed > 0;
    }
    // Whatever was accepted since it was learned stands in all lanes already.
    if !is_new {
        return Ok(());
    }
    let names = names_of(connection, instance, &learned.directory_id)?;
    let mut waiting: BTreeSet<(i64, i64, bool)> = BTreeSet::new();
    for name in &names {
        let sql = "SELECT turn, operation, running FROM lane WHERE instance = ?1 AND name = ?2";
        let mut statement = connection.prepare_cached(sql)?;
        let rows = statement.query_map(params![instance, name], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
        for row in rows {
            waiting.insert(row?);
        }
    }
    for (turn, operation, is_running) in &waiting {
        for name in &names {
            join(connection, instance, name, *turn, *operation, *is_running)?;
        }
    }
    for (_, operation, _) in waiting {
        refresh(connection, operation)?;
    }
    Ok(())
}

/// The names of all lanes that hang together with those of an operation through what waits in them;
/// `None` where more than `limit` operations do.
pub(super) fn connected_names(connection: &Connection, id: &str, limit: u32) -> Result<Option<BTreeSet<String>>> {
    let Some(number) = number_of(connection, id)? else {
        return Ok(None);
    };
    Ok(connected(connection, number, limit)?.map(|connected| connected.names))
}

/// Makes all that hangs together with an operation as urgent as it is.
pub(super) fn expedite(connection: &Connection, id: &str, limit: u32) -> Result<()> {
    let Some(number) = number_of(connection, id)? else {
        return Ok(());
    };
    for other in connected(connection, number, limit)?.unwrap_or_default().operations {
        let sql = "UPDATE operation SET class = min(class, (SELECT class FROM operation WHERE number = ?2))
            WHERE number = ?1";
        connection.prepare_cached(sql)?.execute([other, number])?;
    }
    Ok(())
}

/// What hangs together with an operation through what comes before it. What comes behind it says
/// nothing of whom it means.
#[derive(Default)]
struct Connected {
    operations: BTreeSet<i64>,
    names: BTreeSet<String>,
}

fn connected(connection: &Connection, number: i64, limit: u32) -> Result<Option<Connected>> {
    let mut found = Connected {
        operations: BTreeSet::from([number]),
        names: BTreeSet::new(),
    };
    let mut to_visit = vec![number];
    let turn: Option<i64> = connection
        .prepare_cached("SELECT turn FROM operation WHERE number = ?1")?
        .query_row([number], |row| row.get(0))?;
    while let Some(operation) = to_visit.pop() {
        for (instance, name) in lanes_of(connection, operation)? {
            if !found.names.insert(name.clone()) {
                continue;
            }
            let sql = "SELECT operation FROM lane WHERE instance = ?1 AND name = ?2 AND turn <= ?3 LIMIT ?4";
            let mut statement = connection.prepare_cached(sql)?;
            let limit = limit.saturating_add(1);
            let others = statement.query_map(params![instance, name, turn, limit], |row| row.get(0))?;
            for other in others {
                let other = other?;
                if found.operations.insert(other) {
                    to_visit.push(other);
                }
            }
            if found.operations.len() > limit as usize {
                return Ok(None);
            }
        }
    }
    Ok(Some(found))
}

fn number_of(connection: &Connection, id: &str) -> Result<Option<i64>> {
    connection
        .prepare_cached("SELECT number FROM operation WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()
}

/// The instance and name of each lane that an operation stands in.
pub(super) fn lanes_of(connection: &Connection, number: i64) -> Result<Vec<(String, String)>> {
    let mut statement = connection.prepare_cached("SELECT instance, name FROM lane WHERE operation = ?1")?;
    let lanes = statement.query_map([number], |row| Ok((row.get(0)?, row.get(1)?)))?;
    lanes.collect()
}

/// These names, and all others of the people that they were shown at.
fn with_aliases(connection: &Connection, instance: &str, names: BTreeSet<String>) -> Result<BTreeSet<String>> {
    let mut to_visit: Vec<String> = names.iter().cloned().collect();
    let mut all = names;
    while let Some(name) = to_visit.pop() {
        let sql = "SELECT directory_id FROM alias WHERE instance = ?1 AND name = ?2";
        let id: Option<String> = connection
            .prepare_cached(sql)?
            .query_row(params![instance, name], |row| row.get(0))
            .optional()?;
        let Some(id) = id else { continue };
        for name in names_of(connection, instance, &id)? {
            if all.insert(name.clone()) {
                to_visit.push(name);
            }
        }
    }
    Ok(all)
}

/// The names that were last shown at this directory id.
fn names_of(connection: &Connection, instance: &str, directory_id: &str) -> Result<Vec<String>> {
    let sql = "SELECT name FROM alias WHERE instance = ?1 AND directory_id = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let names = statement.query_map(params![instance, directory_id], |row| row.get(0))?;
    names.collect()
}

fn join(connection: &Connection, instance: &str, name: &str, turn: i64, number: i64, running: bool) -> Result<()> {
    let sql = "INSERT OR IGNORE INTO lane (instance, name, turn, operation, running) VALUES (?1, ?2, ?3, ?4, ?5)";
    connection
        .prepare_cached(sql)?
        .execute(params![instance, name, turn, number, running])?;
    Ok(())
}

/// The operation whose turn in a lane is the earliest.
fn head(connection: &Connection, instance: &str, name: &str) -> Result<Option<i64>> {
    let sql = "SELECT operation FROM lane WHERE instance = ?1 AND name = ?2 ORDER BY turn LIMIT 1";
    connection
        .prepare_cached(sql)?
        .query_row(params![instance, name], |row| row.get(0))
        .optional()
}

fn refresh_heads(connection: &Connection, lanes: &[(String, String)]) -> Result<()> {
    for (instance, name) in lanes {
        if let Some(head) = head(connection, instance, name)? {
            refresh(connection, head)?;
        }
    }
    Ok(())
}

/// Says anew whether an operation is first in all its lanes, and none runs there.
fn refresh(connection: &Connection, number: i64) -> Result<()> {
    let sql = "UPDATE operation SET first = NOT EXISTS (
            SELECT 1 FROM lane mine JOIN lane other ON other.instance = mine.instance AND other.name = mine.name
            WHERE mine.operation = ?1 AND other.turn < mine.turn)
        AND NOT EXISTS (
            SELECT 1 FROM lane mine JOIN lane other INDEXED BY lane_running
                ON other.instance = mine.instance AND other.name = mine.name
            WHERE mine.operation = ?1 AND other.running = 1)
        WHERE number = ?1";
    connection.prepare_cached(sql)?.execute([number])?;
    Ok(())
}
