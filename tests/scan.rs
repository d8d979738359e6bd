//! What `scan` finds in files that hold others, and what it says of those that it does not search.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use std::process::Command;

use logscrub::codec::{Codec, Encoding};
use zip::write::{SimpleFileOptions, ZipWriter};

fn packed(codec: Codec, data: &[u8]) -> Vec<u8> {
    let mut encoder = codec.encoder(Vec::new(), &Encoding::default()).unwrap();
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, data) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(data.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1_709_296_496);
        archive.append_data(&mut header, name, *data).unwrap();
    }
    archive.into_inner().unwrap()
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, data) in members {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(data).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// What `scan` prints, what it says, and how it ends.
fn scan(folder: &Path, args: &[&str]) -> (String, String, Option<i32>) {
    logscrub(folder, &[&["scan"], args].concat())
}

fn logscrub(folder: &Path, args: &[&str]) -> (String, String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_logscrub"))
        .args(args)
        .current_dir(folder)
        .env_clear()
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, data) in files {
        fs::write(folder.path().join(name), data).unwrap();
    }
    folder
}

const LOG: &[u8] = b"nothing\nlogin of ana@example.com\n";
const BINARY: &[u8] = b"\x7fELF\x02\x01\x01\0\0 ana@example.com\n";

#[test]
fn files_in_files_are_searched_by_their_names() {
    let (gzip, zstd) = (packed(Codec::Gzip, LOG), packed(Codec::Zstd, LOG));
    let long = [&b"x".repeat(300_000)[..], b"\n", LOG].concat();
    let members: [(&str, &[u8]); 4] =
        [("a.log", LOG), ("sub/b.log.gz", &gzip), ("empty", b""), ("l.log", &long)];
    let folder = folder(&[
        ("a.log", LOG),
        ("b.log.zst", &zstd),
        ("c.tar", &tar(&members)),
        ("d.tgz", &packed(Codec::Gzip, &tar(&members[..1]))),
        ("e.zip", &zip(&members)),
    ]);
    let (out, said, code) = scan(folder.path(), &["."]);
    let line = "login of [email]";
    let expected = [
        format!("./a.log:2: {line}"),
        format!("./b.log.zst:2: {line}"),
        format!("./c.tar!a.log:2: {line}"),
        format!("./c.tar!sub/b.log.gz:2: {line}"),
        format!("./c.tar!l.log:3: {line}"),
        format!("./d.tgz!a.log:2: {line}"),
        format!("./e.zip!a.log:2: {line}"),
        format!("./e.zip!sub/b.log.gz:2: {line}"),
        format!("./e.zip!l.log:3: {line}"),
    ];
    assert_eq!(out.lines().collect::<Vec<_>>(), expected);
    assert_eq!((said.as_str(), code), ("email  9\n", Some(1)));
    let (out, _, code) = scan(folder.path(), &["--json", "d.tgz"]);
    let finding: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((finding["file"].as_str(), code), (Some("d.tgz!a.log"), Some(1)));
}

#[test]
fn what_is_not_searched_is_listed_and_is_no_fault() {
    let inner = tar(&[("a.log", LOG)]);
    let packed_binary = packed(Codec::Gzip, BINARY);
    let mut locked = zip(&[("locked.log", LOG)]);
    let central = locked.windows(4).rposition(|four| four == b"PK\x01\x02").unwrap();
    locked[6] |= 1; // in the header of the member, and in that of the list
    locked[central + 8] |= 1;
    let folder = folder(&[
        ("a.bin", BINARY),
        ("b.bin.gz", &packed_binary),
        ("c.tar", &tar(&[("inner.tar", &inner), ("x.bin", BINARY), ("y.gz", &packed(Codec::Gzip, &inner))])),
        ("d.zip", &locked),
        ("e.zip.xz", &packed(Codec::Xz, &locked)),
        ("sparse.log", &[&[0; 5000][..], b"nothing\n"].concat()),
    ]);
    let (out, said, code) = scan(folder.path(), &["."]);
    let expected = "\
logscrub: ./a.bin: not searched: binary
logscrub: ./b.bin.gz: not searched: binary
logscrub: ./c.tar!inner.tar: not searched: an archive in an archive
logscrub: ./c.tar!x.bin: not searched: binary
logscrub: ./c.tar!y.gz: not searched: an archive in an archive
logscrub: ./d.zip!locked.log: not searched: encrypted
logscrub: ./e.zip.xz: not searched: a zip archive, compressed again
nothing found
";
    assert_eq!((out.as_str(), said.as_str(), code), ("", expected, Some(0)));
    assert_eq!(scan(folder.path(), &["--quiet", "."]), (String::new(), String::new(), Some(0)));
    let (out, _, code) = scan(folder.path(), &["a.bin", "b.bin.gz"]); // named, and so meant
    assert_eq!((out.matches("[email]").count(), code), (2, Some(1)));
}

