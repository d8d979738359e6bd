//! [`Parts`]: the lines of a block that hold one record together.
//!
//! A container's log parts a long message: each part is a line with a header of its own. What such lines hold is put
//! together and judged as one record, with the header of the first. Then it is parted again where it was, so that each
//! line gets its part back: what takes the place of a value stands where the value began, and the rest of the value is
//! gone from the lines after it. Of the other lines the headers are judged with nothing in them.

mod judged;

use super::carry::Carry;
use super::judge::Judged;
use super::seen::{Flow, Run, Seen};
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
    /// The lines that the records of the streams go on behind, and what is known of those records.
    last: [Option<(usize, Run)>; Part::STREAMS],
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
    /// It is dropped by its age.
    drops: bool,
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
            self.pass_line(end - 1, carry.max_record, &mut seen);
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
        for (stream, last) in std::mem::take(&mut self.last).into_iter().enumerate() {
            let Some((last, run)) = last else { continue };
            let first = self.lines[last].first;
            let by_itself = if run.is_sure() { Flow::GIVEN_UP } else { Flow::Loose };
            let told = carry.behind.map(|flows| flows[stream]).filter(|flow| *flow != Flow::Joins);
            let flow = told.unwrap_or(if carry.gives_up { by_itself } else { Flow::Joins });
            seen.flows[stream] = flow;
            match flow {
                Flow::GivenUp { .. } => self.doom(first, |at| Fate::Withheld { counted: at != first }),
                Flow::Joins if run.is_sure() => {} // the input ends
                Flow::Joins | Flow::Loose => self.let_go(first),
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
        let Part { stream, content, goes_on, .. } = part;
        let flow = seen.flows[stream].pass(&part);
        let before = self.last[stream].map(|(before, _)| before);
        if flow == Flow::Loose || flow == Flow::Joins && before.is_none() && !goes_on {
            return;
        }
        let given_up = flow != Flow::Joins;
        let at = self.lines.len();
        self.lines.push(Line {
            start: record.start,
            record,
            end,
            content: content.shifted(record.start),
            first: before.map_or(at, |before| self.lines[before].first),
            next: None,
            fate: if given_up { Fate::Withheld { counted: true } } else { Fate::Joined },
            drops: false,
            aged: None,
            left: None,
            seen: Judged::default(),
        });
        if given_up {
            return;
        }
        before.into_iter().for_each(|before| self.lines[before].next = Some(at));
        let mut run = self.last[stream].map_or(Run::at(record.start), |(_, run)| run);
        let is_believed = !goes_on || run.goes_on(&part);
        self.last[stream] = (goes_on && is_believed).then_some((at, run));
        if !is_believed {
            seen.flows[stream] = Flow::Loose;
            self.let_go(self.lines[at].first);
        }
    }

    /// A line comes that ends here: it may be too far away from what may go on.
    fn pass_line(&mut self, end: usize, max_record: usize, seen: &mut Seen) {
        for stream in 0..Part::STREAMS {
            let Some((last, run)) = &mut self.last[stream] else { continue };
            if !run.is_far(end, max_record) {
                run.pass_line();
                continue;
            }
            let first = self.lines[*last].first;
            self.last[stream] = None;
            seen.flows[stream] = Flow::Loose;
            self.let_go(first);
        }
    }

    /// These are no parts: nothing holds the lines together.
    fn let_go(&mut self, first: usize) {
        for at in self.group(first) {
            let line = &mut self.lines[at];
            (line.first, line.next, line.fate) = (at, None, Fate::Alone);
        }
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
            drops: false,
            aged: None,
            left: None,
            seen: Judged::default(),
        });
    }

    /// The lines of the record that begins with this one.
    fn group(&self, first: usize) -> Vec<usize> {
        std::iter::successors(Some(first), |at| self.lines[*at].next).collect()
    }

    /// The next line, if it begins at this place of the block: where it ends.
    pub(super) fn end_of_next(&self, start: usize) -> Option<usize> {
        self.lines.get(self.next).filter(|line| line.start == start).map(|line| line.end)
    }

    /// Goes on behind the next line, before which the block is shorter by so many bytes. Whether it is dropped: it stays or
    /// goes with the first part of its record, which itself is dropped if `by_age` says so.
    pub(super) fn pass_thinned(&mut self, by_age: bool, shorter: usize) -> bool {
        let at = self.next;
        self.next += 1;
        let first = self.lines[at].first;
        let drops = if first == at { by_age } else { self.lines[first].drops };
        let line = &mut self.lines[at];
        line.drops = drops;
        (line.start, line.end) = (line.start - shorter, line.end - shorter);
        for span in [&mut line.record, &mut line.content] {
            *span = Span::new(span.start - shorter, span.end - shorter);
        }
        drops
    }

    /// Goes back to the first of the lines that are not dropped.
    pub(super) fn end_thinning(&mut self) {
        let mut kept = 0;
        let place = |line: &Line| {
            kept += usize::from(!line.drops);
            kept - usize::from(!line.drops)
        };
        let places: Vec<usize> = self.lines.iter().map(place).collect();
        self.lines.retain(|line| !line.drops);
        for line in &mut self.lines {
            line.first = places[line.first];
            line.next = line.next.map(|next| places[next]);
        }
        self.next = 0;
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
