//! Expressions, for mappings written by hand: `givenname ~ " " ~ surname`.
//!
//! The language is minijinja's (the expressions of Jinja2, as Ansible and dbt use them), less what
//! `language` leaves out. A name is a field of the source. What uses a missing one gives nothing,
//! so the target is left out; `nickname or givenname` and `title | default("n/a")` say what else.
//! Values are data throughout: nothing is escaped, and no text is parsed as code or JSON. An
//! expression reads nothing but its source.
//!
//! Its work and memory are bounded by fuel, and that is taken off the work of the whole mapping.
//! The engine does not tell how much fuel was burnt when it fails, so an expression is tried with a
//! little first and with more each time that it runs out: what it was tried with is what it costs.
//! The engine has its fuel from its environment, so there is an environment for each.
//!
//! What stays the same for many expressions is made ready once, as a [`Scope`].

use std::{
    collections::BTreeMap,
    sync::{LazyLock, OnceLock},
};

use minijinja::{
    Environment, ErrorKind, Expression as Compiled, UndefinedBehavior,
    value::{Serde, ValueKind},
};
use serde_json::{Map, Value};

pub use super::{bounds::Budget, error::EvaluationError};

use super::{
    bounds::{ELEMENT, FUEL, FUELS, MAX_DEPTH, MAX_EXPRESSION, MAX_LIST, MAX_STEPS, MAX_TEXT},
    error::CompileError,
    language,
    tainted::weight,
};

/// The environments of all expressions, one for each amount of fuel. They hold the built-in filters
/// and the bounds, and nothing of any expression.
static ENVIRONMENTS: LazyLock<Environments> =
    LazyLock::new(|| FUELS.map(|fuel| environment(fuel, UndefinedBehavior::SemiStrict)));

/// Those of conditions, where a missing field is not false but fails: `not body.active` is no
/// statement about a person of whom nothing is said.
static CONDITIONS: LazyLock<Environments> =
    LazyLock::new(|| FUELS.map(|fuel| environment(fuel, UndefinedBehavior::Strict)));

type Environments = [Environment<'static>; FUELS.len()];

/// The largest list of [`Expression::list_in`], in bytes: as large as the largest body.
const MAX_LIST_BYTES: usize = 16 * 1024 * 1024;

/// How deep the elements of [`Expression::list_in`] may be; the reader of JSON allows no more.
const MAX_LIST_DEPTH: usize = 128;

fn environment(fuel: u64, behavior: UndefinedBehavior) -> Environment<'static> {
    let mut environment = Environment::new();
    // Using a missing field fails; asking whether it is there does not.
    environment.set_undefined_behavior(behavior);
    environment.set_fuel(Some(fuel));
    environment.set_recursion_limit(MAX_STEPS);
    environment
}

/// A compiled expression.
#[derive(Debug)]
pub struct Expression {
    text: String,
    fields: Vec<String>,
    /// For each amount of fuel; but for the first, when it is needed.
    compiled: Box<[OnceLock<Option<Compiled<'static, 'static>>>; FUELS.len()]>,
    environments: &'static LazyLock<Environments>,
}

/// What the names of expressions stand for, made ready once for many of them. In an object a null
/// is as if it were not there, as everywhere in a profile.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    values: BTreeMap<&'static str, minijinja::Value>,
    ready: minijinja::Value,
}

impl Scope {
    /// A scope without any name.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a name stand for a value, or for nothing.
    ///
    /// # Errors
    /// When the budget is spent.
    pub fn set(
        &mut self,
        name: &'static str,
        value: Option<&Value>,
        budget: &mut Budget,
    ) -> Result<(), EvaluationError> {
        let value = value.filter(|value| !value.is_null());
        match value {
            None => self.values.remove(name),
            Some(value) => {
                budget.charge(weight(value))?;
                let value = minijinja::Value::from(Serde(&without_nulls(value)));
                self.values.insert(name, value)
            }
        };
        self.ready = self.values.clone().into();
        Ok(())
    }

    /// Makes a name stand for what another one stands for.
    pub fn alias(&mut self, name: &'static str, of: &'static str) {
        if let Some(value) = self.values.get(of).cloned() {
            self.values.insert(name, value);
        }
        self.ready = self.values.clone().into();
    }
}

