//! Keys of requests among the random steps: what each was used for, in a list.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::{prelude::*, test_runner::TestCaseError};

use super::{
    super::{Acceptance, FirstAnswer, NewOperation, NewRequest, RequestKey},
    model::Row,
    random::Both,
};

/// How long the keys of a case are kept, in seconds: some expire within it.
const KEPT: i64 = 60;

/// What each key was used for.
pub(super) type Keys = BTreeMap<u8, Used>;

/// What a key was used for, and the answer that is kept.
#[derive(Clone, Debug)]
pub(super) struct Used {
    digest: Vec<u8>,
    expires_at: Timestamp,
    pub(super) number: usize,
    pub(super) answer: Option<String>,
}

/// What a request with a key comes to.
enum Expected {
    Stored { may_have_written: bool },
    Reused,
    Deferred(usize),
    Answered(String),
    Open,
}

impl Both<'_> {
    /// Sends a request with a key: `meaning` tells it from others, and so does whether its caller
    /// waits.
    pub(super) async fn request(
        &mut self,
        key: u8,
        meaning: u8,
        row: Row,
        new: NewOperation,
    ) -> Result<(), TestCaseError> {
        let digest = vec![meaning, u8::from(new.is_synchronous)];
        let expires_at = self.after(KEPT);
        let request = NewRequest {
            operations: vec![new.clone()],
            batch: None,
            key: Some(RequestKey {
                caller: Some(format!("{}", self.case)),
                key: format!("key {key}"),
                digest: digest.clone(),
                expires_at,
            }),
        };
        let expected = self.expected(key, &digest);
        let found = self.store.accept(request, self.now).await.expect("an answer");
        let kept = self.keys.get(&key).map(|used| used.expires_at);
        match expected {
            Expected::Reused => prop_assert_eq!(found, Acceptance::Reused),
            Expected::Stored { may_have_written } => {
                let Acceptance::Stored(accepted) = found else {
                    return Err(TestCaseError::fail(format!("{found:?} of a free key")));
                };
                let is_behind = self.model.accept(row);
                let number = self.model.rows.len() - 1;
                self.model.rows[number].may_have_written = may_have_written;
                prop_assert_eq!(accepted[0].is_behind, is_behind);
                self.numbers.push(accepted[0].number);
                let used = Used {
                    digest,
                    expires_at,
                    number,
                    answer: None,
                };
                self.keys.insert(key, used);
            }
            Expected::Deferred(number) => {
                let stored = self.store.operation(self.id(number)).await.expect("an answer");
                let answer = FirstAnswer::Deferred(Box::new(stored.expect("it is stored")));
                prop_assert_eq!(Some(found), before(answer, kept));
            }
            Expected::Answered(envelope) => {
                let answer = FirstAnswer::Answered { status: 200, envelope };
                prop_assert_eq!(Some(found), before(answer, kept));
            }
            Expected::Open => prop_assert_eq!(Some(found), before(FirstAnswer::Open, kept)),
        }
        Ok(())
    }

    fn expected(&self, key: u8, digest: &[u8]) -> Expected {
        let used = self.keys.get(&key).filter(|used| used.expires_at > self.now);
        let Some(used) = used else {
            return Expected::Stored {
                may_have_written: false,
            };
        };
        let row = &self.model.rows[used.number];
        if used.digest != digest {
            Expected::Reused
        } else if !row.is_synchronous {
            Expected::Deferred(used.number)
        } else if let Some(answer) = &used.answer {
            Expected::Answered(answer.clone())
        } else if row.state.has_ended() {
            Expected::Stored {
                may_have_written: row.may_have_written,
            }
        } else {
            Expected::Open
        }
    }

    /// Keeps the first answer to the request that became this operation.
    pub(super) fn keep_answer(&mut self, number: usize, envelope: &str) {
        for used in self.keys.values_mut() {
            if used.number == number && used.answer.is_none() {
                used.answer = Some(envelope.to_owned());
            }
        }
    }
}

fn before(answer: FirstAnswer, kept: Option<Timestamp>) -> Option<Acceptance> {
    kept.map(|expires_at| Acceptance::Before { answer, expires_at })
}
