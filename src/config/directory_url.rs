//! Which URLs a directory may have, and the one form that they are brought to.
//!
//! The token is sent to this URL with every request, so a slip here hands it to a stranger. The URL
//! standard's parser is forgiving (`127.1`, `0xA9FEA9FE`, tabs, `\` and `@` all become something
//! else), which is why the text as written is held against what the parser made of it: whatever it
//! had to interpret is refused.

use url::{Host, Url};

use crate::scim::Dialect;

/// The suffixes of AWS's partitions: commercial and GovCloud, China, European sovereign, and the
/// two dual-stack ones. Source: the partition table of the AWS SDKs, and the Identity Center user
/// guide for `scim.<region>.<suffix>`.
const AWS_SUFFIXES: [&str; 5] = [
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "api.aws",
    "api.amazonwebservices.com.cn",
];
const LONGEST_URL: usize = 2048;
const LONGEST_TENANT: usize = 64;
const HTTPS_PORT: u16 = 443;
/// Below this are other protocols' ports, to which a browser would not speak HTTP either.
const FIRST_FREE_PORT: u16 = 1024;

/// Where a directory is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directory {
    /// Ends in a slash, so that `Users` can be joined to it.
    pub(super) url: Url,
    /// Empty for a plain RFC 7644 server that has none.
    pub(super) tenant_id: String,
}

/// What is wrong, and with which of the two settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DirectoryUrlError {
    pub(super) setting: &'static str,
    pub(super) help: String,
}

/// Brings a directory's URL and tenant to the one form.
///
/// With [`Dialect::Aws`] the result is `https://host/TENANT/scim/v2/`, however much of that was
/// written. With [`Dialect::Rfc7644`] the URL stands as it is, with a slash at its end, and a
/// tenant is appended only when it is given.
pub(super) fn normalise(text: &str, tenant: Option<&str>, dialect: Dialect) -> Result<Directory, DirectoryUrlError> {
    let mut url = parse_strictly(text)?;
    let loopback = is_loopback(&url);
    if !loopback {
        refuse_unsafe_host(&url, dialect)?;
    }
    if let Some(tenant) = tenant {
        check_tenant(tenant)?;
    }
    let segments: Vec<&str> = url.path().trim_end_matches('/').split('/').skip(1).collect();
    if segments.iter().any(|segment| segment.is_empty()) {
        return Err(wrong_url("remove the doubled slash in its path"));
    }
    let (path, tenant_id) = match dialect {
        Dialect::Aws => {
            let tenant = aws_tenant(&segments, tenant)?;
            (format!("/{tenant}/scim/v2/"), tenant)
        }
        Dialect::Rfc7644 => {
            let mut path = segments
                .iter()
                .fold(String::from("/"), |path, segment| path + segment + "/");
            if let Some(tenant) = tenant {
                path = path + tenant + "/scim/v2/";
            }
            (path, tenant.unwrap_or_default().to_owned())
        }
    };
    url.set_path(&path);
    Ok(Directory { url, tenant_id })
}

/// Parses a URL and refuses what the parser understood otherwise than it is written.
fn parse_strictly(text: &str) -> Result<Url, DirectoryUrlError> {
    if text.len() > LONGEST_URL {
        return Err(wrong_url("it is too long to be a SCIM endpoint"));
    }
    if text
        .chars()
        .any(|character| !character.is_ascii_graphic() || character == '\\')
    {
        return Err(wrong_url(
            "remove white space, backslashes and characters outside ASCII",
        ));
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(wrong_url("use a whole URL, like https://scim.us-east-1.amazonaws.com/"));
    };
    let scheme = scheme.to_ascii_lowercase();
    if scheme != "https" && scheme != "http" {
        return Err(wrong_url("use https"));
    }
    if rest.contains(['?', '#']) {
        return Err(wrong_url("remove the query and the fragment"));
    }
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err(wrong_url(
            "remove what stands before the @; the token is a setting of its own",
        ));
    }
    let url = Url::parse(text).map_err(|_| wrong_url("use a valid URL, like https://scim.us-east-1.amazonaws.com/"))?;
    let host = url.host_str().unwrap_or_default();
    let Some(port) = authority.to_ascii_lowercase().strip_prefix(host).map(str::to_owned) else {
        return Err(wrong_url(
            "write the host's name as it is, without escapes or another spelling of an IP address",
        ));
    };
    let expected = url.port_or_known_default().unwrap_or_default();
    if expected == 0 || !(port.is_empty() || port == format!(":{expected}")) {
        return Err(wrong_url("write the host's name and port plainly"));
    }
    if !(path.is_empty() || path == url.path()) {
        return Err(wrong_url("remove dot segments and unusual characters from its path"));
    }
    if scheme == "http" && !is_loopback(&url) {
        return Err(wrong_url("use https"));
    }
    Ok(url)
}

