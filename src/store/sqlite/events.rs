//! Events of webhooks: kept once, known again, and looked through.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{
    Connection, OptionalExtension as _, Result, Row, ToSql, params, params_from_iter,
    types::{FromSqlError, Type},
};

use super::{
    super::{
        EventFilter, EventKey, EventPage, EventReading, EventVerdict, NewDelivery, NewEvent, NewQuarantined,
        QuarantineLimits, Received, ReceivedEvent, StoreError, StoredEvent,
    },
    query::{millis, time},
    queue,
};

/// How much longer an event is known than its content is kept, in milliseconds. A sender's time may
/// be ahead of ours; an event is refused as too old only by that time.
const REMEMBERED_LONGER: i64 = 24 * 60 * 60 * 1_000;

/// What [`event_row`] reads.
const COLUMNS: &str = "event.number, event.id, event.source, position, key, type, time, event.received_at, verdict, \
    rule, reason, address, (SELECT json_group_array(operation) FROM \
        (SELECT operation FROM event_operation WHERE event = event.number ORDER BY place))";

pub(super) fn receive(connection: &Connection, new: &NewDelivery, now: Timestamp) -> Result<Received, StoreError> {
    // Before anything is written, since what is refused here is an answer and undoes nothing.
    if let Some(refused) = refused(connection, new)? {
        return Ok(refused);
    }
    if let Some(id) = &new.released {
        let sql = "DELETE FROM delivery WHERE number = (SELECT delivery FROM event WHERE id = ?1)";
        connection.prepare_cached(sql)?.execute([id])?;
    }
    let mut delivery = None;
    let mut received = Vec::with_capacity(new.events.len());
    for (position, event) in new.events.iter().enumerate() {
        if let Some(Before::Same(id) | Before::Other(id)) = before(connection, &new.source, event)? {
            received.push(ReceivedEvent { id, is_duplicate: true });
            continue;
        }
        let number = match delivery {
            Some(number) => number,
            None => *delivery.insert(insert_delivery(connection, &new.content, new.received_at)?),
        };
        insert(connection, new, number, position, event, now)?;
        received.push(ReceivedEvent {
            id: event.id.clone(),
            is_duplicate: false,
        });
    }
    Ok(Received::Stored(received))
}

/// Why nothing of a delivery is to be stored.
fn refused(connection: &Connection, new: &NewDelivery) -> Result<Option<Received>> {
    if let Some(id) = &new.released {
        let sql = "SELECT EXISTS (SELECT 1 FROM event WHERE id = ?1 AND verdict = 'quarantined')";
        let is_there: bool = connection.prepare_cached(sql)?.query_row([id], |row| row.get(0))?;
        if !is_there {
            return Ok(Some(Received::Gone));
        }
    }
    let mut ids = BTreeMap::new();
    for (position, event) in new.events.iter().enumerate() {
        if let Some(Before::Other(first)) = before(connection, &new.source, event)? {
            let first = Some(first);
            return Ok(Some(Received::Reused { position, first }));
        }
        if let EventKey::Id(id) = &event.key
            && *ids.entry(id).or_insert(event.digest) != event.digest
        {
            return Ok(Some(Received::Reused { position, first: None }));
        }
    }
    Ok(None)
}

/// Whether an event came before.
enum Before {
    /// As the event of this id.
    Same(String),
    /// Another did under its id, which is this.
    Other(String),
}

fn before(connection: &Connection, source: &str, event: &NewEvent) -> Result<Option<Before>> {
    let sql =
        "SELECT number, id, digest, accepted FROM event WHERE source = ?1 AND key = ?2 ORDER BY number DESC LIMIT 1";
    let found: Option<(i64, String, Vec<u8>, Option<i64>)> = connection
        .prepare_cached(sql)?
        .query_row(params![source, written(&event.key)], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    let Some((number, id, digest, accepted)) = found else {
        return Ok(None);
    };
    match &event.key {
        EventKey::Id(_) if digest != event.digest => Ok(Some(Before::Other(id))),
        EventKey::Id(_) => Ok(Some(Before::Same(id))),
        EventKey::Content(_) => {
            // What came to nothing is no word that stands: its rule may have been mended since.
            let Some(accepted) = accepted else {
                return Ok(None);
            };
            let sql = "SELECT EXISTS (SELECT 1 FROM event_subject mine JOIN event_subject other USING (name)
                JOIN event ON event.number = other.event WHERE mine.event = ?1 AND event.accepted > ?2)";
            let is_over: bool = connection
                .prepare_cached(sql)?
                .query_row(params![number, accepted], |row| row.get(0))?;
            Ok((!is_over).then_some(Before::Same(id)))
        }
    }
}

