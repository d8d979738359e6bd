//! Private keys that are records line by line: against an obvious reference, whatever the blocks and the threads.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::sync::{Arc, LazyLock};

use logscrub::action::hash::HashKey;
use logscrub::stream::{Input, Settings, Watch, drive};
use logscrub::{Policy, Scrubber};
use proptest::prelude::*;

/// How a logger writes a line: what stands before and after the text. `#` is a number that differs from line to line.
const WRAPPINGS: [(&str, &str); 7] = [
    ("", ""),
    ("Jan 0# 00:0#:00 web app[#]: ", ""),
    ("2026-01-0#T00:00:00.00000#Z stdout F ", ""),
    ("{\"log\":\"", "\\n\",\"stream\":\"stdout\",\"time\":\"#\"}"),
    ("{\"n\":#,\"msg\":\"", "\"}"),
    ("level=info n=# key='", "'"),
    ("\"", "\" +"),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Text {
    Begin,
    Body(usize),
    Header,
    Blank,
    End,
    Other(usize),
}

#[derive(Clone, Debug)]
struct Line {
    wrapping: usize,
    number: usize,
    text: Text,
}

const OTHERS: [&str; 7] = [
    "now starting ABCD",
    "-----BEGIN RSA PRIVATE KEY----- missing in config",
    "-----BEGIN CERTIFICATE-----",
    "user.name",
    "-----BEGIN PRIVATE KEY-----MIICanary0Canary0Canary-----END PRIVATE KEY-----.",
    "ABCD, EFGH",
    "[private_key]",
];

fn body(number: usize) -> String {
    let line = "MIIC+/canary".chars().cycle().skip(number % 7);
    let length = [64, 64, 64, 76, 40, 4, 1][number % 7];
    line.take(length).chain(if number.is_multiple_of(5) { "==" } else { "" }.chars()).collect()
}

impl Line {
    fn text(&self) -> String {
        match self.text {
            Text::Begin => {
                ["-----BEGIN RSA PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----"][self.number % 2].to_owned()
            }
            Text::Body(number) => body(number),
            Text::Header => "DEK-Info: AES-128-CBC,0011".to_owned(),
            Text::Blank => String::new(),
            Text::End => "-----END RSA PRIVATE KEY-----".to_owned(),
            Text::Other(number) => OTHERS[number % OTHERS.len()].to_owned(),
        }
    }

    fn written(&self, text: &str) -> String {
        let (before, after) = WRAPPINGS[self.wrapping];
        let number = (1 + self.number % 9).to_string(); // a day, too
        format!("{}{text}{}\n", before.replace('#', &number), after.replace('#', &number))
    }
}

fn write(log: &[Line]) -> String {
    log.iter().map(|line| line.written(&line.text())).collect()
}

/// What is left of each line.
fn reference(log: &[Line]) -> String {
    let mut open: Option<(usize, usize)> = None; // wrapping, lines
    let mut out = String::new();
    for line in log {
        if let Some((wrapping, lines)) = open {
            let fits = line.wrapping == wrapping || line.wrapping == 0;
            if fits && !matches!(line.text, Text::Begin | Text::Other(_)) {
                let blank = line.text == Text::Blank;
                out += &line.written(if blank { "" } else { "[private_key]" });
                open = (line.text != Text::End && lines < 199).then_some((wrapping, lines + 1));
                continue;
            }
            open = None;
        }
        if line.text == Text::Begin {
            open = Some((line.wrapping, 0));
            out += &line.written("[private_key]");
        } else {
            out += &line.written(&line.text().replace("MIICanary0Canary0Canary", "[private_key]"));
        }
    }
    out
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let text = prop_oneof![
        2 => Just(Text::Begin),
        8 => (0..100usize).prop_map(Text::Body),
        1 => Just(Text::Header),
        1 => Just(Text::Blank),
        2 => Just(Text::End),
        2 => (0..100usize).prop_map(Text::Other),
    ];
    let run = (0..WRAPPINGS.len(), prop::collection::vec((0..10usize, text), 1..12)).prop_map(
        |(wrapping, texts)| {
            texts
                .into_iter()
                .map(move |(number, text)| Line { wrapping, number, text })
                .collect::<Vec<Line>>()
        },
    );
    prop::collection::vec(run, 1..6).prop_map(|runs| runs.concat())
}

/// A key of that many lines, some of them too many.
fn long_key() -> impl Strategy<Value = Vec<Line>> {
    (0..WRAPPINGS.len(), 190..215usize).prop_map(|(wrapping, count)| {
        let text = |number| if number == 0 { Text::Begin } else { Text::Body(number) };
        (0..count).map(|number| Line { wrapping, number, text: text(number) }).collect()
    })
}

fn scrubber(action: &str) -> Scrubber {
    let rules =
        format!("pseudonyms.keyring = 'k.toml'\n[[rule]]\nfind = ['private_key']\naction = '{action}'\n");
    let policy = Policy::from_toml(&rules, "keys", Some(Path::new("."))).unwrap();
    Scrubber::new(Arc::new(policy), Some(HashKey::new(&[7; 32])))
}

static REDACT: LazyLock<Scrubber> = LazyLock::new(|| scrubber("redact"));

struct Log(std::io::Cursor<Vec<u8>>);

impl std::io::Read for Log {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(into)
    }
}

