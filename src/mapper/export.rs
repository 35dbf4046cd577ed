//! Reads an exported mapper: `mapping.<type>.internalMapping.<target> = {simple, complex}`.
//!
//! Real files are dirty (keys given twice, transformers without `args`, filters without `right`, keys that nobody knows) and load all the same; what was
//! seen is told in the findings. What can't be done as it is meant, or not safely, is refused: an operator that is not known, JavaScript, a value that
//! would become structure.

use serde_json::{Map, Value};

use super::{
    bounds::{MAX_STEPS, MAX_TARGETS},
    check, dirty,
    file::{Direction, Identity, MapperFile, TYPES},
    filters::{self, Operator, Test},
    lint::Findings,
    path::Path,
    rule::{self, Complex, Field, Mapping, Rule},
    simple::Simple,
    target::Target,
    transformers::{self, Arguments, Transformer},
};

/// What the platform writes into a mapper's file beside the mapping.
const KNOWN: [&str; 24] = [
    "id",
    "name",
    "type",
    "mapping",
    "version",
    "fromVersion",
    "toVersion",
    "fromServerVersion",
    "toServerVersion",
    "description",
    "feed",
    "defaultIncidentType",
    "system",
    "definitionId",
    "modified",
    "locked",
    "brands",
    "instanceIds",
    "incidentSamples",
    "indicatorSamples",
    "propagationLabels",
    "packID",
    "packName",
    "logicalVersion",
];

/// Reads an export. Without a file when anything was refused.
pub(super) fn read(text: &str, findings: &mut Findings) -> Option<MapperFile> {
    let document = match dirty::read(text) {
        Ok(document) => document,
        Err(problem) => {
            findings.refuse("", format!("not JSON: {problem}"));
            return None;
        }
    };
    for place in &document.twice {
        findings.note(place, "the key is given twice; the last one counts");
    }
    let Some(top) = document.value.as_object() else {
        findings.refuse("", "a mapper is a JSON object");
        return None;
    };
    for key in top.keys().filter(|key| !KNOWN.contains(&key.as_str())) {
        findings.note(key, "not a key of mappers; ignored");
    }
    let text = |key: &str| top.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let direction = match text("type").as_str() {
        "mapping-outgoing" => Some(Direction::Outgoing),
        "mapping-incoming" => Some(Direction::Incoming),
        other => {
            findings.doubt(
                "type",
                format!("`{other}` is neither mapping-outgoing nor mapping-incoming; it serves where it is named"),
            );
            None
        }
    };
    let Some(types) = top.get("mapping").and_then(Value::as_object) else {
        findings.refuse("mapping", "there is none");
        return None;
    };
    let mut file = MapperFile::new(Identity {
        id: text("id"),
        name: text("name"),
        direction,
    });
    for (name, mapping) in types {
        let Some(mapping_type) = TYPES
            .iter()
            .find(|(_, known)| known == name)
            .map(|(mapping_type, _)| *mapping_type)
        else {
            findings.note(name, "not a type that the user commands map; ignored");
            continue;
        };
        let Some(targets) = mapping.get("internalMapping").and_then(Value::as_object) else {
            findings.doubt(name, "has no internalMapping; it maps nothing");
            continue;
        };
        let mut reader = Reader { direction, findings };
        file.insert(mapping_type, reader.mapping(name, targets));
    }
    Some(file)
}

struct Reader<'f> {
    direction: Option<Direction>,
    findings: &'f mut Findings,
}

