//! The report of `archive`: what was done with each file. It holds names of files and numbers, and no values.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;

use serde_json::{Value, json};

use super::{Part, json::row};
use crate::archive::journal::path_text;
use crate::archive::rewrite::{Done, Skip};
use crate::archive::tree::Entry;
use crate::policy::Policy;
use crate::policy::hold::Hold;

/// What is said of one file: a line of JSON.
#[derive(Clone, Debug)]
pub struct File(String);

/// What is said of all files so far. It waits on the disk until it is known of all of them: there may be a million, and
/// they are done in another order than that in which they were listed.
#[derive(Debug)]
pub struct Lines {
    waiting: BufWriter<fs::File>,
    /// Which file a line is about, and where it begins and ends.
    places: Vec<(usize, u64, u64)>,
    end: u64,
    fault: Option<io::Error>,
}

impl Lines {
    /// None yet. They wait in this file, which is empty.
    pub fn new(waiting: fs::File) -> Lines {
        Lines { waiting: BufWriter::new(waiting), places: Vec::new(), end: 0, fault: None }
    }

    /// Adds what is said of the file of that number. That it could not be written is told when all are.
    pub fn add(&mut self, number: usize, File(line): &File) {
        let start = self.end;
        match self.waiting.write_all(line.as_bytes()) {
            Ok(()) => self.end += line.len() as u64,
            Err(cause) => self.fault = self.fault.take().or(Some(cause)),
        }
        self.places.push((number, start, self.end));
    }

    /// All of them, in the order of their numbers.
    fn write(mut self, out: &mut impl Write, mut between: impl FnMut() -> &'static str) -> io::Result<()> {
        self.waiting.flush()?;
        self.fault.map_or(Ok(()), Err)?;
        self.places.sort_unstable();
        let mut line = Vec::new();
        for (_, start, end) in self.places {
            line.resize((end - start) as usize, 0);
            self.waiting.get_ref().read_exact_at(&mut line, start)?;
            out.write_all(between().as_bytes())?;
            out.write_all(&line)?;
        }
        Ok(())
    }
}

impl From<Value> for File {
    fn from(told: Value) -> File {
        File(told.to_string())
    }
}

/// A file that was looked at, by its name, and its other names.
pub fn done(path: &[u8], links: &[Entry], done: &Done, part: &Part<'_>) -> File {
    told(path, links, done, part).into()
}

fn told(path: &[u8], links: &[Entry], done: &Done, part: &Part<'_>) -> Value {
    let tally = &done.tally;
    let mut file = json!({
        "path": path_text(path),
        "outcome": if done.changed { "rewritten" } else { "unchanged" },
        "records": tally.records,
        "changed": tally.changed,
        "withheld": tally.withheld,
        "dropped": tally.dropped,
        "acted": part.rows().iter().map(row).collect::<Vec<Value>>(),
    });
    if !tally.dropped_in.is_empty() {
        let years = tally.dropped_in.iter().map(|(year, count)| (year.to_string(), json!(count)));
        file["dropped_in"] = Value::Object(years.collect());
    }
    if !links.is_empty() {
        let names = links.iter().map(|link| json!(path_text(link.path.as_os_str().as_bytes())));
        file["hard_links"] = Value::Array(names.collect());
    }
    if let Some(source) = &part.source {
        file["source"] = json!(source);
    }
    if tally.without_key > 0 {
        file["without_key"] = json!(tally.without_key);
    }
    if tally.held > 0 {
        file["held"] = json!(tally.held);
    }
    if let Some(due) = tally.due {
        file["due"] = json!(due.to_string());
    }
    if let Some(fault) = &done.fault {
        file["fault"] = json!(fault);
    }
    if let Some(before) = &done.before {
        file["hmac_sha256_before"] = json!(before);
    }
    if let Some(after) = &done.after {
        file["sha256"] = json!(after);
    }
    if !done.members.is_empty() {
        let members = done.members.iter();
        let members = members.map(|(name, why)| json!({"path": path_text(name), "why": why}));
        file["not_scrubbed"] = json!(members.collect::<Vec<Value>>());
    }
    if !done.held.is_empty() {
        let members = done.held.iter();
        let members = members.map(|(name, hold)| json!({"path": path_text(name), "hold": told_of(hold)}));
        file["held_members"] = json!(members.collect::<Vec<Value>>());
    }
    file
}

fn told_of(hold: &Hold) -> Value {
    json!({"name": hold.name, "until": hold.until_date().to_string()})
}

/// A file that a hold keeps as it was, with what was due in it.
pub fn held(entry: &Entry, hold: &Hold, done: &Done, part: &Part<'_>) -> File {
    let mut file = told(entry.path.as_os_str().as_bytes(), &entry.links, done, part);
    file["outcome"] = json!("held");
    file["hold"] = told_of(hold);
    file.into()
}

/// A file that is as it was.
pub fn skipped(path: &[u8], skip: &Skip) -> File {
    let (outcome, why) = match skip {
        Skip::LeftOut(why) => ("not scrubbed", why.to_string()),
        Skip::Input(why, _) | Skip::Output(why) => ("failed", why.clone()),
        Skip::Stopped => ("not reached", "the run was ended".to_owned()),
    };
    let mut file = json!({"path": path_text(path), "outcome": outcome, "why": why});
    if let Skip::Input(_, decoded) = skip {
        file["decoded_bytes"] = json!(decoded);
    }
    file.into()
}

/// Something else that a walk met.
pub fn noted(path: &[u8], outcome: &str, why: &str) -> File {
    json!({"path": path_text(path), "outcome": outcome, "why": why}).into()
}

/// Writes the whole report: what is said of the files, then of what else was met. `key`: the id of the key of the digests of
/// what was.
///
/// # Errors
/// Those of the output, and of where the lines waited.
pub fn write(
    out: &mut impl Write,
    policy: &Policy,
    now: jiff::Timestamp,
    key: Option<&str>,
    files: Lines,
    others: impl Iterator<Item = File>,
) -> io::Result<()> {
    let sha256: String = policy.fingerprint.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut report = json!({
        "logscrub": env!("CARGO_PKG_VERSION"),
        "command": "archive",
        "rules": {"title": policy.title, "sha256": sha256},
        "now": now.to_string(),
    });
    if let Some(key) = key {
        report["key"] = json!(key);
    }
    let head = format!("{report:#}");
    write!(out, "{},\n  \"files\": [", head.trim_end_matches("\n}"))?;
    let mut is_first = true;
    let mut between = || if std::mem::take(&mut is_first) { "\n    " } else { ",\n    " };
    files.write(out, &mut between)?;
    for File(file) in others {
        write!(out, "{}{file}", between())?;
    }
    out.write_all(b"\n  ]\n}\n")
}
