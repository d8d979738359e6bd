//! Nothing is allocated once the buffers have grown: not for a record, a value or a block.
//!
//! An allocator that counts is the only way to see it, and cannot be written without `unsafe`; it does nothing but
//! count and pass on to that of the system.
#![cfg(feature = "cli")]
#![allow(unsafe_code, clippy::unwrap_used)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fmt::Write as _;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use logscrub::action::keys::{KeyPeriod, Keys};
use logscrub::stream::input::Source;
use logscrub::stream::{Input, Interrupts, Settings, Watch, drive};
use logscrub::{HashKey, Policy, Scrubber};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call is passed on as it came; to count one allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often this thread allocates in the course of `work`.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

/// A block of about 100 KiB of one kind of log, without escapes.
fn block(line: impl Fn(u32, &mut String)) -> String {
    let mut text = String::new();
    let mut number = 1_u32;
    while text.len() < 100 << 10 {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        line(number, &mut text);
        text.push('\n');
    }
    text
}

fn logs() -> [(&'static str, String); 4] {
    let access = block(|n, out| {
        let (a, b) = (n >> 8 & 255, n >> 16 & 255);
        write!(out, "203.0.{a}.{b} - - [01/Mar/2026:10:00:00 +0000] ").unwrap();
        write!(out, "\"GET /items/{n}?page={a} HTTP/1.1\" 200 {b} \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\"")
            .unwrap();
    });
    let ipv6 = block(|n, out| {
        let (a, b) = (n >> 8 & 0xffff, n >> 16);
        write!(out, "2001:db8:{a:x}::{b:x} - - [01/Mar/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 512")
            .unwrap();
    });
    let dense = block(|n, out| {
        let (a, b) = (n >> 8 & 255, n >> 16 & 255);
        write!(out, "user{n}@example.com from 198.51.{a}.{b} and 2001:db8::{a:x} paid with ").unwrap();
        write!(out, "4111 1111 1111 1111, copy to someone.{b}@mail.example.org").unwrap();
    });
    let clean = block(|n, out| {
        write!(out, "2026-03-01T10:00:00Z INFO worker {n} took {} ms for 12 steps of release 4.7.1", n >> 20)
            .unwrap();
    });
    [("access", access), ("ipv6", ipv6), ("dense", dense), ("clean", clean)]
}

/// A scrubber for each action that leaves something of a value.
fn scrubbers() -> impl Iterator<Item = (&'static str, Scrubber)> {
    let actions = ["'redact'", "'mask'", "'truncate'", "'hash'", "{ hash = { keep = 'domain' } }"];
    actions.into_iter().map(|action| {
        let kinds = if action.contains("keep") { "'email'" } else { "'all'" };
        let rules = format!("pseudonyms.keyring = 'k.toml'\n[[rule]]\nfind = [{kinds}]\naction = {action}\n");
        let policy = Policy::from_toml(&rules, "test", Some(Path::new("."))).unwrap();
        (action, Scrubber::new(Arc::new(policy), Some(HashKey::new(&[7; 32]))))
    })
}

/// Steps that hold for the logs at that moment, behind others; what drops by age alone finds nothing old enough.
const LADDERS: [&str; 4] = [
    "find = ['all']\nretain = [{ until = '7d', action = 'keep' }, { until = '10y', action = 'truncate' }, { action = 'redact' }]",
    "find = ['ip', 'email']\nretain = [{ until = '7d', action = 'keep' }, { until = '1mo', action = 'truncate' }, { action = 'hash' }]",
    "find = ['ip']\nretain = [{ until = '7d', action = 'encrypt' }, { action = 'hash' }]",
    "find = ['all']\naction = 'hash'\n[records]\ndrop_after = '10y'\nkeep_at_least = '1d'",
];

/// A scrubber for each ladder, under keys by period.
fn aged() -> impl Iterator<Item = (&'static str, Scrubber)> {
    let moment = |text: &str| Some(text.parse::<Timestamp>().unwrap());
    let period = move |from, until, byte| {
        let key = HashKey::new(&[byte; 32]);
        KeyPeriod { from, until, id: key.id().to_owned(), key: Some(key) }
    };
    let begins = moment("2026-02-01T00:00:00Z");
    let keys = Keys::new(vec![period(None, begins, 1), period(begins, None, 2)], None, Vec::new());
    LADDERS.into_iter().map(move |ladder| {
        let rules = format!("input.undated = 'oldest'\npseudonyms.keyring = 'k.toml'\n[[rule]]\n{ladder}\n");
        let policy = Policy::from_toml(&rules, "test", Some(Path::new("."))).unwrap();
        let scrubber = Scrubber::with_keys(Arc::new(policy), Some(keys.clone()));
        (ladder, scrubber.at("2026-06-01T00:00:00Z".parse().unwrap()))
    })
}

#[test]
fn a_warm_scrubber_allocates_nothing() {
    for (action, scrubber) in scrubbers().chain(aged()) {
        for (name, log) in logs() {
            let (mut scrubber, mut out) = (scrubber.clone(), Vec::new());
            let mut pass = || {
                out.clear();
                scrubber.scrub(log.as_bytes(), &mut out);
            };
            assert_ne!(allocations(&mut pass), 0, "the test sees nothing");
            assert_eq!(allocations(pass), 0, "{name}, {action}");
        }
    }
}

/// To look for the copies of what a field rule removes allocates nothing either; to read and edit fields does.
#[test]
fn copies_cost_no_allocation() {
    let log = block(|n, out| {
        write!(
            out,
            "{{\"level\":\"info\",\"user\":\"user{n}\",\"n\":{n},\"msg\":\"of user{n} and 203.0.113.9\"}}"
        )
        .unwrap();
    });
    let counts = ["no", "words"].map(|elsewhere| {
        let rules = format!("[[rule]]\nfield = ['user']\nelsewhere = '{elsewhere}'\naction = 'redact'\n");
        let policy = Policy::from_toml(&rules, "test", None).unwrap();
        let (mut scrubber, mut out) = (Scrubber::new(Arc::new(policy), None), Vec::new());
        let mut pass = || {
            out.clear();
            scrubber.scrub(log.as_bytes(), &mut out);
        };
        pass();
        let count = allocations(&mut pass);
        assert_eq!(out.windows(7).any(|part| part == b"of user"), elsewhere == "no");
        count
    });
    assert_eq!(counts[0], counts[1]);
}

/// A log that repeats, read as a file is or as a pipe is, from which nothing is ever missing.
struct Repeated {
    log: String,
    times: usize,
    at: usize,
    regular: bool,
}

impl Read for Repeated {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.log.len() && self.times > 1 {
            self.times -= 1;
            self.at = 0;
        }
        let count = into.len().min(self.log.len() - self.at);
        into[..count].copy_from_slice(&self.log.as_bytes()[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

impl Source for Repeated {
    fn is_regular(&self) -> bool {
        self.regular
    }
}

#[test]
fn a_long_run_allocates_no_more_than_a_short_one() {
    for (action, scrubber) in scrubbers().chain(aged()) {
        for (name, log) in logs() {
            for regular in [true, false] {
                let run = |times: usize| {
                    let source = Repeated { log: log.clone(), times, at: 0, regular };
                    let inputs = [Ok(Input::new("log", source))];
                    let mut watch = Watch::new(Interrupts::install().unwrap(), Duration::ZERO);
                    let scrubber = scrubber.clone();
                    allocations(move || {
                        let outcome = drive(inputs, scrubber, io::sink(), &mut watch, &Settings::default());
                        assert!(outcome.tally.records > 0 && outcome.output.is_ok());
                    })
                };
                run(10); // a thread that hashes has its memory of that from then on
                assert_eq!(run(20), run(10), "{name}, {action}, regular: {regular}");
            }
        }
    }
}
