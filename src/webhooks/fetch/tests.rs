//! What is fetched from a server that stands in for an HR system, and what is not taken from it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::Request,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde_json::json;

use super::*;

fn table(text: &str) -> Table {
    text.parse().unwrap()
}

fn target(url: &str, fields: &str, allow_private: bool) -> FetchTarget {
    FetchTarget::new(&FetchSettings {
        url,
        header: "Authorization",
        prefix: "Bearer ",
        secret: Some(&SecretString::from("t0ken")),
        allow_private,
        fields: &table(fields),
    })
    .unwrap_or_else(|faults| panic!("{faults:?}"))
}

/// The path that was asked for, and the header field that came with it.
type Asked = (String, Option<String>);

/// A server that answers each request by its path, and keeps how it was asked.
#[derive(Clone, Default)]
struct StandIn {
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl StandIn {
    async fn start(&self) -> SocketAddr {
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let asked = Arc::clone(&self.asked);
        let app = Router::new().fallback(move |request: Request| {
            let authorization = request.headers().get("authorization");
            let authorization = authorization.map(|value| value.to_str().unwrap().to_owned());
            asked.lock().unwrap().push((request.uri().to_string(), authorization));
            async move { answer(request.uri().path()).await }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        address
    }

    fn asked(&self) -> Vec<(String, Option<String>)> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

async fn answer(path: &str) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    match path {
        "/html" => (
            [(header::CONTENT_TYPE, "text/html")],
            "{\"work\": {\"email\": \"a@b\"}}",
        )
            .into_response(),
        "/scim" => (
            [(header::CONTENT_TYPE, "application/scim+json; charset=utf-8")],
            "{\"firstName\": \"Ada\"}",
        )
            .into_response(),
        "/untyped" => "{}".into_response(),
        "/broken" => (json, "{\"work\":").into_response(),
        "/twice" => (json, "{\"firstName\": \"Ada\", \"firstName\": \"Eve\"}").into_response(),
        "/large" => (
            json,
            format!("{{\"firstName\": \"{}\"}}", "x".repeat(2 * LONGEST_ANSWER)),
        )
            .into_response(),
        "/redirect" => (StatusCode::FOUND, [(header::LOCATION, "/people/42")]).into_response(),
        "/slow" => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            (json, "{}").into_response()
        }
        "/empty" => (json, "{\"work\": null}").into_response(),
        path => match path.strip_prefix("/status/").and_then(|status| status.parse().ok()) {
            Some(status) => StatusCode::from_u16(status).unwrap().into_response(),
            None => (
                json,
                json!({"work": {"email": "ada@example.com"}, "firstName": "Ada", "n": 7}).to_string(),
            )
                .into_response(),
        },
    }
}

const FIELDS: &str = "email = \"fetched.work.email\"\ngivenname = \"fetched.firstName\"\ntitle = \"fetched.title\"";

async fn ask(address: SocketAddr, path: &str) -> Result<Map<String, Value>, FetchError> {
    let url = format!("http://{address}{path}?id={{employeeid}}");
    let known = serde_json::from_value(json!({"employeeid": "42"})).unwrap();
    target(&url, FIELDS, true).ask(&Outgoing::default(), &known).await
}

#[tokio::test]
async fn fields_are_taken_from_the_answer_and_the_credential_goes_along() {
    let stand_in = StandIn::default();
    let address = stand_in.start().await;
    let url = format!("http://{address}/people/{{employeeid}}?fields=all&mail={{Email}}");
    let known = serde_json::from_value(json!({"employeeid": "42", "email": "a+b@c"})).unwrap();
    let given = target(&url, FIELDS, true)
        .ask(&Outgoing::default(), &known)
        .await
        .unwrap();
    assert_eq!(
        Value::from(given),
        json!({"email": "ada@example.com", "givenname": "Ada"})
    );
    assert_eq!(
        stand_in.asked(),
        [(
            "/people/42?fields=all&mail=a%2Bb%40c".to_owned(),
            Some("Bearer t0ken".to_owned())
        )]
    );
    assert_eq!(
        Value::from(ask(address, "/scim").await.unwrap()),
        json!({"givenname": "Ada"})
    );
    // What is missing is told, and the server is not asked.
    stand_in.asked();
    let nobody = serde_json::from_value(json!({"email": "a@b"})).unwrap();
    let error = target(&url, FIELDS, true).ask(&Outgoing::default(), &nobody).await;
    assert_eq!(error, Err(FetchError::Lasting("employeeid is missing".to_owned())));
    assert_eq!(stand_in.asked(), []);
}

/// Hostile answers: a redirect, two megabytes, HTML, half of a document, a name that stands twice.
#[tokio::test]
async fn nothing_is_taken_from_an_answer_that_is_not_as_it_should_be() {
    let stand_in = StandIn::default();
    let address = stand_in.start().await;
    let lasting = |reason: &str| Err(FetchError::Lasting(reason.to_owned()));
    let passing = |reason: &str| Err(FetchError::Passing(reason.to_owned()));
    for (path, expected) in [
        (
            "/redirect",
            lasting("the answer is 302, and redirects are not followed"),
        ),
        ("/large", lasting("the answer is longer than 1048576 bytes")),
        ("/html", lasting("the answer is no JSON")),
        ("/untyped", lasting("the answer is no JSON")),
        ("/broken", lasting("the answer is no JSON that can be read")),
        ("/twice", lasting("the answer is no JSON that can be read")),
        ("/empty", lasting("the answer has nothing for email, givenname, title")),
        ("/status/404", lasting("the answer is 404")),
        ("/status/410", lasting("the answer is 410")),
        ("/status/204", lasting("the answer is no JSON")),
        ("/status/401", passing("the answer is 401")),
        ("/status/403", passing("the answer is 403")),
        ("/status/429", passing("the answer is 429")),
        ("/status/500", passing("the answer is 500")),
        ("/status/503", passing("the answer is 503")),
    ] {
        assert_eq!(ask(address, path).await, expected, "{path}");
        assert_eq!(stand_in.asked().len(), 1, "{path}");
    }
    let begun = Instant::now();
    assert_eq!(ask(address, "/slow").await, passing("no answer within 10 seconds"));
    let waited = begun.elapsed();
    assert!(
        waited >= Duration::from_secs(9) && waited < Duration::from_secs(20),
        "{waited:?}"
    );
}

/// A server inside is not asked unless that is allowed, whether its address or a name of it is
/// written.
#[tokio::test]
async fn a_server_inside_is_not_asked() {
    let stand_in = StandIn::default();
    let port = stand_in.start().await.port();
    let known: UserProfile = serde_json::from_value(json!({"employeeid": "42"})).unwrap();
    // As a name that led elsewhere when the configuration was read.
    let mut target = target(&format!("http://localhost:{port}/{{employeeid}}"), FIELDS, true);
    target.ask(&Outgoing::default(), &known).await.unwrap();
    assert_eq!(stand_in.asked().len(), 1);
    target.reach = Reach::Public;
    let error = target.ask(&Outgoing::default(), &known).await.unwrap_err();
    assert!(
        matches!(&error, FetchError::Lasting(reason) if reason.contains("no public address")),
        "{error}"
    );
    assert_eq!(stand_in.asked(), []);
}

#[test]
fn what_is_wrong_is_told_by_its_key_and_without_the_secret() {
    let good = FetchSettings {
        url: "https://hr.example/{employeeid}",
        header: "Authorization",
        prefix: "Bearer ",
        secret: Some(&SecretString::from("t0ken")),
        allow_private: false,
        fields: &table("email = \"fetched.email\""),
    };
    let (line, accent) = (SecretString::from("t0ken\nx"), SecretString::from("t0kén"));
    let none = Table::new();
    let many: Table = (0..201).map(|n| (format!("f{n}"), "fetched.x".into())).collect();
    let [number, old, unknown, syntax] = [
        "email = 7",
        "olduserdata = \"fetched.x\"",
        "email = \"body.email\"",
        "email = \"fetched.\"",
    ]
    .map(table);
    for (settings, key) in [
        (
            FetchSettings {
                url: "https://hr.example/",
                ..good
            },
            "url",
        ),
        (FetchSettings { header: "Host", ..good }, "header"),
        (
            FetchSettings {
                header: "content-length",
                ..good
            },
            "header",
        ),
        (FetchSettings { header: "a b", ..good }, "header"),
        (FetchSettings { header: "", ..good }, "header"),
        (
            FetchSettings {
                secret: Some(&line),
                ..good
            },
            "secret",
        ),
        (
            FetchSettings {
                secret: Some(&accent),
                ..good
            },
            "secret",
        ),
        (FetchSettings { fields: &none, ..good }, "fields"),
        (FetchSettings { fields: &many, ..good }, "fields"),
        (
            FetchSettings {
                fields: &number,
                ..good
            },
            "fields.email",
        ),
        (FetchSettings { fields: &old, ..good }, "fields.olduserdata"),
        (
            FetchSettings {
                fields: &unknown,
                ..good
            },
            "fields.email",
        ),
        (
            FetchSettings {
                fields: &syntax,
                ..good
            },
            "fields.email",
        ),
    ] {
        let faults = FetchTarget::new(&settings).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].0, key, "{faults:?}");
        assert!(!faults[0].1.contains("t0k"), "{faults:?}");
    }
    let target = FetchTarget::new(&FetchSettings {
        secret: None,
        header: "",
        ..good
    })
    .unwrap();
    assert_eq!(format!("{target:?}"), "FetchTarget { fields: [\"email\"], .. }");
}
