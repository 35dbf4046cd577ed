//! Hosts, queries and header fields.

use aws_ilm::http::{
    host::HostRule,
    negotiate::{Handling, Representation},
    observe::request_id_of,
    query::CommandQuery,
};
use axum::http::{HeaderMap, HeaderValue, Uri, Version, header};
use fastrand::Rng;

use crate::made;

const SOUND: [&str; 12] = [
    "localhost",
    "127.0.0.1:8080",
    "[::1]:1",
    "ilm.example.com",
    "/commands/iam-get-user?instance=a%20b&dryRun=true",
    "http://localhost/x?dryRun=false",
    "application/json;q=0.5, text/markdown; charset=\"utf-8\"",
    "*/*;q=0.001",
    "handling=lenient, respond-async",
    "Az-09_.x",
    "instance=a+b&%69nstance=c",
    "dryRun=true",
];

pub(crate) fn make(random: &mut Rng) -> Vec<u8> {
    let mut input = made::mangled(made::one(&SOUND, random).as_bytes(), random);
    if random.u8(..4) == 0 {
        input.extend(text(random));
    }
    input
}

fn text(random: &mut Rng) -> Vec<u8> {
    made::text(random).into_bytes()
}

/// Whether it is any of them.
pub(crate) fn hold(input: &[u8], random: &mut Rng) -> bool {
    let shown = String::from_utf8_lossy(input);
    let query = CommandQuery::parse(Some(&shown));
    if let Err(problem) = &query {
        let told = serde_json::to_string(problem).unwrap();
        assert!(told.len() < 4_000 && !told.contains(char::is_control), "{told}");
    }
    let accepted = Representation::choose([&*shown].into_iter()) == Representation::Markdown;
    let handling = Handling::choose([&*shown].into_iter());
    let Ok(value) = HeaderValue::from_bytes(input) else {
        return query.is_ok();
    };
    let mut headers = HeaderMap::new();
    headers.append(header::HOST, value.clone());
    headers.append("x-request-id", value);
    let id = request_id_of(&headers);
    assert!(
        (1..=128).contains(&id.as_str().len())
            && id
                .as_str()
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    );
    let target: Uri = shown.parse().unwrap_or_else(|_| Uri::from_static("/"));
    let rule = HostRule::loopback_and(["ilm.example.com"]);
    let version = [Version::HTTP_10, Version::HTTP_11, Version::HTTP_2][random.usize(..3)];
    let answered = rule.check(version, &target, &headers).is_ok();
    if answered {
        // Nothing but ours is answered, whatever it was written like.
        let host = target.host().map_or_else(|| shown.to_lowercase(), str::to_lowercase);
        assert!(
            ["localhost", "127.", "[", "ilm.example.com"]
                .iter()
                .any(|ours| host.starts_with(ours)),
            "{host}"
        );
    }
    answered || accepted || handling == Handling::Lenient
}
