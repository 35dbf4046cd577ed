//! Fetches a key set from its source: a file, a URL, or the URL that an issuer announces.

use std::{io, path::Path, time::Duration};

use reqwest::{
    Client, Response, StatusCode,
    header::{AGE, CACHE_CONTROL, HeaderMap},
};
use serde_json::Value;
use url::Url;

use super::{AddressError, address, set::KeySetError};
use crate::{files, json};

/// How long an answer may take in all, discovery included: a request that presents a token may wait
/// for it.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);

/// The longest document that is read, in bytes. Sets have a few kilobytes; those with certificate
/// chains stay below 100.
const MAX_LENGTH: usize = 256 * 1024;

/// How long keys are fresh when their issuer doesn't say.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// The shortest time between two fetches that an issuer can ask for.
const MIN_LIFETIME: Duration = Duration::from_secs(5 * 60);

/// The longest time that a withdrawn key can stay in use.
const MAX_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// A key set as it was fetched.
pub(super) struct Answer {
    pub(super) body: Vec<u8>,
    /// How long it is fresh.
    pub(super) lifetime: Duration,
}

/// Says why keys could not be fetched, without a word of the answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FetchError {
    #[error("no answer within {} seconds", TIMEOUT.as_secs())]
    TimedOut,
    #[error("no connection")]
    Connect,
    #[error("the connection broke, or what came is no HTTP")]
    Broken,
    #[error("the status is {0}; it must be 200, and redirects are not followed")]
    Status(u16),
    #[error("the document is larger than {} KiB", MAX_LENGTH / 1024)]
    TooLarge,
    #[error("the discovery document is not a JSON object with names that stand once each")]
    Discovery,
    #[error("the discovery document is of another issuer")]
    Issuer,
    #[error("the discovery document's jwks_uri can't be used: {0}")]
    JwksUri(AddressError),
    #[error("the file can't be read: {0}")]
    File(io::ErrorKind),
    #[error("not a regular file")]
    NotAFile,
    #[error(transparent)]
    Set(#[from] KeySetError),
}

impl Answer {
    /// The content of a file. Its lifetime counts for nothing: the file is watched.
    pub(super) fn of_file(body: Vec<u8>) -> Self {
        Self {
            body,
            lifetime: DEFAULT_LIFETIME,
        }
    }
}

/// Fetches a set from its URL.
pub(super) async fn from_url(client: &Client, url: &Url) -> Result<Answer, FetchError> {
    let answer = async {
        let response = get(client, url).await?;
        let lifetime = lifetime(response.headers());
        let body = body(response).await?;
        Ok(Answer { body, lifetime })
    };
    tokio::time::timeout(TIMEOUT, answer)
        .await
        .unwrap_or(Err(FetchError::TimedOut))
}

/// Asks an issuer where its keys are (OpenID Connect Discovery 1.0 section 4), and fetches them
/// from there.
pub(super) async fn by_discovery(client: &Client, url: &Url, issuer: &str) -> Result<Answer, FetchError> {
    let answer = async {
        let document = body(get(client, url).await?).await?;
        let Ok(Value::Object(document)) = json::parse(&document) else {
            return Err(FetchError::Discovery);
        };
        // Section 4.3. Else a server that answers for one issuer could have its keys taken for
        // another's.
        if document.get("issuer").and_then(Value::as_str) != Some(issuer) {
            return Err(FetchError::Issuer);
        }
        let keys = document.get("jwks_uri").and_then(Value::as_str).unwrap_or_default();
        let keys = address::announced(keys, url).map_err(FetchError::JwksUri)?;
        from_url(client, &keys).await
    };
    tokio::time::timeout(TIMEOUT, answer)
        .await
        .unwrap_or(Err(FetchError::TimedOut))
}

