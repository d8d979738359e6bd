//! The fast lane: records in which what was found can be edited where it stands.
//!
//! Most records of most logs hold no escape, and most policies ask what a value is and not where it stands.
//! For such a record the candidates that were marked for the whole block are tested in place, and the edits
//! made while the block is copied: no fields, no decoded copy, no allocation. Whatever is out of the ordinary
//! (an escape, values that overlap, a bare number in JSON, a value in the name of a field, …) is left to the
//! [`Judge`](super::judge::Judge), of which this is a faster twin: tests hold that the two agree.

use super::watch::Watch;
use crate::action::{self, Action, Tools};
use crate::detect::marks::{Marks, mark};
use crate::detect::{DETECTORS, Detectors};
use crate::finding::Finding;
use crate::kind::Kind;
use crate::policy::{Covers, Policy, Rule};
use crate::span::Span;

/// How far from a candidate bytes are looked at in order to tell whether it is a match. An edit that is nearer
/// than this to a candidate that was none calls for a second look.
const REACH_BYTES: usize = 192;

/// Candidates that were no match, kept for the second look; of more of them, all count as near.
const MAX_REJECTED: usize = 16;

/// What the policy does with values of one built-in kind.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Lot {
    /// It covers none.
    Stay,
    /// The same text for every value. `makes`: something that is watched for, perhaps.
    Text { rule: usize, text: Vec<u8>, makes: bool },
    /// The same action for every value.
    Act { rule: usize },
    /// It depends on the value.
    Ask,
    /// Only the judge can tell.
    Judge,
}

/// What a policy does in the fast lane.
#[derive(Debug, Clone)]
pub(super) struct Lane {
    lots: [Lot; 4],
    json: bool,
    /// What a truncated value is may be judged by another rule than the value.
    truncates_by_value: bool,
}

/// One edit, in the record.
#[derive(Debug, Clone)]
pub(super) struct Edit {
    pub(super) span: Span,
    /// Range of [`Buffers::text`].
    pub(super) text: std::ops::Range<usize>,
    pub(super) rule: usize,
    pub(super) kind: Kind,
}

/// A record on its way through the lane, and by what it is judged.
#[derive(Clone, Copy)]
pub(super) struct Job<'j> {
    pub(super) policy: &'j Policy,
    pub(super) tools: Tools<'j>,
    /// The record, without its line end and without an escape in it.
    pub(super) record: &'j [u8],
    /// The candidates of its block that lie in it.
    pub(super) marks: &'j [u32],
    /// Where in its block it starts.
    pub(super) base: usize,
    /// What the record does not hold.
    pub(super) watch: &'j Watch,
}

/// Buffers of the lane.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    pub(super) edits: Vec<Edit>,
    pub(super) text: Vec<u8>,
    rejected: Vec<usize>,
    /// An edit may have made something that is watched for.
    made: bool,
    again: Vec<u8>,
    marks: Marks,
}

/// The record needs the judge.
pub(super) struct OutOfLane;

impl Lane {
    /// The lane for a policy.
    pub(super) fn new(policy: &Policy, detectors: &Detectors, watch: &Watch, tools: Tools<'_>) -> Lane {
        let lots = [Kind::EMAIL, Kind::IPV4, Kind::IPV6, Kind::PAN]
            .map(|kind| lot(policy, detectors, watch, kind, tools));
        let by_value = policy.rules.iter().any(|rule| matches!(rule.action, Action::Truncate(_)))
            && lots.contains(&Lot::Ask);
        Lane { lots, json: policy.format.admits("json"), truncates_by_value: by_value }
    }

    /// Finds the edits of a record.
    pub(super) fn edits(&self, job: Job<'_>, buffers: &mut Buffers) -> Result<(), OutOfLane> {
        buffers.edits.clear();
        buffers.text.clear();
        buffers.rejected.clear();
        buffers.made = false;
        self.pass(job, buffers)?;
        if buffers.edits.is_empty() {
            return Ok(());
        }
        if !buffers.made && !self.needs_second_look(buffers) {
            return Ok(());
        }
        self.second_look(job, buffers)
    }

    fn pass(&self, job: Job<'_>, buffers: &mut Buffers) -> Result<(), OutOfLane> {
        let Job { record, marks, base, .. } = job;
        let json = self.json && looks_structured(record);
        let mut judged_to = 0; // by the detector of IPv6, which judges whole runs
        let mut end = 0; // of the last finding
        for at in marks.iter().map(|at| *at as usize - base) {
            let (lot, trigger) = match record[at] {
                b'@' => (0, at),
                b':' if at < judged_to => continue,
                b':' => (2, at),
                _ if at > 0 && record[at - 1] == b'.' => (1, at - 1),
                _ => (3, at),
            };
            if self.lots[lot] == Lot::Stay {
                continue;
            }
            let to_judge = self.lots[lot] == Lot::Judge;
            let verdict = DETECTORS[lot].verify(record, trigger);
            if lot == 2 {
                judged_to = verdict.resume;
            }
            let Ok(finding) = verdict.outcome else {
                buffers.rejected.push(at);
                continue;
            };
            if to_judge || finding.span.start < end || record[finding.span.start] == b'"' {
                return Err(OutOfLane);
            }
            end = finding.span.end;
            if json && !is_in_string(record, finding.span) {
                return Err(OutOfLane);
            }
            self.act(job, finding, lot, buffers);
        }
        Ok(())
    }

