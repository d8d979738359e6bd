//! Records that stand in a log in parts are judged as if they stood in one line, wherever they were cut.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod logs;

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use logscrub::policy::Policy;
use logscrub::scrub::Scrubber;
use logscrub::stream::input::Source;
use logscrub::stream::{Input, ScrubWriter, Settings, Watch, drive};
use logscrub::tally::Tally;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Two ways to name the format of the input, and two to write it.
const FORMATS: [[&str; 2]; 2] = [["auto", "cri"], ["auto", "docker"]];

const RULES: [&str; 6] = [
    "[[rule]]\nfind = ['all']\naction = 'redact'",
    "[[rule]]\nfind = ['all']\naction = 'mask'",
    "[[rule]]\nfind = ['pan']\naction = 'truncate'\n[[rule]]\nfind = ['all']\naction = { redact = { with = 'x\"y' } }",
    "[[rule]]\nfield = ['user', 'password']\naction = 'redact'\n[[rule]]\nfind = ['all']\naction = 'redact'",
    "[[rule]]\nfield = ['user', 'password']\naction = 'drop'\n[[rule]]\nfind = ['all']\nin = ['user', 'note', 'cri.message', 'docker.log']\naction = 'redact'",
    "[[rule]]\nfield = ['cri.message', 'docker.log', 'cri.time', 'docker.time']\naction = 'redact'",
];

/// By format of the log, way to name it, and rules.
static SCRUBBERS: LazyLock<Vec<Vec<Vec<Scrubber>>>> = LazyLock::new(|| {
    let of = |format: &str, rules: &str| scrubber(&format!("input.format = '{format}'\n{rules}"));
    let all = |format: &str| RULES.iter().map(|rules| of(format, rules)).collect();
    FORMATS.iter().map(|names| names.iter().map(|name| all(name)).collect()).collect()
});

fn scrubber(rules: &str) -> Scrubber {
    let policy = Policy::from_toml(rules, "test", None).unwrap_or_else(|faults| panic!("{faults}"));
    Scrubber::new(Arc::new(policy), None)
}

/// What a container wrote, and where it is cut.
#[derive(Debug, Clone)]
struct Message {
    stream: usize,
    text: String,
    cuts: Vec<usize>,
}

const STREAMS: [&str; 2] = ["stdout", "stderr"];

impl Message {
    fn parts(&self) -> Vec<&str> {
        let mut cuts: Vec<usize> = self.cuts.iter().map(|cut| cut % (self.text.len() + 1)).collect();
        cuts.sort_unstable();
        cuts.push(self.text.len());
        let mut from = 0;
        let part = |to: &usize| &self.text[std::mem::replace(&mut from, *to)..*to];
        cuts.iter().map(part).collect()
    }
}

/// One line: its header is told from all others.
fn line(docker: bool, number: usize, stream: usize, text: &str, goes_on: bool) -> String {
    let (stream, time) = (STREAMS[stream], format!("2026-01-01T00:00:00.{number:09}Z"));
    if docker {
        let log = serde_json::to_string(&format!("{text}{}", if goes_on { "" } else { "\n" })).unwrap();
        return format!("{{\"log\":{log},\"stream\":\"{stream}\",\"time\":\"{time}\"}}\n");
    }
    format!("{time} {stream} {} {text}\n", if goes_on { "P" } else { "F" })
}

/// What a line holds, by an independent reader; `\n` at the end of a record of Docker is left out.
fn content(docker: bool, line: &[u8]) -> String {
    let line = std::str::from_utf8(line).unwrap();
    if docker {
        let value: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|fault| panic!("{fault}: {line}"));
        let log = value["log"].as_str().unwrap();
        return log.strip_suffix('\n').unwrap_or(log).to_owned();
    }
    line.splitn(4, ' ').nth(3).unwrap().trim_end_matches('\n').to_owned()
}

