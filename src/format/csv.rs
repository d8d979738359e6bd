//! Separated values: `csv` (RFC 4180) and `tsv`, the same with tabs.
//!
//! A header line, or the policy, names the columns; without either they have numbers only. Records are lines: what holds
//! a line feed in quotes cannot be read, nor what has another number of cells than the header. See
//! [`Format::is_broken`] for what becomes of those.

use super::{Columns, Field, Fields, Format, Head, Layer, NotThis, Opens, Role};
use crate::decoded::Decoded;
use crate::span::Span;

/// Values with commas between them, or semicolons if the header says so.
pub const CSV: Separated = Separated { name: "csv", separators: b",;" };

/// Values with tabs between them.
pub const TSV: Separated = Separated { name: "tsv", separators: b"\t" };

/// A format whose records are values with separators between them.
#[derive(Debug)]
pub struct Separated {
    name: &'static str,
    /// What may stand between the values; the first where nothing says which.
    separators: &'static [u8],
}

/// Fewest cells of a header that nothing but its look makes one.
const MIN_CELLS: usize = 3;

/// Longest name of a column, in bytes.
const MAX_NAME_BYTES: usize = 64;

const TAB: u8 = b'\t';

const BOM: &[u8] = b"\xef\xbb\xbf";

impl Format for Separated {
    fn name(&self) -> &'static str {
        self.name
    }

    fn fields(&self, record: &[u8], head: &Head, out: &mut Fields) -> Result<(), NotThis> {
        let columns = head.columns_of(self);
        if record.is_empty() || columns.is_none() && !head.is_only(self) {
            return Err(NotThis);
        }
        let separator = columns.map_or(self.separators[0], |columns| columns.separator);
        let around = out.push(Field::new(Role::Object, Span::new(0, record.len())));
        let first = out.list.len();
        Reader::new(record, separator).each_cell(|cell| {
            out.push(Field { parent: Some(around), ..cell });
        })?;
        match columns {
            Some(columns) if out.list.len() - first != columns.names.len() => return Err(NotThis),
            Some(columns) => name(record, columns, first, out),
            None => number(&mut out.list[first..]),
        }
        Ok(())
    }

    fn decode(&self, text: &[u8], _: &Field, span: Span, out: &mut Decoded) {
        decode(text, span, out);
    }

    /// In quotes a quote is doubled. In a bare cell of which a part stays nothing can be quoted any more; a quote may
    /// stand in one that begins otherwise, as JSON does.
    fn escape(&self, cell: &Field, text: &[u8], whole: bool, out: &mut Vec<u8>) {
        let quoted = cell.is_quoted() || whole && !self.quote(cell, text).is_empty();
        let bare_json = cell.opens == Opens::Json && cell.sort == TAB;
        for byte in text {
            match byte {
                b'\n' => out.push(b'_'),
                b'"' if quoted => out.extend_from_slice(b"\"\""),
                b'"' if bare_json => out.push(b'"'),
                _ if !quoted && is_special(cell, *byte) => out.push(b'_'),
                _ => out.push(*byte),
            }
        }
    }

    fn quote(&self, cell: &Field, text: &[u8]) -> &'static [u8] {
        let needed = !cell.is_quoted() && text.iter().any(|byte| is_special(cell, *byte));
        if needed { b"\"" } else { b"" }
    }

    /// What goes leaves an empty cell, in quotes if there were quotes. One alone needs them: many readers pass over
    /// empty lines.
    fn remove(&self, fields: &Fields, layer: &Layer, gone: &[usize], out: &mut Vec<(Span, &'static [u8])>) {
        let alone = layer.fields.len() == 2;
        for cell in gone.iter().map(|at| &fields.list[*at]) {
            let text: &[u8] = if alone && !cell.is_quoted() { b"\"\"" } else { b"" };
            out.push((cell.value, text));
        }
    }

    fn header(&self, record: &[u8]) -> Option<Columns> {
        self.header_that(Look::Alone, record)
    }

    fn header_of_its_own(&self, record: &[u8]) -> Option<Columns> {
        self.header_that(Look::Named, record)
    }

    /// Once the format is named every line is a record of its own, or a part of one. Where only a header told it, there
    /// may be others in between; a quote that nothing closes on the line is one of those that hold line feeds.
    fn is_broken(&self, record: &[u8], head: &Head) -> bool {
        let quotes = || memchr::memchr_iter(b'"', record).count();
        !record.is_empty() && (head.is_only(self) || head.columns_of(self).is_some() && quotes() % 2 == 1)
    }

    fn has_columns(&self) -> bool {
        true
    }
}

impl Separated {
    /// The columns that a header names, with the separator that parts it into most names.
    fn header_that(&self, look: Look, record: &[u8]) -> Option<Columns> {
        let columns = |separator: &u8| {
            let names = names(record, *separator, look)?;
            Some(Columns { format: self.name, separator: *separator, names })
        };
        let fewest = if look == Look::Alone { MIN_CELLS } else { 1 };
        let most = self.separators.iter().rev().filter_map(columns).max_by_key(|columns| columns.names.len());
        most.filter(|columns| columns.names.len() >= fewest)
    }
}

