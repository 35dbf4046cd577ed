//! Who we are at a directory: one access token or two, which may change while we work.
//!
//! AWS's tokens live a year and are changed by hand, at most two being valid at a time (User Guide, "Rotate an access token"). A token in a file
//! is read again every second and whenever it is refused; where there are two, a refused one gives way to the other.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

/// Reads a token anew from where it is kept; `None` when it can't be read, or is no token, at the moment.
pub type Reload = Box<dyn Fn() -> Option<SecretString> + Send + Sync>;

/// A token, and how to read it anew if it is kept somewhere.
pub struct Token {
    /// The token as it was read.
    pub secret: SecretString,
    /// How to read it anew.
    pub reload: Option<Reload>,
    /// When it expires, as far as somebody has said so: AWS can't be asked.
    pub expires: Option<Timestamp>,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").finish_non_exhaustive()
    }
}

/// Which of the tokens is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenInUse {
    /// `authentication_token`.
    First,
    /// `second_authentication_token`.
    Second,
}

/// An instance's tokens.
#[derive(Debug)]
pub(super) struct Tokens {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    tokens: Vec<Token>,
    in_use: usize,
}

impl Tokens {
    pub(super) fn new(first: Token, second: Option<Token>) -> Self {
        let tokens = std::iter::once(first).chain(second).collect();
        Self {
            inner: Mutex::new(Inner { tokens, in_use: 0 }),
        }
    }

    /// The token to send.
    pub(super) fn current(&self) -> SecretString {
        let inner = self.inner();
        inner.tokens[inner.in_use].secret.clone()
    }

    pub(super) fn in_use(&self) -> TokenInUse {
        if self.inner().in_use == 0 {
            TokenInUse::First
        } else {
            TokenInUse::Second
        }
    }

    /// When the token in use expires, as far as is known.
    pub(super) fn expires(&self) -> Option<Timestamp> {
        let inner = self.inner();
        inner.tokens[inner.in_use].expires
    }

    /// Reads the tokens anew. True when one has changed; the first is then in use again, since somebody renewed it.
    pub(super) fn reload(&self) -> bool {
        let mut inner = self.inner();
        let mut changed = false;
        for token in &mut inner.tokens {
            let Some(fresh) = token.reload.as_ref().and_then(|reload| reload()) else {
                continue;
            };
            if fresh.expose_secret() != token.secret.expose_secret() {
                token.secret = fresh;
                changed = true;
            }
        }
        if changed {
            inner.in_use = 0;
        }
        changed
    }

    /// True when another token than `refused` is to be tried: one that has been put in its place meanwhile, a fresh one from its file, or
    /// the second.
    pub(super) fn replace(&self, refused: &SecretString) -> bool {
        let is_refused = |token: &SecretString| token.expose_secret() == refused.expose_secret();
        if !is_refused(&self.current()) || (self.reload() && !is_refused(&self.current())) {
            return true;
        }
        let mut inner = self.inner();
        let other = inner.tokens.iter().position(|token| !is_refused(&token.secret));
        if let Some(other) = other {
            inner.in_use = other;
            tracing::warn!(
                token = if other == 0 { "first" } else { "second" },
                "the directory refused the token; the other one is in use now"
            );
        }
        other.is_some()
    }

    /// Whether any token is kept where it can change.
    pub(super) fn can_change(&self) -> bool {
        self.inner().tokens.iter().any(|token| token.reload.is_some())
    }

    /// Whether a text holds one of the tokens; what to hide.
    pub(super) fn mask(&self, text: &str) -> String {
        let masked = |text: String, token: &Token| text.replace(token.secret.expose_secret(), "***");
        self.inner().tokens.iter().fold(text.to_owned(), masked)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn fixed(text: &str) -> Token {
        Token {
            secret: SecretString::from(text),
            reload: None,
            expires: None,
        }
    }

    #[test]
    fn a_refused_token_gives_way_to_the_other() {
        let tokens = Tokens::new(fixed("a"), Some(fixed("b")));
        let refused = tokens.current();
        assert!(tokens.replace(&refused));
        assert_eq!(
            (tokens.current().expose_secret(), tokens.in_use()),
            ("b", TokenInUse::Second)
        );
        assert!(tokens.replace(&refused), "somebody else has changed it already");
        assert_eq!(tokens.current().expose_secret(), "b");
        let alone = Tokens::new(fixed("a"), None);
        assert!(!alone.replace(&alone.current()));
    }

    #[test]
    fn a_renewed_file_is_taken_at_once_when_the_old_token_is_refused() {
        let kept = Arc::new(Mutex::new("a".to_owned()));
        let reload: Reload = {
            let kept = Arc::clone(&kept);
            Box::new(move || Some(SecretString::from(kept.lock().unwrap().clone())))
        };
        let tokens = Tokens::new(
            Token {
                secret: SecretString::from("a"),
                reload: Some(reload),
                expires: None,
            },
            None,
        );
        assert!(!tokens.reload());
        let refused = tokens.current();
        assert!(!tokens.replace(&refused), "nothing else is known yet");
        "b".clone_into(&mut kept.lock().unwrap());
        assert!(tokens.replace(&refused));
        assert_eq!(tokens.current().expose_secret(), "b");
    }

    #[test]
    fn no_token_is_shown() {
        let tokens = Tokens::new(fixed("hush"), Some(fixed("quiet")));
        assert_eq!(tokens.mask("hush, quiet!"), "***, ***!");
        assert!(!format!("{tokens:?}").contains("hush"));
    }
}
