//! The tokens that a source was told before it had a secret: each is shown to its operator once.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use secrecy::{ExposeSecret as _, SecretString};

use super::extraction::sha256;

/// How many different ones are shown. Nothing proves them: without a bound, whatever reaches the
/// path could fill the operator's terminal.
const MOST: usize = 5;

/// The digests of those that were shown.
#[derive(Debug, Default)]
pub(super) struct FirstWords(Mutex<BTreeSet<[u8; 32]>>);

impl FirstWords {
    /// Whether this one is to be shown: it is new, and few came before it.
    pub(super) fn is_new(&self, token: &SecretString) -> bool {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shown.len() < MOST && shown.insert(sha256(token.expose_secret().as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_new_once_and_not_endlessly_many_are() {
        let words = FirstWords::default();
        let are_new = |texts: [&str; 4]| texts.map(|text| words.is_new(&SecretString::from(text)));
        assert_eq!(are_new(["a", "a", "b", "a"]), [true, false, true, false]);
        assert_eq!(are_new(["c", "d", "e", "f"]), [true, true, true, false]);
    }
}
