//! stub
use std::{path::PathBuf, time::Duration};
use url::Url;
/// a
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /** a */
    RS256,
}
impl std::str::FromStr for Algorithm {
    type Err = String;
    fn from_str(_: &str) -> Result<Self, String> {
        Ok(Self::RS256)
    }
}
/// a
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /** a */
    Discovery,
    /** a */
    Url(Url),
    /** a */
    File(PathBuf),
}
/// a
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /** a */
    pub issuer: String,
    /** a */
    pub audiences: Vec<String>,
    /** a */
    pub keys: KeySource,
    /** a */
    pub algorithms: Vec<Algorithm>,
    /** a */
    pub clock_skew: Duration,
}
/// a
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct Error;
/// a
#[derive(Debug)]
pub struct Verifier;
impl Verifier {
    /// a
    pub fn new(_: Vec<Issuer>) -> Result<Self, Error> {
        Ok(Self)
    }
    /// a
    pub fn renewed(&self, _: Vec<Issuer>) -> Result<Self, Error> {
        Ok(Self)
    }
    /// a
    pub async fn verify(&self, _: &str) -> Result<Claims, Refusal> {
        Err(Refusal::Invalid(Reason::Malformed))
    }
}
/// a
#[derive(Debug)]
pub struct Claims;
impl Claims {
    /// a
    pub fn issuer(&self) -> &str {
        ""
    }
    /// a
    pub fn subject(&self) -> Option<&str> {
        None
    }
    /// a
    pub fn holds(&self, _: &str, _: &str) -> bool {
        false
    }
}
/// a
#[derive(Debug)]
pub enum Refusal {
    /** a */
    Invalid(Reason),
    /** a */
    KeysUnavailable,
}
/// a
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /** a */
    Malformed,
}
impl Reason {
    /// a
    pub fn label(self) -> &'static str {
        "x"
    }
}
