//! THE hot path: one block in, the edited block out.
//!
//! ```text
//! block ─► marks ─► glances, watch ─► records ─┬─► fast lane: edit in place
//!                                             └─► judge: fields ─► sightings ─► decisions ─► edits ─► splice
//! ```

mod aging;
mod carry;
mod coarsening;
mod dating;
mod heads;
mod judge;
mod key;
mod lane;
mod long;
mod look;
mod parts;
mod pen;
mod records;
mod seen;
mod stages;
mod track;
mod trial;
mod watch;

use std::sync::Arc;

use jiff::Timestamp;

use crate::action::hash::HashKey;
use crate::action::keys::Keys;
use crate::policy::Policy;
use crate::span::Span;
use crate::tally::Tally;
use crate::withhold::{line_end, withhold};
use aging::Before;
pub use carry::Carry;
use carry::Header;
use coarsening::Coarsened;
use judge::Judge;
pub use judge::{Dropped, Judged, Outcome};
use key::KeyLine;
use lane::{Job, Lane, OutOfLane};
use long::Long;
use parts::Parts;
pub use parts::Together;
use pen::Pen;
use records::{Record, Records, Wanted};
use seen::Seen;
pub use stages::Dated;
use stages::{Stage, Stages};
pub use track::Tracker;
use watch::Watch;

/// Scrubs blocks of whole records under one policy. A clone shares the policy and starts with an empty tally.
#[derive(Clone, Debug)]
pub struct Scrubber {
    judge: Judge,
    /// By stage; none if every record is judged.
    lanes: Vec<Lane>,
    watch: Watch,
    /// What tells the stage of a record; none if nothing depends on when it was written.
    stages: Option<Stages>,
    /// The stages by their numbers.
    numbered: Vec<Stage>,
    /// The moment of the run, if it was given.
    now: Option<Timestamp>,
    /// When the run began: that is now for all files.
    start: Timestamp,
    every_record: bool,
    /// The rule that makes the times of all records coarser, if one does.
    coarsening: Option<usize>,
    /// What the next block owes to those before it.
    carry: Carry,
    work: Work,
}

/// The block that is being scrubbed: what is known of it, and the buffers that this takes. A clone begins with nothing.
#[derive(Debug, Default)]
struct Work {
    records: Records,
    parts: Parts,
    /// What is known of the input behind the block.
    seen: Seen,
    long: Option<Long>,
    tally: Tally,
    /// Headers in the block that have not been passed, the last first.
    headers: Vec<Header>,
    /// Lines of private keys in the block that have not been passed, the last first.
    keys: Vec<KeyLine>,
    /// The block without the records that are dropped by their age.
    left: Vec<u8>,
    /// In this block each record is judged for its time, which a rule makes coarser.
    judges_times: bool,
    /// Where the records begin whose times were made coarser and that were not passed, and of which stages those were.
    coarsened: Vec<usize>,
    coarsened_stages: Vec<usize>,
    /// The block with coarser times, and one of them.
    coarse: Vec<u8>,
    time: Vec<u8>,
    /// The headers and the lines of private keys in what is left.
    left_heads: Option<(Vec<Header>, Vec<KeyLine>)>,
    /// What is known behind the block, if its parts were looked for already.
    left_seen: Option<Seen>,
    /// The last record before a block that went on with it, and what became of it.
    before: Option<Before>,
}

impl Clone for Work {
    fn clone(&self) -> Work {
        Work::default()
    }
}

impl Scrubber {
    /// A scrubber for this policy. `key` makes the pseudonyms of `hash`, of records of any time.
    pub fn new(policy: Arc<Policy>, key: Option<HashKey>) -> Scrubber {
        Scrubber::with_keys(policy, key.map(Keys::one))
    }

