//! Requests to servers that a source names: their addresses are looked at, their answers bounded.

use std::{fmt, sync::OnceLock, time::Duration};

use reqwest::{Client, Request, Response};

use super::{Guard, Reach, client::builder, guard::is_withheld};

/// How long a request may take in all, connecting and reading its answer included.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends requests to servers that a source names. Redirects are not followed, and no proxy stands
/// in between.
#[derive(Default)]
pub struct Outgoing {
    /// Made when they are first needed, since that reads the system's certificate authorities.
    public: OnceLock<Client>,
    inside: OnceLock<Client>,
}

/// Why a request has no answer, or none that is read. Says nothing of where it went: a URL may hold
/// a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutgoingError {
    /// Its server is where it may not be.
    #[error("its server has no public address, and private ones are not allowed")]
    Withheld,
    /// It took too long.
    #[error("no answer within {} seconds", TIMEOUT.as_secs())]
    TimedOut,
    /// There is no connection.
    #[error("no connection")]
    Connect,
    /// The connection broke, or what came is no HTTP.
    #[error("the connection broke, or what came is no HTTP")]
    Broken,
    /// The answer is longer than it may be.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    /// TLS can't be set up here.
    #[error("TLS can't be set up: are the system's certificate authorities there?")]
    Tls,
}

impl OutgoingError {
    /// Whether it may go better another time.
    pub fn is_passing(self) -> bool {
        match self {
            Self::TimedOut | Self::Connect | Self::Broken | Self::Tls => true,
            Self::Withheld | Self::TooLong(_) => false,
        }
    }

    fn of(error: &reqwest::Error) -> Self {
        if is_withheld(error) {
            Self::Withheld
        } else if error.is_timeout() {
            Self::TimedOut
        } else if error.is_connect() {
            Self::Connect
        } else {
            Self::Broken
        }
    }
}

impl Outgoing {
    /// Sends a request to where it may go, and waits for the head of its answer.
    ///
    /// # Errors
    /// When there is none, or its server is where it may not be.
    pub async fn send(&self, request: Request, reach: Reach) -> Result<Response, OutgoingError> {
        // A literal address is not resolved, so that the guard does not see it.
        if !reach.allows_host(request.url()) {
            return Err(OutgoingError::Withheld);
        }
        let client = self.client(reach)?;
        client.execute(request).await.map_err(|error| OutgoingError::of(&error))
    }

    fn client(&self, reach: Reach) -> Result<&Client, OutgoingError> {
        let (place, guard) = match reach {
            Reach::Inside => (&self.inside, Guard::reaching(Reach::Inside)),
            Reach::Public | Reach::Elsewhere => (&self.public, Guard::reaching(Reach::Public)),
        };
        if let Some(client) = place.get() {
            return Ok(client);
        }
        let made = builder(TIMEOUT).dns_resolver(guard).build();
        let made = made.map_err(|_| OutgoingError::Tls)?;
        Ok(place.get_or_init(|| made))
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Outgoing").finish_non_exhaustive()
    }
}

/// Reads the body of an answer, up to so many bytes.
///
/// # Errors
/// When it is longer, or does not come whole.
pub async fn body_within(mut response: Response, limit: usize) -> Result<Vec<u8>, OutgoingError> {
    let too_long = OutgoingError::TooLong(limit);
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(too_long);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| OutgoingError::of(&error))? {
        if body.len() + chunk.len() > limit {
            return Err(too_long);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
