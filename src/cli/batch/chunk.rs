//! The parts of a file that are sent as one batch each.

use aws_lc_rs::digest;

use super::{fault::Fault, row::Row, source::Rows};

/// The most elements of a batch.
const MOST_ELEMENTS: usize = 10_000;

/// The longest body of a batch.
const LONGEST_BODY: usize = 16 << 20;

/// Rows that follow each other.
pub(super) struct Chunk {
    /// How many rows of the file are before it.
    pub(super) first: usize,
    /// The elements as JSON, a line each.
    body: Vec<u8>,
    /// Where each line ends.
    ends: Vec<usize>,
}

/// Cuts the rows of a file into chunks.
pub(super) struct Chunks<'s> {
    rows: Rows<'s>,
    next: Option<Row>,
    count: usize,
}

impl<'s> Chunks<'s> {
    pub(super) fn of(rows: Rows<'s>) -> Self {
        Self {
            rows,
            next: None,
            count: 0,
        }
    }

    /// The next chunk; `None` behind the last.
    pub(super) fn next(&mut self) -> Result<Option<Chunk>, Fault> {
        let mut chunk = Chunk {
            first: self.count,
            body: Vec::new(),
            ends: Vec::new(),
        };
        while chunk.ends.len() < MOST_ELEMENTS {
            let next = match self.next.take() {
                Some(row) => Some(row),
                None => self.rows.next()?,
            };
            let Some(row) = next else { break };
            let line = serde_json::to_vec(&row.element).map_err(|error| Fault::at(row.line, error.to_string()))?;
            if !chunk.ends.is_empty() && chunk.body.len() + line.len() + 1 > LONGEST_BODY {
                self.next = Some(row);
                break;
            }
            chunk.push(&line);
        }
        self.count += chunk.ends.len();
        Ok((!chunk.ends.is_empty()).then_some(chunk))
    }
}

impl Chunk {
    fn push(&mut self, line: &[u8]) {
        self.body.extend_from_slice(line);
        self.body.push(b'\n');
        self.ends.push(self.body.len());
    }

    /// How many elements there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The body of the batch, without the elements at these places.
    pub(super) fn body(&self, left_out: &[bool]) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.body.len());
        let begins = std::iter::once(&0).chain(&self.ends);
        for ((begin, end), is_out) in begins.zip(&self.ends).zip(left_out) {
            if !is_out {
                body.extend_from_slice(&self.body[*begin..*end]);
            }
        }
        body
    }
}

/// Makes the idempotency keys of a file's batches: the same file, options and place give the same
/// key, so that what was sent before is not sent twice.
pub(super) struct Keys(digest::Context);

impl Keys {
    /// The keys of one run of a file.
    pub(super) fn of(content: &digest::Digest, run: &str) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(b"aws-ilm batch 1\n");
        context.update(content.as_ref());
        context.update(run.as_bytes());
        context.update(b"\n");
        Self(context)
    }

    /// The key of a batch. The options are in its elements.
    pub(super) fn key(&self, chunk: &Chunk, body: &[u8]) -> String {
        let mut context = self.0.clone();
        context.update(chunk.first.to_string().as_bytes());
        context.update(b"\n");
        context.update(body);
        let digest = context.finish();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.as_ref()[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
    }
}
