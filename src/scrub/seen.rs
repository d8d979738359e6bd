//! [`Seen`]: what an input shows itself to be, where that matters beyond a record.
//!
//! Most formats are told record by record. Two things need to be known of an input as a whole: that long records
//! stand in it in parts, which are joined before they are judged, and that text stands in it as numbers, which nothing
//! marks. Both hold from the start if the policy names the format, and under `auto` from the first record of
//! the format on if it is among the first [`FIRST_LINES`] lines of the input.

use crate::format::{Format, Part};
use crate::policy::{FormatChoice, Policy};

/// Lines of an input that may tell its format. A copy of the end of a log begins with half a line, and a banner or a
/// message of what copied it may stand before.
const FIRST_LINES: u32 = 32;

/// What is known of an input at some place of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    format: Option<&'static dyn Format>,
    /// Lines that may still tell the format.
    lines: u32,
    /// Streams of which a record goes on whose parts are not joined: what is left of it does not go out.
    pub(super) given_up: [bool; Part::STREAMS],
}

impl Seen {
    /// At the start of an input.
    pub(super) fn start(policy: &Policy) -> Seen {
        let named = policy.format != FormatChoice::Auto;
        let format = matters(policy).next().filter(|_| named);
        let lines = if named || matters(policy).next().is_none() { 0 } else { FIRST_LINES };
        Seen { format, lines, given_up: [false; Part::STREAMS] }
    }

    /// Whether anything is known, or may become so.
    pub(super) fn matters(&self) -> bool {
        self.format.is_some() || self.lines > 0
    }

    /// Whether lines may be parts of longer records.
    pub(super) fn may_have_parts(&self) -> bool {
        self.lines > 0 || self.format.is_some_and(|format| format.has_parts())
    }

    /// Whether records may hold text as numbers.
    pub(super) fn may_have_bytes(&self) -> bool {
        self.format.is_some_and(|format| format.has_bytes())
    }

    /// The format, once it is known.
    pub(super) fn format(&self) -> Option<&'static dyn Format> {
        self.format
    }

    /// Looks at the next line, without its end, and goes on behind it. If it is a part of a longer record, or of one
    /// that was given up: which.
    pub(super) fn line(&mut self, policy: &Policy, line: &[u8]) -> Option<Part> {
        if self.lines > 0 {
            self.lines -= 1;
            self.format = matters(policy).find(|format| format.claims(line));
            self.lines = if self.format.is_some() { 0 } else { self.lines };
        }
        self.format?.part(line)
    }

    /// Looks at the first piece of a line too long to be held, and goes on behind the line. Whether it can be scrubbed
    /// by itself: it is no part of a longer record, as far as can be told.
    pub(super) fn long_line(&mut self, piece: &[u8]) -> bool {
        let Some(format) = self.format.filter(|format| format.has_parts()) else { return true };
        let Some(part) = format.part(piece) else {
            self.given_up = [true; Part::STREAMS];
            return false;
        };
        let goes_on = std::mem::replace(&mut self.given_up[part.stream], part.goes_on);
        !goes_on && !part.goes_on
    }
}

/// The formats of which it matters whether an input is of them.
fn matters(policy: &Policy) -> impl Iterator<Item = &'static dyn Format> {
    policy.formats().filter(|format| format.has_parts() || format.has_bytes())
}
