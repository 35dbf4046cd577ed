//! What operations ask of the world besides directories.

use std::sync::Arc;

use super::{CallBack, Fetch};

/// What an operator's sources want and offer; nothing where there are no sources.
#[derive(Clone, Debug, Default)]
pub struct Outward {
    /// Tells sources what became of their operations.
    pub callbacks: Option<Arc<dyn CallBack>>,
    /// Asks sources for more of a person than their events say.
    pub fetch: Option<Arc<dyn Fetch>>,
}
