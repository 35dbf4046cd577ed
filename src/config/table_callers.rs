//! The table of the settings of callers and of issuers.

use super::reference::{Kind, Scope, Setting};

const fn of_caller(name: &'static str, kind: Kind, default: Option<&'static str>, meaning: &'static str) -> Setting {
    Setting {
        scope: Scope::Caller,
        name,
        kind,
        default,
        meaning,
    }
}

const fn of_issuer(name: &'static str, kind: Kind, default: Option<&'static str>, meaning: &'static str) -> Setting {
    Setting {
        scope: Scope::Issuer,
        name,
        kind,
        default,
        meaning,
    }
}

/// Callers' settings, and then issuers', in the order in which the README shows them.
pub(super) static CALLER_SETTINGS: &[Setting] = &[
    of_caller(
        "name",
        Kind::Text("1 to 128 printable characters, unique without regard to letter case"),
        None,
        "Its name in the log.",
    ),
    of_caller(
        "api_keys",
        Kind::Secret(
            "an array of `{ sha256 = \"…\", expires = 2027-01-31 }`, the second optional, as `aws-ilm key new` prints it",
        ),
        None,
        "Its API keys, by their digests; several, so that one can be exchanged while another is in use.",
    ),
    of_caller(
        "issuer",
        Kind::Text("the `issuer` of an `[[issuers]]` table"),
        None,
        "Whose tokens are its own; may be left out where there is one issuer.",
    ),
    of_caller(
        "claims",
        Kind::List("an array of claims with their values, like \"groups=hr-writers\""),
        Some(""),
        "What a token must hold to be its own, all of it. A token that several callers could claim is the first one's.",
    ),
    of_caller(
        "certificates",
        Kind::List(
            "an array of names like \"subject:CN=hr,O=Example\", \"dns:hr.example.com\", \"uri:spiffe://example.com/hr\" or \
             \"email:hr@example.com\"",
        ),
        Some(""),
        "The names in client certificates that are its own, any of them; needs `tls_client_ca_file`.",
    ),
    of_caller(
        "commands",
        Kind::List("an array of commands' names, \"iam-*\", \"read\", \"write\" or \"*\""),
        Some(""),
        "What it may run.",
    ),
    of_caller(
        "instances",
        Kind::List("an array of instances' names, or \"*\""),
        Some(""),
        "Where it may run it. Of other instances it is told that they are not there.",
    ),
    of_caller(
        "webhooks",
        Kind::List("an array of sources' names, or \"*\""),
        Some(""),
        "The webhook sources that it may deliver for.",
    ),
    of_caller(
        "operations",
        Kind::Boolean,
        Some("false"),
        "Whether it may read, retry, cancel and move deferred commands of others.",
    ),
    of_caller(
        "administration",
        Kind::Boolean,
        Some("false"),
        "Whether it may see how the service and its directories are doing (`GET /instances`).",
    ),
    of_caller(
        "requests_per_second",
        Kind::Rate {
            most: 100_000,
            unit: "requests",
        },
        Some("50"),
        "Requests a second that it may send; as many may come at once after a quiet second.",
    ),
    of_caller(
        "concurrent_requests",
        Kind::Count {
            least: 1,
            most: 65_536,
            unit: "requests",
        },
        Some("64"),
        "Requests of its own that are worked on at once.",
    ),
    of_issuer(
        "issuer",
        Kind::Text("the issuer just as its tokens have it in `iss`: an https URL"),
        None,
        "Whose tokens are verified.",
    ),
    of_issuer(
        "audiences",
        Kind::List("an array of texts"),
        Some(""),
        "What stands in `aud` of a token that is meant for this service: any of them.",
    ),
    of_issuer(
        "jwks_url",
        Kind::Text("an https URL"),
        None,
        "Where its keys are. Without it and `jwks_file` they are found by discovery, at `/.well-known/openid-configuration` below the issuer.",
    ),
    of_issuer(
        "jwks_file",
        Kind::Text("the path of a JSON Web Key Set"),
        None,
        "A file with its keys; relative to the file that this stands in. Read again when it changes.",
    ),
    of_issuer(
        "algorithms",
        Kind::List("an array of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or EdDSA"),
        Some("RS256"),
        "The signature algorithms that are accepted, whatever a token says of itself.",
    ),
    of_issuer(
        "clock_skew",
        Kind::Duration {
            least: 0,
            most: 300_000,
        },
        Some("1m"),
        "How far the issuer's clock may be from ours.",
    ),
];
