//! The filters, tests and functions that an expression may name. Any other name is an error when
//! the mapper is loaded, also in a branch that is seldom taken.
//!
//! The engine itself looks a name up when it gets there, and not before. So the expression's tree
//! is walked, as minijinja's own parser gives it. That tree is not among what minijinja keeps
//! stable; a change in it is an error of the compiler here and never a name that slips through,
//! since every kind of node is named below. The lists are ours as well, so that a later minijinja
//! does not add to the language by itself: what pads (`indent`, `center`) or formats makes its
//! whole result before fuel is taken for it, and is left out.

use minijinja::machinery::{
    ast::{BinOpKind, CallArg, Expr, Filter},
    parse_expr,
};

use super::{error::CompileError, expressions::describe};

/// The filters, `x | name`.
pub(super) const FILTERS: [&str; 44] = [
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "first",
    "float",
    "groupby",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "trim",
    "unique",
    "upper",
    "zip",
];

/// The tests, `x is name`.
pub(super) const TESTS: [&str; 36] = [
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "equalto",
    "escaped",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "int",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "safe",
    "sameas",
    "sequence",
    "startingwith",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
];

/// The signs that `select` and its kin take for tests.
const SIGNS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

/// The functions, `name(…)`.
pub(super) const FUNCTIONS: [&str; 1] = ["dict"];

/// The fields that an expression reads, each once, in the order in which they stand there.
///
/// # Errors
/// When it names an unknown filter, test or function, or is no expression.
pub(super) fn field_names(text: &str) -> Result<Vec<String>, CompileError> {
    let tree = parse_expr(text).map_err(|error| describe(&error))?;
    let mut visitor = Visitor::default();
    // No recursion: a chain of a thousand bytes is as deep as it is long.
    let mut open = vec![&tree];
    while let Some(expression) = open.pop() {
        let mut parts = visitor.visit(expression);
        parts.reverse();
        open.extend(parts);
    }
    if visitor.unknown.is_empty() {
        Ok(visitor.names)
    } else {
        Err(visitor.unknown.join("; ").into())
    }
}

#[derive(Default)]
struct Visitor {
    names: Vec<String>,
    unknown: Vec<String>,
}

