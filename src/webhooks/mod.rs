//! Webhooks of HR systems: raw bytes are verified before anything is parsed, each event of a
//! delivery meets the first rule that matches it, and what the rule makes of it is stored as an
//! operation.
//!
//! [`Intake`] takes deliveries in. [`Delivery`] is a request as it came; [`Event`] is one of the
//! events that it tells of; [`Planned`] is what a rule makes of one.

mod address;
pub mod body;
mod callback;
mod delivery;
mod event;
pub mod explain;
mod extraction;
mod fetch;
mod first_words;
mod intake;
mod kept;
pub mod presets;
mod quarantine;
mod reading;
mod rules;
mod servers;
mod source;
mod sources;
mod url_template;
pub mod verify;

pub use crate::store::{EventFilter, EventPage, EventVerdict, ReceivedEvent, StoredEvent};
pub use callback::CallbackTarget;
pub use delivery::{Delivery, HeaderError, Headers};
pub use event::{Event, Planned, PlannedCommand};
pub use extraction::{EventError, MOST_EVENTS};
pub use fetch::{FetchSettings, FetchTarget};
pub use intake::{Intake, IntakeError, Taken};
pub use kept::{Kept, KeptError};
pub use quarantine::AgainError;
pub use rules::{DateSettings, Shown, TargetInstance, Tried, length, site_key};
pub use servers::SourceServers;
pub use source::{Source, SourceSettings, check_name};
pub use sources::Sources;
pub use verify::{VerificationError, Verified};
