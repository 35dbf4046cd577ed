//! Who asks, how they prove it, and what they may do. Knows nothing of HTTP, of commands or of directories.
//!
//! An operator names [`Caller`]s, each with the proofs that are theirs (API keys, claims of a bearer token, names in a client certificate),
//! their [`Rights`] and their [`Quota`]. The [`Authenticator`] holds them all and turns the [`Credentials`] of a request into an
//! [`Identity`], or refuses. [`Failures`] slows whoever keeps failing.

mod authenticator;
mod caller;
mod certificate;
mod failures;
mod jwks;
mod jwt;
mod key;
mod quota;
mod rights;

pub use authenticator::{Authenticator, Credentials, Presented, Refusal};
pub use caller::{Caller, Identity, Proof, TokenRule};
pub use certificate::{CertificateName, CertificateNames};
pub use failures::{Failures, Verdict};
pub use jwt::{Algorithm, Claims, Error, Issuer, KeySource, Reason, Verifier};
pub use key::{ApiKey, Digest, NewKey};
pub use quota::{Held, Meter, Quota, Standing};
pub use rights::{CommandRight, Names, Rights};
