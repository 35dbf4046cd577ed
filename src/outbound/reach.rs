//! Which addresses a request may go to, by who names its server.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// AWS's services of the link by IPv6 (EC2 user guide, "Instance metadata"): they look like private
/// addresses.
const AWS_LINK: [u16; 2] = [0xfd00, 0x0ec2];

/// The name that always means this machine (RFC 6761 section 6.3), and that the configuration
/// accepts as such.
pub(super) const LOCALHOST: &str = "localhost";

/// Where a request may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Where a directory or an issuer of keys may be: anywhere but on this machine and its link.
    /// Private addresses are among that; `localhost` is this machine, since the operator wrote it.
    Elsewhere,
    /// Public addresses alone.
    Public,
    /// Public and private addresses, and this machine. Its link is not among them: a cloud's
    /// metadata service hands out credentials there.
    Inside,
}

impl Reach {
    /// Whether a name may lead to an address.
    pub(super) fn allows(self, name: &str, address: IpAddr) -> bool {
        match self {
            Self::Elsewhere if name == LOCALHOST => address.is_loopback(),
            Self::Elsewhere => is_elsewhere(address),
            Self::Public => is_public(address),
            Self::Inside => is_elsewhere(address) || is_this_machine(address),
        }
    }

    /// Whether the host of a URL may be asked at all. A name may: its addresses are looked at when
    /// the connection is made, and those of a literal address never come by there.
    pub fn allows_host(self, url: &Url) -> bool {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => address.into(),
            Some(Host::Ipv6(address)) => address.into(),
            Some(Host::Domain(name)) => return self != Self::Public || !is_of_this_machine(name),
            None => return false,
        };
        self.allows("", address)
    }
}

/// Whether a name means this machine whatever name servers say (RFC 6761 section 6.3).
fn is_of_this_machine(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == LOCALHOST || name.ends_with(".localhost")
}

fn is_this_machine(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback(),
        IpAddr::V6(address) => {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|address| address.is_loopback())
        }
    }
}

fn is_elsewhere(address: IpAddr) -> bool {
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

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address.segments()),
    }
}

/// Whether an address is globally reachable by IANA's registry of special-purpose addresses (RFC
/// 6890); those of relays and tests are not.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_shared = a == 100 && b & 0xc0 == 64;
    let is_of_protocols = (a, b, c) == (192, 0, 0) || (a, b, c) == (192, 88, 99);
    let is_of_tests = a == 198 && b & 0xfe == 18;
    is_remote(address)
        && !(address.is_private() || is_shared || is_of_protocols || is_of_tests || address.is_documentation())
}

