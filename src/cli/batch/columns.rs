//! A table of people: a header of profile fields, and a row for each.

use serde_json::{Map, Value};

use super::{
    fault::Fault,
    lines::{LONGEST_LINE, Lines},
    row::{Options, Row},
};
use crate::{
    diagnostic::nearest,
    profile::{display_key, known_fields},
};

/// What may stand between two cells.
const DELIMITERS: [u8; 3] = *b",;\t";

/// A first line that names the delimiter, which Excel reads and writes.
const SEPARATOR: &str = "sep=";

/// Columns that are no field of the profile but a part of the element.
const OF_ELEMENT: [&str; 4] = ["command", "instance", "notBefore", "purpose"];

/// The header of a table.
pub(super) struct Columns {
    delimiter: u8,
    /// The header as it stands, with what was before it.
    pub(super) text: String,
    columns: Vec<Column>,
}

/// What a column holds.
enum Column {
    /// A part of the element.
    Element(&'static str),
    /// A field of the profile.
    Field(String),
}

impl Column {
    fn name(&self) -> &str {
        match self {
            Self::Element(name) => name,
            Self::Field(name) => name,
        }
    }
}

impl Columns {
    /// Reads the header.
    pub(super) fn read(lines: &mut Lines, options: &Options) -> Result<Self, Vec<Fault>> {
        let record = || Fault::file("it is empty: a header and rows, or JSON, are expected".to_owned());
        let mut header = next_record(lines).map_err(|fault| vec![fault])?;
        let mut before = String::new();
        let mut told = None;
        if let Some((_, text)) = &header
            && let Some(&[delimiter]) = text.trim_end().strip_prefix(SEPARATOR).map(str::as_bytes)
        {
            told = Some(delimiter);
            before.clone_from(text);
            header = next_record(lines).map_err(|fault| vec![fault])?;
        }
        let (line, text) = header.ok_or_else(|| vec![record()])?;
        let delimiter = told.unwrap_or_else(|| most_frequent(&text));
        let cells = cells(&text, delimiter).map_err(|what| vec![Fault::at(line, what)])?;
        let mut columns: Vec<Column> = Vec::new();
        let mut faults = Vec::new();
        for (index, name) in cells.iter().enumerate() {
            match column(name.trim(), index, options) {
                Ok(column) if columns.iter().any(|other| other.name() == column.name()) => {
                    faults.push(format!("two columns are `{}`: leave one", column.name()));
                }
                Ok(column) => columns.push(column),
                Err(what) => faults.push(what),
            }
        }
        if !faults.is_empty() {
            return Err(faults.into_iter().map(|what| Fault::at(line, what)).collect());
        }
        Ok(Self {
            delimiter,
            text: before + &text,
            columns,
        })
    }

    /// The next row; rows of which every cell is empty are passed over.
    pub(super) fn next(&self, lines: &mut Lines, options: &Options) -> Result<Option<Row>, Fault> {
        loop {
            let Some((line, text)) = next_record(lines)? else {
                return Ok(None);
            };
            let cells = cells(&text, self.delimiter).map_err(|what| Fault::at(line, what))?;
            if cells.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            if cells.len() != self.columns.len() {
                return Err(Fault::at(
                    line,
                    format!(
                        "the row has {} cells, the header {}: a delimiter is missing or too many, or a quote",
                        cells.len(),
                        self.columns.len()
                    ),
                ));
            }
            let element = self.element(&cells);
            return Row::new(line, text, element, options).map(Some);
        }
    }

    /// The element that a row stands for. An empty cell says nothing.
    fn element(&self, cells: &csv::StringRecord) -> Map<String, Value> {
        let mut element = Map::new();
        let mut profile = Map::new();
        for (column, cell) in self.columns.iter().zip(cells) {
            if cell.trim().is_empty() {
                continue;
            }
            match column {
                Column::Element(name) => element.insert((*name).to_owned(), cell.into()),
                Column::Field(name) => profile.insert(name.clone(), cell.into()),
            };
        }
        let arguments = Map::from_iter([("user-profile".to_owned(), Value::Object(profile))]);
        element.insert("arguments".to_owned(), Value::Object(arguments));
        element
    }
}

/// What the column of this name holds, or what is wrong with the name.
fn column(name: &str, index: usize, options: &Options) -> Result<Column, String> {
    if name.is_empty() {
        return Err(format!(
            "column {} has no name: name it, or delete the column",
            index + 1
        ));
    }
    if options.fields.iter().any(|field| field == name) {
        return Ok(Column::Field(name.to_owned()));
    }
    let internal = display_key(name);
    if let Some(part) = OF_ELEMENT.into_iter().find(|part| display_key(part) == internal) {
        return Ok(Column::Element(part));
    }
    if known_fields().any(|field| field == internal) {
        return Ok(Column::Field(internal));
    }
    let known = || known_fields().chain(OF_ELEMENT);
    let help = match nearest(&internal, known()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are {}", known().collect::<Vec<_>>().join(", ")),
    };
    Err(format!(
        "the column `{name}` is no field of a profile: {help} A field of your own mapper: --field \"{name}\""
    ))
}

/// The delimiter that a header has most of.
fn most_frequent(header: &str) -> u8 {
    let mut is_quoted = false;
    let mut counts = [0; DELIMITERS.len()];
    for byte in header.bytes() {
        is_quoted ^= byte == b'"';
        if let Some(place) = DELIMITERS.iter().position(|delimiter| *delimiter == byte && !is_quoted) {
            counts[place] += 1;
        }
    }
    let most = counts.iter().max();
    let place = counts.iter().position(|count| Some(count) == most);
    place.map_or(b',', |place| DELIMITERS[place])
}

/// The next record that is not blank, as it stands, and the number of its first line. Line breaks
/// between quotes are part of it (RFC 4180 section 2.6).
fn next_record(lines: &mut Lines) -> Result<Option<(u64, String)>, Fault> {
    let Some((first, mut text)) = lines.next_filled()? else {
        return Ok(None);
    };
    while text.bytes().filter(|byte| *byte == b'"').count() % 2 == 1 {
        let open = || Fault::at(first, "a quote is opened there and not closed".to_owned()).ending();
        let (_, more) = lines.next()?.ok_or_else(open)?;
        if text.len() + more.len() > LONGEST_LINE {
            return Err(open());
        }
        text.push_str(&more);
    }
    Ok(Some((first, text)))
}

/// The cells of a record.
fn cells(record: &str, delimiter: u8) -> Result<csv::StringRecord, String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .buffer_capacity(record.len())
        .from_reader(record.as_bytes());
    let mut records = reader.records();
    match (records.next(), records.next()) {
        (Some(Ok(cells)), None) => Ok(cells),
        (_, Some(_)) => {
            Err("a line ends with a carriage return alone: save the file with line ends of Windows or Unix".to_owned())
        }
        (Some(Err(error)), None) => Err(error.to_string()),
        (None, None) => Ok(csv::StringRecord::new()),
    }
}
