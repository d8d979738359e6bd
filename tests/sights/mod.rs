//! Glances held against the exact tests. The fuzzer of the detectors uses it too, by path.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use logscrub::detect::glance::{Sight, Sights, Told};
use logscrub::detect::marks::{Marks, mark_at};
use logscrub::detect::simd::Level;
use logscrub::detect::{DETECTORS, Verdict};

const IPV4: u8 = 1;
const IPV6: u8 = 2;

/// A block with lines before and behind the log, so that a glance may look far enough at all of it.
pub(crate) fn block(log: &[u8]) -> Vec<u8> {
    let filler = [b'x'; 150];
    [filler.as_slice(), b"\n", log, b"\n", &filler, b"\n"].concat()
}

pub(crate) fn sights(block: &[u8]) -> (Marks, Vec<Sight>) {
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
pub(crate) fn check(log: &[u8]) {
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
pub(crate) fn check_reach(log: &[u8], other: &[u8]) {
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