impl Reader<'_> {
    fn mapping(&mut self, place: &str, targets: &Map<String, Value>) -> Mapping {
        let mut mapping = Mapping::default();
        if targets.len() > MAX_TARGETS {
            self.findings
                .refuse(place, format!("has more than {MAX_TARGETS} targets"));
            return mapping;
        }
        for (name, value) in targets {
            let place = format!("{place} › {name}");
            let target = check::target(self.direction, name, &place, self.findings);
            if let Some(field) = self.field(target, value, &place) {
                check::field(self.direction, &field, &place, self.findings);
                mapping.fields.push(field);
            }
        }
        check::mapping(self.direction, &mapping, place, self.findings);
        mapping
    }

    /// The rule of a target; without one what is wrong, or that it maps nothing, is noted. A target that is nobody's is read all the same,
    /// so that what is refused in it is told.
    fn field(&mut self, target: Option<Target>, value: &Value, place: &str) -> Option<Field> {
        let Some(value) = value.as_object() else {
            self.findings
                .doubt(place, "is neither simple nor complex; it maps nothing");
            return None;
        };
        self.unknown_keys(value, &["simple", "complex"], place);
        let rule = match value.get("complex").and_then(Value::as_object) {
            Some(complex) => Rule::Complex(self.complex(complex, place)?),
            None => {
                let text = value.get("simple").and_then(Value::as_str).unwrap_or_default();
                Rule::Simple(self.parsed(Simple::source(text), place)?)
            }
        };
        let nothing = match &rule {
            Rule::Simple(simple) => *simple == Simple::Nothing,
            Rule::Complex(complex) => complex.root == Simple::Nothing,
            Rule::Expression(_) => false,
        };
        if nothing {
            self.findings.note(place, "has no source; it maps nothing");
            return None;
        }
        Some(Field::new(target?, rule))
    }

    fn complex(&mut self, complex: &Map<String, Value>, place: &str) -> Option<Complex> {
        self.unknown_keys(complex, &["root", "filters", "accessor", "transformers"], place);
        let text = |key: &str| complex.get(key).and_then(Value::as_str).unwrap_or_default();
        let root = self.parsed(Simple::source(text("root")), &format!("{place} › root"))?;
        let accessor = match text("accessor").trim() {
            "" => None,
            accessor => Some(self.parsed(Path::parse(accessor), &format!("{place} › accessor"))?),
        };
        let list = |key: &str| {
            complex
                .get(key)
                .and_then(Value::as_array)
                .map_or(&[][..], Vec::as_slice)
        };
        let mut steps = list("transformers").len();
        let (mut filters, mut sound) = (Vec::new(), true);
        for (index, group) in list("filters").iter().enumerate() {
            let place = format!("{place} › filter {}", index + 1);
            let mut tests = Vec::new();
            // A group of one alternative may stand without its list.
            let alternatives = group.as_array().map_or(std::slice::from_ref(group), Vec::as_slice);
            steps += alternatives.len();
            for test in alternatives {
                match self.test(&root, test, &place) {
                    Some(test) => tests.push(test),
                    None => sound = false,
                }
            }
            if !tests.is_empty() {
                filters.push(tests);
            }
        }
        if steps > MAX_STEPS {
            self.findings
                .refuse(place, format!("has more than {MAX_STEPS} filters and transformers"));
            return None;
        }
        let mut transformers = Vec::new();
        for (index, transformer) in list("transformers").iter().enumerate() {
            match self.transformer(transformer, &format!("{place} › transformer {}", index + 1)) {
                Some(transformer) => transformers.push(transformer),
                None => sound = false,
            }
        }
        sound.then_some(Complex {
            root,
            filters,
            accessor,
            transformers,
        })
    }

    fn test(&mut self, root: &Simple, test: &Value, place: &str) -> Option<Test> {
        let written = test.get("operator").and_then(Value::as_str).unwrap_or_default();
        let place = format!("{place} ({written})");
        let Some(&(name, operator)) = filters::OPERATORS.iter().find(|(name, _)| *name == bare(written)) else {
            let known = filters::OPERATORS.map(|(name, _)| name).join(", ");
            self.findings.refuse(
                place,
                format!("the operator `{written}` is not known; known are {known}"),
            );
            return None;
        };
        let object = test.as_object()?;
        self.unknown_keys(
            object,
            &[
                "operator",
                "left",
                "right",
                "ignoreCase",
                "ignorecase",
                "leftValue",
                "rightValue",
                "type",
            ],
            &place,
        );
        let left = match object.get("left").and_then(|left| left.get("value")) {
            Some(value) => {
                let text = value
                    .get("simple")
                    .or(Some(value))
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                self.parsed(Simple::source(text), &place)?
            }
            None => Simple::Nothing,
        };
        if left == Simple::Nothing {
            self.findings.doubt(&place, "has no left side; nothing is compared");
        }
        let needs_right = match operator {
            Operator::Empty | Operator::NotEmpty | Operator::Exists | Operator::True | Operator::False => false,
            Operator::Equal
            | Operator::NotEqual
            | Operator::Contains
            | Operator::ContainsGeneral
            | Operator::StartsWith
            | Operator::EndsWith
            | Operator::Match
            | Operator::InList
            | Operator::HasLength => true,
        };
        let right = match object.get("right") {
            Some(right) => self.argument(right, &place)?,
            None => Simple::Nothing,
        };
        if needs_right && right == Simple::Nothing {
            self.findings
                .doubt(&place, "has no right side; it is taken for an empty text");
        }
        let ignore_case = ["ignoreCase", "ignorecase"]
            .iter()
            .any(|key| object.get(*key).and_then(Value::as_bool) == Some(true));
        let pattern = match (operator, &right) {
            (Operator::Match, Simple::Literal(pattern)) => {
                let compiled = filters::pattern(pattern, |builder| {
                    builder.case_insensitive(ignore_case);
                });
                Some(self.parsed(compiled, &place)?)
            }
            (Operator::Match, Simple::Path(_) | Simple::Text(_)) => {
                self.findings.refuse(place, transformers::REGEX_OF_THE_SOURCE);
                return None;
            }
            (Operator::HasLength, Simple::Literal(length)) if length.trim().parse::<usize>().is_err() => {
                self.findings
                    .refuse(place, "the right side must be a whole number from 0");
                return None;
            }
            _ => None,
        };
        let left = rule::left(root, left);
        if matches!(left, filters::Left::Elsewhere(_)) {
            self.findings.doubt(
                &place,
                "its left side does not lead through the root; it is the same for every element",
            );
        }
        Some(Test {
            name,
            operator,
            left,
            right,
            ignore_case,
            pattern,
        })
    }

    fn transformer(&mut self, transformer: &Value, place: &str) -> Option<Transformer> {
        let written = transformer.get("operator").and_then(Value::as_str).unwrap_or_default();
        let place = format!("{place} ({written})");
        let Some(&(name, taken)) = transformers::OPERATORS.iter().find(|(name, _)| *name == bare(written)) else {
            let known = transformers::OPERATORS.map(|(name, _)| name).join(", ");
            self.findings.refuse(
                place,
                format!("the operator `{written}` is not known; known are {known}"),
            );
            return None;
        };
        if let Some(object) = transformer.as_object() {
            self.unknown_keys(object, &["operator", "args"], &place);
        }
        let mut arguments = Arguments::new();
        match transformer.get("args") {
            Some(Value::Object(args)) => {
                for (argument, value) in args {
                    // A script's own `value` is what comes in.
                    if argument == "value" {
                        continue;
                    }
                    if !taken.contains(&argument.as_str()) {
                        self.findings
                            .note(&place, format!("takes no argument `{argument}`; ignored"));
                        continue;
                    }
                    let parsed = self.argument(value, &format!("{place} › {argument}"))?;
                    if parsed != Simple::Nothing {
                        arguments.insert(argument.clone(), parsed);
                    }
                }
            }
            None | Some(Value::Null) if taken.is_empty() => self.findings.note(&place, "has no `args`; it takes none"),
            None | Some(_) => self
                .findings
                .doubt(&place, "has no `args`; every argument is taken for absent"),
        }
        self.parsed(Transformer::new(name, arguments), &place)
    }

    /// An argument: `{isContext, value: {simple} | null}`. Null is absent.
    fn argument(&mut self, argument: &Value, place: &str) -> Option<Simple> {
        let value = match argument {
            Value::Null => return Some(Simple::Nothing),
            Value::Object(object) => object.get("value").unwrap_or(&Value::Null),
            // Not wrapped at all.
            plain => plain,
        };
        let text = match value {
            Value::Null => return Some(Simple::Nothing),
            Value::Object(object) if object.get("complex").is_some_and(|complex| !complex.is_null()) => {
                self.findings.refuse(
                    place,
                    "an argument with filters and transformers of its own is not taken here",
                );
                return None;
            }
            Value::Object(object) => match object.get("simple") {
                None | Some(Value::Null) => return Some(Simple::Nothing),
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            },
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let is_context = argument
            .get("isContext")
            .or(argument.get("iscontext"))
            .and_then(Value::as_bool)
            == Some(true);
        let parsed = if is_context {
            Simple::source(&text)
        } else {
            Simple::argument(&text)
        };
        self.parsed(parsed, place)
    }

    fn parsed<T>(&mut self, parsed: Result<T, String>, place: &str) -> Option<T> {
        match parsed {
            Ok(parsed) => Some(parsed),
            Err(problem) => {
                self.findings.refuse(place, problem);
                None
            }
        }
    }

    fn unknown_keys(&mut self, object: &Map<String, Value>, known: &[&str], place: &str) {
        for key in object.keys().filter(|key| !known.contains(&key.as_str())) {
            self.findings
                .note(place, format!("has a key `{key}` that is not known; ignored"));
        }
    }
}

/// An operator's name without its group: `string.concat`, `general.uniq`.
fn bare(operator: &str) -> &str {
    operator.rsplit('.').next().unwrap_or(operator)
}
