//! Statements: whose they are, what they replace, and what waits for more of their person.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{
    Connection, OptionalExtension as _, Result, Row, params,
    types::{FromSqlError, Type},
};

use super::{
    super::{AttemptEnd, NewOperation, NewStatement, Standing, State, Statement, Word},
    held, lanes, people,
    query::{millis, time},
};

/// How many of a person's statements are looked at: the newest.
const MOST: u32 = 2_000;

/// What becomes of an operation by what was said of its person before it.
pub(super) enum Fate {
    /// It goes its way.
    Goes,
    /// It ends in this state, for this reason.
    Ended(State, String),
}

/// Keeps what an operation's event says of its person, and ends what that replaces or cancels.
pub(super) fn file(connection: &Connection, number: i64, new: &NewOperation, now: Timestamp) -> Result<Fate> {
    let Some(said) = new.statement.as_deref() else {
        return Ok(Fate::Goes);
    };
    let person = people::of(connection, number, new, said)?;
    insert(connection, number, person, new, said)?;
    let Some(purpose) = &new.purpose else {
        return Ok(Fate::Goes);
    };
    let same = SamePurpose {
        person,
        purpose,
        number,
    };
    if said.word == Word::Cancelled {
        cancel_earlier(connection, &same, said, &new.id, now)?;
        return Ok(Fate::Goes);
    }
    if let Some(by) = same.newer(connection, Word::Cancelled, said.said_at)? {
        set_standing(connection, number, Standing::Cancelled)?;
        let is_due = new.not_before.is_none_or(|time| time <= now) && new.held.is_none();
        // Had it come in time, the person would be there and inactive.
        if is_due && matches!(said.word, Word::Active | Word::Expected) {
            return Ok(Fate::Goes);
        }
        return Ok(Fate::Ended(State::Cancelled, format!("cancelled by {by}")));
    }
    if new.due_date.is_some()
        && let Some(by) = same.newer(connection, said.word, said.said_at)?
    {
        set_standing(connection, number, Standing::Replaced)?;
        return Ok(Fate::Ended(State::Superseded, format!("replaced by {by}")));
    }
    // What is held replaces nothing before a person lets it go on.
    if new.held.is_none() {
        replace_earlier(connection, &same, (said.word, said.said_at), &new.id, now)?;
    }
    Ok(Fate::Goes)
}

/// Ends what an operation replaces that was held until now.
pub(super) fn released(connection: &Connection, number: i64, id: &str, now: Timestamp) -> Result<()> {
    let sql = "SELECT person, purpose, word, said_at FROM statement WHERE number = ?1 AND purpose IS NOT NULL";
    let found = connection
        .prepare_cached(sql)?
        .query_row([number], |row| {
            let word: String = row.get(2)?;
            Ok((row.get(0)?, row.get::<_, String>(1)?, Word::parse(&word), time(row, 3)?))
        })
        .optional()?;
    let Some((person, purpose, Some(word), Some(said_at))) = found else {
        return Ok(());
    };
    let same = SamePurpose {
        person,
        purpose: &purpose,
        number,
    };
    replace_earlier(connection, &same, (word, said_at), id, now)
}

/// What was said of one person for one purpose, but for one statement.
struct SamePurpose<'a> {
    person: i64,
    purpose: &'a str,
    number: i64,
}

