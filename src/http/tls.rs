//! TLS in front of HTTP: handshakes with the material of the moment, and whose certificate a
//! request comes with.
//!
//! A request on a connection whose client proved a certificate has an `Arc<`[`CertificateNames`]`>`
//! in its extensions. They are read once a connection; whether the certificate still verifies is
//! asked again as long as requests come, since a connection may stay open for days.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use axum::http::Request;
use axum_server::{
    accept::Accept,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use rustls::{
    CertificateError,
    pki_types::{CertificateDer, UnixTime},
    server::danger::ClientCertVerifier,
};
use tokio::net::TcpStream;
use tower::Service;

use crate::{
    auth::CertificateNames,
    http::connections::ConnectionLimiter,
    tls::{Current, Material},
};

/// After this time a client's certificate is verified again, when a request comes. A verification
/// takes a fraction of a millisecond.
const VERIFY_INTERVAL: Duration = Duration::from_secs(1);

/// An acceptor that slots a connection, makes the handshake, and takes down whose certificate the
/// client has.
#[derive(Debug, Clone)]
pub struct TlsAcceptor {
    slots: ConnectionLimiter,
    current: Current,
    handshake_timeout: Duration,
}

impl TlsAcceptor {
    /// Handshakes with what is current, ended after this time, on connections that have a slot: one
    /// that stalls takes a slot like any idle connection, and gives way like one.
    pub fn new(slots: ConnectionLimiter, current: Current, handshake_timeout: Duration) -> Self {
        Self {
            slots,
            current,
            handshake_timeout,
        }
    }
}

impl<S> Accept<TcpStream, S> for TlsAcceptor
where
    S: Send + 'static,
{
    type Stream = <RustlsAcceptor<ConnectionLimiter> as Accept<TcpStream, S>>::Stream;
    type Service = Proven<<RustlsAcceptor<ConnectionLimiter> as Accept<TcpStream, S>>::Service>;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        // One handshake has one material from its start to its end, so that what verified the
        // client is known.
        let material = self.current.material();
        let accepting = RustlsAcceptor::new(RustlsConfig::from_config(Arc::clone(material.config())))
            .handshake_timeout(self.handshake_timeout)
            .acceptor(self.slots.clone())
            .accept(stream, service);
        let current = self.current.clone();
        Box::pin(async move {
            let (stream, inner) = accepting.await?;
            let (_, connection) = stream.get_ref();
            let peer = connection
                .peer_certificates()
                .and_then(|chain| Peer::new(chain, &material, current))
                .map(Arc::new);
            Ok((stream, Proven { inner, peer }))
        })
    }
}

/// What was wrong with a client's certificate, where that is why a handshake failed.
pub(super) fn certificate_fault(error: &io::Error) -> Option<&'static str> {
    let rustls::Error::InvalidCertificate(fault) = error.get_ref()?.downcast_ref()? else {
        return None;
    };
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "not our enum; whatever else it may hold is no good either"
    )]
    let told = match fault {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "an expired certificate",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "a certificate that is not valid yet"
        }
        CertificateError::UnknownIssuer => "a certificate of an unknown issuer",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "a certificate for another purpose"
        }
        _ => "a certificate that does not verify",
    };
    Some(told)
}

/// A connection's service: tells each request whose certificate it comes with.
#[derive(Debug, Clone)]
pub struct Proven<S> {
    inner: S,
    peer: Option<Arc<Peer>>,
}

impl<S, B> Service<Request<B>> for Proven<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if let Some(peer) = &self.peer
            && let Some(names) = peer.names()
        {
            request.extensions_mut().insert(names);
            request.extensions_mut().insert(Client(Arc::clone(peer)));
        }
        self.inner.call(request)
    }
}

/// The client of a request, to be asked again for its names later on: its certificate may have
/// ceased to verify.
#[derive(Debug, Clone)]
pub(super) struct Client(Arc<Peer>);

impl Client {
    /// The names that its certificate proves now; none when it does not verify any more.
    pub(super) fn names(&self) -> Option<Arc<CertificateNames>> {
        self.0.names()
    }
}

/// The client at the other end of a connection, who presented a certificate that verified in the
/// handshake.
#[derive(Debug)]
struct Peer {
    /// Its own certificate first.
    chain: Vec<CertificateDer<'static>>,
    names: Arc<CertificateNames>,
    current: Current,
    verified: Mutex<Verified>,
}

/// What came of the last verification.
#[derive(Debug)]
struct Verified {
    by: Arc<dyn ClientCertVerifier>,
    at: Instant,
    well: bool,
}

impl Peer {
    fn new(chain: &[CertificateDer<'_>], material: &Material, current: Current) -> Option<Self> {
        let by = Arc::clone(material.client_verifier()?);
        let names = match CertificateNames::from_der(chain.first()?) {
            Ok(names) => Arc::new(names),
            Err(fault) => {
                tracing::debug!("a client's certificate proves nothing: {fault}");
                return None;
            }
        };
        Some(Self {
            chain: chain
                .iter()
                .map(|certificate| certificate.clone().into_owned())
                .collect(),
            names,
            current,
            verified: Mutex::new(Verified {
                by,
                at: Instant::now(),
                well: true,
            }),
        })
    }

    /// The names, as long as the certificate verifies: when it expires, or when its authority is
    /// taken out of the client CAs, open connections lose them with the next request, and not when
    /// they happen to be closed.
    fn names(&self) -> Option<Arc<CertificateNames>> {
        let material = self.current.material();
        let verifier = material.client_verifier()?;
        // Nothing inside can panic half-way, so what a poisoned lock holds is still whole.
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&verified.by, verifier) || verified.at.elapsed() >= VERIFY_INTERVAL {
            let (own, others) = self.chain.split_first()?;
            let outcome = verifier.verify_client_cert(own, others, UnixTime::now());
            if let (Err(error), true) = (&outcome, verified.well) {
                tracing::debug!("a client's certificate does not verify any more: {error}");
            }
            *verified = Verified {
                by: Arc::clone(verifier),
                at: Instant::now(),
                well: outcome.is_ok(),
            };
        }
        verified.well.then(|| Arc::clone(&self.names))
    }
}
