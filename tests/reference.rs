//! The fast path equals the slow, obvious reading in `reference/`: what is found, and what is left.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod logs;
#[path = "reference/mod.rs"]
mod reference;

use std::sync::{Arc, LazyLock};

use logscrub::detect::{Detectors, Scratch};
use logscrub::kind::{Kind, Kinds};
use logscrub::policy::Policy;
use logscrub::scrub::Scrubber;
use proptest::prelude::*;
use reference::Found;

static DETECTORS: LazyLock<Detectors> = LazyLock::new(|| {
    let kinds = [Kind::EMAIL, Kind::IPV4, Kind::IPV6, Kind::PAN];
    Detectors::new(kinds.into_iter().collect(), Vec::new(), Vec::new())
});

static SCRUBBERS: LazyLock<[Scrubber; 2]> = LazyLock::new(|| {
    reference::scrub::Policy::BOTH.map(|policy| {
        let policy =
            Policy::from_toml(&policy.rules(), "reference", None).unwrap_or_else(|faults| panic!("{faults}"));
        Scrubber::new(Arc::new(policy), None)
    })
});

/// What the program finds, in the reference's words.
fn find(value: &[u8]) -> Vec<Found> {
    let mut found = Vec::new();
    DETECTORS.find(value, &mut Scratch::default(), &mut found);
    let name = |kind: Kind| ["email", "ipv4", "ipv6", "pan"][kind.index()];
    assert_eq!(Kinds::default().name(Kind::PAN), name(Kind::PAN));
    let found = found.iter();
    found.map(|one| Found { start: one.span.start, end: one.span.end, kind: name(one.kind) }).collect()
}

fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn read(value: &[u8], found: &[Found]) -> Vec<String> {
    found
        .iter()
        .map(|one| format!("{} {}..{} {}", one.kind, one.start, one.end, shown(&value[one.start..one.end])))
        .collect()
}

/// What differs in the reading of a value, and in what is left of it; nothing, if all is well.
fn difference(log: &[u8]) -> Option<String> {
    let (fast, slow) = (find(log), reference::find(log));
    if fast != slow {
        return Some(format!("{}\n  fast {:?}\n  slow {:?}", shown(log), read(log, &fast), read(log, &slow)));
    }
    reference::scrub::Policy::BOTH.iter().zip(SCRUBBERS.iter()).find_map(|(policy, scrubber)| {
        let mut fast = Vec::new();
        scrubber.clone().scrub(log, &mut fast);
        let slow = reference::scrub::scrub(log, *policy);
        (fast != slow)
            .then(|| format!("{policy:?} {}\n  fast {}\n  slow {}", shown(log), shown(&fast), shown(&slow)))
    })
}

fn check(lines: impl Iterator<Item = Vec<u8>>) {
    let mut count = 0;
    let differences: Vec<String> =
        lines.inspect(|_| count += 1).filter_map(|line| difference(&line)).collect();
    println!("{count} lines, {} differ", differences.len());
    assert!(differences.is_empty(), "{}", differences[..differences.len().min(40)].join("\n"));
}

/// The texts of the tables of edge cases, and those that the files of the detectors give as examples.
fn known_texts() -> Vec<Vec<u8>> {
    let root = env!("CARGO_MANIFEST_DIR");
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(format!("{root}/tests/cases")).unwrap() {
        let table = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let is_hex = table.starts_with("kind\tshould_match\ttext_hex");
        for row in table.lines().skip(1) {
            let text = row.split('\t').nth(2).unwrap();
            let pair = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
            texts.push(match is_hex {
                true => (0..text.len()).step_by(2).map(pair).filter(|byte| *byte != b'\n').collect(),
                false => text.as_bytes().to_vec(),
            });
        }
    }
    texts.extend(
        [&b"jane@mail.xn--"[..], b"jane@mail.xn--p1ai-", b"jane@mail.xn--p1ai-.x"].map(<[u8]>::to_vec),
    );
    texts.push(format!("jane@mail.xn--{} jane@mail.xn--ab-{}", "d".repeat(80), "d".repeat(70)).into_bytes());
    texts.extend(logs::VALUES.iter().chain(logs::NOISE).map(|text| text.as_bytes().to_vec()));
    texts
}

