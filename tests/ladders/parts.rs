//! Parts of records, records that are dropped and times that cannot be true, mixed: the output depends on nothing but the
//! log, and nothing is left in it to be done.

use logscrub::stream::Settings;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{at, difference, left_of, run, scrubber};

const NOW: &str = "2026-06-01T00:00:00Z";

/// A day old, weeks old, older than a policy keeps records, and ahead of now.
const TIMES: [&str; 5] = [
    "2026-05-31T00:00:00.000000001Z",
    "2026-04-12T10:20:30.5Z",
    "2026-03-12T10:20:30.25Z",
    "2020-01-01T00:00:00.000000001Z",
    "2027-02-28T00:00:01.000000000Z",
];

const TEXTS: [&str; 12] = [
    "x",
    "",
    "card 4111111111111111",
    "4111 1111",
    " 1111 1111",
    "mail ana@exam",
    "ple.com",
    "from 203.0.113.5",
    "8",
    "203.0.113.9",
    "ana@example.com",
    "nothing to see",
];

/// Lines behind no header, or with one of neither format.
const OTHERS: [&str; 6] = [
    "plain 203.0.113.77",
    "\tat more ana@example.com",
    "",
    "2020-01-01T00:00:00Z app: card 4111111111111111",
    "2026-05-31T00:00:00Z app: from 203.0.113.66",
    "{\"msg\":\"mail ana@example.com\"}",
];

const FORMATS: [&str; 4] = ["auto", "auto", "cri", "docker"];

const RULES: [&str; 6] = [
    "[[rule]]\nfind = ['pan']\naction = 'drop_record'\n[[rule]]\nfind = ['all']\naction = 'redact'",
    "[[rule]]\nfind = ['ip']\naction = 'drop_record'\n[[rule]]\nfind = ['all']\naction = 'mask'",
    "[records]\ndrop_after = '60d'\n[[rule]]\nfind = ['all']\naction = 'redact'",
    "[records]\ndrop_after = '100d'\n[[rule]]\nfind = ['pan']\naction = 'drop_record'\n[[rule]]\nfind = ['all']\naction = 'redact'",
    "[[rule]]\nfind = ['record_time']\nretain = [{ until = '30d', action = 'keep' }, { action = { truncate = { time = 'hour' } } }]\n[[rule]]\nfind = ['ip', 'email']\naction = 'redact'",
    "[[rule]]\nfind = ['all']\nretain = [{ until = '30d', action = 'keep' }, { until = '60d', action = 'redact' }, { action = 'drop_record' }]",
];

fn cri(time: &str, stream: &str, text: &str, goes_on: bool) -> String {
    format!("{time} {stream} {} {text}\n", if goes_on { "P" } else { "F" })
}

fn docker(time: &str, stream: &str, text: &str, goes_on: bool) -> String {
    let end = if goes_on { "" } else { "\\n" };
    format!("{{\"log\":\"{text}{end}\",\"stream\":\"{stream}\",\"time\":\"{time}\"}}\n")
}

fn log() -> impl Strategy<Value = String> {
    let stream = prop_oneof![3 => Just("stdout"), 1 => Just("stderr")];
    let line = (select(TIMES.to_vec()), stream, select(TEXTS.to_vec()), any::<bool>());
    let other = select(OTHERS.to_vec());
    let of = |docker_too: bool| {
        let line = line.clone().prop_map(move |(time, stream, text, goes_on)| match docker_too {
            true => docker(time, stream, text, goes_on),
            false => cri(time, stream, text, goes_on),
        });
        vec(prop_oneof![6 => line, 1 => other.clone().prop_map(|line| format!("{line}\n"))], 1..12)
    };
    prop_oneof![of(false), of(true)].prop_map(|lines| lines.concat())
}

/// What is left, whatever the blocks, also if it comes as one, or is a file.
fn left(rules: &str, log: &str) -> String {
    let (left, tally) = left_of(rules, at(NOW), log);
    let mut whole = Vec::new();
    scrubber(rules, at(NOW)).scrub(log.as_bytes(), &mut whole);
    assert_eq!(difference(&String::from_utf8(whole).unwrap(), &left), None, "one block of {log}");
    let of_file = run(scrubber(rules, at(NOW)), log, Some(at(NOW)), &Settings::default());
    assert_eq!(difference(&of_file.0, &left), None, "a file of {log}");
    let lines = |text: &str| text.lines().count() as u64;
    assert_eq!((tally.records, lines(&left) + tally.dropped), (lines(log), lines(log)), "{left} of {log}");
    left
}

