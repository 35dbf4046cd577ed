//! Every route with every sort of credential. The routes come out of the OpenAPI document, so one
//! that is added is tried as well.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::json;

use crate::{
    callers::{ALL, caller, key, with, world},
    examples::examples,
    harness::{World, answer},
};

/// Routes that are open without credentials. A route belongs here only by a decision of its own.
const OPEN: [&str; 4] = ["/health/live", "/health/ready", "/problems", "/problems/busy"];

/// Pages that are open unless `public_docs` closes them, with one of Swagger UI's own files for all
/// of them.
const PAGES: [&str; 5] = ["/openapi.json", "/", "/docs", "/docs/", "/docs/swagger-ui.css"];

/// What is nothing, or is not on offer.
const NOTHING: [&str; 6] = [
    "/debug",
    "/.git/config",
    "/actuator",
    "/commands/",
    "/commands/iam-delete-user",
    "/health",
];

/// The columns of the table: the credentials presented, and whether they are valid.
const CREDENTIALS: [&str; 5] = ["no", "wrong", "expired", "weaker", "right"];

/// Each route's method, path, and arguments.
fn every_route() -> Vec<(&'static str, String, Option<serde_json::Value>)> {
    let document: serde_json::Value = serde_json::from_str(&aws_ilm::http::document()).unwrap();
    let bodies: BTreeMap<&str, serde_json::Value> = examples().into_iter().collect();
    let mut routes = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            let body = path.strip_prefix("/commands/").map(|name| bodies[name].clone());
            // What is stored has tests of its own, of callers too; without a store it is 501.
            if ["/operations", "/batches", "/events", "/sources/"]
                .iter()
                .any(|stored| path.starts_with(stored))
            {
                continue;
            }
            let (path, body) = match path.as_str() {
                "/mappers/{name}/explain" => (
                    "/mappers/built-in/explain".to_owned(),
                    Some(json!({"user-profile": {}})),
                ),
                path => (path.to_owned(), body),
            };
            routes.push((if method == "get" { "GET" } else { "POST" }, path, body));
        }
    }
    assert!(routes.len() >= 15, "{routes:?}");
    for path in OPEN.iter().chain(&PAGES).chain(&NOTHING) {
        if !routes.iter().any(|(_, known, _)| known == path) {
            routes.push(("GET", (*path).to_owned(), None));
        }
    }
    routes
}

/// Hostile input 60, routes that scanners try: 401; to a caller 404.
#[tokio::test]
async fn every_route_answers_every_credential_as_it_should() {
    let (right, right_digest) = key();
    let (weaker, weaker_digest) = key();
    let (expired, expired_digest) = key();
    let (wrong, _) = key();
    let callers = caller("right", &[&right_digest], &format!("{ALL}\nrequests_per_second = 1000"))
        + &caller("weaker", &[&weaker_digest], "requests_per_second = 1000")
        + &format!(
            "[[callers]]\nname = \"gone\"\napi_keys = [{{ sha256 = \"{expired_digest}\", expires = 2020-01-01 }}]\n{ALL}\n"
        );
    let keys = [None, Some(&wrong), Some(&expired), Some(&weaker), Some(&right)];
    for public in [true, false] {
        let settings = [
            ("AWS_ILM_PUBLIC_DOCS", if public { "true" } else { "false" }),
            ("AWS_ILM_TRUSTED_PROXIES", "127.0.0.1"),
        ];
        let (world, _file) = world(&callers, &settings).await;
        let mut count = 0;
        let mut table = format!("public_docs = {public}\n{:42}", "");
        for name in CREDENTIALS {
            let _ = write!(table, "{name:>9}");
        }
        // Those of senders ask for no caller; `webhooks` tries them.
        for (method, path, body) in every_route()
            .into_iter()
            .filter(|(_, path, _)| !path.starts_with("/webhooks/"))
        {
            let is_page = PAGES.contains(&path.as_str());
            let is_open = OPEN.contains(&path.as_str()) || (public && is_page);
            let is_nothing = NOTHING.contains(&path.as_str());
            let mut row = Vec::new();
            for (key, name) in keys.iter().zip(CREDENTIALS) {
                let request = world.http.request(method.parse().unwrap(), world.url(&path));
                let mut fields: Vec<(&str, &str)> = key.iter().map(|key| ("x-api-key", key.as_str())).collect();
                // Each from an address of its own, so that no request is slowed: another test
                // covers that.
                count += 1;
                let address = format!("198.51.{}.{}", count / 250, count % 250);
                fields.push(("x-forwarded-for", &address));
                let request = with(request, &fields);
                let request = match &body {
                    Some(body) => request.json(body),
                    None => request,
                };
                world.sandbox.reset_calls();
                let answer = answer(request).await;
                if !is_open && name != "right" {
                    world.assert_calls(&[]);
                }
                row.push(answer.status);
            }
            let _ = write!(table, "\n{method:5}{path:37}");
            for status in &row {
                let _ = write!(table, "{status:>9}");
            }
            let expected = match (is_open, is_nothing, is_page) {
                (true, ..) => [row[4]; 5],
                (false, true, _) => [401, 401, 401, 404, 404],
                // The pages take no right but being a caller, nor does what the service can do.
                (false, false, _) if is_page || path == "/capabilities" => [401, 401, 401, row[4], row[4]],
                (false, false, _) => [401, 401, 401, 403, row[4]],
            };
            assert_eq!(row, expected, "{method} {path}\n{table}");
            let told = if is_nothing { 404 } else { row[4] };
            assert!(
                told == row[4] && (is_nothing || matches!(told, 200 | 303 | 307 | 308)),
                "{method} {path}: {row:?}"
            );
        }
        println!("{table}");
    }
}

