//! Counting what waits.

use rusqlite::{
    Connection, Result,
    types::{FromSqlError, Type},
};

use super::{
    super::{Backlog, State},
    query::time,
};

/// How many operations are open or buried, by the index of states: what has ended, by far the most,
/// is not read.
pub(super) fn backlog(connection: &Connection) -> Result<Vec<Backlog>> {
    let sql = "SELECT instance, state, class, count(*), min(max(created_at, coalesce(not_before, created_at)))
        FROM operation WHERE state IN ('scheduled', 'waiting', 'running', 'held', 'needs_data', 'buried')
        GROUP BY instance, state, class ORDER BY instance, state, class";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| {
        let state: String = row.get(1)?;
        let unknown = || rusqlite::Error::FromSqlConversionFailure(1, Type::Text, Box::new(FromSqlError::InvalidType));
        Ok(Backlog {
            instance: row.get(0)?,
            state: State::parse(&state).ok_or_else(unknown)?,
            class: row.get(2)?,
            count: row.get::<_, i64>(3)?.unsigned_abs(),
            oldest: time(row, 4)?.unwrap_or_default(),
        })
    })?;
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::{super::schema, *};

    #[test]
    fn every_state_that_is_not_the_end_is_counted() {
        let mut connection = Connection::open_in_memory().expect("a database");
        schema::migrate(&mut connection).expect("its tables");
        for state in State::ALL {
            let sql = "INSERT INTO operation (id, instance, command, stored, class, state, created_at, overtakes, is_synchronous)
                VALUES (?1, 'a', 'b', '{}', 1, ?1, 0, 0, 0)";
            connection.execute(sql, [state.as_str()]).expect("a row");
        }
        let counted: Vec<State> = backlog(&connection)
            .expect("an answer")
            .iter()
            .map(|row| row.state)
            .collect();
        for state in State::ALL {
            let is_kept = !state.has_ended() || state == State::Buried;
            assert_eq!(counted.contains(&state), is_kept, "{state:?}");
        }
        let plan = "EXPLAIN QUERY PLAN SELECT count(*) FROM operation WHERE state IN ('waiting', 'buried')";
        let step: String = connection.query_row(plan, [], |row| row.get(3)).expect("a plan");
        assert!(step.starts_with("SEARCH"), "{step}");
    }
}
