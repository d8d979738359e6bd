//! JSON, one value a record (RFC 8259, as JSON lines).
//!
//! The reader is exact about structure, because a wrong guess there would put an edit in the wrong place,
//! and lenient about content: strings may hold any bytes but a line feed, since real logs carry invalid
//! UTF-8 and bare control bytes, and refusing those would switch field rules off.

use super::{Field, Fields, Format, Head, Layer, Name, NotThis, Opens, Role};
use crate::decoded::Decoded;
use crate::span::Span;

/// JSON lines.
#[derive(Debug)]
pub struct Json;

impl Format for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn fields(&self, record: &[u8], _: &Head, out: &mut Fields) -> Result<(), NotThis> {
        let mut reader = Reader { record, at: if record.starts_with(BOM) { BOM.len() } else { 0 }, depth: 0 };
        reader.blanks();
        if !matches!(reader.peek(), Some(b'{' | b'[')) {
            return Err(NotThis);
        }
        reader.document(&mut out.list)
    }

    fn decode(&self, text: &[u8], _: &Field, span: Span, out: &mut Decoded) {
        let mut at = span.start;
        while at < span.end {
            at = decode_one(text, at, span.end, out);
        }
    }

    fn escape(&self, _: &Field, text: &[u8], _: bool, out: &mut Vec<u8>) {
        for byte in text {
            match byte {
                b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
                0x00..=0x1f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
                _ => out.push(*byte),
            }
        }
    }

    fn quote(&self, field: &Field, _: &[u8]) -> &'static [u8] {
        if field.is_quoted() { b"" } else { b"\"" }
    }

    fn is_json(&self) -> bool {
        true
    }

    fn remove(&self, fields: &Fields, layer: &Layer, gone: &[usize], out: &mut Vec<(Span, &'static [u8])>) {
        let (first, fields) = (layer.fields.start, &fields.list);
        let mut gone = gone.iter().copied().peekable();
        let mut objects = vec![Members::default(); layer.fields.len()];
        let next = next_members(fields, layer);
        for at in layer.fields.clone() {
            let field = &fields[at];
            let mut goes = gone.next_if_eq(&at).is_some();
            if goes && field.tells {
                let emptied =
                    if field.is_quoted() { (field.value, &b""[..]) } else { (field.whole, &b"\"\""[..]) };
                out.push(emptied);
                goes = false;
            }
            let (Name::Field(name), Some(object)) = (field.name, field.parent) else {
                if goes {
                    out.push((field.whole, b"null")); // elements keep their places
                }
                continue;
            };
            let members = &mut objects[object - first];
            if goes {
                // A comma goes with every member that goes: the one before it if a member stays there, else the one after.
                let (start, end) = match (members.one_stays, next[at - first]) {
                    (true, _) => (members.end_of_last, field.whole.end),
                    (false, Some(next)) => (fields[name].whole.start, fields[next].whole.start),
                    (false, None) => (fields[name].whole.start, field.whole.end),
                };
                out.push((Span::new(start, end), b""));
            }
            members.one_stays |= !goes;
            members.end_of_last = field.whole.end;
        }
    }
}

/// What [`Json::remove`] knows of an object while it goes over its members.
#[derive(Clone, Copy, Default)]
struct Members {
    one_stays: bool,
    end_of_last: usize,
}

/// For each member of an object the name of the member after it, by their places in the layer.
fn next_members(fields: &[Field], layer: &Layer) -> Vec<Option<usize>> {
    let first = layer.fields.start;
    let mut next = vec![None; layer.fields.len()];
    let mut first_after = vec![None; layer.fields.len()]; // by object
    for at in layer.fields.clone().rev() {
        if let (Name::Field(name), Some(object)) = (fields[at].name, fields[at].parent) {
            next[at - first] = first_after[object - first].replace(name);
        }
    }
    next
}

/// A byte-order mark before the first record of a file.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Brackets within brackets that are read. A record with more of them is scrubbed as text; serde_json has the
/// same bound. It also bounds the walk from a field up to the record, which every selector makes.
const MAX_DEPTH: usize = 128;

