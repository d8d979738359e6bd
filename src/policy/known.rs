//! `[fields]`: default deny. What a field holds whose name nobody wrote down does not go out.

use super::fault::Faults;
use super::layer::Layer;
use super::selector::Selector;
use super::{Covers, Rule, Step};
use crate::action::Action;

/// What the rule is called that acts on the fields which no other knows.
pub const RULE_NAME: &str = "[fields]";

/// Which fields may stay, and what becomes of records that have none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// `allow`, of all files.
    pub allow: Vec<Selector>,
    /// The fields that rules name.
    pub named: Vec<Selector>,
    /// `unparsed = "withhold"`.
    pub withholds_unparsed: bool,
    /// The rule that acts on all other fields, by its place in the policy.
    pub rule: usize,
}

/// Reads `[fields]` of all files, and adds the rule that it stands for. What several files allow adds up; of the rest
/// the first that says it decides.
pub(super) fn read(layers: &[Layer], rules: &mut Vec<Rule>, faults: &mut Faults) -> Option<Known> {
    let tables = || layers.iter().filter_map(|layer| Some((layer, layer.doc.root.get("fields")?)));
    tables().next()?;
    let mut allow: Vec<Selector> = Vec::new();
    for (layer, table) in tables() {
        for (text, span) in table.texts("allow").filter(|(text, _)| !text.is_empty()) {
            match Selector::parse(text) {
                Ok(selector) if allow.contains(&selector) => {}
                Ok(selector) => allow.push(selector),
                Err(message) => faults.push(layer.doc.fault(span, message)),
            }
        }
    }
    let word = |key| tables().find_map(|(_, table)| table.text(key));
    let action = if word("otherwise") == Some("drop") { Action::Drop } else { Action::Withhold };
    let withholds_unparsed = word("unparsed") == Some("withhold");
    let known =
        Known { allow, named: selectors(rules).cloned().collect(), withholds_unparsed, rule: rules.len() };
    rules.push(Rule {
        name: RULE_NAME.to_owned(),
        covers: Covers::Unknown,
        when: Vec::new(),
        step: 0,
        earlier: Vec::new(),
        steps: vec![Step { until: None, action: action.clone() }],
        action,
        binding: false,
        instead_of: Vec::new(),
        why: None,
        clause: Vec::new(),
    });
    Some(known)
}

/// The fields that rules name, wherever they name them.
pub(super) fn selectors(rules: &[Rule]) -> impl Iterator<Item = &Selector> {
    rules.iter().flat_map(|rule| {
        let (within, fields): (&[Selector], &[Selector]) = match &rule.covers {
            Covers::Find { within, not_within, .. } => (within.as_deref().unwrap_or_default(), not_within),
            Covers::Field { fields, .. } => (&[], fields),
            Covers::Unknown => (&[], &[]),
        };
        let conditions = rule.when.iter().map(|condition| &condition.field);
        conditions.chain(within).chain(fields)
    })
}
