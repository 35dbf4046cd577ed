//! The page about production: its configuration loads, and its lines back a store up and restore
//! it. The page about alerts tells of each alert that there is.

use std::{collections::BTreeSet, fs, net::SocketAddr, path::PathBuf, process::Command};

use aws_ilm::config;
use serde_json::{Value, json};

use super::{blocks, page};
use crate::{
    harness::{answer, caller},
    operations::new_folder,
    process::Running,
    tls::{Authority, Folder},
};

const NAME: &str = "docs/production.md";
const FUTURE: &str = "?notBefore=2035-01-31T17:00:00Z";

/// A machine of the page: its folders are below one of ours, and `systemctl` is this test.
struct Machine {
    folder: PathBuf,
    running: Option<(Running, SocketAddr)>,
    _directory: Running,
}

impl Machine {
    fn new() -> Self {
        let folder = new_folder();
        for name in ["lib", "backups", "etc"] {
            fs::create_dir(folder.join(name)).unwrap();
        }
        let (directory, _, url) = Running::sandbox(&[]);
        let store = folder.join("lib/store.db");
        let settings = format!(
            "store_path = \"{}\"\n[[instances]]\nname = \"production\"\nurl = \"{url}\"\nauthentication_token = \"sandbox-token\"\n",
            store.display()
        );
        fs::write(folder.join("etc/aws-ilm.toml"), settings).unwrap();
        let mut machine = Self {
            folder,
            running: None,
            _directory: directory,
        };
        machine.start();
        machine
    }

    fn start(&mut self) {
        let file = self.folder.join("etc/aws-ilm.toml").display().to_string();
        self.running = Some(Running::serve(&["--config", &file], &[]));
    }

    /// Carries out the lines of a block, one after the other.
    fn run(&mut self, block: &str) {
        for line in block.lines() {
            match line {
                "systemctl stop aws-ilm" => {
                    let (service, _) = self.running.take().expect("it runs");
                    service.terminate();
                    assert_eq!(service.code(), Some(0));
                }
                "systemctl start aws-ilm" => self.start(),
                line => self.shell(line),
            }
        }
    }

    fn shell(&self, line: &str) {
        let folder = self.folder.display();
        let line = line
            .strip_prefix("sudo -u aws-ilm ")
            .unwrap_or_else(|| panic!("as whom? {line}"))
            .replace("/var/lib/aws-ilm", &format!("{folder}/lib"))
            .replace("/var/backups/aws-ilm", &format!("{folder}/backups"))
            .replace("/etc/aws-ilm", &format!("{folder}/etc"));
        let program = PathBuf::from(env!("CARGO_BIN_EXE_aws-ilm"));
        let path = std::env::var("PATH").unwrap();
        let ended = Command::new("bash")
            .args(["-euc", &line])
            .env("PATH", format!("{}:{path}", program.parent().unwrap().display()))
            .output()
            .unwrap();
        assert!(ended.status.success(), "{line}: {ended:?}");
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.as_ref().expect("it runs").1)
    }

    /// Has a person's creation stored, and gives the operation's id.
    async fn defer(&self, name: &str, query: &str) -> String {
        let profile = json!({"username": name, "email": format!("{name}@example.com"), "givenname": "Kim", "surname": "Lee", "displayname": "Kim Lee"});
        let request = caller()
            .post(self.url(&format!("/commands/iam-create-user{query}")))
            .header("prefer", "respond-async");
        let answer = answer(request.json(&json!({"user-profile": profile}))).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    async fn operation(&self, id: &str, more: &str) -> (u16, Value) {
        let found = answer(caller().get(self.url(&format!("/operations/{id}{more}")))).await;
        (found.status, found.json())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Stored, backed up, lost, restored: what was accepted before the backup is there and is carried
/// out, what came later is not.
#[tokio::test]
async fn the_lines_of_the_page_back_a_store_up_and_restore_it() {
    let text = page(NAME);
    let blocks = blocks(&text);
    let mut lines = blocks.iter().filter(|block| block.language == "sh");
    let [backup, restore] = [(); 2].map(|()| lines.next().expect("there are two blocks").text);
    let mut machine = Machine::new();
    let ended = machine.defer("ended", "").await;
    assert_eq!(machine.operation(&ended, "/wait?timeout=20").await.1["state"], "done");
    let scheduled = machine.defer("scheduled", FUTURE).await;
    machine.run(backup);
    let later = machine.defer("later", FUTURE).await;
    machine.run(restore);
    assert_eq!(machine.operation(&ended, "").await.1["state"], "done");
    assert_eq!(machine.operation(&scheduled, "").await.1["state"], "scheduled");
    assert_eq!(machine.operation(&later, "").await.0, 404);
    let moved = caller()
        .patch(machine.url(&format!("/operations/{scheduled}")))
        .json(&json!({"notBefore": jiff::Timestamp::now().to_string()}));
    assert_eq!(answer(moved).await.status, 200);
    let (_, end) = machine.operation(&scheduled, "/wait?timeout=20").await;
    assert_eq!(end["state"], "done", "{end}");
    assert!(lines.next().is_none(), "{NAME} has another block in sh");
}

#[test]
fn the_configuration_of_the_page_can_be_loaded() {
    let text = page(NAME);
    let blocks = blocks(&text);
    let settings = blocks.iter().find(|block| block.language == "toml").unwrap().text;
    let authority = Authority::new("root");
    let tls = Folder::new(&authority.server(), None);
    let folder = new_folder();
    fs::create_dir(folder.join("secrets")).unwrap();
    let token = folder.join("secrets/production-token");
    fs::write(&token, "x").unwrap();
    let callers = page("docs/xsoar.md");
    let callers = super::blocks(&callers)
        .into_iter()
        .find(|block| block.language == "toml")
        .unwrap();
    fs::write(folder.join("callers.toml"), callers.text).unwrap();
    let settings = settings
        .replace("tls/tls.crt", &tls.path("tls.crt"))
        .replace("tls/tls.key", &tls.path("tls.key"));
    let file = folder.join("aws-ilm.toml");
    fs::write(&file, settings).unwrap();
    for path in [&token, &file] {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o640)).unwrap();
    }
    let loaded = config::load(&config::Sources {
        config: Some(file),
        ..config::Sources::default()
    });
    loaded.unwrap_or_else(|faults| panic!("{faults}"));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn each_alert_has_its_heading_and_each_heading_its_alert() {
    let rules = page("deploy/prometheus/aws-ilm.rules.yml");
    let alerts: BTreeSet<_> = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
        .collect();
    let text = page("docs/alerts.md");
    let headings: BTreeSet<_> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(alerts, headings);
}
