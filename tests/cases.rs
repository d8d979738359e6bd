//! The edge-case tables: every row alone and in the middle of a long line.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::sync::LazyLock;

use logscrub::Policy;
use logscrub::detect::{Detectors, Scratch};
use logscrub::finding::Finding;
use logscrub::kind::{Kind, Kinds};
use logscrub::span::Span;

const TABLES: [&str; 12] = [
    "email",
    "ipv4",
    "ipv6",
    "pan",
    "private_key",
    "jwt",
    "basic_auth",
    "bearer",
    "uuid_negative",
    "timestamp_negative",
    "bytes",
    "policy_open",
];

/// Rows that are not met, each with its reason. At most one a table.
const KNOWN_MISSES: [(&str, &str, &str); 0] = [];

struct Row {
    kind: String,
    level: String,
    text: Vec<u8>,
    expected: Vec<Vec<u8>>,
}

fn rows(table: &str) -> Vec<Row> {
    let path = format!("{}/tests/cases/{table}.tsv", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let is_hex = text.lines().next().unwrap().contains("text_hex");
    let bytes = |cell: &str| if is_hex { from_hex(cell) } else { cell.as_bytes().to_vec() };
    text.lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            Row {
                kind: cells[0].to_owned(),
                level: cells[1].to_owned(),
                text: bytes(cells[2]),
                expected: cells[3].split("|||").filter(|cell| !cell.is_empty()).map(bytes).collect(),
            }
        })
        .collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Every built-in detector.
static ALL: LazyLock<Detectors> = LazyLock::new(|| {
    let rules = "[[rule]]\nfind = ['all']\naction = 'redact'\n";
    Policy::from_toml(rules, "all", None).unwrap().detectors()
});

fn find(value: &[u8]) -> Vec<Finding> {
    let mut out = Vec::new();
    ALL.find(value, &mut Scratch::default(), &mut out);
    out
}

/// Where each expected value stands, in order of appearance.
fn spans(text: &[u8], expected: &[Vec<u8>]) -> Vec<Span> {
    let mut from = 0;
    let mut out = Vec::new();
    for value in expected {
        let at = from
            + text[from..]
                .windows(value.len())
                .position(|window| window == value)
                .expect("expected is in text");
        out.push(Span::new(at, at + value.len()));
        from = at + value.len();
    }
    out
}

fn is_met(row: &Row, kind: Option<Kind>, text: &[u8], offset: usize) -> bool {
    let found: Vec<Span> = find(text)
        .iter()
        .filter(|found| kind.is_none_or(|kind| found.kind == kind))
        .map(|found| found.span)
        .collect();
    let wanted: Vec<Span> = spans(&row.text, &row.expected).iter().map(|span| span.shifted(offset)).collect();
    match row.level.as_str() {
        "yes" | "no" => found == wanted,
        "cover" => wanted.iter().all(|wanted| found.iter().any(|found| found.contains(*wanted))),
        _ => true,
    }
}

fn in_a_long_line(text: &[u8]) -> (Vec<u8>, usize) {
    let mut line = b"lorem ipsum dolor ".repeat(400);
    line.extend_from_slice(b"; ");
    let offset = line.len();
    line.extend_from_slice(text);
    line.extend_from_slice(b" ; ");
    line.extend(b"sit amet ".repeat(400));
    (line, offset)
}

#[test]
fn every_row_of_the_tables() {
    let kinds = Kinds::default();
    let mut wrong = Vec::new();
    for table in TABLES {
        let rows: Vec<Row> = rows(table)
            .into_iter()
            .filter(|row| row.kind == table || table.contains('_') || table == "bytes")
            .collect();
        let mut missed = 0;
        for row in &rows {
            let kind = kinds.get(&row.kind);
            if kind.is_none() && row.kind != table {
                continue;
            }
            let (long, offset) = in_a_long_line(&row.text);
            if is_met(row, kind, &row.text, 0) && is_met(row, kind, &long, offset) {
                continue;
            }
            missed += 1;
            let text = String::from_utf8_lossy(&row.text).into_owned();
            if !KNOWN_MISSES.iter().any(|(known, missing, _)| *known == table && *missing == text) {
                wrong.push(format!("{table}: {} {text} -> {:?}", row.level, find(&row.text)));
            }
        }
        println!("{table:20} {:3} rows, {missed} missed", rows.len());
        assert!(missed <= 1 || !wrong.is_empty(), "more than one known miss in {table}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Rows that the tables leave to the program and of which nothing is found; of every other one all is.
const LEFT_ALONE: [&str; 13] = [
    "kex curve25519-sha256@libssh.org",
    "mac hmac-sha2-256-etm@openssh.com",
    "mail to root@localhost",
    "db user app@orders denied",
    "find user [1001@192.0.2.51]",
    "call a::b done",
    "user:1000:1000::/home/user:/bin/sh",
    "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa",
    "host 203-0-113-9.dyn.example.net",
    "Oct 1 00:00:00 ip-10-0-0-1 sshd[1]: x",
    "addr_203.0.113.9_ok",
    "card 4111.1111.1111.1111 ok",
    "ord=6795061899455057?",
];

/// What is decided about them is said in rules/detectors and held here.
#[test]
fn open_questions_are_decided() {
    let kinds = Kinds::default();
    for row in rows("policy_open").iter().filter(|row| row.level == "any") {
        let Some(kind) = kinds.get(&row.kind) else { continue };
        let found: Vec<Span> =
            find(&row.text).iter().filter(|found| found.kind == kind).map(|found| found.span).collect();
        let text = String::from_utf8_lossy(&row.text);
        let wanted =
            if LEFT_ALONE.contains(&text.as_ref()) { Vec::new() } else { spans(&row.text, &row.expected) };
        assert_eq!(found, wanted, "{text}");
    }
}
