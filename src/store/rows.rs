//! What a store takes and gives.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{DueDate, NewStatement};

/// An operation to be stored.
#[derive(Clone, Debug)]
pub struct NewOperation {
    /// Its id, by which callers know it.
    pub id: String,
    /// The instance that it is for.
    pub instance: String,
    /// The name of its command.
    pub command: String,
    /// The command and its arguments, as [`crate::commands::stored`] writes them. The store does
    /// not read it.
    pub stored: String,
    /// How urgent it is among the lanes: the smallest goes first.
    pub class: u8,
    /// Every name that it knows its person or group by.
    pub lanes: BTreeSet<String>,
    /// Whether it runs at once, and then in its turn as well, where something is before it.
    pub overtakes: bool,
    /// Whether its caller waits for it: with its process gone it is not begun any more.
    pub is_synchronous: bool,
    /// Before this time it stands outside its lanes.
    pub not_before: Option<Timestamp>,
    /// The caller that sent it.
    pub caller: Option<String>,
    /// The source of the webhook that it comes from.
    pub source: Option<String>,
    /// The batch that it belongs to.
    pub batch: Option<String>,
    /// What it is for, by which others of its person find it.
    pub purpose: Option<String>,
    /// The W3C trace context that it was accepted in.
    pub traceparent: Option<String>,
    /// The date that its time was computed from.
    pub due_date: Option<DueDate>,
    /// Why it waits for a person's word before anything else.
    pub held: Option<String>,
    /// What its event says of its person.
    pub statement: Option<Box<NewStatement>>,
    /// Whether it asks its source for more of its person before it is carried out.
    pub wants_fetch: bool,
}

impl NewOperation {
    /// The operation as it is stored at this time under this number.
    pub fn accepted(&self, number: i64, now: Timestamp) -> Operation {
        let is_due = self.not_before.is_none_or(|time| time <= now);
        Operation {
            number,
            id: self.id.clone(),
            instance: self.instance.clone(),
            command: self.command.clone(),
            stored: self.stored.clone(),
            state: if is_due { State::Waiting } else { State::Scheduled },
            reason: None,
            class: self.class,
            subject: self.lanes.clone(),
            created_at: now,
            not_before: self.not_before,
            due_at: None,
            ended_at: None,
            attempts: 0,
            may_have_written: false,
            has_changed: false,
            is_synchronous: self.is_synchronous,
            caller: self.caller.clone(),
            source: self.source.clone(),
            batch: self.batch.clone(),
            purpose: self.purpose.clone(),
            traceparent: self.traceparent.clone(),
            due_date: self.due_date.clone(),
            wants_fetch: self.wants_fetch,
            envelope: None,
        }
    }
}

/// An operation that was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its accepted number: what was accepted earlier has a smaller one.
    pub number: i64,
    /// Whether something older is in one of its lanes.
    pub is_behind: bool,
}

/// The state of an operation. All are known from the first schema on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Its time has not come.
    Scheduled,
    /// It waits for its turn, or for its next try.
    Waiting,
    /// An attempt runs.
    Running,
    /// It waits for a person's word.
    Held,
    /// It waits for what its event did not say.
    NeedsData,
    /// It ended with success.
    Done,
    /// It ended with nothing to do.
    Skipped,
    /// It ended with a failure that trying again does not mend.
    Failed,
    /// It ended after its last try.
    Buried,
    /// It was ended before it was carried out.
    Cancelled,
    /// Nothing was left of it: later events said more.
    Superseded,
}

impl State {
    /// Every state, in the order of an operation's life.
    pub const ALL: [Self; 11] = [
        Self::Scheduled,
        Self::Waiting,
        Self::Running,
        Self::Held,
        Self::NeedsData,
        Self::Done,
        Self::Skipped,
        Self::Failed,
        Self::Buried,
        Self::Cancelled,
        Self::Superseded,
    ];

    /// Its name, stored and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Held => "held",
            Self::NeedsData => "needs_data",
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Buried => "buried",
            Self::Cancelled => "cancelled",
            Self::Superseded => "superseded",
        }
    }

    /// The state of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether an operation in this state can be cancelled: it has not ended and does not run, or
    /// it is buried, and seen to by that.
    pub fn is_cancellable(self) -> bool {
        self == Self::Buried || !self.has_ended() && self != Self::Running
    }

    /// Whether an operation in this state stands outside its lanes until it is released.
    pub fn is_releasable(self) -> bool {
        matches!(self, Self::Held | Self::NeedsData)
    }

    /// Whether nothing more becomes of it, unless another try is asked for.
    pub fn has_ended(self) -> bool {
        match self {
            Self::Scheduled | Self::Waiting | Self::Running | Self::Held | Self::NeedsData => false,
            Self::Done | Self::Skipped | Self::Failed | Self::Buried | Self::Cancelled | Self::Superseded => true,
        }
    }
}

