//! The number of calls to the directory is a budget: what each command may cost at most, and does.

mod groups;

use serde_json::{Value, json};

use crate::{
    expected::{but, person, profile},
    harness::World,
};

/// Runs a command, asserts its success and returns how many calls it cost, whatever they were.
async fn cost(world: &World, command: &str, arguments: &Value) -> u64 {
    world.calls();
    let answer = world.command(command, arguments).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    world.calls().values().sum()
}

fn about(profile: &Value) -> Value {
    json!({"user-profile": profile})
}

/// The people whom the budgets of the user commands are about.
fn directory() -> Value {
    json!({"users": [
        person("u-1", "test"),
        but(person("u-2", "idle"), json!({"active": false})),
        but(person("u-3", "numbered"), json!({"externalId": "E3"})),
        person("u-4", "jos\u{e9}"),
        but(person("u-5", "ann@example.com"), json!({"emails": [{"value": "ann@example.com", "type": "work", "primary": true}]})),
    ]})
}

/// Sends a user command in a directory of its own, and asserts how it ends and what it costs.
async fn assert_cost(what: &str, command: &str, profile: Value, (status, calls): (u16, u64)) {
    let world = World::holding(directory()).await;
    let answer = world.command(command, &about(&profile)).await;
    assert_eq!(answer.status, status, "{what}: {}", answer.text);
    assert_eq!(world.calls().values().sum::<u64>(), calls, "{what}");
}

#[tokio::test]
async fn a_get_costs_one_call_and_one_a_further_key() {
    for (what, profile, expected) in [
        ("by name", json!({"username": "test"}), (200, 1)),
        ("by id", json!({"id": "u-1"}), (200, 1)),
        (
            "by id, with its own name",
            json!({"id": "u-1", "username": "test"}),
            (200, 1),
        ),
        ("by employee id", json!({"employeeid": "E3"}), (200, 1)),
        (
            "by old name alone",
            json!({"olduserdata": {"username": "test"}}),
            (200, 1),
        ),
        ("nobody", json!({"username": "nobody"}), (404, 1)),
        (
            "by name, after an unknown id",
            json!({"id": "u-9", "username": "test"}),
            (200, 2),
        ),
        (
            "by employee id, after an absent name",
            json!({"username": "gone", "employeeid": "E3"}),
            (200, 2),
        ),
        (
            "by old name, after two absent keys",
            json!({"username": "gone", "employeeid": "E9", "olduserdata": {"username": "test"}}),
            (200, 3),
        ),
        (
            "an id whose user has another name",
            json!({"id": "u-1", "username": "gone"}),
            (200, 2),
        ),
        (
            "by old id, whose user has another name than the absent one",
            json!({"username": "gone", "olduserdata": {"id": "u-1"}}),
            (200, 2),
        ),
        (
            "differing employee ids",
            json!({"username": "numbered", "employeeid": "E9"}),
            (409, 2),
        ),
        (
            "an absent name in its other form",
            json!({"username": "jose\u{301}"}),
            (200, 2),
        ),
        (
            "an absent name of two forms",
            json!({"username": "ren\u{e9}"}),
            (404, 2),
        ),
    ] {
        assert_cost(what, "iam-get-user", profile, expected).await;
    }
}

#[tokio::test]
async fn a_create_costs_one_call_for_somebody_new_and_three_for_somebody_who_is_there() {
    let titled = |name: &str| but(profile(name), json!({"title": "Boss"}));
    let new = |changes: Value| but(profile("jane"), changes);
    for (what, profile, expected) in [
        ("new", profile("jane"), (200, 1)),
        ("new, with an employee id", new(json!({"employeeid": "E9"})), (200, 1)),
        ("new, with an id", new(json!({"id": "u-9"})), (200, 2)),
        ("new, with another form", profile("ren\u{e9}"), (200, 2)),
        (
            "new, with an old key",
            new(json!({"olduserdata": {"username": "gone"}})),
            (200, 2),
        ),
        (
            "new, with three old keys",
            new(json!({"olduserdata": {"id": "u-8", "username": "gone", "employeeid": "E8"}})),
            (200, 4),
        ),
        ("there", titled("test"), (200, 3)),
        ("there, inactive", titled("idle"), (200, 3)),
        ("there, nothing differs", profile("test"), (200, 2)),
        ("there, by id", but(titled("test"), json!({"id": "u-1"})), (200, 2)),
        (
            "there, by employee id",
            new(json!({"employeeid": "E3", "email": "numbered@example.com"})),
            (200, 4),
        ),
        (
            "there, by old id under another name",
            new(json!({"olduserdata": {"id": "u-1"}})),
            (200, 3),
        ),
        (
            "there, by old name, with an employee id",
            new(json!({"employeeid": "E9", "email": "test@example.com", "olduserdata": {"username": "test"}})),
            (200, 4),
        ),
        (
            "there, told too little to create, by old id under another name",
            json!({"username": "jane", "olduserdata": {"id": "u-1"}}),
            (200, 3),
        ),
        (
            "there, told too little to create",
            json!({"username": "test", "title": "Boss"}),
            (200, 2),
        ),
        ("refused by preflight", json!({"username": "jane"}), (400, 1)),
        ("another's e-mail", new(json!({"email": "test@example.com"})), (409, 3)),
        (
            "another's e-mail, with an employee id",
            new(json!({"email": "test@example.com", "employeeid": "E9"})),
            (409, 4),
        ),
        (
            "differing employee ids",
            but(titled("numbered"), json!({"employeeid": "E9"})),
            (409, 3),
        ),
    ] {
        assert_cost(what, "iam-create-user", profile, expected).await;
    }
}

