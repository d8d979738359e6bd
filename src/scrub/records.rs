//! [`Records`]: the records of a block that need work, one after another.

use std::ops::Range;

use super::key::KeyLine;
use super::seen::Seen;
use super::watch::Watch;
use crate::detect::glance::{Sight, Sights, Told};
use crate::detect::is_no_break_space;
use crate::detect::marks::{Marks, mark};
use crate::detect::plain_escape;
use crate::detect::unescape::{begins_escape, hides_trigger, is_harmless};
use crate::span::Span;

/// Bytes that an escape may take, one inside another: a colour of 64 bytes, each of them written as `%XX`.
const ESCAPE_BYTES: usize = 256;

/// A record that needs work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// Its content, without the line end, in the block.
    pub(super) content: Span,
    /// One past its line end.
    pub(super) end: usize,
    /// Its sights: places in [`Records::sights`].
    pub(super) sights: Range<usize>,
    /// The names in it that are watched for: places in [`Records::names`].
    pub(super) names: Range<usize>,
    /// Whether there is an escape in it, a byte that only the judge knows to treat, or another watched place.
    pub(super) escaped: bool,
}

/// Walks over the records of a block that may hold a value, or an escape that may hide one; over all of them
/// if that is asked for.
#[derive(Debug, Default)]
pub(super) struct Records {
    marks: Marks,
    sights: Sights,
    /// Places of which every record that holds one needs the judge: escapes that may hide a value, and what is
    /// watched for.
    for_judge: Vec<u32>,
    /// Control characters as rsyslog writes them.
    controls: Vec<u32>,
    /// Separators behind names that are watched for.
    names: Vec<u32>,
    any_escape: bool,
    every: bool,
    /// What comes next: a sight, a place for the judge, a name, a byte.
    sight: usize,
    place: usize,
    name: usize,
    byte: usize,
}

/// Which records need work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of them.
    Every,
    /// Those with a candidate.
    Candidates,
    /// Those with a candidate for one of these detectors that a glance does not turn away.
    Glanced([bool; 4]),
}

impl Records {
    /// Lines of the block; a last one without a line feed counts.
    pub(super) fn count(&self, block: &[u8]) -> u64 {
        self.marks.feeds() + u64::from(block.last().is_some_and(|last| *last != b'\n'))
    }

    /// What a glance tells of the candidates.
    pub(super) fn sights(&self, range: Range<usize>) -> &[Sight] {
        &self.sights.list()[range]
    }

    /// The first candidate behind those.
    pub(super) fn sight_behind(&self, range: &Range<usize>) -> Option<&Sight> {
        self.sights.list().get(range.end)
    }

    /// The separators behind names that are watched for.
    pub(super) fn names(&self, range: Range<usize>) -> &[u32] {
        &self.names[range]
    }

    /// Starts with a new block, in which the judge has to see the records of these lines of keys as well.
    pub(super) fn begin(
        &mut self,
        block: &[u8],
        wanted: Wanted,
        seen: &Seen,
        keys: &[KeyLine],
        watch: &mut Watch,
    ) {
        mark(block, &mut self.marks);
        match wanted {
            Wanted::Glanced(detectors) => self.sights.glance(block, &self.marks, detectors),
            Wanted::Every | Wanted::Candidates => self.sights.all_unsure(&self.marks),
        }
        self.for_judge.clear();
        self.controls.clear();
        self.names.clear();
        let hiding = self.marks.escapes().within(0, block.len()).filter(|at| hides(block, *at));
        self.for_judge.extend(hiding.map(|at| at as u32));
        if wanted != Wanted::Every {
            let hiding = self.for_judge.len();
            plain_escape::controls(block, &mut self.controls);
            if seen.may_have_lengths() {
                self.for_judge.extend(behind_lengths(block));
            }
            if seen.may_have_bytes() {
                self.for_judge.extend(arrays_of_numbers(block));
            }
            if watch.is_needed() {
                self.for_judge.extend_from_slice(watch.places(block, &self.marks, &self.controls));
                self.names.extend_from_slice(watch.names());
            }
            self.for_judge.extend(keys.iter().map(|line| line.span.start as u32));
            self.note_quoted(block);
            let controls = self.controls.iter().filter(|at| hides_trigger(block, **at as usize));
            self.for_judge.extend(controls);
            if self.for_judge.len() > hiding {
                self.for_judge.sort_unstable();
            }
        }
        self.any_escape = !self.controls.is_empty() || self.marks.escapes().next(0, block.len()).is_some();
        self.every = wanted == Wanted::Every;
        (self.sight, self.place, self.name, self.byte) = (0, 0, 0, 0);
    }

