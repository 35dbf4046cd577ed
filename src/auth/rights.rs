//! The rights of a caller, which may do nothing without.

use std::collections::BTreeSet;

/// The rights of a caller. The default is none at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights {
    /// The commands that it may run, on the instances that it may use.
    pub commands: Vec<CommandRight>,
    /// The instances that it may use; others are answered as if they did not exist.
    pub instances: Names,
    /// Whose operations it may see and change.
    pub operations: OperationRight,
    /// Whether it may release what is held, or cancel it, of those operations that it may see.
    pub release: bool,
    /// Whether it may see sources and what they sent, bodies included, and have that read again.
    pub sources: bool,
    /// Whether it may see how the service and its directories are doing.
    pub administration: bool,
    /// Whether it may read the metrics, of every instance.
    pub metrics: bool,
}

impl Rights {
    /// Every right there is, for requests to a service that has no callers.
    pub fn all() -> Self {
        Self {
            commands: vec![CommandRight::Every],
            instances: Names::Every,
            operations: OperationRight::Manage,
            release: true,
            sources: true,
            administration: true,
            metrics: true,
        }
    }

    /// Whether the caller may run a command of this name. `writes` says whether the command changes
    /// a directory or only reads one.
    pub fn may_run(&self, command: &str, writes: bool) -> bool {
        self.commands.iter().any(|right| right.covers(command, writes))
    }
}

/// A right to stored operations: its own a caller may always see, retry, cancel and move.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum OperationRight {
    /// To its own alone; written `own`.
    #[default]
    Own,
    /// To see those of others too; written `read`.
    Read,
    /// To retry, cancel and move those of others too; written `manage`.
    Manage,
}

/// A right to commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandRight {
    /// To every command; written `*`.
    Every,
    /// To those that only read; written `read`.
    Read,
    /// To those that change a directory; written `write`. They may read on their way, so this does
    /// not include [`Self::Read`].
    Write,
    /// To the command of this name.
    Named(Box<str>),
    /// To those whose names begin so; written with a `*` behind it.
    Beginning(Box<str>),
}

impl CommandRight {
    /// Parses a right as an operator writes it. `None` for a text that covers none of the `known`
    /// commands: a slip that would otherwise show only when a request is refused.
    pub fn parse(text: &str, known: &[&str]) -> Option<Self> {
        let right = match (text, text.strip_suffix('*')) {
            ("*", _) => Self::Every,
            ("read", _) => Self::Read,
            ("write", _) => Self::Write,
            (_, Some(start)) => Self::Beginning(start.into()),
            (name, None) => Self::Named(name.into()),
        };
        // A right by name covers reading and writing commands alike.
        let is_of_use = matches!(right, Self::Read | Self::Write) || known.iter().any(|name| right.covers(name, false));
        is_of_use.then_some(right)
    }

    fn covers(&self, command: &str, writes: bool) -> bool {
        match self {
            Self::Every => true,
            Self::Read => !writes,
            Self::Write => writes,
            Self::Named(name) => **name == *command,
            Self::Beginning(start) => command.starts_with(&**start),
        }
    }
}

/// Some names, or every name; letter case makes no difference. The default is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Names {
    /// Every name.
    Every,
    /// These, in lower case.
    These(BTreeSet<String>),
}

impl Names {
    /// Collects names; `*` among them stands for every name.
    pub fn these(names: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let names: BTreeSet<String> = names.into_iter().map(|name| name.as_ref().to_lowercase()).collect();
        if names.contains("*") {
            Self::Every
        } else {
            Self::These(names)
        }
    }

    /// Whether the name is one of them.
    pub fn include(&self, name: &str) -> bool {
        match self {
            Self::Every => true,
            Self::These(names) => names.contains(&name.to_lowercase()),
        }
    }
}

impl Default for Names {
    fn default() -> Self {
        Self::These(BTreeSet::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] = ["iam-get-user", "iam-create-user", "iam-get-group", "test-module"];

    #[test]
    fn a_right_covers_what_it_says_and_nothing_else() {
        for (rights, covered) in [
            (&["*"][..], &[true, true, true, true][..]),
            (&["read"], &[true, false, true, true]),
            (&["write"], &[false, true, false, false]),
            (&["read", "write"], &[true, true, true, true]),
            (&["iam-*"], &[true, true, true, false]),
            (&["iam-get-*"], &[true, false, true, false]),
            (&["iam-get-user"], &[true, false, false, false]),
            (&["test-module", "iam-create-user"], &[false, true, false, true]),
            (&[], &[false, false, false, false]),
        ] {
            let rights = Rights {
                commands: rights
                    .iter()
                    .map(|text| CommandRight::parse(text, &KNOWN).unwrap())
                    .collect(),
                ..Rights::default()
            };
            for (name, expected) in KNOWN.iter().zip(covered) {
                let writes = name.contains("create");
                assert_eq!(rights.may_run(name, writes), *expected, "{rights:?} {name}");
            }
        }
    }

    #[test]
    fn a_right_to_nothing_is_a_slip() {
        for text in [
            "",
            "iam-get-users",
            "iam-gte-*",
            "IAM-GET-USER",
            "Read",
            "iam",
            "*user",
            "read ",
        ] {
            assert_eq!(CommandRight::parse(text, &KNOWN), None, "{text:?}");
        }
    }

    #[test]
    fn names_are_compared_without_letter_case() {
        let names = Names::these(["Production", "prüfung"]);
        assert!(names.include("PRODUCTION") && names.include("Prüfung"));
        assert!(!names.include("prod") && !names.include("*") && !names.include(""));
        assert!(Names::these(["a", "*"]).include("anything"));
        assert!(!Names::default().include("") && !Names::default().include("a"));
    }

    #[test]
    fn without_rights_nothing_is_allowed() {
        let none = Rights::default();
        assert!(!none.may_run("iam-get-user", false) && !none.instances.include("a"));
        assert!(none.operations == OperationRight::Own && !none.administration && !none.metrics);
        assert!(!none.release && !none.sources);
    }
}
