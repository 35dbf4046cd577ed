//! The ways to authenticate, for clients that are made from the document and for Swagger
//! UI's Authorize button.

use utoipa::openapi::{
    OpenApi,
    security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
};

/// An API key in a field of its own.
const KEY: &str = "apiKey";
/// An API key, or a token of an issuer.
const BEARER: &str = "bearer";
/// A client certificate.
const CERTIFICATE: &str = "clientCertificate";

/// Declares them, and that any one is enough. A service without callers asks for none of them; the
/// document describes one that has some.
pub(super) fn declare(document: &mut OpenApi) {
    let key = ApiKeyValue::with_description("X-API-Key", "An API key, as `aws-ilm key new` makes it.");
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API key, or a token (JWT) of a configured issuer."))
        .build();
    let certificate = SecurityScheme::MutualTls {
        description: Some("A client certificate, where the service takes them.".to_owned()),
        extensions: None,
        deprecated: None,
    };
    let components = document.components.get_or_insert_default();
    for (name, scheme) in [
        (BEARER, SecurityScheme::Http(bearer)),
        (KEY, SecurityScheme::ApiKey(ApiKey::Header(key))),
        (CERTIFICATE, certificate),
    ] {
        components.add_security_scheme(name, scheme);
    }
    let alone = |name: &str| SecurityRequirement::new(name, Vec::<String>::new());
    document.security = Some([BEARER, KEY, CERTIFICATE].map(alone).into());
}
