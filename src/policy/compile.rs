//! The files of a policy to the compiled [`Policy`].

use std::path::{Path, PathBuf};

use super::built_in;
use super::document::{Document, Node, Value};
use super::fault::Faults;
use super::inherit::{self, Written};
use super::input;
use super::layer::Layer;
use super::names::Names;
use super::needs::Needs;
use super::schema::RULE;
use super::selector::Selector;
use super::shape::is_misspelt;
use super::{
    Condition, Covers, FormatChoice, Glob, Numbers, Policy, Rule, Step, Values, action, claim, known, ladder,
    sound, timing, trial, values,
};
use crate::action::Action;
use crate::kind::{Kind, KindSet};
use crate::time::age::Age;
use crate::time::keyring;

/// Kinds or fields in one list of a rule.
const ITEMS: usize = 1000;
/// The command that makes what `hash` needs.
const KEY_COMMAND: &str = "logscrub key new --keyring FILE";

/// Compiles what was read. A keyring given here takes the place of the one that the files name.
pub(super) fn compile(layers: &[Layer], keyring: Option<&Path>, faults: &mut Faults) -> Option<Policy> {
    let root = layers.first()?;
    let mut names = Names::read(layers, faults);
    let keyring = keyring.map(Path::to_owned).or_else(|| keyring_of(layers));
    let written = inherit::rules(layers, faults);
    let mut rules =
        Compiler { names: &mut names, keyring: keyring.is_some(), faults: &mut *faults }.rules(&written);
    if no_rule_is_written(layers, faults) {
        let fault = root.doc.fault_of_file("a policy without any rule changes nothing");
        faults.push(fault.help("write a [[rule]], or extends = [\"default\"]"));
    }
    let known = known::read(layers, &mut rules, faults);
    let tests = trial::read(&root.doc, faults);
    let mut patterns = names.patterns;
    match built_in::patterns(&asked_for(&rules)) {
        Ok(built_in) => patterns.extend(built_in),
        Err(built_in) => faults.append(built_in),
    }
    let format = setting(layers, "input", "format");
    let input = input::read(layers, format, faults);
    let records = ladder::retention(layers, faults);
    let policy = Policy {
        title: title(root),
        claims: claim::read(root, faults),
        format: format.and_then(FormatChoice::named).unwrap_or_default(),
        columns: input.columns,
        head: input.head,
        numbers: match setting(layers, "output", "numbers") {
            Some("null") => Numbers::Null,
            _ => Numbers::String,
        },
        keyring,
        every: age(layers, "every"),
        forget_after: age(layers, "forget_after"),
        kinds: names.kinds,
        needs: Needs::of(&rules, records.keep_at_least.is_some()),
        ages: ladder::ages(&rules, root, faults),
        records,
        timing: timing::read(layers, faults),
        rules,
        known,
        patterns,
        lists: names.lists,
        list_names: names.list_names,
        own_kinds: names.own,
        definitions: names.definitions,
        sources: Vec::new(),
        holds: Vec::new(),
        files: Vec::new(),
        tests,
        fingerprint: [0; 32],
    };
    sound::check(&policy, layers, &written, faults);
    claim::hold(&policy, root, &written, faults);
    Some(policy)
}

/// The kinds that rules name. A field rule takes a value for what is found in it, but asks for no search of its own.
fn asked_for(rules: &[Rule]) -> KindSet {
    let kinds = rules.iter().filter_map(|rule| match &rule.covers {
        Covers::Find { kinds, .. } => Some(kinds),
        Covers::Field { .. } | Covers::Unknown => None,
    });
    kinds.flat_map(KindSet::iter).collect()
}

/// `title`, or what the file is called without its folder, which may differ between machines.
fn title(root: &Layer) -> String {
    match root.doc.root.text("title") {
        Some(title) => title.to_owned(),
        None => Path::new(root.doc.file()).file_stem().unwrap_or_default().to_string_lossy().into_owned(),
    }
}

/// Whether there is no rule, and no fault that explains why.
fn no_rule_is_written(layers: &[Layer], faults: &Faults) -> bool {
    let extends = layers.first().is_some_and(|root| root.doc.root.get("extends").is_some());
    layers.iter().all(|layer| {
        layer
            .doc
            .root
            .get("rule")
            .is_none_or(|rules| matches!(&rules.value, Value::List(list) if list.is_empty()))
    }) && (faults.is_empty() || !extends)
}

/// The first file that sets it decides.
fn setting<'a>(layers: &'a [Layer], table: &str, key: &str) -> Option<&'a str> {
    layers.iter().find_map(|layer| layer.doc.root.get(table).and_then(|table| table.text(key)))
}

/// Whether it is one was checked when the files were read.
fn age(layers: &[Layer], key: &str) -> Option<Age> {
    setting(layers, "pseudonyms", key).and_then(|text| Age::parse(text).ok())
}

fn keyring_of(layers: &[Layer]) -> Option<PathBuf> {
    layers.iter().find_map(|layer| {
        let path = layer.doc.root.get("pseudonyms").and_then(|table| table.text("keyring"))?;
        let path = Path::new(path);
        Some(match keyring::is_path(path) {
            true => layer.folder.as_deref().unwrap_or(Path::new("")).join(path),
            false => path.to_owned(),
        })
    })
}

pub(super) struct Compiler<'a> {
    names: &'a mut Names,
    keyring: bool,
    pub(super) faults: &'a mut Faults,
}

