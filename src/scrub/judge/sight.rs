//! What the detectors find in a record, and where in it that stands.

use super::law::Law;
use super::value::Value;
use crate::detect::Scratch;
use crate::finding::Finding;
use crate::format::{Field, Role};
use crate::kind::Kind;
use crate::policy::decide::{Record, Sighting};
use crate::span::Span;

impl Law {
    /// Notes what the detectors find in each field, residues left out.
    pub(super) fn sight(
        &self,
        record: &Record<'_>,
        value: &mut Value,
        detect: &mut Scratch,
        out: &mut Vec<Sighting>,
    ) {
        if !record.fields.format().is_json() {
            self.sight_text(record, value, detect, out);
        } else {
            self.sight_values(record, value, detect, out);
        }
        if record.fields.list.len() > 1
            && !(record.fields.format().is_json() && record.fields.layers.len() == 1)
        {
            out.iter_mut().for_each(|sighting| sighting.field = record.fields.around(sighting.finding.span));
            out.sort_by_key(|sighting| (sighting.field, sighting.finding.span));
        }
    }

    /// Notes a line of a private key, unless what is found in it says so already.
    pub(super) fn sight_key(&self, record: &Record<'_>, line: Span, out: &mut Vec<Sighting>) {
        let finding = Finding { span: line, kind: Kind::PRIVATE_KEY };
        out.retain(|sighting| sighting.finding.kind != finding.kind || !line.contains(sighting.finding.span));
        self.note(record, &[finding], record.fields.around(line), out);
        out.sort_by_key(|sighting| (sighting.field, sighting.finding.span));
    }

    /// Notes what the detectors find in the record as a whole. What of it no rule may act on is left out.
    fn sight_text(
        &self,
        record: &Record<'_>,
        value: &mut Value,
        detect: &mut Scratch,
        out: &mut Vec<Sighting>,
    ) {
        value.findings.clear();
        // What is counted ends where the next length begins, though they touch.
        let is_count = |field: &&Field| matches!(field.role, Role::Count);
        let counts = record.fields.list.iter().filter(is_count).map(|field| field.whole.start);
        let mut ends: Vec<usize> = counts.chain([record.bytes.len()]).collect();
        ends.sort_unstable();
        let mut from = 0;
        for to in ends {
            let found = value.findings.len();
            self.detectors.find(&record.bytes[from..to], detect, &mut value.findings);
            value.findings[found..].iter_mut().for_each(|finding| finding.span = finding.span.shifted(from));
            from = to;
        }
        if !record.fields.are_named() {
            value.find_in_broken_json(record, &self.detectors, detect);
        }
        self.note(record, &value.findings, 0, out);
    }

    fn note(&self, record: &Record<'_>, findings: &[Finding], field: usize, out: &mut Vec<Sighting>) {
        let sightings = findings.iter().map(|finding| Sighting { finding: *finding, field, left: false });
        out.extend(sightings.filter(|sighting| !self.residues.touches(record.bytes, sighting.finding.span)));
    }

    /// Notes what the detectors find in each value of JSON.
    fn sight_values(
        &self,
        record: &Record<'_>,
        value: &mut Value,
        detect: &mut Scratch,
        out: &mut Vec<Sighting>,
    ) {
        value.begin(record);
        // A match may begin before its field, so that an escape anywhere may hide it.
        let own = self.detectors.own();
        let may_find_own = !own.is_empty() && (value.may_escape(record) || own.may_find(record.bytes));
        let own_layer = record.fields.layers[0].fields.clone();
        for (at, field) in record.fields.list[own_layer].iter().enumerate() {
            let holds = matches!(field.role, Role::Text | Role::Number | Role::Name | Role::Bytes);
            if !holds || field.value.is_empty() {
                continue;
            }
            if !may_find_own && field.role != Role::Bytes && !value.may_hold(record, field) {
                continue;
            }
            value.findings.clear();
            value.find(record, field, &self.detectors, detect);
            if field.role == Role::Bytes {
                value.leave(|text, span| self.residues.touches(text, span), record, field);
            }
            self.note(record, &value.findings, at, out);
        }
    }
}
