//! `logscrub report show|verify`: what a report of `archive` says, and whether it still holds.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::args::ReportCommand;
use super::exit::Exit;
use super::print::{message, to_stdout};
use crate::archive::digest::file_digest;
use crate::archive::journal::path_from;
use crate::error::reason;
use crate::report::text::{columns, redacted_without_key};

pub(super) fn run(command: &ReportCommand) -> Exit {
    let (path, work): (_, fn(&Value) -> Exit) = match command {
        ReportCommand::Show { report } => (report, show),
        ReportCommand::Verify { report } => (report, verify),
    };
    match read(path) {
        Ok(report) => work(&report),
        Err(what) => {
            message(&format!("report {}: {what}", path.display()));
            Exit::Usage
        }
    }
}

fn read(path: &Path) -> Result<Value, String> {
    let text = std::fs::read(path).map_err(|cause| reason(&cause))?;
    let report: Value = serde_json::from_slice(&text).map_err(|_| "it is not JSON".to_owned())?;
    match report["command"].as_str() {
        Some("archive") if report["files"].is_array() => Ok(report),
        _ => Err("it is no report of archive".to_owned()),
    }
}

fn files(report: &Value) -> impl Iterator<Item = (PathBuf, &Value)> {
    let named = |file: &Value| path_from(file["path"].as_str()?);
    let files = report["files"].as_array().into_iter().flatten();
    files.filter_map(move |file| Some((PathBuf::from(OsStr::from_bytes(&named(file)?)), file)))
}

/// How many files came to which end, and what the rules did in all of them.
fn show(report: &Value) -> Exit {
    let mut outcomes: BTreeMap<String, u64> = BTreeMap::new();
    let mut acted: BTreeMap<[String; 3], u64> = BTreeMap::new();
    for (_, file) in files(report) {
        *outcomes.entry(file["outcome"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        for row in file["acted"].as_array().into_iter().flatten() {
            let word = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            let step = row["step"].as_u64().map_or(String::new(), |step| format!(" (step {step})"));
            let name = [word("rule") + &step, word("kind"), word("action")];
            *acted.entry(name).or_default() += row["count"].as_u64().unwrap_or(0);
        }
    }
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rules = &report["rules"];
    let mut text = format!(
        "at     {}\nrules  {} {:.12}\n\n",
        word(&report["now"]),
        word(&rules["title"]),
        word(&rules["sha256"])
    );
    let rows: Vec<[String; 2]> =
        outcomes.into_iter().map(|(name, count)| [name, count.to_string()]).collect();
    text += &columns(&rows);
    let rows: Vec<[String; 4]> = acted
        .into_iter()
        .map(|([rule, kind, action], count)| [rule, kind, action, count.to_string()])
        .collect();
    if !rows.is_empty() {
        text += &format!("\n{}", columns(&rows));
    }
    let done = files(report).filter(|(_, file)| file["outcome"] != "held");
    let without_key = done.filter_map(|(_, file)| file["without_key"].as_u64()).sum();
    let would = !files(report).any(|(_, file)| file["sha256"].is_string());
    if let Some(line) = redacted_without_key(without_key, would) {
        text += &format!("\n{line}\n");
    }
    to_stdout(text.as_bytes())
}

/// Compares each file with its digest.
fn verify(report: &Value) -> Exit {
    let (mut same, mut others) = (0_u64, 0_u64);
    for (path, file) in files(report) {
        let Some(wanted) = file["sha256"].as_str() else { continue };
        let found = File::open(&path).and_then(|file| file_digest(&file));
        let what = match found {
            Ok(found) if found == wanted => {
                same += 1;
                continue;
            }
            Ok(_) => "is not as it was left".to_owned(),
            Err(cause) => reason(&cause),
        };
        others += 1;
        message(&format!("{}: {what}", path.display()));
    }
    let told = to_stdout(format!("{same} files as they were left, {others} not\n").as_bytes());
    if told == Exit::Done && others > 0 { Exit::Found } else { told }
}
