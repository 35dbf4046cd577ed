//! Explains a mapping: each target's reads, steps and value, why a target was left out, and whether
//! AWS would take the result.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    BUILT_IN, Mapper, MappingType, built_in,
    file::Direction,
    rule::{Evaluation, Field, TraceEntry},
    simple::Source,
};
use crate::{
    diagnostic::Diagnostic,
    profile::UserProfile,
    scim::{Dialect, Object, User, aws},
};

/// A mapping of one source, step by step.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explained {
    /// The mapper's name; `built-in` for the built-in mapping.
    pub mapper: String,
    /// Which way it maps.
    pub direction: Direction,
    /// The type that was asked for.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub mapping_type: &'static str,
    /// Each target, in the mapper's order.
    pub fields: Vec<ExplainedField>,
    /// The result: the attributes of a SCIM user, or the fields of a profile.
    #[schema(value_type = Object)]
    pub result: Object,
    /// Whether the user could be sent; null for the incoming direction.
    pub verdict: Option<Verdict>,
}

/// How one target came about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedField {
    /// The target as the mapper has it.
    pub target: String,
    /// Each path or field that was read.
    pub taken: Vec<Taken>,
    /// Each step, in order.
    pub steps: Vec<ExplainedStep>,
    /// The value; null where there is none.
    pub value: Option<Value>,
    /// Why the target was left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
    /// Why it could not be mapped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// Parts of the value that its place does not know, which were taken out of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<String>,
    /// What else there is to say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Something that was read from the source.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Taken {
    /// Its path.
    pub path: String,
    /// What was there; null where nothing was.
    pub value: Option<Value>,
}

/// One step of a target.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ExplainedStep {
    /// The transformer; `filters`; or the accessor's path.
    pub step: String,
    /// What went in.
    pub input: Value,
    /// What came out; null where nothing did.
    pub output: Option<Value>,
}

/// What the check before sending says.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Verdict {
    /// Whether the user would be sent.
    pub sendable: bool,
    /// What stands against it.
    pub violations: Vec<VerdictViolation>,
}

/// One thing that stands against sending.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct VerdictViolation {
    /// The attribute, dotted.
    pub attribute: String,
    /// The rule it breaks.
    pub rule: String,
    /// What to do.
    pub help: String,
}

impl Mapper {
    /// Maps a profile and explains each target. A type that the mapper lacks is served as
    /// [`Mapper::outgoing`] serves it.
    pub fn explain_outgoing(&self, mapping_type: MappingType, dialect: Dialect, profile: &UserProfile) -> Explained {
        let mapped = self.outgoing(mapping_type, profile);
        let mut violations = mapped.faults;
        let attributes = &mapped.attributes;
        violations.extend(match mapping_type {
            MappingType::Create | MappingType::Any => aws::new_user(dialect, attributes),
            MappingType::Update => aws::user_values(dialect, attributes),
        });
        let violations: Vec<_> = violations
            .into_iter()
            .map(|violation| self.verdict_violation(violation))
            .collect();
        let mapping = self.outgoing.as_ref().and_then(|file| file.mapping(mapping_type));
        Explained {
            mapper: mapper_name(self.outgoing.as_deref()),
            direction: Direction::Outgoing,
            mapping_type: mapping_type.name(),
            fields: match mapping {
                None => built_in::explain_outgoing(profile),
                Some(mapping) => mapping
                    .explain(Source::Profile(profile))
                    .into_iter()
                    .map(explained_field)
                    .collect(),
            },
            result: mapped.attributes,
            verdict: Some(Verdict {
                sendable: violations.is_empty(),
                violations,
            }),
        }
    }

    /// Maps an app user and explains each target.
    pub fn explain_incoming(&self, user: &User) -> Explained {
        let mapping = self.incoming.as_ref().and_then(|file| file.mapping(MappingType::Any));
        Explained {
            mapper: mapper_name(self.incoming.as_deref()),
            direction: Direction::Incoming,
            mapping_type: MappingType::Any.name(),
            fields: match mapping {
                None => built_in::explain_incoming(user),
                Some(mapping) => mapping
                    .explain(Source::User(user))
                    .into_iter()
                    .map(explained_field)
                    .collect(),
            },
            result: self.incoming(user),
            verdict: None,
        }
    }

    /// Names in a violation's help the field of the profile that fills the attribute.
    fn verdict_violation(&self, violation: Diagnostic) -> VerdictViolation {
        let mut help = violation.help;
        if let Some(source) = self.source(&violation.path) {
            help.push_str(&format!(" (user-profile.{source})"));
        }
        VerdictViolation {
            attribute: violation.path,
            rule: violation.message,
            help,
        }
    }
}

fn mapper_name(file: Option<&super::MapperFile>) -> String {
    file.map_or(BUILT_IN, |file| file.identity.display_name()).to_owned()
}

fn explained_field((field, entry): (&Field, TraceEntry)) -> ExplainedField {
    let (mut value, mut left_out, mut refused) = (None, None, None);
    match entry.evaluation {
        Evaluation::Value(mapped) => value = Some(mapped),
        Evaluation::Skipped(reason) => left_out = Some(reason.to_owned()),
        Evaluation::Failed(error) => refused = Some(error.to_string()),
    }
    let mut notes = entry.trace.notes;
    if field.target.is_1_0 && value.is_some() {
        notes.push(format!("sent as {}", field.target.dotted()));
    }
    ExplainedField {
        target: field.target.text.clone(),
        taken: entry
            .trace
            .reads
            .into_iter()
            .map(|(path, value)| Taken { path, value })
            .collect(),
        steps: entry
            .trace
            .steps
            .into_iter()
            .map(|(step, input, output)| ExplainedStep { step, input, output })
            .collect(),
        value,
        left_out,
        refused,
        dropped: entry.dropped,
        notes,
    }
}
