//! Real logs, whole: as many records out as in, JSON still JSON, and nothing left to change.
//!
//! They are not part of the project: `LOGSCRUB_SHARED` names the folder that holds `corpora/` and `truth/`.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use logscrub::stream::MAX_RECORD_BYTES;
use logscrub::{Policy, Scrubber};

const POLICIES: [&str; 3] = ["default", "access-log", "tests/fields.toml"];

/// Every how many files the program itself is run as well.
const BY_PROGRAM: usize = 40;

#[derive(Default)]
struct Counts {
    files: usize,
    records: u64,
    changed: u64,
    json: usize,
}

fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("LOGSCRUB_SHARED").map(PathBuf::from);
    if folder.is_none() {
        println!("SKIPPED: LOGSCRUB_SHARED is not set, so there are no real logs to scrub");
    }
    folder
}

/// The logs, each with the name of its collection.
fn logs(shared: &Path) -> Vec<(String, PathBuf)> {
    let mut logs = Vec::new();
    for entry in walkdir::WalkDir::new(shared.join("corpora")).sort_by_file_name() {
        let path = entry.unwrap().into_path();
        let inside = path.strip_prefix(shared.join("corpora")).unwrap();
        let collection = inside.iter().next().map(|name| name.to_str().unwrap().to_owned());
        if path.is_file() && inside.iter().count() > 1 && !inside.starts_with("LICENSES") {
            logs.push((collection.unwrap(), path));
        }
    }
    for name in ["sample.log", "injected.log"] {
        logs.push(("truth".to_owned(), shared.join("truth").join(name)));
    }
    logs
}

fn records(text: &[u8]) -> u64 {
    text.split_inclusive(|byte| *byte == b'\n').count() as u64
}

fn is_json(line: &[u8]) -> bool {
    line.trim_ascii_start().first() == Some(&b'{')
        && serde_json::from_slice::<serde_json::Value>(line).is_ok()
}

/// Scrubs one log and notes what is wrong with the result.
fn check(log: &Path, scrubber: &Scrubber, counts: &mut Counts, wrong: &mut Vec<String>) -> Vec<u8> {
    let text = std::fs::read(log).unwrap();
    let mut scrubber = scrubber.clone();
    let (mut once, mut twice) = (Vec::new(), Vec::new());
    scrubber.scrub(&text, &mut once);
    let tally = scrubber.take_tally();
    scrubber.start_over();
    scrubber.scrub(&once, &mut twice);
    let again = scrubber.take_tally();
    let mut left = Vec::new();
    scrubber.start_over();
    scrubber.inspect(&once, |number, _, judged| {
        left.extend((!judged.changes.is_empty()).then_some(number));
    });
    let lines =
        |text: &[u8]| -> Vec<Vec<u8>> { text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect() };
    let json: Vec<(usize, bool)> = lines(&text)
        .iter()
        .zip(lines(&once))
        .enumerate()
        .filter(|(_, (before, _))| is_json(before))
        .map(|(at, (_, after))| (at + 1, is_json(&after)))
        .collect();
    let mut hold = |fine: bool, what: String| {
        if !fine {
            wrong.push(format!("{}: {what}", log.display()));
        }
    };
    let (before, after) = (records(&text), records(&once));
    hold(before == after && tally.records == before, format!("{before} records in, {after} out"));
    hold(
        tally.dropped + tally.withheld == 0,
        format!("{} dropped, {} withheld", tally.dropped, tally.withheld),
    );
    hold(
        json.iter().all(|(_, fine)| *fine),
        format!("no longer JSON: {:?}", json.iter().find(|(_, fine)| !fine)),
    );
    hold(once == twice && again.changed == 0, format!("a second run changes {} records", again.changed));
    hold(left.is_empty(), format!("there is something to find in the output, in record {:?}", left.first()));
    counts.files += 1;
    counts.records += tally.records;
    counts.changed += tally.changed;
    counts.json += json.len();
    once
}

/// The program writes what the library does, and finds nothing in it.
fn check_program(log: &Path, policy: &str, expected: &[u8], wrong: &mut Vec<String>) {
    let run = |arguments: &[&str], input: &Path| {
        Command::new(env!("CARGO_BIN_EXE_logscrub"))
            .args(arguments)
            .arg(input)
            .stdin(Stdio::null())
            .env_remove("LOGSCRUB_RULES")
            .output()
            .unwrap()
    };
    let scrubbed = run(&["-r", policy], log);
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("scrubbed");
    std::fs::write(&output, &scrubbed.stdout).unwrap();
    let found = run(&["scan", "--json", "-r", policy], &output);
    let fine = scrubbed.status.code() == Some(0)
        && scrubbed.stderr.is_empty()
        && scrubbed.stdout == expected
        && found.status.code() == Some(0)
        && found.stdout.is_empty();
    if !fine {
        wrong.push(format!("{}: the program, {:?} then {:?}", log.display(), scrubbed.status, found.status));
    }
}

