//! Distinguished names: the subject of a certificate, and its text in the configuration (RFC 4514).

use std::{fmt, str::FromStr};

use x509_parser::x509::X509Name;

/// The attribute types that have a keyword: those of RFC 4514 section 3, and those of
/// `openssl x509 -nameopt RFC2253` that are found in subjects. All others are written as dotted
/// numbers.
const KEYWORDS: &[(&str, &str)] = &[
    ("CN", "2.5.4.3"),
    ("L", "2.5.4.7"),
    ("ST", "2.5.4.8"),
    ("O", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("C", "2.5.4.6"),
    ("STREET", "2.5.4.9"),
    ("DC", "0.9.2342.19200300.100.1.25"),
    ("UID", "0.9.2342.19200300.100.1.1"),
    ("emailAddress", "1.2.840.113549.1.9.1"),
    ("serialNumber", "2.5.4.5"),
    ("SN", "2.5.4.4"),
    ("GN", "2.5.4.42"),
    ("title", "2.5.4.12"),
];

/// The longest value of one attribute, in bytes; X.520 has no upper bound above 32,768, and real
/// ones stay below 200.
const MAX_VALUE_LENGTH: usize = 1024;

/// The most attributes of one name.
const MAX_ATTRIBUTES: usize = 64;

/// The characters that are escaped anywhere in a value (RFC 4514 section 2.4).
const SPECIAL: &str = "\"+,;<>\\";

/// A subject: its relative names from the most specific on, which is the order of RFC 4514 and the
/// reverse of a certificate's.
///
/// Two are equal when they have the same attribute types with the same values, character by
/// character, in the same order. X.500 ignores letter case and doubled spaces; a comparison that
/// grants access must not.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DistinguishedName {
    relative: Vec<RelativeName>,
}

/// The attributes of one relative name, sorted: they are a set, which RFC 4514 writes in any order,
/// joined by `+`.
type RelativeName = Vec<Attribute>;

#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Attribute {
    /// The attribute type in dotted numbers.
    oid: String,
    value: String,
}

/// Says why a text is no distinguished name; the message says what to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DistinguishedNameError(&'static str);

const SHAPE: DistinguishedNameError = DistinguishedNameError(
    "write attributes like CN=hr,O=Example without spaces around \",\" and \"=\", as openssl x509 -noout -subject -nameopt RFC2253 prints them",
);
const KEYWORD: DistinguishedNameError = DistinguishedNameError(
    "use CN, L, ST, O, OU, C, STREET, DC, UID, emailAddress, serialNumber, SN, GN, title or dotted numbers as attribute types",
);
const ESCAPE: DistinguishedNameError = DistinguishedNameError(
    "write \\ before each of \" + , ; < > \\ in a value, and other bytes as \\ and two hexadecimal digits",
);
const HEXADECIMAL: DistinguishedNameError =
    DistinguishedNameError("write the value as text, not in the hexadecimal form; write \\# for a # at its start");
const VALUE: DistinguishedNameError =
    DistinguishedNameError("write values of 1 to 1024 bytes of UTF-8 without control characters");
const TOO_MANY: DistinguishedNameError = DistinguishedNameError("write at most 64 attributes");

impl DistinguishedName {
    /// Reads the name of a certificate; `None` for one that no text could stand for: an empty one,
    /// one with a control character or with a value that is no text (or is in T.61, which
    /// implementations decode differently).
    pub(super) fn of(name: &X509Name<'_>) -> Option<Self> {
        let mut relative = Vec::new();
        for part in name.iter() {
            let attribute = |(oid, value): (String, &str)| {
                is_value(value).then(|| Attribute {
                    oid,
                    value: value.to_owned(),
                })
            };
            let attributes = part
                .iter()
                .map(|pair| attribute((pair.attr_type().to_id_string(), pair.as_str().ok()?)))
                .collect::<Option<RelativeName>>()?;
            relative.push(attributes);
        }
        relative.reverse();
        Self::new(relative).ok()
    }

    fn new(mut relative: Vec<RelativeName>) -> Result<Self, DistinguishedNameError> {
        if relative.is_empty() || relative.iter().any(Vec::is_empty) {
            return Err(SHAPE);
        }
        if relative.iter().map(Vec::len).sum::<usize>() > MAX_ATTRIBUTES {
            return Err(TOO_MANY);
        }
        relative.iter_mut().for_each(|attributes| attributes.sort());
        Ok(Self { relative })
    }
}

