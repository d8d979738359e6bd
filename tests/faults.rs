//! Faults around a real process: closed, full, slow and non-blocking descriptors, signals, kills, memory.
//!
//! Nothing sleeps: each test waits for what it needs to see, at most [`PATIENCE`]. `LOGSCRUB_BIG=1` runs the
//! memory tests at full size; that is for `--release`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod waiting;

use std::fs::{self, File};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;

use logscrub::codec::{Codec, Encoding};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};
use waiting::{PATIENCE, until};

const PROGRAM: &str = env!("CARGO_BIN_EXE_logscrub");

fn logscrub(args: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(args).env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Through a shell that does something to the descriptors or signals before it becomes the program.
fn through_shell(before: &str, redirections: &str, args: &[&str]) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(format!("{before}\nexec \"$0\" \"$@\" {redirections}")).arg(PROGRAM).args(args);
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn end(mut child: Child) -> ExitStatus {
    until(|| child.try_wait().unwrap())
}

/// One line, which must come without any more input.
fn line(from: &mut PipeReader) -> String {
    let mut text = Vec::new();
    while text.last() != Some(&b'\n') {
        let timeout = Timespec::try_from(PATIENCE).unwrap();
        let ready = poll(&mut [PollFd::new(from, PollFlags::IN)], Some(&timeout)).unwrap();
        assert!(ready == 1, "no line came after {:?}", String::from_utf8_lossy(&text));
        let mut byte = [0];
        assert_eq!(from.read(&mut byte).unwrap(), 1, "the output ended after {text:?}");
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn all(mut from: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// Feeds bytes in writes of so many; the reader may go away.
fn feed(mut into: impl Write + Send + 'static, bytes: Vec<u8>, chunk: usize) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let _ = bytes.chunks(chunk).try_for_each(|chunk| into.write_all(chunk));
    })
}

/// A child with pipes at both ends.
fn piped(mut command: Command) -> (Child, PipeWriter, PipeReader) {
    let (stdin, into) = io::pipe().unwrap();
    let (from, stdout) = io::pipe().unwrap();
    let child = command.stdin(stdin).stdout(stdout).spawn().unwrap();
    (child, into, from)
}

/// Waits until the pipe takes no more: whoever writes to it is blocked, or told to wait.
fn until_full(pipe: &PipeReader) {
    until(|| (rustix::io::ioctl_fionread(pipe).unwrap() >= 60 << 10).then_some(()));
}

/// Mixed lines, the same each time: text, JSON, broken JSON, CRLF, empty ones, some bytes that are no text.
fn mixed(bytes: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes + 400);
    let mut state = 88_172_645_463_325_252_u64;
    while out.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let (a, b) = (state >> 8 & 255, state >> 16 & 255);
        match state % 11 {
            0 => writeln!(out, "2026-01-01T00:00:00Z user{a}@example.com from 203.0.113.{b}").unwrap(),
            1 => writeln!(
                out,
                "{{\"ip\":\"198.51.100.{a}\",\"n\":{state},\"m\":\"to u{b}\\u0040example.org\"}}"
            )
            .unwrap(),
            2 => writeln!(out, "{{\"card\":4111111111111111,\"ip\":\"192.0.2.{b}\"").unwrap(),
            3 => write!(out, "GET /{a}?m=u%40example.net HTTP/1.1\r\n").unwrap(),
            4 => out.extend_from_slice(&[b'\xff', 0, a as u8 | 128, b'\n']),
            5 => out.extend_from_slice(b"\n"),
            6 => writeln!(out, "card 4111 1111 1111 1111 and 2001:db8:{a:x}::{b:x}").unwrap(),
            _ => writeln!(out, "nothing to see in line {state} of the service, {a} requests in {b} ms")
                .unwrap(),
        }
    }
    out
}

fn scrubbed(args: &[&str], input: &[u8], chunk: usize) -> Vec<u8> {
    let (child, into, from) = piped(logscrub(args));
    let output = all(from);
    feed(into, input.to_vec(), chunk).join().unwrap();
    assert_eq!(end(child).code(), Some(0));
    output.join().unwrap()
}

// ---- descriptors

#[test]
fn closed_stdout_is_a_failed_output() {
    assert_eq!(end(through_shell("", ">&-", &[]).spawn().unwrap()).code(), Some(4));
    for command in ["man", "explain", "scan"] {
        assert_eq!(end(through_shell("", ">&-", &[command]).spawn().unwrap()).code(), Some(4), "{command}");
    }
}