fn check_all(policy: &str, logs: &[(String, PathBuf)]) {
    let scrubber = Scrubber::new(Arc::new(Policy::load(policy).unwrap()), None);
    let table: Mutex<BTreeMap<&str, Counts>> = Mutex::default();
    let wrong: Mutex<Vec<String>> = Mutex::default();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some((at, (collection, log))) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            logs.get(at).map(|log| (at, log))
        } {
            let (mut counts, mut faults) = (Counts::default(), Vec::new());
            let scrubbed = check(log, &scrubber, &mut counts, &mut faults);
            if at % BY_PROGRAM == 0 {
                check_program(log, policy, &scrubbed, &mut faults);
            }
            wrong.lock().unwrap().extend(faults);
            let mut table = table.lock().unwrap();
            let row = table.entry(collection.as_str()).or_default();
            row.files += counts.files;
            row.records += counts.records;
            row.changed += counts.changed;
            row.json += counts.json;
        }
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        (0..threads).for_each(|_| drop(scope.spawn(work)));
    });
    println!("{policy:20} files  records  changed     json");
    for (collection, counts) in table.into_inner().unwrap() {
        let Counts { files, records, changed, json } = counts;
        println!("  {collection:18} {files:5} {records:8} {changed:8} {json:8}");
    }
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} under {policy}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn real_logs_whole() {
    let Some(shared) = shared() else { return };
    let logs = logs(&shared);
    assert!(logs.len() > 400, "{} logs", logs.len());
    for (_, log) in &logs {
        // The library is handed whole files here; a record beyond this would be cut by the program.
        let text = std::fs::read(log).unwrap();
        let longest = text.split(|byte| *byte == b'\n').map(<[u8]>::len).max().unwrap_or(0);
        assert!(longest < MAX_RECORD_BYTES, "{}: a record of {longest} bytes", log.display());
    }
    POLICIES.iter().for_each(|policy| check_all(policy, &logs));
}

/// Records of each log that are looked at for the table of formats.
const RECORDS: usize = 300;

/// Kinds of logs, by the folder they are in and what they are, and how many of their records are read as what.
fn seen(shared: &Path) -> BTreeMap<(String, String), BTreeMap<String, usize>> {
    let readme = std::fs::read_to_string(shared.join("corpora/README.md")).unwrap();
    // A rule for every field means that every record is read.
    let policy =
        Policy::from_toml("[[rule]]\nfield = ['*']\naction = 'redact'\n", "every field", None).unwrap();
    let scrubber = Scrubber::new(Arc::new(policy), None);
    let mut table: BTreeMap<_, BTreeMap<String, usize>> = BTreeMap::new();
    for row in readme.lines() {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let Some(text) = cells.get(1).and_then(|path| std::fs::read(shared.join("corpora").join(path)).ok())
        else {
            continue;
        };
        let (folder, _) = cells[1].split_once('/').unwrap();
        let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').take(RECORDS).collect();
        let formats = table.entry((folder.to_owned(), cells[5].to_owned())).or_default();
        scrubber.clone().inspect(&lines.concat(), |_, record, judged| {
            if !record.is_empty() {
                *formats.entry(judged.format).or_default() += 1;
            }
        });
    }
    table
}

fn table_of_formats(shared: &Path) -> String {
    let mut table = "| logs | what they are | records | read as |\n|---|---|---:|---|\n".to_owned();
    for ((folder, label), formats) in seen(shared) {
        let records: usize = formats.values().sum();
        let mut formats: Vec<(String, usize)> = formats.into_iter().collect();
        formats.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), name.clone()));
        let share = |(name, count): &(String, usize)| {
            format!("{name} {:.0} %", 100.0 * *count as f64 / records as f64)
        };
        let shares: Vec<String> = formats.iter().map(share).collect();
        table += &format!("| {folder} | {label} | {records} | {} |\n", shares.join(", "));
    }
    table
}

/// `docs/formats.md` tells how real logs are read. With `LOGSCRUB_WRITE` set it is written anew.
#[test]
fn the_table_of_formats_is_true() {
    const MARKS: [&str; 2] = ["<!-- table of real logs -->\n", "<!-- end -->\n"];
    let Some(shared) = shared() else { return };
    let text = std::fs::read_to_string("docs/formats.md").unwrap();
    let (head, rest) = text.split_once(MARKS[0]).unwrap();
    let (table, tail) = rest.split_once(MARKS[1]).unwrap();
    let seen = table_of_formats(&shared);
    if std::env::var_os("LOGSCRUB_WRITE").is_some() {
        std::fs::write("docs/formats.md", [head, MARKS[0], &seen, MARKS[1], tail].concat()).unwrap();
    } else {
        assert_eq!(table, seen, "set LOGSCRUB_WRITE=1 to write it anew");
    }
}
