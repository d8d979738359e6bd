//! Work grows with the length of a record, not faster: hostile records of megabytes come to an end.
//!
//! No clock: a check that is quadratic needs hours for these, and the run is seen to hang.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use logscrub::action::hash::{HashKey, key_id};
use logscrub::policy::Policy;
use logscrub::scrub::Scrubber;
use logscrub::stream::{MAX_RECORD_BYTES, ScrubWriter};

/// A record that is judged as a whole; four times as long, it goes in pieces.
const RECORD_BYTES: usize = MAX_RECORD_BYTES - 1;

/// What a hostile record repeats: triggers, beginnings of values, escapes and structure that never end.
const UNITS: [&str; 60] = [
    "[",
    "[email~kID:",
    "[email~kID:0000000000000000000000000000] ",
    "[ipv4:kID:00000000000000000000@1.1.1.1/24]",
    "[ipv4:kID:00000000000000000000@1.1.1.0/24]",
    "=40",
    "a=40b.=2E",
    "#012",
    "-----BEGIN RSA PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----\\nMIICAAAAAAAAAAAAAAAAAAAA",
    "-----BEGIN RSA PRIVATE KEY-----Version: ",
    "eyJ.eyJ",
    "eyJhbGciOiJub25lIn0.",
    "Bearer a1 basic ",
    ":",
    "::",
    "1:",
    "::1",
    "f",
    "ffff:",
    "0:0:0:0:0:0:0:0 ",
    "12345:",
    "@",
    "a@",
    "@a.",
    "a@a.",
    "a@a.aa@",
    "\"@",
    "\"a\"@",
    "a@[",
    "<a=",
    "1.",
    "1.1.1.1.",
    "1.1.1.1 ",
    "a/1.1.1.1 ",
    "1",
    "4111 ",
    "4111-1111-",
    "4111111111111111-",
    "card ",
    "\"",
    "\\",
    "\\\\",
    "\\u00",
    "\\u0040",
    "%25",
    "%40",
    "&#",
    "&amp;",
    "\u{1b}[",
    "\u{1b}[0m1",
    "\u{200b}1",
    "[",
    "[email:",
    "[email]",
    "[withheld 1",
    "{\"a\":",
    "[[[[",
    "user=",
    "jane@example.com ",
];

/// Openings that make another grammar of what follows.
const HEADS: [&str; 3] = ["", "{\"a\":\"", "{\"user\":["];

/// What formats of pairs and elements repeat, and what makes them of a record.
const PARTS: [&str; 12] = [
    "a=1 user=x ",
    "a user='x ",
    "user=\"x\\",
    "user=<",
    "user\\\\\\\":\\\\\\\"x",
    "=\\=|",
    "user=x^",
    "<user>",
    "<a user='x'",
    "</a>",
    "<user '>",
    "<user/>x",
];
const FORMATS: [&str; 5] = ["", "CEF:0|a|b|c|d|e|f|", "LEEF:2.0|a|b|c|d|^|", "<user>x</user>", "<user><a "];

/// What asks for the time of every record, in a field too.
const LADDER: &str = "[records]\ndrop_after = \"10y\"\n[[rule]]\nname = \"all\"\nfind = [\"all\"]\nretain = [{ until = \"1y\", action = \"keep\" }, { action = \"redact\" }]\n";

fn ladders() -> Vec<Scrubber> {
    let ways =
        ["[input]\nundated = \"oldest\"\n", "[input]\ntime = \"user\"\n", "[input]\ntime = \"a.**.user\"\n"];
    let scrubber = |input: &str| {
        let policy = Policy::from_toml(&format!("{input}{LADDER}"), "linear", None).unwrap();
        Scrubber::new(Arc::new(policy), None)
    };
    ways.map(scrubber).to_vec()
}

fn scrubbers() -> Vec<Scrubber> {
    let find = "[[rule]]\nname = \"all\"\nfind = [\"all\"]\naction = \"redact\"\n";
    let field = "[[rule]]\nname = \"user\"\nfield = [\"user\", \"a.**\"]\naction = \"redact\"\n";
    [find.to_owned(), format!("{field}{find}")]
        .iter()
        .map(|rules| {
            let policy = Policy::from_toml(rules, "linear", Some(Path::new("."))).unwrap();
            Scrubber::new(Arc::new(policy), Some(HashKey::new(&[7; 32])))
        })
        .collect()
}

#[test]
fn hostile_records_come_to_an_end() {
    let scrubbers = scrubbers();
    for unit in UNITS {
        for head in HEADS {
            let unit = unit.replace("kID", &format!("k{}", key_id(&[7; 32])));
            let body = unit.repeat(RECORD_BYTES / 8 / unit.len());
            for scrubber in &scrubbers {
                let mut out = Vec::new();
                scrubber.clone().scrub(format!("{head}{body}\n").as_bytes(), &mut out);
                assert!(out.ends_with(b"\n"), "{head}{unit}");
            }
        }
    }
}

