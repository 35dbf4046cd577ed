//! TLS over real sockets on loopback: handshakes, certificates that change under load, client
//! certificates, and what is no handshake.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use aws_ilm::{
    auth::CertificateNames,
    config::{self, Sources},
    net::{
        server::{ServerOptions, serve, serve_tls},
        tls::{ClientCertificate, Current, Files, Reloader},
    },
};
use axum::{Json, Router, extract::Request, routing::get};
use axum_server::Handle;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, SanType,
};
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use serde_json::{Value, json};

use crate::process::{File, Running, run};

/// Longer than any expected event takes; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// An authority that issues certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key in PEM.
#[derive(Clone)]
pub(crate) struct Issued {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    fn issue(&self, params: &CertificateParams) -> Issued {
        let key = KeyPair::generate().unwrap();
        Issued {
            certificate: params.signed_by(&key, &self.0).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }

    /// A certificate of a service on loopback.
    pub(crate) fn server(&self) -> Issued {
        let mut params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(&params)
    }

    /// A client's certificate.
    pub(crate) fn client(&self) -> Issued {
        self.issue(&client_params())
    }
}

fn client_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Example");
    params.distinguished_name.push(DnType::CommonName, "hr");
    params.subject_alt_names = vec![SanType::URI("spiffe://example.com/hr".try_into().unwrap())];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

/// What [`client_params`] prove.
fn client_names() -> Value {
    json!(["subject:CN=hr,O=Example", "uri:spiffe://example.com/hr"])
}

impl Issued {
    /// The certificate as it is seen on the wire.
    fn der(&self) -> Vec<u8> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes())
            .unwrap()
            .to_vec()
    }
}