/// Whether an IPv6 address is global unicast (RFC 4291 section 2.5.4) and comes out at no other. Of
/// what embeds an IPv4 address those are that have a meaning in public: mapped, behind the
/// well-known prefix of NAT64, and 6to4.
fn is_public_v6(segments: [u16; 8]) -> bool {
    match segments {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] | [0x2002, ..] => {
            embedded(segments).is_some_and(is_public_v4)
        }
        // Protocols' own, Teredo among them (RFC 2928), and documentation (RFC 3849, RFC 9637).
        [0x2001, second, ..] if second < 0x0200 || second == 0x0db8 => false,
        [0x3fff, second, ..] if second < 0x1000 => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each address with where it may be asked: elsewhere, in public, inside.
    const ADDRESSES: [(&str, [bool; 3]); 68] = [
        ("52.94.0.1", [true, true, true]),
        ("1.1.1.1", [true, true, true]),
        ("100.63.255.255", [true, true, true]),
        ("100.128.0.1", [true, true, true]),
        ("172.15.0.1", [true, true, true]),
        ("172.32.0.1", [true, true, true]),
        ("192.0.1.1", [true, true, true]),
        ("198.20.0.1", [true, true, true]),
        ("223.255.255.255", [true, true, true]),
        ("10.0.0.1", [true, false, true]),
        ("10.255.255.255", [true, false, true]),
        ("172.16.5.5", [true, false, true]),
        ("172.31.255.255", [true, false, true]),
        ("192.168.1.1", [true, false, true]),
        ("100.64.0.1", [true, false, true]),
        ("100.127.255.255", [true, false, true]),
        ("192.0.0.8", [true, false, true]),
        ("192.0.2.1", [true, false, true]),
        ("192.88.99.1", [true, false, true]),
        ("198.18.0.1", [true, false, true]),
        ("198.19.255.255", [true, false, true]),
        ("198.51.100.1", [true, false, true]),
        ("203.0.113.1", [true, false, true]),
        ("127.0.0.1", [false, false, true]),
        ("127.9.9.9", [false, false, true]),
        ("0.0.0.0", [false, false, false]),
        ("0.1.2.3", [false, false, false]),
        ("169.254.169.254", [false, false, false]),
        ("169.254.170.2", [false, false, false]),
        ("224.0.0.1", [false, false, false]),
        ("240.0.0.1", [false, false, false]),
        ("255.255.255.255", [false, false, false]),
        ("2600:1f18::1", [true, true, true]),
        ("2a00:1450::1", [true, true, true]),
        ("2001:4860::1", [true, true, true]),
        ("3fff:1000::1", [true, true, true]),
        ("::ffff:52.94.0.1", [true, true, true]),
        ("64:ff9b::345e:1", [true, true, true]),
        ("2002:345e:1::1", [true, true, true]),
        ("fd12:3456::1", [true, false, true]),
        ("fc00::1", [true, false, true]),
        ("fec0::1", [true, false, true]),
        ("2001::1", [true, false, true]),
        ("2001:0:7f00:1::", [true, false, true]),
        ("2001:20::1", [true, false, true]),
        ("2001:db8::1", [true, false, true]),
        ("3fff::1", [true, false, true]),
        ("100::1", [true, false, true]),
        ("5f00::1", [true, false, true]),
        ("4000::1", [true, false, true]),
        ("::52.94.0.1", [true, false, true]),
        ("::ffff:10.0.0.1", [true, false, true]),
        ("::ffff:100.64.0.1", [true, false, true]),
        ("64:ff9b::a00:1", [true, false, true]),
        ("64:ff9b:1::a00:1", [true, false, true]),
        ("64:ff9b:1::345e:1", [true, false, true]),
        ("2002:a00:1::", [true, false, true]),
        ("::1", [false, false, true]),
        ("::ffff:127.0.0.1", [false, false, true]),
        ("::", [false, false, false]),
        ("fe80::1", [false, false, false]),
        ("ff02::1", [false, false, false]),
        ("fd00:ec2::254", [false, false, false]),
        ("::ffff:169.254.169.254", [false, false, false]),
        ("::ffff:0:127.0.0.1", [false, false, false]),
        ("64:ff9b::7f00:1", [false, false, false]),
        ("64:ff9b:1::a9fe:a9fe", [false, false, false]),
        ("2002:a9fe:a9fe::1", [false, false, false]),
    ];

    #[test]
    fn each_kind_of_server_has_its_addresses() {
        for (text, expected) in ADDRESSES {
            let address: IpAddr = text.parse().unwrap();
            let found = [Reach::Elsewhere, Reach::Public, Reach::Inside];
            let found = found.map(|reach| reach.allows("scim.example.org", address));
            assert_eq!(found, expected, "{text}");
        }
        for (text, expected) in [
            ("127.0.0.1", [true, false, true]),
            ("::1", [true, false, true]),
            ("169.254.169.254", [false, false, false]),
            ("52.94.0.1", [false, true, true]),
        ] {
            let address: IpAddr = text.parse().unwrap();
            let found = [Reach::Elsewhere, Reach::Public, Reach::Inside].map(|reach| reach.allows(LOCALHOST, address));
            assert_eq!(found, expected, "{LOCALHOST} at {text}");
        }
    }

    #[test]
    fn a_literal_address_is_judged_in_whatever_form_it_is_written() {
        for (host, expected) in [
            ("hr.example.com", [true, true]),
            ("52.94.0.1", [true, true]),
            ("[2600:1f18::1]", [true, true]),
            ("localhost", [false, true]),
            ("localhost.", [false, true]),
            ("LOCALHOST", [false, true]),
            ("hr.localhost", [false, true]),
            ("127.0.0.1", [false, true]),
            ("127.1", [false, true]),
            ("2130706433", [false, true]),
            ("0x7f000001", [false, true]),
            ("017700000001", [false, true]),
            ("127.0.0.1.", [false, true]),
            ("%31%32%37.0.0.1", [false, true]),
            ("127。0。0。1", [false, true]),
            ("[::1]", [false, true]),
            ("[::ffff:7f00:1]", [false, true]),
            ("10.1.2.3", [false, true]),
            ("[fd12::1]", [false, true]),
            ("0.0.0.0", [false, false]),
            ("0", [false, false]),
            ("169.254.169.254", [false, false]),
            ("2852039166", [false, false]),
            ("[::ffff:169.254.169.254]", [false, false]),
            ("[fe80::1]", [false, false]),
        ] {
            let url = Url::parse(&format!("https://{host}/x")).unwrap();
            let found = [Reach::Public, Reach::Inside].map(|reach| reach.allows_host(&url));
            assert_eq!(found, expected, "{host}");
        }
    }
}
