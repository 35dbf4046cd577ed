//! The README: short, with every command and subcommand. `docs_pages` holds its examples and its
//! links, with those of the other pages.

use crate::{docs_pages::page, examples::examples};

#[test]
fn it_is_short() {
    let length = page("README.md").len();
    assert!(length <= 8 * 1024, "README.md has {length} bytes");
}

#[test]
fn every_command_and_subcommand_is_told() {
    let readme = page("README.md");
    for (command, _) in examples() {
        assert!(
            readme.contains(&format!("| `{command}` |")),
            "{command} is not in README.md's table"
        );
    }
    let ended = crate::process::run(&["--help"], &[]);
    let (_, tasks) = ended.stdout.split_once("Commands:\n").unwrap();
    let tasks = tasks.lines().take_while(|line| !line.is_empty());
    for task in tasks.filter_map(|line| line.split_whitespace().next()) {
        assert!(
            task == "help" || readme.contains(&format!("`aws-ilm {task}")),
            "aws-ilm {task} is not in README.md"
        );
    }
}
