//! CEF, the Common Event Format of ArcSight: `CEF:0|vendor|product|version|signature|name|severity|key=value …`.
//!
//! A value of the extension has no quotes: it runs up to the blank before the next key. Many programs leave an `=` in a
//! value as it is (`request=/?a=b`), so one counts only behind a key that stands after a blank.

use super::json::opens;
use super::pairs::{push_allowed, remove, trimmed};
use super::{Field, Fields, Format, Head, Layer, Name, NotThis, Opens, Role};
use crate::decoded::Decoded;
use crate::span::Span;

/// What the fields of the header are called in the standard.
const HEADER: [&str; 6] =
    ["device_vendor", "device_product", "device_version", "signature_id", "name", "severity"];

/// Common Event Format.
#[derive(Debug)]
pub struct Cef;

impl Format for Cef {
    fn name(&self) -> &'static str {
        "cef"
    }

    fn fields(&self, record: &[u8], _: &Head, out: &mut Fields) -> Result<(), NotThis> {
        let mut at = version(record).ok_or(NotThis)?;
        let parent = Some(out.push(Field::new(Role::Object, Span::new(0, record.len()))));
        for (index, name) in HEADER.iter().enumerate() {
            let end = match next_bar(record, at) {
                Some(end) => end,
                None if index + 1 == HEADER.len() => record.len(),
                None => return Err(NotThis),
            };
            let value = Span::new(at, end);
            let name = out.give_name(name.as_bytes());
            out.push(Field { parent, name, ..text(record, value) });
            at = end + 1;
        }
        Extension { record, parent }.read(at.min(record.len()), &mut out.list);
        Ok(())
    }

    fn decode(&self, text: &[u8], _: &Field, span: Span, out: &mut Decoded) {
        let mut at = span.start;
        while at < span.end {
            let rest = &text[at..span.end];
            let (byte, length) = match rest {
                [b'\\', byte @ (b'\\' | b'|' | b'='), ..] => (*byte, 2),
                [b'\\', b'n', ..] => (b'\n', 2),
                [b'\\', b'r', ..] => (b'\r', 2),
                _ => {
                    let length = memchr::memchr(b'\\', rest).unwrap_or(rest.len()).max(1);
                    out.push_verbatim(&rest[..length], at);
                    at += length;
                    continue;
                }
            };
            out.push(&[byte], Span::new(at, at + length));
            at += length;
        }
    }

    fn escape(&self, field: &Field, text: &[u8], _: bool, out: &mut Vec<u8>) {
        match (field.role, field.name) {
            (Role::Name, _) => push_allowed(text, in_key, out),
            (Role::Text, Name::Given(_)) => push_escaped(text, b'|', out),
            (Role::Text, _) => push_escaped(text, b'=', out),
            _ => push_allowed(text, |byte| !matches!(byte, b'|' | b'=' | b'\\' | ..b' '), out),
        }
    }

    /// A field of the header is emptied; a pair of the extension goes with the blank before it.
    fn remove(&self, fields: &Fields, layer: &Layer, gone: &[usize], out: &mut Vec<(Span, &'static [u8])>) {
        let is_header = |at: usize| matches!(fields.list[at].name, Name::Given(_));
        let (header, pairs): (Vec<usize>, Vec<usize>) = gone.iter().partition(|at| is_header(**at));
        out.extend(header.iter().map(|at| (fields.list[*at].value, b"".as_slice())));
        remove(&fields.list, layer, &pairs, |at| !is_header(at), out);
    }

    fn given_names(&self) -> &'static [&'static str] {
        &HEADER
    }

    fn begins_with(&self) -> Option<&'static str> {
        Some("cef")
    }
}

/// Where the header begins, behind `CEF:0|`. Some programs write a blank after the colon.
fn version(record: &[u8]) -> Option<usize> {
    let rest = record.strip_prefix(b"CEF:")?.trim_ascii_start();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (digits > 0 && rest.get(digits) == Some(&b'|')).then(|| record.len() - rest.len() + digits + 1)
}

/// The next `|` without a backslash before it.
fn next_bar(record: &[u8], from: usize) -> Option<usize> {
    next_plain(record, b'|', from)
}

fn next_plain(record: &[u8], wanted: u8, mut from: usize) -> Option<usize> {
    loop {
        let found = from + memchr::memchr2(wanted, b'\\', record.get(from..)?)?;
        if record[found] == wanted {
            return Some(found);
        }
        from = found + 2;
    }
}

fn text(record: &[u8], value: Span) -> Field {
    let content = value.of(record);
    let opens = if opens(content) { Opens::Json } else { Opens::No };
    Field { escaped: content.contains(&b'\\'), opens, ..Field::new(Role::Text, value) }
}

struct Extension<'r> {
    record: &'r [u8],
    parent: Option<usize>,
}

impl Extension<'_> {
    /// The pairs, and text before the first of them.
    fn read(&self, from: usize, out: &mut Vec<Field>) {
        let (mut start, mut at, mut name) = (from, from, Name::None);
        while let Some(equals) = next_plain(self.record, b'=', at) {
            at = equals + 1;
            let Some(key) = self.key(start, equals) else { continue };
            self.value(Span::new(start, key.start), name, out);
            out.push(Field { parent: self.parent, ..Field::new(Role::Name, key) });
            (start, name) = (at, Name::Field(out.len() - 1));
        }
        self.value(Span::new(start, self.record.len()), name, out);
    }

    /// The key before an `=`: a word that nothing but a blank stands before, not before `from`.
    fn key(&self, from: usize, equals: usize) -> Option<Span> {
        let before = &self.record[from..equals];
        let length = before.iter().rev().take_while(|byte| in_key(**byte)).count();
        let start = equals - length;
        let stands_apart = start == from && self.begins_extension(from)
            || start > from && self.record[start - 1].is_ascii_whitespace();
        (length > 0 && stands_apart).then(|| Span::new(start, equals))
    }

    fn begins_extension(&self, at: usize) -> bool {
        at > 0 && self.record[at - 1] == b'|'
    }

    fn value(&self, span: Span, name: Name, out: &mut Vec<Field>) {
        let value = trimmed(self.record, span);
        if name != Name::None || !value.is_empty() {
            out.push(Field { parent: self.parent, name, ..text(self.record, value) });
        }
    }
}

fn in_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

fn push_escaped(text: &[u8], separator: u8, out: &mut Vec<u8>) {
    for byte in text {
        match byte {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\\' => out.extend_from_slice(b"\\\\"),
            byte if *byte == separator => out.extend_from_slice(&[b'\\', *byte]),
            _ => out.push(*byte),
        }
    }
}
