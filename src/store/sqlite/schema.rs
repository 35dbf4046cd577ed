//! The tables, and how an older file gets them. Forward only.

use rusqlite::Connection;

use super::OpenError;

/// By this number in its header a file is known as ours: "AILM".
const APPLICATION: i64 = 0x4149_4C4D;

/// Each is run once, in one transaction with the number that is kept in `user_version`. What has
/// been released is never changed: a later one mends it.
const MIGRATIONS: [&[&str]; 4] = [&[OPERATIONS, REQUESTS], &[EVENTS], &[STATEMENTS], &[CALLBACKS]];

const OPERATIONS: &str = "
CREATE TABLE operation (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    instance TEXT NOT NULL,
    command TEXT NOT NULL,
    stored TEXT NOT NULL,
    class INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    turn INTEGER,                        -- its place in its lanes; none while it stands outside
    first INTEGER NOT NULL DEFAULT 0,    -- first in all its lanes, and nothing runs in them
    run_at INTEGER NOT NULL DEFAULT 0,   -- 0: at once, else ms since 1970 of the next try
    not_before INTEGER,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    epoch INTEGER NOT NULL DEFAULT 0,    -- counts claims: an older claim can't end it
    attempts INTEGER NOT NULL DEFAULT 0,
    requested_by TEXT,                   -- the principal that asked for the next try
    may_have_written INTEGER NOT NULL DEFAULT 0,
    has_changed INTEGER NOT NULL DEFAULT 0,
    overtakes INTEGER NOT NULL,
    overtaking INTEGER NOT NULL DEFAULT 0, -- it overtakes, and has not run since it came behind others
    is_synchronous INTEGER NOT NULL,
    caller TEXT,
    source TEXT,
    batch TEXT,
    purpose TEXT,
    traceparent TEXT,
    envelope TEXT
) STRICT;
CREATE INDEX operation_runnable ON operation (instance, class, turn) WHERE state = 'waiting' AND first = 1 AND run_at = 0;
CREATE INDEX operation_overtaking ON operation (instance, number)
    WHERE state = 'waiting' AND overtaking = 1 AND run_at = 0;
CREATE INDEX operation_delayed ON operation (run_at) WHERE state = 'waiting' AND run_at > 0;
CREATE INDEX operation_scheduled ON operation (not_before) WHERE state = 'scheduled';
CREATE INDEX operation_running ON operation (number) WHERE state = 'running';
CREATE INDEX operation_state ON operation (state, number);
CREATE INDEX operation_instance ON operation (instance, number);
CREATE INDEX operation_command ON operation (command, number);
CREATE INDEX operation_caller ON operation (caller, number) WHERE caller IS NOT NULL;
CREATE INDEX operation_batch ON operation (batch, number) WHERE batch IS NOT NULL;
CREATE INDEX operation_ended ON operation (ended_at) WHERE ended_at IS NOT NULL;

-- The names that an operation was accepted with.
CREATE TABLE subject (
    name TEXT NOT NULL,
    operation INTEGER NOT NULL REFERENCES operation (number) ON DELETE CASCADE,
    PRIMARY KEY (name, operation)
) STRICT, WITHOUT ROWID;
CREATE INDEX subject_operation ON subject (operation, name);

-- The lanes: what is due and has not ended, by its turn. Holds names that were learned as well.
CREATE TABLE lane (
    instance TEXT NOT NULL,
    name TEXT NOT NULL,
    turn INTEGER NOT NULL,
    operation INTEGER NOT NULL REFERENCES operation (number) ON DELETE CASCADE,
    running INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (instance, name, turn)
) STRICT, WITHOUT ROWID;
CREATE INDEX lane_operation ON lane (operation);
CREATE INDEX lane_running ON lane (instance, name) WHERE running = 1;

CREATE TABLE turn (last INTEGER NOT NULL) STRICT;
INSERT INTO turn VALUES (0);

CREATE TABLE attempt (
    operation INTEGER NOT NULL REFERENCES operation (number) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    cause TEXT,
    status INTEGER,
    aws_request_ids TEXT,
    requested_by TEXT,
    PRIMARY KEY (operation, number)
) STRICT, WITHOUT ROWID;

