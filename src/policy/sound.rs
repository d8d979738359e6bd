//! What a policy may not say although each part of it is well formed: nobody could keep to it.
//!
//! A step of a ladder acts on what the steps before it left, and a record is as old as the time in it says. So no step
//! may leave what the next cannot find again, and no rule may take the time away.

use std::ops::Range;

use super::document::{Document, Node};
use super::fault::Faults;
use super::inherit::Written;
use super::layer::Layer;
use super::selector::Selector;
use super::timing::{time_name, time_names};
use super::{Covers, Policy, Rule};
use crate::action::Action;
use crate::format::FORMATS;
use crate::kind::Kind;

/// Notes everything that does not go together.
pub(super) fn check(policy: &Policy, layers: &[Layer], written: &[Written<'_>], faults: &mut Faults) {
    let times = if policy.depends_on_age() { time_fields(policy) } else { Vec::new() };
    for rule in &policy.rules {
        let Some(written) = written.iter().find(|written| written.name == rule.name) else { continue };
        let place = Place { doc: &written.layer.doc, node: written.node };
        lost_between_steps(rule, &place, faults);
        cards_hashed_after_truncation(rule, &place, faults);
        removes_time(policy, rule, &times, &place, faults);
        makes_time_no_time(rule, &place, faults);
    }
    denies_time(policy, layers, faults);
}

/// Where a rule is written.
struct Place<'a> {
    doc: &'a Document,
    node: &'a Node,
}

impl Place<'_> {
    /// A step of the ladder, or the action that is short for it.
    fn step(&self, number: usize) -> &Range<usize> {
        let step = self.node.get("retain").and_then(|retain| retain.items().get(number));
        step.or_else(|| self.node.get("action")).map_or(&self.node.span, |node| &node.span)
    }
}

/// Pairs of steps, with the number of the second.
fn pairs(rule: &Rule) -> impl Iterator<Item = (usize, &Action, &Action)> {
    let pairs = rule.steps.iter().zip(rule.steps.iter().skip(1)).enumerate();
    pairs.map(|(at, (from, to))| (at + 1, &from.action, &to.action))
}

/// What is found by what it looks like has to look like something for the next step, and what is gone is not found at
/// all.
fn lost_between_steps(rule: &Rule, place: &Place<'_>, faults: &mut Faults) {
    let is_found = matches!(rule.covers, Covers::Find { .. });
    for (at, from, to) in pairs(rule) {
        let what = match from {
            Action::Drop => "what is dropped cannot be found again, so that this step never acts",
            _ if !is_found => continue,
            Action::Mask => "what is masked cannot be found again, so that this step never acts",
            Action::Redact { with: Some(_) } => {
                "the text of `with` cannot be found again, so that this step never acts"
            }
            _ => continue,
        };
        if from != to {
            let fault = place.doc.fault(place.step(at), what);
            faults.push(fault.help("write \"redact\" in the step before: `[kind]` is found again"));
        }
    }
}

/// The digits that truncation left tell which of the few possible numbers a hash is of; the hash would be one of part of
/// the number besides.
fn cards_hashed_after_truncation(rule: &Rule, place: &Place<'_>, faults: &mut Faults) {
    let covers_cards = match &rule.covers {
        Covers::Find { kinds, .. } => kinds.contains(Kind::PAN),
        Covers::Field { kind, .. } => *kind == Some(Kind::PAN),
        Covers::Unknown => false,
    };
    for (at, from, to) in pairs(rule).filter(|_| covers_cards) {
        if matches!((from, to), (Action::Truncate(_), Action::Hash(_))) {
            let fault = place.doc.fault(place.step(at), "a truncated card number is not hashed");
            let help = "PCI DSS 3.5.1: a hash may not stand in for the digits that were removed; redact it";
            faults.push(fault.help(help).help("or give `pan` a rule of its own, above this one"));
        }
    }
}

