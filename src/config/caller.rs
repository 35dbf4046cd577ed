//! One caller: its proofs, its rights, its quota.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use toml::Value;

use super::{
    expiry,
    kind::{Choice, Count, Entries, List, Masked, Rate, SWITCH, Text, any, filled, name},
    raw::{Raw, quoted},
    section::Section,
    setting::Setting,
    table::settings,
};
use crate::{
    auth::{
        ApiKey, Caller, CertificateName, CommandRight, Digest, Names, OperationRight, Quota, Rights, TokenRule,
        jwt::Issuer,
    },
    commands,
    diagnostic::nearest,
};

/// The tables of a caller's settings, in the order of the reference.
pub(super) const TABLES: &[&[&Setting]] = &[CallerTable::SETTINGS, QuotaTable::SETTINGS];

settings! {
    /// What proves a caller, and what it may do.
    pub(super) struct CallerTable: Caller {
        /// Its name in the log.
        name: Option<String> = Text("1 to 128 printable characters, unique without regard to letter case", name);
        /// The digests of its API keys. Several can be good at once, so that one can be replaced
        /// while another is in use.
        api_keys: Option<Vec<ApiKey>> = Masked(
            "an array of `{ sha256 = \"…\", expires = 2027-01-31 }`, the second optional, as `aws-ilm key new` prints it",
            api_keys);
        /// The issuer of its tokens; may be left out if there is only one issuer.
        issuer: Option<String> = Text("the `issuer` of an `[[issuers]]` table", filled);
        /// The claims that its tokens have; all must match. A token that matches several callers
        /// belongs to the first of them in the file.
        claims: Vec<(String, String)> = Entries("an array of claims with their values, like \"groups=hr-writers\"", claim),
            default "";
        /// The names in its client certificates; one that matches is enough. Needs
        /// `tls_client_ca_file`.
        certificates: Vec<CertificateName> = Entries(
            "an array of names like \"subject:CN=hr,O=Example\", \"dns:hr.example.com\", \"uri:spiffe://example.com/hr\" or \
             \"email:hr@example.com\"",
            |text| text.parse::<CertificateName>().map_err(|error| format!("{}: {error}", quoted(text)))),
            default "";
        /// The commands that it may run.
        commands: Vec<CommandRight> = Entries("an array of commands' names, \"iam-*\", \"read\", \"write\" or \"*\"", command_right),
            default "";
        /// The instances on which it may run them. Other instances look to it as if they did not
        /// exist.
        instances: Vec<String> = List("an array of instances' names, or \"*\"", any), default "";
        /// Which operations it may see and change: its `own`; with `read` it also sees those of
        /// others on its instances; with `manage` it may also retry, cancel and move them.
        operations: OperationRight = Choice(&[("own", OperationRight::Own), ("read", OperationRight::Read), ("manage", OperationRight::Manage)]),
            default "own";
        /// Whether it may decide on what is held, or needs data, among the operations that it may
        /// see: release it, or cancel it. Those that events ask for take `operations = "read"` to
        /// be seen.
        release: bool = SWITCH, default "false";
        /// Whether it may see sources of webhooks and the events that they sent, with all that
        /// those say of people, and have them read again.
        sources: bool = SWITCH, default "false";
        /// Whether it may see how the service and its directories are doing (`GET /instances`).
        administration: bool = SWITCH, default "false";
        /// Whether it may read the metrics (`GET /metrics`), which tell of every instance.
        metrics: bool = SWITCH, default "false";
    }
}

settings! {
    /// How much a caller may ask for.
    pub(super) struct QuotaTable: Caller => Quota {
        /// The requests a second that it may send. After a quiet second as many may come at once.
        requests_per_second = Rate(100_000, "requests"), default "50";
        /// The number of its requests that are worked on at once.
        concurrent_requests = Count(1, 65_536, "requests"), default "64";
    }
}

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
    let table = CallerTable::read(section);
    let quota = QuotaTable::read(section);
    if !section.is_set(CallerTable::name) {
        section.refuse(CallerTable::name, "give the caller a name for the log");
    }
    warn_of_nothing_allowed(section, &table);
    let keys = table.api_keys.unwrap_or_default();
    for (index, key) in keys.iter().enumerate() {
        if key.has_expired(Timestamp::now()) {
            let warning = format!("entry {} has expired: take it out", index + 1);
            section.warn(CallerTable::api_keys, &warning);
        }
    }
    check_instances(section, &table.instances, known_instances);
    if !table.commands.is_empty() && table.instances.is_empty() {
        section.refuse(
            CallerTable::instances,
            "name the instances on which it may run its commands, or \"*\" for all",
        );
    }
    let tokens = token_rule(section, table.issuer, table.claims, issuers);
    if keys.is_empty() && tokens.is_none() && table.certificates.is_empty() {
        section.warn(
            CallerTable::name,
            "nobody can be this caller: it has neither api_keys, claims nor certificates",
        );
    }
    Caller {
        name: table.name.unwrap_or_default(),
        keys,
        tokens,
        certificates: table.certificates,
        rights: Rights {
            commands: table.commands,
            instances: Names::these(table.instances),
            operations: table.operations,
            release: table.release,
            sources: table.sources,
            administration: table.administration,
            metrics: table.metrics,
        },
        quota,
    }
}

