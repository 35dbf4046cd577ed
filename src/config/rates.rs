//! Rates of single APIs of a directory, like `CreateUser=10`.

use std::collections::BTreeMap;

use super::{
    kind::{Accepts as _, Kind as _, Rate},
    raw::{Raw, quoted},
};
use crate::{diagnostic::nearest, scim::Api};

/// No directory takes more in a second; a larger number is a slip.
pub(super) const MOST: u32 = 100_000;
/// The rate of one API.
const RATE: Rate = Rate(MOST, "requests");

/// Reads APIs with their requests a second.
pub(super) fn api_rates(raw: Raw<'_>, complaints: &mut Vec<String>) -> Option<BTreeMap<Api, f64>> {
    let mut rates = BTreeMap::new();
    for entry in raw.texts()? {
        match parse_api_rate(entry) {
            Ok((api, rate)) => {
                if rates.insert(api, rate).is_some() {
                    complaints.push(format!("give {} once", api.name()));
                }
            }
            Err(help) => complaints.push(help),
        }
    }
    Some(rates)
}

/// Parses `CreateUser=10`, or says what to do about it.
fn parse_api_rate(entry: &str) -> Result<(Api, f64), String> {
    let Some((name, rate)) = entry.split_once('=') else {
        let entry = quoted(entry);
        return Err(format!(
            "write {entry} as an API and its requests a second, like CreateUser=10"
        ));
    };
    let name = name.trim();
    let Some(api) = Api::ALL.into_iter().find(|api| api.name() == name) else {
        let names = Api::ALL.map(Api::name);
        let help = nearest(&name.to_ascii_lowercase(), names.into_iter()).map_or_else(
            || format!("use {}", names.join(" or ")),
            |near| format!("did you mean {near}?"),
        );
        return Err(format!("there is no API {}: {help}", quoted(name)));
    };
    let rate = RATE.parse(Raw::Text(rate.trim()), &mut Vec::new());
    let help = || format!("for {} use {}", api.name(), RATE.accepts());
    rate.map(|rate| (api, rate)).ok_or_else(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_has_its_rate_or_a_mend() {
        for (entry, expected) in [
            ("CreateUser=10", Ok((Api::CreateUser, 10.0))),
            (" ListUsers = 0.5 ", Ok((Api::ListUsers, 0.5))),
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
}
