//! Opening the store, and what is done with it beside the requests.

use std::{path::Path, sync::Arc};

use jiff::Timestamp;

use super::AppError;
use crate::{
    commands::stored,
    config::Settings,
    operations::{Clock, Operations, Outward},
    service::Service,
    store::{
        Store,
        sqlite::{self, Sqlite},
    },
    webhooks::{SourceServers, Sources},
};

/// The operations of a service that has a store; these sources are told of theirs.
///
/// # Errors
/// When the store's file is not this process's to have.
pub(super) fn operations(
    settings: &Settings,
    service: &Arc<Service>,
    clock: Clock,
    sources: Option<&Arc<Sources>>,
) -> Result<Option<Arc<Operations>>, AppError> {
    let Some(path) = &settings.store_path else {
        return Ok(None);
    };
    let store = open(path)?;
    let operations = settings.operations.clone();
    let servers = sources.map(|sources| Arc::new(SourceServers::new(Arc::clone(sources))));
    let outward = Outward {
        callbacks: servers.clone().map(|servers| servers as _),
        fetch: servers.map(|servers| servers as _),
    };
    let service = Arc::clone(service);
    Ok(Some(Operations::new(store, service, clock, operations, outward)))
}

/// What a check of a store's file found.
#[derive(Debug)]
pub struct StoreCheck {
    /// The version of its schema.
    pub schema: i64,
    /// How many operations there are in each state, by the state's name.
    pub states: Vec<(String, i64)>,
    /// What is wrong with the file.
    pub faults: Vec<String>,
    /// The operations that have not ended and that this program can't read, and why not.
    pub unreadable: Vec<(String, String)>,
}

/// Copies a store's file into a new one, consistent also while a service has it.
///
/// # Errors
/// When the store can't be read, or the copy exists or can't be written.
pub fn backup_store(from: &Path, to: &Path) -> Result<(), AppError> {
    sqlite::backup(from, to).map_err(|source| AppError::Backup {
        from: from.to_owned(),
        to: to.to_owned(),
        source,
    })
}

/// Looks a store's file through, also while a service has it.
///
/// # Errors
/// When it can't be read, is no store, or a newer version of this program made it.
pub fn check_store(path: &Path) -> Result<StoreCheck, AppError> {
    let found = sqlite::check(path).map_err(|source| AppError::Store {
        path: path.to_owned(),
        source,
    })?;
    let unreadable = found.open.into_iter().filter_map(|(id, command)| {
        let error = stored::read(&command).err()?;
        Some((id, error.to_string()))
    });
    Ok(StoreCheck {
        schema: found.schema,
        states: found.states,
        faults: found.faults,
        unreadable: unreadable.collect(),
    })
}

/// Opens the store in this file.
fn open(path: &Path) -> Result<Arc<dyn Store>, AppError> {
    let holder = format!("process {}, since {}", std::process::id(), Timestamp::now());
    let store = Sqlite::open(path, &holder).map_err(|source| AppError::Store {
        path: path.to_owned(),
        source,
    })?;
    Ok(Arc::new(store))
}
