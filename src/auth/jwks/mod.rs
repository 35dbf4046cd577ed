//! The public keys of one issuer: fetched, cached, and fetched again when they may have changed.
//!
//! The senders of tokens decide when keys are looked up, so no token may cost more than a look-up:
//! an unknown key id leads to at most one fetch in 30 seconds, all requests that wait for a fetch
//! share it, and a request whose key is cached doesn't wait at all.

mod address;
mod algorithm;
mod fetch;
mod key;
mod set;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Semaphore, watch},
    time::{Instant, sleep_until, timeout},
};
use url::Url;

use crate::{files, outbound};

pub use address::AddressError;
pub use algorithm::{Algorithm, AlgorithmError};
use fetch::{Answer, FetchError};
pub(super) use key::Key;
use key::KeyError;
pub(super) use set::KeyMatchError;
use set::KeySet;
#[cfg(test)]
pub(super) use testing::{Signer, TemporaryFile, encode, key_set};
#[cfg(test)]
pub(super) use tests::{Script, Server};

/// The least time between two fetches from one issuer, however many tokens ask for unknown keys.
const MIN_FETCH_INTERVAL: Duration = Duration::from_secs(30);

/// The least time between two reads of a file for requests, as long as it has had no keys.
const MIN_READ_INTERVAL: Duration = Duration::from_secs(1);

/// How often a file is looked at. A change is taken when two looks found it, so after a second at
/// the latest.
const FILE_POLL: Duration = Duration::from_millis(500);

/// The longest that a key is used after it was last seen at its issuer. Until then keys that can't
/// be fetched anew are kept: an issuer that is down for a night must not stop this service.
const MAX_STALENESS: Duration = Duration::from_secs(24 * 60 * 60);

/// The most requests that wait for a fetch at once; others are answered from the cache. Forged
/// tokens, which cost nothing to make, must not hold every connection while an issuer is slow.
const MAX_WAITING: usize = 64;

/// The source of an issuer's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// The `jwks_uri` of the issuer's discovery document, at its URL with
    /// `/.well-known/openid-configuration` (OpenID Connect Discovery 1.0 section 4).
    Discovery,
    /// A URL that serves a JSON Web Key Set (RFC 7517 section 5).
    Url(Url),
    /// A file that holds a JSON Web Key Set. Read again when it changes.
    File(PathBuf),
}

impl KeySource {
    /// Parses the URL of a key set as it is written in the configuration.
    ///
    /// # Errors
    /// When the text is no URL, or has characters that the URL standard's parser would drop or
    /// turn; else as for [`KeySource::check`].
    pub fn url(text: &str) -> Result<Self, AddressError> {
        let url = address::parse(text)?;
        address::check(&url)?;
        Ok(Self::Url(url))
    }

    /// Checks that the keys of this issuer could be fetched safely; sends nothing.
    ///
    /// # Errors
    /// When its URL is neither https nor plain http on loopback, or holds credentials or what else
    /// it should not.
    pub fn check(&self, issuer: &str) -> Result<(), AddressError> {
        match self {
            Self::Discovery => address::discovery(issuer).map(|_| ()),
            Self::Url(url) => address::check(url),
            Self::File(_) => Ok(()),
        }
    }
}

/// The keys of one issuer, cached.
#[derive(Debug)]
pub(super) struct IssuerKeys {
    issuer: String,
    source: ReadySource,
    cache: Mutex<Cache>,
    /// One permit for each request that may wait for a fetch.
    waiting: Semaphore,
}

/// A [`KeySource`] with all that a fetch takes.
#[derive(Debug)]
enum ReadySource {
    Discovery { url: Url, client: reqwest::Client },
    Url { url: Url, client: reqwest::Client },
    File(PathBuf),
}

#[derive(Debug, Default)]
struct Cache {
    held: Option<CachedSet>,
    /// When the last fetch started.
    last_fetch: Option<Instant>,
    /// Closes when the fetch under way ends.
    under_way: Option<watch::Receiver<()>>,
    /// The error of the last fetch, or of what is in the file now.
    error: Option<FetchError>,
}

#[derive(Debug)]
struct CachedSet {
    set: Arc<KeySet>,
    body: Vec<u8>,
    /// When the set was last seen at its issuer; of a file with an error: when that came up.
    seen: Instant,
    lifetime: Duration,
}

/// Says why there is no key for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyLookupError {
    /// The issuer's set has no such key.
    NoMatch(KeyMatchError),
    /// The issuer's set is not known, or has not been seen for too long.
    Unavailable,
}

