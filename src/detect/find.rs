//! [`Detectors`]: the findings of one value, through its escapes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::list::List;
use super::marks::Marks;
use super::own::Own;
use super::pattern::Pattern;
use super::unescape::{Ansi, holds_invisible, needs_unescape, unescape};
use super::{Candidate, DETECTORS, Detector, Reason, Trigger, index};
use crate::decoded::Decoded;
use crate::finding::Finding;
use crate::kind::{Kind, KindSet};
use crate::span::Span;

/// Levels of escapes that are looked through: a URL in JSON in a JSON string in a shell trace has four.
pub const MAX_DEPTH: usize = 4;

/// The detectors that a policy needs, ready for use.
#[derive(Clone, Debug)]
pub struct Detectors {
    kinds: KindSet,
    own: Own,
}

/// Buffers that one thread reuses from value to value.
#[derive(Debug, Default)]
pub struct Scratch {
    candidates: Vec<Candidate>,
    marks: Marks,
    levels: [Decoded; MAX_DEPTH],
    level: Vec<Finding>,
    sightings: Vec<Sighting>,
}

/// A finding and how much it is worth against others of its kind that overlap it.
#[derive(Clone, Copy, Debug)]
struct Sighting {
    finding: Finding,
    rank: usize,
}

/// One candidate of a value and what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Where the trigger stands in the value as written.
    pub at: usize,
    /// What was seen.
    pub trigger: Trigger,
    /// Kinds that it might have been.
    pub kinds: &'static [Kind],
    /// How many times escapes were decoded before it was seen.
    pub depth: usize,
    /// The finding, in the value as written, or the check that failed.
    pub outcome: Result<Finding, Reason>,
}

impl Detectors {
    /// Detectors for these kinds (those of `patterns` and `lists` are always on).
    pub fn new(kinds: KindSet, patterns: Vec<Arc<Pattern>>, lists: Vec<Arc<List>>) -> Detectors {
        Detectors { kinds, own: Own::new(patterns, lists) }
    }

    /// Whether every record has to be searched, candidate or not: patterns and lists have no trigger.
    pub fn needs_every_record(&self) -> bool {
        !self.own.is_empty()
    }

    /// The patterns and lists.
    pub fn own(&self) -> &Own {
        &self.own
    }

    /// Whether a built-in kind is looked for.
    pub fn finds(&self, kind: Kind) -> bool {
        self.kinds.contains(kind)
    }

    /// Whether no detector is on.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty() && !self.needs_every_record()
    }

    /// Appends the findings of one value to `out`, sorted by where they start.
    ///
    /// Findings of one kind never overlap; those of different kinds may.
    pub fn find(&self, value: &[u8], scratch: &mut Scratch, out: &mut Vec<Finding>) {
        let mut candidates = std::mem::take(&mut scratch.candidates);
        candidates.clear();
        index(value, &mut scratch.marks, &mut candidates);
        self.find_candidates(value, &candidates, 0, scratch, out);
        scratch.candidates = candidates;
    }

    /// The same, with the candidates of the value already known: those of [`index()`] over bytes in which the
    /// value begins at offset `base`, and of which it is a whole record or field.
    pub fn find_candidates(
        &self,
        value: &[u8],
        candidates: &[Candidate],
        base: usize,
        scratch: &mut Scratch,
        out: &mut Vec<Finding>,
    ) {
        let mut sightings = std::mem::take(&mut scratch.sightings);
        sightings.clear();
        scratch.level.clear();
        self.search(value, candidates, base, &mut scratch.level);
        sightings.extend(scratch.level.iter().map(|&finding| Sighting { finding, rank: 0 }));
        if (self.needs_every_record() || !candidates.is_empty()) && needs_unescape(value) {
            let invisible = self.search_levels(value, Ansi::Remove, scratch, &mut sightings);
            if invisible {
                self.search_levels(value, Ansi::Separate, scratch, &mut sightings);
            }
        }
        settle(&mut sightings);
        out.extend(sightings.iter().map(|sighting| sighting.finding));
        scratch.sightings = sightings;
    }

    /// Each candidate of the value, on each level of its escapes, with its outcome. For `explain`: slow.
    pub fn explain(&self, value: &[u8]) -> Vec<Explained> {
        let mut out = Vec::new();
        let mut levels: Vec<Decoded> = Vec::new();
        loop {
            let depth = levels.len();
            let hay = levels.last().map_or(value, |level| level.bytes.as_slice());
            let mut candidates = Vec::new();
            index(hay, &mut Marks::default(), &mut candidates);
            let mut seen = Vec::new();
            self.judge(hay, &candidates, 0, &mut |candidate, detector, outcome| {
                seen.push((candidate, detector, outcome));
            });
            for (candidate, detector, outcome) in seen {
                let at = to_raw(&levels, Span::new(candidate.at, candidate.at + 1)).start;
                let outcome = outcome.map(|finding| raw_finding(&levels, finding));
                out.push(Explained {
                    at,
                    trigger: candidate.trigger,
                    kinds: detector.kinds(),
                    depth,
                    outcome,
                });
            }
            let mut next = Decoded::default();
            if depth == MAX_DEPTH || !unescape(hay, Ansi::Remove, &mut next) {
                return out;
            }
            levels.push(next);
        }
    }

    /// One level: every finding in the bytes as they stand.
    fn search(&self, hay: &[u8], candidates: &[Candidate], base: usize, out: &mut Vec<Finding>) {
        self.judge(hay, candidates, base, &mut |_, _, outcome| out.extend(outcome));
        self.own.find(hay, out);
        join_overlapping(out);
    }

    fn judge(
        &self,
        hay: &[u8],
        candidates: &[Candidate],
        base: usize,
        seen: &mut dyn FnMut(Candidate, &'static dyn Detector, Result<Finding, Reason>),
    ) {
        for detector in
            DETECTORS.iter().filter(|detector| detector.kinds().iter().any(|kind| self.kinds.contains(*kind)))
        {
            let mut resume = 0;
            for candidate in candidates.iter().filter(|candidate| candidate.trigger == detector.trigger()) {
                let Some(at) = candidate.at.checked_sub(base).filter(|at| *at >= resume && *at < hay.len())
                else {
                    continue;
                };
                let verdict = detector.verify(hay, at);
                resume = verdict.resume;
                seen(Candidate { at, trigger: candidate.trigger }, *detector, verdict.outcome);
            }
        }
    }

    /// The levels of one view, from the outside in. Whether anything invisible was seen on any of them.
    fn search_levels(
        &self,
        value: &[u8],
        ansi: Ansi,
        scratch: &mut Scratch,
        found: &mut Vec<Sighting>,
    ) -> bool {
        let Scratch { candidates, marks, levels, level, .. } = scratch;
        let mut invisible = holds_invisible(value);
        for depth in 0..MAX_DEPTH {
            let (outer, inner) = levels.split_at_mut(depth);
            let hay = outer.last().map_or(value, |level| level.bytes.as_slice());
            if !unescape(hay, ansi, &mut inner[0]) {
                break;
            }
            let levels = &levels[..=depth];
            let hay = levels[depth].bytes.as_slice();
            invisible = invisible || holds_invisible(hay);
            candidates.clear();
            index(hay, marks, candidates);
            level.clear();
            self.search(hay, candidates, 0, level);
            let rank = depth + 1 + if ansi == Ansi::Remove { MAX_DEPTH } else { 0 };
            found.extend(
                level.iter().map(|finding| Sighting { finding: raw_finding(levels, *finding), rank }),
            );
        }
        invisible
    }
}

