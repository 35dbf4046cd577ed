//! Reads a mapper written by hand: TOML tables, one a type, target = expression.
//!
//! ```toml
//! name = "ours"
//! direction = "outgoing"
//!
//! ["User Profile"]
//! userName = "email"
//! name.givenName = "givenname"
//! displayName = 'givenname ~ " " ~ surname'
//! emails = '[{"value": email, "type": "work", "primary": true}]'
//! ```

use toml::{Table, Value};

use super::{
    bounds::{MAX_DEPTH, MAX_PATH, MAX_TARGETS},
    check,
    expressions::Expression,
    file::{Direction, Identity, MapperFile, TYPES},
    lint::{Findings, shorten},
    rule::{Field, Mapping, Rule},
};

/// Reads a mapper; `None` when it can't be read at all.
pub(super) fn read(text: &str, findings: &mut Findings) -> Option<MapperFile> {
    let table: Table = match text.parse() {
        Ok(table) => table,
        Err(error) => {
            let error: toml::de::Error = error;
            let line = text[..error.span().map_or(0, |span| span.start.min(text.len()))]
                .matches('\n')
                .count()
                + 1;
            findings.error("", format!("not TOML, line {line}: {}", error.message()));
            return None;
        }
    };
    let direction = match table.get("direction").and_then(Value::as_str) {
        Some("outgoing") => Some(Direction::Outgoing),
        Some("incoming") => Some(Direction::Incoming),
        other => {
            let found = other.unwrap_or("nothing");
            findings.error("direction", format!("found {found}; use \"outgoing\" or \"incoming\""));
            None
        }
    };
    let text = |key: &str| table.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut file = MapperFile::new(Identity {
        id: text("id"),
        name: text("name"),
        direction,
    });
    for (key, value) in &table {
        let mapping_type = TYPES
            .iter()
            .find(|(_, name)| name == key)
            .map(|(mapping_type, _)| *mapping_type);
        match (mapping_type, value) {
            (Some(mapping_type), Value::Table(targets)) => {
                file.insert(mapping_type, mapping(direction, key, targets, findings))
            }
            (None, _) if ["id", "name", "direction", "description"].contains(&key.as_str()) => {}
            _ => {
                let types = TYPES.map(|(_, name)| format!("[\"{name}\"]")).join(", ");
                findings.error(key, format!("not a table of a mapper; there are {types}"));
            }
        }
    }
    Some(file)
}

fn mapping(direction: Option<Direction>, place: &str, targets: &Table, findings: &mut Findings) -> Mapping {
    let mut mapping = Mapping::default();
    let mut flat = Vec::new();
    flatten("", targets, MAX_DEPTH, &mut flat);
    if flat.len() > MAX_TARGETS {
        findings.error(place, format!("has more than {MAX_TARGETS} targets"));
        return mapping;
    }
    if flat.is_empty() && direction == Some(Direction::Outgoing) {
        findings.error(place, "has no targets; it would map nothing");
    }
    for (name, value) in flat {
        if findings.is_full() {
            break;
        }
        let place = format!("{place} › {}", shorten(&name));
        let target = check::target(direction, &name, &place, findings);
        let Some(text) = value.as_str() else {
            findings.error(place, "an expression is a text: write it in quotes");
            continue;
        };
        match Expression::new(text) {
            Ok(expression) => {
                if let Some(target) = target {
                    let reads = expression.fields().iter().cloned().collect();
                    let field = Field::new(target, Rule::Expression(Box::new(expression)), reads);
                    check::field(direction, &field, &place, findings);
                    mapping.fields.push(field);
                }
            }
            Err(error) => findings.error(place, error.to_string()),
        }
    }
    check::mapping(direction, &mapping, place, findings);
    mapping
}

/// The targets of a table, those of tables in it behind a dot; one more than are allowed is enough
/// to refuse them.
fn flatten<'t>(prefix: &str, table: &'t Table, depth: usize, flat: &mut Vec<(String, &'t Value)>) {
    for (key, value) in table {
        if flat.len() > MAX_TARGETS {
            return;
        }
        let name = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        match value {
            // A table whose name is too long for a target is reported itself; copying the name for
            // each key in it could take much memory.
            Value::Table(inner) if depth > 0 && name.len() <= MAX_PATH => flatten(&name, inner, depth - 1, flat),
            value => flat.push((name, value)),
        }
    }
}
