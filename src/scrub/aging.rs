//! What becomes of records by their age: a part of [`Scrubber`].

use std::sync::Arc;

use jiff::Timestamp;

use super::carry::{Last, Read};
use super::dating::Units;
use super::key::KeyLine;
use super::seen::Seen;
use super::stages::{Aged, Stage};
use super::{Carry, Header, Judged, Outcome, Scrubber, Stages, count_records, parted};
use crate::span::Span;
use crate::time::stamp::Moment;

impl Scrubber {
    /// Makes ready for the stages that records may be of now.
    pub(super) fn add_likely_stages(&mut self) {
        let now = self.now.unwrap_or_else(Timestamp::now);
        let Some(stages) = &mut self.stages else { return };
        let units = Units { seen: Seen::default(), max_record: usize::MAX };
        stages.begin(Read::new(now, None), units, None);
        stages.likely().into_iter().for_each(|stage| {
            self.number_of(stage);
        });
    }

    /// The number of a stage, which is made if there is none yet.
    fn number_of(&mut self, stage: Stage) -> usize {
        if let Some(known) = self.numbered.iter().position(|known| *known == stage) {
            return known;
        }
        let is_same = |known: &Stage| Stage { year: stage.year, ..*known } == stage;
        let policy = match self.numbered.iter().position(is_same) {
            Some(known) => Arc::clone(self.judge.policy_of(known)),
            None => Arc::new(self.policy().at(stage.reached, stage.may_drop)),
        };
        let number = self.judge.add_stage(policy, stage.year);
        self.numbered.push(stage);
        if !self.lanes.is_empty() {
            self.judge.set_stage(number);
            self.lanes.push(self.judge.lane(&self.watch));
        }
        number
    }

    /// Begins with the times of a block.
    pub(super) fn begin_ages(&mut self, block: &[u8]) {
        let Scrubber { judge, stages, carry, now, .. } = self;
        let Some(stages) = stages else { return };
        let read = carry.read.unwrap_or_else(|| Read::new(now.unwrap_or_else(Timestamp::now), None));
        let units =
            Units { seen: carry.seen.behind_first(judge.policy(), block), max_record: carry.max_record };
        units.note_in(&mut carry.head);
        judge.set_times(stages.dating(), read);
        stages.begin(read, units, carry.last.as_ref().map(|last| last.moment));
    }

    /// The last record of the block that has a time, or of those before.
    pub(super) fn last_of(&mut self, block: &[u8]) -> Option<Last> {
        let Scrubber { judge, stages, carry, .. } = self;
        let stages = stages.as_mut()?;
        let head = carry.head_behind(judge.policy(), block);
        stages.last_in(block, carry.last.as_ref(), &head)
    }

    /// How far the block goes on with a record before it that was dropped: those lines are dropped as well.
    pub(super) fn end_of_dropped_before(&mut self, block: &[u8]) -> usize {
        let Scrubber { stages, carry, .. } = self;
        let (Some(stages), Some(Last { moment, record: Some(record) })) = (stages, &carry.last) else {
            return 0;
        };
        let record = Arc::clone(record);
        let aged = stages.of_moment(*moment);
        let end = stages.continued_before(block, &carry.head);
        if end == 0 {
            return 0;
        }
        let is_dropped = self.was_dropped(record, aged);
        self.drop_continued(block, 0, if is_dropped { end } else { 0 }, aged.stage.year)
    }

    /// Whether the last record before the block was dropped. It may be long, and any number of blocks may go on with it.
    fn was_dropped(&mut self, record: Arc<[u8]>, aged: Aged) -> bool {
        let is_same = |before: &&Before| Arc::ptr_eq(&before.record, &record) && before.aged == aged;
        if let Some(before) = self.work.before.as_ref().filter(is_same) {
            return before.is_dropped;
        }
        self.set_age(aged);
        let is_dropped = matches!(self.judge.judge(&record, None), Outcome::Dropped);
        self.judge.take_tally(); // it was counted when it was written
        self.work.before = Some(Before { record, aged, is_dropped });
        is_dropped
    }

