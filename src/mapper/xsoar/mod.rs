//! Reads an exported mapper: `mapping.<type>.internalMapping.<target> = {simple, complex}`.
//!
//! Real files are dirty (keys given twice, transformers without `args`, filters without `right`,
//! unknown keys) and load all the same, with a note or a warning for each. What can't be done as it
//! is meant, or not safely, is an error: an unknown operator, JavaScript, a value that would become
//! structure.

mod operators;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    bounds::{MAX_PATHS, MAX_STEPS, MAX_TARGETS},
    check,
    error::CompileError,
    file::{Direction, Identity, MapperFile, TYPES},
    lenient_json,
    lint::{Findings, shorten},
    path::Path,
    patterns::Patterns,
    rule::{Complex, Field, Mapping, Rule},
    simple::{self, Simple},
    target::Target,
};

/// Keys that the platform writes into a mapper's file beside the mapping.
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

/// Reads an export; `None` when it is no mapper at all.
pub(super) fn read(text: &str, findings: &mut Findings) -> Option<MapperFile> {
    let document = match lenient_json::read(text) {
        Ok(document) => document,
        Err(error) => {
            findings.error("", format!("not JSON: {error}"));
            return None;
        }
    };
    for place in &document.duplicates {
        findings.note(place, "the key is given twice; the last one counts");
    }
    findings.count_omitted(document.more_duplicates);
    let Some(top) = document.value.as_object() else {
        findings.error("", "a mapper is a JSON object");
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
            findings.warning(
                "type",
                format!("`{other}` is neither mapping-outgoing nor mapping-incoming; it serves where it is named"),
            );
            None
        }
    };
    let Some(types) = top.get("mapping").and_then(Value::as_object) else {
        findings.error("mapping", "there is none");
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
        reads: BTreeSet::new(),
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
            reader.findings.warning(name, "has no internalMapping; it maps nothing");
            continue;
        };
        file.insert(mapping_type, reader.mapping(name, targets));
    }
    Some(file)
}

struct Reader<'f> {
    direction: Option<Direction>,
    /// The regular expressions of the whole file.
    patterns: Patterns,
    /// How many paths the target under way has.
    paths: usize,
    /// The fields that they read.
    reads: BTreeSet<String>,
    findings: &'f mut Findings,
}

impl Reader<'_> {
    fn mapping(&mut self, place: &str, targets: &Map<String, Value>) -> Mapping {
        let mut mapping = Mapping::default();
        if targets.len() > MAX_TARGETS {
            self.findings
                .error(place, format!("has more than {MAX_TARGETS} targets"));
            return mapping;
        }
        if targets.is_empty() && self.direction != Some(Direction::Incoming) {
            self.findings.error(place, "has no targets; it would map nothing");
        }
        for (name, value) in targets {
            if self.findings.is_full() {
                break;
            }
            let place = format!("{place} › {}", shorten(name));
            let target = check::target(self.direction, name, &place, self.findings);
            if let Some(field) = self.field(target, value, &place) {
                check::field(self.direction, &field, &place, self.findings);
                mapping.fields.push(field);
            }
        }
        check::mapping(self.direction, &mapping, place, self.findings);
        mapping
    }

    /// Reads a target's rule, or adds a finding that says why there is none. An ignored target
    /// (`None`) is read all the same, so that the errors in its rule are reported.
    fn field(&mut self, target: Option<Target>, value: &Value, place: &str) -> Option<Field> {
        let Some(value) = value.as_object() else {
            self.findings
                .warning(place, "is neither simple nor complex; it maps nothing");
            return None;
        };
        self.unknown_keys(value, &["simple", "complex"], place);
        (self.paths, self.reads) = (0, BTreeSet::new());
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
                self.findings.error(place, "`complex` is not an object");
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
        Some(Field::new(target?, rule, std::mem::take(&mut self.reads)))
    }

    fn complex<'v>(&mut self, complex: &'v Map<String, Value>, place: &str) -> Option<Complex> {
        self.unknown_keys(complex, &["root", "filters", "accessor", "transformers"], place);
        let root = self.text(complex, "root", place)?;
        let root = self.source(root, &format!("{place} › root"))?;
        let accessor = match self.text(complex, "accessor", place)?.trim() {
            "" => None,
            accessor => {
                let place = format!("{place} › accessor");
                let path = self.ok_or_report(Path::parse(accessor), &place)?;
                self.warn_all(simple::warnings_in_path(&path), &place);
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
                .error(place, format!("has more than {MAX_STEPS} filters and transformers"));
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
            self.findings.error(
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
                self.findings.error(place, format!("`{key}` is not a text"));
                None
            }
        }
    }

    /// A list of an object; the empty one where there is none. A value of another type is an error:
    /// leaving out a filter would map more people, not fewer.
    fn list<'v>(&mut self, object: &'v Map<String, Value>, key: &str, place: &str) -> Option<&'v [Value]> {
        match object.get(key) {
            None | Some(Value::Null) => Some(&[]),
            Some(Value::Array(list)) => Some(list),
            Some(_) => {
                self.findings.error(place, format!("`{key}` is not a list"));
                None
            }
        }
    }

    /// Parses a source and adds its warnings.
    fn source(&mut self, text: &str, place: &str) -> Option<Simple> {
        let parsed = self.ok_or_report(Simple::parse_source(text), place)?;
        self.record_paths(&parsed);
        self.warn_all(simple::warnings_in_source(text, &parsed), place);
        Some(parsed)
    }

    fn record_paths(&mut self, parsed: &Simple) {
        let paths = parsed.paths();
        self.paths += paths.len();
        self.reads
            .extend(paths.into_iter().map(|path| path.first_key().to_owned()));
    }

    fn warn_all(&mut self, warnings: Vec<String>, place: &str) {
        for warning in warnings {
            self.findings.warning(place, warning);
        }
    }

    fn ok_or_report<T>(&mut self, parsed: Result<T, CompileError>, place: &str) -> Option<T> {
        match parsed {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                self.findings.error(place, error.to_string());
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
