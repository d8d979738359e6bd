//! What the bit maps tell: the same on every level of vector instructions, and never other than the exact tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod logs;
mod sights;

use logscrub::checksum::luhn;
use logscrub::detect::DETECTORS;
use logscrub::detect::glance::Told;
use logscrub::detect::marks::{Marks, mark_at};
use logscrub::detect::simd::Level;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use sights::{block, check, check_reach, sights};

/// Fewer are enough where each takes long, more find rarer faults: set `PROPTEST_CASES`.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(4000)
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
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

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
