//! Guards the addresses to which a name may lead, of a directory or of another server.
//!
//! A name server can answer with any address, another one each time (DNS rebinding), and services
//! on this machine or link often trust every client: a cloud's metadata service hands out
//! credentials. TLS would refuse most such answers after connecting, but not for an instance that
//! trusts any certificate. So the addresses are looked at each time a connection is made, and only
//! those looked at are connected to.
//!
//! Private addresses stay allowed in both dialects. A plain SCIM server is often inside. AWS's own
//! names have public addresses at AWS, but networks without a way out give them private ones of an
//! inspecting proxy or an interface endpoint. A literal address, and `localhost`, come from the
//! operator alone and are not asked about.

use std::{
    error::Error,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    sync::Arc,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// AWS's services of the link by IPv6 (EC2 user guide, "Instance metadata"): they look like private
/// addresses.
const AWS_LINK: [u16; 2] = [0xfd00, 0x0ec2];

/// The name that always means this machine (RFC 6761 section 6.3), and that the configuration
/// accepts as such.
const LOCALHOST: &str = "localhost";

type LookupFuture = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Resolves names, and withholds the addresses of this machine and its link.
#[derive(Clone)]
pub struct Guard {
    lookup: Arc<dyn Fn(String) -> LookupFuture + Send + Sync>,
    /// Hosts of proxies, which stand where the operator put them.
    trusted: Vec<String>,
}

impl Guard {
    /// Asks the system, and lets the names of these hosts lead anywhere.
    #[must_use]
    pub fn new(trusted: Vec<String>) -> Self {
        Self::with_lookup(trusted, |name| Box::pin(resolve_by_system(name)))
    }

    fn with_lookup(trusted: Vec<String>, lookup: impl Fn(String) -> LookupFuture + Send + Sync + 'static) -> Self {
        Self {
            lookup: Arc::new(lookup),
            trusted: trusted.iter().map(|name| name.to_ascii_lowercase()).collect(),
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_ascii_lowercase();
        let is_trusted = self.trusted.contains(&name);
        let found = (self.lookup)(name.clone());
        Box::pin(async move {
            let mut addresses = found.await?;
            if !is_trusted {
                addresses.retain(|address| is_allowed(&name, *address));
            }
            if addresses.is_empty() {
                let why = "its name leads to this machine, its link, or nowhere, where no such server is";
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, why).into());
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

fn is_allowed(name: &str, address: IpAddr) -> bool {
    if name == LOCALHOST {
        return address.is_loopback();
    }
    match address {
        IpAddr::V4(address) => is_remote(address),
        IpAddr::V6(address) => is_remote_v6(address),
    }
}

/// Whether an address is neither this machine (`0.0.0.0/8` reaches it too), nor its link, nor
/// multicast, nor reserved.
fn is_remote(address: Ipv4Addr) -> bool {
    let first = address.octets()[0];
    !(first == 0 || address.is_loopback() || address.is_link_local() || first >= 224)
}

fn is_remote_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let is_link = segments[..2] == AWS_LINK || address.is_unicast_link_local();
    let is_this_machine = address.is_unspecified() || address.is_loopback();
    let embedded = embedded(segments).is_none_or(is_remote);
    !(is_this_machine || is_link || address.is_multicast()) && embedded
}

/// The IPv4 address that an IPv6 address comes out at: mapped and compatible ones (RFC 4291 section
/// 2.5.5), behind NAT64 (RFC 6052 section 2.1, RFC 8215), and 6to4 (RFC 3056).
fn embedded(segments: [u16; 8]) -> Option<Ipv4Addr> {
    let at = |high: usize| {
        let [a, b] = segments[high].to_be_bytes();
        let [c, d] = segments[high + 1].to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    match segments {
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => Some(at(6)),
        [0x64, 0xff9b, 0 | 1, ..] => Some(at(6)),
        [0x2002, ..] => Some(at(1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::TcpListener,
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use super::*;

    #[test]
    fn a_directory_is_elsewhere() {
        for (address, expected) in [
            ("52.94.0.1", true),
            ("10.0.0.1", true),
            ("172.16.5.5", true),
            ("192.168.1.1", true),
            ("100.64.0.1", true),
            ("2600:1f18::1", true),
            ("fd12:3456::1", true),
            ("::ffff:52.94.0.1", true),
            ("64:ff9b::345e:1", true),
            ("127.0.0.1", false),
            ("127.9.9.9", false),
            ("0.0.0.0", false),
            ("0.1.2.3", false),
            ("169.254.169.254", false),
            ("169.254.170.2", false),
            ("224.0.0.1", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("fe80::1", false),
            ("febf::1", false),
            ("ff02::1", false),
            ("fd00:ec2::254", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:169.254.169.254", false),
            ("::127.0.0.1", false),
            ("::ffff:0:127.0.0.1", false),
            ("64:ff9b::7f00:1", false),
            ("64:ff9b:1::a9fe:a9fe", false),
            ("2002:7f00:1::", false),
            ("2002:a9fe:a9fe::1", false),
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(
                is_allowed("scim.us-east-1.amazonaws.com", address),
                expected,
                "{address}"
            );
        }
        assert!(is_allowed(LOCALHOST, Ipv4Addr::LOCALHOST.into()));
        assert!(is_allowed(LOCALHOST, Ipv6Addr::LOCALHOST.into()));
        assert!(!is_allowed(LOCALHOST, Ipv4Addr::new(169, 254, 169, 254).into()));
    }

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
        let found = resolve_by_system(LOCALHOST.to_owned()).await.unwrap();
        assert!(!found.is_empty() && found.iter().all(IpAddr::is_loopback), "{found:?}");
    }
}
