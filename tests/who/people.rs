//! Made-up companies: humans with their histories, and the directory that was kept of them, badly.
//!
//! A human has had names, some of them another's before or after; numbers are used twice; accounts
//! lack numbers, keep old names, have another's e-mail. What AWS keeps unique is unique: userName,
//! externalId, e-mail, letter case aside where the sandbox says so.

use std::collections::BTreeSet;

use fastrand::Rng;

use super::{case::Person, names};

/// Stems of userNames. Each is met composed and decomposed, in capitals, as an e-mail address.
const STEMS: [&str; 15] = [
    "kim",
    "ada",
    "jose",
    "josé",
    "zoë",
    "müller",
    "nguyễn",
    "åsa",
    "trập",
    "renée.ñuñez",
    "françois",
    "fina",
    "ada-2",
    "kåk",
    "o\"neil\\",
];

/// Names that only look like one of the stems.
const LOOK_ALIKES: [&str; 4] = ["ﬁna", "ａda", "аda", "ｋim"];

const GIVEN: [&str; 8] = ["Ada", "Zoë", "Mary Ann", "Kim", "José", "Åsa", "Jürgen", "Ngọc"];
const FAMILY: [&str; 8] = [
    "Lovelace",
    "Müller",
    "de la Cruz",
    "Nguyễn",
    "O'Neil",
    "Çelik",
    "Berg",
    "Smith",
];

/// A human, whom HR knows.
#[derive(Clone, Debug)]
pub(crate) struct Human {
    /// The last one is the present one.
    pub(crate) names: Vec<String>,
    pub(crate) employee_ids: Vec<String>,
    pub(crate) email: String,
    pub(crate) phone: String,
    pub(crate) given: String,
    pub(crate) family: String,
    /// The id of the account that was made for this human, if one was.
    pub(crate) account: Option<String>,
}

/// A company.
pub(crate) struct Company {
    pub(crate) humans: Vec<Human>,
    pub(crate) people: Vec<Person>,
    /// All names that go round, this way or that.
    pub(crate) names: Vec<String>,
}

impl Company {
    pub(crate) fn draw(random: &mut Rng) -> Self {
        let mut names = Vec::new();
        for _ in 0..random.usize(3..8) {
            let stem = if random.u8(..12) == 0 {
                pick(random, &LOOK_ALIKES)
            } else {
                pick(random, &STEMS)
            };
            let at = if random.u8(..4) == 0 { "@example.com" } else { "" };
            names.push(format!("{stem}{at}"));
        }
        // A look-alike is of use only beside what it looks like.
        if names.iter().any(|name| name.ends_with("da") || name.ends_with("na")) && random.bool() {
            names.push("ada".to_owned());
            names.push("fina".to_owned());
        }
        let mut humans: Vec<Human> = Vec::new();
        for number in 0..random.usize(1..7) {
            let human = Human::draw(random, number, &names, &humans);
            humans.push(human);
        }
        let mut company = Self {
            humans,
            people: Vec::new(),
            names,
        };
        company.keep_directory(random);
        company
    }

    /// One of the humans.
    pub(crate) fn human(&self, random: &mut Rng) -> &Human {
        &self.humans[random.usize(..self.humans.len())]
    }

    /// Makes accounts for most humans, and for many others in some companies: 30 at most.
    fn keep_directory(&mut self, random: &mut Rng) {
        let mut taken = Taken::default();
        for place in 0..self.humans.len() {
            if random.u8(..100) < 86 {
                let account = account(random, place, &self.humans, &self.names);
                if let Some(person) = taken.admit(account) {
                    self.humans[place].account = Some(person.id.clone());
                    self.people.push(person);
                }
            }
        }
        let others = if random.u8(..4) == 0 {
            random.usize(..=30 - self.people.len())
        } else {
            random.usize(..3)
        };
        for number in 0..others {
            let human = Human {
                names: vec![format!("other-{number}")],
                ..Human::draw(random, 10 + number, &self.names, &self.humans)
            };
            let mut person = account(random, 0, &[human], &self.names);
            // A few of the others have a name that goes round.
            if random.u8(..6) == 0 {
                let name = pick_text(random, &self.names);
                person.user_name = spelt(random, &name);
            }
            self.people.extend(taken.admit(person));
        }
        random.shuffle(&mut self.people);
    }
}

