//! Webhooks that name people and hold secrets: taken, refused, explained, verified again.

use std::{fs, path::Path, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use super::{HOSTILE, MARK};
use crate::{
    harness::{Answer, answer, caller},
    webhooks::{headers, now, signed, write},
};

/// What signs the deliveries of `hr`.
const KEY: &str = "zq7-webhook-key-1c94";
/// What `proof` is sent in a header: at first, and once its file was mended.
const PROOF: &str = "zq7-proof-51fe";
const LATER_PROOF: &str = "zq7-later-proof-93aa";
/// What stands in the path of `unsigned`.
const PATH: &str = "zq7-path-77d0";

/// What no answer has in it, whoever asks.
pub(super) const SECRETS: [&str; 4] = [KEY, PROOF, LATER_PROOF, PATH];

/// Rules that need what a body lacks, or fail with the person in their hands.
const FAILING: [&str; 9] = [
    "do = \"disable\"\nprofile = { username = \"body.who | int\" }",
    "do = \"disable\"\nprofile = { username = \"body.who / 2\" }",
    "do = \"disable\"\nprofile = { username = \"body.who.name.first\" }",
    "do = \"disable\"\nprofile = { username = \"body[body.who]\" }",
    "do = \"disable\"\nprofile = { username = \"body.who[0:body.who]\" }",
    "do = \"disable\"\nat = { date = \"body.who\", side = \"end_of_day\" }\nprofile = { username = \"body.who\" }",
    "do = \"disable\"\ntime = \"body.who\"\nprofile = { username = \"body.who\" }",
    "do = \"create\"\nprofile = { username = \"body.who\" }",
    "do = \"create\"\nprofile = { username = \"body.person\", email = \"body\" }",
];

/// Writes sources and their secrets into a folder, and gives the path of the sources' file.
pub(super) fn sources_in(folder: &Path) -> String {
    let key = format!("whsec_{}", STANDARD.encode(KEY));
    for (name, text) in [("key", &*key), ("proof", PROOF), ("path", PATH)] {
        write(&folder.join(name), text);
    }
    let keys = json!({"keys": [{"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "k",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]});
    write(&folder.join("keys.json"), &keys.to_string());
    let mut sources = "[[sources]]\nname = \"hr\"\npreset = \"standard-webhooks\"\nsecret_files = [\"key\"]\nzone = \"UTC\"\n\
                       instances = [\"right\", \"wrong\"]\n\n\
                       [[sources]]\nname = \"tokens\"\npreset = \"scim-events\"\ninstances = [\"right\"]\n\
                       [sources.issuer]\nissuer = \"https://idp.example.com\"\naudiences = [\"ilm\"]\njwks_file = \"keys.json\"\n\n\
                       [[sources]]\nname = \"proof\"\nverifier = { proof = { header = \"x-hr-check\" }, duplicates = \"digest\" }\n\
                       secret_files = [\"proof\"]\ninstances = [\"right\"]\n\n\
                       [[sources.rules]]\nwhen = \"true\"\ndo = \"disable\"\nprofile = { employeeid = \"body.who\" }\n\n\
                       [[sources]]\nname = \"unsigned\"\nverifier = \"none\"\npath_secret_files = [\"path\"]\n\
                       instances = [\"right\", \"dead\"]\nid = \"item.id\"\ntype = \"item.type\"\neach = \"body.events\"\nzone = \"UTC\"\n"
        .to_owned();
    for (index, rule) in FAILING.iter().enumerate() {
        sources.push_str(&format!("\n[[sources.rules]]\nwhen = \"item.rule == {index}\"\n"));
        sources.push_str(&rule.replace("body", "item"));
        sources.push('\n');
    }
    let file = folder.join("sources.toml");
    write(&file, &sources);
    file.display().to_string()
}

fn hire(who: &str) -> String {
    let person = json!({"employeeId": format!("zq7-{who}"), "firstName": "Zq7given", "lastName": "Zq7family",
        "email": format!("{who}@zq7.example.com")});
    json!({"type": "employee.hired", "timestamp": jiff::Timestamp::now().to_string(), "data": person}).to_string()
}

fn post(http: &Client, url: &str, fields: &[(String, String)], body: impl Into<reqwest::Body>) -> RequestBuilder {
    let mut request = http.post(url);
    if fields.iter().all(|(name, _)| name != "content-type") {
        request = request.header("content-type", "application/json");
    }
    for (name, value) in fields {
        request = request.header(name, value);
    }
    request.body(body)
}

/// Sends webhooks of every kind, and asks what came of them. Senders hear nothing of what they
/// sent; what the last answers, which are for callers with the right `sources`, have of it is for
/// them.
pub(super) async fn send(url: &str, folder: &Path) -> Vec<Answer> {
    let http = caller();
    let mut told = Vec::new();
    let mut requests = of_hr(&http, url);
    requests.extend(of_others(&http, url));
    for request in requests {
        told.push(answer(request).await);
    }
    for status in [200, 202, 400, 401, 409, 413, 415] {
        assert!(told.iter().any(|answer| answer.status == status), "no {status}");
    }
    for answer in &told {
        let whole = format!("{:?}{}", answer.headers, answer.text).to_lowercase();
        assert!(!whole.contains(MARK), "{whole}");
    }
    told.extend(see(&http, url).await);
    told.extend(explain(&http, url).await);
    told.extend(verify_again(&http, url, folder).await);
    told
}

/// What is sent to the source with signatures.
fn of_hr(http: &Client, url: &str) -> Vec<RequestBuilder> {
    let hr = format!("{url}/webhooks/hr");
    let (body, other, at) = (hire("kim"), hire("lee"), now());
    let sign = |id: &str, body: &str| signed(KEY, id, at, body);
    let mut sent = vec![
        (sign("zq7-1", &body), body.clone()),
        (sign("zq7-1", &body), body.clone()),
        // The id is that of another event.
        (sign("zq7-1", &other), other.clone()),
        (sign("zq7-2", &body), other),
        (signed("zq7 another key", "zq7-3", at, &body), body.clone()),
        (sign("zq7-4", "{\"zq7"), "{\"zq7".to_owned()),
        (sign("zq7-5", "zq7"), "zq7".to_owned()),
        (
            headers("zq7.5", "zq7", "zq7, v1,zq7 Bearer zq7"),
            "{\"zq7\": \"zq7\"}".to_owned(),
        ),
        (Vec::new(), body.clone()),
        (sign("zq7-6", &body), "zq7 ".repeat(1_000_000)),
    ];
    for (index, r#type) in ["zq7.of.nothing", "employee.terminated", "employee.updated"]
        .into_iter()
        .enumerate()
    {
        let thin =
            json!({"type": r#type, "timestamp": "zq7", "data": {"employeeId": "zq7-thin", "lastDay": "zq7 day"}});
        sent.push((sign(&format!("zq7-7{index}"), &thin.to_string()), thin.to_string()));
    }
    for (index, hostile) in HOSTILE.into_iter().enumerate() {
        let body = hire(hostile);
        sent.push((sign(&format!("zq7-8{index}"), &body), body));
    }
    let mut typed = sign("zq7-9", &body);
    typed.push(("content-type".to_owned(), "zq7/zq7; charset=zq7".to_owned()));
    sent.push((typed, body.clone()));
    let sent = sent.into_iter();
    let mut requests: Vec<_> = sent.map(|(fields, body)| post(http, &hr, &fields, body)).collect();
    for path in ["hr/zq7", "hr/~zq7", "hr/~zq7/zq7", "zq7", "hr/zq7/zq7/zq7"] {
        requests.push(post(
            http,
            &format!("{url}/webhooks/{path}"),
            &sign("zq7-10", &body),
            body.clone(),
        ));
    }
    requests
}

/// What is sent to the sources that are proven in other ways.
fn of_others(http: &Client, url: &str) -> Vec<RequestBuilder> {
    let of = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    let proof = format!("{url}/webhooks/proof");
    let thin = json!({"who": "zq7-employee", "note": "zq7 secret note"}).to_string();
    let mut requests = vec![
        post(http, &proof, &of("x-hr-check", PROOF), thin.clone()),
        post(http, &proof, &of("x-hr-check", "zq7 wrong"), thin.clone()),
        // What it is to be proven by later.
        post(http, &proof, &of("x-hr-check", LATER_PROOF), "{\"who\": \"zq7-later\"}"),
        post(http, &proof, &of("authorization", "Bearer zq7"), thin),
    ];
    let part = |value: Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({"iss": "zq7", "aud": "zq7", "jti": "zq7", "iat": 1, "events": {"zq7": {}}, "sub_id": {"externalId": "zq7"}});
    let header = json!({"alg": "ES256", "typ": "secevent+jwt", "kid": "k"});
    for token in [
        format!("{}.{}.{}", part(header), part(claims.clone()), part(json!("zq7"))),
        format!(
            "{}.{}.",
            part(json!({"alg": "zq7", "kid": "zq7", "typ": "zq7"})),
            part(claims)
        ),
        "zq7.zq7.zq7".to_owned(),
    ] {
        let typed = of("content-type", "application/secevent+jwt");
        requests.push(post(http, &format!("{url}/webhooks/tokens"), &typed, token));
    }
    let events: Vec<_> = (0..=FAILING.len())
        .map(|rule| json!({"rule": rule, "id": format!("zq7-each-{rule}"), "type": "zq7", "who": "Zq7 name", "person": {"zq7": "zq7"}}))
        .collect();
    let unsigned = format!("{url}/webhooks/unsigned/~{PATH}");
    requests.push(post(http, &unsigned, &[], json!({ "events": events }).to_string()));
    requests.push(post(http, &unsigned, &[], json!({"events": "zq7"}).to_string()));
    let two = json!({"events": [{"id": "zq7-two", "who": "zq7"}, {"id": "zq7-two", "who": "zq7 other"}]});
    requests.push(post(http, &format!("{unsigned}/zq7-type"), &[], two.to_string()));
    requests.push(http.get(&proof).header("x-okta-verification-challenge", "zq7"));
    requests.push(http.get(format!("{url}/health/live")));
    requests
}

/// Asks for the events and their operations, once these have ended.
async fn see(http: &Client, url: &str) -> Vec<Answer> {
    let listed = answer(http.get(format!("{url}/events?limit=500"))).await;
    let events = listed.json()["events"].as_array().unwrap().clone();
    let of = |verdict: &str| events.iter().filter(|event| event["verdict"] == verdict).count();
    for verdict in ["accepted", "ignored", "failed", "quarantined"] {
        assert!(of(verdict) > 0, "none is {verdict}: {}", listed.text);
    }
    assert!(of("failed") >= FAILING.len() - 1, "{}", listed.text);
    let mut answers = vec![listed];
    let mut has_body = false;
    for event in &events {
        let id = event["id"].as_str().unwrap();
        let shown = answer(http.get(format!("{url}/events/{id}"))).await;
        has_body |= shown.text.contains("Zq7family");
        answers.push(shown);
        for operation in event["operations"].as_array().unwrap() {
            let operation = operation.as_str().unwrap();
            answers.push(answer(http.get(format!("{url}/operations/{operation}/wait"))).await);
        }
        for again in ["verify-again", "replay"] {
            answers.push(answer(http.post(format!("{url}/events/{id}/{again}"))).await);
        }
    }
    assert!(has_body, "the bodies were meant to be seen");
    answers.push(answer(http.post(format!("{url}/events/zq7/replay"))).await);
    for query in ["subject=zq7", "verdict=zq7", "from=zq7"] {
        answers.push(answer(http.get(format!("{url}/events?{query}"))).await);
    }
    answers
}

/// Has deliveries explained: proven ones, others, and what is no delivery.
async fn explain(http: &Client, url: &str) -> Vec<Answer> {
    let body = hire("kim");
    let fields = |key: &str| -> Value {
        signed(key, "zq7-1", now(), &body)
            .into_iter()
            .map(|(name, value)| (name, json!(value)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let mut answers = Vec::new();
    for (source, arguments) in [
        ("hr", json!({"headers": fields(KEY), "body": body})),
        (
            "hr",
            json!({"headers": fields("zq7"), "body": body, "pathSecret": "zq7", "pathType": "zq7"}),
        ),
        ("hr", json!({"headers": {"zq7": "zq7"}, "body": "{\"zq7"})),
        ("hr", json!({"headers": "zq7", "body": {"zq7": "zq7"}})),
        ("hr", json!({"headers": {}, "body": "zq7", "received": "zq7"})),
        ("hr", json!({"headers": {}, "bodyBase64": "zq7 zq7"})),
        (
            "proof",
            json!({"headers": {"x-hr-check": "zq7"}, "body": "{\"who\": \"zq7\"}"}),
        ),
        ("zq7", json!({"headers": {}, "body": "{}"})),
    ] {
        answers.push(answer(http.post(format!("{url}/sources/{source}/explain")).json(&arguments)).await);
    }
    for rule in 0..FAILING.len() {
        let body = json!({"events": [{"rule": rule, "who": "Zq7 name", "person": {"zq7": "zq7"}}]}).to_string();
        let arguments = json!({"headers": {}, "body": body, "pathSecret": PATH});
        answers.push(answer(http.post(format!("{url}/sources/unsigned/explain")).json(&arguments)).await);
    }
    answers
}

/// Mends the secret of `proof`, and has what was refused under it verified again.
async fn verify_again(http: &Client, url: &str, folder: &Path) -> Vec<Answer> {
    let quarantined = answer(http.get(format!("{url}/events?verdict=quarantined&source=proof"))).await;
    let events = quarantined.json()["events"].as_array().unwrap().clone();
    fs::remove_file(folder.join("proof")).unwrap();
    write(&folder.join("proof"), LATER_PROOF);
    let mut answers = Vec::new();
    for _ in 0..500 {
        for event in &events {
            let id = event["id"].as_str().unwrap();
            answers.push(answer(http.post(format!("{url}/events/{id}/verify-again"))).await);
        }
        if answers.iter().any(|answer| answer.status == 200) {
            return answers;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nothing was proven by the secret of now");
}
