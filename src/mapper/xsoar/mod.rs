//! Reads an exported mapper: `mapping.<type>.internalMapping.<target> = {simple, complex}`.
//!
//! Real files are dirty (keys given twice, transformers without `args`, filters without `right`,
//! keys that nobody knows) and load all the same; what was seen is told in the findings. What can't
//! be done as it is meant, or not safely, is refused: an operator that is not known, JavaScript, a
//! value that would become structure.

mod operators;

use serde_json::{Map, Value};

use super::{
    bounds::{MAX_PATHS, MAX_STEPS, MAX_TARGETS},
    check,
    file::{Direction, Identity, MapperFile, TYPES},
    lenient_json,
    lint::{Findings, shortened},
    path::Path,
    patterns::Patterns,
    rule::{Complex, Field, Mapping, Rule},
    simple::{self, Simple},
    target::Target,
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
    let document = match lenient_json::read(text) {
        Ok(document) => document,
        Err(error) => {
            findings.refuse("", format!("not JSON: {error}"));
            return None;
        }
    };
    for place in &document.repeated {
        findings.note(place, "the key is given twice; the last one counts");
    }
    findings.leave_out(document.more_repeated);
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
    let mut reader = Reader {
        direction,
        patterns: Patterns::default(),
        paths: 0,
        findings,
    };
    for (name, mapping) in types {
        let Some(mapping_type) = TYPES
            .iter()
            .find(|(_, known)| known == name)
            .map(|(mapping_type, _)| *mapping_type)
        else {
            reader
                .findings
                .note(name, "not a type that the user commands map; ignored");
            continue;
        };
        let Some(targets) = mapping.get("internalMapping").and_then(Value::as_object) else {
            reader.findings.doubt(name, "has no internalMapping; it maps nothing");
            continue;
        };
        file.insert(mapping_type, reader.mapping(name, targets));
    }
    Some(file)
}

struct Reader<'f> {
    direction: Option<Direction>,
    /// Those of the whole file.
    patterns: Patterns,
    /// Paths of the target under way.
    paths: usize,
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
        if targets.is_empty() && self.direction != Some(Direction::Incoming) {
            self.findings.refuse(place, "has no targets; it would map nothing");
        }
        for (name, value) in targets {
            if self.findings.is_enough() {
                break;
            }
            let place = format!("{place} › {}", shortened(name));
            let target = check::target(self.direction, name, &place, self.findings);
            if let Some(field) = self.field(target, value, &place) {
                check::field(self.direction, &field, &place, self.findings);
                mapping.fields.push(field);
            }
        }
        check::mapping(self.direction, &mapping, place, self.findings);
        mapping
    }

    /// The rule of a target; without one what is wrong, or that it maps nothing, is noted. A target
    /// that is nobody's is read all the same, so that what is refused in it is told.
    fn field(&mut self, target: Option<Target>, value: &Value, place: &str) -> Option<Field> {
        let Some(value) = value.as_object() else {
            self.findings
                .doubt(place, "is neither simple nor complex; it maps nothing");
            return None;
        };
        self.unknown_keys(value, &["simple", "complex"], place);
        let rule = match value.get("complex") {
            Some(Value::Object(complex)) => {
                if value
                    .get("simple")
                    .and_then(Value::as_str)
                    .is_some_and(|text| !text.is_empty())
                {
                    self.findings.note(place, "has both; `simple` is ignored");
                }
                Rule::Complex(self.complex(complex, place)?)
            }
            None | Some(Value::Null) => {
                let text = self.text(value, "simple", place)?;
                Rule::Simple(self.source(text, place)?)
            }
            Some(_) => {
                self.findings.refuse(place, "`complex` is not an object");
                return None;
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

    fn complex<'v>(&mut self, complex: &'v Map<String, Value>, place: &str) -> Option<Complex> {
        self.unknown_keys(complex, &["root", "filters", "accessor", "transformers"], place);
        self.paths = 0;
        let root = self.text(complex, "root", place)?;
        let root = self.source(root, &format!("{place} › root"))?;
        let accessor = match self.text(complex, "accessor", place)?.trim() {
            "" => None,
            accessor => {
                let place = format!("{place} › accessor");
                let path = self.parsed(Path::parse(accessor), &place)?;
                self.doubts(simple::doubts_of_path(&path), &place);
                Some(path)
            }
        };
        let (groups, steps) = (
            self.list(complex, "filters", place)?,
            self.list(complex, "transformers", place)?,
        );
        // A group of one alternative may stand without its list.
        let alternatives = |group: &'v Value| group.as_array().map_or(std::slice::from_ref(group), Vec::as_slice);
        let tests: usize = groups.iter().map(|group| alternatives(group).len()).sum();
        if tests.max(groups.len()) + steps.len() > MAX_STEPS {
            self.findings
                .refuse(place, format!("has more than {MAX_STEPS} filters and transformers"));
            return None;
        }
        let (mut filters, mut sound) = (Vec::new(), true);
        for (index, group) in groups.iter().enumerate() {
            let place = format!("{place} › filter {}", index + 1);
            let mut tests = Vec::new();
            for test in alternatives(group) {
                match self.test(&root, test, &place) {
                    Some(test) => tests.push(test),
                    None => sound = false,
                }
            }
            if !tests.is_empty() {
                filters.push(tests);
            }
        }
        let mut transformers = Vec::new();
        for (index, transformer) in steps.iter().enumerate() {
            match self.transformer(transformer, &format!("{place} › transformer {}", index + 1)) {
                Some(transformer) => transformers.push(transformer),
                None => sound = false,
            }
        }
        if self.paths > MAX_PATHS {
            self.findings.refuse(
                place,
                format!("has more than {MAX_PATHS} paths, those in its arguments included"),
            );
            return None;
        }
        sound.then_some(Complex {
            root,
            filters,
            accessor,
            transformers,
        })
    }

    /// A text of an object; the empty one where there is none.
    fn text<'v>(&mut self, object: &'v Map<String, Value>, key: &str, place: &str) -> Option<&'v str> {
        match object.get(key) {
            None | Some(Value::Null) => Some(""),
            Some(Value::String(text)) => Some(text),
            Some(_) => {
                self.findings.refuse(place, format!("`{key}` is not a text"));
                None
            }
        }
    }

    /// A list of an object; the empty one where there is none. What is none is not passed over:
    /// leaving out a filter takes more people, not fewer.
    fn list<'v>(&mut self, object: &'v Map<String, Value>, key: &str, place: &str) -> Option<&'v [Value]> {
        match object.get(key) {
            None | Some(Value::Null) => Some(&[]),
            Some(Value::Array(list)) => Some(list),
            Some(_) => {
                self.findings.refuse(place, format!("`{key}` is not a list"));
                None
            }
        }
    }

    /// A source, with what is doubtful in it.
    fn source(&mut self, text: &str, place: &str) -> Option<Simple> {
        let parsed = self.parsed(Simple::source(text), place)?;
        self.paths += parsed.paths().len();
        self.doubts(simple::doubts_of_source(text, &parsed), place);
        Some(parsed)
    }

    fn doubts(&mut self, doubts: Vec<String>, place: &str) {
        for doubt in doubts {
            self.findings.doubt(place, doubt);
        }
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
