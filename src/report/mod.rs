//! Reports of a run: a table and a closing line for people, JSON for programs. None holds a value.

pub mod json;
pub mod text;

use crate::policy::Policy;
use crate::stream::Fault;
use crate::tally::Tally;

/// One run of the filter.
#[derive(Clone, Copy, Debug)]
pub struct Run<'r> {
    /// The policy.
    pub policy: &'r Policy,
    /// What was done.
    pub tally: &'r Tally,
    /// The inputs that could not be read to their end.
    pub faults: &'r [Fault],
}

/// What a rule did to values of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row<'r> {
    rule: &'r str,
    kind: &'r str,
    action: &'r str,
    count: u64,
}

impl<'r> Run<'r> {
    /// What was done, in the order of the rules.
    fn rows(&self) -> Vec<Row<'r>> {
        let mut acted = self.tally.acted.clone();
        acted.sort_by_key(|acted| (acted.rule, acted.kind));
        let row = |acted: crate::tally::Acted| {
            let rule = &self.policy.rules[acted.rule];
            let kind = self.policy.kinds.name(acted.kind);
            Row { rule: &rule.name, kind, action: rule.action.name(), count: acted.count }
        };
        acted.into_iter().map(row).collect()
    }

    /// The first twelve digits of the fingerprint of the policy.
    fn version(&self) -> String {
        self.policy.fingerprint.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }
}