/// Loopback by its address or by the one name that always means it (RFC 6761 section 6.3); not
/// `localhost.` and not a subdomain, which some resolvers ask the network about.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn refuse_unsafe_host(url: &Url, dialect: Dialect) -> Result<(), DirectoryUrlError> {
    let Some(Host::Domain(name)) = url.host() else {
        return Err(wrong_url("use the host's name instead of an IP address"));
    };
    let labels_are_plain = name.split('.').all(|label| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    });
    if !labels_are_plain || !name.contains('.') || name.ends_with(".localhost") {
        return Err(wrong_url("use the host's full name, without a dot at its end"));
    }
    let port = url.port_or_known_default().unwrap_or(HTTPS_PORT);
    match dialect {
        Dialect::Aws if !is_aws_host(name) => Err(wrong_url(
            "use IAM Identity Center's SCIM endpoint, scim.REGION.amazonaws.com, or set scim_dialect to \"rfc7644\" for \
             another server",
        )),
        Dialect::Aws if port != HTTPS_PORT => Err(wrong_url("remove the port; AWS serves 443 alone")),
        Dialect::Rfc7644 if port != HTTPS_PORT && port < FIRST_FREE_PORT => {
            Err(wrong_url("use port 443 or one from 1024 on"))
        }
        Dialect::Aws | Dialect::Rfc7644 => Ok(()),
    }
}

/// `scim.` + a Region + one of the suffixes, and nothing between or around them.
fn is_aws_host(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("scim.") else {
        return false;
    };
    let Some((region, suffix)) = rest.split_once('.') else {
        return false;
    };
    AWS_SUFFIXES.contains(&suffix) && is_region(region)
}

/// Words of letters and a number, by hyphens: `us-east-1`, `us-gov-west-1`, `eusc-de-east-1`. No
/// list of Regions, which would be out of date within the year.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let Some((number, words)) = parts.split_last() else {
        return false;
    };
    (2..=4).contains(&words.len())
        && words
            .iter()
            .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
        && (1..=2).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// The tenant out of a path of which any part may have been pasted, agreeing with the setting if
/// both are there.
fn aws_tenant(segments: &[&str], given: Option<&str>) -> Result<String, DirectoryUrlError> {
    let is_suffix = |scim: &str, version: &str| scim.eq_ignore_ascii_case("scim") && version.eq_ignore_ascii_case("v2");
    let pasted = match *segments {
        [] => None,
        [scim, version] if is_suffix(scim, version) => None,
        [tenant] if !tenant.eq_ignore_ascii_case("scim") => Some(tenant),
        [tenant, scim, version] if is_suffix(scim, version) => Some(tenant),
        _ => return Err(wrong_url("let its path end in /TENANT/scim/v2/ or leave the path out")),
    };
    if let Some(pasted) = pasted
        && check_tenant(pasted).is_err()
    {
        return Err(wrong_url(
            "the tenant in its path may have letters, digits and hyphens only",
        ));
    }
    match (pasted, given) {
        (Some(pasted), Some(given)) if pasted != given => Err(DirectoryUrlError {
            setting: "tenant_id",
            help: "it is not the tenant in url: make them agree, or leave one of the two out".to_owned(),
        }),
        (Some(tenant), _) | (None, Some(tenant)) => Ok(tenant.to_owned()),
        (None, None) => Err(DirectoryUrlError {
            setting: "tenant_id",
            help: "set it, or give the whole SCIM endpoint as url, with the tenant in it".to_owned(),
        }),
    }
}

fn check_tenant(tenant: &str) -> Result<(), DirectoryUrlError> {
    let plain = tenant.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if tenant.is_empty() || tenant.len() > LONGEST_TENANT || !plain {
        return Err(DirectoryUrlError {
            setting: "tenant_id",
            help: format!("use 1 to {LONGEST_TENANT} letters, digits and hyphens"),
        });
    }
    Ok(())
}

