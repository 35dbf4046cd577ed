//! Connections that are slow, idle, or end with the service.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use aws_ilm::net::server::ServerOptions;
use serde_json::Value;

use super::{BODY_LIMIT, COMMAND, GOOD, JSON, Options, PATIENCE, Service};

/// - Hostile input 36, half a header section, then silence: closed at the header timeout.
/// - Hostile input 37, header sections and bodies that drip: closed, 408.
#[test]
fn unfinished_headers_and_silence_end_at_the_header_timeout() {
    let server = ServerOptions {
        header_timeout: Duration::from_millis(200),
        ..ServerOptions::default()
    };
    let service = Service::with(Options {
        server,
        ..Options::default()
    });
    for begin in [
        "",
        "G",
        "GET /health HTTP/1.1\r\nHost: loc",
        "PRI * HTTP/2.0\r\n",
        "GET /health HTTP/1.1\r\nHost: localhost\r\n",
    ] {
        let mut connection = service.connect();
        connection.send(begin);
        let told = connection.until_closed();
        assert!(!told.contains(" 200 "), "{begin:?}: {told}");
    }
    let mut idle = service.connect();
    idle.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(idle.answer().unwrap().status, 200);
    idle.until_closed();
}

#[test]
fn an_answer_that_nobody_reads_ends() {
    let server = ServerOptions {
        header_timeout: PATIENCE,
        stall_timeout: Duration::from_millis(300),
        ..ServerOptions::default()
    };
    let service = Service::with(Options {
        server,
        ..Options::default()
    });
    let ask = "GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut stalled = service.connect();
    stalled.send(ask);
    std::thread::sleep(Duration::from_secs(2));
    // What was under way when it was given up can still be read, and then it ends.
    assert!(stalled.until_closed().len() < 32 * 1024 * 1024);
    let mut slow = service.connect();
    slow.send(ask);
    let mut taken = 0;
    let mut part = vec![0; 4 * 1024 * 1024];
    while let Ok(count @ 1..) = slow.0.read(&mut part) {
        taken += count;
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(taken > 32 * 1024 * 1024, "one who reads on is served: {taken}");
    assert_eq!(service.get("/health").body, "up");
}

/// An HTTP/2 client's beginning, by hand: the preface, settings with this window for answers, and
/// `GET /large` on stream 1 (RFC 9113 sections 3.4 and 6.5, RFC 7541).
fn second_with_window(bytes: u32) -> Vec<u8> {
    let frame = |kind: u8, flags: u8, stream: u32, payload: &[u8]| {
        let [_, length @ ..] = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length, &[kind, flags][..], &stream.to_be_bytes(), payload].concat()
    };
    let settings = [&[0, 4][..], &bytes.to_be_bytes()].concat();
    let request = [&[0x82, 0x86, 0x04, 6][..], b"/large", &[0x01, 9], b"localhost"].concat();
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        frame(4, 0, 0, &settings),
        frame(1, 5, 1, &request),
    ]
    .concat()
}

#[test]
fn an_answer_that_gets_no_window_ends() {
    let server = ServerOptions {
        header_timeout: PATIENCE,
        stall_timeout: Duration::from_millis(300),
        ..ServerOptions::default()
    };
    let service = Service::with(Options {
        server,
        ..Options::default()
    });
    let mut unread = service.connect();
    unread.send(second_with_window(0));
    // Panics where the connection is left open.
    unread.until_closed();
    assert_eq!(service.get("/health").body, "up");
}

/// Hostile input 38, 10,000 idle connections: give way; the health probe is answered.
#[test]
fn idle_connections_give_way_and_busy_ones_do_not() {
    let server = ServerOptions {
        header_timeout: PATIENCE,
        max_connections: 4,
        ..ServerOptions::default()
    };
    let service = Service::with(Options {
        server,
        ..Options::default()
    });
    // Connections are seated in no certain order, so all have to be before the one that is to live
    // comes.
    let silent: Vec<_> = (0..40).map(|_| service.connect()).collect();
    let deadline = Instant::now() + PATIENCE;
    while silent.iter().filter(|connection| connection.is_closed()).count() < 36 {
        assert!(Instant::now() < deadline, "idle connections don't give way");
        std::thread::yield_now();
    }
    assert_eq!(service.get("/health").body, "up");
    let mut busy: Vec<_> = (0..4).map(|_| service.connect()).collect();
    for connection in &mut busy {
        connection.send("GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    service.until_waiting(4);
    let mut refused = service.connect();
    assert_eq!(refused.until_closed(), "");
    service.gate.add_permits(4);
    for connection in &mut busy {
        assert_eq!(connection.answer().unwrap().body, "waited");
    }
    assert_eq!(service.get("/health").body, "up");
}

/// Hostile input 37, header sections and bodies that drip: closed, 408.
#[test]
fn senders_that_drip_give_way_to_those_who_ask() {
    let server = ServerOptions {
        header_timeout: PATIENCE,
        max_connections: 4,
        ..ServerOptions::default()
    };
    let service = Service::with(Options {
        server,
        ..Options::default()
    });
    let slow: Vec<_> = (0..12)
        .map(|_| {
            let mut connection = service.connect();
            let begin = format!("POST {COMMAND} HTTP/1.1\r\nHost: localhost\r\n{JSON}Content-Length: 100\r\n\r\n{{");
            // It may have had to give way by now.
            let _sent = connection.0.get_mut().write_all(begin.as_bytes());
            connection
        })
        .collect();
    let deadline = Instant::now() + PATIENCE;
    while slow.iter().filter(|connection| connection.is_closed()).count() < 8 {
        assert!(Instant::now() < deadline, "senders that drip don't give way");
        std::thread::yield_now();
    }
    for _ in 0..20 {
        assert_eq!(service.get("/health").body, "up");
        assert_eq!(service.post(COMMAND, JSON, GOOD).status, 200);
    }
}

#[test]
fn shutdown_finishes_what_is_in_flight() {
    let service = Service::start();
    let mut idle = service.connect();
    idle.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(idle.answer().unwrap().status, 200);
    let mut busy = service.connect();
    busy.send("GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
    service.until_waiting(1);
    service.handle.graceful_shutdown(Some(PATIENCE));
    assert_eq!(idle.until_closed(), "");
    service.gate.add_permits(1);
    assert_eq!(busy.answer().unwrap().body, "waited");
    service.runtime.block_on(service.served).unwrap().unwrap();
    assert!(TcpStream::connect(service.address).is_err());
}

#[test]
fn http_2_meets_the_same_layers() {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let service = Service::start();
    let client = reqwest::Client::builder()
        .http2_prior_knowledge()
        .no_proxy()
        .timeout(PATIENCE)
        .build()
        .unwrap();
    let url = format!("http://{}{COMMAND}", service.address);
    service.runtime.block_on(async {
        let send = |body: String| {
            client
                .post(&url)
                .header("content-type", "application/json")
                .body(body)
                .send()
        };
        let answer = send(GOOD.to_owned()).await.unwrap();
        assert_eq!(answer.version(), reqwest::Version::HTTP_2);
        assert_eq!(answer.status(), 200);
        let answer = send(format!("{GOOD}{}", " ".repeat(BODY_LIMIT))).await.unwrap();
        assert_eq!(answer.status(), 413);
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["type"], "/problems/body-too-large");
        // The connection lives on.
        assert_eq!(send(GOOD.to_owned()).await.unwrap().status(), 200);
        let answer = client
            .post(&url)
            .header("host", "evil.example")
            .body(GOOD)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 421);
    });
}