#[test]
fn closed_stdin_is_a_failed_input() {
    for command in [&[][..], &["scan"], &["explain"]] {
        let status = end(through_shell("", "<&-", command).spawn().unwrap());
        assert_eq!(status.code(), Some(3), "{command:?}");
    }
}

#[test]
fn what_nobody_reads_may_be_thrown_away() {
    let null = File::options().read(true).write(true).open("/dev/null").unwrap();
    let mut command = logscrub(&[]);
    command.stdin(null.try_clone().unwrap()).stdout(null);
    assert_eq!(end(command.spawn().unwrap()).code(), Some(0));
}

#[test]
fn full_disk_is_a_failed_output() {
    for args in [&[][..], &["-o", "/dev/full"], &["man"], &["--version"], &["scan", "--json"], &["explain"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut child = logscrub(args).stdin(Stdio::piped()).stdout(full).spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(b"ana@example.com\n"); // some read none of it
        assert_eq!(end(child).code(), Some(4), "{args:?}");
    }
}

#[test]
fn a_reader_that_is_gone_ends_it_by_sigpipe_and_silently() {
    for before in ["", "trap '' PIPE"] {
        for args in [&["-j1"][..], &["-j4"], &["man"], &["scan", "--json"]] {
            let (from, stdout) = io::pipe().unwrap();
            drop(from);
            let mut command = through_shell(before, "", args);
            let mut child =
                command.stdin(Stdio::piped()).stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
            feed(child.stdin.take().unwrap(), mixed(1 << 20), 1 << 16);
            let told = all(child.stderr.take().unwrap());
            assert_eq!(end(child).signal(), Some(Signal::PIPE.as_raw()), "{before} {args:?}");
            assert_eq!(told.join().unwrap(), b"", "{before} {args:?}");
        }
    }
}

#[test]
fn head_ends_it() {
    let (child, into, mut from) = piped(logscrub(&[]));
    let feeder = feed(into, mixed(4 << 20), 1 << 16);
    line(&mut from);
    drop(from);
    assert_eq!(end(child).signal(), Some(Signal::PIPE.as_raw()));
    feeder.join().unwrap();
}

#[test]
fn stderr_does_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let good = folder.path().join("good.log");
    fs::write(&good, "ana@example.com\n").unwrap();
    for redirection in ["2>&-", "2>/dev/full"] {
        let mut command = through_shell("", redirection, &["--stats", "no.log", good.to_str().unwrap()]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let output = all(child.stdout.take().unwrap());
        assert_eq!(end(child).code(), Some(3), "{redirection}");
        assert_eq!(output.join().unwrap(), b"[email]\n", "{redirection}");
    }
}

#[test]
fn closed_stderr_takes_no_output_file_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.log");
    let args = ["--stats", "-o", out.to_str().unwrap(), "no.log"];
    assert_eq!(end(through_shell("", "2>&- >&- <&-", &args).spawn().unwrap()).code(), Some(3));
    assert_eq!(fs::read(&out).unwrap(), b"");
}

#[test]
fn non_blocking_output_is_waited_for() {
    for threads in ["-j1", "-j2"] {
        let (stdin, into) = io::pipe().unwrap();
        let (mut from, stdout) = io::pipe().unwrap();
        rustix::io::ioctl_fionbio(&stdout, true).unwrap();
        let input = mixed(1 << 20);
        let expected = scrubbed(&["-j1"], &input, 1 << 16);
        let child = logscrub(&[threads]).stdin(stdin).stdout(stdout).spawn().unwrap();
        let feeder = feed(into, input, 1 << 16);
        until_full(&from);
        let mut output = Vec::new();
        from.read_to_end(&mut output).unwrap();
        feeder.join().unwrap();
        assert_eq!(end(child).code(), Some(0));
        assert!(output == expected);
    }
}

#[test]
fn non_blocking_input_is_waited_for() {
    for threads in ["-j1", "-j2"] {
        let (stdin, mut into) = io::pipe().unwrap();
        rustix::io::ioctl_fionbio(&stdin, true).unwrap();
        let (mut from, stdout) = io::pipe().unwrap();
        let child = logscrub(&[threads]).stdin(stdin).stdout(stdout).spawn().unwrap();
        for _ in 0..3 {
            into.write_all(b"ana@example.com\n").unwrap();
            assert_eq!(line(&mut from), "[email]\n");
        }
        drop(into);
        assert_eq!(end(child).code(), Some(0));
    }
}

