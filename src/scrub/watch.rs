//! [`Watch`]: the records that a policy's own detectors or its field rules may concern.
//!
//! Built-in kinds have their marks. What a regex, a list or a field rule asks for is some literal or some name,
//! and a record without any of them need not be looked at. Every record that they concern holds a place of the
//! watch; a few others do as well.

use std::sync::Arc;

use crate::decoded::Decoded;
use crate::detect::literals::{Literal, Literals};
use crate::detect::marks::Marks;
use crate::detect::unescape::{Ansi, holds_invisible, unescape, written_at};
use crate::detect::{Detectors, MAX_DEPTH};
use crate::format::json::Json;
use crate::format::{Field, Format, Role};
use crate::policy::Policy;
use crate::policy::wanted::Names;
use crate::span::Span;

/// What is watched for, and the buffers of one thread.
#[derive(Debug)]
pub(super) struct Watch {
    wanted: Arc<Wanted>,
    needed: bool,
    places: Vec<u32>,
    names: Vec<u32>,
    views: Views,
}

#[derive(Debug)]
struct Wanted {
    detectors: Arc<Detectors>,
    names: Names,
    /// Bytes that a literal or name may be written with. An escape that stands for another hides none.
    bytes: [bool; 256],
    /// Any escape may hide a match, and only the judge can tell.
    escapes_count: bool,
    /// What stands in every record that holds what an earlier step of a ladder left. Nobody else wrote that, so that no
    /// escape hides it.
    left: Literals,
}

/// A record as those see it who undo its escapes.
#[derive(Debug, Default)]
struct Views {
    json: Decoded,
    levels: [Decoded; 2],
}

impl Clone for Watch {
    fn clone(&self) -> Watch {
        Watch::of(Arc::clone(&self.wanted))
    }
}

impl Watch {
    pub(super) fn new(policy: &Policy, detectors: Arc<Detectors>) -> Watch {
        let names = Names::of(policy);
        let literals = detectors.own().literals().list();
        let mut bytes = [false; 256];
        for byte in 0..=255 {
            let separates = !names.is_empty() && matches!(byte, b'=' | b':');
            bytes[usize::from(byte)] =
                names.has(byte) || separates || literals.iter().any(|literal| literal.has(byte));
        }
        // Of a JSON text the judge sees what stands before it as it is written, and the text decoded.
        let spans_texts = literals.iter().any(|literal| literal.has(b'"'));
        let escapes_count = spans_texts || detectors.own().has_others() || names.asks_for_beginnings();
        let left = policy.marks_of_left().iter().map(|mark| Literal::new(mark, false)).collect();
        let left = Literals::new(left);
        Watch::of(Arc::new(Wanted { detectors, names, bytes, escapes_count, left }))
    }

    fn of(wanted: Arc<Wanted>) -> Watch {
        let needed = !wanted.detectors.own().is_empty() || !wanted.names.is_empty();
        Watch { wanted, needed, places: Vec::new(), names: Vec::new(), views: Views::default() }
    }

    /// Whether anything is watched for.
    pub(super) fn is_needed(&self) -> bool {
        self.needed || !self.wanted.left.is_empty()
    }

    /// Whether every record may be concerned.
    pub(super) fn is_for_all(&self) -> bool {
        self.wanted.names.any()
    }

    /// Places in the block, ascending, of which every record that may be concerned holds one, if not one of
    /// [`names`](Watch::names). `marks` are those of the block, `controls` the control characters that rsyslog wrote in
    /// it, which no mark tells.
    pub(super) fn places(&mut self, block: &[u8], marks: &Marks, controls: &[u32]) -> &[u32] {
        self.places.clear();
        self.names.clear();
        self.wanted.left.find(block, |at, _| self.places.push(at as u32));
        if self.needed {
            self.wanted.detectors.own().places(block, &mut self.places);
            self.wanted.names.places(block, &mut self.names);
            self.wanted.names.elements(block, &mut self.places);
            self.hidden(block, marks, marks.escapes().within(0, block.len()));
            self.hidden(block, marks, controls.iter().map(|at| *at as usize));
        }
        self.places.sort_unstable();
        &self.places
    }

    /// Those of separators behind names that stand there as they are, ascending.
    pub(super) fn names(&self) -> &[u32] {
        &self.names
    }

    /// Whether what a name means depends on nothing but the names on the way to it.
    pub(super) fn tells_by_names(&self) -> bool {
        !self.wanted.names.any() && !self.wanted.names.asks_for_beginnings()
    }

    /// Notes the records in which these escapes, ascending, hide what is watched for.
    fn hidden(&mut self, block: &[u8], marks: &Marks, escapes: impl Iterator<Item = usize>) {
        let mut done = 0;
        for at in escapes {
            if at < done || !self.wanted.may_hide(block, at) {
                continue;
            }
            let (line, _) = marks.line(at, done, block.len());
            done = line.end;
            if self.wanted.escapes_count || self.views.hold(line.of(block), &self.wanted) {
                self.places.push(at as u32);
            }
        }
    }

    /// Whether what an edit writes may make something that is watched for, alone or with what stands beside it.
    pub(super) fn may_be_made_of(&self, written: &[u8]) -> bool {
        let Wanted { detectors, names, bytes, .. } = &*self.wanted;
        let joins = |byte: Option<&u8>| byte.is_some_and(|byte| bytes[usize::from(*byte)]);
        self.needed
            && (joins(written.first())
                || joins(written.last())
                || detectors.own().has_others()
                || detectors.own().may_find(written)
                || names.may_be_made_by(written))
    }

