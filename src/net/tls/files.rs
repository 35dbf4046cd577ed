//! Reading the files: bounded, and only what is a file.

use std::path::{Path, PathBuf};

use secrecy::zeroize::Zeroizing;

use super::{Part, TlsError, TlsFileError};
use crate::files::{self, Fingerprint, readable_by_everybody};

/// No chain and no set of authorities comes near this; all of the public Web's CAs are 220 KiB.
const MOST_BYTES: u64 = 1024 * 1024;

/// Where the certificate, its key and the client CAs are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The certificate and those that lead to its root, in PEM, the service's own first.
    pub certificate: PathBuf,
    /// The certificate's private key in PEM: PKCS#8, PKCS#1 or SEC1.
    pub key: PathBuf,
    /// The certificates in PEM of the authorities of client certificates; without it, none is asked
    /// for.
    pub client_ca: Option<PathBuf>,
    /// Whether a key that every user of the machine may read is refused.
    pub strict: bool,
}

/// What stands in the files. Overwritten when it is dropped: the key may stand in any of them.
pub(super) struct Contents {
    pub(super) certificate: Zeroizing<Vec<u8>>,
    pub(super) key: Zeroizing<Vec<u8>>,
    pub(super) client_ca: Option<Zeroizing<Vec<u8>>>,
}

impl Contents {
    pub(super) fn read(files: &Files) -> Result<Self, TlsError> {
        let certificate = read(&files.certificate);
        let key = if files.strict && readable_by_everybody(&files.key) {
            Err(TlsFileError::Exposed)
        } else {
            read(&files.key)
        };
        let client_ca = files.client_ca.as_deref().map(read).transpose();
        match (certificate, key, client_ca) {
            (Ok(certificate), Ok(key), Ok(client_ca)) => Ok(Self {
                certificate,
                key,
                client_ca,
            }),
            (certificate, key, client_ca) => {
                let faults = [
                    (Part::Certificate, certificate.err()),
                    (Part::Key, key.err()),
                    (Part::ClientCa, client_ca.err()),
                ];
                Err(TlsError(
                    faults
                        .into_iter()
                        .filter_map(|(part, fault)| Some((part, fault?)))
                        .collect(),
                ))
            }
        }
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        let client_ca = self.client_ca.as_deref().map_or(&[][..], Vec::as_slice);
        Fingerprint::of([&self.certificate[..], &self.key, client_ca])
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsFileError> {
    let contents = files::read(path, MOST_BYTES).map_err(|fault| match fault {
        files::FileError::Unreadable(kind) => TlsFileError::Unreadable(kind),
        files::FileError::NotAFile => TlsFileError::NotAFile,
        files::FileError::TooLarge | files::FileError::NotText | files::FileError::Utf16 => TlsFileError::TooLarge,
    })?;
    if contents.is_empty() {
        return Err(TlsFileError::Empty);
    }
    Ok(contents)
}
