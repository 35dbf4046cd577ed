//! Makes a case smaller for as long as it comes out wrong: people go first, then fields, then what
//! is old.

use serde_json::Value;

use crate::{
    case::Case,
    compare::{Point, compare, end},
    oracle::{self, End, Expected},
    world::{Got, World},
};

/// A case that came out wrong, as small as it could be made.
pub(crate) struct Wrong {
    pub(crate) case: Case,
    pub(crate) expected: Expected,
    pub(crate) got: Got,
    pub(crate) points: Vec<Point>,
}

impl Wrong {
    /// Runs a case; `None` when it comes out right.
    pub(crate) async fn of(world: &World, case: &Case) -> Option<Self> {
        let (expected, got) = (oracle::judge(case), world.run(case).await);
        let points = compare(case, &expected, &got);
        (!points.is_empty()).then(|| Self {
            case: case.clone(),
            expected,
            got,
            points,
        })
    }

    fn sort(&self) -> (Point, End, Option<End>) {
        (self.points[0], self.expected.end, end(&self.got))
    }

    /// The smallest case that leaving out leads to, in which the same was expected, came and is
    /// wrong above all.
    pub(crate) async fn shrunken(mut self, world: &World) -> Self {
        loop {
            let mut smaller = None;
            for case in smaller_cases(&self.case) {
                let wrong = Self::of(world, &case).await;
                smaller = wrong.filter(|wrong| wrong.sort() == self.sort());
                if smaller.is_some() {
                    break;
                }
            }
            match smaller {
                Some(wrong) => self = wrong,
                None => return self,
            }
        }
    }
}

/// The cases that lack one thing of this one.
fn smaller_cases(case: &Case) -> Vec<Case> {
    let mut smaller = Vec::new();
    let mut without = |leave_out: &dyn Fn(&mut Case)| {
        let mut one = case.clone();
        leave_out(&mut one);
        smaller.push(one);
    };
    for place in 0..case.people.len() {
        without(&|case| drop(case.people.remove(place)));
    }
    for field in case.profile.keys() {
        without(&|case| drop(case.profile.shift_remove(field)));
    }
    match case.profile.get("olduserdata") {
        Some(Value::Object(old)) => {
            for field in old.keys() {
                without(&|case| drop(case.profile["olduserdata"].as_object_mut().unwrap().shift_remove(field)));
            }
        }
        Some(Value::String(text)) => {
            if let Ok(object @ Value::Object(_)) = serde_json::from_str(text) {
                without(&|case| case.profile["olduserdata"] = object.clone());
            }
        }
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_)) | None => {}
    }
    if case.allow_enable.is_some() {
        without(&|case| case.allow_enable = None);
    }
    if case.ids_answer_400 {
        without(&|case| case.ids_answer_400 = false);
    }
    for (place, person) in case.people.iter().enumerate() {
        if person.employee_id.is_some() {
            without(&|case| case.people[place].employee_id = None);
        }
        if person.phone.is_some() {
            without(&|case| case.people[place].phone = None);
        }
        if person.email.is_some() {
            without(&|case| case.people[place].email = None);
        }
    }
    smaller
}
