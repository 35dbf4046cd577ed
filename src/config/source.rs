//! One source of webhooks: what is written of it, and its secrets.

use std::path::Path;

use jiff::tz::TimeZone;
use toml::Table;

use super::{
    kind::{Custom, List, Text, any, filled},
    raw::{Raw, quoted},
    section::Section,
    setting::{Scope, Setting},
    source_dates::{self, DateTable},
    source_secrets::{self, SecretContext, SecretTable},
    source_servers::{self, ServerTable},
    table::settings,
};
use crate::{
    diagnostic::nearest,
    operations::zone_named,
    webhooks::{
        Source, SourceSettings, TargetInstance, check_name,
        presets::{self, Preset},
        verify::{IssuerSettings, Proof, VerifierSettings},
    },
};

/// The tables of a source's settings, in the order of the reference.
pub(super) const TABLES: &[&[&Setting]] = &[
    SourceTable::SETTINGS,
    DateTable::SETTINGS,
    SecretTable::SETTINGS,
    ServerTable::SETTINGS,
    ExtractionTable::SETTINGS,
    &[TYPE],
    RuleTable::SETTINGS,
];

settings! {
    /// A sender, and what proves it.
    pub(super) struct SourceTable: Source {
        /// Its name, which stands in its path: `/webhooks/NAME`.
        name: Option<String> = Text("1 to 64 small letters, digits, `-`, `_` or `.`", any);
        /// A sender that is known, with how it signs, what its events are, and rules where its
        /// events say enough. `aws-ilm source presets` lists them.
        preset: Option<String> = Text("the name of a preset", filled);
        /// How the sender proves itself, where no preset says so, or otherwise than the preset
        /// does. `"none"` believes whatever comes.
        verifier: Option<VerifierSettings> = Custom("\"none\", or a table with `proof` and `duplicates`, as docs/hr.md shows", verifier);
        /// The issuer of the sender's tokens, where its proof is one.
        issuer: Option<IssuerSettings> = Custom("a table with `issuer`, `audiences`, and `jwks_url` or `jwks_file` where there is no discovery", issuer);
        /// Where its commands go. Needed unless there is one instance alone.
        instances: Vec<String> = List("an array of instances' names", any), default "";
        /// The zone of its dates, and of its times without an offset; without it UTC is the zone of
        /// those times, and each date needs its own.
        zone: Option<TimeZone> = Text("a name of the IANA time zone database, like \"Australia/Melbourne\"", zone_named);
    }
}

settings! {
    /// What the events of a delivery are.
    pub(super) struct ExtractionTable: Source {
        /// The list of events in a body, each of which expressions see as `item`; without it, and
        /// where a body does not have it, the body is one event.
        each: Option<String> = Text(EXPRESSION, any);
        /// The sender's id of an event, by which it is known when it comes again.
        id: Option<String> = Text(EXPRESSION, any);
        /// An event's own time, by which events are ordered; a rule may say another.
        time: Option<String> = Text(EXPRESSION, any);
    }
}

settings! {
    /// What events mean.
    pub(super) struct RuleTable: Source {
        /// What is done: the first rule whose `when` is true counts. They replace those of the
        /// preset.
        rules: Option<Vec<Table>> = Custom("a table `[[sources.rules]]` for each rule", tables);
        /// Profiles that rules name: `[sources.profiles.NAME]` with `fields`.
        profiles: Option<Table> = Custom("a table `[sources.profiles.NAME]` for each", table);
    }
}

const EXPRESSION: &str = "an expression over `body`, `headers`, `type`, `received` and `item`, like \"body.data.id\"";

/// An event's type. Not in a `settings!` table, since the word is one of the language's.
const TYPE: &Setting = &Setting {
    scope: Scope::Source,
    name: "type",
    default: None,
    kind: &TYPE_KIND,
    documentation: " An event's type, which expressions see as `type`; the one in the path, \
                    `/webhooks/NAME/TYPE`, goes before it.",
};

const TYPE_KIND: Text<String> = Text(EXPRESSION, any);

/// What the reading of sources needs from around it.
#[derive(Clone)]
pub(super) struct SourceContext<'a> {
    pub(super) secrets: SecretContext<'a>,
    /// The instances that there are; `None` when that is not known.
    pub(super) instances: Option<&'a [TargetInstance]>,
}

