//! A document held against the language: unknown keys, wrong types, wrong values, and what comes later.
//! What it lets through may still be wrong in its meaning; that is for [`super::compile`].

use std::ops::Range;

use super::FormatChoice;
use super::document::{Document, Entry, Node, Value};
use super::fault::{Faults, quoted, suggestion};
use super::schema::{ACTIONS, FILE, Key, Shape, Table, is_later};
use crate::time::age::Age;

/// Notes everything in the document that the language does not allow.
pub(crate) fn check(doc: &Document, faults: &mut Faults) {
    Check { doc, faults }.table(&doc.root, &FILE);
}

struct Check<'a> {
    doc: &'a Document,
    faults: &'a mut Faults,
}

impl Check<'_> {
    fn fault(&mut self, span: &Range<usize>, message: impl Into<String>) {
        self.faults.push(self.doc.fault(span, message));
    }

    fn table(&mut self, node: &Node, table: &Table) {
        node.entries().iter().for_each(|entry| self.entry(entry, table));
    }

    fn entry(&mut self, entry: &Entry, table: &Table) {
        match table.keys.iter().find(|key| key.name == entry.key) {
            Some(key) => {
                let path = dotted(table.path, key.name);
                self.later(&path, None, &entry.span, key.name);
                self.value(&entry.node, key, &path);
            }
            None => self.unknown_key(&entry.key, &entry.span, table),
        }
    }

    fn unknown_key(&mut self, name: &str, span: &Range<usize>, table: &Table) {
        let names = table.keys.iter().map(|key| key.name);
        let takes = match table.keys {
            [] => format!("{} takes nothing", table.what),
            keys => format!("{} takes: {}", table.what, list(keys.iter().map(|key| key.name))),
        };
        let help = match suggestion(name, names) {
            Some(meant) => format!("did you mean `{meant}`? {takes}"),
            None => takes,
        };
        let message = format!("unknown key {} in {}", quoted(name), table.what);
        self.faults.push(self.doc.fault(span, message).help(help));
    }

    fn later(&mut self, path: &str, word: Option<&str>, span: &Range<usize>, name: &str) {
        if is_later(path, word) {
            let fault = self.doc.fault(span, format!("`{name}` is not yet supported"));
            self.faults.push(fault.help(later_help(path, word)));
        }
    }

    fn value(&mut self, node: &Node, key: &Key, path: &str) {
        match (key.shape, &node.value) {
            (_, Value::Faulty) => (),
            (Shape::Text, Value::Text(_))
            | (Shape::Truth, Value::Truth(_))
            | (Shape::Date | Shape::Time, Value::Moment) => (),
            (Shape::Whole(low, high), Value::Whole(number)) => self.whole(node, key, *number, low, high),
            (Shape::Word(words), Value::Text(word)) => self.word(node, key, path, word, words),
            (Shape::Age, Value::Text(text)) => self.age(node, key, text),
            (Shape::Date | Shape::Time, Value::Text(text)) => self.moment(node, key, text),
            (Shape::Texts, Value::List(items)) => self.texts(items, key.name),
            (Shape::NamedText, Value::Table(_)) => self.named_text(node, key),
            (Shape::NamedTexts, Value::Table(_)) => self.named_texts(node),
            (Shape::Table(table), Value::Table(_)) => self.table(node, table),
            (Shape::Tables(table), Value::List(items)) => self.tables(items, key, path, table),
            (Shape::Named(table), Value::Table(_)) => self.named(node, table),
            (Shape::WordOr(words, _), Value::Text(word)) => self.word(node, key, "action", word, words),
            (Shape::WordOr(_, table), Value::Table(_)) => self.one_of(node, key, table),
            (shape, value) => self.wrong_type(&node.span, key.name, shape, value),
        }
    }

    fn wrong_type(&mut self, span: &Range<usize>, name: &str, shape: Shape, value: &Value) {
        let message = format!("{} takes {}, not {}", quoted(name), takes(shape), value.name());
        let fault = self.doc.fault(span, message);
        self.faults.push(match (shape, value) {
            (Shape::Texts, Value::Text(text)) => fault.help(format!("write [\"{}\"]", text.escape_debug())),
            (Shape::Tables(_), Value::Table(_)) => fault.help(format!("write [[{name}]]")),
            _ => fault,
        });
    }

    fn whole(&mut self, node: &Node, key: &Key, number: i64, low: i64, high: i64) {
        if !(low..=high).contains(&number) {
            let message = format!("`{}` takes a number from {low} to {high}, not {number}", key.name);
            self.fault(&node.span, message);
        }
    }

    fn word(&mut self, node: &Node, key: &Key, path: &str, word: &str, words: &[&'static str]) {
        if words.contains(&word) {
            return self.later(path, Some(word), &node.span, word);
        }
        let takes = format!("`{}` takes: {}", key.name, list(words.iter().copied()));
        let help = match suggestion(word, words.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`? {takes}"),
            None => takes,
        };
        let fault = self.doc.fault(&node.span, format!("`{}` cannot be {}", key.name, quoted(word)));
        self.faults.push(fault.help(help));
    }

    fn age(&mut self, node: &Node, key: &Key, text: &str) {
        if let Err(help) = Age::parse(text) {
            let message = format!("`{}` takes a span of time, not {}", key.name, quoted(text));
            self.faults.push(self.doc.fault(&node.span, message).help(help));
        }
    }

    fn moment(&mut self, node: &Node, key: &Key, text: &str) {
        let good = match key.shape {
            Shape::Date => text.parse::<jiff::civil::Date>().is_ok(),
            _ => text.parse::<jiff::Timestamp>().is_ok(),
        };
        if !good {
            let message = format!("`{}` takes {}, not {}", key.name, takes(key.shape), quoted(text));
            self.fault(&node.span, message);
        }
    }

    fn texts(&mut self, items: &[Node], name: &str) {
        for item in items {
            match &item.value {
                Value::Text(text) if text.is_empty() => {
                    self.fault(&item.span, format!("an empty text in {}", quoted(name)));
                }
                Value::Text(_) | Value::Faulty => (),
                other => {
                    let message =
                        format!("{} takes a list of texts, and this is {}", quoted(name), other.name());
                    self.fault(&item.span, message);
                }
            }
        }
        if let [first, rest @ ..] = items {
            self.repeats(first, rest, name);
        }
    }

    /// Says that a text stands twice in a list of moderate length.
    fn repeats(&mut self, first: &Node, rest: &[Node], name: &str) {
        let mut seen: std::collections::HashSet<&str> = first.as_text().into_iter().collect();
        for item in rest {
            if let Some(text) = item.as_text()
                && !seen.insert(text)
            {
                self.fault(&item.span, format!("{} stands twice in {}", quoted(text), quoted(name)));
            }
        }
    }

    fn named_text(&mut self, node: &Node, key: &Key) {
        for entry in node.entries() {
            if !matches!(entry.node.value, Value::Text(_) | Value::Faulty) {
                let message = format!("`{}` takes texts, not {}", key.name, entry.node.value.name());
                self.fault(&entry.node.span, message);
            }
        }
    }

    fn named_texts(&mut self, node: &Node) {
        for entry in node.entries() {
            match &entry.node.value {
                Value::List(items) => self.texts(items, &entry.key),
                Value::Faulty => (),
                other => self.wrong_type(&entry.node.span, &entry.key, Shape::Texts, other),
            }
        }
    }

    fn tables(&mut self, items: &[Node], key: &Key, path: &str, table: &Table) {
        for (at, item) in items.iter().enumerate() {
            match &item.value {
                Value::Table(_) => self.table(item, table),
                Value::Faulty => (),
                other => self.wrong_type(&item.span, key.name, key.shape, other),
            }
            if at == 1 && is_later(&format!("{path}[2]"), None) {
                let message = format!("more than one step in `{}` is not yet supported", key.name);
                self.faults.push(self.doc.fault(&item.span, message).help(later_help(path, None)));
            }
        }
    }

    fn named(&mut self, node: &Node, table: &Table) {
        for entry in node.entries() {
            match &entry.node.value {
                Value::Table(_) => self.table(&entry.node, table),
                Value::Faulty => (),
                other => {
                    let message = format!("{} is {}, not a table", quoted(&entry.key), other.name());
                    let help = format!("{} is written [{}.NAME]", table.what, table.path);
                    self.faults.push(self.doc.fault(&entry.span, message).help(help));
                }
            }
        }
    }

    /// An action with parameters: a table with exactly one key.
    fn one_of(&mut self, node: &Node, key: &Key, table: &Table) {
        for entry in node.entries() {
            let known = table.keys.iter().any(|key| key.name == entry.key);
            if !known && ACTIONS.contains(&entry.key.as_str()) {
                let message = format!("`{}` takes no parameters", entry.key);
                let help = format!("write {} = \"{}\"", key.name, entry.key);
                self.faults.push(self.doc.fault(&entry.span, message).help(help));
            } else {
                self.entry(entry, table);
            }
        }
        match node.entries() {
            [] => {
                let fault = self.doc.fault(&node.span, format!("`{}` names no action", key.name));
                self.faults.push(fault.help(format!(
                    "`{}` takes: {}",
                    key.name,
                    list(ACTIONS.iter().copied())
                )));
            }
            [_] => (),
            [_, second, ..] => {
                self.fault(&second.span, format!("`{}` takes one action, and this is a second", key.name));
            }
        }
    }
}

fn dotted(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// What may be written until then.
fn later_help(path: &str, word: Option<&str>) -> String {
    let known = match (path, word) {
        ("input.format", _) => {
            return format!("until then: {}", list(FormatChoice::names()));
        }
        ("rule.retain", _) => "until then: one step without `until`, which acts at any age",
        _ => "it is refused so that nobody relies on it; take it out until a version of logscrub knows it",
    };
    known.to_owned()
}

fn takes(shape: Shape) -> &'static str {
    match shape {
        Shape::Text => "a text",
        Shape::Truth => "true or false",
        Shape::Whole(..) => "a whole number",
        Shape::Word(_) => "a word",
        Shape::Age => "a span of time as a text",
        Shape::Date => "a date such as 2028-12-31",
        Shape::Time => "a time such as 2026-03-01T00:00:00Z",
        Shape::Texts => "a list of texts",
        Shape::NamedText => "a table of names and texts",
        Shape::NamedTexts => "a table of names and lists of texts",
        Shape::Table(_) => "a table",
        Shape::Tables(_) => "a list of tables",
        Shape::Named(_) => "a table of names and tables",
        Shape::WordOr(..) => "the name of an action, or a table with one",
    }
}

/// Whether the table has a key that the language does not know. It is probably what seems to be missing, and was
/// noted already.
pub(crate) fn is_misspelt(node: &Node, table: &Table) -> bool {
    node.entries().iter().any(|entry| table.keys.iter().all(|key| key.name != entry.key))
}

/// `a, b, c`.
pub(crate) fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_later_entry_names_a_key_of_the_language() {
        use super::super::schema::LATER;
        for (path, _) in LATER {
            assert!(knows(&FILE, path.trim_end_matches("[2]")), "{path}");
        }
    }

    fn knows(table: &Table, path: &str) -> bool {
        table.keys.iter().any(|key| {
            dotted(table.path, key.name) == path
                || match key.shape {
                    Shape::Table(inner) | Shape::Tables(inner) | Shape::Named(inner) => knows(inner, path),
                    Shape::WordOr(_, inner) => inner.path == path || knows(inner, path),
                    _ => false,
                }
        })
    }
}
