//! Times: every form in both directions, what is none, what hostile records hold, and random ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "times/oracle.rs"]
mod oracle;

use logscrub::time::stamp::{Clock, Stamp};
use oracle::check_all;

fn time(text: &str) -> jiff::Timestamp {
    text.parse().unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

/// Of no known zone.
fn clock() -> Clock {
    Clock { zone: None, reference: time("2024-03-15T12:00:00Z") }
}

/// How much of real logs has a time at its head, for people to look over; and what was read holds.
#[test]
fn times_of_real_logs_hold() {
    let Some(shared) = std::env::var_os("LOGSCRUB_SHARED") else {
        println!("SKIPPED: LOGSCRUB_SHARED is not set, so there are no real logs to read");
        return;
    };
    let clock = clock();
    let root = std::path::Path::new(&shared).join("corpora");
    let (mut records, mut times) = (0, 0);
    for entry in walkdir::WalkDir::new(&root).sort_by_file_name() {
        let entry = entry.unwrap();
        if !entry.file_type().is_file()
            || entry.path().components().any(|part| part.as_os_str() == "LICENSES")
        {
            continue;
        }
        let text = std::fs::read(entry.path()).unwrap();
        let lines = || text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let dated = lines().filter(|line| Stamp::at_head(line, &clock).is_some()).count();
        for line in lines().take(300) {
            check_all(line, &clock);
        }
        println!(
            "{dated:6} of {:6} {}",
            lines().count(),
            entry.path().strip_prefix(&root).unwrap().display()
        );
        (records, times) = (records + lines().count(), times + dated);
    }
    println!("{times} of {records} records have a time at their head");
    assert!(times * 2 > records);
}
