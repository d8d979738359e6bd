//! [`Value`]: one value of a record as detectors see it; [`Undo`]: as actions and conditions do.

use crate::decoded::Decoded;
use crate::detect::marks::{Marks, mark};
use crate::detect::plain_escape;
use crate::detect::unescape::{Ansi, is_harmless, unescape};
use crate::detect::{Detectors, MAX_DEPTH, Scratch};
use crate::finding::Finding;
use crate::format::json::Json;
use crate::format::{Field, Format};
use crate::policy::decide::Record;
use crate::span::Span;

/// Bytes before a value that tell what it is (`"version":"1.2.3.4"`): as far as any detector looks.
const CONTEXT_BYTES: usize = 192;

/// One value as detectors see it: what stands before it in the record, for context, and its content with the
/// escapes of its format undone.
#[derive(Debug, Default)]
pub(super) struct Value {
    /// Of the record.
    marks: Marks,
    /// Whether an escape that the marks do not know may hide a value in the record.
    hidden: bool,
    /// How many of the candidates stand before the field that was asked about last.
    passed: usize,
    decoded: Decoded,
    pub(super) findings: Vec<Finding>,
}

impl Value {
    /// Starts with a new record.
    pub(super) fn begin(&mut self, record: &Record<'_>) {
        mark(record.bytes, &mut self.marks);
        self.hidden = plain_escape::may_hide(record.bytes);
        self.passed = 0;
    }

    /// Whether a candidate was marked in the field, or a byte that may begin an escape which hides one. Fields
    /// are asked about in the order in which they stand.
    pub(super) fn may_hold(&mut self, record: &Record<'_>, field: &Field) -> bool {
        let Span { start, end } = field.value;
        let candidates = from(self.marks.candidates(), start, &mut self.passed);
        let text = field.value.of(record.bytes);
        self.hidden
            || candidates.first().is_some_and(|at| (*at as usize) < end)
            || self.marks.escapes().within(start, end).any(|at| !is_harmless(text, at - start))
    }

    /// Whether there is a byte in the record that may begin an escape.
    pub(super) fn may_escape(&self, record: &Record<'_>) -> bool {
        self.marks.escapes().next(0, record.bytes.len()).is_some()
    }

    /// The candidates in the record.
    pub(super) fn candidates(&self) -> &[u32] {
        self.marks.candidates()
    }

    /// The bytes in the record, which has so many, that may begin an escape.
    pub(super) fn escapes(&self, bytes: usize) -> impl Iterator<Item = usize> {
        self.marks.escapes().within(0, bytes)
    }

    /// Searches one field. The findings count from the start of the record.
    pub(super) fn find(
        &mut self,
        record: &Record<'_>,
        field: &Field,
        detectors: &Detectors,
        detect: &mut Scratch,
    ) {
        let Span { start, end } = field.value;
        let context = Span::new(start.saturating_sub(CONTEXT_BYTES), start);
        if field.escaped {
            self.decoded.clear();
            self.decoded.push_verbatim(context.of(record.bytes), context.start);
            record.fields.decode(record.bytes, field, field.value, &mut self.decoded);
            detectors.find(&self.decoded.bytes, detect, &mut self.findings);
        } else {
            let hay = Span::new(context.start, end);
            detectors.find_marked(record.bytes, hay, &self.marks, detect, &mut self.findings);
        }
        self.findings.retain(|finding| finding.span.start >= context.len());
        for finding in &mut self.findings {
            finding.span = match field.escaped {
                true => self.decoded.raw(finding.span),
                false => finding.span.shifted(context.start),
            };
        }
    }
}

impl Value {
    /// Leaves out findings in text that is written as numbers, of which `is_left` tells by the text that they are
    /// nothing new.
    pub(super) fn leave(
        &mut self,
        is_left: impl Fn(&[u8], Span) -> bool,
        record: &Record<'_>,
        field: &Field,
    ) {
        self.decoded.clear();
        record.fields.decode(record.bytes, field, field.value, &mut self.decoded);
        let decoded = &self.decoded;
        let is_new = |span: Span| !is_left(&decoded.bytes, decoded.place(span));
        self.findings.retain(|finding| is_new(finding.span));
    }

    /// What only JSON's own reading shows, of a record that was meant to be JSON: `\b` and `\f` are escapes
    /// there and parts of names elsewhere (`DOMAIN\bob`), and no other escapes are undone in the same step.
    pub(super) fn find_in_broken_json(
        &mut self,
        record: &Record<'_>,
        detectors: &Detectors,
        detect: &mut Scratch,
    ) {
        let bytes = record.bytes;
        let meant = matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['));
        if !meant || !bytes.contains(&b'\\') {
            return;
        }
        self.decoded.clear();
        let all = Span::new(0, bytes.len());
        Json.decode(bytes, &record.fields.list[0], all, &mut self.decoded);
        let found = self.findings.len();
        detectors.find(&self.decoded.bytes, detect, &mut self.findings);
        for at in found..self.findings.len() {
            self.findings[at].span = self.decoded.raw(self.findings[at].span);
        }
        let mut known = self.findings[..found].to_vec();
        known.sort_unstable_by_key(|finding| (finding.kind, finding.span));
        // Known findings of one kind do not overlap, so the last that starts before the end of another tells.
        let is_known = |finding: &Finding| {
            let next = known
                .partition_point(|other| (other.kind, other.span.start) < (finding.kind, finding.span.end));
            let last = next.checked_sub(1).map(|last| known[last]);
            last.is_some_and(|last| last.kind == finding.kind && last.span.overlaps(finding.span))
        };
        let mut at = 0;
        self.findings.retain(|finding| {
            at += 1;
            at <= found || !is_known(finding)
        });
        self.findings.sort_unstable();
    }
}

/// The ascending places at or after `start`, of which `passed` are known to lie before it.
fn from<'m>(places: &'m [u32], start: usize, passed: &mut usize) -> &'m [u32] {
    *passed += places[*passed..].iter().take_while(|at| (**at as usize) < start).count();
    &places[*passed..]
}

/// Undoes escapes. It owns the buffers that this takes.
#[derive(Debug, Default)]
pub(super) struct Undo {
    format: Decoded,
    level: Decoded,
}

impl Undo {
    /// Appends the bytes of a span with the escapes of its format undone, and those within that the detectors
    /// see through.
    pub(super) fn plain(&mut self, record: &Record<'_>, span: Span, field: &Field, out: &mut Vec<u8>) {
        let Undo { format, level } = self;
        format.clear();
        let mut bytes = span.of(record.bytes);
        if field.escaped {
            record.fields.decode(record.bytes, field, span, format);
            bytes = &format.bytes;
        }
        if unescape(bytes, Ansi::Remove, level) {
            for _ in 1..MAX_DEPTH {
                std::mem::swap(format, level);
                if !unescape(&format.bytes, Ansi::Remove, level) {
                    std::mem::swap(format, level);
                    break;
                }
            }
            bytes = &level.bytes;
        }
        out.extend_from_slice(bytes);
    }
}
