//! Which host names this service answers to.
//!
//! A web page can make a visitor's browser send requests to `127.0.0.1` by letting its own name
//! resolve there (DNS rebinding). Such requests carry the page's name in `Host`, so as long as no
//! caller has to prove who it is, only loopback and configured names are answered. What RFC 9112
//! section 3.2 requires of `Host` itself (there, once, well-formed) is held in any case.

use std::net::{Ipv4Addr, Ipv6Addr};

use axum::http::{HeaderMap, Uri, Version, header, uri::Authority};

use crate::http::problem::Problem;

/// Marks a request that is answered under a name that is not ours.
#[derive(Debug, Clone, Copy)]
pub(super) struct ForeignHost;

/// The host names that are answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostRule {
    /// In lower case, without ports; `None` lets every name pass.
    names: Option<Vec<String>>,
}

impl HostRule {
    /// Every name is answered; for a service whose callers have to authenticate.
    pub fn any() -> Self {
        Self { names: None }
    }

    /// Loopback (`localhost`, `127.0.0.0/8`, `[::1]`) and these names are answered, whatever their
    /// case and port.
    pub fn loopback_and(names: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        Self {
            names: Some(
                names
                    .into_iter()
                    .map(|name| name.as_ref().to_ascii_lowercase())
                    .collect(),
            ),
        }
    }

    /// Checks a request: 400 for a `Host` that is missing, doubled or malformed, 421 for a name
    /// that is not answered here.
    ///
    /// An absolute-form target or HTTP/2's `:authority` names the host where there is one (RFC 9112
    /// section 3.2.2). A `Host` that differs from it is refused instead of ignored: whatever stands
    /// before us may have gone by the other one.
    pub fn check(&self, version: Version, target: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let mut fields = headers.get_all(header::HOST).iter();
        let field = match (fields.next(), fields.next()) {
            (None, _) if version == Version::HTTP_11 => return Err(Problem::bad_header("Host", "is missing")),
            (None, _) => None,
            (Some(field), None) => {
                let host = field.to_str().ok().and_then(host_of);
                Some(host.ok_or_else(|| Problem::bad_header("Host", "is not a host name with an optional port"))?)
            }
            (Some(_), Some(_)) => return Err(Problem::bad_header("Host", "is given twice")),
        };
        if target
            .scheme_str()
            .is_some_and(|scheme| scheme != "http" && scheme != "https")
        {
            return Err(Problem::misdirected_target());
        }
        let target = match target.authority() {
            Some(authority) => Some(host_of(authority.as_str()).ok_or_else(Problem::misdirected_target)?),
            None => None,
        };
        if let (Some(target), Some(field)) = (&target, &field)
            && target != field
        {
            return Err(Problem::misdirected_target());
        }
        match (&self.names, target.or(field)) {
            (None, _) => Ok(()),
            // HTTP/1.0 may leave it out; no browser does.
            (Some(_), None) => Err(Problem::bad_header("Host", "is missing")),
            (Some(names), Some(host)) if is_loopback(&host) || names.contains(&host) => Ok(()),
            (Some(_), Some(_)) => Err(Problem::misdirected()),
        }
    }
}

/// The host in lower case; `None` for what is not `host[:port]`.
fn host_of(text: &str) -> Option<String> {
    // User information has no place in Host (RFC 9110 section 7.2), and is what lets one name look
    // like another.
    if text.contains('@') {
        return None;
    }
    let authority: Authority = text.parse().ok()?;
    let host = authority.host();
    let port = text.strip_prefix(host)?;
    let is_port = port.is_empty() || authority.port_u16().is_some();
    (is_port && !host.is_empty()).then(|| host.to_ascii_lowercase())
}

