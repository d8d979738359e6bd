//! Residues: what an action left, recognised exactly so that it is never taken for a value again.
//!
//! | residue | left by |
//! |---|---|
//! | `[email]`, `[email#2]` | `redact`; the second of two equal names |
//! | `[email:k3f9x2q:…]` | `hash`; exactly the length of the kind, and a key id that is known |
//! | `[]` | `drop`, in running text |
//! | `[withheld]` | a value in a field that nobody named |
//! | `[withheld 312 bytes]` | a record that could not be judged |
//!
//! Truncated and masked values need no mark: the same action leaves them as they are.

use super::hash::{KEY_ID_SYMBOLS, is_symbol, token_symbols};
use super::keys::Keys;
use crate::kind::Kinds;
use crate::span::Span;

/// Longest residue in bytes: the longest name of a kind, the key id, the longest token and the marks.
pub const MAX_RESIDUE_BYTES: usize = 128;

/// What stands for a value in a field that nobody named.
pub const WITHHELD: &[u8] = b"[withheld]";

/// Digits of the length of a withheld record: fewer than any card number has, or a marker could be forged
/// around one.
const MAX_LENGTH_DIGITS: usize = 11;

/// Digits of the number behind the second of two equal names.
const MAX_ORDINAL_DIGITS: usize = 7;

/// Recognises residues.
#[derive(Debug, Clone, Default)]
pub struct Residues {
    kinds: Kinds,
    keys: Option<Keys>,
}

impl Residues {
    /// Residues of these kinds, and those made under one of these keys.
    pub fn new(kinds: Kinds, keys: Option<Keys>) -> Residues {
        Residues { kinds, keys }
    }

    /// The residue that starts at `at`, if one does.
    pub fn at(&self, hay: &[u8], at: usize) -> Option<Span> {
        let rest = hay.get(at..)?.strip_prefix(b"[")?;
        let length = memchr::memchr(b']', &rest[..rest.len().min(MAX_RESIDUE_BYTES)])?;
        self.inside(&rest[..length]).then(|| Span::new(at, at + length + 2))
    }

    /// Whether the whole value is one residue.
    pub fn is(&self, value: &[u8]) -> bool {
        self.at(value, 0).is_some_and(|span| span.len() == value.len())
    }

    /// Whether a residue shares a byte with `span`.
    pub fn touches(&self, hay: &[u8], span: Span) -> bool {
        let from = span.start.saturating_sub(MAX_RESIDUE_BYTES);
        memchr::memchr_iter(b'[', &hay[from..span.end])
            .any(|at| self.at(hay, from + at).is_some_and(|residue| residue.overlaps(span)))
    }

    /// Whether a residue begins before a place and ends behind it.
    pub fn runs_across(&self, hay: &[u8], place: usize) -> bool {
        let from = place.saturating_sub(MAX_RESIDUE_BYTES);
        let Some(before) = hay.get(from..place) else { return false };
        memchr::memrchr_iter(b'[', before)
            .any(|at| self.at(hay, from + at).is_some_and(|residue| residue.end > place))
    }

    fn inside(&self, text: &[u8]) -> bool {
        if text.is_empty() || text == b"withheld" {
            return true;
        }
        if let Some(digits) = text.strip_prefix(b"withheld ").and_then(|rest| rest.strip_suffix(b" bytes")) {
            return is_number(digits, MAX_LENGTH_DIGITS);
        }
        let end = text.iter().position(|byte| matches!(byte, b':' | b'#')).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let known = std::str::from_utf8(name).ok().and_then(|name| self.kinds.get(name));
        let Some(kind) = known else { return false };
        match rest.split_first() {
            None => true,
            Some((b'#', number)) => is_number(number, MAX_ORDINAL_DIGITS),
            Some((_, pseudonym)) => self.is_pseudonym(pseudonym, token_symbols(kind)),
        }
    }

    /// `k`, the id of a known key, `:`, the token; `#2` may follow.
    fn is_pseudonym(&self, text: &[u8], symbols: usize) -> bool {
        let text = match text.iter().position(|byte| *byte == b'#') {
            Some(at) if is_number(&text[at + 1..], MAX_ORDINAL_DIGITS) => &text[..at],
            Some(_) => return false,
            None => text,
        };
        let Some((id, token)) =
            text.strip_prefix(b"k").and_then(|rest| rest.split_at_checked(KEY_ID_SYMBOLS))
        else {
            return false;
        };
        let Some(token) = token.strip_prefix(b":") else { return false };
        self.keys.as_ref().is_some_and(|keys| keys.knows(id))
            && token.len() == symbols
            && token.iter().all(|byte| is_symbol(*byte))
    }
}

fn is_number(text: &[u8], max_digits: usize) -> bool {
    (1..=max_digits).contains(&text.len()) && text.iter().all(u8::is_ascii_digit)
}