/// The fields that may hold the time of a record: the one that the policy names, or all that are looked at.
fn time_fields(policy: &Policy) -> Vec<Selector> {
    if let Some(field) = &policy.timing.field {
        return vec![field.clone()];
    }
    let formats = FORMATS.iter().filter(|format| policy.format.admits(format.name()));
    let given = formats.flat_map(|format| format.given_names());
    let is_time =
        |name: &&&str| name.rsplit('.').next().is_some_and(|last| time_name(last.as_bytes()).is_some());
    let given = given.filter(is_time).map(|name| (*name).to_owned());
    let known = time_names().map(|name| String::from_utf8_lossy(name).into_owned());
    known.chain(given).filter_map(|name| Selector::parse(&name).ok()).collect()
}

/// Whether the action takes a time away. A truncated one is still one.
fn takes_away(action: &Action, policy: &Policy, rule: &Rule) -> bool {
    match action {
        Action::Keep => false,
        Action::Truncate(keep) => keep.time_unit().is_none(),
        // Where the record has to stay the value goes.
        Action::DropRecord => policy.records.keep_at_least.is_some() || rule.steps.len() > 1,
        _ => true,
    }
}

fn removes_time(policy: &Policy, rule: &Rule, times: &[Selector], place: &Place<'_>, faults: &mut Faults) {
    let Covers::Field { fields, .. } = &rule.covers else { return };
    let means = |field: &Selector| {
        times.iter().find(|time| field.covers(time) || time.covers(field) || field.holds(time))
    };
    let Some(time) = fields.iter().find_map(means) else { return };
    let Some(step) = rule.steps.iter().position(|step| takes_away(&step.action, policy, rule)) else {
        return;
    };
    let message =
        format!("`{time}` may hold the time of the record, by which its age is known, and may not go");
    let help = match policy.timing.field {
        Some(_) => "take the field out of the rule; `truncate` may make the time coarser",
        None => "say in which field the time stands: [input] time = \"…\"; or take this one out of the rule",
    };
    faults.push(place.doc.fault(place.step(step), message).help(help));
}

/// The time of a record can be kept or made coarser, by a rule that is about nothing else.
fn makes_time_no_time(rule: &Rule, place: &Place<'_>, faults: &mut Faults) {
    let Covers::Find { kinds, .. } = &rule.covers else { return };
    if !kinds.contains(Kind::RECORD_TIME) {
        return;
    }
    if kinds.iter().count() > 1 {
        let fault = place.doc.fault(&place.node.span, "`record_time` stands in a rule of its own");
        faults.push(fault.help("nothing is done alike to a time and to other values"));
    }
    for (at, step) in rule.steps.iter().enumerate() {
        let is_time = match &step.action {
            Action::Keep => true,
            Action::Truncate(keep) => keep.time_unit().is_some(),
            _ => false,
        };
        if !is_time {
            let fault = place.doc.fault(place.step(at), "the time of a record is kept, or made coarser");
            faults.push(fault.help("action = { truncate = { time = \"hour\" } }: minute, hour or day; or date = \"month\" or \"year\""));
        }
    }
}

/// Default deny of the very field by which the age is known.
fn denies_time(policy: &Policy, layers: &[Layer], faults: &mut Faults) {
    let (Some(known), Some(time)) = (&policy.known, &policy.timing.field) else { return };
    let mut allowed = known.allow.iter().chain(&known.named);
    let is_known = allowed.any(|one| one.covers(time) || one.holds(time) || time.covers(one));
    let table = layers.iter().find_map(|layer| Some((&layer.doc, layer.doc.root.get("fields")?)));
    if let Some((doc, table)) = table.filter(|_| policy.depends_on_age() && !is_known) {
        let message =
            format!("`{time}` holds the time of the record, by which its age is known, and is not allowed");
        faults.push(doc.fault(&table.span, message).help("add it to `allow`"));
    }
}
