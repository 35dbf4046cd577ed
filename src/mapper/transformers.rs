//! The transformers of an export: the steps that change a value.
//!
//! Sources. SCRIPT: for those that are scripts, the script's own page and code
//! (<https://xsoar.pan.dev/docs/reference/scripts/>, github.com/demisto/content,
//! `Packs/FiltersAndTransformers`). NAME: for those built into the platform, whose code is not
//! public, the name and the arguments that exports have, under the general rules of the page
//! "Transformers Operators" (Cortex XSOAR Administrator Guide,
//! <https://docs-cortex.paloaltonetworks.com/r/Cortex-XSOAR/6.10/Cortex-XSOAR-Administrator-Guide/Transformers-Operators>):
//! values are cast to what a step wants, and what can't be cast is a fault; steps that want one
//! value are applied to each element of a list, others take the list whole. Where that leaves a
//! case open, the choice is named at the step.
//!
//! Each step keeps the origin of every part of a text: see `tainted`.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::{
    bounds, dates,
    error::{CompileError, EvaluationError},
    if_then_else::IfThenElse,
    json_text,
    path::Path,
    patterns::{Flags, Pattern, Patterns},
    simple::{Run, Simple},
    tainted::{Origin, Part, Tainted, Text},
};

/// The transformers that are known, by their names in an export, with the arguments each takes.
pub(super) const OPERATORS: [(&str, &[&str]); 26] = [
    ("concat", &["prefix", "suffix"]),
    ("ParseJSON", &[]),
    ("Stringify", &[]),
    ("toLowerCase", &[]),
    ("toUpperCase", &[]),
    ("trim", &[]),
    ("split", &["delimiter"]),
    ("splitAndTrim", &["delimiter"]),
    ("join", &["separator"]),
    ("append", &["item"]),
    ("uniq", &[]),
    ("count", &[]),
    ("atIndex", &["index"]),
    ("FirstArrayElement", &[]),
    ("getField", &["field"]),
    ("substring", &["from", "to"]),
    ("substringFrom", &["from"]),
    ("substringTo", &["to"]),
    ("replace", &["toReplace", "replaceWith"]),
    ("replaceMatch", &["regex", "replaceWith"]),
    ("StripChars", &["chars"]),
    ("SetIfEmpty", &["defaultValue", "applyIfEmpty"]),
    (
        "If-Then-Else",
        &[
            "condition",
            "equals",
            "lhs",
            "rhs",
            "then",
            "else",
            "options",
            "conditionB",
            "lhsB",
            "rhsB",
            "optionsB",
            "conditionInBetween",
        ],
    ),
    ("MapValuesTransformer", &["input_values", "mapped_values"]),
    ("TimeStampToDate", &[]),
    (
        "DateStringToISOFormat",
        &["dayfirst", "yearfirst", "fuzzy", "add_utc_timezone"],
    ),
];

/// The arguments of a transformer, by name.
pub(super) type Arguments = BTreeMap<String, Simple>;

/// MapValuesTransformer's outputs by their inputs.
pub(super) type Pairs = HashMap<String, String>;

/// A transformer with its arguments.
#[derive(Clone, Debug)]
pub(super) struct Transformer {
    pub(super) name: &'static str,
    pub(super) step: Step,
}

