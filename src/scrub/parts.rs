//! [`Parts`]: the lines of a block that hold one record together.
//!
//! A container's log parts a long message: each part is a line with a header of its own. What such lines hold is put
//! together and judged as one record, with the header of the first. Then it is parted again where it was, so that each
//! line gets its part back: what takes the place of a value stands where the value began, and the rest of the value is
//! gone from the lines after it. Of the other lines the headers are judged with nothing in them.

mod judged;

use super::carry::Carry;
use super::judge::Judged;
use super::seen::Seen;
use super::stages::Aged;
use crate::format::{Format, Framed, Part};
use crate::policy::Policy;
use crate::span::Span;
use crate::withhold::is_marker;

/// The lines of a block that are parts.
#[derive(Debug, Default)]
pub(super) struct Parts {
    lines: Vec<Line>,
    /// Which line comes next.
    next: usize,
    format: Option<&'static dyn Format>,
    /// The lines that the records of the streams go on behind.
    last: [Option<usize>; Part::STREAMS],
}

/// Lines of a block that belong together, with those between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Together {
    /// From the first to the last of them.
    pub lines: Span,
    /// What the parts of each record hold, in order. Records share lines if parts of one stand between those of another.
    pub texts: Vec<Vec<Span>>,
}

/// A line that is a part of a record.
#[derive(Debug)]
pub(super) struct Line {
    /// Where it begins in the block.
    pub(super) start: usize,
    /// It without its line end.
    pub(super) record: Span,
    /// One past its line end.
    pub(super) end: usize,
    content: Span,
    /// The first line of the record.
    first: usize,
    /// The next one.
    next: Option<usize>,
    fate: Fate,
    /// Its age, if it is the first and was taken up.
    aged: Option<Aged>,
    /// What is written in its place, without the line end; nothing if it is dropped.
    pub(super) left: Option<Vec<u8>>,
    /// What is seen in it, if anyone asks.
    seen: Judged,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It is judged with the other parts.
    Joined,
    /// It is judged by itself.
    Alone,
    /// Its length is written before it, behind a name of so many bytes.
    Framed { name: usize },
    /// It does not go out. `counted`: with an earlier part.
    Withheld { counted: bool },
}

impl Parts {
    /// Finds the parts in a block. What is known of the input behind it.
    pub(super) fn begin(&mut self, policy: &Policy, block: &[u8], carry: &Carry) -> Seen {
        self.lines.clear();
        (self.next, self.last) = (0, [None; Part::STREAMS]);
        let mut seen = carry.seen;
        let mut start = 0;
        while start < block.len() && seen.may_have_parts() {
            let framed = seen.framed(&block[start..]).filter(|framed| framed.end < block.len() - start);
            if let Some(framed) = framed.filter(|framed| framed.end <= carry.max_record) {
                self.add_framed(start, framed);
                start += framed.end + 1;
                continue;
            }
            let end = memchr::memchr(b'\n', &block[start..]).map_or(block.len(), |at| start + at + 1);
            let (line, _) = super::parted(&block[start..end]);
            if let Some(part) = seen.line(policy, line) {
                let record = Span::new(start, start + line.len());
                self.add(record, end, part, &mut seen);
            }
            start = end;
        }
        self.format = seen.format();
        for first in 0..self.lines.len() {
            if self.lines[first].fate == Fate::Joined
                && self.lines[first].first == first
                && self.are_markers(block, first)
            {
                self.doom(first, |_| Fate::Alone);
            }
        }
        if carry.gives_up {
            for (stream, last) in std::mem::take(&mut self.last).into_iter().enumerate() {
                let Some(first) = last.map(|last| self.lines[last].first) else { continue };
                seen.given_up[stream] = true;
                self.doom(first, |at| Fate::Withheld { counted: at != first });
            }
        }
        seen
    }

    /// The records of a block that take several lines, in order.
    pub(super) fn together(policy: &Policy, block: &[u8], carry: &Carry) -> Vec<Together> {
        let mut parts = Parts::default();
        parts.begin(policy, block, carry);
        let mut together: Vec<Together> = Vec::new();
        for first in (0..parts.lines.len()).filter(|at| parts.lines[*at].first == *at) {
            let group = parts.group(first);
            let end = group.last().map_or(0, |last| parts.lines[*last].end);
            let lines = Span::new(parts.lines[first].start, end);
            let text = group.iter().map(|at| parts.lines[*at].content).collect();
            match together.last_mut().filter(|before| lines.start < before.lines.end) {
                Some(before) => {
                    before.lines.end = before.lines.end.max(end);
                    before.texts.push(text);
                }
                None => together.push(Together { lines, texts: vec![text] }),
            }
        }
        together
    }

    fn add(&mut self, record: Span, end: usize, part: Part, seen: &mut Seen) {
        let Part { stream, content, goes_on } = part;
        let before = self.last[stream];
        let given_up = seen.given_up[stream];
        if before.is_none() && !goes_on && !given_up {
            return;
        }
        let at = self.lines.len();
        self.lines.push(Line {
            start: record.start,
            record,
            end,
            content: content.shifted(record.start),
            first: before.map_or(at, |before| self.lines[before].first),
            next: None,
            fate: if given_up { Fate::Withheld { counted: true } } else { Fate::Joined },
            aged: None,
            left: None,
            seen: Judged::default(),
        });
        if given_up {
            seen.given_up[stream] = goes_on;
            return;
        }
        before.into_iter().for_each(|before| self.lines[before].next = Some(at));
        self.last[stream] = goes_on.then_some(at);
    }

    /// A record that may hold line feeds.
    fn add_framed(&mut self, start: usize, framed: Framed) {
        let Framed { name, start: content, end } = framed;
        let record = Span::new(start, start + end);
        self.lines.push(Line {
            start,
            record,
            end: record.end + 1,
            content: Span::new(start + content, record.end),
            first: self.lines.len(),
            next: None,
            fate: Fate::Framed { name },
            aged: None,
            left: None,
            seen: Judged::default(),
        });
    }

    /// The lines of the record that begins with this one.
    fn group(&self, first: usize) -> Vec<usize> {
        std::iter::successors(Some(first), |at| self.lines[*at].next).collect()
    }

    fn doom(&mut self, first: usize, fate: impl Fn(usize) -> Fate) {
        for at in self.group(first) {
            self.lines[at].fate = fate(at);
        }
    }

    /// Whether each part of a record was withheld before: then nothing is to be joined.
    fn are_markers(&self, block: &[u8], first: usize) -> bool {
        self.group(first).iter().all(|at| {
            let content = self.lines[*at].content.of(block);
            is_marker(&content[..content.len() - self.closing(content)])
        })
    }

    fn closing(&self, content: &[u8]) -> usize {
        self.format.map_or(0, |format| format.closing(content))
    }
}