impl FromStr for DistinguishedName {
    type Err = DistinguishedNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut relative = vec![RelativeName::new()];
        let mut rest = text;
        loop {
            let (kind, after) = rest.split_once('=').ok_or(SHAPE)?;
            let oid = oid(kind)?;
            let (value, end) = read_value(after)?;
            if let Some(attributes) = relative.last_mut() {
                attributes.push(Attribute { oid, value });
            }
            match end {
                None => return Self::new(relative),
                Some((separator, after)) => {
                    if separator == ',' {
                        relative.push(RelativeName::new());
                    }
                    rest = after;
                }
            }
        }
    }
}

/// Finds the dotted numbers of an attribute type.
fn oid(kind: &str) -> Result<String, DistinguishedNameError> {
    if kind.contains(' ') {
        return Err(SHAPE);
    }
    if let Some((_, oid)) = KEYWORDS.iter().find(|(keyword, _)| keyword.eq_ignore_ascii_case(kind)) {
        return Ok((*oid).to_owned());
    }
    let is_number = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) && (part == "0" || !part.starts_with('0'))
    };
    if kind.contains('.') && kind.split('.').all(is_number) {
        Ok(kind.to_owned())
    } else {
        Err(KEYWORD)
    }
}

/// The separator behind a value with what follows; `None` at the end of the text.
type End<'a> = Option<(char, &'a str)>;

/// Reads a value, without its escapes, up to its end.
fn read_value(text: &str) -> Result<(String, End<'_>), DistinguishedNameError> {
    let mut bytes = Vec::new();
    let mut end = None;
    let mut ends_in_space = false;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            ',' | '+' => {
                end = Some((character, characters.as_str()));
                break;
            }
            '\\' => bytes.push(read_escape(&mut characters)?),
            '#' if at == 0 => return Err(HEXADECIMAL),
            ' ' if at == 0 => return Err(SHAPE),
            special if SPECIAL.contains(special) => return Err(ESCAPE),
            plain => bytes.extend_from_slice(plain.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        ends_in_space = character == ' ';
    }
    if ends_in_space {
        return Err(SHAPE);
    }
    let value = String::from_utf8(bytes)
        .ok()
        .filter(|value| is_value(value))
        .ok_or(VALUE)?;
    Ok((value, end))
}

/// Reads the rest of an escape: a character that needs a backslash, or two hexadecimal digits for
/// one byte (of several, for a character beyond ASCII).
fn read_escape(characters: &mut std::str::CharIndices<'_>) -> Result<u8, DistinguishedNameError> {
    let mut next = || characters.next().map(|(_, character)| character);
    let first = next().ok_or(ESCAPE)?;
    if let Some(high) = first.to_digit(16) {
        let low = next().and_then(|digit| digit.to_digit(16)).ok_or(ESCAPE)?;
        return u8::try_from(high * 16 + low).map_err(|_| ESCAPE);
    }
    if SPECIAL.contains(first) || " #=".contains(first) {
        u8::try_from(first).map_err(|_| ESCAPE)
    } else {
        Err(ESCAPE)
    }
}

/// Whether a text may be a value. A control character (a NUL above all) could make a text end early
/// for another reader.
fn is_value(text: &str) -> bool {
    (1..=MAX_VALUE_LENGTH).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// Writes the name in the form of RFC 4514, which is parsed back to an equal name.
impl fmt::Display for DistinguishedName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, attributes) in self.relative.iter().enumerate() {
            for (place, attribute) in attributes.iter().enumerate() {
                let separator = match (index, place) {
                    (0, 0) => "",
                    (_, 0) => ",",
                    _ => "+",
                };
                let keyword = KEYWORDS.iter().find(|(_, oid)| *oid == attribute.oid);
                let kind = keyword.map_or(attribute.oid.as_str(), |(keyword, _)| keyword);
                write!(formatter, "{separator}{kind}=")?;
                write_value(&attribute.value, formatter)?;
            }
        }
        Ok(())
    }
}

fn write_value(value: &str, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (at, character) in value.char_indices() {
        let at_an_end = (at == 0 && (character == ' ' || character == '#'))
            || (character == ' ' && at + character.len_utf8() == value.len());
        if at_an_end || SPECIAL.contains(character) {
            formatter.write_str("\\")?;
        }
        write!(formatter, "{character}")?;
    }
    Ok(())
}

