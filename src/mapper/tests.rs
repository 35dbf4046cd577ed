//! Mapper files, their findings and what they map.

use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::{
    diagnostic::Severity,
    scim::{Dialect, aws::ENTERPRISE},
};

fn profile(value: Value) -> UserProfile {
    serde_json::from_value(value).unwrap()
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/mappers")
}

fn own(name: &str) -> (Option<MapperFile>, Findings) {
    MapperFile::load(&folder().join(name)).unwrap()
}

fn sound(name: &str) -> Mapper {
    let (file, findings) = own(name);
    let file = Arc::new(file.unwrap_or_else(|| panic!("{name}: {}", findings.errors())));
    match file.identity.direction {
        Some(Direction::Incoming) => Mapper::new(None, Some(file)),
        Some(Direction::Outgoing) | None => Mapper::new(Some(file), None),
    }
}

/// Maps a source with a mapper of one target, `title`.
fn title(rule: Value, source: Value) -> Result<Option<Value>, String> {
    let text = json!({"type": "mapping-outgoing", "mapping": {"User Profile": {"internalMapping": {"title": rule}}}});
    let (file, findings) = MapperFile::compile(&text.to_string(), Form::Xsoar);
    let file = file.ok_or_else(|| findings.errors())?;
    let mapper = Mapper::new(Some(Arc::new(file)), None);
    let mut mapped = mapper.outgoing(MappingType::Update, &profile(source));
    match mapped.faults.first() {
        Some(fault) => Err(fault.message.clone()),
        None => Ok(mapped.attributes.swap_remove("title")),
    }
}

fn argument(text: &Value) -> Value {
    match text {
        Value::Null => json!({"isContext": false, "value": null}),
        text => json!({"isContext": false, "value": {"simple": text}}),
    }
}

fn transformer(operator: &str, arguments: &Value) -> Value {
    let arguments = arguments.as_object().unwrap().iter();
    let arguments: serde_json::Map<String, Value> =
        arguments.map(|(name, text)| (name.clone(), argument(text))).collect();
    json!({"operator": operator, "args": arguments})
}

/// The field `x` through these transformers.
fn transformed(source: Value, steps: &[(&str, Value)]) -> Result<Option<Value>, String> {
    let steps: Vec<Value> = steps
        .iter()
        .map(|(name, arguments)| transformer(name, arguments))
        .collect();
    title(json!({"complex": {"root": "x", "transformers": steps}}), source)
}

#[test]
fn each_transformer_does_what_the_platform_says() {
    let x = |value: Value| json!({"x": value, "y": "Y", "list": ["p", "q"]});
    for (name, arguments, value, expected) in [
        (
            "concat",
            json!({"prefix": "<", "suffix": ">"}),
            json!("a"),
            json!("<a>"),
        ),
        (
            "concat",
            json!({"prefix": null, "suffix": "${y}"}),
            json!("a"),
            json!("aY"),
        ),
        ("concat", json!({"suffix": "-${y}-${missing}"}), json!(7), json!("7-Y-")),
        ("concat", json!({"prefix": "<"}), json!(["a", "b"]), json!(["<a", "<b"])),
        (
            "ParseJSON",
            json!({}),
            json!("{\"a\": [1, \"\"]}"),
            json!({"a": [1, ""]}),
        ),
        ("Stringify", json!({}), json!({"a": 1}), json!("{\"a\":1}")),
        ("Stringify", json!({}), json!("a"), json!("a")),
        ("toLowerCase", json!({}), json!("ÀB"), json!("àb")),
        ("toUpperCase", json!({}), json!(["a", "b"]), json!(["A", "B"])),
        ("trim", json!({}), json!(" a\t\n"), json!("a")),
        ("split", json!({"delimiter": "@"}), json!("a@b"), json!(["a", "b"])),
        ("split", json!({}), json!("a, b"), json!(["a", " b"])),
        (
            "splitAndTrim",
            json!({"delimiter": ";"}),
            json!("a ; b"),
            json!(["a", "b"]),
        ),
        ("join", json!({"separator": "+"}), json!(["a", 1]), json!("a+1")),
        ("join", json!({}), json!("a"), json!("a")),
        ("append", json!({"item": "z"}), json!(["a"]), json!(["a", "z"])),
        ("append", json!({"item": "${list}"}), json!("a"), json!(["a", "p", "q"])),
        ("uniq", json!({}), json!(["a", "b", "a", 1, 1]), json!(["a", "b", 1])),
        ("count", json!({}), json!(["a", "b"]), json!(2)),
        ("count", json!({}), json!("abc"), json!(1)),
        ("atIndex", json!({"index": "1"}), json!(["a", "b"]), json!("b")),
        ("atIndex", json!({"index": "2"}), json!(["a", "b"]), json!(null)),
        ("FirstArrayElement", json!({}), json!(["a", "b"]), json!("a")),
        ("FirstArrayElement", json!({}), json!("a"), json!("a")),
        ("getField", json!({"field": "a.b"}), json!({"a": {"b": 1}}), json!(1)),
        (
            "getField",
            json!({"field": "a"}),
            json!([{"a": 1}, {"b": 2}]),
            json!([1]),
        ),
        ("substring", json!({"from": "1", "to": "3"}), json!("äbcd"), json!("bc")),
        ("substring", json!({"from": "2"}), json!("abcd"), json!("cd")),
        ("substring", json!({"to": "9"}), json!("abcd"), json!("abcd")),
        ("substringFrom", json!({"from": "@"}), json!("a@b@c"), json!("b@c")),
        ("substringFrom", json!({"from": "#"}), json!("a"), json!("a")),
        ("substringTo", json!({"to": "@"}), json!("a@b@c"), json!("a")),
        (
            "replace",
            json!({"toReplace": ".", "replaceWith": "-"}),
            json!("a.b.c"),
            json!("a-b-c"),
        ),
        (
            "replace",
            json!({"toReplace": ".", "replaceWith": ""}),
            json!("a.b"),
            json!("ab"),
        ),
        (
            "replaceMatch",
            json!({"regex": "(?i)[A-C](\\d)", "replaceWith": "$1"}),
            json!("a1b2x3"),
            json!("12x3"),
        ),
        (
            "replaceMatch",
            json!({"regex": "b", "replaceWith": "${dollar}"}),
            json!("abc"),
            json!("ac"),
        ),
        (
            "StripChars",
            json!({"chars": "!~"}),
            json!("~!!~www.mydomain.com~!~!~"),
            json!("www.mydomain.com"),
        ),
        ("SetIfEmpty", json!({"defaultValue": "d"}), json!(""), json!("d")),
        ("SetIfEmpty", json!({"defaultValue": "d"}), json!("None"), json!("d")),
        ("SetIfEmpty", json!({"defaultValue": "d"}), json!(["null"]), json!("d")),
        (
            "SetIfEmpty",
            json!({"defaultValue": "d", "applyIfEmpty": "false"}),
            json!(""),
            json!(null),
        ),
        ("SetIfEmpty", json!({"defaultValue": "d"}), json!("a"), json!("a")),
        (
            "If-Then-Else",
            json!({"equals": "a", "then": "T", "else": "E"}),
            json!("a"),
            json!("T"),
        ),
        (
            "If-Then-Else",
            json!({"rhs": "b", "then": "T", "else": "E"}),
            json!("a"),
            json!("E"),
        ),
        (
            "If-Then-Else",
            json!({"condition": "lhs!=rhs", "lhs": "${y}", "rhs": "Y", "then": "T", "else": "${x}"}),
            json!("a"),
            json!("a"),
        ),
        (
            "If-Then-Else",
            json!({"condition": "value in list rhs", "rhs": "b, A", "options": "case_insensitive", "then": "T"}),
            json!("a"),
            json!("T"),
        ),
        (
            "If-Then-Else",
            json!({"condition": "value=~rhs", "rhs": "^a.$", "then": "T", "else": "E"}),
            json!("ab"),
            json!("T"),
        ),
        (
            "If-Then-Else",
            json!({"condition": "value=~rhs", "rhs": "a", "options": "regex_full_match", "then": "T", "else": "E"}),
            json!("ab"),
            json!("E"),
        ),
        (
            "If-Then-Else",
            json!({"condition": "value > rhs", "rhs": "9", "then": "T", "else": "E"}),
            json!(10),
            json!("T"),
        ),
        (
            "If-Then-Else",
            json!({"condition": "value > rhs", "rhs": "9", "then": "T", "else": "E"}),
            json!("10"),
            json!("E"),
        ),
        (
            "If-Then-Else",
            json!({"condition": "value==rhs", "rhs": "a", "options": "input_data_type:then=json", "then": "[\"${y}\"]"}),
            json!("a"),
            json!(["Y"]),
        ),
        (
            "If-Then-Else",
            json!({"rhs": "b", "conditionInBetween": "or", "lhsB": "${y}", "rhsB": "Y", "then": "T", "else": "E"}),
            json!("a"),
            json!("T"),
        ),
        (
            "If-Then-Else",
            json!({"rhs": "b", "lhsB": "${y}", "rhsB": "Y", "then": "T", "else": "E"}),
            json!("a"),
            json!("E"),
        ),
        (
            "MapValuesTransformer",
            json!({"input_values": "a,b", "mapped_values": "1,2"}),
            json!("b"),
            json!("2"),
        ),
        (
            "MapValuesTransformer",
            json!({"input_values": "a,b", "mapped_values": "1,2"}),
            json!("c"),
            json!("c"),
        ),
        (
            "MapValuesTransformer",
            json!({"input_values": "True", "mapped_values": "yes"}),
            json!(true),
            json!("yes"),
        ),
        (
            "MapValuesTransformer",
            json!({"input_values": "k:a", "mapped_values": "1"}),
            json!({"k": "a", "l": 2}),
            json!("{\"k\":\"1\",\"l\":2}"),
        ),
        (
            "TimeStampToDate",
            json!({}),
            json!("1525006939"),
            json!("2018-04-29T13:02:19.000Z"),
        ),
        (
            "DateStringToISOFormat",
            json!({}),
            json!("05/10/2017"),
            json!("2017-10-05T00:00:00+00:00"),
        ),
        (
            "DateStringToISOFormat",
            json!({"dayfirst": "false", "add_utc_timezone": "false"}),
            json!("05/10/2017"),
            json!("2017-05-10T00:00:00"),
        ),
        ("DateStringToISOFormat", json!({}), json!("soon"), json!("soon")),
    ] {
        let expected = Some(expected).filter(|value| !value.is_null());
        let got = transformed(x(value.clone()), &[(name, arguments.clone())]);
        assert_eq!(got, Ok(expected), "{name} {arguments} of {value}");
    }
}

