//! The sockets: connections in, within limits of number, time and size, with TLS or without. Knows
//! no routes, no callers and no settings of the service.
//!
//! [`server`] sets hyper's limits and serves a router; [`connections`] caps how many connections
//! are open, with `slots` counting what goes on on each, as `request_body` and `response_body`
//! report it; [`tls`] holds the service's certificate and makes handshakes.

pub mod connections;
mod request_body;
mod response_body;
pub mod server;
mod slots;
pub mod tls;
