//! A connection to a store's file, and how it is set.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

/// Statements that a connection keeps prepared: all that there are, or the ones that are used in
/// turns would push each other out.
const STATEMENTS: usize = 256;

/// How many KiB of pages the connection that writes keeps in memory: with less, a transaction of
/// many writes puts its pages on the disk more than once.
const PAGES_KIB: i64 = 16 * 1024;

/// After so many pages in its log the file itself is written, which takes syncs of its own. Pages
/// that were changed often are written once.
const CHECKPOINT_PAGES: i64 = 4_000;

/// How long another program that has the file locked, such as a backup, is waited for.
pub(super) const BUSY: Duration = Duration::from_secs(5);

/// Connects to a store's file that exists.
pub(super) fn connect(path: &Path, read_only: bool) -> rusqlite::Result<Connection> {
    let access = if read_only {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    } else {
        OpenFlags::SQLITE_OPEN_READ_WRITE
    };
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // The plans here do not depend on values: else a statement is compiled again for each.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// Makes a connection the one that writes.
pub(super) fn prepare_to_write(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // In WAL mode NORMAL loses the last transactions at a power cut
    // (sqlite.org/pragma.html#pragma_synchronous).
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -PAGES_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    // What undoes a part of a transaction: else it goes into a file where it is more than 64 KiB.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "foreign_keys", true)
}
