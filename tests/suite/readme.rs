//! Runs the commands of the README and compares it with the program. Checks the paths in the
//! documentation.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lectern_tests::{EmptyDb, Lectern, on_both_backends};
use serde_json::Value;

on_both_backends!(
    the_commands_of_the_readme_work,
    the_commands_for_users_of_sqlalchemy_work,
);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

/// The code blocks of a language.
pub(crate) fn code_blocks(text: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    text.split(&opening)
        .skip(1)
        .map(|rest| rest.split("```\n").next().unwrap().to_owned())
        .collect()
}

/// Whether `whole` contains everything in `part`.
fn is_within(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => part
            .iter()
            .all(|(key, part)| whole.get(key).is_some_and(|whole| is_within(part, whole))),
        (Value::Array(part), Value::Array(whole)) => part
            .iter()
            .all(|part| whole.iter().any(|whole| is_within(part, whole))),
        _ => part == whole,
    }
}

/// Runs the commands of a text on a server. Checks that each JSON value of the text is within
/// a response; returns the output.
#[track_caller]
fn run_commands(text: &str, db: &EmptyDb) -> Vec<Value> {
    let server = Lectern::serve(db.url());
    let script = code_blocks(text, "sh").concat();
    let output = Command::new("bash")
        .args(["-c", &format!("set -euo pipefail\n{script}")])
        .current_dir(server.dir())
        .env("LECTERN", server.base())
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{}\n{stdout}",
        String::from_utf8_lossy(&output.stderr)
    );

    // The output has one JSON value for each curl command that shows its
    // response.
    let responses: Vec<Value> = serde_json::Deserializer::from_str(&stdout)
        .into_iter()
        .map(|response| response.unwrap_or_else(|error| panic!("{error}: {stdout}")))
        .collect();
    for shown in code_blocks(text, "json") {
        let shown: Value = serde_json::from_str(&shown).unwrap();
        assert!(
            responses.iter().any(|response| is_within(&shown, response)),
            "{shown} is not in {stdout}"
        );
    }
    responses
}

fn the_commands_of_the_readme_work(db: EmptyDb) {
    let readme = readme();
    let (_, tour) = readme.split_once("<!-- tour:begin -->").unwrap();
    let (tour, _) = tour.split_once("<!-- tour:end -->").unwrap();
    let responses = run_commands(tour, &db);
    assert!(responses.contains(&412.into()), "{responses:?}");
    assert_eq!(db.sql().count("jobs"), 0, "the tour cleans up");
}

/// The examples in Rust are those of the crate's documentation.
fn the_commands_for_users_of_sqlalchemy_work(db: EmptyDb) {
    let text = fs::read_to_string(root().join("docs/from-sqlalchemy.md")).unwrap();
    let responses = run_commands(&text, &db);
    assert!(responses.contains(&304.into()), "{responses:?}");
    assert_eq!(db.sql().count("jobs"), 0, "the examples clean up");
}

#[test]
fn every_link_resolves() {
    for file in [
        "README.md",
        "docs/architecture.md",
        "docs/backup.md",
        "docs/from-sqlalchemy.md",
        "docs/workers.md",
        "crates/db/README.md",
    ] {
        let file = root().join(file);
        let text = fs::read_to_string(&file).unwrap();
        for link in text
            .split("](")
            .skip(1)
            .map(|rest| rest.split(')').next().unwrap())
        {
            let path = link.split('#').next().unwrap();
            let resolves = path.contains("://")
                || path.is_empty()
                || file.parent().unwrap().join(path).exists();
            assert!(resolves, "{} links to {link}", file.display());
        }
    }
}

/// The source files and directories that a text names, such as `domain/src/clip.rs`.
fn source_paths(text: &str) -> impl Iterator<Item = &str> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(|code| code.contains("/src/") && !code.contains(['{', '<', ' ', '…']))
}

#[test]
fn every_source_path_in_the_architecture_exists() {
    let text = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let (_, table) = text.split_once("## Where is what\n").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| "));
    for row in rows.skip(1) {
        assert!(source_paths(row).next().is_some(), "{row} names no file");
    }
    let crates = root().join("crates");
    for path in source_paths(&text) {
        let exists = crates.join(path).exists() || root().join(path).exists();
        assert!(exists, "docs/architecture.md names {path}");
    }
}

#[test]
fn the_settings_of_the_readme_match_the_program() {
    let help = Lectern::command()
        .args(["help", "settings"])
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    // The help is wrapped to lines.
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let readme = readme();
    let (_, configuration) = readme.split_once("## Configuration").unwrap();
    let (configuration, _) = configuration.split_once("\n## ").unwrap();
    let rows: Vec<_> = configuration
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    assert!(rows.len() >= 10, "{rows:#?}");
    for row in rows {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        for name in cells[1].split(", ").map(|name| name.trim_matches('`')) {
            assert!(
                help.contains(&format!("[env: {name}")),
                "{name} is not in `lectern help settings`"
            );
        }
        if let Some(default) = cells[2]
            .strip_prefix('`')
            .and_then(|rest| rest.strip_suffix('`'))
        {
            assert!(
                help.contains(&format!("[default: {default}]")),
                "{default} of {row} is not in `lectern help settings`"
            );
        }
    }
}
