//! An archive from night to night: what comes due, what is held, who is erased.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, UNIX_EPOCH};

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

/// A tree of logs with rules and a journal beside it.
struct House(tempfile::TempDir);

impl House {
    fn new(rules: &str) -> House {
        let house = House(tempfile::tempdir().unwrap());
        fs::create_dir(house.path("logs")).unwrap();
        fs::write(house.path("rules.toml"), rules).unwrap();
        house
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A log that was last written at the start of 2026.
    fn log(&self, name: &str, text: &str) {
        let path = self.path("logs").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let bytes = match name.ends_with(".gz") {
            true => packed(text.as_bytes()),
            false => text.as_bytes().to_vec(),
        };
        fs::write(&path, bytes).unwrap();
        let written = UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        File::options().write(true).open(&path).unwrap().set_modified(written).unwrap();
    }

    fn text(&self, name: &str) -> String {
        let bytes = fs::read(self.path("logs").join(name)).unwrap();
        match name.ends_with(".gz") {
            true => std::io::read_to_string(MultiGzDecoder::new(bytes.as_slice())).unwrap(),
            false => String::from_utf8(bytes).unwrap(),
        }
    }

    fn archive(&self, options: &[&str]) -> Told {
        let mut command = self.command("archive");
        command.arg("-r").arg(self.path("rules.toml"));
        if !options.iter().any(|option| ["--erase", "--no-journal"].contains(option)) {
            command.arg("--journal").arg(self.path("journal"));
        }
        Told::of(command.args(options).arg(self.path("logs")).output().unwrap())
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_logscrub"));
        command.arg(name).env_clear().current_dir(self.0.path());
        command
    }
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

struct Told {
    code: Option<i32>,
    said: String,
}

impl Told {
    fn of(output: Output) -> Told {
        let said = [output.stdout, output.stderr].concat();
        Told { code: output.status.code(), said: String::from_utf8_lossy(&said).into_owned() }
    }

    #[track_caller]
    fn says(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.said);
        words.iter().for_each(|word| assert!(self.said.contains(word), "{word:?} is not in {}", self.said));
    }
}

const LADDER: &str = "[[rule]]\nname = 'address'\nfind = ['ipv4']\nretain = [\n{ until = '7d', action = 'keep' },\n\
                      { until = '90d', action = { truncate = { ipv4 = 24 } } },\n{ action = 'redact' },\n]\n";

#[test]
fn each_step_is_taken_when_it_comes_due_and_no_file_is_touched_before() {
    let house = House::new(LADDER);
    house.log("a.log", "2026-01-01T00:00:00Z from 203.0.113.9\n2026-01-02T00:00:00Z from 203.0.113.8\n");
    house.log("sub/b.log.gz", "2026-01-04T00:00:00Z from 203.0.113.7\n");
    house.log("quiet.log", "nothing in here\n");
    let night = |now: &str| house.archive(&["--now", now]);

    night("2026-01-03T00:00:00Z").says(0, &["0 rewritten, 3 unchanged", "next due 2026-01-08T00:00:00Z"]);
    night("2026-01-07T23:59:59Z")
        .says(0, &["0 rewritten, 0 unchanged, 3 not due", "next due 2026-01-08T00:00:00Z"]);
    night("2026-01-08T00:00:00Z")
        .says(0, &["1 rewritten, 0 unchanged, 2 not due", "next due 2026-01-09T00:00:00Z"]);
    assert_eq!(
        house.text("a.log"),
        "2026-01-01T00:00:00Z from 203.0.113.0\n2026-01-02T00:00:00Z from 203.0.113.8\n"
    );
    night("2026-03-01T00:00:00Z")
        .says(0, &["2 rewritten, 0 unchanged, 1 not due", "next due 2026-04-01T00:00:00Z"]);
    assert_eq!(house.text("sub/b.log.gz"), "2026-01-04T00:00:00Z from 203.0.113.0\n");
    night("2026-12-01T00:00:00Z").says(0, &["2 rewritten, 0 unchanged, 1 not due"]);
    assert_eq!(house.text("a.log"), "2026-01-01T00:00:00Z from [ipv4]\n2026-01-02T00:00:00Z from [ipv4]\n");
    let last = night("2030-12-01T00:00:00Z");
    last.says(0, &["0 rewritten, 0 unchanged, 3 not due"]);
    assert!(!last.said.contains("next due"), "{}", last.said);

    // What the journal says is of one policy and of these very files.
    fs::write(house.path("rules.toml"), LADDER.replace("'90d'", "'80d'")).unwrap();
    night("2030-12-01T00:00:00Z").says(0, &["0 rewritten, 3 unchanged;"]);
    house.log("a.log", "2026-01-01T00:00:00Z from 203.0.113.9\n2026-01-02T00:00:00Z from 203.0.113.8\n");
    night("2030-12-01T00:00:00Z").says(0, &["1 rewritten, 0 unchanged, 2 not due"]);
}

#[test]
fn a_clock_that_jumps_is_not_believed() {
    let house = House::new(LADDER);
    let text = "2020-01-01T00:00:00Z from 203.0.113.9\n";
    house.log("app-20200101.log", text);
    house.archive(&[]).says(2, &["2020-01-01", "--now"]);
    assert_eq!(house.text("app-20200101.log"), text);
    house.archive(&["--now", "2020-01-05"]).says(0, &["1 unchanged"]);
}

#[test]
fn what_is_held_stays_until_the_hold_ends() {
    let hold = "[[hold]]\nname = 'Acme v. Shop'\npath = ['**/acme/**']\nuntil = 2026-06-01\n\
                [[hold]]\nname = 'case 4711'\nrecords = ['case-4711']\nuntil = 2026-07-01\n";
    let house = House::new(&format!("{LADDER}{hold}"));
    let old = "2026-01-01T00:00:00Z from 203.0.113.9\n";
    let held = "2026-01-01T00:00:00Z case-4711 203.0.113.8\n";
    house.log("acme/a.log.gz", old);
    house.log("b.log", &format!("{old}{held}{old}"));
    let night = |now: &str| house.archive(&["--now", now, "--report", "report.json"]);
    let gone = old.replace("203.0.113.9", "[ipv4]");

    night("2026-05-01T00:00:00Z").says(
        0,
        &[
            "1 rewritten",
            "1 held",
            "held until 2026-06-01 (Acme v. Shop): 1 records would be changed",
            "next due 2026-06-01",
        ],
    );
    assert_eq!(house.text("acme/a.log.gz"), old);
    assert_eq!(house.text("b.log"), format!("{gone}{held}{gone}"));
    let report = fs::read_to_string(house.path("report.json")).unwrap();
    assert!(report.contains("\"outcome\":\"held\"") && report.contains("Acme v. Shop"), "{report}");
    assert!(!report.contains("203.0.113"), "{report}");

    night("2026-06-01T00:00:00Z").says(0, &["1 rewritten", "next due 2026-07-01"]);
    assert_eq!(house.text("acme/a.log.gz"), gone);
    night("2026-07-01T00:00:00Z").says(0, &["1 rewritten"]);
    assert_eq!(house.text("b.log"), format!("{gone}{}{gone}", held.replace("203.0.113.8", "[ipv4]")));
}

#[test]
fn one_person_is_erased_wherever_a_file_can_be_rewritten() {
    let hold = "[[hold]]\nname = 'h'\npath = ['**/held.log']\nuntil = 2099-01-01\n";
    let house = House::new(&format!("[[rule]]\nfind = ['pan']\naction = 'redact'\n{hold}"));
    let line = "mail to ana@example.com, not to anna@example.com or 203.0.113.9\n";
    for name in ["a.log", "b.log.gz", "held.log"] {
        house.log(name, line);
    }
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), flate2::Compression::default()));
    let mut header = tar::Header::new_gnu();
    header.set_size(line.len() as u64);
    header.set_mode(0o640);
    header.set_mtime(1_767_225_600);
    tar.append_data(&mut header, "in/c.log", line.as_bytes()).unwrap();
    fs::write(house.path("logs/d.tar.gz"), tar.into_inner().unwrap().finish().unwrap()).unwrap();
    fs::write(house.path("ana.txt"), "ana@example.com\n203.0.113.9\n").unwrap();

    let dry = house.archive(&["--erase", "ana.txt", "--dry-run"]);
    dry.says(0, &["3 to rewrite", "1 held"]);
    assert_eq!(house.text("a.log"), line);
    let told = house.archive(&["--erase", "ana.txt"]);
    told.says(1, &["3 rewritten", "1 held", "1 records in 4 files still hold what was to be erased"]);
    assert!(!told.said.contains("ana@") && !told.said.contains("203.0.113.9"), "{}", told.said);
    let left = "mail to [erased], not to anna@example.com or [erased]\n";
    assert_eq!((house.text("a.log"), house.text("b.log.gz")), (left.to_owned(), left.to_owned()));
    assert_eq!(house.text("held.log"), line);
    let tar = fs::read(house.path("logs/d.tar.gz")).unwrap();
    let mut tar = tar::Archive::new(MultiGzDecoder::new(tar.as_slice()));
    let mut entry = tar.entries().unwrap().next().unwrap().unwrap();
    assert_eq!(entry.path().unwrap(), Path::new("in/c.log"));
    assert_eq!(entry.header().mode().unwrap(), 0o640);
    assert_eq!(std::io::read_to_string(&mut entry).unwrap(), left);
}

