//! Guards the addresses to which a name may lead, of a directory or of another server.
//!
//! A name server can answer with any address, another one each time (DNS rebinding), and services
//! on this machine or link often trust every client: a cloud's metadata service hands out
//! credentials. TLS would refuse most such answers after connecting, but not for an instance that
//! trusts any certificate. So the addresses are looked at each time a connection is made, and only
//! those looked at are connected to.
//!
//! Of directories private addresses stay allowed in both dialects. A plain SCIM server is often
//! inside. AWS's own names have public addresses at AWS, but networks without a way out give them
//! private ones of an inspecting proxy or an interface endpoint. A literal address, and
//! `localhost`, come from the operator alone and are not asked about. Of what a source names
//! [`Reach`] says more.

use std::{
    error::Error,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::Reach;

type LookupFuture = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Resolves names, and withholds the addresses of this machine and its link.
#[derive(Clone)]
pub struct Guard {
    lookup: Arc<dyn Fn(String) -> LookupFuture + Send + Sync>,
    /// Hosts of proxies, which stand where the operator put them.
    trusted: Vec<String>,
    reach: Reach,
}

/// Why a name leads nowhere: none of its addresses may be asked.
#[derive(Debug, thiserror::Error)]
#[error("its name leads to this machine, its link, or nowhere, where no such server is")]
struct Withheld;

/// Whether a request failed since no address of its server may be asked.
pub(super) fn is_withheld(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if error.is::<Withheld>() || inner.is_some_and(|inner| inner.is::<Withheld>()) {
            return true;
        }
        cause = error.source();
    }
    false
}

impl Guard {
    /// Asks the system, and lets the names of these hosts lead anywhere.
    #[must_use]
    pub fn new(trusted: Vec<String>) -> Self {
        Self::with_lookup(trusted, |name| Box::pin(resolve_by_system(name)))
    }

    /// Asks the system, and lets names lead where such a server may be.
    pub(super) fn reaching(reach: Reach) -> Self {
        Self {
            reach,
            ..Self::new(Vec::new())
        }
    }

    fn with_lookup(trusted: Vec<String>, lookup: impl Fn(String) -> LookupFuture + Send + Sync + 'static) -> Self {
        Self {
            lookup: Arc::new(lookup),
            trusted: trusted.iter().map(|name| name.to_ascii_lowercase()).collect(),
            reach: Reach::Elsewhere,
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_ascii_lowercase();
        let (is_trusted, reach) = (self.trusted.contains(&name), self.reach);
        let found = (self.lookup)(name.clone());
        Box::pin(async move {
            let mut addresses = found.await?;
            if !is_trusted {
                addresses.retain(|address| reach.allows(&name, *address));
            }
            if addresses.is_empty() {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, Withheld).into());
            }
            let addresses: Addrs = Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok::<_, Box<dyn Error + Send + Sync>>(addresses)
        })
    }
}

async fn resolve_by_system(name: String) -> io::Result<Vec<IpAddr>> {
    // The connector sets the port.
    Ok(tokio::net::lookup_host((name, 0))
        .await?
        .map(|found| found.ip())
        .collect())
}

#[cfg(test)]
mod tests {
    use std::{
        net::TcpListener,
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use super::*;

    fn client(guard: Guard) -> reqwest::Client {
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let builder = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10));
        builder.tls_certs_only([]).dns_resolver(guard).build().unwrap()
    }

    fn answering(addresses: &[[u8; 4]]) -> impl Fn(String) -> LookupFuture + Send + Sync + 'static {
        let addresses: Vec<IpAddr> = addresses.iter().map(|octets| IpAddr::from(*octets)).collect();
        move |_| {
            let addresses = addresses.clone();
            Box::pin(async move { Ok(addresses) })
        }
    }

    /// Hostile input 96, a name that leads to this machine by now: not connected.
    #[tokio::test]
    async fn nothing_reaches_an_address_that_is_kept_back() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        for addresses in [
            &[[127, 0, 0, 1]][..],
            &[[0, 0, 0, 0]],
            &[[127, 0, 0, 1], [169, 254, 169, 254]],
            &[],
        ] {
            let client = client(Guard::with_lookup(Vec::new(), answering(addresses)));
            let error = client
                .get(format!("http://scim.example.org:{port}/"))
                .send()
                .await
                .unwrap_err();
            assert!(error.is_connect(), "{error:?}");
            let mut cause: &dyn Error = &error;
            while let Some(deeper) = cause.source() {
                cause = deeper;
            }
            assert!(cause.to_string().contains("where no such server is"), "{cause}");
        }
        assert!(listener.accept().is_err(), "somebody connected");
        // The names that may.
        for (name, trusted) in [("localhost", ""), ("proxy.example.org", "Proxy.Example.org")] {
            let guard = Guard::with_lookup(vec![trusted.to_owned()], answering(&[[127, 0, 0, 1]]));
            let client = client(guard);
            let asked = tokio::spawn(client.get(format!("http://{name}:{port}/")).send());
            while listener.accept().is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            asked.abort();
        }
    }

    /// Hostile input 96, a name that leads to this machine or inside by now: not connected, where
    /// the public alone may be asked.
    #[tokio::test]
    async fn only_the_public_is_asked_where_that_is_said() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        for (name, addresses) in [
            ("hr.example.org", &[[127, 0, 0, 1], [10, 0, 0, 1]][..]),
            ("hr.example.org", &[[100, 64, 0, 1]]),
            ("hr.example.org", &[[169, 254, 169, 254]]),
            ("localhost", &[[127, 0, 0, 1]]),
        ] {
            let guard = Guard {
                reach: Reach::Public,
                ..Guard::with_lookup(Vec::new(), answering(addresses))
            };
            let error = client(guard)
                .get(format!("http://{name}:{port}/"))
                .send()
                .await
                .unwrap_err();
            assert!(is_withheld(&error), "{name} at {addresses:?}: {error:?}");
        }
        assert!(listener.accept().is_err(), "a connection was made");
        let guard = Guard {
            reach: Reach::Inside,
            ..Guard::with_lookup(Vec::new(), answering(&[[169, 254, 169, 254], [127, 0, 0, 1]]))
        };
        let asked = tokio::spawn(client(guard).get(format!("http://hr.example.org:{port}/")).send());
        while listener.accept().is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        asked.abort();
    }

    /// Hostile input 96, a name that leads to this machine by now: not connected.
    #[tokio::test]
    async fn a_name_is_looked_at_each_time_a_connection_is_made() {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let guard = Guard::with_lookup(Vec::new(), move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            Box::pin(async { Ok(vec![IpAddr::from([169, 254, 169, 254])]) })
        });
        let client = client(guard);
        for _ in 0..2 {
            assert!(
                client
                    .get("http://scim.example.org/latest/meta-data")
                    .send()
                    .await
                    .is_err()
            );
        }
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn the_system_is_asked_for_localhost() {
        let found = resolve_by_system("localhost".to_owned()).await.unwrap();
        assert!(!found.is_empty() && found.iter().all(IpAddr::is_loopback), "{found:?}");
    }
}
