//! `[[test]]`: records that stand in the rules file, and what must become of them.

use jiff::Timestamp;

use super::document::{Document, Node, Value};
use super::fault::{Faults, quoted};
use super::schema::TEST;
use super::shape::is_misspelt;
use crate::time::age::Age;

/// One `[[test]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// Its name.
    pub name: String,
    /// When it is run.
    pub when: When,
    /// Labels of the input, by which it may be one of a source.
    pub from: Vec<(String, String)>,
    /// The record, without a line end.
    pub input: Vec<u8>,
    /// Must not be in the output.
    pub gone: Vec<Vec<u8>>,
    /// Must be in the output.
    pub stays: Vec<Vec<u8>>,
    /// The whole output.
    pub expect: Option<Vec<u8>>,
}

/// The moment at which a test is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// That of the record; if it has no time of its own, a fixed one.
    New,
    /// `age`: so long after the time of the record. One that has none counts as of that age.
    Old(Age),
    /// `now`.
    At(Timestamp),
}

/// The tests of the file itself. Those of inherited files speak of those files alone.
pub(super) fn read(doc: &Document, faults: &mut Faults) -> Vec<Test> {
    let items = doc.root.get("test").map_or(&[][..], Node::items);
    items.iter().enumerate().filter_map(|(at, node)| test(doc, node, at + 1, faults)).collect()
}

fn test(doc: &Document, node: &Node, number: usize, faults: &mut Faults) -> Option<Test> {
    let Some(input) = node.get("input") else {
        if !is_misspelt(node, &TEST) {
            faults.push(doc.fault(&node.span, "a test has an `input`"));
        }
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
        when: when(doc, node, faults),
        from: labels(node.get("from")),
        input: text.as_bytes().to_vec(),
        gone: bytes("gone"),
        stays: bytes("stays"),
        expect: node.text("expect").map(|text| text.as_bytes().to_vec()),
    })
}

fn labels(from: Option<&Node>) -> Vec<(String, String)> {
    let entries = from.map_or(&[][..], Node::entries).iter();
    entries.filter_map(|entry| Some((entry.key.clone(), entry.node.as_text()?.to_owned()))).collect()
}

fn when(doc: &Document, node: &Node, faults: &mut Faults) -> When {
    if let (Some(_), Some(now)) = (node.get("age"), node.entry("now")) {
        let fault = doc.fault(&now.span, "a test has either `age` or `now`");
        faults.push(fault.help("with `age`, now is the time of the record and so much more"));
    }
    let age = node.text("age").and_then(|text| Age::parse(text).ok());
    let now = node.get("now").and_then(|now| moment(doc, now, faults));
    age.map(When::Old).or(now.map(When::At)).unwrap_or(When::New)
}

/// A time as text, which was looked at before, or as TOML writes it.
fn moment(doc: &Document, node: &Node, faults: &mut Faults) -> Option<Timestamp> {
    let text = match &node.value {
        Value::Moment => doc.text_of(node),
        _ => node.as_text()?,
    };
    let moment = text.parse().ok();
    if moment.is_none() && matches!(node.value, Value::Moment) {
        let fault = doc.fault(&node.span, "`now` takes a time with its offset from UTC");
        faults.push(fault.help("as in 2026-03-01T00:00:00Z"));
    }
    moment
}