/// The header of a line.
fn header(docker: bool, line: &[u8]) -> String {
    let line = std::str::from_utf8(line).unwrap();
    if docker {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let goes_on = !value["log"].as_str().unwrap().ends_with('\n');
        return format!("{} {} {goes_on}", value["stream"], value["time"]);
    }
    line.splitn(4, ' ').take(3).collect::<Vec<_>>().join(" ")
}

/// A log, and of each line the message that it is a part of.
fn log(docker: bool, messages: &[Message], turns: &[bool]) -> (String, Vec<usize>) {
    let mut waiting: [Vec<(usize, String, bool)>; 2] = Default::default();
    for (number, message) in messages.iter().enumerate() {
        let parts = message.parts();
        for (at, part) in parts.iter().enumerate() {
            waiting[message.stream].push((number, (*part).to_owned(), at + 1 < parts.len()));
        }
    }
    waiting.iter_mut().for_each(|parts| parts.reverse());
    let (mut log, mut of, mut turn) = (String::new(), Vec::new(), turns.iter().cycle());
    while waiting.iter().any(|parts| !parts.is_empty()) {
        let stream = usize::from(*turn.next().unwrap());
        let stream = if waiting[stream].is_empty() { 1 - stream } else { stream };
        let (number, part, goes_on) = waiting[stream].pop().unwrap();
        log += &line(docker, of.len(), stream, &part, goes_on);
        of.push(number);
    }
    (log, of)
}

fn scrub(scrubber: &Scrubber, log: &[u8]) -> (Vec<u8>, Tally) {
    let (mut scrubber, mut out) = (scrubber.clone(), Vec::new());
    scrubber.scrub(log, &mut out);
    (out, scrubber.take_tally())
}

fn text() -> impl Strategy<Value = String> {
    let values = select(logs::VALUES).prop_map(str::to_owned);
    let noise = select(logs::NOISE).prop_map(str::to_owned);
    let named = (select(&["user", "password", "note"][..]), select(logs::VALUES))
        .prop_map(|(name, value)| format!("{name}={value}"));
    let word = prop_oneof![4 => values, 2 => noise, 1 => named];
    let words = vec((word, select(&[" ", "", ", ", "\"", "é"][..])), 0..5)
        .prop_map(|words| words.into_iter().map(|(word, gap)| word + gap).collect::<String>());
    let json = (words.clone(), words.clone(), any::<bool>()).prop_map(|(user, note, number)| {
        let user = if number { serde_json::json!(4111111111111111u64) } else { serde_json::json!(user) };
        serde_json::json!({"user": user, "note": note, "n": 1, "password": "secret"}).to_string()
    });
    prop_oneof![3 => words, 1 => json].prop_map(|text| text.replace(['\n', '\r'], " "))
}

fn message() -> impl Strategy<Value = Message> {
    (0..2usize, text(), vec(0..400usize, 0..4)).prop_map(|(stream, text, cuts)| {
        let cuts = cuts.into_iter().map(|cut| cut % (text.len() + 1));
        let cuts = cuts.filter(|cut| text.is_char_boundary(*cut)).collect();
        Message { stream, text, cuts }
    })
}

