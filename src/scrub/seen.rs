//! [`Seen`]: what an input shows itself to be, where that matters beyond a record.
//!
//! Most formats are told record by record. Three things need to be known of an input as a whole: that long records
//! stand in it in parts, which are joined before they are judged; that text stands in it as numbers, which nothing
//! marks; that the length of a record stands before it, so that it may hold line feeds, or touch the record before. They hold from the start if the
//! policy names the format, and under `auto` from the first record of the format on if it is among the first
//! [`FIRST_LINES`] lines of the input, or anywhere if old lines are dropped; the last holds if it is the first line.
//! What is a part then depends on the records of its stream alone: see [`Flow`] and [`Run`].

use crate::format::{Format, Framed, Part};
use crate::policy::{FormatChoice, Policy};

/// Lines of an input that may tell its format. A copy of the end of a log begins with half a line, and a banner or a
/// message of what copied it may stand before.
const FIRST_LINES: u32 = 32;

/// Records of a stream one after another that nothing ends and that tell by nothing that they are parts: if there are more,
/// nobody writes ends there. Parts of such a kind are what is left of longer ones.
const MOST_LOOSE: u32 = 16;

/// How a stream goes on at some place of an input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Flow {
    /// What comes next begins a record, or goes on with one whose parts are joined.
    #[default]
    Joins,
    /// A record goes on whose parts are not joined: what is left of it does not go out. So many may be none of its parts.
    GivenUp { loose: u32 },
    /// Nobody writes the ends of records: each is whole.
    Loose,
}

impl Flow {
    /// A record goes on that is too long to be held.
    pub(super) const GIVEN_UP: Flow = Flow::GivenUp { loose: 0 };

    /// Goes on behind a record. What becomes of it.
    pub(super) fn pass(&mut self, part: &Part) -> Flow {
        let was = *self;
        *self = match was {
            Flow::Joins => return Flow::Joins,
            Flow::Loose if part.goes_on && part.is_sure => {
                *self = Flow::Joins;
                return Flow::Joins;
            }
            _ if !part.goes_on => Flow::Joins,
            Flow::Loose => Flow::Loose,
            Flow::GivenUp { .. } if part.is_sure => Flow::GIVEN_UP,
            Flow::GivenUp { loose } if loose + 1 < MOST_LOOSE => Flow::GivenUp { loose: loose + 1 },
            Flow::GivenUp { .. } => Flow::Loose,
        };
        was
    }
}

/// Lines that are held back for a record of which it is not sure that it goes on.
const MOST_LINES: u32 = 64;

/// The parts of a record that goes on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Run {
    /// Where the first one begins.
    pub(super) begun: usize,
    /// Lines since then, of any kind.
    lines: u32,
    /// How many parts came last that may be none.
    loose: u32,
    is_sure: bool,
}

impl Run {
    /// No part so far.
    pub(super) fn at(begun: usize) -> Run {
        Run { begun, ..Run::default() }
    }

    /// Another line comes, of any kind.
    pub(super) fn pass_line(&mut self) {
        self.lines = self.lines.saturating_add(1);
    }

    /// Whether a line that comes now and ends here is too far away to wait for it.
    pub(super) fn is_far(&self, end: usize, max_record: usize) -> bool {
        !self.is_sure && (self.lines > MOST_LINES || end - self.begun > max_record)
    }

    /// Goes on with a part behind which more is to come. Whether it is still to be believed that more will.
    pub(super) fn goes_on(&mut self, part: &Part) -> bool {
        self.is_sure |= part.is_sure;
        self.loose = if part.is_sure { 0 } else { self.loose + 1 };
        self.loose <= MOST_LOOSE
    }

    /// How the stream goes on if the record is given up here.
    pub(super) fn given_up(&self) -> Flow {
        Flow::GivenUp { loose: self.loose }
    }

    /// Whether these are parts, even if no end comes.
    pub(super) fn is_sure(&self) -> bool {
        self.is_sure
    }
}

/// What is known of an input at some place of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    format: Option<&'static dyn Format>,
    /// Lines that may still tell the format.
    lines: u32,
    /// The next line is the first.
    is_first: bool,
    /// The policy names the format.
    is_named: bool,
    /// Lengths may stand before records, where they touch the values of others.
    has_lengths: bool,
    pub(super) flows: [Flow; Part::STREAMS],
}

impl Seen {
    /// At the start of an input.
    pub(super) fn start(policy: &Policy) -> Seen {
        let named = policy.format != FormatChoice::Auto;
        let format = matters(policy).next().filter(|_| named);
        // Old lines are dropped, and the next run sees others first.
        let first_lines = if policy.records.drop_after.is_some() { u32::MAX } else { FIRST_LINES };
        // One name may mean several.
        let lines = if matters(policy).count() > usize::from(named) { first_lines } else { 0 };
        let has_lengths = policy.format.name() == SYSLOG;
        Seen { format, lines, is_first: true, is_named: named, has_lengths, flows: Default::default() }
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
            let is_first = std::mem::take(&mut self.is_first);
            let claims = |format: &&dyn Format| (is_first || !format.is_framed()) && format.claims(line);
            let told = matters(policy).find(claims);
            self.lines = if told.is_some() { 0 } else { self.lines - 1 };
            self.format = told.or(self.format);
        }
        self.part(line)
    }

    fn part(&self, line: &[u8]) -> Option<Part> {
        let part = self.format?.part(line)?;
        Some(Part { is_sure: part.is_sure || self.is_named, ..part })
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

    /// What is known behind the first line of a block of what tells where records end.
    pub(super) fn behind_first(mut self, policy: &Policy, block: &[u8]) -> Seen {
        if self.is_first && self.lines > 0 {
            let end = memchr::memchr(b'\n', block).map_or(block.len(), |feed| feed + 1);
            self.line(policy, super::parted(&block[..end]).0);
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
        if !self.format.is_some_and(|format| format.has_parts()) {
            return true;
        }
        let Some(part) = self.part(piece) else {
            if self.flows.contains(&Flow::Loose) {
                return true;
            }
            self.flows = [Flow::GIVEN_UP; Part::STREAMS];
            return false;
        };
        let flow = if part.goes_on { Flow::GIVEN_UP } else { Flow::Joins };
        let before = std::mem::replace(&mut self.flows[part.stream], flow);
        !matches!(before, Flow::GivenUp { .. }) && !part.goes_on
    }

    /// Goes on behind a record that does not go out.
    pub(super) fn skip(&mut self, part: &Part) {
        let flow = &mut self.flows[part.stream];
        if flow.pass(part) == Flow::Joins && part.goes_on && part.is_sure {
            *flow = Flow::GIVEN_UP;
        }
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
