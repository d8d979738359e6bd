//! What a policy gives names to: kinds, groups, lists, detectors.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use super::built_in;
use super::document::{Document, Entry, Node, Value};
use super::fault::{Fault, Faults, quoted, suggestion};
use super::layer::Layer;
use super::schema::{DETECTOR, LATER_KINDS};
use super::shape::is_misspelt;
use super::show;
use crate::checksum::Checksum;
use crate::detect::list::List;
use crate::detect::pattern::Pattern;
use crate::detect::{Detectors, Scratch};
use crate::error::reason;
use crate::kind::{BUILT_IN, Kind, KindSet, Kinds, NAME_BYTES};

/// The kinds that this version finds without being told how.
pub(super) const FOUND: &[Kind] = &[
    Kind::EMAIL,
    Kind::IPV4,
    Kind::IPV6,
    Kind::PAN,
    Kind::PRIVATE_KEY,
    Kind::JWT,
    Kind::BASIC_AUTH,
    Kind::BEARER,
];
/// Those of them that let somebody in.
pub(super) const SECRET: &[Kind] = &[Kind::PRIVATE_KEY, Kind::JWT, Kind::BASIC_AUTH, Kind::BEARER];

/// The groups of the language. `all` also holds a policy's own detectors and lists.
pub(super) const GROUPS: &[(&str, &[Kind])] = &[
    ("ip", &[Kind::IPV4, Kind::IPV6]),
    ("contact", &[Kind::EMAIL]),
    ("finance", &[Kind::PAN]),
    ("secret", SECRET),
    ("all", FOUND),
];

/// Lists, detectors and groups of one policy, of each.
const NAMES: usize = 1000;
/// Groups within groups.
const GROUP_LEVELS: usize = 20;
/// Bytes of the file of a list.
const LIST_BYTES: u64 = 64 << 20;

/// All names of one policy.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) kinds: Kinds,
    pub(super) lists: Vec<Arc<List>>,
    pub(super) list_names: Vec<String>,
    pub(super) patterns: Vec<Arc<Pattern>>,
    /// Lists and detectors as [`show`] writes them.
    pub(super) definitions: Vec<String>,
    /// The kinds of lists and detectors.
    pub(super) own: Vec<Kind>,
    groups: Vec<(String, KindSet)>,
    /// Names of all own groups, those not yet resolved included.
    group_names: Vec<String>,
}

impl Names {
    /// Reads `[lists]`, `[detectors]` and `[groups]` of all files.
    pub(super) fn read(layers: &[Layer], faults: &mut Faults) -> Names {
        let mut names = Names::default();
        for (layer, entry) in entries(layers, "lists") {
            names.list(layer, entry, faults);
        }
        for (layer, entry) in entries(layers, "detectors") {
            names.detector(&layer.doc, entry, faults);
        }
        names.groups(layers, faults);
        names
    }

    /// A new kind of that name, unless the name is taken or not one.
    fn claim(&mut self, doc: &Document, entry: &Entry, faults: &mut Faults) -> Option<Kind> {
        if let Err(fault) = free_name(doc, &entry.key, &entry.span) {
            faults.push(fault);
            return None;
        }
        if self.kinds.get(&entry.key).is_some() {
            faults.push(doc.fault(
                &entry.span,
                format!("{} is already the name of a list or detector", quoted(&entry.key)),
            ));
            return None;
        }
        if self.own.len() >= NAMES {
            faults.push(doc.fault(&entry.span, format!("more than {NAMES} lists and detectors")));
            return None;
        }
        let kind = self.kinds.intern(&entry.key);
        self.own.push(kind);
        Some(kind)
    }