#[test]
fn what_cannot_be_cast_is_a_fault_and_names_its_step() {
    for (name, arguments, value, expected) in [
        (
            "toUpperCase",
            json!({}),
            json!({"some": "object"}),
            "toUpperCase: needs a text and got an object",
        ),
        (
            "concat",
            json!({"prefix": "${x}"}),
            json!(["a", "b"]),
            "concat: needs a text and got a list",
        ),
        (
            "ParseJSON",
            json!({}),
            json!("{"),
            "ParseJSON: the source's text is not one well-formed JSON document",
        ),
        (
            "ParseJSON",
            json!({}),
            json!("{\"a\":1,\"a\":2}"),
            "ParseJSON: the source's text is not one well-formed JSON document",
        ),
        (
            "TimeStampToDate",
            json!({}),
            json!("soon"),
            "TimeStampToDate: is not a time stamp",
        ),
        (
            "atIndex",
            json!({"index": "${x}"}),
            json!("a"),
            "atIndex: `index` must be a whole number from 0",
        ),
        (
            "MapValuesTransformer",
            json!({"input_values": "${x}", "mapped_values": "1"}),
            json!("a,b"),
            "same number of values",
        ),
    ] {
        let got = transformed(json!({"x": value}), &[(name, arguments)]).unwrap_err();
        assert!(got.contains(expected), "{got}");
    }
}

#[test]
fn each_filter_does_what_the_platform_says() {
    let people = json!([
        {"type": "work", "value": "Ann@x.org", "tags": ["a", "b"], "on": true, "n": 12},
        {"type": "home", "value": "", "tags": [], "on": "False"},
        {"type": "other", "value": "cy@y.org", "tags": ["c"]},
    ]);
    // The left key, the operator, the right side, and the types of those that pass.
    for (left, operator, right, ignore_case, expected) in [
        ("type", "isEqualString", json!("work"), false, &["work"][..]),
        ("type", "isEqualString", json!("WORK"), false, &[]),
        ("type", "isEqualString", json!("WORK"), true, &["work"]),
        ("type", "isEqualString", json!("${wanted}"), false, &["home"]),
        ("type", "isNotEqualString", json!("work"), false, &["home", "other"]),
        ("tags", "isEqualString", json!("b"), false, &["work"]),
        ("n", "isEqualString", json!("12"), false, &["work"]),
        ("value", "isEmpty", json!(null), false, &["home"]),
        ("tags", "isEmpty", json!(null), false, &["home"]),
        ("n", "isEmpty", json!(null), false, &["home", "other"]),
        ("value", "isNotEmpty", json!(null), false, &["work", "other"]),
        ("value", "isExists", json!(null), false, &["work", "home", "other"]),
        ("n", "isExists", json!(null), false, &["work"]),
        ("value", "contains", json!("@x"), false, &["work"]),
        ("value", "contains", json!("ANN"), true, &["work"]),
        ("tags", "containsGeneral", json!("c"), false, &["other"]),
        ("type", "containsGeneral", json!("home"), false, &["home"]),
        ("type", "containsGeneral", json!("hom"), false, &[]),
        ("n", "containsGeneral", json!("12"), false, &["work"]),
        ("value", "startsWith", json!("cy"), false, &["other"]),
        ("value", "endsWith", json!(".org"), false, &["work", "other"]),
        ("value", "match", json!("^[a-z]+@"), false, &["other"]),
        ("value", "match", json!("^[a-z]+@"), true, &["work", "other"]),
        ("type", "inList", json!("home, other"), false, &["home", "other"]),
        ("type", "inList", json!("${listed}"), false, &["work"]),
        ("on", "isTrue", json!(null), false, &["work"]),
        ("on", "isFalse", json!(null), false, &["home"]),
        ("type", "stringHasLength", json!("4"), false, &["work", "home"]),
    ] {
        let test = json!({"left": {"isContext": true, "value": {"simple": format!("p.{left}")}}, "operator": operator,
            "right": argument(&right), "ignoreCase": ignore_case});
        let rule = json!({"complex": {"root": "p", "filters": [[test]], "accessor": "type"}});
        let got = title(rule, json!({"p": people, "wanted": "home", "listed": ["work", "x"]}));
        let expected = (!expected.is_empty()).then(|| json!(expected));
        assert_eq!(got, Ok(expected), "{left} {operator} {right}");
    }
}

