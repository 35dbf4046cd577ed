//! The HTTP face: what every request meets before a command runs, and how answers and refusals are told.

pub mod cause;
pub mod extract;
pub mod negotiate;
pub mod problem;
