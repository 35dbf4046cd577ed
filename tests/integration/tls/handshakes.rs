//! Handshakes: versions, sessions, stalls, the wrong protocol.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, pki_types::pem::PemObject as _};
use serde_json::{Value, json};

use super::{Authority, Folder, Issued, PATIENCE, Service, builder, client, read_to_end};

#[tokio::test]
async fn both_versions_of_tls_and_of_http_are_spoken() {
    let authority = Authority::new("root");
    let folder = Folder::new(&authority.server(), None);
    let service = Service::start(&folder);
    for version in [reqwest::tls::Version::TLS_1_2, reqwest::tls::Version::TLS_1_3] {
        for (http, only_http1) in [("HTTP/2.0", false), ("HTTP/1.1", true)] {
            let builder = builder(&authority, None)
                .tls_version_min(version)
                .tls_version_max(version);
            let builder = if only_http1 { builder.http1_only() } else { builder };
            let (answer, _) = service.ask(&builder.build().unwrap()).await.unwrap();
            assert_eq!(answer, json!({"version": http, "names": null}), "{version:?}");
        }
    }
    // A client that trusts another authority refuses this certificate.
    assert!(service.names(&Authority::new("another"), None).await.is_err());
}

/// Two connections of one client, one after the other: how their handshakes were made.
fn handshakes(address: SocketAddr, authority: &Authority, issued: Option<&Issued>) -> [HandshakeKind; 2] {
    let mut roots = RootCertStore::empty();
    roots.add(authority.0.der().clone()).unwrap();
    let builder = ClientConfig::builder().with_root_certificates(roots);
    let config = match issued {
        None => builder.with_no_client_auth(),
        Some(issued) => {
            let key = rustls::pki_types::PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
            builder.with_client_auth_cert(vec![issued.der().into()], key).unwrap()
        }
    };
    let config = Arc::new(config);
    [(); 2].map(|()| {
        let mut tls = ClientConnection::new(Arc::clone(&config), "localhost".try_into().unwrap()).unwrap();
        let mut tcp = TcpStream::connect(address).unwrap();
        tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut stream = rustls::Stream::new(&mut tls, &mut tcp);
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        tls.handshake_kind().unwrap()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_resumed_only_where_nobody_is_proven() {
    let authority = Arc::new(Authority::new("root"));
    let plain = Folder::new(&authority.server(), None);
    let mutual = Folder::new(&authority.server(), Some(&authority.pem()));
    for (folder, second) in [(plain, HandshakeKind::Resumed), (mutual, HandshakeKind::Full)] {
        let (service, authority) = (Service::start(&folder), Arc::clone(&authority));
        let (address, issued) = (service.address, authority.client());
        let asked = tokio::task::spawn_blocking(move || handshakes(address, &authority, Some(&issued)));
        assert_eq!(asked.await.unwrap(), [HandshakeKind::Full, second]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn handshakes_that_stall_end_and_hold_nobody_up() {
    let authority = Authority::new("root");
    let folder = Folder::new(&authority.server(), None);
    let service = Service::with(&folder, Duration::from_millis(500), 1_000);
    // Nothing; the start of a record; a record header that promises more than comes.
    for bytes in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"] {
        let mut stalled = TcpStream::connect(service.address).unwrap();
        stalled.write_all(bytes).unwrap();
        assert_eq!(service.names(&authority, None).await.unwrap(), Value::Null);
        let ended = tokio::task::spawn_blocking(move || read_to_end(&stalled))
            .await
            .unwrap();
        assert!(!ended.starts_with(b"HTTP"), "{bytes:?}");
    }
    // A handshake that is made, and no request after it.
    let address = service.address;
    let mut roots = RootCertStore::empty();
    roots.add(authority.0.der().clone()).unwrap();
    let silent = move || {
        let config = Arc::new(
            ClientConfig::builder()
                .with_root_certificates(roots)
                .with_no_client_auth(),
        );
        let mut tls = ClientConnection::new(config, "localhost".try_into().unwrap()).unwrap();
        let mut tcp = TcpStream::connect(address).unwrap();
        tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        tls.complete_io(&mut tcp).unwrap();
        read_to_end(&tcp);
    };
    tokio::task::spawn_blocking(silent).await.unwrap();
}

#[tokio::test]
async fn stalled_handshakes_give_their_seats_to_newcomers() {
    let authority = Authority::new("root");
    let folder = Folder::new(&authority.server(), None);
    let service = Service::with(&folder, PATIENCE, 4);
    let stalled: Vec<_> = (0..20).map(|_| TcpStream::connect(service.address).unwrap()).collect();
    assert_eq!(service.names(&authority, None).await.unwrap(), Value::Null);
    let busy = client(&authority, None);
    assert!(service.ask(&busy).await.is_ok());
    drop(stalled);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wrong_protocol_is_turned_away_and_disturbs_nobody() {
    let authority = Authority::new("root");
    let folder = Folder::new(&authority.server(), None);
    let service = Service::start(&folder);
    let said = |address: SocketAddr, bytes: &'static [u8]| {
        tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(bytes).unwrap();
            read_to_end(&stream)
        })
    };
    for bytes in [
        &b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x00\xff\x00\xff\x00\xff\x00\xff",
    ] {
        let said = said(service.address, bytes).await.unwrap();
        // A TLS alert, and no HTTP.
        assert_eq!(said.first(), Some(&0x15), "{bytes:?}: {said:?}");
        assert_eq!(service.names(&authority, None).await.unwrap(), Value::Null);
    }
    let plain = Service::serving(None, PATIENCE, 100);
    let hello = b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00\r\n\r\n";
    let said = said(plain.address, hello).await.unwrap();
    assert!(said.is_empty() || said.starts_with(b"HTTP/1.1 400"), "{said:?}");
    let answer = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = answer.get(format!("http://{}/", plain.address)).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
}
