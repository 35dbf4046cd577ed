//! Events among random steps: what came before, in a list that is looked through each time.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use jiff::{SignedDuration, Timestamp};
use proptest::{prelude::*, test_runner::TestCaseError};

use super::{
    super::{
        EventFilter, EventKey, EventReading, EventVerdict, NewDelivery, NewEvent, NewOperation, NewQuarantined,
        QuarantineLimits, Received, Store,
    },
    event_steps::{Element, Step, steps},
};

/// What is quarantined at most.
const LIMITS: QuarantineLimits = QuarantineLimits { size: 3, by_address: 2 };

/// How much longer keys are known than contents are kept.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// An event as the model has it.
#[derive(Clone, Debug)]
struct Row {
    id: String,
    source: String,
    key: Option<EventKey>,
    digest: u8,
    verdict: EventVerdict,
    people: BTreeSet<String>,
    accepted: Option<usize>,
    received_at: Timestamp,
    delivery: usize,
    address: Option<String>,
    has_content: bool,
}

struct Both<'a> {
    store: &'a Arc<dyn Store>,
    case: String,
    rows: Vec<Row>,
    now: Timestamp,
    made: usize,
    accepted: usize,
}

/// Holds a store against a list, by random steps. The store is this test's alone.
pub(super) fn agrees_with_the_model(store: &Arc<dyn Store>) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let begin: Timestamp = "2026-11-28T09:00:00Z".parse().expect("a time");
    let cases = Mutex::new((0, begin));
    proptest!(|(steps in prop::collection::vec(steps(), 1..40))| {
        let mut cases = cases.lock().expect("no case has panicked");
        cases.0 += 1;
        let mut both = Both {
            store, case: cases.0.to_string(), rows: Vec::new(), now: cases.1, made: 0, accepted: 0,
        };
        runtime.block_on(async {
            for step in &steps {
                both.step(step).await?;
            }
            both.check().await
        })?;
        // The next case finds nothing of this one.
        let end = both.now + SignedDuration::from_hours(24 * 365);
        runtime.block_on(async {
            while store.prune_events(end, 1_000).await.expect("pruned") > 0 {}
        });
        cases.1 = both.now;
    });
}

