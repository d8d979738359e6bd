//! Times of records are made coarser before anything else is done: a part of [`Scrubber`].
//!
//! A coarser time is as long as the time and stands in its place, and the age of a record is that of its coarsest time.
//! So nothing that is told of the block by its places changes, and records need not be judged one by one for it, which
//! takes ten times as long.

use super::{Scrubber, Work, parted};
use crate::kind::Kind;
use crate::policy::coarsen;
use crate::span::Span;
use crate::tally::acted;

/// What came of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coarsened {
    /// All times in it may stay.
    No,
    /// They were made coarser.
    Yes,
    /// Some time has to be judged with the record that it stands in.
    Judge,
}

impl Scrubber {
    /// Writes the block with the times of its records made coarser. Which records were changed is noted.
    pub(super) fn coarsen(&mut self, block: &[u8], out: &mut Vec<u8>) -> Coarsened {
        self.work.coarsened.clear();
        let Some(rule) = self.coarsening.filter(|_| !self.every_record) else { return Coarsened::No };
        if self.stages.as_ref().is_some_and(|stages| stages.drops_by_age()) {
            return Coarsened::Judge;
        }
        let format = self.carry.seen.behind(self.policy(), block).format();
        if format.is_some_and(|format| format.is_framed() || format.has_parts()) {
            return Coarsened::Judge;
        }
        self.coarsen_by(rule, block, out)
    }

    /// The same of the first piece of a long record. If its time has to be judged with it, it cannot be judged.
    pub(super) fn coarsen_long(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Coarsened {
        self.work.coarsened.clear();
        match self.policy().rule_for_times() {
            Some(rule) => self.coarsen_by(rule, piece, out),
            None => Coarsened::No,
        }
    }

    fn coarsen_by(&mut self, rule: usize, block: &[u8], out: &mut Vec<u8>) -> Coarsened {
        out.clear();
        out.extend_from_slice(block);
        let columns = self.carry.head.columns.clone();
        let done = self.coarsen_records(block, rule, out);
        self.carry.head.columns = columns;
        match done {
            true if self.work.coarsened.is_empty() => Coarsened::No,
            true => {
                self.count_coarsened(rule);
                Coarsened::Yes
            }
            false => {
                self.work.coarsened.clear();
                self.work.coarsened_stages.clear();
                Coarsened::Judge
            }
        }
    }

    fn coarsen_records(&mut self, block: &[u8], rule: usize, out: &mut [u8]) -> bool {
        let mut headers = Vec::new();
        self.carry.clone().headers(self.policy(), block, |header| headers.push(header));
        let mut headers = headers.into_iter().peekable();
        let mut start = 0;
        while start < block.len() {
            let end = memchr::memchr(b'\n', &block[start..]).map_or(block.len(), |feed| start + feed + 1);
            let record = Span::new(start, start + parted(&block[start..end]).0.len());
            start = end;
            if let Some((_, columns)) = headers.next_if(|(at, _)| *at < end) {
                self.carry.head.columns = Some(columns);
            } else if !self.coarsen_record(block, record, rule, out) {
                return false;
            }
        }
        true
    }

    /// The same of one record in a copy of the block. `false`: it has to be judged.
    fn coarsen_record(&mut self, block: &[u8], record: Span, rule: usize, out: &mut [u8]) -> bool {
        self.take_up(block, record);
        let Some(unit) = self.judge.policy().unit_of_times(rule) else { return true };
        let Scrubber { stages, carry, work: Work { time, .. }, .. } = self;
        let Some(found) = stages.as_mut().and_then(|stages| stages.find(record.of(block), &carry.head))
        else {
            return true;
        };
        let mut is_changed = false;
        for span in [found.date, Some(found.span)].into_iter().flatten() {
            let span = span.shifted(record.start);
            let text = span.of(block);
            time.clear();
            if text.contains(&b'\\') || coarsen(text, unit, time) && time.len() != text.len() {
                return false;
            }
            if !time.is_empty() && time != text {
                out[span.start..span.end].copy_from_slice(time);
                is_changed = true;
            }
        }
        if is_changed {
            self.work.coarsened.push(record.start);
            self.work.coarsened_stages.push(self.judge.stage());
        }
        true
    }

    fn count_coarsened(&mut self, rule: usize) {
        for stage in self.work.coarsened_stages.drain(..) {
            let (policy, year) = (self.judge.policy_of(stage), self.judge.year_of(stage));
            self.work.tally.act(acted(policy, rule, Kind::RECORD_TIME, year, 1));
        }
    }

    /// The record that begins here was written, dropped or withheld: if it was changed, that is counted already.
    pub(super) fn pass_coarsened(&mut self, start: usize) {
        if let Ok(at) = self.work.coarsened.binary_search(&start) {
            self.work.coarsened.remove(at);
        }
    }

    /// Counts the records of which nothing but the time was changed.
    pub(super) fn end_coarsened(&mut self) {
        self.work.tally.changed += self.work.coarsened.len() as u64;
        self.work.coarsened.clear();
    }
}