#[test]
fn the_outer_list_of_filters_is_and_the_inner_or() {
    let test = |left: &str, operator: &str, right: &str| json!({"left": {"isContext": true, "value": {"simple": left}}, "operator": operator, "right": argument(&json!(right))});
    let rule = json!({"complex": {"root": "p", "filters": [
        [test("p.a", "isEqualString", "1"), test("p.a", "isEqualString", "2")],
        [test("p.b", "isEqualString", "x")],
    ], "accessor": "c"}});
    let source = json!({"p": [{"a": "1", "b": "x", "c": "yes"}, {"a": "2", "b": "y", "c": "no"}, {"a": "3", "b": "x", "c": "no"}]});
    assert_eq!(title(rule.clone(), source), Ok(Some(json!(["yes"]))));
    // One value is judged as one element.
    assert_eq!(
        title(rule.clone(), json!({"p": {"a": "2", "b": "x", "c": "one"}})),
        Ok(Some(json!("one")))
    );
    assert_eq!(title(rule, json!({"p": {"a": "2", "b": "z", "c": "one"}})), Ok(None));
    // An element itself, by the root's own path.
    let rule = json!({"complex": {"root": "list", "filters": [[test("list", "startsWith", "a")]], "transformers": [transformer("join", &json!({"separator": " "}))]}});
    assert_eq!(
        title(rule, json!({"list": ["a1", "b", "a2"]})),
        Ok(Some(json!("a1 a2")))
    );
}

#[test]
fn a_missing_root_leaves_the_target_out_and_no_transformer_runs() {
    let rule = json!({"complex": {"root": "missing", "transformers": [transformer("SetIfEmpty", &json!({"defaultValue": "d"}))]}});
    assert_eq!(title(rule.clone(), json!({"x": 1})), Ok(None));
    assert_eq!(title(rule, json!({"missing": null})), Ok(None));
}

#[test]
fn what_is_refused_is_named_with_its_place() {
    let (file, findings) = own("refused.json");
    assert!(file.is_none());
    let reported: Vec<String> = findings
        .list
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(Diagnostic::to_string)
        .collect();
    for expected in [
        "User Profile › userName: JavaScript (=…) is not run here",
        "User Profile › displayName › transformer 1 (reverse): the operator `reverse` is not known; known are concat, ParseJSON, ",
        "User Profile › title › filter 1 (sounds.like): the operator `sounds.like` is not known; known are isEqualString, ",
        "User Profile › nickName › transformer 1 (replaceMatch): the regular expression can't be used: look-around",
        "User Profile › name › transformer 2 (ParseJSON): a value of the source would name a key of the JSON",
        "User Profile › emails › transformer 3 (ParseJSON): the text was glued from several values and changed by trim after that",
        "User Profile › externalId › transformer 1 (atIndex): `index` must be a whole number from 0",
    ] {
        assert_eq!(
            reported.iter().filter(|line| line.contains(expected)).count(),
            1,
            "{expected}\n{reported:#?}"
        );
    }
    assert_eq!(reported.len(), 7, "{reported:#?}");
    for (text, expected) in [
        ("", "not JSON"),
        ("[]", "a mapper is a JSON object"),
        ("{}", "mapping: there is none"),
        (
            r#"{"type": "mapping-outgoing", "mapping": {"User Profile - Create": {"internalMapping": {}}}}"#,
            "has no mapping for User Profile - Update",
        ),
    ] {
        let (file, findings) = MapperFile::compile(text, Form::Xsoar);
        assert!(
            file.is_none() && findings.errors().contains(expected),
            "{text}: {}",
            findings.errors()
        );
    }
}

#[test]
fn a_dirty_file_loads_and_what_was_seen_is_told() {
    let (file, findings) = own("dirty.json");
    let file = file.unwrap();
    assert_eq!(file.identity.name, "Dirty");
    let reported: Vec<String> = findings.lines().collect();
    for expected in [
        "note     name: the key is given twice",
        "note     mapping › User Profile › internalMapping › userName: the key is given twice",
        "note     colour: not a key of mappers",
        "note     Phishing: not a type",
        "note     User Profile › userName: has a key `note`",
        "note     User Profile › displayName › transformer 1 (string.toUpperCase): has no `args`",
        "warning  User Profile › displayName › transformer 2 (trim): takes no argument `much`; ignored, it takes none",
        "warning  User Profile › name.givenName › filter 1 (general.isNotEqualString): has no right side",
        "note     User Profile › name.givenName › transformer 1 (FirstArrayElement): has no `args`",
        "note     User Profile › title: has no source",
        "warning  User Profile › active: the commands set it",
        "warning  User Profile › shoeSize: AWS knows no such attribute",
    ] {
        assert_eq!(
            reported.iter().filter(|line| line.starts_with(expected)).count(),
            1,
            "{expected}\n{reported:#?}"
        );
    }
    assert_eq!(reported.len(), 12, "{reported:#?}");
    let mapper = sound("dirty.json");
    let source = json!({"username": "u", "wrong": "w", "displayname": "d ", "names": ["", "G"], "surname": "S", "status": false, "title": "t"});
    let mapped = mapper.outgoing(MappingType::Create, &profile(source));
    assert_eq!(
        Value::from(mapped.attributes),
        json!({"userName": "u", "displayName": "D", "name": {"givenName": "G", "familyName": "S"}})
    );
}

#[test]
fn both_types_and_the_one_that_serves_all() {
    let mapper = sound("glued-outgoing.json");
    let source = profile(json!({"username": "u", "title": "t"}));
    assert!(
        !mapper
            .outgoing(MappingType::Create, &source)
            .attributes
            .contains_key("title")
    );
    assert!(
        mapper
            .outgoing(MappingType::Update, &source)
            .attributes
            .contains_key("title")
    );
    let all = sound("by-hand.toml");
    assert_eq!(
        all.outgoing(MappingType::Create, &source),
        all.outgoing(MappingType::Update, &source)
    );
}

#[test]
fn glued_json_and_the_old_urn() {
    let mapper = sound("glued-outgoing.json");
    let full = json!({"username": "u", "givenname": "G\"", "surname": "S", "email": "e@x", "employeeid": "7", "employeenumber": "8",
        "department": "R&D \"x\"", "badge": "9"});
    let mapped = mapper.outgoing(MappingType::Create, &profile(full));
    assert_eq!(mapped.faults, []);
    assert_eq!(
        Value::from(mapped.attributes),
        json!({"userName": "u", "displayName": "G\" S", "name": {"givenName": "G\"", "familyName": "S"},
            "emails": [{"type": "work", "primary": true, "value": "e@x"}], "externalId": "7",
            ENTERPRISE: {"employeeNumber": "8", "department": "R&D \"x\""}})
    );
    let sparse = json!({"username": "u", "givenname": "G", "surname": "", "email": "", "department": "D"});
    let mapped = mapper.outgoing(MappingType::Create, &profile(sparse));
    assert_eq!(
        Value::from(mapped.attributes),
        json!({"userName": "u", "displayName": "G ", "name": {"givenName": "G"}})
    );
    for (attribute, source) in [
        ("userName", Some("username")),
        ("name.familyName", Some("surname")),
        ("name.givenName", Some("givenname")),
        ("name.nick", None),
        ("emails.primary", Some("email")),
        ("emails", Some("email")),
        ("photos", None),
    ] {
        assert_eq!(mapper.source(attribute), source, "{attribute}");
    }
}

#[test]
fn incoming_reads_the_extension_under_either_name() {
    let mapper = sound("plain-incoming.json");
    let user = User::read(json!({"id": "u-1", "userName": "u", "emails": [{"value": "h@x", "type": "home"}, {"value": "w@x", "type": "work"}],
        ENTERPRISE: {"department": "D", "costCenter": "C"}}))
    .unwrap();
    assert_eq!(
        Value::from(mapper.incoming(&user)),
        json!({"Username": "u", "Email": "h@x", "Work Email": ["w@x"], "Department": "D", "Cost Center Code": "C"})
    );
}

