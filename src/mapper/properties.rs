//! Properties that hold for any profile: each attribute comes from its own sources and from nothing
//! else.
//!
//! Tried with our own file, and with the platform's own where a checkout has them beside it.

use std::{
    path::{Path, PathBuf},
    sync::LazyLock,
};

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::scim::{Dialect, aws::ENTERPRISE};

/// The stock mapper's fields, and one that it does not read.
const FIELDS: [&str; 16] = [
    "username",
    "displayname",
    "givenname",
    "surname",
    "email",
    "employeeid",
    "mobilephone",
    "title",
    "employeetype",
    "employeenumber",
    "department",
    "division",
    "costcentercode",
    "countrycodenumber",
    "peoplemanagerflag",
    "shoesize",
];

/// The fields behind an attribute.
fn sources(attribute: &str) -> &'static [&'static str] {
    match attribute {
        "userName" => &["username"],
        "displayName" => &["displayname"],
        "name" => &["givenname", "surname"],
        "emails" => &["email"],
        "externalId" => &["employeeid"],
        "phoneNumbers" => &["mobilephone"],
        "title" => &["title"],
        "userType" => &["employeetype"],
        ENTERPRISE => &[
            "employeenumber",
            "department",
            "division",
            "costcentercode",
            "countrycodenumber",
            "peoplemanagerflag",
        ],
        _ => &[],
    }
}

/// The stock file of this name; `None`, told on the output, where it is not at hand.
fn stock(name: &str) -> Option<MapperFile> {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/mappers")
        .join(name);
    if !path.is_file() {
        println!("skipped: there is no ../shared/mappers/{name}");
        return None;
    }
    let (file, findings) = MapperFile::load(&path).unwrap();
    Some(file.unwrap_or_else(|| panic!("{name}: {}", findings.errors())))
}

/// The stock mappers, or ours that are written in their manner.
static MAPPER: LazyLock<Mapper> = LazyLock::new(|| {
    let file = |stock_name: &str, own: &str| {
        stock(stock_name).unwrap_or_else(|| {
            let path = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("tests/integration/mappers")
                .join(own);
            let (file, findings) = MapperFile::load(&path).unwrap();
            file.unwrap_or_else(|| panic!("{own}: {}", findings.errors()))
        })
    };
    let outgoing = file("scim-outgoing.json", "stock-manner.json");
    let incoming = file("scim-incoming.json", "plain-incoming.json");
    Mapper::new(Some(Arc::new(outgoing)), Some(Arc::new(incoming)))
});

/// Cases of each property; `PROPTEST_CASES` sets another number.
fn cases() -> ProptestConfig {
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    ProptestConfig::with_cases(wanted.unwrap_or(128))
}

/// The attributes of a profile of texts, computed without the mapper.
fn expected(profile: &Map<String, Value>) -> Map<String, Value> {
    let text = |field: &str| profile.get(field).and_then(Value::as_str);
    let filled = |field: &str| text(field).filter(|text| !text.is_empty());
    let mut user = Map::new();
    for (attribute, field) in [
        ("userName", "username"),
        ("displayName", "displayname"),
        ("externalId", "employeeid"),
        ("title", "title"),
        ("userType", "employeetype"),
    ] {
        user.extend(filled(field).map(|text| (attribute.to_owned(), text.into())));
    }
    if let Some(email) = filled("email") {
        user.insert(
            "emails".into(),
            json!([{"primary": true, "type": "work", "value": email}]),
        );
    }
    if let Some(phone) = filled("mobilephone") {
        user.insert("phoneNumbers".into(), json!([{"type": "work", "value": phone}]));
    }
    let mut object = |target: &str, root: &str, parts: &[(&str, &str)]| {
        if text(root).is_some() {
            let parts: Map<String, Value> = parts
                .iter()
                .filter_map(|(part, field)| Some(((*part).to_owned(), filled(field)?.into())))
                .collect();
            if !parts.is_empty() {
                user.insert(target.to_owned(), parts.into());
            }
        }
    };
    object(
        "name",
        "givenname",
        &[("givenName", "givenname"), ("familyName", "surname")],
    );
    object(
        ENTERPRISE,
        "employeenumber",
        &[
            ("employeeNumber", "employeenumber"),
            ("department", "department"),
            ("division", "division"),
            ("costCenter", "costcentercode"),
        ],
    );
    user
}

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        Just("\", \"familyName\": \"x".to_owned()),
        Just("\"}".to_owned()),
        Just("\"}], \"roles\": [{\"value\": \"admin\"}]".to_owned()),
        Just("${surname}".to_owned()),
        Just("\\u0022".to_owned()),
        Just("\u{0}".to_owned()),
        Just("\u{2028}\u{202e}\u{feff}".to_owned()),
        Just("{{7*7}}".to_owned()),
        Just("\n\r\t\u{1b}[2J".to_owned()),
        any::<String>(),
        "[a-z]{1,6}",
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