#[test]
fn a_line_comes_out_before_the_next_goes_in() {
    for args in [&["-j1"][..], &["-j4"], &["scan", "-q"]] {
        let (child, mut into, mut from) = piped(logscrub(args));
        for _ in 0..3 {
            into.write_all(b"mail ana@example.com\nhalf a li").unwrap();
            assert!(line(&mut from).ends_with("mail [email]\n"), "{args:?}");
            into.write_all(b"ne of bob@example.com\n").unwrap();
            assert!(line(&mut from).ends_with("half a line of [email]\n"), "{args:?}");
        }
        drop(into);
        end(child);
    }
}

#[test]
fn explain_answers_each_line() {
    let (child, mut into, mut from) = piped(logscrub(&["explain"]));
    into.write_all(b"ana@example.com\n").unwrap();
    while line(&mut from) != "  -> [email]\n" {}
    drop(into);
    assert_eq!(end(child).code(), Some(0));
}

#[test]
fn it_may_run_alone_in_the_dark() {
    // No environment, no folder to be in, no terminal, few descriptors.
    let folder = tempfile::tempdir().unwrap();
    let gone = folder.path().join("gone");
    fs::create_dir(&gone).unwrap();
    let mut command = through_shell("rmdir ../gone\nulimit -n 16", "", &["-j2"]);
    let mut child = command.current_dir(&gone).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"ana@example.com\n").unwrap();
    let output = all(child.stdout.take().unwrap());
    assert_eq!(end(child).code(), Some(0));
    assert_eq!(output.join().unwrap(), b"[email]\n");
}

// ---- signals

/// A child that has written a first line and waits for more.
fn under_way(args: &[&str]) -> (Child, PipeWriter, PipeReader) {
    let (child, mut into, mut from) = piped(logscrub(args));
    into.write_all(b"first\n").unwrap();
    assert_eq!(line(&mut from), "first\n");
    (child, into, from)
}

#[test]
fn sigterm_drains_a_pipe_to_its_end() {
    for (threads, by) in [("-j1", Signal::TERM), ("-j2", Signal::TERM), ("-j1", Signal::INT)] {
        let (child, into, from) = under_way(&[threads]);
        signal(&child, by);
        let output = all(from);
        let lines: Vec<u8> =
            (0..10_000).flat_map(|n| format!("line {n} of ana@example.com\n").into_bytes()).collect();
        feed(into, lines, 1 << 12).join().unwrap();
        assert_eq!(end(child).code(), Some(0), "{threads}");
        let output = output.join().unwrap();
        assert_eq!(output.split(|byte| *byte == b'\n').count(), 10_001);
        assert!(output.ends_with(b"line 9999 of [email]\n"));
    }
}

#[test]
fn a_second_signal_ends_it() {
    for threads in ["-j1", "-j2"] {
        let (child, mut into, mut from) = under_way(&[threads, "--grace", "60m"]);
        signal(&child, Signal::INT);
        into.write_all(b"second\n").unwrap();
        assert_eq!(line(&mut from), "second\n"); // so the first one was noticed
        signal(&child, Signal::TERM);
        assert_eq!(end(child).signal(), Some(Signal::TERM.as_raw()), "{threads}");
    }
}

#[test]
fn the_end_of_the_grace_ends_it() {
    for threads in ["-j1", "-j2"] {
        let (child, into, from) = under_way(&[threads, "--grace", "100ms"]);
        signal(&child, Signal::TERM);
        assert_eq!(end(child).signal(), Some(Signal::TERM.as_raw()), "{threads}");
        drop((into, from));
    }
}

#[test]
fn signals_that_were_ignored_stay_ignored() {
    let (child, mut into, mut from) = piped(through_shell("trap '' INT TERM", "", &["--grace", "0s"]));
    into.write_all(b"first\n").unwrap();
    line(&mut from);
    signal(&child, Signal::INT);
    signal(&child, Signal::TERM);
    into.write_all(b"second\n").unwrap();
    assert_eq!(line(&mut from), "second\n");
    drop(into);
    assert_eq!(end(child).code(), Some(0));
}

