//! One row of the rules after the other: what comes late, twice, moved, taken back.

use serde_json::{Value, json};

use super::Driven;

pub(super) const JUNE: &str = "2026-06-15T09:00:00Z";

pub(super) async fn june() -> Driven {
    Driven::at(JUNE.parse().unwrap()).await
}

/// The person of an employee id and a userName, with whatever else is said.
pub(super) fn person(id: &str, name: &str, more: Value) -> Value {
    let mut data = json!({
        "employeeId": id, "userName": name, "email": format!("{name}@example.com"), "firstName": "Ada", "lastName": "Okafor",
        "displayName": "Ada Okafor", "site": "melbourne",
    });
    data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    data
}

pub(super) fn leaver(id: &str, name: &str, last: &str) -> Value {
    json!({"employeeId": id, "userName": name, "site": "melbourne", "last": last})
}

pub(super) fn states(operations: &[Value]) -> Vec<&str> {
    operations
        .iter()
        .map(|operation| operation["state"].as_str().unwrap())
        .collect()
}

impl Driven {
    pub(super) async fn until(&mut self, time: &str) {
        self.set(time.parse().unwrap()).await;
        self.settle().await;
    }

    pub(super) async fn hire(&mut self, id: &str, name: &str) {
        let hired = self
            .say(
                "back",
                "2026-06-01T08:00:00Z",
                person(id, name, json!({"title": "Clerk"})),
            )
            .await;
        assert_eq!(states(&hired), ["done"]);
    }

    pub(super) async fn state(&self, operation: &Value) -> Value {
        let id = operation["id"].as_str().unwrap();
        self.world.get(&format!("/operations/{id}")).await.json()
    }
}

/// Workday's leaver in Melbourne kept access for 17 hours.
#[tokio::test]
async fn a_last_day_is_over_at_the_sites_midnight() {
    let mut hr = june().await;
    hr.hire("1", "ada").await;
    let left = hr
        .say("terminated", "2026-06-15T08:00:00Z", leaver("1", "ada", "2026-06-30"))
        .await;
    assert_eq!(states(&left), ["scheduled"]);
    assert_eq!(left[0]["notBefore"], "2026-06-30T14:00:00.000Z");
    hr.until("2026-06-30T13:59:59Z").await;
    assert_eq!(hr.active("ada"), true);
    hr.until("2026-06-30T14:00:00Z").await;
    assert_eq!(hr.active("ada"), false);
}

#[tokio::test]
async fn a_future_hire_is_there_inactive_and_active_on_the_day() {
    let mut hr = june().await;
    let hired = hr
        .say(
            "hired",
            "2026-06-15T08:00:00Z",
            person("1", "ada", json!({"start": "2026-07-20"})),
        )
        .await;
    assert_eq!(states(&hired), ["scheduled", "scheduled"]);
    hr.until("2026-07-05T14:00:00Z").await;
    assert_eq!(hr.active("ada"), false);
    // What is said of the person meanwhile is not undone by the day.
    let changed = hr
        .say(
            "changed",
            "2026-07-06T08:00:00Z",
            json!({"employeeId": "1", "title": "Lead"}),
        )
        .await;
    assert_eq!(states(&changed), ["done"]);
    hr.until("2026-07-19T14:00:00Z").await;
    assert_eq!(hr.active("ada"), true);
    assert_eq!(hr.world.user("ada")["title"], "Lead");
}

#[tokio::test]
async fn a_rescinded_hire_never_begins_or_is_disabled() {
    let mut hr = june().await;
    let hired = hr
        .say(
            "hired",
            "2026-06-15T08:00:00Z",
            person("1", "ada", json!({"start": "2026-07-20"})),
        )
        .await;
    hr.until("2026-07-06T08:00:00Z").await;
    let rescinded = hr
        .say("rescinded", "2026-07-06T08:00:00Z", json!({"employeeId": "1"}))
        .await;
    assert_eq!(states(&rescinded), ["skipped"]);
    assert_eq!(hr.state(&hired[1]).await["state"], "cancelled");
    hr.until("2026-07-25T08:00:00Z").await;
    assert_eq!(hr.active("ada"), false);
    // One that has begun is disabled.
    hr.say("back", "2026-07-25T08:00:00Z", person("2", "bo", json!({})))
        .await;
    assert_eq!(hr.active("bo"), true);
    let rescinded = hr
        .say("rescinded", "2026-07-26T08:00:00Z", json!({"employeeId": "2"}))
        .await;
    assert_eq!(states(&rescinded), ["done"]);
    assert_eq!(hr.active("bo"), false);
    // A change that comes after it creates and enables nobody.
    hr.say(
        "changed",
        "2026-07-27T08:00:00Z",
        person("2", "bo", json!({"title": "Lead"})),
    )
    .await;
    assert_eq!(hr.active("bo"), false);
}

