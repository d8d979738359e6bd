//! Trees with all that may lie in them: nothing outside changes, nothing is waited for, every exception is listed.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use logscrub::archive::rewrite::{Shared, Skip, To, rewrite};
use logscrub::archive::tree::{Note, Root, Wanted, walk};
use serde_json::Value;

use crate::site::{Site, picture, program, ran, text};
use crate::standins::{Lines, how};

/// A tree with what must be left alone, and the names that must be told of with the word that must be told.
fn hostile(site: &Site) -> Vec<(PathBuf, &'static str)> {
    let (old, _) = text(5);
    let outside = site.beside("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("b.log"), &old).unwrap();
    fs::write(outside.join("linked.log"), &old).unwrap();
    let in_tree = |name: &str| site.tree.join(name);
    symlink(&outside, in_tree("folder-link")).unwrap();
    symlink(outside.join("b.log"), in_tree("file-link.log")).unwrap();
    symlink("plain.log", in_tree("inner-link.log")).unwrap();
    symlink("nowhere", in_tree("dangling.log")).unwrap();
    fs::hard_link(outside.join("linked.log"), in_tree("hard.log")).unwrap();
    assert!(Command::new("mkfifo").arg(in_tree("fifo.log")).status().unwrap().success());
    UnixListener::bind(in_tree("socket.log")).unwrap();
    site.file(".git/a.log", &old);
    site.file("data.log", b"a\0\x01\x02 ana@example.com");
    let links = ["folder-link", "file-link.log", "inner-link.log", "dangling.log"]
        .map(|name| (name, "symbolic link"));
    let others = [
        ("hard.log", "hard link"),
        ("fifo.log", "FIFO"),
        ("socket.log", "socket"),
        (".git", "version control"),
    ];
    links
        .into_iter()
        .chain(others)
        .chain([("data.log", "binary")])
        .map(|(name, why)| (in_tree(name), why))
        .collect()
}

/// Names that a terminal, a line or UTF-8 does not bear.
fn odd_names() -> Vec<&'static OsStr> {
    let names: [&[u8]; 7] = [
        b"new\nline.log",
        b"\x1b[31mred.log",
        b"\xff\xfe.log",
        b"50%41.log",
        b"\xc2\x9b.log",
        b"-r.log",
        "\u{202e}gol".as_bytes(),
    ];
    names.into_iter().map(OsStr::from_bytes).collect()
}

#[test]
fn nothing_outside_changes_and_every_exception_is_listed() {
    let site = Site::new();
    let (old, new) = text(5);
    let plain = site.file("deep/er/plain.log", &old);
    let odd: Vec<PathBuf> =
        odd_names().into_iter().map(|name| site.file(Path::new("odd").join(name), &old)).collect();
    let odd_but_bad: Vec<PathBuf> =
        odd_names().into_iter().map(|name| site.file(Path::new("bad").join(name), b"b\0inary")).collect();
    let exceptions = hostile(&site);
    let outside = picture(&site.beside("outside"));
    let report = site.beside("report.json");
    let ran_once = site.run_with_journal(&["--report", report.to_str().unwrap()]);
    assert_eq!(ran_once.code, Some(1), "{ran_once:?}");
    assert_eq!(picture(&site.beside("outside")), outside);
    for path in odd.iter().chain([&plain]) {
        assert_eq!(fs::read(path).unwrap(), new, "{path:?}");
    }
    let report_text = fs::read_to_string(&report).unwrap();
    let told: Value = serde_json::from_str(&report_text).unwrap();
    let why_of = |path: &Path| {
        let name = logscrub::archive::journal::path_text(path.as_os_str().as_bytes());
        let file = told["files"].as_array().unwrap().iter().find(|file| file["path"] == name.as_str());
        file.unwrap_or_else(|| panic!("{path:?} is not in the report"))["why"].as_str().unwrap().to_owned()
    };
    for (path, why) in exceptions
        .iter()
        .map(|(path, why)| (path, *why))
        .chain(odd_but_bad.iter().map(|path| (path, "binary")))
    {
        assert!(why_of(path).contains(why), "{path:?}: {}", why_of(path));
    }
    check_messages(&ran_once.stderr);
    // What was written can be read back.
    let verify = ran(program(&["report", "verify", report.to_str().unwrap()]));
    assert_eq!(
        (verify.code, verify.stdout),
        (Some(0), format!("{} files as they were left, 0 not\n", odd.len() + 1))
    );
    let again = site.run_with_journal(&[]);
    assert!(again.stderr.contains(&format!("{} not due", odd.len() + 1)), "{again:?}");
    check_messages(&again.stderr);
}