/// The operation of a transformer.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// NAME ("Concatenate"): a prefix before and a suffix behind the text.
    Concat { prefix: Simple, suffix: Simple },
    /// SCRIPT ParseJSON, made safe: see `json_text`. Not JSON is a fault; the script returns the
    /// error as the value.
    ParseJson,
    /// NAME ("Stringify"): the value as JSON; a text stays as it is.
    Stringify,
    /// NAME ("To lower case").
    ToLowerCase,
    /// NAME ("To upper case").
    ToUpperCase,
    /// NAME ("Trim"): without white space at both ends.
    Trim,
    /// NAME ("Split"): at a delimiter, a comma where none is given.
    Split { delimiter: Simple, trim: bool },
    /// NAME ("Join"): a list's elements as one text, a separator between them.
    Join { separator: Simple },
    /// NAME ("Append"): one more element; a single value becomes a list first.
    Append { item: Simple },
    /// NAME ("Unique"): each element once, where it stands first.
    Uniq,
    /// NAME ("Count"): how many elements a list has; 1 for anything else.
    Count,
    /// NAME ("Get index"): the element at a place, from 0. None there: the target is left out.
    AtIndex { index: Simple },
    /// SCRIPT FirstArrayElement: the first of a list; anything else as it is.
    FirstArrayElement,
    /// NAME ("Get field"): what is below an object at a path. None there: the target is left out.
    GetField { field: Simple },
    /// NAME ("Substring"): from one place up to before another, counted in characters from 0; to
    /// the end where `to` is not given.
    Substring { from: Simple, to: Simple },
    /// NAME ("From string"): what is behind the first place where a text is found; all of it where
    /// it is not (a choice: nothing public says).
    SubstringFrom { from: Simple },
    /// NAME ("To string"): what is before the first place where a text is found; all of it where it
    /// is not (a choice).
    SubstringTo { to: Simple },
    /// NAME ("Replace"): every occurrence of a text by another.
    Replace { what: Simple, with: Simple },
    /// NAME ("Replace match"): every match of a regular expression (RE2's syntax, as the
    /// platform's; `$1` is a group).
    ReplaceMatch { pattern: Pattern, with: Simple },
    /// SCRIPT StripChars: without any of these characters at both ends, as Python's `strip`.
    StripChars { chars: Simple },
    /// SCRIPT SetIfEmpty: another value for an empty one. `applyIfEmpty` (true unless it is said)
    /// takes the empty text, list and object, `None` and `null` for empty too.
    SetIfEmpty { value: Simple, apply: Simple },
    /// SCRIPT If-Then-Else.
    IfThenElse(Box<IfThenElse>),
    /// SCRIPT MapValuesTransformer: one list of values between commas for another.
    MapValues {
        from: Simple,
        to: Simple,
        known: Option<Pairs>,
    },
    /// SCRIPT TimeStampToDate: seconds since 1970, milliseconds from ten digits on, as
    /// `2018-04-29T13:02:19.000Z`.
    TimeStampToDate,
    /// SCRIPT DateStringToISOFormat: see `dates`.
    DateStringToIso {
        day_first: Simple,
        year_first: Simple,
        fuzzy: Simple,
        add_utc: Simple,
    },
}

impl Transformer {
    /// A transformer out of its name, as [`OPERATORS`] has it, and its arguments.
    ///
    /// # Errors
    /// When an argument that must be known at load can't be used.
    pub(super) fn new(
        name: &'static str,
        mut arguments: Arguments,
        patterns: &mut Patterns,
    ) -> Result<Self, CompileError> {
        let mut take = |argument: &str| arguments.remove(argument).unwrap_or(Simple::Nothing);
        let step = match name {
            "concat" => Step::Concat {
                prefix: take("prefix"),
                suffix: take("suffix"),
            },
            "ParseJSON" => Step::ParseJson,
            "Stringify" => Step::Stringify,
            "toLowerCase" => Step::ToLowerCase,
            "toUpperCase" => Step::ToUpperCase,
            "trim" => Step::Trim,
            "split" | "splitAndTrim" => Step::Split {
                delimiter: take("delimiter"),
                trim: name == "splitAndTrim",
            },
            "join" => Step::Join {
                separator: take("separator"),
            },
            "append" => Step::Append { item: take("item") },
            "uniq" => Step::Uniq,
            "count" => Step::Count,
            "atIndex" => Step::AtIndex {
                index: check_literal_index(take("index"), "index", false)?,
            },
            "FirstArrayElement" => Step::FirstArrayElement,
            "getField" => {
                let field = take("field");
                let path = field.literal().ok_or("`field` must be a path, and known at load")?;
                Step::GetField {
                    field: Simple::Path(Path::parse(path)?),
                }
            }
            "substring" => Step::Substring {
                from: check_literal_index(take("from"), "from", true)?,
                to: check_literal_index(take("to"), "to", true)?,
            },
            "substringFrom" => Step::SubstringFrom { from: take("from") },
            "substringTo" => Step::SubstringTo { to: take("to") },
            "replace" => Step::Replace {
                what: take("toReplace"),
                with: take("replaceWith"),
            },
            "replaceMatch" => {
                let pattern = take("regex");
                let pattern = pattern.literal().ok_or(PATTERN_FROM_SOURCE)?;
                Step::ReplaceMatch {
                    pattern: patterns.compile(pattern, Flags::default())?,
                    with: take("replaceWith"),
                }
            }
            "StripChars" => Step::StripChars { chars: take("chars") },
            "SetIfEmpty" => Step::SetIfEmpty {
                value: take("defaultValue"),
                apply: take("applyIfEmpty"),
            },
            "If-Then-Else" => Step::IfThenElse(Box::new(IfThenElse::new(&mut take, patterns)?)),
            "MapValuesTransformer" => {
                let (from, to) = (take("input_values"), take("mapped_values"));
                let known = match (from.literal(), to.literal()) {
                    (Some(from), Some(to)) => Some(parse_pairs(from, to)?),
                    _ => None,
                };
                Step::MapValues { from, to, known }
            }
            "TimeStampToDate" => Step::TimeStampToDate,
            "DateStringToISOFormat" => Step::DateStringToIso {
                day_first: take("dayfirst"),
                year_first: take("yearfirst"),
                fuzzy: take("fuzzy"),
                add_utc: take("add_utc_timezone"),
            },
            other => return Err(format!("{other} is not a transformer").into()),
        };
        Ok(Self { name, step })
    }