#[tokio::test]
async fn an_update_costs_two_calls_and_a_rename_told_twice_three() {
    let titled = |name: &str| but(profile(name), json!({"title": "Boss"}));
    let renamed = |name: &str, old: &str, changes: Value| {
        but(
            but(json!({"username": name, "title": "Boss"}), changes),
            json!({"olduserdata": {"username": old}}),
        )
    };
    for (what, profile, expected) in [
        ("something differs", titled("test"), (200, 2)),
        ("enabling", profile("idle"), (200, 2)),
        ("nothing differs", profile("test"), (200, 1)),
        ("nobody", profile("joe"), (200, 2)),
        (
            "nobody, with an employee id",
            but(profile("joe"), json!({"employeeid": "E9"})),
            (200, 3),
        ),
        ("nobody, with another form", profile("ren\u{e9}"), (200, 3)),
        ("rename", renamed("after", "test", json!({})), (200, 2)),
        ("rename told twice", renamed("test", "before", json!({})), (200, 3)),
        (
            "rename by old id",
            json!({"username": "after", "olduserdata": {"id": "u-1"}}),
            (200, 2),
        ),
        (
            "rename by old id to a taken name",
            json!({"username": "idle", "olduserdata": {"id": "u-1"}}),
            (409, 3),
        ),
        // A refused change is sent once more where nobody is found to have what was refused:
        // another writer may have been at work on the user. A refused rename costs five calls at
        // most.
        ("rename to a taken name", renamed("idle", "test", json!({})), (409, 3)),
        (
            "rename to a taken name, with another e-mail",
            renamed("idle", "test", json!({"email": "new@example.com"})),
            (409, 3),
        ),
        (
            "rename to a taken name, with another's e-mail",
            renamed("idle", "test", json!({"email": "numbered@example.com"})),
            (409, 3),
        ),
        (
            "rename with another's e-mail, which is no userName",
            renamed("after", "test", json!({"email": "idle@example.com"})),
            (409, 5),
        ),
        (
            "rename with another's e-mail, which is its userName",
            renamed("after", "test", json!({"email": "ann@example.com"})),
            (409, 4),
        ),
        (
            "rename with another's employee id and e-mail",
            renamed(
                "after",
                "test",
                json!({"employeeid": "E3", "email": "idle@example.com"}),
            ),
            (409, 4),
        ),
        (
            "a rename refused, told twice",
            renamed("test", "before", json!({"email": "idle@example.com"})),
            (409, 5),
        ),
        (
            "by name, after an unknown id",
            but(titled("test"), json!({"id": "u-9"})),
            (200, 3),
        ),
        (
            "an id whose user has another name",
            json!({"id": "u-1", "username": "after"}),
            (200, 3),
        ),
        (
            "an id, and another's name",
            json!({"id": "u-1", "username": "idle"}),
            (409, 2),
        ),
        (
            "differing employee ids",
            but(titled("numbered"), json!({"employeeid": "E9"})),
            (409, 2),
        ),
    ] {
        assert_cost(what, "iam-update-user", profile, expected).await;
    }
}

#[tokio::test]
async fn a_disable_costs_two_calls_and_one_where_there_is_nothing_to_do() {
    for (what, profile, expected) in [
        ("active", profile("test"), (200, 2)),
        ("again", profile("idle"), (200, 1)),
        ("nobody", profile("nobody"), (200, 1)),
        (
            "nobody, with an employee id",
            but(profile("nobody"), json!({"employeeid": "E9"})),
            (200, 2),
        ),
        ("nobody, with another form", json!({"username": "ren\u{e9}"}), (200, 2)),
        (
            "by name, after an unknown id",
            json!({"id": "u-9", "username": "test"}),
            (200, 3),
        ),
        (
            "by employee id, after an absent name",
            json!({"username": "gone", "employeeid": "E3"}),
            (200, 3),
        ),
        (
            "by old name, after an absent name",
            json!({"username": "gone", "olduserdata": {"username": "test"}}),
            (200, 3),
        ),
        (
            "by old id, after an absent name",
            json!({"username": "gone", "olduserdata": {"id": "u-1"}}),
            (200, 3),
        ),
        (
            "an id whose user has another name",
            json!({"id": "u-1", "username": "gone"}),
            (200, 3),
        ),
        (
            "differing employee ids",
            json!({"username": "numbered", "employeeid": "E9"}),
            (409, 2),
        ),
    ] {
        assert_cost(what, "iam-disable-user", profile, expected).await;
    }
}

#[tokio::test]
async fn a_test_costs_one_call_and_the_fields_none() {
    let world = World::holding(directory()).await;
    assert_eq!(cost(&world, "test-module", &json!({})).await, 1);
    assert_eq!(cost(&world, "get-mapping-fields", &json!({})).await, 0);
}
