//! `when`: conditions on other fields of the record.

use super::Policy;
use super::choose::Cover;
use super::decide::Record;
use super::glob::Glob;
use super::paths::Paths;
use super::selector::Selector;
use crate::action::Action;
use crate::decoded::Decoded;
use crate::format::{Field, Role};

/// A condition on the fields of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The fields.
    pub field: Selector,
    /// What they must hold.
    pub holds: Glob,
}

/// Whether the conditions of a rule hold in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holding {
    Holds,
    Fails,
    /// A field is missing, or fields of one name disagree.
    Unknown,
}

impl Holding {
    /// What two readings come to.
    fn and_also(self, other: Holding) -> Holding {
        if self == other { self } else { Holding::Unknown }
    }
}

/// What the conditions of all rules come to in one record.
///
/// They are read in the record as it came, and again in what is left of it after each pass over it. Where the two
/// differ the conditions count as unknown: a second run sees only what is left, and must not decide otherwise.
#[derive(Debug, Default)]
pub(super) struct Circumstances {
    /// By rule. Empty before the record was read.
    holding: Vec<Holding>,
    paths: Paths,
    value: Decoded,
}

impl Circumstances {
    /// Another record begins.
    pub(super) fn begin(&mut self) {
        self.holding.clear();
    }

    /// Takes note of a record, or of what is left of it.
    pub(super) fn read(&mut self, policy: &Policy, record: &Record<'_>) {
        if policy.needs.when.is_none() {
            return;
        }
        let is_first = self.holding.is_empty();
        let mut holding = std::mem::take(&mut self.holding);
        holding.resize(policy.rules.len(), Holding::Holds);
        self.paths.begin();
        let named = record.fields.are_named();
        if let Some(names) = policy.needs.when.as_ref().filter(|_| named) {
            self.paths.look_for(names, record);
        }
        for (rule, holding) in policy.rules.iter().zip(&mut holding) {
            let mut now = Holding::Holds;
            for condition in &rule.when {
                let one = if named { self.holds(condition, record) } else { Holding::Unknown };
                now = match (now, one) {
                    // One that fails is enough, whatever is missing.
                    (Holding::Fails, _) | (_, Holding::Fails) => Holding::Fails,
                    (now, one) => now.and_also(one),
                };
            }
            *holding = if is_first { now } else { holding.and_also(now) };
        }
        self.holding = holding;
    }

    fn holds(&mut self, condition: &Condition, record: &Record<'_>) -> Holding {
        let mut all: Option<Holding> = None;
        let field = std::slice::from_ref(&condition.field);
        for (at, one) in record.fields.list.iter().enumerate() {
            if !is_value(one) || record.fields.is_opened(at) || !self.paths.may_be_meant(at) {
                continue;
            }
            if self.paths.any(record, at, field, true) {
                let own = self.holds_in(condition, record, one);
                all = Some(all.map_or(own, |all| all.and_also(own)));
            }
        }
        all.unwrap_or(Holding::Unknown)
    }

    /// What holds nothing counts as missing.
    fn holds_in(&mut self, condition: &Condition, record: &Record<'_>, field: &Field) -> Holding {
        if is_nothing(record, field) {
            return Holding::Unknown;
        }
        self.value.clear();
        record.fields.decode(record.bytes, field, field.value, &mut self.value);
        if condition.holds.matches(&self.value.bytes) { Holding::Holds } else { Holding::Fails }
    }

    /// How sure it is that a rule covers, if without its conditions it is this sure.
    ///
    /// Where the conditions are unknown an exception does not hold, and any other rule may: so the strongest of
    /// those acts that may, and no missing field makes a record safer from the rules.
    pub(super) fn limit(&self, rule: usize, action: &Action, cover: Cover) -> Cover {
        match self.holding.get(rule) {
            None | Some(Holding::Holds) => cover,
            Some(Holding::Fails) => Cover::No,
            Some(Holding::Unknown) if cover == Cover::No || *action == Action::Keep => Cover::No,
            Some(Holding::Unknown) => Cover::Maybe,
        }
    }
}

/// Whether a field is a value, and no name or bracket.
pub(super) fn is_value(field: &Field) -> bool {
    matches!(field.role, Role::Text | Role::Number | Role::Literal | Role::Bytes)
}

/// Whether a field is empty, or a word of its format for nothing: `null`, `-`.
pub(super) fn is_nothing(record: &Record<'_>, field: &Field) -> bool {
    let text = field.value.of(record.bytes);
    text.is_empty() || field.role == Role::Literal && text != b"true" && text != b"false"
}