#[test]
fn a_mirror_leaves_the_old_files_alone() {
    let house = House::new("[[rule]]\nfind = ['email']\naction = 'redact'\n");
    house.log("sub/a.log.gz", "ana@example.com\n");
    house.log("b.log", "nobody\n");
    fs::create_dir(house.path("new")).unwrap();
    house.archive(&["--no-journal", "--into", "new"]).says(0, &[]);
    assert_eq!(house.text("sub/a.log.gz"), "ana@example.com\n");
    let new = fs::read(house.path("new/sub/a.log.gz")).unwrap();
    assert_eq!(std::io::read_to_string(MultiGzDecoder::new(new.as_slice())).unwrap(), "[email]\n");
    assert_eq!(fs::read_to_string(house.path("new/b.log")).unwrap(), "nobody\n");
    house.archive(&["--no-journal", "--into", "logs/sub"]).says(2, &["--into"]);
}

#[test]
fn a_report_tells_whether_files_are_as_they_were_left() {
    let house = House::new("[[rule]]\nfind = ['email']\naction = 'redact'\n");
    house.log("a.log.gz", "ana@example.com\n");
    house.log("b.log", "ben@example.com\n");
    house.archive(&["--report", "report.json"]).says(0, &["2 rewritten"]);
    let report = |what: &str| Told::of(house.command("report").args([what, "report.json"]).output().unwrap());
    report("verify").says(0, &["2 files as they were left, 0 not"]);
    report("show").says(0, &["rewritten  2", "email"]);
    house.log("b.log", "carl@example.com\n");
    report("verify").says(1, &["b.log: is not as it was left", "1 files as they were left, 1 not"]);
    let text = fs::read_to_string(house.path("report.json")).unwrap();
    assert!(!text.contains("@example.com"), "{text}");
}

