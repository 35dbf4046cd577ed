//! The access tokens of an instance: one or two, which may change while the service runs.
//!
//! AWS's tokens live a year and are changed by hand, at most two being valid at a time (User Guide,
//! "Rotate an access token"). A token in a file is read again when the file changes and
//! whenever it is refused; where there are two, a refused one gives way to the other.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

/// Reads a token anew from where it is kept; `None` when it can't be read, or is no token, at the
/// moment.
pub type Reload = Arc<dyn Fn() -> Option<SecretString> + Send + Sync>;

/// A token, and how to read it anew if it is kept somewhere.
#[derive(Clone)]
pub struct Token {
    /// The token as it was read.
    pub secret: SecretString,
    /// How to read it anew.
    pub reload: Option<Reload>,
    /// When it expires, if the configuration says so: AWS can't be asked.
    pub expires: Option<Timestamp>,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").finish_non_exhaustive()
    }
}

/// The whole days until a token expires: 0 on its last day, negative as soon as that is past.
#[must_use]
pub fn days_left(expires: Timestamp, now: Timestamp) -> i64 {
    const SECONDS_A_DAY: i64 = 24 * 60 * 60;
    let left = expires.duration_since(now);
    // Rounded down below zero as well, so that a token that expired this second is told from one
    // that is about to.
    let seconds = left.as_secs() - i64::from(left.subsec_nanos() < 0);
    seconds.div_euclid(SECONDS_A_DAY)
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
    /// What the log calls their directory.
    instance: String,
    inner: Mutex<Inner>,
}

/// A token out of a file that the directory refuses, while one before it still serves.
#[derive(Clone, Debug)]
pub(super) struct HeldBack {
    place: usize,
    pub(super) token: SecretString,
    /// When it was refused first.
    pub(super) since: Timestamp,
}

#[derive(Debug)]
struct Inner {
    tokens: Vec<Token>,
    /// Which of them the directory refused when it saw them last.
    refused: Vec<bool>,
    in_use: usize,
    /// A token before its renewal, with its place. The directory may accept the new one later than
    /// the file has it.
    previous: Option<(usize, SecretString)>,
    /// The token before a renewal that is in use again, because the renewed one was refused.
    restored: Option<SecretString>,
    /// The restored token, once it was refused as well: it is never restored again.
    rejected_previous: Option<SecretString>,
    held_back: Option<HeldBack>,
}

impl Inner {
    fn is_held_back(&self, token: &SecretString) -> bool {
        self.held_back.as_ref().is_some_and(|held| is_same(&held.token, token))
    }

    /// Puts a token of a file in the place of the one before it, and in use.
    fn renew(&mut self, place: usize, token: SecretString) {
        let is_in_place = is_same(&self.tokens[place].secret, &token);
        let previous = std::mem::replace(&mut self.tokens[place].secret, token);
        let rejected = self.rejected_previous.as_ref();
        if !is_in_place && rejected.is_none_or(|rejected| !is_same(rejected, &previous)) {
            self.previous = Some((place, previous));
        }
        self.refused[place] = false;
        self.in_use = 0;
    }

    /// Notes that the directory refused this token. True when that is news.
    fn mark_refused(&mut self, refused: Option<&SecretString>) -> bool {
        let Some(refused) = refused else { return false };
        if self.restored.as_ref().is_some_and(|token| is_same(token, refused)) {
            self.rejected_previous = self.restored.take();
        }
        let mut is_news = false;
        for (token, is_refused) in self.tokens.iter().zip(&mut self.refused) {
            if is_same(&token.secret, refused) {
                is_news |= !std::mem::replace(is_refused, true);
            }
        }
        is_news
    }
}

