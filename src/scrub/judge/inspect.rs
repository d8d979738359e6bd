//! [`Judged`]: for those who look at records without writing them.

use jiff::Timestamp;

use super::law::{Pass, Reading};
use super::{Judge, Outcome};
use crate::detect::Reason;
use crate::edit::Cause;
use crate::finding::Finding;
use crate::kind::Kind;
use crate::scrub::Dated;
use crate::span::Span;
use crate::withhold::withhold;

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
    /// From where its age is known, and what is now; none if nothing depends on it.
    pub dated: Option<(Dated, Timestamp)>,
    /// Why it would be dropped, if it would be.
    pub dropped: Option<Dropped>,
    /// Which step of each ladder held, by a number of the scrubber: see [`Scrubber::policy_for`](crate::scrub::Scrubber::policy_for).
    pub(in crate::scrub) stage: usize,
}

/// Why a record is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// A rule drops it for what it holds.
    ByRule,
    /// Its age alone says so.
    ByAge,
    /// It goes on with the record before it, which a rule drops.
    WithBefore,
}

impl Judge {
    pub(in crate::scrub) fn inspect(&mut self, record: &[u8], key: Option<Span>) -> Judged {
        let mut judged = self.look(record, true, key);
        match self.judge(record, key) {
            Outcome::Unchanged => judged.left = Some(record.to_vec()),
            Outcome::Edited(text) => judged.left = Some(text.to_vec()),
            Outcome::Dropped => judged.dropped = Some(Dropped::ByRule),
            Outcome::Withheld => {
                let mut marker = Vec::new();
                withhold(record, &mut marker);
                judged.left = Some(marker);
            }
        }
        judged.residues = self.residues_in(judged.left.as_deref().unwrap_or_default());
        judged
    }

    /// The candidates that are no match, by offset; of what escapes hide, where the escape stands.
    pub(in crate::scrub) fn rejected(&self, record: &[u8]) -> Vec<(usize, Reason)> {
        let explained = self.law().detectors.explain(record).into_iter();
        let mut rejected: Vec<(usize, Reason)> =
            explained.filter_map(|one| Some((one.at, one.outcome.err()?))).collect();
        rejected.sort_unstable();
        rejected.dedup();
        rejected
    }

    /// As `inspect`, of running text and without what would be left.
    pub(in crate::scrub) fn inspect_text(&mut self, text: &[u8]) -> Judged {
        self.look(text, false, None)
    }

    /// What is seen in a record, or in running text, without what would be left.
    pub(in crate::scrub) fn look(&mut self, record: &[u8], is_record: bool, key: Option<Span>) -> Judged {
        let record_reading = Reading::Record { head: &self.head, is_header: self.is_header, key };
        let reading = if is_record { record_reading } else { Reading::Text };
        self.scratch.decisions.begin_record();
        self.scratch.taint.begin();
        let law = &self.laws[self.stage];
        let tools = self.keys.tools(&law.policy.kinds);
        let pass = law.pass(record, reading, tools, &mut self.scratch);
        let found = self.scratch.sightings.iter().filter(|sighting| !sighting.left);
        let sightings = found.map(|sighting| sighting.finding).collect();
        let mut changes: Vec<Cause> = self.scratch.edits.list.iter().filter_map(|edit| edit.cause).collect();
        let mut decided: Vec<Cause> = self.scratch.decisions.all.iter().map(Cause::from).collect();
        if let (Pass::Withheld, Some(known)) = (pass, &law.policy.known) {
            let value = Span::new(0, record.len());
            let all = Cause { value, kind: Kind::FIELD, rule: known.rule, copy: false };
            changes = vec![all];
            decided.push(all);
        }
        Judged { format: self.scratch.fields.seen(), sightings, decided, changes, ..Judged::default() }
    }
}
