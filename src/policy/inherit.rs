//! The rules of all files under their full names, in the order in which they are asked; which of them take the
//! place of others.

use std::collections::HashMap;
use std::ops::Range;

use super::document::Node;
use super::fault::{Fault, Faults, quoted, suggestion};
use super::layer::Layer;

/// Rules of one policy.
const RULES: usize = 10_000;
/// Characters of the name of a rule.
const NAME_CHARS: usize = 100;

/// A rule as written, under its full name.
pub(super) struct Written<'a> {
    pub(super) layer: &'a Layer,
    pub(super) node: &'a Node,
    pub(super) name: String,
    /// Its place among the files.
    rank: usize,
    /// It is named like an inherited rule, and that rule was met.
    replaces: bool,
}

impl Written<'_> {
    fn fault(&self, message: String) -> Fault {
        let span = self.node.get("name").map_or(&self.node.span, |name| &name.span);
        self.layer.doc.fault(span, message)
    }

    /// Its name was written with a `/`, as those of inherited rules are.
    fn means_inherited(&self) -> bool {
        self.node.text("name").is_some_and(|name| name.contains('/'))
    }

    fn is_binding(&self) -> bool {
        self.node.truth("binding")
    }
}

/// All rules, less those that another takes the place of.
pub(super) fn rules<'a>(layers: &'a [Layer], faults: &mut Faults) -> Vec<Written<'a>> {
    let mut rules: Vec<Written<'a>> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for (rank, layer) in layers.iter().enumerate() {
        for (at, node) in layer.doc.root.get("rule").map_or(&[][..], Node::items).iter().enumerate() {
            let name = full_name(layer, node, at + 1, faults);
            let rule = Written { layer, node, name, rank, replaces: false };
            match known.get(&rule.name) {
                None => {
                    known.insert(rule.name.clone(), rules.len());
                    rules.push(rule);
                }
                Some(first) => {
                    same_name(&mut rules[*first], &rule, faults);
                    if rules[*first].rank == rule.rank {
                        rules.push(rule); // so that its other faults are told too
                    }
                }
            }
        }
    }
    for rule in rules.iter().filter(|rule| rule.means_inherited() && !rule.replaces) {
        faults.push(replaces_nothing(rule, &rules));
    }
    check_instead_of(&rules, faults);
    if rules.len() > RULES {
        faults.push(rules[RULES].fault(format!("more than {RULES} rules")));
        rules.truncate(RULES);
    }
    rules
}

/// A rule without a name is called by its number.
fn full_name(layer: &Layer, node: &Node, number: usize, faults: &mut Faults) -> String {
    let Some((name, span)) = node.get("name").and_then(|name| Some((name.as_text()?, &name.span))) else {
        return format!("{}rule {number}", layer.prefix);
    };
    if name.trim().is_empty() || name.chars().any(char::is_control) || name.chars().count() > NAME_CHARS {
        let message = format!("the name of a rule has 1 to {NAME_CHARS} characters on one line");
        faults.push(layer.doc.fault(span, message));
    }
    if name.contains('/') { name.to_owned() } else { format!("{}{name}", layer.prefix) }
}

fn same_name(first: &mut Written<'_>, rule: &Written<'_>, faults: &mut Faults) {
    if first.rank == rule.rank {
        return faults.push(rule.fault(format!("two rules are called {}", quoted(&rule.name))));
    }
    first.replaces = true;
    if rule.is_binding() {
        let fault =
            first.fault(format!("{} is binding, and its name does not take its place", quoted(&rule.name)));
        faults.push(
            fault.help(format!("give the rule a name of its own, and instead_of = [\"{}\"]", rule.name)),
        );
    }
}

fn replaces_nothing(rule: &Written<'_>, rules: &[Written<'_>]) -> Fault {
    let inherited = rules.iter().filter(|other| !other.means_inherited() && !other.layer.prefix.is_empty());
    let fault = rule.fault(format!("no inherited rule is called {}", quoted(&rule.name)));
    match suggestion(&rule.name, inherited.map(|other| other.name.as_str())) {
        Some(meant) => fault.help(format!("did you mean {}?", quoted(meant))),
        None => fault.help("a name with a `/` takes the place of the inherited rule that bears it"),
    }
}

fn check_instead_of(rules: &[Written<'_>], faults: &mut Faults) {
    for rule in rules {
        for (name, span) in rule.node.texts("instead_of") {
            if let Some(fault) = wrong_instead_of(rule, name, span, rules) {
                faults.push(fault);
            }
        }
    }
}

fn wrong_instead_of(
    rule: &Written<'_>,
    name: &str,
    span: &Range<usize>,
    rules: &[Written<'_>],
) -> Option<Fault> {
    let fault = |message: String| rule.layer.doc.fault(span, message);
    match rules.iter().find(|other| other.name == name) {
        Some(other) if other.is_binding() => None,
        Some(_) => Some(
            fault(format!("{} is not binding", quoted(name)))
                .help("a rule that stands before it needs no `instead_of`"),
        ),
        None => {
            let fault = fault(format!("no rule is called {}", quoted(name)));
            let binding = rules.iter().filter(|other| other.is_binding()).map(|other| other.name.as_str());
            Some(match suggestion(name, binding) {
                Some(meant) => fault.help(format!("did you mean {}?", quoted(meant))),
                None => {
                    fault.help("names of inherited rules begin with the name of their file: default/NAME")
                }
            })
        }
    }
}
