//! Client certificates: the names that one proves, and the name that an operator configures.
//!
//! The TLS handshake verifies a certificate (its issuer, its signature, its dates); this module
//! compares names. A name in a certificate counts when an operator could have written exactly this
//! name: both go through the same checks into the same type, so an odd name in a certificate (a
//! control character, a wildcard, two `@`) is left out and matches nothing.

use std::{fmt, str::FromStr};

use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use super::distinguished_name::{DistinguishedName, DistinguishedNameError};

/// The longest name of a host, in bytes (RFC 1035 section 2.3.4).
const MAX_HOST_LENGTH: usize = 253;

/// The longest URI or e-mail address, in bytes. SPIFFE allows 2,048 (SPIFFE ID section 2.3).
const MAX_LENGTH: usize = 2048;

/// The most subject alternative names of a certificate: each is compared with each configured name.
const MAX_NAMES: usize = 128;

/// A name as an operator writes it: `subject:CN=hr,O=Example`, `dns:hr.example.com`,
/// `uri:spiffe://example.com/hr` or `email:hr@example.com`. [`FromStr`] reads it, `Display` writes
/// it.
///
/// - A subject is compared attribute by attribute, in order, character by character
///   ([`DistinguishedName`]).
/// - A DNS name is compared without regard to letter case (RFC 4343). A wildcard in a certificate
///   matches nothing.
/// - A URI is compared byte by byte, as SPIFFE has it; nothing is normalised.
/// - An e-mail address is compared exactly before the `@`, without regard to letter case behind it
///   (RFC 5280 section 7.5).
///
/// The common name of a subject is never taken for a DNS name, nor a subject's `emailAddress` for
/// an e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CertificateName(Name);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Name {
    Subject(DistinguishedName),
    /// In lower case.
    Dns(String),
    Uri(String),
    /// In lower case behind the `@`.
    Email(String),
}

/// Says why a text is no [`CertificateName`]; the message says what to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateNameError {
    /// The kind of name at its beginning is missing or unknown.
    #[error("begin it with subject:, dns:, uri: or email:, like \"dns:hr.example.com\"")]
    Kind,
    /// The subject is no distinguished name.
    #[error("{0}")]
    Subject(#[from] DistinguishedNameError),
    /// The DNS name is malformed.
    #[error(
        "write a whole DNS name like \"dns:hr.example.com\": ASCII (an international name in its xn-- form), no wildcard, no dot at the end"
    )]
    Dns,
    /// The URI is malformed.
    #[error("write a URI like \"uri:spiffe://example.com/hr\": ASCII, with its scheme, without spaces")]
    Uri,
    /// The e-mail address is malformed.
    #[error("write an address like \"email:hr@example.com\": ASCII, one @, without spaces and quotes")]
    Email,
}

impl CertificateName {
    fn dns(text: &str) -> Option<Self> {
        is_host(text).then(|| Self(Name::Dns(text.to_ascii_lowercase())))
    }

    fn uri(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':')?;
        let begins_well = scheme.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
        let is_scheme = scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        let is_whole = !rest.is_empty() && text.len() <= MAX_LENGTH && text.bytes().all(|byte| byte.is_ascii_graphic());
        (begins_well && is_scheme && is_whole).then(|| Self(Name::Uri(text.to_owned())))
    }

    fn email(text: &str) -> Option<Self> {
        let (local, host) = text.split_once('@')?;
        let is_local = !local.is_empty()
            && local
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"\"(),:;<>@[\\]".contains(&byte));
        (is_local && is_host(host) && text.len() <= MAX_LENGTH)
            .then(|| Self(Name::Email(format!("{local}@{}", host.to_ascii_lowercase()))))
    }
}

/// Whether a text is the name of a host: labels of letters, digits, hyphens and underscores,
/// without a wildcard and without a dot at the end.
fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    text.len() <= MAX_HOST_LENGTH && text.split('.').all(is_label)
}

