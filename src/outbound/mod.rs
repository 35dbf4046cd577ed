//! Requests to what is not a directory (an issuer's key set, a service that the command line asks),
//! and the [`Guard`] of the addresses that any name may lead to, directories' included.

mod client;
mod guard;

pub use client::{builder, client, is_loopback};
pub use guard::Guard;