    pub(super) fn next(&mut self, block: &[u8]) -> Option<Record> {
        let at = if self.every {
            (self.byte < block.len()).then_some(self.byte)?
        } else {
            let sight = self.next_sight(block).unwrap_or(u32::MAX);
            let place = self.for_judge.get(self.place).copied().unwrap_or(u32::MAX);
            let name = self.names.get(self.name).copied().unwrap_or(u32::MAX);
            let at = sight.min(place).min(name);
            (at != u32::MAX).then_some(at as usize)?
        };
        let (line, may_escape) = self.marks.line(at, self.byte, block.len());
        let Span { start, end } = line;
        let returned = end > start && end < block.len() && block[end - 1] == b'\r';
        let content = Span::new(start, end - usize::from(returned));
        let end = block.len().min(end + 1);
        let sights = self.sights_of(start, end);
        let placed = !passed(&self.for_judge, &mut self.place, end).is_empty();
        let names = passed(&self.names, &mut self.name, end);
        let escaped = placed
            || self.every
            || self.has_control(start, end)
            || may_escape && self.needs_judge(block, content);
        self.byte = end;
        Some(Record { content, end, sights, names, escaped })
    }

    /// The next sight that may be a value.
    #[inline]
    fn next_sight(&mut self, block: &[u8]) -> Option<u32> {
        let list = self.sights.list();
        while let Some(sight) = list.get(self.sight) {
            if matches!(sight.told, Told::Found | Told::Unsure)
                || self.any_escape && self.is_in_doubt(block, sight)
            {
                return Some(sight.at);
            }
            self.sight += 1;
        }
        None
    }

    /// Whether an escape may reach into the bytes that make a candidate none, or one anywhere in its record is of
    /// those of which only the judge can tell what they hide.
    fn is_in_doubt(&self, block: &[u8], sight: &Sight) -> bool {
        let from = (sight.start as usize).saturating_sub(ESCAPE_BYTES);
        let to = sight.end as usize + 1;
        if self.marks.escapes().next(from, to).is_some() || self.has_control(from, to) {
            return true;
        }
        let (line, may_escape) = self.marks.line(sight.at as usize, self.byte, block.len());
        let hides_something = |at: usize| {
            let at = at - line.start;
            needs_judge(line.of(block), at) && !is_harmless(line.of(block), at)
        };
        may_escape && self.marks.escapes().within(line.start, line.end).any(hides_something)
    }

    /// Notes the records with an address in quoted-printable, and those with another escape in which one may be: that
    /// hides the rest of it.
    fn note_quoted(&mut self, block: &[u8]) {
        let (mut end, mut escaped) = (0, false); // of the line of the last place
        for (at, is_address) in plain_escape::quoted_addresses(block) {
            if at >= end {
                let (line, may_escape) = self.marks.line(at, end, block.len());
                (end, escaped) = (line.end, may_escape);
            }
            if is_address || escaped {
                self.for_judge.push(at as u32);
            }
        }
    }

    /// Whether rsyslog wrote a control character in these bytes of the block.
    fn has_control(&self, from: usize, to: usize) -> bool {
        let next = self.controls.partition_point(|at| (*at as usize) < from);
        self.controls.get(next).is_some_and(|at| (*at as usize) < to)
    }

    /// The sights of a record, and goes on behind them.
    fn sights_of(&mut self, start: usize, end: usize) -> Range<usize> {
        let list = self.sights.list();
        let mut first = self.sight;
        while first > 0 && list[first - 1].at as usize >= start {
            first -= 1;
        }
        while list.get(self.sight).is_some_and(|sight| (sight.at as usize) < end) {
            self.sight += 1;
        }
        first..self.sight
    }

    fn needs_judge(&self, block: &[u8], content: Span) -> bool {
        let record = content.of(block);
        let mut from = content.start;
        while let Some(at) = self.marks.escapes().next(from, content.end) {
            if needs_judge(record, at - content.start) {
                return true;
            }
            from = at + 1;
        }
        false
    }
}

/// Where a frame of syslog may begin: `83 <34>`. Its length may touch the last value of the frame before it, so that
/// neither a glance nor the marks tell what that is.
fn behind_lengths(block: &[u8]) -> impl Iterator<Item = u32> {
    let digit = |at: usize| block.get(at).is_some_and(u8::is_ascii_digit);
    let brackets = memchr::memchr_iter(b'<', block);
    let behind =
        brackets.filter(move |at| *at > 1 && block[at - 1] == b' ' && digit(at - 2) && digit(at + 1));
    behind.map(|at| at as u32)
}

/// Where an array that begins with a number may stand.
fn arrays_of_numbers(block: &[u8]) -> impl Iterator<Item = u32> {
    memchr::memchr_iter(b'[', block).filter_map(|at| {
        let before = block[..at].iter().rev().find(|byte| **byte != b' ')?;
        let after = block[at + 1..].iter().find(|byte| **byte != b' ')?;
        (matches!(before, b':' | b'[' | b',') && after.is_ascii_digit()).then_some(at as u32)
    })
}

/// Goes on to the first place that is `end` or later. Those that it passes.
fn passed(places: &[u32], next: &mut usize, end: usize) -> Range<usize> {
    let first = *next;
    while places.get(*next).is_some_and(|at| (*at as usize) < end) {
        *next += 1;
    }
    first..*next
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