impl FromStr for CertificateName {
    type Err = CertificateNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, name) = text.split_once(':').ok_or(CertificateNameError::Kind)?;
        match kind {
            "subject" => Ok(Self(Name::Subject(name.parse()?))),
            "dns" => Self::dns(name).ok_or(CertificateNameError::Dns),
            "uri" => Self::uri(name).ok_or(CertificateNameError::Uri),
            "email" => Self::email(name).ok_or(CertificateNameError::Email),
            _ => Err(CertificateNameError::Kind),
        }
    }
}

impl fmt::Display for CertificateName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Name::Subject(name) => write!(formatter, "subject:{name}"),
            Name::Dns(name) => write!(formatter, "dns:{name}"),
            Name::Uri(name) => write!(formatter, "uri:{name}"),
            Name::Email(name) => write!(formatter, "email:{name}"),
        }
    }
}

/// Shows the kind of a name and not the name, which may be a person's.
impl fmt::Debug for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Subject(_) => "Subject(…)",
            Self::Dns(_) => "Dns(…)",
            Self::Uri(_) => "Uri(…)",
            Self::Email(_) => "Email(…)",
        })
    }
}

/// The names that a peer proved with its certificate: its subject, and its subject alternative
/// names of the kinds that can be configured.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificateNames {
    names: Vec<CertificateName>,
}

/// Says why no names can be read from a certificate, although its signature is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// It is not the DER of an X.509 certificate, or an extension stands in it twice.
    #[error("the client certificate can't be read")]
    Malformed,
    /// It has more alternative names than are compared.
    #[error("the client certificate has more than {MAX_NAMES} alternative names")]
    TooManyNames,
}

impl CertificateNames {
    /// Reads the names out of a certificate in DER that was verified before.
    ///
    /// # Errors
    /// When it can't be read as a whole: half a certificate proves nothing.
    pub fn from_der(certificate: &[u8]) -> Result<Self, CertificateError> {
        let (rest, certificate) = X509Certificate::from_der(certificate).map_err(|_| CertificateError::Malformed)?;
        if !rest.is_empty() {
            return Err(CertificateError::Malformed);
        }
        let alternatives = certificate
            .subject_alternative_name()
            .map_err(|_| CertificateError::Malformed)?;
        let alternatives = alternatives.map_or(&[][..], |extension| &extension.value.general_names);
        if alternatives.len() > MAX_NAMES {
            return Err(CertificateError::TooManyNames);
        }
        let subject = DistinguishedName::of(certificate.subject()).map(|name| CertificateName(Name::Subject(name)));
        let alternatives = alternatives.iter().filter_map(|name| match name {
            GeneralName::DNSName(text) => CertificateName::dns(text),
            GeneralName::URI(text) => CertificateName::uri(text),
            GeneralName::RFC822Name(text) => CertificateName::email(text),
            // Kinds that can't be configured, and names that the parser could not read.
            GeneralName::OtherName(..)
            | GeneralName::X400Address(_)
            | GeneralName::DirectoryName(_)
            | GeneralName::EDIPartyName(_)
            | GeneralName::IPAddress(_)
            | GeneralName::RegisteredID(_)
            | GeneralName::Invalid(..) => None,
        });
        Ok(Self {
            names: subject.into_iter().chain(alternatives).collect(),
        })
    }

    /// Whether the peer proved to have this name.
    #[must_use]
    pub fn prove(&self, name: &CertificateName) -> bool {
        self.names.contains(name)
    }

    /// The subject, if it has a text (RFC 4514). It may name a person.
    #[must_use]
    pub fn subject(&self) -> Option<&DistinguishedName> {
        self.names.iter().find_map(|name| match &name.0 {
            Name::Subject(subject) => Some(subject),
            Name::Dns(_) | Name::Uri(_) | Name::Email(_) => None,
        })
    }

    /// All names, the subject first. They may name a person.
    pub fn iter(&self) -> impl Iterator<Item = &CertificateName> {
        self.names.iter()
    }
}

