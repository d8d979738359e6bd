//! What a rule leaves of a value at the age for which the policy is.

use jiff::Timestamp;

use super::ladder::act_by_turns;
use super::taint::Means;
use super::{Covers, Policy, Rule};
use crate::action::canonical::hashed_as;
use crate::action::truncate::{ZIP, may_stay};
use crate::action::{self, Action, Hash, Left, Of, TimeUnit, Trace};
use crate::kind::Kind;
use crate::span::Span;
use crate::time::stamp::{Clock, Stamp, Unit};

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
        if self.advance(rule, kind, raw, means, out) {
            return Left::AsAsked;
        }
        let action = &self.rules[rule].action;
        if let Some(unit) = self.time_unit(action, kind)
            && coarsen(plain, unit, out)
        {
            return Left::AsAsked;
        }
        if kind == Kind::RECORD_TIME {
            out.extend_from_slice(raw); // part of a time: the other part tells more
            return Left::AsAsked;
        }
        action::apply(action, self.label_of(rule, kind, plain), raw, plain, means.tools, out)
    }

    /// To what a value is coarsened if it is a time: of what is known to be something else no part is a time.
    fn time_unit(&self, action: &Action, kind: Kind) -> Option<Unit> {
        let Action::Truncate(keep) = action else { return None };
        let is_other = matches!(kind, Kind::EMAIL | Kind::IPV4 | Kind::IPV6 | Kind::PAN);
        keep.time_unit().filter(|_| !is_other && self.kinds.name(kind) != ZIP).map(unit)
    }

    /// The kind by which a value is labelled: a mapped IPv6 address that an earlier step hashed was an IPv4 address then,
    /// and one that comes late has to leave the same.
    pub fn label_of(&self, rule: usize, kind: Kind, plain: &[u8]) -> Kind {
        if self.may_have_been_ipv4(rule, kind) { hashed_as(kind, plain) } else { kind }
    }

    /// Whether the label that a rule leaves of a value of that kind may be the label of an IPv4 address: an earlier step
    /// named it so. What still reads the address takes it as it is written.
    pub fn may_have_been_ipv4(&self, rule: usize, kind: Kind) -> bool {
        let rule = &self.rules[rule];
        let is_label = match &rule.action {
            Action::Redact { .. } => true,
            Action::Truncate(keep) | Action::Hash(Hash { of: Of::Truncated(keep), .. }) => {
                !may_stay(kind, keep)
            }
            _ => false,
        };
        let names_ipv4 = |action: &Action| match action {
            Action::Hash(_) => true,
            Action::Truncate(keep) => keep.pseudonymise,
            _ => false,
        };
        kind == Kind::IPV6 && is_label && rule.earlier.iter().any(names_ipv4)
    }

    /// To what a rule coarsens times.
    pub fn unit_of_times(&self, rule: usize) -> Option<Unit> {
        self.time_unit(&self.rules[rule].action, Kind::RECORD_TIME)
    }

    /// Whether a rule takes this further, which an earlier step of its ladder left.
    pub fn advances(&self, rule: usize, kind: Kind, left: &[u8], means: Means<'_>) -> bool {
        !self.rules[rule].earlier.is_empty() && self.advance(rule, kind, left, means, &mut Vec::new())
    }

    /// Appends what a rule makes of what is its own, whichever rule left it; `false` if that stays, and nothing is
    /// appended.
    pub fn take_further(
        &self,
        rule: usize,
        kind: Kind,
        left: &[u8],
        means: Means<'_>,
        out: &mut Vec<u8>,
    ) -> bool {
        let Rule { action, earlier, .. } = &self.rules[rule];
        let trace = Trace::read(left, kind, means.residues).filter(|_| *action != Action::Keep);
        trace.is_some_and(|trace| trace.advance(action, earlier, means.tools, out))
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
            let has_to_stay = self.records.keep_at_least.is_some();
            if has_to_stay && rule.actions().any(|action| *action == Action::DropRecord) {
                let redact = Action::Redact { with: None };
                kinds
                    .iter()
                    .for_each(|kind| marks_of(&redact, kind, self.kinds.name(kind), true, &mut marks));
            }
            for (at, step) in rule.steps.iter().enumerate() {
                // Where rules act by turns the later steps are those of the others as well.
                let others = self.rules.iter().filter(|_| act_by_turns(&self.rules)).flat_map(Rule::actions);
                let later: Vec<&Action> = rule.actions().skip(at + 1).chain(others).collect();
                if later.is_empty() {
                    continue;
                }
                let acts_on_labels = |action: &&Action| match action {
                    Action::Redact { with } => with.is_some(),
                    other => other.strength() >= Action::Drop.strength(),
                };
                let on_labels = later.iter().any(acts_on_labels);
                for kind in kinds.iter() {
                    marks_of(&step.action, kind, self.kinds.name(kind), on_labels, &mut marks);
                    // A mapped address is covered and named as either.
                    let other = match kind {
                        Kind::IPV4 => Kind::IPV6,
                        Kind::IPV6 => Kind::IPV4,
                        _ => continue,
                    };
                    marks_of(&step.action, kind, self.kinds.name(other), on_labels, &mut marks);
                }
            }
        }
        marks.sort_unstable();
        marks.dedup();
        marks
    }
}

/// The unit of a stamp.
pub(super) fn unit(unit: TimeUnit) -> Unit {
    match unit {
        TimeUnit::Minute => Unit::Minute,
        TimeUnit::Hour => Unit::Hour,
        TimeUnit::Day => Unit::Day,
        TimeUnit::Month => Unit::Month,
        TimeUnit::Year => Unit::Year,
    }
}

/// Appends a time without what is below the unit; `false` if the value is none. A time of day by itself is one of a log
/// that has the date in another field.
pub fn coarsen(value: &[u8], unit: Unit, out: &mut Vec<u8>) -> bool {
    // Neither the zone nor the year changes what is written.
    let clock = Clock { zone: None, reference: Timestamp::UNIX_EPOCH };
    let of_day = || Stamp::of_parts(b"2000-01-01", value, &clock).map(|[_, of_day]| of_day);
    let Some(stamp) = Stamp::of_value(value, &clock).or_else(of_day) else { return false };
    let Span { start, end } = stamp.span;
    out.extend_from_slice(&value[..start]);
    stamp.coarsen(&value[start..end], unit, out);
    out.extend_from_slice(&value[end..]);
    true
}

/// What an action leaves of values of a kind that later steps take further; `[kind]` only if they act `on_labels`.
fn marks_of(action: &Action, kind: Kind, name: &str, on_labels: bool, out: &mut Vec<Vec<u8>>) {
    let mut mark = |end: &str| out.push(format!("[{name}{end}").into_bytes());
    match action {
        Action::Hash(_) => mark(":k"),
        Action::Encrypt => mark("~k"),
        Action::Truncate(keep) if kind == Kind::EMAIL && keep.email_domain => mark("]@"),
        Action::Truncate(keep) if keep.pseudonymise => mark(":k"),
        _ => {}
    }
    if on_labels && !matches!(action, Action::Keep | Action::Mask | Action::Redact { with: Some(_) }) {
        mark("]");
        mark("#");
    }
    if kind == Kind::PAN && matches!(action, Action::Truncate(_)) {
        out.push(b"**".to_vec());
    }
}
