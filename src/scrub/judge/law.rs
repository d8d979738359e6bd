//! One pass over a record under the policy of one stage.

use std::sync::Arc;

use super::super::carry::Read;
use super::super::dating::{Dating, Found};
use super::Scratch;
use super::shield::Shield;
use super::value::Value;
use crate::action::residue::Residues;
use crate::action::{self, Action, Tools};
use crate::decoded::Decoded;
use crate::detect::{self, Detectors};
use crate::finding::Finding;
use crate::format::{Field, Fields, Head};
use crate::kind::Kind;
use crate::policy::Policy;
use crate::policy::decide::{Decision, Decisions, Record, Sighting};
use crate::policy::taint::Means;
use crate::span::Span;
use crate::withhold::is_marker;

/// What all threads share: it is read only.
#[derive(Debug, Clone)]
pub(super) struct Law {
    pub(super) policy: Arc<Policy>,
    pub(super) detectors: Arc<Detectors>,
    /// Of every kind: what stands in messages holds none of any.
    pub(super) all_detectors: Arc<Detectors>,
    pub(super) residues: Arc<Residues>,
    /// Year of the records, where it is asked for and known.
    pub(super) year: Option<i16>,
    /// What is done to a record hangs on its time, which no finding may take away.
    pub(super) shields_time: bool,
}

/// What bytes are taken for.
#[derive(Clone, Copy)]
pub(super) enum Reading<'h> {
    /// A record, of whatever format, behind others that say this about it: how it is read, whether it is a header
    /// itself, what of it is a line of a private key.
    Record { head: &'h Head, is_header: bool, key: Option<Span> },
    /// Running text with which a record begins.
    Beginning { head: &'h Head },
    /// Running text.
    Text,
}

/// What one pass over a record made of it; the edits are in the scratch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    Clean,
    Edited,
    Dropped,
    /// Nobody can tell what of it may go out: it yields no fields though the policy asks for them, or is made so.
    Withheld,
}

/// Whether the span is the name of the first column in a header, `#Fields: date`, and no value of a field `Fields`. Whatever
/// else stands in a line that only looks like a header is judged as in any other.
fn is_first_column(bytes: &[u8], span: Span) -> bool {
    let is_plain = memchr::memchr2(b'=', b':', span.of(bytes)).is_none();
    is_plain && bytes[..span.start].trim_ascii_end().eq_ignore_ascii_case(b"#fields:")
}

/// Whether what a field holds is the time of the record, or a part of it.
fn is_time(fields: &Fields, field: usize, bytes: &[u8], time: &Found) -> bool {
    let Span { start, end } = fields.list[field].value;
    let value = match bytes.get(start..end) {
        Some([b'[', .., b']']) => Span::new(start + 1, end - 1),
        _ => Span::new(start, end),
    };
    let mut parts = [time.date, Some(time.span)].into_iter().flatten();
    parts.any(|part| part.contains(value))
}

/// Notes the time of the record itself.
fn sight_time(record: &Record<'_>, found: Found, out: &mut Vec<Sighting>) {
    for span in [found.date, Some(found.span)].into_iter().flatten() {
        let finding = Finding { kind: Kind::RECORD_TIME, span };
        out.push(Sighting { finding, field: record.fields.around(span), left: false });
    }
    out.sort_by_key(|sighting| (sighting.field, sighting.finding.span));
}

/// Whether a record yields no fields, and holds anything.
fn is_unparsed(bytes: &[u8], fields: &Fields) -> bool {
    !fields.are_named() && !bytes.trim_ascii().is_empty()
}

