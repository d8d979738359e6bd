//! The report of `archive`: what was done with each file. It holds names of files and numbers, and no values.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{Part, json::row};
use crate::archive::journal::path_text;
use crate::archive::rewrite::{Done, Skip};
use crate::policy::Policy;
use crate::policy::hold::Hold;

/// What is said of one file: a line of JSON, for there may be a hundred thousand of them.
#[derive(Clone, Debug)]
pub struct File(String);

impl From<Value> for File {
    fn from(told: Value) -> File {
        File(told.to_string())
    }
}

/// A file that was looked at.
pub fn done(path: &[u8], done: &Done, part: &Part<'_>) -> File {
    told(path, done, part).into()
}

fn told(path: &[u8], done: &Done, part: &Part<'_>) -> Value {
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
pub fn held(path: &[u8], hold: &Hold, done: &Done, part: &Part<'_>) -> File {
    let mut file = told(path, done, part);
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

/// Writes the whole report. `key`: the id of the key of the digests of what was.
///
/// # Errors
/// Those of the output.
pub fn write(
    out: &mut impl Write,
    policy: &Policy,
    now: jiff::Timestamp,
    key: Option<&str>,
    files: impl Iterator<Item = File>,
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
    for (number, File(file)) in files.enumerate() {
        write!(out, "{}\n    {file}", if number == 0 { "" } else { "," })?;
    }
    out.write_all(b"\n  ]\n}\n")
}
