//! [`Carry`]: what the records of a block owe to those before them in the same input.
//!
//! A header line names the columns of all lines after it, and a private key may be a record a line. Blocks are scrubbed on several threads, so that whoever reads
//! them in order goes over each with a [`Tracker`], which looks at next to nothing of it.

use std::sync::Arc;

use super::key::{self, Key};
use crate::format::{Columns, Head};
use crate::kind::Kind;
use crate::policy::Policy;
use crate::span::Span;

/// Lines at the start of an input in which a header is looked for that nothing marks as one: there may be a banner
/// before it.
const HEADER_LINES: u32 = 32;

/// What carries over from record to record of one input.
#[derive(Clone, Debug, Default)]
pub struct Carry {
    pub(super) head: Head,
    /// Records so far, up to [`HEADER_LINES`].
    records: u32,
    /// The private key of which the next record may be a part.
    key: Option<Key>,
}

/// Goes over the blocks of an input in order, before they are scrubbed, and tells what carries over to each.
#[derive(Clone, Debug)]
pub struct Tracker {
    policy: Arc<Policy>,
    carry: Carry,
}

impl Tracker {
    /// Under this policy, at the start of an input. None is needed where no record depends on those before it.
    pub fn new(policy: &Arc<Policy>) -> Option<Tracker> {
        let carry = Carry::start(policy);
        Carry::is_needed(policy).then(|| Tracker { policy: Arc::clone(policy), carry })
    }

    /// What carries over to this block, which comes next.
    pub fn next(&mut self, block: &[u8]) -> Carry {
        let before = self.carry.clone();
        self.carry.pass(&self.policy, block);
        before
    }

    /// Another input begins.
    pub fn start_over(&mut self) {
        self.carry = Carry::start(&self.policy);
    }
}

/// A header in a block: where its line begins, and what it names.
pub(super) type Header = (usize, Arc<Columns>);

impl Carry {
    /// At the start of an input.
    pub(super) fn start(_policy: &Policy) -> Carry {
        Carry::default()
    }

    /// Whether records depend on others before them under this policy.
    pub(super) fn is_needed(policy: &Policy) -> bool {
        Carry::needs_headers(policy) || Carry::needs_keys(policy)
    }

    fn needs_headers(policy: &Policy) -> bool {
        policy.reads_structure() && policy.formats().any(|format| !format.is_json())
    }

    fn needs_keys(policy: &Policy) -> bool {
        policy.finds(Kind::PRIVATE_KEY)
    }

    /// Goes on behind a block.
    fn pass(&mut self, policy: &Policy, block: &[u8]) {
        let mut last = None;
        self.headers(policy, block, |header| last = Some(header.1));
        self.end(last, block);
        self.keys(policy, block, |_| {});
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
    pub(super) fn keys(&mut self, policy: &Policy, block: &[u8], each: impl FnMut(Span)) {
        if Carry::needs_keys(policy) {
            key::pass(&mut self.key, block, each);
        }
    }

    /// The headers in a block, in order.
    pub(super) fn headers(&self, policy: &Policy, block: &[u8], mut each: impl FnMut(Header)) {
        if !Carry::needs_headers(policy) {
            return;
        }
        let mut known = self.head.columns.is_some();
        let mut from = 0;
        for _ in self.records..HEADER_LINES {
            if from == block.len() || known {
                break;
            }
            let end = memchr::memchr(b'\n', &block[from..]).map_or(block.len(), |at| from + at + 1);
            if let Some(columns) = header(policy, &block[from..end]) {
                known = true;
                each((from, Arc::new(columns)));
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

fn header(policy: &Policy, line: &[u8]) -> Option<Columns> {
    let (content, _) = super::parted(line);
    policy.formats().find_map(|format| format.header(content))
}