/// Each line is one of ours, and holds nothing that commands a terminal.
fn check_messages(text: &str) {
    assert!(text.lines().all(|line| line.starts_with("logscrub: ")), "{text}");
    assert!(!text.chars().any(|char| char.is_control() && char != '\n' || char == '\u{202e}'), "{text:?}");
}

#[test]
fn a_directory_exchanged_for_a_link_leads_nowhere() {
    let site = Site::new();
    let (old, _) = text(5);
    site.file("deep/er/a.log", &old);
    site.file("deep/b.log", &old);
    fs::create_dir_all(site.beside("outside/er")).unwrap();
    for name in ["outside/er/a.log", "outside/a.log", "outside/b.log"] {
        fs::write(site.beside(name), &old).unwrap();
    }
    for (place, files) in [("deep/er", 1), ("deep", 2), ("", 2)] {
        let roots = [Root::open(&site.tree).unwrap()];
        let entries = walk(&roots, &Wanted::default(), true, &mut Vec::new());
        assert_eq!(entries.len(), 2);
        let outside = picture(&site.beside("outside"));
        let (folder, aside) = (site.tree.join(place), site.beside("aside"));
        let folder = folder.components().collect::<PathBuf>();
        fs::rename(&folder, &aside).unwrap();
        symlink(site.beside("outside"), &folder).unwrap();
        let refused = entries.iter().filter(|entry| roots[0].folder_of(entry).is_err()).count();
        assert_eq!(refused, files, "{place}");
        assert_eq!(picture(&site.beside("outside")), outside);
        fs::remove_file(&folder).unwrap();
        fs::rename(&aside, &folder).unwrap();
    }
}

#[test]
fn a_file_exchanged_for_something_else_is_left_alone() {
    let site = Site::new();
    let (old, _) = text(5);
    let path = site.file("a.log", &old);
    let root = Root::open(&site.tree).unwrap();
    let entries = walk(std::slice::from_ref(&root), &Wanted::default(), true, &mut Vec::new());
    let target = site.beside("target.log");
    fs::write(&target, &old).unwrap();
    let exchanges: [&dyn Fn(); 3] = [
        &|| symlink(&target, &path).unwrap(),
        &|| assert!(Command::new("mkfifo").arg(&path).status().unwrap().success()),
        &|| fs::hard_link(&target, &path).unwrap(),
    ];
    for exchange in exchanges {
        fs::remove_file(&path).unwrap();
        exchange();
        let (folder, name) = root.folder_of(&entries[0]).unwrap();
        let shared = Shared::default();
        let listed = &entries[0].about;
        let done = rewrite((&folder, &name), listed, To::Place, &Lines::good(), &how(), &shared);
        assert!(matches!(done, Err(Skip::LeftOut(_))));
        assert_eq!(fs::read(&target).unwrap(), old);
    }
}

#[test]
fn a_link_that_is_named_is_followed_and_those_under_it_are_not() {
    let site = Site::new();
    let (old, new) = text(5);
    let path = site.file("a.log", &old);
    let link = site.beside("link");
    symlink(&site.tree, &link).unwrap();
    let roots = [Root::open(&link).unwrap()];
    let mut notes = Vec::new();
    assert_eq!(walk(&roots, &Wanted::default(), true, &mut notes).len(), 1);
    assert_eq!(notes, [] as [Note; 0]);
    let rules = site.beside("rules.toml");
    let args = ["archive", "-r", rules.to_str().unwrap(), "--no-journal", link.to_str().unwrap()];
    assert_eq!(ran(program(&args)).code, Some(0));
    assert_eq!(fs::read(path).unwrap(), new);
    assert!(link.is_symlink());
}

#[test]
fn what_a_killed_run_left_beside_a_file_goes_when_the_file_alone_is_named() {
    let site = Site::new();
    let (old, new) = text(5);
    let path = site.file("a.log", &old);
    site.file(".logscrub-0123456789abcdef", "left");
    site.file(".logscrub-0123456789abcdeX", "something else");
    let rules = site.beside("rules.toml");
    let args = ["archive", "-r", rules.to_str().unwrap(), "--no-journal", path.to_str().unwrap()];
    assert_eq!(ran(program(&args)).code, Some(0));
    assert_eq!(fs::read(path).unwrap(), new);
    assert_eq!(site.leftovers(), [site.tree.join(".logscrub-0123456789abcdeX")]);
}

