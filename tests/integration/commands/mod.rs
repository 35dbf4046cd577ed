//! One file a command: every row of its table, from a request to the directory's state.

mod create_user;
mod disable_user;
mod get_user;
mod update_user;
