//! Inputs out of nothing, and out of sound ones.

use fastrand::Rng;

/// What JSON, filters, paths, Markdown and headers consist of.
const PIECES: [&str; 56] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "\\udc00",
    "\\u202e",
    "\\\"",
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1e400",
    "99999999999999999999",
    "1.5",
    "NaN",
    " ",
    "\n",
    "\r\n",
    "\t",
    "\u{0}",
    "\u{202e}",
    "\u{feff}",
    "é",
    "e\u{301}",
    "😀",
    "а",
    "..",
    "/",
    "%2f",
    "%",
    "%ff",
    "#",
    "?",
    "&",
    "=",
    "+",
    "|",
    "`",
    "<br>",
    "](",
    "' or 1",
    " eq ",
    "\" or userName pr",
    "__proto__",
    "id",
    "userName",
    "a",
    "b",
    "active",
];

/// One of these.
pub(crate) fn one<'a, T: ?Sized>(of: &[&'a T], random: &mut Rng) -> &'a T {
    of[random.usize(..of.len())]
}

/// A short text of pieces.
pub(crate) fn text(random: &mut Rng) -> String {
    (0..random.usize(..8)).map(|_| one(&PIECES, random)).collect()
}

/// A sound input with bytes cut out, doubled, changed and put in, or as it is.
pub(crate) fn mangled(sound: &[u8], random: &mut Rng) -> Vec<u8> {
    let mut bytes = sound.to_vec();
    for _ in 0..random.usize(..5) {
        let at = random.usize(..=bytes.len());
        let end = (at + random.usize(..24)).min(bytes.len());
        match random.u8(..5) {
            0 => drop(bytes.drain(at..end)),
            1 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            2 if at < bytes.len() => bytes[at] = random.u8(..),
            3 => {
                // Deep, wide, or long.
                let piece = one(&["[", "{\"a\":", "\"x\",", "9", " "], random).repeat(random.usize(..300));
                bytes.splice(at..at, piece.into_bytes());
            }
            _ => {
                bytes.splice(at..end, text(random).into_bytes());
            }
        }
    }
    bytes
}

/// A JSON value of a few levels, with strings that some parser treats specially.
pub(crate) fn json(depth: u8, random: &mut Rng) -> serde_json::Value {
    match random.u8(..if depth == 0 { 6 } else { 8 }) {
        0 => serde_json::Value::Null,
        1 => random.bool().into(),
        2 => random.i64(..).into(),
        3..=5 => text(random).into(),
        6 => (0..random.usize(..4)).map(|_| json(depth - 1, random)).collect(),
        _ => (0..random.usize(..4))
            .map(|_| (text(random), json(depth - 1, random)))
            .collect(),
    }
}
