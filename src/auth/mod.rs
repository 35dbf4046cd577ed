//! Authentication and authorisation of callers. Knows nothing of HTTP, of commands or of
//! directories.
//!
//! An operator configures [`Caller`]s, each with its credentials (API keys, claims of a bearer
//! token, names in a client certificate), its [`Rights`] and its [`Quota`]. The [`Authenticator`]
//! holds them all and turns the [`Credentials`] of a request into an [`Identity`], or refuses.
//! [`Failures`] slows addresses that keep failing.

mod authenticator;
mod caller;
mod certificate;
mod distinguished_name;
mod failures;
mod jwks;
pub mod jwt;
mod key;
mod quota;
mod rights;

pub use authenticator::{AuthenticationError, Authenticator, Credentials, PresentedCredentials};
pub use caller::{Caller, Identity, Proof, TokenRule};
pub use certificate::{CertificateError, CertificateName, CertificateNameError, CertificateNames};
pub use distinguished_name::{DistinguishedName, DistinguishedNameError};
pub use failures::{Failures, Verdict};
pub use key::{ApiKey, Digest, NewKey};
pub use quota::{Meter, Quota, QuotaPermit, Standing};
pub use rights::{CommandRight, Names, OperationRight, Rights};
