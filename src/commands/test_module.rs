//! `test-module`: reads as little as possible, and says what the answer proves.
//!
//! One user is read, not the ServiceProviderConfig, which many directories show to everybody: a
//! wrong token would pass.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Decision, Operation, Rules};
use crate::{
    decide::{Next, Replay},
    outcome::{Failure, Outcome},
    scim::{self, ErrorKind, Priority},
};

/// `test-module` takes no arguments.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TestModuleArguments)]
pub struct Args {}

impl Operation for Args {
    const NAME: &'static str = "test-module";
    const ARGUMENTS: &'static [&'static str] = &[];
    const PRIORITY: Priority = Priority::Read;

    fn prepare<'a>(&'a self, _: &'a Rules) -> Box<dyn Decision + Send + 'a> {
        Box::new(Test)
    }
}

/// The test, ready to be decided.
struct Test;

impl Decision for Test {
    fn decide<'r>(&'r mut self, replay: &mut Replay<'r>) -> Result<Outcome, Next> {
        Ok(Outcome::Tested(match replay.probe()? {
            Ok(_) => Ok(
                "the directory answered: url, tenant_id and authentication_token are right, and the token may read users",
            ),
            Err(error) => Err(Failure {
                message: format!("{}; {}", error.message(), proves(error)),
                ..error.into()
            }),
        }))
    }
}

/// What a failed answer says about the configuration.
fn proves(error: &scim::ScimError) -> &'static str {
    match error.kind {
        ErrorKind::Connect => "check url: no connection, or no trust in its certificate",
        ErrorKind::Timeout | ErrorKind::Broken => {
            "something at url takes connections but does not answer; check url and proxy"
        }
        ErrorKind::Throttled => "url, tenant_id and authentication_token are right; too many requests at the moment",
        ErrorKind::Absent | ErrorKind::WrongUrl => "check the path of url: there is no SCIM endpoint",
        ErrorKind::Status(401) => "check authentication_token and tenant_id: AWS does not tell them apart",
        ErrorKind::Status(403) => {
            "url, tenant_id and authentication_token are known, but the token lacks the right to read users"
        }
        ErrorKind::Status(_) => "the directory is there, and failed",
        ErrorKind::Unreadable => "check url: what answers there does not speak SCIM",
        ErrorKind::CircuitOpen => "check url, or whether the directory is down",
        ErrorKind::Expired | ErrorKind::Congested => "nothing was proved",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::*;
    use crate::scim::ErrorKind;

    #[test]
    fn every_answer_proves_something() {
        let rows = [
            (ErrorKind::Connect, "failed 503: said; check url: …"),
            (
                ErrorKind::Timeout,
                "failed 504: said; something at url takes connections …",
            ),
            (
                ErrorKind::Broken,
                "failed 504: said; something at url takes connections …",
            ),
            (
                ErrorKind::Status(401),
                "failed 401: said; check authentication_token and tenant_id: AWS does not tell them apart",
            ),
            (
                ErrorKind::Status(403),
                "failed 403: said; url, tenant_id and authentication_token are known, …",
            ),
            (
                ErrorKind::WrongUrl,
                "failed 404: said; check the path of url: there is no SCIM endpoint",
            ),
            (
                ErrorKind::Absent,
                "failed 404: said; check the path of url: there is no SCIM endpoint",
            ),
            (
                ErrorKind::Throttled,
                "failed 429: said; url, tenant_id and authentication_token are right; …",
            ),
            (
                ErrorKind::Status(500),
                "failed 500: said; the directory is there, and failed",
            ),
            (
                ErrorKind::Unreadable,
                "failed 502: said; check url: what answers there does not speak SCIM",
            ),
            (ErrorKind::Expired, "failed 504: said; nothing was proved"),
            (ErrorKind::Congested, "failed 503: said; nothing was proved"),
            (
                ErrorKind::CircuitOpen,
                "failed 503: said; check url, or whether the directory is down",
            ),
        ];
        let test = || command("test-module", json!({}));
        for (kind, end) in rows {
            hold(vec![row("a failure", test(), vec![("anybody?", failed(kind))], end)]);
        }
        hold(vec![
            row(
                "somebody",
                test(),
                vec![("anybody?", found(json!({})))],
                "done: the directory answered: …",
            ),
            row(
                "nobody yet",
                test(),
                vec![("anybody?", nobody())],
                "done: the directory answered: …",
            ),
            row(
                "dry",
                test(),
                vec![("anybody?", nobody())],
                "done: the directory answered: …",
            )
            .dry(),
        ]);
    }
}
