//! Getting and keeping keys, against a real server on loopback that answers as it is told.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use super::*;

/// What the server answers when it is asked for keys.
#[derive(Clone)]
enum Script {
    /// 200 with this body.
    Body(String),
    /// Exactly these bytes.
    Raw(String),
    /// 200, and then white space without end.
    Endless,
    /// 200 and half of a body.
    Stall,
    /// Nothing until it is let go, and then 200 with this body.
    CachedSet(Arc<Notify>, String),
    /// Nothing.
    Hang,
}

struct Stand {
    script: Mutex<Script>,
    discovery: Mutex<String>,
    /// How often it was asked for keys.
    asked: AtomicUsize,
    /// How often for anything else but its description.
    strayed: AtomicUsize,
}

struct Server {
    base: String,
    stand: Arc<Stand>,
}

impl Server {
    async fn start(script: Script) -> Self {
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stand = Arc::new(Stand {
            script: Mutex::new(script),
            discovery: Mutex::default(),
            asked: AtomicUsize::new(0),
            strayed: AtomicUsize::new(0),
        });
        let shared = Arc::clone(&stand);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, Arc::clone(&shared)));
            }
        });
        Self { base, stand }
    }

    fn answer(&self, script: Script) {
        *self.stand.script.lock().unwrap() = script;
    }

    fn asked(&self) -> usize {
        self.stand.asked.load(Ordering::SeqCst)
    }

    fn strayed(&self) -> usize {
        self.stand.strayed.load(Ordering::SeqCst)
    }

    fn keys(&self) -> Arc<Keys> {
        let url = Url::parse(&format!("{}/keys", self.base)).unwrap();
        Arc::new(Keys::new("https://issuer.example", &KeySource::Url(url)).unwrap())
    }

    /// Keys by discovery, from an issuer at this path that describes itself so.
    fn discovered(&self, path: &str, document: &str) -> Arc<Keys> {
        *self.stand.discovery.lock().unwrap() = document.replace("{base}", &self.base);
        let issuer = format!("{}{path}", self.base);
        Arc::new(Keys::new(&issuer, &KeySource::Discovery).unwrap())
    }
}

async fn serve(mut socket: TcpStream, stand: Arc<Stand>) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(socket.read_u8().await?);
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let ok = |body: &str| {
        let length = body.len();
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
    };
    let target = request.split(' ').nth(1).unwrap_or_default();
    if target.ends_with("/.well-known/openid-configuration") && !target.contains("//") {
        let document = stand.discovery.lock().unwrap().clone();
        return socket.write_all(ok(&document).as_bytes()).await;
    }
    if target != "/keys" {
        stand.strayed.fetch_add(1, Ordering::SeqCst);
        return Ok(());
    }
    stand.asked.fetch_add(1, Ordering::SeqCst);
    let script = stand.script.lock().unwrap().clone();
    match script {
        Script::Body(body) => socket.write_all(ok(&body).as_bytes()).await,
        Script::Raw(bytes) => socket.write_all(bytes.as_bytes()).await,
        Script::Endless => {
            socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            loop {
                socket.write_all(&[b' '; 4096]).await?;
            }
        }
        Script::Stall => {
            socket
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")
                .await?;
            std::future::pending().await
        }
        Script::CachedSet(notify, body) => {
            notify.notified().await;
            socket.write_all(ok(&body).as_bytes()).await
        }
        Script::Hang => std::future::pending().await,
    }
}

fn signer(id: &str) -> Signer {
    Signer::new(Algorithm::ES256, id)
}

fn body(signers: &[&Signer]) -> Script {
    Script::Body(set(signers))
}

/// Lets time pass at once.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Waits for something to become true, up to ten seconds.
async fn until(condition: impl AsyncFn() -> bool) {
    for _ in 0..1000 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not come to pass");
}

async fn find(keys: &Arc<Keys>, id: &str) -> Result<(), KeyLookupError> {
    keys.find(Algorithm::ES256, Some(id)).await.map(|_| ())
}

const UNKNOWN: Result<(), KeyLookupError> = Err(KeyLookupError::Key(KeyMatchError::Unknown));
const UNAVAILABLE: Result<(), KeyLookupError> = Err(KeyLookupError::Keys);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

