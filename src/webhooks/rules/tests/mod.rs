mod dated;
mod deciding;
mod reading;

use toml::Table;

use super::{DateSettings, Faults, RuleContext, Rules, TargetInstance};
use crate::operations::zone_named;

/// Compiles the `rules` and `profiles` of a text for one instance; the faults, one a line, where
/// there are any.
fn rules(text: &str) -> Result<Rules, String> {
    rules_for(text, &["production"])
}

fn rules_for(text: &str, instances: &[&str]) -> Result<Rules, String> {
    let table: Table = text.parse().expect("the test's TOML is sound");
    let known: Vec<_> = ["production", "staging"]
        .into_iter()
        .map(TargetInstance::built_in)
        .collect();
    let own: Vec<_> = instances.iter().copied().map(TargetInstance::built_in).collect();
    let zone = table.get("zone").and_then(toml::Value::as_str).and_then(zone_named);
    let dates = dates(&table);
    let context = RuleContext {
        profiles: table.get("profiles").and_then(toml::Value::as_table),
        zone: zone.as_ref(),
        dates: &dates,
        instances: &own,
        known: Some(&known),
    };
    let mut faults = Faults::default();
    let list = table.get("rules").and_then(toml::Value::as_array).into_iter().flatten();
    let list: Vec<_> = list.filter_map(toml::Value::as_table).cloned().collect();
    let rules = Rules::read(&list, &context, &mut faults);
    if faults.0.is_empty() {
        Ok(rules)
    } else {
        Err(faults.0.iter().map(|fault| format!("{fault}\n")).collect())
    }
}

/// How the dates of a test's source are taken.
fn dates(table: &Table) -> DateSettings {
    let length = |key: &str| super::length(table.get(key)?.as_str()?);
    let zones = table.get("zones").and_then(toml::Value::as_table).into_iter().flatten();
    let zone = |(site, zone): (&String, &toml::Value)| (site.clone(), zone_named(zone.as_str().unwrap()).unwrap());
    let default = DateSettings::default();
    DateSettings {
        zones: std::sync::Arc::new(zones.map(zone).collect()),
        already_due: table.get("already_due").and_then(toml::Value::as_bool) == Some(true),
        back_dated_after: length("back_dated_after").unwrap_or(default.back_dated_after),
        far_future_after: length("far_future_after").unwrap_or(default.far_future_after),
        conversion: length("conversion"),
    }
}
