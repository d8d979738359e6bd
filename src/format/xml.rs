//! XML, one element a record, as Windows writes its events.
//!
//! The path of a field is that of the names of elements: `Event.System.Computer`; attributes stand below their element:
//! `Event.System.Provider.Name`. `<Data Name="X">` is a field of the name `X`.
//!
//! The reader is exact about tags, because a wrong guess there would put an edit in the wrong place, and lenient
//! about content. It refuses document types: they may say that any entity means anything.

use super::json::opens;
use super::pairs::{push_allowed, trimmed};
use super::{Field, Fields, Format, Head, Layer, Name, NotThis, Opens, Role};
use crate::decoded::Decoded;
use crate::span::Span;

/// Elements within elements that are read.
const MAX_DEPTH: usize = 128;

/// A byte-order mark before the first record of a file.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Elements, attributes and texts.
#[derive(Debug)]
pub struct Xml;

impl Format for Xml {
    fn name(&self) -> &'static str {
        "xml"
    }

    fn fields(&self, record: &[u8], _: &Head, out: &mut Fields) -> Result<(), NotThis> {
        let text = record.strip_prefix(BOM).unwrap_or(record).trim_ascii();
        let begins = match text {
            [b'<', b'?' | b'!', ..] => true,
            [b'<', first, ..] => begins_name(*first),
            _ => false,
        };
        if !begins || !text.ends_with(b">") {
            return Err(NotThis);
        }
        let start = record.len() - record.strip_prefix(BOM).unwrap_or(record).len();
        let all = out.push(Field::new(Role::Object, Span::new(0, record.len())));
        Reader { record, at: start, all, open: Vec::new(), had_root: false }.document(out)
    }

    fn decode(&self, text: &[u8], _: &Field, span: Span, out: &mut Decoded) {
        let mut at = span.start;
        while at < span.end {
            let rest = &text[at..span.end];
            let length = memchr::memchr(b'&', rest).unwrap_or(rest.len());
            out.push_verbatim(&rest[..length], at);
            at += length;
            let Some((character, length)) = entity(&rest[length..]) else {
                let ampersand = &text[at..span.end.min(at + 1)];
                out.push_verbatim(ampersand, at);
                at += 1;
                continue;
            };
            let mut utf8 = [0; 4];
            out.push(character.encode_utf8(&mut utf8).as_bytes(), Span::new(at, at + length));
            at += length;
        }
    }

    fn escape(&self, field: &Field, text: &[u8], _: bool, out: &mut Vec<u8>) {
        let in_quotes = field.is_quoted();
        match (field.role, field.name) {
            (Role::Text, Name::None) if in_quotes => push_verbatim(text, out),
            (Role::Text, _) => push_escaped(text, out),
            (Role::Name, _) if in_quotes => push_escaped(text, out),
            _ => push_allowed(text, in_name, out),
        }
    }

    /// A text leaves its element empty, an attribute goes with the blank before it, an element with all that is in
    /// it and with its tags. The outermost stays as an empty tag.
    fn remove(&self, fields: &Fields, layer: &Layer, gone: &[usize], out: &mut Vec<(Span, &'static [u8])>) {
        let list = &fields.list;
        for &at in gone {
            let field = &list[at];
            out.push(match (field.role, field.name) {
                (Role::Object, _) if field.parent == Some(layer.fields.start) => {
                    (Span::new(field.value.start, field.whole.end), b"/>")
                }
                (Role::Object, _) => (field.whole, b""),
                (_, Name::Field(name)) => (Span::new(before_attribute(list, name), field.whole.end), b""),
                _ => (field.value, b""),
            });
        }
    }
}

/// Where what stands before the attribute of this name ends: its element's name, or another attribute.
fn before_attribute(fields: &[Field], name: usize) -> usize {
    let before = &fields[name - 1];
    if fields[name].parent == Some(name - 1) { before.value.start } else { before.whole.end }
}

struct Reader<'r> {
    record: &'r [u8],
    at: usize,
    /// The place of the field that is the whole record.
    all: usize,
    open: Vec<Open>,
    had_root: bool,
}

/// An element whose end tag has not come yet.
struct Open {
    /// Its place in the list of fields.
    field: usize,
    name: Span,
    /// Whether anything stands in it.
    is_filled: bool,
}