/// More of them find rarer faults: set `LOGSCRUB_CASES`.
fn cases() -> u32 {
    std::env::var("LOGSCRUB_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(600)
}

/// Checks that the parts of each message together are what it is when it stands in one line.
fn check(docker: bool, named: bool, rules: usize, messages: &[Message], turns: &[bool]) {
    let scrubber = &SCRUBBERS[usize::from(docker)][usize::from(named)][rules];
    let (input, of) = log(docker, messages, turns);
    let (out, tally) = scrub(scrubber, input.as_bytes());
    let shown = || format!("{} from {input}", String::from_utf8_lossy(&out));
    let lines: Vec<&[u8]> = out.split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(lines.len(), of.len(), "{}", shown());
    assert_eq!((tally.records, tally.withheld), (of.len() as u64, 0), "{}", shown());
    for (number, message) in messages.iter().enumerate() {
        let whole = line(
            docker,
            of.iter().position(|of| *of == number).unwrap(),
            message.stream,
            &message.text,
            false,
        );
        let expected = content(docker, &scrub(scrubber, whole.as_bytes()).0);
        let own = lines.iter().zip(&of).filter(|(_, of)| **of == number);
        let got: String = own.map(|(line, _)| content(docker, line)).collect();
        assert_eq!(got, expected, "{}", shown());
    }
    if rules < 5 {
        for (before, after) in input.split_inclusive('\n').zip(&lines) {
            assert_eq!(header(docker, before.as_bytes()), header(docker, after), "{}", shown());
        }
    }
    let (again, tally) = scrub(scrubber, &out);
    assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(&out));
    assert_eq!(tally.changed, 0, "{}", shown());
    let mut left = Vec::new();
    scrubber.clone().inspect(&out, |_, _, judged| left.extend(judged.changes));
    assert!(left.is_empty(), "{left:?} in {}", shown());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parts_are_judged_together(
        docker in any::<bool>(),
        named in any::<bool>(),
        rules in 0..RULES.len(),
        messages in vec(message(), 1..5),
        turns in vec(any::<bool>(), 1..8),
    ) {
        check(docker, named, rules, &messages, &turns);
    }

    /// What is found, line by line, is what is changed.
    #[test]
    fn what_is_seen_in_parts_is_what_goes(
        docker in any::<bool>(),
        messages in vec(message(), 1..4),
        turns in vec(any::<bool>(), 1..8),
    ) {
        let scrubber = &SCRUBBERS[usize::from(docker)][usize::from(docker)][0];
        let (input, _) = log(docker, &messages, &turns);
        let (out, _) = scrub(scrubber, input.as_bytes());
        let lines: Vec<&str> = input.lines().collect();
        let left: Vec<&[u8]> = out.split(|byte| *byte == b'\n').collect();
        scrubber.clone().inspect(input.as_bytes(), |number, record, judged| {
            let at = number as usize - 1;
            assert_eq!(String::from_utf8_lossy(record), lines[at]);
            assert_eq!(judged.left.as_deref(), Some(left[at]));
            for change in judged.changes {
                assert!(change.value.end <= record.len() && change.value.start < change.value.end, "{change:?}");
                assert!(lines[at] != String::from_utf8_lossy(left[at]), "{change:?} in {}", lines[at]);
            }
        });
    }
}

#[test]
fn a_value_is_found_wherever_it_is_cut() {
    for docker in [false, true] {
        for value in logs::VALUES {
            for format in [0, 1] {
                for text in [
                    format!("login of {value} from here"),
                    format!("{{\"note\":\"{value}\"}}"),
                    value.to_string(),
                ] {
                    for cut in 0..=text.len() {
                        let message = Message { stream: 0, text: text.clone(), cuts: vec![cut] };
                        let other = Message { stream: 1, text: "nothing".to_owned(), cuts: vec![] };
                        check(docker, format == 1, 0, &[message, other], &[false, true]);
                    }
                }
            }
        }
    }
}

/// A read of at most so many bytes.
struct Slow(Vec<u8>, usize, usize);

impl Read for Slow {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.2.min(into.len()).min(self.0.len() - self.1);
        into[..count].copy_from_slice(&self.0[self.1..self.1 + count]);
        self.1 += count;
        Ok(count)
    }
}

impl Source for Slow {}