    /// A scrubber for this policy with keys by period.
    pub fn with_keys(policy: Arc<Policy>, keys: Option<Keys>) -> Scrubber {
        let by_period = policy.needs_keys() && keys.as_ref().is_some_and(|keys| !keys.is_single());
        let acts_on_time = policy.acts_on_record_time();
        let coarsening = policy.rule_for_times().filter(|_| acts_on_time);
        let is_aged = policy.depends_on_age() || policy.may_drop_records() || by_period || acts_on_time;
        let start = Timestamp::now();
        let stages = is_aged.then(|| Stages::new(&policy, start));
        // What a rule may have left while records had to be kept is known to the policy of a stage alone.
        let of_new = match is_aged {
            true => Arc::new(policy.at(Stage::OF_NEW.reached, Stage::OF_NEW.may_drop)),
            false => Arc::clone(&policy),
        };
        let judge = Judge::new(of_new, keys);
        let watch = judge.watch();
        let lanes = vec![judge.lane(&watch)];
        let every_record = watch.is_for_all()
            || policy.may_mean_given_name()
            || policy.known.is_some()
            || acts_on_time && coarsening.is_none();
        let mut scrubber = Scrubber {
            judge,
            lanes,
            watch,
            numbered: vec![Stage::OF_NEW],
            stages,
            now: None,
            start,
            every_record,
            coarsening,
            carry: Carry::start(&policy, is_aged),
            work: Work::default(),
        };
        scrubber.add_likely_stages();
        scrubber
    }

    /// The same scrubber, for which it is always this moment: ages are reckoned from it.
    pub fn at(mut self, now: Timestamp) -> Scrubber {
        self.now = Some(now);
        self.add_likely_stages();
        self
    }

    /// The same scrubber in a run that began at this moment, which is now for all files.
    pub fn started(self, start: Timestamp) -> Scrubber {
        Scrubber { start, ..self }
    }

    /// The same scrubber, which tells in its tally of which year the records are that it counts.
    pub fn by_year(mut self) -> Scrubber {
        let policy = Arc::clone(self.policy());
        if self.stages.is_none() {
            self.stages = Some(Stages::of_years(&policy, self.start));
            self.carry = Carry::start(&policy, true);
        }
        self.stages.iter_mut().for_each(Stages::tell_years);
        self
    }

    /// The same scrubber without its fast lane, which changes nothing but the speed. For tests that hold that.
    pub fn without_fast_lane(mut self) -> Scrubber {
        self.lanes.clear();
        self.every_record |= self.coarsening.take().is_some();
        self
    }

    /// The same scrubber with every record judged, which changes nothing but the speed. For tests that hold that.
    #[doc(hidden)]
    pub fn judging_every_record(mut self) -> Scrubber {
        self.every_record = true;
        self.without_fast_lane()
    }

    /// Appends the scrubbed form of `block` to `out`. A block is a run of whole records (lines); only the
    /// last one may lack its line feed.
    pub fn scrub(&mut self, block: &[u8], out: &mut Vec<u8>) {
        self.begin_ages(block);
        let last = self.last_of(block);
        let mut coarse = std::mem::take(&mut self.work.coarse);
        let coarsened = self.coarsen(block, &mut coarse);
        self.work.judges_times = coarsened == Coarsened::Judge;
        self.begin_ages(block);
        self.scrub_coarse(if coarsened == Coarsened::Yes { &coarse } else { block }, out);
        self.work.coarse = coarse;
        self.carry.last = last;
    }

    /// The same, of records whose times are as coarse as they are to be, unless each of them is judged.
    fn scrub_coarse(&mut self, block: &[u8], out: &mut Vec<u8>) {
        let mut left = std::mem::take(&mut self.work.left);
        match self.drop_by_age(block, &mut left, |_, _| {}) {
            true => self.scrub_young(&left, out),
            false => self.scrub_young(block, out),
        }
        self.work.left = left;
    }

    /// The same, of records that are not dropped by their age.
    fn scrub_young(&mut self, block: &[u8], out: &mut Vec<u8>) {
        let mut pen = Pen::new(out, block.len());
        self.begin(block);
        let mut copied = self.end_of_dropped_before(block); // bytes of the block that are written, or dropped
        self.work.records.begin(block, self.wanted(), &self.work.seen, &self.work.keys, &mut self.watch);
        while let Some(record) = self.work.records.next(block) {
            copied = self.write_parts(block, record.content.start, copied, &mut pen);
            if copied > record.content.start {
                continue; // a part, or it goes on with a record that is dropped
            }
            self.pass_headers(record.content.start);
            let key = self.pass_key(record.content);
            self.take_up_line(block, record.content, key);
            let key = key.map(|line| line.span);
            copied = match self.edit_in_lane(block, &record, copied, &mut pen) {
                Ok(copied) => copied,
                Err(OutOfLane) => self.write_judged(block, &record, key, copied, &mut pen),
            };
            if copied > record.content.start {
                self.pass_coarsened(record.content.start);
            }
        }
        copied = self.write_parts(block, block.len(), copied, &mut pen);
        pen.copy(block, copied, block.len());
        self.end(block);
        self.work.tally.records += self.work.records.count(block);
        self.end_coarsened();
        self.count();
    }

