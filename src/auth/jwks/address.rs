//! Checks the addresses that keys are fetched from.

use url::Url;

use crate::outbound::is_loopback;

/// Says why keys can't be fetched from an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not the text of an absolute URL.
    #[error("use a whole URL, like https://login.example.com/realm, without white space or backslashes")]
    NotAUrl,
    /// Neither https nor plain http to this very machine: an attacker on the way could replace the
    /// keys.
    #[error("use https; plain http is for loopback alone")]
    NotHttps,
    /// A name or a password stands before the host.
    #[error("remove what stands before the @")]
    Credentials,
    /// A query or a fragment where there can't be one (OpenID Connect Discovery 1.0 section 3,
    /// `issuer`).
    #[error("remove the query and the fragment")]
    QueryOrFragment,
}

/// Parses an address, refusing characters that the URL standard's parser would quietly drop or
/// turn.
pub(super) fn parse(text: &str) -> Result<Url, AddressError> {
    let plain = |character: char| character.is_ascii_graphic() && character != '\\';
    if !text.chars().all(plain) || !text.contains("://") {
        return Err(AddressError::NotAUrl);
    }
    Url::parse(text).map_err(|_| AddressError::NotAUrl)
}

/// Checks the URL of a key set.
pub(super) fn check(url: &Url) -> Result<(), AddressError> {
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(url)) {
        return Err(AddressError::NotHttps);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressError::Credentials);
    }
    if url.fragment().is_some() {
        return Err(AddressError::QueryOrFragment);
    }
    Ok(())
}

/// Builds the URL of an issuer's discovery document: the issuer's own URL, without a slash at its
/// end, and the well-known path (OpenID Connect Discovery 1.0 section 4.1).
pub(super) fn discovery(issuer: &str) -> Result<Url, AddressError> {
    let url = parse(issuer)?;
    check(&url)?;
    if issuer.contains(['?', '#']) {
        return Err(AddressError::QueryOrFragment);
    }
    parse(&format!(
        "{}/.well-known/openid-configuration",
        issuer.trim_end_matches('/')
    ))
}

/// Checks the `jwks_uri` that an issuer announces.
///
/// Plain http is accepted from an issuer on loopback only. Else an issuer on the network could have
/// this machine's own services called.
pub(super) fn announced(text: &str, issuer: &Url) -> Result<Url, AddressError> {
    let url = parse(text)?;
    check(&url)?;
    if url.scheme() != "https" && !is_loopback(issuer) {
        return Err(AddressError::NotHttps);
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_asked_at_its_well_known_path() {
        for (issuer, expected) in [
            (
                "https://login.example.com",
                "https://login.example.com/.well-known/openid-configuration",
            ),
            (
                "https://login.example.com/",
                "https://login.example.com/.well-known/openid-configuration",
            ),
            (
                "https://login.example.com/a/b/",
                "https://login.example.com/a/b/.well-known/openid-configuration",
            ),
            (
                "http://127.0.0.1:8080/realms/r",
                "http://127.0.0.1:8080/realms/r/.well-known/openid-configuration",
            ),
            ("http://[::1]:9", "http://[::1]:9/.well-known/openid-configuration"),
            ("http://localhost", "http://localhost/.well-known/openid-configuration"),
        ] {
            assert_eq!(discovery(issuer).unwrap().as_str(), expected, "{issuer}");
        }
    }

    #[test]
    fn other_addresses_are_refused() {
        for (issuer, error) in [
            ("", AddressError::NotAUrl),
            ("login.example.com", AddressError::NotAUrl),
            ("https:login.example.com", AddressError::NotAUrl),
            ("https://", AddressError::NotAUrl),
            ("https://login.exa\tmple.com", AddressError::NotAUrl),
            ("https://login.example.com\\@evil.example", AddressError::NotAUrl),
            (" https://login.example.com", AddressError::NotAUrl),
            ("http://login.example.com", AddressError::NotHttps),
            ("http://localhost.example.com", AddressError::NotHttps),
            ("http://10.0.0.1", AddressError::NotHttps),
            ("http://0.0.0.0", AddressError::NotHttps),
            ("file:///etc/passwd", AddressError::NotHttps),
            ("ftp://login.example.com", AddressError::NotHttps),
            ("https://user:secret@login.example.com", AddressError::Credentials),
            ("https://login.example.com@evil.example", AddressError::Credentials),
            ("https://login.example.com?x=1", AddressError::QueryOrFragment),
            ("https://login.example.com?", AddressError::QueryOrFragment),
            ("https://login.example.com/#x", AddressError::QueryOrFragment),
        ] {
            assert_eq!(discovery(issuer), Err(error), "{issuer:?}");
        }
    }

    #[test]
    fn keys_are_announced_by_https_unless_all_is_on_this_machine() {
        let far = Url::parse("https://login.example.com").unwrap();
        let here = Url::parse("http://127.0.0.1:8080").unwrap();
        assert!(announced("https://keys.example.net/jwks?p=1", &far).is_ok());
        assert!(announced("http://127.0.0.1:8080/jwks", &here).is_ok());
        for text in [
            "http://login.example.com/jwks",
            "http://127.0.0.1/latest",
            "http://localhost:9/",
            "http://169.254.169.254/",
            "/jwks",
            "file:///etc/passwd",
            "https://a:b@login.example.com/jwks",
        ] {
            assert!(announced(text, &far).is_err(), "{text}");
        }
    }
}
