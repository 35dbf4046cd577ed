//! JSON as real exports have it: keys given twice (the last wins), in an order that is kept.

use serde_json::Value;

use super::{bounds::MAX_REMARKS, lint::shorten};
use crate::json::{self, JsonError, Step};

/// A document, and the places where a key was given twice.
#[derive(Debug, PartialEq)]
pub(super) struct Document {
    pub(super) value: Value,
    /// Each as the keys that lead there, as many as are reported for a file.
    pub(super) duplicates: Vec<String>,
    /// The number of further duplicates.
    pub(super) more_duplicates: usize,
}

/// Reads a document.
///
/// # Errors
/// When it is no JSON; the error has line and column.
pub(super) fn read(text: &str) -> Result<Document, JsonError> {
    // A byte order mark is no JSON (RFC 8259 section 8.1 lets a reader ignore it), and editors
    // leave one.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut duplicates, mut more_duplicates) = (Vec::new(), 0);
    let value = json::parse_keeping_last(text.as_bytes(), &mut |place| {
        if duplicates.len() < MAX_REMARKS {
            duplicates.push(path_of(place));
        } else {
            more_duplicates += 1;
        }
    })?;
    Ok(Document {
        value,
        duplicates,
        more_duplicates,
    })
}

/// Writes a place as findings name it, with items counted from 1.
fn path_of(place: &[Step]) -> String {
    let steps = place.iter().map(|step| match step {
        Step::Key(key) => shorten(key),
        Step::Index(index) => (index + 1).to_string(),
    });
    steps.collect::<Vec<_>>().join(" › ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_last_of_two_equal_keys_wins_and_both_are_reported() {
        let document = read(r#"{"a": 1, "b": {"c": [{"d": 1, "d": 2}], "c": 3}, "a": 4}"#).unwrap();
        assert_eq!(document.value, json!({"a": 4, "b": {"c": 3}}));
        assert_eq!(document.duplicates, ["b › c › 1 › d", "b › c", "a"]);
    }

    #[test]
    fn many_keys_given_twice_below_a_long_one_take_no_memory_of_note() {
        let doubled = r#""k": 1, "#.repeat(50_000);
        let text = format!(r#"{{"{}": {{{doubled}"k": 2}}}}"#, "x".repeat(1_000_000));
        let document = read(&text).unwrap();
        assert_eq!((document.duplicates.len(), document.more_duplicates), (1_000, 49_000));
        assert!(document.duplicates.iter().all(|place| place.len() < 200));
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_place() {
        assert!(read("{").unwrap_err().to_string().contains("line 1 column 1"));
        assert!(read("{} x").unwrap_err().to_string().contains("trailing characters"));
        assert!(
            read(&"[".repeat(1_000))
                .unwrap_err()
                .to_string()
                .contains("recursion limit")
        );
        assert!(read("\u{feff}{}").is_ok());
    }
}
