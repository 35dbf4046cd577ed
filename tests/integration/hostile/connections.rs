//! Connections that ask too much: HTTP/2 frames by hand, and requests without a pause.

use frames::{
    END_HEADERS, END_STREAM, HEADERS, RST_STREAM, begin, continued, frame, long_field, opened_and_reset, request,
    unfinished,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{PATIENCE, until_closed};
use crate::harness::World;

#[path = "../../hostile/frames.rs"]
mod frames;

const GOAWAY: u8 = 7;

async fn second(world: &World) -> TcpStream {
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    stream.write_all(&begin()).await.unwrap();
    stream
}

/// The kinds of the frames in what came, and the error of the last GOAWAY.
fn kinds_of(mut told: &[u8]) -> (Vec<u8>, Option<u32>) {
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

/// Hostile input 50, HTTP/2: streams reset as fast as they open, header blocks without end: closed,
/// others are served.
#[tokio::test]
async fn a_rapid_reset_ends_its_connection() {
    let world = World::start().await;
    let mut stream = second(&world).await;
    let whole: Vec<u8> = (0..20_000).flat_map(opened_and_reset).collect();
    let poured = pour(&mut stream, whole.chunks(16_384).map(<[u8]>::to_vec)).await;
    let (kinds, error) = kinds_of(&until_closed(&mut stream).await);
    // A connection that is reset takes its last frames with it.
    assert!(poured < whole.len() || error.is_some(), "{kinds:?}");
    assert!(kinds.iter().filter(|kind| **kind == HEADERS).count() < 20_000);
    assert_eq!(world.get("/health/live").await.status, 200);
}

/// Hostile input 50, HTTP/2: streams reset as fast as they open, header blocks without end: closed,
/// others are served.
#[tokio::test]
async fn a_header_block_without_end_ends_its_connection() {
    let world = World::start().await;
    for block in [long_field(), Vec::new()] {
        let mut stream = second(&world).await;
        let (first, more) = (unfinished(), continued(&block));
        let enough = 256 * 1024 * 1024 / more.len();
        let poured = pour(
            &mut stream,
            std::iter::once(first).chain(std::iter::repeat_n(more, enough)),
        )
        .await;
        assert!(poured < 32 * 1024 * 1024, "{poured} bytes were taken");
        let (kinds, _) = kinds_of(&until_closed(&mut stream).await);
        assert!(!kinds.contains(&HEADERS), "{kinds:?}");
        assert_eq!(world.get("/health/live").await.status, 200);
    }
}

/// One frame that unpacks to far more than its size: a long field is put into the table once, and
/// named thousands of times.
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
    // `:status: 431` is a literal of the name 8, or the stream or connection is reset; 200 is index
    // 8 (0x88) and must not come.
    let (kinds, _) = kinds_of(&told);
    assert!(
        kinds.contains(&HEADERS) || kinds.contains(&RST_STREAM) || kinds.contains(&GOAWAY),
        "{kinds:?}"
    );
    assert!(!told.contains(&0x88), "{told:?}");
    assert_eq!(world.get("/health/live").await.status, 200);
}

/// Hostile input 51, 1,000 requests at once on one connection: answered in order.
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
    let read = read.expect("an end");
    let answers = told.matches("HTTP/1.1 200 OK").count();
    assert!(
        read.is_ok(),
        "{read:?} after {answers} answers, the last {:?}",
        told.lines().rev().take(12).collect::<Vec<_>>()
    );
    let ids: Vec<_> = told
        .lines()
        .filter_map(|line| line.strip_prefix("x-request-id: "))
        .collect();
    let expected: Vec<_> = (0..1_000).map(|number| format!("n-{number}")).collect();
    assert_eq!(ids, expected);
    assert_eq!(told.matches("HTTP/1.1 200 OK").count(), 1_000);
}
