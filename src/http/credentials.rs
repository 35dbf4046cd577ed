//! What a request presents to prove its caller: header fields, and its connection's certificate.

use std::fmt;

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, header},
};

use crate::{
    auth::{AuthenticationError, Authenticator, CertificateNames, Credentials, Identity, PresentedCredentials},
    net::tls::ClientCertificate,
};

/// The header field of an API key.
pub const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The credentials of a request, kept so that they can be checked again once its body has arrived.
pub(super) struct RequestCredentials {
    api_keys: Vec<HeaderValue>,
    authorizations: Vec<HeaderValue>,
    certificate: Option<ClientCertificate>,
}

impl RequestCredentials {
    pub(super) fn of(request: &Request) -> Self {
        let certificate = request.extensions().get().cloned();
        Self::new(request.headers(), certificate)
    }

    fn new(headers: &HeaderMap, certificate: Option<ClientCertificate>) -> Self {
        let fields = |name| headers.get_all(name).iter().cloned().collect();
        Self {
            api_keys: fields(API_KEY),
            authorizations: fields(header::AUTHORIZATION),
            certificate,
        }
    }

    /// Finds the caller that these credentials prove now.
    pub(super) async fn identify(&self, authenticator: &Authenticator) -> Result<Identity, AuthenticationError> {
        let names = self.certificate.as_ref().and_then(names_of);
        let credentials = Credentials {
            presented: self.presented(),
            certificate: names.as_ref(),
        };
        authenticator.identify(credentials).await
    }

    /// The one field that counts. Two of them are malformed: a proxy before us may have gone by the
    /// other one.
    fn presented(&self) -> Option<PresentedCredentials<'_>> {
        let presented = match (&self.api_keys[..], &self.authorizations[..]) {
            ([], []) => return None,
            ([key], []) => key.to_str().ok().map(PresentedCredentials::Key),
            ([], [authorization]) => authorization
                .to_str()
                .ok()
                .and_then(bearer_token)
                .map(PresentedCredentials::Bearer),
            (_, _) => None,
        };
        Some(presented.unwrap_or(PresentedCredentials::Malformed))
    }
}

impl fmt::Debug for RequestCredentials {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.debug_struct("RequestCredentials").finish_non_exhaustive()
    }
}

/// The token of `Bearer` (RFC 6750 section 2.1): the scheme in any letter case, one space (the RFC
/// lets there be more, and no client sends more), and the letters of a `b64token`.
fn bearer_token(field: &str) -> Option<&str> {
    let (scheme, token) = field.split_once(' ')?;
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    let is_bearer = scheme.eq_ignore_ascii_case("Bearer") && !token.is_empty() && token.bytes().all(is_token);
    is_bearer.then_some(token)
}

/// The names that a certificate proves, as long as it verifies.
fn names_of(certificate: &ClientCertificate) -> Option<CertificateNames> {
    CertificateNames::from_der(certificate.verified()?)
        .inspect_err(|error| tracing::debug!("a client's certificate proves nothing: {error}"))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presented(fields: &[(&'static str, &[u8])]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        let credentials = RequestCredentials::new(&headers, None);
        credentials.presented().map(|presented| match presented {
            PresentedCredentials::Key(text) => format!("key {text}"),
            PresentedCredentials::Bearer(text) => format!("bearer {text}"),
            PresentedCredentials::Malformed => "malformed".to_owned(),
        })
    }

    #[test]
    fn one_field_of_one_form_is_presented() {
        assert_eq!(presented(&[]), None);
        for (name, value, expected) in [
            ("x-api-key", "abc", "key abc"),
            ("x-api-key", "", "key "),
            ("authorization", "Bearer abc", "bearer abc"),
            ("authorization", "bEARER a.b-c_d~e+f/g==", "bearer a.b-c_d~e+f/g=="),
        ] {
            assert_eq!(
                presented(&[(name, value.as_bytes())]).as_deref(),
                Some(expected),
                "{value}"
            );
        }
    }

    #[test]
    fn another_scheme_or_form_is_malformed() {
        for value in [
            &b"Bearer"[..],
            b"Bearer ",
            b"Bearer  abc",
            b"Bearer a b",
            b"Bearer a,b",
            b"Bearer \xff",
            b"Basic abc",
            b"",
        ] {
            assert_eq!(
                presented(&[("authorization", value)]).as_deref(),
                Some("malformed"),
                "{value:?}"
            );
        }
    }

    #[test]
    fn two_fields_are_malformed() {
        for fields in [
            [("authorization", &b"Bearer a"[..]), ("authorization", b"Bearer a")],
            [("x-api-key", b"a"), ("x-api-key", b"a")],
            [("authorization", b"Bearer a"), ("x-api-key", b"a")],
        ] {
            assert_eq!(presented(&fields).as_deref(), Some("malformed"), "{fields:?}");
        }
    }
}
