//! [`Judge`]: one record in, what becomes of it out.

mod value;

use std::sync::Arc;

use super::lane::Lane;
use super::watch::Watch;
use crate::action::Action;
use crate::action::Tools;
use crate::action::hash::HashKey;
use crate::action::residue::Residues;
use crate::detect::{Detectors, Reason};
use crate::edit::{Cause, Edits};
use crate::finding::Finding;
use crate::format::{FORMATS, Field, Fields, Head, Role};
use crate::kind::Kind;
use crate::policy::Policy;
use crate::policy::decide::{Decision, Decisions, Record, Sighting};
use crate::span::Span;
use crate::tally::Tally;
use crate::withhold::{is_marker, withhold};
use value::{Undo, Value};

/// How often the result of an edit is judged again. What is left next to an edit can be a value that its
/// neighbour hid; each pass removes at least one, and real records settle in the second. A record made so
/// that it does not settle is withheld.
const MAX_PASSES: usize = 8;

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
    pub format: String,
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
    /// What is left of the record.
    text: Vec<u8>,
    /// What was left of it before the last pass.
    before: Vec<u8>,
    tally: Tally,
    /// What earlier records say about the one that is judged.
    head: Head,
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
    fields: Fields,
    value: Value,
    detect: crate::detect::Scratch,
    sightings: Vec<Sighting>,
    decisions: Decisions,
    edits: Edits,
    undo: Undo,
}

/// What bytes are taken for.
#[derive(Clone, Copy)]
enum Reading<'h> {
    /// A record, of whatever format, behind others that say this about it, and what of it they say is a line of a
    /// private key.
    Record(&'h Head, Option<Span>),
    /// Running text.
    Text,
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
        Judge {
            law,
            scratch: Scratch::default(),
            text: Vec::new(),
            before: Vec::new(),
            tally: Tally::default(),
            head: Head::default(),
        }
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

    /// What holds for the records that are judged from now on.
    pub(super) fn begin(&mut self, head: &Head) {
        if !head.is_same(&self.head) {
            self.head = head.clone();
        }
    }

    pub(super) fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }

    /// Judges a record without its line end.
    ///
    /// What is left is judged again until nothing changes, so that scrubbing the output changes nothing. `key`: what of it
    /// is a line of a private key.
    pub(super) fn judge(&mut self, record: &[u8], key: Option<Span>) -> Outcome<'_> {
        for passes in 0..MAX_PASSES {
            let (current, key) = if passes == 0 { (record, key) } else { (self.text.as_slice(), None) };
            match self.law.pass(current, Reading::Record(&self.head, key), &mut self.scratch) {
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
            self.before.clear();
            self.scratch.edits.splice(current, &mut self.before);
            std::mem::swap(&mut self.text, &mut self.before);
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
        self.law.pass(text, Reading::Text, &mut self.scratch);
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

    pub(super) fn inspect(&mut self, record: &[u8], key: Option<Span>) -> Judged {
        let reading = Reading::Record(&self.head, key);
        self.law.pass(record, reading, &mut self.scratch);
        let mut judged = self.seen();
        match self.judge(record, key) {
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
        self.law.pass(text, Reading::Text, &mut self.scratch);
        self.seen()
    }

    /// What the last pass saw.
    fn seen(&self) -> Judged {
        let sightings = self.scratch.sightings.iter().map(|sighting| sighting.finding).collect();
        let changes = self.scratch.edits.list.iter().filter_map(|edit| edit.cause).collect();
        let cause =
            |decision: &Decision| Cause { value: decision.span, kind: decision.kind, rule: decision.rule };
        let decided = self.scratch.decisions.all.iter().map(cause).collect();
        Judged { format: self.scratch.fields.seen(), sightings, decided, changes, ..Judged::default() }
    }
}

impl Law {
    /// Judges a record once. The edits of the pass are left in the scratch.
    fn pass(&self, bytes: &[u8], reading: Reading<'_>, scratch: &mut Scratch) -> Pass {
        let Scratch { fields, value, detect, sightings, decisions, edits, undo } = scratch;
        sightings.clear();
        decisions.clear();
        edits.clear();
        let is_marker = is_marker(bytes);
        let key = match reading {
            Reading::Record(head, key) if !is_marker => {
                self.read(bytes, head, fields);
                key
            }
            _ => {
                fields.read_text(bytes);
                None
            }
        };
        if is_marker {
            return Pass::Clean;
        }
        let record = Record { bytes, fields };
        self.sight(&record, value, detect, sightings);
        if let Some(line) = key {
            self.sight_key(&record, line, sightings);
        }
        let mut plain = |span: Span, field: &Field, out: &mut Vec<u8>| undo.plain(&record, span, field, out);
        self.policy.decide(&record, sightings, &mut plain, decisions);
        let value = |decision: &Decision| match decision.whole {
            true => record.fields.list[decision.field].value,
            false => decision.span,
        };
        let acting = &mut decisions.acting;
        acting.retain(|decision| !self.residues.is(value(decision).of(bytes)));
        if acting.is_empty() {
            return Pass::Clean;
        }
        let drops = |decision: &Decision| self.policy.rules[decision.rule].action == Action::DropRecord;
        let tools = Tools { kinds: &self.policy.kinds, key: self.key.as_ref() };
        edits.plan(&self.policy, &record, acting, tools, &mut plain);
        match (acting.iter().any(drops), edits.list.is_empty()) {
            (true, _) => Pass::Dropped,
            (false, true) => Pass::Clean,
            (false, false) => Pass::Edited,
        }
    }

    /// Reads the fields of a record by the first format that knows it; it is text otherwise. Where no rule asks for
    /// fields, JSON alone has to be told from text, for it has numbers without quotes.
    fn read(&self, bytes: &[u8], head: &Head, fields: &mut Fields) {
        let structured = self.policy.reads_structure();
        let choice = self.policy.format;
        let mut formats = FORMATS.into_iter().filter(|format| structured || format.is_json());
        if !formats.any(|format| choice.admits(format.name()) && fields.read(bytes, format, head)) {
            return fields.read_text(bytes);
        }
        if structured {
            fields.open(bytes, head);
        }
    }

    /// Notes what the detectors find in each field, residues left out.
    fn sight(
        &self,
        record: &Record<'_>,
        value: &mut Value,
        detect: &mut crate::detect::Scratch,
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
    fn sight_key(&self, record: &Record<'_>, line: Span, out: &mut Vec<Sighting>) {
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
        detect: &mut crate::detect::Scratch,
        out: &mut Vec<Sighting>,
    ) {
        value.findings.clear();
        self.detectors.find(record.bytes, detect, &mut value.findings);
        if !record.fields.are_named() {
            value.find_in_broken_json(record, &self.detectors, detect);
        }
        self.note(record, &value.findings, 0, out);
    }

    fn note(&self, record: &Record<'_>, findings: &[Finding], field: usize, out: &mut Vec<Sighting>) {
        let sightings = findings.iter().map(|finding| Sighting { finding: *finding, field });
        out.extend(sightings.filter(|sighting| !self.residues.touches(record.bytes, sighting.finding.span)));
    }

    /// Notes what the detectors find in each value of JSON.
    fn sight_values(
        &self,
        record: &Record<'_>,
        value: &mut Value,
        detect: &mut crate::detect::Scratch,
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
            self.note(record, &value.findings, at, out);
        }
    }
}
