//! A group and its members, as the reports tell.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Verdict;
use crate::world::Answer;

/// A command about a group.
#[derive(Clone, Debug)]
pub(crate) enum GroupCommand {
    Create { external_id: String },
    Change { add: Vec<String>, remove: Vec<String> },
    Get,
    Delete,
}

/// A group, and all that may be true of it.
pub(crate) struct Group {
    pub(crate) name: String,
    exists: BTreeSet<bool>,
    id: Option<String>,
    /// Whether each one may be in it, out of it, or both.
    members: BTreeMap<String, BTreeSet<bool>>,
    made: usize,
}

/// The start of ids that no user has.
const NOBODY: &str = "nobody-";

impl Group {
    pub(crate) fn new(name: String) -> Self {
        Self {
            name,
            exists: [false].into(),
            id: None,
            members: BTreeMap::new(),
            made: 0,
        }
    }

    fn is_certain(&self, exists: bool) -> bool {
        self.exists == [exists].into()
    }

    /// A command that makes sense: first of all a look, when it is not known whether the group
    /// exists.
    pub(crate) fn draw(&mut self, random: &mut fastrand::Rng, people: &[String]) -> GroupCommand {
        if self.exists.len() > 1 || (self.is_certain(true) && self.id.is_none()) {
            return GroupCommand::Get;
        }
        self.made += 1;
        let create = GroupCommand::Create {
            external_id: format!("x-{}-{}", self.name, self.made),
        };
        if self.is_certain(false) {
            return create;
        }
        match random.u8(..100) {
            0..5 => create,
            5..10 => GroupCommand::Delete,
            10..25 => GroupCommand::Get,
            large => {
                let most = if large > 90 { 130 } else { 8 };
                let mut chosen = people.to_vec();
                random.shuffle(&mut chosen);
                chosen.truncate(random.usize(1..=most));
                let mut add = chosen.split_off(random.usize(..=chosen.len()));
                if random.u8(..10) == 0 {
                    add.push(format!("{NOBODY}{}", random.u16(..)));
                }
                GroupCommand::Change { add, remove: chosen }
            }
        }
    }

    /// The command's name and arguments.
    pub(crate) fn request(&self, command: &GroupCommand) -> (&'static str, Value) {
        match command {
            GroupCommand::Create { external_id } => {
                let scim = json!({"displayName": self.name, "externalId": external_id});
                ("iam-create-group", json!({"scim": scim}))
            }
            GroupCommand::Change { add, remove } => (
                "iam-update-group",
                json!({"scim": {"id": self.id}, "memberIdsToAdd": add, "memberIdsToDelete": remove}),
            ),
            GroupCommand::Get => ("iam-get-group", json!({"scim": {"displayName": self.name}})),
            GroupCommand::Delete => ("iam-delete-group", json!({"scim": {"id": self.id}})),
        }
    }