impl SamePurpose<'_> {
    /// The operation of a statement with this word that was said later, or at the same time and
    /// accepted earlier where that is a cancellation.
    fn newer(&self, connection: &Connection, word: Word, said_at: Timestamp) -> Result<Option<String>> {
        let sql = "SELECT operation FROM statement WHERE person = ?1 AND purpose = ?2 AND number <> ?3 AND word = ?4
                AND standing <> 'cancelled' AND (said_at > ?5 OR said_at = ?5 AND word = 'cancelled')
                AND NOT EXISTS (SELECT 1 FROM operation WHERE operation.number = statement.number
                    AND state IN ('cancelled', 'held') AND coalesce(reason, '') <> 'unknown_person')
            ORDER BY said_at DESC, number DESC LIMIT 1";
        connection
            .prepare_cached(sql)?
            .query_row(
                params![self.person, self.purpose, self.number, word.as_str(), millis(said_at)],
                |row| row.get(0),
            )
            .optional()
    }

    /// The operations of statements with one of these words that were said by then, with their
    /// states.
    fn earlier(&self, connection: &Connection, said_at: Timestamp) -> Result<Vec<Earlier>> {
        let sql = "SELECT statement.number, word, is_dated, operation.state, attempts FROM statement
                LEFT JOIN operation ON operation.number = statement.number
            WHERE person = ?1 AND statement.purpose = ?2 AND statement.number <> ?3 AND standing = 'holds' AND said_at <= ?4";
        let mut statement = connection.prepare_cached(sql)?;
        let rows = statement.query_map(
            params![self.person, self.purpose, self.number, millis(said_at)],
            |row| {
                let (word, state): (String, Option<String>) = (row.get(1)?, row.get(3)?);
                Ok(Earlier {
                    number: row.get(0)?,
                    word: Word::parse(&word),
                    is_dated: row.get(2)?,
                    state: state.as_deref().and_then(State::parse),
                    attempts: row.get::<_, Option<u32>>(4)?.unwrap_or_default(),
                })
            },
        )?;
        rows.collect()
    }
}

struct Earlier {
    number: i64,
    word: Option<Word>,
    is_dated: bool,
    state: Option<State>,
    attempts: u32,
}

impl Earlier {
    /// Whether it waits, and has not begun.
    fn waits(&self) -> bool {
        match self.state {
            Some(State::Scheduled | State::Held | State::NeedsData) => true,
            Some(State::Waiting) => self.attempts == 0,
            Some(_) | None => false,
        }
    }
}

/// A date that is said anew takes the place of the one that waits for the same purpose.
fn replace_earlier(
    connection: &Connection,
    same: &SamePurpose<'_>,
    (word, said_at): (Word, Timestamp),
    by: &str,
    now: Timestamp,
) -> Result<()> {
    for earlier in same.earlier(connection, said_at)? {
        if earlier.word == Some(word) && earlier.is_dated && earlier.waits() {
            set_standing(connection, earlier.number, Standing::Replaced)?;
            leave(
                connection,
                earlier.number,
                State::Superseded,
                &format!("replaced by {by}"),
                now,
            )?;
        }
    }
    Ok(())
}

/// What was said for a purpose holds no more, and what of it waits is not carried out.
fn cancel_earlier(
    connection: &Connection,
    same: &SamePurpose<'_>,
    said: &NewStatement,
    by: &str,
    now: Timestamp,
) -> Result<()> {
    for earlier in same.earlier(connection, said.said_at)? {
        if earlier.word == Some(Word::Cancelled) {
            continue;
        }
        set_standing(connection, earlier.number, Standing::Cancelled)?;
        let has_ended = earlier.state.is_none_or(State::has_ended);
        // A hire whose day has come makes its user, inactive, whether or not it came to that yet.
        let is_due_hire =
            matches!(earlier.word, Some(Word::Active | Word::Expected)) && earlier.state == Some(State::Waiting);
        if !has_ended && !is_due_hire && earlier.state != Some(State::Running) {
            leave(
                connection,
                earlier.number,
                State::Cancelled,
                &format!("cancelled by {by}"),
                now,
            )?;
        }
    }
    Ok(())
}

fn insert(connection: &Connection, number: i64, person: i64, new: &NewOperation, said: &NewStatement) -> Result<()> {
    let sql =
        "INSERT INTO statement (number, operation, instance, person, said_at, effective_at, is_dated, word, purpose,
            names, attributes, conversion)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    let texts = [
        serde_json::to_string(&said.names).unwrap_or_default(),
        serde_json::to_string(&said.attributes).unwrap_or_default(),
    ];
    connection.prepare_cached(sql)?.execute(params![
        number,
        new.id,
        new.instance,
        person,
        millis(said.said_at),
        millis(said.effective_at.unwrap_or(said.said_at)),
        new.due_date.is_some(),
        said.word.as_str(),
        new.purpose,
        texts[0],
        texts[1],
        said.conversion.map(|length| length.as_secs()),
    ])?;
    Ok(())
}

