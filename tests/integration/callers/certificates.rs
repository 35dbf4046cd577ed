//! Client certificates: whose they are by their names, in the process that serves TLS.

use std::io::{Read as _, Write as _};

use crate::{
    callers::{ALL, caller, key, somebody, two_instances},
    harness::{World, answer},
    process::{File, Running},
    tls::{Authority, Folder, Issued, client},
};

#[tokio::test]
async fn a_certificate_lets_in_as_the_caller_that_has_its_name() {
    let directory = World::start().await;
    let (authority, stranger) = (Authority::new("root"), Authority::new("another"));
    let folder = Folder::new(&authority.server(), Some(&authority.pem()));
    let (key, digest) = key();
    let read = "commands = [\"read\"]\ninstances = [\"*\"]";
    let config = |names: &str| {
        File::new(&format!(
            "tls_certificate_file = \"{}\"\ntls_key_file = \"{}\"\ntls_client_ca_file = \"{}\"\n{}\
             [[callers]]\nname = \"hr\"\ncertificates = [{names}]\n{read}\n{}",
            folder.path("tls.crt"),
            folder.path("tls.key"),
            folder.path("ca.crt"),
            two_instances(&directory),
            caller("soar", &[&digest], ALL),
        ))
    };
    for (names, status) in [
        ("\"uri:spiffe://example.com/hr\"", 200),
        ("\"subject:CN=hr,O=Example\"", 200),
        ("\"dns:hr\", \"uri:spiffe://example.com/hr\"", 200),
        ("\"uri:spiffe://example.com/hr2\"", 401),
        ("\"subject:CN=hr\"", 401),
        ("\"dns:hr\"", 401),
    ] {
        let config = config(names);
        let settings = [("AWS_ILM_LOG_FORMAT", "json")];
        let (service, address) = Running::serve(&["--config", config.path()], &settings);
        let ask = async |issued: Option<_>, fields: &[(&str, &str)], command: &str| {
            let url = format!("https://localhost:{}/commands/{command}", address.port());
            let request = client(&authority, issued).post(url).header("x-request-id", "c-1");
            answer(super::with(request, fields).json(&somebody())).await.status
        };
        let issued = authority.client();
        assert_eq!(ask(Some(&issued), &[], "iam-get-user").await, status, "{names}");
        if status != 200 {
            continue;
        }
        assert_eq!(ask(Some(&issued), &[], "iam-disable-user").await, 403);
        assert_eq!(ask(None, &[], "iam-get-user").await, 401);
        // What is presented goes before the certificate, and a wrong key is not made good by it.
        assert_eq!(
            ask(Some(&issued), &[("x-api-key", &key)], "iam-disable-user").await,
            200
        );
        assert_eq!(
            ask(Some(&issued), &[("x-api-key", "ilm_wrong")], "iam-get-user").await,
            401
        );
        // A certificate of another authority does not get past the handshake.
        let url = format!("https://localhost:{}/commands/iam-get-user", address.port());
        let other = stranger.client();
        assert!(
            client(&authority, Some(&other))
                .post(url)
                .json(&somebody())
                .send()
                .await
                .is_err()
        );
        let line = service.stderr.line_with("a certificate of an unknown issuer");
        assert!(
            line.contains("\"target\":\"audit\"") && line.contains("\"address\":\"127.0.0.1\""),
            "{line}"
        );
        let line = service.stderr.line_with("\"lacks the right to the command\"");
        assert!(
            line.contains("\"proof\":\"certificate\"") && line.contains("\"caller\":\"hr\""),
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_certificate_whose_authority_is_withdrawn_while_a_body_arrives_opens_nothing() {
    let directory = World::start().await;
    let (authority, successor) = (Authority::new("root"), Authority::new("successor"));
    let folder = Folder::new(&authority.server(), Some(&authority.pem()));
    let config = File::new(&format!(
        "tls_certificate_file = \"{}\"\ntls_key_file = \"{}\"\ntls_client_ca_file = \"{}\"\n{}\
         [[callers]]\nname = \"hr\"\ncertificates = [\"uri:spiffe://example.com/hr\"]\n{ALL}\n",
        folder.path("tls.crt"),
        folder.path("tls.key"),
        folder.path("ca.crt"),
        two_instances(&directory),
    ));
    let (_service, address) = Running::serve(&["--config", config.path()], &[]);
    let issued = authority.client();
    let body = somebody().to_string();
    let (begun, wait) = std::sync::mpsc::channel();
    let (go_on, gone_on) = std::sync::mpsc::channel::<()>();
    let config = parked_client(&authority, &issued);
    let parked = std::thread::spawn(move || {
        let name = "localhost".try_into().unwrap();
        let connection = rustls::ClientConnection::new(config.into(), name).unwrap();
        let mut stream = rustls::StreamOwned::new(connection, std::net::TcpStream::connect(address).unwrap());
        let (first, last) = body.split_at(body.len() - 1);
        let length = body.len();
        write!(
            stream,
            "POST /commands/iam-disable-user HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{first}"
        )
        .unwrap();
        stream.flush().unwrap();
        begun.send(()).unwrap();
        gone_on.recv().unwrap();
        write!(stream, "{last}").unwrap();
        stream.flush().unwrap();
        let mut told = String::new();
        drop(stream.read_to_string(&mut told));
        told
    });
    wait.recv().unwrap();
    // So that the request has met the guard, and not the new authority.
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    folder.write("ca.crt", &successor.pem());
    let url = format!("https://localhost:{}/commands/iam-get-user", address.port());
    for _ in 0..200 {
        let request = client(&authority, Some(&issued)).post(&url).json(&somebody());
        if request.send().await.is_err() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    directory.sandbox.reset_calls();
    go_on.send(()).unwrap();
    let told = tokio::task::spawn_blocking(move || parked.join().unwrap())
        .await
        .unwrap();
    assert!(told.starts_with("HTTP/1.1 401 "), "{told}");
    directory.assert_calls(&[]);
}

/// A client that is one on the wire, so that it can stop in the middle of a body.
fn parked_client(authority: &Authority, issued: &Issued) -> rustls::ClientConfig {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap())
        .unwrap();
    let chain = vec![CertificateDer::from_pem_slice(issued.certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
    rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .unwrap()
}