#[test]
fn hostile_pairs_and_elements_come_to_an_end() {
    let scrubber = &scrubbers()[1];
    for part in PARTS {
        for format in FORMATS {
            let body = part.repeat(RECORD_BYTES / 8 / part.len());
            let mut out = Vec::new();
            scrubber.clone().scrub(format!("{format}{body}>\n").as_bytes(), &mut out);
            assert!(out.ends_with(b"\n"), "{format}{part}");
        }
    }
}

/// Records of two mebibytes, longer than any window.
#[test]
fn hostile_records_without_end_come_to_an_end() {
    let scrubber = &scrubbers()[0];
    for unit in UNITS {
        let record = unit.repeat(2 * MAX_RECORD_BYTES / unit.len());
        let mut writer = ScrubWriter::new(scrubber.clone(), std::io::sink());
        writer.write_all(record.as_bytes()).unwrap();
        assert_eq!(writer.take_tally().withheld, 0, "{unit}");
        writer.finish().unwrap();
    }
}

/// The name of what a field lies in belongs to its path, however long it is.
#[test]
fn hostile_names_around_many_fields_come_to_an_end() {
    let scrubber = &scrubbers()[1];
    let repeat = |unit: &str| unit.repeat(RECORD_BYTES / 8 / unit.len());
    for (before, name, behind, field, after) in [
        ("{\"", "y", "\":{", "\"user\":1,", "\"a\":1}}"),
        ("{\"", "y.", "\":{", "\"user\":1,", "\"a\":1}}"),
        ("{\"", "\\u0041", "\":[", "{\"user\":1},", "1]}"),
        ("<a><Data Name='", "y", "'>", "<user>x</user>", "</Data></a>"),
    ] {
        let record = [before, &repeat(name), behind, &repeat(field), after].concat();
        let mut out = Vec::new();
        scrubber.clone().scrub(format!("{record}\n").as_bytes(), &mut out);
        assert!(out.ends_with(b"\n"), "{before}{name}");
    }
}

/// Each record is read for its time once or twice, however many findings ask for it.
#[test]
fn logs_without_any_time_come_to_an_end() {
    let many = |line: &str, bytes: usize| line.repeat(bytes / line.len());
    for scrubber in ladders() {
        for log in [
            many("from 203.0.113.9 ana@example.com\n", 128 << 10),
            many("{\"ip\":\"203.0.113.9\",\"n\":1}\n", 128 << 10),
            many("ip=203.0.113.9 some=time that=is none=x\n", 128 << 10),
            many("203.0.113.9\n", 1 << 20),
        ] {
            let mut out = Vec::new();
            scrubber.clone().scrub(log.as_bytes(), &mut out);
            assert_eq!(
                memchr::memchr_iter(b'\n', &out).count(),
                memchr::memchr_iter(b'\n', log.as_bytes()).count()
            );
        }
    }
    let mut writer = ScrubWriter::new(ladders().swap_remove(0), std::io::sink());
    writer.write_all(&b"203.0.113.9 x\n".repeat(300_000)).unwrap();
    assert_eq!(writer.take_tally().changed, 300_000);
    writer.finish().unwrap();
}

#[test]
fn records_of_many_fields_without_a_time_come_to_an_end() {
    let many = |unit: &str| unit.repeat(30_000);
    let records = [
        format!("{{{}\"ip\":\"203.0.113.9\"}}", "\"n\":1,".repeat(100_000)),
        format!("{{{}\"ip\":\"203.0.113.9\"}}", many("\"t\":{\"$date\":1},")),
        format!("{{{}\"ip\":\"203.0.113.9\"}}", many("\"a\":{\"user\":\"x\"},")),
        format!("{{{}\"ip\":\"203.0.113.9\"{}", many("\"a\":{"), many("}")),
        format!("{{\"time\":\"{}\",\"ip\":\"203.0.113.9\"}}", many("\\u0031")),
        format!("{}ip=203.0.113.9", many("date=x ts=1 ")),
        format!("{}ip=203.0.113.9", many("2024-01-01 ")).replacen('2', "x", 1),
        format!("a - {}203.0.113.9", many("[01/Jan/2024:00:00:00 ")),
        format!("a - \"{}203.0.113.9", many("\\\"] ")),
        format!("<a time='{}'>203.0.113.9</a>", many("1")),
    ];
    for scrubber in ladders() {
        for record in &records {
            let mut out = Vec::new();
            scrubber.clone().scrub(format!("{record}\n").repeat(2).as_bytes(), &mut out);
            assert!(out.ends_with(b"\n"), "{}", &record[..20]);
        }
    }
}