    /// How far the block behind a record that is dropped, up to `end`, goes on with it. That is dropped as well.
    pub(super) fn end_of_dropped(&mut self, block: &[u8], start: usize, end: usize) -> usize {
        let Scrubber { stages, carry, .. } = self;
        let Some(stages) = stages else { return end };
        let more = stages.continued(block, start, end, &carry.head);
        self.drop_continued(block, end, more, self.judge.year_of(self.judge.stage()))
    }

    fn drop_continued(&mut self, block: &[u8], start: usize, end: usize, year: Option<i16>) -> usize {
        self.work.tally.drop_records(count_records(&block[start..end]), year);
        end
    }

    /// Takes up the record that begins here: it is judged by its age. Whether its age alone says that it is dropped.
    pub(super) fn take_up(&mut self, block: &[u8], record: Span) -> bool {
        let Some(aged) = self.age_of(block, record) else { return false };
        self.set_age(aged);
        aged.drops
    }

    /// The same of the next part of a longer record. All parts are judged by the age of the first.
    pub(super) fn take_up_part(&mut self, block: &[u8], part: Span) -> bool {
        let Some(own) = self.age_of(block, part) else { return false };
        let aged = self.work.parts.age(own);
        self.set_age(aged);
        aged.drops
    }

    #[inline]
    fn age_of(&mut self, block: &[u8], record: Span) -> Option<Aged> {
        let Scrubber { stages, carry, .. } = self;
        stages.as_mut().map(|stages| stages.of(block, record, &carry.head))
    }

    /// The same of a line that may be one of a private key. It is judged by the age of the first line of the key: one run
    /// must not take that and leave lines that nobody knows for lines of a key any more.
    pub(super) fn take_up_line(&mut self, block: &[u8], record: Span, key: Option<KeyLine>) -> bool {
        let drops = self.take_up(block, record);
        let (Some(stages), Some(KeyLine { begins, .. })) = (&mut self.stages, key) else { return drops };
        if begins {
            self.carry.key_begun = stages.last();
            return drops;
        }
        let aged = stages.of_time(self.carry.key_begun);
        self.set_age(aged);
        drops
    }

    #[inline]
    fn set_age(&mut self, aged: Aged) {
        let last = self.judge.stage(); // most records are of the stage of the one before
        let number =
            if self.numbered.get(last) == Some(&aged.stage) { last } else { self.number_of(aged.stage) };
        self.judge.set_age(number, aged.moment, aged.withheld);
    }

    /// What is seen in the record that was taken up, with its age.
    pub(super) fn with_age(&self, judged: Judged) -> Judged {
        let dated = self.stages.as_ref().map(|stages| (stages.dated(), stages.now()));
        Judged { dated, stage: self.judge.stage(), ..judged }
    }

    /// Appends what is left of a block without the records that are dropped by their age. `false`: all are left.
    ///
    /// What names columns stays, and parts of a record stay or go together. `each` is told of those that are dropped, while
    /// they are taken up.
    pub(super) fn drop_by_age(
        &mut self,
        block: &[u8],
        left: &mut Vec<u8>,
        mut each: impl FnMut(&mut Scrubber, Gone),
    ) -> bool {
        if !self.stages.as_ref().is_some_and(|stages| stages.drops_by_age()) {
            return false;
        }
        let before = self.carry.clone();
        self.work.left_seen = Some(self.work.parts.begin(self.judge.policy(), block, &self.carry));
        let mut thinning = self.thinning(block, std::mem::take(left));
        let mut start = 0;
        while start < block.len() {
            let part = self.work.parts.end_of_next(start);
            let line = || memchr::memchr(b'\n', &block[start..]).map_or(block.len(), |feed| start + feed + 1);
            let end = part.unwrap_or_else(line);
            let record = Span::new(start, start + parted(&block[start..end]).0.len());
            let header = thinning.headers.pop_if(|(at, _)| *at < end);
            let key = thinning.keys.last().copied().filter(|line| line.span.start < end);
            let by_age = self.take_up_line(block, record, key) && header.is_none();
            if let Some((at, columns)) = header {
                thinning.left_headers.push((at - thinning.shorter(), Arc::clone(&columns)));
                self.carry.head.columns = Some(columns);
            }
            let drops = if part.is_some() {
                self.work.parts.pass_thinned(by_age, thinning.shorter())
            } else {
                by_age
            };
            if drops {
                let year = self.judge.year_of(self.judge.stage());
                self.work.tally.drop_records(count_records(&block[start..end]), year);
                let last = self.stages.as_ref().and_then(Stages::last);
                let lines = Span::new(start, end);
                thinning.leave_out(block, lines, last);
                each(self, Gone { place: thinning.left.len(), lines, key: key.map(|line| line.span) });
            }
            thinning.pass_keys(end, drops);
            start = end;
        }
        thinning.behind.key_begun = self.carry.key_begun;
        self.carry = before;
        self.work.parts.end_thinning();
        let dropped = thinning.dropped > 0;
        *left = self.end_thinning(block, thinning);
        dropped
    }