/// A value without the entries of objects that are null.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let filled = object.iter().filter(|(_, value)| !value.is_null());
            Value::Object(filled.map(|(key, value)| (key.clone(), without_nulls(value))).collect())
        }
        Value::Array(list) => list.iter().map(without_nulls).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

impl Expression {
    /// Compiles an expression.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it, or which filter, test or function there is not.
    pub fn new(text: &str) -> Result<Self, CompileError> {
        Self::compile(text, &ENVIRONMENTS)
    }

    /// Compiles a condition: an expression that is false where it uses a missing field, also as
    /// `not field`. Asking for one (`is defined`, `| default(…)`) is no use.
    ///
    /// # Errors
    /// As of [`Self::new`].
    pub fn condition(text: &str) -> Result<Self, CompileError> {
        Self::compile(text, &CONDITIONS)
    }

    fn compile(text: &str, environments: &'static LazyLock<Environments>) -> Result<Self, CompileError> {
        if text.len() > MAX_EXPRESSION {
            return Err(format!("is longer than {MAX_EXPRESSION} bytes").into());
        }
        let fields = language::field_names(text)?;
        let first = environments[0]
            .compile_expression_owned(text.to_owned())
            .map_err(|error| describe(&error))?;
        let mut compiled = [const { OnceLock::new() }; FUELS.len()];
        compiled[0] = OnceLock::from(Some(first));
        Ok(Self {
            text: text.to_owned(),
            fields,
            compiled: Box::new(compiled),
            environments,
        })
    }

    /// The expression as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The fields that it reads, in the order in which they stand there.
    pub fn fields(&self) -> &[String] {
        &self.fields
    }

    /// Evaluates the expression, with `read` giving the fields; `None` when it uses a missing
    /// field.
    ///
    /// # Errors
    /// When it can't be computed, or grows beyond its bounds.
    pub fn evaluate<'v>(&self, read: impl Fn(&str) -> Option<&'v Value>) -> Result<Option<Value>, EvaluationError> {
        self.evaluate_within(|name| Ok(read(name)), ELEMENT, &mut Budget::new())
    }

    /// Evaluates as [`Self::evaluate`] does, within the rest of a mapping's budget; each call of
    /// `read` costs `lookup`.
    pub(super) fn evaluate_within<'v>(
        &self,
        read: impl Fn(&str) -> Result<Option<&'v Value>, EvaluationError>,
        lookup: usize,
        budget: &mut Budget,
    ) -> Result<Option<Value>, EvaluationError> {
        let mut values = BTreeMap::new();
        for name in &self.fields {
            budget.charge(lookup)?;
            // Null is absent, as everywhere in a profile.
            if let Some(value) = read(name)?.filter(|value| !value.is_null()) {
                budget.charge(weight(value))?;
                values.insert(name.clone(), minijinja::Value::from(Serde(value)));
            }
        }
        self.give(&values.into(), budget)
    }

    /// Evaluates the expression with the names of a scope; `None` when it uses a missing one.
    ///
    /// # Errors
    /// As of [`Self::evaluate`], and when the budget is spent.
    pub fn evaluate_in(&self, scope: &Scope, budget: &mut Budget) -> Result<Option<Value>, EvaluationError> {
        let value = self.give(&scope.ready, budget)?;
        budget.charge_output(value.as_ref().map_or(0, weight))?;
        Ok(value)
    }

    /// Whether what the expression gives is true, as `if` sees it: an empty text, an empty list and
    /// zero are not. `None` when it uses a missing field.
    ///
    /// # Errors
    /// As of [`Self::evaluate_in`].
    pub fn holds_in(&self, scope: &Scope, budget: &mut Budget) -> Result<Option<bool>, EvaluationError> {
        let value = self.run(&scope.ready, budget)?;
        Ok(value.map(|value| value.is_true()))
    }

    /// The elements of the list that the expression gives, which may be as long as a body has room
    /// for. `None` when it uses a missing field.
    ///
    /// # Errors
    /// As of [`Self::evaluate_in`], and when it gives no list.
    pub fn list_in(&self, scope: &Scope, budget: &mut Budget) -> Result<Option<Vec<Value>>, EvaluationError> {
        let Some(value) = self.run(&scope.ready, budget)? else {
            return Ok(None);
        };
        let mut bounds = Bounds {
            left: MAX_LIST_BYTES,
            most: usize::MAX,
        };
        match json(&value, MAX_LIST_DEPTH, &mut bounds)? {
            Value::Array(elements) => Ok(Some(elements)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                Err("gives no list".into())
            }
        }
    }

    fn give(&self, fields: &minijinja::Value, budget: &mut Budget) -> Result<Option<Value>, EvaluationError> {
        let Some(value) = self.run(fields, budget)? else {
            return Ok(None);
        };
        let mut bounds = Bounds {
            left: MAX_TEXT,
            most: MAX_LIST,
        };
        let value = json(&value, MAX_DEPTH, &mut bounds)?;
        // A list or an object with a missing field in it: AWS refuses nulls, and half of an element
        // is none.
        Ok(Some(value).filter(|value| !has_null(value)))
    }

    fn run(&self, fields: &minijinja::Value, budget: &mut Budget) -> Result<Option<minijinja::Value>, EvaluationError> {
        for ((compiled, environment), fuel) in self.compiled.iter().zip(&**self.environments).zip(FUELS) {
            budget.charge(usize::try_from(fuel).unwrap_or(usize::MAX).saturating_mul(FUEL))?;
            let compiled = compiled.get_or_init(|| environment.compile_expression_owned(self.text.clone()).ok());
            let Some(compiled) = compiled else {
                return Err("can't be compiled".into());
            };
            match compiled.eval(fields.clone()) {
                Ok(value) if value.is_undefined() || value.is_none() => return Ok(None),
                Ok(value) => return Ok(Some(value)),
                Err(error) if is_out_of_fuel(&error) => {}
                Err(error) if error.kind() == ErrorKind::UndefinedError => return Ok(None),
                Err(error) => return Err(describe(&error).into()),
            }
        }
        let most = FUELS[FUELS.len() - 1].saturating_mul(FUEL as u64);
        Err(format!("takes more work than is allowed: one expression looks at no more than {most} bytes").into())
    }
}