/// Says why a source can't be made ready for fetches.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeySourceError {
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error("no client for HTTPS can be made")]
    Client(#[from] reqwest::Error),
}

impl IssuerKeys {
    /// Makes an empty cache for an issuer.
    pub(super) fn new(issuer: &str, source: &KeySource) -> Result<Self, KeySourceError> {
        let source = match source {
            KeySource::Discovery => ReadySource::Discovery {
                url: address::discovery(issuer)?,
                client: outbound::client(fetch::TIMEOUT)?,
            },
            KeySource::Url(url) => {
                address::check(url)?;
                ReadySource::Url {
                    url: url.clone(),
                    client: outbound::client(fetch::TIMEOUT)?,
                }
            }
            KeySource::File(path) => ReadySource::File(path.clone()),
        };
        Ok(Self {
            issuer: issuer.to_owned(),
            source,
            cache: Mutex::default(),
            waiting: Semaphore::new(MAX_WAITING),
        })
    }

    /// Finds the key for a token. When the cache has none, the issuer may have published a new one:
    /// fetches the set, if it was not fetched a moment ago.
    pub(super) async fn find(
        self: &Arc<Self>,
        algorithm: Algorithm,
        id: Option<&str>,
    ) -> Result<Arc<Key>, KeyLookupError> {
        if self.next_fetch() <= Instant::now() {
            // Only a request whose key is missing waits for it.
            self.start_fetch();
        }
        let found = self.current_set().map(|set| set.find(algorithm, id));
        match found {
            Some(Ok(key)) => return Ok(key),
            Some(Err(KeyMatchError::Ambiguous)) => return Err(KeyLookupError::NoMatch(KeyMatchError::Ambiguous)),
            Some(Err(KeyMatchError::Unknown)) | None => self.refresh().await,
        }
        let set = self.current_set().ok_or(KeyLookupError::Unavailable)?;
        set.find(algorithm, id).map_err(KeyLookupError::NoMatch)
    }

    /// Fetches the keys, unless that was done a moment ago, and waits for this fetch or for the one
    /// under way; returns at once when [`MAX_WAITING`] requests wait already.
    pub(super) async fn refresh(self: &Arc<Self>) {
        let fetch = self.start_fetch();
        if let (Some(fetch), Ok(_permit)) = (fetch, self.waiting.try_acquire()) {
            wait_for(fetch).await;
        }
    }

    /// Fetches the keys whenever they are due, or when their file changes, for ever.
    pub(super) async fn keep_fresh(self: Arc<Self>) {
        if let ReadySource::File(path) = &self.source {
            return self.watch_file(path).await;
        }
        loop {
            sleep_until(self.next_fetch()).await;
            if let Some(fetch) = self.start_fetch() {
                wait_for(fetch).await;
            }
        }
    }

    /// Reads the keys from their file, and again when two looks found another content in it: a file
    /// that is written in place is cut first, and half a set would refuse good tokens.
    async fn watch_file(self: &Arc<Self>, path: &Path) {
        if let Some(fetch) = self.start_fetch() {
            wait_for(fetch).await;
        }
        let name = format!("the key set of {}", self.issuer);
        let path = path.to_owned();
        let mut watcher = files::watch(&name, FILE_POLL, self.file_in_force(), move || fetch::read_file(&path));
        loop {
            let found = watcher.changed().await;
            self.store(found.map(Answer::of_file));
        }
    }

    /// The content that the cached set was read from, unless the file has had a fault since.
    fn file_in_force(&self) -> Option<Result<Vec<u8>, FetchError>> {
        let cache = self.cache();
        let held = cache.held.as_ref().filter(|_| cache.error.is_none());
        held.map(|held| Ok(held.body.clone()))
    }

    /// Starts a fetch, or joins the one under way; `None` when the last one was a moment ago, and
    /// for a file whose keys are known, which is watched. Runs it in a task of its own, so that a
    /// request that is cancelled doesn't stop it for the others.
    fn start_fetch(self: &Arc<Self>) -> Option<watch::Receiver<()>> {
        let mut cache = self.cache();
        let under_way = cache.under_way.as_ref().filter(|fetch| fetch.has_changed().is_ok());
        if let Some(fetch) = under_way {
            return Some(fetch.clone());
        }
        let now = Instant::now();
        let is_watched = self.is_file() && cache.held.is_some();
        if is_watched || cache.last_fetch.is_some_and(|last| now < last + self.min_interval()) {
            return None;
        }
        let (done, fetch) = watch::channel(());
        cache.last_fetch = Some(now);
        cache.under_way = Some(fetch.clone());
        let keys = Arc::clone(self);
        tokio::spawn(async move {
            let answer = keys.fetch().await;
            keys.store(answer);
            drop(done);
        });
        Some(fetch)
    }

