//! What the bit maps tell: the same on every level of vector instructions, and never other than the exact tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod logs;

use logscrub::checksum::luhn;
use logscrub::detect::glance::{Sight, Sights, Told};
use logscrub::detect::marks::{Marks, mark_at};
use logscrub::detect::simd::Level;
use logscrub::detect::{DETECTORS, Verdict};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

const IPV4: u8 = 1;
const IPV6: u8 = 2;

/// A block with lines before and behind the log, so that a glance may look far enough at all of it.
fn block(log: &[u8]) -> Vec<u8> {
    let filler = [b'x'; 150];
    [filler.as_slice(), b"\n", log, b"\n", &filler, b"\n"].concat()
}

fn sights(block: &[u8]) -> (Marks, Vec<Sight>) {
    let (mut marks, mut sights) = (Marks::default(), Sights::default());
    mark_at(Level::best(), block, &mut marks);
    sights.glance(block, &marks, [true; 4]);
    let list = sights.list().to_vec();
    for level in Level::ALL.iter().filter(|level| level.is_here()) {
        let (mut twin, mut glanced) = (Marks::default(), Sights::default());
        mark_at(*level, block, &mut twin);
        assert!(twin == marks, "marks at {level:?}: {}", block.escape_ascii());
        glanced.glance_at(*level, block, &twin, [true; 4]);
        assert_eq!(glanced.list(), list, "glances at {level:?}: {}", block.escape_ascii());
    }
    (marks, list)
}

/// Where the line around a place starts and ends.
fn line(block: &[u8], at: usize) -> (usize, usize) {
    let start = block[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |feed| feed + 1);
    let end = block[at..].iter().position(|byte| *byte == b'\n').map_or(block.len(), |feed| at + feed);
    (start, end)
}

/// The exact test of a sight in its line.
fn verify(sight: &Sight, line: &[u8], start: usize) -> Verdict {
    let at = sight.at as usize - start - usize::from(sight.detector == IPV4);
    DETECTORS[usize::from(sight.detector)].verify(line, at)
}

/// Whether glances at a log and the exact tests agree, and no candidate is left out.
fn check(log: &[u8]) {
    let block = block(log);
    let (marks, sights) = sights(&block);
    let mut told = sights.iter();
    let (mut judged_from, mut judged_to) = (0, 0);
    for at in marks.candidates() {
        if block[*at as usize] == b':' && (judged_from..judged_to).contains(at) {
            continue; // of a run that was judged as a whole
        }
        let sight = told.next().expect("a sight for each candidate");
        assert_eq!(sight.at, *at);
        if sight.detector == IPV6 && sight.told != Told::Unsure {
            (judged_from, judged_to) = (sight.start, sight.end);
        }
    }
    assert!(told.next().is_none());
    for sight in &sights {
        let (start, end) = line(&block, sight.at as usize);
        let outcome = verify(sight, &block[start..end], start).outcome;
        let text = block[start..end].escape_ascii();
        match sight.told {
            Told::Found => {
                let span = outcome.unwrap_or_else(|reason| panic!("{sight:?} in {text}: {reason}")).span;
                assert_eq!(
                    (span.start + start, span.end + start),
                    (sight.start as usize, sight.end as usize),
                    "{text}"
                );
            }
            Told::Nothing | Told::Never => assert!(outcome.is_err(), "{sight:?} in {text}"),
            Told::Unsure => {}
        }
    }
}

/// Whether what is none stays none, whatever becomes of the bytes outside those that the glance says it took.
fn check_reach(log: &[u8], other: &[u8]) {
    let block = block(log);
    for sight in sights(&block).1 {
        let (start, end) = line(&block, sight.at as usize);
        let mut changed = block.clone();
        match sight.told {
            Told::Nothing => {
                let outside = |at: &usize| *at < sight.start as usize || *at >= sight.end as usize;
                for at in (start..end).filter(outside) {
                    changed[at] = other[at % other.len()];
                }
            }
            Told::Never => replace_runs(&mut changed, start..end, sight.at as usize, other),
            Told::Found | Told::Unsure => continue,
        }
        let outcome = verify(&sight, &changed[start..end], start).outcome;
        assert!(
            outcome.is_err(),
            "{sight:?} in {}\n  becomes one in {}",
            block[start..end].escape_ascii(),
            changed[start..end].escape_ascii()
        );
    }
}

/// Replaces runs of digits and whatever is between them by bytes that are neither digits nor separators.
fn replace_runs(block: &mut [u8], range: std::ops::Range<usize>, keep: usize, other: &[u8]) {
    const INERT: &[u8] = b"[]xZ*_(){}<>#!?~^$,;/|";
    let mut at = range.start;
    while at < range.end {
        let digit = block[at].is_ascii_digit();
        let run = block[at..range.end].iter().take_while(|byte| byte.is_ascii_digit()).count().max(1);
        let by = other[at % other.len()];
        if by.is_multiple_of(3) && !(at..at + run).contains(&keep) {
            for place in at..at + run {
                block[place] = INERT[usize::from(other[place % other.len()]) % INERT.len()];
            }
        }
        at += if digit { run } else { 1 };
    }
}

/// Bytes of which values are made, and those that touch them.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    vec(select(b"0011223344556789abcdefxyvnCT....::::@@--_+ ,;|/=\"'<>[](){}%&?#\\\r".to_vec()), 1..90)
}

