//! The order of operations on one person, and what overtakes.

use aws_ilm::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use super::{Stored, person};
use crate::harness::answer;

/// The directory fails this many of the next requests of an API.
fn failing(api: &str, times: u32) -> Fault {
    Fault::new(FaultKind::Status { status: 503 }).on(api).times(times)
}

/// The directory fails every request of an API until that is taken back.
fn down(api: &str) -> Fault {
    Fault::new(FaultKind::Status { status: 503 }).on(api).forever()
}

/// Waits so short that a test sees every try.
const AT_ONCE: [(&str, &str); 2] = [
    ("AWS_ILM_RETRY_SCHEDULE", "100ms, 100ms, 100ms"),
    ("AWS_ILM_DISABLE_RETRY_SCHEDULE", "100ms, 100ms, 100ms"),
];

/// Waits that no test outlives.
const LATER: [(&str, &str); 2] = [
    ("AWS_ILM_RETRY_SCHEDULE", "10m, 10m"),
    ("AWS_ILM_DISABLE_RETRY_SCHEDULE", "10m, 10m"),
];

fn update(name: &str, title: &str) -> Value {
    json!({"user-profile": {"username": name, "title": title}, "allow-enable": true})
}

fn titles(stored: &Stored) -> Vec<Value> {
    let writes = stored.world.writes();
    let titles = writes
        .into_iter()
        .map(|(_, _, body)| body.unwrap()["Operations"][0]["value"].clone());
    titles.collect()
}

#[tokio::test]
async fn operations_on_a_person_are_carried_out_in_the_order_in_which_they_were_accepted() {
    let stored = Stored::holding(json!([person("kim", true)]), &[]).await;
    let mut last = String::new();
    for number in 0..20 {
        last = stored
            .accepted("iam-update-user", &update("kim", &format!("Title {number}")))
            .await;
    }
    assert_eq!(stored.ended(&last).await["state"], "done");
    let expected: Vec<Value> = (0..20).map(|number| json!(format!("Title {number}"))).collect();
    assert_eq!(titles(&stored), expected);
}

#[tokio::test]
async fn what_fails_for_a_while_is_tried_again_and_those_behind_it_wait() {
    let stored = Stored::holding(json!([person("kim", true), person("lou", true)]), &AT_ONCE).await;
    stored.world.sandbox.script(failing("PatchUser", 12));
    let first = stored.accepted("iam-update-user", &update("kim", "First")).await;
    let second = stored.accepted("iam-update-user", &update("kim", "Second")).await;
    let operation = stored.ended(&first).await;
    assert_eq!(operation["state"], "done", "{operation}");
    let attempts = operation["attempts"].as_array().unwrap();
    assert!(attempts.len() > 1, "{operation}");
    assert_eq!(attempts[0]["cause"], "directory_error");
    assert_eq!(attempts[0]["status"], 503);
    assert_eq!(stored.ended(&second).await["state"], "done");
    assert_eq!(titles(&stored), [json!("First"), json!("Second")]);
}

#[tokio::test]
async fn what_fails_for_good_fails_at_once_and_what_fails_too_often_is_buried() {
    let stored = Stored::holding(json!([person("kim", true)]), &AT_ONCE).await;
    let faulty = json!({"user-profile": {"username": "kim", "title": "\u{7}"}, "allow-enable": false});
    let failed = stored.accepted("iam-update-user", &faulty).await;
    let failed = stored.ended(&failed).await;
    assert_eq!(
        (&failed["state"], &failed["attempts"][0]["cause"]),
        (&json!("failed"), &json!("invalid")),
        "{failed}"
    );
    stored.world.sandbox.script(down("PatchUser"));
    let buried = stored.accepted("iam-update-user", &update("kim", "First")).await;
    let behind = stored.accepted("iam-update-user", &update("kim", "Second")).await;
    let operation = stored.ended(&buried).await;
    assert_eq!(operation["state"], "buried", "{operation}");
    stored.world.sandbox.clear_faults();
    assert_eq!(stored.ended(&behind).await["state"], "done", "the lane goes on");
    let retried = stored
        .world
        .post(&format!("/operations/{buried}/retry"), &json!({}))
        .await;
    assert_eq!(retried.status, 200, "{}", retried.text);
    assert_eq!(stored.ended(&buried).await["state"], "done");
    assert_eq!(
        stored.world.user("kim")["title"],
        "First",
        "what is asked for once more comes last"
    );
}

