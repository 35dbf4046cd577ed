//! The file of a batch: rows that each stand for one element, as JSON or in a table.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{
    columns::Columns,
    fault::Fault,
    lines::Lines,
    row::{Options, Row},
};
use crate::json;

/// A file that can be read as often as it takes.
pub(super) struct Source {
    path: PathBuf,
    options: Options,
}

/// A reading of the file.
pub(super) struct Rows<'s> {
    options: &'s Options,
    lines: Lines,
    form: Form,
    /// The first line of JSON, which was read to know the form.
    first: Option<(u64, String)>,
}

enum Form {
    Json,
    Table(Columns),
}

impl Source {
    pub(super) fn new(path: PathBuf, options: Options) -> Self {
        Self { path, options }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Begins to read.
    pub(super) fn rows(&self) -> Result<Rows<'_>, Vec<Fault>> {
        let one = |fault| vec![fault];
        let mut lines = Lines::open(&self.path).map_err(one)?;
        let first = lines.next_filled().map_err(one)?;
        let begin = first.as_ref().and_then(|(_, text)| text.trim_start().chars().next());
        let (first, form) = match begin {
            Some('{') => (first, Form::Json),
            Some('[') => {
                let what = "a JSON list: write one element a line, as `jq -c '.[]' FILE` does";
                return Err(one(Fault::file(what.to_owned())));
            }
            Some(_) | None => {
                // From its beginning: a header may go over several lines.
                lines = Lines::open(&self.path).map_err(one)?;
                (None, Form::Table(Columns::read(&mut lines, &self.options)?))
            }
        };
        Ok(Rows {
            options: &self.options,
            lines,
            form,
            first,
        })
    }
}

impl Rows<'_> {
    /// What a file of some of the rows begins with: the mark that Excel knows the encoding by, and
    /// the header.
    pub(super) fn beginning(&self) -> String {
        let mark = if self.lines.has_mark { "\u{feff}" } else { "" };
        match &self.form {
            Form::Json => mark.to_owned(),
            Form::Table(columns) => format!("{mark}{}", columns.text),
        }
    }

    /// The next row; `None` behind the last.
    ///
    /// # Errors
    /// What is wrong with it. The next may be right all the same, unless the fault ends the file.
    pub(super) fn next(&mut self) -> Result<Option<Row>, Fault> {
        match &self.form {
            Form::Table(columns) => columns.next(&mut self.lines, self.options),
            Form::Json => {
                let first = self.first.take();
                let Some((line, text)) = first.map_or_else(|| self.lines.next_filled(), |first| Ok(Some(first)))?
                else {
                    return Ok(None);
                };
                let element = match json::parse(text.trim().as_bytes()) {
                    Ok(Value::Object(element)) => element,
                    Ok(_) => return Err(Fault::at(line, "not a JSON object".to_owned())),
                    Err(error) => return Err(Fault::at(line, format!("not JSON: {error}"))),
                };
                Row::new(line, text, element, self.options).map(Some)
            }
        }
    }
}
