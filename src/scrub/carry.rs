//! [`Carry`]: what the records of a block owe to those before them in the same input.
//!
//! A header line names the columns of all lines after it, the first lines tell whether long records stand in the input in
//! parts, and a private key may be a record a line. Blocks are scrubbed on several threads, so that whoever reads them
//! in order goes over each with a [`Tracker`](super::Tracker), which looks at next to nothing of most logs.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::key::{self, Key, KeyLine, LongLine};
use super::seen::{Flow, Seen};
use crate::format::{Columns, Fields, Head, Part};
use crate::kind::Kind;
use crate::policy::Policy;
use crate::time::stamp::Moment;

/// Lines at the start of an input in which a header is looked for that nothing marks as one: there may be a banner
/// before it.
const HEADER_LINES: u32 = 32;

/// What carries over from record to record of one input.
#[derive(Clone, Debug, Default)]
pub struct Carry {
    pub(super) head: Head,
    pub(super) seen: Seen,
    /// Parts of a record that is still open at the end of the block do not go out: they were given up.
    pub(super) gives_up: bool,
    /// How the streams go on behind the block, where that is known: what became of such a record may hang on lines that
    /// are not in it.
    pub(super) behind: Option<[Flow; Part::STREAMS]>,
    /// Bytes above which a record is too long to be held.
    pub(super) max_record: usize,
    /// Records so far, up to [`HEADER_LINES`].
    records: u32,
    /// The header names a column that the policy asks for, or a record with as many columns followed it. Until then another may take its place: what looked like
    /// a header may have been a banner.
    settled: bool,
    /// The private key of which the next record may be a part.
    key: Option<Key>,
    /// What is known of a long line before its end.
    long: LongLine,
    /// When that was begun, if it is known.
    pub(super) key_begun: Option<Moment>,
    /// When the block was read, and of what date its file is; unknown where nobody reads in order.
    pub(super) read: Option<Read>,
    /// The last record that has a time.
    pub(super) last: Option<Last>,
    /// It matters when records were written, which a column may tell.
    is_dated: bool,
}

/// The last record that has a time: those behind it are of it as well.
#[derive(Clone, Debug)]
pub(super) struct Last {
    pub(super) moment: Moment,
    /// Its line, if a rule may drop it: lines that go on with it are dropped with it.
    pub(super) record: Option<Arc<[u8]>>,
}

/// When a block was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Read {
    /// The moment of the run, or at which the block was read.
    pub(super) now: Timestamp,
    /// The date of the file, if the input is one; none after now.
    pub(super) file: Option<Timestamp>,
    /// A time after this one is none: clocks differ by minutes, and by days only where one is wrong.
    pub(super) latest: Timestamp,
}

impl Read {
    pub(super) fn new(now: Timestamp, file: Option<Timestamp>) -> Read {
        const AHEAD: SignedDuration = SignedDuration::from_hours(24);
        let latest = now.checked_add(AHEAD).unwrap_or(Timestamp::MAX);
        Read { now, file: file.map(|date| date.min(now)), latest }
    }
}

/// A header in a block: where its line begins, and what it names.
pub(super) type Header = (usize, Arc<Columns>);

impl Carry {
    /// The same for a part of the block: parts of records in it are not joined, for what they go on with is not in it.
    pub fn apart(&self) -> Carry {
        Carry { gives_up: true, behind: None, ..self.clone() }
    }

    /// At the start of an input. `is_dated`: it matters when records were written.
    pub(super) fn start(policy: &Policy, is_dated: bool) -> Carry {
        let head = policy.head();
        let settled = head.columns.is_some();
        let seen = Seen::start(policy);
        Carry { head, seen, settled, max_record: usize::MAX, is_dated, ..Carry::default() }
    }

    /// Whether records depend on others before them under this policy.
    pub(super) fn is_needed(policy: &Policy) -> bool {
        Carry::start(policy, false).has_headers(policy)
            || Carry::has_keys(policy)
            || Seen::start(policy).matters()
    }

    /// Whether headers say how records are to be read.
    pub(super) fn has_headers(&self, policy: &Policy) -> bool {
        (self.is_dated || policy.reads_structure()) && policy.formats().any(|format| !format.is_json())
    }

    fn has_keys(policy: &Policy) -> bool {
        policy.finds(Kind::PRIVATE_KEY)
    }

    /// Goes on behind the headers of a block.
    pub(super) fn pass(&mut self, policy: &Policy, block: &[u8]) {
        let mut last = None;
        self.headers(policy, block, |header| last = Some(header.1));
        self.end(last, block);
    }

