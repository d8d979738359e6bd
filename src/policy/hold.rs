//! `[[hold]]`: legal holds, which suspend what the rules would do to what is stored.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::document::{Document, Node, Value};
use super::fault::{Faults, quoted};
use super::glob::Glob;
use super::layer::Layer;
use super::schema::HOLD;
use super::shape::is_misspelt;
use super::source::{lies_at, path_glob};

/// Holds of one policy.
const HOLDS: usize = 100;
/// Words and patterns of one hold.
const ITEMS: usize = 1000;
/// Bytes of a word: more is no word but a text.
const WORD_BYTES: usize = 1024;
/// Characters of a name: it stands in lists and reports.
const NAME_CHARS: usize = 100;

/// What must stay as it is until a date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Its name; `file/name` if it was inherited.
    pub name: String,
    /// Patterns of the files; none: all files.
    pub paths: Vec<Glob>,
    /// Words of which a record holds one, as a whole word and in any case of ASCII letters; none: all records.
    pub records: Vec<String>,
    /// When it ends: the first moment of its date in UTC.
    pub until: Timestamp,
    /// Why, in the words of whoever wrote it.
    pub why: Option<String>,
}

impl Hold {
    /// Whether it speaks of this file: of all of it, or, if it names words, of records in it. A path counts as it is
    /// given, made absolute, and as the file that links lead to.
    pub fn covers_path(&self, path: &Path) -> bool {
        self.paths.is_empty() || lies_at(path, |path| self.paths.iter().any(|glob| glob.matches(path)))
    }

    /// Whether it has ended.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= self.until
    }

    /// The date at whose first moment it ends.
    pub fn until_date(&self) -> Date {
        TimeZone::UTC.to_datetime(self.until).date()
    }

    /// Whether no file can lie where its patterns say: paths are compared in the form that names a file.
    pub(super) fn can_never_hold(&self) -> bool {
        let names_no_file = |glob: &Glob| {
            let glob = glob.to_string();
            glob.ends_with('/') || ["//", "/./", "/../"].iter().any(|part| glob.contains(part))
        };
        !self.paths.is_empty() && self.paths.iter().all(names_no_file)
    }
}

/// Reads the holds of all files. `may_have`: they may have any.
pub(super) fn read(layers: &[Layer], may_have: bool, faults: &mut Faults) -> Vec<Hold> {
    let mut holds: Vec<Hold> = Vec::new();
    for layer in layers {
        let Some(list) = layer.doc.root.get("hold") else { continue };
        if !may_have {
            let span = list.items().first().map_or(&list.span, |first| &first.span);
            let fault = layer.doc.fault(span, "a file that a source takes has no `[[hold]]` itself");
            faults.push(fault.help("all of them belong into the file that is named on the command line"));
            continue;
        }
        if holds.len() + list.items().len() > HOLDS {
            faults.push(layer.doc.fault(&list.span, format!("more than {HOLDS} holds")));
            continue;
        }
        for node in list.items() {
            let Some(hold) = hold(layer, node, faults) else { continue };
            if holds.iter().any(|other| other.name == hold.name) {
                faults.push(
                    layer.doc.fault(&node.span, format!("two holds are called {}", quoted(&hold.name))),
                );
            }
            holds.push(hold);
        }
    }
    holds
}

fn hold(layer: &Layer, node: &Node, faults: &mut Faults) -> Option<Hold> {
    if !matches!(node.value, Value::Table(_)) {
        return None;
    }
    let doc = &layer.doc;
    let before = faults.len();
    let name = name(doc, node, faults);
    let says_what = ["path", "records"].iter().any(|key| node.get(key).is_some_and(|list| !is_empty(list)));
    if !says_what && !is_misspelt(node, &HOLD) {
        faults.push(doc.fault(&node.span, "a hold says what it holds: `path`, `records`, or both"));
    }
    let paths = paths(doc, node, faults);
    let records = records(doc, node, faults);
    let until = until(doc, node, faults);
    let why = node.text("why").map(str::to_owned);
    let name = name.map(|name| format!("{}{name}", layer.prefix));
    (faults.len() == before && says_what).then_some(())?;
    Some(Hold { name: name?, paths, records, until: until?, why })
}

fn is_empty(list: &Node) -> bool {
    matches!(&list.value, Value::List(items) if items.is_empty())
}

fn name(doc: &Document, node: &Node, faults: &mut Faults) -> Option<String> {
    let Some(written) = node.get("name") else {
        if !is_misspelt(node, &HOLD) {
            faults.push(doc.fault(&node.span, "a hold has a `name`"));
        }
        return None;
    };
    let name = written.as_text()?;
    if name.trim().is_empty() || name.chars().any(char::is_control) || name.chars().count() > NAME_CHARS {
        let message = format!("the name of a hold has 1 to {NAME_CHARS} characters on one line");
        faults.push(doc.fault(&written.span, message));
    }
    Some(name.to_owned())
}

fn paths(doc: &Document, node: &Node, faults: &mut Faults) -> Vec<Glob> {
    let mut globs = Vec::new();
    too_many(doc, node, "path", faults);
    // That a text is empty was noted when the file was held against the language.
    for (text, span) in node.texts("path").take(ITEMS).filter(|(text, _)| !text.is_empty()) {
        match path_glob(text, "a hold") {
            Ok(glob) => globs.push(glob),
            Err(wrong) => faults.push(doc.fault(span, wrong)),
        }
    }
    globs
}

fn records(doc: &Document, node: &Node, faults: &mut Faults) -> Vec<String> {
    too_many(doc, node, "records", faults);
    for (text, span) in node.texts("records").take(ITEMS) {
        if !text.is_empty() && text.trim().is_empty()
            || text.chars().any(char::is_control)
            || text.len() > WORD_BYTES
        {
            let message = format!("a word of `records` has 1 to {WORD_BYTES} bytes on one line");
            faults.push(doc.fault(span, message));
        }
    }
    node.texts("records").map(|(text, _)| text.to_owned()).collect()
}

fn too_many(doc: &Document, node: &Node, key: &str, faults: &mut Faults) {
    if let Some(list) = node.get(key)
        && list.items().len() > ITEMS
    {
        faults.push(doc.fault(&list.span, format!("more than {ITEMS} entries in `{key}`")));
    }
}

/// The first moment of the date, which is written as TOML does or as a text.
fn until(doc: &Document, node: &Node, faults: &mut Faults) -> Option<Timestamp> {
    const DATE_BYTES: usize = "2028-12-31".len();
    let Some(written) = node.get("until") else {
        if !is_misspelt(node, &HOLD) {
            let fault = doc.fault(&node.span, "a hold has an end: `until`");
            faults.push(fault.help("at the first moment of that date in UTC it is over; it can be moved on"));
        }
        return None;
    };
    let text = match &written.value {
        Value::Moment => doc.text_of(written),
        _ => written.as_text()?,
    };
    let date = text.parse::<Date>().ok();
    let moment = date.filter(|_| text.len() == DATE_BYTES);
    let moment = moment.and_then(|date| TimeZone::UTC.to_timestamp(date.into()).ok());
    // A text that is no date at all was noted when the file was held against the language.
    if moment.is_none() && (date.is_some() || matches!(written.value, Value::Moment)) {
        faults.push(doc.fault(&written.span, "`until` takes a date such as 2028-12-31, without a time"));
    }
    moment
}
