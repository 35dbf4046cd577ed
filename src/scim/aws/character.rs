//! What a character is called that a reader can't see, or can't tell from another.

use icu_properties::{CodePointMapData, props::GeneralCategory};

/// How many characters of one value a message names.
const NAMED: usize = 3;

/// Names of the characters that get into profiles by copying: from contacts and web pages, through
/// spreadsheets and byte streams (Unicode character names and formal aliases).
const NAMES: &[(char, &str)] = &[
    ('\u{0}', "NULL"),
    ('\u{7}', "BELL"),
    ('\u{8}', "BACKSPACE"),
    ('\t', "CHARACTER TABULATION"),
    ('\n', "LINE FEED"),
    ('\u{b}', "LINE TABULATION"),
    ('\u{c}', "FORM FEED"),
    ('\r', "CARRIAGE RETURN"),
    ('\u{1a}', "SUBSTITUTE"),
    ('\u{1b}', "ESCAPE"),
    (' ', "SPACE"),
    ('\u{7f}', "DELETE"),
    ('\u{85}', "NEXT LINE"),
    ('\u{a0}', "NO-BREAK SPACE"),
    ('\u{ad}', "SOFT HYPHEN"),
    ('\u{61c}', "ARABIC LETTER MARK"),
    ('\u{1680}', "OGHAM SPACE MARK"),
    ('\u{180e}', "MONGOLIAN VOWEL SEPARATOR"),
    ('\u{2000}', "EN QUAD"),
    ('\u{2001}', "EM QUAD"),
    ('\u{2002}', "EN SPACE"),
    ('\u{2003}', "EM SPACE"),
    ('\u{2004}', "THREE-PER-EM SPACE"),
    ('\u{2005}', "FOUR-PER-EM SPACE"),
    ('\u{2006}', "SIX-PER-EM SPACE"),
    ('\u{2007}', "FIGURE SPACE"),
    ('\u{2008}', "PUNCTUATION SPACE"),
    ('\u{2009}', "THIN SPACE"),
    ('\u{200a}', "HAIR SPACE"),
    ('\u{200b}', "ZERO WIDTH SPACE"),
    ('\u{200c}', "ZERO WIDTH NON-JOINER"),
    ('\u{200d}', "ZERO WIDTH JOINER"),
    ('\u{200e}', "LEFT-TO-RIGHT MARK"),
    ('\u{200f}', "RIGHT-TO-LEFT MARK"),
    ('\u{2028}', "LINE SEPARATOR"),
    ('\u{2029}', "PARAGRAPH SEPARATOR"),
    ('\u{202a}', "LEFT-TO-RIGHT EMBEDDING"),
    ('\u{202b}', "RIGHT-TO-LEFT EMBEDDING"),
    ('\u{202c}', "POP DIRECTIONAL FORMATTING"),
    ('\u{202d}', "LEFT-TO-RIGHT OVERRIDE"),
    ('\u{202e}', "RIGHT-TO-LEFT OVERRIDE"),
    ('\u{202f}', "NARROW NO-BREAK SPACE"),
    ('\u{205f}', "MEDIUM MATHEMATICAL SPACE"),
    ('\u{2060}', "WORD JOINER"),
    ('\u{2061}', "FUNCTION APPLICATION"),
    ('\u{2062}', "INVISIBLE TIMES"),
    ('\u{2063}', "INVISIBLE SEPARATOR"),
    ('\u{2064}', "INVISIBLE PLUS"),
    ('\u{2066}', "LEFT-TO-RIGHT ISOLATE"),
    ('\u{2067}', "RIGHT-TO-LEFT ISOLATE"),
    ('\u{2068}', "FIRST STRONG ISOLATE"),
    ('\u{2069}', "POP DIRECTIONAL ISOLATE"),
    ('\u{3000}', "IDEOGRAPHIC SPACE"),
    ('\u{feff}', "ZERO WIDTH NO-BREAK SPACE"),
];

/// A refusal of characters, in the two parts of a sentence.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// `U+202A LEFT-TO-RIGHT EMBEDDING at position 1 can't stand in it`.
    pub(super) message: String,
    /// `take it out, it is invisible`.
    pub(super) help: String,
}

/// Names the characters of a value that are refused, by code point, name and position (counted in
/// characters from 1); `None` when none is.
pub(super) fn refused(value: &str, is_refused: impl Fn(char) -> bool) -> Option<Refused> {
    let found: Vec<_> = (1..)
        .zip(value.chars())
        .filter(|(_, character)| is_refused(*character))
        .collect();
    let (_, first) = *found.first()?;
    let named: Vec<_> = found
        .iter()
        .take(NAMED)
        .map(|(position, character)| named(*character, *position))
        .collect();
    let rest = found.len() - named.len();
    let more = if rest > 0 {
        format!(" and {rest} more")
    } else {
        String::new()
    };
    let help = if found.len() == 1 {
        format!("take it out, it is {}", nature(first))
    } else {
        "take them out".to_owned()
    };
    Some(Refused {
        message: format!("{}{more} can't stand in it", named.join(", ")),
        help,
    })
}

