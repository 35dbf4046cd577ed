//! What a delivery says of itself: its id, its time, what was signed.

use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::{super::Delivery, Part, Place, Proof, Template, VerificationError, VerifierSettings, credentials};
use crate::json;

/// The longest id, in bytes.
const LONGEST_ID: usize = 256;

/// What a delivery says of itself, none of it believed yet. What is wrong is kept beside what is
/// there, so that the work is the same.
pub(super) struct Statement {
    pub(super) body: Option<Value>,
    pub(super) id: Result<Option<String>, VerificationError>,
    pub(super) time: Result<Option<Time>, VerificationError>,
    /// What was signed, and the length of each part; empty where nothing is.
    pub(super) signed: Vec<u8>,
    pub(super) lengths: Vec<usize>,
    /// The first part that was not there.
    pub(super) missing: Option<VerificationError>,
    pub(super) signature: Result<String, VerificationError>,
}

/// A time as it was written, and what it means.
#[derive(Clone)]
pub(super) struct Time {
    pub(super) text: String,
    pub(super) at: Timestamp,
}

impl Statement {
    pub(super) fn of(settings: &VerifierSettings, delivery: &Delivery) -> Self {
        let body = settings
            .reads_body()
            .then(|| json::parse(&delivery.body).ok())
            .flatten();
        let mut statement = Self {
            id: id(settings, delivery),
            time: time(settings, delivery, body.as_ref()),
            body,
            signed: Vec::new(),
            lengths: Vec::new(),
            missing: None,
            signature: Ok(String::new()),
        };
        if let Proof::Signature(signature) = &settings.proof {
            statement.signature = signature.at.read(delivery, statement.body.as_ref());
            statement.sign(&signature.signed, delivery);
        }
        statement
    }

    fn sign(&mut self, template: &Template, delivery: &Delivery) {
        for part in &template.parts {
            let before = self.signed.len();
            match self.part(part, delivery) {
                Ok(bytes) => self.signed.extend_from_slice(&bytes),
                Err(error) => self.missing = self.missing.take().or(Some(error)),
            }
            self.lengths.push(self.signed.len() - before);
        }
    }

    fn part(&self, part: &Part, delivery: &Delivery) -> Result<Vec<u8>, VerificationError> {
        let target = delivery.target.expose_secret();
        let path = target.split(['?', '#']).next().unwrap_or_default();
        Ok(match part {
            Part::Literal(text) => text.clone().into_bytes(),
            Part::Id => self.id.clone()?.unwrap_or_default().into_bytes(),
            Part::Timestamp => {
                let time = self.time.as_ref().map_err(Clone::clone)?;
                time.as_ref()
                    .map(|time| time.text.clone().into_bytes())
                    .unwrap_or_default()
            }
            Part::Body => delivery.body.clone(),
            Part::Method => delivery.method.clone().into_bytes(),
            Part::Path => path.as_bytes().to_vec(),
            Part::Url => {
                let host = delivery.host.as_deref();
                let host = host.ok_or_else(|| VerificationError::Missing("the host".to_owned()))?;
                format!("https://{host}{target}").into_bytes()
            }
            Part::Json(pointer) => Place::Body(pointer.clone())
                .read(delivery, self.body.as_ref())?
                .into_bytes(),
        })
    }
}

impl Place {
    /// Its name in messages.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Header(name) => format!("the header {name}"),
            Self::Body(pointer) => format!("{pointer} in the body"),
        }
    }

    /// The text that stands there; of a whole number its digits.
    pub(super) fn read(&self, delivery: &Delivery, body: Option<&Value>) -> Result<String, VerificationError> {
        let pointer = match self {
            Self::Header(name) => return credentials::header(delivery, name).map(str::to_owned),
            Self::Body(pointer) => pointer,
        };
        match body.ok_or(VerificationError::Body)?.pointer(pointer) {
            None => Err(VerificationError::Missing(self.name())),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Number(number)) if !number.is_f64() => Ok(number.to_string()),
            Some(_) => Err(VerificationError::Malformed(self.name())),
        }
    }
}

fn id(settings: &VerifierSettings, delivery: &Delivery) -> Result<Option<String>, VerificationError> {
    let Some(name) = &settings.id_header else {
        return Ok(None);
    };
    let id = credentials::header(delivery, name)?;
    let end = settings.template().and_then(Template::after_id);
    let is_sound = |character: char| character.is_ascii_graphic() && character != '.' && Some(character) != end;
    if id.is_empty() || id.len() > LONGEST_ID || !id.chars().all(is_sound) {
        return Err(VerificationError::Id);
    }
    Ok(Some(id.to_owned()))
}

fn time(
    settings: &VerifierSettings,
    delivery: &Delivery,
    body: Option<&Value>,
) -> Result<Option<Time>, VerificationError> {
    let Some(time) = &settings.time else {
        return Ok(None);
    };
    let text = time.at.read(delivery, body)?;
    let at = time.form.read(&text);
    let at = at.ok_or_else(|| VerificationError::Malformed(time.at.name()))?;
    Ok(Some(Time { text, at }))
}
