//! The HTTP face: what every request meets before a command runs, and how answers and refusals are told.
//!
//! In the order in which a request meets them: [`server`] (sockets) and [`connections`], then [`layers`] with [`observe`] and
//! [`host`], then the extractors of [`extract`] and [`negotiate`]. Whatever refuses does so with a [`problem`], for a [`cause`].

pub mod cause;
pub mod connections;
pub mod extract;
pub mod host;
pub mod layers;
pub mod negotiate;
pub mod observe;
pub mod problem;
pub mod server;