#[test]
fn a_mapper_by_hand() {
    let mapper = sound("by-hand.toml");
    let mapped = mapper.outgoing(
        MappingType::Create,
        &profile(json!({"username": "u", "Given Name": "G", "surname": "O\"Hara", "email": "E@X"})),
    );
    assert_eq!(mapped.faults, []);
    assert_eq!(
        Value::from(mapped.attributes),
        json!({"userName": "u", "displayName": "G O\"Hara", "name": {"givenName": "G", "familyName": "O\"Hara"},
            "emails": [{"value": "e@x", "type": "work", "primary": true}], "title": "unknown"})
    );
    assert_eq!(mapper.source("name.familyName"), Some("surname"));
    for (text, expected) in [
        ("x", "not TOML, line 1"),
        ("direction = \"up\"\n[\"User Profile\"]", "direction: found up"),
        (
            "direction = \"outgoing\"\n[\"User Profile\"]\ntitle = 7",
            "an expression is a text",
        ),
        (
            "direction = \"outgoing\"\n[\"User Profile\"]\ntitle = \"a ~\"",
            "User Profile › title: syntax error",
        ),
        (
            "direction = \"outgoing\"\nwhat = 1\n[\"User Profile\"]",
            "what: not a table of a mapper",
        ),
        ("direction = \"outgoing\"", "has no mapping for User Profile"),
    ] {
        let (file, findings) = MapperFile::compile(text, Form::Toml);
        assert!(
            file.is_none() && findings.errors().contains(expected),
            "{text}: {}",
            findings.errors()
        );
    }
}

#[test]
fn nothing_hangs_or_swells() {
    let long = "a".repeat(60_000);
    let doubling = ("replace", json!({"toReplace": "a", "replaceWith": "aa"}));
    let error = transformed(json!({"x": long}), &[doubling.clone(), doubling.clone(), doubling]).unwrap_err();
    assert!(error.contains("longer than 65536 bytes"), "{error}");
    let error = transformed(json!({"x": ",".repeat(5_000)}), &[("split", json!({}))]).unwrap_err();
    assert!(error.contains("more than 1000 elements"), "{error}");
    let error = title(json!({"simple": "x"}), json!({"x": "a".repeat(100_000)})).unwrap_err();
    assert!(error.contains("more than 65536 bytes"), "{error}");
    let mut deep = json!(1);
    for _ in 0..60 {
        deep = json!([deep]);
    }
    assert!(
        title(json!({"simple": "x"}), json!({"x": deep}))
            .unwrap_err()
            .to_string()
            .contains("nested deeper")
    );
    // A thousand elements, each judged by a text of its own outside the root.
    let test = json!({"left": {"value": {"simple": "big"}}, "operator": "contains", "right": argument(&json!("zz"))});
    let rule = json!({"complex": {"root": "list", "filters": [[test]]}});
    let error = title(rule, json!({"list": vec!["x"; 900], "big": "a".repeat(60_000)})).unwrap_err();
    assert!(error.contains("more work than is allowed"), "{error}");
    // A pattern that makes others backtrack for ever.
    let slow = ("replaceMatch", json!({"regex": "(a+)+$", "replaceWith": "x"}));
    assert!(transformed(json!({"x": format!("{}!", "a".repeat(50_000))}), &[slow]).is_ok());
    let large = ("replaceMatch", json!({"regex": "(a{1000}){1000}", "replaceWith": "x"}));
    assert!(
        transformed(json!({"x": "a"}), &[large])
            .unwrap_err()
            .to_string()
            .contains("too large")
    );
}

/// A mapper by hand with many targets of one expression.
fn many(count: usize, expression: &str) -> String {
    let targets: String = (0..count).map(|n| format!("t{n} = {expression:?}\n")).collect();
    format!("direction = \"outgoing\"\n[\"User Profile\"]\n{targets}")
}

#[test]
fn all_targets_of_a_mapping_share_one_budget_in_either_form() {
    let text = profile(json!({"x": "a,".repeat(30_000)}));
    let steps: Vec<Value> = (0..6).map(|_| transformer("toUpperCase", &json!({}))).collect();
    let rule = json!({"complex": {"root": "x", "transformers": steps.iter().chain(&[transformer("substringTo", &json!({"to": ","}))]).collect::<Vec<_>>()}});
    let targets: serde_json::Map<String, Value> = (0..900).map(|n| (format!("t{n}"), rule.clone())).collect();
    let xsoar =
        json!({"type": "mapping-outgoing", "mapping": {"User Profile": {"internalMapping": targets}}}).to_string();
    for (form, text_of_mapper, bound) in [
        (
            Form::Toml,
            many(900, "x | upper | lower | length"),
            "look at no more than 2097152 bytes",
        ),
        (
            Form::Toml,
            many(
                900,
                "'%s' if x is string and false else x | upper | replace('A', 'b') | length",
            ),
            "look at no more than 2097152 bytes",
        ),
        (Form::Toml, many(900, "x[:60]"), "look at no more than 2097152 bytes"),
        (
            Form::Toml,
            many(900, "'y' if missing is defined else missing ~ x"),
            "look at no more than 2097152 bytes",
        ),
        (
            Form::Toml,
            many(900, &format!("[{}]", "'0123456789', ".repeat(70))),
            "together give more than 262144 bytes",
        ),
        (Form::Toml, many(12, "x"), "together give more than 262144 bytes"),
        (Form::Xsoar, xsoar, "look at no more than 2097152 bytes"),
    ] {
        let (file, findings) = MapperFile::compile(&text_of_mapper, form);
        let file = file.unwrap_or_else(|| panic!("{}", findings.errors()));
        let mapper = Mapper::new(Some(Arc::new(file)), None);
        let began = std::time::Instant::now();
        let mapped = mapper.outgoing(MappingType::Create, &text);
        let explained = mapper.explain_outgoing(MappingType::Create, Dialect::Aws, &text);
        let elapsed = began.elapsed();
        assert!(elapsed < std::time::Duration::from_secs(10), "{bound}: {elapsed:?}");
        // Told once, with the target and the bound.
        assert_eq!(mapped.faults.len(), 1, "{bound}");
        assert!(mapped.faults[0].message.contains(bound), "{:?}", mapped.faults[0]);
        let stopped = &mapped.faults[0].path;
        assert!(
            explained
                .fields
                .iter()
                .any(|field| field.target == *stopped && field.refused.is_some()),
            "{stopped}"
        );
        assert_eq!(explained.result, mapped.attributes);
        assert!(!explained.verdict.as_ref().unwrap().sendable);
        // And what explains it is bounded as well.
        let length = serde_json::to_string(&explained).unwrap().len();
        assert!(length < 2 * 1024 * 1024, "{bound}: {length}");
    }
}

