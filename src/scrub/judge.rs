//! [`Judge`]: one record in, what becomes of it out.

use std::sync::Arc;

use super::lane::Lane;
use super::watch::Watch;
use crate::action::Action;
use crate::action::Tools;
use crate::action::hash::HashKey;
use crate::action::residue::Residues;
use crate::decoded::Decoded;
use crate::detect::marks::{Marks, mark};
use crate::detect::unescape::{Ansi, unescape};
use crate::detect::{Detectors, MAX_DEPTH, Reason};
use crate::edit::{Cause, Edits};
use crate::finding::Finding;
use crate::format::json::Json;
use crate::format::text::Text;
use crate::format::{FORMATS, Field, Format, Role};
use crate::policy::Policy;
use crate::policy::decide::{Decision, Record, Sighting};
use crate::span::Span;
use crate::tally::Tally;
use crate::withhold::{is_marker, withhold};

/// How often the result of an edit is judged again. What is left next to an edit can be a value that its
/// neighbour hid; each pass removes at least one, and real records settle in the second. A record made so
/// that it does not settle is withheld.
const MAX_PASSES: usize = 8;

/// Bytes before a value that tell what it is (`"version":"1.2.3.4"`): as far as any detector looks.
const CONTEXT_BYTES: usize = 192;

/// What becomes of a record.
#[derive(Debug)]
pub enum Outcome<'j> {
    /// It stays as it is.
    Unchanged,
    /// It is written as this.
    Edited(&'j [u8]),
    /// It is not written.
    Dropped,
    /// It could not be judged.
    Withheld,
}

/// What is seen in a record, for those who look without writing.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The format that it was read as.
    pub format: &'static str,
    /// Everything found, in order, residues left out.
    pub sightings: Vec<Finding>,
    /// Which rule decides about what, also where it leaves a value as it is.
    pub decided: Vec<Cause>,
    /// What the policy would change, in order.
    pub changes: Vec<Cause>,
    /// The record as it would be written; `None` if it would be dropped.
    pub left: Option<Vec<u8>>,
    /// The residues in it.
    pub residues: Vec<Span>,
}

/// Judges records under one policy. It owns every buffer of the path, so that a warm one allocates little.
#[derive(Debug)]
pub(super) struct Judge {
    law: Law,
    scratch: Scratch,
    text: Vec<u8>,
    tally: Tally,
}

/// What all threads share: it is read only.
#[derive(Debug, Clone)]
struct Law {
    policy: Arc<Policy>,
    detectors: Arc<Detectors>,
    residues: Arc<Residues>,
    key: Option<HashKey>,
}

#[derive(Debug, Default)]
struct Scratch {
    format: &'static str,
    fields: Vec<Field>,
    value: Value,
    detect: crate::detect::Scratch,
    sightings: Vec<Sighting>,
    decided: Vec<Decision>,
    decisions: Vec<Decision>,
    edits: Edits,
}

/// One value as detectors see it: what stands before it in the record, for context, and its content with the
/// escapes of its format undone.
#[derive(Debug, Default)]
struct Value {
    marks: Marks,
    decoded: Decoded,
    hay: Vec<u8>,
    findings: Vec<Finding>,
}

/// What one pass over a record made of it; the edits are in the scratch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    Clean,
    Edited,
    Dropped,
}

impl Clone for Judge {
    fn clone(&self) -> Judge {
        Judge::under(self.law.clone())
    }
}

impl Judge {
    pub(super) fn new(policy: Arc<Policy>, key: Option<HashKey>) -> Judge {
        let detectors = Arc::new(policy.detectors());
        let key_ids = key.iter().map(|key| key.id().to_owned()).collect();
        let residues = Arc::new(Residues::new(policy.kinds.clone(), key_ids));
        Judge::under(Law { policy, detectors, residues, key })
    }

    fn under(law: Law) -> Judge {
        Judge { law, scratch: Scratch::default(), text: Vec::new(), tally: Tally::default() }
    }

    pub(super) fn policy(&self) -> &Arc<Policy> {
        &self.law.policy
    }

    /// What tells the records that need more than the marks of built-in kinds.
    pub(super) fn watch(&self) -> Watch {
        Watch::new(&self.law.policy, Arc::clone(&self.law.detectors))
    }

    /// The fast lane.
    pub(super) fn lane(&self, watch: &Watch) -> Lane {
        Lane::new(&self.law.policy, &self.law.detectors, watch, self.tools())
    }

