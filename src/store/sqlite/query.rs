//! Reading operations.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{
    Connection, OptionalExtension as _, Result, Row, ToSql, params, params_from_iter,
    types::{FromSqlError, Type},
};

use super::super::{Attempt, Disabled, DueDate, Filter, Operation, OperationPage, State};

/// What [`operation_row`] reads.
pub(super) const COLUMNS: &str = "number, id, instance, command, stored, state, reason, class, created_at, not_before, run_at, \
    ended_at, may_have_written, caller, source, batch, purpose, traceparent, envelope, \
    (SELECT json_group_array(names.name) FROM subject names WHERE names.operation = operation.number), \
    has_changed, is_synchronous, attempts, due_date, wants_fetch";

/// Milliseconds since 1970, as times are stored.
pub(super) fn millis(time: Timestamp) -> i64 {
    time.as_millisecond()
}

pub(super) fn by_number(connection: &Connection, number: i64) -> Result<Operation> {
    let sql = format!("SELECT {COLUMNS} FROM operation WHERE number = ?1");
    connection.prepare_cached(&sql)?.query_row([number], operation_row)
}

pub(super) fn operation(connection: &Connection, id: &str) -> Result<Option<Operation>> {
    let sql = format!("SELECT {COLUMNS} FROM operation WHERE id = ?1");
    connection
        .prepare_cached(&sql)?
        .query_row([id], operation_row)
        .optional()
}

pub(super) fn attempts(connection: &Connection, id: &str) -> Result<Vec<Attempt>> {
    let sql = "SELECT attempt.number, attempt.started_at, attempt.ended_at, cause, status, aws_request_ids,
            attempt.requested_by
        FROM attempt JOIN operation ON operation.number = attempt.operation
        WHERE operation.id = ?1 ORDER BY attempt.number";
    let mut statement = connection.prepare_cached(sql)?;
    let attempts = statement.query_map([id], |row| {
        Ok(Attempt {
            number: row.get(0)?,
            started_at: time(row, 1)?.unwrap_or_default(),
            ended_at: time(row, 2)?,
            cause: row.get(3)?,
            status: row.get(4)?,
            aws_request_ids: row.get(5)?,
            requested_by: row.get(6)?,
        })
    })?;
    attempts.collect()
}

pub(super) fn last_disable(connection: &Connection, instance: &str, directory_id: &str) -> Result<Option<Disabled>> {
    let sql = "SELECT number, turn, operation, called_number, called_turn, called_operation FROM disabled
        WHERE instance = ?1 AND directory_id = ?2";
    let disabled = |row: &Row<'_>| {
        let called = match row.get::<_, Option<i64>>(3)? {
            Some(number) => Some(Box::new(Disabled {
                number,
                turn: row.get(4)?,
                id: row.get(5)?,
                called: None,
            })),
            None => None,
        };
        Ok(Disabled {
            number: row.get(0)?,
            turn: row.get(1)?,
            id: row.get(2)?,
            called,
        })
    };
    connection
        .prepare_cached(sql)?
        .query_row(params![instance, directory_id], disabled)
        .optional()
}

/// The operations that wait for a date.
pub(super) fn dated(connection: &Connection) -> Result<Vec<(String, DueDate, Timestamp)>> {
    let sql = "SELECT id, due_date, not_before FROM operation INDEXED BY operation_scheduled
        WHERE state = 'scheduled' AND due_date IS NOT NULL";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, due_date(row, 1)?, time(row, 2)?)))?;
    let rows = rows.collect::<Result<Vec<_>>>()?;
    Ok(rows
        .into_iter()
        .filter_map(|(id, date, time)| Some((id, date?, time?)))
        .collect())
}

pub(super) fn operations(
    connection: &Connection,
    filter: &Filter,
    before: Option<i64>,
    limit: u32,
) -> Result<OperationPage> {
    // One more than is shown says whether there is another page.
    let (sql, values) = page(filter, before, limit.saturating_add(1));
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), operation_row)?;
    let mut operations = rows.collect::<Result<Vec<_>>>()?;
    let limit = limit as usize;
    let next = operations.get(limit).map(|_| operations[limit - 1].number);
    operations.truncate(limit);
    Ok(OperationPage { operations, next })
}

/// The query of a page, and its values. Each state is a query of its own, so that each is read in
/// the order of its index and no further than the page.
fn page(filter: &Filter, before: Option<i64>, limit: u32) -> (String, Vec<Box<dyn ToSql>>) {
    // A person's operations are paged through in their own order, not looked for among all.
    let (tables, number) = match filter.subject {
        Some(_) => (
            "subject JOIN operation ON operation.number = subject.operation",
            "subject.operation",
        ),
        None => ("operation", "number"),
    };
    let states = match &*filter.states {
        [] => vec![None],
        states => states.iter().map(|state| Some(state.as_str())).collect(),
    };
    let mut values: Vec<Box<dyn ToSql>> = Vec::new();
    let mut parts = Vec::new();
    for state in states {
        let mut conditions = vec![format!("{number} < ?")];
        values.push(Box::new(before.unwrap_or(i64::MAX)));
        if let Some(state) = state {
            conditions.push("state = ?".to_owned());
            values.push(Box::new(state));
        }
        restrict(filter, &mut conditions, &mut values);
        values.push(Box::new(limit));
        let conditions = conditions.join(" AND ");
        parts.push(format!(
            "SELECT * FROM (SELECT {COLUMNS} FROM {tables} WHERE {conditions} ORDER BY {number} DESC LIMIT ?)"
        ));
    }
    values.push(Box::new(limit));
    (
        format!("{} ORDER BY number DESC LIMIT ?", parts.join(" UNION ALL ")),
        values,
    )
}

