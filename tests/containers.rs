//! Tars and zips whose members are replaced, made and read by other programs: nothing else changes in them.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "containers/replacing.rs"]
mod replacing;
#[path = "containers/tars.rs"]
mod tars;
#[path = "containers/zips.rs"]
mod zips;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

/// What `secret` becomes: shorter, longer, nothing.
const REPLACEMENTS: [&[u8]; 3] = [b"[x]", b"[something that is a good deal longer]", b""];

/// Whether a program is there; says so if not.
fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--help").output().is_ok();
    if !found {
        println!("SKIPPED: {program} is not installed");
    }
    found
}

/// What a command prints; it must succeed.
fn run(folder: &Path, command: &mut Command) -> Vec<u8> {
    let output = command.current_dir(folder).env("TZ", "UTC").env("LC_ALL", "C").output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {message}");
    output.stdout
}

/// Lines with secrets in them, of about that length.
fn log(length: usize) -> Vec<u8> {
    let mut log = Vec::new();
    while log.len() < length {
        log.extend_from_slice(format!("{} a line with a secret in it\n", log.len()).as_bytes());
    }
    log
}

/// A name that is no UTF-8.
const STRANGE: &[u8] = b"strange-\xff\xfe.log";

/// Logs, and what else lies in folders.
fn make_tree(folder: &Path, with_specials: bool) {
    fs::create_dir_all(folder.join("logs/old")).unwrap();
    let write = |name: &OsStr, content: &[u8]| fs::write(folder.join("logs").join(name), content).unwrap();
    write(OsStr::new("a.log"), b"one secret and another secret\n");
    write(OsStr::new("block.log"), &[&b"secret "[..]; 128].concat()[..512]);
    write(OsStr::new("empty.log"), b"");
    write(OsStr::new("clean.log"), b"nothing here\n");
    write(OsStr::new("large.log"), &log(100_000));
    let length = if with_specials { 1_100_000 } else { 70_000 };
    write(OsStr::new("larger.log"), &log(length));
    write(OsStr::new("picture.bin"), b"\0secret\0");
    write(OsStr::new("old/b.log"), b"an old secret");
    fs::set_permissions(folder.join("logs/a.log"), fs::Permissions::from_mode(0o600)).unwrap();
    let old = fs::File::options().write(true).open(folder.join("logs/old/b.log")).unwrap();
    old.set_modified(std::time::UNIX_EPOCH + std::time::Duration::new(1_000_000_000, 500)).unwrap();
    symlink("a.log", folder.join("logs/link.log")).unwrap();
    if with_specials {
        write(OsStr::from_bytes(STRANGE), b"a secret under a strange name\n");
        fs::create_dir_all(folder.join("logs").join("d".repeat(90))).unwrap();
        write(OsStr::new(&format!("{}/{}.log", "d".repeat(90), "f".repeat(80))), b"deep secret\n");
        fs::hard_link(folder.join("logs/a.log"), folder.join("logs/z-hard.log")).unwrap();
    }
}

/// Every path below a folder, with kind, mode, time in whole seconds, and content or target.
fn tree(folder: &Path) -> Vec<(Vec<u8>, u32, i64, Vec<u8>)> {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().skip(1);
    let entry = |entry: walkdir::Result<walkdir::DirEntry>| {
        let entry = entry.unwrap();
        let about = entry.path().symlink_metadata().unwrap();
        let content = match about.file_type() {
            kind if kind.is_file() => fs::read(entry.path()).unwrap(),
            kind if kind.is_symlink() => fs::read_link(entry.path()).unwrap().as_os_str().as_bytes().to_vec(),
            _ => vec![],
        };
        let name = entry.path().strip_prefix(folder).unwrap().as_os_str().as_bytes().to_vec();
        // The time of a folder changes as it is filled, and that of a link is not always kept.
        let time = if about.is_file() { about.mtime() } else { 0 };
        (name, about.mode(), time, content)
    };
    entries.map(entry).collect()
}
