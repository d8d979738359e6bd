//! Bytes to findings.
//!
//! Two steps keep clean lines cheap. [`index()`] goes over the bytes once and notes every place where a
//! match is possible (a [`Candidate`]); the [`Detector`] of that trigger then makes the exact test there.
//! The two halves are also joined in [`Detectors::find`], which searches one value, through its escapes.

mod context;
pub mod copies;
pub mod email;
pub mod ends;
mod find;
pub mod glance;
mod index;
pub mod ipv4;
pub mod ipv6;
pub mod levels;
pub mod list;
pub mod literals;
pub mod marks;
pub mod own;
pub mod pan;
pub mod pattern;
pub(crate) mod plain_escape;
mod required;
pub mod simd;
pub mod unescape;

use crate::finding::Finding;
use crate::kind::Kind;

pub use context::Words;
pub use find::{Detectors, Explained, MAX_DEPTH, Scratch};
pub use index::{index, is_no_break_space, scan};

/// The built-in detectors: a new one is its file and a line here.
pub static DETECTORS: &[&dyn Detector] = &[&email::Email, &ipv4::Ipv4, &ipv6::Ipv6, &pan::Pan];

/// Bytes without which no match is possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Trigger {
    /// `@`.
    At,
    /// A dot between digits that is the third such in a row, two to four bytes apart.
    Dots,
    /// The second colon of `::`, or a colon after three others, at most five bytes apart.
    Colons,
    /// The last digit of a group, twelve or more digits into a run of groups that single card separators
    /// (blank, hyphen, plus, no-break space) hold together.
    Digits,
    /// The first byte of an escape that may stand for a byte of the other triggers.
    Escape,
}

/// A place where a trigger was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// Offset of the trigger's last byte; of an escape, its first.
    pub at: usize,
    /// What was seen.
    pub trigger: Trigger,
}

/// Why a candidate is no match: a short clause for `explain`, without any log bytes.
pub type Reason = &'static str;

/// The outcome of the exact test at one candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What was found, or which check failed.
    pub outcome: Result<Finding, Reason>,
    /// Later candidates of the same trigger that lie before this offset belong to the bytes that were
    /// judged here and need no test of their own. This is what keeps a run of a million colons linear.
    pub resume: usize,
}

/// Recognises one kind, or kinds that share one grammar.
pub trait Detector: Sync {
    /// The kinds that it reports.
    fn kinds(&self) -> &'static [Kind];
    /// Where it has to look.
    fn trigger(&self) -> Trigger;
    /// The exact test at a candidate: `at < hay.len()` is the offset of the trigger's last byte.
    ///
    /// `hay` is one value: its ends are boundaries. The span is the tightest one: no quotes, brackets or
    /// trailing punctuation. Never panics, whatever the bytes. Looks back a bounded number of bytes, and
    /// forward over a bounded number or up to `resume`.
    fn verify(&self, hay: &[u8], at: usize) -> Verdict;
}
