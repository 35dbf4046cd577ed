//! Section 1, what a profile's fields are, and section 2, identifiers.

use serde_json::{Map, Value};

use super::{Outcome, Reader, readings};
use crate::names;

/// What a document says, white space off where section 2 takes it off.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) id: Option<String>,
    pub(super) user_name: Option<String>,
    pub(super) employee_id: Option<String>,
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) given: Option<String>,
    pub(super) family: Option<String>,
    pub(super) display: Option<String>,
}

/// What the profile says, and what its `olduserdata` says.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    pub(super) now: Facts,
    pub(super) old: Facts,
}

impl Reader<'_> {
    /// Reads the profile and its `olduserdata`; fails where a value can't be sent.
    pub(super) fn read_profile(&mut self) -> Result<(), Outcome> {
        let now = self.facts(&self.case.profile)?;
        let old = match self.old_document() {
            Some(document) => self.facts(&document)?,
            None => Facts::default(),
        };
        self.said = Said { now, old };
        self.check_identifiers()
    }

    /// "for `olduserdata` (an object, or a string holding JSON) also a blank text and the texts
    /// `{}`, `[]`, `null`" are empty.
    fn old_document(&mut self) -> Option<Map<String, Value>> {
        match self.case.profile.get("olduserdata")? {
            Value::Object(old) if !old.is_empty() => Some(old.clone()),
            Value::String(text) if !matches!(text.trim(), "" | "{}" | "[]" | "null") => {
                self.met("1 olduserdata as a string that holds JSON");
                serde_json::from_str(text).ok()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                self.met("1 olduserdata that is blank");
                None
            }
        }
    }

    fn facts(&mut self, document: &Map<String, Value>) -> Result<Facts, Outcome> {
        let mut facts = Facts {
            id: self.field(document, "id")?,
            user_name: self.field(document, "username")?,
            employee_id: self.field(document, "employeeid")?,
            email: self.field(document, "email")?,
            phone: self.field(document, "mobilephone")?,
            given: self.field(document, "givenname")?,
            family: self.field(document, "surname")?,
            display: self.field(document, "displayname")?,
        };
        for value in [
            &mut facts.id,
            &mut facts.user_name,
            &mut facts.employee_id,
            &mut facts.email,
        ] {
            *value = value.take().and_then(|text| self.trimmed(&text));
        }
        facts.id = facts.id.map(|id| self.in_aws_spelling(id));
        Ok(facts)
    }

    /// "the exact key wins, but an empty one gives way to a filled display name"; "A list of one
    /// text is that text; a list of several is a failure 400 that names the field".
    fn field(&mut self, document: &Map<String, Value>, name: &'static str) -> Result<Option<String>, Outcome> {
        let exact = document.get(name).filter(|value| !is_empty(value));
        let display = document
            .iter()
            .find(|(key, value)| *key != name && key.to_lowercase().replace(' ', "") == name && !is_empty(value));
        let value = match (exact, display) {
            (Some(value), _) => value,
            (None, Some((_, value))) => {
                self.met("1 a field under its display name");
                value
            }
            (None, None) => return Ok(None),
        };
        match value {
            Value::String(text) => Ok(Some(text.clone())),
            Value::Array(several) if several.len() > 1 => {
                Err(self.fails("1 a list of several texts: 400", 400, &[name]))
            }
            Value::Array(one) => {
                self.met("1 a list of one text is that text");
                let text = one.first().filter(|value| !is_empty(value)).and_then(Value::as_str);
                Ok(text.map(str::to_owned))
            }
            // Not made up for these fields.
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Ok(None),
        }
    }

    /// "Unicode white space is taken off the ends of identifiers, e-mails …; blank is none."
    fn trimmed(&mut self, text: &str) -> Option<String> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            self.met("2 a blank identifier is none");
            return None;
        }
        if trimmed.len() < text.len() {
            self.met("2 white space at the ends is taken off");
        }
        Some(trimmed.to_owned())
    }

    /// "AWS dialect: an id in AWS's form … is lower-cased".
    fn in_aws_spelling(&mut self, id: String) -> String {
        if is_aws_id(&id) && id.chars().any(|letter| letter.is_ascii_uppercase()) {
            self.met("2 id in AWS's form is lower-cased");
            return id.to_ascii_lowercase();
        }
        id
    }

    /// "A userName with white space or another character that its dialect forbids, or an id that is
    /// not `[A-Za-z0-9_-]{1,64}`, is a failure 400 of every command, before any call".
    fn check_identifiers(&mut self) -> Result<(), Outcome> {
        let foreign = self.case.settings.foreign;
        let old = readings::OLD_IDENTIFIERS_ARE_CHECKED;
        let names = [
            self.said.now.user_name.clone(),
            self.said.old.user_name.clone().filter(|_| old),
        ];
        if names
            .iter()
            .flatten()
            .any(|name| name.chars().any(is_forbidden_in_names))
        {
            return Err(self.fails("2 userName with white space or a forbidden character: 400", 400, &[]));
        }
        let ids = [
            self.said.now.id.clone().filter(|_| !foreign),
            self.said
                .old
                .id
                .clone()
                .filter(|_| old && !(foreign && readings::FOREIGN_MEANS_THE_OLD_ID_TOO)),
        ];
        if ids.iter().flatten().any(|id| !has_form_of_ids(id)) {
            return Err(self.fails("2 id that is not [A-Za-z0-9_-]{1,64}: 400", 400, &[]));
        }
        Ok(())
    }
}

/// "Empty is `""`, `null`, `[]`, `{}`: it fills nothing".
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// AWS's alphabet for userNames is letters, marks, symbols, numbers and punctuation: no white
/// space, no control or format characters. Of the last kind two are made up here.
fn is_forbidden_in_names(letter: char) -> bool {
    letter.is_whitespace() || letter.is_control() || matches!(letter, '\u{200d}' | '\u{feff}')
}

fn has_form_of_ids(id: &str) -> bool {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    (1..=64).contains(&id.len()) && id.chars().all(allowed)
}

/// "an id in AWS's form (a UUID, or ten hex digits, a hyphen and a UUID)", in whatever letter case.
pub(super) fn is_aws_id(id: &str) -> bool {
    let parts: Vec<&str> = id.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let is_hex = parts
        .iter()
        .all(|part| part.chars().all(|digit| digit.is_ascii_hexdigit()));
    is_hex && matches!(lengths[..], [8, 4, 4, 4, 12] | [10, 8, 4, 4, 4, 12])
}

/// Whether two userNames are equal without being the same text, and in what: for the count of
/// rules.
pub(super) fn difference(asked: &str, found: &str) -> Option<&'static str> {
    if asked == found || !names::are_equal(asked, found) {
        None
    } else if names::composed(asked) == names::composed(found) {
        Some("2 userNames equal in another normal form")
    } else {
        Some("2 userNames equal in other letter case")
    }
}