/// Some of the fields, each with any text.
fn texts() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec(prop::option::weighted(0.8, hostile()), FIELDS.len()).prop_map(|values| {
        let field = |(name, value): (&&str, Option<String>)| value.map(|value| ((*name).to_owned(), value.into()));
        FIELDS.iter().zip(values).filter_map(field).collect()
    })
}

/// Any JSON value.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        hostile().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((hostile(), inner), 0..6)
                .prop_map(|entries| Value::from(entries.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn profile(fields: Map<String, Value>) -> UserProfile {
    serde_json::from_value(fields.into()).unwrap()
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_texts_become_the_user_that_the_rules_give(fields in texts()) {
        let mapper = &*MAPPER;
        let mapped = mapper.outgoing(MappingType::Create, &profile(fields.clone()));
        prop_assert_eq!(&mapped.faults, &[]);
        prop_assert_eq!(&mapped.attributes, &expected(&fields));
        // The attributes are JSON that reads back equal.
        let sent = Value::from(mapped.attributes);
        prop_assert_eq!(&serde_json::from_str::<Value>(&sent.to_string()).unwrap(), &sent);
    }

    #[test]
    fn a_field_changes_no_attribute_but_its_own(fields in texts(), changed in 0..FIELDS.len(), value in prop::option::of(hostile())) {
        let mapper = &*MAPPER;
        let before = mapper.outgoing(MappingType::Update, &profile(fields.clone())).attributes;
        let mut fields = fields;
        match value {
            Some(value) => fields.insert(FIELDS[changed].to_owned(), value.into()),
            None => fields.remove(FIELDS[changed]),
        };
        let after = mapper.outgoing(MappingType::Update, &profile(fields)).attributes;
        for attribute in before.keys().chain(after.keys()) {
            if !sources(attribute).contains(&FIELDS[changed]) {
                prop_assert_eq!(before.get(attribute), after.get(attribute), "{} changed {}", FIELDS[changed], attribute);
            }
        }
    }

    #[test]
    fn any_profile_is_mapped_or_refused(values in prop::collection::vec(prop::option::of(anything()), FIELDS.len())) {
        let mapper = &*MAPPER;
        let field = |(name, value): (&&str, Option<Value>)| value.map(|value| ((*name).to_owned(), value));
        let source = profile(FIELDS.iter().zip(values).filter_map(field).collect());
        for mapping_type in [MappingType::Any, MappingType::Create, MappingType::Update] {
            let mapped = mapper.outgoing(mapping_type, &source);
            for (name, value) in &mapped.attributes {
                prop_assert!(!sources(name).is_empty(), "{} has no source", name);
                prop_assert!(tainted::weight(value) <= bounds::MAX_TEXT);
            }
            let explained = mapper.explain_outgoing(mapping_type, Dialect::Aws, &source);
            prop_assert_eq!(explained.result, mapped.attributes);
        }
    }

    #[test]
    fn any_user_is_mapped_back(name in "[a-z]{1,9}", attributes in prop::collection::vec(prop::option::of(anything()), 9)) {
        let names = ["displayName", "name", "emails", "externalId", "phoneNumbers", "title", "userType", ENTERPRISE, "addresses"];
        let mut user: Map<String, Value> =
            names.iter().zip(attributes).filter_map(|(name, value)| Some(((*name).to_owned(), value?))).collect();
        user.insert("id".into(), "u-1".into());
        user.insert("userName".into(), name.clone().into());
        let user = User::read(user.into()).unwrap();
        let mapped = MAPPER.incoming(&user);
        prop_assert_eq!(mapped.get("Username"), Some(&json!(name)));
    }
}

proptest! {
    #![proptest_config(cases())]

    /// Generated chains over hostile profiles: a value never names a key, and never makes one.
    #[test]
    fn no_chain_of_steps_lets_a_value_become_structure(
        started in 0..6_usize,
        steps in prop::collection::vec(0..18_usize, 0..7),
        secret in hostile(),
        other in hostile(),
    ) {
        let glue = |prefix: &str, suffix: &str| json!({"operator": "concat", "args": {
            "prefix": {"value": {"simple": prefix}}, "suffix": {"value": {"simple": suffix}}}});
        let plain = |name: &str| json!({"operator": name});
        let with = |name: &str, arguments: Value| {
            let arguments: Map<String, Value> = arguments.as_object().unwrap().iter()
                .map(|(name, text)| (name.clone(), json!({"value": {"simple": text}}))).collect();
            json!({"operator": name, "args": arguments})
        };
        let step = |index: &usize| match index {
            0 => glue("{\"a\": \"", "\", \"b\": \""),
            1 => glue("", "${y}"),
            2 => glue("", "\"}"),
            3 => plain("toLowerCase"),
            4 => plain("trim"),
            5 => with("replace", json!({"toReplace": "x", "replaceWith": "${y}"})),
            6 => with("replace", json!({"toReplace": "\"", "replaceWith": "\\\""})),
            7 => with("substringTo", json!({"to": "}"})),
            8 => with("split", json!({"delimiter": "|"})),
            9 => with("join", json!({"separator": "\", \"c\": \""})),
            10 => with("SetIfEmpty", json!({"defaultValue": "${y}"})),
            11 => with("append", json!({"item": "${y}"})),
            12 => plain("Stringify"),
            // The mapper's own text may look like JSON, and part of a value may be what it stands
            // for.
            13 => with("replaceMatch", json!({"regex": "(?s)^(.*)$", "replaceWith": "{\"a\": \"$1\"}"})),
            14 => with("replaceMatch", json!({"regex": "^", "replaceWith": "{\"a\": \""})),
            15 => with("replaceMatch", json!({"regex": "$", "replaceWith": "\"}"})),
            16 => with("replaceMatch", json!({"regex": "^([a-z]*)$", "replaceWith": "[{\"b\": \"$1\", \"c\": \"work\"}]"})),
            17 => with("replace", json!({"toReplace": "k", "replaceWith": "\", \"b\": \""})),
            _ => with("StripChars", json!({"chars": "${y}"})),
        };
        // A chain of nothing but changes to one value may ask for that value's own structure; so
        // each begins with a step that adds the mapper's.
        let first = started.checked_sub(1).map_or_else(|| glue("", "|"), |started| step(&(started + 13)));
        let mut chain: Vec<Value> = vec![first];
        chain.extend(steps.iter().map(step));
        chain.push(plain("ParseJSON"));
        let rule = json!({"complex": {"root": "x", "transformers": chain}});
        let text = json!({"type": "mapping-outgoing", "mapping": {"User Profile": {"internalMapping": {"title": rule}}}});
        let (file, _) = MapperFile::compile(&text.to_string(), Form::Xsoar);
        if let Some(file) = file {
            let mapper = Mapper::new(Some(Arc::new(file)), None);
            let secret = if started == 0 { format!("{secret}\"k\": 1") } else { secret };
            let source = profile(json!({"x": secret, "y": other}).as_object().unwrap().clone());
            let mapped = mapper.outgoing(MappingType::Update, &source);
            let mut keys = Vec::new();
            let mut open = mapped.attributes.get("title").into_iter().collect::<Vec<_>>();
            while let Some(value) = open.pop() {
                match value {
                    Value::Array(elements) => open.extend(elements),
                    Value::Object(object) => {
                        keys.extend(object.keys().cloned());
                        open.extend(object.values());
                    }
                    _ => {}
                }
            }
            // Every key is one that the mapper wrote.
            prop_assert!(keys.iter().all(|key| ["a", "b", "c"].contains(&key.as_str())), "{:?} {:?}", steps, keys);
        }
    }
}

#[test]
fn every_stock_file_loads() {
    for name in [
        "active-directory-outgoing.json",
        "clarizen-incoming.json",
        "clarizen-outgoing.json",
        "scim-incoming.json",
        "scim-outgoing.json",
    ] {
        stock(name);
    }
}
