//! Made-up scripts of stored commands against strict order: names and employee ids given again,
//! renames, one person's commands by different keys, while the directory fails half of the time.
//!
//! Whatever overtakes or is tried again, the directory has to end as if the commands had been
//! carried out one after the other. 50 scripts; `AWS_ILM_SCRIPTS=2000` has more, `AWS_ILM_SCRIPT=7`
//! just that one.

use std::sync::Arc;

use aws_ilm::sandbox::{Fault, FaultKind};
use fastrand::Rng;
use serde_json::{Value, json};
use tokio::{sync::Semaphore, task::JoinSet};

use super::Stored;

/// Scripts that run at the same time.
const AT_ONCE: usize = 16;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct User {
    name: String,
    employee: Option<String>,
    active: bool,
    title: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Create,
    Update,
    Disable,
}

#[derive(Clone, Debug)]
struct Step {
    kind: Kind,
    name: Option<String>,
    old: Option<String>,
    employee: Option<String>,
    enable: bool,
    title: String,
    /// Whether the script waits for it before it goes on.
    is_awaited: bool,
}

impl Step {
    fn route(&self) -> &'static str {
        match self.kind {
            Kind::Create => "iam-create-user",
            Kind::Update => "iam-update-user",
            Kind::Disable => "iam-disable-user",
        }
    }

    fn arguments(&self) -> Value {
        let mut profile = json!({});
        let mut set = |field: &str, value: &Option<String>| {
            if let Some(value) = value {
                profile[field] = json!(value);
            }
        };
        set("username", &self.name);
        set("employeeid", &self.employee);
        if let Some(old) = &self.old {
            profile["olduserdata"] = json!({"username": old});
        }
        if self.kind == Kind::Disable {
            return json!({"user-profile": profile});
        }
        // All have the same names, so that none is a stranger to another.
        for (field, value) in [("displayname", "A B"), ("givenname", "A"), ("surname", "B")] {
            profile[field] = json!(value);
        }
        profile["title"] = json!(self.title);
        json!({"user-profile": profile, "allow-enable": self.enable})
    }
}

/// A script about people of its own.
fn script(seed: u64) -> Vec<Step> {
    let mut random = Rng::with_seed(seed);
    let name = |random: &mut Rng| format!("s{seed}.{}", random.choice(["a", "b", "c"]).unwrap());
    let employee = |random: &mut Rng| format!("S{seed}-{}", random.u8(1..4));
    let steps = random.usize(3..10);
    let made = (0..steps).map(|number| {
        let mut step = Step {
            kind: Kind::Update,
            name: Some(name(&mut random)),
            old: None,
            employee: None,
            enable: random.f64() < 0.6,
            title: format!("T{number}"),
            is_awaited: random.f64() < 0.25,
        };
        let may_have_employee = match random.u8(0..6) {
            0 => {
                step.kind = Kind::Create;
                0.5
            }
            1 | 2 => 0.5,
            3 => {
                step.old = Some(name(&mut random)).filter(|old| Some(old) != step.name.as_ref());
                0.5
            }
            _ => {
                step.kind = Kind::Disable;
                if random.f64() < 0.3 {
                    step.name = None;
                }
                0.3
            }
        };
        if step.name.is_none() || random.f64() < may_have_employee {
            step.employee = Some(employee(&mut random));
        }
        step
    });
    made.collect()
}

/// The place of the user whom a step means; an error where it is not to be done.
fn whom(users: &[User], step: &Step) -> Result<Option<usize>, ()> {
    let by_name = |name: &Option<String>| users.iter().position(|user| Some(&user.name) == name.as_ref());
    let by_employee = |employee: &Option<String>| {
        let employee = employee.as_ref()?;
        users.iter().position(|user| user.employee.as_ref() == Some(employee))
    };
    let Some(found) = by_name(&step.old).or_else(|| by_name(&step.name)) else {
        return Ok(by_employee(&step.employee));
    };
    match (&step.employee, &users[found].employee) {
        (Some(wanted), Some(has)) if wanted != has => {
            let other = by_employee(&step.employee).ok_or(())?;
            let is_told_twice = Some(&users[other].name) == step.name.as_ref();
            if step.kind == Kind::Disable || is_told_twice {
                Ok(Some(other))
            } else {
                Err(())
            }
        }
        _ => Ok(Some(found)),
    }
}

