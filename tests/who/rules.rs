//! The rules of the text, each by its section and row, to count how often each was met.

use std::collections::BTreeMap;

/// Every rule that the oracle says it has met. A run that meets one too seldom has not tried it.
pub(crate) const RULES: [&str; 98] = [
    "1 a field under its display name",
    "1 olduserdata as a string that holds JSON",
    "1 olduserdata that is blank",
    "1 a list of one text is that text",
    "1 a list of several texts: 400",
    "2 white space at the ends is taken off",
    "2 a blank identifier is none",
    "2 userName with white space or a forbidden character: 400",
    "2 id that is not [A-Za-z0-9_-]{1,64}: 400",
    "2 id in AWS's form is lower-cased",
    "2 userNames equal in other letter case",
    "2 userNames equal in another normal form",
    "2 a look-alike is another name",
    "3 get, disable, create: found by id",
    "3 get, disable, create: found by userName",
    "3 get, disable, create: found by employee id",
    "3 get, disable, create: found by old id",
    "3 get, disable, create: found by old userName",
    "3 get, disable, create: found by old employee id",
    "3 update: found by old id",
    "3 update: found by id",
    "3 update: found by old userName",
    "3 update: found by userName",
    "3 update: found by employee id",
    "3 update: found by old employee id",
    "3 a key that finds nobody is passed over",
    "3 no key at all: 400",
    "3 nobody found by any key",
    "3 absent userName found in NFC",
    "3 absent userName found in NFD",
    "3 unknown id not of AWS's form (404) is a hint",
    "3 unknown id not of AWS's form (400) is a hint",
    "3 unknown id of AWS's form, not a disable: a hint",
    "3 unknown id of AWS's form, disable by name: 409",
    "3 unknown id of AWS's form, disable by name, employee ids agree: goes on",
    "3 unknown id of AWS's form, disable by another key: goes on",
    "3 profile_id = foreign: the id is no key",
    "3 id and userName name two users: get 409",
    "3 id and userName name two users: disable 409",
    "3 id and userName name two users: update, create taken 409",
    "4 row 1: employee ids equal",
    "4 row 1: one is missing",
    "4 row 2: the user's is that of olduserdata",
    "4 row 3: get goes on with whom the employee id finds",
    "4 row 3: disable goes on with whom the employee id finds",
    "4 row 3: create goes on with whom the employee id finds",
    "4 row 3: update goes on with whom the employee id finds",
    "4 row 3: create 409",
    "4 row 3: update 409",
    "4 row 4: get 409",
    "4 row 4: create 409",
    "4 row 4: update 409",
    "4 row 4: disable 409",
    "4 employee id alone: get, disable go on",
    "4 employee id alone: update with an equal sign goes on",
    "4 employee id alone: update 409",
    "4 employee id alone: create with an e-mail, a phone or both names equal goes on",
    "4 employee id alone: create 409",
    "4 employee id alone, no userName or the same: goes on",
    "4 create finds an inactive user by name, nothing equal: 409",
    "4 create finds an inactive user by name, a sign equal: goes on",
    "4 signs: disable 409",
    "4 signs: old name 409",
    "4 signs: disable or old name, one is equal: goes on",
    "4 signs: disable or old name, fewer than two: goes on",
    "4 strict: signs by the current name 409",
    "4 strict: signs by the current name, goes on",
    "4 always: a test is dropped",
    "4 never: no create goes on as an update",
    "4 an update never alters a userName's spelling alone",
    "4 an update alters the spelling: olduserdata has the old one",
    "5 switch off: create skip",
    "5 switch off: update skip",
    "5 switch off: disable skip",
    "5 active false while allow-enable is true: 400",
    "5 get: found",
    "5 get: absent 404",
    "5 create: found, goes on as update",
    "5 create: found, updating is off: skip",
    "5 create: POST, active",
    "5 create: POST, not active",
    "5 create: the e-mail is another's: 409",
    "5 create: partial and absent: 400",
    "5 update: only what differs",
    "5 update: nothing differs",
    "5 update: a rename",
    "5 update: enables",
    "5 update: stays inactive, allow-enable is false",
    "5 update: stays inactive, enabling is off",
    "5 update: clashes 409",
    "5 update: absent, goes on as create",
    "5 update: absent, creating is off: skip",
    "5 update: absent without a userName: 404",
    "5 update: absent, no create-if-not-exists: skip",
    "5 disable: active",
    "5 disable: inactive skip",
    "5 disable: absent skip",
    "5 disable: absent, disable_absent = fail: 404",
];

/// How often a rule was met, and in how many of those cases the service agreed with the oracle.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    pub(crate) met: usize,
    pub(crate) agreed: usize,
}

/// The counts of all rules.
#[derive(Debug)]
pub(crate) struct Tally(BTreeMap<&'static str, Count>);

impl Tally {
    pub(crate) fn new() -> Self {
        Self(RULES.iter().map(|rule| (*rule, Count::default())).collect())
    }

    /// Counts the rules of one case.
    pub(crate) fn read(&mut self, rules: &[&'static str]) {
        rules.iter().for_each(|rule| self.count(rule).met += 1);
    }

    /// Counts the rules of a case that came out right.
    pub(crate) fn agree(&mut self, rules: &[&'static str]) {
        rules.iter().for_each(|rule| self.count(rule).agreed += 1);
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (rule, count) in &other.0 {
            let sum = self.count(rule);
            sum.met += count.met;
            sum.agreed += count.agreed;
        }
    }

    /// The rules and their counts, in the order of the text.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&'static str, Count)> {
        RULES.iter().map(|rule| (*rule, self.0[rule]))
    }

    /// The rules that no case has met.
    pub(crate) fn never_met(&self) -> Vec<&'static str> {
        let never = self.rows().filter(|(_, count)| count.met == 0);
        never.map(|(rule, _)| rule).collect()
    }

    fn count(&mut self, rule: &'static str) -> &mut Count {
        self.0
            .get_mut(rule)
            .unwrap_or_else(|| panic!("`{rule}` is not in the list"))
    }
}
