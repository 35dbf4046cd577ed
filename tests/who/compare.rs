//! Whether what came of a case is what had to come.

use std::fmt;

use crate::{
    case::{Case, Person},
    oracle::{End, Expected, Meant},
    world::Got,
};

/// A point in which a case came out otherwise. The order is that of their gravity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Point {
    /// A write was sent to a user whom the text does not mean, or one was made who should not be.
    WroteToAnother,
    /// A disable that reports success or nobody left someone active who was to be found.
    LeftActive,
    /// Success, skip or failure, or the failure's code.
    End,
    /// The directory is another than it should be.
    Directory,
    /// Someone else is shown as meant.
    Shown,
    /// `action`, or a status that does not go with the envelope.
    Envelope,
    /// The words that the text gives are not in the message.
    Words,
}

/// What is wrong with a case, gravest first. Empty when it came out as it had to.
pub(crate) fn compare(case: &Case, expected: &Expected, got: &Got) -> Vec<Point> {
    let mut points = Vec::new();
    let mut note = |is_wrong: bool, point: Point| {
        if is_wrong {
            points.push(point);
        }
    };
    note(wrote_to_another(expected, got), Point::WroteToAnother);
    note(left_active(case, expected, got), Point::LeftActive);
    let is_other_end = end(got).is_some_and(|end| expected.or == Some(end));
    note(end(got) != Some(expected.end) && !is_other_end, Point::End);
    note(!same_people(&expected.after, &got.after), Point::Directory);
    // What an answer shows is of interest where it ended as it should.
    if end(got) == Some(expected.end) {
        note(!shows(expected, got), Point::Shown);
        note(!has_envelope(expected, got), Point::Envelope);
        note(!says(expected, got), Point::Words);
    }
    points.sort_unstable();
    points
}

/// How the command ended, by its envelope; `None` where there is none.
pub(crate) fn end(got: &Got) -> Option<End> {
    let vendor = got.vendor.as_object()?;
    match (vendor.get("success")?.as_bool()?, vendor.get("skipped")?.as_bool()?) {
        (true, false) => Some(End::Done),
        (true, true) => Some(End::Skipped),
        (false, _) => Some(End::Failed(u16::try_from(vendor.get("errorCode")?.as_u64()?).ok()?)),
    }
}

fn wrote_to_another(expected: &Expected, got: &Got) -> bool {
    let is_allowed = |(method, id): &(String, String)| match method.as_str() {
        "PATCH" => expected.may_patch.as_ref() == Some(id),
        "POST" => expected.may_post,
        _ => false,
    };
    !got.writes.iter().all(is_allowed)
}

/// The model's own promise, asked apart from all else: "a disable that reports success or 'does not
/// exist' leaves no user active whom section 3 finds".
fn left_active(case: &Case, expected: &Expected, got: &Got) -> bool {
    let Meant::User(id) = &expected.meant else { return false };
    let is_green = matches!(end(got), Some(End::Done | End::Skipped));
    let is_off = expected.end == End::Skipped && expected.says.contains(&"Command is disabled.");
    let is_active = got.after.iter().any(|person| person.id == *id && person.active);
    case.command == crate::case::Command::Disable && is_green && !is_off && is_active
}

fn same_people(expected: &[Person], got: &[Person]) -> bool {
    let known = |person: &&Person| !person.id.is_empty();
    let new = |person: &&Person| !expected.iter().any(|one| one.id == person.id);
    let as_expected = |person: &Person| got.iter().any(|one| one == person);
    let created: Vec<Person> = got
        .iter()
        .filter(new)
        .map(|one| Person {
            id: String::new(),
            ..one.clone()
        })
        .collect();
    let to_create: Vec<Person> = expected.iter().filter(|person| person.id.is_empty()).cloned().collect();
    expected.iter().filter(known).all(as_expected) && created == to_create && expected.len() == got.len()
}

fn shows(expected: &Expected, got: &Got) -> bool {
    let vendor = &got.vendor;
    match (expected.end, &expected.meant) {
        (End::Done, Meant::User(id)) => vendor["id"] == **id,
        (End::Done, Meant::New) => {
            let is_new = |person: &Person| !expected.after.iter().any(|one| one.id == person.id);
            got.after
                .iter()
                .any(|person| is_new(person) && vendor["id"] == *person.id)
        }
        (End::Skipped, Meant::User(id)) => vendor["id"].is_null() && vendor["details"]["id"] == **id,
        (End::Done | End::Skipped | End::Failed(_), _) => vendor["id"].is_null(),
    }
}

fn has_envelope(expected: &Expected, got: &Got) -> bool {
    let status = match expected.end {
        End::Done | End::Skipped => 200,
        End::Failed(code) => code,
    };
    let action = got.vendor["action"].as_str().unwrap_or_default();
    got.status == status && (expected.end != End::Done || expected.actions.contains(&action))
}

fn says(expected: &Expected, got: &Got) -> bool {
    let key = if expected.end == End::Skipped {
        "reason"
    } else {
        "errorMessage"
    };
    let text = got.vendor[key].as_str().unwrap_or_default().to_lowercase();
    let is_said = |words: &&str| text.contains(&words.to_lowercase());
    let is_named = |user: &[String; 2]| user.iter().any(|name| text.contains(&name.to_lowercase()));
    (expected.says.is_empty() || expected.says.iter().any(is_said)) && expected.names.iter().all(is_named)
}

impl fmt::Display for Expected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:?}, meaning {:?}, saying {:?}",
            self.end, self.meant, self.says
        )?;
        write!(formatter, ", naming {:?}", self.names)?;
        write!(
            formatter,
            "; may patch {:?}, may post {}",
            self.may_patch, self.may_post
        )?;
        for rule in &self.rules {
            write!(formatter, "\n               by {rule}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Got {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let vendor = &self.vendor;
        if !vendor["success"].is_boolean() {
            return write!(formatter, "{} {vendor}; writes {:?}", self.status, self.writes);
        }
        let keys = [
            "action",
            "success",
            "skipped",
            "id",
            "errorCode",
            "errorMessage",
            "reason",
        ];
        let told: Vec<_> = keys.iter().map(|key| format!("{key} {}", vendor[*key])).collect();
        write!(
            formatter,
            "{} {}; details.id {}",
            self.status,
            told.join(" "),
            vendor["details"]["id"]
        )?;
        write!(formatter, "; writes {:?}", self.writes)
    }
}
