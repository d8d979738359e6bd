//! The report of `archive`: what was done with each file. It holds names of files and numbers, and no values.

use serde_json::{Value, json};

use super::{Part, json::row};
use crate::archive::journal::path_text;
use crate::archive::rewrite::{Done, Skip};
use crate::policy::Policy;

/// What is said of one file.
#[derive(Clone, Debug)]
pub struct File(Value);

/// A file that was looked at.
pub fn done(path: &[u8], done: &Done, part: &Part<'_>) -> File {
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
    if let Some(due) = tally.due {
        file["due"] = json!(due.to_string());
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
    File(file)
}

/// A file that is as it was.
pub fn skipped(path: &[u8], skip: &Skip) -> File {
    let (outcome, why) = match skip {
        Skip::LeftOut(why) => ("not scrubbed", why.to_string()),
        Skip::Input(why, _) | Skip::Output(why) => ("failed", why.clone()),
        Skip::NotSynced(why) => ("failed", format!("rewritten, but perhaps not on the disk: {why}")),
        Skip::Stopped => ("not reached", "the run was ended".to_owned()),
    };
    let mut file = json!({"path": path_text(path), "outcome": outcome, "why": why});
    if let Skip::Input(_, decoded) = skip {
        file["decoded_bytes"] = json!(decoded);
    }
    File(file)
}

/// Something else that a walk met.
pub fn noted(path: &[u8], outcome: &str, why: &str) -> File {
    File(json!({"path": path_text(path), "outcome": outcome, "why": why}))
}

/// The whole report. `key`: the id of the key of the digests of what was.
pub fn render(policy: &Policy, now: jiff::Timestamp, key: Option<&str>, files: Vec<File>) -> String {
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
    report["files"] = Value::Array(files.into_iter().map(|File(file)| file).collect());
    format!("{report:#}\n")
}