impl Visitor {
    /// Visits one node and gives the nodes right below it.
    fn visit<'t>(&mut self, expression: &'t Expr<'t>) -> Vec<&'t Expr<'t>> {
        match expression {
            Expr::Const(_) => Vec::new(),
            Expr::Var(variable) => {
                if !self.names.iter().any(|name| name == variable.id) {
                    self.names.push(variable.id.to_owned());
                }
                Vec::new()
            }
            Expr::Slice(slice) => [&slice.start, &slice.stop, &slice.step].into_iter().flatten().fold(
                vec![&slice.expr],
                |mut parts, part| {
                    parts.push(part);
                    parts
                },
            ),
            Expr::UnaryOp(operation) => vec![&operation.expr],
            Expr::BinOp(operation) => {
                // A list times a number is lazy, and iterating over it takes no fuel.
                if matches!(operation.op, BinOpKind::Mul) {
                    self.report("multiplication (`*`) is not among what expressions do here".to_owned());
                }
                vec![&operation.left, &operation.right]
            }
            Expr::Compare(comparison) => {
                let others = comparison.ops.iter().map(|operation| &operation.expr);
                std::iter::once(&comparison.expr).chain(others).collect()
            }
            Expr::IfExpr(choice) => {
                let mut parts = vec![&choice.true_expr, &choice.test_expr];
                parts.extend(&choice.false_expr);
                parts
            }
            Expr::GetAttr(access) => vec![&access.expr],
            Expr::GetItem(access) => vec![&access.expr, &access.subscript_expr],
            Expr::List(list) => list.items.iter().collect(),
            Expr::Tuple(tuple) => tuple.items.iter().collect(),
            Expr::Map(map) => {
                // A key out of the source would let a value choose which attribute is written.
                let written =
                    |key: &Expr<'_>| matches!(key, Expr::Const(constant) if constant.value.as_str().is_some());
                if !map.keys.iter().all(written) {
                    self.report("a key of a map must stand there: write the key in quotes".to_owned());
                }
                map.keys.iter().chain(&map.values).collect()
            }
            Expr::Filter(filter) => {
                self.check_filter(&without_spaces(filter.name));
                self.check_named_argument(filter);
                filter.expr.iter().chain(argument_values(&filter.args)).collect()
            }
            Expr::Test(test) => {
                self.check_test(&without_spaces(test.name));
                std::iter::once(&test.expr).chain(argument_values(&test.args)).collect()
            }
            Expr::Call(call) => {
                let mut parts = Vec::new();
                match &call.expr {
                    Expr::Var(function) if FUNCTIONS.contains(&function.id) => {}
                    Expr::Var(function) => self.report(format!(
                        "the function `{}` is not known; known is {}",
                        function.id,
                        FUNCTIONS.join(", ")
                    )),
                    Expr::GetAttr(method) => {
                        self.report(format!(
                            "the method `{}` is not known: values have none; known are the filters {}",
                            method.name,
                            FILTERS.join(", ")
                        ));
                        parts.push(&method.expr);
                    }
                    other => {
                        self.report("only a function can be called".to_owned());
                        parts.push(other);
                    }
                }
                let splat = |argument: &CallArg<'_>| matches!(argument, CallArg::PosSplat(_) | CallArg::KwargSplat(_));
                if call.args.iter().any(splat) {
                    self.report("the arguments of a function must be written out".to_owned());
                }
                parts.extend(argument_values(&call.args));
                parts
            }
        }
    }

    /// Checks the filter or test that a filter is given by its name, `map("upper")`. The name must
    /// be a literal: a value of the source is data.
    fn check_named_argument(&mut self, filter: &Filter<'_>) {
        let name = without_spaces(filter.name);
        let at = match name.as_str() {
            "map" | "select" | "reject" => 0,
            "selectattr" | "rejectattr" => 1,
            _ => return,
        };
        let mut positional = 0;
        for argument in &filter.args {
            match argument {
                CallArg::Kwarg(..) => {}
                CallArg::PosSplat(_) | CallArg::KwargSplat(_) => {
                    self.report(format!("the arguments of `{name}` must be written out"));
                    return;
                }
                CallArg::Pos(value) => {
                    positional += 1;
                    if positional != at + 1 {
                        continue;
                    }
                    let written = match value {
                        Expr::Const(constant) => constant.value.as_str().map(str::to_owned),
                        _ => None,
                    };
                    match written {
                        None => self.report(format!("what `{name}` applies must be named in quotes")),
                        Some(written) if name == "map" => self.check_filter(&written),
                        Some(written) if SIGNS.contains(&written.as_str()) => {}
                        Some(written) => self.check_test(&written),
                    }
                }
            }
        }
    }

    fn check_filter(&mut self, name: &str) {
        if !FILTERS.contains(&name) {
            self.report(format!(
                "the filter `{name}` is not known; known are {}",
                FILTERS.join(", ")
            ));
        }
    }

    fn check_test(&mut self, name: &str) {
        if !TESTS.contains(&name) {
            self.report(format!(
                "the test `{name}` is not known; known are {}",
                TESTS.join(", ")
            ));
        }
    }

    fn report(&mut self, unknown: String) {
        if !self.unknown.contains(&unknown) {
            self.unknown.push(unknown);
        }
    }
}

fn argument_values<'t>(arguments: &'t [CallArg<'t>]) -> impl Iterator<Item = &'t Expr<'t>> {
    arguments.iter().map(|argument| match argument {
        CallArg::Pos(value) | CallArg::Kwarg(_, value) | CallArg::PosSplat(value) | CallArg::KwargSplat(value) => value,
    })
}

/// A name as the engine looks it up: it takes `not equal` for `notequal`.
fn without_spaces(name: &str) -> String {
    name.chars()
        .filter(|character| !character.is_ascii_whitespace())
        .collect()
}

#[cfg(test)]
mod tests {
    use minijinja::Environment;

    use super::*;

