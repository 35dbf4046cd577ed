//! Reading a batch: each element into its operation as it arrives, or into what is wrong with it.

use std::collections::BTreeSet;

use axum::extract::Request;
use jiff::Timestamp;

use super::{
    super::operations::parse_not_before,
    elements::{Elements, Form},
    view::BatchElement,
};
use crate::{
    commands::{self, NamedError},
    http::{
        arguments::media_type,
        body::{BodyReader, BodyReservation, check_encoding},
        principal::Principal,
        problem::Problem,
        query::{PURPOSE, is_purpose},
        state::App,
    },
    json,
    operations::{BatchSubmission, Submission},
};

/// The most elements of a batch.
pub(in crate::http::routes) const MAX_ELEMENTS: usize = 10_000;

/// The longest body of a batch, in bytes.
pub(in crate::http::routes) const MAX_BATCH: usize = 16 * 1024 * 1024;

/// The media type of one element a line (github.com/ndjson/ndjson-spec).
pub(super) const NDJSON: &str = "application/x-ndjson";

/// A batch that was read.
pub(super) struct ReadBatch {
    pub(super) submission: BatchSubmission,
    /// Each command and instance that it has.
    pub(super) rights: BTreeSet<(&'static str, String)>,
    /// Kept until it is stored.
    pub(super) reservation: BodyReservation,
}

/// Puts a batch together.
struct BatchReader<'a> {
    app: &'a App,
    principal: &'a Principal,
    /// The longest element, in bytes.
    longest: usize,
    elements: usize,
    submission: BatchSubmission,
    rights: BTreeSet<(&'static str, String)>,
    /// Where an element is faulty, and why.
    faults: Vec<(String, String)>,
    /// Why the whole is refused, whatever the other elements are.
    refusal: Option<Problem>,
}

/// Why an element is no operation.
enum Fault {
    /// It is wrong here, for this reason.
    At(String, String),
    /// Its caller may not send it.
    Refused(Problem),
}

/// Reads a batch of this caller, under this key if it has one.
///
/// # Errors
/// When it is longer than is taken, an element is faulty, or a right to one is missing.
pub(super) async fn read(
    app: &App,
    principal: &Principal,
    key: Option<String>,
    request: Request,
) -> Result<ReadBatch, Problem> {
    check_encoding(request.headers())?;
    let form = match &*media_type(request.headers(), &[NDJSON])? {
        NDJSON => Form::Lines,
        _ => Form::Array,
    };
    let body_reader: std::sync::Arc<BodyReader> = request.extensions().get().cloned().unwrap_or_default();
    let caller = principal.caller_name().map(str::to_owned);
    let mut reader = BatchReader {
        app,
        principal,
        longest: body_reader.max_body(),
        elements: 0,
        submission: BatchSubmission::new(caller, key),
        rights: BTreeSet::new(),
        faults: Vec::new(),
        refusal: None,
    };
    let mut stream = body_reader.stream(request.into_body(), MAX_BATCH)?;
    let mut elements = Elements::new(form);
    let mut end = Ok(());
    while let Some(piece) = stream.next().await? {
        end = elements.push(&piece, &mut |element| reader.push(element));
        if end.is_err() {
            break;
        }
        if let Some(refusal) = reader.refusal.take() {
            return Err(refusal);
        }
        // A piece may hold hundreds of elements, and others want their turn.
        tokio::task::yield_now().await;
    }
    let end = end.and_then(|()| elements.finish(&mut |element| reader.push(element)));
    reader.finish(end, stream.into_reservation())
}

impl BatchReader<'_> {
    fn push(&mut self, element: &[u8]) {
        let index = self.elements;
        self.elements += 1;
        if self.refusal.is_some() {
            return;
        }
        if index == MAX_ELEMENTS {
            self.refusal = Some(Problem::batch_too_large(MAX_ELEMENTS));
            return;
        }
        match self.submission_of(element) {
            // What is not stored anyway need not be kept.
            Ok(submission) if self.faults.is_empty() => self.submission.push(submission),
            Ok(_) => {}
            Err(Fault::At(pointer, detail)) => self.faults.push((format!("/{index}{pointer}"), detail)),
            Err(Fault::Refused(problem)) => self.refusal = Some(problem.at_element(index)),
        }
    }

    fn submission_of(&mut self, element: &[u8]) -> Result<Submission, Fault> {
        if element.len() > self.longest {
            let detail = format!(
                "the element is longer than {} bytes, the most that a command takes",
                self.longest
            );
            return Err(Fault::At(String::new(), detail));
        }
        let value = json::parse(element).map_err(|error| Fault::At(error.pointer, error.message))?;
        let element: BatchElement = json::from_value(value).map_err(|error| Fault::At(error.pointer, error.message))?;
        let command = self.command(&element.command)?;
        let named = element.instance.as_deref();
        let instance = self.app.service.instance(named).cloned();
        let name = instance.as_ref().map(|instance| instance.name());
        if let Err(problem) = self.principal.require_instance(name, named.is_some()) {
            return Err(match named {
                Some(_) => at("/instance", "there is no such instance"),
                None => Fault::Refused(problem),
            });
        }
        let instance = instance.ok_or_else(|| at("/instance", "there is no such instance"))?;
        let parsed = commands::named(command, element.arguments).map_err(|error| match error {
            NamedError::Unknown => at("/command", "is the name of no command"),
            NamedError::Arguments(error) => Fault::At(format!("/arguments{}", error.pointer), error.message),
        })?;
        if element.purpose.as_deref().is_some_and(|purpose| !is_purpose(purpose)) {
            return Err(at("/purpose", PURPOSE));
        }
        let not_before = element.not_before.as_deref().map(not_before).transpose()?;
        self.rights.insert((command, instance.name().to_owned()));
        Ok(Submission {
            instance,
            command: parsed,
            caller: self.principal.caller_name().map(str::to_owned),
            not_before,
            purpose: element.purpose,
            key: None,
        })
    }

    /// The command of this name, which changes a directory and which the caller may run.
    fn command(&self, name: &str) -> Result<&'static str, Fault> {
        let known = commands::NAMES.into_iter().find(|(known, _)| *known == name);
        match known {
            None => Err(at("/command", "is the name of no command")),
            Some((_, false)) => Err(at(
                "/command",
                "is a command that only reads; a batch has those that change a directory",
            )),
            Some((name, true)) => {
                let required = self.principal.require_command(name, true);
                required.map(|()| name).map_err(Fault::Refused)
            }
        }
    }

    fn finish(mut self, end: Result<(), &'static str>, reservation: BodyReservation) -> Result<ReadBatch, Problem> {
        if let Some(refusal) = self.refusal {
            return Err(refusal);
        }
        if let Err(detail) = end {
            if self.faults.is_empty() {
                return Err(Problem::not_json("", detail));
            }
            self.faults.push((String::new(), detail.to_owned()));
        }
        if !self.faults.is_empty() {
            return Err(Problem::bad_batch(&self.faults));
        }
        if self.submission.is_empty() {
            return Err(Problem::empty_batch());
        }
        Ok(ReadBatch {
            submission: self.submission,
            rights: self.rights,
            reservation,
        })
    }
}

fn at(pointer: &str, detail: &str) -> Fault {
    Fault::At(pointer.to_owned(), detail.to_owned())
}

fn not_before(text: &str) -> Result<Timestamp, Fault> {
    parse_not_before(text).map_err(|detail| at("/notBefore", detail))
}