impl Law {
    /// Judges a record once. The edits of the pass are left in the scratch.
    pub(super) fn pass(
        &self,
        bytes: &[u8],
        reading: Reading<'_>,
        tools: Tools<'_>,
        scratch: &mut Scratch,
    ) -> Pass {
        let Scratch { fields, value, detect, sightings, decisions, taint, edits, undo, times } = scratch;
        sightings.clear();
        decisions.clear();
        edits.clear();
        let is_marker = is_marker(bytes);
        match reading {
            Reading::Record { head, .. } if !is_marker => self.policy.read(bytes, head, fields),
            _ => fields.read_text(bytes),
        }
        if is_marker {
            return Pass::Clean;
        }
        let may_be_withheld = matches!(reading, Reading::Record { is_header: false, .. });
        let is_withheld = may_be_withheld && self.policy.withholds_unparsed() && is_unparsed(bytes, fields);
        if let Reading::Record { head, .. } = reading
            && self.lacks_columns(bytes, head, fields)
        {
            return Pass::Withheld;
        }
        let record = Record { bytes, fields };
        let time = self.sight_all(&record, reading, times, (value, detect), sightings);
        let means = Means { tools, residues: &self.residues };
        let mut plain = |span: Span, field: &Field, out: &mut Vec<u8>| undo.plain(&record, span, field, out);
        self.policy.decide(&record, sightings, means, &mut plain, decisions);
        if matches!(reading, Reading::Record { is_header: true, .. }) {
            let stays = |decision: &Decision| !is_first_column(bytes, decision.span);
            decisions.all.retain(stays);
            decisions.acting.retain(stays);
        }
        if let Some(time) = &time {
            self.keep_time(&record, time, decisions);
        }
        if self.shields_time && decisions.acting.iter().any(|decision| self.may_take_time(decision)) {
            let shield = Shield::of(&record, &self.policy, reading, times);
            if shield.is_some_and(|shield| !self.shield(&shield, decisions)) {
                return Pass::Withheld;
            }
        }
        // What no step takes further is a text like any other, in which values may stand.
        let goes_on = |decision: &Decision| !self.stays(&record, decision, decision.span, means);
        decisions.acting.retain(|decision| !decision.left || goes_on(decision));
        // `[user:k…]` is no `user:` before a value.
        let in_residue = |decision: &Decision| self.residues.runs_across(bytes, decision.span.start);
        decisions.acting.retain(|decision| decision.whole || !in_residue(decision));
        if self.policy.taint(&record, decisions, means, &mut plain, taint).is_err() {
            return Pass::Withheld;
        }
        self.policy.part(&mut decisions.acting);
        let acting = &mut decisions.acting;
        acting.retain(|decision| self.may_edit(&record, decision, means));
        if acting.is_empty() {
            return if is_withheld { Pass::Withheld } else { Pass::Clean };
        }
        let drops = |decision: &Decision| self.policy.rules[decision.rule].action == Action::DropRecord;
        edits.plan(&self.policy, &record, acting, means, &mut plain);
        match (acting.iter().any(drops), edits.list.is_empty()) {
            (true, _) => Pass::Dropped,
            (false, _) if is_withheld => Pass::Withheld,
            (false, true) => Pass::Clean,
            (false, false) => Pass::Edited,
        }
    }

    /// Notes all that a rule may cover. The time of the record, if anybody asks for it.
    fn sight_all(
        &self,
        record: &Record<'_>,
        reading: Reading<'_>,
        times: &mut Option<(Dating, Read)>,
        (value, detect): (&mut Value, &mut detect::Scratch),
        out: &mut Vec<Sighting>,
    ) -> Option<Found> {
        self.sight(record, value, detect, out);
        if let Reading::Record { key: Some(line), .. } = reading {
            self.sight_key(record, line, out);
        }
        let time = match (reading, times) {
            (Reading::Record { head, is_header: false, .. }, Some((dating, read))) => {
                dating.find(record.bytes, head, read)
            }
            _ => None,
        };
        if let Some(found) = time.filter(|_| self.policy.acts_on_record_time()) {
            sight_time(record, found, out);
        }
        if self.policy.acts_on_residues() {
            self.sight_left(record, out);
        }
        time
    }

    /// Under default deny the time of a record stays: without it the record would be of another age on the next run.
    fn keep_time(&self, record: &Record<'_>, time: &Found, decisions: &mut Decisions) {
        let Some(known) = &self.policy.known else { return };
        let is_of_time = |decision: &Decision| {
            decision.rule == known.rule && is_time(record.fields, decision.field, record.bytes, time)
        };
        decisions.all.retain(|decision| !is_of_time(decision));
        decisions.acting.retain(|decision| !is_of_time(decision));
    }

    /// Whether a decision may change the record still.
    fn may_edit(&self, record: &Record<'_>, decision: &Decision, means: Means<'_>) -> bool {
        let field = &record.fields.list[decision.field];
        // The brackets of an empty array look like what `drop` leaves.
        let holds_fields = decision.whole && field.is_container();
        let value = if decision.whole { field.value } else { decision.span };
        holds_fields || !self.stays(record, decision, value, means)
    }

    /// Whether a value is a residue, be it with escapes, that the rule does not take further.
    fn stays(&self, record: &Record<'_>, decision: &Decision, value: Span, means: Means<'_>) -> bool {
        let field = &record.fields.list[decision.field];
        let mut decoded = Decoded::default();
        let mut bytes = value.of(record.bytes);
        if field.escaped && !self.residues.is(bytes) {
            record.fields.decode(record.bytes, field, value, &mut decoded);
            bytes = &decoded.bytes;
        }
        let Means { tools, residues } = means;
        let action = &self.policy.rules[decision.rule].action;
        let is_left = decision.left
            || residues.is(bytes)
            || decision.whole && action::is_left_by(action, bytes, tools, residues);
        let Decision { rule, kind, left, .. } = *decision;
        let acts = match left {
            true => self.policy.take_further(rule, kind, bytes, means, &mut Vec::new()),
            false => is_left && self.policy.advances(rule, kind, bytes, means),
        };
        is_left && !acts
    }

    /// Whether rules by column ought to act on a record that yields none. It must not go out.
    fn lacks_columns(&self, bytes: &[u8], head: &Head, fields: &Fields) -> bool {
        let is_broken = || self.policy.formats().any(|format| format.is_broken(bytes, head));
        !fields.are_named() && self.policy.may_mean_columns(head) && is_broken()
    }
}