impl Reader<'_> {
    fn rest(&self) -> &[u8] {
        self.record.get(self.at..).unwrap_or_default()
    }

    /// One element, and comments and instructions around it.
    fn document(&mut self, out: &mut Fields) -> Result<(), NotThis> {
        while self.text(out)? {
            let rest = self.rest();
            if rest.starts_with(b"<!--") {
                self.verbatim(4, b"-->", out)?;
            } else if rest.starts_with(b"<?") {
                self.verbatim(2, b"?>", out)?;
            } else if rest.starts_with(b"<![CDATA[") && !self.open.is_empty() {
                self.verbatim(9, b"]]>", out)?;
            } else if rest.starts_with(b"</") {
                self.end_tag(out)?;
            } else {
                self.start_tag(out)?;
            }
        }
        if self.had_root && self.open.is_empty() { Ok(()) } else { Err(NotThis) }
    }

    /// The place of the innermost open element.
    fn parent(&self) -> usize {
        self.open.last().map_or(self.all, |open| open.field)
    }

    fn fill(&mut self) {
        if let Some(open) = self.open.last_mut() {
            open.is_filled = true;
        }
    }

    /// Text up to the next tag. Whether there is one.
    fn text(&mut self, out: &mut Fields) -> Result<bool, NotThis> {
        let length = memchr::memchr(b'<', self.rest());
        let end = length.map_or(self.record.len(), |length| self.at + length);
        let value = trimmed(self.record, Span::new(self.at, end));
        self.at = end;
        if !value.is_empty() {
            if self.open.is_empty() {
                return Err(NotThis);
            }
            self.fill();
            out.push(Field { parent: Some(self.parent()), ..content(self.record, value, value) });
        }
        Ok(length.is_some())
    }

    /// What has no escapes, between marks of which the first is so long: a comment, an instruction, `CDATA`.
    fn verbatim(&mut self, before: usize, close: &[u8], out: &mut Fields) -> Result<(), NotThis> {
        let start = self.at + before;
        let inner = self.record.get(start..).unwrap_or_default();
        let length = memchr::memmem::find(inner, close).ok_or(NotThis)?;
        let value = Span::new(start, start + length);
        // With the bracket of a residue before it this would end the section.
        if close == b"]]>" && memchr::memmem::find(value.of(self.record), b"]>").is_some() {
            return Err(NotThis);
        }
        let whole = Span::new(self.at, value.end + close.len());
        self.fill();
        let field = content(self.record, trimmed(self.record, value), whole);
        out.push(Field { parent: Some(self.parent()), escaped: false, ..field });
        self.at = whole.end;
        Ok(())
    }

    fn end_tag(&mut self, out: &mut Fields) -> Result<(), NotThis> {
        let open = self.open.pop().ok_or(NotThis)?;
        let tag = Span::new(self.at, self.at);
        self.at += 2;
        if self.name()?.of(self.record) != open.name.of(self.record) {
            return Err(NotThis);
        }
        self.blanks();
        self.take(b'>')?;
        if !open.is_filled {
            out.push(Field { parent: Some(open.field), ..Field::new(Role::Text, tag) });
        }
        self.close(open.field, out)
    }

    fn close(&mut self, field: usize, out: &mut Fields) -> Result<(), NotThis> {
        let field = out.list.get_mut(field).ok_or(NotThis)?;
        (field.whole.end, field.value.end) = (self.at, self.at);
        Ok(())
    }

    fn start_tag(&mut self, out: &mut Fields) -> Result<(), NotThis> {
        if self.open.is_empty() && self.had_root || self.open.len() == MAX_DEPTH {
            return Err(NotThis);
        }
        self.had_root = true;
        self.fill();
        let start = self.at;
        self.take(b'<')?;
        let name = self.name()?;
        let given = out.give_name(name.of(self.record));
        let (value, whole) = (Span::new(name.end, name.end), Span::new(start, name.end));
        let parent = Some(self.parent());
        let field = out.push(Field { parent, name: given, whole, ..Field::new(Role::Object, value) });
        loop {
            let blanks = self.blanks();
            if self.rest().starts_with(b"/>") {
                self.at += 2;
                return self.close(field, out);
            }
            if self.rest().starts_with(b">") {
                self.at += 1;
                self.open.push(Open { field, name, is_filled: false });
                return Ok(());
            }
            if blanks == 0 {
                return Err(NotThis);
            }
            self.attribute(field, name, out)?;
        }
    }

    fn attribute(&mut self, element: usize, tag: Span, out: &mut Fields) -> Result<(), NotThis> {
        let name = self.name()?;
        self.blanks();
        self.take(b'=')?;
        self.blanks();
        let start = self.at;
        let Some(quote @ (b'"' | b'\'')) = self.rest().first().copied() else { return Err(NotThis) };
        let length = memchr::memchr2(quote, b'<', &self.rest()[1..]).ok_or(NotThis)?;
        let value = Span::new(start + 1, start + 1 + length);
        self.at = value.end;
        self.take(quote)?;
        let field = content(self.record, value, Span::new(start, self.at));
        if tag.of(self.record) == b"Data" && name.of(self.record) == b"Name" {
            let mut decoded = Decoded::default();
            self.decode(value, &mut decoded);
            let given = out.give_name(&decoded.bytes);
            let data = out.list.get_mut(element).ok_or(NotThis)?;
            data.name = given;
            let parent = data.parent;
            out.push(Field { role: Role::Name, parent, opens: Opens::No, ..field });
        } else {
            out.push(Field { parent: Some(element), ..Field::new(Role::Name, name) });
            let name = Name::Field(out.list.len() - 1);
            out.push(Field { parent: Some(element), name, ..field });
        }
        Ok(())
    }

    fn decode(&self, value: Span, out: &mut Decoded) {
        Xml.decode(self.record, &Field::new(Role::Text, value), value, out);
    }

    fn name(&mut self) -> Result<Span, NotThis> {
        let rest = self.rest();
        if !rest.first().is_some_and(|first| begins_name(*first)) {
            return Err(NotThis);
        }
        let length = rest.iter().position(|byte| !in_name(*byte)).unwrap_or(rest.len());
        let name = Span::new(self.at, self.at + length);
        self.at = name.end;
        Ok(name)
    }

    fn blanks(&mut self) -> usize {
        let rest = self.rest();
        let length = rest.len() - rest.trim_ascii_start().len();
        self.at += length;
        length
    }

    fn take(&mut self, byte: u8) -> Result<(), NotThis> {
        if self.rest().first() != Some(&byte) {
            return Err(NotThis);
        }
        self.at += 1;
        Ok(())
    }
}

