//! JSON as real exports have it: keys given twice (the last wins), in an order that is kept.

use serde_json::Value;

use crate::{
    json::{self, Step},
    mapper::{bounds::MAX_REMARKS, lint::shortened},
};

/// A document, and the places where a key was given twice.
#[derive(Debug, PartialEq)]
pub(super) struct Document {
    pub(super) value: Value,
    /// The keys that lead to each, for as many as are reported of one file.
    pub(super) repeated: Vec<String>,
    /// How many there are beyond those.
    pub(super) more_repeated: usize,
}

/// Reads a document.
///
/// # Errors
/// What is wrong with it, with line and column.
pub(super) fn read(text: &str) -> Result<Document, String> {
    // A byte order mark is no JSON (RFC 8259 section 8.1 lets a reader ignore it), and editors
    // leave one.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut repeated, mut more_repeated) = (Vec::new(), 0);
    let value = json::parse_keeping_last(text.as_bytes(), &mut |place| {
        if repeated.len() < MAX_REMARKS {
            repeated.push(shown(place));
        } else {
            more_repeated += 1;
        }
    });
    Ok(Document {
        value: value.map_err(|error| error.message)?,
        repeated,
        more_repeated,
    })
}

/// Writes a place as findings name it, with items counted from 1.
fn shown(place: &[Step]) -> String {
    let steps: Vec<_> = place
        .iter()
        .map(|step| match step {
            Step::Key(key) => shortened(key),
            Step::Index(index) => (index + 1).to_string(),
        })
        .collect();
    steps.join(" › ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_last_of_two_equal_keys_wins_and_both_are_reported() {
        let document = read(r#"{"a": 1, "b": {"c": [{"d": 1, "d": 2}], "c": 3}, "a": 4}"#).unwrap();
        assert_eq!(document.value, json!({"a": 4, "b": {"c": 3}}));
        assert_eq!(document.repeated, ["b › c › 1 › d", "b › c", "a"]);
    }

    #[test]
    fn many_keys_given_twice_below_a_long_one_take_little_memory() {
        let doubled = r#""k": 1, "#.repeat(50_000);
        let text = format!(r#"{{"{}": {{{doubled}"k": 2}}}}"#, "x".repeat(1_000_000));
        let document = read(&text).unwrap();
        assert_eq!((document.repeated.len(), document.more_repeated), (1_000, 49_000));
        assert!(document.repeated.iter().all(|place| place.len() < 200));
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_place() {
        assert!(read("{").unwrap_err().contains("line 1 column 1"));
        assert!(read("{} x").unwrap_err().contains("trailing characters"));
        assert!(read(&"[".repeat(1_000)).unwrap_err().contains("recursion limit"));
        assert!(read("\u{feff}{}").is_ok());
    }
}
