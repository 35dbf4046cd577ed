//! That a command runs only while its subject is held, with an observer that knows how far it came.

use std::sync::{Arc, Mutex};

use serde_json::json;

use super::{testing::holding, *};
use crate::scim::Priority;

/// What happened, in order.
type Events = Arc<Mutex<Vec<String>>>;

/// Holds what is claimed, or says that it is behind an operation.
#[derive(Debug)]
struct Scripted {
    events: Events,
    claims: Mutex<Vec<SubjectClaim>>,
    behind: Option<BehindError>,
}

/// Says when it is dropped.
struct Guard(Events);

struct Observed(Events);

impl HoldSubjects for Scripted {
    fn hold(
        &self,
        claim: SubjectClaim,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Held, BehindError>> + Send + '_>> {
        self.claims.lock().unwrap().push(claim);
        let held = match &self.behind {
            Some(behind) => Err(behind.clone()),
            None => {
                say(&self.events, "held");
                Ok(Held::by(Guard(Arc::clone(&self.events))))
            }
        };
        Box::pin(std::future::ready(held))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        say(&self.0, "released");
    }
}

impl CommandObserver for Observed {
    fn on_start(&mut self) {
        say(&self.0, "begun");
    }

    fn on_finish(self, _: &Completed) {
        say(&self.0, "ended");
    }
}

fn say(events: &Events, event: &str) {
    events.lock().unwrap().push(event.to_owned());
}

/// Runs a disable where subjects are held so: its end, the claims and the events.
async fn disable(
    behind: Option<BehindError>,
    dry_run: bool,
) -> (Result<Completed, RunError>, Vec<SubjectClaim>, Vec<String>) {
    let events = Events::default();
    let subjects = Arc::new(Scripted {
        events: Arc::clone(&events),
        claims: Mutex::default(),
        behind,
    });
    let service = Service::new(Vec::new(), "", 1);
    let held_by: Arc<dyn HoldSubjects> = Arc::clone(&subjects) as _;
    let permit = service.admit(&holding(held_by), Turn::Now).await.unwrap();
    let command = json!({"command": "iam-disable-user", "arguments": {"user-profile": {"username": "Ann"}}});
    let command = serde_json::from_value(command).unwrap();
    let end = service
        .run(permit, command, dry_run, Observed(Arc::clone(&events)))
        .await;
    let (claims, events) = (subjects.claims.lock().unwrap().clone(), events.lock().unwrap().clone());
    assert!(service.admit_work(Turn::Now).await.is_ok(), "its place is free again");
    (end, claims, events)
}

#[tokio::test(start_paused = true)]
async fn a_command_claims_its_subject_and_holds_it_to_its_end() {
    let (end, claims, events) = disable(None, false).await;
    assert_eq!(end.unwrap().outcome.label(), "failed", "there is no directory");
    let [claim] = &claims[..] else { panic!("{claims:?}") };
    assert_eq!((claim.instance.as_str(), claim.priority), ("test", Priority::Disable));
    assert!(!claim.names.is_empty());
    assert_eq!(events, ["held", "begun", "released", "ended"]);
}

#[tokio::test]
async fn a_command_that_is_behind_an_operation_does_not_begin() {
    let behind = BehindError {
        operation: "op-1".to_owned(),
    };
    let (end, _, events) = disable(Some(behind.clone()), false).await;
    assert_eq!(end.unwrap_err(), RunError::Behind(behind));
    assert_eq!(events, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_claims_nothing() {
    let (end, claims, events) = disable(None, true).await;
    assert!(end.is_ok());
    assert_eq!(
        (claims, events),
        (Vec::new(), vec!["begun".to_owned(), "ended".to_owned()])
    );
}