fn to_raw(levels: &[Decoded], span: Span) -> Span {
    levels.iter().rev().fold(span, |span, level| level.raw(span))
}

fn raw_finding(levels: &[Decoded], finding: Finding) -> Finding {
    Finding { span: to_raw(levels, finding.span), ..finding }
}

/// Joins findings of one level and kind that overlap (`a@b.example@c.example`): each of them is a value, and
/// what only one of them covers must not stay.
fn join_overlapping(found: &mut Vec<Finding>) {
    if found.len() < 2 {
        return;
    }
    found.sort_unstable_by_key(|finding| (finding.kind, finding.span));
    found.dedup_by(|next, one| {
        let overlaps = next.kind == one.kind && next.span.overlaps(one.span);
        if overlaps {
            one.span.end = one.span.end.max(next.span.end);
        }
        overlaps
    });
}

/// Leaves, of the sightings of one kind that overlap, the deepest, then the longest; drops IPv4 addresses
/// inside IPv6 ones; sorts by start.
fn settle(found: &mut Vec<Sighting>) {
    found.sort_unstable_by_key(|sighting| (sighting.finding.kind, sighting.finding.span));
    let overlap = |pair: &[Sighting]| {
        let (one, other) = (pair[0].finding, pair[1].finding);
        one.kind == other.kind && one.span.overlaps(other.span)
    };
    if found.windows(2).any(overlap) {
        keep_best(found);
    }
    drop_embedded(found);
    found.sort_unstable_by_key(|sighting| (sighting.finding.span, sighting.finding.kind));
}

/// Best first; whatever overlaps a better one of its kind goes. Not from left to right: a sighting that
/// goes must not take its other neighbour with it.
fn keep_best(found: &mut Vec<Sighting>) {
    let worth = |sighting: &Sighting| {
        let Sighting { finding: Finding { span, kind }, rank } = *sighting;
        (kind, std::cmp::Reverse((rank, span.len())), span.start)
    };
    found.sort_unstable_by_key(worth);
    let mut taken: BTreeMap<(Kind, usize), usize> = BTreeMap::new();
    found.retain(|sighting| {
        let Finding { span, kind } = sighting.finding;
        let before = taken.range(..(kind, span.end)).next_back();
        let free = before.is_none_or(|(&(other, _), &end)| other != kind || end <= span.start);
        if free {
            taken.insert((kind, span.start), span.end);
        }
        free
    });
}

/// `::ffff:192.0.2.1` is one IPv6 address.
fn drop_embedded(found: &mut Vec<Sighting>) {
    let mut outer: Vec<Span> = found
        .iter()
        .map(|sighting| sighting.finding)
        .filter(|finding| finding.kind == Kind::IPV6)
        .map(|finding| finding.span)
        .collect();
    if outer.is_empty() {
        return;
    }
    outer.sort_unstable();
    found.retain(|sighting| {
        let Finding { span, kind } = sighting.finding;
        let next = outer.partition_point(|outer| outer.start <= span.start);
        kind != Kind::IPV4 || !next.checked_sub(1).is_some_and(|before| outer[before].contains(span))
    });
}
