//! What is known of senders: how each signs, what it sends, what its events mean. One table a
//! sender in `presets.toml`.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use super::verify::{Proof, VerifierSettings};

/// The tables, as they are written.
const TEXT: &str = include_str!("presets.toml");

/// They are a part of the program and held by a test, so that reading them can't fail.
static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let mut tables: Tables = toml::from_str(TEXT).unwrap_or_default();
    for (name, preset) in &mut tables.presets {
        preset.name.clone_from(name);
    }
    for (name, sender) in &mut tables.undocumented {
        sender.name.clone_from(name);
    }
    tables
});

/// A sender that is known.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// The name by which sources take it.
    #[serde(skip)]
    pub name: String,
    /// The sender's own name.
    pub title: String,
    /// How sure it is.
    pub confidence: Confidence,
    /// Where the rule stands: a page of the vendor's, code, a recorded delivery.
    pub source_of_rule: String,
    /// What to compare with the vendor's page before it is relied on; none: nothing is in doubt.
    pub compare: Option<String>,
    /// What its operator has to know, told at start.
    pub warning: Option<String>,
    /// How its deliveries are verified.
    pub verifier: VerifierSettings,
    /// An expression: the list of events in a body; none: the body is one.
    pub each: Option<String>,
    /// An expression: an event's id.
    pub id: Option<String>,
    /// An expression: an event's type; none: the type in the path, or none.
    pub r#type: Option<String>,
    /// An expression: an event's own time.
    pub time: Option<String>,
    /// Whether its events come when what they say is due, whatever their dates say.
    #[serde(default)]
    pub already_due: bool,
    /// Default rules, in the form of a source's.
    #[serde(default)]
    pub rules: Vec<toml::Table>,
    /// The profiles that default rules name, in the form of a source's.
    #[serde(default)]
    pub profiles: toml::Table,
    /// A delivery as the sender sends it.
    pub example: PresetExample,
}

/// How sure a preset is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Confidence {
    /// The vendor's documents or its SDK say it.
    #[serde(rename = "H")]
    High,
    /// Independent implementations agree on it, or there is a recorded delivery.
    #[serde(rename = "M")]
    Medium,
}

/// A delivery of a preset's sender, before it is signed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresetExample {
    /// The body. Of a security event token its claims.
    pub body: String,
    /// The type of the event, where it has to come from the path.
    pub path_type: Option<String>,
    /// A secret of the form that the sender gives; empty where the proof takes none.
    #[serde(default)]
    pub secret: String,
}

/// A sender of which too little is public for a preset: how a source would say what there is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Undocumented {
    /// A name for it.
    #[serde(skip)]
    pub name: String,
    /// The sender's own name.
    pub title: String,
    /// What is said of it, and by how few.
    pub known: String,
    /// The `verifier` of a source that takes it at its word.
    pub verifier: VerifierSettings,
    /// An expression: an event's id.
    pub id: Option<String>,
    /// An expression: an event's type.
    pub r#type: Option<String>,
    /// An expression: an event's own time.
    pub time: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tables {
    presets: BTreeMap<String, Preset>,
    undocumented: BTreeMap<String, Undocumented>,
}

/// The preset of a name.
pub fn find(name: &str) -> Option<&'static Preset> {
    TABLES.presets.get(name)
}

/// All presets, by their names.
pub fn all() -> impl Iterator<Item = &'static Preset> {
    TABLES.presets.values()
}

/// The senders that are no presets, by their names.
pub fn undocumented() -> impl Iterator<Item = &'static Undocumented> {
    TABLES.undocumented.values()
}

impl Preset {
    /// Whether nothing about it is in doubt. One that is not verified says so at start.
    pub fn is_verified(&self) -> bool {
        self.confidence == Confidence::High && self.compare.is_none()
    }

    /// Whether it believes what it is sent without a proof.
    pub fn is_unsigned(&self) -> bool {
        self.verifier.proof == Proof::None
    }

    /// What start and `check` say of it.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if !self.is_verified() {
            let compare = self.compare.as_deref().unwrap_or("all of it");
            warnings.push(format!(
                "the preset {} is unverified: compare with the vendor's page: {compare}",
                self.name
            ));
        }
        warnings.extend(self.warning.clone());
        warnings
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use secrecy::SecretString;

    use super::{
        super::verify::{Secrets, Verifier},
        *,
    };

    /// Senders that documents or several implementations speak of.
    const KNOWN: [&str; 18] = [
        "ashby",
        "bamboohr",
        "dayforce",
        "deel",
        "factorial",
        "finch",
        "greenhouse",
        "gusto",
        "hibob",
        "lever",
        "merge",
        "okta",
        "personio",
        "remote",
        "scim-events",
        "standard-webhooks",
        "successfactors",
        "workday",
    ];

    #[test]
    fn the_tables_are_sound() {
        let tables: Result<Tables, _> = toml::from_str(TEXT);
        tables.unwrap();
        let names: Vec<_> = all().map(|preset| preset.name.as_str()).collect();
        assert_eq!(names, KNOWN);
        assert_eq!(undocumented().count(), 6);
        assert_eq!(find("bamboohr").unwrap().title, "BambooHR");
        assert!(find("humaans").is_none(), "one third party is no source");
    }

    #[tokio::test]
    async fn each_preset_takes_its_own_example() {
        let now: Timestamp = "2026-11-02T09:00:00Z".parse().unwrap();
        for preset in all().filter(|preset| preset.name != "scim-events") {
            let own = (!preset.example.secret.is_empty()).then(|| SecretString::from(preset.example.secret.as_str()));
            let secrets = Secrets {
                own: own.into_iter().collect(),
                path: Vec::new(),
            };
            let verifier = Verifier::new(preset.verifier.clone(), &secrets).unwrap();
            let example = verifier.sign(preset.example.body.as_bytes(), now).unwrap();
            let verified = verifier.verify(&example.delivery(now)).await;
            assert!(verified.is_ok(), "{}: {verified:?}", preset.name);
        }
    }

    #[test]
    fn what_is_in_doubt_says_what_to_compare() {
        for preset in all() {
            let is_said = preset.compare.is_some();
            assert!(is_said || preset.confidence == Confidence::High, "{}", preset.name);
            assert_eq!(
                preset.is_verified(),
                preset.warnings().is_empty() || !is_said,
                "{}",
                preset.name
            );
        }
        assert!(find("personio").unwrap().is_unsigned());
        let due = all()
            .filter(|preset| preset.already_due)
            .map(|preset| preset.name.as_str());
        assert_eq!(due.collect::<Vec<_>>(), ["hibob"]);
    }

    #[test]
    fn what_a_source_would_say_of_the_others_can_be_said() {
        for sender in undocumented() {
            let takes_secrets = sender.verifier.proof.takes_secrets();
            let secrets = Secrets {
                own: vec![SecretString::from("a secret"); usize::from(takes_secrets)],
                path: Vec::new(),
            };
            assert!(
                Verifier::new(sender.verifier.clone(), &secrets).is_ok(),
                "{}",
                sender.name
            );
        }
    }
}
