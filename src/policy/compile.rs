//! The files of a policy to the compiled [`Policy`].

use std::sync::Arc;
use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::document::{Document, Node};
use super::fault::{Fault, Faults, quoted, suggestion};
use super::layer::Layer;
use super::names::Names;
use super::schema::RULE;
use super::selector::Selector;
use super::{Covers, FormatChoice, Numbers, Policy, Rule, Test, Values, action, values};
use crate::action::Action;
use crate::kind::{Kind, KindSet};

/// Rules of one policy.
const RULES: usize = 10_000;
/// Fields in one list of a rule.
const SELECTORS: usize = 1000;
/// Characters of the name of a rule.
const NAME_CHARS: usize = 100;
/// The command that makes what `hash` needs.
const KEY_COMMAND: &str = "logscrub key new --keyring FILE";

/// Compiles what was read. A keyring given here takes the place of the one that the files name.
pub(super) fn compile(layers: &[Layer], keyring: Option<&Path>, faults: &mut Faults) -> Option<Policy> {
    let root = layers.first()?;
    let mut names = Names::read(layers, faults);
    let keyring = keyring.map(Path::to_owned).or_else(|| keyring_of(layers));
    let rules =
        Compiler { layers, names: &mut names, keyring: keyring.is_some(), faults: &mut *faults }.rules();
    let tests = tests(&root.doc, faults);
    Some(Policy {
        title: root.doc.root.text("title").unwrap_or(root.doc.file()).to_owned(),
        format: match setting(layers, "input", "format") {
            Some("text") => FormatChoice::Text,
            Some("json") => FormatChoice::Json,
            _ => FormatChoice::Auto,
        },
        numbers: match setting(layers, "output", "numbers") {
            Some("null") => Numbers::Null,
            _ => Numbers::String,
        },
        keyring,
        kinds: names.kinds,
        rules,
        patterns: names.patterns.into_iter().map(Arc::new).collect(),
        lists: names.lists.into_iter().map(Arc::new).collect(),
        list_names: names.list_names,
        own_kinds: names.own,
        definitions: names.definitions,
        tests,
        fingerprint: [0; 32],
    })
}

/// The first file that sets it decides.
fn setting<'a>(layers: &'a [Layer], table: &str, key: &str) -> Option<&'a str> {
    layers.iter().find_map(|layer| layer.doc.root.get(table).and_then(|table| table.text(key)))
}

fn keyring_of(layers: &[Layer]) -> Option<PathBuf> {
    layers.iter().find_map(|layer| {
        let path = layer.doc.root.get("pseudonyms").and_then(|table| table.text("keyring"))?;
        Some(layer.folder.as_deref().unwrap_or(Path::new("")).join(path))
    })
}

/// A rule as written, under its full name.
struct Written<'a> {
    layer: &'a Layer,
    node: &'a Node,
    name: String,
}

struct Compiler<'a> {
    layers: &'a [Layer],
    names: &'a mut Names,
    keyring: bool,
    faults: &'a mut Faults,
}

impl<'a> Compiler<'a> {
    fn rules(mut self) -> Vec<Rule> {
        let layers = self.layers;
        let written = self.written();
        let rules: Vec<Rule> = written.iter().filter_map(|rule| self.rule(rule)).collect();
        self.check_instead_of(&written);
        if let [root, ..] = layers
            && written.is_empty()
            && layers.iter().all(|layer| layer.sound)
        {
            let fault = root.doc.fault_of_file("a policy without any rule changes nothing");
            self.faults.push(fault.help("write a [[rule]], or extends = [\"default\"]"));
        }
        rules
    }

