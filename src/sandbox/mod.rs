//! An AWS IAM Identity Center SCIM endpoint in memory, to try and to test clients against.
//!
//! It is as strict as AWS's endpoint is documented, or was seen, to be; where nothing is known the
//! code says what was assumed. It knows nothing of the client in this crate and shares no type with
//! it, so that one misreading of the protocol can't hide in both.
//!
//! A request is recognised as an `operation`, perhaps befallen by one of the `faults`, admitted
//! (tenant, token, `limits`), read and checked against the `schema`, and carried out on the
//! `directory`, all under one lock.
//!
//! ```text
//! server → routes → users, groups → directory
//!            │        └ validate, patch…, filter, paging, schema
//!            └ operation, faults, limits, journal, discovery, wire
//! ```

mod control;
mod directory;
mod discovery;
mod faults;
mod filter;
mod groups;
mod journal;
mod limits;
mod memberships;
mod operation;
mod paging;
mod patch;
mod patch_group;
mod patch_user;
mod routes;
mod schema;
mod seed;
mod server;
mod users;
mod validate;
mod wire;

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::net::TcpListener;

pub use self::faults::{Fault, FaultKind, Times};
pub use self::journal::RecordedRequest;
pub use self::limits::Rates;
pub use self::seed::{Seed, SeedError};

use self::{directory::Directory, faults::Faults, journal::Journal, limits::Limits, wire::ErrorResponse};

/// The tenant of a sandbox that is told no other.
pub const DEFAULT_TENANT: &str = "sandbox-tenant";
/// The token of a sandbox that is told no other.
pub const DEFAULT_TOKEN: &str = "sandbox-token";

/// What a sandbox is set up with. Has no `Debug`: it holds tokens.
#[derive(Clone)]
pub struct Options {
    /// The first segment of the base URL's path.
    pub tenant_id: String,
    /// The bearer tokens that are accepted. AWS has at most two at a time; the sandbox does not
    /// count.
    pub tokens: Vec<String>,
    /// Whether requests are throttled at [`Options::rates`].
    pub limits: bool,
    /// The rates to throttle at.
    pub rates: Rates,
    /// The users and groups at the start.
    pub seed: Seed,
    /// The answer to a PatchGroup that adds an unknown user: AWS's is not documented.
    pub unknown_member: UnknownMember,
    /// The answer to a request about a user or a group by an id that is not of AWS's form: AWS's
    /// was never seen.
    pub foreign_ids: ForeignIds,
    /// Seed of the generator behind [`Fault::probability`].
    pub fault_seed: u64,
    /// Whether a group of the seed is there again, as it was, after it has been deleted: for
    /// demonstrations whose examples name it and are tried in any order.
    pub restore_deleted: bool,
}

/// The status for a PatchGroup that adds an unknown user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownMember {
    /// 404, as ListGroups documents it for a filter that names an unknown member.
    #[default]
    NotFound,
    /// The generic 400.
    BadRequest,
}

/// The status for a request by an id that is neither there nor of the form of AWS's ids. An id that
/// is there is found whatever its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForeignIds {
    /// 404, as for any id that is not there.
    #[default]
    NotFound,
    /// The generic 400: the Identity Store API checks the form before it looks.
    BadRequest,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            tenant_id: DEFAULT_TENANT.to_owned(),
            tokens: vec![DEFAULT_TOKEN.to_owned()],
            limits: false,
            rates: Rates::default(),
            seed: Seed::demo(),
            unknown_member: UnknownMember::default(),
            foreign_ids: ForeignIds::default(),
            fault_seed: 1,
            restore_deleted: false,
        }
    }
}

/// A handle on one sandbox; clones are handles on the same one.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
}

struct Shared {
    tenant_id: String,
    unknown_member: ErrorResponse,
    foreign_ids: ForeignIds,
    inside: Mutex<Inside>,
}

/// All that changes. Every operation is short and runs under the one lock, so each is atomic.
struct Inside {
    directory: Directory,
    /// What deleted groups are restored from.
    restored_from: Option<Directory>,
    tokens: Vec<String>,
    faults: Faults,
    journal: Journal,
    limits: Option<Limits>,
}

impl Sandbox {
    /// A sandbox that is not served anywhere yet.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let inside = Inside {
            restored_from: options.restore_deleted.then(|| options.seed.0.clone()),
            directory: options.seed.0,
            tokens: options.tokens,
            faults: Faults::new(options.fault_seed),
            journal: Journal::default(),
            limits: options.limits.then(|| Limits::new(options.rates)),
        };
        let unknown_member = match options.unknown_member {
            UnknownMember::NotFound => ErrorResponse::not_found(),
            UnknownMember::BadRequest => ErrorResponse::unparsable(),
        };
        Self {
            shared: Arc::new(Shared {
                tenant_id: options.tenant_id,
                unknown_member,
                foreign_ids: options.foreign_ids,
                inside: Mutex::new(inside),
            }),
        }
    }

    /// The URL below which `Users` and `Groups` are found, with its trailing slash.
    #[must_use]
    pub fn base_url(address: SocketAddr, tenant_id: &str) -> String {
        format!("http://{address}/{tenant_id}/scim/v2/")
    }

    /// Serves SCIM and the control endpoints until `shutdown` resolves, then lets requests under
    /// way finish, for five seconds at most.
    ///
    /// # Errors
    /// None at present: a failed accept is tried again.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let router = control::router().fallback(routes::handle).with_state(self);
        server::serve(listener, router, shutdown).await
    }

    /// The tenant in the base URL.
    #[must_use]
    pub fn tenant_id(&self) -> &str {
        &self.shared.tenant_id
    }

    /// The tokens accepted at the moment.
    #[must_use]
    pub fn tokens(&self) -> Vec<String> {
        self.inside().tokens.clone()
    }

    /// Accepts these tokens and no others from now on.
    pub fn set_tokens(&self, tokens: Vec<String>) {
        self.inside().tokens = tokens;
    }

    /// The whole state in the form that [`Seed::from_json`] reads: members, which SCIM does not
    /// show, included.
    #[must_use]
    pub fn dump(&self) -> serde_json::Value {
        // Copied first: writing out many thousand people is not done under the lock.
        let seed = Seed(self.inside().directory.clone());
        seed.to_json()
    }

    /// Puts another state in the place of this one. Faults, calls and tokens stay.
    pub fn load(&self, seed: Seed) {
        self.inside().directory = seed.0;
    }

    /// Adds a fault behind those already waiting. One fault at most befalls a request: the first
    /// that is due.
    pub fn script(&self, fault: Fault) {
        self.inside().faults.script(fault);
    }

    /// Forgets all faults.
    pub fn clear_faults(&self) {
        self.inside().faults.clear();
    }

    /// How many requests arrived for each API by its name, those that were refused or befallen by a
    /// fault included.
    #[must_use]
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.inside().journal.calls()
    }

    /// The last ten thousand requests, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.inside().journal.requests()
    }

    /// Forgets the calls and requests so far.
    pub fn reset_calls(&self) {
        self.inside().journal.clear();
    }

    /// The state. A panic under the lock, should there be one, spoils one request and not the
    /// sandbox.
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.shared.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new(Options::default())
    }
}