#[test]
fn a_signal_ends_a_regular_file_at_a_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("big.log");
    let input = mixed(3 << 20);
    fs::write(&path, &input).unwrap();
    let expected = scrubbed(&["-j1"], &input, 1 << 16);
    for threads in ["-j1", "-j2"] {
        let (from, stdout) = io::pipe().unwrap();
        let child = logscrub(&[threads, path.to_str().unwrap()]).stdout(stdout).spawn().unwrap();
        until_full(&from);
        signal(&child, Signal::INT);
        let output = all(from).join().unwrap();
        assert_eq!(end(child).signal(), Some(Signal::INT.as_raw()), "{threads}");
        assert!(output.ends_with(b"\n") && output.len() < expected.len(), "{threads}: {}", output.len());
        assert!(expected.starts_with(&output), "{threads}");
    }
}

// ---- files

/// The temporary files of the program in a folder.
fn leftovers(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with('.')).collect()
}

/// A child that has begun to write its temporary file beside `old.log`, under a umask that forbids nothing.
fn replacing(folder: &Path, args: &[&str]) -> (Child, PipeWriter, PathBuf) {
    let target = folder.join("old.log");
    fs::write(&target, "old\n").unwrap();
    let args: Vec<&str> = args.iter().copied().chain(["-o", target.to_str().unwrap()]).collect();
    let (child, mut into, _) = piped(through_shell("umask 0", "", &args));
    into.write_all(b"half of ana@example.com\n").unwrap();
    let begun = until(|| {
        leftovers(folder).into_iter().find(|path| path.metadata().is_ok_and(|about| about.len() > 0))
    });
    (child, into, begun)
}

#[test]
fn a_signal_leaves_the_old_file_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (child, into, begun) = replacing(folder.path(), &["--grace", "0s"]);
    assert_eq!(begun.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    signal(&child, Signal::TERM);
    assert_eq!(end(child).signal(), Some(Signal::TERM.as_raw()));
    assert_eq!(fs::read(folder.path().join("old.log")).unwrap(), b"old\n");
    assert_eq!(leftovers(folder.path()), [] as [PathBuf; 0]);
    drop(into);
}

#[test]
fn a_kill_leaves_the_old_file_and_nothing_that_others_can_read() {
    let folder = tempfile::tempdir().unwrap();
    let (child, into, _) = replacing(folder.path(), &[]);
    signal(&child, Signal::KILL);
    assert_eq!(end(child).signal(), Some(Signal::KILL.as_raw()));
    assert_eq!(fs::read(folder.path().join("old.log")).unwrap(), b"old\n");
    for left in leftovers(folder.path()) {
        assert_eq!(left.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read(left).unwrap(), b"half of [email]\n");
    }
    drop(into);
}

#[test]
fn a_full_disk_leaves_the_old_file() {
    // The limit of a file's size stands for the size of the disk; ignored, its signal is an error of write(2).
    for (before, code) in [("trap '' XFSZ", Some(4)), ("", None)] {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("old.log");
        fs::write(&target, "old\n").unwrap();
        let args = ["-o", target.to_str().unwrap()];
        let mut child = through_shell(&format!("{before}\nulimit -f 16"), "", &args)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        feed(child.stdin.take().unwrap(), mixed(1 << 20), 1 << 16).join().unwrap();
        assert_eq!(end(child).code(), code);
        assert_eq!(fs::read(&target).unwrap(), b"old\n");
        let left = leftovers(folder.path());
        assert!(code.is_none() || left.is_empty());
        assert!(left.iter().all(|path| path.metadata().unwrap().mode() & 0o077 == 0));
    }
}

#[test]
fn a_fifo_is_written_to_and_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut child = logscrub(&["-o", fifo.to_str().unwrap()]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"ana@example.com\n").unwrap();
    assert_eq!(fs::read(&fifo).unwrap(), b"[email]\n");
    assert_eq!(end(child).code(), Some(0));
}