#[test]
fn the_list_of_open_routes_is_the_one_that_somebody_decided() {
    use aws_ilm::http::guard;
    assert_eq!(
        guard::OPEN,
        ["/health/live", "/health/ready", "/problems", "/problems/{type}"]
    );
    assert_eq!(
        guard::PUBLIC_PAGES,
        ["/openapi.json", "/", "/docs", "/docs/", "/docs/{*rest}"]
    );
}

#[tokio::test]
async fn other_methods_on_closed_routes_are_closed_too() {
    let (key, digest) = key();
    let (world, _file) = world(&caller("a", &[&digest], ALL), &[]).await;
    for (method, path) in [
        ("GET", "/commands/iam-get-user"),
        ("OPTIONS", "/commands/iam-get-user"),
        ("DELETE", "/instances"),
    ] {
        let request = || world.http.request(method.parse().unwrap(), world.url(path));
        assert_eq!(answer(request()).await.status, 401, "{method} {path}");
        let known = answer(request().header("x-api-key", &key)).await;
        assert_eq!(known.status, 405, "{method} {path}");
        assert!(known.header("allow").is_some());
    }
}

#[tokio::test]
async fn readiness_tells_details_only_where_nobody_is_kept_out() {
    let (key, digest) = key();
    let (guarded, _file) = world(&caller("a", &[&digest], ALL), &[]).await;
    assert_eq!(guarded.get("/health/ready").await.json(), json!({"status": "ready"}));
    // Nor is it a place to try keys at.
    let request = guarded.http.get(guarded.url("/health/ready")).header("x-api-key", &key);
    assert_eq!(answer(request).await.json(), json!({"status": "ready"}));
    let open = World::start().await;
    assert_eq!(
        open.get("/health/ready").await.json()["instances"][0]["name"],
        "AWS-ILM_instance_1"
    );
}

#[tokio::test]
async fn the_document_says_how_to_prove_who_one_is_and_which_routes_are_open() {
    let document: serde_json::Value = serde_json::from_str(&aws_ilm::http::document()).unwrap();
    let schemes = document["components"]["securitySchemes"].as_object().unwrap();
    assert_eq!(
        schemes.keys().collect::<Vec<_>>(),
        ["apiKey", "bearer", "clientCertificate"]
    );
    assert_eq!(schemes["apiKey"]["name"], "X-API-Key");
    assert_eq!(
        document["security"],
        json!([{"bearer": []}, {"apiKey": []}, {"clientCertificate": []}])
    );
    for (path, operations) in document["paths"].as_object().unwrap() {
        for operation in operations.as_object().unwrap().values() {
            // The source's verifier guards it, and no caller is asked for.
            let is_webhook = path.starts_with("/webhooks/");
            let is_open = is_webhook || path.starts_with("/health/");
            assert_eq!(operation.get("security") == Some(&json!([])), is_open, "{path}");
            for status in ["401", "403", "429"] {
                let is_there = !is_open || (is_webhook && status == "401");
                assert_eq!(
                    operation["responses"].get(status).is_some(),
                    is_there,
                    "{path} {status}"
                );
            }
        }
    }
}
