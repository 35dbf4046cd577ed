//! What waits for a person's word: what is seen of it, who may release or cancel it, and what comes
//! of that.

use serde_json::{Value, json};

use super::{
    Driven,
    cases::{JUNE, june, leaver, person, states},
};
use crate::{
    callers::{ALL, caller, key},
    harness::{Answer, answer, caller_with},
};

impl Driven {
    /// Posts to a route of an operation.
    async fn change(&self, operation: &Value, end: &str) -> Answer {
        let id = operation["id"].as_str().unwrap();
        answer(self.world.http.post(self.world.url(&format!("/operations/{id}/{end}")))).await
    }

    /// A termination whose day is so long ago that it is held.
    async fn long_ago(&mut self, id: &str, name: &str) -> Value {
        let left = leaver(id, name, "2026-03-01");
        let held = self.say("terminated", "2026-06-15T08:00:00Z", left).await;
        assert_eq!(states(&held), ["held"]);
        held[0].clone()
    }

    async fn held(&self) -> Vec<Value> {
        let held = self.world.get("/operations?state=held").await.json();
        held["operations"].as_array().unwrap().clone()
    }
}

fn ids(operations: &[Value]) -> Vec<&Value> {
    operations.iter().map(|operation| &operation["id"]).collect()
}

/// The recorded example of a release.
pub(crate) async fn exchange() -> (&'static str, Value, Answer) {
    let mut hr = june().await;
    let left = leaver("1042", "ada.okafor@example.com", "2028-06-30");
    let held = hr.say("terminated", "2026-06-15T08:00:00Z", left).await;
    ("operation-release", Value::Null, hr.change(&held[0], "release").await)
}

#[tokio::test]
async fn what_is_long_ago_is_shown_with_its_date_and_carried_out_once_released() {
    let mut hr = june().await;
    hr.hire("1", "ada").await;
    hr.hire("2", "bo").await;
    let (ada, bo) = (hr.long_ago("1", "ada").await, hr.long_ago("2", "bo").await);
    let held = hr.held().await;
    assert_eq!(ids(&held), [&bo["id"], &ada["id"]]);
    for shown in &held {
        assert_eq!(shown["reason"], "back_dated");
        let date = json!({"date": "2026-03-01", "zone": "Australia/Melbourne", "side": "end_of_day", "ahead": null});
        assert_eq!(shown["dueDate"], date);
    }
    let released = hr.change(&ada, "release").await;
    assert_eq!(released.status, 200, "{}", released.text);
    hr.settle().await;
    assert_eq!((hr.active("ada"), hr.active("bo")), (json!(false), json!(true)));
    assert_eq!(hr.state(&ada).await["state"], "done");
    assert_eq!(ids(&hr.held().await), [&bo["id"]]);

    let cancelled = hr.change(&bo, "cancel").await;
    assert_eq!(
        (cancelled.status, &cancelled.json()["state"]),
        (200, &json!("cancelled"))
    );
    hr.settle().await;
    assert_eq!(hr.active("bo"), true);
    assert_eq!(hr.held().await, Vec::<Value>::new());
    // A later event of the person does not bring back what was cancelled.
    hr.say("changed", JUNE, json!({"employeeId": "2", "title": "Lead"}))
        .await;
    assert_eq!(hr.active("bo"), true);
}

#[tokio::test]
async fn what_is_not_held_is_not_released() {
    let mut hr = june().await;
    hr.hire("1", "ada").await;
    let scheduled = hr
        .say("terminated", "2026-06-15T08:00:00Z", leaver("1", "ada", "2026-06-30"))
        .await;
    let done = hr
        .say(
            "changed",
            "2026-06-15T08:30:00Z",
            json!({"employeeId": "1", "title": "Lead"}),
        )
        .await;
    for (operation, state) in [(&scheduled[0], "scheduled"), (&done[0], "done")] {
        let refused = hr.change(operation, "release").await;
        let problem = refused.json();
        assert_eq!(refused.status, 409, "{problem}");
        assert_eq!(problem["type"], "/problems/operation-state");
        let detail = format!("The operation is {state} and can't be released: it is not held.");
        assert_eq!(problem["detail"], detail);
        assert_eq!(hr.state(operation).await["state"], state);
    }
    let unknown = json!({"id": "0197f3a2-8f0b-7c3e-9d55-0c4f5f6d7a81"});
    let unknown = hr.change(&unknown, "release").await;
    assert_eq!(
        (unknown.status, &unknown.json()["type"]),
        (404, &json!("/problems/no-such-operation"))
    );
}