#[tokio::test]
async fn a_termination_is_moved_and_cancelled() {
    let mut hr = june().await;
    hr.hire("1", "ada").await;
    let first = hr
        .say("terminated", "2026-06-15T08:00:00Z", leaver("1", "ada", "2026-06-30"))
        .await;
    let moved = hr
        .say("terminated", "2026-06-16T08:00:00Z", leaver("1", "ada", "2026-07-10"))
        .await;
    let replaced = hr.state(&first[0]).await;
    assert_eq!(replaced["state"], "superseded");
    assert_eq!(
        replaced["reason"],
        format!("replaced by {}", moved[0]["id"].as_str().unwrap())
    );
    // An older date that comes late changes nothing.
    let late = hr
        .say("terminated", "2026-06-14T08:00:00Z", leaver("1", "ada", "2026-06-20"))
        .await;
    assert_eq!(states(&late), ["superseded"]);
    hr.until("2026-07-01T08:00:00Z").await;
    assert_eq!(hr.active("ada"), true);
    hr.say(
        "termination-cancelled",
        "2026-07-02T08:00:00Z",
        json!({"employeeId": "1"}),
    )
    .await;
    hr.until("2026-07-20T08:00:00Z").await;
    assert_eq!(hr.active("ada"), true);
    // One that was carried out is undone.
    hr.say("left", "2026-07-20T08:00:00Z", leaver("1", "ada", "")).await;
    assert_eq!(hr.active("ada"), false);
    let cancelled = hr
        .say(
            "termination-cancelled",
            "2026-07-21T08:00:00Z",
            json!({"employeeId": "1"}),
        )
        .await;
    assert_eq!(states(&cancelled), ["done"]);
    assert_eq!(hr.active("ada"), true);
    // And one that comes after its cancellation is not carried out.
    let late = hr.say("left", "2026-07-20T09:00:00Z", leaver("1", "ada", "")).await;
    assert_eq!(states(&late), ["cancelled"]);
    assert_eq!(hr.active("ada"), true);
}

/// Hostile input 75, an update that is older than what was carried out: superseded, and told.
#[tokio::test]
async fn late_words_overwrite_and_enable_nothing() {
    let mut hr = june().await;
    hr.hire("1", "ada").await;
    hr.say(
        "changed",
        "2026-06-10T08:00:00Z",
        json!({"employeeId": "1", "title": "Lead"}),
    )
    .await;
    let late = hr
        .say(
            "changed",
            "2026-06-05T08:00:00Z",
            json!({"employeeId": "1", "title": "Senior"}),
        )
        .await;
    assert_eq!(states(&late), ["superseded"]);
    let half = json!({"employeeId": "1", "title": "Senior", "department": "Sales"});
    let late = hr.say("changed", "2026-06-06T08:00:00Z", half).await;
    assert_eq!(states(&late), ["done"]);
    assert_eq!(hr.world.user("ada")["title"], "Lead");
    // A late termination disables although newer changes came first.
    let late = hr.say("left", "2026-06-04T08:00:00Z", leaver("1", "ada", "")).await;
    assert_eq!(states(&late), ["done"]);
    assert_eq!(hr.active("ada"), false);
    // A hire that is older than it enables nobody, and one at the same time neither.
    for said in ["2026-06-03T08:00:00Z", "2026-06-04T08:00:00Z"] {
        hr.say("back", said, person("1", "ada", json!({"title": "Clerk"})))
            .await;
        assert_eq!(hr.active("ada"), false, "{said}");
    }
    assert_eq!(hr.world.user("ada")["title"], "Lead");
    // A newer one does, and a termination that is older than that comes too late.
    hr.say("back", "2026-06-12T08:00:00Z", person("1", "ada", json!({})))
        .await;
    assert_eq!(hr.active("ada"), true);
    let late = hr.say("left", "2026-06-11T08:00:00Z", leaver("1", "ada", "")).await;
    assert_eq!(states(&late), ["superseded"]);
    assert_eq!(hr.active("ada"), true);
}

