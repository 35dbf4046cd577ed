//! Each reason for a problem, with what is told of it.

use std::time::Duration;

use axum::http::header;

use super::{Problem, ProblemType};
use crate::{
    http::sentence::{about, argument, sentence},
    json::shown_name,
};

/// The challenge of a 401. Other ways to authenticate have no scheme that could be named here.
const CHALLENGE: &str = "Bearer realm=\"aws-ilm\"";

/// How long a caller is asked to wait for the store.
const STORE_RETRY: Duration = Duration::from_secs(5);

impl Problem {
    /// The body is not one JSON document; `pointer` and `detail` say where and why.
    pub fn not_json(pointer: &str, detail: &str) -> Self {
        let place = if pointer.is_empty() {
            String::new()
        } else {
            format!(" at the argument `{}`", argument(pointer))
        };
        let whole = sentence(&format!("the body can't be read as JSON{place}: {detail}"));
        Self::new(ProblemType::NotJson, whole).at_pointer(pointer, detail)
    }

    /// The body names an argument that does not exist.
    pub fn unknown_argument(pointer: &str, detail: &str) -> Self {
        Self::new(ProblemType::UnknownArgument, sentence(detail)).at_pointer(pointer, detail)
    }

    /// An argument has the wrong type or form. `detail` must not quote the value.
    pub fn bad_argument(pointer: &str, detail: &str) -> Self {
        let subject = match argument(pointer) {
            name if name.is_empty() => "the body".to_owned(),
            name => format!("the argument `{name}`"),
        };
        Self::new(ProblemType::BadArgument, about(&subject, detail)).at_pointer(pointer, detail)
    }

    /// A required argument is missing; `pointer` is where it should stand.
    pub fn missing_argument(pointer: &str, detail: &str) -> Self {
        Self::new(ProblemType::MissingArgument, sentence(detail)).at_pointer(pointer, detail)
    }

    /// A query parameter is at fault. `name` may come from the caller and is cut and escaped;
    /// `detail` must not quote the value.
    pub fn bad_parameter(name: &str, detail: &str) -> Self {
        let name = shown_name(name);
        let whole = about(&format!("the query parameter `{name}`"), detail);
        Self::new(ProblemType::BadParameter, whole).at_parameter(name, detail)
    }

    /// A header field is missing, doubled or malformed. `detail` must not quote its value.
    pub fn bad_header(name: &'static str, detail: &str) -> Self {
        let whole = about(&format!("the header field `{name}`"), detail);
        Self::new(ProblemType::BadHeader, whole).at_header(name, detail)
    }

    /// The credentials are missing or prove no caller. Says nothing about why: a guesser learns
    /// nothing from it.
    pub fn unauthorised() -> Self {
        let detail = "Credentials that are known here are needed: an API key or a token in `Authorization: Bearer`, a key in `X-API-Key`, or a \
                      client certificate.";
        // RFC 9110 section 15.5.2 wants a challenge with every 401, RFC 6750 section 3 a parameter
        // in it.
        Self::new(ProblemType::Unauthorised, detail).with_field(header::WWW_AUTHENTICATE, CHALLENGE)
    }

    /// Too many credentials from one address were none, until `retry_after` has passed.
    pub fn too_many_failures(retry_after: Duration) -> Self {
        let detail =
            "There were too many requests without good credentials from this address; try again after `Retry-After`.";
        Self::new(ProblemType::TooManyRequests, detail).retry_after(retry_after)
    }

    /// The keys of the token's issuer can't be had; worth another try after `retry_after`.
    pub fn keys_unavailable(retry_after: Duration) -> Self {
        let detail = "The keys of the token's issuer can't be had at the moment; nothing was done. Try again after `Retry-After`.";
        Self::new(ProblemType::KeysUnavailable, detail).retry_after(retry_after)
    }

    /// The caller lacks a right; `missing` names that right ("to run iam-get-user") and nothing
    /// about what exists.
    pub fn forbidden(missing: &str) -> Self {
        Self::new(ProblemType::Forbidden, format!("The caller lacks the right {missing}."))
    }