impl Compiler<'_> {
    fn rules(mut self, written: &[Written<'_>]) -> Vec<Rule> {
        written.iter().filter_map(|rule| self.rule(rule)).collect()
    }

    fn rule(&mut self, written: &Written<'_>) -> Option<Rule> {
        let (doc, node) = (&written.layer.doc, written.node);
        let mut covers = self.covers(doc, node);
        let when = self.conditions(doc, node);
        let steps = self.steps(written.layer, node)?;
        if let Some(Covers::Field { elsewhere, .. }) = &mut covers {
            *elsewhere &= steps.iter().any(|step| step.action != Action::Keep); // what stays has no copies
        }
        Some(Rule {
            name: written.name.clone(),
            covers: covers?,
            when,
            action: steps.first()?.action.clone(),
            step: 0,
            earlier: Vec::new(),
            steps,
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
        if !is_misspelt(node, &RULE) {
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
        if self.too_many(doc, node, "find") {
            return kinds;
        }
        for (name, span) in node.texts("find").filter(|(name, _)| !name.is_empty()) {
            match self.names.resolve(name) {
                Ok(found) => found.iter().for_each(|kind| kinds.insert(kind)),
                Err(wrong) => self.faults.push(wrong.at(doc, span)),
            }
        }
        self.refuse_empty(doc, node, "find");
        kinds
    }

    fn too_many(&mut self, doc: &Document, node: &Node, key: &str) -> bool {
        let Some(list) = node.get(key).filter(|list| list.items().len() > ITEMS) else { return false };
        self.faults.push(doc.fault(&list.span, format!("more than {ITEMS} items in `{key}`")));
        true
    }

    fn refuse_empty(&mut self, doc: &Document, node: &Node, key: &str) {
        if let Some(list) = node.get(key)
            && matches!(&list.value, Value::List(items) if items.is_empty())
        {
            self.faults.push(doc.fault(&list.span, format!("`{key}` is empty, so that the rule never acts")));
        }
    }

    fn values(&mut self, doc: &Document, node: &Node, key: &str) -> Option<Values> {
        let condition = node.get(key).filter(|condition| matches!(condition.value, Value::Table(_)))?;
        let values = values::read(doc, condition, &self.names.list_names, self.faults);
        if condition
            .entries()
            .iter()
            .all(|entry| matches!(&entry.node.value, Value::List(list) if list.is_empty()))
        {
            self.faults.push(doc.fault(&condition.span, format!("`{key}` names no value")));
        }
        Some(values)
    }

    fn conditions(&mut self, doc: &Document, node: &Node) -> Vec<Condition> {
        let Some(when) = node.get("when") else { return Vec::new() };
        if matches!(&when.value, Value::Table(entries) if entries.is_empty()) {
            let fault = doc.fault(&when.span, "`when` names no field");
            self.faults.push(fault.help("write when = { service = \"pay-*\" }, or leave it out"));
        }
        let mut conditions = Vec::new();
        for entry in when.entries() {
            let Some(text) = entry.node.as_text() else { continue };
            match (Selector::parse(&entry.key), Glob::parse(text)) {
                (Ok(field), Ok(holds)) => conditions.push(Condition { field, holds }),
                (field, glob) => {
                    field.err().into_iter().for_each(|wrong| self.faults.push(doc.fault(&entry.span, wrong)));
                    glob.err()
                        .into_iter()
                        .for_each(|wrong| self.faults.push(doc.fault(&entry.node.span, wrong)));
                }
            }
        }
        conditions
    }

    fn field(&mut self, doc: &Document, node: &Node) -> Option<Covers> {
        self.refuse(doc, node, &["in", "not_in", "only", "unless"], "find");
        self.refuse_empty(doc, node, "field");
        let fields = self.selectors(doc, node, "field");
        let elsewhere = node.text("elsewhere") != Some("no");
        Some(Covers::Field { fields, kind: self.kind_of_field(doc, node), elsewhere })
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
        if self.too_many(doc, node, key) {
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

    /// The steps of `retain`; `action` is short for one that holds at any age.
    fn steps(&mut self, layer: &Layer, node: &Node) -> Option<Vec<Step>> {
        let doc = &layer.doc;
        match (node.entry("action"), node.entry("retain")) {
            (Some(_), Some(retain)) => {
                self.faults.push(doc.fault(&retain.span, "a rule has either `action` or `retain`"));
                None
            }
            (Some(action), None) => {
                let action = self.action(doc, &action.node)?;
                Some(vec![Step { until: None, action }])
            }
            (None, Some(retain)) => ladder::read(doc, &retain.node, self),
            (None, None) => {
                self.missing(doc, node, "a rule says what is done: `action` or `retain`");
                None
            }
        }
    }

    /// One action.
    pub(super) fn action(&mut self, doc: &Document, written: &Node) -> Option<Action> {
        let action = action::read(doc, written, self.faults)?;
        if let Action::Redact { with: Some(text) } = &action
            && self.names.find_something_in(text)
        {
            let fault = doc.fault(&written.span, "the text of `with` is itself found by a detector");
            self.faults
                .push(fault.help("a second run would act on it again: choose a text that is no value"));
        }
        if let Some(keyed) = action.keyed().filter(|_| !self.keyring) {
            let fault = doc.fault(&written.span, format!("`{keyed}` needs a keyring, and none is named"));
            let help = format!("make one with `{KEY_COMMAND}`, and name it with --keyring, or in the file:");
            self.faults.push(fault.help(help).help("[pseudonyms] keyring = \"FILE\""));
        }
        Some(action)
    }
}
