//! `get-mapping-fields`: the attributes that a mapping can fill, each with its description. It asks nobody.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{outcome::Outcome, scim::aws};

/// `get-mapping-fields` takes no arguments.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GetMappingFieldsArguments)]
pub struct Args {}

/// The outcome, at once.
pub(super) fn decide(_args: &Args) -> Outcome {
    Outcome::MappingFields(aws::mapping_fields())
}
