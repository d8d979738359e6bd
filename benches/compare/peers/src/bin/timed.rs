//! Runs a command and says on standard error what it took: seconds from its start to its end, seconds of CPU, peak
//! memory in KiB, exit code. The kernel charges a program with the memory of whatever started it: this is small, an
//! interpreter is not.

use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

fn main() {
    let mut command = std::env::args_os().skip(1);
    let mut program = Command::new(command.next().expect("a command"));
    program.args(command).stderr(Stdio::null());
    let start = Instant::now();
    let status = program.status().expect("the command starts");
    let seconds = start.elapsed().as_secs_f64();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the kernel counts");
    let cpu = (usage.user_time() + usage.system_time()).num_microseconds() as f64 / 1e6;
    eprintln!("{seconds} {cpu} {} {}", usage.max_rss(), status.code().unwrap_or(-1));
}