/// What a value may still hold as JSON.
struct Bounds {
    /// Bytes.
    left: usize,
    /// Elements of one list.
    most: usize,
}

/// A value of the engine as JSON, no deeper than `depth` and within its bounds. The engine's lists
/// may be lazy: `list * 9999999` costs nothing there, and would be written out here.
fn json(value: &minijinja::Value, depth: usize, bounds: &mut Bounds) -> Result<Value, EvaluationError> {
    let no_json = || EvaluationError::from("gives what is no JSON value");
    let inside = || match depth {
        0 | 1 => Err(EvaluationError::from(format!("is nested deeper than {MAX_DEPTH}"))),
        depth => Ok(depth - 1),
    };
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => charge(bounds, 1).map(|()| Value::Null),
        ValueKind::Bool => charge(bounds, 1).map(|()| value.is_true().into()),
        ValueKind::Number => {
            charge(bounds, 1)?;
            serde_json::to_value(value).map_err(|_| no_json())
        }
        ValueKind::String => {
            let text = value.as_str().ok_or_else(no_json)?;
            charge(bounds, text.len() + 1)?;
            Ok(text.into())
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let mut list = Vec::new();
            for element in value.try_iter().map_err(|error| describe(&error))? {
                charge(bounds, ELEMENT)?;
                list.push(json(&element, inside()?, bounds)?);
                if list.len() > bounds.most {
                    return Err(format!("makes a list of more than {MAX_LIST} elements").into());
                }
            }
            Ok(list.into())
        }
        ValueKind::Map => {
            let mut object = Map::new();
            for key in value.try_iter().map_err(|error| describe(&error))? {
                let name = match key.kind() {
                    ValueKind::String | ValueKind::Number | ValueKind::Bool => key.to_string(),
                    _ => return Err(no_json()),
                };
                let inner = value.get_item(&key).map_err(|error| describe(&error))?;
                charge(bounds, name.len() + ELEMENT)?;
                object.insert(name, json(&inner, inside()?, bounds)?);
            }
            Ok(object.into())
        }
        // Functions, bytes, and what later versions may have.
        _ => Err(no_json()),
    }
}

fn charge(bounds: &mut Bounds, amount: usize) -> Result<(), EvaluationError> {
    bounds.left = bounds
        .left
        .checked_sub(amount)
        .ok_or_else(|| format!("gives more than {MAX_TEXT} bytes"))?;
    Ok(())
}

