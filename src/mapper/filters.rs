//! The filters of an export: they select the elements of the root.
//!
//! Sources: the platform's pages "Filter Operators" and "Built-in Filters" (Cortex XSOAR
//! Administrator Guide,
//! <https://docs-cortex.paloaltonetworks.com/r/Cortex-XSOAR/6.10/Cortex-XSOAR-Administrator-Guide/Filter-Operators>);
//! the operators' names in quotes below are the second page's, as far as it names them. Whether an
//! element that lacks the left side passes "Doesn't equal" is not said there: here it does. From
//! the first, for all of them: an operator that wants one value and is given a list passes when one
//! element does; one that wants a list takes a single value for a list of one; a value that can't
//! be cast to what the operator wants is a fault and not a no.

use std::collections::HashSet;

use super::{
    error::EvaluationError,
    path::Path,
    patterns::Pattern,
    simple::{Run, Simple},
    tainted::{Origin, Tainted},
};

/// The operators that are known, by their names in an export.
pub(super) const OPERATORS: [(&str, Operator); 14] = [
    ("isEqualString", Operator::Equal),
    ("isNotEqualString", Operator::NotEqual),
    ("isEmpty", Operator::Empty),
    ("isNotEmpty", Operator::NotEmpty),
    ("isExists", Operator::Exists),
    ("contains", Operator::Contains),
    ("containsGeneral", Operator::ContainsGeneral),
    ("startsWith", Operator::StartsWith),
    ("endsWith", Operator::EndsWith),
    ("match", Operator::Match),
    ("inList", Operator::InList),
    ("isTrue", Operator::True),
    ("isFalse", Operator::False),
    ("stringHasLength", Operator::HasLength),
];

/// The operator of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// "Equals": the texts are the same.
    Equal,
    /// "Doesn't equal".
    NotEqual,
    /// "Is empty": missing, null, or an empty text, list or object.
    Empty,
    /// "Is not empty".
    NotEmpty,
    /// "Is defined": there is a value, be it false or empty.
    Exists,
    /// "Includes": the right text is a part of the left one.
    Contains,
    /// "Contains" among the general filters: the right value is an element of the left list.
    ContainsGeneral,
    /// "Starts with": the right text is the beginning of the left one.
    StartsWith,
    /// "Ends with": the right text is the end of the left one.
    EndsWith,
    /// "Matches": the right regular expression is found in the left text.
    Match,
    /// "In list": the left text is in the list on the right, or between the commas of the text
    /// there.
    InList,
    /// "Is true": true, or a text that says so.
    True,
    /// "Is false": false, or a text that says so.
    False,
    /// "Has length": the left text has that many characters.
    HasLength,
}

/// One test of an element.
#[derive(Clone, Debug)]
pub(super) struct Test {
    pub(super) name: &'static str,
    pub(super) operator: Operator,
    pub(super) left: Left,
    pub(super) right: Simple,
    pub(super) ignore_case: bool,
    /// The right side of [`Operator::Match`], compiled.
    pub(super) pattern: Option<Pattern>,
}

/// The left side of a test: a full path, judged per element where it leads through the root.
#[derive(Clone, Debug)]
pub(super) enum Left {
    /// The part of the path behind the root's segments, of which there are so many.
    Element(Path, usize),
    /// A path that does not lead through the root: the same value for every element.
    Elsewhere(Simple),
}

/// The elements that pass: of the outer list every test group, of a group one test.
///
/// # Errors
/// When a value can't be cast to what an operator wants, or the work grows beyond its bound.
pub(super) fn apply<'a>(
    root: Tainted<'a>,
    filters: &'a [Vec<Test>],
    run: &mut Run<'a>,
) -> Result<Option<Tainted<'a>>, EvaluationError> {
    match root {
        Tainted::List(elements) => {
            let mut kept = Vec::new();
            for element in elements {
                if passes(&element, filters, run)? {
                    kept.push(element);
                }
            }
            Ok((!kept.is_empty()).then_some(Tainted::List(kept)))
        }
        single @ (Tainted::Text(_) | Tainted::Other(_)) => Ok(passes(&single, filters, run)?.then_some(single)),
    }
}

fn passes<'a>(element: &Tainted<'a>, filters: &'a [Vec<Test>], run: &mut Run<'a>) -> Result<bool, EvaluationError> {
    for group in filters {
        let mut any = false;
        for test in group {
            if holds(test, element, run)? {
                any = true;
                break;
            }
        }
        if !any {
            return Ok(false);
        }
    }
    Ok(true)
}

