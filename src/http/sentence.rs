//! Whole sentences about a part of a request, for the details of problems.

use crate::json::shown_name;

/// The name of the argument that a pointer leads to, for a sentence.
pub(super) fn argument(pointer: &str) -> String {
    shown_name(pointer.strip_prefix('/').unwrap_or(pointer))
}

/// What is wrong with a part of the request, as a whole sentence. The detail is what is said of it,
/// or a clause of its own.
pub(super) fn about(subject: &str, detail: &str) -> String {
    const VERBS: [&str; 6] = ["is ", "has ", "must ", "names ", "does ", "can "];
    let joint = if VERBS.iter().any(|verb| detail.starts_with(verb)) {
        " "
    } else {
        " is refused: "
    };
    sentence(&format!("{subject}{joint}{detail}"))
}

/// The text as a sentence of its own.
pub(super) fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(|first| first.to_ascii_uppercase());
    let end = if text.ends_with(['.', '?', '!']) { "" } else { "." };
    first.into_iter().chain(rest).chain(end.chars()).collect()
}