#[tokio::test]
async fn what_is_far_ahead_waits_for_its_time_once_released() {
    let mut hr = june().await;
    hr.hire("1", "ada").await;
    let left = leaver("1", "ada", "2028-06-30");
    let held = hr.say("terminated", "2026-06-15T08:00:00Z", left).await;
    assert_eq!(
        (states(&held), &held[0]["reason"]),
        (vec!["held"], &json!("far_future"))
    );
    let released = hr.change(&held[0], "release").await;
    assert_eq!(released.status, 200, "{}", released.text);
    let released = released.json();
    assert_eq!(
        (&released["state"], &released["reason"], &released["notBefore"]),
        (&json!("scheduled"), &Value::Null, &json!("2028-06-30T14:00:00.000Z"))
    );
    assert_eq!(released["dueDate"]["date"], "2028-06-30");
    hr.until("2028-06-30T13:59:59Z").await;
    assert_eq!(hr.active("ada"), true);
    hr.until("2028-06-30T14:00:00Z").await;
    assert_eq!(hr.active("ada"), false);

    // Of a hire both parts are held, and each says how much earlier it is.
    let hired = hr
        .say("hired", "2028-06-30T08:00:00Z", {
            person(
                "3",
                "cy",
                json!({"email": "cy@example.com", "displayName": "Cy Roe", "start": "2029-09-03"}),
            )
        })
        .await;
    assert_eq!(states(&hired), ["held", "held"]);
    let ahead: Vec<_> = hired.iter().map(|part| &part["dueDate"]["ahead"]).collect();
    assert_eq!(ahead, [&json!("336h"), &Value::Null]);
}

#[tokio::test]
async fn what_needs_data_is_tried_again_once_released() {
    let mut hr = june().await;
    let thin = json!({"employeeId": "1", "userName": "ada"});
    let thin = hr.say("back", "2026-06-10T08:00:00Z", thin).await;
    assert_eq!(states(&thin), ["needs_data"]);
    let attempts = async |hr: &Driven| hr.state(&thin[0]).await["attempts"].as_array().unwrap().len();
    assert_eq!(attempts(&hr).await, 1);
    let released = hr.change(&thin[0], "release").await;
    assert_eq!(released.status, 200, "{}", released.text);
    hr.settle().await;
    assert_eq!(attempts(&hr).await, 2);
    // It lacks what it lacked, and is still taken up when that is said.
    assert_eq!(hr.state(&thin[0]).await["state"], "needs_data");
    hr.say("changed", "2026-06-11T08:00:00Z", person("1", "ada", json!({})))
        .await;
    hr.settle().await;
    assert_eq!(hr.state(&thin[0]).await["state"], "done");
    assert_eq!(hr.active("ada"), true);
}

#[tokio::test]
async fn a_termination_of_an_unknown_person_stays_held_when_it_is_released() {
    let mut hr = june().await;
    let left = hr.say("left", "2026-06-10T08:00:00Z", leaver("1", "ada", "")).await;
    assert_eq!(left[0]["reason"], "unknown_person");
    let released = hr.change(&left[0], "release").await;
    assert_eq!(released.status, 200, "{}", released.text);
    hr.settle().await;
    let again = hr.state(&left[0]).await;
    assert_eq!(
        (&again["state"], &again["reason"]),
        (&json!("held"), &json!("unknown_person"))
    );
}