/// The files of TLS in a folder that goes with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(issued: &Issued, client_ca: Option<&str>) -> Self {
        let path = std::env::temp_dir().join(format!("aws-ilm-tls-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&path).unwrap();
        let folder = Self(path);
        folder.write("tls.crt", &issued.certificate);
        folder.write("tls.key", &issued.key);
        if let Some(pem) = client_ca {
            folder.write("ca.crt", pem);
        }
        folder
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }

    fn files(&self) -> Files {
        let client_ca = self.0.join("ca.crt");
        Files {
            certificate: self.0.join("tls.crt"),
            key: self.0.join("tls.key"),
            client_ca: client_ca.exists().then_some(client_ca),
            strict: true,
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// A small service with TLS, that tells what it knows of a request.
struct Service {
    address: SocketAddr,
    handle: Handle<SocketAddr>,
}

impl Service {
    fn start(folder: &Folder) -> Self {
        Self::with(folder, PATIENCE, ServerOptions::default().max_connections)
    }

    fn with(folder: &Folder, header_timeout: Duration, max_connections: usize) -> Self {
        let (reloader, current) = Reloader::new(folder.files()).unwrap();
        tokio::spawn(reloader.run());
        Self::serving(Some(current), header_timeout, max_connections)
    }

    fn serving(current: Option<Current>, header_timeout: Duration, max_connections: usize) -> Self {
        // The second test in the process finds it installed.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (router, handle) = (Router::new().route("/", get(told)), Handle::new());
        let options = ServerOptions {
            header_timeout,
            max_connections,
            ..ServerOptions::default()
        };
        match current {
            Some(current) => drop(tokio::spawn(serve_tls(
                listener,
                router,
                options,
                current,
                |_, _| {},
                handle.clone(),
            ))),
            None => drop(tokio::spawn(serve(listener, router, options, handle.clone()))),
        }
        Self { address, handle }
    }

    /// Asks on a connection of the client's; the answer with the certificate that the service
    /// showed.
    async fn ask(&self, client: &reqwest::Client) -> Result<(Value, Vec<u8>), reqwest::Error> {
        let answer = client
            .get(format!("https://localhost:{}/", self.address.port()))
            .send()
            .await?;
        let shown = answer.extensions().get::<reqwest::tls::TlsInfo>();
        let shown = shown
            .and_then(|info| info.peer_certificate())
            .unwrap_or_default()
            .to_vec();
        Ok((answer.json().await?, shown))
    }

    /// Asks on a new connection, and gives the names that the service sees; null for none.
    async fn names(&self, authority: &Authority, issued: Option<&Issued>) -> Result<Value, reqwest::Error> {
        Ok(self.ask(&client(authority, issued)).await?.0["names"].take())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

async fn told(request: Request) -> Json<Value> {
    let certificate = request.extensions().get::<ClientCertificate>();
    let names = certificate.and_then(|certificate| CertificateNames::from_der(certificate.verified()?).ok());
    let names = names.map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>());
    Json(json!({"version": format!("{:?}", request.version()), "names": names}))
}

/// A caller that trusts this authority alone, with a certificate or without.
pub(crate) fn client(authority: &Authority, issued: Option<&Issued>) -> reqwest::Client {
    builder(authority, issued).build().unwrap()
}

fn builder(authority: &Authority, issued: Option<&Issued>) -> reqwest::ClientBuilder {
    let root = reqwest::Certificate::from_pem(authority.pem().as_bytes()).unwrap();
    let builder = reqwest::Client::builder()
        .no_proxy()
        .timeout(PATIENCE)
        .tls_info(true)
        .tls_certs_only([root])
        .resolve("localhost", SocketAddr::from(([127, 0, 0, 1], 0)));
    match issued {
        Some(issued) => {
            let pem = format!("{}{}", issued.certificate, issued.key);
            builder.identity(reqwest::Identity::from_pem(pem.as_bytes()).unwrap())
        }
        None => builder,
    }
}

/// Whether the peer closes, and what it says before; without a limit of its own, a peer that stays
/// would hang the test.
fn read_to_end(mut stream: &TcpStream) -> Vec<u8> {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
        Err(error) => panic!("not closed: {error}"),
    }
    said
}

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

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_served_without_a_failed_request() {
    let authority = Authority::new("root");
    let (first, second) = (authority.server(), authority.server());
    let folder = Folder::new(&first, None);
    let service = Arc::new(Service::start(&folder));
    let authority = Arc::new(authority);
    let kept = builder(&authority, None).http1_only().build().unwrap();
    assert_eq!(service.ask(&kept).await.unwrap().1, first.der());

    let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let (service, authority) = (Arc::clone(&service), Arc::clone(&authority));
            let (stop, asked) = (Arc::clone(&stop), Arc::clone(&asked));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    // One request on a connection of its own, and some more on it.
                    let client = client(&authority, None);
                    for _ in 0..3 {
                        service.ask(&client).await.unwrap();
                        asked.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();

    // As a renewal does it: one file after the other, so that for a while they don't belong
    // together.
    folder.write("tls.crt", &second.certificate);
    tokio::time::sleep(Duration::from_millis(300)).await;
    folder.write("tls.key", &second.key);
    let written = Instant::now();
    let before = asked.load(Ordering::Relaxed);
    while service.ask(&client(&authority, None)).await.unwrap().1 != second.der() {
        assert!(written.elapsed() < PATIENCE, "the new certificate is not served");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!(
        "new connections see the new certificate after {:?}; {} requests meanwhile",
        written.elapsed(),
        asked.load(Ordering::Relaxed) - before
    );
    // The connection from before goes on, with the certificate that it began with.
    assert_eq!(service.ask(&kept).await.unwrap().1, first.der());
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.expect("every request is answered");
    }
}

#[tokio::test]
async fn broken_files_are_kept_out_and_mended() {
    let authority = Authority::new("root");
    let (first, second) = (authority.server(), authority.server());
    let folder = Folder::new(&first, None);
    let service = Service::start(&folder);
    let shown = async || service.ask(&client(&authority, None)).await.unwrap().1;
    for (name, text) in [("tls.key", &second.key[..]), ("tls.crt", "")] {
        folder.write(name, text);
        // Good ones would have been taken by then.
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(shown().await, first.der(), "{name}: {text}");
    }
    folder.write("tls.crt", &second.certificate);
    let written = Instant::now();
    while shown().await != second.der() {
        assert!(written.elapsed() < PATIENCE, "the mended files are not served");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn client_certificates_are_optional_and_never_wrong() {
    let (authority, clients) = (Authority::new("root"), Authority::new("clients"));
    let folder = Folder::new(&authority.server(), Some(&clients.pem()));
    let service = Service::start(&folder);

    for version in [reqwest::tls::Version::TLS_1_2, reqwest::tls::Version::TLS_1_3] {
        let issued = clients.client();
        let builder = builder(&authority, Some(&issued))
            .tls_version_min(version)
            .tls_version_max(version);
        let proven = builder.build().unwrap();
        for _ in 0..2 {
            assert_eq!(
                service.ask(&proven).await.unwrap().0["names"],
                client_names(),
                "{version:?}"
            );
        }
    }
    assert_eq!(service.names(&authority, None).await.unwrap(), Value::Null);

    let hour = Duration::from_secs(3600);
    let mut expired = client_params();
    expired.not_before = (SystemTime::now() - 2 * hour).into();
    expired.not_after = (SystemTime::now() - hour).into();
    let mut early = client_params();
    early.not_before = (SystemTime::now() + hour).into();
    let mut of_a_server = client_params();
    of_a_server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let self_signed = KeyPair::generate().unwrap();
    let self_signed = Issued {
        certificate: client_params().self_signed(&self_signed).unwrap().pem(),
        key: self_signed.serialize_pem(),
    };
    for (what, issued) in [
        ("of another authority", Authority::new("another").client()),
        ("of one of the same name", Authority::new("clients").client()),
        ("expired", clients.issue(&expired)),
        ("not valid yet", clients.issue(&early)),
        ("of a server", clients.issue(&of_a_server)),
        ("self-signed", self_signed),
    ] {
        assert!(service.names(&authority, Some(&issued)).await.is_err(), "{what}");
    }
    // The service still answers its clients.
    let issued = clients.client();
    assert_eq!(service.names(&authority, Some(&issued)).await.unwrap(), client_names());
}

#[tokio::test]
async fn without_client_authorities_no_certificate_proves_anything() {
    let authority = Authority::new("root");
    let folder = Folder::new(&authority.server(), None);
    let service = Service::start(&folder);
    let issued = authority.client();
    assert_eq!(service.names(&authority, Some(&issued)).await.unwrap(), Value::Null);
}

#[tokio::test]
async fn a_replaced_authority_takes_its_names_from_open_connections() {
    let (authority, before, after) = (
        Authority::new("root"),
        Authority::new("before"),
        Authority::new("after"),
    );
    let folder = Folder::new(&authority.server(), Some(&before.pem()));
    let service = Service::start(&folder);
    let (old, new) = (before.client(), after.client());
    let kept = client(&authority, Some(&old));
    assert_eq!(service.ask(&kept).await.unwrap().0["names"], client_names());
    assert!(service.names(&authority, Some(&new)).await.is_err());

    // Both for a while, as in a rotation.
    folder.write("ca.crt", &format!("{}{}", before.pem(), after.pem()));
    let written = Instant::now();
    while service.names(&authority, Some(&new)).await.is_err() {
        assert!(written.elapsed() < PATIENCE, "the new authority is not taken");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(service.ask(&kept).await.unwrap().0["names"], client_names());

    folder.write("ca.crt", &after.pem());
    let written = Instant::now();
    // The connection goes on without a client's names.
    while service.ask(&kept).await.unwrap().0["names"] != Value::Null {
        assert!(written.elapsed() < PATIENCE, "the names outlive their authority");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(service.names(&authority, Some(&old)).await.is_err());
    assert_eq!(service.names(&authority, Some(&new)).await.unwrap(), client_names());
}

#[tokio::test]
async fn an_open_connection_loses_its_names_when_the_certificate_expires() {
    let (authority, clients) = (Authority::new("root"), Authority::new("clients"));
    let folder = Folder::new(&authority.server(), Some(&clients.pem()));
    let service = Service::start(&folder);
    let mut params = client_params();
    params.not_after = (SystemTime::now() + Duration::from_secs(8)).into();
    let kept = client(&authority, Some(&clients.issue(&params)));
    assert_eq!(service.ask(&kept).await.unwrap().0["names"], client_names());
    let start = Instant::now();
    while service.ask(&kept).await.unwrap().0["names"] != Value::Null {
        assert!(start.elapsed() < PATIENCE, "the names outlive their certificate");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
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

fn load(settings: &[(&str, &str)]) -> Result<config::Settings, config::ConfigError> {
    let mut environment: BTreeMap<String, String> = [
        ("AWS_ILM_URL", "https://scim.us-east-1.amazonaws.com/abc-1"),
        ("AWS_ILM_AUTHENTICATION_TOKEN", "token"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    environment.extend(
        settings
            .iter()
            .map(|(name, value)| (format!("AWS_ILM_{}", name.to_uppercase()), (*value).to_owned())),
    );
    config::load(&Sources {
        environment,
        ..Sources::default()
    })
}

#[test]
fn what_is_wrong_with_the_files_is_told_at_start_without_a_key() {
    let authority = Authority::new("root");
    let (issued, other) = (authority.server(), authority.server());
    let folder = Folder::new(&issued, Some(&authority.pem()));
    folder.write("other.key", &other.key);
    folder.write("empty", "");
    folder.write("text", "nothing to see");
    folder.write("half.key", &issued.key[..issued.key.len() / 2]);
    folder.write("half.crt", &issued.certificate[..issued.certificate.len() / 2]);
    folder.write("two.key", &format!("{}{}", issued.key, other.key));
    folder.write(
        "encrypted.key",
        &issued.key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
    );
    folder.write(
        "weird.crt",
        "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n",
    );
    folder.write("huge", &"x".repeat(1024 * 1024 + 1));
    let [crt, key, ca] = ["tls.crt", "tls.key", "ca.crt"].map(|name| folder.path(name));
    let all = [
        ("tls_certificate_file", crt.as_str()),
        ("tls_key_file", key.as_str()),
        ("tls_client_ca_file", ca.as_str()),
    ];
    let settings = load(&all).unwrap();
    assert_eq!(
        settings.tls.unwrap(),
        Files {
            strict: false,
            ..folder.files()
        }
    );
    assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
    assert_eq!(load(&[]).unwrap().tls, None);

    let at = |name: &str| folder.path(name);
    let mut cases = vec![
        (all[0].0, at("missing"), "no such file"),
        (all[0].0, at("empty"), "is empty"),
        (all[0].0, at("text"), "not PEM"),
        (all[0].0, at("half.crt"), "cut short"),
        (all[0].0, at("weird.crt"), "can't be read"),
        (all[0].0, at("tls.key"), "no certificate"),
        (all[0].0, at("huge"), "larger than 1 MiB"),
        (all[0].0, folder.path(""), "not a regular file"),
        (all[0].0, "/dev/zero".to_owned(), "not a regular file"),
        (all[1].0, at("other.key"), "not the key of the certificate"),
        (all[1].0, at("tls.crt"), "no private key"),
        (all[1].0, at("half.key"), "cut short"),
        (all[1].0, at("two.key"), "more than one"),
        (all[1].0, at("encrypted.key"), "encrypted"),
        (all[1].0, at("empty"), "is empty"),
        (all[1].0, issued.key.clone(), "a value (masked): no such file"),
        (all[1].0, " ".to_owned(), "use the path of a PEM file"),
        (all[2].0, at("text"), "not PEM"),
        (all[2].0, at("weird.crt"), "can't be read"),
        (all[2].0, at("missing"), "no such file"),
    ];
    let pipe = at("pipe");
    if std::process::Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .is_ok_and(|made| made.success())
    {
        cases.push((all[0].0, pipe.clone(), "not a regular file"));
        cases.push((all[1].0, pipe, "not a regular file"));
    }
    for (name, value, expected) in cases {
        let set = all.map(|(other, path)| (other, if other == name { value.as_str() } else { path }));
        let faults = load(&set).unwrap_err();
        let told = faults.to_string();
        let wrong: Vec<_> = faults.0.iter().map(|fault| &fault.path).collect();
        assert_eq!(wrong, [&format!("{name} (AWS_ILM_{})", name.to_uppercase())], "{told}");
        assert!(told.contains(expected), "{name} {value:?}: {told}");
        let secret = issued.key.lines().nth(1).unwrap();
        assert!(!told.contains(&secret[..16]), "{told}");
    }
    // One without the other.
    for set in [&all[..1], &all[1..2], &all[2..], &all[1..], &[all[0], all[2]]] {
        let told = load(set).unwrap_err().to_string();
        assert!(told.contains("TLS needs a certificate and its key"), "{told}");
    }
}

#[cfg(unix)]
#[test]
fn a_key_for_everybody_and_dates_are_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let authority = Authority::new("root");
    let mut expired = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    expired.not_after = (SystemTime::now() - Duration::from_secs(3600)).into();
    let folder = Folder::new(&authority.issue(&expired), None);
    let [crt, key] = ["tls.crt", "tls.key"].map(|name| folder.path(name));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let set = [("tls_certificate_file", crt.as_str()), ("tls_key_file", key.as_str())];
    let warnings = load(&set).unwrap().warnings;
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("the certificate expired on 20"), "{warnings:?}");
    assert!(
        warnings[1].contains("tls_key_file") && warnings[1].contains("chmod 600"),
        "{warnings:?}"
    );
    let strict = [set[0], set[1], ("strict_secret_files", "true")];
    let told = load(&strict).unwrap_err().to_string();
    assert!(told.contains("tls_key_file") && told.contains("chmod 600"), "{told}");
}

#[test]
fn the_log_tells_each_change_once_and_no_key() {
    let authority = Authority::new("root");
    let (first, second) = (authority.server(), authority.server());
    let folder = Folder::new(&first, None);
    // Relative to the configuration file, which is not where the program runs.
    folder.write(
        "aws-ilm.toml",
        "tls_certificate_file = \"tls.crt\"\ntls_key_file = \"./tls.key\"\n",
    );
    let (service, _) = Running::serve(&["--sandbox", "--config", &folder.path("aws-ilm.toml")], &[]);
    folder.write("tls.key", &second.key);
    let line = service.stderr.line_with("can't be used; those before are served on");
    assert!(
        line.contains("ERROR") && line.contains("not the key of the certificate"),
        "{line}"
    );
    // Longer than it takes to look again.
    std::thread::sleep(Duration::from_secs(3));
    folder.write("tls.crt", &second.certificate);
    let line = service.stderr.line_with("the TLS files were reloaded");
    assert!(line.contains("INFO") && line.contains("expires="), "{line}");
    let log = service.stderr.text();
    assert_eq!(log.matches("can't be used").count(), 1, "{log}");
    for key in [&first.key, &second.key] {
        assert!(
            key.lines()
                .skip(1)
                .all(|line| line.starts_with("-----") || !log.contains(line)),
            "{log}"
        );
    }
}

#[test]
fn the_program_serves_tls_and_its_healthcheck_knows() {
    let authority = Authority::new("root");
    let folder = Folder::new(&authority.server(), Some(&authority.pem()));
    let [crt, key, ca] = ["tls.crt", "tls.key", "ca.crt"].map(|name| folder.path(name));
    let tls = [
        ("AWS_ILM_TLS_CERTIFICATE_FILE", crt.as_str()),
        ("AWS_ILM_TLS_KEY_FILE", key.as_str()),
        ("AWS_ILM_TLS_CLIENT_CA_FILE", ca.as_str()),
    ];
    let (service, address) = Running::serve(&["--sandbox"], &tls);
    let url = format!("https://{address}");
    assert!(service.stderr.line_with("listening").contains(&url));
    assert!(
        service
            .stdout
            .line_with("Swagger UI:")
            .contains(&format!("{url}/docs/"))
    );
    service.stdout.line_with(&format!("curl -s {url}/commands/"));

    let asked = |arguments: &[&str], settings: &[(&str, &str)]| {
        let ended = run(&[&["healthcheck"], arguments].concat(), settings);
        (ended.code, ended.stdout, ended.stderr)
    };
    let ready = (Some(0), "ready\n".to_owned(), String::new());
    let listen = address.to_string();
    let listen = ("AWS_ILM_LISTEN", listen.as_str());
    assert_eq!(asked(&[], &[listen, tls[0], tls[1]]), ready);
    // The same out of a file, whose other faults and secrets are nothing to it.
    let file = File::new(&format!(
        "listen = \"{address}\"\ntls_certificate_file = \"tls.crt\"\ntls_key_file = \"tls.key\"\n[[instances]]\nurl = 1\n"
    ));
    assert_eq!(asked(&["--config", file.path()], &[]), ready);
    assert_eq!(asked(&[], &[("AWS_ILM_CONFIG", file.path())]), ready);
    // Plain HTTP is not spoken there.
    assert_eq!(asked(&[], &[listen]).0, Some(1));
    // A given address is verified, and its authority is unknown here.
    let (code, _, stderr) = asked(&["--url", &url], &[]);
    assert_eq!(code, Some(1));
    assert!(stderr.to_lowercase().contains("certificate"), "{stderr}");
    assert_eq!(asked(&["--config", "/nowhere/aws-ilm.toml"], &[]).0, Some(2));
}
