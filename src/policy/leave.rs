//! What a rule leaves of a value at the age for which the policy is.

use super::taint::Means;
use super::{Covers, Policy};
use crate::action::{self, Action, Left};
use crate::kind::Kind;

impl Policy {
    /// Appends what a rule leaves of a value, or of what an earlier step of its ladder left of one. `raw` and `plain`
    /// are as [`action::apply`] takes them.
    pub fn leave(
        &self,
        rule: usize,
        kind: Kind,
        raw: &[u8],
        plain: &[u8],
        means: Means<'_>,
        out: &mut Vec<u8>,
    ) -> Left {
        match self.advance(rule, kind, raw, means, out) {
            true => Left::AsAsked,
            false => action::apply(&self.rules[rule].action, kind, raw, plain, means.tools, out),
        }
    }

    /// Whether a rule takes this further, which an earlier step of its ladder left.
    pub fn advances(&self, rule: usize, kind: Kind, left: &[u8], means: Means<'_>) -> bool {
        !self.rules[rule].earlier.is_empty() && self.advance(rule, kind, left, means, &mut Vec::new())
    }

    fn advance(&self, rule: usize, kind: Kind, left: &[u8], means: Means<'_>, out: &mut Vec<u8>) -> bool {
        let rule = &self.rules[rule];
        let Means { tools, residues } = means;
        !rule.earlier.is_empty()
            && action::advance(&rule.action, &rule.earlier, kind, left, tools, residues, out)
    }

    /// The texts of which one stands in every record that holds what a step may take further, if its value was found
    /// anywhere. What stood in a field is found by the field.
    pub fn marks_of_left(&self) -> Vec<Vec<u8>> {
        let mut marks = Vec::new();
        for rule in &self.rules {
            let Covers::Find { kinds, .. } = &rule.covers else { continue };
            for (at, step) in rule.steps.iter().enumerate() {
                let later: Vec<&Action> = rule.actions().skip(at + 1).collect();
                if later.is_empty() {
                    continue;
                }
                let drops = |action: &&Action| action.strength() >= Action::Drop.strength();
                let may_drop = later.iter().any(drops);
                for kind in kinds.iter() {
                    marks_of(&step.action, kind, self.kinds.name(kind), may_drop, &mut marks);
                    if kind == Kind::IPV6 {
                        // A mapped address is hashed as its IPv4 address.
                        marks_of(&step.action, kind, self.kinds.name(Kind::IPV4), may_drop, &mut marks);
                    }
                }
            }
        }
        marks.sort_unstable();
        marks.dedup();
        marks
    }
}

/// What an action leaves of values of a kind that later steps take further; `[kind]` only if they drop it.
fn marks_of(action: &Action, kind: Kind, name: &str, may_drop: bool, out: &mut Vec<Vec<u8>>) {
    let mut mark = |end: &str| out.push(format!("[{name}{end}").into_bytes());
    match action {
        Action::Hash(_) => mark(":k"),
        Action::Encrypt => mark("~k"),
        Action::Truncate(keep) if keep.pseudonymise => mark(":k"),
        Action::Truncate(keep) if kind == Kind::EMAIL && keep.email_domain => mark("]@"),
        _ => {}
    }
    if may_drop && !matches!(action, Action::Keep | Action::Mask | Action::Redact { with: Some(_) }) {
        mark("]");
        mark("#");
    }
    if kind == Kind::PAN && matches!(action, Action::Truncate(_)) {
        out.push(b"**".to_vec());
    }
}
