//! The elements of a body that arrives in pieces: of a JSON array, or one a line.
//!
//! Cuts the text and reads none of it: each element is read as strictly as any document. Only one
//! is kept at a time.

/// How elements stand in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// One JSON array of them.
    Array,
    /// One a line (NDJSON). Blank lines are none.
    Lines,
}

/// Cuts a body into its elements.
#[derive(Debug)]
pub(super) struct Elements {
    form: Form,
    place: Place,
    /// What has arrived of the element that is next.
    element: Vec<u8>,
}

/// Where in an array the text has come to. Of lines there is but one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Before,
    /// Before an element that may be missing, since the array may be empty.
    First,
    Element {
        depth: u32,
        text: Text,
    },
    Behind,
}

/// Whether the place is within a text of JSON, where brackets and commas mean nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    Outside,
    Inside,
    Escaped,
}

const NOT_AN_ARRAY: &str =
    "the body is no array: it begins with [, or with Content-Type: application/x-ndjson has one element a line";
const MISSING: &str = "an element is missing between two commas, or before the end of the array";
const BEHIND: &str = "something follows behind the end of the array";
const UNENDED: &str = "the array does not end: the body was cut, or a bracket is missing";

impl Elements {
    pub(super) fn new(form: Form) -> Self {
        let place = match form {
            Form::Array => Place::Before,
            Form::Lines => Place::First,
        };
        Self {
            form,
            place,
            element: Vec::new(),
        }
    }

    /// Takes the next piece of the body, and hands over each element that ends in it.
    ///
    /// # Errors
    /// When what holds the elements is broken.
    pub(super) fn push(&mut self, piece: &[u8], each: &mut impl FnMut(&[u8])) -> Result<(), &'static str> {
        for byte in piece {
            match self.form {
                Form::Lines => self.push_of_lines(*byte, each),
                Form::Array => self.push_of_array(*byte, each)?,
            }
        }
        Ok(())
    }

    /// The end of the body.
    ///
    /// # Errors
    /// When an array has not ended.
    pub(super) fn finish(mut self, each: &mut impl FnMut(&[u8])) -> Result<(), &'static str> {
        match (self.form, self.place) {
            (Form::Lines, _) => {
                self.hand_over(each);
                Ok(())
            }
            (Form::Array, Place::Behind) => Ok(()),
            (Form::Array, Place::Before) => Err(NOT_AN_ARRAY),
            (Form::Array, Place::First | Place::Element { .. }) => Err(UNENDED),
        }
    }

    fn push_of_lines(&mut self, byte: u8, each: &mut impl FnMut(&[u8])) {
        if byte == b'\n' {
            self.hand_over(each);
        } else {
            self.element.push(byte);
        }
    }

    fn push_of_array(&mut self, byte: u8, each: &mut impl FnMut(&[u8])) -> Result<(), &'static str> {
        let is_blank = byte.is_ascii_whitespace();
        match self.place {
            Place::Before if is_blank => {}
            Place::Before if byte == b'[' => self.place = Place::First,
            Place::Before => return Err(NOT_AN_ARRAY),
            Place::First if is_blank => {}
            Place::First if byte == b']' => self.place = Place::Behind,
            Place::First => {
                self.place = BEGUN;
                return self.push_of_array(byte, each);
            }
            Place::Element {
                depth: 0,
                text: Text::Outside,
            } if byte == b',' || byte == b']' => {
                if !self.hand_over(each) {
                    return Err(MISSING);
                }
                self.place = if byte == b',' { BEGUN } else { Place::Behind };
            }
            Place::Element { depth, text } => {
                self.element.push(byte);
                self.place = after(byte, depth, text);
            }
            Place::Behind if is_blank => {}
            Place::Behind => return Err(BEHIND),
        }
        Ok(())
    }

    /// Hands the element over that has arrived, and begins the next; `false` where it is blank.
    fn hand_over(&mut self, each: &mut impl FnMut(&[u8])) -> bool {
        let is_there = !self.element.iter().all(u8::is_ascii_whitespace);
        if is_there {
            each(&self.element);
        }
        self.element.clear();
        is_there
    }
}

const BEGUN: Place = Place::Element {
    depth: 0,
    text: Text::Outside,
};

/// The place behind a byte of an element.
fn after(byte: u8, depth: u32, text: Text) -> Place {
    let (depth, text) = match (text, byte) {
        (Text::Outside, b'"') => (depth, Text::Inside),
        (Text::Outside, b'[' | b'{') => (depth + 1, Text::Outside),
        // What closes more than was opened is found when the element is read.
        (Text::Outside, b']' | b'}') => (depth.saturating_sub(1), Text::Outside),
        (Text::Outside, _) => (depth, Text::Outside),
        (Text::Inside, b'"') => (depth, Text::Outside),
        (Text::Inside, b'\\') => (depth, Text::Escaped),
        (Text::Inside | Text::Escaped, _) => (depth, Text::Inside),
    };
    Place::Element { depth, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The elements of a body that arrives in pieces of this length.
    fn cut(form: Form, body: &str, length: usize) -> Result<Vec<String>, &'static str> {
        let mut found = Vec::new();
        let mut each = |element: &[u8]| found.push(String::from_utf8_lossy(element).trim().to_owned());
        let mut elements = Elements::new(form);
        for piece in body.as_bytes().chunks(length) {
            elements.push(piece, &mut each)?;
        }
        elements.finish(&mut each)?;
        Ok(found)
    }

    #[test]
    fn a_body_is_cut_alike_however_it_arrives() {
        let rows = [
            (Form::Array, "[]", Ok(&[][..])),
            (Form::Array, " \n[ ] \n", Ok(&[])),
            (Form::Array, "[{}]", Ok(&["{}"])),
            (
                Form::Array,
                r#"[{"a":"]},["}, [1,2],"x\"],", 5 ]"#,
                Ok(&[r#"{"a":"]},["}"#, "[1,2]", r#""x\"],""#, "5"]),
            ),
            (Form::Array, r#"["\\",1]"#, Ok(&[r#""\\""#, "1"])),
            (Form::Array, "[1,]", Err(MISSING)),
            (Form::Array, "[,1]", Err(MISSING)),
            (Form::Array, "[1,,2]", Err(MISSING)),
            (Form::Array, "[1", Err(UNENDED)),
            (Form::Array, "[", Err(UNENDED)),
            (Form::Array, "[{\"a\":\"]", Err(UNENDED)),
            (Form::Array, "[1] 2", Err(BEHIND)),
            (Form::Array, "[1][2]", Err(BEHIND)),
            (Form::Array, "", Err(NOT_AN_ARRAY)),
            (Form::Array, "{}", Err(NOT_AN_ARRAY)),
            (Form::Array, "\u{feff}[1]", Err(NOT_AN_ARRAY)),
            (Form::Lines, "", Ok(&[])),
            (Form::Lines, "\n\r\n  \n", Ok(&[])),
            (Form::Lines, "1\n2\n", Ok(&["1", "2"])),
            (Form::Lines, "1\r\n\r\n2", Ok(&["1", "2"])),
            (Form::Lines, "{\"a\":\n1}", Ok(&["{\"a\":", "1}"])),
        ];
        for (form, body, expected) in rows {
            let expected = expected.map(|elements| elements.iter().map(|text| (*text).to_owned()).collect());
            for length in [1, 2, 3, 1_000] {
                assert_eq!(cut(form, body, length), expected, "{body:?} in pieces of {length}");
            }
        }
    }
}