fn drive_all(scrubber: &Scrubber, log: &[u8], most: usize, settings: Settings) -> (Vec<u8>, Tally) {
    let mut out = Vec::new();
    let input = Input::new("fake", Slow(log.to_vec(), 0, most));
    let outcome = drive(vec![Ok(input)], scrubber.clone(), &mut out, &mut Watch::default(), &settings);
    let mut tally = outcome.tally;
    tally.acted.sort_by_key(|acted| (acted.rule, acted.kind));
    (out, tally)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases() / 6, failure_persistence: None, ..ProptestConfig::default() })]

    /// Also where records are too long to be joined.
    #[test]
    fn blocks_reads_and_threads_change_nothing(
        docker in any::<bool>(),
        named in any::<bool>(),
        rules in 0..RULES.len(),
        messages in vec(message(), 1..12),
        turns in vec(any::<bool>(), 1..8),
        max_record in prop_oneof![1 => Just(1usize << 20), 3 => 60..600usize],
    ) {
        let scrubber = &SCRUBBERS[usize::from(docker)][usize::from(named)][rules];
        let (input, _) = log(docker, &messages, &turns);
        let of = |threads, block_bytes| Settings { threads, max_record, block_bytes };
        let (expected, tally) = drive_all(scrubber, input.as_bytes(), usize::MAX, of(1, 1 << 17));
        for (most, block_bytes) in [(usize::MAX, 1), (1, 1 << 17), (7, 64), (100, 1 << 17), (usize::MAX, 200)] {
            let (out, other) = drive_all(scrubber, input.as_bytes(), most, of(1, block_bytes));
            prop_assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&expected), "{} {} {} from {}", most, block_bytes, max_record, input);
            prop_assert_eq!(&other, &tally);
        }
        let (out, _) = drive_all(scrubber, input.as_bytes(), 50, of(3, 128));
        prop_assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&expected));
        prop_assert_eq!(expected.split_inclusive(|byte| *byte == b'\n').count(), input.lines().count());
        if max_record == 1 << 20 {
            let (whole, _) = scrub(scrubber, input.as_bytes());
            prop_assert_eq!(String::from_utf8_lossy(&whole), String::from_utf8_lossy(&expected));
        }
    }
}

const RECORD: &str = "2026-01-01T00:00:00Z stdout";
const OTHER: &str = "2026-01-01T00:00:00Z stderr";

fn settings(max_record: usize) -> Settings {
    Settings { threads: 1, max_record, block_bytes: 1 << 17 }
}

/// Each line keeps its header; streams do not touch one another.
#[test]
fn a_record_too_long_to_be_joined_does_not_go_out() {
    let scrubber = &SCRUBBERS[0][0][0];
    let (many, few) = ("x".repeat(50), "y".repeat(9));
    let input = format!(
        "{RECORD} P {many}4111 1111\n{OTHER} F mail ana@example.com\n{RECORD} P  1111 1111{few}\n{RECORD} F 1\n\
         {RECORD} P 192.0.2\n{RECORD} F .17\n"
    );
    let expected = format!(
        "{RECORD} P [withheld 59 bytes]\n{OTHER} F mail [email]\n{RECORD} P [withheld 19 bytes]\n\
         {RECORD} F [withheld 1 bytes]\n{RECORD} P [ipv4]\n{RECORD} F \n"
    );
    let (out, tally) = drive_all(scrubber, input.as_bytes(), usize::MAX, settings(120));
    assert_eq!(String::from_utf8_lossy(&out), expected);
    assert_eq!((tally.records, tally.withheld), (6, 1));
    let (again, tally) = drive_all(scrubber, &out, usize::MAX, settings(1 << 20));
    assert_eq!(String::from_utf8_lossy(&again), expected);
    assert_eq!(tally.changed, 0);
    let fields = &SCRUBBERS[0][0][5];
    let (again, _) = drive_all(fields, &out, usize::MAX, settings(1 << 20));
    assert!(String::from_utf8_lossy(&again).contains("P [withheld 19 bytes]\n"));
}

