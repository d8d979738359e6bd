//! The choice of the rule that acts.

use super::condition::Subject;
use super::{Covers, Policy, Rule};
use crate::kind::Kind;

/// How sure it is that a rule covers a sighting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cover {
    No,
    /// It depends on what the record does not tell: fields that it does not yield, or that disagree.
    Maybe,
    Yes,
}

impl Cover {
    pub(super) fn of(covers: bool) -> Cover {
        if covers { Cover::Yes } else { Cover::No }
    }
}

impl Policy {
    /// The rule that acts: the first that covers, or a binding one that leaves less. Where fields are unknown
    /// the strongest rule that may be meant acts, and it keeps no binding one from being asked.
    pub(super) fn choose(&self, mut covers: impl FnMut(usize, &Rule) -> Cover) -> Option<usize> {
        let mut chosen: Option<usize> = None;
        let mut for_sure = None;
        let mut settled = false;
        for (index, rule) in self.rules.iter().enumerate() {
            if settled && !self.binds(rule, for_sure) {
                continue;
            }
            let cover = covers(index, rule);
            let stronger = |other: usize| rule.action.strength() > self.rules[other].action.strength();
            if cover != Cover::No && chosen.is_none_or(stronger) {
                chosen = Some(index);
                for_sure = chosen.filter(|_| cover == Cover::Yes);
            }
            settled |= cover == Cover::Yes;
        }
        chosen
    }

    /// Whether a binding rule is asked although another was chosen.
    pub(super) fn binds(&self, rule: &Rule, chosen: Option<usize>) -> bool {
        rule.binding && !chosen.is_some_and(|chosen| self.rules[chosen].instead_of.contains(&rule.name))
    }

    /// The rule that acts on a value, its escapes undone, wherever it stands. Only for policies that do not
    /// ask where: see [`Policy::needs_fields`].
    pub fn rule_for_value(&self, kind: Kind, plain: &[u8]) -> Option<usize> {
        let subject = Subject::new(kind, plain);
        self.choose(|_, rule| match &rule.covers {
            Covers::Find { kinds, only, unless, .. }
                if subject.is_of(kinds) && self.holds(only.as_ref(), unless.as_ref(), &subject) =>
            {
                Cover::Yes
            }
            _ => Cover::No,
        })
    }

    /// The rule that acts on every value of a kind, if it is the same for all of them.
    pub fn rule_for_kind(&self, kind: Kind) -> Option<usize> {
        let concerns = |rule: &&Rule| match &rule.covers {
            Covers::Find { kinds, .. } => {
                kinds.contains(kind) || kind == Kind::IPV6 && kinds.contains(Kind::IPV4)
            }
            Covers::Field { .. } | Covers::Unknown => false,
        };
        let first = self.rules.iter().find(concerns)?;
        let unconditional = match &first.covers {
            Covers::Find { kinds, only: None, unless: None, .. } => {
                kinds.contains(kind) && first.when.is_empty()
            }
            _ => false,
        };
        let bound = self.rules.iter().filter(concerns).any(|rule| rule.binding);
        self.rules.iter().position(|rule| std::ptr::eq(rule, first)).filter(|_| unconditional && !bound)
    }
}
