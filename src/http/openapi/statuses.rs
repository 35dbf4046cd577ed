//! The statuses in the document: when each comes, and what its problem looks like.

use std::time::Duration;

use crate::{
    http::{layers::MAX_TARGET, problem::Problem},
    net::server::MAX_HEADERS,
};

/// When a command's envelope comes with which status.
pub(super) const ENVELOPES: [(&str, &str); 7] = [
    ("200", "Done, or skipped because there was nothing to do. Go on."),
    (
        "400",
        "The profile or `scim` holds what can't be sent, or the request itself is faulty (a problem). Mend the data.",
    ),
    (
        "404",
        "The user or the group is not there; or no such instance (a problem).",
    ),
    ("409", "A conflict: a duplicate, or more than one match. Decide."),
    (
        "502",
        "The directory refused our token, failed, or answered what can't be used. Tell the operator, or try later.",
    ),
    (
        "503",
        "The directory throttles or can't be reached; or the service is busy or stopping, or the keys of a token's issuer can't be had (a problem). \
         Try again after `Retry-After`.",
    ),
    (
        "504",
        "The directory was too slow, or the command's time was over. Try later: repeating a command is safe.",
    ),
];

/// What stands for the statuses of [`ENVELOPES`] where no directory is asked.
pub(super) const PROBLEMS_WITHOUT_DIRECTORY: [(&str, &str); 3] = [
    ("400", "The request is faulty. Mend it."),
    ("404", "There is no such instance."),
    (
        "503",
        "The service is busy or stopping, or the keys of a token's issuer can't be had. Try again after `Retry-After`.",
    ),
];

/// The statuses of requests whose sender is not let in; not those of open routes.
pub(super) const REFUSALS: [(&str, &str); 3] = [
    ("401", "Credentials that are known here are needed."),
    ("403", "The caller lacks a right, which is named."),
    (
        "429",
        "The caller has spent its requests a second or has too many at work, or there were too many failed attempts from its address. Try again \
         after `Retry-After`.",
    ),
];

/// The answer where a caller can't be authenticated for now; added to what else has this status.
pub(super) const UNKNOWABLE: (&str, &str) = (
    "503",
    "The keys of a token's issuer can't be had. Try again after `Retry-After`.",
);

/// The answer under a name that is not the service's; health is answered under any.
pub(super) const MISDIRECTED: (&str, &str) = ("421", "The `Host` is not one that this service answers to.");

/// The statuses of requests that never become a command.
pub(super) const PROBLEMS: [(&str, &str); 8] = [
    ("405", "The method is not `POST`."),
    ("408", "The body did not arrive in time."),
    ("413", "The body is too large."),
    ("414", "The URL is too long."),
    ("415", "The body is not declared as JSON in UTF-8, or it is compressed."),
    ("421", "The `Host` is not one that this service answers to."),
    ("431", "The header fields are too large."),
    ("500", "A defect of the service. Its `requestId` is in the log."),
];

/// The other answers to a request to explain a mapping.
pub(super) const EXPLAIN_PROBLEMS: [(&str, &str); 11] = [
    (
        "400",
        "Not JSON, an unknown or a missing argument, or a type that there is not. Mend it.",
    ),
    ("404", "No instance uses a mapper of this name."),
    ("405", "The method is not `POST`."),
    ("408", "The body did not arrive in time."),
    ("413", "The body is too large."),
    ("414", "The URL is too long."),
    ("415", "The body is not declared as JSON in UTF-8, or it is compressed."),
    ("421", "The `Host` is not one that this service answers to."),
    ("431", "The header fields are too large."),
    ("500", "A defect of the service. Its `requestId` is in the log."),
    (
        "503",
        "The service is busy or stopping, or the keys of a token's issuer can't be had. Try again after `Retry-After`.",
    ),
];

/// The other answers to a request for the service's health.
pub(super) const HEALTH_PROBLEMS: [(&str, &str); 5] = [
    ("400", "`Host` is missing, doubled or malformed."),
    ("405", "The method is neither `GET` nor `HEAD`."),
    ("414", "The URL is too long."),
    ("431", "The header fields are too large."),
    ("500", "A defect of the service. Its `requestId` is in the log."),
];

/// The id of the requests in examples of problems.
const EXAMPLE_ID: &str = "0197f3a2-8f0b-7c3e-9d55-0c4f5f6d7a81";

/// A problem as it is really answered with this status, `faulty` with 400; none where only an
/// envelope is answered.
pub(super) fn example(status: &str, faulty: &Problem) -> Option<Problem> {
    let problem = match status {
        "400" => faulty.clone(),
        "401" => Problem::unauthorised(),
        "403" => Problem::forbidden("to run iam-disable-user"),
        "404" => Problem::no_such_instance(),
        "405" => Problem::method_not_allowed(None),
        "408" => Problem::request_timeout(Duration::from_secs(20)),
        "413" => Problem::body_too_large(1024 * 1024),
        "414" => Problem::target_too_long(MAX_TARGET),
        "415" => Problem::unsupported_media_type("is missing; application/json is taken"),
        "421" => Problem::misdirected(),
        "429" => Problem::too_many_requests(Duration::from_secs(1)),
        "431" => Problem::headers_too_large(MAX_HEADERS),
        "500" => Problem::internal(),
        "503" => Problem::busy(Duration::from_secs(1)),
        _ => return None,
    };
    Some(problem.with_request_id(EXAMPLE_ID))
}

/// The 404 of a mapper that no instance uses.
pub(super) fn no_such_mapper() -> Problem {
    Problem::no_such_mapper().with_request_id(EXAMPLE_ID)
}
