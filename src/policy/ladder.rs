//! Ladders: what is done to a value, by the age of its record.

use super::compile::Compiler;
use super::document::{Document, Node, Value};
use super::fault::Faults;
use super::layer::Layer;
use super::schema::STEP;
use super::shape::is_misspelt;
use super::{Covers, Policy, Rule};
use crate::action::{self, Action};
use crate::time::age::Age;

/// Different ages that the rules of one policy may name: one bit each.
pub const AGES: usize = 64;

/// One step of a ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The step holds while the record is younger than this. The last step has no end.
    pub until: Option<Age>,
    /// What is done, to what the steps before would have left.
    pub action: Action,
}

/// `[records]`: how long whole records stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Records of this age are not written.
    pub drop_after: Option<Age>,
    /// No rule drops a younger record.
    pub keep_at_least: Option<Age>,
}

/// Which of the ages of a policy a record has reached, a bit each.
pub type Reached = u64;

/// Which rules may drop a record as a whole; where one may not it redacts the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MayDrop {
    /// All.
    Any,
    /// Those that do so at every age: when the record was written is not known.
    Ageless,
    /// None: it has to be kept.
    None,
}

impl Policy {
    /// The ages at which a rule does something else, each once.
    pub fn ages(&self) -> &[Age] {
        &self.ages
    }

    /// Whether anything depends on when a record was written, but for the keys of pseudonyms.
    pub fn depends_on_age(&self) -> bool {
        !self.ages.is_empty() || self.records != Retention::default()
    }

    /// The policy for records that have reached these of its ages: of each rule the step that holds.
    pub fn at(&self, reached: Reached, may_drop: MayDrop) -> Policy {
        let has = |age: &Age| {
            let place = self.ages.iter().position(|known| known == age);
            place.is_some_and(|place| reached >> place & 1 == 1)
        };
        let may_have_stayed = self.records.keep_at_least.is_some();
        let mut rules: Vec<Rule> =
            self.rules.iter().map(|rule| rule.at(has, may_drop, may_have_stayed)).collect();
        self.share_earlier(&mut rules);
        Policy { rules, sources: Vec::new(), tests: Vec::new(), ..self.clone() }
    }

    /// What acts on a value beside a binding rule is the stronger of two: so each of them takes further what the other
    /// left, when that was the stronger one.
    fn share_earlier(&self, rules: &mut [Rule]) {
        if !act_by_turns(&self.rules) {
            return;
        }
        let left: Vec<Vec<Action>> = rules
            .iter()
            .map(|rule| rule.actions().take(rule.step + 1).cloned().chain(rule.earlier.clone()).collect())
            .collect();
        for (at, rule) in rules.iter_mut().enumerate() {
            for (other, left) in left.iter().enumerate() {
                if other != at && (rule.binding || self.rules[other].binding) {
                    rule.earlier.extend(left.iter().filter(|action| **action != Action::Keep).cloned());
                }
            }
        }
    }

    /// Whether any step of any rule drops whole records.
    pub fn may_drop_records(&self) -> bool {
        let mut steps = self.rules.iter().flat_map(|rule| &rule.steps);
        steps.any(|step| step.action == Action::DropRecord)
    }
}

impl Rule {
    fn at(&self, has: impl Fn(&Age) -> bool, may_drop: MayDrop, may_have_stayed: bool) -> Rule {
        let holds = |step: &Step| step.until.as_ref().is_none_or(|until| !has(until));
        let step = self.steps.iter().position(holds).unwrap_or(self.steps.len().saturating_sub(1));
        let actions: Vec<Action> = self.steps.iter().take(step + 1).map(|step| step.action.clone()).collect();
        let is_ageless = self.steps.len() == 1;
        let redact = || Action::Redact { with: None };
        let action = match action::effective(&actions) {
            Action::DropRecord if may_drop == MayDrop::None => redact(),
            Action::DropRecord if may_drop == MayDrop::Ageless && !is_ageless => redact(),
            action => action,
        };
        let mut earlier: Vec<Action> = actions.into_iter().take(step).collect();
        if action == Action::DropRecord && may_have_stayed {
            earlier.push(redact());
        }
        Rule { action, step, earlier, ..self.clone() }
    }

    /// Everything that it does at any age.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        self.steps.iter().map(|step| &step.action)
    }
}

