//! The public keys of one issuer: fetched, kept, and fetched again when they may have changed.
//!
//! Whoever sends tokens decides when keys are looked for, so nothing of what they send may cost
//! more than a look: an unknown key id leads to at most one fetch in 30 seconds, all who wait for
//! it wait for the same one, and whose key is known doesn't wait at all.

mod address;
mod algorithm;
mod fetch;
mod object;
mod set;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Semaphore, watch},
    time::{Instant, sleep_until, timeout},
};
use url::Url;

use crate::outbound;

pub use address::AddressError;
pub use algorithm::{Algorithm, AlgorithmError};
use fetch::{Answer, FetchError};
pub(super) use object::Object;
pub(super) use set::{Key, KeyMatchError};
use set::{KeyError, Set};
#[cfg(test)]
pub(super) use testing::{Signer, TemporaryFile, encode, set};

/// The least time between two fetches from one issuer, whatever is sent to us.
const GAP: Duration = Duration::from_secs(30);

/// The same for a file, which costs next to nothing: this is how soon a change in it is seen.
const FILE_GAP: Duration = Duration::from_secs(1);

/// No key is used for longer than this after it was last seen at its issuer. Until then keys that
/// can't be fetched anew are kept: an issuer that is down for a night should not stop ours.
const LONGEST_USE: Duration = Duration::from_secs(24 * 60 * 60);

/// How many may wait for the keys at once. Who comes beyond is answered by what is known: forged
/// tokens, which cost nothing to make, must not take every connection while an issuer is slow to
/// answer.
const MOST_WAITING: usize = 64;

/// Where an issuer's keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// Where the issuer says, at its URL with `/.well-known/openid-configuration` (OpenID Connect
    /// Discovery 1.0 section 4).
    Discovery,
    /// At this URL, as a JSON Web Key Set (RFC 7517 section 5).
    Url(Url),
    /// In this file, as a JSON Web Key Set. Read again every second.
    File(PathBuf),
}

impl KeySource {
    /// Keys at a URL, from its text as somebody wrote it.
    ///
    /// # Errors
    /// When the text is no URL, or has characters that the URL standard's parser would drop or
    /// turn; else as for [`KeySource::check`].
    pub fn url(text: &str) -> Result<Self, AddressError> {
        let url = address::parse(text)?;
        address::check(&url)?;
        Ok(Self::Url(url))
    }

    /// Checks that the keys of this issuer could be got safely; asks nobody.
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

/// The keys of one issuer.
#[derive(Debug)]
pub(super) struct Keys {
    issuer: String,
    place: Place,
    state: Mutex<State>,
    /// Places for those who wait.
    waiting: Semaphore,
}

/// Where the keys are, ready to be asked.
#[derive(Debug)]
enum Place {
    Discovery { url: Url, client: reqwest::Client },
    Url { url: Url, client: reqwest::Client },
    File(PathBuf),
}

#[derive(Debug, Default)]
struct State {
    held: Option<CachedSet>,
    /// When somebody went to get them last.
    asked: Option<Instant>,
    /// Closed when whoever went is back.
    flight: Option<watch::Receiver<()>>,
    /// What went wrong the last time, if it did.
    fault: Option<FetchError>,
}

#[derive(Debug)]
struct CachedSet {
    set: Arc<Set>,
    body: Vec<u8>,
    /// When they were seen at their issuer.
    seen: Instant,
    lifetime: Duration,
}

/// Why there is no key for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyLookupError {
    /// The issuer has none.
    Key(KeyMatchError),
    /// What the issuer has is not known, or not any more.
    Keys,
}

/// Why keys can't be got ready.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeySourceError {
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error("no client for HTTPS can be made")]
    Client(#[from] reqwest::Error),
}

/// Waits until somebody has got the keys, or could not. A file can keep one waiting without end.
async fn landed(mut flight: watch::Receiver<()>) {
    drop(timeout(fetch::PATIENCE, flight.changed()).await);
}

impl Keys {
    /// The keys of an issuer, none of them known yet.
    pub(super) fn new(issuer: &str, source: &KeySource) -> Result<Self, KeySourceError> {
        let place = match source {
            KeySource::Discovery => Place::Discovery {
                url: address::discovery(issuer)?,
                client: outbound::client(fetch::PATIENCE)?,
            },
            KeySource::Url(url) => {
                address::check(url)?;
                Place::Url {
                    url: url.clone(),
                    client: outbound::client(fetch::PATIENCE)?,
                }
            }
            KeySource::File(path) => Place::File(path.clone()),
        };
        Ok(Self {
            issuer: issuer.to_owned(),
            place,
            state: Mutex::default(),
            waiting: Semaphore::new(MOST_WAITING),
        })
    }