fn is_settled(rules: &str, log: &str) {
    let once = left(rules, log);
    assert_eq!(difference(&left(rules, &once), &once), None, "once more from {log}");
    scrubber(rules, at(NOW)).inspect(once.as_bytes(), |number, _, judged| {
        assert!(judged.changes.is_empty() && judged.left.is_some(), "{judged:?} in {number} of {once}");
    });
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(80) })]

    #[test]
    fn nothing_is_left_to_be_done(format in select(FORMATS.to_vec()), rules in select(RULES.to_vec()), log in log()) {
        // A line without a time of its own is of that of the line before it, which may be dropped.
        let is_dated = |line: &str| (line.contains("T00:00:0") || line.contains("T10:2")) && !line.contains(TIMES[4]);
        let rules = format!("input.format = '{format}'\n{rules}");
        match log.lines().all(is_dated) || !rules.contains("drop") {
            true => is_settled(&rules, &log),
            false => drop(left(&rules, &log)),
        }
    }
}

/// A time that cannot be true is none, but the line has its own header all the same.
#[test]
fn no_line_of_a_container_goes_on_with_a_dropped_one() {
    let [_, old, _, _, ahead] = TIMES;
    let mail = cri(old, "stdout", "mail ana@example.com", false);
    let dropped = cri(old, "stdout", "card 4111111111111111", false);
    for more in [cri(ahead, "stdout", "x", true), cri(ahead, "stdout", "x", false)] {
        let expected = more.clone() + &mail.replace("ana@example.com", "[email]");
        assert_eq!(left(RULES[0], &(dropped.clone() + &more + &mail)), expected);
        let plain = "plain\n".to_owned();
        assert_eq!(left(RULES[0], &(dropped.clone() + &plain + &mail)), plain + &expected[more.len()..]);
    }
}

/// What is seen in the later parts is what is done to them: they are of the age of the first.
#[test]
fn parts_are_of_the_age_of_the_first() {
    let [new, _, old, ..] = TIMES;
    for (first, then) in [(new, old), (old, new)] {
        for goes_on in [true, false] {
            let log = cri(first, "stdout", "from 203.0.113.5 ", true) + &cri(then, "stdout", "x", goes_on);
            is_settled(RULES[4], &log);
        }
    }
}

/// Nothing depends on lines that the run itself drops.
#[test]
fn what_tells_parts_may_be_dropped() {
    let new = TIMES[0];
    let gone: String = (0..40).map(|at| format!("{} plain {at}\n", TIMES[3])).collect();
    for write in [cri, docker] {
        let log = write(new, "stdout", "client=203.0.113.5", true) + &write(new, "stdout", "8 x", false);
        let expected = left(RULES[2], &log);
        assert!(expected.contains("client=[ipv4]"), "{expected}");
        assert_eq!(left(RULES[2], &(write(TIMES[3], "stdout", "a", false) + &log)), expected);
        assert_eq!(left(RULES[2], &(gone.clone() + &log)), expected);
    }
    let log = docker(TIMES[3], "stdout", "a", false)
        + &docker(new, "stdout", "client=203.0.113.58", true)
        + &docker(new, "stdout", "x", false);
    is_settled(RULES[2], &log);
    is_settled(RULES[2], &(docker(new, "stdout", "", true) + &docker(TIMES[3], "stdout", "x", false)));
}

/// A header is looked for among the first lines, however many of them are dropped.
#[test]
fn columns_have_names_behind_old_lines() {
    let rules = "[input]\nformat = 'csv'\n[records]\ndrop_after = '60d'\n[[rule]]\nfield = ['user']\naction = 'redact'";
    let row = |time: &str, user: &str| format!("{time},{user},x\n");
    let log = "ts,user,note\n".to_owned() + &row(TIMES[3], "bob").repeat(40) + &row(TIMES[0], "ana");
    assert_eq!(left(rules, &log), "ts,user,note\n".to_owned() + &row(TIMES[0], "[field]"));
    let rules = rules.replace("format = 'csv'", "format = 'auto'");
    assert_eq!(left(&rules, &log), "ts,user,note\n".to_owned() + &row(TIMES[0], "[field]"));
}