    fn act(&self, job: Job<'_>, finding: Finding, lot: usize, buffers: &mut Buffers) {
        let Job { policy, tools, record, .. } = job;
        let Finding { span, kind } = finding;
        let value = span.of(record);
        let start = buffers.text.len();
        let mut makes = None;
        let rule = match &self.lots[lot] {
            Lot::Stay | Lot::Judge => return,
            Lot::Text { rule, text, makes: may_make } => {
                buffers.text.extend_from_slice(text);
                makes = Some(*may_make);
                *rule
            }
            Lot::Act { rule } => {
                action::apply(&policy.rules[*rule].action, kind, value, value, tools, &mut buffers.text);
                *rule
            }
            Lot::Ask => {
                let Some(rule) = policy.rule_for_value(kind, value) else { return };
                action::apply(&policy.rules[rule].action, kind, value, value, tools, &mut buffers.text);
                rule
            }
        };
        if buffers.text[start..] == *value {
            buffers.text.truncate(start);
        } else {
            let makes = makes.unwrap_or_else(|| job.watch.may_be_made_of(&buffers.text[start..]));
            buffers.made |= makes || job.watch.may_be_laid_bare(record, span);
            buffers.edits.push(Edit { span, text: start..buffers.text.len(), rule, kind });
        }
    }

    /// Whether an edit might turn a candidate that was no match into one, or its own text into another.
    fn needs_second_look(&self, buffers: &Buffers) -> bool {
        if self.truncates_by_value || buffers.rejected.len() > MAX_REJECTED {
            return true;
        }
        let near = |at: usize| {
            buffers
                .edits
                .iter()
                .any(|edit| edit.span.start <= at + REACH_BYTES && at <= edit.span.end + REACH_BYTES)
        };
        buffers.rejected.iter().any(|at| near(*at))
    }

    /// Judges what would be left. A record that would change again is out of the ordinary.
    fn second_look(&self, job: Job<'_>, buffers: &mut Buffers) -> Result<(), OutOfLane> {
        let record = job.record;
        let mut again = std::mem::take(&mut buffers.again);
        again.clear();
        let mut from = 0;
        for edit in &buffers.edits {
            again.extend_from_slice(&record[from..edit.span.start]);
            again.extend_from_slice(&buffers.text[edit.text.clone()]);
            from = edit.span.end;
        }
        again.extend_from_slice(&record[from..]);
        let concerns = buffers.made && job.watch.may_concern(&again);
        let mut marks = std::mem::take(&mut buffers.marks);
        mark(&again, &mut marks);
        let edits = buffers.edits.len();
        let left = Job { record: &again, marks: marks.candidates(), base: 0, ..job };
        let settled = self.pass(left, buffers);
        buffers.again = again;
        buffers.marks = marks;
        if settled.is_ok() && buffers.edits.len() == edits && !concerns { Ok(()) } else { Err(OutOfLane) }
    }
}

fn lot(policy: &Policy, detectors: &Detectors, watch: &Watch, kind: Kind, tools: Tools<'_>) -> Lot {
    if !detectors.finds(kind) {
        return Lot::Stay;
    }
    if policy.rules.iter().any(|rule| concerns(rule, kind) && !fits(rule)) {
        return Lot::Judge;
    }
    let Some(rule) = policy.rule_for_kind(kind) else { return Lot::Ask };
    match &policy.rules[rule].action {
        // An IPv6 address that stays still hides the IPv4 address in its tail.
        Action::Keep if kind != Kind::IPV6 => Lot::Stay,
        action @ Action::Redact { .. } => {
            let mut text = Vec::new();
            action::apply(action, kind, b"", b"", tools, &mut text);
            Lot::Text { rule, makes: watch.may_be_made_of(&text), text }
        }
        _ => Lot::Act { rule },
    }
}

/// Whether the rule may cover a value of the kind wherever it is found.
fn concerns(rule: &Rule, kind: Kind) -> bool {
    match &rule.covers {
        // A mapped IPv6 address is covered by rules for either kind of address.
        Covers::Find { kinds, .. } => {
            kinds.contains(kind) || kind == Kind::IPV6 && kinds.contains(Kind::IPV4)
        }
        Covers::Field { .. } => false,
    }
}

/// Whether the rule asks for nothing but the value, and leaves what needs no escape.
fn fits(rule: &Rule) -> bool {
    let anywhere = match &rule.covers {
        Covers::Find { within, not_within, .. } => within.is_none() && not_within.is_empty(),
        Covers::Field { .. } => false,
    };
    anywhere
        && match &rule.action {
            Action::Drop | Action::DropRecord => false,
            Action::Redact { with: Some(text) } => text.bytes().all(is_inert),
            _ => true,
        }
}

/// Whether a byte of a replacement can neither be part of a value nor needs an escape.
fn is_inert(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || b" [](){}<>*_#!?~^$,;/|".contains(&byte)
}

/// Whether the record may be JSON. A byte-order mark is left to the judge.
fn looks_structured(record: &[u8]) -> bool {
    matches!(record.trim_ascii_start().first(), Some(b'{' | b'['))
}

/// Whether a value in a record that may be JSON stands inside a text that is no name. May say no in vain.
fn is_in_string(record: &[u8], span: Span) -> bool {
    // A number stands behind a colon, a comma or a bracket.
    let before = record[..span.start].trim_ascii_end().last();
    if record[span.start].is_ascii_digit() && matches!(before, Some(b':' | b',' | b'[')) {
        return false;
    }
    let rest = &record[span.end..];
    let Some(quote) = memchr::memchr(b'"', rest) else { return false };
    !rest[quote + 1..].trim_ascii_start().starts_with(b":")
}