/// The general category of a character.
pub(super) fn category(character: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(character)
}

/// A character in a message: `U+202A LEFT-TO-RIGHT EMBEDDING at position 1`.
fn named(character: char, position: usize) -> String {
    let name = NAMES.iter().find(|(known, _)| *known == character);
    let name = name.map_or_else(|| fallback(character), |(_, name)| name);
    format!("U+{:04X} {name} at position {position}", u32::from(character))
}

/// What a character without an entry is called.
fn fallback(character: char) -> &'static str {
    const CATEGORIES: [(GeneralCategory, &str); 4] = [
        (GeneralCategory::Control, "control character"),
        (GeneralCategory::Format, "format character"),
        (GeneralCategory::PrivateUse, "private-use character"),
        (GeneralCategory::SpaceSeparator, "space character"),
    ];
    let category = category(character);
    let known = CATEGORIES.iter().find(|(known, _)| *known == category);
    known.map_or("character", |(_, name)| name)
}

/// What a reader has to know of a character to find it.
fn nature(character: char) -> &'static str {
    const CATEGORIES: [(GeneralCategory, &str); 5] = [
        (GeneralCategory::Control, "a control character"),
        (GeneralCategory::PrivateUse, "some font's own"),
        (
            GeneralCategory::SpaceSeparator,
            "a space of another width or kind than the plain one",
        ),
        (GeneralCategory::LineSeparator, "a line break"),
        (GeneralCategory::ParagraphSeparator, "a line break"),
    ];
    if character == ' ' {
        return "a space";
    }
    let category = category(character);
    let known = CATEGORIES.iter().find(|(known, _)| *known == category);
    known.map_or("invisible", |(_, nature)| nature)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_is_told_by_code_point_name_and_position() {
        let rows = [
            (
                "\u{202a}+49 30",
                "U+202A LEFT-TO-RIGHT EMBEDDING at position 1",
                "take it out, it is invisible",
            ),
            (
                "Me\u{200c}yer",
                "U+200C ZERO WIDTH NON-JOINER at position 3",
                "take it out, it is invisible",
            ),
            (
                "é\u{202f}x",
                "U+202F NARROW NO-BREAK SPACE at position 2",
                "take it out, it is a space of another width or kind than the plain one",
            ),
            ("a b", "U+0020 SPACE at position 2", "take it out, it is a space"),
            (
                "a\u{0}",
                "U+0000 NULL at position 2",
                "take it out, it is a control character",
            ),
            (
                "\u{1}",
                "U+0001 control character at position 1",
                "take it out, it is a control character",
            ),
            (
                "\u{e0041}",
                "U+E0041 format character at position 1",
                "take it out, it is invisible",
            ),
            (
                "\u{e000}",
                "U+E000 private-use character at position 1",
                "take it out, it is some font's own",
            ),
            (
                "\u{2028}",
                "U+2028 LINE SEPARATOR at position 1",
                "take it out, it is a line break",
            ),
        ];
        for (value, named, help) in rows {
            let found = refused(value, |character| {
                !character.is_alphanumeric() && !"+".contains(character)
            });
            let first = found.expect(value);
            assert!(first.message.starts_with(named), "{}", first.message);
            if !first.message.contains(',') {
                assert_eq!(first.help, help, "{value:?}");
            }
        }
        assert_eq!(refused("abc", |character| character == ' '), None);
    }

    #[test]
    fn several_are_named_and_more_counted() {
        let hidden = |value| refused(value, |character| category(character) == GeneralCategory::Format);
        assert_eq!(
            hidden("\u{202a}+49\u{202c}").unwrap(),
            Refused {
                message: "U+202A LEFT-TO-RIGHT EMBEDDING at position 1, U+202C POP DIRECTIONAL FORMATTING at position 5 can't stand in it".to_owned(),
                help: "take them out".to_owned(),
            }
        );
        let many = hidden(&"\u{200b}".repeat(5)).unwrap().message;
        assert!(many.ends_with("at position 3 and 2 more can't stand in it"), "{many}");
    }

    #[test]
    fn the_names_are_in_order_and_each_is_of_a_character_that_needs_one() {
        assert!(NAMES.is_sorted_by(|one, other| one.0 < other.0));
        for (character, name) in NAMES {
            let is_plain = character.is_alphanumeric() || character.is_ascii_punctuation();
            assert!(!is_plain && !name.is_empty(), "{name}");
        }
    }
}
