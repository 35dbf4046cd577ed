//! Who may read the metrics, in which form, and that nobody can make series up.

use std::collections::BTreeSet;

use aws_ilm::{
    app::Bound,
    config::{self, Sources},
};
use serde_json::json;
use tokio::sync::oneshot;

use super::Scrape;
use crate::{
    callers::{caller, key, with, world},
    harness::{self, Setup, World, answer},
    process::{File, Running},
};

#[tokio::test]
async fn metrics_take_the_right_and_no_other() {
    let keys = [(); 3].map(|()| key());
    let [right, other, both] = keys.each_ref().map(|(key, _)| key.as_str());
    let digest = |at: usize| [keys[at].1.as_str()];
    let callers = caller("prometheus", &digest(0), "metrics = true")
        + &caller(
            "other",
            &digest(1),
            "commands = [\"*\"]\ninstances = [\"*\"]\nadministration = true\noperations = \"manage\"",
        )
        + &caller(
            "both",
            &digest(2),
            "metrics = true\nadministration = true\ninstances = [\"*\"]",
        );
    let (world, _file) = world(&callers, &[]).await;
    let get = async |path: &str, fields: &[(&str, &str)]| answer(with(world.http.get(world.url(path)), fields)).await;
    assert_eq!(get("/metrics", &[]).await.status, 401);
    let refused = get("/metrics", &[("x-api-key", other)]).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("the metrics"), "{}", refused.text);
    let told = get("/metrics", &[("authorization", &format!("Bearer {right}"))]).await;
    assert_eq!(told.status, 200, "as Prometheus sends its credentials");
    assert_eq!(told.header("cache-control"), Some("no-store"));
    assert_eq!(get("/metrics", &[("x-api-key", both)]).await.status, 200);
    // The right to read numbers is a right to nothing else.
    assert_eq!(get("/instances", &[("x-api-key", right)]).await.status, 403);
}

