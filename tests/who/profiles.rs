//! Made-up commands: what HR says of a human, with names and numbers that are stale, another's,
//! missing, misspelt.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::{
    case::{Case, Command, Settings},
    people::{Company, Human, aws_id, pick, pick_text, spelt},
};

/// Profile fields and their display names.
const DISPLAY_NAMES: [(&str, &str); 8] = [
    ("id", "ID"),
    ("username", "Username"),
    ("employeeid", "Employee ID"),
    ("email", "Email"),
    ("mobilephone", "Mobile Phone"),
    ("givenname", "Given Name"),
    ("surname", "Surname"),
    ("displayname", "Display Name"),
];

/// White space of several kinds, for the ends of values.
const BLANKS: [&str; 6] = [" ", "\t", "\u{a0}", "\u{2009}", "\u{3000}", " \n "];

/// Ids that HR systems have, and ids that are nearly in AWS's form.
const FOREIGN_IDS: [&str; 6] = [
    "123",
    "HR-0042",
    "HR_17",
    "kim",
    "0123456789abcdef0123456789abcdef",
    "12345-e1d7b3a2",
];

/// Ids that no directory has.
const MALFORMED_IDS: [&str; 5] = ["HR 42", "HR/42", "é", "..", "x.y"];

/// UserNames that AWS has no letters for.
const FORBIDDEN_NAMES: [&str; 5] = ["kim berg", "kim\tberg", "a\u{200d}da", "\u{feff}kim", "ada\u{0}"];

impl Case {
    /// A company, and a command about one of its humans.
    pub(crate) fn draw(random: &mut Rng, settings: Settings) -> Self {
        let company = Company::draw(random);
        let command = match random.u8(..100) {
            0..15 => Command::Get,
            15..40 => Command::Create,
            40..70 => Command::Update,
            _ => Command::Disable,
        };
        let human = company.human(random);
        let mut profile = profile(random, &company, human, command);
        if random.u8(..100) < 50 {
            let old = old_profile(random, &company, human);
            profile.insert("olduserdata".to_owned(), written(random, old));
        }
        let allows = matches!(command, Command::Create | Command::Update);
        let allow_enable = match random.u8(..10) {
            0 => Some(json!(true)),
            1 => Some(json!("true")),
            2 | 3 => Some(json!(false)),
            4 => Some(json!("false")),
            5 => Some(json!("")),
            _ => None,
        };
        if allows && random.u8(..100) < 4 {
            let inactive = [
                json!(false),
                json!(0),
                json!("false"),
                json!("No"),
                json!("0"),
                json!("INACTIVE"),
            ];
            profile.insert("active".to_owned(), inactive[random.usize(..inactive.len())].clone());
        } else if random.u8(..100) < 3 {
            profile.insert("active".to_owned(), json!(true));
        }
        let mut case = Self {
            settings,
            people: company.people,
            command,
            profile,
            allow_enable: allow_enable.filter(|_| allows),
            ids_answer_400: false,
        };
        case.ids_answer_400 = random.bool() && !case.has_id_of_aws_form();
        case
    }

    /// Whether an id anywhere in the command may be in AWS's form: those have hyphens, and are
    /// long.
    fn has_id_of_aws_form(&self) -> bool {
        let text = self.arguments().to_string();
        text.split(['"', '\\', ' '])
            .any(|word| word.trim().len() >= 36 && word.matches('-').count() >= 4)
    }
}

/// What HR says of a human now.
fn profile(random: &mut Rng, company: &Company, human: &Human, command: Command) -> Map<String, Value> {
    let mut profile = Map::new();
    let whole = matches!(command, Command::Create) && random.u8(..100) < 70;
    let has = |random: &mut Rng, often: u8| whole || random.u8(..100) < often;
    if has(random, 85) {
        let name = match random.u8(..100) {
            0..70 => human.name().to_owned(),
            70..80 => pick_text(random, &human.names),
            80..90 => pick_text(random, &company.names),
            90..97 => format!("new-{}", random.u8(..9)),
            _ => pick(random, &FORBIDDEN_NAMES).to_owned(),
        };
        let spelt = spelt(random, &name);
        set(random, &mut profile, "username", &spelt);
        if random.u8(..100) == 0 {
            profile.insert("username".to_owned(), json!([name, "second"]));
        }
    }
    let often = random.u8(..100);
    let id = id(random, company, human);
    if random.u8(..100) < 50 {
        set(random, &mut profile, "id", &id);
    }
    if random.u8(..100) < 62 {
        let employee_id = employee_id(random, company, human);
        set(random, &mut profile, "employeeid", &employee_id);
    }
    // Some profiles give all signs, some hardly any.
    if has(random, often) {
        let email = sign(random, company, human, |human| &human.email);
        set(random, &mut profile, "email", &email);
    }
    if random.u8(..100) < often {
        let phone = sign(random, company, human, |human| &human.phone);
        set(random, &mut profile, "mobilephone", &phone);
    }
    if has(random, often) {
        let given = sign(random, company, human, |human| &human.given);
        set(random, &mut profile, "givenname", &given);
    }
    if has(random, often) {
        let family = sign(random, company, human, |human| &human.family);
        set(random, &mut profile, "surname", &family);
    }
    if has(random, 40) {
        set(random, &mut profile, "displayname", &human.given);
    }
    if random.u8(..100) < 5 {
        profile.insert("shoesize".to_owned(), json!([41, 42]));
    }
    profile
}

