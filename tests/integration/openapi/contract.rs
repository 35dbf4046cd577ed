//! The document as generators of clients and people read it: what they took wrongly, or could not
//! use, holds here.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{document, operations, written};

/// Generators take the first form that they know, and a failed command is told in an envelope.
#[test]
fn the_envelope_comes_first_and_the_table_last() {
    let document = document();
    let mut several = 0;
    for (path, method, operation) in operations(&document) {
        let place = format!("{method} {path}");
        for (status, response) in operation["responses"].as_object().unwrap() {
            let forms: Vec<&str> = response["content"]
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            let order = [
                "application/json",
                "application/problem+json",
                "text/markdown; charset=utf-8",
                // The metrics alone.
                "text/plain; version=0.0.4; charset=utf-8",
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
            ];
            let expected: Vec<&str> = order.into_iter().filter(|form| forms.contains(form)).collect();
            assert_eq!(forms, expected, "{place} {status}");
            several += usize::from(forms.len() > 1);
        }
    }
    assert!(several >= 60, "{several}");
}

/// What has no name is a type of its own in each status of each operation.
#[test]
fn every_answer_in_json_has_a_name() {
    let document = document();
    for (path, method, operation) in operations(&document) {
        let place = format!("{method} {path}");
        for (status, response) in operation["responses"].as_object().unwrap() {
            let schema = &response["content"]["application/json"]["schema"];
            let is_named = schema["$ref"].is_string() || schema["items"]["$ref"].is_string();
            assert!(schema.is_null() || is_named, "{place} {status}: {schema}");
            let Some(command) = place.strip_prefix("post /commands/").filter(|_| !schema.is_null()) else {
                continue;
            };
            if status == "202" {
                assert_eq!(schema["$ref"], "#/components/schemas/OperationView", "{place}");
                continue;
            }
            let name = schema["$ref"]
                .as_str()
                .unwrap()
                .strip_prefix("#/components/schemas/")
                .unwrap();
            // Some generators read the first form alone: it has to cover the problem too.
            let ends = match response["content"].get("application/problem+json") {
                Some(_) => "AnswerOrProblem",
                None => "Answer",
            };
            let stem = name
                .strip_suffix(ends)
                .unwrap_or_else(|| panic!("{place} {status}: {name}"));
            if command.ends_with("-user") {
                assert_eq!(stem, "User", "{place} {status}");
            }
            holds_either(&document["components"]["schemas"], stem);
        }
    }
}

/// An answer is an envelope or a dry run's, or beside a problem that.
fn holds_either(schemas: &Value, stem: &str) {
    let named = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let forms = [named(&format!("{stem}Envelope")), named(&format!("{stem}DryRun"))];
    let [answer, or_problem] = ["Answer", "AnswerOrProblem"].map(|end| &schemas[format!("{stem}{end}")]["oneOf"]);
    assert_eq!(*answer, json!(forms));
    assert_eq!(*or_problem, json!([forms[0], forms[1], named("Problem")]));
    let planned = &schemas[format!("{stem}DryRun")]["properties"]["dryRun"]["properties"];
    assert_eq!(planned["envelope"]["$ref"], forms[0]["$ref"]);
}

#[test]
fn the_known_fields_of_a_person_and_a_group_have_names() {
    let document = written();
    let schemas = &document["components"]["schemas"];
    for (argument, fields, known) in [
        (
            "UserProfile",
            "UserProfileFields",
            &[
                "id",
                "username",
                "email",
                "givenname",
                "surname",
                "displayname",
                "employeeid",
                "mobilephone",
                "title",
                "employeetype",
                "employeenumber",
                "department",
                "division",
                "costcentercode",
                "organization",
                "olduserdata",
                "active",
            ][..],
        ),
        (
            "GroupProfile",
            "GroupProfileFields",
            &["id", "displayName", "externalId", "members"],
        ),
    ] {
        let either = &schemas[argument]["oneOf"];
        assert_eq!(either[0]["$ref"], format!("#/components/schemas/{fields}"));
        assert_eq!(either[1]["type"], "string", "a string that holds one is taken as well");
        let fields = &schemas[fields];
        assert_eq!(fields["additionalProperties"], json!(true), "others are taken too");
        assert!(fields["required"].is_null());
        let named: BTreeSet<&str> = fields["properties"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(named, known.iter().copied().collect());
    }
}

#[test]
fn the_document_says_where_the_service_is_and_who_makes_it() {
    let document = written();
    assert_eq!(document["servers"], json!([{"url": "/"}]));
    assert!(document["info"]["contact"]["name"].is_string());
}

/// Swagger UI sends what is preset, also in production.
#[test]
fn nothing_is_preset_but_the_body() {
    let document = document();
    for (path, method, operation) in operations(&document) {
        let place = format!("{method} {path}");
        for parameter in operation["parameters"].as_array().unwrap() {
            for preset in [
                &parameter["schema"]["default"],
                &parameter["example"],
                &parameter["examples"],
            ] {
                assert!(preset.is_null(), "{place}: {parameter}");
            }
        }
    }
}

/// A refusal is told once, by the name of a component.
#[test]
fn operations_refer_to_the_refusals_that_they_share() {
    let document = written();
    for (path, method, operation) in operations(&document) {
        let place = format!("{method} {path}");
        for (status, response) in operation["responses"].as_object().unwrap() {
            let is_refusal = response["content"].get("application/json").is_none() && !status.starts_with('2');
            assert!(
                !is_refusal || response["$ref"].is_string(),
                "{place} {status} is told in place"
            );
        }
    }
    for (name, refusal) in document["components"]["responses"].as_object().unwrap() {
        let description = refusal["description"].as_str().unwrap();
        assert!(
            description.contains("](/problems/"),
            "{name} names no type: {description}"
        );
    }
}
