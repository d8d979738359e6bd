//! The promises about what is written, over random logs and policies.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod logs;

use std::sync::{Arc, LazyLock};

use logscrub::action::hash::HashKey;
use logscrub::policy::Policy;
use logscrub::scrub::Scrubber;
use logscrub::tally::Tally;
use proptest::prelude::*;

static SCRUBBERS: LazyLock<Vec<Scrubber>> = LazyLock::new(|| {
    let scrubber = |text: &&str| {
        let policy = Policy::from_toml(text, "test", Some(std::path::Path::new(".")))
            .unwrap_or_else(|faults| panic!("{faults}"));
        Scrubber::new(Arc::new(policy), Some(HashKey::new(&[7; 32])))
    };
    logs::POLICIES.iter().map(scrubber).collect()
});

fn scrub(policy: usize, log: &[u8]) -> (Vec<u8>, logscrub::tally::Tally) {
    let mut scrubber = SCRUBBERS[policy].clone();
    let mut out = Vec::new();
    scrubber.scrub(log, &mut out);
    (out, scrubber.take_tally())
}

fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

/// More of them find rarer faults: set `LOGSCRUB_CASES`.
fn cases() -> u32 {
    std::env::var("LOGSCRUB_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1500)
}

fn policy() -> impl Strategy<Value = usize> {
    0..logs::POLICIES.len()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn scrubbing_what_was_scrubbed_changes_nothing(log in logs::log(), policy in policy()) {
        let (once, _) = scrub(policy, &log);
        let (twice, tally) = scrub(policy, &once);
        prop_assert_eq!(shown(&once), shown(&twice));
        prop_assert_eq!(tally.changed, 0);
    }

    #[test]
    fn nothing_is_left_that_the_policy_would_change(log in logs::log(), policy in policy()) {
        let (once, _) = scrub(policy, &log);
        let mut left = Vec::new();
        SCRUBBERS[policy].clone().inspect(&once, |_, record, judged| {
            let stays = judged.left.as_deref() == Some(record) && judged.dropped.is_none();
            left.extend(Some(judged).filter(|judged| !stays || !judged.changes.is_empty()));
        });
        prop_assert!(left.is_empty(), "{left:?} in {}", shown(&once));
    }

    #[test]
    fn one_record_in_is_one_record_out_or_one_counted_drop(log in logs::log(), policy in policy()) {
        let (out, tally) = scrub(policy, &log);
        let lines = |bytes: &[u8]| bytes.split_inclusive(|byte| *byte == b'\n').count() as u64;
        prop_assert_eq!(tally.records, lines(&log));
        prop_assert_eq!(lines(&out) + tally.dropped, lines(&log));
        prop_assert_eq!(tally.withheld, 0);
    }

    #[test]
    fn the_fast_lane_changes_nothing_but_the_speed(log in logs::log(), policy in policy()) {
        let mut slow = SCRUBBERS[policy].clone().without_fast_lane();
        let mut out = Vec::new();
        slow.scrub(&log, &mut out);
        let (fast, tally) = scrub(policy, &log);
        prop_assert_eq!(shown(&fast), shown(&out), "from {}", shown(&log));
        prop_assert_eq!(tally.changed, slow.take_tally().changed);
    }

    #[test]
    fn to_count_by_year_changes_nothing_else(log in logs::log(), policy in policy()) {
        let mut by_year = SCRUBBERS[policy].clone().by_year();
        let mut out = Vec::new();
        by_year.scrub(&log, &mut out);
        let (wanted, tally) = scrub(policy, &log);
        let counted = by_year.take_tally();
        prop_assert_eq!(shown(&out), shown(&wanted), "from {}", shown(&log));
        let sum = |tally: &Tally| tally.acted.iter().map(|acted| acted.count).sum::<u64>();
        prop_assert_eq!((sum(&counted), counted.dropped, counted.due), (sum(&tally), tally.dropped, tally.due));
    }

    #[test]
    fn records_are_judged_each_for_itself(lines in proptest::collection::vec(logs::line(), 1..6), policy in policy()) {
        let whole: Vec<u8> = lines.iter().flat_map(|line| [line.as_slice(), b"\n"].concat()).collect();
        let apart: Vec<u8> = lines.iter().flat_map(|line| scrub(policy, &[line.as_slice(), b"\n"].concat()).0).collect();
        prop_assert_eq!(shown(&scrub(policy, &whole).0), shown(&apart));
    }

    #[test]
    fn bytes_outside_an_edit_are_unchanged(log in logs::log()) {
        // Policy 0 writes `[kind]` and nothing else, so all that stands between residues was there before, in order.
        let (out, _) = scrub(0, &log);
        let marks = regex::bytes::Regex::new(r#""?\[(email|ipv4|ipv6|pan)(#\d+)?\]"?"#).unwrap();
        let mut from = 0;
        for piece in marks.split(&out) {
            let piece = piece.strip_prefix(b"\"").unwrap_or(piece);
            let found = memchr::memmem::find(&log[from..], piece);
            prop_assert!(found.is_some(), "{} not in {}", shown(piece), shown(&log[from..]));
            from += found.unwrap() + piece.len();
        }
    }

    #[test]
    fn what_parsed_before_parses_after(line in logs::json_line(), policy in policy()) {
        let before: serde_json::Value = serde_json::from_slice(&line).unwrap();
        let (out, tally) = scrub(policy, &line);
        if tally.dropped == 0 {
            let after: serde_json::Value = serde_json::from_slice(&out)
                .unwrap_or_else(|fault| panic!("{fault}: {} from {}", shown(&out), shown(&line)));
            prop_assert!(same_shape(&before, &after, matches!(policy, 2 | 4 | 9)), "{} from {}", shown(&out), shown(&line));
        }
    }

    #[test]
    fn a_record_that_cannot_be_read_is_scrubbed_no_less(line in logs::json_line()) {
        let whole = scrub(0, &line).0;
        let broken = scrub(0, &[line.as_slice(), b"\xff}"].concat()).0;
        for value in logs::VALUES.iter().filter(|value| value.len() > 9) {
            let there = |text: &[u8]| memchr::memmem::find(text, value.as_bytes()).is_some();
            prop_assert!(there(&whole) || !there(&broken), "{} in {}", value, shown(&broken));
        }
    }
}

/// The same fields, less those that were dropped; a text or number may have become another text or null.
fn same_shape(before: &serde_json::Value, after: &serde_json::Value, drops: bool) -> bool {
    use serde_json::Value::{Array, Null, Number, Object, String};
    match (before, after) {
        (Object(before), Object(after)) if drops => after.len() <= before.len(),
        (Object(before), Object(after)) => {
            // Names may have changed, so members are compared in order.
            before.len() == after.len()
                && before.values().zip(after.values()).all(|(one, other)| same_shape(one, other, drops))
        }
        (Array(before), Array(after)) => {
            before.len() == after.len()
                && before.iter().zip(after).all(|(one, other)| same_shape(one, other, drops))
        }
        (_, Null) if drops => true,
        (String(_) | Number(_), String(_)) => true,
        (serde_json::Value::Bool(_), String(_)) if drops => true,
        (before, after) => before == after,
    }
}

#[test]
fn a_value_longer_than_a_window_of_a_long_record_leaves_no_tail() {
    let rules = r#"
[detectors.token]
regex = 'token=(?<value>x+)'

[[rule]]
name   = "token"
find   = ["token"]
action = "redact"
"#;
    let policy = Policy::from_toml(rules, "test", None).unwrap_or_else(|faults| panic!("{faults}"));
    let mut scrubber = Scrubber::new(Arc::new(policy), None);
    let record = ["a ".repeat(40_000), "token=".into(), "x".repeat(300_000), " b".repeat(40_000)].concat();
    let mut out = Vec::new();
    let mut pieces = record.as_bytes().chunks(100_000).peekable();
    while let Some(piece) = pieces.next() {
        scrubber.scrub_piece(piece, pieces.peek().is_none(), &mut out);
    }
    assert!(out.starts_with(b"a a ") && memchr::memmem::find(&out, b"xx").is_none());
    let tally = scrubber.take_tally();
    let whole = memchr::memmem::find(&out, b"token=[token] b").is_some();
    assert!(whole || tally.withheld == 1 && out.ends_with(b" bytes]"), "{tally:?}");
}

#[test]
fn a_replacement_that_json_escapes_is_written_once() {
    let rules = r#"
[[rule]]
field  = ["user"]
action = { redact = { with = '"gone" \ ' } }
"#;
    let policy = Policy::from_toml(rules, "test", None).unwrap_or_else(|faults| panic!("{faults}"));
    let mut scrubber = Scrubber::new(Arc::new(policy), None);
    let mut out = Vec::new();
    scrubber.scrub(br#"{"user":"jane","id":1}"#, &mut out);
    assert_eq!(shown(&out), shown(br#"{"user":"\"gone\" \\ ","id":1}"#));
    assert_eq!(scrubber.take_tally().withheld, 0);
}
