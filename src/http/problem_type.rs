//! Why a request can be refused before it becomes a command, and the one table of what each reason
//! means in HTTP.

use axum::http::StatusCode;

/// Makes the enum and everything that follows from a type alone out of one table, so that a new
/// type can't be left out of any of it. A row: name, status, the URI of RFC 9457 section 3.1.1 (it
/// never changes once released), title, what becomes of the connection.
macro_rules! problem_types {
    ($($(#[$documentation:meta])+ $name:ident: $status:ident, $uri:literal, $title:literal, $connection:ident;)+) => {
        /// Why a request never became a command.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ProblemType {
            $($(#[$documentation])+ $name,)+
        }

        impl ProblemType {
            /// Every type, in the order of their statuses; for documentation and tests.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The HTTP status; the only place where a type is given one.
            pub fn status(self) -> StatusCode {
                match self {
                    $(Self::$name => StatusCode::$status,)+
                }
            }

            /// The problem's `type`, a stable identifier for programs.
            pub fn uri(self) -> &'static str {
                match self {
                    $(Self::$name => $uri,)+
                }
            }

            /// The problem's `title`, which is the same in every occurrence (RFC 9457 section
            /// 3.1.3).
            pub fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title,)+
                }
            }

            /// Whether the connection is closed after the answer.
            pub fn closes_connection(self) -> bool {
                let connection = match self {
                    $(Self::$name => Connection::$connection,)+
                };
                connection == Connection::Close
            }
        }
    };
}

/// What becomes of an HTTP/1 connection after the answer.
#[derive(PartialEq)]
enum Connection {
    Keep,
    /// What follows on it can't be trusted, or is not worth waiting for.
    Close,
}

problem_types! {
    /// The body is not one well-formed, unambiguous JSON document.
    NotJson: BAD_REQUEST, "/problems/not-json", "The body is not JSON", Keep;
    /// The body names an argument that the command does not have.
    UnknownArgument: BAD_REQUEST, "/problems/unknown-argument", "Unknown argument", Keep;
    /// An argument has the wrong type or form.
    BadArgument: BAD_REQUEST, "/problems/bad-argument", "Bad argument", Keep;
    /// A required argument is not there.
    MissingArgument: BAD_REQUEST, "/problems/missing-argument", "Missing argument", Keep;
    /// A query parameter is unknown, doubled, or has a value it cannot have.
    BadParameter: BAD_REQUEST, "/problems/bad-parameter", "Bad query parameter", Keep;
    /// A header field is missing, doubled or malformed.
    BadHeader: BAD_REQUEST, "/problems/bad-header", "Bad header field", Close;
    /// The credentials are missing, or prove no caller.
    Unauthorised: UNAUTHORIZED, "/problems/unauthorised", "Not authenticated", Keep;
    /// The caller is known and may not do this.
    Forbidden: FORBIDDEN, "/problems/forbidden", "Not allowed", Keep;
    /// There is nothing under this path.
    NoSuchRoute: NOT_FOUND, "/problems/no-such-route", "No such path", Keep;
    /// No instance uses a mapper of this name.
    NoSuchMapper: NOT_FOUND, "/problems/no-such-mapper", "No such mapper", Keep;
    /// There is no instance of this name, or none that the caller may see.
    NoSuchInstance: NOT_FOUND, "/problems/no-such-instance", "No such instance", Keep;
    /// The path is known, the method is not offered on it.
    MethodNotAllowed: METHOD_NOT_ALLOWED, "/problems/method-not-allowed", "Method not allowed", Keep;
    /// The request did not arrive whole in time.
    RequestTimeout: REQUEST_TIMEOUT, "/problems/request-timeout", "The request took too long to arrive", Close;
    /// The body is longer than is taken.
    BodyTooLarge: PAYLOAD_TOO_LARGE, "/problems/body-too-large", "The body is too large", Close;
    /// The target is longer than is taken.
    TargetTooLong: URI_TOO_LONG, "/problems/target-too-long", "The request target is too long", Close;
    /// The body is not declared as JSON in UTF-8.
    UnsupportedMediaType: UNSUPPORTED_MEDIA_TYPE, "/problems/unsupported-media-type", "Unsupported media type", Keep;
    /// The body is compressed; it is not inflated.
    UnsupportedEncoding: UNSUPPORTED_MEDIA_TYPE, "/problems/unsupported-encoding", "Unsupported content encoding", Close;
    /// The request was meant for another host.
    Misdirected: MISDIRECTED_REQUEST, "/problems/misdirected", "Not the host that was asked for", Keep;
    /// The caller has spent what it is given per time.
    TooManyRequests: TOO_MANY_REQUESTS, "/problems/too-many-requests", "Too many requests", Keep;
    /// The header section is longer than is taken.
    HeadersTooLarge: REQUEST_HEADER_FIELDS_TOO_LARGE, "/problems/headers-too-large", "The header fields are too large", Close;
    /// A fault of ours.
    Internal: INTERNAL_SERVER_ERROR, "/problems/internal", "Internal error", Keep;
    /// The keys of the token's issuer can't be had at the moment, so its caller is not known.
    KeysUnavailable: SERVICE_UNAVAILABLE, "/problems/keys-unavailable", "The issuer's keys are unavailable", Keep;
    /// As much is being worked on as can be.
    Busy: SERVICE_UNAVAILABLE, "/problems/busy", "Busy", Keep;
    /// The service is about to stop and takes nothing new.
    ShuttingDown: SERVICE_UNAVAILABLE, "/problems/shutting-down", "Shutting down", Close;
}