    #[test]
    fn whatever_is_listed_is_there() {
        let environment = Environment::new();
        let asked = |name: &str, test: &str| {
            let expression = environment.compile_expression_owned(format!("name is {test}")).unwrap();
            expression.eval(minijinja::context!(name => name)).unwrap().is_true()
        };
        for name in FILTERS {
            assert!(asked(name, "filter"), "{name}");
        }
        for name in TESTS.iter().chain(&SIGNS) {
            assert!(asked(name, "test"), "{name}");
        }
        for name in FUNCTIONS {
            let call = environment.compile_expression_owned(format!("{name}()")).unwrap();
            assert!(call.eval(()).is_ok(), "{name}");
        }
        assert!(FILTERS.is_sorted() && TESTS.is_sorted());
    }

    #[test]
    fn names_are_those_of_the_fields_in_their_order() {
        for (text, expected) in [
            ("b ~ a ~ b.c", &["b", "a"][..]),
            ("'x' if t else [y, {'k': z}]", &["t", "y", "z"]),
            ("list[i:j] | map('upper') | join(sep)", &["list", "i", "j", "sep"]),
            ("dict(a=b)", &["b"]),
            ("1 < n < m is odd", &["n", "m"]),
            ("l | selectattr('a', '==', v) | map(attribute='b') | first", &["l", "v"]),
            ("l | select | reject('none') | list", &["l"]),
            ("'text'", &[]),
        ] {
            assert_eq!(
                field_names(text).unwrap_or_else(|error| panic!("{text}: {error}")),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn what_there_is_not_is_refused_wherever_it_stands() {
        for (text, expected) in [
            ("a | nosuch", "the filter `nosuch` is not known; known are abs, attr, "),
            ("a is nosuch", "the test `nosuch` is not known; known are boolean, "),
            ("a is not nosuch", "the test `nosuch`"),
            ("nosuch()", "the function `nosuch` is not known; known is dict"),
            ("range(9)", "the function `range`"),
            ("super()", "the function `super`"),
            ("loop(a)", "the function `loop`"),
            ("a.split('@')", "the method `split` is not known"),
            ("self.a()", "the method `a`"),
            ("'x'()", "only a function can be called"),
            ("a[0](1)", "only a function can be called"),
            ("'y' if true else (a | nosuch)", "the filter `nosuch`"),
            ("'y' or a is nosuch", "the test `nosuch`"),
            ("[1, {'k': -(a | nosuch)}]", "the filter `nosuch`"),
            ("a[1:(b | nosuch)]", "the filter `nosuch`"),
            ("a[(b | nosuch)]", "the filter `nosuch`"),
            ("a | default(b | nosuch)", "the filter `nosuch`"),
            ("a | join(d=(b | nosuch))", "the filter `nosuch`"),
            ("a is eq(b | nosuch)", "the filter `nosuch`"),
            ("dict(a=(b | nosuch))", "the filter `nosuch`"),
            ("1 < (a | nosuch) < 2", "the filter `nosuch`"),
            ("(a | nosuch).b", "the filter `nosuch`"),
            ("(a | nosuch).b()", "the filter `nosuch`"),
            ("a | map('nosuch')", "the filter `nosuch`"),
            ("a | select('nosuch')", "the test `nosuch`"),
            ("a | rejectattr('b', 'nosuch', 1)", "the test `nosuch`"),
            ("a | map(b)", "what `map` applies must be named in quotes"),
            ("a | select('o' ~ 'dd')", "what `select` applies"),
            ("a | map(*b)", "the arguments of `map` must be written out"),
            ("a | indent(9)", "the filter `indent`"),
            ("a | map('format')", "the filter `format`"),
            ("a | tojson", "the filter `tojson`"),
            ("(a * 2)[0]", "multiplication"),
            ("{'familyName': s, k: v}", "write the key in quotes"),
            ("{'a' ~ b: v}", "write the key in quotes"),
            ("[{'a': {1: v}}]", "write the key in quotes"),
            ("dict(**a)", "the arguments of a function must be written out"),
            ("dict(*a)", "the arguments of a function must be written out"),
        ] {
            let error = field_names(text).expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        let both = field_names("a | one is two").unwrap_err().to_string();
        assert!(both.contains("`one`") && both.contains("`two`"), "{both}");
    }
}
