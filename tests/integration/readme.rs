//! The README keeps what it promises: each curl is sent, in the order of the page, to a service
//! like that of `serve --sandbox`, and has to be answered as the block after it says; the reference
//! of the settings is the generated one.

use std::fs;

use aws_ilm::config;
use reqwest::Method;
use serde_json::Value;

use crate::{
    examples::{demonstration, examples},
    harness::{World, answer},
    normalised::{normalised, text_of},
    process::File,
    tls::{Authority, Folder},
};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
const BEGIN: &str = "<!-- configuration: generated -->\n";
const END: &str = "<!-- end of configuration -->";

/// Set to 1, it writes the reference into the README instead of comparing it.
const RENEW: &str = "AWS_ILM_RENEW_README";

fn readme() -> String {
    fs::read_to_string(PATH).expect("there is a README.md")
}

/// A fenced block: the word after the fence, and the text.
struct Block<'a> {
    kind: &'a str,
    text: &'a str,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut parts = page.split("\n```");
    parts.next();
    let mut blocks = Vec::new();
    while let (Some(block), Some(_)) = (parts.next(), parts.next()) {
        let (kind, text) = block.split_once('\n').unwrap();
        blocks.push(Block { kind, text });
    }
    blocks
}

#[tokio::test]
async fn each_curl_is_answered_as_the_page_says() {
    let page = readme();
    let world = demonstration().await;
    let mut tried = 0;
    let blocks = blocks(&page);
    for (index, block) in blocks.iter().enumerate() {
        let is_shell = block.kind == "sh" || block.kind == "console";
        if !(is_shell && block.text.starts_with("curl ") && block.text.contains("127.0.0.1:8080")) {
            continue;
        }
        let told = curl(&world, block.text).await;
        match blocks.get(index + 1) {
            Some(Block { kind: "json", text }) => {
                let promised: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
                let given: Value = serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"));
                // As text, so that the order of the keys is held too.
                let (promised, given) = (normalised(&promised), normalised(&given));
                assert_eq!(
                    serde_json::to_string_pretty(&promised).unwrap(),
                    serde_json::to_string_pretty(&given).unwrap(),
                    "README.md is stale at: {}",
                    block.text
                );
            }
            Some(Block { kind: "text", text }) => {
                assert_eq!(
                    text_of(text.trim_end()),
                    text_of(told.trim_end()),
                    "README.md is stale at: {}",
                    block.text
                );
            }
            _ => panic!(
                "no ```json or ```text block with its answer comes after: {}",
                block.text
            ),
        }
        tried += 1;
    }
    assert!(tried >= 3, "README.md has only {tried} curls to 127.0.0.1:8080");
}

#[test]
fn the_reference_of_the_settings_is_the_generated_one() {
    let page = readme();
    let (before, rest) = page
        .split_once(BEGIN)
        .unwrap_or_else(|| panic!("README.md has no line {BEGIN}"));
    let (written, after) = rest
        .split_once(END)
        .unwrap_or_else(|| panic!("README.md has no line {END}"));
    let generated = config::reference_markdown();
    if std::env::var(RENEW).is_ok_and(|value| value == "1") {
        fs::write(PATH, format!("{before}{BEGIN}{generated}{END}{after}")).unwrap();
        return;
    }
    assert!(
        written.trim() == generated.trim(),
        "README.md's reference of the settings is stale: {RENEW}=1 cargo test --test integration readme::"
    );
}

#[test]
fn the_callers_of_the_page_can_be_loaded() {
    let page = readme();
    let mut tables = blocks(&page).into_iter().filter(|block| block.kind == "toml");
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

#[test]
fn every_command_and_subcommand_is_told() {
    let page = readme();
    for (command, _) in examples() {
        assert!(
            page.contains(&format!("| `{command}` |")),
            "{command} is not in README.md's table"
        );
    }
    for task in [
        "serve",
        "sandbox",
        "check",
        "mapper lint",
        "mapper explain",
        "key new",
        "openapi",
        "healthcheck",
    ] {
        assert!(
            page.contains(&format!("`aws-ilm {task}")),
            "aws-ilm {task} is not in README.md"
        );
    }
}

/// Does what curl would do with this line. It knows the options that the page has, and no others.
async fn curl(world: &World, line: &str) -> String {
    let words = words(line);
    let mut words = words.iter().map(String::as_str).skip(1);
    let (mut url, mut fields, mut body) = (None, Vec::new(), None);
    while let Some(word) = words.next() {
        match word {
            "-s" => {}
            "-H" => fields.push(words.next().unwrap().split_once(": ").unwrap()),
            "-d" => body = Some(words.next().unwrap().to_owned()),
            option if option.starts_with('-') => panic!("curl's {option} is not known here: {line}"),
            word => assert!(url.replace(word).is_none(), "two URLs: {line}"),
        }
    }
    let url = url.unwrap().replace("127.0.0.1:8080", &world.address.to_string());
    let method = if body.is_some() { Method::POST } else { Method::GET };
    let mut request = world.http.request(method, url);
    for (name, value) in fields {
        request = request.header(name, value);
    }
    answer(request.body(body.unwrap_or_default())).await.text
}

/// A shell's words: single quotes, and a backslash at a line's end.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quoted) = (String::new(), false);
    for character in line.replace("\\\n", " ").chars() {
        match character {
            '\'' => quoted = !quoted,
            space if space.is_whitespace() && !quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            '"' | '$' | '`' | '|' | '>' | ';' | '&' | '\\' if !quoted => {
                panic!("{character} is not known here: {line}")
            }
            other => word.push(other),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}