    /// Takes up a block behind others of which this is carried over.
    pub fn go_on(&mut self, carry: Carry) {
        self.carry = carry;
    }

    /// Another input begins: what earlier records said, such as a header that names columns, holds no longer.
    pub fn start_over(&mut self) {
        self.carry = self.carry.start_over(self.judge.policy());
    }

    /// The lines of the next block that belong together: none of them can be judged without the others.
    pub fn together(&self, block: &[u8]) -> Vec<Together> {
        Parts::together(self.judge.policy(), block, &self.carry)
    }

    /// What tells what carries over from block to block, if anything does.
    pub fn tracker(&self) -> Option<Tracker> {
        let dating = self.stages.as_ref().map(|stages| stages.dating().clone());
        Tracker::new(self.judge.policy(), dating, self.now, self.start)
    }

    /// Which records need work.
    fn wanted(&self) -> Wanted {
        match self.lanes.as_slice() {
            _ if self.every_record || self.work.judges_times || self.asks_for_columns() => Wanted::Every,
            [] => Wanted::Candidates,
            lanes => Lane::wanted_by(lanes),
        }
    }

    /// Edits a record in the fast lane, if it can be judged there. Returns how far the block is written now.
    fn edit_in_lane(
        &mut self,
        block: &[u8],
        record: &Record,
        copied: usize,
        pen: &mut Pen<'_>,
    ) -> Result<usize, OutOfLane> {
        let may_pass = !record.escaped && !self.judge.withholds_changes();
        let lane = self.lanes.get_mut(self.judge.stage()).filter(|_| may_pass);
        let Some(lane) = lane else { return Err(OutOfLane) };
        let job = Job {
            policy: self.judge.policy(),
            year: self.judge.year_of(self.judge.stage()),
            tools: self.judge.tools(),
            block,
            content: record.content,
            sights: self.work.records.sights(record.sights.clone()),
            next: self.work.records.sight_behind(&record.sights),
            names: self.work.records.names(record.names.clone()),
            watch: &self.watch,
            json: false,
        };
        lane.edit(job, copied, pen, &mut self.work.tally)
    }

    /// Writes what the judge makes of a record. Returns how far the block is written now.
    fn write_judged(
        &mut self,
        block: &[u8],
        record: &Record,
        key: Option<Span>,
        copied: usize,
        pen: &mut Pen<'_>,
    ) -> usize {
        let Record { content, end, .. } = *record;
        match self.judge.judge(content.of(block), key) {
            Outcome::Unchanged => return copied,
            Outcome::Dropped => {
                pen.copy(block, copied, content.start);
                return self.end_of_dropped(block, content.start, end);
            }
            Outcome::Edited(text) => {
                pen.copy(block, copied, content.start);
                pen.write(text);
                pen.copy(block, content.end, end);
            }
            Outcome::Withheld => {
                pen.copy(block, copied, content.start);
                pen.append(|out| withhold(&block[content.start..end], out));
            }
        }
        end
    }

    /// Writes the parts of longer records that begin up to this place. Returns how far the block is written now.
    fn write_parts(&mut self, block: &[u8], to: usize, mut copied: usize, pen: &mut Pen<'_>) -> usize {
        while let Some(part) = self.work.parts.next_record().filter(|part| part.start <= to) {
            self.pass_headers(part.start);
            self.take_up_part(block, part);
            let line = self.work.parts.judge_next(&mut self.judge, block);
            pen.copy(block, copied, part.start);
            if let Some(left) = &line.left {
                pen.write(left);
                pen.copy(block, line.record.end, line.end);
            }
            copied = line.end;
        }
        copied
    }

