//! The findings of any value are those of the reference; no check panics at any place of it. Every level of vector
//! instructions tells the same of any log, and never other than the exact tests.
#![no_main]

#[path = "../../tests/reference/mod.rs"]
mod reference;
#[path = "../../tests/sights/mod.rs"]
mod sights;

use libfuzzer_sys::fuzz_target;
use logscrub::detect::marks::Marks;
use logscrub::detect::{DETECTORS, Detectors, Scratch, index};
use logscrub::kind::Kind;
use reference::Found;

const KINDS: [(Kind, &str); 4] =
    [(Kind::EMAIL, "email"), (Kind::IPV4, "ipv4"), (Kind::IPV6, "ipv6"), (Kind::PAN, "pan")];

/// What may be put beside a value that a glance says is none: all that values are made of and what touches them.
const BESIDE: &[u8] = b"0123456789abcdefvnrsC.:@-_+ ,;|/=\"<>[]%&";

fuzz_target!(|data: &[u8]| {
    if data.len() > 1024 {
        return;
    }
    let detectors = Detectors::new(KINDS.iter().map(|(kind, _)| *kind).collect(), Vec::new(), Vec::new());
    let mut found = Vec::new();
    detectors.find(data, &mut Scratch::default(), &mut found);
    let found: Vec<Found> = found
        .iter()
        .map(|one| Found { start: one.span.start, end: one.span.end, kind: KINDS[one.kind.index()].1 })
        .collect();
    // Without a candidate a value is not looked at: escapes split by escapes may hide one (see `hides_trigger`).
    let mut candidates = Vec::new();
    index(data, &mut Marks::default(), &mut candidates);
    if !candidates.is_empty() {
        assert_eq!(found, reference::find(data), "{}", data.escape_ascii());
    }
    sights::check(data);
    if !data.is_empty() {
        let other: Vec<u8> = data.iter().rev().map(|byte| BESIDE[usize::from(*byte) % BESIDE.len()]).collect();
        sights::check_reach(data, &other);
    }
    detectors.explain(data);
    for detector in DETECTORS {
        for at in 0..data.len() {
            let verdict = detector.verify(data, at);
            assert!(verdict.outcome.is_err() || verdict.outcome.is_ok_and(|one| one.span.end <= data.len()));
        }
    }
});
