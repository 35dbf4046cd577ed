//! Why a request can be refused before it becomes a command, and the one table of what each cause
//! means in HTTP.

use axum::http::StatusCode;

/// Why a request never became a command. Everything that differs between causes is decided by a
/// `match` on this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemType {
    /// The body is not one well-formed, unambiguous JSON document.
    NotJson,
    /// The body names an argument that the command does not have.
    UnknownArgument,
    /// An argument has the wrong type or form.
    BadArgument,
    /// A required argument is not there.
    MissingArgument,
    /// A query parameter is unknown, doubled, or has a value it cannot have.
    BadParameter,
    /// A header field is missing, doubled or malformed.
    BadHeader,
    /// Nobody, or nobody known, is asking.
    Unauthorised,
    /// The caller is known and may not do this.
    Forbidden,
    /// There is nothing under this path.
    NoSuchRoute,
    /// No instance uses a mapper of this name.
    NoSuchMapper,
    /// There is no instance of this name, or none that the caller may see.
    NoSuchInstance,
    /// The path is known, the method is not offered on it.
    MethodNotAllowed,
    /// Nothing on offer satisfies the `Accept` header field.
    NotAcceptable,
    /// The request did not arrive whole in time.
    RequestTimeout,
    /// The body is longer than is taken.
    BodyTooLarge,
    /// The target is longer than is taken.
    TargetTooLong,
    /// The body is not declared as JSON in UTF-8.
    UnsupportedMediaType,
    /// The body is compressed; it is not inflated.
    UnsupportedEncoding,
    /// The request was meant for another host.
    Misdirected,
    /// The caller has spent what it is given per time.
    TooManyRequests,
    /// The header section is longer than is taken.
    HeadersTooLarge,
    /// A fault of ours.
    Internal,
    /// Who is asking can't be found out at the moment: the keys of the token's issuer can't be had.
    KeysUnavailable,
    /// As much is being worked on as can be.
    Busy,
    /// The service is about to stop and takes nothing new.
    ShuttingDown,
}

impl ProblemType {
    /// Every cause, in the order of their statuses; for documentation and tests.
    pub const ALL: [Self; 25] = [
        Self::NotJson,
        Self::UnknownArgument,
        Self::BadArgument,
        Self::MissingArgument,
        Self::BadParameter,
        Self::BadHeader,
        Self::Unauthorised,
        Self::Forbidden,
        Self::NoSuchRoute,
        Self::NoSuchMapper,
        Self::NoSuchInstance,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::RequestTimeout,
        Self::BodyTooLarge,
        Self::TargetTooLong,
        Self::UnsupportedMediaType,
        Self::UnsupportedEncoding,
        Self::Misdirected,
        Self::TooManyRequests,
        Self::HeadersTooLarge,
        Self::Internal,
        Self::KeysUnavailable,
        Self::Busy,
        Self::ShuttingDown,
    ];

    /// The HTTP status; the only place where a cause is given one.
    pub fn status(self) -> StatusCode {
        match self {
            Self::NotJson
            | Self::UnknownArgument
            | Self::BadArgument
            | Self::MissingArgument
            | Self::BadParameter
            | Self::BadHeader => StatusCode::BAD_REQUEST,
            Self::Unauthorised => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NoSuchRoute | Self::NoSuchMapper | Self::NoSuchInstance => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            Self::UnsupportedMediaType | Self::UnsupportedEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::HeadersTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::KeysUnavailable | Self::Busy | Self::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The problem's `type` and `title`, which are the same in every occurrence (RFC 9457 section
    /// 3.1.3).
    pub fn type_and_title(self) -> (&'static str, &'static str) {
        match self {
            Self::NotJson => ("/problems/not-json", "The body is not JSON"),
            Self::UnknownArgument => ("/problems/unknown-argument", "Unknown argument"),
            Self::BadArgument => ("/problems/bad-argument", "Bad argument"),
            Self::MissingArgument => ("/problems/missing-argument", "Missing argument"),
            Self::BadParameter => ("/problems/bad-parameter", "Bad query parameter"),
            Self::BadHeader => ("/problems/bad-header", "Bad header field"),
            Self::Unauthorised => ("/problems/unauthorised", "Not authenticated"),
            Self::Forbidden => ("/problems/forbidden", "Not allowed"),
            Self::NoSuchRoute => ("/problems/no-such-route", "No such path"),
            Self::NoSuchMapper => ("/problems/no-such-mapper", "No such mapper"),
            Self::NoSuchInstance => ("/problems/no-such-instance", "No such instance"),
            Self::MethodNotAllowed => ("/problems/method-not-allowed", "Method not allowed"),
            Self::NotAcceptable => ("/problems/not-acceptable", "Not acceptable"),
            Self::RequestTimeout => ("/problems/request-timeout", "The request took too long to arrive"),
            Self::BodyTooLarge => ("/problems/body-too-large", "The body is too large"),
            Self::TargetTooLong => ("/problems/target-too-long", "The request target is too long"),
            Self::UnsupportedMediaType => ("/problems/unsupported-media-type", "Unsupported media type"),
            Self::UnsupportedEncoding => ("/problems/unsupported-encoding", "Unsupported content encoding"),
            Self::Misdirected => ("/problems/misdirected", "Not the host that was asked for"),
            Self::TooManyRequests => ("/problems/too-many-requests", "Too many requests"),
            Self::HeadersTooLarge => ("/problems/headers-too-large", "The header fields are too large"),
            Self::Internal => ("/problems/internal", "Internal error"),
            Self::KeysUnavailable => ("/problems/keys-unavailable", "The issuer's keys are unavailable"),
            Self::Busy => ("/problems/busy", "Busy"),
            Self::ShuttingDown => ("/problems/shutting-down", "Shutting down"),
        }
    }

    /// Whether the connection is closed after the answer: what follows on it can't be trusted, or
    /// is not worth waiting for.
    pub fn closes_connection(self) -> bool {
        match self {
            Self::BadHeader
            | Self::RequestTimeout
            | Self::BodyTooLarge
            | Self::TargetTooLong
            | Self::HeadersTooLarge
            | Self::UnsupportedEncoding
            | Self::ShuttingDown => true,
            Self::NotJson
            | Self::UnknownArgument
            | Self::BadArgument
            | Self::MissingArgument
            | Self::BadParameter
            | Self::Unauthorised
            | Self::Forbidden
            | Self::NoSuchRoute
            | Self::NoSuchMapper
            | Self::NoSuchInstance
            | Self::MethodNotAllowed
            | Self::NotAcceptable
            | Self::UnsupportedMediaType
            | Self::Misdirected
            | Self::TooManyRequests
            | Self::Internal
            | Self::KeysUnavailable
            | Self::Busy => false,
        }
    }
}
