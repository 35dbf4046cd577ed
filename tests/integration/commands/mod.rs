//! One file a command: every row of its table, from a request to the directory's state.

mod create_group;
mod create_user;
mod delete_group;
mod disable_user;
mod get_group;
mod get_mapping_fields;
mod get_user;
mod no_answers;
mod test_module;
mod update_group;
mod update_user;
