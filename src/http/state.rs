//! What the handlers share.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use crate::{operations::Operations, service::Service, webhooks::Intake};

/// The state of the router. Cheap to clone.
#[derive(Clone, Debug)]
pub struct App {
    /// Runs the commands.
    pub service: Arc<Service>,
    /// Stores commands and carries them out; `None` where there is no store.
    pub operations: Option<Arc<Operations>>,
    /// Takes webhooks; `None` where there are no sources.
    pub intake: Option<Arc<Intake>>,
    /// Set when shutdown begins.
    pub stopping: Arc<AtomicBool>,
    /// The Retry-After while the service stops.
    pub stopping_retry: Duration,
    /// Whether only callers are let in, so that routes that are open to all show no details.
    pub is_guarded: bool,
}
