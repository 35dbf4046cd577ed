//! Reasons for the problems of webhooks, and of what is asked about them.

use axum::http::header;

use super::{Problem, ProblemType};

/// The challenge of a webhook that is not proven: what proves it differs from source to source.
const WEBHOOK_CHALLENGE: &str = "Webhook realm=\"aws-ilm\"";

impl Problem {
    /// A webhook is not proven. Says nothing about why: a forger learns nothing from it.
    pub fn webhook_unproven() -> Self {
        let detail = "The webhook is not proven. The operator of the service finds the reason under this request's id.";
        Self::new(ProblemType::WebhookUnproven, detail).with_field(header::WWW_AUTHENTICATE, WEBHOOK_CHALLENGE)
    }

    /// A proven webhook can't be understood; `detail` is what would be right.
    pub fn bad_webhook(detail: &str) -> Self {
        Self::new(
            ProblemType::BadWebhook,
            format!("The webhook can't be understood: {detail}."),
        )
    }

    /// A proven webhook has a type that its source does not take.
    pub fn webhook_type(detail: &str) -> Self {
        Self::new(
            ProblemType::UnsupportedMediaType,
            format!("The webhook can't be understood: {detail}."),
        )
    }

    /// An event has the id of another.
    pub fn event_reused(detail: &str) -> Self {
        Self::new(ProblemType::EventReused, detail)
    }

    /// No event has this id, or none that the caller may see.
    pub fn no_such_event() -> Self {
        Self::new(
            ProblemType::NoSuchEvent,
            "There is no event of this id; `GET /events` lists those there are.",
        )
    }

    /// The event is none that this can be done with.
    pub fn event_state(detail: &str) -> Self {
        Self::new(ProblemType::EventState, detail)
    }

    /// No source has this name, or none that the caller may see.
    pub fn no_such_source() -> Self {
        Self::new(
            ProblemType::NoSuchSource,
            "There is no source of this name; `GET /sources` lists those there are.",
        )
    }
}