impl Tokens {
    /// The tokens of a directory, which the log calls `instance`.
    pub(super) fn new(instance: &str, first: Token, second: Option<Token>) -> Self {
        let tokens: Vec<_> = std::iter::once(first).chain(second).collect();
        let refused = vec![false; tokens.len()];
        Self {
            instance: instance.to_owned(),
            inner: Mutex::new(Inner {
                tokens,
                refused,
                in_use: 0,
                previous: None,
                restored: None,
                rejected_previous: None,
                held_back: None,
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

    /// The token that is held back, if one is.
    pub(super) fn held_back(&self) -> Option<HeldBack> {
        self.inner().held_back.clone()
    }

    /// Reads the files anew: the tokens that have changed, with their places. One that is held back
    /// already is none of them.
    pub(super) async fn changed(&self) -> Vec<(usize, SecretString)> {
        let fresh = self.read().await;
        let mut inner = self.inner();
        let is_gone = |held: &HeldBack| {
            let found = fresh.iter().find(|(place, _)| *place == held.place);
            found.is_some_and(|(_, token)| !is_same(token, &held.token))
        };
        inner.held_back = inner.held_back.take().filter(|held| !is_gone(held));
        let is_new = |(place, token): &(usize, SecretString)| {
            !is_same(&inner.tokens[*place].secret, token) && !inner.is_held_back(token)
        };
        fresh.iter().filter(|fresh| is_new(fresh)).cloned().collect()
    }

    /// Puts a token of a file in use. The first is, whichever it was, since a renewal comes from
    /// the operator.
    pub(super) fn renew(&self, place: usize, token: SecretString) {
        self.inner().renew(place, token);
        tracing::info!(
            instance = self.instance,
            "the authentication token has changed; the new one is in use"
        );
    }

    /// Leaves a token of a file out of use, because the directory refuses it.
    pub(super) fn hold_back(&self, place: usize, token: SecretString) {
        Self::hold(&self.instance, &mut self.inner(), place, token);
    }

    fn hold(instance: &str, inner: &mut Inner, place: usize, token: SecretString) {
        if inner.is_held_back(&token) {
            return;
        }
        let since = Timestamp::now();
        inner.held_back = Some(HeldBack { place, token, since });
        tracing::warn!(
            instance,
            "the directory refuses the new authentication token (401); the one before it is still in use"
        );
    }

    /// Puts the token that was held back in use.
    pub(super) fn admit(&self, held: HeldBack) {
        let mut inner = self.inner();
        if inner.is_held_back(&held.token) {
            inner.renew(held.place, held.token.clone());
            self.all_clear(&mut inner, &held.token);
        }
    }

    fn all_clear(&self, inner: &mut Inner, accepted: &SecretString) {
        if inner.is_held_back(accepted) {
            inner.held_back = None;
            tracing::info!(
                instance = self.instance,
                "the directory accepts the new authentication token; it is in use"
            );
        }
    }

    /// Reads the tokens anew. True when one has changed and is in use now.
    pub(super) async fn reload(&self) -> bool {
        let fresh = self.read().await;
        let mut inner = self.inner();
        let mut changed = false;
        for (place, token) in fresh {
            if !is_same(&token, &inner.tokens[place].secret) {
                inner.renew(place, token);
                changed = true;
            }
        }
        changed
    }

    /// What stands in the files that can be read, with the places of the tokens.
    async fn read(&self) -> Vec<(usize, SecretString)> {
        let reloads: Vec<_> = self.inner().tokens.iter().map(|token| token.reload.clone()).collect();
        // Files may stand on a disk that is slow to answer.
        let read = move || {
            let read = |(place, reload): (usize, &Option<Reload>)| Some((place, reload.as_ref()?()?));
            reloads.iter().enumerate().filter_map(read).collect()
        };
        tokio::task::spawn_blocking(read).await.unwrap_or_default()
    }

    /// Puts a token in use that this request has not tried yet; false when there is none. It is one
    /// that another request put in use meanwhile, a fresh one from its file, the other one, or the
    /// one before a renewal.
    pub(super) async fn replace(&self, tried: &[SecretString]) -> bool {
        let is_tried = |token: &SecretString| tried.iter().any(|tried| is_same(tried, token));
        let is_news = self.inner().mark_refused(tried.last());
        if !is_tried(&self.current()) || (self.reload().await && !is_tried(&self.current())) {
            return true;
        }
        let mut inner = self.inner();
        if let Some(other) = inner.tokens.iter().position(|token| !is_tried(&token.secret)) {
            inner.in_use = other;
            if is_news {
                let token = if other == 0 { "first" } else { "second" };
                tracing::warn!(
                    instance = self.instance,
                    token,
                    "the directory refused the token; the other one is in use now"
                );
            }
            return true;
        }
        let Some((place, token)) = inner.previous.take().filter(|(_, token)| !is_tried(token)) else {
            return false;
        };
        inner.restored = Some(token.clone());
        let renewed = std::mem::replace(&mut inner.tokens[place].secret, token);
        Self::hold(&self.instance, &mut inner, place, renewed);
        inner.in_use = place;
        true
    }

    /// Records that the directory accepted this token.
    pub(super) fn accepted(&self, token: &SecretString) {
        let mut inner = self.inner();
        let Inner { tokens, refused, .. } = &mut *inner;
        for (known, is_refused) in tokens.iter().zip(refused) {
            *is_refused &= !is_same(&known.secret, token);
        }
        self.all_clear(&mut inner, token);
    }

    /// Replaces the tokens in a text by asterisks.
    pub(super) fn mask(&self, text: &str) -> String {
        let masked = |text: String, token: &Token| text.replace(token.secret.expose_secret(), "***");
        let inner = self.inner();
        let previous = inner.previous.as_ref().map(|(_, token)| token.expose_secret());
        let text = previous.map_or_else(|| text.to_owned(), |previous| text.replace(previous, "***"));
        let text = match &inner.held_back {
            Some(held) => text.replace(held.token.expose_secret(), "***"),
            None => text,
        };
        inner.tokens.iter().fold(text, masked)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_same(one: &SecretString, other: &SecretString) -> bool {
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
        let tokens = Tokens::new("an instance", fixed("a"), Some(fixed("b")));
        let refused = tokens.current();
        assert!(tokens.replace(std::slice::from_ref(&refused)).await);
        assert_eq!(
            (tokens.current().expose_secret(), tokens.in_use()),
            ("b", TokenInUse::Second)
        );
        assert!(
            tokens.replace(std::slice::from_ref(&refused)).await,
            "somebody else has changed it already"
        );
        assert_eq!(tokens.current().expose_secret(), "b");
        let alone = Tokens::new("an instance", fixed("a"), None);
        assert!(!alone.replace(&[alone.current()]).await);
    }

    #[tokio::test]
    async fn each_token_is_tried_once_a_request() {
        let tokens = Tokens::new("an instance", fixed("a"), Some(fixed("b")));
        for _ in 0..2 {
            let mut tried = vec![tokens.current()];
            assert!(tokens.replace(&tried).await);
            tried.push(tokens.current());
            assert!(!is_same(&tried[0], &tried[1]));
            assert!(!tokens.replace(&tried).await, "both are refused");
        }
    }

    #[tokio::test]
    async fn a_renewed_file_is_taken_at_once_when_the_old_token_is_refused() {
        let kept = Arc::new(Mutex::new("a".to_owned()));
        let reload: Reload = {
            let kept = Arc::clone(&kept);
            Arc::new(move || Some(SecretString::from(kept.lock().unwrap().clone())))
        };
        let tokens = Tokens::new(
            "an instance",
            Token {
                secret: SecretString::from("a"),
                reload: Some(reload),
                expires: None,
            },
            None,
        );
        assert!(!tokens.reload().await);
        let refused = tokens.current();
        assert!(
            !tokens.replace(std::slice::from_ref(&refused)).await,
            "nothing else is known yet"
        );
        "b".clone_into(&mut kept.lock().unwrap());
        assert!(tokens.replace(std::slice::from_ref(&refused)).await);
        assert_eq!(tokens.current().expose_secret(), "b");
    }

    #[tokio::test]
    async fn the_token_before_a_renewal_serves_until_the_new_one_is_known() {
        let reload: Reload = Arc::new(|| Some(SecretString::from("new")));
        let first = Token {
            secret: SecretString::from("old"),
            reload: Some(reload),
            expires: None,
        };
        let tokens = Tokens::new("an instance", first, None);
        for _ in 0..3 {
            assert!(tokens.reload().await);
            let new = tokens.current();
            assert_eq!(new.expose_secret(), "new");
            assert!(
                tokens.replace(std::slice::from_ref(&new)).await,
                "the directory does not know it yet"
            );
            assert_eq!(tokens.current().expose_secret(), "old");
        }
        let old = tokens.current();
        assert!(
            tokens.replace(std::slice::from_ref(&old)).await,
            "the old one is dead: the new one again"
        );
        let new = tokens.current();
        assert!(!tokens.replace(std::slice::from_ref(&new)).await, "both are");
    }

    #[test]
    fn days_are_whole_and_negative_once_the_token_has_expired() {
        for (expires, expected) in [
            ("2026-11-02T12:00:00Z", 0),
            ("2026-11-03T11:59:59.999Z", 0),
            ("2026-11-03T12:00:00Z", 1),
            ("2027-01-31T12:00:00Z", 90),
            ("2027-01-31T11:59:59Z", 89),
            ("2026-11-02T11:59:59.999Z", -1),
            ("2026-11-01T12:00:00Z", -1),
            ("2026-11-01T11:59:59Z", -2),
        ] {
            assert_eq!(
                days_left(expires.parse().unwrap(), "2026-11-02T12:00:00Z".parse().unwrap()),
                expected,
                "{expires}"
            );
        }
        assert_eq!(
            days_left(Timestamp::MAX, Timestamp::MIN),
            -days_left(Timestamp::MIN, Timestamp::MAX) - 1
        );
    }

    #[test]
    fn no_token_is_shown() {
        let tokens = Tokens::new("an instance", fixed("hush"), Some(fixed("quiet")));
        assert_eq!(tokens.mask("hush, quiet!"), "***, ***!");
        assert!(!format!("{tokens:?}").contains("hush"));
    }
}
