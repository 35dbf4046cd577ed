//! Why a request can be refused before it becomes a command, and the one table of what each reason
//! means in HTTP.

use axum::http::StatusCode;

/// Makes the enum and everything that follows from a type alone out of one table, so that a new
/// type can't be left out of any of it. A row: its meaning, name, status, the URI of RFC 9457
/// section 3.1.1 (it never changes once released), title, what becomes of the connection, and what
/// to do. Meaning and advice are shown on the type's page; what is between backticks is code there.
macro_rules! problem_types {
    ($($(#[doc = $meaning:literal])+
        $name:ident: $status:ident, $uri:literal, $title:literal, $connection:ident, $advice:literal;)+) => {
        /// Why a request never became a command.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ProblemType {
            $($(#[doc = $meaning])+ $name,)+
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

            /// The problem's `type`: a stable identifier for programs, and the address of its page.
            /// Relative, so that it leads to the service that answered (RFC 9457 section 3.1.1).
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

            /// What the type means, in sentences.
            pub fn meaning(self) -> &'static str {
                let meaning = match self {
                    $(Self::$name => concat!($($meaning),+),)+
                };
                meaning.trim_start()
            }

            /// What its caller, or the operator, does about it.
            pub fn advice(self) -> &'static str {
                match self {
                    $(Self::$name => $advice,)+
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

impl ProblemType {
    /// The type's name, the last part of its URI.
    pub fn name(self) -> &'static str {
        self.uri().trim_start_matches("/problems/")
    }

    /// The type of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|each| each.name() == name)
    }
}

/// What becomes of an HTTP/1 connection after the answer.
#[derive(PartialEq)]
enum Connection {
    Keep,
    /// What follows on it can't be trusted, or is not worth waiting for.
    Close,
}

problem_types! {
    /// The body is not one well-formed, unambiguous JSON document: its syntax is broken, a key
    /// stands in an object twice, or something follows behind its end.
    NotJson: BAD_REQUEST, "/problems/not-json", "The body is not JSON", Keep,
        "Send one JSON object, as in the command's example. `errors` says where the fault is.";
    /// The body names an argument that the command does not have.
    UnknownArgument: BAD_REQUEST, "/problems/unknown-argument", "Unknown argument", Keep,
        "Correct the argument's name: `detail` lists those that the command takes. A person's fields belong inside `user-profile`, a group's inside `scim`.";
    /// An argument has the wrong type or form.
    BadArgument: BAD_REQUEST, "/problems/bad-argument", "Bad argument", Keep,
        "Send the argument in the form that `detail` asks for. `errors` points at it.";
    /// A required argument is not there.
    MissingArgument: BAD_REQUEST, "/problems/missing-argument", "Missing argument", Keep,
        "Add the argument that `detail` names.";
    /// A query parameter is unknown, doubled, or has a value it cannot have.
    BadParameter: BAD_REQUEST, "/problems/bad-parameter", "Bad query parameter", Keep,
        "Correct the parameter that `errors` names. Commands take `instance` and `dryRun`, in that spelling.";
    /// A header field is missing, doubled or malformed.
    BadHeader: BAD_REQUEST, "/problems/bad-header", "Bad header field", Close,
        "Send the field that `errors` names once, and in its standard form. Where the client is not at fault, look at the proxies between.";
    /// Elements of the batch are faulty, each of which `errors` names. Nothing of the batch was
    /// stored.
    BadBatch: BAD_REQUEST, "/problems/bad-batch", "Faulty elements", Keep,
        "Mend the elements that `errors` points at, which counts them from 0, and send the batch again.";
    /// The webhook is proven, and can't be understood. Nothing of it was stored.
    BadWebhook: BAD_REQUEST, "/problems/bad-webhook", "The webhook can't be understood", Keep,
        "Send it in the form that `detail` asks for. The operator tries a delivery with `POST /sources/{source}/explain`.";
    /// The credentials are missing, or prove no caller. An expired key or token proves none.
    Unauthorised: UNAUTHORIZED, "/problems/unauthorised", "Not authenticated", Keep,
        "Send a known API key in `X-API-Key`, a key or token in `Authorization: Bearer`, or a client certificate. The operator finds the reason in the audit line of this `requestId`, and makes keys with `aws-ilm key new`.";
    /// The webhook is not proven: it is not signed as its source's are, or there is no such source.
    WebhookUnproven: UNAUTHORIZED, "/problems/webhook-unproven", "The webhook is not proven", Keep,
        "Compare the secret, and what is signed, with what the source expects. The operator finds the reason in the audit line of this `requestId`, and tries a delivery with `POST /sources/{source}/explain`.";
    /// The caller is known and may not do this.
    Forbidden: FORBIDDEN, "/problems/forbidden", "Not allowed", Keep,
        "Ask the operator for the right that `detail` names, which is given by `commands`, `instances`, `operations`, `sources` or `administration` of the caller.";
    /// There is nothing under this path.
    NoSuchRoute: NOT_FOUND, "/problems/no-such-route", "No such path", Keep,
        "Correct the path. `/openapi.json` lists the paths there are, `/docs/` shows them; each command is `POST /commands/{name}`.";
    /// No instance that the caller may use maps with a mapper of this name.
    NoSuchMapper: NOT_FOUND, "/problems/no-such-mapper", "No such mapper", Keep,
        "Take a name or an id that `GET /mappers` lists, and the right way round: outgoing for `user-profile`, incoming for `user`.";
    /// There is no operation of this id, or none that the caller may see. Ended operations are
    /// deleted when `operation_retention` is over.
    NoSuchOperation: NOT_FOUND, "/problems/no-such-operation", "No such operation", Keep,
        "Correct the id. `GET /operations` lists those that the caller may see.";
    /// There is no event of this id, or none that the caller may see; or its body is deleted, since
    /// `event_retention` is over.
    NoSuchEvent: NOT_FOUND, "/problems/no-such-event", "No such event", Keep,
        "Correct the id. `GET /events` lists those that the caller may see.";
    /// There is no source of this name, or none that the caller may see.
    NoSuchSource: NOT_FOUND, "/problems/no-such-source", "No such source", Keep,
        "Correct the name. `GET /sources` lists those that the caller may see.";
    /// There is no batch of this id, or none that the caller may see. A batch is deleted with the
    /// last of its operations.
    NoSuchBatch: NOT_FOUND, "/problems/no-such-batch", "No such batch", Keep,
        "Correct the id, which the answer to `POST /batches` had.";
    /// There is no instance of this name, or none that the caller may see.
    NoSuchInstance: NOT_FOUND, "/problems/no-such-instance", "No such instance", Keep,
        "Correct the query parameter `instance`, or leave it out to mean the default instance. The operator knows the names, and which of them a caller may use (`instances`).";
    /// The path is known, the method is not offered on it.
    MethodNotAllowed: METHOD_NOT_ALLOWED, "/problems/method-not-allowed", "Method not allowed", Keep,
        "Use a method that the answer's `Allow` header field lists. Commands are sent with `POST`.";
    /// The request did not arrive whole in time. Nothing was done.
    RequestTimeout: REQUEST_TIMEOUT, "/problems/request-timeout", "The request took too long to arrive", Close,
        "Send the body in one go, and try again. The operator sets the time with `body_timeout`.";
    /// The operation is in a state in which this can't be done with it.
    OperationState: CONFLICT, "/problems/operation-state", "Not in this state", Keep,
        "Look at the operation's `state`. What runs can't be cancelled; what is done or skipped can't be tried again.";
    /// The sender's id of an event is that of another, which says something else and stands.
    /// Nothing was stored.
    EventReused: CONFLICT, "/problems/event-reused", "The id is that of another event", Keep,
        "Give each event an id of its own. The operator finds the first one in the log.";
    /// The event is in a state in which this can't be done with it.
    EventState: CONFLICT, "/problems/event-state", "Not with this event", Keep,
        "Look at the event's `verdict`, and at what `detail` says. What is quarantined can be verified again; what was ignored or failed can be replayed.";
    /// Operations on the same person or group come first, for longer than a caller is kept waiting.
    /// Unless `detail` says that it stays, the command was cancelled, and nothing of it will be
    /// done.
    BehindOperation: CONFLICT, "/problems/behind-operation", "Behind other operations", Keep,
        "Send the command again after `Retry-After`, or with `Prefer: respond-async`, which stores it and answers at once. `operation` has its id.";
    /// The `Idempotency-Key` is in use for the same request, which is not answered yet.
    IdempotencyKeyInUse: CONFLICT, "/problems/idempotency-key-in-use", "The first request with this key is not answered yet", Keep,
        "Send the same request with the same key again after `Retry-After`: it will get the first one's answer.";
    /// The token stands for no count any more: it was used, it is more than 15 minutes old, or it
    /// is of another change or filter. Nothing was changed.
    SelectionGone: GONE, "/problems/selection-gone", "The count is gone", Keep,
        "Send the request without a `token` to have the operations counted anew, look at the number, and confirm it with the new token.";
    /// The body is longer than is taken. Nothing was done.
    BodyTooLarge: PAYLOAD_TOO_LARGE, "/problems/body-too-large", "The body is too large", Close,
        "Send less at once: leave out what no mapping asks for, and cut long lists of members into several commands.";
    /// The target is longer than is taken.
    TargetTooLong: URI_TOO_LONG, "/problems/target-too-long", "The request target is too long", Close,
        "Send the arguments in the body. Only `instance` and `dryRun` belong in the URL.";
    /// The body is not declared as JSON in UTF-8.
    UnsupportedMediaType: UNSUPPORTED_MEDIA_TYPE, "/problems/unsupported-media-type", "Unsupported media type", Keep,
        "Send `Content-Type: application/json`, and the body in UTF-8.";
    /// The body is compressed; it is not inflated.
    UnsupportedEncoding: UNSUPPORTED_MEDIA_TYPE, "/problems/unsupported-encoding", "Unsupported content encoding", Close,
        "Send the body uncompressed, without `Content-Encoding`.";
    /// The request names a host that this service does not answer to. So a web page can't reach it
    /// through a name that leads to its address (DNS rebinding).
    Misdirected: MISDIRECTED_REQUEST, "/problems/misdirected", "Not the host that was asked for", Keep,
        "Use a name that the service is configured with. The operator adds names with the setting `allowed_hosts`.";
    /// The `Idempotency-Key` has been used by the caller for another request. Nothing was done.
    IdempotencyKeyReused: UNPROCESSABLE_ENTITY, "/problems/idempotency-key-reused", "The key has been used for another request", Keep,
        "Make a new key for each request, a UUID for example, and send a key again only with the very same request.";
    /// The caller has spent its requests a second or has too many at work, or too many credentials
    /// from its address were wrong.
    TooManyRequests: TOO_MANY_REQUESTS, "/problems/too-many-requests", "Too many requests", Keep,
        "Wait as many seconds as `Retry-After` says, and then send again. The operator sets a caller's quota with `requests_per_second` and `concurrent_requests`.";
    /// The header section is longer than is taken.
    HeadersTooLarge: REQUEST_HEADER_FIELDS_TOO_LARGE, "/problems/headers-too-large", "The header fields are too large", Close,
        "Send fewer or shorter header fields. Cookies are the usual cause: the service takes none.";
    /// A defect of the service. What it had sent to the directory before is done.
    Internal: INTERNAL_SERVER_ERROR, "/problems/internal", "Internal error", Keep,
        "Tell the operator the `requestId`: the log says under it what happened. Repeating a command is safe.";
    /// What was asked for needs a store, and the service has none.
    NoStore: NOT_IMPLEMENTED, "/problems/no-store", "There is no store", Keep,
        "Leave out `Prefer: respond-async` and `Idempotency-Key`: without a store commands are carried out at once, and nothing is remembered. The operator gives the service one with the setting `store_path`.";
    /// The keys of the token's issuer can't be had at the moment, so its caller is not known.
    /// Nothing was done.
    KeysUnavailable: SERVICE_UNAVAILABLE, "/problems/keys-unavailable", "The issuer's keys are unavailable", Keep,
        "Try again after as many seconds as `Retry-After` says. If it lasts, the operator looks at the issuer's `jwks_url`, or gives its keys in `jwks_file`.";
    /// The store can't be written or read at the moment. Nothing was done.
    StoreUnavailable: SERVICE_UNAVAILABLE, "/problems/store-unavailable", "The store is unavailable", Keep,
        "Try again after `Retry-After`. The operator finds the reason in the log: a full disk, as a rule.";
    /// As much is being worked on as can be. Nothing was done.
    Busy: SERVICE_UNAVAILABLE, "/problems/busy", "Busy", Keep,
        "Try again after as many seconds as `Retry-After` says. If it lasts, send fewer commands at once.";
    /// The service is about to stop and takes nothing new. Nothing was done.
    ShuttingDown: SERVICE_UNAVAILABLE, "/problems/shutting-down", "Shutting down", Close,
        "Try again, on another replica or after as many seconds as `Retry-After` says.";
}
