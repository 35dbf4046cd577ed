//! Expressions, for mappings written by hand: `givenname ~ " " ~ surname`.
//!
//! The language is minijinja's (the expressions of Jinja2, as Ansible and dbt use them). A name is a field of the source. What uses a missing one
//! gives nothing, so the target is left out; `nickname or givenname` and `title | default("n/a")` say what else. Values are data throughout: nothing is
//! escaped, and no text is parsed as code or JSON. An expression reads nothing but its source, and its work and memory are bounded by fuel.

use std::sync::LazyLock;

use minijinja::{Environment, ErrorKind, Expression as Compiled, UndefinedBehavior, value::Serde};
use serde_json::{Map, Value};

use super::bounds::{MAX_DEPTH, MAX_EXPRESSION, MAX_FUEL, MAX_STEPS, MAX_TEXT};
use super::{json_text, worked::weight};

/// One environment for all expressions: it holds the built-in filters and the bounds, and nothing of any expression.
static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    // Using what is missing fails; asking whether it is there does not.
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_fuel(Some(MAX_FUEL));
    environment.set_recursion_limit(MAX_STEPS);
    // What pads or formats makes its whole result before fuel is taken for it.
    for filter in ["indent", "format", "center", "wordwrap", "pprint", "tojson"] {
        environment.remove_filter(filter);
    }
    for function in ["range", "debug", "namespace"] {
        environment.remove_global(function);
    }
    environment
});

/// A compiled expression.
#[derive(Debug)]
pub struct Expression {
    text: String,
    names: Vec<String>,
    compiled: Compiled<'static, 'static>,
}

/// What expressions read: the fields by their names.
#[derive(Clone, Debug)]
pub struct Fields(minijinja::Value);

impl Fields {
    /// The fields of an object. A key that is a display name (`Given Name`) also goes by its folded form (`givenname`) where no other has it.
    pub fn new(object: &Map<String, Value>) -> Self {
        let mut fields = object.clone();
        for (key, value) in object {
            let folded: String = key
                .chars()
                .filter(|character| *character != ' ')
                .flat_map(char::to_lowercase)
                .collect();
            fields.entry(folded).or_insert_with(|| value.clone());
        }
        // Null is absent, as everywhere in a profile.
        fields.retain(|_, value| !value.is_null());
        Self(minijinja::Value::from(Serde(&fields)))
    }

    /// A field, to show it.
    pub fn get(&self, name: &str) -> Option<Value> {
        let value = self.0.get_attr(name).ok()?;
        if value.is_undefined() {
            return None;
        }
        serde_json::to_value(&value).ok()
    }
}

impl Expression {
    /// Compiles an expression.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.len() > MAX_EXPRESSION {
            return Err(format!("is longer than {MAX_EXPRESSION} bytes"));
        }
        let compiled = ENVIRONMENT
            .compile_expression_owned(text.to_owned())
            .map_err(|error| told(&error))?;
        let mut names: Vec<String> = compiled.undeclared_variables(false).into_iter().collect();
        names.sort();
        Ok(Self {
            text: text.to_owned(),
            names,
            compiled,
        })
    }

    /// The expression as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The fields that it reads, in alphabetical order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The value; `None` when it uses a field that is missing.
    ///
    /// # Errors
    /// When it can't be computed, or grows beyond its bounds.
    pub fn value(&self, fields: &Fields) -> Result<Option<Value>, String> {
        let value = match self.compiled.eval(fields.0.clone()) {
            Ok(value) if value.is_undefined() || value.is_none() => return Ok(None),
            Ok(value) => value,
            Err(error) if error.kind() == ErrorKind::UndefinedError => return Ok(None),
            Err(error) => return Err(told(&error)),
        };
        let value = serde_json::to_value(&value).map_err(|_| "gives what is no JSON value".to_owned())?;
        json_text::depth(&value, MAX_DEPTH)?;
        // A list or an object with a missing field in it: AWS refuses nulls, and half of an element is none.
        if has_null(&value) {
            return Ok(None);
        }
        if weight(&value) > MAX_TEXT {
            return Err(format!("gives more than {MAX_TEXT} bytes"));
        }
        Ok(Some(value))
    }
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

/// An error without the values that its words may quote.
fn told(error: &minijinja::Error) -> String {
    match error.kind() {
        ErrorKind::SyntaxError | ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownFunction => {
            error.detail().map_or_else(
                || error.kind().to_string(),
                |detail| format!("{}: {detail}", error.kind()),
            )
        }
        ErrorKind::OutOfFuel => "takes more work than is allowed".to_owned(),
        kind => kind.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn value(expression: &str, source: &Value) -> Result<Option<Value>, String> {
        Expression::new(expression)?.value(&Fields::new(source.as_object().unwrap()))
    }

    #[test]
    fn expressions_give_values() {
        let source = json!({"givenname": "Jo", "Last Name": "O\"Hara", "email": "j@x", "n": 7, "none": null, "list": ["a", "b"],
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
            ("email.split('@')[0] if email is defined", None),
            ("list[1] | upper", Some(json!("B"))),
            ("email | replace('@', '.')", Some(json!("j.x"))),
        ] {
            let got = value(expression, &source);
            if expression.contains("split") {
                // Methods of texts are not among what is built in.
                assert!(got.is_err(), "{expression}: {got:?}");
            } else {
                assert_eq!(got, Ok(expected), "{expression}");
            }
        }
        assert_eq!(Expression::new("a ~ b ~ a.c").unwrap().names(), ["a", "b"]);
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
            assert!(Expression::new(&long).unwrap_err().contains("longer than"), "{piece}");
            let fits = piece.repeat(MAX_EXPRESSION / piece.len() - 2);
            // Whatever comes of it, on a small stack: it comes back.
            let thread = std::thread::Builder::new().stack_size(2 << 20);
            let back = thread.spawn(move || Expression::new(&format!("a{fits}1")).is_ok());
            assert!(back.unwrap().join().is_ok(), "{piece}");
        }
    }

    #[test]
    fn what_is_no_expression_is_refused_without_quoting_values() {
        assert!(Expression::new("a ~").unwrap_err().contains("syntax error"));
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
            "((((a * 60) | replace('x', a)) | replace('x', a)) | replace('x', a))",
        ] {
            match value(greedy, &source) {
                Err(_) => {}
                Ok(value) => assert!(value.is_none_or(|value| weight(&value) <= MAX_TEXT), "{greedy}"),
            }
        }
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