fn wrong_url(help: &str) -> DirectoryUrlError {
    DirectoryUrlError {
        setting: "url",
        help: help.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AWS: &str = "https://scim.us-east-1.amazonaws.com";

    #[test]
    fn every_pasted_form_comes_to_the_same_url() {
        let expected = format!("{AWS}/abc-1/scim/v2/");
        for (text, tenant) in [
            (AWS.to_owned(), Some("abc-1")),
            (format!("{AWS}/"), Some("abc-1")),
            (format!("{AWS}///"), Some("abc-1")),
            (format!("{AWS}:443/"), Some("abc-1")),
            ("HTTPS://SCIM.US-East-1.amazonaws.com".to_owned(), Some("abc-1")),
            (format!("{AWS}/scim/v2"), Some("abc-1")),
            (format!("{AWS}/scim/v2/"), Some("abc-1")),
            (format!("{AWS}/SCIM/V2/"), Some("abc-1")),
            (format!("{AWS}/abc-1"), None),
            (format!("{AWS}/abc-1/"), Some("abc-1")),
            (format!("{AWS}/abc-1/scim/v2"), None),
            (format!("{AWS}/abc-1/scim/v2//"), None),
            (format!("{AWS}/abc-1/scim/v2/"), Some("abc-1")),
        ] {
            let found = normalise(&text, tenant, Dialect::Aws).unwrap_or_else(|refusal| panic!("{text}: {refusal:?}"));
            assert_eq!(found.url.as_str(), expected, "{text}");
            assert_eq!(found.tenant_id, "abc-1", "{text}");
        }
    }

    #[test]
    fn the_hosts_of_every_partition_and_loopback_are_accepted() {
        for origin in [
            "https://scim.us-gov-west-1.amazonaws.com",
            "https://scim.cn-north-1.amazonaws.com.cn",
            "https://scim.eusc-de-east-1.amazonaws.eu",
            "https://scim.eu-central-2.api.aws",
            "https://scim.cn-northwest-1.api.amazonwebservices.com.cn",
            "https://scim.af-south-1.amazonaws.com",
            "http://127.0.0.1:8081",
            "http://127.9.9.9",
            "http://[::1]:9",
            "http://localhost:22",
            "https://localhost:8443",
        ] {
            let found =
                normalise(origin, Some("T"), Dialect::Aws).unwrap_or_else(|refusal| panic!("{origin}: {refusal:?}"));
            assert_eq!(found.url.as_str(), format!("{origin}/T/scim/v2/"));
        }
    }

    /// - Hostile input 93, URLs that could send the token elsewhere: no start.
    /// - Hostile input 94, other spellings of addresses: no start.
    #[test]
    fn what_could_send_the_token_elsewhere_is_refused() {
        for text in [
            "",
            "scim.us-east-1.amazonaws.com",
            "https:scim.us-east-1.amazonaws.com",
            "https:/scim.us-east-1.amazonaws.com",
            "https:///scim.us-east-1.amazonaws.com",
            "http://scim.us-east-1.amazonaws.com/",
            "file:///etc/passwd",
            "ftp://scim.us-east-1.amazonaws.com/",
            "https://",
            "https://scim.us-east-1.amazonaws.com@evil.example/",
            "https://user:pass@scim.us-east-1.amazonaws.com/",
            "https://@scim.us-east-1.amazonaws.com/",
            "https://evil#.amazonaws.com",
            "https://evil.example\\.amazonaws.com/",
            "https://evil.example?.amazonaws.com",
            "https://scim.us-east-1.amazonaws.com:22/",
            "https://scim.us-east-1.amazonaws.com:0/",
            "https://scim.us-east-1.amazonaws.com:0443/",
            "https://scim.us-east-1.amazonaws.com:/",
            "https://scim.us-east-1.amazonaws.com:65536/",
            "https://scim.us-east-1.amazonaws.com./",
            "https://scim..amazonaws.com/",
            "https://scim.us-east-1.amazonaws.com%2eevil.example/",
            "https://scim.us%2deast-1.amazonaws.com/",
            "https://ѕcim.us-east-1.amazonaws.com/",
            "https://scim.us-east-1.amazonaws。com/",
            "https://scim.us-east-1.amaz\tonaws.com/",
            " https://scim.us-east-1.amazonaws.com/",
            "https://scim.us-east-1.amazonaws.com/\n",
            "https://2852039166/",
            "http://2852039166/",
            "https://0xA9FEA9FE/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://127.1/",
            "http://0177.0.0.1/",
            "http://127.0.0.01/",
            "http://127.0.0.1./",
            "http://[::ffff:169.254.169.254]/",
            "https://[::ffff:169.254.169.254]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[0:0:0:0:0:0:0:1]/",
            "http://[::1%25lo]/",
            "http://0.0.0.0/",
            "http://[::]/",
            "http://localhost./",
            "https://localhost./",
            "http://localhost.evil.example/",
            "http://127.0.0.1.nip.io/",
            "https://169.254.169.254/",
            "https://10.0.0.1/",
            "https://intranet/",
            "https://app.localhost/",
        ] {
            for dialect in [Dialect::Aws, Dialect::Rfc7644] {
                let refusal = normalise(text, Some("T"), dialect);
                assert_eq!(
                    refusal.map_err(|refusal| refusal.setting),
                    Err("url"),
                    "{dialect:?} {text:?}"
                );
            }
        }
    }

    /// Hostile input 93, URLs that could send the token elsewhere: no start.
    #[test]
    fn a_host_that_only_looks_like_aws_is_refused_as_aws() {
        for text in [
            "https://scim.us-east-1.amazonaws.com.evil.example/",
            "https://scim.us-east-1.amazonaws.com.cn.evil.example/",
            "https://evil.example/.amazonaws.com",
            "https://evil.example/",
            "https://scim.us-east-1.amazonaws.com:8443/",
            "https://scim.us-east-1.evil.amazonaws.com/",
            "https://scim.amazonaws.com/",
            "https://scim.us-east-1-amazonaws.com/",
            "https://scim.us-east-1.xamazonaws.com/",
            "https://xscim.us-east-1.amazonaws.com/",
            "https://bucket.s3.amazonaws.com/",
            "https://scim.bucket.amazonaws.com/",
            "https://scim.us-east-1.amazonaws.co/",
        ] {
            let refusal = normalise(text, Some("T"), Dialect::Aws);
            assert_eq!(refusal.map_err(|refusal| refusal.setting), Err("url"), "{text:?}");
        }
    }

    #[test]
    fn paths_that_are_no_endpoint_are_refused() {
        for path in [
            "/T/scim/v2/Users",
            "/scim",
            "/T/scim",
            "/T/scim/v1",
            "/T/U",
            "//T/scim/v2",
            "/T//scim/v2",
            "/../T",
            "/T/..",
            "/%2e%2e/T",
            "/T%2f",
            "/T_x",
            "/T;a=1",
            "/{tenant}",
            "/T?x=1",
            "/T#x",
        ] {
            let refusal = normalise(&format!("{AWS}{path}"), None, Dialect::Aws);
            assert_eq!(refusal.map_err(|refusal| refusal.setting), Err("url"), "{path}");
        }
    }

    #[test]
    fn the_tenant_is_known_once_and_agrees_with_itself() {
        let long = "a".repeat(LONGEST_TENANT + 1);
        for (path, tenant) in [
            ("/", None),
            ("/scim/v2", None),
            ("/A/scim/v2", Some("B")),
            ("/A", Some("a")),
            ("/", Some("")),
            ("/", Some("a/b")),
            ("/", Some("..")),
            ("/", Some("a b")),
            ("/", Some("a\n")),
            ("/", Some("ä")),
            ("/", Some(&long)),
        ] {
            let refusal = normalise(&format!("{AWS}{path}"), tenant, Dialect::Aws);
            assert_eq!(
                refusal.map_err(|refusal| refusal.setting),
                Err("tenant_id"),
                "{path} {tenant:?}"
            );
        }
    }

    #[test]
    fn a_plain_server_keeps_its_url() {
        for (text, tenant, expected) in [
            ("https://scim.example.org/v2", None, "https://scim.example.org/v2/"),
            ("https://scim.example.org/v2/", None, "https://scim.example.org/v2/"),
            ("https://scim.example.org", None, "https://scim.example.org/"),
            (
                "https://scim.example.org:8443/a/b//",
                None,
                "https://scim.example.org:8443/a/b/",
            ),
            ("http://127.0.0.1:5000/v2", None, "http://127.0.0.1:5000/v2/"),
            (
                "https://scim.example.org/x",
                Some("T"),
                "https://scim.example.org/x/T/scim/v2/",
            ),
        ] {
            let found = normalise(text, tenant, Dialect::Rfc7644).unwrap();
            assert_eq!(found.url.as_str(), expected);
            assert_eq!(found.tenant_id, tenant.unwrap_or_default());
        }
        for text in [
            "https://scim.example.org:22/",
            "https://scim.example.org:80/",
            "https://192.0.2.1/",
        ] {
            assert!(normalise(text, None, Dialect::Rfc7644).is_err(), "{text}");
        }
    }
}