#[test]
fn edge_cases() {
    let joints = logs::JOINTS.iter().map(|joint| joint.as_bytes());
    let joints: Vec<&[u8]> = joints.chain([b"x".as_slice(), b"1", b"\\n", b"%20", b"\""]).collect();
    check(known_texts().into_iter().flat_map(|text| {
        let beside = |joint: &&[u8]| [[joint, text.as_slice()].concat(), [text.as_slice(), joint].concat()];
        let beside: Vec<Vec<u8>> = joints.iter().flat_map(beside).collect();
        let dressed =
            [serde_json::json!({ "card": String::from_utf8_lossy(&text) }).to_string().into_bytes()];
        [text.clone()].into_iter().chain(beside).chain(dressed)
    }));
}

/// Every value with each invisible thing at each place of it, and with each of its bytes written as an escape.
#[test]
fn values_with_something_hidden_inside() {
    check(
        logs::VALUES.iter().flat_map(|value| (0..value.len()).flat_map(|at| hidden_at(value.as_bytes(), at))),
    );
}

const INVISIBLE: [&str; 8] =
    ["\u{200b}", "\u{1b}[1m", r"\u001b[0m", r"\\u001b[0m", r"\033[1m", "%E2%80%8B", "&#8203;", r"\u200b"];

fn hidden_at(value: &[u8], at: usize) -> Vec<Vec<u8>> {
    let (head, tail, code) = (&value[..at], &value[at..], value[at]);
    let written = [
        format!("\\u{code:04x}"),
        format!("\\\\u{code:04x}"),
        format!("\\x{code:02x}"),
        format!("%{code:02X}"),
        format!("%25{code:02x}"),
        format!("&#{code};"),
        format!("&amp;#x{code:x};"),
    ];
    let inserted = INVISIBLE.iter().map(|text| [head, text.as_bytes(), tail].concat());
    let replaced = written.iter().map(|text| [head, text.as_bytes(), &tail[1..]].concat());
    inserted.chain(replaced).collect()
}

#[test]
fn pairs_of_edge_cases() {
    let texts = known_texts();
    let pair = |(at, text): (usize, &Vec<u8>)| [text.as_slice(), &texts[(at * 7 + 3) % texts.len()]].concat();
    check(texts.iter().enumerate().map(pair));
}

/// Numbers that are the same in every run (xorshift64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

/// Lines of real logs, and the same with a few bytes changed, doubled, lost, or a value in the midst.
#[test]
fn real_lines_and_mutated_ones() {
    let Some(shared) = std::env::var_os("LOGSCRUB_SHARED").map(std::path::PathBuf::from) else {
        return println!("SKIPPED: LOGSCRUB_SHARED is not set, so there are no real lines to change");
    };
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for name in ["truth/sample.log", "truth/injected.log"] {
        let text = std::fs::read(shared.join(name)).unwrap();
        let all = text.split(|byte| *byte == b'\n').filter(|line| line.len() < 600);
        lines.extend(all.map(<[u8]>::to_vec));
    }
    let mutated: Vec<Vec<u8>> =
        (0..3 * lines.len()).map(|at| mutate(&lines[at % lines.len()], &mut dice)).collect();
    check(lines.into_iter().chain(mutated));
}

fn mutate(line: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut line = line.to_vec();
    for _ in 0..1 + dice.below(4) {
        let at = dice.below(line.len() + 1);
        let pieces = [logs::VALUES, logs::NOISE, logs::JOINTS][dice.below(3)];
        match dice.below(4) {
            0 if at < line.len() => line[at] = b"@.:0 \\%\"-f"[dice.below(10)],
            1 if at < line.len() => drop(line.remove(at)),
            2 => drop(line.splice(at..at, pieces[dice.below(pieces.len())].bytes())),
            _ => {
                let end = (at + dice.below(20)).min(line.len());
                let again = line[at..end].to_vec();
                line.splice(at..at, again);
            }
        }
    }
    line
}

fn dense() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop::sample::select(b"@..::0149faB %\\\"-_=/<>[]#x\xC2\xA0".to_vec());
    prop::collection::vec(byte, 0..50)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_logs(log in logs::log()) {
        let differs = difference(&log);
        prop_assert!(differs.is_none(), "{}", differs.unwrap());
    }

    #[test]
    fn random_lines(line in logs::line()) {
        let differs = difference(&line);
        prop_assert!(differs.is_none(), "{}", differs.unwrap());
    }

    #[test]
    fn bytes_that_matter(line in dense()) {
        let differs = difference(&line);
        prop_assert!(differs.is_none(), "{}", differs.unwrap());
    }
}
