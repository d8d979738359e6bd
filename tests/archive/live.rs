//! Files that others write to while they are rewritten.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::site::{Form, PROGRAM, Site, program, text};
use crate::traced::can_trace;
use crate::waiting::until;

/// After so long the system takes a lease away from who does not give it up.
const LEASE_BREAK: Duration = Duration::from_secs(45);

fn append(path: &Path, line: &str) {
    File::options().append(true).open(path).unwrap().write_all(line.as_bytes()).unwrap();
}

#[test]
fn a_file_that_is_open_for_writing_is_left_alone() {
    for form in Form::ALL {
        let site = Site::new();
        let old = form.encoded(&text(5).0);
        let path = site.file("a.log", &old);
        let mut writer = File::options().append(true).open(&path).unwrap();
        let ran = site.run_with_journal(&[]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.stderr.contains("a.log: not scrubbed: somebody has it open for writing"), "{ran:?}");
        assert_eq!(fs::read(&path).unwrap(), old);
        writer.write_all(b"one more line\n").unwrap();
        drop(writer);
        assert!(fs::read(&path).unwrap().ends_with(b"one more line\n"));
    }
}

#[test]
fn who_opens_the_file_during_the_run_is_not_kept_waiting_and_loses_nothing() {
    let site = Site::new();
    let (old, new) = text(200_000);
    let path = site.file("a.log", &old);
    let mut child = program(&site.args(&["-j1"])).stderr(Stdio::piped()).spawn().unwrap();
    until(|| site.leftovers().pop());
    let start = Instant::now();
    append(&path, "one more line\n");
    assert!(start.elapsed() < LEASE_BREAK / 3, "{:?}", start.elapsed());
    let code = child.wait().unwrap().code();
    let (live, replaced) = ([&old[..], b"one more line\n"].concat(), [&new[..], b"one more line\n"].concat());
    let now = fs::read(&path).unwrap();
    assert!(code == Some(1) && now == live || code == Some(0) && now == replaced, "{code:?}");
    assert!(site.leftovers().is_empty());
}

/// A run that is stopped when it is about to write the new file to the disk: all but the last checks is done.
struct Stopped {
    strace: Child,
    program: Pid,
}

impl Stopped {
    fn start(site: &Site) -> Stopped {
        let trace = site.beside("trace");
        let mut command = Command::new("strace");
        command.args(["-f", "-q", "-e", "trace=fsync", "-e", "inject=fsync:signal=STOP:when=1", "-o"]);
        command.arg(&trace).arg(PROGRAM).args(site.args(&["-j1"]));
        let strace = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let program = until(|| {
            let trace = fs::read_to_string(&trace).unwrap_or_default();
            let line = trace.lines().find(|line| line.contains("stopped by SIGSTOP"))?;
            line.split_whitespace().next()?.parse().ok()
        });
        Stopped { strace, program: Pid::from_raw(program).unwrap() }
    }

    fn go_on(self) -> (Option<i32>, String) {
        kill_process(self.program, Signal::CONT).unwrap();
        let output = self.strace.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }
}

/// Changes the file of a stopped run, which then must leave it as that change made it.
fn changed_meanwhile(change: impl Fn(&Path)) {
    let site = Site::new();
    let path = site.file("a.log", text(5).0);
    let stopped = Stopped::start(&site);
    change(&path);
    let (now, about) = (fs::read(&path).unwrap(), path.symlink_metadata().unwrap());
    let (code, told) = stopped.go_on();
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("a.log: not scrubbed: it was changed meanwhile"), "{told}");
    assert_eq!(fs::read(&path).unwrap(), now);
    assert_eq!(path.symlink_metadata().unwrap().ino(), about.ino());
    assert_eq!(site.leftovers(), [] as [PathBuf; 0]);
}

#[test]
fn a_file_that_is_replaced_or_changed_before_the_last_step_is_left_alone() {
    if !can_trace() {
        return;
    }
    changed_meanwhile(|path| {
        let other = path.parent().unwrap().join("other.log");
        fs::write(&other, "no address\n").unwrap();
        fs::rename(other, path).unwrap();
    });
    changed_meanwhile(|path| fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap());
    changed_meanwhile(|path| fs::hard_link(path, path.parent().unwrap().join(".second-name")).unwrap());
    changed_meanwhile(|path| {
        let folder = path.parent().unwrap();
        fs::rename(path, folder.join(".aside")).unwrap();
        std::os::unix::fs::symlink(".aside", path).unwrap();
    });
}

#[test]
fn a_file_that_goes_before_the_last_step_does_not_come_back() {
    if !can_trace() {
        return;
    }
    let site = Site::new();
    let path = site.file("a.log", text(5).0);
    let stopped = Stopped::start(&site);
    fs::remove_file(&path).unwrap();
    let (code, told) = stopped.go_on();
    assert_eq!(code, Some(1), "{told}");
    assert!(!path.exists());
    assert_eq!(site.leftovers(), [] as [PathBuf; 0]);
}

/// Whether somebody waits for a lease on that file to be given up.
fn is_waited_for(path: &Path) -> bool {
    let inode = format!(":{} ", path.metadata().unwrap().ino());
    fs::read_to_string("/proc/locks")
        .is_ok_and(|held| held.lines().any(|line| line.contains("BREAKING") && line.contains(&inode)))
}

#[test]
fn what_is_appended_before_the_last_step_is_not_lost() {
    if !can_trace() {
        return;
    }
    let site = Site::new();
    let (old, _) = text(5);
    let path = site.file("a.log", &old);
    let stopped = Stopped::start(&site);
    let writer = {
        let path = path.clone();
        std::thread::spawn(move || append(&path, "one more line\n"))
    };
    until(|| (writer.is_finished() || is_waited_for(&path)).then_some(()));
    let (code, told) = stopped.go_on();
    writer.join().unwrap();
    assert_eq!(code, Some(1), "{told}");
    assert_eq!(fs::read(&path).unwrap(), [&old[..], b"one more line\n"].concat());
    assert_eq!(site.leftovers(), [] as [PathBuf; 0]);
}