fn other() -> impl Strategy<Value = Vec<u8>> {
    vec(select(b"0123456789abcdefvnrsC.:@-_+ ,;|/=\"<>[]%&".to_vec()), 61)
}

/// Shapes of the four kinds with anything beside them.
fn shapes() -> impl Strategy<Value = Vec<u8>> {
    let part =
        || prop_oneof![6 => (0u32..300).prop_map(|part| part.to_string()), 1 => Just("007".to_owned())];
    let quad = vec(part(), 3..6).prop_map(|parts| parts.join("."));
    let group = || "[0-9a-f]{0,5}";
    let groups = vec(group(), 3..10).prop_map(|groups| groups.join(":"));
    let card = ("[2-69][0-9]{10,18}", 0usize..6).prop_map(|(digits, layout)| card(&digits, layout));
    let email = "[a-z0-9._+-]{1,12}@[a-z0-9.-]{1,16}\\.(com|org|x|png|c1|co-|de)";
    let joint = select(vec![
        "",
        " ",
        ",",
        ";",
        "|",
        ":",
        "=",
        "/",
        "-",
        ".",
        "_",
        "+",
        "\"",
        "'",
        "<",
        ">",
        "(",
        "]",
        "x",
        "v",
        "version ",
        "Chrome/",
        "ip/",
        " B",
        "card ",
        "build\":\"",
        "%",
        "1",
        "\r",
    ]);
    let value = prop_oneof![quad, groups, card, email.prop_map(|email| email)];
    vec((joint, value), 1..6).prop_map(|pieces| {
        pieces
            .into_iter()
            .flat_map(|(joint, value)| [joint.to_owned(), value])
            .collect::<String>()
            .into_bytes()
    })
}

/// A number whose check digit holds, in one of the layouts in which cards are written.
fn card(digits: &str, layout: usize) -> String {
    let checked = |last: u8| luhn::holds(digits.bytes().chain([last]));
    let last = (b'0'..=b'9').find(|last| checked(*last)).unwrap();
    let digits = format!("{digits}{}", char::from(last));
    let groups: &[usize] = [&[][..], &[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4], &[4, 4, 4, 4, 3], &[]][layout];
    let separator = [" ", "-", "+"][digits.len() % 3];
    let mut rest = digits.as_str();
    let mut parts = Vec::new();
    for length in groups {
        let (part, left) = rest.split_at(rest.len().min(*length));
        parts.push(part);
        rest = left;
    }
    parts.push(rest);
    parts.retain(|part| !part.is_empty());
    parts.join(separator)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn glances_agree_in_logs(log in logs::log()) {
        check(&log);
    }

    #[test]
    fn glances_agree_in_soup(log in soup()) {
        check(&log);
    }

    #[test]
    fn glances_agree_about_shapes(log in shapes()) {
        check(&log);
    }

    #[test]
    fn what_is_none_stays_none(log in prop_oneof![logs::log(), soup(), shapes()], other in other()) {
        check_reach(&log, &other);
    }

    #[test]
    fn any_bytes(log in vec(any::<u8>(), 0..2000)) {
        check(&log);
    }
}

#[test]
fn real_logs() {
    let Some(shared) = std::env::var_os("LOGSCRUB_SHARED") else {
        println!("skipped: LOGSCRUB_SHARED is not set");
        return;
    };
    let mut sure = 0;
    for entry in walkdir::WalkDir::new(std::path::Path::new(&shared).join("corpora")) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() && entry.path().extension().is_some_and(|end| end != "md") {
            let log = std::fs::read(entry.path()).unwrap();
            for part in log.chunks(100_000) {
                check(part);
                sure += sights(&block(part)).1.iter().filter(|sight| sight.told != Told::Unsure).count();
            }
        }
    }
    println!("{sure} candidates told at a glance");
    assert!(sure > 10_000);
}

/// Whether any detector finds a value at a place. (Groups of fewer digits than any card has are not marked.)
fn is_value(log: &[u8], at: usize) -> bool {
    DETECTORS.iter().any(|detector| detector.verify(log, at).outcome.is_ok())
}

/// Every length around the sizes of windows and groups, for each place of a candidate.
#[test]
fn candidates_at_every_place() {
    for length in (0..140).chain(500..530).chain(4080..4110) {
        for value in ["a@b.example", "203.0.113.9", "2001:db8:0:0:1:0:0:1", "4111 1111 1111 1111", "::1"] {
            let mut log = vec![b'-'; length];
            log.extend_from_slice(value.as_bytes());
            let (mut marks, mut twin) = (Marks::default(), Vec::new());
            logscrub::detect::scan(&log, &mut twin);
            for level in Level::ALL.iter().filter(|level| level.is_here()) {
                mark_at(*level, &log, &mut marks);
                for candidate in twin.iter().filter(|candidate| is_value(&log, candidate.at)) {
                    let dot = usize::from(log[candidate.at] == b'.');
                    let run = |at: &u32| {
                        *at as usize == candidate.at + dot
                            || log[candidate.at] == b':' && (*at as usize) < candidate.at
                    };
                    assert!(marks.candidates().iter().any(run), "{level:?} {length} {value}");
                }
            }
        }
    }
}