-- Which directory id a name was last shown at.
CREATE TABLE alias (
    instance TEXT NOT NULL,
    name TEXT NOT NULL,
    directory_id TEXT NOT NULL,
    PRIMARY KEY (instance, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX alias_directory_id ON alias (instance, directory_id);

-- The newest number and the last turn of what has disabled a user. Kept when the operation is deleted.
CREATE TABLE disabled (
    instance TEXT NOT NULL,
    directory_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    operation TEXT NOT NULL,             -- empty: it went on without the store
    PRIMARY KEY (instance, directory_id)
) STRICT, WITHOUT ROWID;

-- Written anew where it is to be known whether there is room.
CREATE TABLE room (
    id INTEGER PRIMARY KEY,
    filling BLOB NOT NULL
) STRICT;
";

/// Keys, batches, and what many operations are changed by at once.
const REQUESTS: &str = "
CREATE TABLE batch (
    id TEXT PRIMARY KEY,
    caller TEXT,
    instances TEXT NOT NULL,             -- an array of names
    created_at INTEGER NOT NULL,
    size INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What a caller has used a key for: an operation or a batch.
CREATE TABLE idempotency (
    caller TEXT NOT NULL,                -- empty: there are no callers
    key TEXT NOT NULL,
    digest BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    operation INTEGER REFERENCES operation (number) ON DELETE CASCADE,
    batch TEXT REFERENCES batch (id) ON DELETE CASCADE,
    status INTEGER,                      -- of the answer that is kept
    envelope TEXT,
    PRIMARY KEY (caller, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_operation ON idempotency (operation) WHERE operation IS NOT NULL;
CREATE INDEX idempotency_batch ON idempotency (batch) WHERE batch IS NOT NULL;
CREATE INDEX idempotency_expires ON idempotency (expires_at);

-- What was counted for a change that waits for its token.
CREATE TABLE selection (
    token TEXT PRIMARY KEY,
    caller TEXT NOT NULL,                -- empty: there are no callers
    digest BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    operations TEXT NOT NULL             -- an array of [number, state]
) STRICT, WITHOUT ROWID;
";

/// What webhooks bring.
const EVENTS: &str = "
CREATE TABLE delivery (
    number INTEGER PRIMARY KEY,
    received_at INTEGER NOT NULL,
    content TEXT                         -- none once it is past its retention
) STRICT;
CREATE INDEX delivery_kept ON delivery (received_at) WHERE content IS NOT NULL;
CREATE INDEX delivery_emptied ON delivery (received_at) WHERE content IS NULL;

-- The events of a delivery; or one row for a delivery that is quarantined.
CREATE TABLE event (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    delivery INTEGER NOT NULL REFERENCES delivery (number) ON DELETE CASCADE,
    position INTEGER NOT NULL,           -- its place in its delivery
    source TEXT NOT NULL,
    key TEXT,                            -- by which it is known again; none of what is quarantined
    digest BLOB,
    type TEXT,
    time INTEGER,                        -- the sender's
    received_at INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    accepted INTEGER,                    -- what was accepted earlier has a smaller one
    rule INTEGER,
    reason TEXT,
    address TEXT                         -- where what is quarantined came from
) STRICT;
CREATE INDEX event_delivery ON event (delivery);
CREATE INDEX event_key ON event (source, key, number) WHERE key IS NOT NULL;
CREATE INDEX event_source ON event (source, number);
CREATE INDEX event_verdict ON event (verdict, number);
CREATE INDEX event_accepted ON event (accepted) WHERE accepted IS NOT NULL;
CREATE INDEX event_quarantined ON event (address) WHERE verdict = 'quarantined';

CREATE TABLE event_subject (
    name TEXT NOT NULL,
    event INTEGER NOT NULL REFERENCES event (number) ON DELETE CASCADE,
    PRIMARY KEY (name, event)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_subject_event ON event_subject (event, name);

-- By its id, since an operation may be deleted before its event.
CREATE TABLE event_operation (
    event INTEGER NOT NULL REFERENCES event (number) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    operation TEXT NOT NULL,
    PRIMARY KEY (event, place)
) STRICT, WITHOUT ROWID;
";

/// What events say of people. Statements outlive their operations.
const STATEMENTS: &str = "
ALTER TABLE operation ADD COLUMN due_date TEXT;  -- an array, see `written_date`

CREATE TABLE statement (
    number INTEGER PRIMARY KEY,          -- that of its operation
    operation TEXT NOT NULL,
    instance TEXT NOT NULL,
    person INTEGER NOT NULL,             -- the number of the first statement of the person
    said_at INTEGER NOT NULL,
    effective_at INTEGER NOT NULL,
    is_dated INTEGER NOT NULL,
    word TEXT NOT NULL,
    purpose TEXT,
    names TEXT NOT NULL,                 -- an array
    attributes TEXT NOT NULL,            -- an object of texts
    conversion INTEGER,                  -- seconds
    standing TEXT NOT NULL DEFAULT 'holds',
    is_carried_out INTEGER NOT NULL DEFAULT 0,
    has_changed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX statement_person ON statement (person, number);
-- What was said of being active, and the names by which a person is found, are known for longer
-- than the rest.
CREATE TRIGGER statement_forgotten AFTER DELETE ON operation BEGIN
    UPDATE statement SET names = '[]', attributes = (SELECT json_group_object(key, value) FROM json_each(attributes)
        WHERE key IN ('username', 'employeeid', 'email')) WHERE number = OLD.number;
END;

-- Whose a name was said to be, and when.
CREATE TABLE person_name (
    instance TEXT NOT NULL,
    name TEXT NOT NULL,
    said_at INTEGER NOT NULL,
    person INTEGER NOT NULL,
    PRIMARY KEY (instance, name, said_at, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX person_name_person ON person_name (person, name);

-- What stands outside its lanes until more is known of its person, by the names of that.
CREATE TABLE awaiting (
    instance TEXT NOT NULL,
    name TEXT NOT NULL,
    operation INTEGER NOT NULL REFERENCES operation (number) ON DELETE CASCADE,
    PRIMARY KEY (instance, name, operation)
) STRICT, WITHOUT ROWID;
CREATE INDEX awaiting_operation ON awaiting (operation);

-- The newest disable of a user that a caller sent: between events their own times count.
ALTER TABLE disabled ADD COLUMN called_number INTEGER;
ALTER TABLE disabled ADD COLUMN called_turn INTEGER;
ALTER TABLE disabled ADD COLUMN called_operation TEXT;
UPDATE disabled SET called_number = number, called_turn = turn, called_operation = operation;
";

/// What sources are told of their operations, and what operations still have to fetch.
const CALLBACKS: &str = "
ALTER TABLE operation ADD COLUMN wants_fetch INTEGER NOT NULL DEFAULT 0;

-- The sources that are told.
CREATE TABLE calling (source TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

-- By the ids of operations, since those may be deleted before they are told of.
CREATE TABLE callback (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    operation TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    command TEXT NOT NULL,
    instance TEXT NOT NULL,
    purpose TEXT,
    happened_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL DEFAULT 0,   -- 0: at once, else ms since 1970 of the next try
    attempts INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX callback_due ON callback (source, due_at, number);
CREATE INDEX callback_operation ON callback (operation, number);
CREATE INDEX event_operation_operation ON event_operation (operation);

CREATE TRIGGER callback_of_change AFTER UPDATE OF state ON operation
WHEN new.source IS NOT NULL AND new.state <> old.state
    AND new.state IN ('held', 'needs_data', 'done', 'skipped', 'failed', 'buried', 'cancelled', 'superseded')
    AND EXISTS (SELECT 1 FROM calling WHERE calling.source = new.source)
BEGIN
    INSERT INTO callback (id, source, operation, state, reason, command, instance, purpose, happened_at)
    VALUES ('cb_' || lower(hex(randomblob(16))), new.source, new.id, new.state, new.reason, new.command, new.instance,
        new.purpose, coalesce(new.ended_at,
            (SELECT max(started_at) FROM attempt WHERE attempt.operation = new.number), new.created_at));
END;
CREATE TRIGGER callback_of_held AFTER INSERT ON operation
WHEN new.source IS NOT NULL AND new.state = 'held'
    AND EXISTS (SELECT 1 FROM calling WHERE calling.source = new.source)
BEGIN
    INSERT INTO callback (id, source, operation, state, reason, command, instance, purpose, happened_at)
    VALUES ('cb_' || lower(hex(randomblob(16))), new.source, new.id, new.state, new.reason, new.command, new.instance,
        new.purpose, new.created_at);
END;
";

/// The version of a file's schema; 0 where it is empty.
///
/// # Errors
/// When it is newer than what is known here, or another program made it.
pub(super) fn known_version(connection: &Connection) -> Result<i64, OpenError> {
    let application: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION && (version, tables) != (0, 0) {
        return Err(OpenError::Foreign);
    }
    let known = newest();
    if version > known {
        return Err(OpenError::NewerSchema { version, known });
    }
    Ok(version)
}

fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Brings a file to the newest schema.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    let version = known_version(connection)?;
    let known = newest();
    // A disk that is full can be read.
    if version == known {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    for migration in &MIGRATIONS[usize::try_from(version).unwrap_or_default()..] {
        for part in *migration {
            transaction.execute_batch(part)?;
        }
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", known)?;
    Ok(transaction.commit()?)
}
