//! Accepting, claiming and ending operations: each function is one step of one transaction.

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Result, params};

use super::{
    super::{Accepted, AttemptEnd, Claim, Claimed, Claims, End, NewOperation, State, StoreError},
    held, idempotency, lanes,
    query::{by_number, millis, written_date},
    statement::{self, Fate},
};

/// How many operations take their turn in one transaction, so that a flood of them holds up nothing
/// else.
const PROMOTED_AT_ONCE: u32 = 500;

/// How many that overtake, and wait for what runs in their lanes, a claim looks at.
const OVERTAKING_AT_ONCE: u32 = 100;

pub(super) fn accept(
    connection: &Connection,
    operations: &[NewOperation],
    now: Timestamp,
) -> Result<Vec<Accepted>, StoreError> {
    operations
        .iter()
        .map(|operation| accept_one(connection, operation, now))
        .collect()
}

fn accept_one(connection: &Connection, new: &NewOperation, now: Timestamp) -> Result<Accepted, StoreError> {
    let not_before = new.not_before.filter(|time| *time > now);
    let state = match (&new.held, not_before) {
        (Some(_), _) => State::Held,
        (None, Some(_)) => State::Scheduled,
        (None, None) => State::Waiting,
    };
    let sql =
        "INSERT INTO operation (id, instance, command, stored, class, state, not_before, created_at, caller, source,
            batch, purpose, traceparent, overtakes, is_synchronous, reason, due_date, wants_fetch)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";
    let inserted = connection.prepare_cached(sql)?.execute(params![
        new.id,
        new.instance,
        new.command,
        new.stored,
        new.class,
        state.as_str(),
        new.not_before.map(millis),
        millis(now),
        new.caller,
        new.source,
        new.batch,
        new.purpose,
        new.traceparent,
        new.overtakes,
        new.is_synchronous,
        new.held,
        new.due_date.as_ref().map(written_date),
        new.wants_fetch,
    ]);
    match inserted {
        Ok(_) => {}
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            return Err(StoreError::Duplicate);
        }
        Err(error) => return Err(error.into()),
    }
    let number = connection.last_insert_rowid();
    for name in &new.lanes {
        let sql = "INSERT INTO subject (name, operation) VALUES (?1, ?2)";
        connection.prepare_cached(sql)?.execute(params![name, number])?;
    }
    if let Fate::Ended(state, reason) = statement::file(connection, number, new, now)? {
        let sql = "UPDATE operation SET state = ?2, reason = ?3, ended_at = ?4 WHERE number = ?1";
        connection
            .prepare_cached(sql)?
            .execute(params![number, state.as_str(), reason, millis(now)])?;
        return Ok(Accepted {
            number,
            is_behind: false,
        });
    }
    let is_due = state == State::Waiting;
    let is_behind = is_due && lanes::enter(connection, number, &new.instance)?;
    Ok(Accepted { number, is_behind })
}

// Every query here names its index: without statistics the planner takes the index of states for
// any of them, and reads all that waits.

fn promote(connection: &Connection, now: Timestamp) -> Result<Option<Timestamp>> {
    let sql = "UPDATE operation INDEXED BY operation_delayed SET run_at = 0
        WHERE state = 'waiting' AND run_at > 0 AND run_at <= ?1";
    connection.prepare_cached(sql)?.execute([millis(now)])?;
    let sql = "SELECT number, instance FROM operation INDEXED BY operation_scheduled WHERE state = 'scheduled' AND not_before <= ?1
        ORDER BY not_before, number LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let due = statement.query_map(params![millis(now), PROMOTED_AT_ONCE], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    let due = due.collect::<Result<Vec<(i64, String)>>>()?;
    for (number, instance) in &due {
        let sql = "UPDATE operation SET state = 'waiting' WHERE number = ?1";
        connection.prepare_cached(sql)?.execute([number])?;
        lanes::enter(connection, *number, instance)?;
    }
    let sql = "SELECT min(at) FROM (
        SELECT min(run_at) AS at FROM operation INDEXED BY operation_delayed WHERE state = 'waiting' AND run_at > 0
        UNION ALL SELECT min(not_before) FROM operation INDEXED BY operation_scheduled WHERE state = 'scheduled')";
    let next: Option<i64> = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(next.and_then(|at| Timestamp::from_millisecond(at).ok()))
}

