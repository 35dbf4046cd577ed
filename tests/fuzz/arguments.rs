//! Bodies of commands.

use aws_ilm::{
    commands::{
        Command, create_group, create_user, delete_group, disable_user, get_group, get_mapping_fields, get_user,
        test_module, update_group, update_user,
    },
    json,
};
use fastrand::Rng;
use serde_json::{Value, json};

use crate::{answers, made};

/// Profile fields that commands and mappings read.
const FIELDS: [&str; 16] = [
    "username",
    "Username",
    "email",
    "givenname",
    "Given Name",
    "surname",
    "displayname",
    "displayName",
    "mobilephone",
    "employeeid",
    "title",
    "id",
    "olduserdata",
    "externalId",
    "userName",
    "members",
];

pub(crate) fn make(random: &mut Rng) -> Vec<u8> {
    let document = |random: &mut Rng| {
        let entries = (0..random.usize(..6)).map(|_| (made::one(&FIELDS, random).to_owned(), made::json(2, random)));
        let document = Value::Object(entries.collect());
        if random.u8(..4) == 0 {
            Value::from(document.to_string())
        } else {
            document
        }
    };
    let mut body = json!({});
    if random.u8(..8) > 0 {
        let argument = made::one(&["user-profile", "scim"], random);
        body[argument] = document(random);
    }
    for argument in [
        "allow-enable",
        "clear",
        "includeMembers",
        "memberIdsToAdd",
        "memberIdsToDelete",
    ] {
        match random.u8(..16) {
            0 => body[argument] = made::json(2, random),
            1 => {
                body[argument] = json!(made::one(
                    &["true", "u-1,u-2", "[\"u-1\"]", "title, Mobile Phone", ""],
                    random
                ))
            }
            _ => {}
        }
    }
    made::mangled(body.to_string().as_bytes(), random)
}

/// Whether it is a command's body.
pub(crate) fn hold(body: &[u8], random: &mut Rng) -> bool {
    let value = match json::parse(body) {
        Ok(value) => value,
        Err(fault) => return refused(&fault),
    };
    // What is taken is exactly what others read in it.
    assert_eq!(serde_json::from_slice::<Value>(body).unwrap(), value);
    let commands = [
        json::from_value::<create_user::Args>(value.clone()).map(Command::CreateUser),
        json::from_value::<update_user::Args>(value.clone()).map(Command::UpdateUser),
        json::from_value::<get_user::Args>(value.clone()).map(Command::GetUser),
        json::from_value::<disable_user::Args>(value.clone()).map(Command::DisableUser),
        json::from_value::<get_group::Args>(value.clone()).map(Command::GetGroup),
        json::from_value::<create_group::Args>(value.clone()).map(Command::CreateGroup),
        json::from_value::<update_group::Args>(value.clone()).map(Command::UpdateGroup),
        json::from_value::<delete_group::Args>(value.clone()).map(Command::DeleteGroup),
        json::from_value::<test_module::Args>(value.clone()).map(Command::TestModule),
        json::from_value::<get_mapping_fields::Args>(value).map(Command::GetMappingFields),
    ];
    let mut sound = false;
    for command in commands {
        match command {
            Ok(command) => {
                answers::drive(&command, &answers::PLAIN, random);
                sound = true;
            }
            Err(fault) => drop(refused(&fault)),
        }
    }
    sound
}

fn refused(fault: &json::JsonError) -> bool {
    assert!(fault.pointer.len() <= 512 && fault.message.len() < 1_000, "{fault:?}");
    assert!(!fault.message.contains(char::is_control), "{fault:?}");
    false
}
