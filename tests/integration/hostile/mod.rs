//! Hostile input of every kind. The documentation of each test says which input of the list it
//! shows, and the answer that it must get; `numbers` holds that none is left out.

mod connections;
mod directory;
mod http;
mod numbers;
mod together;
mod values;

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// Nothing takes this long; a test that waits it out has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends these bytes on a connection of their own, and gives all that comes until the other side
/// closes. A reset is an end too.
async fn raw(address: SocketAddr, bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The answer to what is refused may come, and the connection end, before all is sent.
    let _sent = stream.write_all(bytes.as_ref()).await;
    until_closed(&mut stream).await
}

async fn until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut told = Vec::new();
    let _reset = timeout(PATIENCE, stream.read_to_end(&mut told))
        .await
        .expect("the connection was left open");
    told
}

/// The status of an answer told by [`raw`]; none when there was none.
fn status(told: &[u8]) -> Option<u16> {
    let head = std::str::from_utf8(told.get(..12)?).ok()?;
    head.strip_prefix("HTTP/1.1 ")?.parse().ok()
}

/// A request without a body after which the connection is closed.
fn closing(method: &str, target: &str, fields: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}\r\n")
}
