//! The regular expressions of one file, compiled within its bounds: how many, how long and how
//! large together. Equal ones are compiled once.
//!
//! A compiled expression is shared by its users, and `regex` takes time linear in the text for
//! every expression. It does not bound the time of compiling many: [`Patterns`] does.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};

use super::{
    bounds::{
        self, Budget, MAX_PATTERN, MAX_PATTERN_CLASSES, MAX_PATTERN_SIZE, MAX_PATTERN_TEXT, MAX_PATTERNS, PATTERN_SIZES,
    },
    error::{CompileError, EvaluationError},
};

/// One byte in so many behind a match is charged for the search of the next.
const LOOKED_AHEAD: usize = 8;

/// How an expression is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Flags {
    pub(super) ignore_case: bool,
    /// A dot takes a line feed, too.
    pub(super) dot_all: bool,
    /// `^` and `$` are a line's ends.
    pub(super) multi_line: bool,
    /// It has to match the whole text.
    pub(super) whole: bool,
}

/// A compiled expression, which knows what looking for it costs.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    regex: Regex,
    /// How often a byte counts: the time of a search goes with the text's length and the
    /// expression's size.
    cost: usize,
}

impl Pattern {
    /// Charges the cost of searching `length` bytes.
    ///
    /// # Errors
    /// When that much work is not left.
    pub(super) fn charge(&self, length: usize, budget: &mut Budget) -> Result<(), EvaluationError> {
        budget.charge(length.saturating_mul(self.cost))
    }

    /// Whether it matches a text, whose search was charged before.
    pub(super) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// A text with every match replaced by a template.
    ///
    /// # Errors
    /// When the text grows or the work goes beyond its bound.
    pub(super) fn replace(&self, text: &str, template: &str, budget: &mut Budget) -> Result<String, EvaluationError> {
        self.charge(text.len(), budget)?;
        let (mut whole, mut end) = (String::new(), 0);
        for found in self.regex.captures_iter(text) {
            let Some(place) = found.get(0) else { continue };
            whole.push_str(&text[end..place.start()]);
            found.expand(template, &mut whole);
            end = place.end();
            budget.charge(template.len())?;
            // One search is linear in the text, but each may look to its end and come back:
            // `.*[^A-Z]|[A-Z]`. Most don't, so that is not counted in full.
            self.charge((text.len() - end) / LOOKED_AHEAD, budget)?;
            bounds::check_text(whole.len())?;
        }
        whole.push_str(&text[end..]);
        Ok(whole)
    }
}

/// The expressions of one file that were compiled or refused so far, and their sizes together.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    compiled: BTreeMap<(String, Flags), Result<Pattern, CompileError>>,
    text: usize,
    classes: usize,
    size: usize,
}

impl Patterns {
    /// Compiles an expression.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it, or which bound it goes beyond.
    pub(super) fn compile(&mut self, text: &str, flags: Flags) -> Result<Pattern, CompileError> {
        if text.len() > MAX_PATTERN {
            return Err(format!("the regular expression is longer than {MAX_PATTERN} bytes").into());
        }
        let key = (text.to_owned(), flags);
        if let Some(known) = self.compiled.get(&key) {
            return known.clone();
        }
        if self.compiled.len() >= MAX_PATTERNS {
            return Err(format!("the file has more than {MAX_PATTERNS} different regular expressions").into());
        }
        if self.text + text.len() > MAX_PATTERN_TEXT {
            return Err(
                format!("the file's regular expressions have more than {MAX_PATTERN_TEXT} bytes together").into(),
            );
        }
        let classes = count_classes(text);
        if self.classes + classes > MAX_PATTERN_CLASSES {
            return Err(format!(
                "the file's regular expressions have more than {MAX_PATTERN_CLASSES} classes and ranges (`[…]`, `a-z`, `\\w`) together"
            ).into());
        }
        self.text += text.len();
        self.classes += classes;
        let compiled = self.try_sizes(text, flags);
        self.compiled.insert(key, compiled.clone());
        compiled
    }

    fn try_sizes(&mut self, text: &str, flags: Flags) -> Result<Pattern, CompileError> {
        for size in PATTERN_SIZES {
            self.size += size;
            if self.size > MAX_PATTERN_SIZE {
                return Err(format!(
                    "the file's regular expressions are too large together: compiled, they may have {MAX_PATTERN_SIZE} bytes"
                ).into());
            }
            match build(text, flags, size) {
                Err(regex::Error::CompiledTooBig(_)) => {}
                done => {
                    let cost = (size / PATTERN_SIZES[0]).max(1);
                    return done
                        .map(|regex| Pattern { regex, cost })
                        .map_err(|error| describe(&error).into());
                }
            }
        }
        let largest = PATTERN_SIZES[PATTERN_SIZES.len() - 1];
        Err(format!("the regular expression is too large: compiled, it has more than {largest} bytes").into())
    }
}

