//! The judgement on a delivery: everything is looked at, then the first fault counts.

use super::{
    super::Delivery,
    DuplicateRule, Handshake, Identity, Proof, VerificationError, Verified, Verifier, credentials,
    signature::{self, Candidate},
    statement::Statement,
    time,
};
use crate::auth::jwt::Claims;

/// All that was found out of a delivery.
pub(super) struct Judgement {
    pub(super) statement: Statement,
    pub(super) candidates: Result<Vec<Candidate>, VerificationError>,
    pub(super) verdict: Result<Verified, VerificationError>,
}

impl Judgement {
    pub(super) fn of(
        verifier: &Verifier,
        delivery: &Delivery,
        claims: Option<Result<Claims, VerificationError>>,
    ) -> Self {
        let settings = &verifier.settings;
        let statement = Statement::of(settings, delivery);
        let mut candidates = Ok(Vec::new());
        let mut fits = None;
        if let Proof::Signature(signature) = &settings.proof {
            let text = statement.signature.clone();
            candidates = text.and_then(|text| signature.candidates(&text));
            let tried = candidates.as_deref().unwrap_or_default();
            fits = signature::find(&verifier.keys, tried, &statement.signed);
        }
        let proof = Proven {
            verifier,
            delivery,
            statement: &statement,
            candidates: &candidates,
            fits,
        };
        let verdict = proof.verdict(claims);
        Self {
            statement,
            candidates,
            verdict,
        }
    }
}

struct Proven<'a> {
    verifier: &'a Verifier,
    delivery: &'a Delivery,
    statement: &'a Statement,
    candidates: &'a Result<Vec<Candidate>, VerificationError>,
    fits: Option<usize>,
}

impl Proven<'_> {
    fn verdict(&self, claims: Option<Result<Claims, VerificationError>>) -> Result<Verified, VerificationError> {
        let Self { verifier, delivery, .. } = self;
        // Both are compared before either counts.
        let (path, presented) = (verifier.path_secret(delivery), verifier.presented(delivery));
        if verifier.is_decoy {
            return Err(VerificationError::UnknownSource);
        }
        path?;
        if verifier.secrets.is_empty() && verifier.settings.proof.takes_secrets() {
            let first = verifier.first_word(delivery).ok_or(VerificationError::NoSecret)?;
            return Ok(self.verified(None, None, Some(first)));
        }
        let claims = claims.transpose()?;
        let secret = if matches!(verifier.settings.proof, Proof::Signature(_)) {
            Some(self.signature()?)
        } else {
            presented?
        };
        let handshake = verifier.handshake(delivery);
        // Pings have no time of their own, and one that is replayed does nothing.
        if !handshake.as_ref().is_some_and(Handshake::is_ping) {
            self.time()?;
        }
        self.statement.id.clone()?;
        Ok(self.verified(secret, claims, handshake))
    }

    /// The place of the secret that the delivery was signed with.
    fn signature(&self) -> Result<usize, VerificationError> {
        let Self { statement, .. } = self;
        statement.id.clone()?;
        self.candidates.as_ref().map_err(Clone::clone)?;
        if let Some(missing) = &statement.missing {
            return Err(missing.clone());
        }
        self.fits.ok_or(VerificationError::Signature)
    }

    fn time(&self) -> Result<(), VerificationError> {
        let Some(found) = self.statement.time.clone()? else {
            return Ok(());
        };
        let own = self.verifier.settings.time.as_ref().and_then(|time| time.oldest);
        time::judge(found.at, self.delivery.received, own.or(self.verifier.memory))
    }

    fn verified(&self, secret: Option<usize>, claims: Option<Claims>, handshake: Option<Handshake>) -> Verified {
        let settings = &self.verifier.settings;
        let claims = claims
            .filter(|_| matches!(settings.proof, Proof::SecurityEvent(_)))
            .map(Claims::into_all);
        let of_token = claims.as_ref().and_then(|claims| claims.get("jti")?.as_str());
        let id = self.statement.id.clone().ok().flatten().or(of_token.map(str::to_owned));
        let issued = claims.as_ref().and_then(|claims| claims.get("iat")?.as_i64());
        let issued = issued.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        let time = self.statement.time.as_ref().ok().and_then(Option::as_ref);
        Verified {
            identity: self.identity(id.as_deref()),
            time: time.map(|time| time.at).or(issued),
            id,
            secret,
            scheme: settings.proof.name(),
            handshake,
            claims,
        }
    }

    fn identity(&self, id: Option<&str>) -> Identity {
        let signed = &self.statement.signed;
        match (self.verifier.settings.duplicates, id) {
            (DuplicateRule::Id, Some(id)) => Identity::Id(id.to_owned()),
            (DuplicateRule::Signature, _) if !signed.is_empty() => Identity::Signature(credentials::sha256(signed)),
            (DuplicateRule::Id | DuplicateRule::Signature | DuplicateRule::Digest, _) => {
                Identity::Digest(credentials::sha256(&self.delivery.body))
            }
        }
    }
}
