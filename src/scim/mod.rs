//! A SCIM 2.0 client (RFC 7643, RFC 7644) for directories that behave like AWS IAM Identity Center.
//!
//! A leaf: it knows nothing of commands, profiles or envelopes. [`Client`] sends one typed
//! [`Request`] at a time through a connection pool that the whole process shares; [`aws`] is the
//! one place where AWS's departures from the RFCs stand.

mod answer;
pub mod aws;
mod breaker;
mod client;
mod error;
mod filter;
mod observed;
mod pacing;
mod patch;
mod pool;
mod request;
mod resource;
mod retry;
mod tokens;
mod transport;
mod transport_error;

pub use breaker::BreakerState;
pub use client::{Client, Status, Target};
pub use error::{ErrorKind, ScimError};
pub use filter::Filter;
pub use pacing::{LaneStatus, Priority, Rates};
pub use patch::{Op, Operation, PatchOp, apply, difference, is_made, removal};
pub use pool::{Connection, Pool, Proxy};
pub use request::{Api, Page, Request};
pub use resource::{Group, Headers, Id, ListResponse, Member, Object, ResourceError, User};
pub use tokens::{Reload, Token, TokenInUse, days_left};
pub use transport::{LastError, RequestContext};

/// How a directory speaks where AWS and the RFCs differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// AWS IAM Identity Center: its required attributes, its filters, its membership PATCH. See
    /// [`aws`].
    Aws,
    /// A server that keeps to RFC 7644: no AWS preflight, members read from the group, removed by a
    /// value path.
    Rfc7644,
}