/// Adds what the texts and times of a filter ask for.
pub(super) fn restrict(filter: &Filter, conditions: &mut Vec<String>, values: &mut Vec<Box<dyn ToSql>>) {
    let texts = [
        ("command = ?", &filter.command),
        ("caller = ?", &filter.caller),
        ("instance = ?", &filter.instance),
        ("batch = ?", &filter.batch),
        ("subject.name = ?", &filter.subject),
    ];
    for (condition, value) in texts {
        if let Some(value) = value {
            conditions.push(condition.to_owned());
            values.push(Box::new(value.clone()));
        }
    }
    let times = [
        ("created_at >= ?", filter.created_from),
        ("created_at < ?", filter.created_before),
    ];
    for (condition, value) in times {
        if let Some(value) = value {
            conditions.push(condition.to_owned());
            values.push(Box::new(millis(value)));
        }
    }
}

pub(super) fn operation_row(row: &Row<'_>) -> Result<Operation> {
    let state: String = row.get(5)?;
    let names: String = row.get(19)?;
    let unknown =
        |column| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(FromSqlError::InvalidType));
    Ok(Operation {
        number: row.get(0)?,
        id: row.get(1)?,
        instance: row.get(2)?,
        command: row.get(3)?,
        stored: row.get(4)?,
        state: State::parse(&state).ok_or_else(|| unknown(5))?,
        reason: row.get(6)?,
        class: row.get(7)?,
        created_at: time(row, 8)?.unwrap_or_default(),
        not_before: time(row, 9)?,
        due_at: time(row, 10)?.filter(|at| *at != Timestamp::UNIX_EPOCH),
        ended_at: time(row, 11)?,
        may_have_written: row.get(12)?,
        caller: row.get(13)?,
        source: row.get(14)?,
        batch: row.get(15)?,
        purpose: row.get(16)?,
        traceparent: row.get(17)?,
        envelope: row.get(18)?,
        has_changed: row.get(20)?,
        is_synchronous: row.get(21)?,
        attempts: row.get(22)?,
        due_date: due_date(row, 23)?,
        wants_fetch: row.get(24)?,
        subject: serde_json::from_str(&names).map_err(|_| unknown(19))?,
    })
}

/// A date as it is stored: an array of its date, zone, side, seconds ahead, and whether the later
/// of two instants is meant.
pub(super) fn written_date(date: &DueDate) -> String {
    serde_json::json!([date.date, date.zone, date.side, date.ahead.as_secs(), date.later]).to_string()
}

fn due_date(row: &Row<'_>, column: usize) -> Result<Option<DueDate>> {
    let Some(text) = row.get::<_, Option<String>>(column)? else {
        return Ok(None);
    };
    let unknown =
        |_| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(FromSqlError::InvalidType));
    let (date, zone, side, ahead, later) = serde_json::from_str(&text).map_err(unknown)?;
    Ok(Some(DueDate {
        date,
        zone,
        side,
        ahead: SignedDuration::from_secs(ahead),
        later,
    }))
}

pub(super) fn time(row: &Row<'_>, column: usize) -> Result<Option<Timestamp>> {
    let Some(at) = row.get::<_, Option<i64>>(column)? else {
        return Ok(None);
    };
    let out_of_range = |_| rusqlite::Error::IntegralValueOutOfRange(column, at);
    Timestamp::from_millisecond(at).map(Some).map_err(out_of_range)
}

#[cfg(test)]
mod tests {
    use super::{super::schema, *};

    /// What the planner means to do for a page.
    fn plan(connection: &Connection, filter: &Filter) -> Vec<String> {
        let (sql, values) = page(filter, None, 50);
        let mut statement = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .expect("a query");
        let steps = statement.query_map(params_from_iter(values), |row| row.get(3));
        steps.expect("a plan").collect::<Result<_>>().expect("its steps")
    }

    #[test]
    fn no_page_reads_more_than_its_index_has_in_order() {
        let mut connection = Connection::open_in_memory().expect("a database");
        schema::migrate(&mut connection).expect("its tables");
        let text = |text: &str| Some(text.to_owned());
        let filters = [
            (
                "instance",
                Filter {
                    instance: text("a"),
                    ..Filter::default()
                },
            ),
            (
                "command",
                Filter {
                    command: text("a"),
                    ..Filter::default()
                },
            ),
            (
                "caller",
                Filter {
                    caller: text("a"),
                    ..Filter::default()
                },
            ),
            (
                "batch",
                Filter {
                    batch: text("a"),
                    ..Filter::default()
                },
            ),
            (
                "subject",
                Filter {
                    subject: text("a"),
                    ..Filter::default()
                },
            ),
            (
                "state",
                Filter {
                    states: vec![State::Buried],
                    ..Filter::default()
                },
            ),
            (
                "states",
                Filter {
                    states: vec![State::Failed, State::Buried],
                    ..Filter::default()
                },
            ),
        ];
        for (name, filter) in filters {
            let steps = plan(&connection, &filter);
            let reads: Vec<_> = steps
                .iter()
                .filter(|step| step.contains(" operation ") && !step.contains("SUBQUERY"))
                .collect();
            assert!(!reads.is_empty(), "{name}: {steps:?}");
            assert!(reads.iter().all(|step| step.starts_with("SEARCH")), "{name}: {steps:?}");
            // What is sorted is a page of each state.
            let sorted = steps.iter().filter(|step| step.contains("TEMP B-TREE")).count();
            assert!(sorted <= filter.states.len().max(1), "{name}: {steps:?}");
        }
    }
}
