//! [`Seen`]: what an input shows itself to be, where that matters beyond a record.
//!
//! Most formats are told record by record. Three things need to be known of an input as a whole: that long records
//! stand in it in parts, which are joined before they are judged; that text stands in it as numbers, which nothing
//! marks; that the length of a record stands before it, so that it may hold line feeds, or touch the record before. They hold from the start if the
//! policy names the format, and under `auto` from the first record of the format on if it is among the first
//! [`FIRST_LINES`] lines of the input; the last holds if it is the first line.

use crate::format::{Format, Framed, Part};
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
    /// Lengths may stand before records, where they touch the values of others.
    has_lengths: bool,
    /// Streams of which a record goes on whose parts are not joined: what is left of it does not go out.
    pub(super) given_up: [bool; Part::STREAMS],
}

impl Seen {
    /// At the start of an input.
    pub(super) fn start(policy: &Policy) -> Seen {
        let named = policy.format != FormatChoice::Auto;
        let format = matters(policy).next().filter(|_| named);
        // One name may mean several.
        let lines = if matters(policy).count() > usize::from(named) { FIRST_LINES } else { 0 };
        let has_lengths = policy.format.name() == SYSLOG;
        Seen { format, lines, has_lengths, given_up: [false; Part::STREAMS] }
    }

    /// Whether anything is known, or may become so.
    pub(super) fn matters(&self) -> bool {
        self.format.is_some() || self.lines > 0
    }

    /// Whether lines may be parts of longer records.
    pub(super) fn may_have_parts(&self) -> bool {
        self.lines > 0 || self.format.is_some_and(|format| format.has_parts() || format.is_framed())
    }

    /// Whether records may hold text as numbers.
    pub(super) fn may_have_bytes(&self) -> bool {
        self.format.is_some_and(|format| format.has_bytes())
    }

    /// Whether lengths may stand before records.
    pub(super) fn may_have_lengths(&self) -> bool {
        self.has_lengths
    }

    /// The format, once it is known.
    pub(super) fn format(&self) -> Option<&'static dyn Format> {
        self.format
    }

    /// Looks at the next line, without its end, and goes on behind it. If it is a part of a longer record, or of one
    /// that was given up: which.
    pub(super) fn line(&mut self, policy: &Policy, line: &[u8]) -> Option<Part> {
        if self.lines > 0 {
            self.has_lengths |= begins_with_length(line);
            let is_first = self.lines == FIRST_LINES;
            let claims = |format: &&dyn Format| (is_first || !format.is_framed()) && format.claims(line);
            let told = matters(policy).find(claims);
            self.lines = if told.is_some() { 0 } else { self.lines - 1 };
            self.format = told.or(self.format);
        }
        self.format?.part(line)
    }

    /// Whether the next line may tell something about the input.
    pub(super) fn may_learn(&self) -> bool {
        self.lines > 0
    }

    /// The same where so many of the lines that come next are left out: none of them tells anything.
    pub(super) fn without(self, lines: u32) -> Seen {
        Seen { lines: self.lines.saturating_sub(lines), ..self }
    }

    /// What is known behind the lines of a block that may still tell something.
    pub(super) fn behind(mut self, policy: &Policy, block: &[u8]) -> Seen {
        let mut lines = block.split_inclusive(|byte| *byte == b'\n');
        while self.lines > 0
            && let Some(line) = lines.next()
        {
            self.line(policy, super::parted(line).0);
        }
        self
    }

    /// One past the end of the record that begins here, if it may hold line feeds and is whole.
    pub(super) fn frame(&self, rest: &[u8], max_record: usize) -> Option<usize> {
        let framed = self.framed(rest)?;
        (framed.end < rest.len() && framed.end <= max_record).then_some(framed.end + 1)
    }

    /// Where the record lies that begins here, if it may hold line feeds.
    pub(super) fn framed(&self, rest: &[u8]) -> Option<Framed> {
        self.format?.framed(rest)
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

/// The format that writes lengths before its records, several on a line.
const SYSLOG: &str = "syslog";

/// Whether a line begins as such a record does: `83 <34>`.
fn begins_with_length(line: &[u8]) -> bool {
    let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && matches!(line[digits..], [b' ', b'<', b'0'..=b'9', ..])
}

/// The formats of which it matters whether an input is of them.
fn matters(policy: &Policy) -> impl Iterator<Item = &'static dyn Format> {
    policy.formats().filter(|format| format.has_parts() || format.has_bytes() || format.is_framed())
}