#[tokio::test]
async fn a_disable_overtakes_what_waits_and_what_is_older_enables_nobody() {
    let stored = Stored::holding(json!([person("kim", true)]), &LATER).await;
    stored.world.sandbox.script(down("PatchUser"));
    let older = stored.accepted("iam-update-user", &update("kim", "First")).await;
    // It waits for its next try, for longer than this test lasts.
    while stored.operation(&older).await["dueAt"].is_null() {
        tokio::task::yield_now().await;
    }
    stored.world.sandbox.clear_faults();
    let disable = json!({"user-profile": {"username": "kim"}});
    let disabled = stored.world.command("iam-disable-user", &disable).await;
    assert_eq!(disabled.status, 200, "{}", disabled.text);
    assert_eq!(disabled.vendor()["action"], "disable");
    assert_eq!(stored.world.user("kim")["active"], false, "at once");
    // The older one is told to go on: it changes the title, and leaves enabling out.
    assert_eq!(
        stored
            .world
            .post(&format!("/operations/{older}/retry"), &json!({}))
            .await
            .status,
        200
    );
    let older = stored.ended(&older).await;
    assert_eq!(
        (&older["state"], &older["reason"]),
        (&json!("done"), &json!("overtaken")),
        "{older}"
    );
    let list = stored.world.get("/operations?command=iam-disable-user").await.json();
    assert_eq!(older["overtakenBy"], list["operations"][0]["id"]);
    let kim = stored.world.user("kim");
    assert_eq!((&kim["title"], &kim["active"]), (&json!("First"), &json!(false)));
    // What is accepted later may enable.
    let newer = stored.accepted("iam-update-user", &update("kim", "Back")).await;
    assert_eq!(stored.ended(&newer).await["state"], "done");
    assert_eq!(stored.world.user("kim")["active"], true);
}

#[tokio::test]
async fn a_command_whose_turn_does_not_come_in_time_is_not_done() {
    let settings = [LATER[0], LATER[1], ("AWS_ILM_COMMAND_TIMEOUT", "500ms")];
    let stored = Stored::holding(json!([person("kim", true)]), &settings).await;
    stored.world.sandbox.script(down("PatchUser"));
    let first = stored.accepted("iam-update-user", &update("kim", "First")).await;
    while stored.operation(&first).await["dueAt"].is_null() {
        tokio::task::yield_now().await;
    }
    let behind = stored.world.command("iam-update-user", &update("kim", "Second")).await;
    assert_eq!(behind.status, 409, "{}", behind.text);
    let problem = behind.json();
    assert_eq!(problem["type"], "/problems/behind-operation");
    assert!(behind.header("retry-after").is_some());
    let operation = stored.operation(problem["operation"].as_str().unwrap()).await;
    assert_eq!(operation["state"], "cancelled", "{operation}");
}

#[tokio::test]
async fn names_that_were_learned_join_what_is_about_one_person() {
    let mut kim = person("kim", true);
    kim["externalId"] = json!("E7");
    let stored = Stored::holding(json!([kim]), &LATER).await;
    // Teaches that the name and the employee id are of one person.
    let first = stored.accepted("iam-update-user", &update("kim", "First")).await;
    assert_eq!(stored.ended(&first).await["state"], "done");
    stored.world.sandbox.script(down("PatchUser"));
    let by_name = stored.accepted("iam-update-user", &update("kim", "Second")).await;
    while stored.operation(&by_name).await["dueAt"].is_null() {
        tokio::task::yield_now().await;
    }
    stored.world.sandbox.clear_faults();
    let by_number =
        json!({"user-profile": {"employeeid": "E7", "username": "kim", "title": "Third"}, "allow-enable": false});
    let by_number = stored.accepted("iam-update-user", &by_number).await;
    let id_alone = json!({"user-profile": {"id": "u-kim", "title": "Fourth"}, "allow-enable": false});
    let by_id = stored.accepted("iam-update-user", &id_alone).await;
    for id in [&by_number, &by_id] {
        assert_eq!(stored.operation(id).await["state"], "waiting");
    }
    stored
        .world
        .post(&format!("/operations/{by_name}/retry"), &json!({}))
        .await;
    assert_eq!(stored.ended(&by_id).await["state"], "done");
    assert_eq!(
        titles(&stored),
        ["First", "Second", "Third", "Fourth"].map(|title| json!(title))
    );
}

