//! Requests to what is not a directory (an issuer's key set, a service that the command line asks,
//! what a source of webhooks names), and the [`Guard`] of the addresses that any name may lead to,
//! directories' included.

mod client;
mod guard;
mod outgoing;
mod reach;

pub use client::{builder, client, is_loopback};
pub use guard::Guard;
pub use outgoing::{Outgoing, OutgoingError, body_within};
pub use reach::Reach;