    /// No route has this path. `near` is the one that was meant, if it can be told.
    pub fn no_such_route(near: Option<&str>) -> Self {
        let help = near.map_or_else(
            || "`/openapi.json` lists what there is.".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        Self::new(
            ProblemType::NoSuchRoute,
            format!("There is nothing under this path; {help}"),
        )
    }

    /// No problem type has the name asked for.
    pub fn no_such_problem_type() -> Self {
        Self::new(
            ProblemType::NoSuchRoute,
            "There is no problem type of the name in the path; `GET /problems` lists all of them.",
        )
    }

    /// No instance uses a mapper of the name asked for.
    pub fn no_such_mapper() -> Self {
        Self::new(
            ProblemType::NoSuchMapper,
            "No instance uses a mapper of the name in the path, this way round; `GET /mappers` lists those in use.",
        )
    }

    /// No instance of the name asked for, or none that this caller may know of.
    pub fn no_such_instance() -> Self {
        Self::new(
            ProblemType::NoSuchInstance,
            "The query parameter `instance` names no configured instance.",
        )
        .at_parameter("instance".to_owned(), "names no configured instance")
    }

    /// The method is not offered. `allow` lists those that are (RFC 9110 section 15.5.6); axum's
    /// router adds its own list where `None` is given.
    pub fn method_not_allowed(allow: Option<&'static str>) -> Self {
        let problem = Self::new(
            ProblemType::MethodNotAllowed,
            "The method is not offered here; the header field `Allow` lists those that are.",
        );
        match allow {
            Some(allow) => problem.with_field(header::ALLOW, allow),
            None => problem,
        }
    }

    /// The body did not arrive whole within `limit`.
    pub fn request_timeout(limit: Duration) -> Self {
        Self::new(
            ProblemType::RequestTimeout,
            format!("The body did not arrive whole within {} s.", limit.as_secs_f64()),
        )
    }

    /// The body is longer than `limit` bytes.
    pub fn body_too_large(limit: usize) -> Self {
        Self::new(
            ProblemType::BodyTooLarge,
            format!("The body is longer than {limit} bytes, the most that is taken."),
        )
    }

    /// The request target is longer than `limit` bytes.
    pub fn target_too_long(limit: usize) -> Self {
        Self::new(
            ProblemType::TargetTooLong,
            format!("The request target is longer than {limit} bytes, the most that is taken."),
        )
    }

    /// The body is not declared as JSON in UTF-8.
    pub fn unsupported_media_type(detail: &str) -> Self {
        // RFC 9110 section 15.5.16: Accept for a type, Accept-Encoding for a coding.
        Self::new(
            ProblemType::UnsupportedMediaType,
            about("the header field `Content-Type`", detail),
        )
        .at_header("Content-Type", detail)
        .with_field(header::ACCEPT, "application/json")
    }

    /// The body is compressed.
    pub fn unsupported_encoding() -> Self {
        let detail = "The header field `Content-Encoding` names a compression; a body is taken uncompressed only.";
        Self::new(ProblemType::UnsupportedEncoding, detail)
            .at_header("Content-Encoding", detail)
            .with_field(header::ACCEPT_ENCODING, "identity")
    }

    /// The request names a host that this service is not.
    pub fn misdirected() -> Self {
        let detail = "The header field `Host` names a host that this service does not answer to; its operator can add the name to \
                      allowed_hosts (AWS_ILM_ALLOWED_HOSTS).";
        Self::new(ProblemType::Misdirected, detail).at_header("Host", detail)
    }

    /// The request's target is of another host than its `Host`, or of no web host at all.
    pub fn misdirected_target() -> Self {
        let detail =
            "The request's target and the header field `Host` do not name one and the same host, by http or https.";
        Self::new(ProblemType::Misdirected, detail).at_header("Host", detail)
    }

    /// The caller is over its limit until `retry_after` has passed.
    pub fn too_many_requests(retry_after: Duration) -> Self {
        Self::new(
            ProblemType::TooManyRequests,
            "There were too many requests from this caller; try again after `Retry-After`.",
        )
        .retry_after(retry_after)
    }

    /// The header section is longer than `limit` bytes.
    pub fn headers_too_large(limit: usize) -> Self {
        Self::new(
            ProblemType::HeadersTooLarge,
            format!("The header fields are longer than {limit} bytes together, the most that is taken."),
        )
    }

    /// A fault of ours. Says nothing about what happened: the log does, under the request id.
    pub fn internal() -> Self {
        Self::new(
            ProblemType::Internal,
            "Something went wrong here; the logs say what, under the request id.",
        )
    }

    /// As much is being worked on as can be; worth another try after `retry_after`.
    pub fn busy(retry_after: Duration) -> Self {
        Self::new(
            ProblemType::Busy,
            "As much is being worked on as can be; nothing was done. Try again after `Retry-After`.",
        )
        .retry_after(retry_after)
    }

    /// The service is stopping; another replica, or this one after `retry_after`, can be asked.
    pub fn shutting_down(retry_after: Duration) -> Self {
        Self::new(
            ProblemType::ShuttingDown,
            "The service is shutting down; nothing was done. Try again after `Retry-After`.",
        )
        .retry_after(retry_after)
    }

    /// No operation has this id, or none that the caller may see.
    pub fn no_such_operation() -> Self {
        Self::new(
            ProblemType::NoSuchOperation,
            "There is no operation of this id; `GET /operations` lists those there are.",
        )
    }

    /// The operation is in a state in which it can't be changed so.
    pub fn operation_state(state: &str, refusal: &str) -> Self {
        Self::new(
            ProblemType::OperationState,
            format!("The operation is {state} and {refusal}."),
        )
    }

    /// Others come before this operation, which stays or was cancelled.
    pub fn behind_operation(operation: &str, stays: bool, retry_after: Duration) -> Self {
        let detail = if stays {
            "Operations on the same person come first; this one stays and will be carried out after them."
        } else {
            "Operations on the same person or group come first; this one was cancelled, and nothing of it was done."
        };
        let mut problem = Self::new(ProblemType::BehindOperation, detail).retry_after(retry_after);
        problem.operation = Some(operation.into());
        problem
    }

    /// The key is in use for the same request.
    pub fn key_in_use(retry_after: Duration) -> Self {
        Self::new(
            ProblemType::IdempotencyKeyInUse,
            "The same request with this `Idempotency-Key` is not answered yet; send it again after `Retry-After`.",
        )
        .retry_after(retry_after)
    }

    /// The key has been used for another request.
    pub fn key_reused() -> Self {
        let detail = "The header field `Idempotency-Key` has a key that was used for another request; each request needs its own.";
        Self::new(ProblemType::IdempotencyKeyReused, detail).at_header("Idempotency-Key", detail)
    }

    /// Elements of a batch are faulty: where and why.
    pub fn bad_batch(faults: &[(String, String)]) -> Self {
        let first = faults.first().map_or_else(String::new, |(pointer, detail)| {
            format!(" The first is at `{pointer}`: {detail}.")
        });
        let count = match faults.len() {
            1 => "one faulty element".to_owned(),
            count => format!("{count} faulty elements"),
        };
        let detail = format!("The batch has {count}, and nothing of it was stored.{first}");
        let problem = Self::new(ProblemType::BadBatch, detail);
        faults.iter().fold(problem, |problem, (pointer, detail)| {
            problem.at_pointer(pointer, detail)
        })
    }

    /// The same problem, of this element of a batch.
    pub fn at_element(self, index: usize) -> Self {
        let detail = self.detail().to_owned();
        self.at_pointer(&format!("/{index}"), &detail)
    }

    /// The batch has no element.
    pub fn empty_batch() -> Self {
        Self::new(
            ProblemType::BadBatch,
            "The body has no element; a batch has at least one.",
        )
    }

    /// The batch has more than `limit` elements.
    pub fn batch_too_large(limit: usize) -> Self {
        Self::new(
            ProblemType::BodyTooLarge,
            format!("The batch has more than {limit} elements, the most that is taken."),
        )
    }

    /// No batch has this id, or none that the caller may see.
    pub fn no_such_batch() -> Self {
        Self::new(ProblemType::NoSuchBatch, "There is no batch of this id.")
    }

    /// The token stands for nothing.
    pub fn selection_gone() -> Self {
        let detail =
            "The argument `token` stands for no count of this caller, change and filter, or not any more; count anew.";
        Self::new(ProblemType::SelectionGone, detail).at_pointer("/token", detail)
    }

    /// What was asked for needs a store, and there is none.
    pub fn no_store() -> Self {
        Self::new(
            ProblemType::NoStore,
            "This needs a store, and the service has none; its operator sets one with `store_path`.",
        )
    }

    /// The store can't be written or read.
    pub fn store_unavailable() -> Self {
        Self::new(
            ProblemType::StoreUnavailable,
            "The store can't be reached at the moment; nothing was done.",
        )
        .retry_after(STORE_RETRY)
    }
}