/// Counts classes, and ranges and sets in them; rather too many than too few.
fn count_classes(text: &str) -> usize {
    let escapes = text
        .as_bytes()
        .windows(2)
        .filter(|pair| pair[0] == b'\\' && b"dDsSwWpPbB".contains(&pair[1]));
    let signs = text.bytes().filter(|byte| b"[-&~".contains(byte));
    escapes.count() + signs.count()
}

fn build(text: &str, flags: Flags, size: usize) -> Result<Regex, regex::Error> {
    let around = if flags.whole {
        format!(r"\A(?:{text})\z")
    } else {
        text.to_owned()
    };
    RegexBuilder::new(&around)
        .case_insensitive(flags.ignore_case)
        .dot_matches_new_line(flags.dot_all)
        .multi_line(flags.multi_line)
        .size_limit(size)
        .dfa_size_limit(size)
        .build()
}

/// The last line of an error is its reason; those before draw the place.
fn describe(error: &regex::Error) -> String {
    let message = error.to_string();
    let reason = message.lines().last().unwrap_or_default().trim_start_matches("error: ");
    format!("the regular expression can't be used: {reason}")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn equal_ones_are_compiled_once_and_flags_tell_them_apart() {
        let mut patterns = Patterns::default();
        let ignore_case = Flags {
            ignore_case: true,
            ..Flags::default()
        };
        let whole = Flags {
            whole: true,
            ..Flags::default()
        };
        for _ in 0..10_000 {
            assert!(!patterns.compile("a|ab", Flags::default()).unwrap().is_match("A"));
            assert!(patterns.compile("(", Flags::default()).is_err());
        }
        assert!(patterns.compile("a|ab", ignore_case).unwrap().is_match("A"));
        let whole = patterns.compile("a|ab", whole).unwrap();
        assert!(whole.is_match("ab") && !whole.is_match("abc"));
        assert_eq!(patterns.compiled.len(), 4);
    }

    #[test]
    fn each_bound_is_told() {
        let message = |texts: Vec<String>| {
            let mut patterns = Patterns::default();
            let mut errors = texts
                .iter()
                .filter_map(|text| patterns.compile(text, Flags::default()).err());
            errors.next().map(|error| error.to_string()).unwrap_or_default()
        };
        for (texts, expected) in [
            (vec!["a".repeat(MAX_PATTERN + 1)], "longer than 1024 bytes"),
            ((0..101).map(|n| format!("a{n}")).collect(), "more than 100 different"),
            (
                (0..10).map(|n| format!("{n}{}", "a".repeat(1_000))).collect(),
                "more than 8192 bytes together",
            ),
            (
                (0..50).map(|n| format!(r"{n}[a-b][c-d][e-f]\d")).collect(),
                "more than 200 classes and ranges",
            ),
            (vec!["(a{1000}){1000}".to_owned()], "more than 262144 bytes"),
            (
                (0..100).map(|n| format!("{n}|[a-z]{{900}}")).collect(),
                "too large together: compiled, they may have 2097152 bytes",
            ),
        ] {
            let message = message(texts);
            assert!(message.contains(expected), "{expected}: {message}");
        }
    }

    #[test]
    fn no_file_takes_long_to_compile() {
        let costly: [&dyn Fn(usize) -> String; 12] = [
            &|n| format!("{n}{}", r"\w".repeat(500)),
            &|n| format!("(?i){n}{}", r"[\w\d\s]".repeat(70)),
            &|n| format!("(?i){n}{}", r"[\w\d\s]"),
            &|n| format!("(?i){n}{}", r"[^a]".repeat(150)),
            &|n| format!("(?i){n}[{}]", "!-\u{10ffff}".repeat(100)),
            &|n| format!("(?ix){n}{}", " ".repeat(900)),
            &|n| format!("{n}|[a-z]{{900}}"),
            &|n| format!("(a{{1000}}){{{n}}}"),
            &|n| format!("{n}{}", "(a*)*|".repeat(150)),
            &|n| format!("(?i){n}{}", r"[^\W_&&\PL]".repeat(80)),
            &|n| format!(r"(?i)(\pL{{{}}}|x)+y", n % 40),
            &|n| format!("{}{n}{}", "(".repeat(120), ")?".repeat(120)),
        ];
        for (index, costly) in costly.iter().enumerate() {
            let mut patterns = Patterns::default();
            let began = Instant::now();
            for n in 0..5_000 {
                drop(patterns.compile(&costly(n), Flags::default()));
            }
            let elapsed = began.elapsed();
            println!("{index}: {elapsed:?}");
            assert!(elapsed < Duration::from_secs(20), "{index}: {elapsed:?}");
        }
    }
}