/// Shows how many parts there are, and no value: a subject may name a person.
impl fmt::Debug for DistinguishedName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DistinguishedName({} parts)", self.relative.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<DistinguishedName, DistinguishedNameError> {
        text.parse()
    }

    #[test]
    fn a_name_is_written_in_one_form_however_it_was_read() {
        for (text, expected) in [
            ("CN=hr", "CN=hr"),
            ("cn=hr,o=Example,C=DE", "CN=hr,O=Example,C=DE"),
            ("2.5.4.3=hr", "CN=hr"),
            ("1.3.6.1.4.1.32473.1=x", "1.3.6.1.4.1.32473.1=x"),
            // Sorted by the numbers of their types, as text: 2.5.4.11 stands before 2.5.4.3.
            ("CN=a+OU=b", "OU=b+CN=a"),
            // The examples of RFC 4514 section 4.
            ("UID=jsmith,DC=example,DC=net", "UID=jsmith,DC=example,DC=net"),
            (
                "OU=Sales+CN=J.  Smith,DC=example,DC=net",
                "OU=Sales+CN=J.  Smith,DC=example,DC=net",
            ),
            (
                r#"CN=James \"Jim\" Smith\, III,DC=example,DC=net"#,
                r#"CN=James \"Jim\" Smith\, III,DC=example,DC=net"#,
            ),
            (r"CN=Lu\C4\8Di\C4\87", "CN=Lučić"),
            (r"CN=\ a\ ", r"CN=\ a\ "),
            (r"CN=\#1", r"CN=\#1"),
            (r"CN=a\2cO=b", r"CN=a\,O=b"),
            ("CN=a=b", "CN=a=b"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn a_malformed_name_is_refused_with_what_to_write() {
        let long = format!("CN={}", "a".repeat(MAX_VALUE_LENGTH + 1));
        let many = vec!["CN=a"; MAX_ATTRIBUTES + 1].join(",");
        for (text, error) in [
            ("", SHAPE),
            ("hr", SHAPE),
            ("CN = hr", SHAPE),
            ("CN=hr, O=Example", SHAPE),
            ("CN=hr ,O=Example", SHAPE),
            ("CN=hr,", SHAPE),
            ("CN=hr,,O=Example", KEYWORD),
            ("=hr", KEYWORD),
            ("X=hr", KEYWORD),
            ("2.5.04.3=hr", KEYWORD),
            ("2..5=hr", KEYWORD),
            ("/CN=hr", KEYWORD),
            ("CN=", VALUE),
            ("CN=,O=a", VALUE),
            (r"CN=a\00b", VALUE),
            ("CN=a\u{0}b", VALUE),
            ("CN=a\nb", VALUE),
            ("CN=a\u{85}b", VALUE),
            (r"CN=\C4", VALUE),
            (&long, VALUE),
            ("CN=a;O=b", ESCAPE),
            ("CN=\"a\"", ESCAPE),
            ("CN=a<b", ESCAPE),
            (r"CN=a\", ESCAPE),
            (r"CN=a\x", ESCAPE),
            (r"CN=a\4", ESCAPE),
            (r"CN=a\é", ESCAPE),
            ("CN=#0c0161", HEXADECIMAL),
            (&many, TOO_MANY),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn order_case_and_structure_tell_names_apart() {
        for (one, other) in [
            ("CN=hr,O=Example", "O=Example,CN=hr"),
            ("CN=hr,O=Example", "CN=HR,O=Example"),
            ("CN=hr,O=Example", r"CN=hr\,O=Example"),
            ("CN=hr,O=Example", "CN=hr+O=Example"),
            ("CN=hr", "CN=hr,O=Example"),
            ("CN=hr", "CN=hr,CN=hr"),
            ("CN=a  b", "CN=a b"),
            ("CN=é", "CN=e\u{301}"),
        ] {
            assert_ne!(parse(one), parse(other), "{one} and {other}");
        }
        assert_eq!(parse("CN=a+OU=b,O=c"), parse("OU=b+CN=a,O=c"));
    }

    #[test]
    fn debug_shows_no_value() {
        assert_eq!(
            format!("{:?}", parse("CN=Jane Roe,O=Example").unwrap()),
            "DistinguishedName(2 parts)"
        );
    }

    proptest! {
        #[test]
        fn any_value_is_written_so_that_it_is_read_back(values in prop::collection::vec("\\PC{1,20}", 1..5)) {
            let relative = values.into_iter().map(|value| vec![Attribute { oid: "2.5.4.3".to_owned(), value }]).collect();
            let name = DistinguishedName::new(relative).unwrap();
            let text = name.to_string();
            prop_assert!(parse(&text) == Ok(name), "{}", text);
        }

        #[test]
        fn no_text_upsets_the_parser(text in "\\PC{0,60}") {
            if let Ok(name) = parse(&text) {
                prop_assert!(parse(&name.to_string()) == Ok(name));
            }
        }
    }
}