/// Whether the fuel ran out, also as the cause of another error.
fn is_out_of_fuel(error: &minijinja::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let own = error.downcast_ref::<minijinja::Error>();
        if own.is_some_and(|error| error.kind() == ErrorKind::OutOfFuel) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Whether a null stands anywhere in it.
fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.iter().any(has_null),
        Value::Object(object) => object.values().any(has_null),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Describes an error without the values that its text may quote.
pub(super) fn describe(error: &minijinja::Error) -> String {
    match error.kind() {
        ErrorKind::SyntaxError | ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownFunction => {
            error.detail().map_or_else(
                || error.kind().to_string(),
                |detail| format!("{}: {detail}", error.kind()),
            )
        }
        kind => kind.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn value(expression: &str, source: &Value) -> Result<Option<Value>, String> {
        let expression = Expression::new(expression).map_err(|error| error.to_string())?;
        expression
            .evaluate(|name| source.get(name))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn expressions_give_values() {
        let source = json!({"givenname": "Jo", "lastname": "O\"Hara", "email": "j@x", "n": 7, "none": null, "list": ["a", "b"],
            "html": "<b>&"});
        for (expression, expected) in [
            ("givenname", Some(json!("Jo"))),
            ("givenname ~ \" \" ~ lastname", Some(json!("Jo O\"Hara"))),
            ("html", Some(json!("<b>&"))),
            ("html ~ givenname", Some(json!("<b>&Jo"))),
            ("n", Some(json!(7))),
            ("missing", None),
            ("none", None),
            ("missing.deeper", None),
            ("givenname ~ missing", None),
            ("missing | upper", None),
            ("missing or givenname", Some(json!("Jo"))),
            ("missing | default('n/a')", Some(json!("n/a"))),
            ("'x' if missing else 'y'", Some(json!("y"))),
            ("missing is defined", Some(json!(false))),
            (
                "[{'value': email, 'primary': true}]",
                Some(json!([{"value": "j@x", "primary": true}])),
            ),
            ("list[1] | upper", Some(json!("B"))),
            ("email | replace('@', '.')", Some(json!("j.x"))),
        ] {
            assert_eq!(value(expression, &source), Ok(expected), "{expression}");
        }
        assert_eq!(Expression::new("a ~ b ~ a.c").unwrap().fields(), ["a", "b"]);
    }

    #[test]
    fn an_element_with_a_missing_field_is_left_out() {
        let source = json!({"a": "x"});
        assert_eq!(value("[{'value': a}]", &source), Ok(Some(json!([{"value": "x"}]))));
        assert_eq!(value("[{'value': nope}]", &source), Ok(None));
        assert_eq!(value("{'a': a, 'b': nope}", &source), Ok(None));
    }

    #[test]
    fn long_chains_are_refused_before_they_are_parsed() {
        for piece in [".a", "~a", "|f", " or a", "+1", "-"] {
            let long = format!("a{}1", piece.repeat(5_000));
            assert!(
                Expression::new(&long).unwrap_err().to_string().contains("longer than"),
                "{piece}"
            );
            let fits = piece.repeat(MAX_EXPRESSION / piece.len() - 2);
            // On a small stack, compiling returns, with an error or without.
            let thread = std::thread::Builder::new().stack_size(2 << 20);
            let back = thread.spawn(move || Expression::new(&format!("a{fits}1")).is_ok());
            assert!(back.unwrap().join().is_ok(), "{piece}");
        }
    }

    #[test]
    fn what_is_no_expression_is_refused_without_quoting_values() {
        assert!(Expression::new("a ~").unwrap_err().to_string().contains("syntax error"));
        assert!(Expression::new("").is_err());
        let source = json!({"secret": "s3cret", "list": [1]});
        for broken in [
            "secret * secret",
            "secret | nosuch",
            "nosuch()",
            "secret + 1",
            "list | int",
        ] {
            let error = value(broken, &source).expect_err(broken);
            assert!(!error.contains("s3cret"), "{broken}: {error}");
        }
    }

    /// More fuel changes nothing but whether there is enough.
    #[test]
    fn what_comes_out_does_not_hang_on_the_fuel() {
        let unbounded = {
            let mut environment = environment(1, UndefinedBehavior::SemiStrict);
            environment.set_fuel(None);
            environment
        };
        for length in [0, 1, 10, 60, 300, 900] {
            let list: Vec<Value> = (0..length)
                .map(|n| json!({"v": format!("{}@x", n % 7), "n": n}))
                .collect();
            let source = json!({"a": "x,".repeat(length), "list": list, "n": length});
            for expression in [
                "a | split(',') | unique | join('-')",
                "list | map(attribute='v') | unique | list",
                "list | selectattr('n', 'even') | map(attribute='n') | sum",
                "list | sort(attribute='n', reverse=true) | first",
                "(list | map(attribute='v') | join) ~ a",
                "list | rejectattr('v', 'eq', '3@x') | list | length",
                "(list | last).n if list else 'none'",
                "a | upper | replace('X', 'yy') | length",
                "list | map(attribute='nope') | list",
                "a is startingwith('x')",
                "n in (list | map(attribute='n'))",
                "list[3:9] | map(attribute='n') | list",
                "list | groupby('v') | length",
                "a[::-1]",
            ] {
                let Ok(got) = value(expression, &source) else { continue };
                let compiled = unbounded.compile_expression(expression).unwrap();
                let expected = match compiled.eval(minijinja::Value::from(Serde(&source))) {
                    Ok(value) => Some(serde_json::to_value(&value).unwrap()).filter(|value| !has_null(value)),
                    Err(_) => None,
                };
                assert_eq!(got, expected, "{expression} {length}");
            }
        }
    }

    #[test]
    fn nothing_hangs_or_swells() {
        let source = json!({"a": "x".repeat(1_000), "list": [1, 2, 3]});
        for greedy in [
            "'x' * 99999999",
            "a * 99999",
            "a ~ a * 200",
            "(list * 9999999) | join(',')",
            "list * 9999999",
            "(list * 9999999) | length",
            "(list * 9999999) | sum",
            "(list * 9999999) | list",
            "range(100000)",
            "a | indent(999999999)",
            "'%999999999s' | format(a)",
            "a | center(999999999)",
            "list | batch(999999999, 'x')",
            "list | slice(999999999, 'x')",
            "list | slice(999999999) | list | length",
            "a | list | batch(1) | list",
            "a | lines | zip(a, a, a) | list",
            "list | chain(a | list, a | list, a | list) | list",
            "2 ** 9999999",
            "(list * 9999999)[::9999999]",
            "list[::-1] | chain(list, list)",
            "(a | list)[::-1] | zip(a | list, a | list, a | list)",
            "a | list | sort | unique | groupby('x') | list",
            "a | list | map('list') | map('first') | join(a)",
            "1.5 | round(999999999)",
            "a | replace('', a)",
            "(a | list | map('replace', 'x', a) | join) ~ a",
            "((((a * 60) | replace('x', a)) | replace('x', a)) | replace('x', a))",
        ] {
            let began = std::time::Instant::now();
            match value(greedy, &source) {
                Err(_) => {}
                Ok(value) => assert!(value.is_none_or(|value| weight(&value) <= MAX_TEXT), "{greedy}"),
            }
            let elapsed = began.elapsed();
            assert!(elapsed < std::time::Duration::from_secs(5), "{greedy}: {elapsed:?}");
        }
        // The engine's lists may be lazy, and are not written out.
        let lazy = ENVIRONMENTS[0].compile_expression("[[1, 2] * 9999999]").unwrap();
        let lazy = json(
            &lazy.eval(()).unwrap(),
            MAX_DEPTH,
            &mut Bounds {
                left: MAX_TEXT,
                most: MAX_LIST,
            },
        );
        assert!(lazy.unwrap_err().to_string().contains("more than 1000 elements"));
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        assert!(value(&deep, &source).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn no_text_is_an_expression_by_panic(text in any::<String>(), near in r#"[a-c()\[\]{}'"|~.,+*/ 0-9a-z-]{0,24}"#) {
            let source = json!({"a": "x", "b": [1, {"c": null}], "c": {"a": 1.5}});
            for text in [&text, &near] {
                if let Ok(value) = value(text, &source) {
                    prop_assert!(value.is_none_or(|value| weight(&value) <= MAX_TEXT));
                }
            }
        }
    }
}
