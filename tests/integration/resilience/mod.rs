//! Lost answers, callers that hang up, deadlines and shutdown: no user is created twice, and
//! nothing that was done is told as failed.

mod ends;
mod lost;
mod others;

/// A request to the directory that is waited for no longer than this, in tests that wait for one.
const SHORT: (&str, &str) = ("AWS_ILM_REQUEST_TIMEOUT", "500ms");