/// A step may cost more than its value is long; the charged work must keep up with that.
#[test]
fn what_the_mapper_puts_into_a_value_never_makes_it_structure() {
    let evil = json!({"x": "a\", \"familyName\": \"EVIL", "json": "{\"a\": 1}"});
    let matched = |regex: &str, with: &str| ("replaceMatch", json!({"regex": regex, "replaceWith": with}));
    let parse = ("ParseJSON", json!({}));
    // As no text of its own may take their place, these are refused when the file is loaded.
    for steps in [
        vec![matched("^(.*)$", "{\"givenName\": \"$1\"}")],
        vec![matched("^", "{\"givenName\": \""), matched("$", "\"}")],
        vec![matched("^(.*)$", "[{\"value\": \"$1\", \"type\": \"work\"}]")],
        vec![matched("never", "x")],
        vec![
            ("replace", json!({"toReplace": "a", "replaceWith": "{\"b\": \""})),
            matched("$", "\"}"),
        ],
        vec![
            matched("^(.*)$", "{\"a\": \"$1\"}"),
            ("trim", json!({})),
            ("toLowerCase", json!({})),
        ],
    ] {
        let steps: Vec<_> = steps.into_iter().chain([parse.clone()]).collect();
        let error = transformed(evil.clone(), &steps).unwrap_err();
        assert!(
            error.contains("put into a value") && error.contains("transformer"),
            "{steps:?}: {error}"
        );
        // Where a text may take their place, the error comes when they are mapped.
        let late = ("SetIfEmpty", json!({"defaultValue": "{}"}));
        let steps: Vec<_> = steps[..steps.len() - 1]
            .iter()
            .cloned()
            .chain([late, parse.clone()])
            .collect();
        let error = transformed(evil.clone(), &steps).unwrap_err();
        assert!(
            error.starts_with("ParseJSON: ") && error.contains("put into a value"),
            "{steps:?}: {error}"
        );
    }
    // An altered value is one value still, and can be glued.
    let glue = ("concat", json!({"prefix": "{\"a\": \"", "suffix": "\"}"}));
    let altered = ("replace", json!({"toReplace": "a", "replaceWith": "b"}));
    assert_eq!(
        transformed(evil.clone(), &[altered, glue.clone(), parse.clone()]),
        Ok(Some(json!({"a": "b\", \"fbmilyNbme\": \"EVIL"})))
    );
    let altered = ("replace", json!({"toReplace": "A", "replaceWith": "b"}));
    let rest = [
        ("SetIfEmpty", json!({"defaultValue": "n/a"})),
        ("trim", json!({})),
        glue,
        parse.clone(),
    ];
    assert_eq!(
        transformed(json!({"x": " A "}), &[&[altered], &rest[..]].concat()),
        Ok(Some(json!({"a": "b"})))
    );
    // Taking away, and taking groups, leaves the value's own.
    let own = |step: (&str, Value)| transformed(json!({"x": "-{\"a\": 1}"}), &[step, parse.clone()]);
    assert_eq!(own(matched("^-(.*)$", "$1")), Ok(Some(json!({"a": 1}))));
    assert_eq!(own(matched("^-(?P<n>.*)$", "$n")), Ok(Some(json!({"a": 1}))));
    assert_eq!(
        own(("replace", json!({"toReplace": "-", "replaceWith": ""}))),
        Ok(Some(json!({"a": 1})))
    );
}

#[test]
fn what_would_go_unseen_is_told() {
    let found = |targets: Value| {
        let (file, findings) = MapperFile::compile(&exported(targets), Form::Xsoar);
        (file.is_some(), findings.lines().collect::<Vec<_>>().join("\n"))
    };
    let (loads, told) = found(json!({"name.familyName": {"simple": "surname"}, "name": {"simple": "nm"}}));
    let same = "warning  User Profile: name and name.familyName fill the same place; where both have a value, the one of name.familyName counts";
    assert!(loads && told.contains(same), "{told}");
    let step = transformer("concat", &json!({"sufix": "!"}));
    let (loads, told) = found(json!({"title": {"complex": {"root": "x", "transformers": [step]}}}));
    let known = "warning  User Profile › title › transformer 1 (concat): takes no argument `sufix`; ignored, it takes prefix, suffix";
    assert!(loads && told.contains(known), "{told}");
    let (loads, told) = found(json!({}));
    assert!(
        !loads && told.contains("error    User Profile: has no targets"),
        "{told}"
    );
    let (file, findings) = MapperFile::compile("direction = \"outgoing\"\n[\"User Profile\"]\n", Form::Toml);
    assert!(file.is_none() && findings.errors().contains("has no targets"));
}

#[test]
fn two_spellings_that_differ_are_refused_in_either_form() {
    let source = profile(json!({"Given Name": "Y", "GIVEN NAME": "Z", "Title": "t", "TITLE": "t"}));
    let toml_mapper = "direction = \"outgoing\"\n[\"User Profile\"]\nuserType = \"givenname\"\ntitle = \"title\"\n";
    let (file, _) = MapperFile::compile(toml_mapper, Form::Toml);
    let toml_mapper = Mapper::new(file.map(Arc::new), None);
    for mapper in [
        mapper_of(json!({"userType": {"simple": "givenname"}, "title": {"simple": "title"}})),
        toml_mapper,
    ] {
        let mapped = mapper.outgoing(MappingType::Update, &source);
        let words = source.text("givenname").unwrap_err().to_string();
        assert_eq!(
            mapped
                .faults
                .iter()
                .map(|fault| fault.message.clone())
                .collect::<Vec<_>>(),
            [words]
        );
        assert_eq!(Value::from(mapped.attributes), json!({"title": "t"}));
    }
}

#[test]
fn a_part_that_its_own_target_fills_stays() {
    let mapper = mapper_of(json!({"name.familyName": {"simple": "surname"}, "name": {"simple": "nm"}}));
    let source = profile(json!({"surname": "F", "nm": {"familyName": "EVIL", "givenName": "G"}}));
    let mapped = mapper.outgoing(MappingType::Update, &source);
    assert_eq!(mapped.attributes["name"], json!({"familyName": "F", "givenName": "G"}));
}

/// Asserts that a mapping ends at its bound, in a time that uncharged work would exceed by far.
fn ends_at_the_bound(mapper: &Mapper, source: Value) {
    let source = profile(source);
    let started = std::time::Instant::now();
    let mapped = mapper.outgoing(MappingType::Update, &source);
    let taken = started.elapsed();
    assert!(
        mapped
            .faults
            .iter()
            .any(|fault| fault.message.contains("more work than is allowed")),
        "{:?}",
        mapped.faults
    );
    assert!(taken < std::time::Duration::from_secs(2), "{taken:?}");
}

fn mapper_of(targets: Value) -> Mapper {
    let (file, findings) = MapperFile::compile(&exported(targets), Form::Xsoar);
    let file = file.unwrap_or_else(|| panic!("{}", findings.errors()));
    Mapper::new(Some(Arc::new(file)), None)
}

#[test]
fn looking_for_what_is_missing_is_work() {
    let mut fields: serde_json::Map<String, Value> = (0..4_000).map(|n| (format!("Key {n}"), n.into())).collect();
    fields.insert("groups".to_owned(), (0..1_000).map(|n| format!("g{n}")).collect());
    // Each step asks for every element: 1,000 elements, 90 steps, ten paths in each.
    let suffix = "${domain}".repeat(10);
    let steps = vec![transformer("concat", &json!({"suffix": suffix})); 90];
    let mapper = mapper_of(json!({"title": {"complex": {"root": "groups", "transformers": steps}}}));
    ends_at_the_bound(&mapper, fields.clone().into());
    // The same in the other form: 900 targets, each with many names that nothing stands for.
    let names: Vec<String> = (0..200).map(|n| format!("m{n}")).collect();
    let text = many(900, &format!("'x' if true else [{}]", names.join(",")));
    let (file, findings) = MapperFile::compile(&text, Form::Toml);
    let file = file.unwrap_or_else(|| panic!("{}", findings.errors()));
    ends_at_the_bound(&Mapper::new(Some(Arc::new(file)), None), fields.into());
}

