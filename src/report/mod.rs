//! Reports of a run: a table and a closing line for people, JSON for programs. None holds a value.

pub mod archive;
pub mod json;
pub mod text;

use crate::policy::Policy;
use crate::stream::Fault;
use crate::tally::Tally;

/// What stands for a record that is dropped as a whole, where others have a kind,
pub const RECORD: &str = "record";
/// and a rule.
pub const ALL_RULES: &str = "(all)";

/// One run of the filter.
#[derive(Clone, Copy, Debug)]
pub struct Run<'r> {
    /// What was done by which rules: those that were named, then those of sources, in their order.
    pub parts: &'r [Part<'r>],
    /// The inputs that could not be read to their end.
    pub faults: &'r [Fault],
}

/// What was done by the rules of one policy.
#[derive(Clone, Debug)]
pub struct Part<'r> {
    /// The rules file of a source, as it is written; none if the rules were named.
    pub source: Option<String>,
    /// The policy.
    pub policy: &'r Policy,
    /// What was done.
    pub tally: Tally,
}

/// What a rule did to values of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row<'r> {
    source: Option<&'r str>,
    rule: &'r str,
    kind: &'r str,
    action: &'r str,
    /// Which step of its ladder, from 1, if it has several.
    step: Option<usize>,
    /// Year of the records, where it is asked for and known.
    year: Option<i16>,
    count: u64,
}

impl<'r> Run<'r> {
    /// What was done, in the order of the rules.
    fn rows(&self) -> Vec<Row<'r>> {
        self.parts.iter().flat_map(Part::rows).collect()
    }

    /// All counts that do not depend on the rules.
    fn totals(&self) -> Tally {
        let mut totals = Tally::default();
        for Part { tally, .. } in self.parts {
            totals.records += tally.records;
            totals.changed += tally.changed;
            totals.withheld += tally.withheld;
            totals.dropped += tally.dropped;
            totals.without_key += tally.without_key;
            totals.held += tally.held;
            totals.held_late += tally.held_late;
            totals.unknown.add_all(&tally.unknown);
        }
        totals
    }

    /// The policy that was named.
    fn policy(&self) -> Option<&'r Policy> {
        self.parts.first().map(|part| part.policy)
    }

    /// The first twelve digits of the fingerprint of the policy, which covers those of its sources.
    fn version(&self) -> String {
        let fingerprint = self.policy().map_or(&[][..], |policy| &policy.fingerprint);
        fingerprint.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Part<'_> {
    /// What was done, as far as it is known in which year the records were written: year, rule, kind, action and count.
    pub fn by_year(&self) -> Vec<(Option<i16>, [&str; 3], u64)> {
        const DROPPED: [&str; 3] = [ALL_RULES, RECORD, "drop_record"];
        let Tally { dropped, dropped_in, .. } = &self.tally;
        let undated = dropped.saturating_sub(dropped_in.values().sum());
        let dropped = dropped_in.iter().map(|(year, count)| (Some(*year), *count)).chain([(None, undated)]);
        let dropped = dropped.filter(|(_, count)| *count > 0).map(|(year, count)| (year, DROPPED, count));
        let rows = self.rows().into_iter();
        rows.map(|row| (row.year, [row.rule, row.kind, row.action], row.count)).chain(dropped).collect()
    }

    fn rows(&self) -> Vec<Row<'_>> {
        let mut acted = self.tally.acted.clone();
        acted.sort_by_key(|acted| (acted.rule, acted.step, acted.kind, acted.year.is_none(), acted.year));
        let row = |acted: crate::tally::Acted| {
            let rule = &self.policy.rules[acted.rule];
            let kind = self.policy.kinds.name(acted.kind);
            let source = self.source.as_deref();
            let step = rule.steps.get(acted.step);
            Row {
                source,
                rule: &rule.name,
                kind,
                action: step.map_or(&rule.action, |step| &step.action).name(),
                step: (rule.steps.len() > 1).then_some(acted.step + 1),
                year: acted.year,
                count: acted.count,
            }
        };
        acted.into_iter().map(row).collect()
    }
}
