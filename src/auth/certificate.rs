//! stub
/// n
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateName(String);
impl std::str::FromStr for CertificateName {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        Ok(Self(s.to_owned()))
    }
}
/// n
#[derive(Debug)]
pub struct CertificateNames;
impl CertificateNames {
    /// n
    pub fn prove(&self, _: &CertificateName) -> bool {
        false
    }
}
