//! Scripted trouble: what real networks and services do to a client, on demand and repeatable.

use serde::{Deserialize, Serialize};

/// One kind of trouble, and the requests it befalls. The control endpoint takes the same as JSON:
/// `{"api": "CreateUser", "times": 1, "skip": 0, "probability": 0.5, "kind": "hang_up"}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The API it befalls, by its name (`CreateUser`); none means any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// How many requests it befalls before it is over.
    #[serde(default)]
    pub times: Times,
    /// How many matching requests pass unharmed before it begins.
    #[serde(default)]
    pub skip: u32,
    /// The chance, 0 to 1, that a matching request behind the skipped ones is befallen; none means
    /// always. Drawn from a generator seeded in [`super::Options`], so a run repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// What happens.
    pub kind: FaultKind,
}

/// How often a fault happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "TimesForm", try_from = "serde_json::Value")]
pub enum Times {
    /// This often.
    Count(u32),
    /// Until the faults are cleared; `"forever"` in JSON.
    Forever,
}

impl Default for Times {
    fn default() -> Self {
        Self::Count(1)
    }
}

/// What a fault does to a request. In JSON a kind without settings is its name, `"hang_up"`, one
/// with settings an object, `{"slow": {"milliseconds": 200}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// 429 in AWS's shape; nothing is done.
    Throttle {
        /// Text of a `Retry-After` header. AWS documents none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<String>,
    },
    /// This status with an error body in AWS's shape; nothing is done.
    Status {
        /// 200 to 599.
        status: u16,
    },
    /// Any answer at all: a proxy's HTML page, a 200 that is not JSON; nothing is done.
    Raw {
        /// 200 to 599.
        status: u16,
        /// The `Content-Type` header.
        content_type: String,
        /// The body, sent as it is.
        body: String,
    },
    /// The answer comes late.
    Slow {
        /// How late.
        milliseconds: u64,
        /// Whether the work is done late too, right before the answer. It is done even when the
        /// client has left by then.
        #[serde(default)]
        work_late: bool,
    },
    /// The connection is closed without an answer; nothing is done.
    HangUp,
    /// The work is done, then the connection is closed without an answer.
    AnswerLost,
    /// The work is done, then this status is answered with an error body in AWS's shape.
    FailAfterWork {
        /// 200 to 599, 500 or 504 in life.
        status: u16,
    },
}

impl Fault {
    /// A fault that befalls the next request of any API, once.
    #[must_use]
    pub fn new(kind: FaultKind) -> Self {
        Self {
            api: None,
            times: Times::default(),
            skip: 0,
            probability: None,
            kind,
        }
    }

    /// Only requests of this API.
    #[must_use]
    pub fn on(self, api: &str) -> Self {
        Self {
            api: Some(api.to_owned()),
            ..self
        }
    }

    /// This many requests.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self {
            times: Times::Count(times),
            ..self
        }
    }

    /// Every request until the faults are cleared.
    #[must_use]
    pub fn forever(self) -> Self {
        Self {
            times: Times::Forever,
            ..self
        }
    }

    /// Lets the first matching requests pass.
    #[must_use]
    pub fn skipping(self, skip: u32) -> Self {
        Self { skip, ..self }
    }

    /// With this chance only.
    #[must_use]
    pub fn with_probability(self, probability: f64) -> Self {
        Self {
            probability: Some(probability),
            ..self
        }
    }
}

/// The faults that are waiting, and the generator of chances.
#[derive(Debug)]
pub(super) struct Faults {
    waiting: Vec<Fault>,
    generator: u64,
}

impl Faults {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            waiting: Vec::new(),
            generator: seed,
        }
    }

    pub(super) fn script(&mut self, fault: Fault) {
        self.waiting.push(fault);
    }

    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }

    /// What befalls a request of this API: the first fault, in the order they were scripted, that
    /// is due.
    pub(super) fn strike(&mut self, api: &str) -> Option<FaultKind> {
        let mut generator = self.generator;
        let mut kind = None;
        for fault in &mut self.waiting {
            if fault.api.as_ref().is_some_and(|name| name != api) || fault.times == Times::Count(0) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            if fault
                .probability
                .is_some_and(|probability| chance(&mut generator) >= probability)
            {
                continue;
            }
            if let Times::Count(left) = &mut fault.times {
                *left -= 1;
            }
            kind = Some(fault.kind.clone());
            break;
        }
        self.generator = generator;
        self.waiting.retain(|fault| fault.times != Times::Count(0));
        kind
    }
}

