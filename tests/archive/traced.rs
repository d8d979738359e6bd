//! The program under strace: what it calls, and what becomes of it if a call fails.

use std::ffi::OsStr;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::OnceLock;

use crate::site::PROGRAM;

/// Whether there is a strace that may trace. Says so if not.
pub(crate) fn can_trace() -> bool {
    static CAN: OnceLock<bool> = OnceLock::new();
    let can = *CAN.get_or_init(|| {
        let mut command = Command::new("strace");
        command.args(["-f", "-o", "/dev/null", "true"]).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    });
    if !can {
        println!("passed over: strace is not installed, or may not trace");
    }
    can
}

/// Whether names can be read in a trace: the memory of the program is for root alone. Says so if not.
pub(crate) fn can_read_names() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        println!("passed over: only root sees names in a trace");
    }
    can_trace() && is_root
}

/// One call of the main thread.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// All of the line but the process.
    pub(crate) line: String,
}

/// The calls of the main thread in a trace, in order.
pub(crate) fn calls(trace: &str) -> Vec<Call> {
    let main = trace.split_whitespace().next().unwrap_or_default().to_owned();
    let of_main = trace.lines().filter_map(|line| line.strip_prefix(&main)).map(str::trim_start);
    let is_call = |line: &&str| !line.starts_with(['+', '-', '<']);
    of_main
        .filter(is_call)
        .map(|line| Call {
            name: line.split('(').next().unwrap_or_default().to_owned(),
            line: line.to_owned(),
        })
        .collect()
}

/// Runs the program under a umask that forbids nothing, under strace with these options of strace; how it ended, and the trace.
pub(crate) fn traced<A: AsRef<OsStr>>(options: &[&str], args: &[A], trace: &Path) -> (Ended, String) {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "umask 0; exec \"$0\" \"$@\"", "strace"]);
    // Strings whole enough for paths; names of descriptors.
    command.args(["-f", "-q", "-y", "-s", "200", "-o"]).arg(trace).args(options).arg(PROGRAM).args(args);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let output = command.stdin(Stdio::null()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    (Ended::of(output.status, told), String::from_utf8_lossy(&std::fs::read(trace).unwrap()).into_owned())
}

#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) stderr: String,
}

impl Ended {
    fn of(status: ExitStatus, stderr: String) -> Ended {
        Ended { code: status.code(), signal: status.signal(), stderr }
    }
}