    /// Goes on behind a record that does not go out: what it says of those behind it holds all the same. Where it is a
    /// part of a longer one, neither does what follows go out.
    pub fn skip(&mut self, record: &[u8]) {
        self.begin_ages(record);
        let last = self.last_of(record);
        let Scrubber { judge, carry, .. } = self;
        carry.pass(judge.policy(), record);
        let mut begins = false;
        carry.keys(judge.policy(), record, |line| begins |= line.begins);
        if begins {
            carry.key_begun = last.as_ref().map(|last| last.moment);
        }
        carry.last = last;
        let seen = &mut carry.seen;
        if let Some(part) = seen.line(judge.policy(), parted(record).0) {
            seen.skip(&part);
        }
    }

    /// Scrubs one record that is longer than a block, handed over piece by piece in order.
    ///
    /// The cuts between pieces must depend on the record alone (never on what one read returned), for the
    /// output depends on them; the last piece carries the line feed, if there is one.
    pub fn scrub_piece(&mut self, piece: &[u8], last: bool, out: &mut Vec<u8>) {
        let mut coarse = std::mem::take(&mut self.work.coarse);
        let coarsened =
            if self.work.long.is_none() { self.begin_long(piece, &mut coarse) } else { Coarsened::No };
        self.carry.long_piece(self.judge.policy(), piece, last);
        let piece = if coarsened == Coarsened::Yes { &coarse } else { piece };
        if let Some(long) = &mut self.work.long {
            long.piece(&mut self.judge, piece, last, out);
        }
        self.work.coarse = coarse;
        if last {
            self.work.long = None;
            self.work.tally.records += 1;
            self.count();
        }
    }

    /// Takes up a long record, with its time made coarser.
    fn begin_long(&mut self, piece: &[u8], coarse: &mut Vec<u8>) -> Coarsened {
        self.begin_ages(piece);
        let coarsened = self.coarsen_long(piece, coarse);
        self.begin_ages(piece);
        let drops = self.take_up(piece, Span::new(0, piece.len()));
        let is_of_key = self.carry.key_goes_on(piece);
        let alone = self.carry.seen.long_line(piece) && coarsened != Coarsened::Judge && !is_of_key;
        let mut long = Long::begin(&self.judge, piece, alone, drops);
        long.note_changed(!std::mem::take(&mut self.work.coarsened).is_empty());
        self.work.long = Some(long);
        self.carry.last = self.last_of(piece);
        coarsened
    }

    /// The counts so far, which start again at zero.
    pub fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.work.tally)
    }

    fn count(&mut self) {
        for (stage, lane) in self.lanes.iter_mut().enumerate() {
            lane.count(self.judge.policy_of(stage), self.judge.year_of(stage), &mut self.work.tally);
        }
        self.work.tally.add(&self.judge.take_tally());
        let due = self.stages.as_mut().and_then(Stages::take_due);
        self.work.tally.note_due(due);
    }

    /// Adds the counts so far to others. They start again at zero, in the room that they have.
    pub fn add_tally_to(&mut self, total: &mut Tally) {
        total.add(&self.work.tally);
        self.work.tally.clear();
    }

    /// The policy as it is for what was judged: of each rule the step that held.
    pub fn policy_for(&self, judged: &Judged) -> &Arc<Policy> {
        self.judge.policy_of(judged.stage)
    }

    /// The key that serves at a moment, if there are keys.
    pub fn key_of(&self, moment: Timestamp) -> Option<HashKey> {
        let keys = self.judge.keys()?;
        keys.period_at(moment).and_then(|period| keys.of_period(period)).or_else(|| keys.forever()).cloned()
    }

    /// The policy.
    pub fn policy(&self) -> &Arc<Policy> {
        self.judge.policy_of(0)
    }
}

/// A line without its end, and the end.
fn parted(line: &[u8]) -> (&[u8], &[u8]) {
    line.split_at(line.len() - line_end(line).len())
}

/// Lines of a block; a last one without a line feed counts.
pub(crate) fn count_records(block: &[u8]) -> u64 {
    let ends = memchr::memchr_iter(b'\n', block).count() as u64;
    ends + u64::from(block.last().is_some_and(|last| *last != b'\n'))
}