/// Reads a set from a file.
pub(super) async fn from_file(path: &Path) -> Result<Answer, FetchError> {
    let path = path.to_owned();
    // Files may stand on a disk that is slow to answer.
    let read = tokio::task::spawn_blocking(move || read_file(&path)).await;
    let body = read.unwrap_or(Err(FetchError::File(io::ErrorKind::Other)))?;
    Ok(Answer::of_file(body))
}

/// Reads the content of a file, and nothing else. Blocks.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, FetchError> {
    let mut body = files::read(path, MAX_LENGTH as u64).map_err(|error| match error {
        files::FileError::Unreadable(kind) => FetchError::File(kind),
        files::FileError::NotAFile => FetchError::NotAFile,
        files::FileError::TooLarge | files::FileError::NotText | files::FileError::Utf16 => FetchError::TooLarge,
    })?;
    Ok(std::mem::take(&mut *body))
}

async fn get(client: &Client, url: &Url) -> Result<Response, FetchError> {
    let response = client
        .get(url.clone())
        .send()
        .await
        .map_err(|error| transport_error(&error))?;
    if response.status() != StatusCode::OK {
        return Err(FetchError::Status(response.status().as_u16()));
    }
    Ok(response)
}

async fn body(mut response: Response) -> Result<Vec<u8>, FetchError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| transport_error(&error))? {
        if body.len() + chunk.len() > MAX_LENGTH {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn transport_error(error: &reqwest::Error) -> FetchError {
    if error.is_timeout() {
        FetchError::TimedOut
    } else if error.is_connect() {
        FetchError::Connect
    } else {
        FetchError::Broken
    }
}

/// Computes how long an answer is fresh by its own header fields (RFC 9111 sections 4.2.1, 4.2.3
/// and 5.2.2), within our bounds.
fn lifetime(headers: &HeaderMap) -> Duration {
    let directives = headers
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|directive| directive.trim().to_ascii_lowercase());
    let mut lifetime = None;
    for directive in directives {
        if directive == "no-store" || directive.starts_with("no-cache") {
            return MIN_LIFETIME;
        }
        let seconds = directive.strip_prefix("max-age=").map(|age| age.trim_matches('"'));
        lifetime = lifetime.or_else(|| seconds?.parse().ok());
    }
    let Some(lifetime) = lifetime.map(Duration::from_secs) else {
        return DEFAULT_LIFETIME;
    };
    let age = headers.get(AGE).and_then(|age| age.to_str().ok()?.parse().ok());
    lifetime
        .saturating_sub(Duration::from_secs(age.unwrap_or(0)))
        .clamp(MIN_LIFETIME, MAX_LIFETIME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_says_how_long_its_keys_are_fresh_within_bounds() {
        for (cache_control, age, minutes) in [
            (None, None, 60),
            (Some("public"), None, 60),
            (Some("public, max-age=7200, must-revalidate"), None, 120),
            (Some("Max-Age=\"7200\""), None, 120),
            (Some("max-age=7200, max-age=60000"), None, 120),
            (Some("max-age=7200"), Some("3600"), 60),
            (Some("max-age=7200"), Some("99999999999999999999"), 120),
            (Some("max-age=7200"), Some("999999999"), 5),
            (Some("max-age=0"), None, 5),
            (Some("max-age=1"), None, 5),
            (Some("max-age=31536000"), None, 24 * 60),
            (Some("max-age=99999999999999999999999"), None, 60),
            (Some("max-age=-1"), None, 60),
            (Some("max-age=soon"), None, 60),
            (Some("no-store"), None, 5),
            (Some("max-age=7200, no-cache"), None, 5),
            (None, Some("5"), 60),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(value) = cache_control {
                headers.insert(CACHE_CONTROL, value.parse().unwrap());
            }
            if let Some(value) = age {
                headers.insert(AGE, value.parse().unwrap());
            }
            assert_eq!(
                lifetime(&headers),
                Duration::from_secs(minutes * 60),
                "{cache_control:?} {age:?}"
            );
        }
    }
}
