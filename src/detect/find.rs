//! [`Detectors`]: the findings of one value, through its escapes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::list::List;
use super::marks::{Map, Marks, mark};
use super::own::Own;
use super::pattern::Pattern;
use super::plain_escape::{self, PlainEscapes};
use super::unescape::{Ansi, hides_trigger, is_invisible, unescape, unescape_at};
use super::{Candidate, DETECTORS, Detector, Reason, Trigger, index, is_no_break_space, scan};
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
    /// The detectors that may find one of the kinds: places in [`DETECTORS`].
    asked: Vec<usize>,
    own: Own,
}

/// Buffers that one thread reuses from value to value.
#[derive(Debug, Default)]
pub struct Scratch {
    candidates: Vec<Candidate>,
    /// Of the value.
    outer: Marks,
    /// Of the level that was decoded last.
    inner: Marks,
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
        let may_find = |at: &usize| DETECTORS[*at].kinds().iter().any(|kind| kinds.contains(*kind));
        let asked = (0..DETECTORS.len()).filter(may_find).collect();
        Detectors { kinds, asked, own: Own::new(patterns, lists) }
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
        let mut marks = std::mem::take(&mut scratch.outer);
        mark(value, &mut marks);
        self.find_marked(value, Span::new(0, value.len()), &marks, scratch, out);
        scratch.outer = marks;
    }

    /// The same for a value that lies in bytes whose marks are known, at `place`. It is seen by itself: its ends
    /// are boundaries, and findings count from its start.
    pub fn find_marked(
        &self,
        bytes: &[u8],
        place: Span,
        marks: &Marks,
        scratch: &mut Scratch,
        out: &mut Vec<Finding>,
    ) {
        let value = place.of(bytes);
        let escapes = Escapes { map: marks.escapes(), place };
        let mut candidates = std::mem::take(&mut scratch.candidates);
        triggers(
            value,
            Places { list: between(marks.candidates(), place), base: place.start },
            escapes,
            &mut candidates,
        );
        self.find_seen(value, &candidates, escapes, scratch, out);
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
        let here =
            |candidate: &Candidate| Some(Candidate { at: candidate.at.checked_sub(base)?, ..*candidate });
        let mut marks = std::mem::take(&mut scratch.outer);
        mark(value, &mut marks);
        let candidates: Vec<Candidate> = candidates.iter().filter_map(here).collect();
        let place = Span::new(0, value.len());
        self.find_seen(value, &candidates, Escapes { map: marks.escapes(), place }, scratch, out);
        scratch.outer = marks;
    }

    fn find_seen(
        &self,
        value: &[u8],
        candidates: &[Candidate],
        escapes: Escapes<'_>,
        scratch: &mut Scratch,
        out: &mut Vec<Finding>,
    ) {
        let mut sightings = std::mem::take(&mut scratch.sightings);
        sightings.clear();
        scratch.level.clear();
        self.search(value, candidates, &mut scratch.level);
        sightings.extend(scratch.level.iter().map(|&finding| Sighting { finding, rank: 0 }));
        let may_hide = !escapes.is_empty()
            && (self.needs_every_record()
                || !candidates.is_empty()
                || plain_escape::may_hide(value)
                || escapes.iter().any(|at| hides_trigger(value, at)))
            || PlainEscapes::of(value).next().is_some();
        if may_hide && self.search_levels(value, escapes, Ansi::Remove, scratch, &mut sightings) {
            self.search_levels(value, escapes, Ansi::Separate, scratch, &mut sightings);
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
            self.judge(hay, &candidates, |candidate, detector, outcome| {
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
    fn search(&self, hay: &[u8], candidates: &[Candidate], out: &mut Vec<Finding>) {
        self.judge(hay, candidates, |_, _, outcome| out.extend(outcome));
        self.own.find(hay, out);
        join_overlapping(out);
    }

    fn judge(
        &self,
        hay: &[u8],
        candidates: &[Candidate],
        mut seen: impl FnMut(Candidate, &'static dyn Detector, Result<Finding, Reason>),
    ) {
        if candidates.is_empty() {
            return;
        }
        for detector in self.asked.iter().map(|at| DETECTORS[*at]) {
            let mut resume = 0;
            for candidate in candidates.iter().filter(|candidate| candidate.trigger == detector.trigger()) {
                if candidate.at >= resume && candidate.at < hay.len() {
                    let verdict = detector.verify(hay, candidate.at);
                    resume = verdict.resume;
                    seen(*candidate, detector, verdict.outcome);
                }
            }
        }
    }

    /// The levels of one view, from the outside in. Whether anything invisible was seen on any of them.
    fn search_levels(
        &self,
        value: &[u8],
        escapes: Escapes<'_>,
        ansi: Ansi,
        scratch: &mut Scratch,
        found: &mut Vec<Sighting>,
    ) -> bool {
        let Scratch { candidates, inner: marks, levels, level, .. } = scratch;
        let mut invisible = escapes.iter().any(|at| is_invisible(value, at));
        for depth in 0..MAX_DEPTH {
            let (outer, inner) = levels.split_at_mut(depth);
            let decoded = match outer.last() {
                None => unescape_at(value, escapes.iter(), ansi, &mut inner[0]),
                Some(level) => unescape_at(&level.bytes, of(marks, &level.bytes).iter(), ansi, &mut inner[0]),
            };
            if !decoded {
                break;
            }
            let levels = &levels[..=depth];
            let hay = levels[depth].bytes.as_slice();
            mark(hay, marks);
            invisible = invisible || of(marks, hay).iter().any(|at| is_invisible(hay, at));
            triggers(hay, Places { list: marks.candidates(), base: 0 }, of(marks, hay), candidates);
            level.clear();
            self.search(hay, candidates, level);
            let rank = depth + 1 + if ansi == Ansi::Remove { MAX_DEPTH } else { 0 };
            found.extend(
                level.iter().map(|finding| Sighting { finding: raw_finding(levels, *finding), rank }),
            );
        }
        invisible
    }
}

/// Marked places in a value that begins at offset `base` of the bytes that were marked.
#[derive(Clone, Copy)]
struct Places<'m> {
    list: &'m [u32],
    base: usize,
}

impl Places<'_> {
    /// The places in the value, in ascending order.
    fn iter(&self) -> impl Iterator<Item = usize> {
        self.list.iter().map(|at| *at as usize - self.base)
    }
}

/// Bytes of a value that may begin an escape, as marked in the bytes in which the value lies at `place`.
#[derive(Clone, Copy)]
struct Escapes<'m> {
    map: &'m Map,
    place: Span,
}

impl Escapes<'_> {
    /// The places in the value, in ascending order.
    fn iter(&self) -> impl Iterator<Item = usize> {
        let Span { start, end } = self.place;
        self.map.within(start, end).map(move |at| at - start)
    }

    fn is_empty(&self) -> bool {
        self.map.next(self.place.start, self.place.end).is_none()
    }
}