    /// What actions need.
    pub(super) fn tools(&self) -> Tools<'_> {
        Tools { kinds: &self.law.policy.kinds, key: self.law.key.as_ref() }
    }

    pub(super) fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }

    /// Judges a record without its line end.
    ///
    /// What is left is judged again until nothing changes, so that scrubbing the output changes nothing.
    pub(super) fn judge(&mut self, record: &[u8]) -> Outcome<'_> {
        let mut next = Vec::new();
        for passes in 0..MAX_PASSES {
            let current = if passes == 0 { record } else { &self.text };
            match self.law.pass(current, None, &mut self.scratch) {
                Pass::Clean if passes == 0 => return Outcome::Unchanged,
                Pass::Clean => {
                    self.tally.changed += 1;
                    return Outcome::Edited(&self.text);
                }
                Pass::Dropped => {
                    self.tally.dropped += 1;
                    self.count();
                    return Outcome::Dropped;
                }
                Pass::Edited => {}
            }
            next.clear();
            self.scratch.edits.splice(current, &mut next);
            std::mem::swap(&mut self.text, &mut next);
            self.count();
        }
        self.tally.withheld += 1;
        Outcome::Withheld
    }

    /// Whether long records can be scrubbed window by window: no rule asks for the record as a whole.
    pub(super) fn judges_windows(&self) -> bool {
        !self.law.policy.needs_fields() && !self.law.policy.drops_records()
    }

    /// The edits of a text on its own.
    pub(super) fn edits_of_text(&mut self, text: &[u8]) -> &Edits {
        self.law.pass(text, Some(&Text), &mut self.scratch);
        &self.scratch.edits
    }

    pub(super) fn count_withheld(&mut self) {
        self.tally.withheld += 1;
    }

    pub(super) fn count_changed(&mut self, changed: bool) {
        self.tally.changed += u64::from(changed);
    }

    /// Counts the edits of the last pass.
    pub(super) fn count(&mut self) {
        for cause in self.scratch.edits.list.iter().filter_map(|edit| edit.cause) {
            self.tally.act(cause.rule, cause.kind);
        }
    }

    pub(super) fn inspect(&mut self, record: &[u8]) -> Judged {
        let mut judged = self.look(record, None);
        match self.judge(record) {
            Outcome::Unchanged => judged.left = Some(record.to_vec()),
            Outcome::Edited(text) => judged.left = Some(text.to_vec()),
            Outcome::Dropped => {}
            Outcome::Withheld => {
                let mut marker = Vec::new();
                withhold(record, &mut marker);
                judged.left = Some(marker);
            }
        }
        let left = judged.left.as_deref().unwrap_or_default();
        judged.residues =
            memchr::memchr_iter(b'[', left).filter_map(|at| self.law.residues.at(left, at)).collect();
        judged
    }

    /// The candidates that are no match, by offset; of what escapes hide, where the escape stands.
    pub(super) fn rejected(&self, record: &[u8]) -> Vec<(usize, Reason)> {
        let explained = self.law.detectors.explain(record).into_iter();
        let mut rejected: Vec<(usize, Reason)> =
            explained.filter_map(|one| Some((one.at, one.outcome.err()?))).collect();
        rejected.sort_unstable();
        rejected.dedup();
        rejected
    }

    /// As `inspect`, of running text and without what would be left.
    pub(super) fn inspect_text(&mut self, text: &[u8]) -> Judged {
        self.look(text, Some(&Text))
    }

    fn look(&mut self, record: &[u8], format: Option<&'static dyn Format>) -> Judged {
        self.law.pass(record, format, &mut self.scratch);
        let sightings = self.scratch.sightings.iter().map(|sighting| sighting.finding).collect();
        let changes = self.scratch.edits.list.iter().filter_map(|edit| edit.cause).collect();
        let cause =
            |decision: &Decision| Cause { value: decision.span, kind: decision.kind, rule: decision.rule };
        let decided = self.scratch.decided.iter().map(cause).collect();
        Judged { format: self.scratch.format, sightings, decided, changes, ..Judged::default() }
    }
}

impl Law {
    /// Judges a record once. The edits of the pass are left in the scratch.
    fn pass(&self, bytes: &[u8], format: Option<&'static dyn Format>, scratch: &mut Scratch) -> Pass {
        let Scratch { format: read_as, fields, value, detect, sightings, decided, decisions, edits } =
            scratch;
        fields.clear();
        sightings.clear();
        decided.clear();
        decisions.clear();
        edits.clear();
        if is_marker(bytes) {
            *read_as = Text.name();
            return Pass::Clean;
        }
        let format = match format {
            Some(format) if format.fields(bytes, fields).is_ok() => format,
            _ => self.read(bytes, fields),
        };
        *read_as = format.name();
        let record = Record { bytes, format, fields, named: format.quote() == b"\"" };
        self.sight(&record, value, detect, sightings);
        let mut plain = |span: Span, field: &Field| plain(&record, span, field);
        self.policy.decide(&record, sightings, &mut plain, decided, decisions);
        let value = |decision: &Decision| match decision.whole {
            true => record.fields[decision.field].value,
            false => decision.span,
        };
        decisions.retain(|decision| !self.residues.is(value(decision).of(bytes)));
        let drops = |decision: &Decision| self.policy.rules[decision.rule].action == Action::DropRecord;
        let tools = Tools { kinds: &self.policy.kinds, key: self.key.as_ref() };
        edits.plan(&self.policy, &record, decisions, tools, &mut plain);
        match (decisions.iter().any(drops), edits.list.is_empty()) {
            (true, _) => Pass::Dropped,
            (false, true) => Pass::Clean,
            (false, false) => Pass::Edited,
        }
    }

