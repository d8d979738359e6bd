//! `logscrub report show|verify`: what a report of `archive` says, and whether it still holds.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
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
    let (ReportCommand::Show { report: path } | ReportCommand::Verify { report: path }) = command;
    let done = Report::open(path).and_then(|report| match command {
        ReportCommand::Show { .. } => show(&report),
        ReportCommand::Verify { .. } => verify(&report),
    });
    done.unwrap_or_else(|what| {
        message(&format!("report {}: {what}", path.display()));
        Exit::Usage
    })
}

/// A report. It may be of a million files, which are read one by one if it is laid out as it was written.
enum Report {
    Lines { path: PathBuf, head: Value },
    Whole(Value),
}

impl Report {
    /// Opens a report and looks at all of it.
    fn open(path: &Path) -> Result<Report, String> {
        let is_file = path.metadata().is_ok_and(|about| about.is_file()); // others can be read once
        let head = if is_file { lines(path, &mut |_| ()).map_err(|cause| reason(&cause))? } else { None };
        let report = match head {
            Some(head) => Report::Lines { path: path.to_owned(), head },
            None => {
                let text = std::fs::read(path).map_err(|cause| reason(&cause))?;
                Report::Whole(serde_json::from_slice(&text).map_err(|_| "it is not JSON".to_owned())?)
            }
        };
        match report.head()["command"].as_str() {
            Some("archive") if report.head()["files"].is_array() => Ok(report),
            _ => Err("it is no report of archive".to_owned()),
        }
    }

    /// What it says of the run.
    fn head(&self) -> &Value {
        match self {
            Report::Lines { head, .. } => head,
            Report::Whole(report) => report,
        }
    }

    /// Hands on what it says of each file. It fails if it cannot be read as when it was opened: a part is no answer.
    fn each_file(&self, mut each: impl FnMut(&Path, &Value)) -> Result<(), String> {
        let mut named = |file: &Value| {
            let path = file["path"].as_str().and_then(path_from);
            path.into_iter().for_each(|path| each(Path::new(OsStr::from_bytes(&path)), file));
        };
        match self {
            Report::Lines { path, .. } => {
                let head = lines(path, &mut named).map_err(|cause| reason(&cause))?;
                head.ok_or_else(|| "it changed while it was read".to_owned())?;
            }
            Report::Whole(report) => report["files"].as_array().into_iter().flatten().for_each(named),
        }
        Ok(())
    }
}

/// Reads a report that has a line for each file, and returns what stands before these; nothing if it is laid out otherwise.
fn lines(path: &Path, each: &mut dyn FnMut(&Value)) -> io::Result<Option<Value>> {
    const FILES: &[u8] = b"  \"files\": [";
    let mut lines = BufReader::new(File::open(path)?).split(b'\n');
    let mut head = Vec::new();
    loop {
        match lines.next().transpose()? {
            Some(line) if line == FILES => break,
            Some(line) if head.len() < HEAD_BYTES => head.extend(line),
            _ => return Ok(None),
        }
    }
    head.extend_from_slice(FILES);
    head.extend_from_slice(b"]}");
    let Ok(head) = serde_json::from_slice(&head) else { return Ok(None) };
    loop {
        let Some(line) = lines.next().transpose()? else { return Ok(None) };
        if line == b"  ]" {
            let is_end = lines.next().transpose()?.is_some_and(|line| line == b"}");
            return Ok((is_end && lines.next().is_none()).then_some(head));
        }
        let Ok(file) = serde_json::from_slice(line.strip_suffix(b",").unwrap_or(&line)) else {
            return Ok(None);
        };
        each(&file);
    }
}

/// What stands before the files is short.
const HEAD_BYTES: usize = 64 << 10;

/// How many files came to which end, and what the rules did in all of them.
fn show(report: &Report) -> Result<Exit, String> {
    let mut outcomes: BTreeMap<String, u64> = BTreeMap::new();
    let mut acted: BTreeMap<[String; 3], u64> = BTreeMap::new();
    let (mut without_key, mut would) = (0, true);
    report.each_file(|_, file| {
        would &= !file["sha256"].is_string();
        if file["outcome"] != "held" {
            without_key += file["without_key"].as_u64().unwrap_or(0);
        }
        *outcomes.entry(file["outcome"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        for row in file["acted"].as_array().into_iter().flatten() {
            let word = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            let step = row["step"].as_u64().map_or(String::new(), |step| format!(" (step {step})"));
            let name = [word("rule") + &step, word("kind"), word("action")];
            *acted.entry(name).or_default() += row["count"].as_u64().unwrap_or(0);
        }
    })?;
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let report = report.head();
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
    if let Some(line) = redacted_without_key(without_key, would) {
        text += &format!("\n{line}\n");
    }
    Ok(to_stdout(text.as_bytes()))
}

/// Compares each file with its digest.
fn verify(report: &Report) -> Result<Exit, String> {
    let (mut same, mut others) = (0_u64, 0_u64);
    report.each_file(|path, file| {
        let Some(wanted) = file["sha256"].as_str() else { return };
        let found = File::open(path).and_then(|file| file_digest(&file));
        let what = match found {
            Ok(found) if found == wanted => {
                same += 1;
                return;
            }
            Ok(_) => "is not as it was left".to_owned(),
            Err(cause) => reason(&cause),
        };
        others += 1;
        message(&format!("{}: {what}", path.display()));
    })?;
    let told = to_stdout(format!("{same} files as they were left, {others} not\n").as_bytes());
    Ok(if told == Exit::Done && others > 0 { Exit::Found } else { told })
}