/// A stored operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its accepted number.
    pub number: i64,
    /// See [`NewOperation::id`].
    pub id: String,
    /// See [`NewOperation::instance`].
    pub instance: String,
    /// See [`NewOperation::command`].
    pub command: String,
    /// See [`NewOperation::stored`].
    pub stored: String,
    /// Its state.
    pub state: State,
    /// Why it is in that state, where that says more.
    pub reason: Option<String>,
    /// See [`NewOperation::class`].
    pub class: u8,
    /// The names that it was accepted with.
    pub subject: BTreeSet<String>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// See [`NewOperation::not_before`].
    pub not_before: Option<Timestamp>,
    /// When it is tried next, where it waits for that.
    pub due_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How often it was tried.
    pub attempts: u32,
    /// Whether an attempt may have written.
    pub may_have_written: bool,
    /// Whether an attempt changed the directory.
    pub has_changed: bool,
    /// See [`NewOperation::is_synchronous`].
    pub is_synchronous: bool,
    /// See [`NewOperation::caller`].
    pub caller: Option<String>,
    /// See [`NewOperation::source`].
    pub source: Option<String>,
    /// See [`NewOperation::batch`].
    pub batch: Option<String>,
    /// See [`NewOperation::purpose`].
    pub purpose: Option<String>,
    /// See [`NewOperation::traceparent`].
    pub traceparent: Option<String>,
    /// See [`NewOperation::due_date`].
    pub due_date: Option<DueDate>,
    /// See [`NewOperation::wants_fetch`].
    pub wants_fetch: bool,
    /// The envelope of its last attempt that came to one.
    pub envelope: Option<String>,
}

impl Operation {
    /// The operation as it was when it was accepted, whatever has become of it.
    pub fn as_accepted(self) -> Self {
        let was_due = self.not_before.is_none_or(|time| time <= self.created_at);
        Self {
            state: if was_due { State::Waiting } else { State::Scheduled },
            reason: None,
            due_at: None,
            ended_at: None,
            attempts: 0,
            may_have_written: false,
            has_changed: false,
            envelope: None,
            ..self
        }
    }

    /// Whether it can be moved to another time: it is not due, or has not been tried.
    pub fn is_movable(&self) -> bool {
        self.state == State::Scheduled || self.state == State::Waiting && self.attempts == 0
    }
}

/// One try of an operation. Attempts are only ever added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The first is 1.
    pub number: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; `None` while it runs.
    pub ended_at: Option<Timestamp>,
    /// Why it failed, in the words of the envelope's causes; `died` where its process did.
    pub cause: Option<String>,
    /// The directory's last HTTP status.
    pub status: Option<u16>,
    /// AWS's ids of the requests that failed, a text that the store does not read.
    pub aws_request_ids: Option<String>,
    /// The principal that asked for this try.
    pub requested_by: Option<String>,
}

/// The right to carry an operation out, until it is ended or claimed anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The operation's accepted number.
    pub number: i64,
    /// Differs from that of every other claim of the operation.
    pub epoch: i64,
    /// The number of the attempt that began.
    pub attempt: u32,
    /// Its operation's place in its lanes.
    pub turn: i64,
}

/// An operation that was claimed.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// To be handed back at its end.
    pub claim: Claim,
    /// The operation.
    pub operation: Operation,
    /// Whether something is before it in its lanes.
    pub is_out_of_turn: bool,
}

/// What was claimed at once.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    /// In the order in which they were claimed.
    pub claimed: Vec<Claimed>,
    /// When there is something to do again; `None` when nothing waits for a time.
    pub next: Option<Timestamp>,
}

/// How an attempt ended; see [`Attempt`].
#[derive(Clone, Debug, Default)]
pub struct AttemptEnd {
    /// See [`Attempt::cause`].
    pub cause: Option<String>,
    /// See [`Attempt::status`].
    pub status: Option<u16>,
    /// See [`Attempt::aws_request_ids`].
    pub aws_request_ids: Option<String>,
    /// Whether the attempt may have written something, or an answer to a write got lost.
    pub may_have_written: bool,
    /// Whether it changed the directory.
    pub changed: bool,
    /// What it came to, as the caller is told. Kept unless an attempt before it changed something.
    pub envelope: Option<String>,
    /// The status of the answer to the caller that waits; none where that is to try again. The
    /// first is kept under the request's key, with its envelope.
    pub answered: Option<u16>,
    /// What the directory showed of the operation's person.
    pub learned: Option<Learned>,
    /// The accepted numbers of the statements that are in the directory by it.
    pub carried_out: Vec<i64>,
    /// Whether the user was made active or inactive by it.
    pub has_changed_active: bool,
    /// The accepted numbers of the statements because of which it did not make the user active.
    pub withheld_by: Vec<i64>,
    /// Whether what was said has made the user active, or found it so.
    pub made_active: bool,
    /// What was fetched of the person: attributes of the operation's own statement from now on.
    pub fetched: BTreeMap<String, String>,
    /// The directory id of the user that it disabled, may have disabled, or found disabled.
    pub disabled: Option<String>,
}

/// The names by which the directory has a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learned {
    /// The directory's id.
    pub directory_id: String,
    /// Every lane that this person is known by.
    pub lanes: BTreeSet<String>,
}

/// What becomes of an operation after an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It has ended in this state, for this reason.
    Ended(State, Option<String>),
    /// It keeps its place, and all behind it wait with it, until this time.
    RetryAt(Timestamp),
    /// It keeps its place, and from now on waits for its turn.
    InTurn,
    /// It stands outside its lanes until this time.
    Postponed(Timestamp),
    /// It waits outside its lanes, until more is known of its person or a person lets it go on.
    Aside(State, Option<String>),
    /// It keeps its place and waits for a person's word, or for data; what is buried so keeps all
    /// behind it waiting.
    Waits(State, Option<String>),
}

/// What has disabled a user.
///
/// Commands of callers and events know each other's order by their numbers alone; between events
/// their own times count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disabled {
    /// The accepted number of the newest.
    pub number: i64,
    /// The latest turn: what comes due later than others may have been accepted earlier.
    pub turn: i64,
    /// The id of the last; empty where it is no operation.
    pub id: String,
    /// Those of them that callers sent.
    pub called: Option<Box<Disabled>>,
}
