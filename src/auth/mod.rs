//! Who asks, how they prove it, and what they may do. Knows nothing of HTTP, of commands or of
//! directories.
//!
//! An operator names [`Caller`]s, each with the proofs that are theirs (API keys, claims of a
//! bearer token, names in a client certificate), their [`Rights`] and their [`Quota`]. The
//! [`Authenticator`] holds them all and turns the [`Credentials`] of a request into an
//! [`Identity`], or refuses. [`Failures`] slows whoever keeps failing.

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
pub use rights::{CommandRight, Names, Rights};
