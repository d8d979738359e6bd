//! logfmt: `key=value key="quoted \"text\"" word`, as go-kit, logrus, Heroku and many others write it.
//!
//! Any line with an `=` in it could be taken for this. So a record is logfmt only if it is pairs for the most part, and
//! one with a list in it (`a=1, b=2`) or a quote where none belongs is left to be read as text, which is
//! generous about such things.

use super::json::opens;
use super::pairs::{part, push_allowed, remove};
use super::{Field, Fields, Format, Head, Layer, Name, NotThis, Opens, Role};
use crate::decoded::Decoded;
use crate::span::Span;

/// Fewer pairs are running text with an `=` in it.
const MIN_PAIRS: usize = 2;

/// As many pairs there must be for each word that belongs to none.
const PAIRS_A_WORD: usize = 3;

/// Begins colours. Where names and values are coloured, what reads text knows how.
const ESC: u8 = 0x1b;

/// `key=value` pairs.
#[derive(Debug)]
pub struct Logfmt;

impl Format for Logfmt {
    fn name(&self) -> &'static str {
        "logfmt"
    }

    fn fields(&self, record: &[u8], _: &Head, out: &mut Fields) -> Result<(), NotThis> {
        let most = memchr::memchr_iter(b'=', record).count();
        if most < MIN_PAIRS || memchr::memchr(ESC, record).is_some() {
            return Err(NotThis);
        }
        let record_field = out.push(Field::new(Role::Object, Span::new(0, record.len())));
        let mut reader = Reader { record, at: 0, record_field, pairs: 0, words: 0, no_more_singles: false };
        reader.parts(most / PAIRS_A_WORD, &mut out.list)
    }

    fn decode(&self, text: &[u8], _: &Field, span: Span, out: &mut Decoded) {
        let mut at = span.start;
        while at < span.end {
            at = decode_one(text, at, span.end, out);
        }
    }

    fn escape(&self, field: &Field, text: &[u8], whole: bool, out: &mut Vec<u8>) {
        let named = field.name != Name::None;
        match field.role {
            Role::Name => push_allowed(text, in_name, out),
            Role::Text if named && (field.is_quoted() || whole && needs_quotes(text)) => {
                push_quoted(text, out);
            }
            Role::Text if named && whole => out.extend_from_slice(text),
            _ => {
                let (first, last) = (out.len(), out.len() + text.len().saturating_sub(1));
                push_allowed(text, |byte| in_bare(byte) && (named || byte != b'='), out);
                if let Some(byte) = out.get_mut(first).filter(|byte| **byte == b'\'') {
                    *byte = b'_';
                }
                if let Some(byte) = out.get_mut(last).filter(|byte| ends_list_item(**byte)) {
                    *byte = b'_';
                }
            }
        }
    }

    fn quote(&self, field: &Field, text: &[u8]) -> &'static [u8] {
        let is_bare = field.role == Role::Text && field.name != Name::None && !field.is_quoted();
        if is_bare && needs_quotes(text) { b"\"" } else { b"" }
    }

    /// A pair goes with the blanks before it. Where too few pairs would stay for the record to be logfmt, its name and
    /// the `=` stay.
    fn remove(&self, fields: &Fields, layer: &Layer, gone: &[usize], out: &mut Vec<(Span, &'static [u8])>) {
        let list = &fields.list;
        let is_pair = |at: &usize| list[*at].role != Role::Name && list[*at].name != Name::None;
        let own = layer.fields.clone();
        let has_words = own.clone().any(|at| !is_pair(&at) && part(list, &list[at]).is_some());
        let stay = own.filter(is_pair).count() - gone.iter().filter(|at| is_pair(at)).count();
        let mut kept = if has_words { usize::MAX } else { MIN_PAIRS.saturating_sub(stay) };
        let (emptied, gone): (Vec<usize>, Vec<usize>) = gone.iter().partition(|at| {
            let keeps = is_pair(at) && kept > 0;
            kept -= usize::from(keeps);
            keeps
        });
        let first = out.len();
        remove(list, layer, &gone, |_| true, out);
        out.extend(emptied.iter().map(|at| (list[*at].whole, b"".as_slice())));
        if let Some(own) = out.get_mut(first..) {
            own.sort_unstable_by_key(|(span, _)| *span);
        }
    }
}

