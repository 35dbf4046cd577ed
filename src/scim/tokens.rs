//! Who we are at a directory: one access token or two, which may change while we work.
//!
//! AWS's tokens live a year and are changed by hand, at most two being valid at a time (User Guide, "Rotate an access token"). A token in a file
//! is read again every second and whenever it is refused; where there are two, a refused one gives way to the other.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

/// Reads a token anew from where it is kept; `None` when it can't be read, or is no token, at the moment.
pub type Reload = Arc<dyn Fn() -> Option<SecretString> + Send + Sync>;

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
    /// Which of them the directory refused when it saw them last.
    refused: Vec<bool>,
    in_use: usize,
}

impl Tokens {
    pub(super) fn new(first: Token, second: Option<Token>) -> Self {
        let tokens: Vec<_> = std::iter::once(first).chain(second).collect();
        let refused = vec![false; tokens.len()];
        Self {
            inner: Mutex::new(Inner {
                tokens,
                refused,
                in_use: 0,
            }),
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
    pub(super) async fn reload(&self) -> bool {
        let reloads: Vec<_> = self.inner().tokens.iter().map(|token| token.reload.clone()).collect();
        // Files may stand on a disk that is slow to answer.
        let read = move || {
            reloads
                .iter()
                .map(|reload| reload.as_ref().and_then(|reload| reload()))
                .collect::<Vec<_>>()
        };
        let Ok(fresh) = tokio::task::spawn_blocking(read).await else {
            return false;
        };
        let mut inner = self.inner();
        let mut changed = false;
        for (place, fresh) in fresh.into_iter().enumerate() {
            let Some(fresh) = fresh else { continue };
            if fresh.expose_secret() != inner.tokens[place].secret.expose_secret() {
                inner.tokens[place].secret = fresh;
                inner.refused[place] = false;
                changed = true;
            }
        }
        if changed {
            inner.in_use = 0;
        }
        changed
    }

    /// True when another token than `refused` is to be tried: one that has been put in its place meanwhile, a fresh one from its file, or
    /// the second. Where both are refused, neither is tried again for this request; the next one begins with the other.
    pub(super) async fn replace(&self, refused: &SecretString) -> bool {
        if !is(&self.current(), refused) || (self.reload().await && !is(&self.current(), refused)) {
            return true;
        }
        let mut inner = self.inner();
        let Inner {
            tokens,
            refused: marks,
            in_use,
        } = &mut *inner;
        for (token, mark) in tokens.iter().zip(marks.iter_mut()) {
            *mark |= is(&token.secret, refused);
        }
        let Some(other) = tokens.iter().position(|token| !is(&token.secret, refused)) else {
            return false;
        };
        *in_use = other;
        let is_worth_trying = !marks[other];
        if is_worth_trying {
            let token = if other == 0 { "first" } else { "second" };
            tracing::warn!(token, "the directory refused the token; the other one is in use now");
        }
        is_worth_trying
    }

    /// The directory took this token.
    pub(super) fn accepted(&self, token: &SecretString) {
        let mut inner = self.inner();
        let Inner { tokens, refused, .. } = &mut *inner;
        for (known, mark) in tokens.iter().zip(refused) {
            *mark &= !is(&known.secret, token);
        }
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

fn is(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(text: &str) -> Token {
        Token {
            secret: SecretString::from(text),
            reload: None,
            expires: None,
        }
    }

    #[tokio::test]
    async fn a_refused_token_gives_way_to_the_other() {
        let tokens = Tokens::new(fixed("a"), Some(fixed("b")));
        let refused = tokens.current();
        assert!(tokens.replace(&refused).await);
        assert_eq!(
            (tokens.current().expose_secret(), tokens.in_use()),
            ("b", TokenInUse::Second)
        );
        assert!(tokens.replace(&refused).await, "somebody else has changed it already");
        assert_eq!(tokens.current().expose_secret(), "b");
        let alone = Tokens::new(fixed("a"), None);
        assert!(!alone.replace(&alone.current()).await);
    }

    #[tokio::test]
    async fn two_dead_tokens_are_not_sent_over_and_over() {
        let tokens = Tokens::new(fixed("a"), Some(fixed("b")));
        let first = tokens.current();
        assert!(tokens.replace(&first).await);
        let second = tokens.current();
        assert!(!tokens.replace(&second).await, "both are refused");
        let next = tokens.current();
        assert_eq!(next.expose_secret(), "a", "the next request begins with the other");
        assert!(!tokens.replace(&next).await);
        tokens.accepted(&tokens.current());
        assert_eq!(tokens.current().expose_secret(), "b");
        assert!(!tokens.replace(&tokens.current()).await, "the first is still refused");
    }

    #[tokio::test]
    async fn a_renewed_file_is_taken_at_once_when_the_old_token_is_refused() {
        let kept = Arc::new(Mutex::new("a".to_owned()));
        let reload: Reload = {
            let kept = Arc::clone(&kept);
            Arc::new(move || Some(SecretString::from(kept.lock().unwrap().clone())))
        };
        let tokens = Tokens::new(
            Token {
                secret: SecretString::from("a"),
                reload: Some(reload),
                expires: None,
            },
            None,
        );
        assert!(!tokens.reload().await);
        let refused = tokens.current();
        assert!(!tokens.replace(&refused).await, "nothing else is known yet");
        "b".clone_into(&mut kept.lock().unwrap());
        assert!(tokens.replace(&refused).await);
        assert_eq!(tokens.current().expose_secret(), "b");
    }

    #[test]
    fn no_token_is_shown() {
        let tokens = Tokens::new(fixed("hush"), Some(fixed("quiet")));
        assert_eq!(tokens.mask("hush, quiet!"), "***, ***!");
        assert!(!format!("{tokens:?}").contains("hush"));
    }
}
