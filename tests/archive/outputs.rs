//! What a run writes beside the files is nothing that it reads, by whatever name.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::site::{Ran, Site, program, ran, text};

/// A site whose rules extend others and have a list, a source and a keyring, all of them beside the tree; and all of
/// these.
fn site() -> (Site, Vec<PathBuf>) {
    let site = Site::new();
    let write = |name: &str, text: &str| fs::write(site.beside(name), text).unwrap();
    let keyring = site.beside("keys.toml");
    let made = ran(program(&["key", "new", "--every", "30d", "--keyring", keyring.to_str().unwrap()]));
    assert_eq!(made.code, Some(0), "{made:?}");
    let rule = "[[rule]]\nfind = [\"email\"]\naction = \"hash\"\n";
    write(
        "base.toml",
        "[lists.staff]\nfile = \"staff.txt\"\n[[rule]]\nfind = [\"staff\"]\naction = \"redact\"\n",
    );
    write("staff.txt", "somebody\n");
    write("other.toml", crate::site::RULES);
    write("who.txt", "ana0@example.com\n");
    write(
        "rules.toml",
        &format!(
            "extends = [\"base.toml\"]\n[pseudonyms]\nkeyring = \"keys.toml\"\n{rule}[[source]]\npath = \"**/x.log\"\nrules = \"other.toml\"\n"
        ),
    );
    let read = ["rules.toml", "base.toml", "staff.txt", "other.toml", "keys.toml"];
    let read = read.map(|name| site.beside(name));
    (site, read.into())
}

fn is_refused(site: &Site, ran: &Ran) {
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("would be written over"), "{ran:?}");
    assert_eq!(fs::read(site.tree.join("a.log")).unwrap(), text(5).0);
}

/// The path itself, and other ways to name the same file.
fn names(site: &Site, path: &Path) -> [PathBuf; 4] {
    let (link, hard) = (site.beside("link"), site.beside("hard"));
    [&link, &hard].into_iter().for_each(|path| drop(fs::remove_file(path)));
    symlink(path, &link).unwrap();
    fs::hard_link(path, &hard).unwrap();
    [path.to_owned(), link, hard, site.tree.join("..").join(path.file_name().unwrap())]
}

#[test]
fn nothing_that_is_read_is_written_over() {
    let (site, read) = site();
    site.file("a.log", text(5).0);
    let (rules, out) = (site.beside("rules.toml"), site.beside("out"));
    for path in &read {
        let before = fs::read(path).unwrap();
        for name in names(&site, path) {
            let name = name.to_str().unwrap();
            is_refused(&site, &site.run(&["--report", name]));
            is_refused(&site, &site.run(&["-n", "--report", name]));
            is_refused(&site, &site.run(&["--journal", name]));
            let log = site.tree.join("a.log");
            let filter = ["-r", rules.to_str().unwrap(), log.to_str().unwrap()];
            is_refused(&site, &ran(program(&[&filter[..], &["-o", name]].concat())));
            let report = ["-o", out.to_str().unwrap(), "--report", name];
            is_refused(&site, &ran(program(&[&filter[..], &report].concat())));
            assert!(!out.exists());
        }
        assert_eq!(fs::read(path).unwrap(), before);
    }
}

#[test]
fn the_list_of_identifiers_is_not_written_over() {
    let (site, _) = site();
    site.file("a.log", text(5).0);
    let who = site.beside("who.txt");
    for name in names(&site, &who) {
        let name = name.to_str().unwrap();
        is_refused(&site, &site.run(&["--erase", who.to_str().unwrap(), "--report", name]));
    }
    assert_eq!(fs::read(who).unwrap(), b"ana0@example.com\n");
}

#[test]
fn who_is_to_be_erased_is_not_told_by_a_file_of_the_tree() {
    let site = Site::new();
    let (log, who) = (site.file("a.log", text(5).0), site.file("deep/who.txt", "ana0@example.com\n"));
    let link = site.beside("link");
    symlink(&who, &link).unwrap();
    for name in [&who, &link] {
        let ran = site.run(&["--erase", name.to_str().unwrap()]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains("it lies in what is to be rewritten"), "{ran:?}");
    }
    assert_eq!(fs::read(&who).unwrap(), b"ana0@example.com\n");
    assert_eq!(fs::read(&log).unwrap(), text(5).0);
    let aside = site.beside("who.txt");
    fs::rename(&who, &aside).unwrap();
    assert_eq!(site.run(&["--erase", aside.to_str().unwrap()]).code, Some(0));
    assert!(fs::read_to_string(log).unwrap().starts_with("line 0 of [erased] and"));
}

#[test]
fn outputs_are_different_files() {
    let (site, _) = site();
    let log = site.file("a.log", text(5).0);
    let (one, same) = (site.beside("new"), site.tree.join("../new"));
    let [one, same, log_name] = [&one, &same, &log].map(|path| path.to_str().unwrap());
    is_refused(&site, &site.run(&["--report", one, "--journal", same]));
    is_refused(&site, &ran(program(&["-o", one, "--report", same, log_name])));
    assert!(!Path::new(one).exists());
    // Another name of a file of the tree.
    let hard = site.beside("hard");
    fs::hard_link(&log, &hard).unwrap();
    is_refused(&site, &site.run(&["--report", hard.to_str().unwrap()]));
    let link = site.beside("link");
    symlink(&log, &link).unwrap();
    let ran = site.run(&["--report", link.to_str().unwrap()]);
    assert_eq!((ran.code, fs::read(&log).unwrap()), (Some(2), text(5).0), "{ran:?}");
}

#[test]
fn what_the_run_goes_by_is_not_written_over_in_the_mirror() {
    let site = Site::new();
    site.file("a.log", text(5).0);
    site.file("rules.toml", "# as somebody logged them\n");
    let (into, rules) = (site.beside("into"), site.beside("into/rules.toml"));
    fs::create_dir(&into).unwrap();
    fs::write(&rules, crate::site::RULES).unwrap();
    let [rules_name, tree, into] = [&rules, &site.tree, &into].map(|path| path.to_str().unwrap());
    is_refused(&site, &ran(program(&["archive", "-r", rules_name, tree, "--into", into])));
    assert_eq!(fs::read(&rules).unwrap(), crate::site::RULES.as_bytes());
}

#[test]
fn what_lies_in_the_mirror_is_told_before_it_is_replaced() {
    let site = Site::new();
    site.file("a.log", text(5).0);
    site.file("deep/b.log", text(5).0);
    let into = site.beside("into");
    fs::create_dir(&into).unwrap();
    let into_name = into.to_str().unwrap();
    let start = "logscrub: --into: files that lie there already and are replaced: ";
    let told = || {
        let ran = site.run(&["--into", into_name]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.stderr.lines().find_map(|line| line.strip_prefix(start)).map(str::to_owned)
    };
    fs::write(into.join("other.log"), "keep me\n").unwrap();
    assert_eq!(told(), None);
    fs::remove_file(into.join("deep/b.log")).unwrap();
    fs::write(into.join("a.log"), "keep me\n").unwrap();
    assert_eq!(told().unwrap(), "1");
    assert_eq!(told().unwrap(), "2");
    assert_eq!(fs::read(into.join("other.log")).unwrap(), b"keep me\n");

    let report = into.join("report.json");
    let ran = site.run(&["--into", into_name, "--report", report.to_str().unwrap()]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("it lies where the new files go"), "{ran:?}");
}