impl Human {
    fn draw(random: &mut Rng, number: usize, names: &[String], humans: &[Self]) -> Self {
        let names = (0..random.usize(1..=3)).map(|_| pick_text(random, names)).collect();
        let used_twice = random.u8(..100) < 15 && !humans.is_empty();
        let first = if used_twice {
            humans[random.usize(..humans.len())].employee_ids[0].clone()
        } else if random.u8(..30) == 0 {
            // Another number: externalId is case-exact.
            format!("e{number}")
        } else {
            format!("E{number}")
        };
        let mut employee_ids = vec![first];
        if random.u8(..100) < 15 {
            employee_ids.push(format!("M-{number}"));
        }
        Self {
            names,
            employee_ids,
            email: format!("m{number}@example.com"),
            phone: format!("+41 79 000 {number:02}"),
            given: pick(random, &GIVEN).to_owned(),
            family: pick(random, &FAMILY).to_owned(),
            account: None,
        }
    }

    pub(crate) fn name(&self) -> &str {
        self.names.last().map_or("", String::as_str)
    }
}

/// The account of a human as it was kept: with a present or a former name, with a number or
/// without.
fn account(random: &mut Rng, place: usize, humans: &[Human], names: &[String]) -> Person {
    let human = &humans[place];
    let other = &humans[random.usize(..humans.len())];
    let name = match random.u8(..100) {
        0..55 => human.name().to_owned(),
        55..90 => pick_text(random, &human.names),
        _ => pick_text(random, names),
    };
    let mine = |random: &mut Rng| if random.u8(..100) < 88 { human } else { other };
    let employee_ids = &mine(random).employee_ids;
    let employee_id = employee_ids[random.usize(..employee_ids.len())].clone();
    Person {
        id: aws_id(random),
        user_name: spelt(random, &name),
        employee_id: (random.u8(..100) < 68).then_some(employee_id),
        email: (random.u8(..100) < 80).then(|| mine(random).email.clone()),
        phone: (random.u8(..100) < 55).then(|| mine(random).phone.clone()),
        given: mine(random).given.clone(),
        family: mine(random).family.clone(),
        display: human.given.clone(),
        active: random.u8(..100) < 70,
    }
}

/// What AWS keeps unique.
#[derive(Default)]
struct Taken(BTreeSet<(&'static str, String)>);

impl Taken {
    /// The person without the number or e-mail that is another's; nobody when the name is
    /// another's.
    fn admit(&mut self, mut person: Person) -> Option<Person> {
        if !self.0.insert(("userName", names::directory_key(&person.user_name))) {
            return None;
        }
        person.employee_id = person
            .employee_id
            .filter(|id| self.0.insert(("externalId", id.clone())));
        person.email = person
            .email
            .filter(|email| self.0.insert(("email", names::directory_key(email))));
        Some(person)
    }
}

/// A name in one of the ways in which it may be spelt; all are equal.
pub(crate) fn spelt(random: &mut Rng, name: &str) -> String {
    let cased = match random.u8(..100) {
        // A capital of a letter that only looks like one or two others is not one of theirs.
        0..15 if !LOOK_ALIKES.contains(&name) => name.to_uppercase(),
        15..25 if !LOOK_ALIKES.contains(&name) => {
            let mut letters = name.chars();
            letters
                .next()
                .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        }
        _ => name.to_owned(),
    };
    match random.u8(..100) {
        0..62 => names::composed(&cased),
        62..86 => names::decomposed(&cased),
        86..93 => names::half_composed(&cased),
        _ => names::with_signs(&cased),
    }
}

/// An id in AWS's form: a UUID, with ten hex digits and a hyphen before it where it is an older
/// one.
pub(crate) fn aws_id(random: &mut Rng) -> String {
    let uuid = random.u128(..);
    let text = format!("{uuid:032x}");
    let uuid = format!(
        "{}-{}-{}-{}-{}",
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..]
    );
    if random.u8(..3) == 0 {
        format!("{:010x}-{uuid}", random.u64(..1 << 40))
    } else {
        uuid
    }
}

pub(crate) fn pick<'a>(random: &mut Rng, texts: &[&'a str]) -> &'a str {
    texts[random.usize(..texts.len())]
}

pub(crate) fn pick_text(random: &mut Rng, texts: &[String]) -> String {
    texts[random.usize(..texts.len())].clone()
}
