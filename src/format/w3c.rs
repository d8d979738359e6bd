//! The W3C extended log format, as IIS, CloudFront, Azure and many others write it, and the logs of Zeek: a header
//! line names the columns of the lines behind it.
//!
//! Columns stand between blanks, or between tabs if a line holds any. A value may stand in quotes, in which two are one.
//! In logs of Zeek columns stand between tabs, or what else stands behind `#fields`; they know no quotes, and write
//! `\xHH` for what they cannot hold.

use super::access::{hex, is_plain};
use super::{Columns, Field, Fields, Format, Head, Layer, NotThis, Role};
use crate::decoded::Decoded;
use crate::span::Span;

/// Logs whose columns a `#Fields:` line names.
#[derive(Debug)]
pub struct W3c;

const HEADER: &[u8] = b"#fields";

impl Format for W3c {
    fn name(&self) -> &'static str {
        "w3c"
    }

    fn fields(&self, record: &[u8], head: &Head, out: &mut Fields) -> Result<(), NotThis> {
        let columns = head.columns_of(self).ok_or(NotThis)?;
        if record.starts_with(b"#") {
            return Err(NotThis);
        }
        let root = out.push(Field::new(Role::Object, Span::new(0, record.len())));
        let mut line = Line::of(record, columns.separator);
        for (number, name) in (1..).zip(&columns.names) {
            let (value, whole) = line.next().ok_or(NotThis)?;
            let text = value.of(record);
            let name = out.give_name(name);
            let quoted = whole.start < value.start;
            let escape = if quoted { b'"' } else { b'\\' };
            let escaped = (quoted || line.is_of_zeek()) && memchr::memchr(escape, text).is_some();
            let nothing = text == b"-" || text == b"(empty)" && line.is_of_zeek();
            let role = if nothing { Role::Literal } else { Role::Text };
            let field = Field::new(role, value);
            out.push(Field { parent: Some(root), name, column: number, whole, escaped, ..field });
        }
        if line.next().is_some() { Err(NotThis) } else { Ok(()) }
    }

    fn decode(&self, text: &[u8], field: &Field, span: Span, out: &mut Decoded) {
        let mut at = span.start;
        while at < span.end {
            let rest = Span::new(at, span.end).of(text);
            let (byte, length) = match *rest {
                [b'"', b'"', ..] if field.is_quoted() => (Some(b'"'), 2),
                [b'\\', b'x', high, low, ..] if !field.is_quoted() => (hex(high, low), 4),
                [b'\\', b'\\', ..] if !field.is_quoted() => (Some(b'\\'), 2),
                _ => (None, 1),
            };
            match byte {
                Some(byte) => out.push(&[byte], Span::new(at, at + length)),
                None => out.push_verbatim(&rest[..1], at),
            }
            at += if byte.is_some() { length } else { 1 };
        }
    }

    fn escape(&self, field: &Field, text: &[u8], _: bool, out: &mut Vec<u8>) {
        for byte in text {
            match byte {
                b'"' if field.is_quoted() => out.extend_from_slice(b"\"\""),
                ..b' ' | 0x7f => out.push(b'_'),
                _ if !field.is_quoted() && !is_plain(*byte) => out.push(b'_'),
                _ => out.push(*byte),
            }
        }
    }

    fn remove(&self, fields: &Fields, _: &Layer, gone: &[usize], out: &mut Vec<(Span, &'static [u8])>) {
        out.extend(gone.iter().map(|at| super::access::removed(&fields.list[*at])));
    }

    fn header(&self, record: &[u8]) -> Option<Columns> {
        let (mark, names) = record.split_at_checked(HEADER.len())?;
        if !mark.eq_ignore_ascii_case(HEADER) {
            return None;
        }
        let (separator, names): (_, Vec<&[u8]>) = match names.split_first()? {
            (b':', names) => {
                (b' ', names.split(u8::is_ascii_whitespace).filter(|name| !name.is_empty()).collect())
            }
            (separator, names) => (*separator, names.split(|byte| byte == separator).collect()),
        };
        let names: Vec<Vec<u8>> = names.into_iter().map(<[u8]>::to_vec).collect();
        (!names.is_empty()).then_some(Columns { format: self.name(), separator, names })
    }

    fn has_columns(&self) -> bool {
        true
    }
}

/// Reads columns from left to right.
struct Line<'r> {
    record: &'r [u8],
    at: usize,
    separator: Separator,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Separator {
    Blanks,
    Tab,
    /// One of Zeek.
    Byte(u8),
}

impl Line<'_> {
    /// Of a record whose header has this separator: a blank stands for blanks and tabs.
    fn of(record: &[u8], separator: u8) -> Line<'_> {
        let separator = match separator {
            b' ' if memchr::memchr(b'\t', record).is_some() => Separator::Tab,
            b' ' => Separator::Blanks,
            other => Separator::Byte(other),
        };
        Line { record, at: 0, separator }
    }

    fn is_of_zeek(&self) -> bool {
        matches!(self.separator, Separator::Byte(_))
    }

    fn byte(&self) -> u8 {
        match self.separator {
            Separator::Blanks => b' ',
            Separator::Tab => b'\t',
            Separator::Byte(byte) => byte,
        }
    }

    /// The next column, without and with its quotes.
    fn next(&mut self) -> Option<(Span, Span)> {
        if self.separator == Separator::Blanks {
            self.at += self.record.get(self.at..)?.iter().take_while(|byte| **byte == b' ').count();
            if self.at == self.record.len() {
                return None;
            }
        }
        let rest = self.record.get(self.at..)?;
        let quoted = if self.is_of_zeek() { None } else { quoted(rest, self.byte()) };
        let length = quoted.unwrap_or_else(|| memchr::memchr(self.byte(), rest).unwrap_or(rest.len()));
        let whole = Span::new(self.at, self.at + length);
        let value = if quoted.is_some() { Span::new(whole.start + 1, whole.end - 1) } else { whole };
        self.at = whole.end + 1;
        Some((value, whole))
    }
}

/// The length of a value in quotes with a separator behind it.
fn quoted(rest: &[u8], separator: u8) -> Option<usize> {
    let inner = rest.strip_prefix(b"\"")?;
    let mut at = 0;
    loop {
        at += memchr::memchr(b'"', inner.get(at..)?)? + 1;
        match inner.get(at) {
            Some(b'"') => at += 1,
            None => return Some(at + 1),
            Some(behind) => return (*behind == separator).then_some(at + 1),
        }
    }
}
