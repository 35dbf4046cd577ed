//! The edge: what a client, a proxy, a probe or an operator meets before any command runs.

mod unread;
