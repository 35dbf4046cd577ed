//! How many requests a second a directory is sent.

use std::collections::BTreeMap;

use toml::Value;

use super::{
    reader::{self, Raw, Section},
    reference::Kind,
    unknown,
};

/// The APIs of a directory that the service calls, by their names in AWS's SCIM developer guide
/// ("Supported API operations"); each has a limit of its own there.
pub const APIS: [&str; 10] = [
    "ListUsers",
    "GetUser",
    "CreateUser",
    "PatchUser",
    "ListGroups",
    "GetGroup",
    "CreateGroup",
    "PatchGroup",
    "DeleteGroup",
    "ServiceProviderConfig",
];
/// No directory takes more in a second; a larger number is a slip.
pub(super) const MOST: u32 = 100_000;

/// Less than this a second is next to never, and no length of time that can be counted.
const LEAST: f64 = 0.001;

/// Parses a number a second: digits, and others behind a point.
pub(super) fn parse(raw: Raw<'_>, most: u32) -> Option<f64> {
    let number = match raw {
        Raw::Text(text) => parse_decimal(text)?,
        Raw::Toml(Value::Float(number)) => *number,
        Raw::Toml(value) => f64::from(u32::try_from(value.as_integer()?).ok()?),
    };
    (LEAST..=f64::from(most)).contains(&number).then_some(number)
}

/// Reads the rates of single APIs, with a fault for each entry that is none.
pub(super) fn read_api_rates(section: &mut Section<'_>) -> BTreeMap<&'static str, f64> {
    const NAME: &str = "api_rates";
    let mut rates = BTreeMap::new();
    for entry in section.list(NAME, |_| true) {
        match parse_api_rate(&entry) {
            Ok((api, rate)) => {
                if rates.insert(api, rate).is_some() {
                    section.refuse(NAME, &format!("give {api} once"));
                }
            }
            Err(help) => section.refuse(NAME, &help),
        }
    }
    rates
}

/// Parses `CreateUser=10`, or says what to do about it.
fn parse_api_rate(entry: &str) -> Result<(&'static str, f64), String> {
    let Some((name, rate)) = entry.split_once('=') else {
        return Err(format!(
            "write {} as an API and its requests a second, like CreateUser=10",
            reader::quoted(entry)
        ));
    };
    let name = name.trim();
    let Some(api) = APIS.into_iter().find(|api| *api == name) else {
        let near = unknown::nearest(&name.to_ascii_lowercase(), APIS.into_iter());
        let help = near.map_or_else(
            || format!("use {}", APIS.join(" or ")),
            |near| format!("did you mean {near}?"),
        );
        return Err(format!("there is no API {}: {help}", reader::quoted(name)));
    };
    parse(Raw::Text(rate.trim()), MOST)
        .map(|rate| (api, rate))
        .ok_or_else(|| {
            format!(
                "for {api} use {}",
                Kind::Rate {
                    most: MOST,
                    unit: "requests"
                }
                .accepts()
            )
        })
}

/// Reads digits with or without a fraction, and none of the other forms that a float has (`1e3`,
/// `.5`, `inf`, `NaN`).
fn parse_decimal(text: &str) -> Option<f64> {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if is_digits(whole) && is_digits(fraction) {
        text.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_written_in_digits() {
        for (text, expected) in [
            ("25", Some(25.0)),
            ("12.5", Some(12.5)),
            ("0.25", Some(0.25)),
            ("007", Some(7.0)),
            ("100000", Some(100_000.0)),
            ("100000.0", Some(100_000.0)),
            ("100000.1", None),
            ("0", None),
            ("0.0", None),
            ("-1", None),
            ("+1", None),
            ("1e3", None),
            (".5", None),
            ("5.", None),
            ("1.2.3", None),
            ("1,5", None),
            ("inf", None),
            ("NaN", None),
            (" 1", None),
            ("", None),
        ] {
            assert_eq!(parse(Raw::Text(text), MOST), expected, "{text:?}");
        }
        for (text, expected) in [
            ("25", Some(25.0)),
            ("12.5", Some(12.5)),
            ("1e3", Some(1000.0)),
            ("0", None),
            ("-0.0", None),
            ("-1", None),
            ("100001", None),
            ("9223372036854775807", None),
            ("inf", None),
            ("nan", None),
            ("true", None),
            ("'25'", None),
        ] {
            let table: toml::Table = format!("rate = {text}").parse().unwrap();
            assert_eq!(parse(Raw::Toml(&table["rate"]), MOST), expected, "{text}");
        }
    }

    #[test]
    fn an_api_has_its_rate_or_a_mend() {
        for (entry, expected) in [
            ("CreateUser=10", Ok(("CreateUser", 10.0))),
            (" ListUsers = 0.5 ", Ok(("ListUsers", 0.5))),
            ("", Err("like CreateUser=10")),
            ("CreateUser", Err("like CreateUser=10")),
            ("CreateUser:10", Err("like CreateUser=10")),
            ("CreateUsr=10", Err("no API \"CreateUsr\": did you mean CreateUser?")),
            ("getuser=10", Err("did you mean GetUser?")),
            ("DELETEGROUPS=1", Err("did you mean DeleteGroup?")),
            ("colour=10", Err("use ListUsers or GetUser or ")),
            ("=10", Err("use ListUsers or GetUser or ")),
            ("CreateUser=", Err("for CreateUser use a number of requests a second")),
            ("CreateUser=0", Err("for CreateUser use a number of requests a second")),
            (
                "CreateUser=1=2",
                Err("for CreateUser use a number of requests a second"),
            ),
        ] {
            match (parse_api_rate(entry), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{entry}"),
                (Err(help), Err(expected)) => assert!(help.contains(expected), "{entry}: {help}"),
                (found, expected) => panic!("{entry}: {found:?} instead of {expected:?}"),
            }
        }
    }

    #[test]
    fn the_reference_names_every_api() {
        let setting = super::super::reference()
            .find(|setting| setting.name == "api_rates")
            .unwrap();
        assert!(
            APIS.iter().all(|api| setting.meaning.contains(api)),
            "{}",
            setting.meaning
        );
    }
}
