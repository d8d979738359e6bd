//! Logs made up for measuring: the same bytes on every machine, with a count of the values planted in them.
//!
//! | log | like | values |
//! |---|---|---|
//! | access | a web server, combined format | an address a line, an e-mail in every 30th |
//! | app | a service, JSON lines | in two lines of five |
//! | clean | a service, text | none, but much that looks like them |
//! | dense | an export | nothing but values |
//! | hostile | somebody's who wants it slow | one at the end of each very long line, behind what never becomes one |
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::fmt::Write;

use logscrub::checksum::luhn;
use logscrub::kind::Kind;

/// The kinds that are planted, in the order of [`Log::planted`].
pub(crate) const KINDS: [Kind; 4] = [Kind::EMAIL, Kind::IPV4, Kind::IPV6, Kind::PAN];

/// A log and what stands in it.
pub(crate) struct Log {
    pub(crate) name: &'static str,
    pub(crate) text: Vec<u8>,
    /// How many values of each kind of [`KINDS`].
    pub(crate) planted: [u64; 4],
    /// How many of them are seen only when an escape is undone. All of those are e-mail addresses.
    pub(crate) hidden: u64,
}

impl Log {
    /// How many values of each kind of [`KINDS`] stand in the bytes as they are.
    pub(crate) fn visible(&self) -> [u64; 4] {
        let [email, ipv4, ipv6, pan] = self.planted;
        [email - self.hidden, ipv4, ipv6, pan]
    }

    /// How many values there are.
    pub(crate) fn values(&self) -> u64 {
        self.planted.iter().sum()
    }

    pub(crate) fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.text.split_inclusive(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\n").unwrap_or(line))
    }

    /// Runs of whole lines of at most `bytes` each.
    pub(crate) fn blocks(&self, bytes: usize) -> Vec<&[u8]> {
        let mut blocks = Vec::new();
        let mut rest = self.text.as_slice();
        while rest.len() > bytes {
            let end = memchr::memrchr(b'\n', &rest[..bytes]).expect("a line is shorter than a block") + 1;
            blocks.push(&rest[..end]);
            rest = &rest[end..];
        }
        blocks.push(rest);
        blocks
    }
}

/// The logs, of about that many bytes each.
pub(crate) fn all(bytes: usize) -> [Log; 5] {
    [
        make("access", 1, bytes, Maker::access),
        app(bytes),
        make("clean", 3, bytes, Maker::clean),
        make("dense", 4, bytes, Maker::dense),
        make("hostile", 6, bytes, Maker::hostile),
    ]
}

/// The app log.
pub(crate) fn app(bytes: usize) -> Log {
    make("app", 2, bytes, Maker::app)
}

/// Lines of the app log, each as a string in a JSON document that is itself a string of another.
pub(crate) fn nested(bytes: usize) -> Log {
    make("nested", 5, bytes, Maker::nested)
}

fn make(name: &'static str, seed: u64, bytes: usize, line: fn(&mut Maker)) -> Log {
    let mut maker =
        Maker { state: seed, text: String::with_capacity(bytes + 1024), planted: [0; 4], hidden: 0 };
    while maker.text.len() < bytes {
        line(&mut maker);
        maker.text.push('\n');
    }
    Log { name, text: maker.text.into_bytes(), planted: maker.planted, hidden: maker.hidden }
}

