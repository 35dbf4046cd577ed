//! Reading small files that an operator names.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// The text of a regular file of at most that many bytes.
///
/// # Errors
/// When it can't be read, is longer or not UTF-8, or is something else: a pipe would keep the reader waiting, a device might never end.
pub(super) fn text(path: &Path, most: u64) -> io::Result<String> {
    // Looked at before it is opened: opening a pipe waits for its other end.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let mut text = String::new();
    File::open(path)?.take(most + 1).read_to_string(&mut text)?;
    if text.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "too large"));
    }
    Ok(text)
}
