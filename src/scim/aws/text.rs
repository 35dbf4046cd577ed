//! What AWS takes as text: lengths, alphabets, names that it keeps for itself.

use icu_properties::props::GeneralCategory;
use serde_json::Value;

use super::character::{category, refused};
use crate::diagnostic::Diagnostic;

/// Names AWS keeps for itself, for users and for groups (IS CreateUser, CreateGroup).
const RESERVED: [&str; 2] = ["Administrator", "AWSAdministrators"];

/// The longest value looked up, in characters: the longest text there is (IS). A longer one would
/// not fit into a URL.
const LONGEST_LOOKUP: usize = 1024;

/// Why a value can't be looked up: no name in any directory has such a character, and an invisible
/// one would find another person than the reader sees. Space is allowed here, since users made by
/// other means may have one.
pub fn lookup_value(attribute: &str, value: &str) -> Option<Diagnostic> {
    if value.chars().count() > LONGEST_LOOKUP {
        let rule = format!("no name is longer than {LONGEST_LOOKUP} characters");
        return Some(Diagnostic::error(attribute, rule, "shorten it"));
    }
    refuse(attribute, value, is_hidden)
}

/// Why a value can't be a userName or an externalId of AWS's: their alphabets have no white space
/// (IS `UserName`, `ExternalIdIdentifier`).
pub fn white_space(attribute: &str, value: &str) -> Option<Diagnostic> {
    refuse(attribute, value, char::is_whitespace)
}

/// What a reader can't see of a value that is refused for its alphabet: where an invisible
/// character or white space stands in it. `None` when all can be seen.
pub fn unseen(value: &str) -> Option<String> {
    let is_unseen = |character: char| character.is_whitespace() || is_hidden(character);
    refused(value, is_unseen).map(|refused| refused.message)
}

/// The longest text, in characters (IS: `UserName` 128, `ExternalIdIdentifier` 256, sensitive
/// strings 1024).
pub(super) fn max_length(path: &str) -> usize {
    match path {
        "userName" => 128,
        "externalId" => 256,
        _ => 1024,
    }
}

/// Why AWS refuses a value as the text of an attribute.
pub(super) fn text(path: &str, value: &Value) -> Option<Diagnostic> {
    let Some(value) = value.as_str() else {
        return Some(Diagnostic::error(path, "must be text", "send it in quotes"));
    };
    let length = value.chars().count();
    let max = max_length(path);
    if length == 0 {
        return Some(Diagnostic::error(
            path,
            "must not be empty",
            "leave it out, or give it a value",
        ));
    }
    if length > max {
        return Some(Diagnostic::error(
            path,
            format!("at most {max} characters, {length} were given"),
            "shorten it",
        ));
    }
    if RESERVED.iter().any(|name| name.eq_ignore_ascii_case(value)) && ["userName", "displayName"].contains(&path) {
        return Some(Diagnostic::error(
            path,
            "AWS keeps this name for itself",
            "choose another",
        ));
    }
    let has_spaces = !["userName", "externalId"].contains(&path);
    refuse(path, value, |character| {
        !is_allowed(character) || (!has_spaces && character.is_whitespace())
    })
}

fn refuse(path: &str, value: &str, is_refused: impl Fn(char) -> bool) -> Option<Diagnostic> {
    refused(value, is_refused).map(|refused| Diagnostic::error(path, refused.message, refused.help))
}

/// IS: letters, marks, symbols, numbers, punctuation, and of white space these six. Characters
/// unassigned in our Unicode version pass: AWS may know a newer one.
fn is_allowed(character: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator, PrivateUse, SpaceSeparator, Surrogate};
    let category = category(character);
    if category == Control {
        return ['\t', '\n', '\r'].contains(&character);
    }
    if category == SpaceSeparator {
        return [' ', '\u{a0}', '\u{3000}'].contains(&character);
    }
    ![Format, PrivateUse, Surrogate, LineSeparator, ParagraphSeparator].contains(&category)
}

/// Whether a character shows as nothing, or as what it is not.
fn is_hidden(character: char) -> bool {
    use GeneralCategory::{Control, Format, PrivateUse, Surrogate};
    [Control, Format, PrivateUse, Surrogate].contains(&category(character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_are_never_looked_up() {
        let long = "x".repeat(LONGEST_LOOKUP + 1);
        for bad in ["a\n", "a\u{0}", "\u{202e}a", "a\u{200b}", "\u{feff}a", "a\t", &long] {
            assert!(lookup_value("userName", bad).is_some(), "{bad:?}");
        }
        for good in ["a b", "a\" or userName pr", "é", "а", "a\\"] {
            assert!(lookup_value("userName", good).is_none(), "{good:?}");
        }
    }

    #[test]
    fn a_refused_character_is_named_with_its_place() {
        let said = |path: &str, value: &str| text(path, &value.into()).map(|fault| fault.sentence());
        let rows = [
            (
                "phoneNumbers.value",
                "\u{202a}+49 30 1",
                Some("U+202A LEFT-TO-RIGHT EMBEDDING at position 1 can't stand in it; take it out, it is invisible"),
            ),
            (
                "name.familyName",
                "Mey\u{200c}er",
                Some("U+200C ZERO WIDTH NON-JOINER at position 4 can't stand in it; take it out, it is invisible"),
            ),
            (
                "title",
                "A\u{202f}B",
                Some(
                    "U+202F NARROW NO-BREAK SPACE at position 2 can't stand in it; take it out, it is a space of \
                     another width or kind than the plain one",
                ),
            ),
            (
                "userName",
                "a b",
                Some("U+0020 SPACE at position 2 can't stand in it; take it out, it is a space"),
            ),
            (
                "externalId",
                "e\u{a0}1",
                Some(
                    "U+00A0 NO-BREAK SPACE at position 2 can't stand in it; take it out, it is a space of another \
                     width or kind than the plain one",
                ),
            ),
            ("title", "a b\u{a0}c\u{3000}d\te", None),
        ];
        for (path, value, expected) in rows {
            let expected = expected.map(|rule| format!("{path}: {rule}"));
            assert_eq!(said(path, value), expected, "{value:?}");
        }
        assert_eq!(
            white_space("userName", "a b").map(|fault| fault.sentence()),
            said("userName", "a b")
        );
        assert_eq!(unseen("../a"), None);
        assert_eq!(
            unseen("u-\u{200b}1").as_deref(),
            Some("U+200B ZERO WIDTH SPACE at position 3 can't stand in it")
        );
    }
}