#[test]
fn what_is_no_text_is_told_and_text_in_any_encoding_is_scrubbed() {
    let house = House::new("[[rule]]\nfind = ['email']\naction = 'redact'\n");
    // As a compression without a signature makes it, and without a NUL by chance.
    let mut state = 7_u32;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24).max(1) as u8
    });
    let put = |name: &str, bytes: &[u8]| fs::write(house.path("logs").join(name), bytes).unwrap();
    put("a.br", &noise.take(400).collect::<Vec<u8>>());
    put("b.asc", b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n");
    put("c.Z", b"\x1f\x9dabc");
    put("latin.log", b"\xfcber ana@example.com\n");
    put("emptied.log", &[&[0; 9][..], b"\x1b[1mana@example.com\x1b[0m\n"].concat());
    house.archive(&["--no-journal"]).says(
        1,
        &[
            "a.br: not scrubbed: binary",
            "b.asc: not scrubbed: encrypted (PGP)",
            "c.Z: not scrubbed: compressed in an unknown form (compress)",
            "2 rewritten, 0 unchanged, 3 not scrubbed",
        ],
    );
    let left = |name: &str| fs::read(house.path("logs").join(name)).unwrap();
    assert_eq!(left("latin.log"), b"\xfcber [email]\n");
    assert_eq!(left("emptied.log"), [&[0; 9][..], b"\x1b[1m[email]\x1b[0m\n"].concat());
}

