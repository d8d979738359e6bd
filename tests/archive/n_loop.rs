//! The N-loop: the program is killed, or a call fails, at every index of every system call until a run completes untouched.
//!
//! After each run the file is the old one or the new one, and the next run completes and leaves nothing behind.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::site::{Form, Site, program, ran, text};
use crate::traced::{Ended, calls, can_trace, traced};

const CALLS: [&str; 21] = [
    "getdents64",
    "open",
    "openat",
    "read",
    "write",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "linkat",
    "unlink",
    "unlinkat",
    "fchmod",
    "fchown",
    "close",
    "flock",
    "fsetxattr",
    "utimensat",
    "mkdir",
    "mkdirat",
];

/// What happens at a call. The last one lies: the call says that a byte was written, and none was.
const FAULTS: [(&str, &str); 4] =
    [("KILL", "signal=KILL"), ("ENOSPC", "error=ENOSPC"), ("EIO", "error=EIO"), ("lie", "retval=1")];

/// The call that may lie.
const LIED: &str = "write";

/// Fewer points than this, and the loop has missed something.
const FLOOR: usize = 600;

const LEFT_BEHIND: &str = ".logscrub-0123456789abcdef";

/// A run that was touched, and what it left.
struct Point {
    form: Form,
    call: &'static str,
    n: usize,
    fault: &'static str,
    ended: Ended,
    state: &'static str,
}

/// A fresh place with one file, which has attributes and another owner, and with what an earlier run left behind.
fn fresh(form: Form, old: &[u8]) -> (Site, PathBuf) {
    let site = Site::new();
    let path = site.file("a.log", form.encoded(old));
    let file = fs::File::open(&path).unwrap();
    file.set_permissions(fs::Permissions::from_mode(0o640)).unwrap();
    // Not every file system has them; then there is no call to fail.
    let _ = rustix::fs::fsetxattr(&file, "user.note", b"kept", rustix::fs::XattrFlags::empty());
    if rustix::process::geteuid().is_root() {
        chown(&path, Some(65_534), Some(65_534)).unwrap();
    }
    site.file(LEFT_BEHIND, "left behind\n");
    (site, path)
}

fn state(form: Form, path: &Path, old: &[u8], new: &[u8]) -> &'static str {
    match fs::read(path) {
        Ok(bytes) if bytes == form.encoded(old) => "old",
        Ok(bytes) if form.decoded(&bytes).is_some_and(|text| text == new) => "new",
        Ok(_) => "BROKEN",
        Err(_) => "GONE",
    }
}