/// What a playbook kept of a human, or of another.
fn old_profile(random: &mut Rng, company: &Company, human: &Human) -> Map<String, Value> {
    let mut old = Map::new();
    let of = if random.u8(..100) < 85 {
        human
    } else {
        company.human(random)
    };
    if random.u8(..100) < 75 {
        let names = if random.u8(..100) < 85 {
            &of.names
        } else {
            &company.names
        };
        let name = pick_text(random, names);
        let spelt = spelt(random, &name);
        set(random, &mut old, "username", &spelt);
    }
    if random.u8(..100) < 25 {
        let id = id(random, company, of);
        set(random, &mut old, "id", &id);
    }
    if random.u8(..100) < 45 {
        let employee_id = pick_text(random, &of.employee_ids);
        set(random, &mut old, "employeeid", &employee_id);
    }
    for (field, value) in [
        ("email", &of.email),
        ("mobilephone", &of.phone),
        ("givenname", &of.given),
        ("surname", &of.family),
    ] {
        if random.u8(..100) < 30 {
            set(random, &mut old, field, value);
        }
    }
    old
}

/// `olduserdata` in one of its forms.
fn written(random: &mut Rng, old: Map<String, Value>) -> Value {
    match random.u8(..100) {
        0..60 => Value::Object(old),
        60..85 => json!(Value::Object(old).to_string()),
        _ => {
            let empty = [
                json!(""),
                json!("  "),
                json!("{}"),
                json!("[]"),
                json!("null"),
                json!(null),
                json!([]),
                json!({}),
            ];
            empty[random.usize(..empty.len())].clone()
        }
    }
}

/// The directory's id, another's, one that is gone, or the HR system's own.
fn id(random: &mut Rng, company: &Company, human: &Human) -> String {
    let known = match random.u8(..100) {
        0..38 => human.account.clone(),
        38..46 if !company.people.is_empty() => Some(company.people[random.usize(..company.people.len())].id.clone()),
        46..60 => Some(aws_id(random)),
        60..96 => Some(pick(random, &FOREIGN_IDS).to_owned()),
        _ => Some(pick(random, &MALFORMED_IDS).to_owned()),
    };
    let id = known.unwrap_or_else(|| aws_id(random));
    if random.u8(..100) < 15 { id.to_uppercase() } else { id }
}

/// The human's number, a former or a later one, another's, or one that the directory has never
/// heard of.
fn employee_id(random: &mut Rng, company: &Company, human: &Human) -> String {
    match random.u8(..100) {
        0..75 => human.employee_ids[0].clone(),
        75..85 => human.employee_ids[human.employee_ids.len() - 1].clone(),
        85..93 => {
            let other = company.human(random);
            pick_text(random, &other.employee_ids)
        }
        _ => format!("N{}", random.u8(..9)),
    }
}

/// A sign of the human, now and then another's, or one that is new.
fn sign(random: &mut Rng, company: &Company, human: &Human, of: impl Fn(&Human) -> &String) -> String {
    let value = match random.u8(..100) {
        0..76 => of(human).clone(),
        76..88 => of(company.human(random)).clone(),
        _ => format!("new{}", of(human)),
    };
    match random.u8(..100) {
        0..8 => value.to_uppercase(),
        8..14 => value.replace(' ', ""),
        14..18 => value.replace(' ', "  "),
        _ => value,
    }
}

/// Fills a field, in one of the forms in which callers do.
fn set(random: &mut Rng, document: &mut Map<String, Value>, field: &str, value: &str) {
    let is_key = matches!(field, "id" | "username" | "employeeid" | "email");
    let value = match random.u8(..100) {
        0..6 if is_key => json!(format!("{}{value}{}", pick(random, &BLANKS), pick(random, &BLANKS))),
        6 if is_key => json!(pick(random, &BLANKS)),
        7 => json!([value]),
        9 => json!(""),
        10 => json!(null),
        _ => json!(value),
    };
    let display = DISPLAY_NAMES.iter().find(|(name, _)| *name == field);
    match display.filter(|_| random.u8(..100) < 6) {
        Some((_, display)) => {
            if random.bool() {
                // What is empty gives way.
                document.insert(field.to_owned(), json!(""));
            }
            document.insert((*display).to_owned(), value);
        }
        None => drop(document.insert(field.to_owned(), value)),
    }
}
