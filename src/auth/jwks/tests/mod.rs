//! Fetches and caches keys against a real server on loopback that answers by a script.

mod caching;
mod sources;

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use super::*;

/// The server's answer to requests for keys.
#[derive(Clone)]
pub(in crate::auth) enum Script {
    /// 200 with this body.
    Body(String),
    /// Exactly these bytes.
    Raw(String),
    /// 200, and then white space without end.
    Endless,
    /// 200 and half of a body.
    Stall,
    /// Nothing until it is released, and then 200 with this body.
    Released(Arc<Notify>, String),
    /// Nothing.
    Hang,
}

struct ServerState {
    script: Mutex<Script>,
    discovery: Mutex<String>,
    /// Requests for keys.
    key_requests: AtomicUsize,
    /// Requests for anything but keys and the discovery document.
    other_requests: AtomicUsize,
}

pub(in crate::auth) struct Server {
    base: String,
    state: Arc<ServerState>,
}

impl Server {
    pub(in crate::auth) async fn start(script: Script) -> Self {
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(ServerState {
            script: Mutex::new(script),
            discovery: Mutex::default(),
            key_requests: AtomicUsize::new(0),
            other_requests: AtomicUsize::new(0),
        });
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, Arc::clone(&shared)));
            }
        });
        Self { base, state }
    }

    pub(in crate::auth) fn answer(&self, script: Script) {
        *self.state.script.lock().unwrap() = script;
    }

    fn key_requests(&self) -> usize {
        self.state.key_requests.load(Ordering::SeqCst)
    }

    fn other_requests(&self) -> usize {
        self.state.other_requests.load(Ordering::SeqCst)
    }

    fn keys(&self) -> Arc<IssuerKeys> {
        Arc::new(IssuerKeys::new("https://issuer.example", &self.source()).unwrap())
    }

    /// Its keys, by their URL.
    pub(in crate::auth) fn source(&self) -> KeySource {
        KeySource::Url(Url::parse(&format!("{}/keys", self.base)).unwrap())
    }

    /// The keys of an issuer at this path, by this discovery document.
    fn discovered(&self, path: &str, document: &str) -> Arc<IssuerKeys> {
        *self.state.discovery.lock().unwrap() = document.replace("{base}", &self.base);
        let issuer = format!("{}{path}", self.base);
        Arc::new(IssuerKeys::new(&issuer, &KeySource::Discovery).unwrap())
    }
}

async fn serve(mut socket: TcpStream, state: Arc<ServerState>) -> std::io::Result<()> {
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
        let document = state.discovery.lock().unwrap().clone();
        return socket.write_all(ok(&document).as_bytes()).await;
    }
    if target != "/keys" {
        state.other_requests.fetch_add(1, Ordering::SeqCst);
        return Ok(());
    }
    state.key_requests.fetch_add(1, Ordering::SeqCst);
    let script = state.script.lock().unwrap().clone();
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
        Script::Released(notify, body) => {
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
    Script::Body(key_set(signers))
}

/// Advances the clock.
async fn advance(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Waits for a condition to become true, up to ten seconds.
async fn until(condition: impl AsyncFn() -> bool) {
    for _ in 0..1000 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the condition did not become true");
}

async fn find(keys: &Arc<IssuerKeys>, id: &str) -> Result<(), KeyLookupError> {
    keys.find(Algorithm::ES256, Some(id)).await.map(|_| ())
}

const UNKNOWN: Result<(), KeyLookupError> = Err(KeyLookupError::NoMatch(KeyMatchError::Unknown));
const UNAVAILABLE: Result<(), KeyLookupError> = Err(KeyLookupError::Unavailable);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