struct Reader<'r> {
    record: &'r [u8],
    at: usize,
    /// The place of the field that is the whole record.
    record_field: usize,
    pairs: usize,
    words: usize,
    /// No value in single quotes ends from here on.
    no_more_singles: bool,
}

impl Reader<'_> {
    /// Pairs and words up to the end of the record; not more than `most_words`.
    fn parts(&mut self, most_words: usize, out: &mut Vec<Field>) -> Result<(), NotThis> {
        let mut in_text = false;
        loop {
            self.at += blanks(&self.record[self.at..]);
            if self.at == self.record.len() {
                break;
            }
            match self.name() {
                Some(name) => {
                    self.pair(name, out)?;
                    in_text = false;
                }
                None => {
                    self.word(in_text, out)?;
                    in_text = true;
                }
            }
            if self.words > most_words {
                return Err(NotThis);
            }
        }
        let enough = MIN_PAIRS.max(self.words.saturating_mul(PAIRS_A_WORD));
        if self.pairs >= enough { Ok(()) } else { Err(NotThis) }
    }

    /// The name of a pair, if one stands here.
    fn name(&self) -> Option<Span> {
        let rest = &self.record[self.at..];
        let length = rest.iter().position(|byte| !in_name(*byte))?;
        (length > 0 && rest[length] == b'=').then(|| Span::new(self.at, self.at + length))
    }

    fn pair(&mut self, name: Span, out: &mut Vec<Field>) -> Result<(), NotThis> {
        let parent = Some(self.record_field);
        out.push(Field { parent, ..Field::new(Role::Name, name) });
        self.at = name.end + 1;
        let mut field = match self.record.get(self.at) {
            Some(b'"') => self.quoted()?,
            Some(b'\'') => match self.single_quoted() {
                Some(field) => field,
                None => self.bare()?,
            },
            _ => self.bare()?,
        };
        (field.parent, field.name) = (parent, Name::Field(out.len() - 1));
        self.at = field.whole.end;
        self.pairs += 1;
        out.push(field);
        Ok(())
    }

    fn bare(&self) -> Result<Field, NotThis> {
        let value = self.unquoted()?;
        let is_item = value.of(self.record).last().is_some_and(|last| ends_list_item(*last));
        if is_item { Err(NotThis) } else { Ok(Field::new(Role::Text, value)) }
    }

    /// What stands here up to the next blank. A quote in it may hold the blank.
    fn unquoted(&self) -> Result<Span, NotThis> {
        let rest = &self.record[self.at..];
        let length = rest.iter().position(|byte| !in_bare(*byte)).unwrap_or(rest.len());
        if rest.get(length) == Some(&b'"') {
            return Err(NotThis);
        }
        Ok(Span::new(self.at, self.at + length))
    }

    fn quoted(&self) -> Result<Field, NotThis> {
        let start = self.at + 1;
        let (mut at, mut escaped) = (start, false);
        let end = loop {
            let rest = self.record.get(at..).unwrap_or_default();
            let found = memchr::memchr2(b'"', b'\\', rest).ok_or(NotThis)?;
            if rest[found] == b'"' {
                break at + found;
            }
            escaped = true;
            at += found + 2;
        };
        if self.record.get(end + 1).is_some_and(|after| !is_blank(*after)) {
            return Err(NotThis);
        }
        let value = Span::new(start, end);
        let opens = if opens(value.of(self.record)) { Opens::Json } else { Opens::No };
        Ok(Field { whole: Span::new(self.at, end + 1), escaped, opens, ..Field::new(Role::Text, value) })
    }

    /// A value in single quotes, as the audit daemon writes messages. The closing quote stands before a blank.
    fn single_quoted(&mut self) -> Option<Field> {
        if self.no_more_singles {
            return None;
        }
        let rest = &self.record[self.at + 1..];
        let closes = |at: &usize| rest.get(at + 1).is_none_or(|after| is_blank(*after));
        let Some(length) = memchr::memchr_iter(b'\'', rest).find(closes) else {
            self.no_more_singles = true;
            return None;
        };
        let value = Span::new(self.at + 1, self.at + 1 + length);
        let whole = Span::new(self.at, value.end + 1);
        Some(Field { whole, escaped: rest[..length].contains(&b'\\'), ..Field::new(Role::Text, value) })
    }

    /// A word that belongs to no pair. Words beside one another are one field: `user: ann` is to be read as a whole.
    fn word(&mut self, continues: bool, out: &mut Vec<Field>) -> Result<(), NotThis> {
        let word = self.unquoted()?;
        self.at = word.end;
        self.words += 1;
        match out.last_mut().filter(|_| continues) {
            Some(text) => {
                text.value.end = word.end;
                text.whole.end = word.end;
            }
            None => out.push(Field { parent: Some(self.record_field), ..Field::new(Role::Text, word) }),
        }
        Ok(())
    }
}

