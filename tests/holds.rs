//! Holds: which records of a stream stay as they are, against a reference that goes line by line.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use logscrub::stream::input::Source;
use logscrub::stream::{Held, Input, Scrub, Settings, Watch, drive};
use logscrub::tally::Tally;
use logscrub::{HashKey, Policy, Scrubber};
use proptest::prelude::*;

const NOW: &str = "2026-03-01T00:00:00Z";
const HOLD: &str =
    "\n[[hold]]\nname = 'matter'\nrecords = ['Acme', 'claim-4711', 'Müller']\nuntil = 2030-01-01\n";
const LADDER: &str = "
[[rule]]
find = ['email']
retain = [{ until = '7d', action = 'keep' }, { until = '90d', action = 'redact' }, { action = 'drop_record' }]
[[rule]]
find = ['ipv4', 'private_key']
action = 'redact'
";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn policy(rules: &str) -> Policy {
    Policy::from_toml(rules, "test", None).unwrap_or_else(|faults| panic!("{faults}"))
}

fn scrubber(policy: &Policy) -> Scrubber {
    Scrubber::new(Arc::new(policy.clone()), Some(HashKey::new(&[7; 32]))).at(now())
}

struct Bytes(Vec<u8>);

impl std::io::Read for Bytes {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = into.len().min(self.0.len());
        into[..count].copy_from_slice(&self.0[..count]);
        self.0.drain(..count);
        Ok(count)
    }
}

impl Source for Bytes {}

fn run<S: Scrub + Send>(scrubber: S, text: &[u8], settings: &Settings) -> (Vec<u8>, Tally) {
    let mut out = Vec::new();
    let input = Input::new("stream", Bytes(text.to_vec()));
    let outcome = drive([Ok(input)], scrubber, &mut out, &mut Watch::default(), settings);
    assert!(outcome.output.is_ok() && outcome.input_faults.is_empty());
    (out, outcome.tally)
}

/// What is left under the holds of a policy, whatever the blocks and threads.
fn left_of(rules: &str, text: &[u8]) -> (Vec<u8>, Tally) {
    let policy = policy(rules);
    let held = Held::new(scrubber(&policy), &policy.holds, None, now());
    let mut left = run(held.clone(), text, &Settings::default());
    for (threads, block_bytes) in [(1, 1), (1, 50), (4, 50), (1, 1 << 17), (4, 1 << 17)] {
        let mut same = run(held.clone(), text, &Settings { threads, block_bytes, ..Settings::default() });
        let sort = |tally: &mut Tally| {
            tally.acted.sort_by_key(|acted| (acted.rule, acted.step, acted.kind));
            tally.due = None; // it may be told too early, of what is asked about for the sake of other lines
        };
        sort(&mut same.1);
        sort(&mut left.1);
        assert_eq!(
            String::from_utf8_lossy(&same.0),
            String::from_utf8_lossy(&left.0),
            "{threads} {block_bytes}"
        );
        assert_eq!(same.1, left.1, "{threads} {block_bytes}");
    }
    left
}

/// A line of a generated log: each bears its number, so that what is left of it is found again.
fn line(at: usize, shape: usize) -> String {
    let held = [
        "nothing",
        "of Acme.",
        "ACME",
        "acme_x Acmes xacme",
        "claim-4711",
        "claim-47110",
        "Müller",
        "Müllers",
    ];
    let word = held[shape % held.len()];
    let time = match shape / 8 % 5 {
        0 => "2026-02-28T10:00:00Z ",
        1 => "2026-02-01T10:00:00Z ",
        2 => "2025-02-01T10:00:00Z ",
        _ => "",
    };
    match shape / 40 % 5 {
        0 => format!("{time}no={at} from 203.0.113.{}, {word}", at % 250),
        1 => format!("{time}no={at} mail of ana@example.com {word}"),
        2 => format!("{time}no={at} {word}"),
        3 if !time.is_empty() => {
            format!("{{\"ts\":\"{}\",\"m\":\"no={at} b@example.org {word}\"}}", time.trim())
        }
        _ => format!("\tat no={at} com.example c@example.org {word}"),
    }
}

fn number(line: &str) -> Option<&str> {
    let digits = line.split("no=").nth(1)?;
    Some(&digits[..digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len())])
}

