//! What can be wrong with the files of TLS, in words that an operator can act upon and that hold
//! nothing of the files.

use std::{fmt, io};

use crate::{diagnostic::Diagnostic, files::FileError};

/// One of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The certificate with its chain.
    Certificate,
    /// The private key.
    Key,
    /// The authorities of client certificates.
    ClientCa,
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Certificate => "the certificate's file",
            Self::Key => "the key's file",
            Self::ClientCa => "the client CAs' file",
        })
    }
}

/// Why a file can't be used; [`Self::help`] says what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsFileError {
    /// The file can't be read.
    #[error("{}", FileError::Unreadable(*.0))]
    Unreadable(io::ErrorKind),
    /// The path names a folder, a pipe or a device. A pipe would block, and can't be read twice.
    #[error("it is not a regular file")]
    NotAFile,
    /// Larger than any such file is.
    #[error("it is larger than 1 MiB")]
    TooLarge,
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
    /// Every user of the machine may read the key, and that is to be refused.
    #[error("everybody on this machine may read the file")]
    Exposed,
    /// Binary, or a section without its end.
    #[error("it is not PEM, or is cut short")]
    NotPem,
    /// PEM of something else.
    #[error("there is no certificate in it")]
    NoCertificate,
    /// A certificate section that holds no certificate.
    #[error("there is a certificate in it that can't be read")]
    BadCertificate,
    /// PEM of something else.
    #[error("there is no private key in it")]
    NoKey,
    /// The key is encrypted.
    #[error("the key in it is encrypted")]
    EncryptedKey,
    /// More than one key.
    #[error("there is more than one private key in it")]
    SeveralKeys,
    /// A key that can't be used for TLS.
    #[error("the key in it can't be used")]
    BadKey,
    /// The key belongs to another certificate.
    #[error("it is not the key of the certificate")]
    KeyMismatch,
}

impl TlsFileError {
    /// What an operator can do about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "give the path of a file that this user may read",
            Self::NotAFile => "give the path of a PEM file",
            Self::TooLarge => "give a PEM file of just what is needed",
            Self::Empty => "give a PEM file",
            Self::Exposed => "chmod 600, or let its volume's mode be 0400",
            Self::NotPem => "give the text form with whole -----BEGIN and -----END lines",
            Self::NoCertificate => "give PEM with a CERTIFICATE section",
            Self::BadCertificate => "issue or copy it again",
            Self::NoKey => {
                "give PEM with a PRIVATE KEY (PKCS#8), RSA PRIVATE KEY (PKCS#1) or EC PRIVATE KEY (SEC1) section"
            }
            Self::EncryptedKey => "give it without a passphrase, in a file that only this user may read",
            Self::SeveralKeys => "give the certificate's own alone",
            Self::BadKey => "give RSA of 2048 bits or more, ECDSA on P-256, P-384 or P-521, or Ed25519",
            Self::KeyMismatch => "give both of one issue, the service's own certificate first in its file",
        }
    }
}

/// Everything that is wrong with the files. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsError(pub Vec<(Part, TlsFileError)>);

impl TlsError {
    /// Each fault with its file.
    pub fn diagnostics(&self) -> impl Iterator<Item = Diagnostic> {
        let diagnostic =
            |(part, error): &(Part, TlsFileError)| Diagnostic::error(part.to_string(), error.to_string(), error.help());
        self.0.iter().map(diagnostic)
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.diagnostics().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(formatter, "{separator}{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for TlsError {}