#[test]
fn what_a_killed_run_left_in_another_directory_goes_too() {
    let site = Site::new();
    let (old, new) = text(5);
    let path = site.file("deep/a.log", &old);
    let into = site.beside("into");
    fs::create_dir_all(into.join("deep")).unwrap();
    let left = into.join("deep/.logscrub-0123456789abcdef");
    fs::write(&left, "left").unwrap();
    assert_eq!(site.run(&["--into", into.to_str().unwrap()]).code, Some(0));
    assert_eq!(fs::read(path).unwrap(), old);
    assert_eq!(fs::read(into.join("deep/a.log")).unwrap(), new);
    assert!(!left.exists());
}

#[test]
fn the_rules_and_the_keyring_of_the_run_are_no_logs() {
    let site = Site::new();
    let path = site.file("a.log", text(5).0);
    let (rules, keyring) = (site.tree.join("rules.toml"), site.tree.join("keyring.toml"));
    let made = ran(program(&["key", "new", "--keyring", keyring.to_str().unwrap()]));
    assert_eq!(made.code, Some(0), "{made:?}");
    let by = "title = \"asked for by ana@example.com\"\n[pseudonyms]\nkeyring = \"keyring.toml\"\n\
              [[rule]]\nfind = [\"email\", \"secret\"]\naction = \"hash\"\n";
    fs::write(&rules, by).unwrap();
    let kept = [&rules, &keyring].map(|path| fs::read(path).unwrap());
    let report = site.beside("report.json");
    let named = ["--no-journal", "--report", report.to_str().unwrap(), "-r", rules.to_str().unwrap()];
    let args = [&["archive"], &named[..], &[site.tree.to_str().unwrap()]].concat();
    let ran_once = ran(program(&args));
    assert_eq!(ran_once.code, Some(0), "{ran_once:?}");
    assert_eq!([&rules, &keyring].map(|path| fs::read(path).unwrap()), kept);
    assert_eq!(fs::read_to_string(report).unwrap().matches("a file of this run itself").count(), 2);
    assert!(!String::from_utf8(fs::read(path).unwrap()).unwrap().contains("@example.com"));
}

#[test]
fn whatever_the_rules_are_read_from_is_no_log() {
    let site = Site::new();
    let path = site.file("a.log", text(5).0);
    let email = "[[rule]]\nfind = ['email']\naction = 'redact'\n";
    let files = [
        (
            "rules.toml",
            "# ana@example.com\nextends = ['base.toml', 'linked.toml']\n[lists.staff]\nfile = 'staff.txt'\n\
             [[source]]\npath = '**/b.log'\nrules = 'deep/other.toml'\n[[rule]]\nfind = ['staff']\naction = 'redact'\n"
                .to_owned(),
        ),
        ("base.toml", format!("# ana@example.com\n{email}")),
        ("staff.txt", "ana@example.com\n".to_owned()),
        (
            "deep/other.toml",
            "# ana@example.com\nextends = ['../more.toml']\n[lists.guests]\nfile = '../guests.txt'\n\
             [[rule]]\nfind = ['guests']\naction = 'redact'\n"
                .to_owned(),
        ),
        ("more.toml", format!("# ana@example.com\n{email}")),
        ("guests.txt", "bea@example.com\n".to_owned()),
        ("behind.toml", format!("# ana@example.com\n{email}")),
    ];
    files.iter().for_each(|(name, bytes)| drop(site.file(name, bytes)));
    symlink("behind.toml", site.tree.join("linked.toml")).unwrap();
    let report = site.beside("report.json");
    let (rules, out) = (site.tree.join("rules.toml"), report.to_str().unwrap());
    let named = ["--no-journal", "--report", out, "-r", rules.to_str().unwrap()];
    let ran_once = ran(program(&[&["archive"], &named[..], &[site.tree.to_str().unwrap()]].concat()));
    assert_eq!(ran_once.code, Some(0), "{ran_once:?}");
    for (name, bytes) in &files {
        assert_eq!(&fs::read_to_string(site.tree.join(name)).unwrap(), bytes, "{name}");
    }
    assert_eq!(fs::read_to_string(report).unwrap().matches("a file of this run itself").count(), files.len());
    assert!(!String::from_utf8(fs::read(path).unwrap()).unwrap().contains("@example.com"));
}