/// Names the cells. A header, which is a record that holds the names themselves, has names and no values.
fn name(record: &[u8], columns: &Columns, first: usize, out: &mut Fields) {
    let mut cells = columns.names.iter().zip(&out.list[first..]);
    if cells.all(|(name, cell)| content(record, cell).trim_ascii() == name) {
        out.list[first..].iter_mut().for_each(|cell| (cell.role, cell.opens) = (Role::Name, Opens::No));
        return;
    }
    number(&mut out.list[first..]);
    for (at, name) in columns.names.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
        out.list[first + at].name = out.give_name(name);
    }
}

fn number(cells: &mut [Field]) {
    cells.iter_mut().zip(1..).for_each(|(cell, number)| cell.column = number);
}

struct Reader<'r> {
    record: &'r [u8],
    separator: u8,
    at: usize,
}

impl<'r> Reader<'r> {
    fn new(record: &'r [u8], separator: u8) -> Reader<'r> {
        Reader { record, separator, at: if record.starts_with(BOM) { BOM.len() } else { 0 } }
    }

    fn each_cell(mut self, mut each: impl FnMut(Field)) -> Result<(), NotThis> {
        loop {
            each(Field { sort: self.separator, ..self.cell()? });
            if self.at == self.record.len() {
                return Ok(());
            }
            self.at += 1;
        }
    }

    /// The cell that begins here, up to a separator or the end. Few writers quote what stands between tabs, so that
    /// there quotes may stand within a bare cell.
    fn cell(&mut self) -> Result<Field, NotThis> {
        let (start, rest) = (self.at, &self.record[self.at..]);
        if rest.first() == Some(&b'"') {
            return self.quoted();
        }
        let length = memchr::memchr(self.separator, rest).unwrap_or(rest.len());
        let text = &rest[..length];
        if self.separator != TAB && memchr::memchr(b'"', text).is_some() {
            return Err(NotThis);
        }
        self.at += length;
        let value = Span::new(start, self.at);
        Ok(Field { opens: opens(text), ..Field::new(Role::Text, value) })
    }

    fn quoted(&mut self) -> Result<Field, NotThis> {
        let start = self.at;
        self.at += 1;
        let mut escaped = false;
        loop {
            let rest = self.record.get(self.at..).unwrap_or_default();
            self.at += memchr::memchr(b'"', rest).ok_or(NotThis)?;
            if self.record.get(self.at + 1) != Some(&b'"') {
                break;
            }
            (self.at, escaped) = (self.at + 2, true);
        }
        let value = Span::new(start + 1, self.at);
        self.at += 1;
        if self.record.get(self.at).is_some_and(|byte| *byte != self.separator) {
            return Err(NotThis);
        }
        let (whole, opens) = (Span::new(start, self.at), opens(value.of(self.record)));
        Ok(Field { whole, escaped, opens, ..Field::new(Role::Text, value) })
    }
}

/// Whether a cell may be JSON.
fn opens(text: &[u8]) -> Opens {
    match (text.first(), text.last()) {
        (Some(b'{' | b'['), Some(b'}' | b']')) => Opens::Json,
        _ => Opens::No,
    }
}

fn content(record: &[u8], cell: &Field) -> Vec<u8> {
    let mut content = Decoded::default();
    decode(record, cell.value, &mut content);
    if cell.escaped { content.bytes } else { cell.value.of(record).to_vec() }
}

fn decode(text: &[u8], span: Span, out: &mut Decoded) {
    let mut at = span.start;
    while at < span.end {
        if text[at..span.end].starts_with(b"\"\"") {
            out.push(b"\"", Span::new(at, at + 2));
            at += 2;
        } else {
            let rest = &text[at + 1..span.end];
            let length = 1 + memchr::memchr(b'"', rest).unwrap_or(rest.len());
            out.push_verbatim(&text[at..at + length], at);
            at += length;
        }
    }
}

/// Whether readers would take the byte for more than text where there are no quotes around.
fn is_special(cell: &Field, byte: u8) -> bool {
    byte == cell.sort || matches!(byte, b'"' | b'\r' | b'\n')
}

/// What makes a header one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    /// Nothing but its look.
    Alone,
    /// The policy names the format.
    Named,
}

fn names(record: &[u8], separator: u8, look: Look) -> Option<Vec<Vec<u8>>> {
    let mut names: Vec<Vec<u8>> = Vec::new();
    let mut are_names = true;
    let cells = Reader::new(record, separator).each_cell(|cell| {
        let cell = content(record, &cell);
        let name = if look == Look::Named { cell.trim_ascii() } else { &cell };
        // A column without a name in front holds the numbers of lines.
        are_names &= is_name(name, look) || look == Look::Named && name.is_empty() && names.is_empty();
        names.push(name.to_vec());
    });
    let mut sorted: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    sorted.sort_unstable();
    let twice = sorted.windows(2).any(|two| two[0] == two[1]);
    let any = names.iter().any(|name| !name.is_empty());
    (cells.is_ok() && are_names && any && (look == Look::Named || !twice)).then_some(names)
}

/// Whether a cell may be the name of a column: text that begins with a letter, and no address, time or sentence.
fn is_name(name: &[u8], look: Look) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii();
    let may_hold = |byte: &u8| {
        is_letter(*byte)
            || byte.is_ascii_digit()
            || matches!(byte, b' ' | b'-' | b'.' | b'[' | b']') // and what is left of a name
            || look == Look::Named && b"()/#%:".contains(byte)
    };
    let first = name.first().is_some_and(|byte| is_letter(*byte) || *byte == b'[');
    first && name.len() <= MAX_NAME_BYTES && name.iter().all(may_hold) && name.last() != Some(&b' ')
}
