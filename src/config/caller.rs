//! One caller: its proofs, its rights, its quota.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use toml::Value;

use super::{
    expiry, instances as names,
    reader::{self, Section},
    unknown,
};
use crate::auth::{
    ApiKey, Caller, CertificateName, CommandRight, Digest, Names, Quota, Rights, TokenRule, jwt::Issuer,
};

/// The commands that there are rights to.
pub const COMMANDS: [&str; 10] = [
    "iam-create-user",
    "iam-update-user",
    "iam-get-user",
    "iam-disable-user",
    "iam-get-group",
    "iam-create-group",
    "iam-update-group",
    "iam-delete-group",
    "test-module",
    "get-mapping-fields",
];

/// The instances that there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownInstances<'a> {
    /// Their names; `None` when they could not be read themselves.
    pub(super) names: Option<&'a [String]>,
    /// Whether the service runs with them, so that no others will be made.
    pub(super) are_made: bool,
}

/// Reads one caller.
pub(super) fn read(section: &mut Section<'_>, issuers: &[Issuer], known_instances: KnownInstances<'_>) -> Caller {
    let name = section.text("name", names::is_name);
    if section.is_absent("name") {
        section.refuse("name", "give the caller a name for the log");
    }
    let caller = Caller {
        name: name.unwrap_or_default(),
        keys: keys(section),
        tokens: token_rule(section, issuers),
        certificates: certificates(section),
        rights: rights(section, known_instances),
        quota: Quota {
            requests_per_second: section.rate("requests_per_second"),
            concurrent_requests: section.count("concurrent_requests"),
        },
    };
    if caller.keys.is_empty() && caller.tokens.is_none() && caller.certificates.is_empty() {
        section.warn(
            "name",
            "nobody can be this caller: it has neither api_keys, claims nor certificates",
        );
    }
    caller
}

fn rights(section: &mut Section<'_>, known_instances: KnownInstances<'_>) -> Rights {
    let mut commands = Vec::new();
    for text in section.list("commands", |_| true) {
        match CommandRight::parse(&text, &COMMANDS) {
            Some(right) => commands.push(right),
            None => {
                let near = unknown::nearest(&text.to_ascii_lowercase(), COMMANDS.into_iter());
                let help = near.map_or_else(
                    || format!("use {}, \"iam-*\", \"read\", \"write\" or \"*\"", COMMANDS.join(", ")),
                    |near| format!("did you mean {near}?"),
                );
                section.refuse(
                    "commands",
                    &format!("{} covers no command: {help}", reader::quoted(&text)),
                );
            }
        }
    }
    let instances = section.list("instances", |_| true);
    let is_instance = |name: &String| {
        let is_same = |known: &String| known.to_lowercase() == name.to_lowercase();
        name == "*" || known_instances.names.is_none_or(|known| known.iter().any(is_same))
    };
    for name in instances.iter().filter(|name| !is_instance(name)) {
        let known: Vec<String> = known_instances
            .names
            .unwrap_or_default()
            .iter()
            .map(|name| reader::quoted(name))
            .collect();
        let help = format!(
            "there is no instance {}: use {} or \"*\"",
            reader::quoted(name),
            known.join(" or ")
        );
        // Instances are made at start. While the service runs, a caller that is to have a new one
        // is no reason to go on letting in another who was taken out.
        if known_instances.are_made {
            section.warn("instances", &help);
        } else {
            section.refuse("instances", &help);
        }
    }
    let administration = section.boolean("administration");
    if administration && instances.is_empty() {
        section.warn(
            "instances",
            "without instances there is none that its right of administration shows",
        );
    }
    if !commands.is_empty() && instances.is_empty() {
        section.refuse(
            "instances",
            "name the instances on which it may run its commands, or \"*\" for all",
        );
    }
    Rights {
        commands,
        instances: Names::these(instances),
        webhooks: Names::these(section.list("webhooks", |name| name == "*" || names::is_name(name))),
        operations: section.boolean("operations"),
        administration,
    }
}

fn keys(section: &mut Section<'_>) -> Vec<ApiKey> {
    const NAME: &str = "api_keys";
    let entries = section.parsed(NAME, |raw| match raw {
        reader::Raw::Toml(Value::Array(entries)) => Some(entries.clone()),
        reader::Raw::Toml(_) | reader::Raw::Text(_) => None,
    });
    let mut keys = Vec::new();
    for (index, entry) in entries.unwrap_or_default().iter().enumerate() {
        match key(entry) {
            Ok(key) => {
                if key.has_expired(Timestamp::now()) {
                    section.warn(NAME, &format!("entry {} has expired: take it out", index + 1));
                }
                keys.push(key);
            }
            Err(help) => section.refuse(NAME, &format!("entry {}: {help}", index + 1)),
        }
    }
    keys
}