    fn thinning(&self, block: &[u8], mut left: Vec<u8>) -> Thinning {
        left.clear();
        let (mut headers, mut keys, mut behind) = (Vec::new(), Vec::new(), self.carry.clone());
        behind.headers(self.policy(), block, |header| headers.push(header));
        behind.keys(self.policy(), block, |line| keys.push(line));
        headers.reverse();
        keys.reverse();
        Thinning { left, headers, keys, behind, ..Thinning::default() }
    }

    /// Makes ready for what is left to be scrubbed.
    fn end_thinning(&mut self, block: &[u8], mut thinning: Thinning) -> Vec<u8> {
        if thinning.dropped > 0 {
            thinning.left.extend_from_slice(&block[thinning.copied..]);
            self.carry.without(thinning.dropped, &thinning.behind);
            self.work.left_heads = Some((thinning.left_headers, thinning.left_keys));
        }
        self.work.tally.records += thinning.dropped;
        let last = self.carry.last.as_ref().map(|last| last.moment);
        self.stages
            .iter_mut()
            .for_each(|stages| stages.begin_again(last, std::mem::take(&mut thinning.gone)));
        thinning.left
    }
}

/// What became of the last record before a block.
#[derive(Debug)]
pub(super) struct Before {
    record: Arc<[u8]>,
    aged: Aged,
    is_dropped: bool,
}

/// A record that is dropped by its age.
pub(super) struct Gone {
    /// Where it stood in what is left of the block.
    pub(super) place: usize,
    /// It in the block, with its line end.
    pub(super) lines: Span,
    /// What of it is a line of a private key, in the block.
    pub(super) key: Option<Span>,
}

/// A block on the way to what is left of it without some of its records.
#[derive(Default)]
struct Thinning {
    left: Vec<u8>,
    /// How far the block is in what is left, or left out.
    copied: usize,
    dropped: u64,
    /// Where in what is left records were left out, and the time of the last of them.
    gone: Vec<(usize, Option<Moment>)>,
    /// The lines that name columns, the last first.
    headers: Vec<Header>,
    /// The same in what is left, the first first.
    left_headers: Vec<Header>,
    /// Lines of private keys in the block, the last first, and in what is left: a key is known by its first line, be it
    /// left out or not.
    keys: Vec<KeyLine>,
    left_keys: Vec<KeyLine>,
    /// What carries over behind the keys of the block.
    behind: Carry,
}

impl Thinning {
    /// Leaves out a record, with its line end.
    fn leave_out(&mut self, block: &[u8], record: Span, last: Option<Moment>) {
        self.left.extend_from_slice(&block[self.copied..record.start]);
        self.copied = record.end;
        self.dropped += count_records(record.of(block));
        self.gone.push((self.left.len(), last));
    }

    /// By how much what is left is shorter so far.
    fn shorter(&self) -> usize {
        self.copied - self.left.len()
    }

    /// Goes on behind the keys of the record that ends here.
    fn pass_keys(&mut self, end: usize, drops: bool) {
        while let Some(line) = self.keys.pop_if(|line| line.span.start < end) {
            if !drops {
                let at = line.span.start - self.shorter();
                self.left_keys.push(KeyLine { span: Span::new(at, at + line.span.len()), ..line });
            }
        }
    }
}
