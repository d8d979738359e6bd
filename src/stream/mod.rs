//! From open files to written bytes: whole records are cut out of the inputs, scrubbed on one or more threads
//! and written in order.
//!
//! ```text
//! Feed: Input (sniff, decompress, decode) ─► Cutter (blocks of whole records) ─► Worker (scrub, withhold) ─► Order: Sink (encode) ─► Output
//!          └─ Watch: one poll for input, signals and a failed output
//! ```
//!
//! Each thread takes a block through all of it; [`drive`](mod@drive) tells how.
//!
//! [`ScrubWriter`] is the same for a program that scrubs its own log.

pub mod block;
mod held;
mod worker;
mod writer;

#[cfg(feature = "cli")]
pub mod drive;
#[cfg(feature = "cli")]
mod feed;
#[cfg(feature = "cli")]
pub mod input;
#[cfg(feature = "cli")]
mod order;
#[cfg(feature = "cli")]
pub mod output;
#[cfg(feature = "cli")]
mod packed;
#[cfg(feature = "cli")]
mod sink;
#[cfg(feature = "cli")]
pub mod sniff;
#[cfg(feature = "cli")]
pub mod sys;
#[cfg(feature = "cli")]
mod utf16;
#[cfg(feature = "cli")]
pub mod watch;

#[cfg(feature = "cli")]
pub use drive::{Outcome, Settings, drive, drive_runs};
pub use held::Held;
#[cfg(feature = "cli")]
pub use input::{Fault, Input, Place};
#[cfg(feature = "cli")]
pub use output::{Output, Target};
#[cfg(feature = "cli")]
pub use sniff::{Look, look};
#[cfg(feature = "cli")]
pub use watch::{Interrupts, Watch};
pub use worker::tell_place_only;
pub use writer::ScrubWriter;

use crate::policy::Hold;
use crate::scrub::{Carry, Scrubber, Together, Tracker};
use crate::tally::Tally;

/// Bytes that a record may have without its line feed before it is handed on piece by piece: far above any
/// sane line, far below what would hurt.
pub const MAX_RECORD_BYTES: usize = 1 << 20;

/// What scrubs: [`Scrubber`], or a stand-in in a test.
pub trait Scrub: Clone {
    /// Appends the scrubbed form of a run of whole records.
    fn scrub(&mut self, block: &[u8], out: &mut Vec<u8>);
    /// Appends the scrubbed form of the next piece of a long record.
    fn scrub_piece(&mut self, piece: &[u8], last: bool, out: &mut Vec<u8>);
    /// What tells what carries over from block to block, if anything does.
    fn tracker(&self) -> Option<Tracker> {
        None
    }
    /// Takes up a block behind others, or behind those of another thread, of which this is carried over.
    fn go_on(&mut self, carry: &Carry) {
        let _ = carry;
    }
    /// Goes on behind a record that it failed on and that does not go out.
    fn skip(&mut self, record: &[u8]) {
        let _ = record;
    }
    /// The lines of a block that belong together, as the parts of one record.
    fn together(&self, block: &[u8]) -> Vec<Together> {
        let _ = block;
        Vec::new()
    }
    /// By what a member of that name is scrubbed, where the input is an archive.
    ///
    /// # Errors
    /// The hold that keeps it as it is.
    fn for_member(&self, name: &[u8]) -> Result<Self, Box<Hold>> {
        let _ = name;
        Ok(self.clone())
    }
    /// The counts so far, which start again at zero.
    fn take_tally(&mut self) -> Tally;
    /// Adds the counts so far to others. They start again at zero.
    fn add_tally_to(&mut self, total: &mut Tally) {
        total.add(&self.take_tally());
    }
}

impl Scrub for Scrubber {
    fn scrub(&mut self, block: &[u8], out: &mut Vec<u8>) {
        Scrubber::scrub(self, block, out);
    }

    fn scrub_piece(&mut self, piece: &[u8], last: bool, out: &mut Vec<u8>) {
        Scrubber::scrub_piece(self, piece, last, out);
    }

    fn tracker(&self) -> Option<Tracker> {
        Scrubber::tracker(self)
    }

    fn go_on(&mut self, carry: &Carry) {
        Scrubber::go_on(self, carry.clone());
    }

    fn skip(&mut self, record: &[u8]) {
        Scrubber::skip(self, record);
    }

    fn together(&self, block: &[u8]) -> Vec<Together> {
        Scrubber::together(self, block)
    }

    fn take_tally(&mut self) -> Tally {
        Scrubber::take_tally(self)
    }

    fn add_tally_to(&mut self, total: &mut Tally) {
        Scrubber::add_tally_to(self, total);
    }
}
