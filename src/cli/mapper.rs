//! The subcommand `mapper`: checks a mapper's file, and explains what it makes of one profile.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::Subcommand;
use serde_json::Value;

use super::{FAILED, failed, misused};
use crate::{
    diagnostic::Severity,
    json,
    mapper::{Direction, Mapper, MapperFile, MappingType},
    profile::UserProfile,
    scim::{Dialect, User},
};

/// The longest profile that is explained, in bytes; as long as the longest body.
const LONGEST_SOURCE: u64 = 16 * 1024 * 1024;

#[derive(Debug, Subcommand)]
pub(super) enum Task {
    /// Tell the errors, warnings and notes on a mapper; exits with 1 on an error
    Lint {
        /// The mapper's file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Exit with 1 on a warning, too
        #[arg(long)]
        strict: bool,
    },
    /// Map a profile (or a SCIM user, for an incoming mapper) from standard input, and print each
    /// step as JSON
    Explain {
        /// The mapper's file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The mapping's type
        #[arg(long = "type", value_name = "TYPE", default_value = "User Profile - Create")]
        mapping_type: String,
        /// The mapper is an incoming one; only for a file that does not say so itself
        #[arg(long)]
        incoming: bool,
    },
}

/// Runs one of them to its end.
pub(super) fn run(task: Task) -> ExitCode {
    match task {
        Task::Lint { file, strict } => lint(&file, strict),
        Task::Explain {
            file,
            mapping_type,
            incoming,
        } => explain(&file, &mapping_type, incoming),
    }
}

fn lint(path: &Path, strict: bool) -> ExitCode {
    let (_, findings) = match MapperFile::load(path) {
        Ok(loaded) => loaded,
        Err(problem) => return misused(&format!("{}: {problem}", path.display())),
    };
    for line in findings.lines() {
        println!("{line}");
    }
    let [errors, warnings, notes] =
        [Severity::Error, Severity::Warning, Severity::Note].map(|severity| findings.count(severity));
    println!(
        "{}: {errors} errors, {warnings} warnings, {notes} notes",
        path.display()
    );
    if errors > 0 || (strict && warnings > 0) {
        ExitCode::from(FAILED)
    } else {
        ExitCode::SUCCESS
    }
}

fn explain(path: &Path, mapping_type: &str, incoming: bool) -> ExitCode {
    let Some(mapping_type) = MappingType::from_name(mapping_type) else {
        return misused("--type is \"User Profile\", \"User Profile - Create\" or \"User Profile - Update\"");
    };
    let file = match MapperFile::load(path) {
        Ok((Some(file), _)) => Arc::new(file),
        Ok((None, findings)) => {
            eprintln!("{}: {}", path.display(), findings.errors());
            return ExitCode::from(FAILED);
        }
        Err(problem) => return misused(&format!("{}: {problem}", path.display())),
    };
    let mut source = Vec::new();
    if let Err(error) = std::io::stdin().lock().take(LONGEST_SOURCE).read_to_end(&mut source) {
        return failed(&error);
    }
    let is_incoming = incoming || file.identity.direction == Some(Direction::Incoming);
    let explained = match json::parse(&source) {
        Err(fault) => return misused(&format!("standard input: {fault}")),
        Ok(Value::Object(user)) if is_incoming => Mapper::new(None, Some(file)).explain_incoming(&User::assumed(user)),
        Ok(_) if is_incoming => return misused("standard input: a SCIM user is a JSON object"),
        Ok(value) if value.get("user-profile").is_some_and(Value::is_object) => {
            return misused("standard input: the profile stands a level deeper: give what is under user-profile alone");
        }
        Ok(value) => match serde_json::from_value::<UserProfile>(value) {
            Ok(profile) => Mapper::new(Some(file), None).explain_outgoing(mapping_type, Dialect::Aws, &profile),
            Err(error) => return misused(&format!("standard input: {error}")),
        },
    };
    match serde_json::to_string_pretty(&explained) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}