pub(super) fn claim(connection: &Connection, instance: &str, limit: usize, now: Timestamp) -> Result<Claims> {
    let next_due = promote(connection, now)?;
    let mut claimed = Vec::new();
    while claimed.len() < limit
        && let Some(number) = next(connection, instance)?
    {
        claimed.push(begin(connection, number, now)?);
    }
    Ok(Claims {
        claimed,
        next: next_due,
    })
}

/// The operation of an instance that is to be claimed next.
fn next(connection: &Connection, instance: &str) -> Result<Option<i64>> {
    let sql = "SELECT number FROM operation INDEXED BY operation_overtaking
        WHERE instance = ?1 AND state = 'waiting' AND overtaking = 1 AND run_at = 0 ORDER BY number LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let overtaking = statement.query_map(params![instance, OVERTAKING_AT_ONCE], |row| row.get(0))?;
    for number in overtaking.collect::<Result<Vec<_>>>()? {
        if !lanes::is_beside_running(connection, number)? {
            return Ok(Some(number));
        }
    }
    let sql = "SELECT number FROM operation INDEXED BY operation_runnable
        WHERE instance = ?1 AND state = 'waiting' AND first = 1 AND run_at = 0 ORDER BY class, turn LIMIT 1";
    connection
        .prepare_cached(sql)?
        .query_row([instance], |row| row.get(0))
        .optional()
}

/// Lets the next attempt of an operation begin.
fn begin(connection: &Connection, number: i64, now: Timestamp) -> Result<Claimed> {
    let sql = "INSERT INTO attempt (operation, number, started_at, requested_by)
        SELECT number, attempts + 1, ?2, requested_by FROM operation WHERE number = ?1";
    connection.prepare_cached(sql)?.execute(params![number, millis(now)])?;
    let sql = "UPDATE operation SET state = 'running', reason = NULL, run_at = 0, epoch = epoch + 1,
            attempts = attempts + 1, requested_by = NULL WHERE number = ?1";
    connection.prepare_cached(sql)?.execute([number])?;
    let sql = "SELECT epoch, attempts, turn, first FROM operation WHERE number = ?1";
    let (claim, is_first): (_, bool) = connection.prepare_cached(sql)?.query_row([number], |row| {
        let claim = Claim {
            number,
            epoch: row.get(0)?,
            attempt: row.get(1)?,
            turn: row.get(2)?,
        };
        Ok((claim, row.get(3)?))
    })?;
    if is_first {
        lanes::begin_first(connection, number)?;
    } else {
        lanes::set_running(connection, number, true)?;
    }
    let operation = by_number(connection, number)?;
    Ok(Claimed {
        claim,
        operation,
        is_out_of_turn: !is_first,
    })
}

