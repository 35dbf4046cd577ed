//! What the endpoint says about itself: ServiceProviderConfig, Schemas, ResourceTypes.
//!
//! ServiceProviderConfig is the Developer Guide's, down to a `maxResults` of 50 that the real page
//! size of 100 has overtaken. The schemas are built from the tables the bodies are checked against,
//! so that they can't promise anything else.

use serde_json::{Value, json};

use super::{
    schema::{Attribute, ENTERPRISE, GROUP, GROUP_ATTRIBUTES, MEMBER_ATTRIBUTES, Rule, Shape, USER, USER_ATTRIBUTES},
    wire::{Answer, ErrorResponse},
};

const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// ServiceProviderConfig: no word of cursor paging (RFC 9865 would have one), of groups that take
/// no PUT, or of the hundred changes a PATCH.
pub(super) fn service_provider_config() -> Answer {
    Answer::ok(json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "documentationUri": "https://docs.aws.amazon.com/singlesignon/latest/userguide/manage-your-identity-source-idp.html",
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "OAuth Bearer Token",
            "description": "Authentication scheme using the OAuth Bearer Token Standard",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "documentationUri": "https://docs.aws.amazon.com/singlesignon/latest/userguide/provision-automatically.html",
            "primary": true
        }],
        "patch": {"supported": true},
        "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": true, "maxResults": 50},
        "changePassword": {"supported": false},
        "sort": {"supported": false},
        "etag": {"supported": false}
    }))
}

/// ListSchemas, or GetSchema for one URN.
pub(super) fn schemas(urn: Option<&str>) -> Result<Answer, ErrorResponse> {
    let all = all_schemas();
    match urn {
        None => Ok(list(all)),
        Some(urn) => all
            .into_iter()
            .find(|schema| schema["id"].as_str().is_some_and(|id| id.eq_ignore_ascii_case(urn)))
            .map(Answer::ok)
            .ok_or_else(ErrorResponse::not_found),
    }
}

/// ListResourceTypes.
pub(super) fn resource_types() -> Answer {
    let resource_type = |name: &str, endpoint: &str, schema: &str, extensions: Value| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": name, "name": name, "endpoint": endpoint, "description": format!("{name} account"),
            "schema": schema, "schemaExtensions": extensions,
            "meta": {"resourceType": "ResourceType"}
        })
    };
    list(vec![
        resource_type(
            "User",
            "/Users",
            USER,
            json!([{"schema": ENTERPRISE, "required": false}]),
        ),
        resource_type("Group", "/Groups", GROUP, json!([])),
    ])
}

fn list(resources: Vec<Value>) -> Answer {
    Answer::ok(json!({
        "totalResults": resources.len(), "itemsPerPage": resources.len(), "startIndex": 1,
        "schemas": [LIST_RESPONSE], "Resources": resources
    }))
}

fn all_schemas() -> Vec<Value> {
    let schema = |urn: &str, name: &str, attributes: Vec<Value>| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
            "id": urn, "name": name, "description": name, "attributes": attributes,
            "meta": {"resourceType": "Schema"}
        })
    };
    let user = USER_ATTRIBUTES
        .iter()
        .filter(|attribute| attribute.name != ENTERPRISE && !is_common(attribute));
    let enterprise = USER_ATTRIBUTES.iter().filter(|attribute| attribute.name == ENTERPRISE);
    let mut group: Vec<Value> = GROUP_ATTRIBUTES
        .iter()
        .filter(|attribute| !is_common(attribute))
        .map(describe)
        .collect();
    group.push(json!({
        "name": "members", "type": "complex", "multiValued": true, "required": false, "mutability": "readWrite",
        "returned": "request", "description": "members",
        "subAttributes": MEMBER_ATTRIBUTES.iter().map(describe).collect::<Vec<_>>()
    }));
    vec![
        schema(USER, "User", user.map(describe).collect()),
        schema(
            ENTERPRISE,
            "EnterpriseUser",
            enterprise.flat_map(Attribute::sub_attributes).map(describe).collect(),
        ),
        schema(GROUP, "Group", group),
    ]
}

/// `externalId` belongs to every resource and to no schema (RFC 7643 section 3.1).
fn is_common(attribute: &Attribute) -> bool {
    attribute.name == "externalId"
}

fn describe(attribute: &Attribute) -> Value {
    let (kind, multi_valued) = match attribute.shape {
        Shape::Text(_) if attribute.name == "$ref" => ("reference", false),
        Shape::Text(_) => ("string", false),
        Shape::Boolean => ("boolean", false),
        Shape::Complex(_) => ("complex", false),
        Shape::SingleItemList(_) => ("complex", true),
    };
    let mut described = json!({
        "name": attribute.name,
        "type": kind,
        "multiValued": multi_valued,
        "description": attribute.name,
        "required": attribute.required,
        "mutability": "readWrite",
        "returned": "default",
    });
    match attribute.shape {
        Shape::Text(_) if attribute.name == "$ref" => {
            described["referenceTypes"] = json!(["User"]);
        }
        Shape::Text(rule) => {
            if rule == Rule::MemberType {
                described["canonicalValues"] = json!(["User"]);
            }
            described["caseExact"] = json!(false);
            described["uniqueness"] = json!(if attribute.name == "userName" { "server" } else { "none" });
        }
        Shape::Boolean => {}
        Shape::Complex(subs) | Shape::SingleItemList(subs) => {
            described["subAttributes"] = subs.iter().map(describe).collect();
        }
    }
    described
}
