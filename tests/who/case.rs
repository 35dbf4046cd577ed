//! A case: the settings of an instance, the people in its directory, and one command about one of
//! them.

use std::fmt;

use serde_json::{Map, Value, json};

/// The commands that are about a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Command {
    Get,
    Create,
    Update,
    Disable,
}

impl Command {
    pub(crate) const ALL: [Self; 4] = [Self::Get, Self::Create, Self::Update, Self::Disable];

    /// The command's path segment.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Get => "iam-get-user",
            Self::Create => "iam-create-user",
            Self::Update => "iam-update-user",
            Self::Disable => "iam-disable-user",
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Get => "get",
            Self::Create => "create",
            Self::Update => "update",
            Self::Disable => "disable",
        })
    }
}

/// The instance's setting `adopt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Adopt {
    /// The default, under which section 4 holds as it stands.
    SamePerson,
    Strict,
    Always,
    Never,
}

/// The settings of an instance that decide who is touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "switches are what they are")]
pub(crate) struct Settings {
    pub(crate) adopt: Adopt,
    /// `profile_id = "foreign"`.
    pub(crate) foreign: bool,
    /// `disable_absent = "fail"`.
    pub(crate) absent_fails: bool,
    pub(crate) create_if_not_exists: bool,
    pub(crate) creating: bool,
    pub(crate) updating: bool,
    pub(crate) enabling: bool,
    pub(crate) disabling: bool,
}

impl Settings {
    /// What an instance has that is told nothing.
    const DEFAULT: Self = Self {
        adopt: Adopt::SamePerson,
        foreign: false,
        absent_fails: false,
        create_if_not_exists: true,
        creating: true,
        updating: true,
        enabling: true,
        disabling: true,
    };

    /// Every combination that has a world of its own, with the weight of its share in the cases.
    pub(crate) fn worlds() -> Vec<(Self, usize)> {
        let departures: [fn(&mut Self); 6] = [
            |settings| settings.absent_fails = true,
            |settings| settings.create_if_not_exists = false,
            |settings| settings.creating = false,
            |settings| settings.updating = false,
            |settings| settings.enabling = false,
            |settings| settings.disabling = false,
        ];
        let mut worlds = Vec::new();
        for (adopt, often) in [
            (Adopt::SamePerson, 6),
            (Adopt::Strict, 2),
            (Adopt::Always, 2),
            (Adopt::Never, 1),
        ] {
            for (foreign, often) in [(false, often * 3), (true, often)] {
                let plain = Self {
                    adopt,
                    foreign,
                    ..Self::DEFAULT
                };
                worlds.push((plain, often * 6));
                worlds.extend(departures.iter().map(|depart| {
                    let mut settings = plain;
                    depart(&mut settings);
                    (settings, often)
                }));
            }
        }
        worlds
    }

    /// The settings as environment variables; those that have their default are left out.
    pub(crate) fn environment(&self) -> Vec<(&'static str, &'static str)> {
        let adopt = match self.adopt {
            Adopt::SamePerson => None,
            Adopt::Strict => Some("strict"),
            Adopt::Always => Some("always"),
            Adopt::Never => Some("never"),
        };
        let mut variables: Vec<_> = adopt.map(|adopt| ("AWS_ILM_ADOPT", adopt)).into_iter().collect();
        variables.extend(
            [
                (self.foreign, ("AWS_ILM_PROFILE_ID", "foreign")),
                (self.absent_fails, ("AWS_ILM_DISABLE_ABSENT", "fail")),
                (!self.create_if_not_exists, ("AWS_ILM_CREATE_IF_NOT_EXISTS", "false")),
                (!self.creating, ("AWS_ILM_CREATE_USER_ENABLED", "false")),
                (!self.updating, ("AWS_ILM_UPDATE_USER_ENABLED", "false")),
                (!self.enabling, ("AWS_ILM_ENABLE_USER_ENABLED", "false")),
                (!self.disabling, ("AWS_ILM_DISABLE_USER_ENABLED", "false")),
            ]
            .into_iter()
            .filter_map(|(is_set, variable)| is_set.then_some(variable)),
        );
        variables
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variables = self.environment();
        if variables.is_empty() {
            return formatter.write_str("defaults");
        }
        let all: Vec<_> = variables
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        formatter.write_str(&all.join(" "))
    }
}