/// Reads one source; what is wrong with it is noted. `others` are the names before it.
pub(super) fn read(section: &mut Section<'_>, context: &SourceContext<'_>, others: &[String]) -> Option<Source> {
    let before = section.report().error_count();
    let table = SourceTable::read(section);
    let dates = DateTable::read(section);
    let extraction = ExtractionTable::read(section);
    let r#type = section.read(TYPE, &TYPE_KIND);
    let rules = RuleTable::read(section);
    check_own_name(section, table.name.as_deref(), others);
    let preset = preset(section, table.preset.as_deref());
    let verifier = own_verifier(section, table.verifier, table.issuer, preset);
    let secrets = source_secrets::read(section, context.secrets);
    let servers = source_servers::read(section, context.secrets);
    let instances = instances(section, &table.instances, context.instances);
    warn(
        section,
        verifier.as_ref(),
        preset.filter(|_| !section_sets_verifier(section)),
    );
    let of_preset = |text: Option<&String>| text.cloned();
    // Its own rules may name the preset's profiles too.
    let mut profiles = preset.map(|preset| preset.profiles.clone()).unwrap_or_default();
    profiles.extend(rules.profiles.unwrap_or_default());
    let settings = SourceSettings {
        name: table.name?,
        preset: preset.map(|preset| preset.name.clone()),
        compare: preset
            .filter(|preset| !preset.is_verified() && !section_sets_verifier(section))
            .map(compare),
        verifier: verifier?,
        secrets,
        memory: None,
        instances,
        known_instances: context.instances.map(<[_]>::to_vec),
        zone: table.zone,
        dates: dates.settings(preset.is_some_and(|preset| preset.already_due)),
        each: extraction.each.or_else(|| of_preset(preset?.each.as_ref())),
        id: extraction.id.or_else(|| of_preset(preset?.id.as_ref())),
        r#type: r#type.or_else(|| of_preset(preset?.r#type.as_ref())),
        time: extraction.time.or_else(|| of_preset(preset?.time.as_ref())),
        rules: rules
            .rules
            .unwrap_or_else(|| preset.map(|preset| preset.rules.clone()).unwrap_or_default()),
        profiles: Some(profiles),
        callback: servers.callback,
        fetch: servers.fetch,
    };
    if settings.rules.is_empty() {
        section.warn(
            RuleTable::rules,
            "there is none, so that every event is kept and nothing is done",
        );
    }
    // What is wrong already would be told twice.
    if section.report().error_count() > before {
        return None;
    }
    compiled(section, settings)
}

fn section_sets_verifier(section: &Section<'_>) -> bool {
    section.is_set(SourceTable::verifier)
}

fn compare(preset: &Preset) -> String {
    preset.compare.clone().unwrap_or_else(|| "all of it".to_owned())
}

/// Compiles a source; what is wrong with its rules and secrets is told by its own paths.
fn compiled(section: &mut Section<'_>, settings: SourceSettings) -> Option<Source> {
    match Source::new(settings) {
        Ok(source) => {
            source_dates::warn(section, &source);
            Some(source)
        }
        Err(errors) => {
            let place = section.place().to_owned();
            let placed = errors.into_iter().map(|mut error| {
                error.path = format!("{} ({place})", error.path);
                error
            });
            section.report().extend(placed);
            None
        }
    }
}

fn check_own_name(section: &mut Section<'_>, name: Option<&str>, others: &[String]) {
    let Some(name) = name else {
        if !section.is_refused(SourceTable::name) {
            section.refuse(SourceTable::name, "give the source a name: it stands in its path");
        }
        return;
    };
    if let Err(help) = check_name(name) {
        let help = help.split_once(": ").map_or(help.as_str(), |(_, help)| help).to_owned();
        section.refuse(SourceTable::name, &help);
    } else if others.iter().any(|other| other == name) {
        section.refuse(SourceTable::name, "give each source a name of its own");
    }
}

