//! Says whether a delivery is from the sender that it is said to be from.

mod settings;
mod template;

pub use settings::{
    Algorithm, BodyKind, DuplicateRule, Encoding, HandshakeSettings, IssuerSettings, Place, Proof, Scheme, SecretForm,
    Separator, SettingsError, SignatureSettings, TimeForm, TimeSettings, VerifierSettings,
};
pub use template::{Part, Template, TemplateError};