struct Reader<'r> {
    record: &'r [u8],
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.record.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> Result<(), NotThis> {
        if self.peek() != Some(byte) {
            return Err(NotThis);
        }
        self.at += 1;
        Ok(())
    }

    /// The whole record: one value and nothing after it. Open brackets are kept in the list of fields and
    /// not on the call stack.
    fn document(&mut self, out: &mut Vec<Field>) -> Result<(), NotThis> {
        let mut open = None;
        loop {
            self.blanks();
            let name = self.name_if_due(open, out)?;
            self.value(open, name, out)?;
            if out.last().is_some_and(|last| last.whole.is_empty()) {
                open = Some(out.len() - 1);
                if !self.closes(open, out) {
                    continue;
                }
                open = self.close(open, out);
            }
            while let Some(bracket) = open {
                self.blanks();
                if self.peek() == Some(b',') {
                    self.at += 1;
                    break;
                }
                if !self.closes(Some(bracket), out) {
                    return Err(NotThis);
                }
                open = self.close(open, out);
            }
            if open.is_none() {
                self.blanks();
                return if self.at == self.record.len() { Ok(()) } else { Err(NotThis) };
            }
        }
    }

    fn name_if_due(&mut self, open: Option<usize>, out: &mut Vec<Field>) -> Result<Name, NotThis> {
        let Some(object) = open.filter(|open| out[*open].role == Role::Object) else {
            return Ok(Name::None);
        };
        self.string(Role::Name, Some(object), Name::None, out)?;
        self.blanks();
        self.take(b':')?;
        self.blanks();
        Ok(Name::Field(out.len() - 1))
    }

    /// One value; an object or array is only opened: its `whole` is empty until [`Reader::close`].
    fn value(&mut self, parent: Option<usize>, name: Name, out: &mut Vec<Field>) -> Result<(), NotThis> {
        match self.peek() {
            Some(b'"') => self.string(Role::Text, parent, name, out),
            Some(byte @ (b'{' | b'[')) => {
                let role = if byte == b'{' { Role::Object } else { Role::Array };
                let here = Span::new(self.at, self.at);
                self.at += 1;
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err(NotThis);
                }
                out.push(Field { parent, name, ..Field::new(role, here) });
                Ok(())
            }
            Some(b'-' | b'0'..=b'9') => self.number(parent, name, out),
            _ => self.literal(parent, name, out),
        }
    }

    fn closes(&mut self, open: Option<usize>, out: &[Field]) -> bool {
        self.blanks();
        open.is_some_and(|open| self.peek() == Some(if out[open].role == Role::Object { b'}' } else { b']' }))
    }

    /// Closes the bracket at `self.at` and returns the one around it.
    fn close(&mut self, open: Option<usize>, out: &mut [Field]) -> Option<usize> {
        let field = &mut out[open?];
        self.at += 1;
        self.depth -= 1;
        field.whole.end = self.at;
        field.value = Span::new(field.whole.start + 1, self.at - 1);
        field.parent
    }

    fn string(
        &mut self,
        role: Role,
        parent: Option<usize>,
        name: Name,
        out: &mut Vec<Field>,
    ) -> Result<(), NotThis> {
        let start = self.at;
        self.take(b'"')?;
        let mut escaped = false;
        loop {
            let rest = self.record.get(self.at..).unwrap_or_default();
            let found = quote_or_escape(rest).ok_or(NotThis)?;
            self.at += found + 1;
            if rest[found] == b'"' {
                break;
            }
            escaped = true;
            self.escape()?;
        }
        let value = Span::new(start + 1, self.at - 1);
        let whole = Span::new(start, self.at);
        let may_open = role == Role::Text && opens(value.of(self.record));
        let opens = if may_open { Opens::Json } else { Opens::No };
        out.push(Field { parent, name, whole, escaped, opens, ..Field::new(role, value) });
        Ok(())
    }

    fn escape(&mut self) -> Result<(), NotThis> {
        let rest = self.record.get(self.at..).unwrap_or_default();
        self.at += match rest {
            [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 1,
            [b'u', a, b, c, d, ..] if [a, b, c, d].iter().all(|hex| hex.is_ascii_hexdigit()) => 5,
            _ => return Err(NotThis),
        };
        Ok(())
    }

    /// A number as RFC 8259 has it, leading zeros allowed: some loggers print them.
    fn number(&mut self, parent: Option<usize>, name: Name, out: &mut Vec<Field>) -> Result<(), NotThis> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        self.digits()?;
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        let span = Span::new(start, self.at);
        out.push(Field { parent, name, ..Field::new(Role::Number, span) });
        Ok(())
    }

    fn digits(&mut self) -> Result<(), NotThis> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(NotThis) }
    }

    fn literal(&mut self, parent: Option<usize>, name: Name, out: &mut Vec<Field>) -> Result<(), NotThis> {
        let rest = self.record.get(self.at..).unwrap_or_default();
        let words: [&[u8]; 3] = [b"true", b"false", b"null"];
        let word = words.iter().find(|word| rest.starts_with(word)).ok_or(NotThis)?;
        let span = Span::new(self.at, self.at + word.len());
        self.at = span.end;
        out.push(Field { parent, name, ..Field::new(Role::Literal, span) });
        Ok(())
    }
}