/// Whether a line holds one of the words: slow and plain.
fn is_held(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    ["acme", "claim-4711", "mÜller", "müller"].iter().any(|word| {
        line.match_indices(word).any(|(at, word)| {
            let joins = |next: Option<char>| next.is_some_and(|next| next.is_alphanumeric() || next == '_');
            !joins(line[..at].chars().next_back()) && !joins(line[at + word.len()..].chars().next())
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn held_lines_stay_and_all_others_go_as_ever(shapes in prop::collection::vec(0..200_usize, 0..60)) {
        let lines: Vec<String> = shapes.iter().enumerate().map(|(at, shape)| line(at, *shape)).collect();
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let (bare, _) = run(scrubber(&policy(LADDER)), text.as_bytes(), &Settings::default());
        let bare = String::from_utf8(bare).unwrap();
        let left: HashMap<&str, &str> = bare.lines().filter_map(|line| Some((number(line)?, line))).collect();
        let wanted: String = lines
            .iter()
            .filter_map(|line| if is_held(line) { Some(line.as_str()) } else { left.get(number(line)?).copied() })
            .map(|line| format!("{line}\n"))
            .collect();
        let (got, tally) = left_of(&format!("{LADDER}{HOLD}"), text.as_bytes());
        prop_assert_eq!(String::from_utf8(got).unwrap(), wanted);
        prop_assert_eq!(tally.held, lines.iter().filter(|line| is_held(line)).count() as u64);
        prop_assert_eq!(tally.records, lines.len() as u64);
    }
}

#[test]
fn a_key_that_goes_on_over_a_held_line_is_gone_but_for_that_line() {
    let begin = ["-----BEGIN ", "PRIVATE KEY-----"].concat();
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
    let text = format!("{begin}\n{body}\n{body}\n{}\nx 203.0.113.9\n", begin.replace("BEGIN", "END"));
    let rules = format!("{LADDER}{HOLD}").replace("'Acme'", &format!("'{}'", begin.replace('-', "").trim()));
    let (bare, _) = run(scrubber(&policy(LADDER)), text.as_bytes(), &Settings::default());
    let bare = String::from_utf8(bare).unwrap();
    let (got, _) = left_of(&rules, text.as_bytes());
    let got = String::from_utf8(got).unwrap();
    let (first, rest) = got.split_once('\n').unwrap();
    assert_eq!(first, begin);
    assert_eq!(rest, bare.split_once('\n').unwrap().1);
}

#[test]
fn the_parts_of_a_record_are_held_together() {
    let part = |tag: &str, stream: &str, text: &str| {
        format!("2026-02-28T10:00:00.000000000Z {stream} {tag} {text}\n")
    };
    let text = [
        part("F", "stdout", "before ana@example.com"),
        part("P", "stdout", "mail ana@exam"),
        part("P", "stderr", "other b@example"),
        part("P", "stdout", "ple.com of Ac"),
        part("F", "stdout", "me"),
        part("F", "stderr", ".com"),
        part("F", "stdout", "behind 203.0.113.9"),
    ];
    let (got, tally) = left_of(&format!("{LADDER}{HOLD}"), text.concat().as_bytes());
    let got = String::from_utf8(got).unwrap();
    let got: Vec<&str> = got.split_inclusive('\n').collect();
    assert_eq!(got[1..6], text[1..6], "the other stream shares its lines");
    assert_eq!(got[6], part("F", "stdout", "behind [ipv4]"));
    assert_eq!((tally.held, tally.records), (5, 7));
}

#[test]
fn a_long_record_waits_for_its_end() {
    let settings = Settings { max_record: 1000, ..Settings::default() };
    let policy = policy(&format!("[[rule]]\nfind = ['email', 'ipv4']\naction = 'redact'\n{HOLD}"));
    let held = Held::new(scrubber(&policy), &policy.holds, None, now());
    let long =
        |bytes: usize, end: &str| format!("ana@example.com {} {end}\n203.0.113.9\n", "y ".repeat(bytes / 2));
    for cut in 980..1003 {
        let text = long(cut, "Acme and more, or less: Acme");
        let (got, tally) = run(held.clone(), text.as_bytes(), &settings);
        assert_eq!(String::from_utf8(got).unwrap(), text.replace("203.0.113.9", "[ipv4]"));
        assert_eq!((tally.held, tally.held_late, tally.records), (1, 0, 2));
        let text = long(cut, "Acmes xAcme");
        let (got, tally) = run(held.clone(), text.as_bytes(), &settings);
        let wanted = text.replace("203.0.113.9", "[ipv4]").replace("ana@example.com", "[email]");
        assert_eq!(String::from_utf8(got).unwrap(), wanted);
        assert_eq!((tally.held, tally.held_late), (0, 0));
    }
    let text = long(17 << 20, "Acme");
    let (got, tally) = run(held, text.as_bytes(), &Settings::default());
    assert!(got.starts_with(b"[email] y") && tally.held_late == 1 && tally.held == 0);
}

#[test]
fn a_word_across_two_pieces_is_found_and_half_a_word_is_none() {
    let policy = policy(&format!("[[rule]]\nfind = ['email']\naction = 'redact'\n{HOLD}"));
    let mut held = Held::new(scrubber(&policy), &policy.holds, None, now());
    let mut scrub = |pieces: &[&str]| {
        let mut out = Vec::new();
        for (at, piece) in pieces.iter().enumerate() {
            held.scrub_piece(piece.as_bytes(), at + 1 == pieces.len(), &mut out);
        }
        (String::from_utf8(out).unwrap(), held.take_tally().held)
    };
    let cases: [(&[&str], bool); 6] = [
        (&["a@example.com Ac", "m", "e\n"], true),
        (&["a@example.com Acme", "\n"], true),
        (&["a@example.com Acme", "s\n"], false),
        (&["a@example.com x", "Acme\n"], false),
        (&["Acme a@example.com", &" z".repeat(50), "\n"], true),
        (&["a@example.com ", &"z".repeat(50), "Acme", &"z".repeat(50), "\n"], false),
    ];
    for (pieces, is_held) in cases {
        let (got, held) = scrub(pieces);
        assert_eq!((got == pieces.concat(), held == 1), (is_held, is_held), "{pieces:?}");
    }
}

#[test]
fn a_hold_is_for_its_files_until_it_ends() {
    let rules = "[[rule]]\nfind = ['email']\naction = 'redact'\n
        [[hold]]\nname = 'a'\npath = ['**/acme/**']\nrecords = ['Ana']\nuntil = 2028-12-31
        [[hold]]\nname = 'b'\npath = ['/srv/shop/*.log']\nuntil = '2028-12-31'\n";
    let policy = policy(rules);
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let [a, b] = policy.holds.as_slice() else { panic!() };
    assert!(!a.is_over(at("2028-12-30T23:59:59Z")) && a.is_over(at("2028-12-31T00:00:00Z")));
    assert!(a.covers_path(Path::new("/x/acme/y.log")) && !a.covers_path(Path::new("/x/acmes/y.log")));
    assert!(b.covers_path(Path::new("/srv/shop/y.log")) && !b.covers_path(Path::new("/srv/shop/z/y.log")));
    let left = |path: Option<&str>, now: &str| {
        let mut held = Held::new(scrubber(&policy), &policy.holds, path.map(Path::new), at(now));
        let mut out = Vec::new();
        held.scrub(b"Ana is ana@example.com\n", &mut out);
        out == b"Ana is ana@example.com\n"
    };
    assert!(left(Some("/x/acme/y.log"), NOW));
    assert!(!left(Some("/x/acme/y.log"), "2028-12-31T00:00:00Z"));
    assert!(!left(Some("/srv/shop/y.log"), NOW) && !left(None, NOW));
    assert_ne!(policy.fingerprint, self::policy(&rules.replace("'Ana'", "'Bea'")).fingerprint);
    assert_ne!(policy.fingerprint, self::policy(&rules.replacen("2028", "2029", 1)).fingerprint);
}

#[test]
fn words_are_not_shown() {
    let policy = policy(&format!("{LADDER}{HOLD}"));
    let held = Held::new(scrubber(&policy), &policy.holds, None, now());
    assert!(format!("{held:?}").contains("Words { count: 3 }"));
}
