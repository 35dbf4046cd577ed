//! What a setting accepts: how its text is read, described and shown.
//!
//! A kind is a value beside the setting, so that bounds, the words of the reference and the words
//! of a complaint are one thing. Kinds of a single setting stand beside that setting.

use std::{fmt::Display, path::PathBuf, time::Duration};

use jiff::Timestamp;
use secrecy::SecretString;

use super::{expiry, raw::Raw};

/// The longest name of an instance or a caller, in characters.
const LONGEST_NAME: usize = 128;
/// The lowest rate: anything below is next to never, and no length of time that can be counted.
const LOWEST_RATE: f64 = 0.001;

/// The part of a [`Kind`] that messages and the reference need.
pub(super) trait Accepts: Sync {
    /// What is accepted, as the words after "use" or in a table's cell.
    fn accepts(&self) -> String;

    /// Whether a value may be a secret.
    fn is_secret(&self) -> bool {
        false
    }

    /// A value for display. Kinds that may hold a secret mask it.
    fn shown(&self, raw: Raw<'_>) -> String {
        raw.shown()
    }
}

/// A kind of setting.
pub(super) trait Kind: Accepts {
    /// What a setting of this kind is to the program.
    type Value;

    /// Reads a value; `None` when it is none of this kind. `complaints` takes what to do about
    /// single entries of a list, of which the others are read nevertheless.
    fn parse(&self, raw: Raw<'_>, complaints: &mut Vec<String>) -> Option<Self::Value>;
}

/// A kind of its own: what it accepts, and how a value is read.
pub(super) struct Custom<T>(pub(super) &'static str, pub(super) Reader<T>);

/// Reads a value as [`Kind::parse`] does.
type Reader<T> = fn(Raw<'_>, &mut Vec<String>) -> Option<T>;

impl<T> Accepts for Custom<T> {
    fn accepts(&self) -> String {
        self.0.to_owned()
    }
}

impl<T> Kind for Custom<T> {
    type Value = T;

    fn parse(&self, raw: Raw<'_>, complaints: &mut Vec<String>) -> Option<T> {
        self.1(raw, complaints)
    }
}

/// As [`Custom`], of what may hold a secret: neither the value nor its length is ever shown.
pub(super) struct Masked<T>(pub(super) &'static str, pub(super) Reader<T>);

impl<T> Accepts for Masked<T> {
    fn accepts(&self) -> String {
        self.0.to_owned()
    }

    fn is_secret(&self) -> bool {
        true
    }

    fn shown(&self, _: Raw<'_>) -> String {
        "a value (masked)".to_owned()
    }
}

impl<T> Kind for Masked<T> {
    type Value = T;

    fn parse(&self, raw: Raw<'_>, complaints: &mut Vec<String>) -> Option<T> {
        self.1(raw, complaints)
    }
}

/// A whole number from the first to the second, of what the third names.
pub(super) struct Count<N>(pub(super) N, pub(super) N, pub(super) &'static str);

impl<N: Display + Sync> Accepts for Count<N> {
    fn accepts(&self) -> String {
        let Self(least, most, unit) = self;
        format!("a whole number of {unit} from {least} to {most}")
    }
}

impl<N: Display + Sync + PartialOrd + TryFrom<u64>> Kind for Count<N> {
    type Value = N;

    fn parse(&self, raw: Raw<'_>, _: &mut Vec<String>) -> Option<N> {
        let number: u64 = match raw {
            Raw::Text(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok()?,
            Raw::Text(_) => return None,
            Raw::Toml { value, .. } => u64::try_from(value.as_integer()?).ok()?,
        };
        let number = N::try_from(number).ok()?;
        (self.0 <= number && number <= self.1).then_some(number)
    }
}

/// A length of time such as `10s`, `500ms` or `1m 30s`, from the first to the second.
pub(super) struct Span(pub(super) Duration, pub(super) Duration);

impl Accepts for Span {
    fn accepts(&self) -> String {
        let written = |span: Duration| match span.as_millis() {
            whole if whole > 0 && whole % 60_000 == 0 => format!("{}m", whole / 60_000),
            whole if whole % 1_000 == 0 => format!("{}s", whole / 1_000),
            rest => format!("{rest}ms"),
        };
        format!(
            "a duration from {} to {}, like \"10s\"",
            written(self.0),
            written(self.1)
        )
    }
}

impl Kind for Span {
    type Value = Duration;

    fn parse(&self, raw: Raw<'_>, _: &mut Vec<String>) -> Option<Duration> {
        let span: jiff::SignedDuration = raw.text()?.parse().ok()?;
        let span = Duration::try_from(span).ok()?;
        (self.0 <= span && span <= self.1).then_some(span)
    }
}

/// A number a second, fractions allowed, up to the first, of what the second names.
pub(super) struct Rate(pub(super) u32, pub(super) &'static str);

impl Accepts for Rate {
    fn accepts(&self) -> String {
        let Self(most, unit) = self;
        format!("a number of {unit} a second from {LOWEST_RATE} to {most}, like 25 or 12.5")
    }
}

impl Kind for Rate {
    type Value = f64;

    fn parse(&self, raw: Raw<'_>, _: &mut Vec<String>) -> Option<f64> {
        let number = match raw {
            Raw::Text(text) => parse_decimal(text)?,
            Raw::Toml { value, .. } => match value.as_float() {
                Some(number) => number,
                None => f64::from(u32::try_from(value.as_integer()?).ok()?),
            },
        };
        (LOWEST_RATE..=f64::from(self.0)).contains(&number).then_some(number)
    }
}

/// A date, which means its start in UTC, or a time with its offset (RFC 3339).
pub(super) struct Date;

impl Accepts for Date {
    fn accepts(&self) -> String {
        "a date like 2027-01-31, or a time like 2027-01-31T12:00:00Z".to_owned()
    }

    /// Masks what is like no date: a token may have been pasted into the setting beside its own.
    fn shown(&self, raw: Raw<'_>) -> String {
        let is_of_dates = |character: char| character.is_ascii_digit() || "-:./+TtZz ".contains(character);
        match raw.text() {
            Some(text) if !text.chars().all(is_of_dates) => "a text (masked)".to_owned(),
            Some(_) | None => raw.shown(),
        }
    }
}

impl Kind for Date {
    type Value = Timestamp;

    fn parse(&self, raw: Raw<'_>, _: &mut Vec<String>) -> Option<Timestamp> {
        match raw {
            Raw::Text(text) => expiry::parse(text),
            Raw::Toml { value, .. } => expiry::parse_toml(value),
        }
    }
}

/// One of these words, each with what it means to the program.
pub(super) struct Choice<T: 'static>(pub(super) &'static [(&'static str, T)]);

impl<T: Sync> Accepts for Choice<T> {
    fn accepts(&self) -> String {
        let words: Vec<_> = self.0.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        words.join(" or ")
    }
}

impl<T: Sync + Copy> Kind for Choice<T> {
    type Value = T;

    fn parse(&self, raw: Raw<'_>, _: &mut Vec<String>) -> Option<T> {
        let text = raw.text()?;
        self.0.iter().find(|(word, _)| *word == text).map(|(_, value)| *value)
    }
}

/// A text that stands for a value; what of, and how it is read.
pub(super) struct Text<T>(pub(super) &'static str, pub(super) fn(&str) -> Option<T>);

impl<T> Accepts for Text<T> {
    fn accepts(&self) -> String {
        self.0.to_owned()
    }
}

impl<T> Kind for Text<T> {
    type Value = T;

    fn parse(&self, raw: Raw<'_>, _: &mut Vec<String>) -> Option<T> {
        self.1(raw.text()?)
    }
}

/// A list of texts, each of which stands for a value; what of, and how one is read.
pub(super) struct List<T>(pub(super) &'static str, pub(super) fn(&str) -> Option<T>);

impl<T> Accepts for List<T> {
    fn accepts(&self) -> String {
        self.0.to_owned()
    }
}

impl<T> Kind for List<T> {
    type Value = Vec<T>;

    fn parse(&self, raw: Raw<'_>, _: &mut Vec<String>) -> Option<Vec<T>> {
        raw.texts()?.into_iter().map(self.1).collect()
    }
}

/// As [`List`], where a wrong entry is told with what to do about it.
pub(super) struct Entries<T>(pub(super) &'static str, pub(super) fn(&str) -> Result<T, String>);

impl<T> Accepts for Entries<T> {
    fn accepts(&self) -> String {
        self.0.to_owned()
    }
}

impl<T> Kind for Entries<T> {
    type Value = Vec<T>;

    fn parse(&self, raw: Raw<'_>, complaints: &mut Vec<String>) -> Option<Vec<T>> {
        let mut values = Vec::new();
        for text in raw.texts()? {
            match self.1(text) {
                Ok(value) => values.push(value),
                Err(help) => complaints.push(help),
            }
        }
        Some(values)
    }
}

/// `true` or `false`.
pub(super) const SWITCH: Custom<bool> = Custom("true or false", switch);

fn switch(raw: Raw<'_>, _: &mut Vec<String>) -> Option<bool> {
    match raw {
        Raw::Text(text) => text.parse().ok(),
        Raw::Toml { value, .. } => value.as_bool(),
    }
}

/// Reads any text as a secret.
pub(super) fn secret(raw: Raw<'_>, _: &mut Vec<String>) -> Option<SecretString> {
    raw.text().map(SecretString::from)
}

/// Reads a path that has something in it.
pub(super) fn path(raw: Raw<'_>, _: &mut Vec<String>) -> Option<PathBuf> {
    raw.text().filter(|text| !text.trim().is_empty())?;
    raw.path()
}

/// The path of a secret's file. No `Debug`, as what was written may be the secret itself.
pub(super) struct SecretPath {
    /// As it was written.
    pub(super) written: String,
    /// Where it leads.
    pub(super) path: PathBuf,
}

/// Reads the path of a secret's file.
pub(super) fn secret_path(raw: Raw<'_>, complaints: &mut Vec<String>) -> Option<SecretPath> {
    let path = path(raw, complaints)?;
    let written = raw.text()?.to_owned();
    Some(SecretPath { written, path })
}

/// Takes any text.
#[expect(clippy::unnecessary_wraps, reason = "it is one of the readers of `Text`")]
pub(super) fn any(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// Takes a text that has something in it.
pub(super) fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Takes a text that can be a name.
pub(super) fn name(text: &str) -> Option<String> {
    is_name(text).then(|| text.to_owned())
}

/// Whether a text can be the name of an instance or a caller: 1 to 128 characters that show as what
/// they are, so no control characters, no reordering or invisible ones.
pub fn is_name(text: &str) -> bool {
    let is_hidden = |character: char| {
        character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    (1..=LONGEST_NAME).contains(&text.chars().count()) && text.trim() == text && !text.contains(is_hidden)
}

/// Reads digits with or without a fraction, and none of the other forms that a float has (`1e3`,
/// `.5`, `inf`, `NaN`).
fn parse_decimal(text: &str) -> Option<f64> {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if is_digits(whole) && is_digits(fraction) {
        text.parse().ok()
    } else {
        None
    }
}