#[test]
fn damaged_archives_are_faults_and_what_is_there_is_searched() {
    let archive = tar(&[("a.log", LOG), ("b.log", &b"nothing\n".repeat(5000))]);
    let gzip = packed(Codec::Gzip, &archive);
    let mut changed = gzip.clone();
    let end = changed.len() - 6;
    changed[end] ^= 1; // of the checksum, which stands behind all members
    let mut broken = zip(&[("a.log", LOG)]);
    broken.truncate(broken.len() - 10);
    let folder = folder(&[
        ("a.tar", &archive[..10_000]),
        ("b.tgz", &gzip[..gzip.len() - 50]),
        ("c.tgz", &changed),
        ("d.zip", &broken),
        ("e.gz", &packed(Codec::Zstd, &packed(Codec::Gzip, LOG))),
    ]);
    let (out, said, code) = scan(folder.path(), &["."]);
    let found: Vec<&str> = out.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(found, ["./a.tar!a.log", "./b.tgz!a.log", "./c.tgz!a.log"]);
    assert_eq!(code, Some(3));
    for fault in [
        "./a.tar: the archive is truncated\n",
        "./b.tgz: truncated gzip\n",
        "./c.tgz: not valid gzip\n",
        "./d.zip: the archive is truncated\n",
        "./e.gz: compressed twice (gzip in zstd)\n",
    ] {
        assert!(said.contains(fault), "{said}");
    }
    assert!(!said.contains("example.com"));
}

/// Records that would be dropped are reported wherever they lie, until they are gone.
#[test]
fn old_records_are_found_in_files_in_files() {
    let rules = "[records]\ndrop_after = '1y'\n[[rule]]\nfind = ['email']\naction = 'redact'\n";
    let log: &[u8] = b"2026-05-01T00:00:00Z new\n2024-05-01T00:00:00Z old\nof ana@example.com\n";
    let long =
        [&log[..25], b"2024-05-01T00:00:00Z ", &b"x ".repeat(30_000)[..], b"ana@example.com\n"].concat();
    let (gzip, zstd, xz) = (packed(Codec::Gzip, log), packed(Codec::Zstd, log), packed(Codec::Xz, log));
    let members: [(&str, &[u8]); 2] = [("a.log", log), ("b.gz", &gzip)];
    let folder = folder(&[
        ("r.toml", rules.as_bytes()),
        ("a.log", log),
        ("b.zst", &zstd),
        ("c.xz", &xz),
        ("d.tar", &tar(&members)),
        ("e.tgz", &packed(Codec::Gzip, &tar(&members))),
        ("f.zip", &zip(&members)),
        ("g.log", &long),
    ]);
    let by = ["-r", "r.toml", "--now", "2026-06-01T00:00:00Z", "--max-record", "4K"];
    let logs = ["a.log", "b.zst", "c.xz", "d.tar", "e.tgz", "f.zip", "g.log"];
    let (out, said, code) = scan(folder.path(), &[&by[..], &logs].concat());
    let places = [
        "a.log",
        "b.zst",
        "c.xz",
        "d.tar!a.log",
        "d.tar!b.gz",
        "e.tgz!a.log",
        "e.tgz!b.gz",
        "f.zip!a.log",
        "f.zip!b.gz",
    ];
    let both = |place: &&str| [format!("{place}:2: [dropped]"), format!("{place}:3: [dropped]")];
    let expected: Vec<String> =
        places.iter().flat_map(both).chain(["g.log:2: [dropped]".to_owned()]).collect();
    assert_eq!(out.lines().collect::<Vec<_>>(), expected);
    assert_eq!((said.as_str(), code), ("record (dropped)  19\n", Some(1)));

    let (out, said, code) = scan(folder.path(), &[&by[..], &["--json", "f.zip", "g.log"]].concat());
    let found: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let object = |file: &str, line: u64, end: usize| serde_json::json!({"file": file, "line": line, "start": 0, "end": end, "kind": "record", "rule": "(all)"});
    let expected = [
        object("f.zip!a.log", 2, 24),
        object("f.zip!a.log", 3, 18),
        object("f.zip!b.gz", 2, 24),
        object("f.zip!b.gz", 3, 18),
        object("g.log", 2, long.len() - 26),
    ];
    assert_eq!((found.as_slice(), said.as_str(), code), (&expected[..], "", Some(1)));

    // What is compressed within an archive is not rewritten, and found again.
    assert_eq!(logscrub(folder.path(), &[&["archive", "-q"], &by[..], &logs].concat()).2, Some(1));
    let (out, _, code) = scan(folder.path(), &[&by[..], &logs].concat());
    assert!(out.lines().all(|line| line.contains("!b.gz:")), "{out}");
    assert_eq!((out.lines().count(), code), (6, Some(1)));
    let rewritten = ["a.log", "b.zst", "c.xz", "g.log"];
    let (out, said, code) = scan(folder.path(), &[&by[..], &rewritten].concat());
    assert_eq!((out.as_str(), said.as_str(), code), ("", "nothing found\n", Some(0)));
    let later = ["-r", "r.toml", "--now", "2027-05-02T00:00:00Z", "-q"];
    assert_eq!(scan(folder.path(), &[&later[..], &rewritten].concat()).2, Some(1));
}