    /// Applies the step; `None` when it gives no value.
    ///
    /// # Errors
    /// When the value can't be cast to what the step wants, or grows beyond its bound.
    pub(super) fn apply<'a>(
        &'a self,
        value: Tainted<'a>,
        run: &mut Run<'a>,
    ) -> Result<Option<Tainted<'a>>, EvaluationError> {
        run.budget.charge(value.weight())?;
        match &self.step {
            Step::Join { separator } => join(value, &separator.text(run)?).map(Some),
            Step::Append { item } => append(value, item.resolve(run)?).map(Some),
            Step::Uniq => uniq(value, run).map(Some),
            Step::Count => Ok(Some(Tainted::Other(std::borrow::Cow::Owned(count(&value).into())))),
            Step::AtIndex { index } => {
                let index = parse_index(&index.text(run)?, "index")?;
                Ok(match value {
                    Tainted::List(mut elements) => (index < elements.len()).then(|| elements.swap_remove(index)),
                    single @ (Tainted::Text(_) | Tainted::Other(_)) => (index == 0).then_some(single),
                })
            }
            Step::FirstArrayElement => Ok(match value {
                Tainted::List(elements) => elements.into_iter().next(),
                single @ (Tainted::Text(_) | Tainted::Other(_)) => Some(single),
            }),
            Step::SetIfEmpty { value: other, apply } => {
                let apply = !apply.text(run)?.plain().eq_ignore_ascii_case("false");
                if counts_as_empty(&value, apply) {
                    other.resolve(run)
                } else {
                    Ok(Some(value))
                }
            }
            Step::Concat { .. }
            | Step::ParseJson
            | Step::Stringify
            | Step::ToLowerCase
            | Step::ToUpperCase
            | Step::Trim
            | Step::Split { .. }
            | Step::GetField { .. }
            | Step::Substring { .. }
            | Step::SubstringFrom { .. }
            | Step::SubstringTo { .. }
            | Step::Replace { .. }
            | Step::ReplaceMatch { .. }
            | Step::StripChars { .. }
            | Step::IfThenElse(_)
            | Step::MapValues { .. }
            | Step::TimeStampToDate
            | Step::DateStringToIso { .. } => self.apply_to_each(value, run),
        }
    }

    /// Applies the step to the value, or to each element of a list.
    fn apply_to_each<'a>(
        &'a self,
        value: Tainted<'a>,
        run: &mut Run<'a>,
    ) -> Result<Option<Tainted<'a>>, EvaluationError> {
        match value {
            Tainted::List(elements) => {
                let mut done = Vec::with_capacity(elements.len());
                for element in elements {
                    run.budget.charge(element.weight())?;
                    done.extend(self.apply_to_each(element, run)?);
                }
                bounds::check_list(done.len())?;
                Ok((!done.is_empty()).then_some(Tainted::List(done)))
            }
            single @ (Tainted::Text(_) | Tainted::Other(_)) => self.apply_to_one(single, run),
        }
    }

    fn apply_to_one<'a>(
        &'a self,
        value: Tainted<'a>,
        run: &mut Run<'a>,
    ) -> Result<Option<Tainted<'a>>, EvaluationError> {
        let done = match &self.step {
            Step::Concat { prefix, suffix } => {
                let mut text = prefix.text(run)?;
                text.push(value.into_text()?);
                text.push(suffix.text(run)?);
                bounds::check_text(text.len())?;
                Tainted::Text(text)
            }
            Step::ParseJson => match value {
                Tainted::Text(text) => {
                    // The JSON of one value of the source is of its origin; glued JSON holds many
                    // values.
                    let origin = if text.origin() == Origin::Source {
                        Origin::Source
                    } else {
                        Origin::Mixed
                    };
                    match json_text::parse(&text)?.value {
                        Some(parsed) => Tainted::with_origin(parsed, origin),
                        None => {
                            run.record_note("every value in the glued JSON was empty");
                            return Ok(None);
                        }
                    }
                }
                parsed @ (Tainted::List(_) | Tainted::Other(_)) => parsed,
            },
            Step::Stringify => match value {
                text @ Tainted::Text(_) => text,
                other @ (Tainted::List(_) | Tainted::Other(_)) => {
                    let text = other.into_value().to_string();
                    bounds::check_text(text.len())?;
                    Tainted::Text(Text::new(text, Origin::Mixed))
                }
            },
            Step::ToLowerCase => Tainted::Text(value.into_text()?.map_parts(str::to_lowercase)?),
            Step::ToUpperCase => Tainted::Text(value.into_text()?.map_parts(str::to_uppercase)?),
            Step::Trim => Tainted::Text(value.into_text()?.map(|text| text.trim().to_owned())?),
            Step::Split { delimiter, trim } => split(&value.into_text()?, &delimiter.text(run)?, *trim)?,
            Step::GetField { field } => {
                let Simple::Path(path) = field else { return Ok(None) };
                let value = value.into_value();
                match path.walk(0, &value, &mut run.budget)? {
                    Some(found) => Tainted::with_origin(found.into_owned(), Origin::Mixed),
                    None => return Ok(None),
                }
            }
            Step::Substring { from, to } => {
                let (from, to) = (from.text(run)?, to.text(run)?);
                let start = if from.len() == 0 {
                    0
                } else {
                    parse_index(&from, "from")?
                };
                let end = if to.len() == 0 {
                    usize::MAX
                } else {
                    parse_index(&to, "to")?
                };
                let taken = |text: &str| text.chars().take(end).skip(start).collect();
                extract(value, &[&from, &to], taken)?
            }
            Step::SubstringFrom { from } => {
                let from = from.text(run)?;
                let wanted = from.plain().into_owned();
                let taken = |text: &str| text.split_once(&wanted).map_or(text, |(_, behind)| behind).to_owned();
                extract(value, &[&from], taken)?
            }
            Step::SubstringTo { to } => {
                let to = to.text(run)?;
                let wanted = to.plain().into_owned();
                let taken = |text: &str| text.split_once(&wanted).map_or(text, |(before, _)| before).to_owned();
                extract(value, &[&to], taken)?
            }
            Step::Replace { what, with } => {
                let (what, with) = (what.text(run)?, with.text(run)?);
                replace(value.into_text()?, &what, &with)?
            }
            Step::ReplaceMatch { pattern, with } => {
                let with = with.text(run)?;
                replace_match(&value.into_text()?, pattern, &with, run)?
            }
            Step::StripChars { chars } => {
                let chars = chars.text(run)?;
                let set: HashSet<char> = chars.plain().chars().collect();
                extract(value, &[&chars], |text| {
                    text.trim_matches(|character| set.contains(&character)).to_owned()
                })?
            }
            Step::IfThenElse(rule) => return rule.apply(value, run),
            Step::MapValues { known: Some(pairs), .. } => map_values(value, pairs, Origin::Mapper, run)?,
            Step::MapValues { from, to, known: None } => {
                let (from, to) = (from.text(run)?, to.text(run)?);
                let origin = if all_from_mapper(&[&from, &to]) {
                    Origin::Mapper
                } else {
                    Origin::Mixed
                };
                run.budget.charge(from.len() + to.len())?;
                map_values(value, &parse_pairs(&from.plain(), &to.plain())?, origin, run)?
            }
            Step::TimeStampToDate => {
                let text = value.into_text()?;
                let date = dates::from_timestamp(&text.plain())?;
                Tainted::Text(text.map(|_| date)?)
            }
            Step::DateStringToIso {
                day_first,
                year_first,
                fuzzy,
                add_utc,
            } => {
                let mut flag = |flag: &'a Simple, default: bool| -> Result<bool, EvaluationError> {
                    let text = flag.text(run)?;
                    Ok(if text.len() == 0 {
                        default
                    } else {
                        text.plain().eq_ignore_ascii_case("true")
                    })
                };
                let reading = dates::Reading {
                    day_first: flag(day_first, true)?,
                    year_first: flag(year_first, false)?,
                    fuzzy: flag(fuzzy, true)?,
                    add_utc: flag(add_utc, true)?,
                };
                let text = value.into_text()?;
                Tainted::Text(text.map(|date| dates::to_iso(date, reading).unwrap_or_else(|| date.to_owned()))?)
            }
            Step::Join { .. }
            | Step::Append { .. }
            | Step::Uniq
            | Step::Count
            | Step::AtIndex { .. }
            | Step::FirstArrayElement
            | Step::SetIfEmpty { .. } => value,
        };
        Ok(Some(done))
    }
}