/// Whether of several rules that may cover a value the strongest acts, and which of them that is depends on its age: so each
/// acts on what another left. They stand beside a binding rule, or ask for what a record may not tell.
pub(super) fn act_by_turns(rules: &[Rule]) -> bool {
    let is_beside = |rule: &Rule| {
        let asks_where = match &rule.covers {
            Covers::Find { within, not_within, .. } => within.is_some() || !not_within.is_empty(),
            Covers::Field { .. } | Covers::Unknown => false,
        };
        rule.binding || asks_where || !rule.when.is_empty()
    };
    rules.len() > 1 && rules.iter().any(is_beside) && rules.iter().any(|rule| rule.steps.len() > 1)
}

/// Reads `retain`.
pub(super) fn read(doc: &Document, retain: &Node, compiler: &mut Compiler<'_>) -> Option<Vec<Step>> {
    let Value::List(items) = &retain.value else { return None };
    if items.is_empty() {
        compiler.faults.push(doc.fault(&retain.span, "`retain` has no step"));
    }
    let before = compiler.faults.len();
    let mut steps: Vec<Step> = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let Some(step) = step(doc, item, at + 1 == items.len(), compiler) else { continue };
        if let Some(last) = steps.last() {
            follows(doc, item, last, &step, compiler.faults);
        }
        steps.push(step);
    }
    (compiler.faults.len() == before && !steps.is_empty()).then_some(steps)
}

fn step(doc: &Document, item: &Node, is_last: bool, compiler: &mut Compiler<'_>) -> Option<Step> {
    if !matches!(item.value, Value::Table(_)) {
        return None;
    }
    let until = item.get("until").and_then(|until| Age::parse(until.as_text()?).ok());
    let is_whole = !is_misspelt(item, &STEP);
    if item.get("action").is_none() && is_whole {
        compiler.faults.push(doc.fault(&item.span, "a step of a ladder has an `action`"));
    }
    match item.entry("until") {
        Some(entry) if is_last => {
            let fault = doc.fault(&entry.span, "the last step of a ladder has no `until`");
            compiler.faults.push(fault.help("it holds for ever: say what is left then, at last"));
        }
        None if !is_last && is_whole => {
            let fault = doc.fault(&item.span, "a step before the last says how long it holds: `until`");
            compiler.faults.push(fault.help("until = \"7d\": while the record is younger than that"));
        }
        _ => {}
    }
    let action = compiler.action(doc, item.get("action")?)?;
    Some(Step { until, action })
}

/// Notes what is wrong about one step behind another.
fn follows(doc: &Document, item: &Node, before: &Step, step: &Step, faults: &mut Faults) {
    if let (Some(first), Some(second)) = (before.until, step.until)
        && !first.is_shorter(second)
    {
        let fault = doc.fault(&item.span, format!("`{second}` is not later than `{first}` in every year"));
        faults.push(fault.help("steps stand in the order of their ages; months have 28 to 31 days"));
    }
    if let Err(why) = action::is_legal(&before.action, &step.action) {
        let (from, to) = (before.action.name(), step.action.name());
        faults.push(doc.fault(&item.span, format!("no step leads from `{from}` to `{to}`")).help(why));
    }
}

/// The ages that the rules name, each once.
pub(super) fn ages(rules: &[Rule], root: &Layer, faults: &mut Faults) -> Vec<Age> {
    let mut ages = Vec::new();
    for age in rules.iter().flat_map(|rule| &rule.steps).filter_map(|step| step.until) {
        if !ages.contains(&age) {
            ages.push(age);
        }
    }
    if ages.len() > AGES {
        faults.push(root.doc.fault_of_file(format!("the rules name more than {AGES} different ages")));
    }
    ages
}

/// Reads `[records]`; of each key the first file that has it decides.
pub(super) fn retention(layers: &[Layer], faults: &mut Faults) -> Retention {
    let written = |key| {
        layers.iter().find_map(|layer| {
            let node = layer.doc.root.get("records")?.get(key)?;
            Some((layer, node, Age::parse(node.as_text()?).ok()?))
        })
    };
    let (drop_after, keep_at_least) = (written("drop_after"), written("keep_at_least"));
    if let (Some((layer, node, after)), Some((_, _, least))) = (drop_after, keep_at_least)
        && after != least
        && !least.is_shorter(after)
    {
        let message = format!("`drop_after` of {after} ends before `keep_at_least` of {least} in some year");
        faults.push(layer.doc.fault(&node.span, message).help("records have to be kept at least as long"));
    }
    Retention {
        drop_after: drop_after.map(|(_, _, age)| age),
        keep_at_least: keep_at_least.map(|(_, _, age)| age),
    }
}