/// Whether a text may be JSON itself.
pub(super) fn opens(text: &[u8]) -> bool {
    matches!((text.first(), text.last()), (Some(b'{' | b'['), Some(b'}' | b']')))
}

/// Where the first quote or backslash stands. Most texts are short and most escapes close to the next, so that
/// the first bytes are looked at one by one: a call of the vector search costs as much as ten of them.
fn quote_or_escape(text: &[u8]) -> Option<usize> {
    const NEAR_BYTES: usize = 12;
    let near = text.iter().take(NEAR_BYTES).position(|byte| matches!(byte, b'"' | b'\\'));
    near.or_else(|| {
        let rest = text.get(NEAR_BYTES..)?;
        memchr::memchr2(b'"', b'\\', rest).map(|found| NEAR_BYTES + found)
    })
}

/// Decodes the byte or escape at `at` and returns the offset after it. The content has been checked by
/// [`Reader::string`], or is that of a broken record, in which what is no escape stands for itself.
fn decode_one(record: &[u8], at: usize, end: usize, out: &mut Decoded) -> usize {
    let short = match &record[at..end] {
        [b'\\', b'u', ..] => return decode_unicode(record, at, end, out),
        [b'\\', b'n', ..] => b'\n',
        [b'\\', b't', ..] => b'\t',
        [b'\\', b'r', ..] => b'\r',
        [b'\\', b'b', ..] => 0x08,
        [b'\\', b'f', ..] => 0x0c,
        [b'\\', other @ (b'"' | b'\\' | b'/'), ..] => *other,
        plain => {
            let length = memchr::memchr(b'\\', plain).unwrap_or(plain.len()).max(1);
            out.push_verbatim(&plain[..length], at);
            return at + length;
        }
    };
    out.push(&[short], Span::new(at, at + 2));
    at + 2
}

fn decode_unicode(record: &[u8], at: usize, end: usize, out: &mut Decoded) -> usize {
    let Some(unit) = hex4(record, at, end) else {
        out.push_verbatim(&record[at..at + 1], at);
        return at + 1;
    };
    let pair = hex4(record, at + 6, end).filter(|low| (0xdc00..0xe000).contains(low));
    let (code, next) = match pair {
        Some(low) if (0xd800..0xdc00).contains(&unit) => {
            (0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00), at + 12)
        }
        _ => (unit, at + 6),
    };
    // A lone surrogate is no character; U+FFFD keeps it from joining what stands around it.
    let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    let mut utf8 = [0; 4];
    out.push(character.encode_utf8(&mut utf8).as_bytes(), Span::new(at, next));
    next
}

fn hex4(record: &[u8], at: usize, end: usize) -> Option<u32> {
    let escape = record.get(at..at + 6).filter(|_| at + 6 <= end)?;
    if !escape.starts_with(b"\\u") {
        return None;
    }
    escape[2..].iter().try_fold(0, |code, digit| Some(code << 4 | char::from(*digit).to_digit(16)?))
}