#[tokio::test]
async fn a_leave_ends_what_it_began_and_nothing_else() {
    let mut hr = june().await;
    hr.hire("1", "ada").await;
    hr.say("leave-began", "2026-06-10T08:00:00Z", json!({"employeeId": "1"}))
        .await;
    assert_eq!(hr.active("ada"), false);
    hr.say("leave-ended", "2026-06-12T08:00:00Z", json!({"employeeId": "1"}))
        .await;
    assert_eq!(hr.active("ada"), true);
    hr.say("leave-began", "2026-06-13T08:00:00Z", json!({"employeeId": "1"}))
        .await;
    hr.say("left", "2026-06-14T08:00:00Z", leaver("1", "ada", "")).await;
    let ended = hr
        .say("leave-ended", "2026-06-15T08:00:00Z", json!({"employeeId": "1"}))
        .await;
    assert_eq!(states(&ended), ["superseded"]);
    assert_eq!(hr.active("ada"), false);
}

/// Hostile input 73, a termination of an unknown person: held, and nothing is written.
#[tokio::test]
async fn a_termination_of_nobody_is_held_until_more_is_known() {
    let mut hr = june().await;
    let left = hr.say("left", "2026-06-10T08:00:00Z", leaver("1", "ada", "")).await;
    assert_eq!(states(&left), ["held"]);
    assert_eq!(left[0]["reason"], "unknown_person");
    hr.say("back", "2026-06-09T08:00:00Z", person("1", "ada", json!({})))
        .await;
    hr.settle().await;
    assert_eq!(hr.active("ada"), false);
    assert_eq!(hr.state(&left[0]).await["state"], "skipped");
}

#[tokio::test]
async fn a_leaver_is_found_by_what_was_learned_of_the_name() {
    let mut hr = june().await;
    hr.hire("1", "ada").await;
    let renamed = json!({"employeeId": "1", "userName": "ada.smith", "lastName": "Smith"});
    let renamed = hr.say("changed", "2026-06-10T08:00:00Z", renamed).await;
    assert_eq!(states(&renamed), ["done"], "{renamed:?}");
    assert_eq!(hr.active("ada.smith"), true);
    // The old name is given to another.
    hr.say(
        "back",
        "2026-06-11T08:00:00Z",
        person(
            "2",
            "ada",
            json!({"email": "ada2@example.com", "displayName": "Ada Two"}),
        ),
    )
    .await;
    assert_eq!(hr.active("ada"), true);
    // A late leave of the first under its old name alone.
    let left = hr.say("left", "2026-06-09T08:00:00Z", json!({"userName": "ada"})).await;
    assert_eq!(states(&left), ["done"], "{left:?}");
    assert_eq!((hr.active("ada.smith"), hr.active("ada")), (json!(false), json!(true)));
}

#[tokio::test]
async fn what_a_hire_lacks_is_named_and_taken_up_when_it_is_said() {
    let mut hr = june().await;
    let thin = hr
        .say(
            "back",
            "2026-06-10T08:00:00Z",
            json!({"employeeId": "1", "userName": "ada"}),
        )
        .await;
    assert_eq!(states(&thin), ["needs_data"]);
    assert!(
        thin[0]["reason"].as_str().unwrap().contains("name.familyName"),
        "{thin:?}"
    );
    hr.say("changed", "2026-06-11T08:00:00Z", person("1", "ada", json!({})))
        .await;
    hr.settle().await;
    assert_eq!(hr.active("ada"), true);
    assert_eq!(hr.state(&thin[0]).await["state"], "done");
}