#[tokio::test]
async fn a_caller_whose_command_is_cancelled_waits_no_longer() {
    let stored = Stored::holding(json!([person("kim", true)]), &LATER).await;
    stored.world.sandbox.script(down("PatchUser"));
    let first = stored.accepted("iam-update-user", &update("kim", "First")).await;
    while stored.operation(&first).await["dueAt"].is_null() {
        tokio::task::yield_now().await;
    }
    let second = update("kim", "Second");
    let waits = stored.world.command("iam-update-user", &second);
    let cancels = async {
        loop {
            let waiting = stored.world.get("/operations?state=waiting").await.json();
            let newest = &waiting["operations"][0];
            if newest["id"] != json!(first) {
                let id = newest["id"].as_str().unwrap();
                return stored.world.post(&format!("/operations/{id}/cancel"), &json!({})).await;
            }
        }
    };
    let (told, cancelled) = tokio::join!(waits, cancels);
    assert_eq!(cancelled.json()["state"], "cancelled", "{}", cancelled.text);
    assert_eq!(told.status, 409, "{}", told.text);
    assert_eq!(told.json()["operation"], cancelled.json()["id"]);
}

#[tokio::test]
async fn a_disable_that_becomes_due_overtakes_what_was_accepted_after_it_and_disables_once() {
    let stored = Stored::holding(json!([person("kim", true)]), &LATER).await;
    let kim = json!({"user-profile": {"username": "kim"}});
    let disable = stored
        .defer("iam-disable-user", "?notBefore=2035-01-31T17:00:00Z", &kim)
        .await
        .json();
    stored.world.sandbox.script(down("PatchUser"));
    let newer = stored.accepted("iam-update-user", &update("kim", "Newer")).await;
    while stored.operation(&newer).await["dueAt"].is_null() {
        tokio::task::yield_now().await;
    }
    stored.world.sandbox.clear_faults();
    stored.world.sandbox.reset_calls();
    let id = disable["id"].as_str().unwrap();
    let address = stored.world.url(&format!("/operations/{id}"));
    let now = json!({"notBefore": "2020-01-31T17:00:00Z"});
    assert_eq!(answer(stored.world.http.patch(&address).json(&now)).await.status, 200);
    while stored.world.user("kim")["active"] == true {
        tokio::task::yield_now().await;
    }
    // Its turn is before that of the disable, which would disable again what it enables.
    stored
        .world
        .post(&format!("/operations/{newer}/retry"), &json!({}))
        .await;
    let newer = stored.ended(&newer).await;
    assert_eq!(
        (&newer["state"], &newer["reason"], &newer["overtakenBy"]),
        (&json!("done"), &json!("overtaken"), &json!(id)),
        "{newer}"
    );
    assert_eq!(stored.ended(id).await["state"], "done");
    assert_eq!(titles(&stored), [json!(false), json!("Newer")]);
    assert_eq!(stored.world.user("kim")["active"], false);
    // What becomes due after it, and was accepted after it, enables.
    let later = stored
        .defer(
            "iam-update-user",
            "?notBefore=2035-01-31T17:00:00Z",
            &update("kim", "Back"),
        )
        .await
        .json();
    let later = later["id"].as_str().unwrap().to_owned();
    let address = stored.world.url(&format!("/operations/{later}"));
    assert_eq!(answer(stored.world.http.patch(&address).json(&now)).await.status, 200);
    assert_eq!(stored.ended(&later).await["state"], "done");
    assert_eq!(stored.world.user("kim")["active"], true);
}
