//! What TLS is served with: out of the files' contents, checked, ready for handshakes.

use std::sync::Arc;

use rustls::{
    InconsistentKeys, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
};

use super::{
    Part, TlsError, TlsFileError, Validity,
    files::{Contents, Files},
};

/// HTTP/2 first, then HTTP/1.1 (RFC 7301, RFC 9113 section 3.2).
const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// A certificate with its key and, where client certificates are taken, what verifies them.
#[derive(Debug, Clone)]
pub struct Material {
    config: Arc<ServerConfig>,
    client_verifier: Option<Arc<dyn ClientCertVerifier>>,
    validity: Validity,
    has_expired_ca: bool,
}

impl Material {
    /// Reads and checks the files. Blocks.
    ///
    /// # Errors
    /// Everything that is wrong with them, together.
    pub fn load(files: &Files) -> Result<Self, TlsError> {
        Self::new(&Contents::read(files)?)
    }

    pub(super) fn new(contents: &Contents) -> Result<Self, TlsError> {
        let chain = certificates(&contents.certificate);
        let key = private_key(&contents.key);
        let authorities = contents.client_ca.as_deref().map(|text| certificates(text)).transpose();
        let mut faults = Vec::new();
        let mut note =
            |part: Part, fault: Option<&TlsFileError>| faults.extend(fault.map(|fault| (part, fault.clone())));
        note(Part::Certificate, chain.as_ref().err());
        note(Part::Key, key.as_ref().err());
        note(Part::ClientCa, authorities.as_ref().err());
        let (Ok(chain), Ok(key), Ok(authorities)) = (chain, key, authorities) else {
            return Err(TlsError(faults));
        };
        Self::assemble(chain, key, authorities).map_err(|fault| TlsError(vec![fault]))
    }

    fn assemble(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        authorities: Option<Vec<CertificateDer<'static>>>,
    ) -> Result<Self, (Part, TlsFileError)> {
        let of_certificate = |fault| (Part::Certificate, fault);
        let validities = chain
            .iter()
            .map(|certificate| Validity::of(certificate))
            .collect::<Option<Vec<_>>>();
        let validities = validities.ok_or(of_certificate(TlsFileError::BadCertificate))?;
        let validity = *validities.first().ok_or(of_certificate(TlsFileError::NoCertificate))?;
        let has_expired_ca = authorities
            .iter()
            .flatten()
            .any(|authority| Validity::of(authority).is_some_and(|validity| validity.ends < jiff::Timestamp::now()));
        let client_verifier = authorities.map(client_verifier).transpose()?;

        // By name and not by the process's default, which a library may forget or a test may not
        // have installed.
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|_| (Part::Key, TlsFileError::BadKey))?;
        let builder = match &client_verifier {
            Some(verifier) => builder.with_client_cert_verifier(Arc::clone(verifier)),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|error| {
            if matches!(error, rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) {
                (Part::Key, TlsFileError::KeyMismatch)
            } else if matches!(error, rustls::Error::InvalidCertificate(_)) {
                (Part::Certificate, TlsFileError::BadCertificate)
            } else {
                (Part::Key, TlsFileError::BadKey)
            }
        })?;
        config.alpn_protocols = ALPN.map(<[u8]>::to_vec).into();
        if client_verifier.is_some() {
            // A resumed session carries over the client's certificate from the handshake before,
            // and it is not verified again: for up to a day a client could come back with the same
            // names, past its certificate's end. A whole handshake costs one more signature; an
            // identity is worth that. Without client certificates sessions are resumed, from a
            // store that is this configuration's own, so none outlives a reload either.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        Ok(Self {
            config: Arc::new(config),
            client_verifier,
            validity,
            has_expired_ca,
        })
    }

    /// What handshakes are made with.
    #[must_use]
    pub fn config(&self) -> &Arc<ServerConfig> {
        &self.config
    }

    /// What verifies client certificates; `None` where none are asked for.
    #[must_use]
    pub fn client_verifier(&self) -> Option<&Arc<dyn ClientCertVerifier>> {
        self.client_verifier.as_ref()
    }

    /// From when until when the certificate is good.
    #[must_use]
    pub fn validity(&self) -> Validity {
        self.validity
    }

    /// Whether one of the client CAs had expired when the files were read. What it issued is taken
    /// nevertheless: a trust anchor is trusted because it was configured, and its dates are not
    /// looked at (RFC 5280 section 6.1.1).
    #[must_use]
    pub fn has_expired_ca(&self) -> bool {
        self.has_expired_ca
    }
}

/// Takes client certificates of these authorities. They are optional, or a health probe would need
/// one; one that does not verify ends the handshake.
fn client_verifier(
    authorities: Vec<CertificateDer<'static>>,
) -> Result<Arc<dyn ClientCertVerifier>, (Part, TlsFileError)> {
    let bad = (Part::ClientCa, TlsFileError::BadCertificate);
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority).map_err(|_| bad.clone())?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .allow_unauthenticated()
        .build()
        .map_err(|_| bad)
}

fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsFileError> {
    let found = CertificateDer::pem_slice_iter(text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| TlsFileError::NotPem)?;
    if found.is_empty() {
        return Err(if is_pem(text) {
            TlsFileError::NoCertificate
        } else {
            TlsFileError::NotPem
        });
    }
    Ok(found)
}

fn private_key(text: &[u8]) -> Result<PrivateKeyDer<'static>, TlsFileError> {
    // Before it is parsed: the older form's header lines are no PEM for the parser.
    if is_encrypted(text) {
        return Err(TlsFileError::EncryptedKey);
    }
    let mut found = PrivateKeyDer::pem_slice_iter(text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| TlsFileError::NotPem)?;
    match (found.pop(), found.is_empty()) {
        (Some(key), true) => Ok(key),
        (Some(_), false) => Err(TlsFileError::SeveralKeys),
        (None, _) if is_pem(text) => Err(TlsFileError::NoKey),
        (None, _) => Err(TlsFileError::NotPem),
    }
}

fn is_pem(text: &[u8]) -> bool {
    has(text, b"-----BEGIN ")
}

/// PKCS#8's encrypted form (RFC 7468 section 11), and OpenSSL's older one with its `Proc-Type`
/// line.
fn is_encrypted(text: &[u8]) -> bool {
    has(text, b"-----BEGIN ENCRYPTED PRIVATE KEY-----") || has(text, b"Proc-Type: 4,ENCRYPTED")
}

fn has(text: &[u8], mark: &[u8]) -> bool {
    text.windows(mark.len()).any(|window| window == mark)
}
