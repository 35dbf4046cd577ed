//! Authentication, rights and refusals, through the front door, with the sandbox behind it.

mod audit;
mod audit_target;
mod certificates;
mod keys;
mod limits;
mod operations;
mod rights;
mod routes;
mod tokens;

use std::path::Path;

use aws_ilm::{
    auth::NewKey,
    sandbox::{self, Sandbox},
};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::{
    harness::{Answer, Setup, World, answer},
    process::File,
};

/// A key with its digest, as `aws-ilm key new` makes them.
pub(crate) fn key() -> (String, String) {
    let new = NewKey::generate().unwrap();
    (new.shown_once().to_owned(), new.digest.to_string())
}

/// A `[[callers]]` table with these keys' digests and these further lines.
pub(crate) fn caller(name: &str, digests: &[&str], lines: &str) -> String {
    let keys: Vec<String> = digests
        .iter()
        .map(|digest| format!("{{ sha256 = \"{digest}\" }}"))
        .collect();
    format!(
        "[[callers]]\nname = \"{name}\"\napi_keys = [{}]\n{lines}\n",
        keys.join(", ")
    )
}

/// Everything that can be allowed.
pub(crate) const ALL: &str = "commands = [\"*\"]\ninstances = [\"*\"]\nadministration = true\nmetrics = true\nsources = true\nrelease = true\noperations = \"manage\"";

/// A world that lets in these callers alone, and the file that names them.
pub(crate) async fn world(callers: &str, more: &[(&'static str, &str)]) -> (World, File) {
    let file = File::new(callers);
    let mut environment = vec![("AWS_ILM_CALLERS_FILE", file.path().to_owned())];
    environment.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    let world = World::with(Setup {
        environment,
        sandbox: sandbox::Options::default(),
        clock: None,
    })
    .await;
    (world, file)
}

/// The lines of a configuration file for two instances of one directory, `first` and `second`.
pub(crate) fn two_instances(sandbox: &World) -> String {
    let url = Sandbox::base_url(sandbox.directory, sandbox.sandbox.tenant_id());
    let token = sandbox::DEFAULT_TOKEN;
    ["first", "second"]
        .map(|name| format!("[[instances]]\nname = \"{name}\"\nurl = \"{url}\"\nauthentication_token = \"{token}\"\n"))
        .concat()
}

/// A command that finds the demo person.
pub(crate) fn somebody() -> Value {
    json!({"user-profile": {"username": "test"}})
}

impl World {
    /// Sends `iam-get-user` with these header fields.
    pub(crate) async fn get_user(&self, fields: &[(&str, &str)]) -> Answer {
        answer(with(self.http.post(self.url("/commands/iam-get-user")), fields).json(&somebody())).await
    }
}

/// The request with these header fields as well.
pub(crate) fn with(request: RequestBuilder, fields: &[(&str, &str)]) -> RequestBuilder {
    fields
        .iter()
        .fold(request, |request, (name, value)| request.header(*name, *value))
}

/// Puts another text into a file at once, as an editor or a swapped volume does.
pub(crate) fn replace(path: &str, text: &str) {
    let aside = format!("{path}.new");
    std::fs::write(&aside, text).unwrap();
    std::fs::rename(&aside, Path::new(path)).unwrap();
}