const PEOPLE: [&str; 8] = ["ana", "li.wei", "j_smith", "o'brien", "maria+shop", "k.nowak", "tom", "yuki.ito"];
const DOMAINS: [&str; 4] = ["example.com", "example.org", "mail.example.net", "shop.example"];
const PATHS: [&str; 8] = [
    "/",
    "/static/app.7f3a9c.js",
    "/api/v2/orders/8817263",
    "/api/v2/users/me",
    "/img/logo@2x.png",
    "/health",
    "/search?q=blue+shoes&page=2",
    "/docs/1.12.0/index.html",
];
const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 Version/17.1 Mobile/15E148",
    "curl/8.5.0",
    "kube-probe/1.29",
];
const MESSAGES: [&str; 6] = [
    "request completed",
    "cache miss, asking upstream",
    "payment declined by issuer",
    "retry 2 of 5 in 400 ms",
    "session expired",
    "batch of 512 rows written",
];
const LEVELS: [&str; 4] = ["INFO", "INFO", "DEBUG", "WARN"];
/// What a hostile line repeats: triggers and beginnings of values, none of which ever becomes one.
const UNITS: [&str; 14] = [
    "1",
    "0123456789 ",
    "4111-1111-",
    "1.",
    "1.1.1.",
    "300.1.",
    ":",
    "1:",
    "ffff:",
    "12345:",
    "@",
    "a@",
    "\"@",
    "\"",
];
/// The same with escapes, each of which makes another in the end.
const ESCAPES: [&str; 6] = ["\\", "\\u005c", "%25", "%40", "&amp;", "\u{1b}[0m1"];
/// Bytes of a hostile line, and of a run of one unit in it.
const HOSTILE_LINE_BYTES: usize = 8192;
const HOSTILE_RUN_BYTES: usize = 1024;

struct Maker {
    state: u64,
    text: String,
    planted: [u64; 4],
    hidden: u64,
}

