//! Client certificates: whose they are by their names, in the process that serves TLS.

use crate::{
    callers::{ALL, caller, key, somebody, two_instances},
    harness::{World, answer},
    process::{File, Running},
    tls::{Authority, Folder, client},
};

#[tokio::test]
async fn a_certificate_lets_in_as_the_caller_that_has_its_name() {
    let directory = World::start().await;
    let (authority, stranger) = (Authority::new("root"), Authority::new("another"));
    let folder = Folder::new(&authority.server(), Some(&authority.pem()));
    let (key, digest) = key();
    let read = "commands = [\"read\"]\ninstances = [\"*\"]";
    let config = |names: &str| {
        File::new(&format!(
            "tls_certificate_file = \"{}\"\ntls_key_file = \"{}\"\ntls_client_ca_file = \"{}\"\n{}\
             [[callers]]\nname = \"hr\"\ncertificates = [{names}]\n{read}\n{}",
            folder.path("tls.crt"),
            folder.path("tls.key"),
            folder.path("ca.crt"),
            two_instances(&directory),
            caller("soar", &[&digest], ALL),
        ))
    };
    for (names, status) in [
        ("\"uri:spiffe://example.com/hr\"", 200),
        ("\"subject:CN=hr,O=Example\"", 200),
        ("\"dns:hr\", \"uri:spiffe://example.com/hr\"", 200),
        ("\"uri:spiffe://example.com/hr2\"", 401),
        ("\"subject:CN=hr\"", 401),
        ("\"dns:hr\"", 401),
    ] {
        let config = config(names);
        let settings = [("AWS_ILM_LOG_FORMAT", "json")];
        let (service, address) = Running::serve(&["--config", config.path()], &settings);
        let ask = async |issued: Option<_>, fields: &[(&str, &str)], command: &str| {
            let url = format!("https://localhost:{}/commands/{command}", address.port());
            let request = client(&authority, issued).post(url).header("x-request-id", "c-1");
            answer(super::with(request, fields).json(&somebody())).await.status
        };
        let issued = authority.client();
        assert_eq!(ask(Some(&issued), &[], "iam-get-user").await, status, "{names}");
        if status != 200 {
            continue;
        }
        assert_eq!(ask(Some(&issued), &[], "iam-disable-user").await, 403);
        assert_eq!(ask(None, &[], "iam-get-user").await, 401);
        // What is presented goes before the certificate, and a wrong key is not made good by it.
        assert_eq!(
            ask(Some(&issued), &[("x-api-key", &key)], "iam-disable-user").await,
            200
        );
        assert_eq!(
            ask(Some(&issued), &[("x-api-key", "ilm_wrong")], "iam-get-user").await,
            401
        );
        // A certificate of others gets nobody as far as that.
        let url = format!("https://localhost:{}/commands/iam-get-user", address.port());
        let other = stranger.client();
        assert!(
            client(&authority, Some(&other))
                .post(url)
                .json(&somebody())
                .send()
                .await
                .is_err()
        );
        let line = service.stderr.line_with("a certificate of an unknown issuer");
        assert!(
            line.contains("\"target\":\"audit\"") && line.contains("\"address\":\"127.0.0.1\""),
            "{line}"
        );
        let line = service.stderr.line_with("\"lacks the right to the command\"");
        assert!(
            line.contains("\"proof\":\"certificate\"") && line.contains("\"caller\":\"hr\""),
            "{line}"
        );
    }
}
