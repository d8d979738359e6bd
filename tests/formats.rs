//! Formats: tables of records and their fields, a format each, and what holds for any record.
//!
//! A table in `tests/formats/<format>.txt` is a list of records, each followed by its fields as `path = content`, in
//! order. `> ` begins a record that stands as it is, `>> ` one in which, as in the contents of fields, `\n`, `\t`, `\\` and
//! `\xNN` stand for bytes. A record with `not` under it is not of the format. `# ` begins a header, which holds for
//! the records after it, `% ` the layout of access logs that does, and `--` a remark. From `only` on the format is named as
//! that of all records; columns that have no name are called by their number.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "formats/access.rs"]
mod access;
#[path = "formats/acted.rs"]
mod acted;
#[path = "formats/alb.rs"]
mod alb;
#[path = "formats/cef.rs"]
mod cef;
#[path = "formats/cri.rs"]
mod cri;
#[path = "formats/csv.rs"]
mod csv_cells;
#[path = "formats/docker.rs"]
mod docker;
#[path = "formats/export.rs"]
mod export;
#[path = "formats/journal.rs"]
mod journal;
#[path = "formats/leef.rs"]
mod leef;
#[path = "formats/logfmt.rs"]
mod logfmt;
mod reading;
#[path = "formats/syslog.rs"]
mod syslog;
#[path = "formats/w3c.rs"]
mod w3c;
#[path = "formats/xml.rs"]
mod xml;

use std::sync::Arc;

use logscrub::format::access::Layout;
use logscrub::format::{FORMATS, Format, Head};
use logscrub::{Policy, Scrubber};
use reading::{check_edits, check_places, leaves, read, shown};

/// What is left of an input under these rules; scrubbing it again changes nothing.
fn scrubbed(rules: &str, input: &str) -> String {
    let policy = Policy::from_toml(rules, "rules.toml", None).expect("the rules are right");
    let scrubber = Scrubber::new(Arc::new(policy), None);
    let scrub = |input: &[u8]| {
        let mut out = Vec::new();
        scrubber.clone().scrub(input, &mut out);
        out
    };
    let once = scrub(input.as_bytes());
    assert_eq!(shown(&scrub(&once)), shown(&once), "a second run over what is left of {input}");
    String::from_utf8(once).expect("text stays text")
}

struct Case {
    line: usize,
    head: Head,
    record: Vec<u8>,
    /// What it holds; `None` if it is not of the format.
    fields: Option<Vec<(String, Vec<u8>)>>,
}

fn format_named(name: &str) -> &'static dyn Format {
    FORMATS.into_iter().find(|format| format.name() == name).unwrap_or_else(|| panic!("{name}"))
}

/// Undoes the escapes of a table.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let (byte, length) = match (first, after) {
            (b'\\', [b'n', ..]) => (b'\n', 2),
            (b'\\', [b't', ..]) => (b'\t', 2),
            (b'\\', [b'\\', ..]) => (b'\\', 2),
            (b'\\', [b'x', a, b, ..]) => {
                let hex =
                    std::str::from_utf8(&[*a, *b]).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok());
                (hex.expect("two hexadecimal digits"), 4)
            }
            (byte, _) => (*byte, 1),
        };
        bytes.push(byte);
        rest = &rest[length..];
    }
    bytes
}

fn cases(name: &str) -> Vec<Case> {
    let text = std::fs::read_to_string(format!("tests/formats/{name}.txt")).unwrap();
    let (mut cases, mut head): (Vec<Case>, _) = (Vec::new(), Head::default());
    for (number, line) in text.lines().enumerate() {
        let plain =
            line.strip_prefix("> ").or((line == ">").then_some("")).map(|record| record.as_bytes().to_vec());
        if let Some(record) = plain.or_else(|| line.strip_prefix(">> ").map(unescaped)) {
            cases.push(Case { line: number + 1, head: head.clone(), record, fields: Some(Vec::new()) });
        } else if line == "# the input is of this format" {
            head.only = Some(format_named(name).name());
        } else if let Some(header) = line.strip_prefix("# ") {
            let (format, header) = (format_named(name), unescaped(header));
            let columns = match head.only {
                Some(_) => format.header_of_its_own(&header),
                None => format.header(&header),
            };
            head.columns =
                Some(Arc::new(columns.unwrap_or_else(|| panic!("{name}:{}: no header", number + 1))));
        } else if let Some(layout) = line.strip_prefix("% ") {
            head.layout = Some(Arc::new(Layout::parse(layout).unwrap()));
        } else if line == "only" {
            head = Head { only: Some(format_named(name).name()), ..Head::default() };
        } else if line == "not" {
            cases.last_mut().unwrap().fields = None;
        } else if !line.is_empty() && !line.starts_with("--") {
            let (path, content) = line.split_once(" =").expect("path = content");
            let content = unescaped(content.strip_prefix(' ').unwrap_or(content));
            cases.last_mut().unwrap().fields.as_mut().unwrap().push((path.to_owned(), content));
        }
    }
    assert!(!cases.is_empty(), "{name}");
    cases
}

#[test]
fn records_have_the_fields_of_the_tables() {
    for name in FORMATS.map(Format::name) {
        for case in cases(name) {
            let fields = read(&case.record, format_named(name), &case.head);
            if let Some(fields) = &fields {
                check_places(&case.record, fields);
            }
            let got = fields.map(|fields| leaves(&case.record, &fields));
            assert_eq!(got, case.fields, "tests/formats/{name}.txt:{}: {}", case.line, shown(&case.record));
        }
    }
}

#[test]
fn records_of_the_tables_read_the_same_after_edits() {
    for name in FORMATS.map(Format::name) {
        cases(name).iter().for_each(|case| check_edits(&case.record, format_named(name), &case.head));
    }
}

/// Beginnings of the records of a table, and records with a byte less, are scrubbed without a fault.
#[test]
fn damaged_records_are_read_or_refused() {
    for name in FORMATS.map(Format::name) {
        for case in cases(name) {
            let format = format_named(name);
            for at in 0..case.record.len() {
                check_edits(&case.record[..at], format, &case.head);
                check_edits(&[&case.record[..at], &case.record[at + 1..]].concat(), format, &case.head);
            }
        }
    }
}

proptest::proptest! {
    /// Whatever bytes they are given, formats yield fields in their places, which can be removed.
    #[test]
    fn any_bytes_have_fields_in_their_places(
        parts in proptest::collection::vec(
            proptest::sample::select(vec![
                "\"", "\\", "[", "]", " ", "-", "?", "&", "=", "%", "%41", "\\x41", "GET", "/a", "HTTP/1.1", "\t", "1",
                "a b", "é", "[10/Oct/2000:13:55:36 -0700] \"", "203.0.113.7 - - ", "{", "}", ":", ",", "\n", "http 2023-",
            ]),
            0..40,
        ),
        header in 0..4_usize,
    ) {
        let record = parts.concat().into_bytes();
        for format in FORMATS {
            let columns = ["#Fields: a b", "#Fields: a b c", "#fields\ta\tb", "a,b"][header].as_bytes();
            let head = Head {
                columns: format.header(columns).map(Arc::new),
                layout: Layout::parse("$a - \"$b\" $c").ok().map(Arc::new),
                ..Head::default()
            };
            if let Some(fields) = read(&record, format, &head) {
                check_places(&record, &fields);
                reading::places(&fields).for_each(|at| drop(reading::remove(&record, &fields, at)));
            }
        }
    }
}
