//! The service's own TLS: its certificate, key and client CAs, read from files, checked, and read
//! again when they change.
//!
//! Knows nothing of HTTP, of callers or of settings: [`Files`] says where they are, [`Material`] is
//! what comes of them, and [`Reloader`] keeps the [`Current`] material current.

mod acceptor;
mod error;
mod files;
mod material;
mod reload;
mod validity;

pub use self::acceptor::{ClientCertificate, TlsAcceptor, certificate_fault};
pub use self::error::{Part, TlsError, TlsFileError};
pub use self::files::Files;
pub use self::material::Material;
pub use self::reload::{Current, LOOK_INTERVAL, Reloader};
pub use self::validity::Validity;
