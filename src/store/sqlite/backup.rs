//! A copy of a store's file that is consistent while the store is in use, and the check of a file.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, backup::Backup};

use super::{OpenError, connection::BUSY, schema};

/// How many pages are copied before others may write.
const PAGES_AT_ONCE: i32 = 1_000;

/// What a check of a store's file found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileCheck {
    /// The version of its schema.
    pub schema: i64,
    /// How many operations there are in each state, by the state's name.
    pub states: Vec<(String, i64)>,
    /// What is wrong with the file, by SQLite's own checks.
    pub faults: Vec<String>,
    /// The id and the stored command of each operation that has not ended.
    pub open: Vec<(String, String)>,
}

/// Copies a store's file into another, which must not exist: consistent, also while a service has
/// the store and writes it. The copy is one file, readable by its owner alone.
///
/// # Errors
/// When the store can't be read, or the copy not be written; what was written of it is removed.
pub fn backup(from: &Path, to: &Path) -> Result<(), OpenError> {
    let source = read_only(from)?;
    schema::known_version(&source)?;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    let copied = copy(&source, to);
    if copied.is_err() {
        // The error of the copy says more than one of removing it.
        let _ = fs::remove_file(to);
    }
    copied
}

fn copy(source: &Connection, to: &Path) -> Result<(), OpenError> {
    let mut copy = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let backup = Backup::new(source, &mut copy)?;
    backup.run_to_completion(PAGES_AT_ONCE, Duration::ZERO, None)?;
    drop(backup);
    // As one file: what a store in use keeps beside it would have to be copied with it.
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    copy.close().map_err(|(_, error)| error)?;
    File::open(to)?.sync_all()?;
    Ok(())
}

/// Looks a store's file through, also while a service has it.
///
/// # Errors
/// When it can't be read, is no store, or a newer version of this program made it.
pub fn check(path: &Path) -> Result<FileCheck, OpenError> {
    let connection = read_only(path)?;
    let mut found = FileCheck {
        schema: schema::known_version(&connection)?,
        faults: faults(&connection)?,
        ..FileCheck::default()
    };
    if !found.faults.is_empty() {
        // What is broken may say anything.
        return Ok(found);
    }
    let mut statement = connection.prepare("SELECT state, count(*) FROM operation GROUP BY state ORDER BY state")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    found.states = rows.collect::<rusqlite::Result<_>>()?;
    let mut statement =
        connection.prepare("SELECT id, stored FROM operation WHERE ended_at IS NULL ORDER BY number")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    found.open = rows.collect::<rusqlite::Result<_>>()?;
    Ok(found)
}

fn faults(connection: &Connection) -> Result<Vec<String>, OpenError> {
    let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut faults: Vec<String> = rows.collect::<rusqlite::Result<_>>()?;
    faults.retain(|fault| fault != "ok");
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let rows = statement.query_map([], |row| {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        Ok(format!("a row of {table} names one of {parent} that is not there"))
    })?;
    for fault in rows {
        faults.push(fault?);
    }
    Ok(faults)
}

/// Opens a store's file that exists, to read it.
fn read_only(path: &Path) -> Result<Connection, OpenError> {
    // SQLite would say of a file that is missing, or can't be read, only that it can't open it.
    if !File::open(path)?.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file").into());
    }
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}
