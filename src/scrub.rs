//! THE hot path: one block in, the edited block out.
//!
//! ```text
//! block ─► candidates ─► record + fields ─► sightings ─► decisions ─► edits ─► splice
//! ```

mod judge;
mod long;

use std::sync::Arc;

use crate::action::hash::HashKey;
use crate::detect::Reason;
use crate::policy::Policy;
use crate::tally::Tally;
use crate::withhold::{line_end, withhold};
use judge::Judge;
pub use judge::{Judged, Outcome};
use long::Long;

/// Scrubs blocks of whole records under one policy. A clone shares the policy and starts with an empty tally.
#[derive(Debug)]
pub struct Scrubber {
    judge: Judge,
    long: Option<Long>,
    tally: Tally,
}

impl Clone for Scrubber {
    fn clone(&self) -> Scrubber {
        Scrubber { judge: self.judge.clone(), long: None, tally: Tally::default() }
    }
}

impl Scrubber {
    /// A scrubber for this policy. `key` makes the pseudonyms of `hash`.
    pub fn new(policy: Arc<Policy>, key: Option<HashKey>) -> Scrubber {
        Scrubber { judge: Judge::new(policy, key), long: None, tally: Tally::default() }
    }

    /// Appends the scrubbed form of `block` to `out`. A block is a run of whole records (lines); only the
    /// last one may lack its line feed.
    pub fn scrub(&mut self, block: &[u8], out: &mut Vec<u8>) {
        let mut copied = 0;
        self.judge.index(block);
        while let Some(record) = self.judge.next_record(block) {
            out.extend_from_slice(&block[copied..record.start]);
            let (content, end) = parted(record.of(block));
            match self.judge.judge(content) {
                Outcome::Unchanged => out.extend_from_slice(record.of(block)),
                Outcome::Dropped => {}
                Outcome::Edited(text) => {
                    out.extend_from_slice(text);
                    out.extend_from_slice(end);
                }
                Outcome::Withheld => withhold(record.of(block), out),
            }
            copied = record.end;
        }
        out.extend_from_slice(&block[copied..]);
        self.tally.records += count_records(block);
        self.tally.add(&self.judge.take_tally());
    }

    /// Scrubs one record that is longer than a block, handed over piece by piece in order.
    ///
    /// The cuts between pieces must depend on the record alone (never on what one read returned), for the
    /// output depends on them; the last piece carries the line feed, if there is one.
    pub fn scrub_piece(&mut self, piece: &[u8], last: bool, out: &mut Vec<u8>) {
        let long = self.long.get_or_insert_with(|| Long::begin(&self.judge, piece));
        long.piece(&mut self.judge, piece, last, out);
        if last {
            self.long = None;
            self.tally.records += 1;
            self.tally.add(&self.judge.take_tally());
        }
    }

    /// Judges the records of a block without writing them: what is found in each that holds anything, with
    /// its number in the block (from 1) and its bytes without the line end.
    pub fn inspect(&mut self, block: &[u8], mut each: impl FnMut(u64, &[u8], Judged)) {
        self.judge.index(block);
        let (mut counted, mut lines) = (0, 0);
        while let Some(record) = self.judge.next_record(block) {
            lines += count_records(&block[counted..record.start]);
            counted = record.start;
            let (content, _) = parted(record.of(block));
            let judged = self.judge.inspect(content);
            each(lines + 1, content, judged);
        }
    }

    /// Judges one record without its line end, and does not write it.
    pub fn inspect_record(&mut self, record: &[u8]) -> Judged {
        self.judge.inspect(record)
    }

    /// The candidates of a record that are no match, by offset, with the check that failed.
    pub fn rejected(&self, record: &[u8]) -> Vec<(usize, Reason)> {
        self.judge.rejected(record)
    }

    /// Judges bytes as running text, whatever they look like.
    pub fn inspect_text(&mut self, text: &[u8]) -> Judged {
        self.judge.inspect_text(text)
    }

    /// The counts so far, which start again at zero.
    pub fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }

    /// The policy.
    pub fn policy(&self) -> &Arc<Policy> {
        self.judge.policy()
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
