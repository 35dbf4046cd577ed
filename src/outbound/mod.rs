//! Requests to what is not a directory (an issuer's key set), and the [`Guard`] of the addresses
//! that any name may lead to, directories' included.

mod client;
mod guard;

pub use client::client;
pub use guard::Guard;
