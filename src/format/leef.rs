//! LEEF, the Log Event Extended Format of IBM QRadar: `LEEF:1.0|vendor|product|version|event|key=value⇥key=value`, and
//! 2.0, whose header ends with the character between the attributes: `|^|`, `|x5E|`, `|0x5E|`.
//!
//! It knows no escapes: what an attribute cannot hold is written as `_`.

use super::json::opens;
use super::pairs::{push_allowed, remove};
use super::{Field, Fields, Format, Head, Layer, Name, NotThis, Opens, Role};
use crate::span::Span;

/// What the fields of the header are called.
const HEADER: [&str; 4] = ["vendor", "product", "version", "event_id"];

/// Log Event Extended Format.
#[derive(Debug)]
pub struct Leef;

impl Format for Leef {
    fn name(&self) -> &'static str {
        "leef"
    }

    fn fields(&self, record: &[u8], _: &Head, out: &mut Fields) -> Result<(), NotThis> {
        let (mut at, is_second) = version(record).ok_or(NotThis)?;
        let parent = Some(out.push(Field::new(Role::Object, Span::new(0, record.len()))));
        for (index, name) in HEADER.iter().enumerate() {
            let rest = record.get(at..).unwrap_or_default();
            let end = match memchr::memchr(b'|', rest) {
                Some(length) => at + length,
                None if index + 1 == HEADER.len() => record.len(),
                None => return Err(NotThis),
            };
            let name = out.give_name(name.as_bytes());
            out.push(Field { parent, name, ..Field::new(Role::Text, Span::new(at, end)) });
            at = end + 1;
        }
        let (separator, length) = match record.get(at..) {
            Some(rest) if is_second => separator(rest).ok_or(NotThis)?,
            _ => (b'\t', 0),
        };
        attributes(record, at + length, separator, parent, &mut out.list);
        Ok(())
    }

    fn escape(&self, field: &Field, text: &[u8], _: bool, out: &mut Vec<u8>) {
        match (field.role, field.name) {
            (Role::Text, Name::Given(_)) => push_allowed(text, |byte| byte != b'|' && byte >= b' ', out),
            (Role::Text, Name::Field(_)) => push_allowed(text, |byte| !separates(byte), out),
            _ => push_allowed(text, |byte| !separates(byte) && byte != b'=', out),
        }
    }

    /// A field of the header is emptied; an attribute goes with what separates it.
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
        Some("leef")
    }
}

/// Where the header begins, behind `LEEF:1.0|`, and whether it names the separator.
fn version(record: &[u8]) -> Option<(usize, bool)> {
    let rest = record.strip_prefix(b"LEEF:")?.trim_ascii_start();
    let length = memchr::memchr(b'|', rest)?;
    let is_second = match &rest[..length] {
        b"1" | b"1.0" => false,
        b"2" | b"2.0" => true,
        _ => return None,
    };
    Some((record.len() - rest.len() + length + 1, is_second))
}

/// The byte between attributes that stands here with a `|` behind it, and the length of both. Where there is no `|`, it
/// is the tab; none if it is one that a value without escapes cannot do without.
fn separator(rest: &[u8]) -> Option<(u8, usize)> {
    if rest.starts_with(b"||") {
        return Some((b'|', 2));
    }
    let Some(length) = memchr::memchr(b'|', rest) else { return Some((b'\t', 0)) };
    let named = match &rest[..length] {
        [] | b"\\t" => b'\t',
        [byte] => *byte,
        [b'x' | b'X', high, low] | [b'0', b'x' | b'X', high, low] => {
            let [high, low] = [high, low].map(|digit| char::from(*digit).to_digit(16));
            (high? << 4 | low?) as u8
        }
        _ => return None,
    };
    separates(named).then_some((named, length + 1))
}

/// Whether the byte may separate attributes.
fn separates(byte: u8) -> bool {
    matches!(byte, b'^' | b'|' | b';' | b',' | b'~' | b'!' | b'$' | b'%' | b'&' | 0x00..=0x1f)
}

fn attributes(record: &[u8], from: usize, separator: u8, parent: Option<usize>, out: &mut Vec<Field>) {
    let mut start = from;
    for attribute in record.get(from..).unwrap_or_default().split(|byte| *byte == separator) {
        let mut value = Span::new(start, start + attribute.len());
        start = value.end + 1;
        let mut name = Name::None;
        if let Some(length @ 1..) = memchr::memchr(b'=', attribute) {
            let key = Span::new(value.start, value.start + length);
            out.push(Field { parent, ..Field::new(Role::Name, key) });
            name = Name::Field(out.len() - 1);
            value.start = key.end + 1;
        }
        if name != Name::None || !value.is_empty() {
            let opens = if opens(value.of(record)) { Opens::Json } else { Opens::No };
            out.push(Field { parent, name, opens, ..Field::new(Role::Text, value) });
        }
    }
}
