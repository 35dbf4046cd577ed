//! Opening the store, and what is done with it beside the requests.

use std::{path::Path, sync::Arc};

use jiff::Timestamp;

use super::AppError;
use crate::store::{Store, sqlite::Sqlite};

/// Opens the store in this file.
///
/// # Errors
/// When the file is not this process's to have.
pub(super) fn open(path: &Path) -> Result<Arc<dyn Store>, AppError> {
    let holder = format!("process {}, since {}", std::process::id(), Timestamp::now());
    let store = Sqlite::open(path, &holder).map_err(|source| AppError::Store {
        path: path.to_owned(),
        source,
    })?;
    Ok(Arc::new(store))
}
