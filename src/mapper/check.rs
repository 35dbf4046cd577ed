//! Checks a mapping before it runs: targets that AWS does not take, values that would become
//! structure, values that go missing together.

use std::collections::BTreeSet;

use super::{
    bounds::MAX_PATH,
    file::Direction,
    json_text,
    lint::Findings,
    path::ENTERPRISE_1_0,
    rule::{Complex, Field, Mapping, Rule},
    simple::Simple,
    tainted::Origin,
    target::{ReservedAttributeError, Target},
    transformers::{Step, Transformer, is_groups_only},
};
use crate::scim::aws::{self, ENTERPRISE};

/// A target by its name; `None` when nothing is to be put there.
pub(super) fn target(direction: Option<Direction>, name: &str, place: &str, findings: &mut Findings) -> Option<Target> {
    if name.len() > MAX_PATH {
        findings.error(place, format!("a target's name has at most {MAX_PATH} bytes"));
        return None;
    }
    if direction == Some(Direction::Incoming) {
        return Some(Target::field(name));
    }
    let target = match Target::attribute(name) {
        Ok(target) => target,
        Err(ReservedAttributeError) => {
            findings.warning(place, "the commands set it, not a mapping; ignored");
            return None;
        }
    };
    let refusal = aws::target_problem(&target.dotted());
    if target.is_1_0 {
        findings.note(
            place,
            format!("SCIM 1.0's name of the enterprise extension; SCIM 2.0's ({ENTERPRISE}) is sent"),
        );
    } else if let Some(problem) = refusal {
        findings.warning(place, format!("{problem}; an AWS instance refuses the user"));
    }
    Some(target)
}

/// Adds the findings of a field.
pub(super) fn field(direction: Option<Direction>, field: &Field, place: &str, findings: &mut Findings) {
    if let Rule::Complex(complex) = &field.rule {
        check_concatenation(complex, place, findings);
    }
    if direction != Some(Direction::Incoming) {
        spelling(field, place, findings);
    }
    if field.target.is_1_0 {
        let within = format!("{ENTERPRISE}.");
        let parts: BTreeSet<&str> = field
            .sources
            .iter()
            .filter_map(|(attribute, _)| attribute.strip_prefix(&within))
            .filter(|part| !aws::is_enterprise_attribute(part))
            .collect();
        if !parts.is_empty() {
            let parts: Vec<_> = parts.into_iter().collect();
            findings.note(
                place,
                format!("the enterprise extension has no {}; dropped", parts.join(", ")),
            );
        }
    }
    if direction == Some(Direction::Incoming) {
        for path in field.rule.paths() {
            let head = super::path::Path::parse(path)
                .map(|path| path.first_key().to_owned())
                .unwrap_or_default();
            if path.trim_start().replace(r"\.", ".").starts_with(ENTERPRISE_1_0) {
                findings.note(
                    place,
                    "reads SCIM 1.0's name of the enterprise extension; SCIM 2.0's is read",
                );
            } else if aws::canonical_attribute(&head).is_none()
                && !["id", "active", "meta", "schemas"].contains(&head.as_str())
            {
                findings.warning(place, format!("AWS's users have no `{head}`; it gives nothing"));
            }
        }
    }
}

/// A target in another spelling than SCIM's, and one that a text alone won't do for.
fn spelling(field: &Field, place: &str, findings: &mut Findings) {
    let top = field.target.top();
    if field.target.is_top() && !field.target.is_1_0 && field.target.text != top {
        findings.note(place, format!("sent as {top}: names of attributes know no letter case"));
    }
    let kind = aws::structure(top);
    if let (Rule::Simple(_), true, Some(kind)) = (&field.rule, field.target.is_top(), kind) {
        findings.warning(place, format!("{top} is {kind}; a text alone is refused"));
    }
}

/// Adds the findings of a mapping as a whole.
pub(super) fn mapping(direction: Option<Direction>, mapping: &Mapping, place: &str, findings: &mut Findings) {
    if direction != Some(Direction::Outgoing) {
        return;
    }
    for required in ["userName", "displayName", "name"] {
        if !mapping.fields.iter().any(|field| field.target.top() == required) {
            findings.warning(
                place,
                format!("nothing fills {required}, which AWS requires of a new user"),
            );
        }
    }
    for broad in mapping.fields.iter().map(|field| &field.target) {
        let mut targets = mapping.fields.iter().map(|field| &field.target);
        if let Some(part) = targets.find(|target| target.is_inside(broad)) {
            findings.warning(
                place,
                format!(
                    "{} and {} fill the same place; where both have a value, the one of {} counts",
                    broad.dotted(),
                    part.dotted(),
                    part.dotted()
                ),
            );
        }
    }
    let mut seen = BTreeSet::new();
    for field in &mapping.fields {
        if !seen.insert(field.target.dotted()) {
            findings.warning(
                place,
                format!(
                    "{} is filled twice; the last one that has a value counts",
                    field.target.dotted()
                ),
            );
        }
    }
}

/// The origin of a text after each step, as far as that is known at load.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Mapper,
    Source,
    /// One value of the source, with the mapper's text in it.
    Altered,
    /// Such a value, or another text that took its place: it shows when it comes.
    Either,
    /// Parts of both, kept apart.
    Glued,
    /// Parts of both, no longer kept apart.
    Mixed,
}

