//! Handshakes with the material of the moment, and the client's certificate of each request.
//!
//! A request on a connection whose client presented a certificate that verified has a
//! [`ClientCertificate`] in its extensions. Whether the certificate still verifies is asked again
//! as long as requests come, since a connection may stay open for days.

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

use super::{Current, Material};
use crate::net::connections::ConnectionLimiter;

/// After this time a client's certificate is verified again, when a request comes. A verification
/// takes a fraction of a millisecond.
const VERIFY_INTERVAL: Duration = Duration::from_secs(1);

/// An acceptor that gives a connection its slot, makes the handshake, and keeps the client's
/// certificate.
#[derive(Debug, Clone)]
pub struct TlsAcceptor {
    slots: ConnectionLimiter,
    current: Current,
    handshake_timeout: Duration,
}

impl TlsAcceptor {
    /// Handshakes with what is current, ended after this time, on connections that have a slot: one
    /// that stalls takes a slot like any idle connection, and is evicted like one.
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
    type Service = WithCertificate<<RustlsAcceptor<ConnectionLimiter> as Accept<TcpStream, S>>::Service>;
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
                .and_then(|chain| ClientCertificate::new(chain, &material, current));
            Ok((stream, WithCertificate { inner, peer }))
        })
    }
}

/// What was wrong with a client's certificate, where that is why a handshake failed.
pub fn certificate_fault(error: &io::Error) -> Option<&'static str> {
    let rustls::Error::InvalidCertificate(fault) = error.get_ref()?.downcast_ref()? else {
        return None;
    };
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "not our enum; whatever else it may hold is no good either"
    )]
    let reason = match fault {
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
    Some(reason)
}

/// A connection's service: hands the client's certificate to each request.
#[derive(Debug, Clone)]
pub struct WithCertificate<S> {
    inner: S,
    peer: Option<ClientCertificate>,
}

impl<S, B> Service<Request<B>> for WithCertificate<S>
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
        if let Some(peer) = &self.peer {
            request.extensions_mut().insert(peer.clone());
        }
        self.inner.call(request)
    }
}

/// The certificate that a connection's client presented, and that verified in the handshake. Cheap
/// to clone; all clones share what the last verification found.
#[derive(Debug, Clone)]
pub struct ClientCertificate(Arc<Peer>);

#[derive(Debug)]
struct Peer {
    /// The client's own certificate.
    own: CertificateDer<'static>,
    /// What it sent to lead to its root.
    intermediates: Vec<CertificateDer<'static>>,
    current: Current,
    verified: Mutex<Verified>,
}

/// What the last verification found.
#[derive(Debug)]
struct Verified {
    by: Arc<dyn ClientCertVerifier>,
    at: Instant,
    is_good: bool,
}

impl ClientCertificate {
    fn new(chain: &[CertificateDer<'_>], material: &Material, current: Current) -> Option<Self> {
        let (own, intermediates) = chain.split_first()?;
        Some(Self(Arc::new(Peer {
            own: own.clone().into_owned(),
            intermediates: intermediates.iter().map(|one| one.clone().into_owned()).collect(),
            current,
            verified: Mutex::new(Verified {
                by: Arc::clone(material.client_verifier()?),
                at: Instant::now(),
                is_good: true,
            }),
        })))
    }

    /// The certificate in DER, as long as it verifies: when it expires, or when its authority is
    /// taken out of the client CAs, open connections lose it with the next request, and not when
    /// they happen to be closed.
    #[must_use]
    pub fn verified(&self) -> Option<&[u8]> {
        let Peer {
            own,
            intermediates,
            current,
            verified,
        } = &*self.0;
        let material = current.material();
        let verifier = material.client_verifier()?;
        // Nothing inside can panic half-way, so what a poisoned lock holds is still whole.
        let mut verified = verified.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&verified.by, verifier) || verified.at.elapsed() >= VERIFY_INTERVAL {
            let outcome = verifier.verify_client_cert(own, intermediates, UnixTime::now());
            if let (Err(error), true) = (&outcome, verified.is_good) {
                tracing::debug!("a client's certificate does not verify any more: {error}");
            }
            *verified = Verified {
                by: Arc::clone(verifier),
                at: Instant::now(),
                is_good: outcome.is_ok(),
            };
        }
        verified.is_good.then_some(own)
    }
}