#[test]
fn roots_that_are_named_through_links_are_held_and_mirrors_lose_nothing() {
    let hold = "[[hold]]\nname = 'h'\npath = ['**/link/held/**']\nuntil = 2099-01-01\n";
    let house = House::new(&format!("[[rule]]\nfind = ['email']\naction = 'redact'\n{hold}"));
    house.log("held/a.log", "ana@example.com\n");
    house.log("other/a.log", "ben@example.com\n");
    std::os::unix::fs::symlink(house.path("logs"), house.path("link")).unwrap();
    let archive = |paths: &[&str]| {
        let mut command = house.command("archive");
        Told::of(command.args(["-r", "rules.toml", "--no-journal"]).args(paths).output().unwrap())
    };
    archive(&["link"]).says(0, &["1 rewritten", "1 held"]);
    assert_eq!(
        (house.text("held/a.log"), house.text("other/a.log")),
        ("ana@example.com\n".into(), "[email]\n".into())
    );
    fs::create_dir(house.path("new")).unwrap();
    archive(&["--into", "new", "logs/held/a.log", "logs/other/a.log"]).says(2, &["two files would be a.log"]);
    archive(&["--into", "new", "logs"]).says(0, &["1 rewritten, 1 unchanged"]);
    assert_eq!(fs::read_to_string(house.path("new/held/a.log")).unwrap(), "[email]\n");
}

/// What was held or scrubbed by other rules under one name is not done under another.
#[test]
fn the_journal_knows_by_which_name_a_file_was_reached() {
    let hold = "[[hold]]\nname = 'h'\nrecords = ['Acme']\npath = ['**/link/**']\nuntil = 2099-01-01\n";
    let house = House::new(&format!("[[rule]]\nfind = ['email']\naction = 'redact'\n{hold}"));
    house.log("a.log", "Acme ana@example.com\n");
    std::os::unix::fs::symlink(house.path("logs"), house.path("link")).unwrap();
    let archive = |path: &str| {
        let mut command = house.command("archive");
        Told::of(command.args(["-r", "rules.toml", "--journal", "journal", path]).output().unwrap())
    };
    archive("link").says(0, &["1 unchanged", "1 held"]);
    archive("link").says(0, &["1 not due"]);
    archive("logs").says(0, &["1 rewritten"]);
    assert_eq!(house.text("a.log"), "Acme [email]\n");
}

#[test]
fn it_does_nothing_that_was_not_said() {
    let house = House::new("[[rule]]\nfind = ['email']\naction = 'redact'\n");
    house.log("a.log", "ana@example.com\n");
    let without = house.command("archive").arg(house.path("logs")).output().unwrap();
    Told::of(without).says(2, &["-r"]);
    house
        .archive(&["--journal", "logs/journal", "--now", "2026-01-02"])
        .says(2, &["cannot be used multiple times"]);
    let missing =
        house.command("archive").args(["-r", "rules.toml", "--no-journal", "nowhere"]).output().unwrap();
    Told::of(missing).says(3, &["nowhere: no such file or directory"]);
    assert_eq!(house.text("a.log"), "ana@example.com\n");
}