    fn list(&mut self, layer: &Layer, entry: &Entry, faults: &mut Faults) {
        let Some(kind) = self.claim(&layer.doc, entry, faults) else { return };
        self.list_names.push(entry.key.clone()); // a faulty one too, so that its uses are no faults of their own
        if !matches!(entry.node.value, Value::Table(_)) {
            return;
        }
        let ignore_case = entry.node.truth("ignore_case");
        let made = list_entries(layer, entry).and_then(|entries| {
            let shown = show::list(&entry.key, &entries, ignore_case);
            List::new(kind, entries, ignore_case)
                .map(|list| (list, shown))
                .map_err(|message| layer.doc.fault(&entry.span, message))
        });
        match made {
            Ok((list, shown)) => {
                self.lists.push(Arc::new(list));
                self.definitions.push(shown);
            }
            Err(fault) => faults.push(fault),
        }
    }

    fn detector(&mut self, doc: &Document, entry: &Entry, faults: &mut Faults) {
        let Some(kind) = self.claim(doc, entry, faults) else { return };
        let node = &entry.node;
        let Some((text, span)) = node.get("regex").and_then(|regex| Some((regex.as_text()?, &regex.span)))
        else {
            if node.get("regex").is_none()
                && !is_misspelt(node, &DETECTOR)
                && matches!(node.value, Value::Table(_))
            {
                faults.push(
                    doc.fault(&entry.span, format!("the detector {} has no `regex`", quoted(&entry.key))),
                );
            }
            return;
        };
        let checksum = match node.text("checksum") {
            Some("luhn") => Some(Checksum::Luhn),
            Some("mod97") => Some(Checksum::Mod97),
            _ => None,
        };
        let keywords = node.owned_texts("keywords");
        match Pattern::new(kind, text, checksum, keywords.clone()) {
            Ok(pattern) => {
                examples(doc, node, &pattern, faults);
                self.patterns.push(Arc::new(pattern));
                self.definitions.push(show::detector(&entry.key, text, node.text("checksum"), &keywords));
            }
            Err(message) => faults.push(doc.fault(span, one_line(&message))),
        }
    }

    fn groups(&mut self, layers: &[Layer], faults: &mut Faults) {
        let mut written: Vec<(&Document, &Entry)> = Vec::new();
        for (layer, entry) in entries(layers, "groups") {
            let taken = written.iter().any(|(_, other)| other.key == entry.key);
            if let Err(fault) = free_name(&layer.doc, &entry.key, &entry.span) {
                faults.push(fault);
            } else if taken || self.kinds.get(&entry.key).is_some() {
                faults.push(
                    layer.doc.fault(
                        &entry.span,
                        format!("{} is already a name of this policy", quoted(&entry.key)),
                    ),
                );
            } else if written.len() >= NAMES {
                faults.push(layer.doc.fault(&entry.span, format!("more than {NAMES} groups")));
            } else {
                written.push((&layer.doc, entry));
            }
        }
        self.group_names = written.iter().map(|(_, entry)| entry.key.clone()).collect();
        for (_, entry) in &written {
            self.group(&entry.key, &written, &mut Vec::new(), faults);
        }
    }

