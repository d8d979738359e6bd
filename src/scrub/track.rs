//! [`Tracker`]: goes over the blocks of an input in order, before they are scrubbed on any thread.

use std::sync::Arc;

use jiff::Timestamp;

use super::carry::{Carry, Read};
use super::dating::{Dating, Units};
use super::seen::{Flow, Run, Seen};
use crate::format::Part;
use crate::policy::Policy;

/// Tells what carries over to each block of an input, and where a block may end: not between the parts of a record.
#[derive(Clone, Debug)]
pub struct Tracker {
    policy: Arc<Policy>,
    /// At the start of what was not handed on yet.
    carry: Carry,
    /// How much of that was looked at, in whole lines.
    at: usize,
    /// What is known there.
    seen: Seen,
    /// The records of which parts were seen there and more are to come.
    open: Vec<Open>,
    max_record: usize,
    dating: Option<Dating>,
    /// The moment of the run; `arrives`: each block has one of its own, at which it is read.
    now: Timestamp,
    arrives: bool,
    is_fixed: bool,
    file: Option<Timestamp>,
}

/// A record that goes on.
#[derive(Clone, Copy, Debug)]
struct Open {
    stream: usize,
    /// Where a block may end before it: where its first part begins, or the first part of another record of which
    /// parts stand between its own.
    start: usize,
    /// What was known there, and how the streams go on there if their records turn out to be given up.
    before: Seen,
    given_up: [Flow; Part::STREAMS],
    run: Run,
}

impl Tracker {
    /// Under this policy, at the start of an input. None is needed where no record depends on those before it.
    /// `dating`: it matters when they were written. `now` is given, or it is the `start` of the run for files and the
    /// moment of arrival for streams.
    pub(super) fn new(
        policy: &Arc<Policy>,
        dating: Option<Dating>,
        now: Option<Timestamp>,
        start: Timestamp,
    ) -> Option<Tracker> {
        let carry = Carry::start(policy, dating.is_some());
        let (policy, seen) = (Arc::clone(policy), carry.seen);
        (dating.is_some() || Carry::is_needed(&policy)).then(|| Tracker {
            policy,
            carry,
            at: 0,
            seen,
            open: Vec::new(),
            max_record: usize::MAX,
            dating,
            now: now.unwrap_or(start),
            arrives: now.is_none(),
            is_fixed: now.is_some(),
            file: None,
        })
    }

    /// The input that begins now is a file of that date; otherwise it is a stream, of which every block arrives at a
    /// moment of its own.
    pub fn begin_input(&mut self, file: Option<Timestamp>) {
        self.file = file;
        self.arrives = file.is_none() && !self.is_fixed;
    }

    /// When what is handed on next was read.
    fn read(&self) -> Read {
        let now = if self.arrives { Timestamp::now() } else { self.now };
        Read::new(now, self.file)
    }

    /// Goes on behind the keys of a block that was read then. A key is of the time of its first line.
    fn pass_keys(&mut self, block: &[u8], read: &Read) {
        let mut begun = None;
        self.carry
            .keys(&self.policy, block, |line| begun = if line.begins { Some(line.span) } else { begun });
        let Tracker { dating, carry, seen, max_record, .. } = self;
        if let (Some(span), Some(dating)) = (begun, dating) {
            let end = memchr::memchr(b'\n', &block[span.end..]).map_or(block.len(), |feed| span.end + feed);
            let units = Units { seen: *seen, max_record: *max_record };
            let own = dating.last_of(&block[..end], &units, &carry.head, read).map(|(_, moment)| moment);
            carry.key_begun = own.or(carry.last.as_ref().map(|last| last.moment));
        }
    }

    /// Goes on behind lines that were read then.
    fn pass_times(&mut self, lines: &[u8], read: &Read) {
        let Tracker { policy, dating, carry, seen, max_record, .. } = self;
        let Some(dating) = dating else { return };
        let units = Units { seen: *seen, max_record: *max_record };
        units.note_in(&mut carry.head);
        let keeps = policy.may_drop_records();
        carry.last = dating.last_record(lines, carry.last.as_ref(), keeps, &units, &carry.head, read);
    }

    /// How much of what was read may be handed on as a block: whole lines, of which there are `lines` bytes, and of
    /// each record all parts.
    ///
    /// No more than `max_record` bytes are held back, and a line: a record that takes more is given up. Where that is
    /// depends on the input alone and not on how much of it was read.
    pub fn ready(&mut self, read: &[u8], lines: usize, max_record: usize) -> usize {
        self.max_record = max_record;
        while self.at < lines && self.seen.may_have_parts() {
            match self.seen.framed(&read[self.at..]) {
                // One that is too long to be held is scrubbed line by line.
                Some(framed) if framed.end > max_record => {}
                Some(framed) if self.at + framed.end >= lines => return self.settled(),
                Some(framed) => {
                    self.at += framed.end + 1;
                    continue;
                }
                None => {}
            }
            let line = &read[self.at..lines];
            let length = memchr::memchr(b'\n', line).map_or(line.len(), |end| end + 1);
            let is_long = self.at > 0 && length > max_record.saturating_add(1);
            if self.gives_up(self.at + length - 1, max_record) || is_long {
                return self.settled(); // a long line is told by being the first
            }
            self.line(&line[..length]);
            self.at += length;
        }
        if !self.seen.may_have_parts() {
            self.at = lines;
        }
        self.gives_up(read.len(), max_record);
        self.settled()
    }

