//! The id under which a request stands in its answer and in every line of the log.

use std::{fmt, sync::Arc};

use uuid::Uuid;

/// The longest id that is taken over from a caller, in characters.
const LONGEST: usize = 128;

/// The id of a request. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// Takes over a caller's id of 1 to 128 letters, digits, `.`, `_` and `-`; `None` for anything
    /// else, which could forge lines of the log.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let is_usable = (1..=LONGEST).contains(&text.len()) && text.bytes().all(is_plain);
        is_usable.then(|| Self(text.into()))
    }

    /// Makes a new id: a UUID of version 7, which sorts by time.
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::now_v7().to_string().into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_id_is_taken_over() {
        for text in ["a", "Az09._-", &"a".repeat(LONGEST)] {
            assert_eq!(RequestId::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "a b", "a\"b", "a\nb", "\u{e9}", &"a".repeat(LONGEST + 1)] {
            assert_eq!(RequestId::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_new_id_is_a_uuid_that_sorts_by_time() {
        let id: Uuid = RequestId::generate().as_str().parse().unwrap();
        assert_eq!(id.get_version_num(), 7);
    }
}