/// Tells of a caller that is let in and may do nothing, as `aws-ilm key new` prints it.
fn warn_of_nothing_allowed(section: &mut Section<'_>, table: &CallerTable) {
    let sees_others = table.operations >= OperationRight::Read && !table.instances.is_empty();
    if table.release && !sees_others {
        section.warn(
            CallerTable::release,
            "it sees nothing to release: what is held is what events ask for, which takes operations = \"read\" and instances",
        );
    }
    if table.sources || table.release {
        return;
    }
    if table.administration && table.instances.is_empty() {
        section.warn(
            CallerTable::instances,
            "without instances there is none that its right of administration shows",
        );
    } else if table.commands.is_empty() && !table.administration && !table.metrics {
        let without = if table.instances.is_empty() {
            "without commands and instances"
        } else {
            "without commands"
        };
        let warning = format!(
            "{without} every request of this caller's is answered 403: name what it may run, like [\"read\"] or [\"iam-*\"], and where, \
             like [\"*\"]"
        );
        section.warn(CallerTable::commands, &warning);
    }
}

/// Tells names of instances that there are not.
fn check_instances(section: &mut Section<'_>, names: &[String], known: KnownInstances<'_>) {
    let Some(known_names) = known.names else {
        return;
    };
    let is_known = |name: &String| {
        let is_same = |known: &String| known.to_lowercase() == name.to_lowercase();
        name == "*" || known_names.iter().any(is_same)
    };
    for name in names.iter().filter(|name| !is_known(name)) {
        let choice: Vec<String> = known_names.iter().map(|name| quoted(name)).collect();
        let help = format!(
            "there is no instance {}: use {} or \"*\"",
            quoted(name),
            choice.join(" or ")
        );
        // Instances are made at start. While the service runs, a caller that is to have a new one
        // is no reason to go on letting in another who was taken out.
        if known.are_made {
            section.warn(CallerTable::instances, &help);
        } else {
            section.refuse(CallerTable::instances, &help);
        }
    }
}

/// Which tokens are the caller's, of which of the issuers.
fn token_rule(
    section: &mut Section<'_>,
    issuer: Option<String>,
    claims: Vec<(String, String)>,
    issuers: &[Issuer],
) -> Option<TokenRule> {
    if claims.is_empty() {
        if issuer.is_some() && !section.is_set(CallerTable::claims) {
            let help = "say what a token must hold to be this caller's, like \"sub=hr-system\": without it everybody with an account at \
                        the issuer would be let in";
            section.refuse(CallerTable::claims, help);
        }
        return None;
    }
    let issuer = match (issuer, issuers) {
        (Some(issuer), _) => issuer,
        (None, [only]) => only.issuer.clone(),
        (None, _) => {
            section.refuse(
                CallerTable::issuer,
                "say whose tokens hold these claims: the issuer of an [[issuers]] table",
            );
            return None;
        }
    };
    if !issuers.iter().any(|known| known.issuer == issuer) {
        section.refuse(
            CallerTable::issuer,
            "there is no such [[issuers]] table: its issuer is spelled just as here",
        );
    }
    Some(TokenRule { issuer, claims })
}

/// Parses `groups=hr-writers`.
fn claim(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => Ok((name.to_owned(), value.to_owned())),
        Some(_) | None => Err(format!(
            "write {} as a claim and its value, like \"groups=hr-writers\"",
            quoted(text)
        )),
    }
}

/// Parses a right to commands.
fn command_right(text: &str) -> Result<CommandRight, String> {
    let commands = commands::NAMES.map(|(name, _)| name);
    CommandRight::parse(text, &commands).ok_or_else(|| {
        let near = nearest(&text.to_ascii_lowercase(), commands.into_iter());
        let help = near.map_or_else(
            || format!("use {}, \"iam-*\", \"read\", \"write\" or \"*\"", commands.join(", ")),
            |near| format!("did you mean {near}?"),
        );
        format!("{} covers no command: {help}", quoted(text))
    })
}

/// Reads API keys by their digests.
fn api_keys(raw: Raw<'_>, complaints: &mut Vec<String>) -> Option<Vec<ApiKey>> {
    let Raw::Toml { value, .. } = raw else {
        return None;
    };
    let mut keys = Vec::new();
    for (index, entry) in value.as_array()?.iter().enumerate() {
        match api_key(entry) {
            Ok(key) => keys.push(key),
            Err(help) => complaints.push(format!("entry {}: {help}", index + 1)),
        }
    }
    Some(keys)
}

/// Reads `{ sha256 = "…", expires = … }`, or says what to do about it, without the value.
fn api_key(entry: &Value) -> Result<ApiKey, &'static str> {
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
    let expires = match table.get("expires").map(expiry::parse_toml) {
        None => None,
        Some(None) => return Err("expires is a date like 2027-01-31, or a time like 2027-01-31T12:00:00Z"),
        Some(expires) => expires,
    };
    Ok(ApiKey { digest, expires })
}

/// Refuses a name, a key or a certificate that is another caller's: otherwise the log would name
/// either.
pub(super) fn refuse_what_is_others(section: &mut Section<'_>, caller: &Caller, others: &[Caller]) {
    let same_name =
        |other: &&Caller| !caller.name.is_empty() && other.name.to_lowercase() == caller.name.to_lowercase();
    if others.iter().any(|other| same_name(&other)) {
        section.refuse(
            CallerTable::name,
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
                quoted(owner)
            );
            section.refuse(CallerTable::api_keys, &help);
        } else if !own.insert(key.digest) {
            section.refuse(CallerTable::api_keys, "one of the keys stands there twice");
        }
    }
    let same_rule = |other: &&Caller| caller.tokens.is_some() && other.tokens == caller.tokens;
    if let Some(other) = others.iter().find(same_rule) {
        let help = format!(
            "{} has just these claims as well, and whoever holds them is always that one: take one of the two out",
            quoted(&other.name)
        );
        section.refuse(CallerTable::claims, &help);
    }
    for other in others {
        if caller.certificates.iter().any(|name| other.certificates.contains(name)) {
            let help = format!(
                "{} has one of these names as well: give each caller names of its own",
                quoted(&other.name)
            );
            section.refuse(CallerTable::certificates, &help);
        }
    }
}
