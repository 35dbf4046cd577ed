//! Addresses of servers that a source names: where callbacks go, and where more is fetched.

use url::Url;

use crate::outbound::Reach;

/// The longest address, in bytes.
const LONGEST: usize = 2_048;

/// Where requests to a server may go.
pub(super) fn reach(allow_private: bool) -> Reach {
    if allow_private { Reach::Inside } else { Reach::Public }
}

/// Reads an address.
///
/// # Errors
/// What to do about it. Repeats nothing of it: there may be a secret in it.
pub(super) fn check(text: &str, allow_private: bool) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| "give an https URL".to_owned())?;
    if text.len() > LONGEST {
        return Err(format!("give an https URL of at most {LONGEST} bytes"));
    }
    match url.scheme() {
        "https" => {}
        "http" if allow_private => {}
        "http" => return Err("use https; http is for servers inside, with allow_private = true".to_owned()),
        _ => return Err("give an https URL".to_owned()),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("leave the credentials out of the URL".to_owned());
    }
    if url.fragment().is_some() {
        return Err("leave out what follows the #: it is never sent".to_owned());
    }
    if reach(allow_private).allows_host(&url) {
        Ok(url)
    } else if allow_private {
        Err("no server is asked at this address, not even with allow_private".to_owned())
    } else {
        Err("its host is no public address: set allow_private = true if it is a server of yours".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_public_and_https_unless_private_ones_are_allowed() {
        let long = format!("https://a.example/{}", "x".repeat(LONGEST));
        for (text, public, inside) in [
            ("https://hooks.example.com/x?y=1", true, true),
            ("https://52.94.0.1:8443/", true, true),
            ("http://hooks.example.com/", false, true),
            ("https://10.0.0.1/", false, true),
            ("http://127.0.0.1:8080/", false, true),
            ("https://localhost/", false, true),
            ("https://[::ffff:10.0.0.1]/", false, true),
            ("https://169.254.169.254/latest", false, false),
            ("https://0/", false, false),
            ("https://me:secret@hooks.example.com/", false, false),
            ("https://me@hooks.example.com/", false, false),
            ("https://hooks.example.com/#x", false, false),
            ("ftp://hooks.example.com/", false, false),
            ("file:///etc/passwd", false, false),
            ("data:text/plain,x", false, false),
            ("hooks.example.com", false, false),
            ("/hooks", false, false),
            ("https://", false, false),
            ("", false, false),
            (&long, false, false),
        ] {
            let found = [false, true].map(|allow_private| check(text, allow_private).is_ok());
            assert_eq!(found, [public, inside], "{text}");
        }
        assert!(
            !check("https://me:secret@x.example/", true)
                .unwrap_err()
                .contains("secret")
        );
    }
}