/// How often each call was made before the program hid its memory, which is the first that it does: what is before is start-up.
pub(crate) fn start_up() -> BTreeMap<String, usize> {
    let (site, _) = fresh(Form::Plain, &text(10).0);
    let (ended, trace) = traced(&[], &site.args_with_journal(&["-j1"]), &site.beside("trace"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let calls = calls(&trace);
    let first = calls.iter().position(|call| call.line.contains("PR_SET_DUMPABLE")).unwrap();
    let mut counts = BTreeMap::new();
    for call in &calls[..first] {
        *counts.entry(call.name.clone()).or_default() += 1;
    }
    counts
}

/// One run with a fault; none if it was not touched. What is wrong goes into `wrong`.
fn point(
    form: Form,
    call: &'static str,
    n: usize,
    fault: (&'static str, &str),
    texts: &(Vec<u8>, Vec<u8>),
    wrong: &mut Vec<String>,
) -> Option<Point> {
    let (old, new) = texts;
    let (site, path) = fresh(form, old);
    let inject = format!("inject={call}:{}:when={n}", fault.1);
    let (only, args) = (format!("trace={call}"), site.args_with_journal(&["-j1"]));
    let (ended, trace) = traced(&["-e", &only, "-e", &inject], &args, &site.beside("trace"));
    let state = state(form, &path, old, new);
    let was_touched = ended.signal.is_some() || trace.contains("INJECTED");
    let mut check = |is_right: bool, what: &str| {
        if !is_right {
            wrong.push(format!("{what}: {state}: {form:?} {call} {n} {}: {ended:?}\n{trace}", fault.0));
        }
    };
    check(is_right_end(fault.0, call, was_touched, &ended, state), "its end");
    check(!ended.stderr.contains("ana1@"), "it shows a value");
    check(site.leftovers().iter().all(|left| may_be_left(left, form, call, &ended)), "what it left");
    let again = site.run_with_journal(&["-j1"]);
    check(again.code == Some(0), &format!("again: {again:?}"));
    check(self::state(form, &path, old, new) == "new", "again: the file");
    check(site.leftovers().is_empty(), "again: something is left");
    was_touched.then_some(Point { form, call, n, fault: fault.0, ended, state })
}

fn is_right_end(fault: &str, call: &str, was_touched: bool, ended: &Ended, state: &str) -> bool {
    let is_whole = matches!(state, "old" | "new");
    match (ended.signal, ended.code) {
        _ if !was_touched => ended.code == Some(0) && state == "new",
        (Some(9), None) => fault == "KILL" && is_whole,
        (None, Some(0)) => fault != "KILL" && state == "new",
        // The name was changed already, and nobody knows whether the disk has it.
        (None, Some(4)) if call == "fsync" => {
            is_whole
                && (state == "new") == ended.stderr.contains("a.log: rewritten, but perhaps not on the disk")
        }
        // Of a directory that cannot be listed to its end, what was listed is scrubbed.
        (None, Some(3)) if call == "getdents64" => is_whole && ended.stderr.contains("/tree: "),
        (None, Some(1..=4)) => fault != "KILL" && state == "old",
        _ => false,
    }
}

/// A run that lives removes what it made; one that was killed leaves what its owner alone can read, and nothing raw.
fn may_be_left(left: &Path, form: Form, call: &str, ended: &Ended) -> bool {
    let mode = fs::metadata(left).unwrap().mode() & 0o777;
    let holds_raw = || {
        form == Form::Plain && String::from_utf8(fs::read(left).unwrap()).unwrap().contains("@example.com")
    };
    let is_of_earlier_run = left.ends_with(LEFT_BEHIND);
    // The mode is that of the old file from the last steps on.
    is_of_earlier_run
        || (ended.signal.is_some() || call == "unlinkat") && matches!(mode, 0o600 | 0o640) && !holds_raw()
}

/// All indices of one call with one fault, from the first after start-up.
fn sweep(
    form: Form,
    call: &'static str,
    fault: (&'static str, &str),
    first: usize,
    texts: &(Vec<u8>, Vec<u8>),
    wrong: &mut Vec<String>,
) -> Vec<Point> {
    const MOST: usize = 1000;
    let points: Vec<Point> = (first..MOST).map_while(|n| point(form, call, n, fault, texts, wrong)).collect();
    assert!(points.len() < MOST - first, "{form:?} {call}: it never completes");
    points
}

#[test]
fn a_file_is_old_or_new_whatever_call_fails_and_whenever_it_is_killed() {
    if !can_trace() {
        return;
    }
    // More than one buffer of the program, where the size of the file is that of the text.
    let (plain, packed) = (text(3000), text(600));
    let mut work = Vec::new();
    let counts = start_up();
    for form in Form::ALL {
        for call in CALLS {
            let first = counts.get(call).copied().unwrap_or(0) + 1;
            let faults = FAULTS.iter().filter(|fault| match fault.0 {
                "lie" => call == LIED,
                // It is read in very many pieces, and a second error does the same.
                "ENOSPC" => form != Form::Zip,
                _ => true,
            });
            work.extend(faults.map(|fault| (form, call, *fault, first)));
        }
    }
    let (work, seen) = (Mutex::new(work.into_iter()), Mutex::new((Vec::new(), Vec::new())));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some((form, call, fault, first)) = { work.lock().unwrap().next() } {
                    let mut wrong = Vec::new();
                    let texts = if form == Form::Plain { &plain } else { &packed };
                    let swept = sweep(form, call, fault, first, texts, &mut wrong);
                    let mut seen = seen.lock().unwrap();
                    seen.0.extend(swept);
                    seen.1.extend(wrong);
                }
            });
        }
    });
    let (mut points, wrong) = seen.into_inner().unwrap();
    points.sort_by_key(|point| (point.form as u8, point.call, point.fault, point.n));
    write_table(&points);
    assert!(wrong.is_empty(), "{} points are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(points.len() >= FLOOR, "only {} points", points.len());
}