fn content(record: &[u8], value: Span, whole: Span) -> Field {
    let text = value.of(record);
    let opens = if opens(text) { Opens::Json } else { Opens::No };
    Field { whole, escaped: text.contains(&b'&'), opens, ..Field::new(Role::Text, value) }
}

fn begins_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':' | 0x80..)
}

fn in_name(byte: u8) -> bool {
    begins_name(byte) || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
}

/// The character that an entity at the start of the text stands for, and the length of the entity.
fn entity(text: &[u8]) -> Option<(char, usize)> {
    /// Of `&#x0010FFFF;`.
    const MAX_BYTES: usize = 12;
    let length = text.iter().take(MAX_BYTES).position(|byte| *byte == b';')?;
    let name = std::str::from_utf8(text.get(1..length)?).ok()?;
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    };
    Some((character, length + 1))
}

/// Writes a text, or an attribute with whatever quotes.
fn push_escaped(text: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        match byte {
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            b'"' => out.extend_from_slice(b"&quot;"),
            b'\'' => out.extend_from_slice(b"&apos;"),
            b'\n' | b'\r' | b'\t' => out.extend_from_slice(format!("&#{byte};").as_bytes()),
            ..b' ' => out.push(b'_'),
            _ => out.push(*byte),
        }
    }
}

/// Writes what has no escapes, so that it ends neither a comment, nor an instruction, nor `CDATA`, wherever it stands.
fn push_verbatim(text: &[u8], out: &mut Vec<u8>) {
    let mut last = b' ';
    for byte in text {
        last = match byte {
            b'>' | ..b' ' => b'_',
            b']' | b'-' if last == *byte => b'_',
            _ => *byte,
        };
        out.push(last);
    }
}