fn is_blank(byte: u8) -> bool {
    byte <= b' '
}

fn blanks(text: &[u8]) -> usize {
    text.iter().position(|byte| !is_blank(*byte)).unwrap_or(text.len())
}

/// Whether a name may hold the byte. Those around residues are among them.
fn in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'_' | b'-' | b'.' | b'/' | b':' | b'@' | b'$' | b'[' | b']' | b'#' | b'~' | b'+' | b'*' | 0x80..
        )
}

fn in_bare(byte: u8) -> bool {
    !is_blank(byte) && byte != b'"'
}

/// Whether a value that ends so is an item of a list, and no value of logfmt.
fn ends_list_item(byte: u8) -> bool {
    matches!(byte, b',' | b';')
}

fn needs_quotes(text: &[u8]) -> bool {
    text.first() == Some(&b'\'')
        || text.last().is_some_and(|last| ends_list_item(*last))
        || text.iter().any(|byte| !in_bare(*byte) || *byte == b'=')
}

/// Writes what both sorts of quotes may hold.
fn push_quoted(text: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x00..=0x1f | b'\'' => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(*byte),
        }
    }
}

/// Decodes the byte or escape at `at`, as Go and JSON know them, and returns the offset after it. A backslash that begins
/// none stands for itself: paths are often written as they are.
fn decode_one(text: &[u8], at: usize, end: usize, out: &mut Decoded) -> usize {
    let rest = &text[at..end];
    let length = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
    if length > 0 {
        out.push_verbatim(&rest[..length], at);
        return at + length;
    }
    let (character, length) = match rest {
        [_, b'n', ..] => ('\n', 2),
        [_, b't', ..] => ('\t', 2),
        [_, b'r', ..] => ('\r', 2),
        [_, b'a', ..] => ('\x07', 2),
        [_, b'b', ..] => ('\x08', 2),
        [_, b'v', ..] => ('\x0b', 2),
        [_, b'f', ..] => ('\x0c', 2),
        [_, other @ (b'"' | b'\'' | b'\\' | b'/'), ..] => (char::from(*other), 2),
        [_, b'x', ..] => {
            let Some(byte) = hex(rest, 2) else { return decode_nothing(rest, at, out) };
            out.push(&[byte as u8], Span::new(at, at + 4));
            return at + 4;
        }
        [_, b'u', ..] => match utf16(rest) {
            Some(decoded) => decoded,
            None => return decode_nothing(rest, at, out),
        },
        [_, b'U', ..] => match hex(rest, 8).and_then(char::from_u32) {
            Some(character) => (character, 10),
            None => return decode_nothing(rest, at, out),
        },
        _ => return decode_nothing(rest, at, out),
    };
    let mut utf8 = [0; 4];
    out.push(character.encode_utf8(&mut utf8).as_bytes(), Span::new(at, at + length));
    at + length
}

fn decode_nothing(rest: &[u8], at: usize, out: &mut Decoded) -> usize {
    out.push_verbatim(&rest[..1], at);
    at + 1
}

/// The character of `\uXXXX`, or of two of them that are a surrogate pair, and their length.
fn utf16(text: &[u8]) -> Option<(char, usize)> {
    let unit = hex(text, 4)?;
    let low = text.get(6..).filter(|next| next.starts_with(b"\\u")).and_then(|next| hex(next, 4));
    match low {
        Some(low @ 0xdc00..=0xdfff) if (0xd800..0xdc00).contains(&unit) => {
            let character = char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
            character.map(|character| (character, 12))
        }
        _ => Some((char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), 6)),
    }
}

/// The number in so many hexadecimal digits after the two bytes that begin an escape.
fn hex(escape: &[u8], digits: usize) -> Option<u32> {
    let digits = escape.get(2..2 + digits)?;
    digits.iter().try_fold(0, |code: u32, digit| Some(code << 4 | char::from(*digit).to_digit(16)?))
}
