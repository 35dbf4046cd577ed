//! Who asks, how they prove it, and what they may do. Knows nothing of HTTP, of commands or of directories.

mod jwks;
pub mod jwt;