    /// All rules under their full names, less those that another takes the place of.
    fn written(&mut self) -> Vec<Written<'a>> {
        let mut written: Vec<Written<'a>> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        let mut replacing: Vec<(usize, bool)> = Vec::new();
        for (rank, layer) in self.layers.iter().enumerate() {
            for (at, node) in layer.doc.root.get("rule").map_or(&[][..], Node::items).iter().enumerate() {
                let (name, span) = self.rule_name(layer, node, at + 1);
                match known.get(&name) {
                    None => {
                        known.insert(name.clone(), rank);
                        if node.text("name").is_some_and(|own| own.contains('/')) {
                            replacing.push((written.len(), false));
                        }
                        written.push(Written { layer, node, name });
                    }
                    Some(first) if *first == rank => {
                        self.faults
                            .push(layer.doc.fault(&span, format!("two rules are called {}", quoted(&name))));
                    }
                    Some(_) => self.replaced(node, &name, &written, &mut replacing),
                }
            }
        }
        self.unreplaced(&written, &replacing);
        if written.len() > RULES {
            self.faults.push(self.layers[0].doc.fault_of_file(format!("more than {RULES} rules")));
            written.truncate(RULES);
        }
        written
    }

    fn replaced(
        &mut self,
        node: &Node,
        name: &str,
        written: &[Written<'_>],
        replacing: &mut [(usize, bool)],
    ) {
        let Some((at, found)) = replacing.iter_mut().find(|(at, _)| written[*at].name == name) else {
            return;
        };
        *found = true;
        if node.truth("binding") {
            let by = &written[*at];
            let span = by.node.get("name").map_or(&by.node.span, |node| &node.span);
            let fault = by
                .layer
                .doc
                .fault(span, format!("{} is binding, and its name does not take its place", quoted(name)));
            self.faults
                .push(fault.help(format!("give the rule a name of its own, and instead_of = [\"{name}\"]")));
        }
    }

    /// Names with a `/` that no inherited rule bears.
    fn unreplaced(&mut self, written: &[Written<'_>], replacing: &[(usize, bool)]) {
        for (at, _) in replacing.iter().filter(|(_, found)| !found) {
            let rule = &written[*at];
            let span = rule.node.get("name").map_or(&rule.node.span, |node| &node.span);
            let inherited = written
                .iter()
                .filter(|other| !other.layer.prefix.is_empty())
                .map(|other| other.name.as_str());
            let help = match suggestion(&rule.name, inherited) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "a name with a `/` takes the place of the inherited rule that bears it".to_owned(),
            };
            let fault =
                rule.layer.doc.fault(span, format!("no inherited rule is called {}", quoted(&rule.name)));
            self.faults.push(fault.help(help));
        }
    }

    /// The full name of a rule, and where it stands. A rule without a name is called by its number.
    fn rule_name(&mut self, layer: &Layer, node: &Node, number: usize) -> (String, Range<usize>) {
        let Some((name, span)) = node.get("name").and_then(|name| Some((name.as_text()?, &name.span))) else {
            return (format!("{}rule {number}", layer.prefix), node.span.clone());
        };
        if name.trim().is_empty() || name.chars().any(char::is_control) || name.chars().count() > NAME_CHARS {
            let message = format!("the name of a rule has 1 to {NAME_CHARS} characters on one line");
            self.faults.push(layer.doc.fault(span, message));
        }
        let full = if name.contains('/') { name.to_owned() } else { format!("{}{name}", layer.prefix) };
        (full, span.clone())
    }

    fn rule(&mut self, written: &Written<'_>) -> Option<Rule> {
        let (doc, node) = (&written.layer.doc, written.node);
        let covers = self.covers(doc, node);
        let action = self.action(written.layer, node);
        Some(Rule {
            name: written.name.clone(),
            covers: covers?,
            action: action?,
            binding: node.truth("binding"),
            instead_of: node.owned_texts("instead_of"),
            why: node.text("why").map(str::to_owned),
            clause: node.owned_texts("clause"),
        })
    }

    fn covers(&mut self, doc: &Document, node: &Node) -> Option<Covers> {
        match (node.entry("find"), node.entry("field")) {
            (Some(_), Some(field)) => {
                let fault = doc.fault(&field.span, "a rule has either `find` or `field`");
                self.faults
                    .push(fault.help("to find kinds only in some fields, write `in` in place of `field`"));
                None
            }
            (None, None) => {
                self.missing(doc, node, "a rule says what it covers: `find` or `field`");
                None
            }
            (Some(_), None) => self.find(doc, node),
            (None, Some(_)) => self.field(doc, node),
        }
    }

    /// Says what a rule lacks, unless a misspelt key is probably it.
    fn missing(&mut self, doc: &Document, node: &Node, message: &str) {
        let misspelt = node.entries().iter().any(|entry| RULE.keys.iter().all(|key| key.name != entry.key));
        if !misspelt {
            self.faults.push(doc.fault(&node.span, message));
        }
    }

    fn find(&mut self, doc: &Document, node: &Node) -> Option<Covers> {
        self.refuse(doc, node, &["as", "elsewhere"], "field");
        let kinds = self.kinds(doc, node);
        self.refuse_empty(doc, node, "in");
        if let (Some(_), Some(entry)) = (node.entry("in"), node.entry("not_in")) {
            self.faults.push(doc.fault(&entry.span, "a rule has either `in` or `not_in`"));
        }
        Some(Covers::Find {
            kinds,
            within: node.get("in").map(|_| self.selectors(doc, node, "in")),
            not_within: self.selectors(doc, node, "not_in"),
            only: self.values(doc, node, "only"),
            unless: self.values(doc, node, "unless"),
        })
    }

    fn kinds(&mut self, doc: &Document, node: &Node) -> KindSet {
        let mut kinds = KindSet::default();
        for (name, span) in node.texts("find") {
            match self.names.resolve(name) {
                Ok(found) => found.iter().for_each(|kind| kinds.insert(kind)),
                Err(wrong) => self.faults.push(wrong.at(doc, span)),
            }
        }
        self.refuse_empty(doc, node, "find");
        kinds
    }

    fn refuse_empty(&mut self, doc: &Document, node: &Node, key: &str) {
        if let Some(list) = node.get(key)
            && matches!(&list.value, super::document::Value::List(items) if items.is_empty())
        {
            self.faults.push(doc.fault(&list.span, format!("`{key}` is empty, so that the rule never acts")));
        }
    }

    fn values(&mut self, doc: &Document, node: &Node, key: &str) -> Option<Values> {
        let condition = node.get(key)?;
        let values = values::read(doc, condition, &self.names.list_names, self.faults);
        if condition.entries().iter().all(|entry| entry.node.items().is_empty()) {
            self.faults.push(doc.fault(&condition.span, format!("`{key}` names no value")));
        }
        Some(values)
    }

    fn field(&mut self, doc: &Document, node: &Node) -> Option<Covers> {
        self.refuse(doc, node, &["in", "not_in", "only", "unless"], "find");
        self.refuse_empty(doc, node, "field");
        let fields = self.selectors(doc, node, "field");
        Some(Covers::Field { fields, kind: self.kind_of_field(doc, node), elsewhere: false })
    }

    fn kind_of_field(&mut self, doc: &Document, node: &Node) -> Option<Kind> {
        let name = node.get("as")?;
        match self.names.kind_of_field(doc, name.as_text()?, &name.span) {
            Ok(kind) => Some(kind),
            Err(fault) => {
                self.faults.push(fault);
                None
            }
        }
    }

    /// Keys that only the other sort of rule takes.
    fn refuse(&mut self, doc: &Document, node: &Node, keys: &[&str], other: &str) {
        for entry in keys.iter().filter_map(|key| node.entry(key)) {
            self.faults
                .push(doc.fault(&entry.span, format!("`{}` belongs to a rule with `{other}`", entry.key)));
        }
    }

    fn selectors(&mut self, doc: &Document, node: &Node, key: &str) -> Vec<Selector> {
        if let Some(list) = node.get(key)
            && list.items().len() > SELECTORS
        {
            self.faults.push(doc.fault(&list.span, format!("more than {SELECTORS} fields in `{key}`")));
            return Vec::new();
        }
        let mut selectors = Vec::new();
        for (text, span) in node.texts(key).filter(|(text, _)| !text.is_empty()) {
            match Selector::parse(text) {
                Ok(selector) => selectors.push(selector),
                Err(message) => self.faults.push(doc.fault(span, message)),
            }
        }
        selectors
    }

    /// `action`, or the one step of `retain`.
    fn action(&mut self, layer: &Layer, node: &Node) -> Option<Action> {
        let doc = &layer.doc;
        let written = match (node.entry("action"), node.entry("retain")) {
            (Some(_), Some(retain)) => {
                self.faults.push(doc.fault(&retain.span, "a rule has either `action` or `retain`"));
                return None;
            }
            (Some(action), None) => &action.node,
            (None, Some(retain)) => self.only_step(doc, &retain.node)?,
            (None, None) => {
                self.missing(doc, node, "a rule says what is done: `action` or `retain`");
                return None;
            }
        };
        let action = action::read(doc, written, self.faults)?;
        if matches!(action, Action::Hash(_)) && !self.keyring {
            let fault = doc.fault(&written.span, "`hash` needs a keyring, and none is named");
            let help = format!("make one with `{KEY_COMMAND}`, and name it with --keyring, or in the file:");
            self.faults.push(fault.help(help).help("[pseudonyms] keyring = \"FILE\""));
        }
        Some(action)
    }

    fn only_step<'n>(&mut self, doc: &Document, retain: &'n Node) -> Option<&'n Node> {
        for step in retain.items() {
            if step.get("action").is_none() && matches!(step.value, super::document::Value::Table(_)) {
                self.faults.push(doc.fault(&step.span, "a step of a ladder has an `action`"));
            }
        }
        if matches!(&retain.value, super::document::Value::List(items) if items.is_empty()) {
            self.faults.push(doc.fault(&retain.span, "`retain` has no step"));
        }
        retain.items().first().and_then(|step| step.get("action"))
    }

    fn check_instead_of(&mut self, written: &[Written<'_>]) {
        for rule in written {
            for (name, span) in rule.node.texts("instead_of") {
                if let Some(fault) = wrong_instead_of(rule, name, span, written) {
                    self.faults.push(fault);
                }
            }
        }
    }
}

