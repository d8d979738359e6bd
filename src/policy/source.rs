//! `[[source]]`: other rules for some inputs.

use std::path::Path;

use super::document::{Document, Node, Value};
use super::fault::{Fault, Faults, quoted};
use super::glob::Glob;
use super::layer::{self, Layer};
use super::schema::SOURCE;
use super::shape::is_misspelt;
use super::{Policy, packs};

/// Sources of one policy.
const SOURCES: usize = 100;

/// Inputs that take another rules file.
#[derive(Clone, Debug)]
pub struct Source {
    /// Which.
    pub inputs: Inputs,
    /// The rules file, as it is written.
    pub rules: String,
    /// The same, compiled.
    pub policy: Policy,
}

/// Which inputs: all that is said of them must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inputs {
    /// A pattern of the path.
    pub path: Option<Glob>,
    /// Labels by name, with patterns of their values.
    pub labels: Vec<(String, Glob)>,
}

/// Names and values given with `--label`.
pub type Labels = [(String, String)];

impl Inputs {
    /// Whether an input is one of them. A path counts as it is given and as the one that links lead to; standard input
    /// has none, and a label that was not given is of no pattern.
    pub fn include(&self, path: Option<&Path>, labels: &Labels) -> bool {
        let is_of = |(name, glob): &(String, Glob)| {
            let mut given = labels.iter().filter(|(given, _)| given == name).peekable();
            given.peek().is_some() && given.all(|(_, value)| glob.matches(value.as_bytes()))
        };
        self.labels.iter().all(is_of)
            && self
                .path
                .as_ref()
                .is_none_or(|glob| path.is_some_and(|path| lies_at(path, |path| glob.matches(path))))
    }
}

/// Whether a file is where a pattern says, by its path as it is given or by the one that links lead to.
pub(super) fn lies_at(path: &Path, is_of: impl Fn(&[u8]) -> bool) -> bool {
    let is_of = |path: &Path| is_of(path.as_os_str().as_encoded_bytes());
    // What stands before `..` says nothing about where the file is.
    let is_plain = !path.components().any(|part| part == std::path::Component::ParentDir);
    let given = std::path::absolute(path).ok().filter(|_| is_plain);
    given.is_some_and(|path| is_of(&path)) || path.canonicalize().is_ok_and(|path| is_of(&path))
}

/// Reads the sources of the file that was named and compiles their rules. `may_have`: it may have any.
pub(super) fn read(
    layers: &[Layer],
    keyring: Option<&Path>,
    may_have: bool,
    faults: &mut Faults,
) -> (Vec<Source>, Faults) {
    let mut sources = Vec::new();
    let mut inner = Faults::default();
    for (at, layer) in layers.iter().enumerate() {
        let Some(list) = layer.doc.root.get("source") else { continue };
        if at > 0 || !may_have {
            faults.push(misplaced(&layer.doc, list, may_have));
            continue;
        }
        if list.items().len() > SOURCES {
            faults.push(layer.doc.fault(&list.span, format!("more than {SOURCES} sources")));
            continue;
        }
        for node in list.items() {
            let inputs = inputs(&layer.doc, node, faults);
            match policy(layer, node, keyring, faults) {
                Some(Ok((rules, policy))) => {
                    sources.extend(inputs.map(|inputs| Source { inputs, rules, policy }));
                }
                Some(Err(wrong)) => inner.append(wrong),
                None => {}
            }
        }
    }
    (sources, inner)
}

fn misplaced(doc: &Document, list: &Node, is_extended: bool) -> Fault {
    let span = list.items().first().map_or(&list.span, |first| &first.span);
    match is_extended {
        true => doc
            .fault(span, "a file that another extends has no `[[source]]`")
            .help("it belongs into the file that is named on the command line"),
        false => doc
            .fault(span, "a file that a source takes has no `[[source]]` itself")
            .help("all of them belong into the file that is named on the command line"),
    }
}

fn inputs(doc: &Document, node: &Node, faults: &mut Faults) -> Option<Inputs> {
    if !matches!(node.value, Value::Table(_)) {
        return None;
    }
    let (path, label) = (node.get("path"), node.get("label"));
    let says_nothing = label.is_none_or(|label| label.entries().is_empty()) && path.is_none();
    if says_nothing && !is_misspelt(node, &SOURCE) {
        faults.push(doc.fault(&node.span, "a source says which inputs take it: `path` or `label`"));
        return None;
    }
    let before = faults.len();
    let mut keep = |glob: Result<Glob, String>, node: &Node| {
        glob.map_err(|wrong| faults.push(doc.fault(&node.span, wrong))).ok()
    };
    let mut labels = Vec::new();
    for entry in label.map_or(&[][..], Node::entries) {
        let glob = entry.node.as_text().and_then(|text| keep(Glob::parse(text), &entry.node));
        labels.extend(glob.map(|glob| (entry.key.clone(), glob)));
    }
    let path = path.and_then(|node| keep(path_glob(node.as_text()?, "a source"), node));
    (faults.len() == before).then_some(Inputs { path, labels })
}

/// A path that is relative to anything would mean other files wherever the program is run.
pub(super) fn path_glob(text: &str, what: &str) -> Result<Glob, String> {
    match text.starts_with('/') || text.starts_with("**") || text.is_empty() {
        true => Glob::parse_path(text),
        false => Err(format!("a path of {what} begins with `/`, or with `**/`")),
    }
}

/// The rules of a source, or what is wrong with them; nothing if it does not say which they are.
fn policy(
    layer: &Layer,
    node: &Node,
    keyring: Option<&Path>,
    faults: &mut Faults,
) -> Option<Result<(String, Policy), Faults>> {
    if !matches!(node.value, Value::Table(_)) {
        return None;
    }
    let Some(rules) = node.get("rules") else {
        if !is_misspelt(node, &SOURCE) {
            faults.push(layer.doc.fault(&node.span, "a source names its rules file: `rules`"));
        }
        return None;
    };
    let name = rules.as_text()?;
    let source = match text_of(layer, name) {
        Ok(source) => source,
        // Where in the other file it is not UTF-8 is told there.
        Err(fault) if fault.line > 0 => return Some(Err(fault.into())),
        Err(fault) => {
            let mut own = layer.doc.fault(&rules.span, fault.message);
            own.help = fault.help;
            faults.push(own);
            return None;
        }
    };
    Some(Policy::resolve(source, keyring, false).map(|policy| (name.to_owned(), policy)))
}

fn text_of(layer: &Layer, name: &str) -> Result<layer::Source, Fault> {
    if packs::is_pack_name(name) {
        return layer::Source::pack(name).ok_or_else(|| layer::no_pack(Fault::of_file("", 0, ""), name));
    }
    let Some(folder) = &layer.folder else {
        return Err(Fault::of_file("", 0, "a path needs a folder to be relative to"));
    };
    let path = folder.join(name);
    layer::Source::file(&path, &path.to_string_lossy(), 0).map_err(|mut fault| {
        if fault.line == 0 {
            fault.message = format!("{} {}", quoted(name), fault.message);
        }
        fault
    })
}