    async fn fetch(&self) -> Result<Answer, FetchError> {
        match &self.source {
            ReadySource::Discovery { url, client } => fetch::by_discovery(client, url, &self.issuer).await,
            ReadySource::Url { url, client } => fetch::from_url(client, url).await,
            ReadySource::File(path) => fetch::from_file(path).await,
        }
    }

    /// Replaces the cached set by the one that was fetched; keeps it when the fetch failed.
    fn store(&self, answer: Result<Answer, FetchError>) {
        let issuer = self.issuer.as_str();
        let mut cache = self.cache();
        let error = answer.and_then(|answer| cache.replace(answer, issuer)).err();
        // Logged at each change, not at each fetch.
        match &error {
            Some(error) if cache.error.as_ref() != Some(error) => {
                let keys_held = cache.held.is_some();
                tracing::warn!(issuer, %error, keys_held, "the keys of an issuer can't be fetched");
            }
            None if cache.error.is_some() => tracing::info!(issuer, "the keys of an issuer can be fetched again"),
            Some(_) | None => {}
        }
        let has_turned = error.is_some() != cache.error.is_some();
        if let Some(held) = cache.held.as_mut().filter(|_| has_turned && self.is_file()) {
            held.seen = Instant::now();
        }
        cache.error = error;
    }

    /// The cached set, unless its issuer has not been reached for too long.
    fn current_set(&self) -> Option<Arc<KeySet>> {
        let cache = self.cache();
        let held = cache.held.as_ref()?;
        // A file that has no fault says what it said.
        let is_in_force = self.is_file() && cache.error.is_none();
        (is_in_force || held.seen.elapsed() <= MAX_STALENESS).then(|| Arc::clone(&held.set))
    }

    /// When the next fetch is due: some time before the set goes stale, so that no request waits
    /// for it.
    fn next_fetch(&self) -> Instant {
        let cache = self.cache();
        let Some(last) = cache.last_fetch else {
            return Instant::now();
        };
        let earliest = last + self.min_interval();
        match (&self.source, &cache.held) {
            (ReadySource::Discovery { .. } | ReadySource::Url { .. }, Some(held)) if cache.error.is_none() => {
                earliest.max(held.seen + held.lifetime * 3 / 4)
            }
            (ReadySource::Discovery { .. } | ReadySource::Url { .. } | ReadySource::File(_), _) => earliest,
        }
    }

    fn is_file(&self) -> bool {
        matches!(self.source, ReadySource::File(_))
    }

    fn min_interval(&self) -> Duration {
        match self.source {
            ReadySource::Discovery { .. } | ReadySource::Url { .. } => MIN_FETCH_INTERVAL,
            ReadySource::File(_) => MIN_READ_INTERVAL,
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    /// Holds the answer from now on; an answer with the same body only prolongs the set's life.
    fn replace(&mut self, answer: Answer, issuer: &str) -> Result<(), FetchError> {
        let Answer { body, lifetime } = answer;
        let seen = Instant::now();
        if let Some(held) = self.held.as_mut().filter(|held| held.body == body) {
            (held.seen, held.lifetime) = (seen, lifetime);
            return Ok(());
        }
        let set = Arc::new(KeySet::read(&body)?);
        log_new_set(issuer, &set);
        self.held = Some(CachedSet {
            set,
            body,
            seen,
            lifetime,
        });
        Ok(())
    }
}

/// Waits until a fetch ends. Reading a file can take without end, so this has its own time limit.
async fn wait_for(mut fetch: watch::Receiver<()>) {
    drop(timeout(fetch::TIMEOUT, fetch.changed()).await);
}

fn log_new_set(issuer: &str, set: &KeySet) {
    let count = |error| set.passed_over.iter().filter(|other| **other == error).count();
    tracing::info!(
        issuer,
        keys = set.keys.len(),
        passed_over = set.passed_over.len(),
        "new keys of an issuer"
    );
    let private = count(KeyError::Private);
    if private > 0 {
        tracing::warn!(
            issuer,
            private,
            "an issuer publishes private or secret keys; they are not used, and it should withdraw them"
        );
    }
    if set.keys.is_empty() {
        let (weak, malformed) = (count(KeyError::Weak), count(KeyError::Malformed));
        tracing::warn!(
            issuer,
            weak,
            malformed,
            "an issuer has no key that tokens can be verified with"
        );
    }
}
