//! A directory that need not speak SCIM, nor HTTP: it answers with the bytes it is given.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What is sent for one request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// These bytes; then the connection is closed.
    Bytes(Vec<u8>),
    /// A chunked 200 that never ends.
    Endless,
    /// These bytes, then those again and again until the client leaves; each time after this pause.
    Again(Vec<u8>, Vec<u8>, Duration),
}

/// One listener on loopback, and the requests that reached it.
pub(crate) struct RawDirectory {
    /// Where it listens.
    pub(crate) address: std::net::SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    sent: Arc<AtomicUsize>,
}

impl RawDirectory {
    /// Serves what `reply` says of each request's first line.
    pub(crate) async fn start(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let sent = Arc::new(AtomicUsize::new(0));
        let (reply, seen, counted) = (Arc::new(reply), Arc::clone(&heads), Arc::clone(&sent));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (reply, seen, counted) = (Arc::clone(&reply), Arc::clone(&seen), Arc::clone(&counted));
                tokio::spawn(async move {
                    // A client that leaves early is what some of these answers are for.
                    let _ends = serve(stream, &*reply, &seen, &counted).await;
                });
            }
        });
        Self { address, heads, sent }
    }

    /// The base URL of a tenant here.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/sandbox-tenant/scim/v2/", self.address)
    }

    /// How many bytes without end have been taken from here.
    pub(crate) fn sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }

    /// The heads of the requests so far, lines separated as they came.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// A whole answer with its length.
pub(crate) fn response(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let mut text = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    Reply::Bytes([text.as_bytes(), body].concat())
}

/// A 200 with JSON.
pub(crate) fn json(body: &serde_json::Value) -> Reply {
    response(
        "200 OK",
        &[("Content-Type", "application/json")],
        body.to_string().as_bytes(),
    )
}

/// What a ServiceProviderConfig must have at least to prove that SCIM is spoken.
pub(crate) fn service_provider_config() -> Reply {
    json(&serde_json::json!({"patch": {"supported": true}}))
}

async fn serve(
    mut stream: TcpStream,
    reply: &(impl Fn(&str) -> Reply + Sync),
    seen: &Mutex<Vec<String>>,
    sent: &AtomicUsize,
) -> std::io::Result<()> {
    let mut received = Vec::new();
    let end = loop {
        if stream.read_buf(&mut received).await? == 0 {
            return Ok(());
        }
        if let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let head = String::from_utf8_lossy(&received[..end]).into_owned();
    let length = head
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length:")?
                .trim()
                .parse()
                .ok()
        })
        .unwrap_or(0);
    while received.len() < end + length {
        if stream.read_buf(&mut received).await? == 0 {
            return Ok(());
        }
    }
    let line = head.lines().next().unwrap_or_default().to_owned();
    seen.lock().unwrap().push(head);
    match reply(&line) {
        Reply::Bytes(bytes) => stream.write_all(&bytes).await?,
        Reply::Again(first, again, pause) => {
            stream.write_all(&first).await?;
            loop {
                stream.write_all(&again).await?;
                sent.fetch_add(again.len(), Ordering::Relaxed);
                if pause.is_zero() {
                    tokio::task::yield_now().await;
                } else {
                    tokio::time::sleep(pause).await;
                }
            }
        }
        Reply::Endless => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
                .await?;
            let chunk = [b"10000\r\n", &[b' '; 0x1_0000][..], b"\r\n"].concat();
            loop {
                stream.write_all(&chunk).await?;
                sent.fetch_add(chunk.len(), Ordering::Relaxed);
            }
        }
    }
    stream.shutdown().await
}