    /// Goes on behind a block of which the last header is this.
    pub(super) fn end(&mut self, header: Option<Arc<Columns>>, block: &[u8]) {
        if header.is_some() {
            self.head.columns = header;
        }
        let lines = memchr::memchr_iter(b'\n', block).take((HEADER_LINES - self.records) as usize);
        self.records += lines.count() as u32;
    }

    /// Hands on what of a block are lines of private keys, in order, and goes on behind it.
    pub(super) fn keys(&mut self, policy: &Policy, block: &[u8], each: impl FnMut(KeyLine)) {
        if Carry::has_keys(policy) {
            key::pass(&mut self.key, block, each);
        }
    }

    /// Goes on behind the first piece of a line too long to be held. Whether that is a line of a private key.
    pub(super) fn key_goes_on(&mut self, piece: &[u8]) -> bool {
        LongLine::begin(&mut self.key, piece)
    }

    /// Goes on behind a piece of such a line, as far as keys go. What begins with it is of the time of the line.
    pub(super) fn long_piece(&mut self, policy: &Policy, piece: &[u8], last: bool) {
        if !Carry::has_keys(policy) {
            return;
        }
        self.long.pass(if last { super::parted(piece).0 } else { piece });
        if last && self.long.end(&mut self.key) {
            self.key_begun = self.last.as_ref().map(|last| last.moment);
        }
    }

    /// The same for a block without so many lines of it, of which all headers are known.
    pub(super) fn without(&mut self, lines: u64, behind: &Carry) {
        self.records =
            self.records.saturating_add(u32::try_from(lines).unwrap_or(HEADER_LINES)).min(HEADER_LINES);
        self.settled = behind.settled;
        self.pass_keys(behind);
    }

    /// What holds behind the headers of a block.
    pub(super) fn head_behind(&self, policy: &Policy, block: &[u8]) -> Head {
        let mut head = self.head.clone();
        self.clone().headers(policy, block, |(_, columns)| head.columns = Some(columns));
        head
    }

    /// At the start of the next input.
    pub(super) fn start_over(&self, policy: &Policy) -> Carry {
        Carry::start(policy, self.is_dated)
    }

    /// Goes on behind what another went on behind, as far as keys go.
    fn pass_keys(&mut self, other: &Carry) {
        self.key.clone_from(&other.key);
        self.key_begun = other.key_begun;
    }

    /// The headers in a block, in order.
    pub(super) fn headers(&mut self, policy: &Policy, block: &[u8], mut each: impl FnMut(Header)) {
        if !self.has_headers(policy) {
            return;
        }
        let mut head = self.head.clone();
        let mut from = 0;
        for _ in self.records..HEADER_LINES {
            if from == block.len() || self.settled {
                break;
            }
            let end = memchr::memchr(b'\n', &block[from..]).map_or(block.len(), |at| from + at + 1);
            let line = &block[from..end];
            if follows(policy, line, &head) {
                self.settled = true;
            } else if let Some(columns) = header(policy, line) {
                let columns = Arc::new(columns);
                // What names a column that the policy asks for is no banner, so that no odd record takes its place.
                self.settled = columns.names.iter().any(|name| policy.asks_for(name));
                head.columns = Some(Arc::clone(&columns));
                each((from, columns));
            }
            from = end;
        }
        for at in memchr::memchr_iter(b'#', block) {
            if at >= from && (at == 0 || block[at - 1] == b'\n') {
                let end = memchr::memchr(b'\n', &block[at..]).map_or(block.len(), |end| at + end + 1);
                header(policy, &block[at..end]).into_iter().for_each(|columns| each((at, Arc::new(columns))));
            }
        }
    }
}

/// The columns that a line names, if it is a header.
pub(super) fn header(policy: &Policy, line: &[u8]) -> Option<Columns> {
    let (content, _) = super::parted(line);
    let only = policy.head().only;
    policy.formats().find_map(|format| match only == Some(format.name()) {
        true => format.header_of_its_own(content),
        false => format.header(content),
    })
}

/// Whether a line is a record with the columns of the header before it, or the first line of one.
fn follows(policy: &Policy, line: &[u8], head: &Head) -> bool {
    let (content, _) = super::parted(line);
    let is_its = |name: &str| head.columns.as_ref().is_some_and(|columns| columns.format == name);
    let mut formats = policy.formats();
    let by_header = Head { only: None, ..head.clone() };
    formats.any(|format| {
        is_its(format.name())
            && (Fields::default().read(content, format, head) || format.is_broken(content, &by_header))
    })
}
