mod deciding;
mod reading;

use toml::Table;

use super::{Faults, RuleContext, Rules, TargetInstance};

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
    let zone = table
        .get("zone")
        .and_then(toml::Value::as_str)
        .and_then(crate::operations::zone_named);
    let context = RuleContext {
        profiles: table.get("profiles").and_then(toml::Value::as_table),
        zone: zone.as_ref(),
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