    fn line(&mut self, line: &[u8]) {
        self.open.iter_mut().for_each(|open| open.run.pass_line());
        let before = self.seen;
        let Some(part) = self.seen.line(&self.policy, super::parted(line).0) else { return };
        let stream = part.stream;
        if self.seen.flows[stream].pass(&part) != Flow::Joins {
            return;
        }
        if !part.goes_on {
            return self.close(stream);
        }
        let start = self.at;
        let at = self.open.iter().position(|open| open.stream == stream).unwrap_or_else(|| {
            let mut given_up = [Flow::GIVEN_UP; Part::STREAMS];
            self.open.iter().for_each(|open| given_up[open.stream] = open.run.given_up());
            self.open.push(Open { stream, start, before, given_up, run: Run::at(start) });
            self.open.len() - 1
        });
        if self.open.get_mut(at).is_some_and(|open| !open.run.goes_on(&part)) {
            self.let_go(at);
        }
    }

    /// What is open there are no parts: nothing holds these lines together.
    fn let_go(&mut self, at: usize) {
        let Open { stream, start, .. } = self.open.swap_remove(at);
        self.flows_from(start, stream, Flow::Loose);
    }

    /// A stream goes on like this behind what began at that place.
    fn flows_from(&mut self, start: usize, stream: usize, flow: Flow) {
        self.seen.flows[stream] = flow;
        for open in self.open.iter_mut().filter(|open| start < open.start) {
            open.before.flows[stream] = if flow == Flow::Loose { flow } else { open.given_up[stream] };
        }
    }

    /// What is open still may not be parted from what ends here, and began before.
    fn close(&mut self, stream: usize) {
        let Some(at) = self.open.iter().position(|open| open.stream == stream) else { return };
        let closed = self.open.swap_remove(at);
        for open in self.open.iter_mut().filter(|open| closed.start < open.start) {
            (open.start, open.before, open.given_up) = (closed.start, closed.before, closed.given_up);
        }
    }

    /// Gives up the open records for which a line that ends here is too far away. Whether there were any.
    fn gives_up(&mut self, end: usize, max_record: usize) -> bool {
        while let Some(at) = self.open.iter().position(|open| open.run.is_far(end, max_record)) {
            self.let_go(at);
        }
        let before = self.open.len();
        let is_far = |open: &Open| open.run.is_sure() && end - open.start > max_record;
        while let Some(at) = self.open.iter().position(is_far) {
            let Open { stream, start, run, .. } = self.open.swap_remove(at);
            self.flows_from(start, stream, run.given_up());
            // The block ends here, so that nothing from before may stay open.
            while let Some(at) = self.open.iter().position(|open| !open.run.is_sure() && open.start <= start)
            {
                self.let_go(at);
            }
        }
        self.open.len() < before
    }

    /// Up to where no record is open.
    fn settled(&self) -> usize {
        self.open.iter().map(|open| open.start).min().unwrap_or(self.at)
    }

    /// What carries over to this block, which comes next. `ends`: nothing comes behind it, so that a record of which
    /// more was to come is whole.
    pub fn next(&mut self, block: &[u8], ends: bool) -> Carry {
        let mut carry = self.carry.clone();
        (carry.gives_up, carry.max_record) = (!ends, self.max_record);
        let read = self.read();
        carry.read = Some(read);
        self.carry.pass(&self.policy, block);
        self.pass_keys(block, &read);
        self.pass_times(block, &read);
        let at_end = self.open.iter().find(|open| open.start == block.len());
        self.carry.seen = at_end.map_or(self.seen, |open| open.before);
        carry.behind = (!ends).then_some(self.carry.seen.flows);
        self.at = self.at.saturating_sub(block.len());
        self.open.retain(|open| open.start >= block.len());
        for open in &mut self.open {
            open.start -= block.len();
            open.run.begun -= block.len();
        }
        carry
    }

    /// What carries over to a line too long to be held, of which this is the first piece.
    pub fn next_long(&mut self, piece: &[u8]) -> Carry {
        let mut carry = self.carry.clone();
        let read = self.read();
        carry.read = Some(read);
        self.seen.long_line(piece);
        self.pass_times(piece, &read);
        self.carry.seen = self.seen;
        self.carry.key_goes_on(piece);
        carry
    }

    /// Goes on behind a piece of a long line, the first as well.
    pub fn pass_piece(&mut self, piece: &[u8], last: bool) {
        self.carry.long_piece(&self.policy, piece, last);
    }

    /// Another input begins.
    pub fn start_over(&mut self) {
        self.carry = self.carry.start_over(&self.policy);
        (self.at, self.seen) = (0, self.carry.seen);
        self.open.clear();
    }
}
