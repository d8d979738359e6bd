//! Files with several names: left out, or all names get the new file, whatever happens in between.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use crate::n_loop::start_up;
use crate::site::{Site, text};
use crate::traced::{can_trace, traced};

const ALL: [&str; 3] = ["-j1", "--hardlinks", "rewrite-all"];

/// A file with three names in two directories.
fn linked(site: &Site) -> [PathBuf; 3] {
    let first = site.file("0/a.log", text(20).0);
    let others = ["0/b.log", "1/c.log"].map(|name| site.tree.join(name));
    fs::create_dir(site.tree.join("1")).unwrap();
    others.iter().for_each(|other| fs::hard_link(&first, other).unwrap());
    let [second, third] = others;
    [first, second, third]
}

#[test]
fn all_names_get_the_new_file_if_all_are_there() {
    let site = Site::new();
    let names = linked(&site);
    let ino = || names.each_ref().map(|name| fs::metadata(name).unwrap().ino());
    let before = ino()[0];
    let refused = site.run(&["-j1"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert_eq!(refused.stderr.matches("it has a second name (a hard link)").count(), 3);
    assert_eq!(ino(), [before; 3]);
    let dry = site.run(&[&ALL[..], &["-n"]].concat());
    assert!(dry.code == Some(0) && dry.stderr.contains("1 to rewrite"), "{dry:?}");
    let report = site.beside("report.json");
    let done = site.run_with_journal(&[&ALL[..], &["--report", report.to_str().unwrap()]].concat());
    assert!(done.code == Some(0) && done.stderr.contains("1 rewritten"), "{done:?}");
    let after = ino()[0];
    assert!(after != before && ino() == [after; 3]);
    names.iter().for_each(|name| assert!(fs::read(name).unwrap() == text(20).1));
    assert!(fs::read_to_string(report).unwrap().contains("\"hard_links\":["));
    let again = site.run_with_journal(&ALL);
    assert!(again.code == Some(0) && again.stderr.contains("1 not due"), "{again:?}");
    assert!(site.leftovers().is_empty());
}

#[test]
fn a_name_elsewhere_or_under_other_rules_keeps_all_as_they_are() {
    let elsewhere = |site: &Site, names: &[PathBuf; 3]| {
        fs::hard_link(&names[0], site.beside("outside.log")).unwrap();
        Vec::new()
    };
    let excluded = |_: &Site, _: &[PathBuf; 3]| vec!["--exclude", "c.log"];
    let sourced = |site: &Site, _: &[PathBuf; 3]| {
        let rules = fs::read_to_string(site.beside("rules.toml")).unwrap();
        fs::write(site.beside("other.toml"), &rules).unwrap();
        let source = "[[source]]\npath = '**/c.log'\nrules = 'other.toml'\n";
        fs::write(site.beside("rules.toml"), format!("{rules}{source}")).unwrap();
        Vec::new()
    };
    let held = |site: &Site, _: &[PathBuf; 3]| {
        let rules = fs::read_to_string(site.beside("rules.toml")).unwrap();
        let hold = "[[hold]]\nname = 'claim'\npath = ['**/c.log']\nuntil = 2999-01-01\n";
        fs::write(site.beside("rules.toml"), format!("{rules}{hold}")).unwrap();
        Vec::new()
    };
    type Prepare = fn(&Site, &[PathBuf; 3]) -> Vec<&'static str>;
    let cases: [Prepare; 4] = [elsewhere, excluded, sourced, held];
    for (at, prepare) in cases.into_iter().enumerate() {
        let site = Site::new();
        let names = linked(&site);
        let more = prepare(&site, &names);
        let ran = site.run(&[&ALL[..], &more].concat());
        assert_eq!(ran.code, Some(1), "{at}: {ran:?}");
        names.iter().for_each(|name| assert!(fs::read(name).unwrap() == text(20).0, "{at}: {ran:?}"));
    }
}

#[test]
fn each_name_is_old_or_new_whenever_it_is_killed_or_a_call_fails() {
    if !can_trace() {
        return;
    }
    let (old, new) = text(20);
    let (mut points, mut mixed) = (0, 0);
    let counts = start_up();
    for call in ["openat", "linkat", "renameat", "fsync", "unlinkat"] {
        for fault in ["signal=KILL", "error=EIO"] {
            let first = counts.get(call).copied().unwrap_or(0) + 1;
            for n in first..200 {
                let site = Site::new();
                let names = linked(&site);
                let inject = format!("inject={call}:{fault}:when={n}");
                let only = format!("trace={call}");
                let args = site.args_with_journal(&ALL);
                let (ended, trace) = traced(&["-e", &only, "-e", &inject], &args, &site.beside("trace"));
                let told = format!("{call} {n} {fault}: {ended:?}\n{trace}");
                let news = names.iter().filter(|name| {
                    let bytes = fs::read(name).unwrap();
                    assert!(bytes == old || bytes == new, "{told}");
                    bytes == new
                });
                let news = news.count();
                mixed += usize::from(news % 3 > 0);
                assert!(ended.code != Some(0) || news == 3, "{told}");
                assert!(
                    ended.code.is_none_or(|code| code <= 5) && (news == 0 || ended.code != Some(1)),
                    "{told}"
                );
                assert!(!ended.stderr.contains("left as it is") || news == 0, "{told}");
                let again = site.run_with_journal(&ALL);
                assert_eq!(again.code, Some(0), "again: {again:?}\n{told}");
                names
                    .iter()
                    .for_each(|name| assert!(fs::read(name).unwrap() == new, "again: {again:?}\n{told}"));
                assert!(site.leftovers().is_empty(), "{told}");
                if ended.signal.is_none() && !trace.contains("INJECTED") {
                    break;
                }
                points += 1;
            }
        }
    }
    assert!(points > 30 && mixed > 3, "{points} points, {mixed} of them between old and new");
}
