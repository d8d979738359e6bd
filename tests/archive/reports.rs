//! Reports: the same bytes on any number of threads, and of no more memory for more files.

use std::fs::{self, File};
use std::io::{Cursor, Read, Write};
use std::process::Command;

use zip::write::SimpleFileOptions;

use crate::site::{Site, program, ran, text};

#[test]
fn a_report_is_the_same_on_any_number_of_threads() {
    /// What is larger is scrubbed after all others.
    const LARGE_BYTES: usize = 8 << 20;
    let site = Site::new();
    site.file("0/large.log", "x\n".repeat(LARGE_BYTES / 2 + 1));
    for n in 0..200 {
        let bytes = if n % 7 == 0 { b"b\0inary".to_vec() } else { text(n % 5).0 };
        site.file(format!("{}/{n}.log", n % 3), bytes);
    }
    let reports = ["1", "2", "8"].map(|jobs| {
        let report = site.beside("report.json");
        let now = ["-n", "-q", "--now", "2026-03-01", "--jobs", jobs];
        site.run(&[&now[..], &["--report", report.to_str().unwrap()]].concat());
        fs::read_to_string(report).unwrap()
    });
    assert!(reports[0] == reports[1] && reports[0] == reports[2]);
    let told: serde_json::Value = serde_json::from_str(&reports[0]).unwrap();
    let paths: Vec<&str> =
        told["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!(paths.len(), 201);
    assert!(paths[0].ends_with("0/0.log") && paths[67].ends_with("0/large.log"), "{:?}", &paths[..70]);
    let beside = fs::read_dir(site.beside("")).unwrap().count();
    assert_eq!(beside, 3, "the tree, the rules, the report");
}

/// A zip of members that are told, each by a name of some KiB.
fn wordy() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for member in 0..200 {
        let name = format!("{member}{}", "-".repeat(4000));
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(b"b\0inary").unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn the_memory_of_a_report_does_not_grow_with_the_files() {
    const FILES: usize = 64;
    const MOST: usize = 40 << 20;
    let site = Site::new();
    let zip = wordy();
    (0..FILES).for_each(|n| drop(site.file(format!("{n}.zip"), &zip)));
    let fifo = site.beside("report");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut child = program(&site.args(&["-n", "-q", "-j1", "--report", fifo.to_str().unwrap()]));
    let mut child = child.stderr(std::process::Stdio::null()).spawn().unwrap();
    // Nothing comes before the end, and it does not end before all of it was read.
    let mut report = File::open(&fifo).unwrap();
    report.read_exact(&mut [0]).unwrap();
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let length = std::io::copy(&mut report, &mut std::io::sink()).unwrap() as usize;
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let most: usize = most.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(length > MOST, "{length}");
    assert!(most << 10 < MOST, "{most} KiB for a report of {length} bytes");
}

/// How it ended, and what it wrote, of reading a report.
fn read(command: &str, report: &std::path::Path) -> (Option<i32>, String) {
    let ran = ran(program(&["report", command, report.to_str().unwrap()]));
    (ran.code, ran.stdout)
}

#[test]
fn a_report_is_read_however_it_is_laid_out() {
    let site = Site::new();
    (0..20).for_each(|n| drop(site.file(format!("{n}.log"), text(n).0)));
    let (report, other) = (site.beside("report.json"), site.beside("other.json"));
    assert_eq!(site.run(&["-q", "--report", report.to_str().unwrap()]).code, Some(0));
    let written = fs::read_to_string(&report).unwrap();
    let value: serde_json::Value = serde_json::from_str(&written).unwrap();
    for command in ["show", "verify"] {
        let wanted = read(command, &report);
        assert_eq!(wanted.0, Some(0), "{wanted:?}");
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            fs::write(&other, text).unwrap();
            assert_eq!(read(command, &other), wanted);
        }
    }
    for length in (0..written.len() - 1).step_by(97).chain([written.len() - 3]) {
        fs::write(&other, &written[..length]).unwrap();
        assert_eq!(read("show", &other), (Some(2), String::new()), "{length}");
    }
    assert!(read("verify", &report).1.starts_with("20 files as they were left, 0 not"));
    fs::write(site.tree.join("3.log"), "other").unwrap();
    assert_eq!(read("verify", &report).0, Some(1));
}
