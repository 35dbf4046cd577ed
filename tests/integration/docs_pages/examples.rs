//! The examples of the pages. Blocks in `sh` are run by bash as they stand, in their order, with
//! the service of `serve --sandbox` at 127.0.0.1:8080 and the directory of `sandbox` at
//! 127.0.0.1:8081; what they print is what the block behind says. Blocks in `console` need
//! something that a test has not, such as AWS or root. The pages with tests of their own are not
//! among these.

use std::{fs, path::PathBuf, process::Command};

use aws_ilm::config;
use serde_json::Value;

use super::{Block, blocks, docs, page};
use crate::{
    normalised::{normalised, text_of},
    operations::new_folder,
    process::{File, Running, run},
    tls::{Authority, Folder},
};

/// Pages whose `sh` blocks are run by a test of their own, and the file of that test.
const ELSEWHERE: [(&str, &str); 4] = [
    ("docs/hr.md", "tests/integration/webhooks/docs.rs"),
    ("docs/hr-events.md", "tests/integration/webhooks_rules/page.rs"),
    ("docs/playbooks.md", "tests/suites/soar_pages.py"),
    ("docs/production.md", "tests/integration/docs_pages/production.rs"),
];

/// What examples run in: a folder, a service, and a directory.
struct Place {
    folder: PathBuf,
    service: (Running, String),
    directory: (Running, String),
}

impl Place {
    fn start() -> Self {
        let folder = new_folder();
        let (service, address) = Running::serve(&["--sandbox"], &[]);
        let (directory, of_directory, _) = Running::sandbox(&[]);
        Self {
            folder,
            service: (service, address.to_string()),
            directory: (directory, of_directory.to_string()),
        }
    }

    /// What bash prints.
    fn run(&self, script: &str) -> String {
        let script = script
            .replace("127.0.0.1:8080", &self.service.1)
            .replace("127.0.0.1:8081", &self.directory.1);
        let program = PathBuf::from(env!("CARGO_BIN_EXE_aws-ilm"));
        let path = std::env::var("PATH").unwrap();
        let ended = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &script])
            .current_dir(&self.folder)
            .env("PATH", format!("{}:{path}", program.parent().unwrap().display()))
            .output()
            .unwrap();
        assert!(ended.status.success(), "{script}: {ended:?}");
        String::from_utf8(ended.stdout).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test]
async fn each_example_prints_what_the_page_says() {
    let mut run = 0;
    for name in std::iter::once("README.md".to_owned()).chain(docs()) {
        let text = page(&name);
        let blocks = blocks(&text);
        let elsewhere = ELSEWHERE.iter().find(|(other, _)| *other == name);
        if let Some((_, test)) = elsewhere {
            let file = name.rsplit('/').next().unwrap();
            assert!(page(test).contains(file), "{test} does not name {name}");
        }
        if elsewhere.is_some() || !blocks.iter().any(|block| block.language == "sh") {
            continue;
        }
        let place = Place::start();
        for (index, block) in blocks.iter().enumerate() {
            if let Some(file) = named(block) {
                fs::write(place.folder.join(file), block.text).unwrap();
            }
            if block.language == "sh" {
                let told = place.run(block.text);
                compare(&name, block, blocks.get(index + 1), &told);
                run += 1;
            }
        }
    }
    assert!(run >= 15, "only {run} examples");
}

/// The file that a block is, which the text before it names last: "`people.csv`:".
fn named<'p>(block: &Block<'p>) -> Option<&'p str> {
    let name = block.before.trim_end().strip_suffix("`:")?.rsplit('`').next()?;
    let is_file = name.contains('.') && !name.contains([' ', '/']);
    is_file.then_some(name)
}

fn compare(name: &str, block: &Block<'_>, behind: Option<&Block<'_>>, told: &str) {
    let stale = format!("{name} is stale at: {}", block.text);
    match behind {
        Some(Block {
            language: "json", text, ..
        }) => {
            let promised: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
            let given: Value = serde_json::from_str(told).unwrap_or_else(|error| panic!("{error}: {told}"));
            // As text, so that the order of the keys is held too.
            let [promised, given] =
                [promised, given].map(|value| serde_json::to_string_pretty(&normalised(&value)).unwrap());
            assert_eq!(promised, given, "{stale}");
        }
        Some(Block {
            language: "text", text, ..
        }) => assert_eq!(text_of(text), text_of(told), "{stale}"),
        _ => panic!(
            "no ```json or ```text block with its answer comes behind: {}",
            block.text
        ),
    }
}

#[test]
fn the_instances_of_the_page_can_be_loaded() {
    let text = page("docs/configuration.md");
    let blocks = blocks(&text);
    let settings = blocks.iter().find(|block| block.language == "toml").unwrap().text;
    let folder = new_folder();
    let token = folder.join("production-token");
    fs::write(&token, "x").unwrap();
    let file = folder.join("aws-ilm.toml");
    let settings = settings.replace("/run/secrets/production-token", &token.display().to_string());
    fs::write(&file, settings).unwrap();
    let arguments = ["config", "show", "--config", &file.display().to_string()];
    let ended = run(&arguments, &[("STAGING_TOKEN", "y")]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let named = run(
        &arguments,
        &[("STAGING_TOKEN", "y"), ("AWS_ILM_DISABLE_USER_ENABLED", "false")],
    );
    assert_eq!(
        named.code,
        Some(2),
        "a variable of an instance needs AWS_ILM_INSTANCE_NAME: {named:?}"
    );
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_callers_of_the_page_can_be_loaded() {
    let text = page("docs/callers.md");
    let tables = blocks(&text);
    let mut tables = tables.iter().filter(|block| block.language == "toml");
    let callers = tables
        .find(|block| block.text.contains("[[callers]]"))
        .expect("there is an example");
    let authority = Authority::new("root");
    let folder = Folder::new(&authority.server(), Some(&authority.pem()));
    let file = File::new(&format!(
        "tls_certificate_file = \"{}\"\ntls_key_file = \"{}\"\ntls_client_ca_file = \"{}\"\n[[instances]]\nname = \"production\"\n\
         url = \"http://127.0.0.1:1/T\"\nauthentication_token = \"x\"\n{}",
        folder.path("tls.crt"),
        folder.path("tls.key"),
        folder.path("ca.crt"),
        callers.text
    ));
    let settings = config::load(&config::Sources {
        config: Some(file.path().into()),
        ..config::Sources::default()
    });
    let callers = settings.unwrap_or_else(|faults| panic!("{faults}")).callers.unwrap();
    assert_eq!(callers.loaded.callers.len(), 3);
    let warned: Vec<_> = callers
        .loaded
        .warnings
        .iter()
        .filter(|warning| warning.contains("caller"))
        .collect();
    assert!(warned.is_empty(), "{warned:?}");
}