/// The error for a regular expression that comes out of the source.
pub(super) const PATTERN_FROM_SOURCE: &str =
    "a regular expression must be written in the mapper, not come out of the source";
const UNEVEN: &str = "`input_values` and `mapped_values` must have the same number of values";

/// A number among the arguments; a literal one is checked at load.
fn check_literal_index(argument: Simple, name: &str, optional: bool) -> Result<Simple, CompileError> {
    match argument.literal() {
        Some("") if optional => {}
        Some(text) => {
            parse_index(&Text::new(text, Origin::Mapper), name)?;
        }
        None if argument == Simple::Nothing && !optional => return Err(format!("`{name}` is missing").into()),
        None => {}
    }
    Ok(argument)
}

fn parse_index(text: &Text<'_>, name: &str) -> Result<usize, CompileError> {
    let plain = text.plain();
    plain
        .trim()
        .parse()
        .map_err(|_| format!("`{name}` must be a whole number from 0").into())
}

/// Takes a piece out of a text. Where an argument of the source chooses the piece, its origin is
/// mixed.
fn extract<'a>(
    value: Tainted<'a>,
    arguments: &[&Text<'_>],
    taken: impl FnOnce(&str) -> String,
) -> Result<Tainted<'a>, EvaluationError> {
    let text = value.into_text()?;
    let mut extracted = text.map(taken)?;
    if !all_from_mapper(arguments) {
        mark_mixed(&mut extracted);
    }
    Ok(Tainted::Text(extracted))
}

