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

/// The keys in this file, which are watched until the task ends.
async fn watched(file: &TemporaryFile) -> (Arc<IssuerKeys>, tokio::task::JoinHandle<()>) {
    let keys = Arc::new(IssuerKeys::new("any text", &KeySource::File(file.0.clone())).unwrap());
    let watch = tokio::spawn(Arc::clone(&keys).keep_fresh());
    until(async || keys.current_set().is_some()).await;
    (keys, watch)
}

/// Whether a key is known, without looking for it anew.
fn has(keys: &IssuerKeys, id: &str) -> bool {
    let set = keys.current_set();
    set.is_some_and(|set| set.find(Algorithm::ES256, Some(id)).is_ok())
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_replaced_is_read_again() {
    let [old, new] = ["old", "new"].map(signer);
    let file = TemporaryFile::new(&key_set(&[&old]));
    let (keys, watch) = watched(&file).await;
    assert!(has(&keys, "old"));
    file.write(&key_set(&[&new]));
    // No request waits for a file: what was read counts until the watch has seen another content.
    assert_eq!(find(&keys, "new").await, UNKNOWN);
    until(async || has(&keys, "new")).await;
    assert!(!has(&keys, "old"));
    watch.abort();
}

#[tokio::test(start_paused = true)]
async fn half_a_file_between_two_whole_ones_changes_nothing() {
    let [old, new] = ["old", "new"].map(signer);
    let file = TemporaryFile::new(&key_set(&[&old]));
    let (keys, watch) = watched(&file).await;
    let whole = key_set(&[&old, &new]);
    for half in ["", &whole[..whole.len() / 2], &key_set(&[])] {
        file.write(half);
        // One look falls into this time.
        tokio::time::sleep(FILE_POLL).await;
        assert!(has(&keys, "old"), "{half}");
        assert_eq!(keys.cache().error, None, "{half}");
        file.write(&key_set(&[&old]));
        tokio::time::sleep(FILE_POLL).await;
    }
    file.write(&whole);
    until(async || has(&keys, "new")).await;
    watch.abort();
}

#[tokio::test(start_paused = true)]
async fn keys_of_a_file_that_is_broken_or_gone_are_kept_for_a_day() {
    let [old, new] = ["old", "new"].map(signer);
    let file = TemporaryFile::new(&key_set(&[&old]));
    let (keys, watch) = watched(&file).await;
    // What is in the file counts however long ago it was written.
    tokio::time::advance(25 * HOUR).await;
    for broken in ["", "{\"keys\":", &" ".repeat(256 * 1024 + 1)] {
        file.write(broken);
        until(async || keys.cache().error.is_some()).await;
        assert!(has(&keys, "old"));
        file.write(&key_set(&[&old]));
        until(async || keys.cache().error.is_none()).await;
    }
    std::fs::remove_file(&file.0).unwrap();
    until(async || keys.cache().error == Some(FetchError::File(std::io::ErrorKind::NotFound))).await;
    tokio::time::advance(23 * HOUR).await;
    assert!(has(&keys, "old"));
    tokio::time::advance(HOUR).await;
    assert_eq!(find(&keys, "old").await, UNAVAILABLE);
    file.write(&key_set(&[&new]));
    until(async || has(&keys, "new")).await;
    watch.abort();
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_begins_anew_sees_that_a_file_is_whole_again() {
    let old = signer("old");
    let file = TemporaryFile::new(&key_set(&[&old]));
    let (keys, watch) = watched(&file).await;
    file.write("");
    until(async || keys.cache().error.is_some()).await;
    watch.abort();
    file.write(&key_set(&[&old]));
    let watch = tokio::spawn(Arc::clone(&keys).keep_fresh());
    until(async || keys.cache().error.is_none()).await;
    watch.abort();
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
