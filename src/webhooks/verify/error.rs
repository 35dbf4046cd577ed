//! Why a delivery is not believed.

use crate::auth::jwt::TokenError;

/// Says why a delivery is not believed.
///
/// For its sender all of these are one, 401 with the same words: each of them would tell a forger
/// what to try next. `Display` is the operator's reason, which has neither a secret nor a signature
/// in it, and no value that was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerificationError {
    /// There is no such source.
    #[error("there is no such source")]
    UnknownSource,
    /// The source has no secret yet.
    #[error("the source has no secret yet, and this is no handshake that would give it one")]
    NoSecret,
    /// What has to be there is not.
    #[error("{0} is missing")]
    Missing(String),
    /// A header is there more than once: which of them was signed is not known.
    #[error("{0} is there more than once")]
    Doubled(String),
    /// It is longer than anything that the sender sends there.
    #[error("{0} is too long")]
    TooLong(String),
    /// It is not of the form that the sender gives it.
    #[error("{0} is malformed")]
    Malformed(String),
    /// The id has a character by which its end could be moved, or is too long.
    #[error("the id must have 1 to 256 visible characters of ASCII, without a dot")]
    Id,
    /// The body has to be read for the proof, and is not what it has to be.
    #[error("the body, in which the signature or the time stands, is no sound JSON")]
    Body,
    /// There are too many signatures to try.
    #[error("there are too many signatures")]
    TooManySignatures,
    /// None of the signatures is of a kind that the source has.
    #[error("there is no signature of a kind that the source has")]
    NoSignature,
    /// No signature fits what was sent under any secret.
    #[error("no signature fits what was sent")]
    Signature,
    /// The credentials are not the source's.
    #[error("the credentials are not the source's")]
    Credentials,
    /// The path has no secret, another one, or one where the source has none.
    #[error("the secret in the path is not the source's")]
    PathSecret,
    /// It is older than it may be.
    #[error("it is {age} s old; {oldest} s is the most")]
    TooOld {
        /// How old it was when it arrived, in seconds.
        age: i64,
        /// How old it may be, in seconds.
        oldest: u64,
    },
    /// Its time is further in the future than clocks differ.
    #[error("its time is {0} s in the future; 300 s is the most")]
    Future(i64),
    /// The token proves nothing, or its issuer's keys can't be got.
    #[error(transparent)]
    Token(TokenError),
}

impl VerificationError {
    /// Whether it is no fault of the delivery: the keys of the issuer can't be got at the moment.
    /// The sender may be asked to come again.
    pub fn is_temporary(&self) -> bool {
        *self == Self::Token(TokenError::KeysUnavailable)
    }
}
