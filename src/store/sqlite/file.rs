//! The file of a store: where it really is, whether it may be had, and the lock that says who has
//! it.

use std::{
    fs::{self, File, OpenOptions, Permissions, TryLockError},
    io::{self, ErrorKind, Read as _, Seek as _, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use super::OpenError;

/// Only its owner reads and writes it.
const PRIVATE: u32 = 0o600;

/// Takes a store's file for this process, and makes it where there is none. Answers where it really
/// is, whatever links lead there, and the lock, to be held as long as the store is open.
pub(super) fn take(path: &Path, holder: &str) -> Result<(PathBuf, File), OpenError> {
    let path = resolved(path)?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    // Before anything is written there.
    if let Some(name) = network_file_system(rustix::fs::statfs(folder).map_err(io::Error::from)?.f_type) {
        return Err(OpenError::Network(name));
    }
    let lock = lock(&path, holder)?;
    // SQLite gives its journal the mode of the database.
    open_private(&path)?;
    Ok((path, lock))
}

/// A path without links: two names of one file must not give two locks.
fn resolved(path: &Path) -> Result<PathBuf, OpenError> {
    match fs::canonicalize(path) {
        Ok(path) if path.is_dir() => return Err(OpenError::Folder),
        Ok(path) => return Ok(path),
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        Err(error) if path.is_symlink() => return Err(error.into()),
        Err(_) => {}
    }
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        Some(_) | None => Path::new("."),
    };
    let Some(name) = path.file_name() else {
        return Err(OpenError::Folder);
    };
    match fs::canonicalize(folder) {
        Ok(folder) => Ok(folder.join(name)),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(OpenError::NoFolder(folder.to_owned())),
        Err(error) => Err(error.into()),
    }
}

/// Takes the lock beside the file, which holds the name of the process that has it.
fn lock(path: &Path, holder: &str) -> Result<File, OpenError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let mut file = open_private(Path::new(&name))?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)?;
            file.write_all(holder.as_bytes())?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut other = String::new();
            file.rewind()?;
            (&file).take(200).read_to_string(&mut other)?;
            Err(OpenError::InUse(other))
        }
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Opens a file that only its owner may read, and makes it where there is none. A copy that was put
/// there for others to read is for its owner alone from then on.
fn open_private(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(PRIVATE)
        .open(path)?;
    if file.metadata()?.permissions().mode() & 0o777 != PRIVATE {
        file.set_permissions(Permissions::from_mode(PRIVATE))?;
    }
    Ok(file)
}

/// The name of the network file system of this type, if it is one. What FUSE mounts can't be told.
fn network_file_system(kind: impl TryInto<i64>) -> Option<&'static str> {
    // Linux, statfs(2): the magic numbers of file systems.
    const NETWORK: [(i64, &str); 7] = [
        (0x6969, "NFS"),
        (0xFF53_4D42, "CIFS"),
        (0xFE53_4D42, "SMB2"),
        (0x517B, "SMB"),
        (0x0102_1997, "9P"),
        (0x5346_414F, "AFS"),
        (0x00C3_6400, "Ceph"),
    ];
    // Its type and its sign differ among platforms; the numbers have 32 bits.
    let kind = kind.try_into().unwrap_or_default() & 0xFFFF_FFFF;
    NETWORK.iter().find(|(magic, _)| *magic == kind).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_known_by_their_numbers() {
        for (kind, expected) in [
            (0x6969_i64, Some("NFS")),
            (0xFE53_4D42, Some("SMB2")),
            // As a platform with types of 32 bits widens it.
            (-0x01AC_B2BE, Some("SMB2")),
            (0x0102_1997, Some("9P")),
            // ext4, tmpfs, overlayfs, btrfs, XFS, FUSE.
            (0xEF53, None),
            (0x0102_1994, None),
            (0x794C_7630, None),
            (0x9123_683E, None),
            (0x5846_5342, None),
            (0x6573_5546, None),
        ] {
            assert_eq!(network_file_system(kind), expected, "{kind:#x}");
        }
    }
}
