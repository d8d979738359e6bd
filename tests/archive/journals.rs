//! The journal: what is done is not opened again, what may not be done is looked at, and nobody else can say what is done.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::site::{Ran, Site, text};
use crate::traced::{can_read_names, traced};

const LADDER: &str = "[[rule]]\nfind = [\"email\"]\nretain = [{ until = \"7d\", action = \"keep\" }, { action = \"redact\" }]\n";

fn is_passed_over(ran: &Ran) -> bool {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.stderr.contains("1 not due")
}

/// A site with one file that has been scrubbed and noted.
fn done() -> (Site, std::path::PathBuf) {
    let site = Site::new();
    let path = site.file("a.log", text(5).0);
    assert!(!is_passed_over(&site.run_with_journal(&[])));
    (site, path)
}

#[test]
fn a_second_run_opens_nothing() {
    if !can_read_names() {
        return;
    }
    let (site, _) = done();
    site.file("deep/b.log", "no address\n");
    assert_eq!(site.run_with_journal(&[]).code, Some(0));
    let (ended, trace) =
        traced(&["-e", "trace=open,openat,openat2"], &site.args_with_journal(&[]), &site.beside("trace"));
    assert_eq!(ended.code, Some(0));
    assert!(ended.stderr.contains("2 not due"), "{}", ended.stderr);
    assert!(trace.contains("/tree/deep\"") || trace.contains("\"deep\""), "{trace}");
    assert!(!trace.contains(".log\""), "{trace}");
}

#[test]
fn what_changed_is_looked_at_again() {
    let (site, path) = done();
    assert!(is_passed_over(&site.run_with_journal(&[])));
    // The same length and time: only the time of the change tells.
    let (about, now) = (fs::metadata(&path).unwrap(), fs::read(&path).unwrap());
    let mut raw = b"a@example.com ".to_vec();
    raw.resize(now.len() - 1, b'x');
    raw.push(b'\n');
    fs::write(&path, &raw).unwrap();
    File::options().write(true).open(&path).unwrap().set_modified(about.modified().unwrap()).unwrap();
    assert!(!is_passed_over(&site.run_with_journal(&[])));
    assert!(fs::read(&path).unwrap().starts_with(b"[email] xxx"));
    // Another file in its place.
    fs::write(site.beside("other"), text(5).0).unwrap();
    fs::rename(site.beside("other"), &path).unwrap();
    assert!(!is_passed_over(&site.run_with_journal(&[])));
    assert_eq!(fs::read(&path).unwrap(), text(5).1);
}

#[test]
fn other_rules_look_at_everything_again() {
    let (site, path) = done();
    let rules = "[[rule]]\nfind = [\"email\"]\naction = { redact = { with = \"<mail>\" } }\n";
    fs::write(site.beside("rules.toml"), rules).unwrap();
    assert!(!is_passed_over(&site.run_with_journal(&[])));
    assert!(is_passed_over(&site.run_with_journal(&[])));
    assert_eq!(fs::read(path).unwrap(), text(5).1);
}

#[test]
fn a_step_that_is_due_is_taken() {
    let site = Site::new();
    fs::write(site.beside("rules.toml"), LADDER).unwrap();
    let (old, new) = text(5);
    let path = site.file("a-2024-03-01.log", &old);
    let at = |now: &str| is_passed_over(&site.run_with_journal(&["--now", now]));
    assert!(!at("2024-03-05T00:00:00Z"));
    assert!(at("2024-03-07T23:59:59Z"));
    assert_eq!(fs::read(&path).unwrap(), old);
    assert!(!at("2024-03-08T00:00:00Z"));
    assert_eq!(fs::read(&path).unwrap(), new);
    assert!(at("2034-03-08T00:00:00Z"));
}

#[test]
fn a_dry_run_notes_nothing_as_done() {
    let site = Site::new();
    site.file("a.log", text(5).0);
    assert!(!is_passed_over(&site.run_with_journal(&["--dry-run"])));
    assert!(!is_passed_over(&site.run_with_journal(&[])));
    assert!(is_passed_over(&site.run_with_journal(&["--dry-run"])));
    assert!(is_passed_over(&site.run_with_journal(&[])));
}

/// What is done to a journal, after which the next run must be refused.
fn is_refused(meddle: impl Fn(&Path)) {
    let (site, path) = done();
    fs::write(&path, text(5).0).unwrap();
    meddle(&site.beside("journal"));
    let ran = site.run_with_journal(&[]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("logscrub: journal "), "{ran:?}");
    assert_eq!(fs::read(&path).unwrap(), text(5).0);
}

#[test]
fn a_journal_that_others_could_write_is_refused() {
    let mode = |path: &Path, mode: u32| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    is_refused(|journal| mode(journal, 0o666));
    is_refused(|journal| mode(journal, 0o620));
    is_refused(|journal| mode(journal.parent().unwrap(), 0o777));
    is_refused(|journal| {
        fs::rename(journal, journal.with_extension("aside")).unwrap();
        symlink("journal.aside", journal).unwrap();
    });
    is_refused(|journal| {
        fs::remove_file(journal).unwrap();
        fs::create_dir(journal).unwrap();
    });
    is_refused(|journal| {
        fs::remove_file(journal).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(journal).status().unwrap().success());
    });
    if rustix::process::geteuid().is_root() {
        is_refused(|journal| std::os::unix::fs::chown(journal, Some(65_534), None).unwrap());
    }
}