impl logscrub::stream::input::Source for Log {}

fn streamed(scrubber: &Scrubber, log: &[u8], threads: usize, block_bytes: usize) -> Vec<u8> {
    cut(scrubber, log, Settings { threads, max_record: 1 << 20, block_bytes })
}

fn cut(scrubber: &Scrubber, log: &[u8], settings: Settings) -> Vec<u8> {
    let mut out = Vec::new();
    let input = Input::new("log", Log(std::io::Cursor::new(log.to_vec())));
    let outcome = drive([Ok(input)], scrubber.clone(), &mut out, &mut Watch::default(), &settings);
    assert!(outcome.output.is_ok());
    out
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What is left where records with a line of a key are dropped: with one that has a time go the lines behind it that have
/// none and are no records of their own. A line of a container's log takes none along.
fn without_continued(log: &[Line], text: &str, expected: &str) -> String {
    let mut dropping = false;
    let mut left = String::new();
    let lines = text.split_inclusive('\n').zip(expected.split_inclusive('\n'));
    for (line, (before, after)) in log.iter().zip(lines) {
        if matches!(line.wrapping, 1..=4) {
            dropping = line.wrapping == 1 && before != after;
        }
        if !dropping && before == after {
            left += before;
        }
    }
    left
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn each_line_is_left_as_the_reference_says(log in lines(), more in long_key(), is_long in prop::bool::weighted(0.1)) {
        let log = if is_long { [log, more].concat() } else { log };
        let (text, expected) = (write(&log), reference(&log));
        for threads in [1, 4] {
            for block in [1, 50, 1 << 10, 1 << 17] {
                let out = streamed(&REDACT, text.as_bytes(), threads, block);
                prop_assert_eq!(shown(&out), expected.as_str(), "{} threads, blocks of {}", threads, block);
            }
        }
        // So does a scrubber alone, a line at a time; and nothing is left to do.
        let mut alone = REDACT.clone();
        let mut out = Vec::new();
        text.split_inclusive('\n').for_each(|line| alone.scrub(line.as_bytes(), &mut out));
        prop_assert_eq!(shown(&out), expected.as_str());
        let mut left = Vec::new();
        REDACT.clone().inspect(expected.as_bytes(), |_, _, judged| left.extend(judged.changes));
        prop_assert!(left.is_empty());
        prop_assert_eq!(shown(&streamed(&REDACT, expected.as_bytes(), 1, 1 << 17)), expected);
    }

    #[test]
    fn every_action_leaves_what_it_leaves_of_a_value(log in lines()) {
        let text = write(&log);
        let expected = reference(&log);
        for action in ["mask", "hash", "drop", "keep", "drop_record"] {
            let scrubber = scrubber(action);
            let out = streamed(&scrubber, text.as_bytes(), 1, 1 << 17);
            prop_assert_eq!(shown(&streamed(&scrubber, &out, 1, 1 << 17)), shown(&out), "{} twice", action);
            match action {
                "keep" => prop_assert_eq!(shown(&out), text.as_str()),
                "drop_record" => prop_assert_eq!(shown(&out), without_continued(&log, &text, &expected)),
                _ => {
                    prop_assert_eq!(shown(&out).lines().count(), text.lines().count());
                    for ((line, before), after) in text.lines().zip(expected.lines()).zip(shown(&out).lines()) {
                        prop_assert_eq!(line == before, line == after, "{}: {} {}", action, line, after);
                    }
                }
            }
        }
    }

    #[test]
    fn any_bytes_around_a_key_are_fine(junk in prop::collection::vec(any::<u8>(), 0..60), at in 0..200usize) {
        let mut log = b"x: -----BEGIN RSA PRIVATE KEY-----\nx: MIIC\nx: -----END RSA PRIVATE KEY-----\n".to_vec();
        let at = at.min(log.len());
        log.splice(at..at, junk);
        let once = streamed(&REDACT, &log, 1, 1 << 17);
        prop_assert_eq!(shown(&streamed(&REDACT, &log, 4, 7)), shown(&once));
        prop_assert_eq!(shown(&streamed(&REDACT, &once, 1, 1 << 17)), shown(&once));
        let lines = |bytes: &[u8]| bytes.split_inclusive(|byte| *byte == b'\n').count();
        prop_assert_eq!(lines(&once), lines(&log));
    }
}

/// The bytes of a key come out of no wrapping, in the one record or in many.
#[test]
fn no_part_of_a_key_comes_out() {
    let symbols = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let body: String =
        (0..640).map(|at| char::from(symbols.as_bytes()[(at * 29 % 64) ^ (at / 64)])).collect();
    let lines: Vec<&str> = (0..10).map(|at| &body[at * 64..(at + 1) * 64]).collect();
    let key = |feed: &str| {
        format!(
            "-----BEGIN RSA PRIVATE KEY-----{feed}{}{feed}-----END RSA PRIVATE KEY-----",
            lines.join(feed)
        )
    };
    let mut logs: Vec<String> = WRAPPINGS
        .iter()
        .map(|(before, after)| key("\n").lines().map(|line| format!("{before}{line}{after}\n")).collect())
        .collect();
    for feed in ["\\n", "\\r\\n", "\\\\n", " ", "", "#012", "\\u000a", "%0A", "&#10;"] {
        logs.push(format!("a key={} end\n", key(feed)));
        logs.push(format!("{{\"a\":\"{}\"}}\n", key(feed)));
        logs.push(format!("cut: {}\n", &key(feed)[..500]));
    }
    logs.push(format!("a {}\n", key("%0A").replace(' ', "%20").replace('+', "%2B").replace('/', "%2F")));
    logs.push(format!("{{\"a\":\"{}\"}}\n", key("\\n").replace('+', "\\u002b").replace('/', "\\/")));
    logs.push(key("\n").replace('\n', "\r\n"));
    logs.push(key("\n  ").to_owned());
    for log in &logs {
        let out = shown(&streamed(&REDACT, log.as_bytes(), 1, 1 << 17));
        let plain = out.replace("%2B", "+").replace("%2F", "/").replace("\\u002b", "+").replace("\\/", "/");
        let left = body.as_bytes().windows(4).find(|part| plain.contains(std::str::from_utf8(part).unwrap()));
        assert_eq!(left, None, "{log}\n{out}");
        assert!(out.contains("[private_key]"));
    }
}

/// Lines that are handed over in pieces begin keys, belong to them and end them too.
#[test]
fn no_part_of_a_key_comes_out_beside_lines_longer_than_the_longest_record() {
    let body = |length: usize| "MIIC+/canary".chars().cycle().take(length).collect::<String>();
    let key = format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n{}\n", body(64), body(60));
    let begin = "-----BEGIN RSA PRIVATE KEY-----";
    for before in 0..220 {
        let words = "word ".repeat(80);
        let words = &words[..before];
        let logs = [
            (format!("{words}{key}-----END RSA PRIVATE KEY-----\nthe end, now.\n"), 0),
            (format!("{words}{begin}\\n{}\n{}\nthe end, now.\n", body(40), body(64)), 0),
            (format!("{begin}\n{}\n{}\nthe end, now.\n", body(120 + before), body(64)), 1),
            (format!("{begin}\n{}\\n{}\n{}\nthe end, now.\n", body(before), body(120), body(64)), 1),
            (
                format!(
                    "{begin}\n{}\nnow {} {}\n{}\nthe end, now.\n",
                    body(64),
                    words,
                    "is ".repeat(60),
                    "x".repeat(9)
                ),
                0,
            ),
        ];
        for (log, withheld) in &logs {
            let settings = |threads, block_bytes| Settings { threads, max_record: 100, block_bytes };
            let out = shown(&cut(&REDACT, log.as_bytes(), settings(1, 1 << 17)));
            assert!(!out.contains("canary"), "{log}\n{out}");
            assert!(
                out.ends_with("\nthe end, now.\n") && out.lines().count() == log.lines().count(),
                "{log}\n{out}"
            );
            assert_eq!(out.matches("[withheld").count(), *withheld, "{log}\n{out}");
            assert_eq!(shown(&cut(&REDACT, log.as_bytes(), settings(4, 7))), out);
            let again = shown(&cut(&REDACT, out.as_bytes(), settings(1, 1 << 17)));
            assert_eq!(again, out);
            assert_eq!(by_hand(log.as_bytes(), 100), out);
        }
    }
}

/// What a scrubber leaves to which every long line is handed over in pieces.
fn by_hand(log: &[u8], max_record: usize) -> String {
    let (mut alone, mut out) = (REDACT.clone(), Vec::new());
    for line in log.split_inclusive(|byte| *byte == b'\n') {
        if line.len() <= max_record + 1 {
            alone.scrub(line, &mut out);
            continue;
        }
        let (pieces, last) = line.split_at((line.len() - 2) / max_record * max_record);
        pieces.chunks(max_record).for_each(|piece| alone.scrub_piece(piece, false, &mut out));
        alone.scrub_piece(last, true, &mut out);
    }
    shown(&out)
}

/// A key is as old as its first line: no run takes that and leaves lines that nobody knows for lines of a key.
#[test]
fn a_key_ages_as_a_whole() {
    let rules = "[[rule]]\nfind = ['private_key']\n\
                 retain = [{ until = '10d', action = 'keep' }, { action = 'redact' }]\n";
    for more in ["", "records.drop_after = '20d'\n"] {
        let policy = Policy::from_toml(&format!("{more}{rules}"), "test", None).unwrap();
        let scrubber = Scrubber::new(Arc::new(policy), None);
        let line = |day: u8, text: &str| format!("2026-03-{day:02}T00:00:00Z app[1]: {text}\n");
        let text = [
            line(1, "start"),
            line(2, "-----BEGIN RSA PRIVATE KEY-----"),
            line(6, &body(1)),
            line(9, &body(2)),
            line(9, "-----END RSA PRIVATE KEY-----"),
            line(9, "end"),
        ]
        .concat();
        let mut state = text.clone().into_bytes();
        for now in ["2026-03-13", "2026-03-17", "2026-03-23", "2026-04-20"] {
            let scrubber = scrubber.clone().at(format!("{now}T00:00:00Z").parse().unwrap());
            let late = streamed(&scrubber, text.as_bytes(), 1, 1 << 17);
            assert!(!shown(&late).contains("MIIC"), "{now}: {}", shown(&late));
            state = streamed(&scrubber, &state, 1, 1 << 17);
            assert_eq!(shown(&state), shown(&late), "{now}");
            for block in [1, 60, 200] {
                assert_eq!(shown(&streamed(&scrubber, text.as_bytes(), 4, block)), shown(&late), "{now}");
            }
            let mut alone = scrubber.clone();
            let mut out = Vec::new();
            text.split_inclusive('\n').for_each(|line| alone.scrub(line.as_bytes(), &mut out));
            assert_eq!(shown(&out), shown(&late), "{now}, line by line");
        }
    }
}
