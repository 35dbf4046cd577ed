//! A request to a source, as it came.

use jiff::Timestamp;
use secrecy::SecretString;

/// A request to a source, before anything of it is believed.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The request's method.
    pub method: String,
    /// The path and query as they were sent. May hold the secret of a path, so it is never logged.
    pub target: SecretString,
    /// The host that was asked for, as it was sent.
    pub host: Option<String>,
    /// The type of the event, where the path has one.
    pub path_type: Option<String>,
    /// The secret, where the path has one.
    pub path_secret: Option<SecretString>,
    /// Its header fields.
    pub headers: Headers,
    /// Its body, of which no byte was changed.
    pub body: Vec<u8>,
    /// When it arrived. Its time is judged by this, also when it is verified again later.
    pub received: Timestamp,
}

/// Header fields in the order in which they came, their names in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, Vec<u8>)>);

/// Why a header field has no one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// It is there more than once: which one another program would take is not known.
    #[error("is there more than once")]
    Doubled,
    /// It is no text in ASCII.
    #[error("is no visible ASCII")]
    NotText,
}

impl Headers {
    /// The header fields of these names and values.
    pub fn new(fields: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let lower = |(name, value): (String, Vec<u8>)| (name.to_ascii_lowercase(), value);
        Self(fields.into_iter().map(lower).collect())
    }

    /// The one value of this name, which is in lower case; `None` where there is none.
    ///
    /// # Errors
    /// When there are several, or it is no text in ASCII.
    pub fn one(&self, name: &str) -> Result<Option<&str>, HeaderError> {
        let mut values = self.0.iter().filter(|(field, _)| field == name);
        let Some((_, value)) = values.next() else {
            return Ok(None);
        };
        if values.next().is_some() {
            return Err(HeaderError::Doubled);
        }
        match std::str::from_utf8(value) {
            Ok(text) if text.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte)) => Ok(Some(text)),
            _ => Err(HeaderError::NotText),
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_once_or_refused() {
        let headers = Headers::new([
            ("X-One".to_owned(), b"1".to_vec()),
            ("x-two".to_owned(), b"2".to_vec()),
            ("X-TWO".to_owned(), b"2".to_vec()),
            ("x-odd".to_owned(), vec![0xFF]),
        ]);
        for (name, value) in [
            ("x-one", Ok(Some("1"))),
            ("x-none", Ok(None)),
            ("x-two", Err(HeaderError::Doubled)),
            ("x-odd", Err(HeaderError::NotText)),
        ] {
            assert_eq!(headers.one(name), value, "{name}");
        }
    }
}
