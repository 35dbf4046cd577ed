//! The two transformers that read dates.
//!
//! `TimeStampToDate` (<https://xsoar.pan.dev/docs/reference/scripts/time-stamp-to-date>):
//! `1525006939` becomes `2018-04-29T13:02:19.000Z`; below 10,000,000,000 it is seconds, else
//! milliseconds. `DateStringToISOFormat`
//! (<https://xsoar.pan.dev/docs/reference/scripts/date-string-to-iso-format>) wraps Python's
//! `dateutil`, which guesses. Here it reads what names year, month and day in full: ISO 8601,
//! `31/12/2024`, `Dec 31, 2024 8:21 PM`, RFC 2822; anything else stays as it is, as the script
//! leaves what it can't parse. What is missing is never filled in with today's date.

use jiff::{Timestamp, civil};

use super::error::EvaluationError;

/// How an ambiguous date is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// `01/05/2009` is the first of May.
    pub(super) day_first: bool,
    /// `01/05/09` begins with the year.
    pub(super) year_first: bool,
    /// Other words may stand around the date.
    pub(super) fuzzy: bool,
    /// A date without an offset is UTC, and says so.
    pub(super) add_utc: bool,
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Words that a date may have beside its parts, also when it is not read fuzzily.
const FILLERS: [&str; 16] = [
    "at",
    "on",
    "of",
    "and",
    "st",
    "nd",
    "rd",
    "th",
    "t",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// A count of seconds or milliseconds since 1970 as a date.
///
/// # Errors
/// When it is none.
pub(super) fn from_timestamp(text: &str) -> Result<String, EvaluationError> {
    const FIRST_MILLISECONDS: i64 = 10_000_000_000;
    let wrong = || "is not a time stamp".to_owned();
    let text = text.trim();
    let digits = text
        .trim_start_matches('-')
        .bytes()
        .take_while(u8::is_ascii_digit)
        .count();
    let sign = text.len() - text.trim_start_matches('-').len();
    let number: i64 = text[..sign + digits].parse().map_err(|_| wrong())?;
    let milliseconds = if number < FIRST_MILLISECONDS {
        number.checked_mul(1_000).ok_or_else(wrong)?
    } else {
        number
    };
    let time = Timestamp::from_millisecond(milliseconds).map_err(|_| wrong())?;
    Ok(format!("{time:.3}"))
}

/// A date in ISO 8601, as Python's `isoformat` writes it; `None` when it can't be read for certain.
pub(super) fn to_iso(text: &str, reading: Reading) -> Option<String> {
    let mut parts = Parts::default();
    let words = words(text);
    let mut at = 0;
    while at < words.len() {
        at += parts.take(&words[at..], reading)?;
    }
    parts.iso(reading)
}

/// The parts of a date that were read so far.
#[derive(Default)]
struct Parts {
    /// Numbers of the date, in their order, with their count of digits.
    numbers: Vec<(i64, usize)>,
    month: Option<i64>,
    /// Where the named month stood among the numbers.
    time: Option<(i64, i64, i64, String)>,
    afternoon: Option<bool>,
    offset: Option<String>,
}

/// A run of digits, of letters, or one other character.
fn words(text: &str) -> Vec<&str> {
    let kind = |character: char| match character {
        _ if character.is_ascii_digit() => 0,
        _ if character.is_alphabetic() => 1,
        _ => 2,
    };
    let mut words = Vec::new();
    let mut start = 0;
    let mut last = None;
    for (at, character) in text.char_indices() {
        let now = kind(character);
        if last.is_some_and(|last| last != now || now == 2) {
            words.push(&text[start..at]);
            start = at;
        }
        last = Some(now);
    }
    if start < text.len() {
        words.push(&text[start..]);
    }
    words
}

impl Parts {
    /// Reads the first of the words, and those that belong to it; how many they were.
    fn take(&mut self, words: &[&str], reading: Reading) -> Option<usize> {
        let number = |index: usize| -> Option<i64> {
            let word = words.get(index)?;
            word.bytes()
                .all(|byte| byte.is_ascii_digit())
                .then(|| word.parse().ok())
                .flatten()
        };
        let is = |index: usize, wanted: &str| words.get(index) == Some(&wanted);
        let first = words[0];
        if let Some(value) = number(0) {
            if is(1, ":") && self.time.is_none() {
                return self.take_time(words, value, number(2)?);
            }
            if first.len() == 8 && self.numbers.is_empty() {
                self.numbers = vec![(value / 10_000, 4), (value / 100 % 100, 2), (value % 100, 2)];
                return Some(1);
            }
            if first.len() > 4 || self.numbers.len() == 3 {
                return reading.fuzzy.then_some(1);
            }
            self.numbers.push((value, first.len()));
            return Some(1);
        }
        let lower = first.to_lowercase();
        if (first == "+" || first == "-") && self.time.is_some() && self.offset.is_none() && number(1).is_some() {
            return self.take_offset(words, first, number(1)?, number(3).filter(|_| is(2, ":")));
        }
        match lower.as_str() {
            "am" if self.time.is_some() => self.afternoon = Some(false),
            "pm" if self.time.is_some() => self.afternoon = Some(true),
            "z" | "utc" | "gmt" if self.time.is_some() => self.offset = Some("+00:00".to_owned()),
            word if word.chars().all(char::is_alphabetic) => {
                let month = MONTHS
                    .iter()
                    .position(|name| *name == word || (word.len() >= 3 && name[..3] == *word));
                match month {
                    Some(index) if self.month.is_none() => self.month = i64::try_from(index + 1).ok(),
                    _ => {
                        let known = FILLERS
                            .iter()
                            .any(|filler| *filler == word || (word.len() == 3 && filler.starts_with(word)));
                        if !known && !reading.fuzzy {
                            return None;
                        }
                    }
                }
            }
            _ => {
                let separator = matches!(first, " " | "/" | "-" | "." | "," | "\t");
                if !separator && !reading.fuzzy {
                    return None;
                }
            }
        }
        Some(1)
    }

    fn take_time(&mut self, words: &[&str], hour: i64, minute: i64) -> Option<usize> {
        let number = |index: usize| words.get(index).and_then(|word| word.parse::<i64>().ok());
        let (mut second, mut fraction, mut taken) = (0, String::new(), 3);
        if words.get(3) == Some(&":") {
            second = number(4)?;
            taken = 5;
            let digits = words
                .get(6)
                .filter(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
            if let (Some(&"."), Some(digits)) = (words.get(5), digits) {
                // Python keeps microseconds.
                fraction = format!("{:0<6}", &digits[..digits.len().min(6)]);
                taken = 7;
            }
        }
        self.time = Some((hour, minute, second, fraction));
        Some(taken)
    }

    fn take_offset(&mut self, words: &[&str], sign: &str, hours: i64, minutes: Option<i64>) -> Option<usize> {
        let (hours, minutes, taken) = match (words[1].len(), minutes) {
            (1 | 2, Some(minutes)) => (hours, minutes, 4),
            (1 | 2, None) => (hours, 0, 2),
            (4, _) => (hours / 100, hours % 100, 2),
            _ => return None,
        };
        if hours > 23 || minutes > 59 {
            return None;
        }
        self.offset = Some(format!("{sign}{hours:02}:{minutes:02}"));
        Some(taken)
    }

    fn iso(self, reading: Reading) -> Option<String> {
        let (year, month, day) = self.date(reading)?;
        let date = civil::Date::new(
            i16::try_from(year).ok()?,
            i8::try_from(month).ok()?,
            i8::try_from(day).ok()?,
        )
        .ok()?;
        let (mut hour, minute, second, fraction) = self.time.unwrap_or_default();
        match self.afternoon {
            Some(_) if !(1..=12).contains(&hour) => return None,
            Some(true) if hour < 12 => hour += 12,
            Some(false) if hour == 12 => hour = 0,
            Some(_) | None => {}
        }
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let fraction = if fraction.bytes().all(|digit| digit == b'0') {
            String::new()
        } else {
            format!(".{fraction}")
        };
        let utc = if reading.add_utc { "+00:00" } else { "" };
        let offset = self.offset.as_deref().unwrap_or(utc);
        Some(format!("{date}T{hour:02}:{minute:02}:{second:02}{fraction}{offset}"))
    }

    /// Year, month and day, if it is certain which is which.
    fn date(&self, reading: Reading) -> Option<(i64, i64, i64)> {
        // Python's rule for two digits is relative to today; this one does not change from year to
        // year.
        let year = |(value, digits): (i64, usize)| match digits {
            4 => Some(value),
            2 if value < 70 => Some(2_000 + value),
            2 => Some(1_900 + value),
            _ => None,
        };
        match (self.month, self.numbers.as_slice()) {
            (Some(month), &[first, second]) if first.1 == 4 => Some((first.0, month, second.0)),
            (Some(month), &[first, second]) => Some((year(second)?, month, first.0)),
            (None, &[first, second, third]) if first.1 == 4 => Some((first.0, second.0, third.0)),
            (None, &[first, second, third]) if reading.year_first && first.1 == 2 => {
                let (month, day) = if reading.day_first {
                    (third.0, second.0)
                } else {
                    (second.0, third.0)
                };
                Some((year(first)?, month, day))
            }
            (None, &[first, second, third]) => {
                // Where only one order is possible, it is that one.
                let swap = if reading.day_first { second.0 > 12 } else { first.0 > 12 };
                let day_first = reading.day_first != swap;
                let (day, month) = if day_first {
                    (first.0, second.0)
                } else {
                    (second.0, first.0)
                };
                Some((year(third)?, month, day))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const USUAL: Reading = Reading {
        day_first: true,
        year_first: false,
        fuzzy: true,
        add_utc: true,
    };

    #[test]
    fn time_stamps() {
        for (text, expected) in [
            ("1525006939", Some("2018-04-29T13:02:19.000Z")),
            ("1525006939123", Some("2018-04-29T13:02:19.123Z")),
            (" 0 ", Some("1970-01-01T00:00:00.000Z")),
            ("-1", Some("1969-12-31T23:59:59.000Z")),
            ("1525006939.7", Some("2018-04-29T13:02:19.000Z")),
            ("", None),
            ("soon", None),
            ("99999999999999999999", None),
            ("9223372036854775807", None),
        ] {
            assert_eq!(from_timestamp(text).ok().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn dates() {
        let month_first = Reading {
            day_first: false,
            ..USUAL
        };
        let year_first = Reading {
            year_first: true,
            day_first: false,
            ..USUAL
        };
        let local = Reading {
            add_utc: false,
            ..USUAL
        };
        let strict = Reading { fuzzy: false, ..USUAL };
        for (text, reading, expected) in [
            ("2021-10-06", USUAL, Some("2021-10-06T00:00:00+00:00")),
            ("2021-10-06T13:44:07", USUAL, Some("2021-10-06T13:44:07+00:00")),
            ("2021-10-06T13:44:07", local, Some("2021-10-06T13:44:07")),
            (
                "2021-10-06T13:44:07.5Z",
                USUAL,
                Some("2021-10-06T13:44:07.500000+00:00"),
            ),
            ("2021-10-06 13:44+02:00", USUAL, Some("2021-10-06T13:44:00+02:00")),
            ("2021-10-06T13:44:07-0330", USUAL, Some("2021-10-06T13:44:07-03:30")),
            ("20211006", USUAL, Some("2021-10-06T00:00:00+00:00")),
            ("05/10/2017", USUAL, Some("2017-10-05T00:00:00+00:00")),
            ("05/10/2017", month_first, Some("2017-05-10T00:00:00+00:00")),
            ("05/13/2017", USUAL, Some("2017-05-13T00:00:00+00:00")),
            ("09/05/01", year_first, Some("2009-05-01T00:00:00+00:00")),
            ("01.05.09", USUAL, Some("2009-05-01T00:00:00+00:00")),
            ("May 24th, 2019 8:21 PM", USUAL, Some("2019-05-24T20:21:00+00:00")),
            (
                "Wed, 06 Oct 2021 13:44:07 +0000",
                strict,
                Some("2021-10-06T13:44:07+00:00"),
            ),
            (
                "Today is January 1, 2047 at 8:21:00AM",
                USUAL,
                Some("2047-01-01T08:21:00+00:00"),
            ),
            ("Today is January 1, 2047 at 8:21:00AM", strict, None),
            ("31/31/2020", USUAL, None),
            ("2021-02-30", USUAL, None),
            ("13:44", USUAL, None),
            ("May 2019", USUAL, None),
            ("", USUAL, None),
            ("nonsense", USUAL, None),
        ] {
            assert_eq!(to_iso(text, reading).as_deref(), expected, "{text} {reading:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_a_date_by_panic(text in any::<String>(), more in r"[0-9:/.+ TZapmMay-]{0,30}") {
            let _ = to_iso(&text, USUAL);
            let _ = to_iso(&more, USUAL);
            let _ = from_timestamp(&more);
        }
    }
}