    /// Whether a word stands beside the span, or a separator behind it: they may be watched for once the span is gone.
    pub(super) fn may_be_laid_bare(&self, block: &[u8], record: Span, span: Span) -> bool {
        let in_word = |byte: Option<&u8>| {
            byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        };
        self.needed
            && (in_word(block[record.start..span.start].last())
                || in_word(block[span.end..record.end].first())
                || self.wanted.names.ends_before(&block[span.end..record.end]))
    }

    /// Whether the text, in which there are no escapes, holds anything that is watched for.
    pub(super) fn may_concern(&self, text: &[u8]) -> bool {
        self.wanted.detectors.own().may_find(text) || self.wanted.names.are_in(text)
    }
}

impl Wanted {
    /// Whether what begins at `at` is an escape that may stand for a part of what is watched for, on some
    /// level of decoding.
    fn may_hide(&self, block: &[u8], at: usize) -> bool {
        if !matches!(block[at], b'\\' | b'%' | b'&' | b'#' | ESC | 0xc2 | 0xe2 | 0xef) {
            return false;
        }
        let Some((written, length)) = written_at(block, at) else {
            return self.may_hide_in_json(&block[at..]) || block[at] == ESC;
        };
        let written = written.as_ref();
        self.escapes_count
            || match *written {
                [] => self.bytes[usize::from(b'\n')] || self.joins(block, at, at + length),
                [b'\\'] => self.may_begin(&block[at + length..]),
                // Behind a name a backslash is passed over as it is.
                [one] => {
                    let stands_for_itself = block[at] == b'\\' && !block[at..].starts_with(b"\\u");
                    self.is_part(one) || !stands_for_itself && self.names.may_end_in(one)
                }
                _ => written.iter().any(|byte| self.bytes[usize::from(*byte)]) || is_introducer(written[0]),
            }
    }

    /// `\b`, `\f` and half of a surrogate pair, which are escapes in JSON alone.
    fn may_hide_in_json(&self, rest: &[u8]) -> bool {
        let is_wanted = |byte: u8| self.bytes[usize::from(byte)] || self.escapes_count;
        match rest {
            [b'\\', b'b', ..] => is_wanted(0x08),
            [b'\\', b'f', ..] => is_wanted(0x0c),
            [b'\\', b'u', ..] => is_wanted(0xef),
            _ => false,
        }
    }

    /// Whether something wanted or another escape may run on across what vanishes.
    fn joins(&self, block: &[u8], start: usize, end: usize) -> bool {
        let before = start.checked_sub(1).map(|before| block[before]);
        let after = block.get(end);
        before.is_some_and(|byte| self.is_part(byte)) && after.is_some_and(|byte| self.is_part(*byte))
    }

    /// Whether a byte may be a part of what is wanted, or of another escape.
    fn is_part(&self, byte: u8) -> bool {
        self.bytes[usize::from(byte)]
            || is_introducer(byte)
            || byte.is_ascii_alphanumeric()
            || matches!(byte, b'#' | b';' | b'[' | 0x80..)
    }

    /// Whether a backslash that was escaped may begin another escape that hides something.
    fn may_begin(&self, after: &[u8]) -> bool {
        let is_wanted = |byte: u8| self.bytes[usize::from(byte)];
        match after.first() {
            _ if is_wanted(b'\\') => true,
            Some(b'n') => is_wanted(b'\n'),
            Some(b'r') => is_wanted(b'\r'),
            Some(b't') => is_wanted(b'\t'),
            Some(byte @ (b'"' | b'/')) => is_wanted(*byte),
            Some(byte) => {
                matches!(byte, b'\\' | b'u' | b'x' | b'e' | b'0' | b'b' | b'f') || is_introducer(*byte)
            }
            None => false,
        }
    }
}

const ESC: u8 = 0x1b;

fn is_introducer(byte: u8) -> bool {
    matches!(byte, b'\\' | b'%' | b'&' | ESC | 0xc2 | 0xe2 | 0xef)
}

impl Views {
    /// Whether any view of the record, but for the record as it is written, holds what is wanted.
    fn hold(&mut self, record: &[u8], wanted: &Wanted) -> bool {
        if self.levels_hold(record, wanted) {
            return true;
        }
        if !record.contains(&b'\\') {
            return false;
        }
        let mut json = std::mem::take(&mut self.json);
        json.clear();
        let all = Span::new(0, record.len());
        Json.decode(record, &Field::new(Role::Text, all), all, &mut json);
        let held = wanted.names.are_in(&json.bytes)
            || wanted.detectors.own().may_find(&json.bytes)
            || self.levels_hold(&json.bytes, wanted);
        self.json = json;
        held
    }

    fn levels_hold(&mut self, text: &[u8], wanted: &Wanted) -> bool {
        let (found, invisible) = self.level_holds(text, Ansi::Remove, wanted);
        found || invisible && self.level_holds(text, Ansi::Separate, wanted).0
    }

    /// Whether a level of one view holds what is wanted, and whether any holds what nobody sees.
    fn level_holds(&mut self, text: &[u8], ansi: Ansi, wanted: &Wanted) -> (bool, bool) {
        let mut invisible = holds_invisible(text);
        let [this, next] = &mut self.levels;
        for depth in 0..MAX_DEPTH {
            let text = if depth == 0 { text } else { this.bytes.as_slice() };
            if !unescape(text, ansi, next) {
                break;
            }
            if wanted.detectors.own().may_find(&next.bytes) || wanted.names.are_in(&next.bytes) {
                return (true, invisible);
            }
            invisible |= holds_invisible(&next.bytes);
            std::mem::swap(this, next);
        }
        (false, invisible)
    }
}
