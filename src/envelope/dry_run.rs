//! What a command answers: its envelope, or what a dry run of it would have done.

use serde::Serialize;
use serde_json::Value;

use super::Envelope;
use crate::scim::Request;

/// The body of a command's answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum CommandResponse {
    /// What came of it.
    Envelope(Envelope),
    /// What would come of it.
    DryRun {
        /// Under the one key of its document.
        #[serde(rename = "dryRun")]
        dry_run: DryRun<Envelope>,
    },
}

/// What a command would do: read but not written.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DryRun<E> {
    /// The writes that would be sent, in order.
    pub requests: Vec<PlannedRequest>,
    /// The envelope that would come, the directory's answers assumed.
    pub envelope: E,
    /// The fields of the profile, or the attributes of the group, that do nothing: no rule of the
    /// mapper in use reads them, another spelling of them wins, or they are empty.
    pub ignored: Vec<String>,
    /// Whether anything would be written.
    pub changes: bool,
}

/// A write that would be sent.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct PlannedRequest {
    /// The HTTP method.
    pub method: String,
    /// The path below the instance's SCIM endpoint.
    pub path: String,
    /// The JSON body, null where there is none.
    #[schema(value_type = Option<Object>, required)]
    pub body: Option<Value>,
}

impl From<Request> for PlannedRequest {
    fn from(request: Request) -> Self {
        Self {
            method: request.method.to_string(),
            path: request.path(),
            body: request.body,
        }
    }
}