fn holds<'a>(test: &'a Test, element: &Tainted<'a>, run: &mut Run<'a>) -> Result<bool, EvaluationError> {
    let left = match &test.left {
        Left::Elsewhere(simple) => simple.resolve(run)?,
        Left::Element(path, root) if path.segments.len() == *root => Some(element.clone()),
        Left::Element(path, root) => {
            let value = element.to_value();
            run.budget.charge(element.weight())?;
            let found = path.walk(*root, &value, &mut run.budget)?;
            found.map(|found| Tainted::with_origin(found.into_owned(), Origin::Source))
        }
    };
    run.budget.charge(left.as_ref().map_or(0, Tainted::weight))?;
    let with_name = |error: EvaluationError| EvaluationError::from(format!("{}: {error}", test.name));
    let right_text = |run: &mut Run<'a>| {
        test.right
            .text(run)
            .map(|text| fold_case(&text.plain(), test.ignore_case))
    };
    match test.operator {
        Operator::Empty => Ok(left.is_none_or(|left| left.is_empty())),
        Operator::NotEmpty => Ok(left.is_some_and(|left| !left.is_empty())),
        Operator::Exists => Ok(left.is_some()),
        Operator::True => any_text(left, false, |text| text.eq_ignore_ascii_case("true")).map_err(with_name),
        Operator::False => any_text(left, false, |text| text.eq_ignore_ascii_case("false")).map_err(with_name),
        Operator::Equal => {
            let right = right_text(run).map_err(with_name)?;
            any_text(left, test.ignore_case, |text| text == right).map_err(with_name)
        }
        Operator::NotEqual => {
            let right = right_text(run).map_err(with_name)?;
            match left {
                None => Ok(!right.is_empty()),
                left => any_text(left, test.ignore_case, |text| text != right).map_err(with_name),
            }
        }
        Operator::Contains => {
            let right = right_text(run).map_err(with_name)?;
            any_text(left, test.ignore_case, |text| text.contains(&right)).map_err(with_name)
        }
        Operator::StartsWith => {
            let right = right_text(run).map_err(with_name)?;
            any_text(left, test.ignore_case, |text| text.starts_with(&right)).map_err(with_name)
        }
        Operator::EndsWith => {
            let right = right_text(run).map_err(with_name)?;
            any_text(left, test.ignore_case, |text| text.ends_with(&right)).map_err(with_name)
        }
        Operator::Match => {
            let Some(pattern) = &test.pattern else { return Ok(false) };
            pattern.charge(left.as_ref().map_or(0, Tainted::weight), &mut run.budget)?;
            any_text(left, false, |text| pattern.is_match(text)).map_err(with_name)
        }
        Operator::HasLength => {
            let right = right_text(run).map_err(with_name)?;
            let length: usize = right
                .trim()
                .parse()
                .map_err(|_| with_name("the right side is not a number".into()))?;
            any_text(left, false, |text| text.chars().count() == length).map_err(with_name)
        }
        Operator::InList => {
            let list = match test.right.resolve(run)? {
                None => HashSet::new(),
                Some(right) => text_set(right, test.ignore_case).map_err(with_name)?,
            };
            any_text(left, test.ignore_case, |text| list.contains(text)).map_err(with_name)
        }
        Operator::ContainsGeneral => {
            let right = test.right.resolve(run)?.map(Tainted::into_value).unwrap_or_default();
            let same = |value: serde_json::Value| match (value.as_str(), right.as_str()) {
                (Some(one), Some(other)) => fold_case(one, test.ignore_case) == fold_case(other, test.ignore_case),
                // A literal is a text, the source's value perhaps a number.
                (None, Some(other)) => {
                    let text = value.to_string();
                    text == other
                }
                (Some(_) | None, None) => value == right,
            };
            Ok(match left {
                None => false,
                Some(Tainted::List(elements)) => elements.into_iter().any(|element| same(element.into_value())),
                Some(single @ (Tainted::Text(_) | Tainted::Other(_))) => same(single.into_value()),
            })
        }
    }
}

/// Whether the text, or one of the list's, passes; a missing value does not.
fn any_text(
    left: Option<Tainted<'_>>,
    ignore_case: bool,
    test: impl Fn(&str) -> bool + Copy,
) -> Result<bool, EvaluationError> {
    match left {
        None => Ok(false),
        Some(Tainted::List(elements)) => {
            for element in elements {
                if any_text(Some(element), ignore_case, test)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Some(single @ (Tainted::Text(_) | Tainted::Other(_))) => {
            let text = single.into_text()?;
            Ok(test(&fold_case(&text.plain(), ignore_case)))
        }
    }
}

/// The texts of a list, or between the commas of a text (`argToList` of the platform's scripts).
fn text_set(right: Tainted<'_>, ignore_case: bool) -> Result<HashSet<String>, EvaluationError> {
    match right {
        Tainted::List(elements) => elements
            .into_iter()
            .map(|element| element.into_text().map(|text| fold_case(&text.plain(), ignore_case)))
            .collect(),
        single @ (Tainted::Text(_) | Tainted::Other(_)) => {
            let text = fold_case(&single.into_text()?.plain(), ignore_case);
            Ok(text.split(',').map(|item| item.trim().to_owned()).collect())
        }
    }
}

/// A text as it is compared.
fn fold_case(text: &str, ignore_case: bool) -> String {
    if ignore_case {
        text.to_lowercase()
    } else {
        text.to_owned()
    }
}
