//! Opening the store, and what is done with it beside the requests.

use std::{path::Path, sync::Arc};

use jiff::Timestamp;

use super::AppError;
use crate::{
    config::Settings,
    operations::{Clock, Operations},
    service::Service,
    store::{Store, sqlite::Sqlite},
};

/// The operations of a service that has a store.
///
/// # Errors
/// When the store's file is not this process's to have.
pub(super) fn operations(settings: &Settings, service: &Arc<Service>) -> Result<Option<Arc<Operations>>, AppError> {
    let Some(path) = &settings.store_path else {
        return Ok(None);
    };
    let store = open(path)?;
    let operations = settings.operations.clone();
    Ok(Some(Operations::new(
        store,
        Arc::clone(service),
        Clock::system(),
        operations,
    )))
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