/// Each caller with the statuses of a release and of a cancellation.
#[tokio::test]
async fn the_right_release_decides_on_what_is_held_and_on_nothing_else() {
    let seeing = "instances = [\"*\"]\noperations = \"read\"";
    let callers = [
        (
            "all",
            format!("{ALL}\nrequests_per_second = 100000\nconcurrent_requests = 1000"),
        ),
        ("releases", format!("{seeing}\nrelease = true")),
        ("reads", seeing.to_owned()),
        ("manages", "instances = [\"*\"]\noperations = \"manage\"".to_owned()),
        (
            "elsewhere",
            "instances = []\noperations = \"read\"\nrelease = true".to_owned(),
        ),
        ("own", "instances = [\"*\"]\nrelease = true".to_owned()),
    ];
    let mut file = String::new();
    let mut keys = Vec::new();
    for (name, lines) in &callers {
        let (key, digest) = key();
        file += &caller(name, &[&digest], lines);
        keys.push(key);
    }
    let mut hr = Driven::with_callers(JUNE.parse().unwrap(), &file, &keys[0]).await;
    for (at, (name, release, cancel)) in [
        ("all", 200, 200),
        ("releases", 200, 200),
        ("reads", 403, 403),
        ("manages", 403, 200),
        ("elsewhere", 404, 404),
        ("own", 404, 404),
    ]
    .into_iter()
    .enumerate()
    {
        let http = caller_with(&keys[at]);
        for (end, expected) in [("release", release), ("cancel", cancel)] {
            let person = format!("{name}-{end}");
            hr.hire(&person, &person).await;
            let held = hr.long_ago(&person, &person).await;
            let path = format!("/operations/{}", held["id"].as_str().unwrap());
            let told = answer(http.post(hr.world.url(&format!("{path}/{end}")))).await;
            assert_eq!(told.status, expected, "{person}: {}", told.text);
            if expected == 403 && end == "release" {
                assert_eq!(
                    told.json()["detail"],
                    "The caller lacks the right to release operations."
                );
            }
            hr.settle().await;
            let after = hr.state(&held).await;
            let state = match (end, expected) {
                (_, 403 | 404) => "held",
                ("release", _) => "done",
                _ => "cancelled",
            };
            assert_eq!(after["state"], state, "{person}");
            assert_eq!(hr.active(&person), state != "done", "{person}");
            if state == "done" {
                assert_eq!(after["attempts"][0]["requestedBy"], name, "{after}");
            }
        }
    }
    // The right is one to what is held: what waits for its day is cancelled by those who manage.
    hr.hire("9", "zoe").await;
    let waits = hr
        .say("terminated", "2026-06-15T08:00:00Z", leaver("9", "zoe", "2026-06-30"))
        .await;
    let path = format!("/operations/{}/cancel", waits[0]["id"].as_str().unwrap());
    let refused = answer(caller_with(&keys[1]).post(hr.world.url(&path))).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    assert_eq!(hr.state(&waits[0]).await["state"], "scheduled");
}

/// Cancelling and retrying take no right to release, and must not come to the same.
#[tokio::test]
async fn what_was_held_is_held_again_when_its_cancellation_is_taken_back() {
    let mut hr = june().await;
    for (id, name, last) in [("1", "ada", "2026-03-01"), ("2", "bo", "2028-06-30")] {
        hr.hire(id, name).await;
        let held = hr
            .say("terminated", "2026-06-15T08:00:00Z", leaver(id, name, last))
            .await;
        let reason = &held[0]["reason"];
        assert_eq!(hr.change(&held[0], "cancel").await.json()["state"], "cancelled");
        let again = hr.change(&held[0], "retry").await.json();
        assert_eq!(
            (&again["state"], &again["reason"], &again["endedAt"]),
            (&json!("held"), reason, &Value::Null)
        );
        hr.change(&held[0], "cancel").await;
        let counted = hr
            .world
            .post("/operations/retry?state=cancelled", &json!({}))
            .await
            .json();
        let token = json!({"token": counted["token"]});
        hr.world.post("/operations/retry?state=cancelled", &token).await;
        hr.settle().await;
        assert_eq!(hr.state(&held[0]).await["state"], "held");
        assert_eq!(hr.active(name), true);
        let released = hr.change(&held[0], "release").await;
        assert_eq!(released.status, 200, "{}", released.text);
        hr.settle().await;
    }
    assert_eq!((hr.active("ada"), hr.active("bo")), (json!(false), json!(true)));
    hr.until("2028-06-30T14:00:00Z").await;
    assert_eq!(hr.active("bo"), false);
}

/// At a start the times of dates are computed again; a caller's word is no such time.
#[tokio::test]
async fn what_a_caller_moved_is_not_moved_back_at_a_start() {
    let mut hr = june().await;
    hr.hire("1", "ada").await;
    hr.hire("2", "bo").await;
    let mut waiting = Vec::new();
    for (id, name) in [("1", "ada"), ("2", "bo")] {
        let left = leaver(id, name, "2026-06-30");
        waiting.extend(hr.say("terminated", "2026-06-15T08:00:00Z", left).await);
    }
    let path = format!("/operations/{}", waiting[0]["id"].as_str().unwrap());
    let to = json!({"notBefore": "2026-07-03T05:00:00Z"});
    let moved = answer(hr.world.http.patch(hr.world.url(&path)).json(&to)).await;
    assert_eq!(moved.status, 200, "{}", moved.text);
    let shown = |operation: &Value| (operation["notBefore"].clone(), operation["dueDate"]["date"].clone());
    let expected = [
        (json!("2026-07-03T05:00:00.000Z"), Value::Null),
        (json!("2026-06-30T14:00:00.000Z"), json!("2026-06-30")),
    ];
    for _ in 0..2 {
        for (operation, expected) in waiting.iter().zip(&expected) {
            let operation = hr.state(operation).await;
            assert_eq!(operation["state"], "scheduled");
            assert_eq!(&shown(&operation), expected);
        }
        hr = hr.restarted().await;
    }
}