fn all_from_mapper(arguments: &[&Text<'_>]) -> bool {
    arguments.iter().all(|argument| argument.origin() == Origin::Mapper)
}

/// Marks the source's parts as altered: text of the mapper's was put into them.
fn mark_altered(text: &mut Text<'_>) {
    for part in &mut text.parts {
        if part.origin == Origin::Source {
            part.origin = Origin::Altered;
        }
    }
}

/// Whether a template of `replaceMatch` takes the groups of a match (`$1`, `${name}`) and writes
/// nothing of its own.
pub(super) fn is_groups_only(template: &str) -> bool {
    let mut rest = template;
    while !rest.is_empty() {
        let Some(behind) = rest.strip_prefix('$') else {
            return false;
        };
        rest = match behind.strip_prefix('{') {
            Some(braced) => match braced.split_once('}') {
                Some((_, behind)) => behind,
                None => return false,
            },
            None => {
                let name = |character: char| character.is_ascii_alphanumeric() || character == '_';
                let behind_name = behind.trim_start_matches(name);
                if behind_name.len() == behind.len() {
                    return false;
                }
                behind_name
            }
        };
    }
    true
}

fn mark_mixed(text: &mut Text<'_>) {
    for part in &mut text.parts {
        part.origin = Origin::Mixed;
    }
}

fn split<'a>(text: &Text<'a>, delimiter: &Text<'_>, trim: bool) -> Result<Tainted<'a>, EvaluationError> {
    let origin = if all_from_mapper(&[delimiter]) {
        text.origin()
    } else {
        Origin::Mixed
    };
    let plain = text.plain();
    let delimiter = if delimiter.len() == 0 {
        ",".into()
    } else {
        delimiter.plain()
    };
    let mut list = Vec::new();
    for piece in plain.split(delimiter.as_ref()) {
        let piece = if trim { piece.trim() } else { piece };
        list.push(Tainted::Text(Text::new(piece.to_owned(), origin)));
        bounds::check_list(list.len())?;
    }
    Ok(Tainted::List(list))
}

fn join<'a>(value: Tainted<'a>, separator: &Text<'a>) -> Result<Tainted<'a>, EvaluationError> {
    let elements = match value {
        Tainted::List(elements) => elements,
        single @ (Tainted::Text(_) | Tainted::Other(_)) => vec![single],
    };
    let mut text = Text::default();
    for (index, element) in elements.into_iter().enumerate() {
        if index > 0 {
            text.push(separator.clone());
        }
        text.push(element.into_text()?);
        bounds::check_text(text.len())?;
    }
    Ok(Tainted::Text(text))
}

fn append<'a>(value: Tainted<'a>, item: Option<Tainted<'a>>) -> Result<Tainted<'a>, EvaluationError> {
    let mut list = match value {
        Tainted::List(elements) => elements,
        single @ (Tainted::Text(_) | Tainted::Other(_)) => vec![single],
    };
    match item {
        Some(Tainted::List(items)) => list.extend(items),
        Some(single) => list.push(single),
        None => {}
    }
    bounds::check_list(list.len())?;
    Ok(Tainted::List(list))
}

fn uniq<'a>(value: Tainted<'a>, run: &mut Run<'a>) -> Result<Tainted<'a>, EvaluationError> {
    let Tainted::List(elements) = value else {
        return Ok(value);
    };
    let mut seen: HashSet<String> = HashSet::new();
    let mut kept = Vec::new();
    for element in elements {
        run.budget.charge(element.weight())?;
        if seen.insert(element.to_value().to_string()) {
            kept.push(element);
        }
    }
    Ok(Tainted::List(kept))
}

fn count(value: &Tainted<'_>) -> usize {
    match value {
        Tainted::List(elements) => elements.len(),
        Tainted::Text(_) | Tainted::Other(_) => 1,
    }
}

/// SCRIPT SetIfEmpty: null is empty always; with `applyIfEmpty` also what has nothing in it and the
/// words for nothing, alone or as the one element of a list.
fn counts_as_empty(value: &Tainted<'_>, apply: bool) -> bool {
    match value {
        Tainted::Other(other) if other.is_null() => true,
        Tainted::List(elements) if apply && elements.len() == 1 => counts_as_empty(&elements[0], true),
        Tainted::Text(text) if apply => {
            let plain = text.plain();
            plain.is_empty() || ["none", "null"].contains(&plain.to_ascii_lowercase().as_str())
        }
        other @ (Tainted::Text(_) | Tainted::List(_) | Tainted::Other(_)) => apply && other.is_empty(),
    }
}

fn replace<'a>(text: Text<'a>, what: &Text<'_>, with: &Text<'a>) -> Result<Tainted<'a>, EvaluationError> {
    let wanted = what.plain();
    if wanted.is_empty() {
        return Ok(Tainted::Text(text));
    }
    let plain = text.plain();
    let hits = plain.matches(wanted.as_ref()).count();
    bounds::check_text((plain.len() - hits * wanted.len()) + hits.saturating_mul(with.len()))?;
    // In the mapper's own text, at places that the mapper names, the parts can be kept apart.
    if text.origin() == Origin::Mapper && what.origin() == Origin::Mapper {
        let mut whole = Text::default();
        for (index, piece) in plain.split(wanted.as_ref()).enumerate() {
            if index > 0 {
                whole.push(with.clone());
            }
            whole.push(Text::new(piece.to_owned(), Origin::Mapper));
        }
        return Ok(Tainted::Text(whole));
    }
    let mut replaced = text.map(|plain| plain.replace(wanted.as_ref(), &with.plain()))?;
    if !all_from_mapper(&[what, with]) {
        mark_mixed(&mut replaced);
    } else if with.len() > 0 {
        mark_altered(&mut replaced);
    }
    Ok(Tainted::Text(replaced))
}

