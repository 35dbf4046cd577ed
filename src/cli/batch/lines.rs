//! The lines of a text file, in UTF-8 or in UTF-16 as programs on Windows write it.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Read},
    path::Path,
};

use super::fault::Fault;

/// The longest line in bytes: a million characters are no person.
pub(super) const LONGEST_LINE: usize = 1 << 20;

/// The mark by which a text in UTF-8 says that it is.
const UTF_8_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Reads a file line by line.
pub(super) struct Lines {
    text: BufReader<Box<dyn Read>>,
    /// The number of the last line that was read.
    number: u64,
    /// Whether the file began with a byte order mark.
    pub(super) has_mark: bool,
}

impl Lines {
    pub(super) fn open(path: &Path) -> Result<Self, Fault> {
        let unreadable = |error: io::Error| Fault::file(format!("it can't be read: {error}"));
        let about = std::fs::metadata(path).map_err(unreadable)?;
        if !about.is_file() {
            return Err(Fault::file(
                "it has to be a file: it is read more than once, so that nothing of a faulty one is sent".to_owned(),
            ));
        }
        let mut bytes = BufReader::new(File::open(path).map_err(unreadable)?);
        let begin = bytes.fill_buf().map_err(unreadable)?;
        let utf_16 = match begin {
            [0xFF, 0xFE, ..] => Some(Order::LittleEndian),
            [0xFE, 0xFF, ..] => Some(Order::BigEndian),
            // Without a mark: the first characters of a header or an object are ASCII.
            [first, 0, ..] if *first != 0 => Some(Order::LittleEndian),
            [0, second, ..] if *second != 0 => Some(Order::BigEndian),
            _ => None,
        };
        let mark = match begin {
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => 2,
            _ if begin.starts_with(UTF_8_MARK) => UTF_8_MARK.len(),
            _ => 0,
        };
        bytes.consume(mark);
        let text: Box<dyn Read> = match utf_16 {
            Some(order) => Box::new(Utf16::new(bytes, order)),
            None => Box::new(bytes),
        };
        Ok(Self {
            text: BufReader::new(text),
            number: 0,
            has_mark: mark > 0,
        })
    }

    /// The next line with its end, and its number; `None` behind the last.
    pub(super) fn next(&mut self) -> Result<Option<(u64, String)>, Fault> {
        let number = self.number + 1;
        let mut line = Vec::new();
        let most = LONGEST_LINE as u64 + 1;
        let mut text = (&mut self.text).take(most);
        let read = text.read_until(b'\n', &mut line);
        read.map_err(|error| Fault::at(number, format!("it can't be read: {error}")).ending())?;
        if line.len() > LONGEST_LINE {
            return Err(Fault::at(number, "the line is longer than 1 MiB".to_owned()).ending());
        }
        if line.is_empty() {
            return Ok(None);
        }
        self.number = number;
        match String::from_utf8(line) {
            Ok(line) => Ok(Some((number, line))),
            Err(_) => Err(Fault::at(
                number,
                "not UTF-8: save the file anew, from Excel as \"CSV UTF-8 (Comma delimited)\"".to_owned(),
            )
            .ending()),
        }
    }

    /// The next line that is not blank.
    pub(super) fn next_filled(&mut self) -> Result<Option<(u64, String)>, Fault> {
        loop {
            match self.next()? {
                Some((_, text)) if text.trim().is_empty() => {}
                other => return Ok(other),
            }
        }
    }
}

/// Which byte of a unit comes first.
#[derive(Clone, Copy)]
enum Order {
    LittleEndian,
    BigEndian,
}

/// Turns UTF-16 into UTF-8.
struct Utf16<R> {
    inner: R,
    order: Order,
    /// UTF-8 that was not read yet, from `read` on.
    ready: Vec<u8>,
    read: usize,
}

impl<R: Read> Utf16<R> {
    fn new(inner: R, order: Order) -> Self {
        Self {
            inner,
            order,
            ready: Vec::new(),
            read: 0,
        }
    }

    /// The next unit; `None` at the end.
    fn unit(&mut self) -> io::Result<Option<u16>> {
        let mut bytes = [0; 2];
        if self.inner.read(&mut bytes[..1])? == 0 {
            return Ok(None);
        }
        self.inner.read_exact(&mut bytes[1..])?;
        Ok(Some(match self.order {
            Order::LittleEndian => u16::from_le_bytes(bytes),
            Order::BigEndian => u16::from_be_bytes(bytes),
        }))
    }

    /// The next character, which may be of two units (RFC 2781 section 2.2).
    fn character(&mut self) -> io::Result<Option<char>> {
        let Some(first) = self.unit()? else {
            return Ok(None);
        };
        let second = if matches!(first, 0xD800..=0xDBFF) {
            self.unit()?
        } else {
            None
        };
        let units = [first, second.unwrap_or_default()];
        let units = &units[..=usize::from(second.is_some())];
        match char::decode_utf16(units.iter().copied()).next() {
            Some(Ok(character)) => Ok(Some(character)),
            Some(Err(_)) | None => Err(io::Error::new(io::ErrorKind::InvalidData, "not UTF-16")),
        }
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if self.read == self.ready.len() {
            self.ready.clear();
            self.read = 0;
            while self.ready.len() < 4096 {
                let Some(character) = self.character()? else {
                    break;
                };
                let mut utf_8 = [0; 4];
                self.ready
                    .extend_from_slice(character.encode_utf8(&mut utf_8).as_bytes());
            }
        }
        let count = (&self.ready[self.read..]).read(target)?;
        self.read += count;
        Ok(count)
    }
}