#[tokio::test]
async fn a_date_long_ago_waits_for_a_persons_word() {
    let mut hr = june().await;
    hr.hire("1", "ada").await;
    let near = hr
        .say("terminated", "2026-06-14T08:00:00Z", leaver("1", "ada", "2026-06-05"))
        .await;
    assert_eq!(states(&near), ["done"]);
    hr.say("back", "2026-06-14T12:00:00Z", person("1", "ada", json!({})))
        .await;
    assert_eq!(hr.active("ada"), true);
    let far = hr
        .say("terminated", "2026-06-15T08:00:00Z", leaver("1", "ada", "2026-03-01"))
        .await;
    assert_eq!((states(&far), &far[0]["reason"]), (vec!["held"], &json!("back_dated")));
    assert_eq!(hr.active("ada"), true);
}

/// A contractor who becomes an employee keeps the mailbox: the old employment ends, and the person
/// stays.
#[tokio::test]
async fn a_conversion_keeps_its_person() {
    let mut hr = Driven::with_source(JUNE.parse().unwrap(), "conversion = \"72h\"\n").await;
    hr.hire("c-1", "ada").await;
    let hired = hr
        .say(
            "back",
            "2026-06-15T07:00:00Z",
            person("e-1", "ada", json!({"title": "Engineer"})),
        )
        .await;
    let left = hr.say("left", "2026-06-15T08:00:00Z", leaver("c-1", "ada", "")).await;
    hr.until("2026-06-18T12:00:00Z").await;
    assert_eq!(hr.state(&left[0]).await["state"], "superseded");
    let hired = hr.state(&hired[0]).await;
    assert_eq!(hired["state"], "done", "{hired}");
    let user = hr.world.user("ada");
    assert_eq!((&user["active"], &user["externalId"]), (&json!(true), &json!("e-1")));
}

/// A time that claims to come from the future would keep a leaver active until then.
#[tokio::test]
async fn a_time_ahead_of_now_is_now() {
    let mut hr = june().await;
    hr.say("back", "2027-03-04T00:00:00Z", person("1", "ada", json!({})))
        .await;
    assert_eq!(hr.active("ada"), true);
    hr.until("2026-06-15T10:00:00Z").await;
    let left = hr.say("left", "2026-06-15T09:30:00Z", leaver("1", "ada", "")).await;
    assert_eq!((states(&left), hr.active("ada")), (vec!["done"], json!(false)));
}

#[tokio::test]
async fn an_id_that_is_written_as_a_number_is_its_text() {
    let mut hr = june().await;
    hr.hire("1042", "ada").await;
    let left = hr
        .say(
            "left",
            "2026-06-10T08:00:00Z",
            json!({"employeeId": 1042, "userName": "ada"}),
        )
        .await;
    assert_eq!((states(&left), hr.active("ada")), (vec!["done"], json!(false)));
}

/// A mistyped date is held, and what it would replace waits on until a person has decided.
#[tokio::test]
async fn what_is_held_replaces_nothing_before_it_is_released() {
    let mut hr = june().await;
    hr.hire("1", "ada").await;
    let first = hr
        .say("terminated", "2026-06-14T08:00:00Z", leaver("1", "ada", "2026-06-30"))
        .await;
    let mistyped = hr
        .say("terminated", "2026-06-15T08:00:00Z", leaver("1", "ada", "2026-03-30"))
        .await;
    assert_eq!(states(&mistyped), ["held"]);
    assert_eq!(hr.state(&first[0]).await["state"], "scheduled");
    let path = |operation: &Value, what: &str| format!("/operations/{}/{what}", operation["id"].as_str().unwrap());
    assert_eq!(
        hr.world.post(&path(&mistyped[0], "cancel"), &json!({})).await.status,
        200
    );
    // The right date again, as it was said.
    let again = hr
        .say("terminated", "2026-06-14T09:00:00Z", leaver("1", "ada", "2026-06-29"))
        .await;
    assert_eq!(states(&again), ["scheduled"]);
    hr.until("2026-06-29T14:00:00Z").await;
    assert_eq!(hr.active("ada"), false);
}