#[tokio::test]
async fn the_form_is_the_one_that_is_asked_for() {
    let world = World::start().await;
    world.command("get-mapping-fields", &json!({})).await;
    let open = answer(world.http.get(world.url("/metrics")).header(
        "accept",
        "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    ))
    .await;
    let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(open.header("content-type"), Some(media_type));
    assert!(open.text.ends_with("# EOF\n") && open.text.contains("# TYPE aws_ilm_commands counter\n"));
    let plain = world.get("/metrics").await;
    assert_eq!(
        plain.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    assert!(!plain.text.contains("# EOF") && plain.text.contains("# TYPE aws_ilm_commands_total counter\n"));
    let head = answer(world.http.head(world.url("/metrics"))).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    let post = world.post("/metrics", &json!({})).await;
    assert_eq!(post.status, 405);
}

#[tokio::test]
async fn the_second_listener_has_metrics_and_health_and_nothing_else() {
    let (key, digest) = key();
    let file = File::new(&caller("only", &[&digest], "commands = [\"*\"]\ninstances = [\"*\"]"));
    let directory = World::start().await;
    let environment = [
        ("AWS_ILM_LISTEN", "127.0.0.1:0".to_owned()),
        ("AWS_ILM_METRICS_LISTEN", "127.0.0.1:0".to_owned()),
        ("AWS_ILM_CALLERS_FILE", file.path().to_owned()),
        (
            "AWS_ILM_URL",
            aws_ilm::sandbox::Sandbox::base_url(directory.directory, directory.sandbox.tenant_id()),
        ),
        (
            "AWS_ILM_AUTHENTICATION_TOKEN",
            aws_ilm::sandbox::DEFAULT_TOKEN.to_owned(),
        ),
    ];
    let settings = config::load(&Sources {
        environment: environment.map(|(name, value)| (name.to_owned(), value)).into(),
        ..Sources::default()
    })
    .unwrap();
    let bound = Bound::new(&settings).unwrap();
    let (first, second) = (bound.address(), bound.metrics_address().unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(bound.serve(async move { drop(stopped.await) }));
    let http = harness::caller();
    for (path, expected) in [
        ("/metrics", 200),
        ("/health/live", 200),
        ("/health/ready", 200),
        ("/instances", 404),
        ("/capabilities", 404),
        ("/openapi.json", 404),
        ("/docs/", 404),
        ("/commands/iam-get-user", 404),
        ("/operations", 404),
        ("/", 404),
    ] {
        let told = answer(http.get(format!("http://{second}{path}"))).await;
        assert_eq!(told.status, expected, "{path}: {}", told.text);
    }
    // A page that lets its own name resolve to loopback reads nothing.
    let foreign = http
        .get(format!("http://{second}/metrics"))
        .header("host", "evil.example");
    assert_eq!(answer(foreign).await.status, 421);
    // A key is worth nothing there, and what readiness keeps from strangers it keeps here too.
    let command = http
        .post(format!("http://{second}/commands/iam-get-user"))
        .header("x-api-key", &key);
    assert_eq!(answer(command.json(&json!({}))).await.status, 404);
    let ready = answer(http.get(format!("http://{second}/health/ready"))).await;
    assert_eq!(ready.json(), json!({"status": "ready"}));
    assert_eq!(answer(http.get(format!("http://{first}/metrics"))).await.status, 401);
    drop(stop);
    served.await.unwrap().unwrap();
}

/// What a caller, or a directory, can write into a label is bounded by what is configured.
#[tokio::test]
async fn what_is_made_up_makes_no_series() {
    let instance = "bounded";
    let world = World::with(Setup {
        environment: vec![("AWS_ILM_INSTANCE_NAME", instance.to_owned())],
        ..Setup::default()
    })
    .await;
    let made_up = "zyxwv";
    for number in 0..20 {
        let method = format!("{}{number}", made_up.to_uppercase());
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        answer(world.http.request(method, world.url("/health/live"))).await;
        for path in [
            format!("/{made_up}{number}"),
            format!("/commands/{made_up}{number}"),
            format!("/operations/{made_up}{number}"),
            format!("/problems/{made_up}{number}"),
            format!("/mappers/{made_up}{number}"),
            format!("/docs/{made_up}{number}"),
        ] {
            world.get(&path).await;
        }
        let path = format!("/commands/iam-get-user?instance={made_up}{number}");
        world.post(&path, &json!({"user-profile": {"username": made_up}})).await;
        world
            .command(
                "iam-get-user",
                &json!({"user-profile": {"username": format!("{made_up}{number}")}}),
            )
            .await;
        let status = u16::try_from(600 + number).unwrap();
        world
            .sandbox
            .script(aws_ilm::sandbox::Fault::new(aws_ilm::sandbox::FaultKind::Status { status }).on("ListUsers"));
        world.command("test-module", &json!({})).await;
    }
    let scrape = world.scrape().await;
    let named: Vec<_> = scrape
        .series()
        .filter(|series| series.to_lowercase().contains(made_up))
        .collect();
    assert!(named.is_empty(), "{named:?}");
    let methods = scrape.sum(
        "http_server_request_duration_seconds_count",
        &[("http_request_method", "_OTHER"), ("http_route", "/health/live")],
    );
    assert!(methods >= 20.0, "they are counted all the same: {methods}");
    let statuses: BTreeSet<_> = scrape
        .series()
        .filter(|series| series.starts_with("aws_ilm_scim_requests_total") && series.contains("\"bounded\""))
        .filter_map(|series| series.split("status=\"").nth(1)?.split('"').next())
        .collect();
    assert!(statuses.contains("other") && !statuses.contains("601"), "{statuses:?}");
}

// In a process of its own: the tests of this one share what is counted, and each has a directory of
// its own.
#[tokio::test]
async fn many_scrapes_at_once_are_all_whole() {
    let (_service, address) = Running::serve(&["--sandbox"], &[]);
    let http = harness::caller();
    let scrapes = (0..50).map(|_| {
        let request = http.get(format!("http://{address}/metrics"));
        tokio::spawn(answer(request.header("accept", "application/openmetrics-text")))
    });
    for scrape in scrapes.collect::<Vec<_>>() {
        let answer = scrape.await.unwrap();
        assert!(
            answer.status == 200 && answer.text.ends_with("# EOF\n"),
            "{}",
            answer.text
        );
        let lines: Vec<_> = answer.text.lines().filter(|line| !line.starts_with('#')).collect();
        let series: BTreeSet<_> = lines
            .iter()
            .filter_map(|line| line.rsplit_once(' '))
            .map(|(series, _)| series)
            .collect();
        assert_eq!(series.len(), lines.len(), "no series stands there twice");
        Scrape::of(&answer.text);
    }
}
