//! Reading small files that an operator names (regular ones, up to a size, in one piece), and
//! watching them for changes.

mod watch;

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

use secrecy::zeroize::Zeroizing;

pub use self::watch::{Fingerprint, Watcher, watch};

/// Why a file was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It is not there, or the system does not let us.
    #[error("{}", told(*.0))]
    Unreadable(io::ErrorKind),
    /// The path names a folder, a pipe or a device. A pipe would keep the reader waiting and can't
    /// be read twice; a device might never end.
    #[error("not a regular file")]
    NotAFile,
    /// There is more in it than that.
    #[error("too large")]
    TooLarge,
    /// It is to be text and is not UTF-8.
    #[error("not UTF-8")]
    NotText,
    /// It is text in UTF-16, as editors on Windows write it.
    #[error("in UTF-16: save it in UTF-8")]
    Utf16,
}

/// The byte order mark of UTF-8, which some editors put before a text.
pub const MARK: &[u8] = b"\xEF\xBB\xBF";

fn told(kind: io::ErrorKind) -> String {
    if kind == io::ErrorKind::NotFound {
        "no such file".to_owned()
    } else if kind == io::ErrorKind::PermissionDenied {
        "this user may not read it".to_owned()
    } else {
        format!("it can't be read ({kind})")
    }
}

/// Whether a text of ASCII, or one that begins with it, is in UTF-16.
#[must_use]
pub fn is_utf_16(bytes: &[u8]) -> bool {
    matches!(bytes, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, _, ..] | [_, 0, ..])
}

/// The content of a regular file of at most `most` bytes. It may be a secret, so no copy of it is
/// left behind.
///
/// # Errors
/// When it is something else, is longer, or can't be read.
pub fn read(path: &Path, most: u64) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let unreadable = |error: io::Error| FileError::Unreadable(error.kind());
    // Asked before it is opened, since opening a pipe waits for its other end; and bounded while it
    // is read, since a file may grow.
    let about = fs::metadata(path).map_err(unreadable)?;
    if !about.is_file() {
        return Err(FileError::NotAFile);
    }
    if about.len() > most {
        return Err(FileError::TooLarge);
    }
    // Room for all of it at once: a vector that grows leaves copies behind.
    let capacity = usize::try_from(about.len()).unwrap_or_default() + 1;
    let mut content = Zeroizing::new(Vec::with_capacity(capacity));
    let file = File::open(path).map_err(unreadable)?;
    file.take(most + 1).read_to_end(&mut content).map_err(unreadable)?;
    if content.len() as u64 > most {
        return Err(FileError::TooLarge);
    }
    Ok(content)
}

/// As [`read`], for text.
///
/// # Errors
/// As of [`read`], and when it is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> Result<String, FileError> {
    let mut content = read(path, most)?;
    if is_utf_16(&content) {
        return Err(FileError::Utf16);
    }
    String::from_utf8(std::mem::take(&mut *content)).map_err(|_| FileError::NotText)
}

/// Whether every user of the machine may read the file; false where files have no such mode.
pub fn readable_by_everybody(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::metadata(path).is_ok_and(|about| about.permissions().mode() & 0o004 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_small_regular_file_is_not_read() {
        let path = std::env::temp_dir().join(format!("aws-ilm-files-{}", uuid::Uuid::new_v4()));
        fs::write(&path, b"abc\xff").unwrap();
        assert_eq!(read(&path, 4).unwrap().as_slice(), b"abc\xff");
        assert_eq!(read(&path, 3).unwrap_err(), FileError::TooLarge);
        assert_eq!(read_text(&path, 4).unwrap_err(), FileError::NotText);
        fs::write(&path, "abc").unwrap();
        assert_eq!(read_text(&path, 3).unwrap(), "abc");
        fs::remove_file(&path).unwrap();
        assert_eq!(
            read(&path, 3).unwrap_err(),
            FileError::Unreadable(io::ErrorKind::NotFound)
        );
        assert_eq!(read(&std::env::temp_dir(), 3).unwrap_err(), FileError::NotAFile);
        #[cfg(unix)]
        assert_eq!(read(Path::new("/dev/zero"), 3).unwrap_err(), FileError::NotAFile);
    }
}