pub(super) fn end(
    connection: &Connection,
    claim: &Claim,
    attempt: &AttemptEnd,
    end: &End,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (state, reason, run_at) = match end {
        End::Ended(state, reason) | End::Waits(state, reason) | End::Aside(state, reason) => {
            (*state, reason.as_deref(), 0)
        }
        // 0 stands for at once.
        End::RetryAt(time) => (State::Waiting, None, millis(*time).max(1)),
        End::InTurn => (State::Waiting, None, 0),
        End::Postponed(_) => (State::Scheduled, None, 0),
    };
    let sql = "SELECT instance, id FROM operation WHERE number = ?1 AND epoch = ?2 AND state = 'running'";
    let (instance, id): (String, String) = connection
        .prepare_cached(sql)?
        .query_row(params![claim.number, claim.epoch], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .ok_or(StoreError::Fenced)?;
    let sql = "UPDATE operation SET state = ?2, reason = ?3, run_at = ?4, ended_at = ?5,
            may_have_written = may_have_written OR ?6, has_changed = has_changed OR ?8,
            envelope = CASE WHEN has_changed THEN envelope ELSE coalesce(?7, envelope) END,
            overtaking = overtaking AND ?9
        WHERE number = ?1";
    connection.prepare_cached(sql)?.execute(params![
        claim.number,
        state.as_str(),
        reason,
        run_at,
        state.has_ended().then(|| millis(now)),
        attempt.may_have_written,
        attempt.envelope,
        attempt.changed,
        matches!(end, End::RetryAt(_)),
    ])?;
    note(connection, claim, attempt, &instance, &id, now)?;
    let leaves = matches!(end, End::Ended(..) | End::Aside(..) | End::Postponed(_));
    if let End::Postponed(time) = end {
        let sql = "UPDATE operation SET not_before = ?2 WHERE number = ?1";
        connection
            .prepare_cached(sql)?
            .execute(params![claim.number, millis(*time)])?;
    }
    // What leaves need not enter the lanes that were learned before.
    if leaves {
        lanes::leave(connection, claim.number)?;
    }
    if let Some(learned) = &attempt.learned {
        lanes::learn(connection, &instance, learned)?;
    }
    if !leaves {
        lanes::set_running(connection, claim.number, false)?;
    }
    match end {
        End::Aside(..) => held::await_more(connection, claim.number)?,
        // What says nothing new of its person wakes nothing.
        End::Ended(State::Superseded, _) | End::RetryAt(_) | End::InTurn | End::Postponed(_) | End::Waits(..) => {}
        End::Ended(..) => {
            let learned = attempt.learned.as_ref().map(|learned| learned.lanes.clone());
            held::take_up(connection, &instance, claim.number, &learned.unwrap_or_default())?;
        }
    }
    Ok(())
}

/// Keeps what an attempt came to.
fn note(
    connection: &Connection,
    claim: &Claim,
    attempt: &AttemptEnd,
    instance: &str,
    id: &str,
    now: Timestamp,
) -> Result<()> {
    let sql = "UPDATE attempt SET ended_at = ?3, cause = ?4, status = ?5, aws_request_ids = ?6
        WHERE operation = ?1 AND number = ?2";
    connection.prepare_cached(sql)?.execute(params![
        claim.number,
        claim.attempt,
        millis(now),
        attempt.cause,
        attempt.status,
        attempt.aws_request_ids,
    ])?;
    if let Some(status) = attempt.answered {
        idempotency::keep_answer(connection, claim.number, status, attempt.envelope.as_deref())?;
    }
    statement::note(connection, claim.number, attempt)?;
    if let Some(directory_id) = &attempt.disabled {
        note_disabled(connection, claim, instance, directory_id, id)?;
    }
    Ok(())
}

fn note_disabled(connection: &Connection, claim: &Claim, instance: &str, directory_id: &str, id: &str) -> Result<()> {
    let sql = "INSERT INTO disabled (instance, directory_id, number, turn, operation) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT DO UPDATE SET number = max(number, excluded.number), turn = max(turn, excluded.turn),
            operation = excluded.operation
        WHERE excluded.number > number OR excluded.turn > turn";
    let values = params![instance, directory_id, claim.number, claim.turn, id];
    connection.prepare_cached(sql)?.execute(values)?;
    let sql = "UPDATE disabled SET called_number = max(coalesce(called_number, 0), ?3),
            called_turn = max(coalesce(called_turn, 0), ?4), called_operation = ?5
        WHERE instance = ?1 AND directory_id = ?2
            AND (?3 > coalesce(called_number, 0) OR ?4 > coalesce(called_turn, 0))
            AND NOT EXISTS (SELECT 1 FROM statement WHERE statement.number = ?3)";
    connection.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

pub(super) fn cancel(connection: &Connection, id: &str, reason: Option<&str>, now: Timestamp) -> Result<Option<State>> {
    let Some((number, state)) = find(connection, id)? else {
        return Ok(None);
    };
    if state.is_cancellable() {
        // What was held is held again when it is retried, by which it is known.
        let sql = "UPDATE operation SET state = 'cancelled', run_at = 0, ended_at = ?3,
                reason = coalesce(?2, CASE WHEN state = 'held' THEN reason END) WHERE number = ?1";
        connection
            .prepare_cached(sql)?
            .execute(params![number, reason, millis(now)])?;
        held::forget_awaiting(connection, number)?;
        lanes::leave(connection, number)?;
    }
    Ok(Some(state))
}

pub(super) fn retry(
    connection: &Connection,
    id: &str,
    requested_by: Option<&str>,
    _now: Timestamp,
) -> Result<Option<State>> {
    let Some((number, state)) = find(connection, id)? else {
        return Ok(None);
    };
    if state == State::Cancelled && held::hold_again(connection, number)? {
        return Ok(Some(state));
    }
    if matches!(state, State::Failed | State::Buried | State::Cancelled | State::Waiting) {
        let sql =
            "UPDATE operation SET state = 'waiting', reason = NULL, run_at = 0, ended_at = NULL, requested_by = ?2
            WHERE number = ?1 RETURNING instance, turn IS NULL";
        let (instance, has_left): (String, bool) = connection
            .prepare_cached(sql)?
            .query_row(params![number, requested_by], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if has_left {
            lanes::enter(connection, number, &instance)?;
        }
    }
    Ok(Some(state))
}

pub(super) fn reschedule(
    connection: &Connection,
    id: &str,
    not_before: Timestamp,
    now: Timestamp,
) -> Result<Option<State>> {
    let Some((number, state)) = find(connection, id)? else {
        return Ok(None);
    };
    move_to(connection, number, state, not_before, now)?;
    Ok(Some(state))
}

/// Moves an operation in this state to another time, unless it has begun. Tells whether it did.
pub(super) fn move_to(
    connection: &Connection,
    number: i64,
    state: State,
    not_before: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    let sql = "SELECT attempts = 0 FROM operation WHERE number = ?1";
    let has_not_begun: bool = connection.prepare_cached(sql)?.query_row([number], |row| row.get(0))?;
    let is_movable = state == State::Scheduled || state == State::Waiting && has_not_begun;
    if is_movable {
        let sql = "UPDATE operation SET state = 'scheduled', not_before = ?2, due_date = NULL, run_at = 0
            WHERE number = ?1 RETURNING instance";
        let instance: String = connection
            .prepare_cached(sql)?
            .query_row(params![number, millis(not_before)], |row| row.get(0))?;
        if state == State::Waiting {
            lanes::leave(connection, number)?;
        }
        if not_before <= now {
            connection
                .prepare_cached("UPDATE operation SET state = 'waiting' WHERE number = ?1")?
                .execute([number])?;
            lanes::enter(connection, number, &instance)?;
        }
    }
    Ok(is_movable)
}

pub(super) fn prune(connection: &Connection, states: &[State], ended_before: Timestamp, limit: u32) -> Result<usize> {
    let states: Vec<&str> = states
        .iter()
        .filter(|state| state.has_ended())
        .map(|state| state.as_str())
        .collect();
    let sql = "DELETE FROM operation WHERE number IN (SELECT number FROM operation INDEXED BY operation_ended
        WHERE ended_at < ?1 AND state IN (SELECT value FROM json_each(?2)) LIMIT ?3)";
    let states = serde_json::Value::from(states).to_string();
    connection
        .prepare_cached(sql)?
        .execute(params![millis(ended_before), states, limit])
}

pub(super) fn find(connection: &Connection, id: &str) -> Result<Option<(i64, State)>> {
    let sql = "SELECT number, state FROM operation WHERE id = ?1";
    let found: Option<(i64, String)> = connection
        .prepare_cached(sql)?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    // A state of a newer program can't be in a file of this schema.
    Ok(found.and_then(|(number, state)| Some((number, State::parse(&state)?))))
}
