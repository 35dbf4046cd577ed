//! Whom a statement is about: an employee id first, else a name that was said to be a person's.
//!
//! A name is whose it was last said to be at the time of the statement. One that the directory
//! shows at another user than the person's is the person's no more.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Result, params};

use super::{
    super::{NewOperation, NewStatement},
    held,
    query::millis,
};

/// Names of this kind are a person's for good, and others go from one to another.
const EMPLOYEE: &str = "employee ";

/// The person of a statement, known by it from now on under its names too. Its number is its own
/// where the person is new.
pub(super) fn of(connection: &Connection, number: i64, new: &NewOperation, said: &NewStatement) -> Result<i64> {
    let all = || said.names.iter().chain(new.lanes.difference(&said.names));
    let by_employee_id = all().filter(|name| name.starts_with(EMPLOYEE));
    let by_name = all().filter(|name| !name.starts_with(EMPLOYEE));
    let mut has_employee_id = false;
    let mut found = None;
    for name in by_employee_id {
        has_employee_id = true;
        if found.is_none() {
            found = claim(connection, &new.instance, name, said.said_at)?;
        }
    }
    for name in by_name {
        let Some(person) = claim(connection, &new.instance, name, said.said_at)? else {
            continue;
        };
        let is_possible = !has_employee_id || !has_id(connection, person)? || is_conversion(connection, person, said)?;
        match found {
            _ if is_void(connection, &new.instance, name, person)? => {}
            None if is_possible => found = Some(person),
            // Known by a name alone until now: both are one.
            Some(other) if other != person && is_possible => unite(connection, person, other)?,
            None | Some(_) => {}
        }
    }
    let person = found.unwrap_or(number);
    for name in &said.names {
        let sql = "INSERT OR IGNORE INTO person_name (instance, name, said_at, person) VALUES (?1, ?2, ?3, ?4)";
        connection
            .prepare_cached(sql)?
            .execute(params![new.instance, name, millis(said.said_at), person])?;
    }
    Ok(person)
}

/// Whose a name was said to be at a time: by the newest word until then, else by the oldest after.
fn claim(connection: &Connection, instance: &str, name: &str, at: Timestamp) -> Result<Option<i64>> {
    let sql = "SELECT person FROM person_name WHERE instance = ?1 AND name = ?2 AND said_at <= ?3
        ORDER BY said_at DESC, person DESC LIMIT 1";
    let until: Option<i64> = connection
        .prepare_cached(sql)?
        .query_row(params![instance, name, millis(at)], |row| row.get(0))
        .optional()?;
    if until.is_some() {
        return Ok(until);
    }
    let sql = "SELECT person FROM person_name WHERE instance = ?1 AND name = ?2 ORDER BY said_at, person LIMIT 1";
    connection
        .prepare_cached(sql)?
        .query_row(params![instance, name], |row| row.get(0))
        .optional()
}

/// Whether a person is known by an employee id.
fn has_id(connection: &Connection, person: i64) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM person_name INDEXED BY person_name_person
        WHERE person = ?1 AND name >= 'employee ' AND name < 'employee!')";
    connection.prepare_cached(sql)?.query_row([person], |row| row.get(0))
}

/// Whether a person changes from one employment into another: one ends and one begins about then.
fn is_conversion(connection: &Connection, person: i64, said: &NewStatement) -> Result<bool> {
    let (Some(length), Some(other)) = (said.conversion, said.word.opposite()) else {
        return Ok(false);
    };
    let moment = said.effective_at.unwrap_or(said.said_at).max(said.said_at);
    let sql = "SELECT EXISTS (SELECT 1 FROM statement WHERE person = ?1 AND word = ?2 AND standing = 'holds'
        AND abs(max(said_at, effective_at) - ?3) <= ?4)";
    let length = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
    let values = params![person, other.as_str(), millis(moment), length];
    connection.prepare_cached(sql)?.query_row(values, |row| row.get(0))
}

/// Whether the directory shows a name at one user, and the person's employee id at another.
fn is_void(connection: &Connection, instance: &str, name: &str, person: i64) -> Result<bool> {
    // Where events tell whose the name has become, their times say whose it was.
    let sql = "SELECT EXISTS (SELECT 1 FROM alias shown WHERE shown.instance = ?1 AND shown.name = ?2
            AND ?3 = (SELECT person FROM person_name WHERE instance = ?1 AND name = ?2
                ORDER BY said_at DESC, person DESC LIMIT 1)
            AND EXISTS (SELECT 1 FROM person_name JOIN alias ON alias.instance = ?1 AND alias.name = person_name.name
                WHERE person_name.person = ?3 AND person_name.name >= 'employee ' AND person_name.name < 'employee!'
                    AND alias.directory_id <> shown.directory_id))";
    connection
        .prepare_cached(sql)?
        .query_row(params![instance, name, person], |row| row.get(0))
}

/// Makes all that was said of one person be said of another.
fn unite(connection: &Connection, from: i64, to: i64) -> Result<()> {
    for sql in [
        "UPDATE OR REPLACE person_name SET person = ?2 WHERE person = ?1",
        "UPDATE statement SET person = ?2 WHERE person = ?1",
    ] {
        connection.prepare_cached(sql)?.execute([from, to])?;
    }
    // What could not be done for a person without its past may be done now.
    let sql = "SELECT statement.number, statement.instance FROM statement
            JOIN operation ON operation.number = statement.number
        WHERE person = ?1 AND word IN ('active', 'expected') AND is_carried_out = 0 AND standing = 'holds'
            AND state = 'failed'";
    let mut statement = connection.prepare_cached(sql)?;
    let failed = statement.query_map([to], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for (number, instance) in failed.collect::<Result<Vec<(i64, String)>>>()? {
        let sql = "UPDATE operation SET ended_at = NULL WHERE number = ?1";
        connection.prepare_cached(sql)?.execute([number])?;
        held::resume(connection, number, &instance)?;
    }
    Ok(())
}
