//! The statuses in the document: when each comes, and what its problem looks like.

use std::time::Duration;

use axum::http::StatusCode;

use crate::{
    http::{
        layers::MAX_TARGET,
        problem::{Problem, ProblemType},
    },
    net::server::MAX_HEADERS,
};

/// When a command's envelope comes with which status.
pub(super) const ENVELOPES: [(&str, &str); 7] = [
    ("200", "Done, or skipped because there was nothing to do. Go on."),
    (
        "400",
        "The profile or `scim` holds what can't be sent (an envelope), or the request itself is faulty (a problem). Mend the data.",
    ),
    (
        "404",
        "The user or the group is not there (an envelope); or no such instance (a problem).",
    ),
    (
        "409",
        "A conflict: a duplicate, or more than one match (an envelope); or operations that come first, or the same request with the same key (a problem). Decide, or try later.",
    ),
    (
        "502",
        "The directory refused our token, failed, or answered what can't be used. Tell the operator, or try later.",
    ),
    (
        "503",
        "The directory throttles or can't be reached (an envelope); or the service is busy or stopping, or the keys of a token's issuer can't be \
         had (a problem). Try again after `Retry-After`.",
    ),
    (
        "504",
        "The directory was too slow, or the command's time was over. Try later: repeating a command is safe.",
    ),
];

/// A refusal that several operations share.
pub(super) struct Refusal {
    /// The name of its component.
    pub(super) name: &'static str,
    /// When it comes.
    pub(super) description: &'static str,
    /// The problems that it can be, all of one status. The first is the example's.
    pub(super) types: &'static [ProblemType],
}

impl Refusal {
    /// The status that they have in common.
    pub(super) fn status(&self) -> StatusCode {
        self.types
            .first()
            .map_or(StatusCode::BAD_REQUEST, |first| first.status())
    }

    /// What its first type is answered with, in an example.
    pub(super) fn example(&self) -> Option<Problem> {
        self.types.first().and_then(|first| example(*first))
    }
}