impl Both<'_> {
    async fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Deliver {
                source,
                elements,
                released,
            } => self.deliver(*source, elements, *released).await?,
            Step::Quarantine { source, address } => self.quarantine(*source, *address).await?,
            Step::Replay { event, verdict, person } => self.replay(*event, *verdict, *person).await?,
            Step::Pass { hours } => self.now += SignedDuration::from_hours(*hours),
            Step::Prune { hours } => self.prune(*hours).await?,
            Step::List {
                source,
                verdict,
                person,
            } => self.list(*source, *verdict, *person).await?,
        }
        Ok(())
    }

    fn id(&mut self) -> String {
        self.made += 1;
        format!("event {} of {}", self.made, self.case)
    }

    fn source(&self, source: u8) -> String {
        format!("source {source} of {}", self.case)
    }

    fn reading(&mut self, verdict: EventVerdict, person: u8) -> EventReading {
        let operations = if verdict == EventVerdict::Accepted {
            vec![self.operation()]
        } else {
            Vec::new()
        };
        EventReading {
            verdict,
            rule: Some(1),
            reason: Some("a reason".to_owned()),
            subjects: BTreeSet::from([format!("person {person} of {}", self.case)]),
            operations,
        }
    }

    fn operation(&mut self) -> NewOperation {
        self.made += 1;
        NewOperation {
            id: format!("operation {} of {}", self.made, self.case),
            instance: "events".to_owned(),
            command: "iam-update-user".to_owned(),
            stored: "{}".to_owned(),
            class: 1,
            lanes: BTreeSet::from(["a lane".to_owned()]),
            overtakes: false,
            is_synchronous: false,
            not_before: None,
            caller: None,
            source: Some("a source".to_owned()),
            batch: None,
            purpose: None,
            traceparent: None,
            due_date: None,
            held: None,
            statement: None,
            wants_fetch: false,
        }
    }

    /// The newest of this key, and whether it is the same event as one of this digest.
    fn before(rows: &[Row], source: &str, key: &EventKey) -> Option<Row> {
        let mut same = rows
            .iter()
            .rev()
            .filter(|row| row.source == source && row.key.as_ref() == Some(key));
        let first = same.next()?;
        let is_newer = |row: &Row| row.accepted > first.accepted && !row.people.is_disjoint(&first.people);
        let is_over = matches!(key, EventKey::Content(_)) && (first.accepted.is_none() || rows.iter().any(is_newer));
        (!is_over).then(|| first.clone())
    }

    async fn deliver(
        &mut self,
        source: u8,
        elements: &[Element],
        released: Option<usize>,
    ) -> Result<(), TestCaseError> {
        let name = self.source(source);
        let quarantined = |row: &&Row| row.verdict == EventVerdict::Quarantined;
        let released = released.map(|at| {
            let all: Vec<_> = self.rows.iter().filter(quarantined).map(|row| row.id.clone()).collect();
            all.get(at % all.len().max(1))
                .cloned()
                .unwrap_or_else(|| "none".to_owned())
        });
        let mut events = Vec::new();
        for element in elements {
            let key = format!("key {}", element.key);
            let operation = self.reading(element.verdict, element.person);
            events.push(NewEvent {
                id: self.id(),
                key: if element.by_id {
                    EventKey::Id(key)
                } else {
                    EventKey::Content(key)
                },
                digest: [element.digest; 32],
                r#type: None,
                time: None,
                reading: operation,
            });
        }
        let delivery = NewDelivery {
            source: name.clone(),
            content: "a body".to_owned(),
            received_at: self.now,
            released: released.clone(),
            events: events.clone(),
        };
        let found = self.store.receive(delivery, self.now).await.expect("an answer");
        if released.as_deref() == Some("none") {
            prop_assert_eq!(found, Received::Gone);
            return Ok(());
        }
        let (mut rows, mut accepted, mut expected) = (self.rows.clone(), self.accepted, Vec::new());
        rows.retain(|row| Some(&row.id) != released.as_ref());
        for (position, event) in events.into_iter().enumerate() {
            if let Some(first) = Self::before(&rows, &name, &event.key) {
                let is_other = matches!(event.key, EventKey::Id(_)) && first.digest != event.digest[0];
                if is_other {
                    let is_known = self.rows.iter().any(|row| row.id == first.id);
                    let first = is_known.then_some(first.id);
                    prop_assert_eq!(found, Received::Reused { position, first });
                    return Ok(());
                }
                expected.push((first.id, true));
                continue;
            }
            expected.push((event.id.clone(), false));
            let is_accepted = event.reading.verdict == EventVerdict::Accepted;
            accepted += usize::from(is_accepted);
            rows.push(Row {
                id: event.id,
                source: name.clone(),
                key: Some(event.key),
                digest: event.digest[0],
                verdict: event.reading.verdict,
                people: event.reading.subjects,
                accepted: is_accepted.then_some(accepted),
                received_at: self.now,
                delivery: self.made,
                address: None,
                has_content: true,
            });
        }
        let Received::Stored(found) = found else {
            return Err(TestCaseError::fail(format!("{found:?}, not {expected:?}")));
        };
        let found: Vec<_> = found.into_iter().map(|event| (event.id, event.is_duplicate)).collect();
        prop_assert_eq!(found, expected);
        (self.rows, self.accepted) = (rows, accepted);
        Ok(())
    }

    async fn quarantine(&mut self, source: u8, address: u8) -> Result<(), TestCaseError> {
        let new = NewQuarantined {
            id: self.id(),
            source: self.source(source),
            content: "a body".to_owned(),
            received_at: self.now,
            address: format!("192.0.2.{address}"),
            reason: "a reason".to_owned(),
        };
        let kept: Vec<_> = self
            .rows
            .iter()
            .filter(|row| row.verdict == EventVerdict::Quarantined)
            .collect();
        let of_address = kept
            .iter()
            .filter(|row| row.address.as_ref() == Some(&new.address))
            .count();
        let fits = kept.len() < LIMITS.size as usize && of_address < LIMITS.by_address as usize;
        let found = self.store.quarantine(new.clone(), LIMITS).await.expect("an answer");
        prop_assert_eq!(found, fits);
        if fits {
            self.rows.push(Row {
                id: new.id,
                source: new.source,
                key: None,
                digest: 0,
                verdict: EventVerdict::Quarantined,
                people: BTreeSet::new(),
                accepted: None,
                received_at: self.now,
                delivery: self.made,
                address: Some(new.address),
                has_content: true,
            });
        }
        Ok(())
    }

    async fn replay(&mut self, event: usize, verdict: EventVerdict, person: u8) -> Result<(), TestCaseError> {
        let reading = self.reading(verdict, person);
        let at = event % self.rows.len().max(1);
        let id = self.rows.get(at).map_or("none".to_owned(), |row| row.id.clone());
        let found = self
            .store
            .replay(id, reading.clone(), self.now)
            .await
            .expect("an answer");
        let row = self.rows.get_mut(at).filter(|row| row.has_content);
        prop_assert_eq!(found, row.as_ref().map(|row| row.verdict));
        if let Some(row) = row
            && row.verdict.is_replayable()
        {
            row.verdict = verdict;
            row.people.extend(reading.subjects);
            if verdict == EventVerdict::Accepted {
                self.accepted += 1;
                row.accepted = Some(self.accepted);
            }
        }
        Ok(())
    }

    async fn prune(&mut self, hours: i64) -> Result<(), TestCaseError> {
        let before = self.now - SignedDuration::from_hours(hours);
        while self.store.prune_events(before, 2).await.expect("pruned") > 0 {}
        // What was emptied is looked at again by the next round.
        self.store.prune_events(before, 1_000).await.expect("pruned");
        // An event whose operations are there stays: nothing deletes those here.
        let of_accepted = |row: &Row| row.accepted.and(Some(row.delivery));
        let with_operations: BTreeSet<_> = self.rows.iter().filter_map(of_accepted).collect();
        self.rows.retain(|row| {
            let is_known = row.received_at >= before - DAY || with_operations.contains(&row.delivery);
            row.received_at >= before || row.verdict != EventVerdict::Quarantined && is_known
        });
        for row in &mut self.rows {
            if row.received_at < before {
                row.has_content = false;
                row.people.clear();
            }
        }
        self.check().await
    }

    async fn list(
        &self,
        source: Option<u8>,
        verdict: Option<EventVerdict>,
        person: Option<u8>,
    ) -> Result<(), TestCaseError> {
        let filter = EventFilter {
            source: source.map(|source| self.source(source)),
            verdict,
            subject: person.map(|person| format!("person {person} of {}", self.case)),
            ..EventFilter::default()
        };
        let is_asked = |row: &&Row| {
            filter.source.as_ref().is_none_or(|source| *source == row.source)
                && filter.verdict.is_none_or(|verdict| verdict == row.verdict)
                && filter.subject.as_ref().is_none_or(|name| row.people.contains(name))
        };
        let expected: Vec<_> = self
            .rows
            .iter()
            .rev()
            .filter(is_asked)
            .map(|row| row.id.clone())
            .collect();
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let page = self.store.events(filter.clone(), before, 3).await.expect("a page");
            found.extend(page.events.into_iter().map(|event| event.id));
            match page.next {
                Some(next) => before = Some(next),
                None => break,
            }
        }
        // Others of the same file are no events of this case's sources.
        found.retain(|id| id.ends_with(&format!(" of {}", self.case)));
        prop_assert_eq!(found, expected);
        Ok(())
    }

    async fn check(&self) -> Result<(), TestCaseError> {
        for row in &self.rows {
            let event = self.store.event(row.id.clone()).await.expect("an answer");
            let Some(event) = event else {
                return Err(TestCaseError::fail(format!("{row:?} is gone")));
            };
            prop_assert_eq!(event.content.is_some(), row.has_content);
            prop_assert_eq!(&event.key, &row.key);
            prop_assert_eq!((event.verdict, event.received_at), (row.verdict, row.received_at));
            prop_assert_eq!(event.operations.len(), usize::from(row.accepted.is_some()));
            for operation in event.operations {
                let stored = self.store.operation(operation).await.expect("an answer");
                prop_assert!(stored.is_some_and(|operation| operation.source.is_some()));
            }
        }
        Ok(())
    }
}
