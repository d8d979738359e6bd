//! Bytes to findings.
//!
//! Two steps keep clean lines cheap. [`index()`] goes over the bytes once and notes every place where a
//! match is possible (a [`Candidate`]); the [`Detector`] of that trigger then makes the exact test there.
//! The two halves are also joined in [`Detectors::find`], which searches one value.

pub mod list;
pub mod pattern;

use crate::finding::Finding;
use crate::kind::Kind;
use crate::span::Span;

/// Bytes without which no match is possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Trigger {
    /// `@`.
    At,
    /// The third dot of digits, dot, digits, dot, digits, dot, digit.
    Dots,
    /// `::`, or a colon after three others with at most four bytes between each two.
    Colons,
    /// The twelfth byte of a run of digits and card separators.
    Digits,
}

/// A place where a trigger was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// Offset of the trigger's last byte.
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
    /// trailing punctuation. Never panics, whatever the bytes. Cost is linear in the bytes between the
    /// start of the value's longest legal form and `resume`.
    fn verify(&self, hay: &[u8], at: usize) -> Verdict;
}
// ---- stand-in until the detectors arrive ----
#[derive(Debug, Default)]
pub struct Scratch {}
#[derive(Debug, Default)]
pub struct Detectors { kinds: crate::kind::KindSet }
impl Detectors {
    pub fn new(kinds: crate::kind::KindSet, _p: Vec<pattern::Pattern>, _l: Vec<list::List>) -> Detectors { Detectors { kinds } }
    pub fn needs_every_record(&self) -> bool { false }
    pub fn find(&self, value: &[u8], _s: &mut Scratch, out: &mut Vec<Finding>) {
        for (kind, re) in [(Kind::EMAIL, r"[a-z.]+@[a-z.]+[a-z]"), (Kind::IPV4, r"\b\d+\.\d+\.\d+\.\d+\b"), (Kind::PAN, r"\b\d{16}\b")] {
            if self.kinds.contains(kind) {
                out.extend(regex::bytes::Regex::new(re).unwrap().find_iter(value).map(|m| Finding { kind, span: Span::new(m.start(), m.end()) }));
            }
        }
        out.sort();
    }
}
pub fn index(hay: &[u8], out: &mut Vec<Candidate>) {
    out.extend((0..hay.len()).filter(|at| hay[*at] == b'@' || hay[*at].is_ascii_digit()).map(|at| Candidate { at, trigger: Trigger::At }));
}
pub fn plain(bytes: Vec<u8>) -> Vec<u8> { bytes }
