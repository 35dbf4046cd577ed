//! Several at once about one person: one effect, and the safe one last.

use aws_ilm::sandbox::{Fault, FaultKind};
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    expected::{but, person, profile},
    harness::World,
};

/// Hostile input 78, one command 50 times at once: one effect.
#[tokio::test]
async fn one_creation_fifty_times_at_once_makes_one_person() {
    let world = World::holding(json!({})).await;
    let url = world.url("/commands/iam-create-user");
    let arguments = json!({"user-profile": profile("jane")});
    let ask = || {
        let request = world.http.post(&url).json(&arguments);
        async move { request.send().await.unwrap().status().as_u16() }
    };
    let each: JoinSet<_> = (0..50).map(|_| ask()).collect();
    let statuses = each.join_all().await;
    assert_eq!(statuses, vec![200; 50]);
    let writes = world.writes();
    assert_eq!(
        writes
            .iter()
            .map(|(method, path, _)| (method.as_str(), path.as_str()))
            .collect::<Vec<_>>(),
        [("POST", "/Users")]
    );
    assert_eq!(world.sandbox.dump()["users"].as_array().unwrap().len(), 1);
}

/// An update enables an inactive user unless `allow_enable` is off; then it never undoes a disable,
/// in either order.
///
/// Hostile input 82, a disable and an update of one person at once: one after the other; disabled
/// in the end.
#[tokio::test]
async fn a_disable_and_an_update_at_once_leave_the_person_disabled() {
    for round in 0..10 {
        let world = World::holding(json!({"users": [person("u-1", "test")]})).await;
        let slow = FaultKind::Slow {
            milliseconds: 20,
            work_late: true,
        };
        world.sandbox.script(Fault::new(slow).forever());
        let update = json!({"user-profile": but(profile("test"), json!({"title": "Clerk"})), "allow-enable": false});
        let disable = json!({"user-profile": {"username": "test"}});
        let update = world.command("iam-update-user", &update);
        let disable = world.command("iam-disable-user", &disable);
        let (update, disable) = if round % 2 == 0 {
            tokio::join!(update, disable)
        } else {
            let (disable, update) = tokio::join!(disable, update);
            (update, disable)
        };
        assert_eq!(
            (update.status, disable.status),
            (200, 200),
            "{} {}",
            update.text,
            disable.text
        );
        let user = world.user("u-1");
        assert_eq!(
            (&user["active"], &user["title"]),
            (&json!(false), &json!("Clerk")),
            "round {round}"
        );
    }
}