fn replace_match<'a>(
    text: &Text<'a>,
    pattern: &Pattern,
    with: &Text<'_>,
    run: &mut Run<'_>,
) -> Result<Tainted<'a>, EvaluationError> {
    // A dollar sign in a value of the source names no group.
    let escaped = |part: &Part<'_>| match part.origin {
        Origin::Mapper => part.text.clone().into_owned(),
        Origin::Source | Origin::Altered | Origin::Mixed => part.text.replace('$', "$$"),
    };
    let template: String = with.parts.iter().map(escaped).collect();
    let plain = text.plain();
    let whole = pattern.replace(&plain, &template, &mut run.budget)?;
    let mut replaced = text.map(|_| whole)?;
    if !all_from_mapper(&[with]) {
        mark_mixed(&mut replaced);
    } else if !is_groups_only(&template) {
        mark_altered(&mut replaced);
    }
    Ok(Tainted::Text(replaced))
}

/// Pairs MapValuesTransformer's inputs with its outputs, out of two lists between commas. Of two
/// equal inputs the script's dictionary keeps the last.
fn parse_pairs(from: &str, to: &str) -> Result<Pairs, CompileError> {
    if from.split(',').count() != to.split(',').count() {
        return Err(UNEVEN.into());
    }
    let owned = |(from, to): (&str, &str)| (from.to_owned(), to.to_owned());
    Ok(from.split(',').zip(to.split(',')).map(owned).collect())
}

