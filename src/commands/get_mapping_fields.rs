//! `get-mapping-fields`: the attributes that a mapping can fill, each with its description. It
//! makes no call.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Decision, Operation, Rules};
use crate::{
    decide::{Next, Replay},
    outcome::Outcome,
    scim::{Priority, aws},
};

/// `get-mapping-fields` takes no arguments.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GetMappingFieldsArguments)]
pub struct Args {}

impl Operation for Args {
    const NAME: &'static str = "get-mapping-fields";
    const ARGUMENTS: &'static [&'static str] = &[];
    const PRIORITY: Priority = Priority::Read;

    fn prepare<'a>(&'a self, _: &'a Rules) -> Box<dyn Decision + Send + 'a> {
        Box::new(Fields)
    }
}

/// The fields, which need no question.
struct Fields;

impl Decision for Fields {
    fn decide<'r>(&'r mut self, _: &mut Replay<'r>) -> Result<Outcome, Next> {
        Ok(Outcome::MappingFields(aws::mapping_fields()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::*;
    use crate::outcome::Outcome;

    #[test]
    fn the_fields_are_those_that_aws_takes() {
        let Outcome::MappingFields(fields) = outcome(&command("get-mapping-fields", json!({})), &rules(), vec![])
        else {
            panic!("fields are told")
        };
        let described = |name: &str| {
            fields
                .iter()
                .find(|(field, _)| field == name)
                .map(|(_, text)| text.as_str())
        };
        let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        for name in [
            "id",
            "userName",
            "displayName",
            "name.givenName",
            "name.familyName",
            "emails",
            "externalId",
        ] {
            assert!(described(name).is_some_and(|text| !text.is_empty()), "{name}");
        }
        for name in [
            "employeeNumber",
            "costCenter",
            "organization",
            "division",
            "department",
            "manager",
        ] {
            assert!(described(&format!("{enterprise}.{name}")).is_some(), "{name}");
        }
        for name in [
            "password",
            "groups",
            "photos",
            "ims",
            "x509Certificates",
            "entitlements",
        ] {
            assert_eq!(described(name), None, "{name}");
        }
        assert_eq!(described("userName"), Some("text, 1 to 128 characters, required"));
        assert!(fields.iter().all(|(name, _)| !name.contains("schemas:core:1.0")));
        let mut names: Vec<_> = fields.iter().map(|(name, _)| name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), fields.len(), "each field is told once");
    }
}
