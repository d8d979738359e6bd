//! JSON, one value a record (RFC 8259, as JSON lines).
//!
//! The reader is exact about structure, because a wrong guess there would put an edit in the wrong place,
//! and lenient about content: strings may hold any bytes but a line feed, since real logs carry invalid
//! UTF-8 and bare control bytes, and refusing those would switch field rules off.

mod outermost;
mod skim;

pub use outermost::{Outermost, outermost};
pub use skim::{Member, Skim};

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
        let at = if record.starts_with(BOM) { BOM.len() } else { 0 };
        let told = Listed { record, list: &mut out.list, open: None, name: Name::None };
        Reader::new(record, at, told).document()
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

/// What a [`Reader`] tells of a record, in the order in which it stands there.
trait Told {
    /// Where the first quote or backslash stands in the record, from a place on.
    fn quote_or_escape(&self, record: &[u8], from: usize) -> Option<usize>;
    /// A name, or a text: its content.
    fn text(&mut self, role: Role, value: Span, escaped: bool);
    /// A number or literal.
    fn bare(&mut self, role: Role, span: Span);
    /// An object or array that begins here.
    fn open(&mut self, role: Role, at: usize);
    /// The end of the last that began and has not ended.
    fn close(&mut self, end: usize);
}

struct Reader<'r, T> {
    record: &'r [u8],
    at: usize,
    depth: usize,
    /// The open brackets, one bit each, the innermost lowest: whether it is one of an object.
    objects: u128,
    told: T,
}

impl<'r, T: Told> Reader<'r, T> {
    fn new(record: &'r [u8], at: usize, told: T) -> Reader<'r, T> {
        Reader { record, at, depth: 0, objects: 0, told }
    }

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

    /// The whole record: one object or array and nothing after it. Open brackets are not kept on the call stack.
    fn document(&mut self) -> Result<(), NotThis> {
        self.blanks();
        if !matches!(self.peek(), Some(b'{' | b'[')) {
            return Err(NotThis);
        }
        loop {
            self.name_if_due()?;
            if self.value()? {
                self.blanks();
                if !self.closes() {
                    continue;
                }
                self.close();
            }
            loop {
                self.blanks();
                if self.depth == 0 {
                    return if self.at == self.record.len() { Ok(()) } else { Err(NotThis) };
                }
                if self.peek() == Some(b',') {
                    self.at += 1;
                    self.blanks();
                    break;
                }
                if !self.closes() {
                    return Err(NotThis);
                }
                self.close();
            }
        }
    }

    fn name_if_due(&mut self) -> Result<(), NotThis> {
        if self.depth > 0 && self.objects & 1 == 1 {
            self.string(Role::Name)?;
            self.blanks();
            self.take(b':')?;
            self.blanks();
        }
        Ok(())
    }

    /// One value. Whether it is an object or array, which is only opened.
    fn value(&mut self) -> Result<bool, NotThis> {
        match self.peek() {
            Some(b'"') => self.string(Role::Text)?,
            Some(byte @ (b'{' | b'[')) => {
                let is_object = byte == b'{';
                self.told.open(if is_object { Role::Object } else { Role::Array }, self.at);
                self.at += 1;
                self.depth += 1;
                self.objects = self.objects << 1 | u128::from(is_object);
                return if self.depth > MAX_DEPTH { Err(NotThis) } else { Ok(true) };
            }
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => self.literal()?,
        }
        Ok(false)
    }

    fn closes(&self) -> bool {
        self.peek() == Some(if self.objects & 1 == 1 { b'}' } else { b']' })
    }

    fn close(&mut self) {
        self.at += 1;
        self.depth -= 1;
        self.objects >>= 1;
        self.told.close(self.at);
    }

    fn string(&mut self, role: Role) -> Result<(), NotThis> {
        self.take(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            let found = self.told.quote_or_escape(self.record, self.at).ok_or(NotThis)?;
            self.at = found + 1;
            if self.record[found] == b'"' {
                self.told.text(role, Span::new(start, found), escaped);
                return Ok(());
            }
            escaped = true;
            self.escape()?;
        }
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
    fn number(&mut self) -> Result<(), NotThis> {
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
        self.told.bare(Role::Number, Span::new(start, self.at));
        Ok(())
    }

    fn digits(&mut self) -> Result<(), NotThis> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(NotThis) }
    }

    fn literal(&mut self) -> Result<(), NotThis> {
        let rest = self.record.get(self.at..).unwrap_or_default();
        let words: [&[u8]; 3] = [b"true", b"false", b"null"];
        let word = words.iter().find(|word| rest.starts_with(word)).ok_or(NotThis)?;
        let span = Span::new(self.at, self.at + word.len());
        self.at = span.end;
        self.told.bare(Role::Literal, span);
        Ok(())
    }
}

/// Makes fields of what is read.
struct Listed<'o> {
    record: &'o [u8],
    list: &'o mut Vec<Field>,
    /// The innermost open object or array.
    open: Option<usize>,
    /// Of the value that follows.
    name: Name,
}

impl Listed<'_> {
    fn push(&mut self, field: Field) {
        let name = std::mem::take(&mut self.name);
        self.list.push(Field { parent: self.open, name, ..field });
    }
}

impl Told for Listed<'_> {
    fn quote_or_escape(&self, record: &[u8], from: usize) -> Option<usize> {
        Some(from + quote_or_escape(record.get(from..)?)?)
    }

    fn text(&mut self, role: Role, value: Span, escaped: bool) {
        let whole = Span::new(value.start - 1, value.end + 1);
        let may_open = role == Role::Text && opens(value.of(self.record));
        let opens = if may_open { Opens::Json } else { Opens::No };
        self.push(Field { whole, escaped, opens, ..Field::new(role, value) });
        if role == Role::Name {
            self.name = Name::Field(self.list.len() - 1);
        }
    }

    fn bare(&mut self, role: Role, span: Span) {
        self.push(Field::new(role, span));
    }

    fn open(&mut self, role: Role, at: usize) {
        self.push(Field::new(role, Span::new(at, at)));
        self.open = Some(self.list.len() - 1);
    }

    fn close(&mut self, end: usize) {
        let Some(field) = self.open.map(|open| &mut self.list[open]) else { return };
        field.whole.end = end;
        field.value = Span::new(field.whole.start + 1, end - 1);
        self.open = field.parent;
    }
}

/// Whether a text may be JSON itself.
pub(super) fn opens(text: &[u8]) -> bool {
    matches!((text.first(), text.last()), (Some(b'{' | b'['), Some(b'}' | b']')))
}

/// Where the first quote or backslash stands. Most texts are short and most escapes close to the next, so that
/// the first bytes are looked at in words of eight: a call of the vector search costs as much as ten bytes.
fn quote_or_escape(text: &[u8]) -> Option<usize> {
    const NEAR_WORDS: usize = 3;
    let words = text.as_chunks().0;
    for (at, word) in words.iter().take(NEAR_WORDS).enumerate() {
        let word = u64::from_le_bytes(*word);
        let found =
            zero_bytes(word ^ (EACH * u64::from(b'"'))) | zero_bytes(word ^ (EACH * u64::from(b'\\')));
        if found != 0 {
            return Some(8 * at + found.trailing_zeros() as usize / 8);
        }
    }
    let passed = 8 * words.len().min(NEAR_WORDS);
    memchr::memchr2(b'"', b'\\', &text[passed..]).map(|found| passed + found)
}

/// One in each byte of a word.
const EACH: u64 = u64::MAX / 255;

/// The top bit of the first byte that is zero, and of some behind it.
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(EACH) & !word & (EACH << 7)
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
