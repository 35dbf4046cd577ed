//! Files and variables of the configuration.

use std::{collections::BTreeMap, fs, path::PathBuf};

use aws_ilm::config::{self, Scope, Setting, Sources};
use fastrand::Rng;

use crate::made;

/// Stands in every secret, and may stand in no fault.
const SECRET: &str = "zq7-s3cr3t-9f2c71";

/// What settings are set to, of every kind.
const VALUES: [&str; 27] = [
    "true",
    "false",
    "0",
    "1",
    "-1",
    "10s",
    "500ms",
    "99999999999999999999",
    "1.5",
    "2026-01-15",
    "2026-01-15T09:30:00+01:00",
    "127.0.0.1:0",
    "0.0.0.0:8080",
    "[::1]:1",
    "json",
    "aws",
    "rfc7644",
    "same-person",
    "always",
    "never",
    "http://127.0.0.1:1/T/scim/v2/",
    "https://scim.us-east-1.amazonaws.com/T",
    "https://a@b/",
    "T",
    "localhost",
    "info,aws_ilm=debug",
    "",
];

fn is_secret(setting: &Setting) -> bool {
    ["authentication_token", "second_authentication_token"].contains(&setting.name)
}

fn value(setting: &Setting, random: &mut Rng) -> String {
    if is_secret(setting) {
        return match random.u8(..3) {
            0 => format!("{SECRET}{}", made::text(random)),
            _ => SECRET.to_owned(),
        };
    }
    match (random.u8(..8), setting.default) {
        (0, _) => made::text(random),
        (1..=3, Some(default)) => default.to_owned(),
        _ => made::one(&VALUES, random).to_owned(),
    }
}

/// A file; after a zero byte, variables by lines.
pub(crate) fn make(random: &mut Rng) -> Vec<u8> {
    let settings: Vec<&Setting> = config::reference().collect();
    let (mut service, mut instance, mut variables) = (String::new(), String::new(), String::new());
    let (mut caller, mut issuer, mut source) = (String::new(), String::new(), String::new());
    for _ in 0..random.usize(..8) {
        let setting = settings[random.usize(..settings.len())];
        let written = value(setting, random);
        if let Some(variable) = setting.variable().filter(|_| random.bool()) {
            variables.push_str(&format!("{variable}\u{1}{written}\u{2}"));
            continue;
        }
        let table = match setting.scope {
            Scope::Service => &mut service,
            Scope::Instance => &mut instance,
            Scope::Caller => &mut caller,
            Scope::Issuer => &mut issuer,
            Scope::Source => &mut source,
        };
        let is_bare = random.bool() && written.parse::<f64>().is_ok() || written == "true";
        let written = if is_bare {
            written
        } else {
            toml::Value::from(written).to_string()
        };
        table.push_str(&format!("{} = {written}\n", setting.name));
    }
    let second =
        format!("[[instances]]\nname = \"b\"\nurl = \"http://127.0.0.1:1/T\"\nauthentication_token = \"{SECRET}\"\n");
    let second = if random.bool() { second } else { String::new() };
    // What is set above already is a key given twice, which is a fault as well.
    let own = [
        "name = \"a\"\n".to_owned(),
        "url = \"http://127.0.0.1:1/T\"\n".to_owned(),
        format!("authentication_token = \"{SECRET}\"\n"),
    ];
    let own: String = own.into_iter().filter(|_| random.u8(..16) > 0).collect();
    // A key itself where its digest belongs is told without it.
    let digest = if random.bool() {
        SECRET.to_owned()
    } else {
        "ab".repeat(32)
    };
    let caller = match random.u8(..3) {
        0 => String::new(),
        _ => format!("[[callers]]\nname = \"c\"\napi_keys = [{{ sha256 = \"{digest}\" }}]\n{caller}\n"),
    };
    let issuer = match random.u8(..3) {
        0 => format!("[[issuers]]\nissuer = \"https://id.example\"\naudiences = [\"a\"]\n{issuer}\n"),
        _ => String::new(),
    };
    let source = match random.u8(..3) {
        0 => format!("[[sources]]\nname = \"s\"\nverifier = \"none\"\n{source}\n"),
        _ => String::new(),
    };
    let text = format!("{service}\n[[instances]]\n{own}{instance}\n{second}{caller}{issuer}{source}");
    // Sound keys around whatever is wrong; a secret that lost its key would be no secret any more.
    let text = if random.u8(..3) == 0 {
        made::mangled(text.replace(SECRET, "t").as_bytes(), random)
    } else {
        text.into_bytes()
    };
    [&text, &b"\0"[..], variables.as_bytes()].concat()
}

/// Whether it is a sound configuration.
pub(crate) fn hold(input: &[u8], random: &mut Rng) -> bool {
    let end = input.iter().rposition(|byte| *byte == 0).unwrap_or(input.len());
    let variables = String::from_utf8_lossy(&input[(end + 1).min(input.len())..]);
    let environment: BTreeMap<String, String> = variables
        .split('\u{2}')
        .filter_map(|line| line.split_once('\u{1}'))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let file = File(std::env::temp_dir().join(format!("aws-ilm-fuzz-{}.toml", std::process::id())));
    fs::write(&file.0, &input[..end]).unwrap();
    let sources = Sources {
        config: Some(file.0.clone()),
        environment,
        sandbox: random.u8(..4) == 0,
    };
    let (shown, sound) = match config::load(&sources) {
        Ok(settings) => (format!("{settings:?} {:?}", settings.warnings), true),
        Err(faults) => {
            for line in faults.to_string().lines() {
                assert!(!line.contains(char::is_control), "{line:?}");
            }
            (format!("{faults} {faults:?}"), false)
        }
    };
    assert!(!shown.contains(SECRET), "a secret is shown: {shown}");
    sound
}

/// Removed when it is dropped.
struct File(PathBuf);

impl Drop for File {
    fn drop(&mut self) {
        let _gone_already = fs::remove_file(&self.0);
    }
}
