//! A rules file as a tree whose every part knows its place.

use std::cell::Cell;
use std::ops::Range;

use toml::de::{DeTable, DeValue};
use toml_parser::lexer::TokenKind;

use super::fault::{Fault, Faults, Place};

/// Names of a dotted key. The toml crate allows 80 in each of 80 nested tables, which is a tree so deep that to
/// free it overflows the stack of a thread (2 MiB, measured in a debug build).
const KEY_NAMES: usize = 16;
/// Levels of tables and lists. The language has six; the bound keeps the walk over the tree off the stack's end.
const LEVELS: usize = 64;
/// Syntax faults that are shown: those after the first are often only its echo.
const SYNTAX_FAULTS: usize = 10;

/// One file, read.
#[derive(Debug)]
pub(crate) struct Document {
    file: String,
    rank: usize,
    text: String,
    faults_made: Cell<usize>,
    /// The tree; empty if the file is not TOML.
    pub(crate) root: Node,
}

/// A value and where it stands. A table's place is its header.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) span: Range<usize>,
    pub(crate) value: Value,
}

#[derive(Debug)]
pub(crate) enum Value {
    Text(String),
    Whole(i64),
    Fraction,
    Truth(bool),
    /// A date, a time, or both, as TOML writes it.
    Moment,
    List(Vec<Node>),
    Table(Vec<Entry>),
    /// Nested beyond [`LEVELS`], or a number beyond 64 bits; the fault is already noted.
    Faulty,
}

/// A key with its value, in the order of the file.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) span: Range<usize>,
    pub(crate) node: Node,
}

impl Document {
    /// Reads a file. The second part holds what is wrong with it as TOML.
    pub(crate) fn read(file: &str, rank: usize, text: String) -> (Document, Faults) {
        let mut faults = Faults::default();
        let made = Cell::new(0);
        if let Some(fault) = long_key(Place { file, rank, text: &text, made: &made }) {
            faults.push(fault);
            let root = Node { span: 0..0, value: Value::Table(Vec::new()) };
            return (Document { file: file.to_owned(), rank, text, faults_made: made, root }, faults);
        }
        let root = {
            let place = Place { file, rank, text: &text, made: &made };
            let (tree, errors) = DeTable::parse_recoverable(&text);
            syntax_faults(place, &errors, &mut faults);
            let root = table(place, tree.get_ref(), 0, &mut faults);
            Node { span: 0..0, value: root }
        };
        (Document { file: file.to_owned(), rank, text, faults_made: made, root }, faults)
    }

    pub(crate) fn place(&self) -> Place<'_> {
        Place { file: &self.file, rank: self.rank, text: &self.text, made: &self.faults_made }
    }

    /// A fault at these bytes of the file.
    pub(crate) fn fault(&self, span: &Range<usize>, message: impl Into<String>) -> Fault {
        self.place().fault(span, message)
    }

    /// A fault of the file as a whole.
    pub(crate) fn fault_of_file(&self, message: impl Into<String>) -> Fault {
        Fault::of_file(&self.file, self.rank, message)
    }

    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// A value as it is written.
    pub(crate) fn text_of(&self, node: &Node) -> &str {
        self.text.get(node.span.clone()).unwrap_or_default()
    }
}

/// A key of too many names, found by its tokens alone.
fn long_key(place: Place<'_>) -> Option<Fault> {
    let mut dots = 0;
    for token in toml_parser::Source::new(place.text).lex() {
        match token.kind() {
            TokenKind::Dot => dots += 1,
            TokenKind::Whitespace | TokenKind::Atom | TokenKind::LiteralString | TokenKind::BasicString => (),
            _ => dots = 0,
        }
        if dots >= KEY_NAMES {
            let span = token.span().start()..token.span().end();
            return Some(place.fault(&span, format!("more than {KEY_NAMES} names in a key")));
        }
    }
    None
}

/// The first fault of each line. Its words come from the grammar alone, never from the file.
fn syntax_faults(place: Place<'_>, errors: &[toml::de::Error], faults: &mut Faults) {
    let mut lines = Vec::new();
    for error in errors {
        let fault = match error.span() {
            Some(span) => place.fault(&span, error.message()),
            None => Fault::of_file(place.file, place.rank, error.message()),
        };
        if lines.len() < SYNTAX_FAULTS && !lines.contains(&fault.line) {
            lines.push(fault.line);
            faults.push(fault);
        }
    }
}

fn table(place: Place<'_>, tree: &DeTable<'_>, level: usize, faults: &mut Faults) -> Value {
    let mut entries: Vec<Entry> = tree
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            span: key.span(),
            node: node(place, value, level + 1, faults),
        })
        .collect();
    entries.sort_by_key(|entry| entry.span.start);
    Value::Table(entries)
}

fn node(place: Place<'_>, tree: &toml::Spanned<DeValue<'_>>, level: usize, faults: &mut Faults) -> Node {
    let span = tree.span();
    if level > LEVELS {
        faults.push(place.fault(&span, "tables and lists are nested too deeply"));
        return Node { span, value: Value::Faulty };
    }
    let value = match tree.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(digits) => match i64::from_str_radix(digits.as_str(), digits.radix()) {
            Ok(number) => Value::Whole(number),
            Err(_) => {
                faults.push(place.fault(&span, "a number beyond 64 bits"));
                Value::Faulty
            }
        },
        DeValue::Float(_) => Value::Fraction,
        DeValue::Boolean(truth) => Value::Truth(*truth),
        DeValue::Datetime(_) => Value::Moment,
        DeValue::Array(items) => {
            Value::List(items.iter().map(|item| node(place, item, level + 1, faults)).collect())
        }
        DeValue::Table(inner) => table(place, inner, level, faults),
    };
    Node { span, value }
}

impl Node {
    /// The entries of a table; of anything else none.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Table(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; of anything else none.
    pub(crate) fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text under a key.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Node::as_text)
    }

    /// The truth under a key; false if there is none.
    pub(crate) fn truth(&self, key: &str) -> bool {
        matches!(self.get(key), Some(Node { value: Value::Truth(true), .. }))
    }

    /// The texts of a list under a key, each with its place.
    pub(crate) fn texts(&self, key: &str) -> impl Iterator<Item = (&str, &Range<usize>)> {
        let items = self.get(key).map_or(&[][..], Node::items);
        items.iter().filter_map(|item| item.as_text().map(|text| (text, &item.span)))
    }

    /// The same without the places.
    pub(crate) fn owned_texts(&self, key: &str) -> Vec<String> {
        self.texts(key).map(|(text, _)| text.to_owned()).collect()
    }
}

impl Value {
    /// What it is, for a message.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Value::Text(_) => "a text",
            Value::Whole(_) => "a number",
            Value::Fraction => "a number with a fraction",
            Value::Truth(_) => "true or false",
            Value::Moment => "a date or time",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Faulty => "a faulty value",
        }
    }
}