/// SCRIPT MapValuesTransformer. Its code also compares `key:value` pairs of an object, and a
/// boolean as Python writes it.
fn map_values<'a>(
    value: Tainted<'a>,
    pairs: &Pairs,
    origin: Origin,
    run: &mut Run<'a>,
) -> Result<Tainted<'a>, EvaluationError> {
    let mapped = |text: &str| pairs.get(text).cloned();
    let object = match &value {
        Tainted::Other(other) => other.as_object().cloned(),
        Tainted::Text(text) => serde_json::from_str::<Value>(&text.plain())
            .ok()
            .and_then(|value| value.as_object().cloned()),
        Tainted::List(_) => None,
    };
    if let Some(mut object) = object {
        for (key, value) in &mut object {
            let as_text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            run.budget.charge(key.len() + as_text.len() + bounds::ELEMENT)?;
            let found = mapped(&format!("{key}:{as_text}")).or_else(|| mapped(&format!("{key}: {as_text}")));
            if let Some(found) = found {
                *value = found.into();
            }
        }
        let text = Value::from(object).to_string();
        bounds::check_text(text.len())?;
        return Ok(Tainted::Text(Text::new(text, Origin::Mixed)));
    }
    let text = value.into_text()?;
    let plain = text.plain();
    let in_python = match plain.as_ref() {
        "true" => Some("True"),
        "false" => Some("False"),
        _ => None,
    };
    match mapped(&plain).or_else(|| in_python.and_then(mapped)) {
        Some(found) => Ok(Tainted::Text(Text::new(found, origin))),
        None => Ok(Tainted::Text(text.clone())),
    }
}