#[test]
fn a_line_too_long_to_be_held_is_withheld_if_it_is_a_part() {
    let scrubber = &SCRUBBERS[0][1][0];
    let long = "z".repeat(200);
    let input = format!(
        "{RECORD} P {long}4111 1111\n{OTHER} F ana@example.com\n{RECORD} F  1111 1111\n{RECORD} F {long} ana@example.com\n\
         {RECORD} F ana@example.com\n"
    );
    let (out, tally) = drive_all(scrubber, input.as_bytes(), usize::MAX, settings(120));
    let expected = format!(
        "[withheld 239 bytes]\n{OTHER} F [email]\n{RECORD} F [withheld 10 bytes]\n{RECORD} F {long} [email]\n{RECORD} F [email]\n"
    );
    assert_eq!(String::from_utf8_lossy(&out), expected);
    assert_eq!((tally.records, tally.withheld), (5, 1));
}

/// Breaks off behind some bytes.
struct Broken(Slow);

impl Read for Broken {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.read(into)? {
            0 => Err(io::Error::other("broken")),
            bytes => Ok(bytes),
        }
    }
}

impl Source for Broken {}

#[test]
fn parts_of_an_input_that_broke_off_do_not_go_out() {
    let input =
        format!("{RECORD} F ana@example.com\n{OTHER} P 4111 1111\n{RECORD} F nothing\n{OTHER} P  1111 ");
    for (rest, more) in [("", "[withheld 36 bytes]"), ("\n", &format!("{OTHER} P [withheld 6 bytes]\n"))] {
        let broken = Broken(Slow((input.clone() + rest).into_bytes(), 0, usize::MAX));
        let mut out = Vec::new();
        let inputs = vec![Ok(Input::new("fake", broken))];
        let outcome =
            drive(inputs, SCRUBBERS[0][0][0].clone(), &mut out, &mut Watch::default(), &settings(1 << 20));
        assert_eq!(outcome.input_faults.len(), 1);
        let out = String::from_utf8(out).unwrap();
        let expected =
            format!("{RECORD} F [email]\n{OTHER} P [withheld 9 bytes]\n{RECORD} F nothing\n{more}");
        assert_eq!(out.trim_end(), expected.trim_end());
    }
}

/// Whoever writes a log is told that nothing more comes; a record of which no more comes is whole.
#[test]
fn what_is_held_back_goes_out_at_the_end() {
    let lines = format!("{RECORD} P 4111 1111\n{OTHER} F nothing\n{RECORD} P  1111 1111 \n");
    let mut log = ScrubWriter::new(SCRUBBERS[0][0][0].clone(), Vec::new());
    log.write_all(lines.as_bytes()).unwrap();
    log.flush().unwrap();
    let out = String::from_utf8(log.finish().unwrap()).unwrap();
    assert_eq!(out, format!("{RECORD} P [pan]\n{OTHER} F nothing\n{RECORD} P  \n"));
}

/// What passes logs on may take away the line feeds and add nothing.
#[test]
fn short_records_without_end_are_records() {
    let (short, long) = ("x 192.0.2.17", format!("{} 192.0", "x".repeat(16 << 10)));
    let left = |line: &str| line.replace("192.0.2.17", "[ipv4]");
    let lines = line(true, 1, 0, short, true).repeat(20);
    assert_eq!(
        drive_all(&SCRUBBERS[1][0][0], lines.as_bytes(), 1 << 10, settings(1000)).0,
        left(&lines).as_bytes()
    );
    let parts = line(true, 1, 0, &long, true) + &line(true, 2, 0, ".2.17", false);
    let (out, _) = scrub(&SCRUBBERS[1][0][0], parts.as_bytes());
    assert!(String::from_utf8(out).unwrap().contains("[ipv4]"));
}

/// What comes later tells that a short record was a part, wherever in the input that is.
#[test]
fn a_short_record_is_a_part_if_one_with_an_end_follows_soon() {
    let whole = |from| (from..from + 40).map(|at| line(true, at, 0, "x", false)).collect::<String>();
    let cut = line(true, 1, 0, "mail ana@exam", true) + &line(true, 2, 0, "ple.com", false);
    let left = cut.replace("ana@exam", "[email]").replace("ple.com", "");
    for (before, after) in
        [(String::new(), whole(3)), (whole(3), String::new()), ("started\n".repeat(9), whole(3))]
    {
        let (out, _) = scrub(&SCRUBBERS[1][0][0], (before.clone() + &cut + &after).as_bytes());
        assert_eq!(String::from_utf8_lossy(&out), before + &left + &after);
    }
}

