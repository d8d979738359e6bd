//! The findings of any value are those of the reference; no check panics at any place of it.
#![no_main]

#[path = "../../tests/reference/mod.rs"]
mod reference;

use libfuzzer_sys::fuzz_target;
use logscrub::detect::marks::Marks;
use logscrub::detect::{DETECTORS, Detectors, Scratch, index};
use logscrub::kind::Kind;
use reference::Found;

const KINDS: [(Kind, &str); 4] =
    [(Kind::EMAIL, "email"), (Kind::IPV4, "ipv4"), (Kind::IPV6, "ipv6"), (Kind::PAN, "pan")];

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
    detectors.explain(data);
    for detector in DETECTORS {
        for at in 0..data.len() {
            let verdict = detector.verify(data, at);
            assert!(verdict.outcome.is_err() || verdict.outcome.is_ok_and(|one| one.span.end <= data.len()));
        }
    }
});