/// The escapes of bytes that were marked as a whole.
fn of<'m>(marks: &'m Marks, bytes: &[u8]) -> Escapes<'m> {
    Escapes { map: marks.escapes(), place: Span::new(0, bytes.len()) }
}

/// The part of ascending places that lies in a span.
fn between(places: &[u32], span: Span) -> &[u32] {
    let start = places.partition_point(|at| (*at as usize) < span.start);
    let length = places[start..].partition_point(|at| (*at as usize) < span.end);
    &places[start..start + length]
}

/// The candidates of a value, without those that are escapes: whether there are any of them matters only where
/// there are no others.
fn triggers(value: &[u8], marked: Places<'_>, escapes: Escapes<'_>, out: &mut Vec<Candidate>) {
    out.clear();
    if escapes.iter().any(|at| is_no_break_space(value, at)) {
        return scan(value, out); // the marks do not know this separator
    }
    out.extend(marked.iter().map(|at| match value[at] {
        b'@' => Candidate { at, trigger: Trigger::At },
        b':' => Candidate { at, trigger: Trigger::Colons },
        _ if at > 0 && value[at - 1] == b'.' => Candidate { at: at - 1, trigger: Trigger::Dots },
        _ => Candidate { at, trigger: Trigger::Digits },
    }));
}

pub(super) fn to_raw(levels: &[Decoded], span: Span) -> Span {
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
    if found.len() > 1 {
        let order = |sighting: &Sighting| {
            (sighting.finding.kind, sighting.finding.span, std::cmp::Reverse(sighting.rank))
        };
        found.sort_unstable_by_key(order);
        // Nearly always what stands on one level stands on the next as well.
        found.dedup_by_key(|sighting| sighting.finding);
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
    let is = |kind: Kind| move |sighting: &&Sighting| sighting.finding.kind == kind;
    if !(found.iter().any(|one| is(Kind::IPV4)(&one)) && found.iter().any(|one| is(Kind::IPV6)(&one))) {
        return;
    }
    let mut outer: Vec<Span> =
        found.iter().filter(is(Kind::IPV6)).map(|sighting| sighting.finding.span).collect();
    outer.sort_unstable();
    found.retain(|sighting| {
        let Finding { span, kind } = sighting.finding;
        let next = outer.partition_point(|outer| outer.start <= span.start);
        kind != Kind::IPV4 || !next.checked_sub(1).is_some_and(|before| outer[before].contains(span))
    });
}