#[test]
fn what_cannot_be_read_says_nothing_and_hides_nothing() {
    let meddled = |meddle: &dyn Fn(&str) -> Vec<u8>| {
        let (site, _) = done();
        let journal = site.beside("journal");
        fs::write(&journal, meddle(&fs::read_to_string(&journal).unwrap())).unwrap();
        (is_passed_over(&site.run_with_journal(&[])), is_passed_over(&site.run_with_journal(&[])))
    };
    let half = |text: &str| text.trim_end().len() - 10;
    assert_eq!(meddled(&|text| text.as_bytes().to_vec()), (true, true));
    assert_eq!(meddled(&|text| format!("{text}{{\"path\":\"/half a li").into_bytes()), (true, true));
    assert_eq!(meddled(&|text| [text.as_bytes(), b"\xff\0\n[]\n7\nnull\n\"\n\n"].concat()), (true, true));
    assert_eq!(meddled(&|text| text.as_bytes()[..half(text)].to_vec()), (false, true));
    assert_eq!(meddled(&|_| Vec::new()), (false, true));
    assert_eq!(meddled(&|_| b"{\"jour".to_vec()), (false, true));
    assert_eq!(meddled(&|text| text.as_bytes()[1..].to_vec()), (true, true));
    assert_eq!(meddled(&|_| b"{\"journal\":\x1f\x8b garbage".to_vec()), (false, true));
    // Of a version that is not known, whose words may mean something else.
    assert_eq!(meddled(&|text| text.replace("\"journal\":1", "\"journal\":2").into_bytes()), (false, true));
    // Too many numbers.
    assert_eq!(meddled(&|text| text.replace("\"stamp\":[", "\"stamp\":[1,").into_bytes()), (false, true));
}

#[test]
fn what_is_no_journal_is_not_replaced_by_one() {
    for other in [&b"\x1f\x8b garbage"[..], b"\n", b"{}\n", b"[[period]]\n", b"{\"journal\"\n"] {
        is_refused(|journal| fs::write(journal, other).unwrap());
    }
    let site = Site::new();
    fs::write(site.beside("journal"), "dear diary\n").unwrap();
    fs::set_permissions(site.beside("journal"), Permissions::from_mode(0o600)).unwrap();
    for more in [&[][..], &["-n"]] {
        assert_eq!(site.run_with_journal(more).code, Some(2));
        assert_eq!(fs::read(site.beside("journal")).unwrap(), b"dear diary\n");
    }
}

#[test]
fn a_line_that_follows_half_a_line_is_read() {
    let (site, _) = done();
    let journal = site.beside("journal");
    let text = fs::read_to_string(&journal).unwrap();
    let half = text.trim_end().len() - 10;
    fs::write(&journal, &text[..half]).unwrap();
    // A run that does not come to its end only appends.
    let path = site.file("b.log", "no address\n");
    let mut opened = logscrub::archive::journal::Journal::open(&journal).unwrap();
    let (now, about) = (jiff::Timestamp::UNIX_EPOCH, fs::metadata(&path).unwrap());
    opened.note(&path, &about, "p", None).unwrap();
    drop(opened);
    let opened = logscrub::archive::journal::Journal::open(&journal).unwrap();
    assert_eq!(opened.is_done(&path, &about, "p", now), Some(None));
}

#[test]
fn a_second_run_on_one_journal_is_refused() {
    let (site, path) = done();
    fs::write(&path, text(5).0).unwrap();
    let held = logscrub::archive::journal::Journal::open(&site.beside("journal")).unwrap();
    let ran = site.run_with_journal(&[]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("another run uses it"), "{ran:?}");
    assert_eq!(fs::read(&path).unwrap(), text(5).0);
    drop(held);
    assert!(!is_passed_over(&site.run_with_journal(&[])));
}

#[test]
fn a_journal_in_the_tree_is_refused() {
    let site = Site::new();
    let path = site.file("a.log", text(5).0);
    let journal = site.tree.join("journal");
    let ran = site.run(&["--journal", journal.to_str().unwrap()]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(!journal.exists());
    assert_eq!(fs::read(path).unwrap(), text(5).0);
}

#[test]
fn a_clock_that_jumps_destroys_nothing() {
    let site = Site::new();
    fs::write(site.beside("rules.toml"), LADDER).unwrap();
    let (old, new) = text(5);
    let path = site.file("a-2001-03-01.log", &old);
    for more in [&[][..], &["--dry-run"]] {
        let ran = site.run_with_journal(more);
        assert_eq!(ran.code, Some(if more.is_empty() { 2 } else { 0 }), "{ran:?}");
        assert_eq!(fs::read(&path).unwrap(), old);
    }
    // Rules that do not depend on age do not depend on the clock either.
    fs::write(site.beside("rules.toml"), crate::site::RULES).unwrap();
    assert_eq!(site.run(&[]).code, Some(0));
    assert_eq!(fs::read(&path).unwrap(), new);
    fs::write(site.beside("rules.toml"), LADDER).unwrap();
    fs::write(&path, &old).unwrap();
    // A file of today was dated by the same clock; who gives the time says that it is right.
    site.file("new.log", "no address\n");
    assert_eq!(site.run(&[]).code, Some(2));
    assert_eq!(site.run(&["--now", "2026-01-01T00:00:00Z"]).code, Some(0));
    assert_eq!(fs::read(&path).unwrap(), new);
}
