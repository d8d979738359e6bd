//! Runs over many files that are ended, run twice at once, or only counted.

use std::fs;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::site::{Form, Site, picture, program, text};

const FILES: usize = 120;

fn many(site: &Site, lines: usize) -> Vec<(PathBuf, Form)> {
    let (old, _) = text(lines);
    let files = (0..FILES).map(|n| {
        let form = Form::ALL[n % Form::ALL.len()];
        (site.file(format!("{}/{n}.log", n % 7), form.encoded(&old)), form)
    });
    files.collect()
}

/// How many files are the new ones; each must be that or the old one.
fn new_files(files: &[(PathBuf, Form)], lines: usize) -> usize {
    let (old, new) = text(lines);
    let is_new = |(path, form): &&(PathBuf, Form)| {
        let now = form.decoded(&fs::read(path).unwrap()).unwrap();
        assert!(now == old || now == new, "{path:?}");
        now == new
    };
    files.iter().filter(is_new).count()
}

fn told(child: &mut Child) -> String {
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn ctrl_c_leaves_files_that_are_old_or_new() {
    const LINES: usize = 600;
    for (by, jobs) in [(Signal::INT, "-j1"), (Signal::TERM, "-j2")] {
        let site = Site::new();
        let files = many(&site, LINES);
        let first = fs::read(&files[0].0).unwrap();
        let mut child = program(&site.args_with_journal(&[jobs])).stderr(Stdio::piped()).spawn().unwrap();
        while fs::read(&files[0].0).unwrap() == first && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        kill_process(Pid::from_child(&child), by).unwrap();
        let told = told(&mut child);
        assert_eq!(child.wait().unwrap().signal(), Some(by.as_raw()), "{told}");
        let done = new_files(&files, LINES);
        assert!(told.contains(" not reached") && done < FILES, "{done} files: {told}");
        assert!(site.leftovers().is_empty());
        let again = site.run_with_journal(&[]);
        assert_eq!(again.code, Some(0), "{again:?}");
        assert!(again.stderr.contains(&format!("{done} not due")), "{done}: {again:?}");
        assert_eq!(new_files(&files, LINES), FILES);
        assert!(site.leftovers().is_empty());
    }
}

#[test]
fn a_dry_run_changes_nothing_and_counts_the_same() {
    let site = Site::new();
    many(&site, 20);
    site.file("nothing.log", "no address\n");
    site.file("binary.log", b"a\0b");
    site.file("broken.log", &Form::Gzip.encoded(&text(200).0)[..300]);
    let before = picture(&site.tree);
    let dry = site.run_with_journal(&["--dry-run"]);
    assert_eq!(picture(&site.tree), before);
    let real = site.run_with_journal(&[]);
    assert_eq!((dry.code, real.code), (Some(3), Some(3)), "{dry:?} {real:?}");
    let last = |text: &str| text.lines().last().unwrap().to_owned();
    assert_eq!(last(&dry.stderr).replace("to rewrite", "rewritten"), last(&real.stderr));
    assert!(last(&real.stderr).contains(&format!("{FILES} rewritten, 1 unchanged")), "{real:?}");
    let count = |row: &str| row.rsplit_once(' ').unwrap().1.parse::<usize>().unwrap();
    assert_eq!(dry.stdout.lines().skip(1).map(count).sum::<usize>(), FILES * 20, "{dry:?}");
}

#[test]
fn two_runs_at_once_on_one_tree_do_no_harm() {
    const LINES: usize = 300;
    let site = Site::new();
    let files = many(&site, LINES);
    let (one, other) = (site.beside("one"), site.beside("other"));
    let start = |journal: &PathBuf| {
        let args = site.args(&["-j2", "--journal", journal.to_str().unwrap()]);
        program(&args).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut children = [start(&one), start(&other)];
    for child in &mut children {
        let told = told(child);
        assert!(matches!(child.wait().unwrap().code(), Some(0 | 1)), "{told}");
    }
    new_files(&files, LINES);
    assert!(site.leftovers().is_empty());
    let again = site.run(&[]);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert_eq!(new_files(&files, LINES), FILES);
    assert!(site.leftovers().is_empty());
}