    /// Takes in what a command reported.
    pub(crate) fn learn(&mut self, command: &GroupCommand, answer: &Answer) -> Result<Verdict, String> {
        let lie = |why: &str| {
            Err(format!(
                "{command:?} of {} ({:?}): {why}: {} {}",
                self.name, self.exists, answer.status, answer.body
            ))
        };
        let result = answer.result();
        let not_known = !answer.succeeded() && answer.message().contains("not known");
        let failed = answer.status >= 500;
        match command {
            GroupCommand::Create { .. } if answer.succeeded() => {
                if self.is_certain(true) {
                    return lie("it was there");
                }
                self.exists = [true].into();
                self.id = result["id"].as_str().map(str::to_owned);
                self.members.clear();
                Ok(Verdict::Done)
            }
            GroupCommand::Create { .. } if not_known => {
                self.exists.insert(true);
                if !self.is_certain(true) {
                    self.id = None;
                }
                Ok(Verdict::NotKnown)
            }
            GroupCommand::Create { .. } if answer.status == 409 => {
                if !self.is_certain(true) {
                    return lie("nothing was there to clash with");
                }
                Ok(Verdict::Refused)
            }
            GroupCommand::Delete if answer.succeeded() => {
                self.gone();
                Ok(Verdict::Done)
            }
            GroupCommand::Delete if not_known => {
                self.exists = [true, false].into();
                Ok(Verdict::NotKnown)
            }
            GroupCommand::Get if answer.succeeded() => {
                if self.is_certain(false) {
                    return lie("it was not there");
                }
                self.exists = [true].into();
                self.id = result["id"].as_str().map(str::to_owned);
                let members = result["members"].as_array().cloned().unwrap_or_default();
                let members = members.iter().filter_map(|member| member["value"].as_str());
                self.compare(&members.collect()).map(|()| Verdict::Done)
            }
            GroupCommand::Get if answer.status == 404 => {
                if self.is_certain(true) {
                    return lie("it was there");
                }
                self.gone();
                Ok(Verdict::Refused)
            }
            GroupCommand::Change { add, remove } if answer.succeeded() => {
                if add.iter().any(|id| id.starts_with(NOBODY)) {
                    return lie("one of the members does not exist");
                }
                self.members.extend(add.iter().map(|id| (id.clone(), [true].into())));
                self.members
                    .extend(remove.iter().map(|id| (id.clone(), [false].into())));
                Ok(Verdict::Done)
            }
            GroupCommand::Change { add, .. } if answer.status >= 500 || add.iter().any(|id| id.starts_with(NOBODY)) => {
                let fates = result["details"]["members"].as_array().cloned().unwrap_or_default();
                for fate in &fates {
                    let id = fate["value"].as_str().unwrap_or_default().to_owned();
                    let wanted = fate["operation"] == "add";
                    match fate["result"].as_str() {
                        Some("done") if id.starts_with(NOBODY) => return lie("a member does not exist"),
                        Some("done") => drop(self.members.insert(id, [wanted].into())),
                        Some("not known") => {
                            let known = self.members.entry(id).or_insert_with(|| [false].into());
                            known.insert(wanted);
                        }
                        Some("failed") if !failed && !id.starts_with(NOBODY) => return lie("a member does exist"),
                        Some("failed" | "not tried") => {}
                        _ => return lie("a member has no fate"),
                    }
                }
                let unknown = fates.iter().any(|fate| fate["result"] == "not known");
                Ok(match (unknown, failed) {
                    (true, _) => Verdict::NotKnown,
                    (false, true) => Verdict::Failed,
                    (false, false) => Verdict::Refused,
                })
            }
            GroupCommand::Create { .. } | GroupCommand::Change { .. } | GroupCommand::Get | GroupCommand::Delete
                if failed =>
            {
                Ok(Verdict::Failed)
            }
            GroupCommand::Create { .. } | GroupCommand::Change { .. } | GroupCommand::Get | GroupCommand::Delete => {
                lie("no state explains it")
            }
        }
    }

    fn gone(&mut self) {
        self.exists = [false].into();
        self.id = None;
        self.members.clear();
    }

    /// Whether these may be the members; from then on they are.
    fn compare(&mut self, members: &BTreeSet<&str>) -> Result<(), String> {
        for id in members {
            let may = self.members.get(*id).is_some_and(|states| states.contains(&true));
            if !may {
                return Err(format!("{}: {id} is in it and was never added", self.name));
            }
        }
        for (id, states) in &mut self.members {
            let is_in = members.contains(id.as_str());
            if !states.contains(&is_in) {
                return Err(format!("{}: {id} should be in it", self.name));
            }
            *states = [is_in].into();
        }
        Ok(())
    }

    /// Whether the directory may be as it is: these are all groups of the name.
    pub(crate) fn settle(&mut self, groups: &[&Value]) -> Result<(), String> {
        match groups {
            [] | [_] if !self.exists.contains(&!groups.is_empty()) => Err(format!(
                "{}: there are {}, not {:?}",
                self.name,
                groups.len(),
                self.exists
            )),
            [] => Ok(()),
            [group] => {
                let members = group["members"].as_array().unwrap().iter();
                self.compare(&members.filter_map(|member| member["value"].as_str()).collect())
            }
            several => Err(format!("{} is there {} times", self.name, several.len())),
        }
    }
}
