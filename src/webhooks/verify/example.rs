//! Signs deliveries as a sender would, for examples and tests.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::{
    super::{Delivery, Headers},
    Place, Proof, TimeForm, Verifier, credentials, secret,
    secret::Material,
    statement::Statement,
};
use crate::json;

/// A delivery as its sender would send it.
#[derive(Clone, Debug)]
pub struct Example {
    /// The header fields that prove it.
    pub headers: Vec<(String, String)>,
    /// The body. Where the time or the signature stands in it, it has them.
    pub body: Vec<u8>,
    /// The secret of the path, where it has one.
    pub path_secret: Option<SecretString>,
}

/// Says why no example can be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExampleError {
    /// The source has no secret.
    #[error("the source has no secret")]
    NoSecret,
    /// Only the sender has the key that signs.
    #[error("only the sender can sign: the source has its public key alone")]
    PublicKey,
    /// The body has to be a JSON object, since the time or the signature stands in it.
    #[error("the body must be a JSON object: the time or the signature stands in it")]
    Body,
}

impl Verifier {
    /// Signs a body as the sender would at this time, with the first secret that can. The method is
    /// POST; a template with the host or path in it is signed without them.
    ///
    /// # Errors
    /// When there is no secret that could sign, or nothing for the signature to stand in.
    pub fn sign(&self, body: &[u8], now: Timestamp) -> Result<Example, ExampleError> {
        let mut example = Example {
            headers: Vec::new(),
            body: body.to_vec(),
            path_secret: self.path_example.clone(),
        };
        if let Some(name) = &self.settings.id_header {
            let seed = [body, now.to_string().as_bytes()].concat();
            let digest = secret::hexadecimal(&credentials::sha256(&seed)[..12]);
            example.headers.push((name.clone(), format!("msg_{digest}")));
        }
        if let Some(time) = &self.settings.time {
            let text = time.form.write(now);
            let is_number = time.form != TimeForm::Rfc3339;
            example.put(&time.at, text, is_number)?;
        }
        let own = self.secrets.first();
        let first = || own.map(|own| own.expose_secret()).ok_or(ExampleError::NoSecret);
        match &self.settings.proof {
            Proof::Signature(_) => self.sign_example(&mut example, now)?,
            Proof::Basic => example.header("authorization", format!("Basic {}", STANDARD.encode(first()?))),
            Proof::Bearer => example.header("authorization", format!("Bearer {}", first()?)),
            Proof::Header(name) => example.header(name, first()?.to_owned()),
            Proof::Path => example.path_secret = Some(SecretString::from(first()?)),
            Proof::Jwt(_) | Proof::SecurityEvent(_) => return Err(ExampleError::PublicKey),
            Proof::None => {}
        }
        Ok(example)
    }

    fn sign_example(&self, example: &mut Example, now: Timestamp) -> Result<(), ExampleError> {
        let Proof::Signature(signature) = &self.settings.proof else {
            return Ok(());
        };
        if self.keys.is_empty() {
            return Err(ExampleError::NoSecret);
        }
        let signing = self.keys.iter().find_map(|key| match &key.material {
            Material::Hmac(secret) => Some((secret, &signature.schemes[key.scheme])),
            Material::Ed25519(_) => None,
        });
        let (secret, scheme) = signing.ok_or(ExampleError::PublicKey)?;
        let statement = Statement::of(&self.settings, &example.delivery(now));
        let tag = hmac::sign(secret, &statement.signed);
        let text = format!("{}{}", scheme.prefix, scheme.encoding.encode(tag.as_ref()));
        example.put(&signature.at, text, false)
    }
}

impl Example {
    /// The delivery that a source gets.
    pub fn delivery(&self, received: Timestamp) -> Delivery {
        let headers = self.headers.iter();
        Delivery {
            method: "POST".to_owned(),
            target: SecretString::from("/"),
            host: Some("localhost".to_owned()),
            path_type: None,
            path_secret: self.path_secret.clone(),
            headers: Headers::new(headers.map(|(name, value)| (name.clone(), value.clone().into_bytes()))),
            body: self.body.clone(),
            received,
        }
    }

    fn header(&mut self, name: &str, value: String) {
        self.headers.push((name.to_owned(), value));
    }

    fn put(&mut self, place: &Place, text: String, is_number: bool) -> Result<(), ExampleError> {
        let pointer = match place {
            Place::Header(name) => {
                self.header(name, text);
                return Ok(());
            }
            Place::Body(pointer) => pointer,
        };
        let mut body = json::parse(&self.body).map_err(|_| ExampleError::Body)?;
        let (parent, name) = pointer.rsplit_once('/').ok_or(ExampleError::Body)?;
        let object = body.pointer_mut(parent).and_then(Value::as_object_mut);
        let number = text.parse::<u64>().ok().filter(|_| is_number);
        let value = number.map_or_else(|| json!(text), |number| json!(number));
        object.ok_or(ExampleError::Body)?.insert(name.to_owned(), value);
        self.body = body.to_string().into_bytes();
        Ok(())
    }
}