/// What steps leave, so that later ones look for it, and beginnings of it.
const LEFT: [&str; 22] = [
    "[email]",
    "[email]@",
    "[email]@a.",
    "[email]@example.org",
    "[email]@xn--",
    "[email#",
    "[email:kID:",
    "[email~kID:",
    "[email~kID:0000000000000000",
    "[email:kID:00000000000000000000]@a.b",
    "[ipv4:kID:00000000000000000000@203.0.113.0/24]",
    "[pan] [pan#2] ",
    "*",
    "** ",
    "1** ",
    "4*1* * ",
    "*1-",
    "4*",
    "411111******1111",
    "411111******1111 ",
    "**-**+",
    "[ipv4]\\\\",
];

/// Ladders of which each step takes further what others left.
fn ladders_over_residues() -> Vec<Scrubber> {
    let find = "[[rule]]\nfind = ['email']\nretain = [{ until = '1y', action = { hash = { keep = 'domain' } } }, { until = '2y', action = { truncate = { email = 'domain' } } }, { action = 'drop' }]\n";
    let parts = "[[rule]]\nfind = ['email', 'pan']\nretain = [{ until = '1y', action = 'truncate' }, { action = 'drop' }]\n";
    let field = "[[rule]]\nfield = ['user', 'a.**']\nretain = [{ until = '1y', action = 'encrypt' }, { until = '2y', action = 'hash' }, { action = 'drop' }]\n[[rule]]\nfind = ['ip']\nretain = [{ until = '1y', action = 'hash' }, { action = 'drop_record' }]\n";
    let scrubber = |rules: &str| {
        let policy = Policy::from_toml(
            &format!("input.undated = 'oldest'\npseudonyms.keyring = 'k'\n{rules}"),
            "linear",
            None,
        );
        Scrubber::new(
            Arc::new(policy.unwrap_or_else(|faults| panic!("{faults}"))),
            Some(HashKey::new(&[7; 32])),
        )
    };
    [find, parts, field].map(scrubber).to_vec()
}

#[test]
fn hostile_residues_come_to_an_end() {
    let heads = ["", "{\"a\":\"\\\\", "{\"user\":[\"", "user=", "<user>"];
    for scrubber in ladders_over_residues() {
        for unit in LEFT {
            let unit = unit.replace("kID", &format!("k{}", key_id(&[7; 32])));
            for head in heads {
                let end = if head.starts_with('{') { "\"}" } else { "" };
                let body = unit.repeat(RECORD_BYTES / 32 / unit.len());
                let mut out = Vec::new();
                scrubber.clone().scrub(format!("{head}{body}{end}\n").as_bytes(), &mut out);
                assert!(out.is_empty() || out.ends_with(b"\n"), "{head}{unit}");
            }
        }
    }
}

#[test]
fn many_residues_in_an_escaped_field_come_to_an_end() {
    let scrubber = &ladders_over_residues()[1];
    for unit in ["[email]", "[pan#2] \\\\"] {
        let record = format!("{{\"a\":\"\\\\{}\"}}\n", unit.repeat(RECORD_BYTES / 2 / unit.len()));
        let mut out = Vec::new();
        scrubber.clone().scrub(record.as_bytes(), &mut out);
        assert!(out.len() < record.len());
    }
}

/// A long record that may have been dropped is judged once, however many blocks go on with it.
#[test]
fn lines_behind_a_long_record_come_to_an_end() {
    let scrubber = ladders_over_residues().swap_remove(2);
    let mut writer = ScrubWriter::new(scrubber, std::io::sink());
    let long = "203.0.113.9 ".repeat(RECORD_BYTES / 4 / 12);
    writer.write_all(format!("2099-01-01T00:00:00Z x\n2020-01-01T00:00:00Z {long}\n").as_bytes()).unwrap();
    for _ in 0..10_000 {
        writer.write_all(b"\tat x\n").unwrap();
    }
    assert_eq!(writer.take_tally().dropped, 10_001);
    writer.finish().unwrap();
}

#[test]
fn hostile_records_come_to_an_end_under_ladders() {
    for scrubber in ladders() {
        for unit in UNITS.iter().chain(&PARTS) {
            for head in HEADS.iter().chain(&FORMATS) {
                let body = unit.repeat(RECORD_BYTES / 32 / unit.len());
                let mut out = Vec::new();
                scrubber.clone().scrub(format!("{head}{body}\n").as_bytes(), &mut out);
                assert!(out.ends_with(b"\n"), "{head}{unit}");
            }
        }
    }
}
