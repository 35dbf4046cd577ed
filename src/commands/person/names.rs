//! When two texts are one name, and when two values say the same of a person.

use std::collections::BTreeSet;

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// A name in the form in which equal names are equal: canonical equivalence (NFC = NFD) and letter
/// case aside (Unicode section 3.13, D145). Compatibility forms and look-alikes are other names.
pub(in crate::commands) fn folded(name: &str) -> String {
    let decomposed = decomposed(name);
    let lower = decomposed.chars().flat_map(char::to_lowercase);
    // The one small letter that has another form at the end of a word; both are Σ in capitals.
    let lower: String = lower.map(|letter| if letter == 'ς' { 'σ' } else { letter }).collect();
    DecomposingNormalizerBorrowed::new_nfd().normalize(&lower).into_owned()
}

/// Whether two texts are one userName, or one displayName of a group.
pub(in crate::commands) fn is_same_name(one: &str, other: &str) -> bool {
    folded(one) == folded(other)
}

/// The names by which commands know one user: those of two commands that share one are about the
/// same person.
pub fn names_of_user(id: Option<&str>, user_name: Option<&str>, employee_id: Option<&str>) -> BTreeSet<String> {
    let names = [
        id.map(|id| format!("user id {}", id.to_lowercase())),
        // Two spellings of a user name are one person.
        user_name.map(|name| format!("user name {}", folded(name))),
        employee_id.map(|id| format!("employee {id}")),
    ];
    names.into_iter().flatten().collect()
}

/// The composed and the decomposed form of a name, those that differ from it.
pub(super) fn other_forms(name: &str) -> Vec<String> {
    let composed = ComposingNormalizerBorrowed::new_nfc().normalize(name).into_owned();
    let mut forms = vec![composed, decomposed(name)];
    forms.retain(|form| form != name);
    forms
}

/// A value as [`signs`](super::signs) compare it: letter case and white space aside.
pub(super) fn bare(value: &str) -> String {
    let dense: String = value.chars().filter(|character| !character.is_whitespace()).collect();
    folded(&dense)
}

fn decomposed(name: &str) -> String {
    DecomposingNormalizerBorrowed::new_nfd().normalize(name).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_equal_by_canonical_equivalence_and_letter_case_aside() {
        let same = [
            ("jane", "JANE"),
            ("jos\u{e9}", "jose\u{301}"),
            ("JOS\u{c9}", "jose\u{301}"),
            ("\u{212b}", "\u{e5}"),
            ("ΟΔΟΣ", "οδος"),
            ("\u{1e9b}\u{323}", "\u{1e9b}\u{323}"),
        ];
        for (one, other) in same {
            assert!(is_same_name(one, other), "{one} {other}");
        }
        let different = [
            ("jane", "jane "),
            ("jose", "jos\u{e9}"),
            ("\u{fb01}x", "fix"),
            ("\u{430}nna", "anna"),
            ("\u{ff41}", "a"),
        ];
        for (one, other) in different {
            assert!(!is_same_name(one, other), "{one} {other}");
        }
    }

    #[test]
    fn the_other_forms_are_those_that_differ() {
        assert_eq!(other_forms("jane"), Vec::<String>::new());
        assert_eq!(other_forms("jos\u{e9}"), ["jose\u{301}"]);
        assert_eq!(other_forms("jose\u{301}"), ["jos\u{e9}"]);
        // Neither form: a dot below and above in the wrong order.
        assert_eq!(other_forms("s\u{307}\u{323}"), ["\u{1e69}", "s\u{323}\u{307}"]);
    }
}