#[test]
fn the_text_of_a_url_is_read_strictly() {
    for text in ["https://keys.example/jwks?policy=1", "http://localhost:8080/keys"] {
        assert_eq!(KeySource::url(text), Ok(KeySource::Url(text.parse().unwrap())));
    }
    for (text, fault) in [
        ("https://keys.exa\tmple/", AddressError::NotAUrl),
        ("keys.example", AddressError::NotAUrl),
        ("http://keys.example/", AddressError::NotHttps),
        ("https://a@keys.example/", AddressError::Credentials),
        ("https://keys.example/#x", AddressError::QueryOrFragment),
    ] {
        assert_eq!(KeySource::url(text), Err(fault), "{text}");
    }
}

#[tokio::test]
async fn all_who_wait_share_one_fetch() {
    let release = Arc::new(Notify::new());
    let server = Server::start(Script::CachedSet(Arc::clone(&release), set(&[&signer("a")]))).await;
    let keys = server.keys();
    let mut waiting = tokio::task::JoinSet::new();
    for number in 0..MOST_WAITING {
        let keys = Arc::clone(&keys);
        waiting.spawn(async move { find(&keys, if number % 2 == 0 { "a" } else { "b" }).await });
    }
    until(async || server.asked() == 1 && keys.waiting.available_permits() == 0).await;
    // Who comes beyond has the answer that there is: there are no keys yet.
    for _ in 0..100 {
        assert_eq!(find(&keys, "a").await, UNAVAILABLE);
    }
    assert_eq!(waiting.len(), MOST_WAITING);
    release.notify_one();
    let found = waiting.join_all().await;
    assert_eq!(found.iter().filter(|found| found.is_ok()).count(), MOST_WAITING / 2);
    assert_eq!(
        found.iter().filter(|found| **found == UNKNOWN).count(),
        MOST_WAITING / 2
    );
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn whatever_keys_are_named_the_issuer_is_asked_once_in_thirty_seconds() {
    let server = Server::start(body(&[&signer("a")])).await;
    let keys = server.keys();
    for round in 1..=3 {
        for number in 0..500 {
            assert_eq!(find(&keys, &format!("made up {number}")).await, UNKNOWN);
        }
        assert_eq!(server.asked(), round);
        pass(GAP).await;
    }
}

#[tokio::test]
async fn an_issuer_that_fails_is_asked_no_more_often() {
    let server = Server::start(Script::Raw("HTTP/1.1 500 Oh\r\nconnection: close\r\n\r\n".to_owned())).await;
    let keys = server.keys();
    for round in 1..=3 {
        for _ in 0..100 {
            assert_eq!(find(&keys, "a").await, UNAVAILABLE);
        }
        assert_eq!(server.asked(), round);
        pass(GAP).await;
    }
}

#[tokio::test]
async fn whose_key_is_known_waits_for_nobody() {
    let server = Server::start(body(&[&signer("a")])).await;
    let keys = server.keys();
    assert_eq!(find(&keys, "a").await, Ok(()));
    server.answer(Script::Hang);
    pass(GAP).await;
    let stranger = tokio::spawn({
        let keys = Arc::clone(&keys);
        async move { find(&keys, "made up").await }
    });
    until(async || server.asked() == 2).await;
    for _ in 0..100 {
        assert_eq!(find(&keys, "a").await, Ok(()));
    }
    assert!(!stranger.is_finished(), "the stranger waits");
}

#[tokio::test]
async fn a_new_key_is_found_and_a_withdrawn_one_is_not() {
    let [old, new] = ["old", "new"].map(signer);
    let server = Server::start(body(&[&old])).await;
    let keys = server.keys();
    assert_eq!(find(&keys, "old").await, Ok(()));
    server.answer(body(&[&new]));
    assert_eq!(find(&keys, "new").await, UNKNOWN, "asked a moment ago");
    assert_eq!(find(&keys, "old").await, Ok(()));
    pass(GAP).await;
    assert_eq!(find(&keys, "new").await, Ok(()));
    assert_eq!(find(&keys, "old").await, UNKNOWN);
    assert_eq!(server.asked(), 2);
}

#[tokio::test]
async fn who_hangs_up_stops_the_fetch_for_nobody() {
    let release = Arc::new(Notify::new());
    let server = Server::start(Script::CachedSet(Arc::clone(&release), set(&[&signer("a")]))).await;
    let keys = server.keys();
    let impatient = tokio::spawn({
        let keys = Arc::clone(&keys);
        async move { find(&keys, "made up").await }
    });
    until(async || server.asked() == 1).await;
    impatient.abort();
    assert!(impatient.await.unwrap_err().is_cancelled());
    release.notify_one();
    assert_eq!(find(&keys, "a").await, Ok(()));
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn what_is_no_set_of_keys_changes_nothing() {
    let a = signer("a");
    let large = format!("{}{}", set(&[&a]), " ".repeat(256 * 1024));
    let many = json!({"keys": vec![a.jwk(); 101]}).to_string();
    let redirect = "HTTP/1.1 302 Found\r\nconnection: close\r\nlocation: /elsewhere\r\n\r\n";
    for (script, fault) in [
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
            FetchError::Set(set::KeySetError::NotJson),
        ),
        (
            Script::Body("<!DOCTYPE html><title>Log in</title>".to_owned()),
            FetchError::Set(set::KeySetError::NotJson),
        ),
        (Script::Body(String::new()), FetchError::Set(set::KeySetError::NotJson)),
        (
            Script::Body(r#"{"error":"busy"}"#.to_owned()),
            FetchError::Set(set::KeySetError::NoKeys),
        ),
        (Script::Body(many), FetchError::Set(set::KeySetError::TooMany)),
        (Script::Body(large), FetchError::TooLarge),
        (Script::Endless, FetchError::TooLarge),
    ] {
        let server = Server::start(script.clone()).await;
        let unlucky = server.keys();
        assert_eq!(find(&unlucky, "a").await, UNAVAILABLE, "{fault}");
        assert_eq!(unlucky.state().fault.as_ref(), Some(&fault));

        server.answer(body(&[&a]));
        let lucky = server.keys();
        assert_eq!(find(&lucky, "a").await, Ok(()));
        server.answer(script);
        pass(GAP).await;
        assert_eq!(find(&lucky, "b").await, UNKNOWN, "{fault}");
        assert_eq!(lucky.state().fault.as_ref(), Some(&fault));
        assert_eq!(find(&lucky, "a").await, Ok(()), "{fault}");
        assert_eq!((server.asked(), server.strayed()), (3, 0), "{fault}");
    }
}

/// The clock stands still until nothing else is left to do, and then jumps to the next time-out.
#[tokio::test(start_paused = true)]
async fn an_issuer_that_hangs_is_waited_for_five_seconds() {
    for script in [Script::Hang, Script::Stall] {
        let server = Server::start(script).await;
        let keys = server.keys();
        let start = Instant::now();
        assert_eq!(find(&keys, "a").await, UNAVAILABLE);
        assert!(
            start.elapsed() <= fetch::PATIENCE + Duration::from_secs(1),
            "{:?}",
            start.elapsed()
        );
    }
}

#[tokio::test]
async fn nobody_there_is_no_answer() {
    let server = Server::start(Script::Hang).await;
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/keys", listener.local_addr().unwrap())
    };
    drop(server);
    let source = KeySource::Url(Url::parse(&closed).unwrap());
    let keys = Arc::new(Keys::new("https://issuer.example", &source).unwrap());
    assert_eq!(find(&keys, "a").await, UNAVAILABLE);
    assert_eq!(keys.state().fault, Some(FetchError::Connect));
}

#[tokio::test]
async fn keys_of_an_issuer_that_is_down_are_kept_for_a_day() {
    let a = signer("a");
    let server = Server::start(body(&[&a])).await;
    let keys = server.keys();
    assert_eq!(find(&keys, "a").await, Ok(()));
    server.answer(Script::Raw("HTTP/1.1 503 Down\r\nconnection: close\r\n\r\n".to_owned()));
    pass(23 * HOUR).await;
    assert_eq!(find(&keys, "a").await, Ok(()));
    pass(HOUR + GAP).await;
    assert_eq!(find(&keys, "a").await, UNAVAILABLE);
    assert_eq!(find(&keys, "b").await, UNAVAILABLE);
    server.answer(body(&[&a]));
    pass(GAP).await;
    assert_eq!(find(&keys, "a").await, Ok(()));
    assert_eq!(keys.state().fault, None);
}

#[tokio::test]
async fn an_issuer_that_withdraws_all_its_keys_has_none() {
    let server = Server::start(body(&[&signer("a")])).await;
    let keys = server.keys();
    assert_eq!(find(&keys, "a").await, Ok(()));
    server.answer(body(&[]));
    pass(GAP).await;
    assert_eq!(find(&keys, "b").await, UNKNOWN);
    assert_eq!(find(&keys, "a").await, UNKNOWN);
}

#[tokio::test]
async fn keys_are_got_again_before_they_go_stale() {
    let [old, new] = ["old", "new"].map(signer);
    let with_age = |signer| {
        let body = set(&[signer]);
        let length = body.len();
        Script::Raw(format!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncache-control: max-age=600\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
    };
    let server = Server::start(with_age(&old)).await;
    let keys = server.keys();
    let watch = tokio::spawn(Arc::clone(&keys).keep_fresh());
    until(async || keys.usable().is_some()).await;
    server.answer(with_age(&new));
    pass(7 * MINUTE).await;
    assert_eq!(find(&keys, "old").await, Ok(()));
    assert_eq!(server.asked(), 1);
    pass(MINUTE).await;
    until(async || find(&keys, "new").await.is_ok()).await;
    assert_eq!(server.asked(), 2);
    watch.abort();
    drop(watch.await);
    pass(HOUR).await;
    assert_eq!(server.asked(), 2, "ends with its task");
    assert_eq!(
        find(&keys, "new").await,
        Ok(()),
        "without it, whoever comes first sends for them"
    );
    until(async || server.asked() == 3).await;
}

#[tokio::test]
async fn a_watch_tries_again_until_the_issuer_is_there() {
    let server = Server::start(Script::Raw(
        "HTTP/1.1 502 Not yet\r\nconnection: close\r\n\r\n".to_owned(),
    ))
    .await;
    let keys = server.keys();
    let watch = tokio::spawn(Arc::clone(&keys).keep_fresh());
    until(async || keys.state().fault.is_some()).await;
    server.answer(body(&[&signer("a")]));
    pass(GAP).await;
    until(async || keys.usable().is_some()).await;
    assert_eq!(server.asked(), 2);
    watch.abort();
}

#[tokio::test]
async fn an_issuer_says_where_its_keys_are() {
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
    assert_eq!((server.asked(), server.strayed()), (3, 0));
}

#[tokio::test]
async fn what_an_issuer_must_not_say_of_itself_is_not_followed() {
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
    assert_eq!((server.asked(), server.strayed()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_file_is_watched_by_what_is_in_it() {
    let [old, new] = ["old", "new"].map(signer);
    let file = TemporaryFile::new(&set(&[&old]));
    let source = KeySource::File(file.0.clone());
    let keys = Arc::new(Keys::new("any text", &source).unwrap());
    let watch = tokio::spawn(Arc::clone(&keys).keep_fresh());
    until(async || keys.usable().is_some()).await;
    let has = |id| {
        let set = keys.usable();
        set.is_some_and(|set| set.find(Algorithm::ES256, Some(id)).is_ok())
    };
    assert!(has("old"));
    file.write(&set(&[&new]));
    until(async || has("new")).await;
    assert!(!has("old"));
    for broken in ["", "{\"keys\":", &" ".repeat(256 * 1024 + 1)] {
        file.write(broken);
        until(async || keys.state().fault.is_some()).await;
        assert!(has("new"));
        file.write(&set(&[&new]));
        until(async || keys.state().fault.is_none()).await;
    }
    std::fs::remove_file(&file.0).unwrap();
    until(async || keys.state().fault == Some(FetchError::File(std::io::ErrorKind::NotFound))).await;
    assert!(has("new"));
    watch.abort();
}

#[tokio::test]
async fn a_place_that_is_no_file_has_no_keys() {
    for (path, fault) in [
        (std::env::temp_dir(), FetchError::NotAFile),
        ("/dev/zero".into(), FetchError::NotAFile),
        ("/nowhere/at/all".into(), FetchError::File(std::io::ErrorKind::NotFound)),
    ] {
        let keys = Arc::new(Keys::new("any text", &KeySource::File(path)).unwrap());
        assert_eq!(find(&keys, "a").await, UNAVAILABLE);
        assert_eq!(keys.state().fault.as_ref(), Some(&fault));
    }
}
