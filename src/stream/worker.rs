//! [`Worker`]: scrubs one part after another and survives a scrubber that panics.

use std::io::Write;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};

use super::Scrub;
use super::block::{Part, Shape};
use crate::scrub::Carry;
use crate::tally::Tally;
use crate::withhold::{line_end, looks_like_json, withheld_marker, withhold};

/// A scrubber, and a fresh copy to go on with after a panic.
#[derive(Debug)]
pub(super) struct Worker<S> {
    fresh: S,
    scrubber: S,
    tally: Tally,
    long: Long,
}

/// Where the worker stands in a long record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Long {
    /// At the start of a record.
    Start,
    /// Inside one that could be judged so far.
    Going,
    /// Inside one that panicked: nothing more of it goes out.
    Broken { json: bool, bytes: u64 },
}

impl<S: Scrub> Worker<S> {
    pub(super) fn new(mut scrubber: S) -> Worker<S> {
        scrubber.take_tally();
        Worker { fresh: scrubber.clone(), scrubber, tally: Tally::default(), long: Long::Start }
    }

    /// Another one for the same run.
    #[cfg(feature = "cli")]
    pub(super) fn another(&self) -> Worker<S> {
        Worker::new(self.fresh.clone())
    }

    /// Appends the scrubbed form of the part.
    pub(super) fn work(&mut self, part: &Part, out: &mut Vec<u8>) {
        if let Some(carry) = &part.carry {
            self.scrubber.go_on(carry);
        }
        match part.shape {
            Shape::Records => self.records(part.bytes(), part.carry.as_ref(), out),
            Shape::Piece { last } => self.piece(part.bytes(), last, out),
            Shape::Unfinished => {
                let lines = memchr::memrchr(b'\n', part.bytes()).map_or(0, |end| end + 1);
                let (lines, rest) = part.bytes().split_at(lines);
                self.records(lines, part.carry.as_ref(), out);
                if !rest.is_empty() || lines.is_empty() {
                    self.unfinished(rest, out);
                }
            }
        }
    }

    pub(super) fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }

    fn records(&mut self, block: &[u8], carry: Option<&Carry>, out: &mut Vec<u8>) {
        if block.is_empty() {
            return;
        }
        if !self.attempt(out, |scrubber, out| scrubber.scrub(block, out)) {
            carry.iter().for_each(|carry| self.scrubber.go_on(&carry.apart()));
            block.split_inclusive(|byte| *byte == b'\n').for_each(|record| self.record(record, out));
        }
    }

    fn record(&mut self, record: &[u8], out: &mut Vec<u8>) {
        let before = self.scrubber.clone();
        if !self.attempt(out, |scrubber, out| scrubber.scrub(record, out)) {
            self.scrubber = before.clone(); // and not afresh, for it knows the headers so far
            if !self.attempt(out, |scrubber, _| scrubber.skip(record)) {
                self.scrubber = before;
            }
            withhold(record, out);
            self.count_withheld();
        }
    }

    fn piece(&mut self, piece: &[u8], last: bool, out: &mut Vec<u8>) {
        if !matches!(self.long, Long::Broken { .. }) {
            if self.attempt(out, |scrubber, out| scrubber.scrub_piece(piece, last, out)) {
                self.long = if last { Long::Start } else { Long::Going };
                return;
            }
            self.long = Long::Broken { json: self.long == Long::Start && looks_like_json(piece), bytes: 0 };
        }
        self.broken_piece(piece, last, out);
    }

    /// The marker comes at the end of the record, when the length of what is missing is known.
    fn broken_piece(&mut self, piece: &[u8], last: bool, out: &mut Vec<u8>) {
        let Long::Broken { json, bytes } = self.long else { return };
        let end = if last { line_end(piece) } else { b"" };
        let bytes = bytes + (piece.len() - end.len()) as u64;
        self.long = Long::Broken { json, bytes };
        if last {
            withheld_marker(json, bytes, out);
            out.extend_from_slice(end);
            self.count_withheld();
            self.long = Long::Start;
        }
    }

    /// Half a record may end in half a card number, so that nothing of it goes out.
    fn unfinished(&mut self, rest: &[u8], out: &mut Vec<u8>) {
        if self.long == Long::Start {
            withhold(rest, out);
            self.count_withheld();
            return;
        }
        if self.long == Long::Going {
            self.long = Long::Broken { json: false, bytes: 0 };
            self.start_afresh();
        }
        self.broken_piece(rest, true, out);
    }

    fn count_withheld(&mut self) {
        self.tally.records += 1;
        self.tally.withheld += 1;
    }

    /// Runs `work`; if it panics, nothing of what it wrote or counted stays.
    fn attempt(&mut self, out: &mut Vec<u8>, work: impl FnOnce(&mut S, &mut Vec<u8>)) -> bool {
        let before = out.len();
        // Unwind safety: on a panic the scrubber is replaced and the output cut back.
        let fine = catch_unwind(AssertUnwindSafe(|| work(&mut self.scrubber, out))).is_ok();
        if fine {
            self.scrubber.add_tally_to(&mut self.tally);
        } else {
            out.truncate(before);
            self.start_afresh();
        }
        fine
    }

    fn start_afresh(&mut self) {
        self.scrubber = self.fresh.clone();
    }
}

/// A panic hook that tells the place and nothing else: the message of a panic may quote log bytes.
pub fn tell_place_only(info: &PanicHookInfo<'_>) {
    let place = info.location().map_or("", |location| location.file());
    let line = info.location().map_or(0, |location| location.line());
    let _ = writeln!(std::io::stderr(), "logscrub: internal error at {place}:{line}; the record is withheld");
}
