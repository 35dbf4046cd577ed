//! Selections: operations that were counted, to be changed together when their token comes again.

use jiff::Timestamp;
use rusqlite::{
    Connection, OptionalExtension as _, Result, ToSql, params, params_from_iter,
    types::{FromSqlError, Type},
};

use super::{
    super::{Change, NewSelection, Selected, SelectedOperation, State},
    batch::parsed,
    query::{millis, restrict},
    queue,
};

pub(super) fn select(connection: &Connection, selection: &NewSelection) -> Result<Selected> {
    let mut operations = matching(connection, selection)?;
    let limit = selection.limit as usize;
    let is_cut = operations.len() > limit;
    operations.truncate(limit);
    let count = operations.len() as u64;
    let sql = "INSERT INTO selection (token, caller, digest, expires_at, operations) VALUES (?1, ?2, ?3, ?4, ?5)";
    connection.prepare_cached(sql)?.execute(params![
        selection.token,
        selection.caller.as_deref().unwrap_or_default(),
        selection.digest,
        millis(selection.expires_at),
        written(&operations),
    ])?;
    Ok(Selected { count, is_cut })
}

/// What a selection asks for, the oldest first, and one more than its limit where there is one.
fn matching(connection: &Connection, selection: &NewSelection) -> Result<Vec<SelectedOperation>> {
    let filter = &selection.filter;
    let tables = match filter.subject {
        Some(_) => "subject JOIN operation ON operation.number = subject.operation",
        None => "operation",
    };
    let states: Vec<&str> = filter.states.iter().map(|state| state.as_str()).collect();
    let mut conditions = vec!["state IN (SELECT value FROM json_each(?))".to_owned()];
    let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(serde_json::Value::from(states).to_string())];
    if let Some(instances) = &selection.instances {
        conditions.push("instance IN (SELECT value FROM json_each(?))".to_owned());
        values.push(Box::new(serde_json::Value::from(instances.clone()).to_string()));
    }
    if selection.untried {
        conditions.push("(state = 'scheduled' OR attempts = 0)".to_owned());
    }
    restrict(filter, &mut conditions, &mut values);
    values.push(Box::new(selection.limit.saturating_add(1)));
    let conditions = conditions.join(" AND ");
    let sql = format!("SELECT number, state FROM {tables} WHERE {conditions} ORDER BY number LIMIT ?");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| {
        Ok((row.get(0)?, parsed(&row.get::<_, String>(1)?, 1)?))
    })?;
    rows.collect()
}

pub(super) fn take(
    connection: &Connection,
    token: &str,
    caller: Option<&str>,
    digest: &[u8],
    now: Timestamp,
) -> Result<Option<Vec<SelectedOperation>>> {
    let sql = "DELETE FROM selection WHERE token = ?1 AND caller = ?2 AND digest = ?3 AND expires_at > ?4
        RETURNING operations";
    let values = params![token, caller.unwrap_or_default(), digest, millis(now)];
    let found: Option<String> = connection
        .prepare_cached(sql)?
        .query_row(values, |row| row.get(0))
        .optional()?;
    found.map(|text| read(&text)).transpose()
}

pub(super) fn change(
    connection: &Connection,
    operations: &[SelectedOperation],
    change: &Change,
    now: Timestamp,
) -> Result<Vec<String>> {
    let mut changed = Vec::new();
    for (number, state) in operations {
        let sql = "SELECT id FROM operation WHERE number = ?1 AND state = ?2";
        let found: Option<String> = connection
            .prepare_cached(sql)?
            .query_row(params![number, state.as_str()], |row| row.get(0))
            .optional()?;
        let Some(id) = found else { continue };
        let was_changed = match change {
            Change::Retry { requested_by } => {
                queue::retry(connection, &id, requested_by.as_deref(), now)?;
                true
            }
            Change::Cancel => {
                queue::cancel(connection, &id, None, now)?;
                true
            }
            Change::Move(to) => queue::move_to(connection, *number, *state, *to, now)?,
        };
        if was_changed {
            changed.push(id);
        }
    }
    Ok(changed)
}

/// Deletes selections whose token has expired.
pub(super) fn forget(connection: &Connection, now: Timestamp, limit: u32) -> Result<()> {
    let sql = "DELETE FROM selection WHERE token IN (SELECT token FROM selection WHERE expires_at <= ?1 LIMIT ?2)";
    connection.prepare_cached(sql)?.execute(params![millis(now), limit])?;
    Ok(())
}

fn written(operations: &[SelectedOperation]) -> String {
    let pairs = operations
        .iter()
        .map(|(number, state)| serde_json::json!([number, state.as_str()]));
    serde_json::Value::from_iter(pairs).to_string()
}

fn read(text: &str) -> Result<Vec<SelectedOperation>> {
    let unreadable = || rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(FromSqlError::InvalidType));
    let pairs: Vec<(i64, String)> = serde_json::from_str(text).map_err(|_| unreadable())?;
    let states = pairs.into_iter().map(|(number, state)| (number, State::parse(&state)));
    states
        .map(|(number, state)| Some((number, state?)))
        .collect::<Option<_>>()
        .ok_or_else(unreadable)
}