/// Reads `{ sha256 = "…", expires = … }`, or says what to do about it, without the value: it may be
/// the key itself.
fn key(entry: &Value) -> Result<ApiKey, &'static str> {
    let table = entry
        .as_table()
        .ok_or("write { sha256 = \"…\" }, as `aws-ilm key new` prints it")?;
    if table.keys().any(|name| !["sha256", "expires"].contains(&name.as_str())) {
        return Err("there are sha256 and expires, and nothing else");
    }
    let digest = match table.get("sha256").and_then(Value::as_str) {
        None => return Err("give sha256, the digest that `aws-ilm key new` printed"),
        Some(text) if ApiKey::has_form(text.trim()) => {
            return Err(
                "that is a key itself and not its digest: it is known by now to whoever reads this file, so make a new one",
            );
        }
        Some(text) => Digest::parse(text).ok_or("sha256 is 64 hexadecimal digits: copy it again")?,
    };
    let expires = match table.get("expires") {
        None => None,
        Some(value) => {
            let text = value.as_datetime().map(ToString::to_string);
            let text = text.as_deref().or_else(|| value.as_str());
            let time = text.and_then(expiry::parse);
            Some(time.ok_or("expires is a date like 2027-01-31, or a time like 2027-01-31T12:00:00Z")?)
        }
    };
    Ok(ApiKey { digest, expires })
}

fn token_rule(section: &mut Section<'_>, issuers: &[Issuer]) -> Option<TokenRule> {
    let given = section.text("issuer", |text| !text.is_empty());
    let mut claims = Vec::new();
    for text in section.list("claims", |_| true) {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() && !value.is_empty() => {
                claims.push((name.to_owned(), value.to_owned()));
            }
            Some(_) | None => section.refuse(
                "claims",
                &format!(
                    "write {} as a claim and its value, like \"groups=hr-writers\"",
                    reader::quoted(&text)
                ),
            ),
        }
    }
    if claims.is_empty() {
        if given.is_some() && section.is_absent("claims") {
            let help = "say what a token must hold to be this caller's, like \"sub=hr-system\": without it everybody with an account at \
                        the issuer would be let in";
            section.refuse("claims", help);
        }
        return None;
    }
    let issuer = match (given, issuers) {
        (Some(given), _) => given,
        (None, [only]) => only.issuer.clone(),
        (None, _) => {
            section.refuse(
                "issuer",
                "say whose tokens hold these claims: the issuer of an [[issuers]] table",
            );
            return None;
        }
    };
    if !issuers.iter().any(|known| known.issuer == issuer) {
        section.refuse(
            "issuer",
            "there is no such [[issuers]] table: its issuer is spelled just as here",
        );
    }
    Some(TokenRule { issuer, claims })
}

fn certificates(section: &mut Section<'_>) -> Vec<CertificateName> {
    let mut names = Vec::new();
    for text in section.list("certificates", |_| true) {
        match text.parse() {
            Ok(name) => names.push(name),
            Err(error) => section.refuse("certificates", &format!("{}: {error}", reader::quoted(&text))),
        }
    }
    names
}

/// A name, a key or a certificate proves one caller: otherwise the log would name either.
pub(super) fn refuse_what_is_others(section: &mut Section<'_>, caller: &Caller, others: &[Caller]) {
    let same_name =
        |other: &&Caller| !caller.name.is_empty() && other.name.to_lowercase() == caller.name.to_lowercase();
    if others.iter().any(|other| same_name(&other)) {
        section.refuse(
            "name",
            "give each caller a name of its own; letter case makes no difference",
        );
    }
    let mut owners: BTreeMap<Digest, &str> = BTreeMap::new();
    for other in others {
        owners.extend(other.keys.iter().map(|key| (key.digest, other.name.as_str())));
    }
    let mut own = BTreeSet::new();
    for key in &caller.keys {
        if let Some(owner) = owners.get(&key.digest) {
            let help = format!(
                "{} has one of these keys as well: give each caller keys of its own",
                reader::quoted(owner)
            );
            section.refuse("api_keys", &help);
        } else if !own.insert(key.digest) {
            section.refuse("api_keys", "one of the keys stands there twice");
        }
    }
    let same_rule = |other: &&Caller| caller.tokens.is_some() && other.tokens == caller.tokens;
    if let Some(other) = others.iter().find(same_rule) {
        let help = format!(
            "{} has just these claims as well, and whoever holds them is always that one: take one of the two out",
            reader::quoted(&other.name)
        );
        section.refuse("claims", &help);
    }
    for other in others {
        if caller.certificates.iter().any(|name| other.certificates.contains(name)) {
            let help = format!(
                "{} has one of these names as well: give each caller names of its own",
                reader::quoted(&other.name)
            );
            section.refuse("certificates", &help);
        }
    }
}
