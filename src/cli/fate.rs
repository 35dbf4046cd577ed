//! What the state of an operation means to whom it was sent by.

use serde_json::Value;

use crate::operations::State;

/// Where an operation stands, as its sender sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It goes on by itself.
    Going,
    /// Its time has not come.
    Later,
    /// It waits for a person, or for data.
    Waits,
    /// It ended, and there is nothing to mend.
    Well,
    /// It ended without having been done.
    Ill,
}

impl Fate {
    /// What the name of a state means; one that this version does not know has not ended.
    pub(super) fn of(name: &str) -> Self {
        match State::parse(name) {
            None | Some(State::Waiting | State::Running) => Self::Going,
            Some(State::Scheduled) => Self::Later,
            Some(State::Held | State::NeedsData) => Self::Waits,
            Some(State::Done | State::Skipped | State::Superseded) => Self::Well,
            Some(State::Failed | State::Buried | State::Cancelled) => Self::Ill,
        }
    }

    /// The names of the states that mean this, separated by commas as the service takes them.
    pub(super) fn states(fates: &[Self]) -> String {
        let names = State::ALL.into_iter().map(State::as_str);
        let names: Vec<_> = names.filter(|name| fates.contains(&Self::of(name))).collect();
        names.join(",")
    }
}

/// A text of an operation; `-` where it has none.
pub(super) fn text<'o>(operation: &'o Value, name: &str) -> &'o str {
    operation[name].as_str().filter(|text| !text.is_empty()).unwrap_or("-")
}

/// Why an operation stands where it does: what the command was told, else the state's reason.
pub(super) fn why(operation: &Value) -> &str {
    let envelope = &operation["envelope"];
    // Of a user command the result is a level deeper than of others.
    let results = envelope.as_object().into_iter().flat_map(|envelope| envelope.values());
    let mut results = results.flat_map(|result| [result, &result["Vendor"]]);
    let told = |result: &Value, name: &str| result[name].as_str().is_some_and(|text| !text.is_empty());
    let error = results.clone().find(|result| told(result, "errorMessage"));
    let skip = results.find(|result| told(result, "reason"));
    match (error, skip) {
        (Some(result), _) => text(result, "errorMessage"),
        (None, Some(result)) => text(result, "reason"),
        (None, None) => text(operation, "reason"),
    }
}