fn is_loopback(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback());
    }
    host == "localhost" || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::problem::ProblemType;

    fn check(rule: &HostRule, version: Version, target: &str, hosts: &[&str]) -> Result<(), ProblemType> {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, host.parse().unwrap());
        }
        rule.check(version, &target.parse().unwrap(), &headers)
            .map_err(|problem| problem.problem_type())
    }

    #[test]
    fn loopback_and_configured_names_pass_others_do_not() {
        let rule = HostRule::loopback_and(["ILM.example.com"]);
        for (host, expected) in [
            ("localhost", Ok(())),
            ("LocalHost:8080", Ok(())),
            ("127.0.0.1:1", Ok(())),
            ("127.9.9.9", Ok(())),
            ("[::1]", Ok(())),
            ("[::1]:8080", Ok(())),
            ("[0:0:0:0:0:0:0:1]", Ok(())),
            ("ilm.EXAMPLE.com:443", Ok(())),
            ("evil.example", Err(ProblemType::Misdirected)),
            ("localhost.", Err(ProblemType::Misdirected)),
            ("localhost.evil.example", Err(ProblemType::Misdirected)),
            ("127.0.0.1.evil.example", Err(ProblemType::Misdirected)),
            ("127.1", Err(ProblemType::Misdirected)),
            ("128.0.0.1", Err(ProblemType::Misdirected)),
            ("[::ffff:127.0.0.1]", Err(ProblemType::Misdirected)),
            ("x.ilm.example.com", Err(ProblemType::Misdirected)),
            ("", Err(ProblemType::BadHeader)),
            (":80", Err(ProblemType::BadHeader)),
            ("localhost:", Err(ProblemType::BadHeader)),
            ("localhost:x", Err(ProblemType::BadHeader)),
            ("localhost:99999", Err(ProblemType::BadHeader)),
            ("a@localhost", Err(ProblemType::BadHeader)),
            ("local host", Err(ProblemType::BadHeader)),
            ("localhost/x", Err(ProblemType::BadHeader)),
            ("[::1", Err(ProblemType::BadHeader)),
        ] {
            assert_eq!(check(&rule, Version::HTTP_11, "/", &[host]), expected, "{host}");
        }
    }

    #[test]
    fn host_is_there_once_and_agrees_with_the_target() {
        let strict = HostRule::loopback_and([""; 0]);
        let open = HostRule::any();
        for (rule, version, target, hosts, expected) in [
            (&strict, Version::HTTP_11, "/", &[][..], Err(ProblemType::BadHeader)),
            (&open, Version::HTTP_11, "/", &[], Err(ProblemType::BadHeader)),
            (&open, Version::HTTP_11, "http://a/", &[], Err(ProblemType::BadHeader)),
            (
                &strict,
                Version::HTTP_11,
                "/",
                &["localhost", "localhost"],
                Err(ProblemType::BadHeader),
            ),
            (&open, Version::HTTP_11, "/", &["a", "b"], Err(ProblemType::BadHeader)),
            (&strict, Version::HTTP_10, "/", &[], Err(ProblemType::BadHeader)),
            (&open, Version::HTTP_10, "/", &[], Ok(())),
            (&open, Version::HTTP_11, "/", &["anything"], Ok(())),
            (&open, Version::HTTP_11, "/", &["a@b"], Err(ProblemType::BadHeader)),
            (&strict, Version::HTTP_11, "http://localhost/x", &["localhost"], Ok(())),
            (
                &strict,
                Version::HTTP_11,
                "http://evil/x",
                &["evil"],
                Err(ProblemType::Misdirected),
            ),
            (
                &strict,
                Version::HTTP_11,
                "http://evil/x",
                &["localhost"],
                Err(ProblemType::Misdirected),
            ),
            (
                &open,
                Version::HTTP_11,
                "http://evil/x",
                &["localhost"],
                Err(ProblemType::Misdirected),
            ),
            (
                &strict,
                Version::HTTP_11,
                "ftp://localhost/x",
                &["localhost"],
                Err(ProblemType::Misdirected),
            ),
            (&strict, Version::HTTP_2, "http://localhost:8080/x", &[], Ok(())),
            (
                &strict,
                Version::HTTP_2,
                "http://evil/x",
                &[],
                Err(ProblemType::Misdirected),
            ),
            (&strict, Version::HTTP_2, "/x", &[], Err(ProblemType::BadHeader)),
        ] {
            assert_eq!(
                check(rule, version, target, hosts),
                expected,
                "{version:?} {target} {hosts:?}"
            );
        }
    }
}
