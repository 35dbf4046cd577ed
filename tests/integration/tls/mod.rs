//! TLS over real sockets on loopback: handshakes, certificates that change under load, client
//! certificates, and what is no handshake.

mod clients;
mod files;
mod handshakes;

use std::{
    fs,
    io::Read,
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    time::Duration,
};

use aws_ilm::{
    auth::CertificateNames,
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
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::{Value, json};

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