/// A user in the directory, as far as commands change one here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) user_name: String,
    /// `externalId`.
    pub(crate) employee_id: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) given: String,
    pub(crate) family: String,
    pub(crate) display: String,
    pub(crate) active: bool,
}

impl Person {
    /// The SCIM resource.
    pub(crate) fn resource(&self) -> Value {
        let mut resource = json!({
            "id": self.id, "userName": self.user_name, "displayName": self.display, "active": self.active,
            "name": {"givenName": self.given, "familyName": self.family},
        });
        if let Some(employee_id) = &self.employee_id {
            resource["externalId"] = json!(employee_id);
        }
        if let Some(email) = &self.email {
            resource["emails"] = json!([{"value": email, "type": "work", "primary": true}]);
        }
        if let Some(phone) = &self.phone {
            resource["phoneNumbers"] = json!([{"value": phone, "type": "work"}]);
        }
        resource
    }

    /// The person of a SCIM resource.
    pub(crate) fn of(resource: &Value) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let needed = |value: &Value| text(value).unwrap_or_default();
        Self {
            id: needed(&resource["id"]),
            user_name: needed(&resource["userName"]),
            employee_id: text(&resource["externalId"]),
            email: text(&resource["emails"][0]["value"]),
            phone: text(&resource["phoneNumbers"][0]["value"]),
            given: needed(&resource["name"]["givenName"]),
            family: needed(&resource["name"]["familyName"]),
            display: needed(&resource["displayName"]),
            active: resource["active"] == true,
        }
    }
}

impl fmt::Display for Person {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<String>| {
            value
                .as_ref()
                .map_or_else(|| "-".to_owned(), |text| format!("{text:?}"))
        };
        write!(
            formatter,
            "{} {} employee {} e-mail {} phone {} names {:?} {:?} {}",
            self.id,
            self.user_name.escape_default(),
            shown(&self.employee_id),
            shown(&self.email),
            shown(&self.phone),
            self.given,
            self.family,
            if self.active { "active" } else { "inactive" },
        )
    }
}

/// One case.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) settings: Settings,
    pub(crate) people: Vec<Person>,
    pub(crate) command: Command,
    /// `user-profile`.
    pub(crate) profile: Map<String, Value>,
    pub(crate) allow_enable: Option<Value>,
    /// Whether the directory answers 400 to an id that is not of AWS's form, and not 404. Only
    /// where every id of the case is such a one.
    pub(crate) ids_answer_400: bool,
}

impl Case {
    /// The command's arguments.
    pub(crate) fn arguments(&self) -> Value {
        let mut arguments = json!({"user-profile": self.profile});
        if let Some(allow_enable) = &self.allow_enable {
            arguments["allow-enable"] = allow_enable.clone();
        }
        arguments
    }

    /// What a sandbox is seeded with.
    pub(crate) fn seed(&self) -> Value {
        let users: Vec<_> = self.people.iter().map(Person::resource).collect();
        json!({"users": users, "groups": []})
    }
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "    settings   {}", self.settings)?;
        for person in &self.people {
            writeln!(formatter, "    directory  {person}")?;
        }
        if self.ids_answer_400 {
            writeln!(
                formatter,
                "    directory  answers 400 to ids that are not of AWS's form"
            )?;
        }
        let arguments = self.arguments().to_string();
        // Letters that look alike are told apart in print.
        let plain: String = arguments
            .chars()
            .map(|letter| {
                if letter.is_ascii() {
                    letter.to_string()
                } else {
                    letter.escape_unicode().to_string()
                }
            })
            .collect();
        write!(formatter, "    command    {} {plain}", self.command.path())
    }
}
