//! THE hot path: one block in, the edited block out.

use std::sync::Arc;

use crate::policy::Policy;
use crate::tally::Tally;

/// Scrubs blocks of whole records under one policy. A clone shares the policy and starts with an empty tally.
#[derive(Debug, Clone)]
pub struct Scrubber {
    policy: Arc<Policy>,
    tally: Tally,
}

impl Scrubber {
    /// A scrubber for this policy.
    pub fn new(policy: Arc<Policy>) -> Scrubber {
        Scrubber { policy, tally: Tally::default() }
    }

    /// Appends the scrubbed form of `block` to `out`. A block is a run of whole records (lines); only the
    /// last one may lack its line feed.
    pub fn scrub(&mut self, block: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(block);
    }

    /// Scrubs one record that is longer than a block, handed over piece by piece in order.
    ///
    /// The cuts between pieces must depend on the record alone (never on what one read returned), for the
    /// output depends on them; the last piece carries the line feed, if there is one.
    pub fn scrub_piece(&mut self, piece: &[u8], last: bool, out: &mut Vec<u8>) {
        let _ = last;
        out.extend_from_slice(piece);
    }

    /// The counts so far, which start again at zero.
    pub fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }

    /// The policy.
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }
}
