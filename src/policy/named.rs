//! Names followed by `=` or `:` in text, so that field rules hold where a record yields no fields.
//!
//! A record that an attacker made unreadable must not lose its field rules; and running text full of
//! `password=…` gets them as well. The reading is generous on purpose: quotes and blanks around the
//! separator, escaped quotes, values in brackets.

use crate::span::Span;

/// Longest name that is looked at, in bytes. It bounds the walk back from each separator.
const MAX_NAME_BYTES: usize = 128;

/// Calls `wanted` with every dotted name in turn, as it is written; where it says yes, `each` gets the span
/// of the value, without quotes. Names inside such a value are passed over: it goes as a whole, and
/// so the walk stays linear.
pub(super) fn pairs<R>(
    text: &[u8],
    mut wanted: impl FnMut(&[u8]) -> Option<R>,
    mut each: impl FnMut(R, Span),
) {
    let mut from = 0;
    for at in memchr::memchr2_iter(b'=', b':', text) {
        if at < from {
            continue;
        }
        let Some(name) = name_before(text, at) else { continue };
        let Some(rule) = wanted(name.of(text)) else { continue };
        let value = value_after(text, name.end, at + 1);
        if !value.is_empty() {
            from = value.end;
            each(rule, value);
        }
    }
}

/// The name that ends before the separator at `at`.
fn name_before(text: &[u8], at: usize) -> Option<Span> {
    let floor = at.saturating_sub(MAX_NAME_BYTES);
    let mut end = at;
    while end > floor && matches!(text[end - 1], b' ' | b'"' | b'\'' | b'\\') {
        end -= 1;
    }
    let mut start = end;
    while start > floor
        && (text[start - 1].is_ascii_alphanumeric() || matches!(text[start - 1], b'_' | b'-' | b'.'))
    {
        start -= 1;
    }
    (start < end).then(|| Span::new(start, end))
}

/// The value that starts at `from`, after a separator: up to the closing quote or bracket, else up to a
/// delimiter. Blanks may stand before it after a colon, or after an equals sign that has one before it:
/// `a= b=1` gives `a` no value.
fn value_after(text: &[u8], name_end: usize, from: usize) -> Span {
    let mut start = from;
    if text[from - 1] == b':' || text[name_end] != b'=' {
        while matches!(text.get(start), Some(b' ' | b'\t')) {
            start += 1;
        }
    }
    let rest = &text[start..];
    match rest {
        [b'\\', b'"', ..] => quoted(text, start + 2, b"\\\""),
        [b'"', ..] => quoted(text, start + 1, b"\""),
        [b'\'', ..] => quoted(text, start + 1, b"'"),
        [b'{' | b'[', ..] => bracketed(text, start),
        _ => Span::new(start, next_delimiter(text, start)),
    }
}

fn next_delimiter(text: &[u8], from: usize) -> usize {
    text[from..].iter().position(|byte| is_delimiter(*byte)).map_or(text.len(), |length| from + length)
}

/// Whether a byte ends a value that has no quotes.
pub(super) fn is_delimiter(byte: u8) -> bool {
    byte <= b' '
        || matches!(byte, b',' | b';' | b'&' | b')' | b']' | b'}' | b'"' | b'\'' | b'<' | b'>' | b'|')
}

/// Up to the closing quote, or to the end of the text if there is none.
fn quoted(text: &[u8], start: usize, quote: &[u8]) -> Span {
    let mut at = start;
    while at < text.len() && !text[at..].starts_with(quote) {
        at += if text[at] == b'\\' { 2 } else { 1 };
    }
    Span::new(start, at.min(text.len()))
}

/// A residue or a bracketed value, brackets and what is glued to them included (`[]hunter2` is one value); to
/// the end of the text if it is never closed.
fn bracketed(text: &[u8], start: usize) -> Span {
    let mut depth = 0_usize;
    for (at, byte) in text.iter().enumerate().skip(start) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Span::new(start, next_delimiter(text, at + 1));
        }
    }
    Span::new(start, text.len())
}