/// Every refusal that is referred to, each told once.
pub(super) const REFUSALS: [Refusal; 30] = [
    Refusal {
        name: "BadRequest",
        description: "The request is faulty; `errors` says where. Mend it.",
        types: &[
            ProblemType::BadParameter,
            ProblemType::BadHeader,
            ProblemType::NotJson,
            ProblemType::UnknownArgument,
            ProblemType::BadArgument,
            ProblemType::MissingArgument,
        ],
    },
    Refusal {
        name: "BadHost",
        description: "`Host` is missing, doubled or malformed.",
        types: &[ProblemType::BadHeader],
    },
    Refusal {
        name: "Unauthorised",
        description: "Credentials that are known here are needed.",
        types: &[ProblemType::Unauthorised],
    },
    Refusal {
        name: "BadWebhook",
        description: "The webhook is proven and can't be understood.",
        types: &[ProblemType::BadWebhook, ProblemType::BadHeader, ProblemType::NotJson],
    },
    Refusal {
        name: "WebhookUnproven",
        description: "The webhook is not proven, or there is no such source.",
        types: &[ProblemType::WebhookUnproven],
    },
    Refusal {
        name: "EventReused",
        description: "The id of an event is that of another, which stands.",
        types: &[ProblemType::EventReused],
    },
    Refusal {
        name: "NoSuchEvent",
        description: "There is no such event, or none that the caller may see.",
        types: &[ProblemType::NoSuchEvent],
    },
    Refusal {
        name: "EventState",
        description: "The event is none that this can be done with.",
        types: &[ProblemType::EventState],
    },
    Refusal {
        name: "NoSuchSource",
        description: "There is no such source, or none that the caller may see.",
        types: &[ProblemType::NoSuchSource],
    },
    Refusal {
        name: "Forbidden",
        description: "The caller lacks a right, which is named.",
        types: &[ProblemType::Forbidden],
    },
    Refusal {
        name: "NoSuchInstance",
        description: "There is no such instance.",
        types: &[ProblemType::NoSuchInstance],
    },
    Refusal {
        name: "NoSuchMapper",
        description: "No instance uses a mapper of this name.",
        types: &[ProblemType::NoSuchMapper],
    },
    Refusal {
        name: "NoSuchOperation",
        description: "There is no such operation, or none that the caller may see.",
        types: &[ProblemType::NoSuchOperation],
    },
    Refusal {
        name: "OperationState",
        description: "The operation is in a state in which this can't be done.",
        types: &[ProblemType::OperationState],
    },
    Refusal {
        name: "BehindOperation",
        description: "Stored operations on the same person or group come first, or the first request with this `Idempotency-Key`. Try again \
                      after `Retry-After`.",
        types: &[ProblemType::BehindOperation, ProblemType::IdempotencyKeyInUse],
    },
    Refusal {
        name: "KeyReused",
        description: "The `Idempotency-Key` has been used for another request.",
        types: &[ProblemType::IdempotencyKeyReused],
    },
    Refusal {
        name: "BadBatch",
        description: "The batch is faulty; `errors` points at each element that is. Nothing was stored.",
        types: &[
            ProblemType::BadBatch,
            ProblemType::NotJson,
            ProblemType::BadParameter,
            ProblemType::BadHeader,
        ],
    },
    Refusal {
        name: "NoSuchBatch",
        description: "There is no such batch, or none that the caller may see.",
        types: &[ProblemType::NoSuchBatch],
    },
    Refusal {
        name: "SelectionGone",
        description: "The token stands for no count of the caller, of this change and filter, or not any more.",
        types: &[ProblemType::SelectionGone],
    },
    Refusal {
        name: "NoStore",
        description: "This needs a store, and the service has none.",
        types: &[ProblemType::NoStore],
    },
    Refusal {
        name: "MethodNotAllowed",
        description: "The method is not offered here; `Allow` lists those that are.",
        types: &[ProblemType::MethodNotAllowed],
    },
    Refusal {
        name: "RequestTimeout",
        description: "The body did not arrive in time.",
        types: &[ProblemType::RequestTimeout],
    },
    Refusal {
        name: "BodyTooLarge",
        description: "The body is too large.",
        types: &[ProblemType::BodyTooLarge],
    },
    Refusal {
        name: "TargetTooLong",
        description: "The URL is too long.",
        types: &[ProblemType::TargetTooLong],
    },
    Refusal {
        name: "UnsupportedMediaType",
        description: "The body is not declared as JSON in UTF-8, or it is compressed.",
        types: &[ProblemType::UnsupportedMediaType, ProblemType::UnsupportedEncoding],
    },
    Refusal {
        name: "Misdirected",
        description: "The `Host` is not one that this service answers to.",
        types: &[ProblemType::Misdirected],
    },
    Refusal {
        name: "TooManyRequests",
        description: "The caller has spent its requests a second or has too many at work, or there were too many failed attempts from its \
                      address. Try again after `Retry-After`.",
        types: &[ProblemType::TooManyRequests],
    },
    Refusal {
        name: "HeadersTooLarge",
        description: "The header fields are too large.",
        types: &[ProblemType::HeadersTooLarge],
    },
    Refusal {
        name: "Internal",
        description: "A defect of the service. Its `requestId` is in the log.",
        types: &[ProblemType::Internal],
    },
    Refusal {
        name: "Unavailable",
        description: "The service is busy or stopping, or its store or the keys of a token's issuer can't be had. Try again after `Retry-After`.",
        types: &[
            ProblemType::Busy,
            ProblemType::ShuttingDown,
            ProblemType::KeysUnavailable,
            ProblemType::StoreUnavailable,
        ],
    },
];

/// What any request can be refused with.
pub(super) const OF_ALL: [&str; 4] = ["MethodNotAllowed", "TargetTooLong", "HeadersTooLarge", "Internal"];

/// What a request can be refused with whose sender is not let in, or that is under a name that is
/// not the service's; not those of open routes.
pub(super) const OF_CALLERS: [&str; 4] = ["Unauthorised", "Forbidden", "Misdirected", "TooManyRequests"];

