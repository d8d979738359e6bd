//! Holds on paths reach the members of archives: one lies in its archive as in a directory.

use std::fs;
use std::io::{Cursor, Read, Write};
use std::os::unix::fs::symlink;
use std::path::Path;

use zip::write::SimpleFileOptions;

use crate::site::{Site, gzip};

const HOLDS: &str = "[[rule]]\nfind = [\"email\"]\naction = \"redact\"\n\
    [[hold]]\nname = \"acme\"\npath = [\"**/acme/**\"]\nuntil = 2028-12-31\n\
    [[hold]]\nname = \"claim\"\npath = [\"**/claims/*\"]\nrecords = [\"claim-4711\"]\nuntil = 2027-06-30\n";
const RAW: &str = "claim-4711 of ana@example.com\norder of bea@example.com\n";
const NAMES: [&str; 6] =
    ["acme/b.log", "./acme/c.log", "deep/acme/d/e.log", "claims/f.log", "g.log", "acmes/h.log"];

/// What is to be left of the member of that name.
fn left(name: &str) -> String {
    match name {
        _ if name.contains("acme/") => RAW.to_owned(),
        "claims/f.log" => RAW.replace("bea@example.com", "[email]"),
        _ => RAW.replace("ana@example.com", "[email]").replace("bea@example.com", "[email]"),
    }
}

fn tar() -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for name in NAMES {
        let mut header = tar::Header::new_ustar();
        header.set_size(RAW.len() as u64);
        header.set_mode(0o644);
        // As it is: `append_data` would tidy the name.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        tar.append(&header, RAW.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap()
}

fn members_of_tar(bytes: &[u8]) -> Vec<String> {
    let mut tar = tar::Archive::new(bytes);
    let text = |member: std::io::Result<tar::Entry<'_, _>>| {
        let mut text = String::new();
        member.unwrap().read_to_string(&mut text).unwrap();
        text
    };
    tar.entries().unwrap().map(text).collect()
}

fn zip() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for name in NAMES {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(RAW.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn members_of_zip(bytes: &[u8]) -> Vec<String> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let text = |at: usize| {
        let mut text = String::new();
        zip.by_index(at).unwrap().read_to_string(&mut text).unwrap();
        text
    };
    (0..NAMES.len()).map(text).collect()
}

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut out).unwrap();
    out
}

#[test]
fn members_under_a_hold_stay_until_it_ends() {
    let site = Site::new();
    fs::write(site.beside("rules.toml"), HOLDS).unwrap();
    let paths = [site.file("a.tar", tar()), site.file("b.tgz", gzip(&tar())), site.file("c.zip", zip())];
    let members = |path: &Path| {
        let bytes = fs::read(path).unwrap();
        match path.extension().unwrap().to_str().unwrap() {
            "tar" => members_of_tar(&bytes),
            "tgz" => members_of_tar(&gunzip(&bytes)),
            _ => members_of_zip(&bytes),
        }
    };
    let now = ["--now", "2026-03-01T00:00:00Z"];
    let report = site.beside("report.json");
    let ran = site.run_with_journal(&[&now[..], &["--report", report.to_str().unwrap()]].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("c.zip!deep/acme/d/e.log: held until 2028-12-31 (acme)"), "{ran:?}");
    assert!(ran.stderr.contains(", 9 members held; "), "{ran:?}");
    assert!(
        ran.stderr.contains("next due 2027-06-30") || ran.stderr.contains("next due 2028-12-31"),
        "{ran:?}"
    );
    let report: serde_json::Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    assert_eq!(report["files"][0]["held_members"][0]["hold"]["name"], "acme");
    for path in &paths {
        assert_eq!(members(path), NAMES.map(left), "{path:?}");
    }
    // Nothing is due before a hold ends, and then it is.
    let at = |now: &str| site.run_with_journal(&["--now", now]);
    assert!(at("2027-01-01T00:00:00Z").stderr.contains("3 not due"));
    let ended = at("2028-12-31T00:00:00Z");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for path in &paths {
        assert!(members(path).iter().all(|text| text == &left("g.log")), "{path:?}");
    }
}

#[test]
fn a_hold_knows_an_archive_by_either_name() {
    for pattern in ["**/tree/a.tar/acme/*", "**/link/a.tar/acme/*"] {
        let site = Site::new();
        fs::write(site.beside("rules.toml"), HOLDS.replace("**/acme/**", pattern)).unwrap();
        let path = site.file("a.tar", tar());
        let link = site.beside("link");
        symlink(&site.tree, &link).unwrap();
        let rules = site.beside("rules.toml");
        let args = [
            "archive",
            "--no-journal",
            "--now",
            "2026-03-01",
            "-r",
            rules.to_str().unwrap(),
            link.to_str().unwrap(),
        ];
        let ran = crate::site::ran(crate::site::program(&args));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let members = members_of_tar(&fs::read(path).unwrap());
        assert_eq!((members[0].as_str(), members[1].as_str()), (RAW, RAW));
        assert_eq!(members[4], left("g.log"));
    }
}
