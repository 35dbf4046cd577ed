//! URLs, discovery documents and files, good ones and bad ones.

use serde_json::json;

use super::{super::set::KeySetError, *};

#[test]
fn the_text_of_a_url_is_read_strictly() {
    for text in ["https://keys.example/jwks?policy=1", "http://localhost:8080/keys"] {
        assert_eq!(KeySource::url(text), Ok(KeySource::Url(text.parse().unwrap())));
    }
    for (text, error) in [
        ("https://keys.exa\tmple/", AddressError::NotAUrl),
        ("keys.example", AddressError::NotAUrl),
        ("http://keys.example/", AddressError::NotHttps),
        ("https://a@keys.example/", AddressError::Credentials),
        ("https://keys.example/#x", AddressError::QueryOrFragment),
    ] {
        assert_eq!(KeySource::url(text), Err(error), "{text}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_key_set_changes_nothing() {
    let a = signer("a");
    let large = format!("{}{}", key_set(&[&a]), " ".repeat(256 * 1024));
    let many = json!({"keys": vec![a.jwk(); 101]}).to_string();
    let redirect = "HTTP/1.1 302 Found\r\nconnection: close\r\nlocation: /elsewhere\r\n\r\n";
    for (script, error) in [
        (Script::Raw(redirect.to_owned()), FetchError::Status(302)),
        (Script::Raw(redirect.replace("302", "307")), FetchError::Status(307)),
        (
            Script::Raw("HTTP/1.1 404 No\r\nconnection: close\r\n\r\n{}".to_owned()),
            FetchError::Status(404),
        ),
        (
            Script::Raw("HTTP/1.1 204 No\r\nconnection: close\r\n\r\n".to_owned()),
            FetchError::Status(204),
        ),
        (Script::Raw("SSH-2.0-OpenSSH\r\n".to_owned()), FetchError::Broken),
        (Script::Raw(String::new()), FetchError::Broken),
        (
            Script::Raw("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_owned()),
            FetchError::Broken,
        ),
        (
            Script::Raw(
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-encoding: gzip\r\n\r\n\u{1f}\u{8b}".to_owned(),
            ),
            FetchError::Set(KeySetError::NotJson),
        ),
        (
            Script::Body("<!DOCTYPE html><title>Log in</title>".to_owned()),
            FetchError::Set(KeySetError::NotJson),
        ),
        (Script::Body(String::new()), FetchError::Set(KeySetError::NotJson)),
        (
            Script::Body(r#"{"error":"busy"}"#.to_owned()),
            FetchError::Set(KeySetError::NoKeys),
        ),
        (Script::Body(many), FetchError::Set(KeySetError::TooMany)),
        (Script::Body(large), FetchError::TooLarge),
        (Script::Endless, FetchError::TooLarge),
    ] {
        let server = Server::start(script.clone()).await;
        let empty = server.keys();
        assert_eq!(find(&empty, "a").await, UNAVAILABLE, "{error}");
        assert_eq!(empty.cache().error.as_ref(), Some(&error));

        server.answer(body(&[&a]));
        let filled = server.keys();
        assert_eq!(find(&filled, "a").await, Ok(()));
        server.answer(script);
        advance(MIN_FETCH_INTERVAL).await;
        assert_eq!(find(&filled, "b").await, UNKNOWN, "{error}");
        assert_eq!(filled.cache().error.as_ref(), Some(&error));
        assert_eq!(find(&filled, "a").await, Ok(()), "{error}");
        assert_eq!((server.key_requests(), server.other_requests()), (3, 0), "{error}");
    }
}

#[tokio::test]
async fn a_closed_port_is_no_connection() {
    let server = Server::start(Script::Hang).await;
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/keys", listener.local_addr().unwrap())
    };
    drop(server);
    let source = KeySource::Url(Url::parse(&closed).unwrap());
    let keys = Arc::new(IssuerKeys::new("https://issuer.example", &source).unwrap());
    assert_eq!(find(&keys, "a").await, UNAVAILABLE);
    assert_eq!(keys.cache().error, Some(FetchError::Connect));
}

#[tokio::test]
async fn an_issuer_announces_the_url_of_its_keys() {
    let server = Server::start(body(&[&signer("a")])).await;
    for (path, document) in [
        ("", r#"{"issuer":"{base}","jwks_uri":"{base}/keys","other":[]}"#),
        ("/", r#"{"issuer":"{base}/","jwks_uri":"{base}/keys"}"#),
        (
            "/realms/one",
            r#"{"issuer":"{base}/realms/one","jwks_uri":"{base}/keys"}"#,
        ),
    ] {
        let keys = server.discovered(path, document);
        assert_eq!(find(&keys, "a").await, Ok(()), "{path}");
    }
    assert_eq!((server.key_requests(), server.other_requests()), (3, 0));
}

#[tokio::test]
async fn a_wrong_discovery_document_is_not_followed() {
    let server = Server::start(body(&[&signer("a")])).await;
    for document in [
        "",
        "<html>",
        "[]",
        r#"{"jwks_uri":"{base}/keys"}"#,
        r#"{"issuer":"{base}"}"#,
        r#"{"issuer":"{base}","jwks_uri":7}"#,
        r#"{"issuer":["{base}"],"jwks_uri":"{base}/keys"}"#,
        r#"{"issuer":"{base}/","jwks_uri":"{base}/keys"}"#,
        r#"{"issuer":"https://issuer.example","jwks_uri":"{base}/keys"}"#,
        r#"{"issuer":"x","issuer":"{base}","jwks_uri":"{base}/keys"}"#,
        r#"{"issuer":"{base}","jwks_uri":"/keys"}"#,
        r#"{"issuer":"{base}","jwks_uri":"http://192.0.2.1/keys"}"#,
        r#"{"issuer":"{base}","jwks_uri":"file:///etc/passwd"}"#,
    ] {
        let keys = server.discovered("", document);
        assert_eq!(find(&keys, "a").await, UNAVAILABLE, "{document}");
    }
    assert_eq!((server.key_requests(), server.other_requests()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_file_is_watched_by_its_content() {
    let [old, new] = ["old", "new"].map(signer);
    let file = TemporaryFile::new(&key_set(&[&old]));
    let source = KeySource::File(file.0.clone());
    let keys = Arc::new(IssuerKeys::new("any text", &source).unwrap());
    let refresher = tokio::spawn(Arc::clone(&keys).keep_fresh());
    until(async || keys.current_set().is_some()).await;
    let has = |id| {
        let set = keys.current_set();
        set.is_some_and(|set| set.find(Algorithm::ES256, Some(id)).is_ok())
    };
    assert!(has("old"));
    file.write(&key_set(&[&new]));
    until(async || has("new")).await;
    assert!(!has("old"));
    for broken in ["", "{\"keys\":", &" ".repeat(256 * 1024 + 1)] {
        file.write(broken);
        until(async || keys.cache().error.is_some()).await;
        assert!(has("new"));
        file.write(&key_set(&[&new]));
        until(async || keys.cache().error.is_none()).await;
    }
    std::fs::remove_file(&file.0).unwrap();
    until(async || keys.cache().error == Some(FetchError::File(std::io::ErrorKind::NotFound))).await;
    assert!(has("new"));
    refresher.abort();
}

#[tokio::test]
async fn a_path_to_no_regular_file_has_no_keys() {
    for (path, error) in [
        (std::env::temp_dir(), FetchError::NotAFile),
        ("/dev/zero".into(), FetchError::NotAFile),
        ("/nowhere/at/all".into(), FetchError::File(std::io::ErrorKind::NotFound)),
    ] {
        let keys = Arc::new(IssuerKeys::new("any text", &KeySource::File(path)).unwrap());
        assert_eq!(find(&keys, "a").await, UNAVAILABLE);
        assert_eq!(keys.cache().error.as_ref(), Some(&error));
    }
}
