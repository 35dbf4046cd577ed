//! The files of the service: replaced, broken, wrong at start, and told in the log.

use std::{
    collections::BTreeMap,
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use aws_ilm::{
    config::{self, Sources},
    net::tls::Files,
};
use rcgen::CertificateParams;

use super::{Authority, Folder, PATIENCE, Service, builder, client};
use crate::process::{File, Running, run};

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_served_without_a_failed_request() {
    let authority = Authority::new("root");
    let (first, second) = (authority.server(), authority.server());
    let folder = Folder::new(&first, None);
    let service = Arc::new(Service::start(&folder));
    let authority = Arc::new(authority);
    let kept = builder(&authority, None).http1_only().build().unwrap();
    assert_eq!(service.ask(&kept).await.unwrap().1, first.der());

    let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let (service, authority) = (Arc::clone(&service), Arc::clone(&authority));
            let (stop, asked) = (Arc::clone(&stop), Arc::clone(&asked));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    // One request on a connection of its own, and some more on it.
                    let client = client(&authority, None);
                    for _ in 0..3 {
                        service.ask(&client).await.unwrap();
                        asked.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();

    // As a renewal does it: one file after the other, so that for a while they don't belong
    // together.
    folder.write("tls.crt", &second.certificate);
    tokio::time::sleep(Duration::from_millis(300)).await;
    folder.write("tls.key", &second.key);
    let written = Instant::now();
    let before = asked.load(Ordering::Relaxed);
    while service.ask(&client(&authority, None)).await.unwrap().1 != second.der() {
        assert!(written.elapsed() < PATIENCE, "the new certificate is not served");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!(
        "new connections see the new certificate after {:?}; {} requests meanwhile",
        written.elapsed(),
        asked.load(Ordering::Relaxed) - before
    );
    // The connection from before goes on, with the certificate that it began with.
    assert_eq!(service.ask(&kept).await.unwrap().1, first.der());
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.expect("every request is answered");
    }
}

#[tokio::test]
async fn broken_files_are_kept_out_and_mended() {
    let authority = Authority::new("root");
    let (first, second) = (authority.server(), authority.server());
    let folder = Folder::new(&first, None);
    let service = Service::start(&folder);
    let shown = async || service.ask(&client(&authority, None)).await.unwrap().1;
    for (name, text) in [("tls.key", &second.key[..]), ("tls.crt", "")] {
        folder.write(name, text);
        // Good ones would have been taken by then.
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(shown().await, first.der(), "{name}: {text}");
    }
    folder.write("tls.crt", &second.certificate);
    let written = Instant::now();
    while shown().await != second.der() {
        assert!(written.elapsed() < PATIENCE, "the mended files are not served");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn load(settings: &[(&str, &str)]) -> Result<config::Settings, config::ConfigError> {
    let mut environment: BTreeMap<String, String> = [
        ("AWS_ILM_URL", "https://scim.us-east-1.amazonaws.com/abc-1"),
        ("AWS_ILM_AUTHENTICATION_TOKEN", "token"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    environment.extend(
        settings
            .iter()
            .map(|(name, value)| (format!("AWS_ILM_{}", name.to_uppercase()), (*value).to_owned())),
    );
    config::load(&Sources {
        environment,
        ..Sources::default()
    })
}

#[test]
fn what_is_wrong_with_the_files_is_told_at_start_without_a_key() {
    let authority = Authority::new("root");
    let (issued, other) = (authority.server(), authority.server());
    let folder = Folder::new(&issued, Some(&authority.pem()));
    folder.write("other.key", &other.key);
    folder.write("empty", "");
    folder.write("text", "nothing to see");
    folder.write("half.key", &issued.key[..issued.key.len() / 2]);
    folder.write("half.crt", &issued.certificate[..issued.certificate.len() / 2]);
    folder.write("two.key", &format!("{}{}", issued.key, other.key));
    folder.write(
        "encrypted.key",
        &issued.key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
    );
    folder.write(
        "weird.crt",
        "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n",
    );
    folder.write("huge", &"x".repeat(1024 * 1024 + 1));
    let [crt, key, ca] = ["tls.crt", "tls.key", "ca.crt"].map(|name| folder.path(name));
    let all = [
        ("tls_certificate_file", crt.as_str()),
        ("tls_key_file", key.as_str()),
        ("tls_client_ca_file", ca.as_str()),
    ];
    let settings = load(&all).unwrap();
    assert_eq!(
        settings.tls.unwrap(),
        Files {
            strict: false,
            ..folder.files()
        }
    );
    assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
    assert_eq!(load(&[]).unwrap().tls, None);

    let at = |name: &str| folder.path(name);
    let mut cases = vec![
        (all[0].0, at("missing"), "no such file"),
        (all[0].0, at("empty"), "is empty"),
        (all[0].0, at("text"), "not PEM"),
        (all[0].0, at("half.crt"), "cut short"),
        (all[0].0, at("weird.crt"), "can't be read"),
        (all[0].0, at("tls.key"), "no certificate"),
        (all[0].0, at("huge"), "larger than 1 MiB"),
        (all[0].0, folder.path(""), "not a regular file"),
        (all[0].0, "/dev/zero".to_owned(), "not a regular file"),
        (all[1].0, at("other.key"), "not the key of the certificate"),
        (all[1].0, at("tls.crt"), "no private key"),
        (all[1].0, at("half.key"), "cut short"),
        (all[1].0, at("two.key"), "more than one"),
        (all[1].0, at("encrypted.key"), "encrypted"),
        (all[1].0, at("empty"), "is empty"),
        (all[1].0, issued.key.clone(), "a value (masked): no such file"),
        (all[1].0, " ".to_owned(), "use the path of a PEM file"),
        (all[2].0, at("text"), "not PEM"),
        (all[2].0, at("weird.crt"), "can't be read"),
        (all[2].0, at("missing"), "no such file"),
    ];
    let pipe = at("pipe");
    if std::process::Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .is_ok_and(|made| made.success())
    {
        cases.push((all[0].0, pipe.clone(), "not a regular file"));
        cases.push((all[1].0, pipe, "not a regular file"));
    }
    for (name, value, expected) in cases {
        let set = all.map(|(other, path)| (other, if other == name { value.as_str() } else { path }));
        let faults = load(&set).unwrap_err();
        let told = faults.to_string();
        let wrong: Vec<_> = faults.0.iter().map(|fault| &fault.path).collect();
        assert_eq!(wrong, [&format!("{name} (AWS_ILM_{})", name.to_uppercase())], "{told}");
        assert!(told.contains(expected), "{name} {value:?}: {told}");
        let secret = issued.key.lines().nth(1).unwrap();
        assert!(!told.contains(&secret[..16]), "{told}");
    }
    // One without the other.
    for set in [&all[..1], &all[1..2], &all[2..], &all[1..], &[all[0], all[2]]] {
        let told = load(set).unwrap_err().to_string();
        assert!(told.contains("TLS needs a certificate and its key"), "{told}");
    }
}

#[cfg(unix)]
#[test]
fn a_key_for_everybody_and_dates_are_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let authority = Authority::new("root");
    let mut expired = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    expired.not_after = (SystemTime::now() - Duration::from_secs(3600)).into();
    let folder = Folder::new(&authority.issue(&expired), None);
    let [crt, key] = ["tls.crt", "tls.key"].map(|name| folder.path(name));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let set = [("tls_certificate_file", crt.as_str()), ("tls_key_file", key.as_str())];
    let warnings = load(&set).unwrap().warnings;
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("the certificate expired on 20"), "{warnings:?}");
    assert!(
        warnings[1].contains("tls_key_file") && warnings[1].contains("chmod 600"),
        "{warnings:?}"
    );
    let strict = [set[0], set[1], ("strict_secret_files", "true")];
    let told = load(&strict).unwrap_err().to_string();
    assert!(told.contains("tls_key_file") && told.contains("chmod 600"), "{told}");
}

#[test]
fn the_log_tells_each_change_once_and_no_key() {
    let authority = Authority::new("root");
    let (first, second) = (authority.server(), authority.server());
    let folder = Folder::new(&first, None);
    // Relative to the configuration file, which is not where the program runs.
    folder.write(
        "aws-ilm.toml",
        "tls_certificate_file = \"tls.crt\"\ntls_key_file = \"./tls.key\"\n",
    );
    let (service, _) = Running::serve(&["--sandbox", "--config", &folder.path("aws-ilm.toml")], &[]);
    folder.write("tls.key", &second.key);
    let line = service.stderr.line_with("can't be used; those before are served on");
    assert!(
        line.contains("ERROR") && line.contains("not the key of the certificate"),
        "{line}"
    );
    // Longer than it takes to look again.
    std::thread::sleep(Duration::from_secs(3));
    folder.write("tls.crt", &second.certificate);
    let line = service.stderr.line_with("the TLS files were reloaded");
    assert!(line.contains("INFO") && line.contains("expires="), "{line}");
    let log = service.stderr.text();
    assert_eq!(log.matches("can't be used").count(), 1, "{log}");
    for key in [&first.key, &second.key] {
        assert!(
            key.lines()
                .skip(1)
                .all(|line| line.starts_with("-----") || !log.contains(line)),
            "{log}"
        );
    }
}

#[test]
fn the_program_serves_tls_and_its_healthcheck_knows() {
    let authority = Authority::new("root");
    let folder = Folder::new(&authority.server(), Some(&authority.pem()));
    let [crt, key, ca] = ["tls.crt", "tls.key", "ca.crt"].map(|name| folder.path(name));
    let tls = [
        ("AWS_ILM_TLS_CERTIFICATE_FILE", crt.as_str()),
        ("AWS_ILM_TLS_KEY_FILE", key.as_str()),
        ("AWS_ILM_TLS_CLIENT_CA_FILE", ca.as_str()),
    ];
    let (service, address) = Running::serve(&["--sandbox"], &tls);
    let url = format!("https://{address}");
    assert!(service.stderr.line_with("listening").contains(&url));
    assert!(
        service
            .stdout
            .line_with("Swagger UI:")
            .contains(&format!("{url}/docs/"))
    );
    service.stdout.line_with(&format!("curl -s {url}/commands/"));

    let asked = |arguments: &[&str], settings: &[(&str, &str)]| {
        let ended = run(&[&["healthcheck"], arguments].concat(), settings);
        (ended.code, ended.stdout, ended.stderr)
    };
    let ready = (Some(0), "ready\n".to_owned(), String::new());
    let listen = address.to_string();
    let listen = ("AWS_ILM_LISTEN", listen.as_str());
    assert_eq!(asked(&[], &[listen, tls[0], tls[1]]), ready);
    // The same out of a file, whose other faults and secrets are nothing to it.
    let file = File::new(&format!(
        "listen = \"{address}\"\ntls_certificate_file = \"tls.crt\"\ntls_key_file = \"tls.key\"\n[[instances]]\nurl = 1\n"
    ));
    assert_eq!(asked(&["--config", file.path()], &[]), ready);
    assert_eq!(asked(&[], &[("AWS_ILM_CONFIG", file.path())]), ready);
    // Plain HTTP is not spoken there.
    assert_eq!(asked(&[], &[listen]).0, Some(1));
    // A given address is verified, and its authority is unknown here.
    let (code, _, stderr) = asked(&["--url", &url], &[]);
    assert_eq!(code, Some(1));
    assert!(stderr.to_lowercase().contains("certificate"), "{stderr}");
    assert_eq!(asked(&["--config", "/nowhere/aws-ilm.toml"], &[]).0, Some(2));
}