    /// Resolves a group and those within it.
    fn group<'a>(
        &mut self,
        name: &'a str,
        written: &[(&'a Document, &'a Entry)],
        chain: &mut Vec<&'a str>,
        faults: &mut Faults,
    ) {
        let known = self.groups.iter().any(|(group, _)| group == name);
        let Some((doc, entry)) = written.iter().find(|(_, entry)| entry.key == name) else { return };
        if known {
            return;
        }
        chain.push(name);
        let mut kinds = KindSet::default();
        for item in entry.node.items() {
            let Some(member) = item.as_text().filter(|member| !member.is_empty()) else { continue };
            if chain.contains(&member) {
                let message = format!("the group {} holds itself", quoted(member));
                faults.push(doc.fault(&item.span, message));
                continue;
            }
            if chain.len() >= GROUP_LEVELS {
                faults.push(
                    doc.fault(&item.span, format!("groups within groups, more than {GROUP_LEVELS} deep")),
                );
                continue;
            }
            self.group(member, written, chain, faults);
            match self.resolve(member) {
                Ok(found) => found.iter().for_each(|kind| kinds.insert(kind)),
                Err(wrong) => faults.push(wrong.at(doc, &item.span)),
            }
        }
        chain.pop();
        self.groups.push((name.to_owned(), kinds));
    }

    /// What a name in `find` means.
    pub(super) fn resolve(&self, name: &str) -> Result<KindSet, Unresolved> {
        if let Some(kind) = self.kinds.get(name)
            && (FOUND.contains(&kind) || kind == Kind::RECORD_TIME || self.own.contains(&kind))
        {
            return Ok(KindSet::from_iter([kind]));
        }
        if let Some((_, kinds)) = self.groups.iter().find(|(group, _)| group == name) {
            return Ok(kinds.clone());
        }
        if let Some((_, kinds)) = GROUPS.iter().find(|(group, _)| *group == name) {
            let own: &[Kind] = if name == "all" { &self.own } else { &[] };
            return Ok(kinds.iter().chain(own).copied().collect());
        }
        if LATER_KINDS.contains(&name) {
            return Err(Unresolved::later(name));
        }
        if self.kinds.get(name) == Some(Kind::FIELD) {
            return Err(Unresolved {
                message: "`field` is the kind of a value that nothing finds".to_owned(),
                help: "to cover a field whatever it holds, write field = [\"NAME\"] in place of `find`"
                    .to_owned(),
            });
        }
        Err(self.unknown(name))
    }

    fn unknown(&self, name: &str) -> Unresolved {
        let known = || {
            let kinds = FOUND.iter().chain(&self.own).map(|kind| self.kinds.name(*kind));
            let groups = GROUPS.iter().map(|(group, _)| *group);
            kinds.chain(groups).chain(self.group_names.iter().map(String::as_str))
        };
        let meant =
            suggestion(name, known()).map_or(String::new(), |meant| format!("did you mean `{meant}`? "));
        let some: Vec<&str> = known().take(40).collect();
        Unresolved {
            message: format!("no kind or group is called {}", quoted(name)),
            help: format!("{meant}known are: {}", some.join(", ")),
        }
    }

    /// Whether any detector of this policy finds something in a replacement text.
    pub(super) fn find_something_in(&self, text: &str) -> bool {
        let kinds: KindSet = FOUND.iter().copied().collect();
        // A file that is built in and faulty is a fault of every policy that asks for its kind.
        let built_in = built_in::patterns(&kinds).unwrap_or_default();
        let patterns = self.patterns.iter().cloned().chain(built_in).collect();
        let detectors = Detectors::new(kinds, patterns, self.lists.clone());
        let mut found = Vec::new();
        detectors.find(text.as_bytes(), &mut Scratch::default(), &mut found);
        !found.is_empty()
    }

    /// The kind that `as` names, made if it is new.
    pub(super) fn kind_of_field(
        &mut self,
        doc: &Document,
        name: &str,
        span: &Range<usize>,
    ) -> Result<Kind, Fault> {
        let is_group = GROUPS.iter().any(|(group, _)| *group == name)
            || self.groups.iter().any(|(group, _)| group == name);
        if is_group {
            return Err(doc.fault(span, format!("{} is a group, and `as` takes one kind", quoted(name))));
        }
        well_formed(doc, name, span)?;
        Ok(self.kinds.intern(name))
    }
}

/// Why a name means nothing.
#[derive(Debug)]
pub(super) struct Unresolved {
    message: String,
    help: String,
}

impl Unresolved {
    fn later(name: &str) -> Unresolved {
        Unresolved {
            message: format!("`{name}` is not yet supported"),
            help: "no detector of this version finds it".to_owned(),
        }
    }

    pub(super) fn at(self, doc: &Document, span: &Range<usize>) -> Fault {
        doc.fault(span, self.message).help(self.help)
    }
}

/// The entries of a table of names, of all files.
fn entries<'a>(layers: &'a [Layer], table: &'static str) -> impl Iterator<Item = (&'a Layer, &'a Entry)> {
    layers.iter().flat_map(move |layer| {
        let entries = layer.doc.root.get(table).map_or(&[][..], Node::entries);
        entries.iter().map(move |entry| (layer, entry))
    })
}