/// What a request with a body can be refused with.
pub(super) const OF_BODIES: [&str; 4] = ["BadRequest", "RequestTimeout", "BodyTooLarge", "UnsupportedMediaType"];

/// The problems that a command is answered with under the statuses of [`ENVELOPES`].
pub(super) const BESIDE_ENVELOPES: [&str; 4] = ["BadRequest", "NoSuchInstance", "BehindOperation", "Unavailable"];

/// The id of the requests in examples of problems.
const EXAMPLE_ID: &str = "0197f3a2-8f0b-7c3e-9d55-0c4f5f6d7a81";

/// A problem of this type as it is really answered; none for those that no refusal begins with.
fn example(problem_type: ProblemType) -> Option<Problem> {
    let problem = match problem_type {
        ProblemType::BadParameter => {
            Problem::bad_parameter("dryrun", "is not known; there are `instance` and `dryRun`")
        }
        ProblemType::BadHeader => Problem::bad_header("Host", "is given twice"),
        ProblemType::Unauthorised => Problem::unauthorised(),
        ProblemType::Forbidden => Problem::forbidden("to run iam-disable-user"),
        ProblemType::NoSuchInstance => Problem::no_such_instance(),
        ProblemType::NoSuchMapper => Problem::no_such_mapper(),
        ProblemType::NoSuchOperation => Problem::no_such_operation(),
        ProblemType::OperationState => Problem::operation_state("done", "can't be cancelled"),
        ProblemType::BehindOperation => Problem::behind_operation(EXAMPLE_ID, false, Duration::from_secs(10)),
        ProblemType::IdempotencyKeyReused => Problem::key_reused(),
        ProblemType::BadBatch => Problem::bad_batch(&[(
            "/1/arguments/user-profil".to_owned(),
            "the argument `user-profil` is not known; there are `user-profile`, `allow-enable`, `clear`".to_owned(),
        )]),
        ProblemType::NoSuchBatch => Problem::no_such_batch(),
        ProblemType::SelectionGone => Problem::selection_gone(),
        ProblemType::NoStore => Problem::no_store(),
        ProblemType::MethodNotAllowed => Problem::method_not_allowed(None),
        ProblemType::RequestTimeout => Problem::request_timeout(Duration::from_secs(20)),
        ProblemType::BodyTooLarge => Problem::body_too_large(1024 * 1024),
        ProblemType::TargetTooLong => Problem::target_too_long(MAX_TARGET),
        ProblemType::UnsupportedMediaType => Problem::unsupported_media_type("is missing; application/json is taken"),
        ProblemType::Misdirected => Problem::misdirected(),
        ProblemType::TooManyRequests => Problem::too_many_requests(Duration::from_secs(1)),
        ProblemType::HeadersTooLarge => Problem::headers_too_large(MAX_HEADERS),
        ProblemType::Internal => Problem::internal(),
        ProblemType::Busy => Problem::busy(Duration::from_secs(1)),
        ProblemType::BadWebhook => Problem::bad_webhook("the body is no text in UTF-8"),
        ProblemType::WebhookUnproven => Problem::webhook_unproven(),
        ProblemType::EventReused => Problem::event_reused("The id of event 1 is that of another event, which stands."),
        ProblemType::NoSuchEvent => Problem::no_such_event(),
        ProblemType::EventState => Problem::event_state("The event is accepted."),
        ProblemType::NoSuchSource => Problem::no_such_source(),
        ProblemType::NotJson
        | ProblemType::UnknownArgument
        | ProblemType::BadArgument
        | ProblemType::MissingArgument
        | ProblemType::NoSuchRoute
        | ProblemType::IdempotencyKeyInUse
        | ProblemType::UnsupportedEncoding
        | ProblemType::KeysUnavailable
        | ProblemType::StoreUnavailable
        | ProblemType::ShuttingDown => return None,
    };
    Some(problem.with_request_id(EXAMPLE_ID))
}