fn wrong_instead_of(
    rule: &Written<'_>,
    name: &str,
    span: &Range<usize>,
    written: &[Written<'_>],
) -> Option<Fault> {
    let doc = &rule.layer.doc;
    match written.iter().find(|other| other.name == name) {
        Some(other) if other.node.truth("binding") => None,
        Some(_) => {
            let fault = doc.fault(span, format!("{} is not binding", quoted(name)));
            Some(fault.help("a rule that stands before it needs no `instead_of`"))
        }
        None => {
            let fault = doc.fault(span, format!("no rule is called {}", quoted(name)));
            let names =
                written.iter().filter(|other| other.node.truth("binding")).map(|other| other.name.as_str());
            Some(match suggestion(name, names) {
                Some(meant) => fault.help(format!("did you mean `{meant}`?")),
                None => {
                    fault.help("names of inherited rules begin with the name of their file: default/NAME")
                }
            })
        }
    }
}

/// The tests of the file itself. Those of inherited files speak of those files alone.
fn tests(doc: &Document, faults: &mut Faults) -> Vec<Test> {
    let items = doc.root.get("test").map_or(&[][..], Node::items);
    items.iter().enumerate().filter_map(|(at, node)| test(doc, node, at + 1, faults)).collect()
}

fn test(doc: &Document, node: &Node, number: usize, faults: &mut Faults) -> Option<Test> {
    let Some(input) = node.get("input") else {
        faults.push(doc.fault(&node.span, "a test has an `input`"));
        return None;
    };
    let text = input.as_text()?;
    if text.contains('\n') {
        faults.push(doc.fault(&input.span, "`input` is one record, without a line end"));
    }
    if ["gone", "stays", "expect"].iter().all(|key| node.get(key).is_none()) {
        faults.push(
            doc.fault(&node.span, "a test says what becomes of its input: `gone`, `stays` or `expect`"),
        );
    }
    for (part, span) in node.texts("gone").filter(|(part, _)| !text.contains(part)) {
        let message = format!("{} is not in `input`, so that the test proves nothing", quoted(part));
        faults.push(doc.fault(span, message));
    }
    let bytes = |key| node.texts(key).map(|(text, _)| text.as_bytes().to_vec()).collect();
    Some(Test {
        name: node.text("name").map_or_else(|| format!("test {number}"), str::to_owned),
        input: text.as_bytes().to_vec(),
        gone: bytes("gone"),
        stays: bytes("stays"),
        expect: node.text("expect").map(|text| text.as_bytes().to_vec()),
    })
}