fn check_concatenation(complex: &Complex, place: &str, findings: &mut Findings) {
    let mut state = match &complex.root {
        Simple::Nothing | Simple::Literal(_) => State::Mapper,
        Simple::Path(_) => State::Source,
        Simple::Text(_) => State::Glued,
    };
    let mut changed_by = "";
    for (index, transformer) in complex.transformers.iter().enumerate() {
        let place = format!("{place} › transformer {} ({})", index + 1, transformer.name);
        if matches!(transformer.step, Step::ParseJson) {
            if state == State::Mixed {
                findings.error(
                    &place,
                    format!(
                        "the text was glued from several values and changed by {changed_by} after that, so that a value could become structure; change \
                         the values before they are glued"
                    ),
                );
            } else if state == State::Altered {
                findings.error(&place, json_text::ALTERED);
            } else if let Some(text) = complex.template(index) {
                let together = text.origin() == Origin::Source;
                match json_text::parse(&text) {
                    _ if together => {}
                    Err(error) => findings.error(&place, error.to_string()),
                    Ok(parsed) => {
                        if parsed.unquoted {
                            findings.warning(&place, "a value stands outside quotes in the glued JSON; it is taken for a text, whatever it holds");
                        }
                        missing_together(complex, &place, findings);
                    }
                }
            }
        }
        let before = state;
        state = next_state(state, transformer);
        if state == State::Mixed && before != State::Mixed {
            changed_by = transformer.name;
        }
    }
}

/// A missing root takes the other sources of its target with it.
fn missing_together(complex: &Complex, place: &str, findings: &mut Findings) {
    let root: Vec<&str> = complex.root.paths().iter().map(|path| path.first_key()).collect();
    let (mut others, mut seen): (Vec<&str>, BTreeSet<&str>) = (Vec::new(), root.iter().copied().collect());
    for transformer in &complex.transformers {
        if let Step::Concat { prefix, suffix } = &transformer.step {
            for path in prefix.paths().into_iter().chain(suffix.paths()) {
                if seen.insert(path.first_key()) {
                    others.push(path.first_key());
                }
            }
        }
    }
    if let (&[root], false) = (root.as_slice(), others.is_empty()) {
        let others = others.join(", ");
        findings.note(
            place,
            format!("without {root}, its root, the whole target is left out, and {others} with it"),
        );
    }
}

fn next_state(state: State, transformer: &Transformer) -> State {
    let literal = |arguments: &[&Simple]| arguments.iter().all(|argument| argument.paths().is_empty());
    let changed = |arguments: &[&Simple]| match state {
        State::Mapper | State::Source | State::Altered | State::Either if literal(arguments) => state,
        State::Mapper | State::Source | State::Altered | State::Either | State::Glued | State::Mixed => State::Mixed,
    };
    // The mapper's text in the source's value.
    let altered = |state: State, adds: bool| {
        if state == State::Source && adds {
            State::Altered
        } else {
            state
        }
    };
    let glued = |arguments: &[&Simple]| match state {
        State::Mapper if literal(arguments) => State::Mapper,
        State::Mapper | State::Source | State::Altered | State::Either | State::Glued => State::Glued,
        State::Mixed => State::Mixed,
    };
    match &transformer.step {
        Step::Concat { prefix, suffix } => {
            let nothing = [prefix, suffix].iter().all(|argument| **argument == Simple::Nothing);
            if nothing { state } else { glued(&[prefix, suffix]) }
        }
        Step::Join { separator } => glued(&[separator]),
        Step::Replace { what, with } if state == State::Mapper && literal(&[what]) => glued(&[with]),
        // Without a text to look for there is nothing to do.
        Step::Replace { what, .. } if what.literal().is_none_or(str::is_empty) && what.paths().is_empty() => state,
        Step::Replace { what, with } => {
            let adds = with.literal().is_some_and(|text| !text.is_empty());
            altered(changed(&[what, with]), adds)
        }
        Step::ReplaceMatch { with, .. } => {
            let adds = with.literal().is_some_and(|text| !is_groups_only(text));
            altered(changed(&[with]), adds)
        }
        // Another text may take the value's place.
        Step::SetIfEmpty { .. }
        | Step::IfThenElse(_)
        | Step::MapValues { .. }
        | Step::Append { .. }
        | Step::Count
        | Step::GetField { .. }
            if state == State::Altered =>
        {
            State::Either
        }
        Step::Trim | Step::TimeStampToDate => changed(&[]),
        Step::Split { delimiter, .. } => changed(&[delimiter]),
        Step::Substring { from, to } => changed(&[from, to]),
        Step::SubstringFrom { from } => changed(&[from]),
        Step::SubstringTo { to } => changed(&[to]),
        Step::StripChars { chars } => changed(&[chars]),
        Step::DateStringToIso { .. } => changed(&[]),
        Step::ParseJson if state == State::Source => State::Source,
        Step::ParseJson => State::Mixed,
        // These select or read values and leave their origin as it is; an unsafe result is refused
        // when it is parsed.
        Step::Stringify
        | Step::ToLowerCase
        | Step::ToUpperCase
        | Step::Append { .. }
        | Step::Uniq
        | Step::Count
        | Step::AtIndex { .. }
        | Step::FirstArrayElement
        | Step::GetField { .. }
        | Step::SetIfEmpty { .. }
        | Step::IfThenElse(_)
        | Step::MapValues { .. } => state,
    }
}
