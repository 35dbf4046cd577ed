//! Why a token is not accepted.

use jsonwebtoken::errors::ErrorKind;

/// Says why a token was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The token proves nothing. The log says why; the answer doesn't, since that would help a
    /// forger.
    #[error("the token is not valid: {0}")]
    Invalid(TokenDefect),
    /// The token can't be verified, because its issuer's keys could not be fetched so far, or not
    /// for a day. No fault of the caller's.
    #[error("the keys of the token's issuer can't be got")]
    KeysUnavailable,
}

/// Says what is wrong with a token. For the log: holds no text of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenDefect {
    /// Longer than 16 KiB.
    #[error("too long")]
    TooLong,
    /// Not three parts in strict base64url, the first two of them JSON objects in which no name
    /// stands twice (RFC 7515 sections 2 and 4).
    #[error("malformed")]
    Malformed,
    /// Its header has extensions that must be understood (`crit`, RFC 7515 section 4.1.11).
    #[error("critical header")]
    Critical,
    /// Its `typ` is that of a token for another purpose.
    #[error("of another type")]
    Type,
    /// Its `iss` is none of the configured issuers.
    #[error("unknown issuer")]
    UnknownIssuer,
    /// Its algorithm is not one that its issuer is pinned to (RFC 8725 section 3.1).
    #[error("algorithm not allowed")]
    Algorithm,
    /// Its issuer has no key of this id for this algorithm.
    #[error("unknown key")]
    UnknownKey,
    /// It names no key where its issuer has several that it could be, or one id stands for several.
    #[error("ambiguous key")]
    AmbiguousKey,
    /// Its signature is of another key, or of another text.
    #[error("wrong signature")]
    Signature,
    /// This claim is missing, or is not of the form that RFC 7519 section 4.1 gives it.
    #[error("claim {0} missing or malformed")]
    Claim(&'static str),
    /// It is for another service (`aud`).
    #[error("for another audience")]
    Audience,
    /// Its time is over (`exp`).
    #[error("expired")]
    Expired,
    /// Its time has not come (`nbf`).
    #[error("not yet valid")]
    NotYetValid,
    /// It claims to have been made in the future (`iat`).
    #[error("issued in the future")]
    IssuedInFuture,
    /// It is bound to a key of its holder (`cnf`, RFC 7800), of which a bearer token is no proof:
    /// it may be stolen (RFC 9449 section 7.2, RFC 8705 section 3).
    #[error("bound to a key that was not proven")]
    Bound,
}

impl From<TokenDefect> for TokenError {
    fn from(defect: TokenDefect) -> Self {
        Self::Invalid(defect)
    }
}

impl TokenDefect {
    /// Translates an error of the crate.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "not our enum, and an error that it may add is a refusal as well"
    )]
    pub(super) fn of(error: &jsonwebtoken::errors::Error) -> Self {
        match error.kind() {
            ErrorKind::InvalidSignature => Self::Signature,
            ErrorKind::InvalidAlgorithm => Self::Algorithm,
            ErrorKind::MissingRequiredClaim(name) | ErrorKind::InvalidClaimFormat(name) => {
                let known = ["exp", "nbf", "aud", "iss"].into_iter().find(|known| known == name);
                known.map_or(Self::Malformed, Self::Claim)
            }
            // The second is an `exp` of 0.
            ErrorKind::ExpiredSignature | ErrorKind::InvalidToken => Self::Expired,
            ErrorKind::ImmatureSignature => Self::NotYetValid,
            ErrorKind::InvalidAudience => Self::Audience,
            ErrorKind::InvalidIssuer => Self::UnknownIssuer,
            _ => Self::Malformed,
        }
    }
}
