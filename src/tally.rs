//! [`Tally`]: what was done, in numbers. It holds no values.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::kind::Kind;
use crate::policy::Policy;

/// Counts of one run or a part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Records read.
    pub records: u64,
    /// Records in which something was changed.
    pub changed: u64,
    /// Records that could not be judged, written as a marker.
    pub withheld: u64,
    /// Records that a rule dropped.
    pub dropped: u64,
    /// How many of these are of which year, where that is asked for and known.
    pub dropped_in: BTreeMap<i16, u64>,
    /// Sightings by rule (index into the policy's rules), step and kind, in no order.
    pub acted: Vec<Acted>,
    /// Values that were redacted for want of a key: it is forgotten, or there never was one.
    pub without_key: u64,
    /// Records that were not touched, for a hold covers them.
    pub held: u64,
    /// Records under a hold that were scrubbed, for they were too long to be searched first.
    pub held_late: u64,
    /// Values in fields that nobody named.
    pub unknown: Unknown,
    /// When the first of the records that were looked at reaches an age at which a rule does something else.
    pub due: Option<Timestamp>,
}

/// How often a rule acted on values of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acted {
    /// Index of the rule.
    pub rule: usize,
    /// Index of the step of its ladder.
    pub step: usize,
    /// Kind of the value.
    pub kind: Kind,
    /// Year of the record, where it is asked for and known.
    pub year: Option<i16>,
    /// How often.
    pub count: u64,
}

/// What a rule does at the age for which the policy is, to values in records of that year.
pub fn acted(policy: &Policy, rule: usize, kind: Kind, year: Option<i16>, count: u64) -> Acted {
    let step = policy.rules.get(rule).map_or(0, |rule| rule.step);
    Acted { rule, step, kind, year, count }
}

impl Tally {
    /// Starts again at zero, in the room that it has.
    pub fn clear(&mut self) {
        let mut acted = std::mem::take(&mut self.acted);
        acted.clear();
        *self = Tally { acted, ..Tally::default() };
    }

    /// Notes that a step of a rule acted so many times.
    pub fn act(&mut self, acted: Acted) {
        if acted.count == 0 {
            return;
        }
        let what = |acted: &Acted| (acted.rule, acted.step, acted.kind, acted.year);
        match self.acted.iter_mut().find(|known| what(known) == what(&acted)) {
            Some(known) => known.count += acted.count,
            None => self.acted.push(acted),
        }
    }

    /// Notes that so many records of that year were dropped.
    pub fn drop_records(&mut self, count: u64, year: Option<i16>) {
        self.dropped += count;
        if let Some(year) = year.filter(|_| count > 0) {
            *self.dropped_in.entry(year).or_default() += count;
        }
    }

    /// Adds the counts of another part of the same run.
    pub fn add(&mut self, other: &Tally) {
        self.records += other.records;
        self.changed += other.changed;
        self.withheld += other.withheld;
        self.dropped += other.dropped;
        self.without_key += other.without_key;
        self.held += other.held;
        self.held_late += other.held_late;
        for (year, count) in &other.dropped_in {
            *self.dropped_in.entry(*year).or_default() += count;
        }
        for acted in &other.acted {
            self.act(*acted);
        }
        self.unknown.add_all(&other.unknown);
        self.note_due(other.due);
    }

    /// Notes when something comes due.
    pub fn note_due(&mut self, due: Option<Timestamp>) {
        self.due = match (self.due, due) {
            (Some(known), Some(due)) => Some(known.min(due)),
            (known, due) => known.or(due),
        };
    }
}

/// Names of fields that are remembered.
const UNKNOWN_NAMES: usize = 100;

/// How often values in fields that nobody named were acted on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unknown {
    /// By name: those that may be shown, and of them the first hundred in their order, so that it does not matter
    /// who counted what.
    pub names: BTreeMap<String, u64>,
    /// In all other fields.
    pub unnamed: u64,
}

impl Unknown {
    /// Adds other counts.
    pub fn add_all(&mut self, other: &Unknown) {
        other.names.iter().for_each(|(name, count)| self.add(name, *count));
        self.unnamed += other.unnamed;
    }

    /// Counts values in fields of a name that may be shown.
    pub fn add(&mut self, name: &str, count: u64) {
        match self.names.get_mut(name) {
            Some(known) => *known += count,
            None => drop(self.names.insert(name.to_owned(), count)),
        }
        if self.names.len() > UNKNOWN_NAMES
            && let Some((_, count)) = self.names.pop_last()
        {
            self.unnamed += count;
        }
    }
}
