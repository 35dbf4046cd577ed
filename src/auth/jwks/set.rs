//! The keys of an issuer, read from a JSON Web Key Set (RFC 7517 section 5).

use std::sync::Arc;

use serde_json::Value;

use super::{
    Algorithm,
    key::{Key, KeyError},
};
use crate::json;

/// The most keys of one set. Issuers have a handful; each costs memory, and a comparison at every
/// token.
const MAX_KEYS: usize = 100;

/// The keys of an issuer that tokens can be verified with.
#[derive(Debug)]
pub(super) struct KeySet {
    pub(super) keys: Vec<Arc<Key>>,
    /// Why each of the other entries was passed over, in the order of the set.
    pub(super) passed_over: Vec<KeyError>,
}

/// Says why a set can't be read as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum KeySetError {
    #[error("the answer is not a JSON object with names that stand once each")]
    NotJson,
    #[error("the answer is no set of keys: it has no list \"keys\"")]
    NoKeys,
    #[error("the set has more than {MAX_KEYS} keys")]
    TooMany,
}

/// Says why a set has no key for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::auth) enum KeyMatchError {
    /// No key has this id and serves this algorithm.
    Unknown,
    /// Several keys match.
    Ambiguous,
}

impl KeySet {
    /// Reads a set. Passes over entries that can't be used, since an issuer may publish keys for
    /// other purposes too.
    pub(super) fn read(body: &[u8]) -> Result<Self, KeySetError> {
        let Ok(Value::Object(set)) = json::parse(body) else {
            return Err(KeySetError::NotJson);
        };
        let Some(Value::Array(entries)) = set.get("keys") else {
            return Err(KeySetError::NoKeys);
        };
        if entries.len() > MAX_KEYS {
            return Err(KeySetError::TooMany);
        }
        let mut keys = Vec::new();
        let mut passed_over = Vec::new();
        for entry in entries {
            match Key::read(entry) {
                Ok(key) => keys.push(Arc::new(key)),
                Err(error) => passed_over.push(error),
            }
        }
        Ok(Self { keys, passed_over })
    }

    /// Finds the one key that a token of this algorithm and this key id can be verified with.
    ///
    /// Keys are never tried in turn: with an id it is the one key of that id (RFC 7515 section
    /// 4.1.4), without one it is the only key that serves the algorithm.
    pub(super) fn find(&self, algorithm: Algorithm, id: Option<&str>) -> Result<Arc<Key>, KeyMatchError> {
        let serves = |key: &&Arc<Key>| key.serves(algorithm) && (id.is_none() || key.id() == id);
        let mut found = self.keys.iter().filter(serves);
        match (found.next(), found.next()) {
            (Some(key), None) => Ok(Arc::clone(key)),
            (Some(_), Some(_)) => Err(KeyMatchError::Ambiguous),
            (None, _) => Err(KeyMatchError::Unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::testing::Signer, *};

    fn es256(id: &str) -> Value {
        Signer::new(Algorithm::ES256, id).jwk()
    }

    fn read(entries: &[Value]) -> KeySet {
        KeySet::read(json!({"keys": entries}).to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_set_is_read_around_entries_for_other_purposes() {
        let mut for_encryption = Signer::new(Algorithm::RS256, "a").jwk();
        for_encryption["use"] = "enc".into();
        let set = read(&[
            Signer::new(Algorithm::RS256, "a").jwk(),
            for_encryption,
            json!(7),
            json!(null),
            es256("b"),
        ]);
        assert_eq!(set.keys.len(), 2);
        let passed_over = [KeyError::NotForSignatures, KeyError::Malformed, KeyError::Malformed];
        assert_eq!(set.passed_over, passed_over);
    }

    #[test]
    fn other_members_of_a_set_are_ignored() {
        let set = json!({"other": 1, "keys": [es256("a")]}).to_string();
        assert_eq!(KeySet::read(set.as_bytes()).unwrap().keys.len(), 1);
    }

    #[test]
    fn what_is_no_set_is_refused() {
        let entry = es256("a");
        assert_eq!(read(&vec![entry.clone(); MAX_KEYS]).keys.len(), MAX_KEYS);
        let many = json!({"keys": vec![entry.clone(); MAX_KEYS + 1]}).to_string();
        for (text, error) in [
            ("", KeySetError::NotJson),
            ("<html></html>", KeySetError::NotJson),
            ("[]", KeySetError::NotJson),
            (r#"{"keys":[],"keys":[]}"#, KeySetError::NotJson),
            (r#"{"keys":[{"kid":"a","kid":"b"}]}"#, KeySetError::NotJson),
            ("\u{FEFF}{\"keys\":[]}", KeySetError::NotJson),
            ("{}", KeySetError::NoKeys),
            (r#"{"keys":{}}"#, KeySetError::NoKeys),
            (&entry.to_string(), KeySetError::NoKeys),
            (&many, KeySetError::TooMany),
        ] {
            assert_eq!(KeySet::read(text.as_bytes()).map(|_| ()), Err(error), "{text}");
        }
    }

    #[test]
    fn a_token_gets_the_one_key_that_it_names_or_the_only_one() {
        let ed = Signer::new(Algorithm::EdDSA, "a").jwk();
        let mut nameless = Signer::new(Algorithm::ES384, "c").jwk();
        nameless.as_object_mut().unwrap().shift_remove("kid");
        let set = read(&[es256("a"), es256("b"), ed, nameless]);
        for (algorithm, id, expected) in [
            (Algorithm::ES256, Some("a"), Ok(0)),
            (Algorithm::ES256, Some("b"), Ok(1)),
            (Algorithm::EdDSA, Some("a"), Ok(2)),
            (Algorithm::EdDSA, None, Ok(2)),
            (Algorithm::ES384, None, Ok(3)),
            (Algorithm::ES384, Some("a"), Err(KeyMatchError::Unknown)),
            (Algorithm::ES384, Some(""), Err(KeyMatchError::Unknown)),
            (Algorithm::ES256, Some("A"), Err(KeyMatchError::Unknown)),
            (Algorithm::ES256, None, Err(KeyMatchError::Ambiguous)),
            (Algorithm::EdDSA, Some("b"), Err(KeyMatchError::Unknown)),
            (Algorithm::RS256, None, Err(KeyMatchError::Unknown)),
            (Algorithm::RS256, Some("a"), Err(KeyMatchError::Unknown)),
        ] {
            let found = set.find(algorithm, id);
            let place = found.map(|found| set.keys.iter().position(|key| Arc::ptr_eq(key, &found)).unwrap());
            assert_eq!(place, expected, "{algorithm} {id:?}");
        }
    }

    #[test]
    fn two_keys_of_one_id_are_ambiguous() {
        let set = read(&[es256("a"), es256("a")]);
        let found = set.find(Algorithm::ES256, Some("a"));
        assert_eq!(found.map(|_| ()), Err(KeyMatchError::Ambiguous));
    }
}
