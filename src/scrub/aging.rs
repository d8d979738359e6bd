//! What becomes of records by their age: a part of [`Scrubber`].

use std::sync::Arc;

use jiff::Timestamp;

use super::carry::{Last, Read};
use super::stages::{Aged, Stage};
use super::{Carry, Judged, Outcome, Scrubber, count_records, parted};
use crate::format::Part;

impl Scrubber {
    /// Makes ready for the stages that records may be of now.
    pub(super) fn add_likely_stages(&mut self) {
        let now = self.now.unwrap_or_else(Timestamp::now);
        let Some(stages) = &mut self.stages else { return };
        stages.begin(Read { now, file: None }, None);
        stages.likely().into_iter().for_each(|stage| {
            self.number_of(stage);
        });
    }

    /// The number of a stage, which is made if there is none yet.
    fn number_of(&mut self, stage: Stage) -> usize {
        if let Some(known) = self.numbered.iter().position(|known| *known == stage) {
            return known;
        }
        let policy = self.policy().at(stage.reached, stage.may_drop);
        let number = self.judge.add_stage(policy);
        self.numbered.push(stage);
        if !self.lanes.is_empty() {
            self.judge.set_stage(number);
            self.lanes.push(self.judge.lane(&self.watch));
        }
        number
    }

    /// Begins with the times of a block.
    pub(super) fn begin_ages(&mut self) {
        let Scrubber { stages, carry, now, .. } = self;
        let Some(stages) = stages else { return };
        let read = carry.read.unwrap_or_else(|| Read { now: now.unwrap_or_else(Timestamp::now), file: None });
        stages.begin(read, carry.last.as_ref().map(|last| last.moment));
    }

    /// The last record of the block that has a time, or of those before.
    pub(super) fn last_of(&mut self, block: &[u8]) -> Option<Last> {
        let Scrubber { stages, carry, .. } = self;
        let stages = stages.as_mut()?;
        match stages.last_in(block, &carry.head) {
            Some((record, moment)) => {
                let record = stages.may_drop().then(|| record.of(block).into());
                Some(Last { moment, record })
            }
            None => carry.last.clone(),
        }
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
        self.set_age(aged);
        let is_dropped = matches!(self.judge.judge(&record, None), Outcome::Dropped);
        self.judge.take_tally(); // it was counted when it was written
        self.drop_continued(block, 0, if is_dropped { end } else { 0 })
    }

    /// How far the block behind a record that is dropped, up to `end`, goes on with it. That is dropped as well.
    pub(super) fn end_of_dropped(&mut self, block: &[u8], start: usize, end: usize) -> usize {
        let Scrubber { stages, carry, .. } = self;
        let Some(stages) = stages else { return end };
        let more = stages.continued(block, start, end, &carry.head);
        self.drop_continued(block, end, more)
    }

    fn drop_continued(&mut self, block: &[u8], start: usize, end: usize) -> usize {
        self.tally.dropped += count_records(&block[start..end]);
        end
    }

    /// Takes up the record that begins here: it is judged by its age. Whether its age alone says that it is dropped.
    pub(super) fn take_up(&mut self, block: &[u8], start: usize) -> bool {
        let Scrubber { stages, carry, .. } = self;
        let Some(stages) = stages else { return false };
        let aged = stages.of(block, start, &carry.head);
        self.dated = Some((aged.dated, stages.now()));
        self.set_age(aged);
        aged.drops
    }

    fn set_age(&mut self, aged: Aged) {
        let number = self.number_of(aged.stage);
        self.judge.set_age(number, aged.moment, aged.withheld);
    }

    /// What is seen in the record that was taken up, with its age.
    pub(super) fn with_age(&self, judged: Judged, drops: bool) -> Judged {
        let left = judged.left.filter(|_| !drops);
        Judged { dated: self.dated, stage: self.judge.stage(), by_age: drops, left, ..judged }
    }

    /// Appends what is left of a block without the records that are dropped by their age. `false`: all are left.
    ///
    /// What names columns stays, and parts of a record stay or go together.
    pub(super) fn drop_by_age(&mut self, block: &[u8], left: &mut Vec<u8>) -> bool {
        if !self.stages.as_ref().is_some_and(|stages| stages.drops_by_age()) {
            return false;
        }
        self.begin_ages();
        left.clear();
        let headers = self.header_lines(block);
        let mut seen = self.carry.seen;
        let mut goes_on: [Option<bool>; Part::STREAMS] = Default::default();
        let (mut start, mut copied, mut dropped) = (0, 0, 0);
        while start < block.len() {
            let end = memchr::memchr(b'\n', &block[start..]).map_or(block.len(), |feed| start + feed + 1);
            let part = seen.line(self.policy(), parted(&block[start..end]).0);
            let by_age = self.take_up(block, start) && headers.binary_search(&start).is_err();
            let open = part.and_then(|part| goes_on[part.stream]);
            let drops = open.unwrap_or(by_age);
            part.into_iter().for_each(|part| goes_on[part.stream] = part.goes_on.then_some(drops));
            if drops {
                left.extend_from_slice(&block[copied..start]);
                copied = end;
                dropped += 1;
            }
            start = end;
        }
        left.extend_from_slice(&block[copied..]);
        self.tally.records += dropped;
        self.tally.dropped += dropped;
        self.begin_ages();
        dropped > 0
    }

    /// Where the lines begin that name columns, ascending.
    fn header_lines(&self, block: &[u8]) -> Vec<usize> {
        let mut places = Vec::new();
        let mut carry: Carry = self.carry.clone();
        carry.headers(self.policy(), block, |(at, _)| places.push(at));
        places.sort_unstable();
        places
    }
}