/// Carries a step out, as far as it can be.
fn carry_out(users: &mut Vec<User>, step: &Step) -> Result<(), ()> {
    let found = whom(users, step)?;
    if step.kind == Kind::Disable {
        if let Some(found) = found {
            users[found].active = false;
        }
        return Ok(());
    }
    let is_taken = |users: &[User], of: &dyn Fn(&User) -> bool| users.iter().any(of);
    let Some(found) = found else {
        users.push(User {
            name: step.name.clone().ok_or(())?,
            employee: step.employee.clone(),
            active: step.enable,
            title: step.title.clone(),
        });
        return Ok(());
    };
    let mut user = users[found].clone();
    if let Some(name) = step.name.as_ref().filter(|name| **name != user.name) {
        if is_taken(users, &|other| other.name == *name) {
            return Err(());
        }
        user.name.clone_from(name);
    }
    if user.employee.is_none() && step.employee.is_some() {
        if is_taken(users, &|other| other.employee == step.employee) {
            return Err(());
        }
        user.employee.clone_from(&step.employee);
    }
    user.active |= step.enable;
    user.title.clone_from(&step.title);
    users[found] = user;
    Ok(())
}

/// Sends a script through the front door, and answers how it ended where that is not as strict
/// order has it.
async fn run(stored: &Stored, seed: u64) -> Option<String> {
    let steps = script(seed);
    let mut ids = Vec::new();
    for step in &steps {
        let id = stored.accepted(step.route(), &step.arguments()).await;
        if step.is_awaited {
            stored.ended(&id).await;
        }
        ids.push(id);
    }
    let mut told = Vec::new();
    for id in &ids {
        told.push(stored.ended(id).await["state"].as_str().unwrap().to_owned());
    }
    let mut expected = Vec::new();
    let mut strict = Vec::new();
    for step in &steps {
        strict.push(carry_out(&mut expected, step).is_ok());
    }
    let own = format!("s{seed}.");
    let state = stored.world.sandbox.dump();
    let mut found: Vec<User> = state["users"].as_array().unwrap().iter().filter_map(user).collect();
    found.retain(|user| user.name.starts_with(&own));
    found.sort();
    expected.sort();
    let are_told = told
        .iter()
        .zip(&strict)
        .all(|(told, is_done)| matches!(told.as_str(), "done" | "skipped") == *is_done);
    let steps: Vec<_> = steps.iter().zip(&told).collect();
    (found != expected || !are_told)
        .then(|| format!("script {seed}: {steps:#?}\nfound {found:#?}\nstrict order {expected:#?} {strict:?}"))
}

fn user(resource: &Value) -> Option<User> {
    Some(User {
        name: resource["userName"].as_str()?.to_owned(),
        employee: resource["externalId"].as_str().map(str::to_owned),
        active: resource["active"] == true,
        title: resource["title"].as_str().unwrap_or_default().to_owned(),
    })
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_end_as_strict_order_has_it() {
    let waits = ["30ms"; 60].join(", ");
    let settings = [
        ("AWS_ILM_RETRY_SCHEDULE", &*waits),
        ("AWS_ILM_DISABLE_RETRY_SCHEDULE", &*waits),
        ("AWS_ILM_COMMAND_TIMEOUT", "1s"),
    ];
    let stored = Arc::new(Stored::holding(json!([]), &settings).await);
    for api in ["PatchUser", "CreateUser"] {
        for kind in [FaultKind::Status { status: 503 }, FaultKind::AnswerLost] {
            let fault = Fault::new(kind).on(api).forever().with_probability(0.5);
            stored.world.sandbox.script(fault);
        }
    }
    let seeds = match variable("AWS_ILM_SCRIPT") {
        Some(seed) => seed..seed + 1,
        None => 0..variable("AWS_ILM_SCRIPTS").unwrap_or(50),
    };
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for seed in seeds {
        let (stored, places) = (Arc::clone(&stored), Arc::clone(&places));
        running.spawn(async move {
            let _place = places.acquire().await.unwrap();
            run(&stored, seed).await
        });
    }
    let wrong: Vec<String> = running.join_all().await.into_iter().flatten().collect();
    assert!(
        wrong.is_empty(),
        "{} scripts differ, the first: {}",
        wrong.len(),
        wrong[0]
    );
}