fn preset(section: &mut Section<'_>, name: Option<&str>) -> Option<&'static Preset> {
    let name = name?;
    let preset = presets::find(name);
    if preset.is_none() {
        let names = presets::all().map(|preset| preset.name.as_str());
        let help = nearest(&name.to_ascii_lowercase(), names).map_or_else(
            || "`aws-ilm source presets` lists them; of another sender say verifier".to_owned(),
            |near| format!("did you mean {near}?"),
        );
        section.refuse(SourceTable::preset, &help);
    }
    preset
}

/// The source's own verifier, else its preset's.
fn own_verifier(
    section: &mut Section<'_>,
    own: Option<VerifierSettings>,
    issuer: Option<IssuerSettings>,
    preset: Option<&Preset>,
) -> Option<VerifierSettings> {
    if !section.is_set(SourceTable::verifier) && !section.is_set(SourceTable::preset) {
        let help =
            "say how the sender proves itself: name a preset, or write a verifier; \"none\" believes whatever comes";
        section.refuse(SourceTable::verifier, help);
    }
    let mut verifier = own.or_else(|| preset.map(|preset| preset.verifier.clone()))?;
    match (&mut verifier.proof, issuer) {
        (Proof::Jwt(place) | Proof::SecurityEvent(place), Some(issuer)) => *place = issuer,
        (_, Some(_)) => section.refuse(SourceTable::issuer, "take it out: this sender sends no token"),
        (_, None) => {}
    }
    Some(verifier)
}

/// Tells what the operator should know of a source before it is relied on.
fn warn(section: &mut Section<'_>, verifier: Option<&VerifierSettings>, preset: Option<&Preset>) {
    let warnings = preset.map(Preset::warnings).unwrap_or_default();
    for warning in warnings {
        section.warn(SourceTable::preset, &warning);
    }
    if verifier.is_some_and(|verifier| verifier.proof == Proof::None) {
        let setting = if section.is_set(SourceTable::verifier) {
            SourceTable::verifier
        } else {
            SourceTable::preset
        };
        let warning = "nothing proves the sender: whoever reaches this path hires and disables people; let nothing but \
                       the sender reach it, or give it path_secret_files";
        section.warn(setting, warning);
    }
}

fn instances(section: &mut Section<'_>, names: &[String], known: Option<&[TargetInstance]>) -> Vec<TargetInstance> {
    let Some(known) = known else {
        return names.iter().map(|name| TargetInstance::built_in(name)).collect();
    };
    if names.is_empty() {
        if known.len() == 1 {
            return known.to_vec();
        }
        section.refuse(SourceTable::instances, "name the instances that its commands go to");
    }
    let mut found: Vec<TargetInstance> = Vec::new();
    for name in names {
        let is_it = |target: &&TargetInstance| target.name.to_lowercase() == name.to_lowercase();
        match known.iter().find(is_it) {
            Some(target) if found.contains(target) => {
                section.refuse(SourceTable::instances, &format!("{} stands there twice", quoted(name)));
            }
            Some(target) => found.push(target.clone()),
            None => {
                let choice: Vec<_> = known.iter().map(|target| quoted(&target.name)).collect();
                let help = format!("there is no instance {}: use {}", quoted(name), choice.join(" or "));
                section.refuse(SourceTable::instances, &help);
            }
        }
    }
    found
}

fn verifier(raw: Raw<'_>, complaints: &mut Vec<String>) -> Option<VerifierSettings> {
    let Raw::Toml { value, folder } = raw else {
        return None;
    };
    if !value.is_str() && !value.is_table() {
        return None;
    }
    let read = VerifierSettings::read(value);
    let mut verifier = read.map_err(|error| complaints.push(error.to_string())).ok()?;
    if let Proof::Jwt(issuer) | Proof::SecurityEvent(issuer) = &mut verifier.proof {
        place_keys(issuer, folder);
    }
    Some(verifier)
}

fn issuer(raw: Raw<'_>, complaints: &mut Vec<String>) -> Option<IssuerSettings> {
    let Raw::Toml { value, folder } = raw else {
        return None;
    };
    if !value.is_table() {
        return None;
    }
    let read: Result<IssuerSettings, _> = value.clone().try_into();
    let mut issuer = read.map_err(|error| complaints.push(error.message().to_owned())).ok()?;
    place_keys(&mut issuer, folder);
    Some(issuer)
}

/// Makes the path of a file with keys one that is relative to the configuration's file.
fn place_keys(issuer: &mut IssuerSettings, folder: Option<&Path>) {
    if let (Some(file), Some(folder)) = (&mut issuer.jwks_file, folder) {
        *file = folder.join(&*file);
    }
}

fn tables(raw: Raw<'_>, _: &mut Vec<String>) -> Option<Vec<Table>> {
    let Raw::Toml { value, .. } = raw else {
        return None;
    };
    value.as_array()?.iter().map(|rule| rule.as_table().cloned()).collect()
}

fn table(raw: Raw<'_>, _: &mut Vec<String>) -> Option<Table> {
    match raw {
        Raw::Text(_) => None,
        Raw::Toml { value, .. } => value.as_table().cloned(),
    }
}