fn well_formed(doc: &Document, name: &str, span: &Range<usize>) -> Result<(), Fault> {
    if Kinds::is_name(name) {
        return Ok(());
    }
    let help = format!("a letter, then letters, digits and `_`, all lower case, at most {NAME_BYTES}");
    Err(doc.fault(span, format!("{} cannot be the name of a kind", quoted(name))).help(help))
}

fn free_name(doc: &Document, name: &str, span: &Range<usize>) -> Result<(), Fault> {
    well_formed(doc, name, span)?;
    let taken =
        |what| Err(doc.fault(span, format!("{} is {what}, and its meaning may not change", quoted(name))));
    if BUILT_IN.contains(&name) || LATER_KINDS.contains(&name) {
        return taken("a built-in kind");
    }
    if GROUPS.iter().any(|(group, _)| *group == name) {
        return taken("a built-in group");
    }
    Ok(())
}

fn list_entries(layer: &Layer, entry: &Entry) -> Result<Vec<Vec<u8>>, Fault> {
    let fault = |message: String| layer.doc.fault(&entry.span, message);
    let name = quoted(&entry.key);
    let entries: Vec<Vec<u8>> = match (entry.node.get("file"), entry.node.get("words")) {
        (Some(_), Some(words)) => {
            return Err(layer.doc.fault(&words.span, format!("the list {name} has both `file` and `words`")));
        }
        (None, None) => return Err(fault(format!("the list {name} has neither `file` nor `words`"))),
        (None, Some(_)) => entry.node.texts("words").map(|(word, _)| word.as_bytes().to_vec()).collect(),
        (Some(file), None) => match file.as_text() {
            Some(path) => read_list(layer, path).map_err(|message| layer.doc.fault(&file.span, message))?,
            None => return Err(fault(format!("the list {name} has no file"))),
        },
    };
    if entries.is_empty() { Err(fault(format!("the list {name} is empty"))) } else { Ok(entries) }
}

/// The files that lists are read from.
pub(super) fn list_files(layers: &[Layer]) -> impl Iterator<Item = PathBuf> {
    entries(layers, "lists").filter_map(|(layer, entry)| {
        let path = entry.node.get("file").and_then(Node::as_text)?;
        layer.folder.as_ref().map(|folder| folder.join(path))
    })
}

/// One entry a line; `#` begins a comment line; blank lines do not count.
fn read_list(layer: &Layer, path: &str) -> Result<Vec<Vec<u8>>, String> {
    use std::io::Read;
    let folder = layer.folder.as_ref().ok_or("a path needs a folder to be relative to")?;
    let mut bytes = Vec::new();
    std::fs::File::open(folder.join(path))
        .and_then(|file| file.take(LIST_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("{} cannot be read: {}", quoted(path), reason(&error)))?;
    if bytes.len() as u64 > LIST_BYTES {
        return Err(format!("{} is longer than {LIST_BYTES} bytes", quoted(path)));
    }
    let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    Ok(lines.filter(|line| !line.is_empty() && line[0] != b'#').map(<[u8]>::to_vec).collect())
}

/// The regex crate draws the pattern with a caret of its own over several lines; the last one says what is wrong.
fn one_line(message: &str) -> &str {
    let last = message.trim_end().lines().next_back().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last)
}

/// Tries a detector on the examples that stand beside it.
fn examples(doc: &Document, node: &Node, pattern: &Pattern, faults: &mut Faults) {
    let Some(examples) = node.get("examples") else { return };
    for (text, span) in examples.texts("match") {
        if !pattern.is_in(text.as_bytes()) {
            faults.push(doc.fault(span, "the detector finds nothing in this example"));
        }
    }
    for (text, span) in examples.texts("ignore") {
        if pattern.is_in(text.as_bytes()) {
            faults.push(
                doc.fault(span, "the detector finds something in this example, which it should ignore"),
            );
        }
    }
}