/// A number from 0 to 1 from Vigna's SplitMix64: small, and good enough for tossing coins.
fn chance(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    let high = u32::try_from(mixed >> 32).unwrap_or(u32::MAX);
    f64::from(high) / (f64::from(u32::MAX) + 1.0)
}

/// The word for [`Times::Forever`].
const FOREVER: &str = "forever";

/// A number, or the word `forever`.
#[derive(Serialize)]
#[serde(untagged)]
enum TimesForm {
    Count(u32),
    Word(&'static str),
}

impl TryFrom<serde_json::Value> for Times {
    type Error = &'static str;

    fn try_from(value: serde_json::Value) -> Result<Self, Self::Error> {
        match value.as_u64().map(u32::try_from) {
            Some(Ok(count)) => Ok(Self::Count(count)),
            None if value == FOREVER => Ok(Self::Forever),
            Some(Err(_)) | None => Err("`times` is a number or \"forever\""),
        }
    }
}

impl From<Times> for TimesForm {
    fn from(times: Times) -> Self {
        match times {
            Times::Count(count) => Self::Count(count),
            Times::Forever => Self::Word(FOREVER),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_fault_skips_strikes_and_ends() {
        let mut faults = Faults::new(1);
        faults.script(Fault::new(FaultKind::HangUp).on("CreateUser").skipping(1).times(2));
        let struck: Vec<bool> = (0..5).map(|_| faults.strike("CreateUser").is_some()).collect();
        assert_eq!(struck, [false, true, true, false, false]);
        assert_eq!(faults.strike("GetUser"), None);
        faults.script(Fault::new(FaultKind::AnswerLost).forever());
        assert!((0..50).all(|_| faults.strike("GetUser") == Some(FaultKind::AnswerLost)));
        faults.clear();
        assert_eq!(faults.strike("GetUser"), None);
    }

    #[test]
    fn chance_repeats_with_its_seed() {
        let run = |seed| {
            let mut faults = Faults::new(seed);
            faults.script(Fault::new(FaultKind::HangUp).forever().with_probability(0.3));
            (0..1000)
                .map(|_| faults.strike("GetUser").is_some())
                .collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let struck = run(7).into_iter().filter(|struck| *struck).count();
        assert!((250..350).contains(&struck), "{struck}");
    }

    #[test]
    fn the_json_form_is_read_and_written() {
        let rows = [
            (
                json!({"times": 1, "skip": 0, "kind": "hang_up"}),
                Fault::new(FaultKind::HangUp),
            ),
            (
                json!({"api": "GetUser", "times": "forever", "skip": 2, "probability": 0.5, "kind": {"throttle": {"retry_after": "3"}}}),
                Fault::new(FaultKind::Throttle {
                    retry_after: Some("3".into()),
                })
                .on("GetUser")
                .forever()
                .skipping(2)
                .with_probability(0.5),
            ),
        ];
        for (json, fault) in rows {
            assert_eq!(serde_json::from_value::<Fault>(json.clone()).unwrap(), fault);
            assert_eq!(serde_json::to_value(&fault).unwrap(), json);
        }
        let short: Fault = serde_json::from_value(json!({"kind": {"slow": {"milliseconds": 5}}})).unwrap();
        assert_eq!(
            short,
            Fault::new(FaultKind::Slow {
                milliseconds: 5,
                work_late: false
            })
        );
        assert!(serde_json::from_value::<Fault>(json!({"kind": "hang_up", "tiems": 3})).is_err());
        assert!(serde_json::from_value::<Fault>(json!({"kind": "hang_up", "times": "always"})).is_err());
    }
}