fn insert_delivery(connection: &Connection, content: &str, received_at: Timestamp) -> Result<i64> {
    let sql = "INSERT INTO delivery (received_at, content) VALUES (?1, ?2)";
    connection
        .prepare_cached(sql)?
        .execute(params![millis(received_at), content])?;
    Ok(connection.last_insert_rowid())
}

fn insert(
    connection: &Connection,
    new: &NewDelivery,
    delivery: i64,
    position: usize,
    event: &NewEvent,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO event (id, delivery, position, source, key, digest, type, time, received_at, verdict)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, '')";
    connection.prepare_cached(sql)?.execute(params![
        event.id,
        delivery,
        i64::try_from(position).unwrap_or(i64::MAX),
        new.source,
        written(&event.key),
        event.digest,
        event.r#type,
        event.time.map(millis),
        millis(new.received_at),
    ])?;
    read(connection, connection.last_insert_rowid(), &event.reading, now)
}

/// Keeps what the rules made of an event.
fn read(connection: &Connection, number: i64, reading: &EventReading, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE event SET verdict = ?2, rule = ?3, reason = ?4,
            accepted = CASE WHEN ?2 = 'accepted' THEN (SELECT coalesce(max(accepted), 0) + 1 FROM event) END
        WHERE number = ?1";
    let verdict = reading.verdict.as_str();
    connection
        .prepare_cached(sql)?
        .execute(params![number, verdict, reading.rule, reading.reason])?;
    for name in &reading.subjects {
        let sql = "INSERT OR IGNORE INTO event_subject (name, event) VALUES (?1, ?2)";
        connection.prepare_cached(sql)?.execute(params![name, number])?;
    }
    queue::accept(connection, &reading.operations, now)?;
    for (place, operation) in (0_i64..).zip(&reading.operations) {
        let sql = "INSERT INTO event_operation (event, place, operation) VALUES (?1, ?2, ?3)";
        connection
            .prepare_cached(sql)?
            .execute(params![number, place, operation.id])?;
    }
    Ok(())
}

pub(super) fn replay(
    connection: &Connection,
    id: &str,
    reading: &EventReading,
    now: Timestamp,
) -> Result<Option<EventVerdict>, StoreError> {
    let sql = "SELECT event.number, verdict FROM event JOIN delivery ON delivery.number = event.delivery
        WHERE event.id = ?1 AND content IS NOT NULL";
    let found = connection
        .prepare_cached(sql)?
        .query_row([id], |row| Ok((row.get(0)?, verdict(row, 1)?)))
        .optional()?;
    let Some((number, verdict)) = found else {
        return Ok(None);
    };
    if verdict.is_replayable() {
        read(connection, number, reading, now)?;
    }
    Ok(Some(verdict))
}

pub(super) fn quarantine(connection: &Connection, new: &NewQuarantined, limits: QuarantineLimits) -> Result<bool> {
    let sql = "SELECT count(*), count(*) FILTER (WHERE address = ?1) FROM event INDEXED BY event_quarantined
        WHERE verdict = 'quarantined'";
    let (all, of_address): (u32, u32) = connection
        .prepare_cached(sql)?
        .query_row([&new.address], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if all >= limits.size || of_address >= limits.by_address {
        return Ok(false);
    }
    let delivery = insert_delivery(connection, &new.content, new.received_at)?;
    let sql = "INSERT INTO event (id, delivery, position, source, received_at, verdict, reason, address)
        VALUES (?1, ?2, 0, ?3, ?4, 'quarantined', ?5, ?6)";
    connection.prepare_cached(sql)?.execute(params![
        new.id,
        delivery,
        new.source,
        millis(new.received_at),
        new.reason,
        new.address,
    ])?;
    Ok(true)
}

/// Deletes the contents of what came before this time, and who is in it; and what is known no
/// longer, unless its operations are there yet. What is quarantined goes whole.
pub(super) fn prune(connection: &Connection, received_before: Timestamp, limit: u32) -> Result<usize> {
    let before = millis(received_before);
    let sql = "DELETE FROM delivery WHERE number IN (SELECT delivery FROM event INDEXED BY event_quarantined
        WHERE verdict = 'quarantined' AND received_at < ?1 LIMIT ?2)";
    let released = connection.prepare_cached(sql)?.execute(params![before, limit])?;
    let sql = "DELETE FROM event_subject WHERE event IN (SELECT event.number FROM event
        JOIN (SELECT number FROM delivery INDEXED BY delivery_kept WHERE content IS NOT NULL AND received_at < ?1
            ORDER BY received_at, number LIMIT ?2) old ON old.number = event.delivery)";
    connection.prepare_cached(sql)?.execute(params![before, limit])?;
    let sql = "UPDATE delivery SET content = NULL WHERE number IN (SELECT number FROM delivery INDEXED BY delivery_kept
        WHERE content IS NOT NULL AND received_at < ?1 ORDER BY received_at, number LIMIT ?2)";
    let emptied = connection.prepare_cached(sql)?.execute(params![before, limit])?;
    let sql = "DELETE FROM delivery WHERE number IN (SELECT number FROM delivery INDEXED BY delivery_emptied
        WHERE content IS NULL AND received_at < ?1 AND NOT EXISTS (SELECT 1 FROM event
            JOIN event_operation ON event_operation.event = event.number
            JOIN operation ON operation.id = event_operation.operation WHERE event.delivery = delivery.number)
        LIMIT ?2)";
    connection
        .prepare_cached(sql)?
        .execute(params![before.saturating_sub(REMEMBERED_LONGER), limit])?;
    Ok(released + emptied)
}

