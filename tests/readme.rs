//! What the documentation says is what the program does.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use logscrub::{HashKey, Policy, Scrubber};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|fault| panic!("{path}: {fault}"))
}

/// The documentation, file by file.
fn documents() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(root().join("docs"))
        .unwrap()
        .map(|entry| format!("docs/{}", entry.unwrap().file_name().to_str().unwrap()))
        .filter(|name| name.ends_with(".md"))
        .collect();
    names.sort();
    names.extend(["README.md", "CHANGELOG.md", "rules/README.md", "benches/README.md"].map(str::to_owned));
    names
}

/// The fenced blocks whose fence says `language`, without the fences.
fn blocks<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
    let fence = format!("```{language}\n");
    text.split(fence.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// The cells of the first table below a heading, without its head; backticks are left out.
fn table(text: &str, heading: &str) -> Vec<Vec<String>> {
    let section = text.split_once(&format!("\n## {heading}\n")).expect(heading).1;
    let section = section.split("\n## ").next().unwrap();
    let rows =
        section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let cells =
        |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect();
    rows.skip(2).map(cells).collect()
}

fn logscrub(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_logscrub"))
        .args(arguments)
        .current_dir(root())
        .env_remove("LOGSCRUB_RULES")
        .output()
        .unwrap()
}

#[test]
fn every_rules_file_in_the_documentation_loads() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("staff.txt"), "Ana Lopez\n").unwrap();
    let payments = "[[rule]]\nfield = [\"user_id\"]\naction = \"redact\"\n";
    std::fs::write(folder.path().join("payments.toml"), payments).unwrap();
    let mut count = 0;
    for name in documents() {
        for block in blocks(&text(&name), "toml") {
            count += 1;
            if let Err(faults) = Policy::from_toml(block, &name, Some(folder.path())) {
                panic!("{name}:\n{block}\n{faults}");
            }
        }
    }
    assert!(count >= 6, "only {count} found");
}

/// Each block is one command of the form `$ cargo run … -- ARGUMENTS` and what it writes. `UPDATE=1` writes
/// the blocks anew.
#[test]
fn the_commands_that_are_shown_write_what_is_shown() {
    for name in documents() {
        let written = text(&name);
        let mut real = written.clone();
        for block in blocks(&written, "console") {
            let (command, _) = block.split_once('\n').unwrap();
            let (_, arguments) = command.split_once(" -- ").expect(command);
            let output = logscrub(&arguments.split(' ').collect::<Vec<_>>());
            assert!(output.status.success() && output.stderr.is_empty(), "{command}");
            real = real.replace(block, &format!("{command}\n{}", String::from_utf8(output.stdout).unwrap()));
        }
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(root().join(&name), &real).unwrap();
        }
        assert!(written == real, "{name} does not show what the program writes; UPDATE=1 writes it anew");
    }
    assert_eq!(blocks(&text("README.md"), "console").len(), 1);
}

#[test]
fn the_exit_codes_are_those_of_the_help() {
    let help = String::from_utf8(logscrub(&["--help"]).stdout).unwrap();
    let codes = help.split_once("Exit codes, the first that applies:\n").unwrap().1;
    // A meaning of two lines goes on behind blanks alone.
    let codes = codes.replace("\n     ", " ");
    let of_help: Vec<Vec<String>> = codes
        .lines()
        .filter_map(|line| line.trim().split_once("  "))
        .map(|(code, meaning)| vec![code.to_owned(), meaning.to_owned()])
        .collect();
    assert_eq!(of_help.len(), 5);
    assert_eq!(table(&text("README.md"), "Exit codes"), of_help);
}

#[test]
fn the_kinds_are_those_of_the_detectors() {
    let mut of_files = Vec::new();
    for folder in std::fs::read_dir(root().join("rules/detectors")).unwrap() {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            let detector: toml::Table =
                toml::from_str(&std::fs::read_to_string(file.unwrap().path()).unwrap()).unwrap();
            of_files.push(["kind", "title"].map(|key| detector[key].as_str().unwrap().to_owned()).to_vec());
        }
    }
    of_files.sort();
    assert_eq!(table(&text("README.md"), "What is found"), of_files);
}

#[test]
fn the_actions_leave_what_the_table_shows() {
    let readme = text("README.md");
    let values = ["ana@example.com", "203.0.113.77", "4111 1111 1111 1111"];
    let rows = table(&readme, "What is done");
    assert_eq!(rows.len(), 7);
    let token = regex::Regex::new("([:~])k[0-9a-z]{6}:[0-9a-z]{20,}").unwrap();
    for row in rows {
        let rules =
            format!("pseudonyms.keyring = 'k.toml'\n[[rule]]\nfind = ['all']\naction = '{}'\n", row[0]);
        let policy = Policy::from_toml(&rules, "test", Some(Path::new("."))).unwrap();
        let mut scrubber = Scrubber::new(Arc::new(policy), Some(HashKey::new(&[7; 32])));
        for (value, shown) in values.iter().zip(&row[1..]) {
            let mut out = Vec::new();
            scrubber.scrub(value.as_bytes(), &mut out);
            let left = String::from_utf8(out).unwrap();
            assert_eq!(token.replace(&left, "${1}k…:…"), *shown, "{} of {value}", row[0]);
        }
    }
}

#[test]
fn the_commands_are_those_of_the_help() {
    let commands: String = table(&text("README.md"), "Commands").concat().concat();
    let help = String::from_utf8(logscrub(&["--help"]).stdout).unwrap();
    let listed = help.split_once("Commands:\n").unwrap().1.split("\n\n").next().unwrap();
    for command in listed.lines().filter_map(|line| line.split_whitespace().next()) {
        assert!(command == "help" || commands.contains(&format!("logscrub {command}")), "{command}");
    }
}

#[test]
fn each_dependency_has_its_line() {
    let manifest: toml::Table = toml::from_str(&text("Cargo.toml")).unwrap();
    let of_manifest: BTreeSet<String> = ["dependencies", "dev-dependencies"]
        .iter()
        .flat_map(|section| manifest[*section].as_table().unwrap().keys().cloned())
        .collect();
    let document = text("docs/dependencies.md");
    let listed: BTreeSet<String> =
        ["The program and the library", "The program alone", "Tests and benchmarks"]
            .iter()
            .flat_map(|heading| table(&document, heading))
            .map(|row| {
                assert!(row.len() == 3 && row.iter().all(|cell| !cell.is_empty()), "{row:?}");
                row[0].clone()
            })
            .collect();
    assert_eq!(listed, of_manifest);
}

#[test]
fn links_lead_somewhere() {
    let mut count = 0;
    for name in documents() {
        let document = text(&name);
        for link in document.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            let path = link.split('#').next().unwrap();
            let there = root().join(&name).parent().unwrap().join(path).exists();
            assert!(there || path.is_empty(), "{name}: {link}");
            count += 1;
        }
    }
    assert!(count >= 10);
}