    /// The key for a token. When there is none, the issuer may have a new one: it is asked, if it
    /// was not asked a moment ago.
    pub(super) async fn find(
        self: &Arc<Self>,
        algorithm: Algorithm,
        id: Option<&str>,
    ) -> Result<Arc<Key>, KeyLookupError> {
        if self.due() <= Instant::now() {
            // Nobody waits for this, unless the key is missing.
            self.launch();
        }
        let found = self.usable().map(|set| set.find(algorithm, id));
        match found {
            Some(Ok(key)) => return Ok(key),
            Some(Err(KeyMatchError::Ambiguous)) => return Err(KeyLookupError::Key(KeyMatchError::Ambiguous)),
            Some(Err(KeyMatchError::Unknown)) | None => self.refresh().await,
        }
        let set = self.usable().ok_or(KeyLookupError::Keys)?;
        set.find(algorithm, id).map_err(KeyLookupError::Key)
    }

    /// Gets the keys anew, unless that was done a moment ago, and waits for them or for those that
    /// somebody else is getting; not when as many wait already as may.
    pub(super) async fn refresh(self: &Arc<Self>) {
        let flight = self.launch();
        if let (Some(flight), Ok(_waiting)) = (flight, self.waiting.try_acquire()) {
            landed(flight).await;
        }
    }

    /// Gets the keys whenever it is time to, for ever.
    pub(super) async fn keep_fresh(self: Arc<Self>) {
        loop {
            sleep_until(self.due()).await;
            if let Some(flight) = self.launch() {
                landed(flight).await;
            }
        }
    }

    /// Sends for the keys. In a task of its own: whoever asked may hang up, and must not be able to
    /// stop it for the others.
    fn launch(self: &Arc<Self>) -> Option<watch::Receiver<()>> {
        let mut state = self.state();
        let under_way = state.flight.as_ref().filter(|flight| flight.has_changed().is_ok());
        if let Some(flight) = under_way {
            return Some(flight.clone());
        }
        let now = Instant::now();
        if state.asked.is_some_and(|asked| now < asked + self.gap()) {
            return None;
        }
        let (done, flight) = watch::channel(());
        state.asked = Some(now);
        state.flight = Some(flight.clone());
        let keys = Arc::clone(self);
        tokio::spawn(async move {
            let answer = keys.fetch().await;
            keys.take(answer);
            drop(done);
        });
        Some(flight)
    }

    async fn fetch(&self) -> Result<Answer, FetchError> {
        match &self.place {
            Place::Discovery { url, client } => fetch::by_discovery(client, url, &self.issuer).await,
            Place::Url { url, client } => fetch::from_url(client, url).await,
            Place::File(path) => fetch::from_file(path).await,
        }
    }

    /// Takes what was found in place of what is held; keeps what is held when nothing could be
    /// found.
    fn take(&self, answer: Result<Answer, FetchError>) {
        let now = Instant::now();
        let issuer = self.issuer.as_str();
        let mut state = self.state();
        let fault = match answer {
            Ok(Answer { body, lifetime }) => match &mut state.held {
                Some(held) if held.body == body => {
                    held.seen = now;
                    held.lifetime = lifetime;
                    None
                }
                held => match Set::read(&body) {
                    Ok(set) => {
                        tell(issuer, &set);
                        *held = Some(CachedSet {
                            set: Arc::new(set),
                            body,
                            seen: now,
                            lifetime,
                        });
                        None
                    }
                    Err(fault) => Some(fault.into()),
                },
            },
            Err(fault) => Some(fault),
        };
        // Told once, not every time.
        match &fault {
            Some(fault) if state.fault.as_ref() != Some(fault) => {
                let keys_held = state.held.is_some();
                tracing::warn!(issuer, %fault, keys_held, "the keys of an issuer can't be got");
            }
            None if state.fault.is_some() => tracing::info!(issuer, "the keys of an issuer can be got again"),
            Some(_) | None => {}
        }
        state.fault = fault;
    }

    /// The keys that are held, unless their issuer has not been heard for too long.
    fn usable(&self) -> Option<Arc<Set>> {
        let state = self.state();
        let held = state.held.as_ref()?;
        (held.seen.elapsed() <= LONGEST_USE).then(|| Arc::clone(&held.set))
    }

    /// When to get them next: some time before they go stale, so that nobody has to wait for them.
    fn due(&self) -> Instant {
        let state = self.state();
        let Some(asked) = state.asked else {
            return Instant::now();
        };
        let earliest = asked + self.gap();
        match (&self.place, &state.held) {
            (Place::Discovery { .. } | Place::Url { .. }, Some(held)) if state.fault.is_none() => {
                earliest.max(held.seen + held.lifetime * 3 / 4)
            }
            (Place::Discovery { .. } | Place::Url { .. } | Place::File(_), _) => earliest,
        }
    }

    fn gap(&self) -> Duration {
        match self.place {
            Place::Discovery { .. } | Place::Url { .. } => GAP,
            Place::File(_) => FILE_GAP,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells of a set that is new.
fn tell(issuer: &str, set: &Set) {
    let count = |unusable| set.passed_over.iter().filter(|other| **other == unusable).count();
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
            "an issuer shows private or secret keys to everybody; they are not used, and it should withdraw them"
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