pub(super) fn event(connection: &Connection, id: &str) -> Result<Option<StoredEvent>> {
    let sql = format!(
        "SELECT {COLUMNS}, content FROM event JOIN delivery ON delivery.number = event.delivery WHERE event.id = ?1"
    );
    let with_content = |row: &Row<'_>| {
        Ok(StoredEvent {
            content: row.get(13)?,
            ..event_row(row)?
        })
    };
    connection
        .prepare_cached(&sql)?
        .query_row([id], with_content)
        .optional()
}

pub(super) fn events(
    connection: &Connection,
    filter: &EventFilter,
    before: Option<i64>,
    limit: u32,
) -> Result<EventPage> {
    // One more than is shown says whether there is another page.
    let (sql, values) = page(filter, before, limit.saturating_add(1));
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), event_row)?;
    let mut events = rows.collect::<Result<Vec<_>>>()?;
    let limit = limit as usize;
    let next = events.get(limit).map(|_| events[limit - 1].number);
    events.truncate(limit);
    Ok(EventPage { events, next })
}

fn page(filter: &EventFilter, before: Option<i64>, limit: u32) -> (String, Vec<Box<dyn ToSql>>) {
    // A person's events are paged through in their own order, not looked for among all.
    let (tables, number) = match filter.subject {
        Some(_) => (
            "event_subject JOIN event ON event.number = event_subject.event",
            "event_subject.event",
        ),
        None => ("event", "event.number"),
    };
    let mut conditions = vec![format!("{number} < ?")];
    let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(before.unwrap_or(i64::MAX))];
    let verdict = filter.verdict.map(|verdict| verdict.as_str().to_owned());
    let texts = [
        ("event.source = ?", &filter.source),
        ("event.verdict = ?", &verdict),
        ("event_subject.name = ?", &filter.subject),
    ];
    for (condition, value) in texts {
        if let Some(value) = value {
            conditions.push(condition.to_owned());
            values.push(Box::new(value.clone()));
        }
    }
    let times = [
        ("event.received_at >= ?", filter.received_from),
        ("event.received_at < ?", filter.received_before),
    ];
    for (condition, value) in times {
        if let Some(value) = value {
            conditions.push(condition.to_owned());
            values.push(Box::new(millis(value)));
        }
    }
    values.push(Box::new(limit));
    let conditions = conditions.join(" AND ");
    (
        format!("SELECT {COLUMNS} FROM {tables} WHERE {conditions} ORDER BY {number} DESC LIMIT ?"),
        values,
    )
}

/// A key as it is stored: one by id is never one by content.
fn written(key: &EventKey) -> String {
    match key {
        EventKey::Id(id) => format!("id {id}"),
        EventKey::Content(content) => format!("content {content}"),
    }
}

fn key(text: &str) -> Option<EventKey> {
    let (kind, key) = text.split_once(' ')?;
    match kind {
        "id" => Some(EventKey::Id(key.to_owned())),
        "content" => Some(EventKey::Content(key.to_owned())),
        _ => None,
    }
}

fn verdict(row: &Row<'_>, column: usize) -> Result<EventVerdict> {
    let name: String = row.get(column)?;
    EventVerdict::parse(&name).ok_or_else(|| unknown(column))
}

fn unknown(column: usize) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(FromSqlError::InvalidType))
}

fn event_row(row: &Row<'_>) -> Result<StoredEvent> {
    let known_by: Option<String> = row.get(4)?;
    let operations: String = row.get(12)?;
    Ok(StoredEvent {
        number: row.get(0)?,
        id: row.get(1)?,
        source: row.get(2)?,
        position: row.get(3)?,
        key: known_by.as_deref().and_then(key),
        r#type: row.get(5)?,
        time: time(row, 6)?,
        received_at: time(row, 7)?.unwrap_or_default(),
        verdict: verdict(row, 8)?,
        rule: row.get(9)?,
        reason: row.get(10)?,
        address: row.get(11)?,
        operations: serde_json::from_str(&operations).map_err(|_| unknown(12))?,
        content: None,
    })
}
