//! [`Records`]: the records of a block that need work, one after another.

use std::ops::Range;

use super::watch::Watch;
use crate::detect::is_no_break_space;
use crate::detect::marks::{Marks, mark};
use crate::detect::unescape::{begins_escape, hides_trigger};
use crate::span::Span;
use crate::withhold::line_end;

/// A record that needs work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// Its content, without the line end, in the block.
    pub(super) content: Span,
    /// One past its line end.
    pub(super) end: usize,
    /// Its candidates: places in [`Marks::candidates`].
    pub(super) candidates: Range<usize>,
    /// Whether there is an escape in it, a byte that only the judge knows to treat, or a watched place.
    pub(super) escaped: bool,
}

/// Walks over the records of a block that hold a candidate, or an escape that may hide one; over all of them
/// if that is asked for.
#[derive(Debug, Default)]
pub(super) struct Records {
    pub(super) marks: Marks,
    every: bool,
    watched: Vec<u32>,
    watch: usize,
    candidate: usize,
    escape: usize,
    feed: usize,
    byte: usize,
}

impl Records {
    /// Lines of the block; a last one without a line feed counts.
    pub(super) fn count(&self, block: &[u8]) -> u64 {
        self.marks.feeds().len() as u64 + u64::from(block.last().is_some_and(|last| *last != b'\n'))
    }

    /// Starts with a new block.
    pub(super) fn begin(&mut self, block: &[u8], every: bool, watch: &mut Watch) {
        mark(block, &mut self.marks);
        self.watched.clear();
        if !every {
            self.watched.extend_from_slice(watch.places(block, &self.marks));
        }
        (self.every, self.candidate, self.escape, self.feed, self.byte) = (every, 0, 0, 0, 0);
        self.watch = 0;
    }

    pub(super) fn next(&mut self, block: &[u8]) -> Option<Record> {
        let at = if self.every {
            (self.byte < block.len()).then_some(self.byte)?
        } else {
            let candidate = self.marks.candidates().get(self.candidate);
            let place =
                candidate.into_iter().chain(self.watched.get(self.watch)).min().map(|at| *at as usize);
            self.hiding_escape(block, place.unwrap_or(block.len())).or(place)?
        };
        let start = self.line_of(at);
        let end = self.marks.feeds().get(self.feed).map_or(block.len(), |feed| *feed as usize + 1);
        let content = Span::new(start, end - line_end(&block[start..end]).len());
        let first = self.candidate;
        self.candidate += count_below(&self.marks.candidates()[first..], end);
        let watched = count_below(&self.watched[self.watch..], end);
        self.watch += watched;
        let escaped = self.pass_escapes(block, content, end) || watched > 0 || self.every;
        self.byte = end;
        Some(Record { content, end, candidates: first..self.candidate, escaped })
    }

    /// The first escape before `to` that may stand for what candidates are made of.
    fn hiding_escape(&mut self, block: &[u8], to: usize) -> Option<usize> {
        let ahead = self.marks.escapes()[self.escape..].iter().map(|at| *at as usize);
        let found = ahead.take_while(|at| *at < to).find(|at| hides(block, *at));
        if found.is_none() {
            // Those of the record of the candidate at `to` are looked at once more.
            let line = self.line_of(to);
            self.escape += count_below(&self.marks.escapes()[self.escape..], line);
        }
        found
    }

    /// Goes on to the line feed behind `at`, which is never before the place of the last call. Where the line
    /// of `at` starts.
    fn line_of(&mut self, at: usize) -> usize {
        self.feed += count_below(&self.marks.feeds()[self.feed..], at);
        let before = self.feed.checked_sub(1).map(|before| self.marks.feeds()[before] as usize + 1);
        before.unwrap_or(0)
    }

    /// Goes on behind the escapes of a record. Whether one of them is an escape.
    fn pass_escapes(&mut self, block: &[u8], content: Span, end: usize) -> bool {
        let from = self.escape + count_below(&self.marks.escapes()[self.escape..], content.start);
        self.escape = from + count_below(&self.marks.escapes()[from..], end);
        let record = content.of(block);
        self.marks.escapes()[from..self.escape]
            .iter()
            .any(|at| needs_judge(record, *at as usize - content.start))
    }
}

/// How many of the ascending places lie below `end`. They are few, and mostly none.
fn count_below(places: &[u32], end: usize) -> usize {
    places.iter().take_while(|at| (**at as usize) < end).count()
}

fn hides(block: &[u8], at: usize) -> bool {
    match block[at] {
        b'\\' | b'%' | b'&' | 0x1b | 0xe2 | 0xef => hides_trigger(block, at),
        0xc2 => hides_trigger(block, at) || is_no_break_space(block, at),
        _ => false,
    }
}

/// JSON knows escapes that no other text has, so that any backslash is left to the judge.
fn needs_judge(record: &[u8], at: usize) -> bool {
    match record[at] {
        b'\\' => true,
        b'%' | b'&' | 0x1b | 0xe2 | 0xef => begins_escape(record, at),
        0xc2 => begins_escape(record, at) || is_no_break_space(record, at),
        _ => false,
    }
}
