//! A SCIM 2.0 client (RFC 7643, RFC 7644) for directories that behave like AWS IAM Identity Center.
//!
//! A leaf: it knows nothing of commands, profiles or envelopes. [`Client`] sends one typed [`Request`] at a time through a
//! connection pool that the whole process shares; [`aws`] is the one place where AWS's departures from the RFCs stand.

pub mod aws;
mod client;
mod error;
mod filter;
mod patch;
mod request;
mod resource;

pub use client::{Client, Connection, Pool, Proxy};
pub use error::{Error, ErrorKind};
pub use filter::Filter;
pub use patch::{Op, Operation, PatchOp, apply, difference};
pub use request::{Api, Page, Request};
pub use resource::{Group, Headers, Id, ListResponse, Malformed, Member, Object, User};

/// How a directory speaks where AWS and the RFCs differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// AWS IAM Identity Center: its required attributes, its filters, its membership PATCH. See [`aws`].
    Aws,
    /// A server that keeps to RFC 7644: no AWS preflight, members read from the group, removed by a value path.
    Rfc7644,
}