impl Maker {
    /// SplitMix64: small, good enough for text, and the same everywhere.
    fn random(&mut self, below: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % below
    }

    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[self.random(from.len() as u64) as usize]
    }

    fn put(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn number(&mut self, below: u64) {
        let number = self.random(below);
        write!(self.text, "{number}").unwrap();
    }

    fn hex(&mut self, digits: usize) {
        for _ in 0..digits {
            let digit = self.random(16);
            write!(self.text, "{digit:x}").unwrap();
        }
    }

    fn uuid(&mut self) {
        for (at, digits) in [8, 4, 4, 4, 12].into_iter().enumerate() {
            self.put(if at == 0 { "" } else { "-" });
            // A group of digits alone could be a part of a card number.
            self.hex(digits - 1);
            self.put("f");
        }
    }

    fn time(&mut self) {
        let [hour, minute, second, milli] = [24, 60, 60, 1000].map(|below| self.random(below));
        write!(self.text, "2026-03-01T{hour:02}:{minute:02}:{second:02}.{milli:03}Z").unwrap();
    }

    fn email(&mut self, at: &str) {
        let (person, domain) = (self.pick(&PEOPLE), self.pick(&DOMAINS));
        write!(self.text, "{person}{at}{domain}").unwrap();
        self.planted[0] += 1;
        self.hidden += u64::from(at != "@");
    }

    fn ipv4(&mut self) {
        let network = self.pick(&["192.0.2", "198.51.100", "203.0.113", "10.1.2", "172.16.33"]);
        let host = 1 + self.random(254);
        write!(self.text, "{network}.{host}").unwrap();
        self.planted[1] += 1;
    }

    fn ipv6(&mut self) {
        let [one, other] = [0; 2].map(|_| 1 + self.random(0xFFFE));
        match self.random(2) {
            0 => write!(self.text, "2001:db8:{one:x}::{other:x}"),
            _ => write!(self.text, "2001:db8:85a3:{one:x}:0:8a2e:370:{other:x}"),
        }
        .unwrap();
        self.planted[2] += 1;
    }

    fn address(&mut self) {
        if self.random(10) == 0 { self.ipv6() } else { self.ipv4() }
    }

    /// A Visa number of 16 digits, plain or in groups.
    fn pan(&mut self, between: &str) {
        let stem = 411_111_000_000_000 + self.random(1_000_000_000);
        let number = (0..10).map(|check| format!("{stem}{check}")).find(|number| luhn::holds(number.bytes()));
        let number = number.expect("one of ten digits is the check digit");
        for (at, group) in [&number[..4], &number[4..8], &number[8..12], &number[12..]].iter().enumerate() {
            self.put(if at == 0 { "" } else { between });
            self.put(group);
        }
        self.planted[3] += 1;
    }

    fn access(&mut self) {
        self.address();
        let [hour, minute, second] = [24, 60, 60].map(|below| self.random(below));
        write!(self.text, " - - [01/Mar/2026:{hour:02}:{minute:02}:{second:02} +0000] \"GET ").unwrap();
        if self.random(30) == 0 {
            self.put("/reset?email=");
            let at = self.pick(&["@", "%40"]);
            self.email(at);
        } else {
            let path = self.pick(&PATHS);
            self.put(path);
        }
        self.put(" HTTP/1.1\" 200 ");
        self.number(100_000);
        let agent = self.pick(&AGENTS);
        write!(self.text, " \"-\" \"{agent}\"").unwrap();
    }

    fn app(&mut self) {
        self.put("{\"ts\":\"");
        self.time();
        let (level, message) = (self.pick(&LEVELS), self.pick(&MESSAGES));
        write!(self.text, "\",\"level\":\"{level}\",\"trace_id\":\"f").unwrap();
        self.hex(31);
        self.put("\",\"request_id\":\"");
        self.uuid();
        write!(self.text, "\",\"msg\":\"{message}").unwrap();
        match self.random(10) {
            0 => {
                self.put(" for ");
                self.email("@");
                self.put("\"");
            }
            1 => {
                self.put("\",\"user\":{\"email\":\"");
                self.email("\\u0040");
                self.put("\"}");
            }
            2 | 3 => {
                self.put("\",\"client_ip\":\"");
                self.address();
                self.put("\"");
            }
            4 if self.random(4) == 0 => {
                self.put("\",\"card\":");
                self.pan("");
            }
            _ => self.put("\""),
        }
        self.put(",\"ctx\":{\"duration_ms\":");
        self.number(900);
        self.put(".25,\"retries\":");
        self.number(5);
        self.put(",\"ok\":true,\"tags\":[\"a\",\"b\"]}}");
    }

    fn clean(&mut self) {
        self.time();
        let (level, message) = (self.pick(&LEVELS), self.pick(&MESSAGES));
        write!(self.text, " {level} {message}; ").unwrap();
        match self.random(7) {
            0 => self.put("std::collections::HashMap<u64, Vec<orders::Item>> grew"),
            1 => self.put("resolved @types/node@20.11.5 in 31 ms"),
            2 => self.put("version 1.2.3 -> 1.3.0-rc.1 on main@{upstream}"),
            3 => self.put("link 52:54:00:ab:cd:ef up"),
            4 => {
                self.put("req=");
                self.uuid();
            }
            5 => {
                self.put("at com.example.OrderService.handle(OrderService.java:88) @Override took ");
                self.number(4000);
                self.put("us");
            }
            _ => {
                self.put("sha256:f");
                self.hex(63);
            }
        }
    }

    fn dense(&mut self) {
        self.ipv4();
        self.put(",");
        self.email("@");
        self.put(",");
        self.ipv6();
        self.put(",");
        let between = self.pick(&["", " ", "-"]);
        self.pan(between);
    }

    /// Every fourth line has escapes: no record of the others needs the judge.
    fn hostile(&mut self) {
        let units = if self.random(4) == 0 { ESCAPES.as_slice() } else { &UNITS };
        let end = self.text.len() + HOSTILE_LINE_BYTES;
        while self.text.len() < end {
            let unit = self.pick(units);
            self.put(&unit.repeat(HOSTILE_RUN_BYTES / unit.len()));
            self.put("; ");
        }
        match self.random(4) {
            0 => self.email("@"),
            1 => self.ipv4(),
            2 => self.ipv6(),
            _ => self.pan(""),
        }
    }

    fn nested(&mut self) {
        let start = self.text.len();
        self.app();
        let inner = self.text.split_off(start);
        let quoted = serde_json::to_string(&inner).unwrap();
        self.put(&format!("{{\"log\":{quoted}}}"));
    }
}
