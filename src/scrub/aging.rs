//! What becomes of records by their age: a part of [`Scrubber`].

use jiff::Timestamp;

use super::carry::Read;
use super::stages::{Aged, Stage};
use super::{Carry, Judged, Scrubber, parted};
use crate::format::Part;
use crate::time::stamp::Moment;

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
        stages.begin(read, carry.last);
    }

    /// The time of the last record of the block that has one, or of those before.
    pub(super) fn last_time(&mut self, block: &[u8]) -> Option<Moment> {
        let Scrubber { stages, carry, .. } = self;
        stages.as_mut()?.last_in(block, &carry.head)
    }

    /// Takes up the record that begins here: it is judged by its age. Whether its age alone says that it is dropped.
    pub(super) fn take_up(&mut self, block: &[u8], start: usize) -> bool {
        let Scrubber { stages, carry, .. } = self;
        let Some(stages) = stages else { return false };
        let Aged { dated, stage, moment, withheld, drops } = stages.of(block, start, &carry.head);
        self.dated = Some((dated, stages.now()));
        let number = self.number_of(stage);
        self.judge.set_age(number, moment, withheld);
        drops
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