/// Shows how many names there are, and none of them: they may be a person's, and `Debug` ends up in
/// logs by mistake.
impl fmt::Debug for CertificateNames {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "CertificateNames({} names)", self.names.len())
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{
        CertificateParams, CustomExtension, DistinguishedName as Subject, DnType, DnValue, KeyPair, SanType,
        string::Ia5String,
    };

    use super::*;

    /// A certificate of this subject (in a certificate's order) with these alternative names, in
    /// DER.
    fn certificate(subject: Vec<(DnType, DnValue)>, alternatives: Vec<SanType>) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.distinguished_name = Subject::new();
        for (kind, value) in subject {
            params.distinguished_name.push(kind, value);
        }
        params.subject_alt_names = alternatives;
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    fn text(text: &str) -> DnValue {
        DnValue::Utf8String(text.to_owned())
    }

    fn ia5(text: &str) -> Ia5String {
        text.try_into().unwrap()
    }

    fn names(subject: Vec<(DnType, DnValue)>, alternatives: Vec<SanType>) -> CertificateNames {
        CertificateNames::from_der(&certificate(subject, alternatives)).unwrap()
    }

    #[track_caller]
    fn assert_proves(names: &CertificateNames, expected: bool, texts: &[&str]) {
        for text in texts {
            let name: CertificateName = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(names.prove(&name), expected, "{text}");
        }
    }

    #[test]
    fn a_certificate_proves_its_own_names_and_no_other() {
        let names = names(
            vec![
                (DnType::CountryName, DnValue::PrintableString("DE".try_into().unwrap())),
                (DnType::OrganizationName, text("Example, Inc.")),
                (DnType::CommonName, text("hr")),
            ],
            vec![
                SanType::DnsName(ia5("HR.Example.com")),
                SanType::URI(ia5("spiffe://example.com/hr")),
                SanType::Rfc822Name(ia5("Hr@Example.COM")),
                SanType::IpAddress([127, 0, 0, 1].into()),
            ],
        );
        assert_proves(
            &names,
            true,
            &[
                r"subject:CN=hr,O=Example\, Inc.,C=DE",
                r"subject:cn=hr,2.5.4.10=Example\2C Inc.,c=DE",
                "dns:hr.example.com",
                "dns:HR.EXAMPLE.com",
                "uri:spiffe://example.com/hr",
                "email:Hr@example.com",
            ],
        );
        assert_proves(
            &names,
            false,
            &[
                "subject:CN=hr",
                r"subject:C=DE,O=Example\, Inc.,CN=hr",
                r"subject:CN=HR,O=Example\, Inc.,C=DE",
                r"subject:CN=hr,O=Example\, Inc.,C=DE,O=more",
                "dns:hr",
                "dns:example.com",
                "dns:a.hr.example.com",
                "dns:127.0.0.1",
                "uri:spiffe://example.com/HR",
                "uri:spiffe://example.com/hr/",
                "uri:SPIFFE://example.com/hr",
                "email:hr@example.com",
                "email:Hr@mail.example.com",
            ],
        );
        assert_eq!(names.subject().unwrap().to_string(), r"CN=hr,O=Example\, Inc.,C=DE");
        assert_eq!(names.iter().count(), 4);
    }

    #[test]
    fn no_value_imitates_structure() {
        let one_value = names(vec![(DnType::CommonName, text("hr,O=Example"))], vec![]);
        assert_proves(&one_value, false, &["subject:CN=hr,O=Example"]);
        assert_proves(&one_value, true, &[r"subject:CN=hr\,O=Example"]);
        let a_name_of_another_kind = names(
            vec![(DnType::CommonName, text("hr.example.com"))],
            vec![
                SanType::URI(ia5("dns:hr.example.com")),
                SanType::Rfc822Name(ia5("dns:hr@example.com")),
            ],
        );
        assert_proves(
            &a_name_of_another_kind,
            false,
            &["dns:hr.example.com", "email:hr@example.com"],
        );
    }

    #[test]
    fn a_name_that_no_operator_could_write_matches_nothing() {
        let wildcard = names(vec![], vec![SanType::DnsName(ia5("*.example.com"))]);
        assert_proves(&wildcard, false, &["dns:hr.example.com", "dns:example.com"]);
        for odd in [
            "hr.example.com\0",
            "hr.example.com\0.evil.example",
            "hr.example.com.",
            "hr .example.com",
            "",
        ] {
            let names = names(
                vec![(DnType::CommonName, text(&format!("hr{odd}\0")))],
                vec![
                    SanType::DnsName(ia5(odd)),
                    SanType::URI(ia5(&format!("spiffe://{odd}\n"))),
                    SanType::Rfc822Name(ia5(&format!("hr@x@{odd}"))),
                ],
            );
            assert_eq!(names.iter().count(), 0, "{odd:?}");
        }
        // A text in T.61, and no subject at all.
        let teletex = DnValue::TeletexString("hr".try_into().unwrap());
        assert_eq!(names(vec![(DnType::CommonName, teletex)], vec![]).subject(), None);
        assert_eq!(names(vec![], vec![]).subject(), None);
    }

    #[test]
    fn half_a_certificate_proves_nothing() {
        let whole = certificate(vec![(DnType::CommonName, text("hr"))], vec![]);
        let mut longer = whole.clone();
        longer.push(0);
        for der in [&[][..], b"hr", &whole[..whole.len() - 1], &longer] {
            assert_eq!(CertificateNames::from_der(der), Err(CertificateError::Malformed));
        }
        let many = vec![SanType::DnsName(ia5("a.example")); MAX_NAMES + 1];
        let error = CertificateNames::from_der(&certificate(vec![], many));
        assert_eq!(error, Err(CertificateError::TooManyNames));
        // Two extensions of alternative names: readers could disagree about which one counts.
        let mut params = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
        let second = b"\x30\x0b\x82\x09b.example".to_vec();
        params.custom_extensions = vec![CustomExtension::from_oid_content(&[2, 5, 29, 17], second)];
        let twice = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        assert_eq!(
            CertificateNames::from_der(twice.der()),
            Err(CertificateError::Malformed)
        );
    }

    #[test]
    fn a_malformed_name_is_refused_with_what_to_write() {
        use CertificateNameError::{Dns, Email, Kind, Uri};
        for (text, error) in [
            ("", Kind),
            ("hr.example.com", Kind),
            ("DNS:hr.example.com", Kind),
            (" dns:hr.example.com", Kind),
            ("ip:127.0.0.1", Kind),
            ("dns:", Dns),
            ("dns:*.example.com", Dns),
            ("dns:example.com.", Dns),
            ("dns: example.com", Dns),
            ("dns:exämple.com", Dns),
            ("dns:a\0b", Dns),
            ("uri:", Uri),
            ("uri:hr", Uri),
            ("uri:spiffe:", Uri),
            ("uri:1a:b", Uri),
            ("uri:spiffe://example.com/h r", Uri),
            ("uri:spiffe://exämple.com/hr", Uri),
            ("email:hr", Email),
            ("email:@example.com", Email),
            ("email:hr@", Email),
            ("email:hr@x@example.com", Email),
            ("email:\"hr\"@example.com", Email),
            ("email:h r@example.com", Email),
            ("email:hr@*.example.com", Email),
        ] {
            assert_eq!(text.parse::<CertificateName>(), Err(error), "{text:?}");
        }
        let error = "subject:CN = hr".parse::<CertificateName>().unwrap_err();
        assert!(error.to_string().contains("openssl x509"), "{error}");
    }

    #[test]
    fn a_name_is_written_as_it_was_read_and_debug_shows_no_name() {
        for text in [
            "subject:CN=Jane Roe",
            "dns:jane.example.com",
            "uri:spiffe://example.com/jane",
            "email:jane@example.com",
        ] {
            let name: CertificateName = text.parse().unwrap();
            assert_eq!(name.to_string(), text);
            let shown = format!("{name:?}").to_lowercase();
            assert!(!shown.contains("jane"), "{shown}");
        }
        let names = names(vec![(DnType::CommonName, text("Jane Roe"))], vec![]);
        assert_eq!(format!("{names:?}"), "CertificateNames(1 names)");
    }
}