fn set_standing(connection: &Connection, number: i64, standing: Standing) -> Result<()> {
    let sql = "UPDATE statement SET standing = ?2 WHERE number = ?1";
    connection
        .prepare_cached(sql)?
        .execute(params![number, standing.as_str()])?;
    Ok(())
}

/// Ends an operation that has not begun.
fn leave(connection: &Connection, number: i64, state: State, reason: &str, now: Timestamp) -> Result<()> {
    let sql = "UPDATE operation SET state = ?2, reason = ?3, run_at = 0, ended_at = ?4 WHERE number = ?1";
    connection
        .prepare_cached(sql)?
        .execute(params![number, state.as_str(), reason, millis(now)])?;
    held::forget_awaiting(connection, number)?;
    lanes::leave(connection, number)
}

/// What was said of the person of an operation, oldest first; nothing where its event said nothing.
pub(super) fn of_operation(connection: &Connection, number: i64) -> Result<Vec<Statement>> {
    let sql = "SELECT statement.number, statement.operation, said_at, effective_at, word, statement.purpose, names,
            attributes, conversion, standing, is_carried_out, statement.has_changed, operation.state,
            operation.reason, is_dated
        FROM (SELECT * FROM statement WHERE person = (SELECT person FROM statement WHERE number = ?1)
                ORDER BY number DESC LIMIT ?2) statement
            LEFT JOIN operation ON operation.number = statement.number
        ORDER BY statement.number";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![number, MOST], statement_row)?;
    rows.collect()
}

fn statement_row(row: &Row<'_>) -> Result<Statement> {
    let unknown =
        |column| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(FromSqlError::InvalidType));
    let text = |column| row.get::<_, String>(column);
    let names: BTreeSet<String> = serde_json::from_str(&text(6)?).map_err(|_| unknown(6))?;
    let attributes: BTreeMap<String, String> = serde_json::from_str(&text(7)?).map_err(|_| unknown(7))?;
    Ok(Statement {
        number: row.get(0)?,
        operation: row.get(1)?,
        said_at: time(row, 2)?.unwrap_or_default(),
        effective_at: time(row, 3)?.unwrap_or_default(),
        is_dated: row.get(14)?,
        word: Word::parse(&text(4)?).ok_or_else(|| unknown(4))?,
        purpose: row.get(5)?,
        names,
        attributes,
        conversion: row.get::<_, Option<i64>>(8)?.map(SignedDuration::from_secs),
        standing: Standing::parse(&text(9)?).ok_or_else(|| unknown(9))?,
        is_carried_out: row.get(10)?,
        has_changed: row.get(11)?,
        state: row.get::<_, Option<String>>(12)?.as_deref().and_then(State::parse),
        reason: row.get(13)?,
    })
}

/// Keeps what an attempt came to of its person's statements.
pub(super) fn note(connection: &Connection, number: i64, attempt: &AttemptEnd) -> Result<()> {
    for carried_out in &attempt.carried_out {
        let sql = "UPDATE statement SET is_carried_out = 1, has_changed = has_changed OR (number = ?2 AND ?3)
            WHERE number = ?1";
        let values = params![carried_out, number, attempt.has_changed_active];
        connection.prepare_cached(sql)?.execute(values)?;
    }
    if attempt.made_active {
        let sql = "UPDATE statement SET has_changed = 0 WHERE word = 'inactive'
            AND person = (SELECT person FROM statement WHERE number = ?1)";
        connection.prepare_cached(sql)?.execute([number])?;
    }
    for withheld_by in &attempt.withheld_by {
        let sql = "UPDATE statement SET has_changed = 1 WHERE number = ?1 AND ?2";
        let values = params![withheld_by, attempt.has_changed_active];
        connection.prepare_cached(sql)?.execute(values)?;
    }
    if !attempt.fetched.is_empty() {
        let sql = "UPDATE statement SET attributes = json_patch(attributes, ?2) WHERE number = ?1";
        let fetched = serde_json::to_string(&attempt.fetched).unwrap_or_default();
        connection.prepare_cached(sql)?.execute(params![number, fetched])?;
    }
    Ok(())
}
