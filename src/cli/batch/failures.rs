//! What did not come to its end: a table for people, and a file of those rows to mend and send
//! again.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use uuid::Uuid;

use super::{fault::Fault, follow::Counts, send::Sent, source::Source};
use crate::cli::{
    fate::{self, Fate},
    remote::{Ask, Remote, RemoteError},
    table::{Table, shown},
};

/// The most rows of the table; a file has them all.
const MOST_ROWS: usize = 50;

/// The longest reason that is kept of a failure, in characters.
const LONGEST_REASON: usize = 300;

/// Operations on a page.
const PAGE: &str = "500";

/// Why the failures can't be told.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReportError {
    /// The service can't be asked.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The file is not what it was.
    #[error("the file has changed since it was sent: {0}")]
    Changed(Fault),
    /// The file of failures can't be written.
    #[error("{}: {error}", path.display())]
    NotWritten {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
}

/// What did not come to its end.
pub(super) struct Report {
    pub(super) table: Table<4>,
    /// How many more there are than the table has.
    pub(super) more: usize,
    /// How many rows the file of failures has.
    pub(super) written: usize,
}

/// An operation that did not come to its end.
struct Failure {
    state: String,
    why: String,
}

/// A file that the failed rows are written into, which only its owner may read: they are people.
/// It is there once it is whole, so that the rows of an earlier run are not lost before.
pub(super) struct FailureFile {
    path: PathBuf,
    /// What is written into, beside it.
    part: PathBuf,
    file: BufWriter<File>,
}

impl FailureFile {
    /// Makes the file, empty.
    ///
    /// # Errors
    /// When it can't be made, or is the file that is sent.
    pub(super) fn create(path: &Path, source: &Path) -> Result<Self, String> {
        let refused = |why: &dyn std::fmt::Display| format!("--failures {}: {why}", path.display());
        if let (Ok(this), Ok(that)) = (path.canonicalize(), source.canonicalize())
            && this == that
        {
            return Err(refused(&"that is the file to be sent: choose another"));
        }
        let name = path.file_name().ok_or_else(|| refused(&"no name of a file"))?;
        let mut part = name.to_owned();
        part.push(".part");
        let part = path.with_file_name(part);
        let mut options = File::options();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&part).map_err(|error| refused(&error))?;
        Ok(Self {
            path: path.to_owned(),
            part,
            file: BufWriter::new(file),
        })
    }

    fn write(&mut self, text: &str) -> Result<(), ReportError> {
        let written = self.file.write_all(text.as_bytes());
        written.map_err(|error| self.error(error))
    }

    /// Puts the file in its place.
    fn finish(mut self) -> Result<(), ReportError> {
        let flushed = self.file.flush();
        let renamed = flushed.and_then(|()| fs::rename(&self.part, &self.path));
        renamed.map_err(|error| self.error(error))
    }

    fn error(&self, error: std::io::Error) -> ReportError {
        ReportError::NotWritten {
            path: self.path.clone(),
            error,
        }
    }
}

impl Drop for FailureFile {
    fn drop(&mut self) {
        // Of one that was finished nothing is left there.
        let _ = fs::remove_file(&self.part);
    }
}

/// Goes through the file once more, beside what became of its rows.
pub(super) async fn report(
    remote: &Remote,
    source: &Source,
    sent: &[Sent],
    counts: &[Counts],
    mut file: Option<FailureFile>,
) -> Result<Report, ReportError> {
    let changed = |what: &str| ReportError::Changed(Fault::file(what.to_owned()));
    let mut rows = source.rows().map_err(|_| changed("it can't be read as before"))?;
    let mut report = Report {
        table: Table::new(["LINE", "SUBJECT", "STATE", "WHY"]),
        more: 0,
        written: 0,
    };
    if let Some(file) = &mut file {
        file.write(&rows.beginning())?;
    }
    for (sent, counts) in sent.iter().zip(counts) {
        let mut failures = failures(remote, sent, counts).await?;
        let mut operations = sent.operations.iter();
        for place in 0..sent.count {
            let row = rows.next().map_err(ReportError::Changed)?;
            let row = row.ok_or_else(|| changed("it is shorter"))?;
            let failure = match sent.refused.get(&place) {
                Some(why) => Failure {
                    state: "refused".to_owned(),
                    why: why.clone(),
                },
                None => match operations.next().and_then(|id| failures.remove(id)) {
                    Some(failure) => failure,
                    None => continue,
                },
            };
            if report.table.len() < MOST_ROWS {
                let line = row.line.to_string();
                report.table.row([&line, row.subject(), &failure.state, &failure.why]);
            } else {
                report.more += 1;
            }
            // What waits for a person's word is done after it: sent again it would come twice.
            if let Some(file) = &mut file
                && Fate::of(&failure.state) != Fate::Waits
            {
                file.write(&row.text)?;
                report.written += 1;
            }
        }
    }
    file.map(FailureFile::finish).transpose()?;
    Ok(report)
}

/// The operations of a batch that did not come to their end.
async fn failures(remote: &Remote, sent: &Sent, counts: &Counts) -> Result<HashMap<Uuid, Failure>, RemoteError> {
    const FATES: [Fate; 2] = [Fate::Ill, Fate::Waits];
    let mut failures = HashMap::new();
    let Some(batch) = sent.batch.as_ref().filter(|_| counts.of(&FATES) > 0) else {
        return Ok(failures);
    };
    let mut cursor = None;
    loop {
        let mut query = vec![
            ("batch", batch.clone()),
            ("state", Fate::states(&FATES)),
            ("limit", PAGE.to_owned()),
        ];
        query.extend(cursor.map(|cursor| ("cursor", cursor)));
        let answer = remote.send(&Ask::get(&["operations"]).query(query)).await?;
        let operations = answer.body["operations"].as_array().ok_or_else(|| remote.foreign())?;
        failures.extend(operations.iter().filter_map(|operation| {
            let failure = Failure {
                state: fate::text(operation, "state").to_owned(),
                why: shown(fate::why(operation), LONGEST_REASON),
            };
            Some((operation["id"].as_str()?.parse().ok()?, failure))
        }));
        match answer.body["next"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return Ok(failures),
        }
    }
}