/// What can be looked at while it is written.
#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sixteen of them wait for one with an end, once.
#[test]
fn records_without_end_wait_for_none_for_long() {
    let out = Shared::default();
    let mut writer = ScrubWriter::new(SCRUBBERS[1][0][0].clone(), out.clone());
    let records: String = (0..50).map(|at| line(true, at, 0, "from 192.0.2.1", true)).collect();
    let expected = records.replace("192.0.2.1", "[ipv4]");
    let ends: Vec<usize> = memchr::memchr_iter(b'\n', expected.as_bytes()).map(|feed| feed + 1).collect();
    for (at, record) in records.split_inclusive('\n').enumerate() {
        writer.write_all(record.as_bytes()).unwrap();
        writer.flush().unwrap();
        let written = if at < 16 { 0 } else { ends[at] };
        assert_eq!(out.0.borrow().len(), written, "behind {at}");
    }
    writer.finish().unwrap();
    assert_eq!(String::from_utf8_lossy(&out.0.borrow()), expected);
}

/// Lines of Docker of which hardly any has an end; some are as long as parts are.
fn few_ends() -> impl Strategy<Value = String> {
    let long = "y".repeat(8 << 10);
    let text = prop_oneof![
        20 => select(&["x", "", "mail ana@exam", "ple.com", "from 192.0.2.1", "7", "4111 1111", " 1111 1111"][..]).prop_map(str::to_owned),
        1 => Just(long),
    ];
    let stream = prop_oneof![4 => Just(0usize), 1 => Just(1)];
    let ends = prop_oneof![9 => Just(false), 1 => Just(true)];
    vec((stream, text, ends), 0..70).prop_map(|lines| {
        let line =
            |(at, (stream, text, ends)): (usize, (usize, String, bool))| line(true, at, stream, &text, !ends);
        lines.into_iter().enumerate().map(line).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases() / 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn blocks_do_not_tell_which_records_are_parts(
        input in few_ends(),
        max_record in prop_oneof![1 => Just(1_usize << 20), 4 => 200..20_000_usize],
    ) {
        let scrubber = &SCRUBBERS[1][0][0];
        let of = |threads, block_bytes| Settings { threads, max_record, block_bytes };
        let (expected, tally) = drive_all(scrubber, input.as_bytes(), usize::MAX, of(1, 1 << 17));
        for (most, block_bytes) in [(usize::MAX, 1), (100, 64), (1000, 1 << 17), (usize::MAX, 700)] {
            let (out, other) = drive_all(scrubber, input.as_bytes(), most, of(1, block_bytes));
            prop_assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&expected), "{} {} {}", most, block_bytes, max_record);
            prop_assert_eq!((other.records, other.changed), (tally.records, tally.changed));
            // Of a record that is given up its parts are counted once for each block.
            prop_assert!(max_record < 1 << 20 || other == tally);
        }
        if max_record == 1 << 20 {
            let (again, tally) = drive_all(scrubber, &expected, usize::MAX, of(1, 1 << 17));
            prop_assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(&expected));
            prop_assert_eq!((tally.changed, tally.withheld), (0, 0));
        }
    }
}

/// What passes logs on takes away the line feeds, and adds members.
#[test]
fn records_of_others_are_not_taken_for_parts() {
    let lines = r#"{"log":"a 4111 1111","stream":"stdout","kubernetes":{}}
{"log":" 1111 1111 b","stream":"stdout","kubernetes":{}}
"#;
    let (out, _) = scrub(&SCRUBBERS[1][0][0], lines.as_bytes());
    assert_eq!(String::from_utf8_lossy(&out), lines);
}
