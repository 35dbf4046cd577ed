//! Connections that ask too much: HTTP/2 frames by hand, and requests without a pause.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{PATIENCE, until_closed};
use crate::harness::World;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// RFC 9113 section 4.1.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// `GET /health/live` of `localhost` (RFC 7541: indexed, and literal without indexing).
fn request() -> Vec<u8> {
    [&[0x82, 0x86, 0x04, 12][..], b"/health/live", &[0x01, 9], b"localhost"].concat()
}

async fn second(world: &World) -> TcpStream {
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    stream.write_all(PREFACE).await.unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    stream
}

/// The kinds of the frames in what came, and the error of the last GOAWAY.
fn frames(mut told: &[u8]) -> (Vec<u8>, Option<u32>) {
    let (mut kinds, mut error) = (Vec::new(), None);
    while told.len() >= 9 {
        let length = usize::from(told[0]) << 16 | usize::from(told[1]) << 8 | usize::from(told[2]);
        let Some(payload) = told.get(9..9 + length) else { break };
        kinds.push(told[3]);
        if told[3] == GOAWAY {
            error = Some(u32::from_be_bytes(payload[4..8].try_into().unwrap()));
        }
        told = &told[9 + length..];
    }
    (kinds, error)
}

/// Writes until the other side has had enough.
async fn pour(stream: &mut TcpStream, parts: impl Iterator<Item = Vec<u8>>) -> usize {
    let mut poured = 0;
    for part in parts {
        match timeout(PATIENCE, stream.write_all(&part))
            .await
            .expect("nobody reads, and nobody closes")
        {
            Ok(()) => poured += part.len(),
            Err(_) => break,
        }
    }
    poured
}

#[tokio::test]
async fn a_rapid_reset_ends_its_connection() {
    let world = World::start().await;
    let mut stream = second(&world).await;
    let streams = (0..20_000_u32).map(|number| {
        let stream = number * 2 + 1;
        let opened = frame(HEADERS, END_STREAM | END_HEADERS, stream, &request());
        [opened, frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())].concat()
    });
    let whole: Vec<u8> = streams.flatten().collect();
    let poured = pour(&mut stream, whole.chunks(16_384).map(<[u8]>::to_vec)).await;
    let (kinds, error) = frames(&until_closed(&mut stream).await);
    // A connection that is reset takes its last frames with it.
    assert!(poured < whole.len() || error.is_some(), "{kinds:?}");
    assert!(kinds.iter().filter(|kind| **kind == HEADERS).count() < 20_000);
    assert_eq!(world.get("/health/live").await.status, 200);
}

#[tokio::test]
async fn a_header_block_without_end_ends_its_connection() {
    let world = World::start().await;
    // A field of 4,000 bytes, again and again; and none at all.
    let field = [&[0x00, 1, b'x', 0x7f, 0xa1, 0x1e][..], &[b'a'; 4_000]].concat();
    for block in [field, Vec::new()] {
        let mut stream = second(&world).await;
        let first = frame(HEADERS, END_STREAM, 1, &request());
        let more = frame(CONTINUATION, 0, 1, &block);
        let enough = 256 * 1024 * 1024 / more.len();
        let poured = pour(
            &mut stream,
            std::iter::once(first).chain(std::iter::repeat_n(more, enough)),
        )
        .await;
        assert!(poured < 32 * 1024 * 1024, "{poured} bytes were taken");
        let (kinds, _) = frames(&until_closed(&mut stream).await);
        assert!(!kinds.contains(&HEADERS), "{kinds:?}");
        assert_eq!(world.get("/health/live").await.status, 200);
    }
}

/// One frame that unpacks to far more than its size: a long field is put into the table once, and named thousands of times.
#[tokio::test]
async fn a_header_block_that_unpacks_to_megabytes_is_refused() {
    let world = World::start().await;
    let mut stream = second(&world).await;
    // Literal with indexing, 3,000 bytes of value; then its index, 62.
    let field = [&[0x40, 1, b'x', 0x7f, 0xb9, 0x16][..], &[b'a'; 3_000]].concat();
    let block = [request(), field, vec![0xbe; 10_000]].concat();
    stream
        .write_all(&frame(HEADERS, END_STREAM | END_HEADERS, 1, &block))
        .await
        .unwrap();
    stream.write_all(&frame(GOAWAY, 0, 0, &[0; 8])).await.unwrap();
    let told = until_closed(&mut stream).await;
    // `:status: 431` is a literal of the name 8, or the stream or connection is reset; 200 is index 8 (0x88) and must not come.
    let (kinds, _) = frames(&told);
    assert!(
        kinds.contains(&HEADERS) || kinds.contains(&RST_STREAM) || kinds.contains(&GOAWAY),
        "{kinds:?}"
    );
    assert!(!told.contains(&0x88), "{told:?}");
    assert_eq!(world.get("/health/live").await.status, 200);
}

#[tokio::test]
async fn a_thousand_requests_at_once_are_answered_in_order() {
    let world = World::start().await;
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let requests: String = (0..1_000)
        .map(|number| {
            let close = if number == 999 { "Connection: close\r\n" } else { "" };
            format!("GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: n-{number}\r\n{close}\r\n")
        })
        .collect();
    let (mut reader, mut writer) = stream.split();
    let mut told = String::new();
    let (_sent, read) = tokio::join!(
        writer.write_all(requests.as_bytes()),
        timeout(PATIENCE, reader.read_to_string(&mut told))
    );
    read.expect("an end").unwrap();
    let ids: Vec<_> = told
        .lines()
        .filter_map(|line| line.strip_prefix("x-request-id: "))
        .collect();
    let expected: Vec<_> = (0..1_000).map(|number| format!("n-{number}")).collect();
    assert_eq!(ids, expected);
    assert_eq!(told.matches("HTTP/1.1 200 OK").count(), 1_000);
}
