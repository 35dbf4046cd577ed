//! One way to make a change whose answer may get lost, or which meets another writer: send it; look
//! what the directory holds; compare; send it again or stop.

use crate::{
    decide::{Asked, Next, Replay},
    scim::{ErrorKind, ScimError},
};

/// What a judgement is made from, beside what was seen: how the last sending went.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent<'a> {
    /// Why the last answer is no good one.
    pub(super) error: &'a ScimError,
    /// The last answer that got lost, if one did.
    pub(super) lost: Option<&'a ScimError>,
    /// Whether an attempt before this one may have sent it.
    pub(super) retried: bool,
    /// How often it was sent.
    pub(super) times: usize,
}

impl Sent<'_> {
    /// Whether it may have been carried out without an answer.
    pub(super) fn may_be_done(&self) -> bool {
        self.lost.is_some() || self.retried
    }

    /// Whether the directory refused it because of what it holds, or of another writer.
    pub(super) fn is_conflict(&self) -> bool {
        self.error.status() == Some(409)
    }
}

/// What a look says of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It is in effect.
    Done,
    /// It is not, and is sent again.
    SendAgain,
    /// It is not, and will not be.
    Stop,
}

/// How a change ended.
#[derive(Debug)]
pub(super) enum Settled<'a, A, S> {
    /// The directory answered that it is done.
    Answered(A),
    /// A look shows that it is in effect, though no answer said so.
    Done(S),
    /// It is not in effect; with what the last look showed, if there was one.
    Stopped(Sent<'a>, Option<S>),
    /// Looking failed, so that it is not known, and why it failed.
    Unsure(Sent<'a>, &'a ScimError),
}

/// Sends a change and, after an answer that got lost and after the first `conflicts` 409s, looks
/// before anything else is done: no change is made twice, and none is called failed that was made.
/// `judge` bounds how often it is sent.
pub(super) fn settle<'a, A, S>(
    replay: &mut Replay<'a>,
    conflicts: usize,
    mut send: impl FnMut(&mut Replay<'a>) -> Asked<'a, A>,
    mut look: impl FnMut(&mut Replay<'a>) -> Asked<'a, S>,
    mut judge: impl FnMut(Sent<'a>, &S) -> Judgement,
) -> Result<Settled<'a, A, S>, Next> {
    let mut lost = None;
    let mut times = 0;
    let mut conflicts_left = conflicts;
    loop {
        times += 1;
        let error = match send(replay)? {
            Ok(answer) => return Ok(Settled::Answered(answer)),
            Err(error) => error,
        };
        if error.is_answer_lost() {
            lost = Some(error);
        }
        let sent = Sent {
            error,
            lost,
            retried: replay.is_retried(),
            times,
        };
        if error.kind == ErrorKind::Status(409) && conflicts_left > 0 {
            conflicts_left -= 1;
        } else if !error.is_answer_lost() {
            return Ok(Settled::Stopped(sent, None));
        }
        let seen = match look(replay)? {
            Ok(seen) => seen,
            Err(looking) => return Ok(Settled::Unsure(sent, looking)),
        };
        match judge(sent, &seen) {
            Judgement::Done => return Ok(Settled::Done(seen)),
            Judgement::SendAgain => {}
            Judgement::Stop => return Ok(Settled::Stopped(sent, Some(seen))),
        }
    }
}