/// A run into another directory with a fault: the old file stays, the new one is whole or not there. Whether it was touched.
fn into_elsewhere(call: &str, n: usize, fault: &str, texts: &(Vec<u8>, Vec<u8>)) -> bool {
    let (old, new) = texts;
    let (site, path) = fresh(Form::Gzip, old);
    let (into, raw) = (site.beside("into"), fs::read(&path).unwrap());
    fs::create_dir(&into).unwrap();
    let inject = format!("inject={call}:{fault}:when={n}");
    let (only, args) = (format!("trace={call}"), site.args(&["-j1", "--into", into.to_str().unwrap()]));
    let (ended, trace) = traced(&["-e", &only, "-e", &inject], &args, &site.beside("trace"));
    let is_new =
        || fs::read(into.join("a.log")).ok().map(|bytes| Form::Gzip.decoded(&bytes).unwrap() == *new);
    let told = format!("{call} {n} {fault}: {ended:?} {trace}");
    assert!(fs::read(&path).unwrap() == raw && is_new() != Some(false), "{told}");
    assert!(ended.signal.is_some() || matches!(ended.code, Some(0..=4)), "{told}");
    assert!(ended.code != Some(0) || is_new() == Some(true), "{told}");
    let again = ran(program(&args));
    assert_eq!((again.code, is_new()), (Some(0), Some(true)), "{told}");
    let names: Vec<_> = fs::read_dir(&into).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["a.log"], "{told}");
    ended.signal.is_some() || trace.contains("INJECTED")
}

#[test]
fn another_directory_gets_whole_files_or_none() {
    if !can_trace() {
        return;
    }
    let texts = text(1000);
    let counts = start_up();
    let mut points = 0;
    for call in CALLS {
        for fault in ["signal=KILL", "error=EIO"] {
            let first = counts.get(call).copied().unwrap_or(0) + 1;
            points += (first..1000).take_while(|n| into_elsewhere(call, *n, fault, &texts)).count();
        }
    }
    assert!(points > 60, "only {points} points");
    println!("{points} points");
}

fn write_table(points: &[Point]) {
    let mut table = String::from("codec\tcall\tN\tfault\tend\tstate\n");
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    for Point { form, call, n, fault, ended, state } in points {
        let end =
            ended.code.map_or_else(|| format!("signal {}", ended.signal.unwrap()), |code| code.to_string());
        writeln!(table, "{form:?}\t{call}\t{n}\t{fault}\t{end}\t{state}").unwrap();
        *states.entry(state).or_default() += 1;
    }
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("archive-n-loop.tsv");
    fs::write(&path, table).unwrap();
    println!("{} points, {states:?}: {}", points.len(), path.display());
}

#[test]
fn a_search_outlives_a_directory_that_cannot_be_closed() {
    if !can_trace() {
        return;
    }
    let (site, _) = fresh(Form::Plain, &text(10).0);
    let args = ["scan", "-q", site.tree.to_str().unwrap()];
    let is_hit = |n: &usize| {
        let inject = format!("inject=close:error=EIO:when={n}");
        let (ended, trace) = traced(&["-e", "trace=close", "-e", &inject], &args, &site.beside("trace"));
        assert!(matches!(ended.code, Some(0..=4)), "{n}: {ended:?}\n{trace}");
        trace.contains("INJECTED")
    };
    let first = start_up().get("close").copied().unwrap_or(0) + 1;
    assert!((first..1000).take_while(is_hit).count() > 0);
}