#[test]
fn every_piece_of_a_right_side_is_work() {
    let test = json!({"operator": "isEqualString", "left": {"value": {"simple": "groups"}, "isContext": true},
        "right": {"value": {"simple": "${m}".repeat(8)}}});
    let rule = json!({"complex": {"root": "groups", "filters": vec![vec![test]; 100], "transformers": []}});
    let targets: serde_json::Map<String, Value> = (0..10).map(|n| (format!("t{n}"), rule.clone())).collect();
    let groups: Vec<&str> = vec![""; 1_000];
    ends_at_the_bound(&mapper_of(targets.into()), json!({"groups": groups}));
}

#[test]
fn a_target_has_so_many_paths() {
    let steps = |count: usize, pairs: usize| {
        let suffix: String = (0..pairs).map(|n| format!(",\"k{n}\":\"${{f{n}}}\"")).collect();
        let glued = transformer("concat", &json!({"suffix": suffix}));
        let mut steps = vec![
            transformer("concat", &json!({"prefix": "{\"a\":\""})),
            transformer("concat", &json!({"suffix": "\""})),
        ];
        steps.extend(vec![glued; count]);
        steps.push(transformer("concat", &json!({"suffix": "}"})));
        steps.push(transformer("ParseJSON", &json!({})));
        json!({"complex": {"root": "x", "transformers": steps}})
    };
    let targets = |rule: Value| -> Value {
        (0..35)
            .map(|n| (format!("t{n}"), rule.clone()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let (file, findings) = MapperFile::compile(&exported(targets(steps(90, 48))), Form::Xsoar);
    assert!(file.is_none());
    assert!(
        findings
            .errors()
            .contains("User Profile › t0: has more than 1000 paths"),
        "{}",
        findings.errors()
    );
    let (file, findings) = MapperFile::compile(&exported(targets(steps(20, 48))), Form::Xsoar);
    assert!(file.is_some(), "{}", findings.errors());
}

#[test]
fn mapping_values_looks_each_of_them_up_once() {
    let inputs: Vec<String> = (0..30_000).map(|n| format!("k{n}:v")).collect();
    let outputs = vec!["w"; inputs.len()];
    let step = transformer(
        "MapValuesTransformer",
        &json!({"input_values": inputs.join(","), "mapped_values": outputs.join(",")}),
    );
    let rule = json!({"complex": {"root": "x", "transformers": [step]}});
    let object: serde_json::Map<String, Value> = (0..4_000).map(|n| (format!("k{n}"), "v".into())).collect();
    let started = std::time::Instant::now();
    let mapped = title(rule.clone(), json!({"x": object})).unwrap().unwrap();
    assert!(
        started.elapsed() < std::time::Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    assert!(mapped.as_str().unwrap().starts_with("{\"k0\":\"w\",\"k1\":\"w\""));
    let object: serde_json::Map<String, Value> = (0..20_000).map(|n| (format!("k{n}"), "v".into())).collect();
    let targets: serde_json::Map<String, Value> = (0..9).map(|n| (format!("t{n}"), rule.clone())).collect();
    ends_at_the_bound(&mapper_of(targets.into()), json!({"x": object}));
}

#[test]
fn no_step_hangs_over_long_values_and_long_arguments() {
    let long = "A".repeat(60_000);
    let letters: String = (0x4e00..0x4e00 + 20_000_u32)
        .filter_map(char::from_u32)
        .chain(['A'])
        .collect();
    let items = (0..12_000).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let literal = "v,".repeat(1_000_000);
    let test = |operator: &str, right: &str| json!([{"operator": operator, "left": {"value": {"simple": "x"}}, "right": argument(&json!(right))}]);
    let filtered = |tests: Value| json!({"complex": {"root": "x", "filters": tests}});
    let stepped = |steps: Vec<Value>| json!({"complex": {"root": "x", "transformers": steps}});
    let list = json!(vec!["zz"; 1_000]);
    for (what, rule, x, y) in [
        (
            "a search from each place to the end",
            stepped(vec![transformer(
                "replaceMatch",
                &json!({"regex": ".*[^A-Z]|[A-Z]", "replaceWith": ""}),
            )]),
            json!(long),
            json!(1),
        ),
        (
            "large patterns",
            stepped(vec![
                transformer(
                    "replaceMatch",
                    &json!({"regex": r"(?:\w{3}[A-Z]{400}x|A{500}y)", "replaceWith": ""})
                );
                30
            ]),
            json!(long),
            json!(1),
        ),
        (
            "large patterns in filters",
            filtered(json!(vec![test("match", r"(?:\w{3}[A-Z]{400}x|A{500}y)"); 30])),
            json!(vec![long.clone(); 1]),
            json!(1),
        ),
        (
            "many characters to strip",
            stepped(vec![transformer("StripChars", &json!({"chars": "${y}"})); 20]),
            json!(long),
            json!(letters),
        ),
        (
            "a list in a list",
            filtered(json!(vec![test("inList", "${y}"); 20])),
            json!([vec!["zz"; 1_000], vec!["zz"; 900]]),
            json!(items),
        ),
        (
            "a list in a long text",
            filtered(json!([test("inList", &literal)])),
            list.clone(),
            json!(1),
        ),
        (
            "a long text to map by",
            stepped(vec![transformer(
                "MapValuesTransformer",
                &json!({"input_values": literal, "mapped_values": literal}),
            )]),
            list.clone(),
            json!(1),
        ),
        (
            "a long text to replace",
            stepped(vec![transformer(
                "replace",
                &json!({"toReplace": literal, "replaceWith": "b"}),
            )]),
            list.clone(),
            json!(1),
        ),
        (
            "a long text to compare with",
            stepped(vec![transformer(
                "If-Then-Else",
                &json!({"condition": "value in list rhs", "rhs": literal, "then": "a", "else": "${x}"}),
            )]),
            list,
            json!(1),
        ),
    ] {
        let began = std::time::Instant::now();
        let reported = title(rule, json!({"x": x, "y": y}));
        let elapsed = began.elapsed();
        println!("{what}: {elapsed:?} {}", reported.err().unwrap_or_default());
        assert!(elapsed < std::time::Duration::from_secs(20), "{what}: {elapsed:?}");
    }
}

#[test]
fn an_explanation_shows_no_more_than_its_bound_and_says_so() {
    let source = profile(json!({"x": "a".repeat(60_000)}));
    let (file, _) = MapperFile::compile(&many(30, "x | length"), Form::Toml);
    let mapper = Mapper::new(Some(Arc::new(file.unwrap())), None);
    let explained = mapper.explain_outgoing(MappingType::Create, Dialect::Aws, &source);
    let read: usize = explained.fields.iter().flat_map(|field| &field.taken).count();
    assert_eq!(read, 4);
    let silent = explained.fields.iter().filter(|field| field.taken.is_empty());
    assert!(
        silent.clone().count() == 26
            && silent
                .into_iter()
                .all(|field| field.notes[0].contains("no more than 262144 bytes"))
    );
    assert_eq!(explained.fields[3].value, Some(json!(60_000)));
}

#[test]
fn an_ordinary_mapping_of_many_targets_stays_within_the_budget() {
    let source = profile(json!({"givenname": "Jo", "surname": "Doe", "email": "jo.doe@example.com"}));
    let (file, findings) = MapperFile::compile(
        &many(400, "givenname ~ ' ' ~ surname ~ (title | default(email | upper))"),
        Form::Toml,
    );
    let mapper = Mapper::new(
        Some(Arc::new(file.unwrap_or_else(|| panic!("{}", findings.errors())))),
        None,
    );
    let mapped = mapper.outgoing(MappingType::Create, &source);
    assert_eq!((mapped.faults.len(), mapped.attributes.len()), (0, 400));
}

/// An export with these targets.
fn exported(targets: Value) -> String {
    json!({"type": "mapping-outgoing", "mapping": {"User Profile": {"internalMapping": targets}}}).to_string()
}

#[test]
fn reading_a_file_is_bounded_in_time_and_in_what_is_told() {
    let step = |regex: String| json!({"complex": {"root": "x", "transformers": [transformer("replaceMatch", &json!({"regex": regex, "replaceWith": ""}))]}});
    let targets = |count: usize, rule: &dyn Fn(usize) -> Value| -> Value {
        (0..count)
            .map(|n| (format!("t{n}"), rule(n)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let long = "k".repeat(500_000);
    let within_toml = |body: &str| format!("direction = \"outgoing\"\n{body}");
    for (what, form, text, refused) in [
        (
            "equal expressions",
            Form::Xsoar,
            exported(targets(1_000, &|_| step(r"\w+@(\w|\.)+".to_owned()))),
            0,
        ),
        (
            "large expressions",
            Form::Xsoar,
            exported(targets(1_000, &|n| step(format!(r"\w{{{}}}", n + 50)))),
            101,
        ),
        (
            "unknown operators",
            Form::Xsoar,
            exported(targets(
                1_000,
                &|n| json!({"complex": {"root": "x", "transformers": vec![json!({"operator": format!("o{n}")}); 100]}}),
            )),
            101,
        ),
        (
            "no paths",
            Form::Xsoar,
            exported(targets(1_000, &|n| json!({"simple": format!("=x{n}")}))),
            101,
        ),
        (
            "long names",
            Form::Xsoar,
            exported(
                json!({long.clone(): {"complex": {"root": "x", "transformers": vec![json!({"operator": "no"}); 90]}}}),
            ),
            91,
        ),
        (
            "many targets",
            Form::Xsoar,
            exported(targets(20_000, &|_| json!({"simple": "x"}))),
            1,
        ),
        (
            "many values",
            Form::Xsoar,
            exported(json!({"title": {"simple": "${x}".repeat(500_000)}})),
            1,
        ),
        (
            "empty groups",
            Form::Xsoar,
            exported(json!({"title": {"complex": {"root": "x", "filters": vec![json!([]); 500_000]}}})),
            1,
        ),
        (
            "unknown keys",
            Form::Xsoar,
            exported(
                json!({"title": (0..200_000).map(|n| (format!("k{n}"), json!(1))).collect::<serde_json::Map<_, _>>()}),
            ),
            0,
        ),
        ("unknown filters", Form::Toml, many(1_000, "x | nosuch"), 101),
        (
            "long expressions",
            Form::Toml,
            many(1_000, "x.".repeat(500).trim_end_matches('.')),
            0,
        ),
        (
            "many keys",
            Form::Toml,
            within_toml(&format!(
                "[\"User Profile\"]\n{}",
                (0..100_000).map(|n| format!("k{n} = 'x'\n")).collect::<String>()
            )),
            1,
        ),
        (
            "keys below a long one",
            Form::Toml,
            within_toml(&format!(
                "[\"User Profile\".{long}]\n{}",
                (0..100_000).map(|n| format!("k{n} = 'x'\n")).collect::<String>()
            )),
            2,
        ),
        (
            "deep keys",
            Form::Toml,
            within_toml(&format!("[\"User Profile\"]\n{} = 'x'\n", vec!["a"; 5_000].join("."))),
            1,
        ),
        ("no TOML", Form::Toml, "[".repeat(1_000_000), 1),
    ] {
        let began = std::time::Instant::now();
        let (file, findings) = MapperFile::compile(&text, form);
        let elapsed = began.elapsed();
        println!("{what}: {elapsed:?}, {} told", findings.list.len());
        assert!(elapsed < std::time::Duration::from_secs(20), "{what}: {elapsed:?}");
        assert_eq!(
            findings.count(Severity::Error),
            refused,
            "{what}: {}",
            findings.errors()
        );
        assert_eq!(file.is_some(), refused == 0, "{what}");
        assert!(
            findings.list.len() < 1_200 && findings.errors().len() < 200_000,
            "{what}"
        );
        if refused == 101 {
            assert!(
                findings
                    .errors()
                    .ends_with("reading stopped after 100 errors; there may be more"),
                "{what}"
            );
        }
    }
}

#[test]
fn what_has_the_wrong_shape_is_refused_or_doubted_with_its_place() {
    let step = |transformer: Value| json!({"complex": {"root": "x", "transformers": [transformer]}});
    let concat = |prefix: Value| step(json!({"operator": "concat", "args": {"prefix": prefix}}));
    let filter = |test: Value| json!({"complex": {"root": "x", "filters": [[test]]}});
    for (rule, expected) in [
        (
            json!({"simple": "\"work"}),
            "error    User Profile › title: a quote is open",
        ),
        (
            json!({"simple": "a[1:0]"}),
            "error    User Profile › title: the range [1:0] is empty",
        ),
        (
            json!({"simple": "${a${b}}"}),
            "error    User Profile › title: a `${` stands inside another",
        ),
        (
            json!({"simple": "eval(x)"}),
            "error    User Profile › title: JavaScript (…(…)) is not run here",
        ),
        (
            json!({"simple": "${val.x}"}),
            "error    User Profile › title: JavaScript (val.…) is not run here",
        ),
        (
            json!({"simple": 5}),
            "error    User Profile › title: `simple` is not a text",
        ),
        (
            json!({"simple": "Name (official)"}),
            "warning  User Profile › title: in `Name (official)`, round brackets",
        ),
        (
            json!({"simple": "y", "complex": {"root": "x"}}),
            "note     User Profile › title: has both",
        ),
        (
            json!({"complex": "x"}),
            "error    User Profile › title: `complex` is not an object",
        ),
        (
            json!({"complex": {"root": ["x"]}}),
            "error    User Profile › title: `root` is not a text",
        ),
        (
            json!({"complex": {"root": "val.x"}}),
            "error    User Profile › title › root: JavaScript",
        ),
        (
            json!({"complex": {"root": "x", "accessor": 1}}),
            "error    User Profile › title: `accessor` is not a text",
        ),
        (
            json!({"complex": {"root": "x", "accessor": "a[2:1]"}}),
            "error    User Profile › title › accessor: the range",
        ),
        (
            json!({"complex": {"root": "x", "transformers": {}}}),
            "error    User Profile › title: `transformers` is not a list",
        ),
        (
            json!({"complex": {"root": "x", "filters": "isEmpty"}}),
            "error    User Profile › title: `filters` is not a list",
        ),
        (
            step(json!("trim")),
            "error    User Profile › title › transformer 1: a transformer is an object",
        ),
        (
            step(json!({"operator": "concat", "args": ["a"]})),
            "error    User Profile › title › transformer 1 (concat): `args` is not an object",
        ),
        (
            step(json!({"operator": "concat", "args": "a"})),
            "error    User Profile › title › transformer 1 (concat): `args` is not an object",
        ),
        (
            step(json!({"operator": "concat", "args": []})),
            "warning  User Profile › title › transformer 1 (concat): has no `args`",
        ),
        (
            concat(json!("a")),
            "warning  User Profile › title › transformer 1 (concat) › prefix: is not wrapped",
        ),
        (
            concat(json!(["a"])),
            "error    User Profile › title › transformer 1 (concat) › prefix: must be a text",
        ),
        (
            concat(json!({})),
            "warning  User Profile › title › transformer 1 (concat) › prefix: has no `value`",
        ),
        (
            concat(json!({"simple": "a"})),
            "note     User Profile › title › transformer 1 (concat) › prefix: has a key `simple`",
        ),
        (
            concat(json!({"value": {"simpel": "a"}})),
            "warning  User Profile › title › transformer 1 (concat) › prefix: has no `simple`",
        ),
        (
            concat(json!({"value": {"simple": 5}})),
            "warning  User Profile › title › transformer 1 (concat) › prefix: is no text; `5`",
        ),
        (
            concat(json!({"value": {"simple": {"a": 1}}})),
            "error    User Profile › title › transformer 1 (concat) › prefix: must be a text",
        ),
        (
            concat(json!({"value": ["a"]})),
            "error    User Profile › title › transformer 1 (concat) › prefix: must be a text",
        ),
        (
            concat(json!({"isContext": "true", "value": {"simple": "a"}})),
            "warning  User Profile › title › transformer 1 (concat) › prefix: `isContext` is neither",
        ),
        (
            concat(json!({"isContext": true, "value": {"simple": "a (b)"}})),
            "warning  User Profile › title › transformer 1 (concat) › prefix: in `a (b)`",
        ),
        (
            concat(json!({"value": {"simple": "${a${b}}"}})),
            "error    User Profile › title › transformer 1 (concat) › prefix: a `${` stands",
        ),
        (
            step(json!({"operator": "getField", "args": {"field": argument(&json!("a[3:2]"))}})),
            "error    User Profile › title › transformer 1 (getField): the range",
        ),
        (
            step(json!({"operator": "getField", "args": {"field": argument(&json!("val"))}})),
            "warning  User Profile › title › transformer 1 (getField): in `val`",
        ),
        (
            filter(json!("isEmpty")),
            "error    User Profile › title › filter 1: a filter is an object",
        ),
        (
            filter(json!({"operator": "isEmpty", "left": ["x"]})),
            "error    User Profile › title › filter 1 (isEmpty): must be a text",
        ),
        (
            filter(json!({"operator": "isEmpty", "left": {"value": {"simple": "x"}}, "ignoreCase": 1})),
            "warning  User Profile › title › filter 1 (isEmpty): `ignoreCase` is neither",
        ),
        (
            filter(json!({"operator": 5})),
            "error    User Profile › title › filter 1: `operator` is not a text",
        ),
    ] {
        let (file, findings) = MapperFile::compile(&exported(json!({"title": rule})), Form::Xsoar);
        let reported: Vec<String> = findings.lines().collect();
        assert!(
            reported.iter().any(|line| line.starts_with(expected)),
            "{rule}: {expected}\n{reported:#?}"
        );
        assert_eq!(file.is_none(), expected.starts_with("error"), "{rule}");
    }
}

#[test]
fn only_regular_files_of_bounded_size_are_read() {
    let folder = std::env::temp_dir().join(format!("aws-ilm-mapper-files-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let long = folder.join("long.json");
    std::fs::File::create(&long)
        .unwrap()
        .set_len(bounds::MAX_FILE + 1)
        .unwrap();
    let reported = |path: &Path| MapperFile::load(path).unwrap_err().to_string();
    assert_eq!(reported(&folder), "not a regular file");
    assert!(reported(&long).contains("longer than"));
    assert!(reported(&folder.join("missing")).contains("no such file"));
    if cfg!(unix) {
        assert_eq!(reported(Path::new("/dev/zero")), "not a regular file");
        let unfound = MapperStore::new(None)
            .find("/dev/zero", None, Direction::Outgoing)
            .unwrap_err();
        assert_eq!(unfound.found, "/dev/zero, which is not a regular file");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn explaining_tells_each_step() {
    let mapper = sound("glued-outgoing.json");
    let source = profile(
        json!({"username": "u", "givenname": "G", "surname": "S", "email": "e@x", "employeenumber": "8", "badge": "9"}),
    );
    let explained = mapper.explain_outgoing(MappingType::Create, Dialect::Aws, &source);
    assert_eq!(
        (explained.mapper.as_str(), explained.mapping_type),
        ("Glued (Outgoing)", "User Profile - Create")
    );
    let field = |name: &str| explained.fields.iter().find(|field| field.target == name).unwrap();
    let name = field("name");
    let taken: Vec<_> = name
        .taken
        .iter()
        .map(|taken| (taken.path.as_str(), taken.value.clone()))
        .collect();
    assert_eq!(taken, [("givenname", Some(json!("G"))), ("surname", Some(json!("S")))]);
    let steps: Vec<_> = name.steps.iter().map(|step| step.step.as_str()).collect();
    assert_eq!(steps, ["concat", "concat", "concat", "ParseJSON"]);
    assert_eq!(name.steps[0].input, json!("G"));
    assert_eq!(
        name.steps[2].output,
        Some(json!("{\"givenName\": \"G\", \"familyName\": \"S\"}"))
    );
    assert_eq!(name.value, Some(json!({"givenName": "G", "familyName": "S"})));
    assert_eq!(field("externalId").left_out.as_deref(), Some("its source is missing"));
    assert_eq!(field("urn:scim:schemas:extension:enterprise:1.0").dropped, ["badge"]);
    assert_eq!(explained.verdict.unwrap().violations, []);
    let lacking = mapper.explain_outgoing(
        MappingType::Create,
        Dialect::Aws,
        &profile(json!({"username": "u u", "givenname": "G"})),
    );
    let violations: Vec<String> = lacking
        .verdict
        .unwrap()
        .violations
        .iter()
        .map(|violation| format!("{}: {}", violation.attribute, violation.help))
        .collect();
    assert_eq!(
        violations,
        [
            "name.familyName: give it a value (user-profile.surname)",
            "userName: take it out, it is a space (user-profile.username)"
        ]
    );
    let built_in = Mapper::default().explain_outgoing(MappingType::Create, Dialect::Aws, &source);
    assert_eq!((built_in.mapper.as_str(), built_in.fields.len()), (BUILT_IN, 14));
    let user = User::read(json!({"id": "u-1", "userName": "u"})).unwrap();
    assert_eq!(
        Mapper::default().explain_incoming(&user).result,
        Mapper::default().incoming(&user)
    );
}

#[test]
fn compiled_mappers_are_shared() {
    let mapper = sound("glued-outgoing.json");
    let clone = mapper.clone();
    assert!(Arc::ptr_eq(
        mapper.outgoing.as_ref().unwrap(),
        clone.outgoing.as_ref().unwrap()
    ));
    let mut store = MapperStore::new(Some(folder()));
    let (by_name, _) = store.find("Glued (Outgoing)", None, Direction::Outgoing).unwrap();
    let (by_id, _) = store.find("glued-outgoing", None, Direction::Outgoing).unwrap();
    let (by_file, _) = store.find("glued-outgoing.json", None, Direction::Outgoing).unwrap();
    assert!(Arc::ptr_eq(&by_name, &by_id) && Arc::ptr_eq(&by_name, &by_file));
    for (wanted, direction, expected) in [
        ("refused.json", Direction::Outgoing, "which can't be used"),
        ("Plain (Incoming)", Direction::Outgoing, "which maps the other way"),
        (
            "nobody",
            Direction::Outgoing,
            "neither a file nor a mapper's id or name",
        ),
    ] {
        let unfound = store.find(wanted, None, direction).unwrap_err();
        assert!(unfound.found.contains(expected), "{wanted}: {unfound:?}");
    }
    assert!(
        MapperStore::default()
            .find("x", None, Direction::Incoming)
            .unwrap_err()
            .help
            .contains("mapper_folder")
    );
}