#[test]
fn a_new_keyring_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyring.toml");
    let args = ["key", "new", "--keyring", path.to_str().unwrap()];
    assert_eq!(end(through_shell("umask 0", "", &args).spawn().unwrap()).code(), Some(0));
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    let made = fs::read_to_string(&path).unwrap();
    assert_eq!(end(logscrub(&args).spawn().unwrap()).code(), Some(2), "it is there already");
    assert_eq!(fs::read_to_string(&path).unwrap(), made);
    let rules = folder.path().join("r.toml");
    fs::write(
        &rules,
        "[pseudonyms]\nkeyring = \"keyring.toml\"\n[[rule]]\nfind = [\"email\"]\naction = \"hash\"\n",
    )
    .unwrap();
    let args = ["-r", rules.to_str().unwrap()];
    let hashed = |input: &[u8]| String::from_utf8(scrubbed(&args, input, 100)).unwrap();
    let one = hashed(b"ana@example.com\n");
    assert!(
        one.starts_with("[email:k") && one.ends_with("]\n") && one.len() == "[email:k------:]\n".len() + 20,
        "{one}"
    );
    assert_eq!(hashed(b"ana@example.com\nbob@example.com\n").lines().next().unwrap(), one.trim_end());
    assert_eq!(hashed(one.as_bytes()), one);
}

// ---- the same whatever happens

#[test]
fn the_output_does_not_depend_on_threads_or_on_the_sizes_of_reads() {
    let input = mixed(if is_big() { 8 << 20 } else { 1 << 20 });
    let expected = scrubbed(&["-j1"], &input, 1 << 16);
    assert!(expected != input);
    assert!(scrubbed(&["-j8"], &input, 1 << 16) == expected);
    for chunk in [4 << 10, 1 << 20] {
        for threads in ["-j1", "-j8"] {
            assert!(scrubbed(&[threads], &input, chunk) == expected, "{threads}, {chunk} bytes a write");
        }
    }
    let few = &input[..200 << 10];
    assert!(scrubbed(&["-j8"], few, 1) == scrubbed(&["-j1"], few, 1 << 20), "1 byte a write");
}

#[test]
fn a_small_record_bound_does_not_depend_on_reads_either() {
    let mut input = mixed(50 << 10);
    input.retain(|byte| *byte != b'\n');
    input.extend_from_slice(b"\nana@example.com");
    let args = ["--max-record", "4K"];
    let expected = scrubbed(&args, &input, 1 << 20);
    assert!(!String::from_utf8_lossy(&expected).contains("example.com"));
    for (threads, chunk) in [("-j1", 1), ("-j8", 1), ("-j8", 1000)] {
        assert!(scrubbed(&[args[0], args[1], threads], &input, chunk) == expected, "{threads}, {chunk}");
    }
}

#[test]
fn bytes_that_are_no_log_pass() {
    let mut state = 1_u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .map(|byte| if byte.is_ascii_graphic() { byte | 128 } else { byte })
    .take(1 << 20)
    .collect();
    assert!(scrubbed(&[], &noise, 1 << 16) == noise);
}

// ---- memory

/// Whatever the input is. In small runs also less than the input, which so is not held whole.
const MEMORY_BYTES: u64 = 64 << 20;

fn is_big() -> bool {
    std::env::var_os("LOGSCRUB_BIG").is_some()
}

/// `VmHWM`: what it took at most so far; nothing once it has ended. The `ru_maxrss` of wait4(2) is no
/// substitute: it counts what the test took when it started the child.
fn memory(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib << 10)
}

/// Feeds `piece` again and again; how it ended, how many bytes came out, how much memory it took at most.
fn stream(args: &[&str], piece: &[u8], total: u64) -> (Option<i32>, u64, u64) {
    let (child, mut into, mut from) = piped(logscrub(args));
    let counter = std::thread::spawn(move || io::copy(&mut from, &mut io::sink()).unwrap());
    let mut most = 0;
    for _ in 0..total / piece.len() as u64 {
        into.write_all(piece).unwrap();
        most = memory(&child).unwrap_or(most);
    }
    drop(into);
    // The end of the input takes memory too.
    while let Some(now) = memory(&child) {
        most = now;
    }
    (end(child).code(), counter.join().unwrap(), most)
}

fn cycled(text: &str) -> Vec<u8> {
    text.bytes().cycle().take(1 << 18).collect()
}

#[test]
fn a_line_without_end_takes_bounded_memory() {
    let total = if is_big() { 1 << 30 } else { 64 << 20 };
    let (code, out, most) = stream(&["-j2"], &cycled("words, and ana@example.com "), total);
    assert!(
        code == Some(0) && out > total / 2 && most <= MEMORY_BYTES.min(total),
        "{code:?} {out} {} MiB",
        most >> 20
    );
}

