//! What can go wrong between the client and a directory, classed by what a caller can do about it.

use std::time::Duration;

/// A failed request to a directory.
///
/// `Display` is one plain sentence that never holds the token, a header or a body.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{detail}")]
pub struct ScimError {
    /// What went wrong.
    pub kind: ErrorKind,
    /// The directory's `detail`, or the service's own sentence where it gave none: plain text,
    /// control characters removed, at most 1,000 characters, the token masked.
    pub detail: String,
    /// AWS's id of the request (`x-amzn-RequestId`, else the error's `exceptionRequestId`), to
    /// quote to its support.
    pub request_id: Option<String>,
    /// How long to wait: as the directory asked (`Retry-After`), or our own estimate where nothing
    /// was sent.
    pub retry_after: Option<Duration>,
}

/// The kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// No connection: nothing was sent.
    Connect,
    /// No answer within the request's time. The directory may have done the work.
    Timeout,
    /// The connection broke before the answer was whole. The directory may have done the work.
    Broken,
    /// 429: refused for its rate; nothing was done.
    Throttled,
    /// A 404 in SCIM's own error shape: the resource is not there.
    Absent,
    /// A 404 in any other shape, or from a directory that never answered as one: the address is
    /// wrong.
    WrongUrl,
    /// Any other status that is not a success.
    Status(u16),
    /// A success whose body is not what it should be. For a write, the work is done.
    Unreadable,
    /// Not sent: the command's time was over.
    Expired,
    /// Not sent: too much is waiting for it to go within its time.
    Congested,
    /// Not sent: the directory keeps failing.
    CircuitOpen,
}

impl ScimError {
    /// A failure found by the client itself, without anything from a directory.
    pub fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            request_id: None,
            retry_after: None,
        }
    }

    /// True when the directory may have done what was asked although no usable answer came: it has
    /// to be looked at before the request is sent again. 5xx is among them, because nothing says at
    /// which point the work stopped.
    pub fn is_answer_lost(&self) -> bool {
        match self.kind {
            ErrorKind::Timeout | ErrorKind::Broken | ErrorKind::Unreadable => true,
            ErrorKind::Status(status) => status >= 500,
            ErrorKind::Connect
            | ErrorKind::Throttled
            | ErrorKind::Absent
            | ErrorKind::WrongUrl
            | ErrorKind::Expired
            | ErrorKind::Congested
            | ErrorKind::CircuitOpen => false,
        }
    }

    /// The directory's HTTP status, when it answered with one.
    pub fn status(&self) -> Option<u16> {
        match self.kind {
            ErrorKind::Status(status) => Some(status),
            ErrorKind::Throttled => Some(429),
            ErrorKind::Absent | ErrorKind::WrongUrl => Some(404),
            ErrorKind::Connect
            | ErrorKind::Timeout
            | ErrorKind::Broken
            | ErrorKind::Unreadable
            | ErrorKind::Expired
            | ErrorKind::Congested
            | ErrorKind::CircuitOpen => None,
        }
    }

    /// The sentence for a caller: what the directory said, with AWS's request id.
    pub fn message(&self) -> String {
        match &self.request_id {
            Some(id) => format!("{} (AWS request id {id})", self.detail),
            None => self.detail.clone(),
        }
    }

    /// The error in the service's own words, for logs and status pages: the directory's may quote a
    /// person.
    pub fn summary(&self) -> String {
        match self.kind {
            // The address and the system's reason: nothing of it comes from the directory.
            ErrorKind::Connect => self.detail.clone(),
            ErrorKind::Timeout => "the directory did not answer in time".to_owned(),
            ErrorKind::Broken => "the connection to the directory broke".to_owned(),
            ErrorKind::Throttled => "the directory throttles (429)".to_owned(),
            ErrorKind::Absent => "not there (404)".to_owned(),
            ErrorKind::WrongUrl => "no SCIM service answers at the url (404)".to_owned(),
            ErrorKind::Unreadable => "the directory's answer could not be read".to_owned(),
            ErrorKind::Status(status @ (401 | 403)) => format!("the directory refused the token ({status})"),
            ErrorKind::Status(409) => "a conflict (409)".to_owned(),
            ErrorKind::Status(status @ 500..) => format!("the directory failed ({status})"),
            ErrorKind::Status(status) => format!("the directory refused the request ({status})"),
            ErrorKind::Expired => "the command's time was over".to_owned(),
            ErrorKind::Congested => "too much was waiting to be sent".to_owned(),
            ErrorKind::CircuitOpen => "the directory keeps failing".to_owned(),
        }
    }
}