    /// Reads the fields of a record by the first format that knows it; it is text otherwise.
    fn read(&self, bytes: &[u8], fields: &mut Vec<Field>) -> &'static dyn Format {
        for format in FORMATS {
            if self.policy.format.admits(format.name()) {
                if format.fields(bytes, fields).is_ok() {
                    return format;
                }
                fields.clear();
            }
        }
        let _ = Text.fields(bytes, fields);
        &Text
    }

    /// Notes what the detectors find in each field, residues left out.
    fn sight(
        &self,
        record: &Record<'_>,
        value: &mut Value,
        detect: &mut crate::detect::Scratch,
        out: &mut Vec<Sighting>,
    ) {
        if record.named {
            mark(record.bytes, &mut value.marks);
        }
        // A match may begin before its field, so that an escape anywhere may hide it.
        let own = self.detectors.own();
        let may_find_own =
            !own.is_empty() && (!value.marks.escapes().is_empty() || own.may_find(record.bytes));
        for (at, field) in record.fields.iter().enumerate() {
            if !matches!(field.role, Role::Text | Role::Number | Role::Name) || field.value.is_empty() {
                continue;
            }
            if record.named && !may_find_own && !value.may_hold(field) {
                continue;
            }
            value.findings.clear();
            if record.named {
                value.find(record, field, &self.detectors, detect);
            } else {
                self.detectors.find(record.bytes, detect, &mut value.findings);
                value.find_in_broken_json(record, &self.detectors, detect);
            }
            let sightings = value.findings.iter().map(|finding| Sighting { finding: *finding, field: at });
            out.extend(
                sightings.filter(|sighting| !self.residues.touches(record.bytes, sighting.finding.span)),
            );
        }
    }
}

impl Value {
    /// Whether a candidate, or a byte that may begin an escape, was marked in the field.
    fn may_hold(&self, field: &Field) -> bool {
        let within = |places: &[u32]| {
            let next = places.partition_point(|at| (*at as usize) < field.value.start);
            places.get(next).is_some_and(|at| (*at as usize) < field.value.end)
        };
        within(self.marks.candidates()) || within(self.marks.escapes())
    }

    /// Searches one field. The findings count from the start of the record.
    fn find(
        &mut self,
        record: &Record<'_>,
        field: &Field,
        detectors: &Detectors,
        detect: &mut crate::detect::Scratch,
    ) {
        self.hay.clear();
        let before = field.value.start.saturating_sub(CONTEXT_BYTES)..field.value.start;
        self.hay.extend_from_slice(&record.bytes[before]);
        let content = self.hay.len();
        if field.escaped {
            self.decoded.clear();
            record.format.decode(record.bytes, field, &mut self.decoded);
            self.hay.extend_from_slice(&self.decoded.bytes);
        } else {
            self.hay.extend_from_slice(field.value.of(record.bytes));
        }
        detectors.find(&self.hay, detect, &mut self.findings);
        self.findings.retain(|finding| finding.span.start >= content);
        for finding in &mut self.findings {
            let Span { start, end } = finding.span;
            let inside = Span::new(start - content, end - content);
            finding.span =
                if field.escaped { self.decoded.raw(inside) } else { inside.shifted(field.value.start) };
        }
    }
}

impl Value {
    /// What only JSON's own reading shows, of a record that was meant to be JSON: `\b` and `\f` are escapes
    /// there and parts of names elsewhere (`DOMAIN\bob`), and no other escapes are undone in the same step.
    fn find_in_broken_json(
        &mut self,
        record: &Record<'_>,
        detectors: &Detectors,
        detect: &mut crate::detect::Scratch,
    ) {
        let bytes = record.bytes;
        let meant = matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['));
        if !meant || !bytes.contains(&b'\\') {
            return;
        }
        self.decoded.clear();
        Json.decode(bytes, &record.fields[0], &mut self.decoded);
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

/// The bytes of a span with the escapes of its format undone, and those within that the detectors see through.
fn plain(record: &Record<'_>, span: Span, field: &Field) -> Vec<u8> {
    let mut bytes = span.of(record.bytes).to_vec();
    if field.escaped {
        let mut decoded = Decoded::default();
        record.format.decode(record.bytes, &Field { value: span, ..*field }, &mut decoded);
        bytes = decoded.bytes;
    }
    let mut undone = Decoded::default();
    for _ in 0..MAX_DEPTH {
        if !unescape(&bytes, Ansi::Remove, &mut undone) {
            break;
        }
        std::mem::swap(&mut bytes, &mut undone.bytes);
        undone.clear();
    }
    bytes
}