#[test]
fn no_kind_of_long_line_takes_more() {
    for text in ["x", "4111 1111 ", "{\"a\":[", "[email:", "@", "1.", "\\u0040"] {
        for args in [&["-j2"][..], &["-j1", "-r", "access-log"]] {
            let (code, _, most) = stream(args, &cycled(text), 2 << 20);
            assert!(
                code == Some(0) && most <= MEMORY_BYTES,
                "{args:?} {text:?}: {code:?} {} MiB",
                most >> 20
            );
        }
    }
}

#[test]
fn a_long_line_takes_bounded_memory_in_scan_too() {
    let total = if is_big() { 1 << 30 } else { 8 << 20 };
    let (code, out, most) = stream(&["scan", "--json"], &cycled("words, and ana@example.com "), total);
    assert!(code == Some(1) && out > 1 << 20 && most <= MEMORY_BYTES, "{code:?} {out} {} MiB", most >> 20);
}

#[test]
fn a_long_line_is_one_line_in_scan() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("a.log");
    let long = "x".repeat(3 << 20);
    fs::write(&log, format!("ana@example.com\n{long} ana@example.com\nana@example.com\n")).unwrap();
    let scan = logscrub(&["scan", "--json", log.to_str().unwrap()]).stdout(Stdio::piped()).output().unwrap();
    let lines: Vec<u64> = String::from_utf8(scan.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [1, 2, 3]);
}

#[test]
fn a_long_stream_takes_bounded_memory() {
    let total = if is_big() { 10 << 30 } else { 64 << 20 };
    let (code, out, most) = stream(&["-j2"], &mixed(1 << 20), total);
    assert!(
        code == Some(0) && out > total / 2 && most <= MEMORY_BYTES.min(total),
        "{code:?} {out} {} MiB",
        most >> 20
    );
}

#[test]
fn what_holds_far_more_than_its_bytes_takes_bounded_memory() {
    let total = if is_big() { 10 << 30 } else { 96 << 20 };
    let lines = "words, and nothing else\n".repeat(1 << 17);
    for (codec, data) in [(Codec::Gzip, vec![0; 4 << 20]), (Codec::Xz, lines.into_bytes())] {
        let mut encoder = codec.encoder(Vec::new(), &Encoding::default()).unwrap();
        encoder.write_all(&data).unwrap();
        let member = encoder.finish().unwrap();
        assert!(member.len() < data.len() / 200);
        let members = total / data.len() as u64;
        let (code, out, most) = stream(&["-j2"], &member, members * member.len() as u64);
        assert!(
            code == Some(0) && out > total / 2 && most <= MEMORY_BYTES,
            "{codec:?}: {code:?} {out} {} MiB",
            most >> 20
        );
    }
}

#[test]
fn a_slow_reader_holds_the_producer_back() {
    let (child, into, from) = piped(logscrub(&["-j2"]));
    let feeder = feed(into, mixed(6 << 20), 1 << 16);
    until_full(&from);
    // Nobody reads: it can take no more than its buffers and the pipes hold.
    assert!(!feeder.is_finished());
    let output = all(from);
    feeder.join().unwrap();
    assert_eq!(end(child).code(), Some(0));
    assert!(output.join().unwrap().len() > 3 << 20);
}

// ---- secrets of the process

#[test]
fn its_memory_is_for_nobody() {
    // Files in /proc of a process that is not dumpable belong to root, whoever runs it. Root sees no
    // difference, so the child is somebody else then.
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let copy = folder.path().join("logscrub");
    fs::copy(PROGRAM, &copy).unwrap();
    let owner = |program: &Path| {
        let mut command = Command::new(program);
        if rustix::process::geteuid().is_root() {
            command.uid(65_534).gid(65_534);
        }
        let (child, mut into, mut from) = piped(command);
        into.write_all(b"first\n").unwrap();
        line(&mut from);
        let owner = fs::metadata(format!("/proc/{}/environ", child.id())).unwrap().uid();
        let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
        drop(into);
        assert_eq!(end(child).code(), Some(0));
        (owner, limits.lines().find(|line| line.starts_with("Max core file size")).unwrap().to_owned())
    };
    assert_ne!(owner(Path::new("/bin/cat")).0, 0, "the test sees no difference");
    let (owner, cores) = owner(&copy);
    assert_eq!(owner, 0);
    assert_eq!(cores.split_whitespace().nth(4), Some("0"), "{cores}");
}
