//! Residues: what an action left, recognised exactly so that it is never taken for a value again.
//!
//! | residue | left by |
//! |---|---|
//! | `[email]`, `[email#2]` | `redact`; the second of two equal names |
//! | `[email:k3f9x2q:…]` | `hash`; exactly the length of the kind, and a key id that is known |
//! | `[ipv4:k3f9x2q:…@203.0.113.0/24]` | `hash` that keeps the network; a network as it is written, and nothing else |
//! | `[ipv4:k3f9x2q:198.51.100.7]` | `truncate` that puts addresses in place of addresses |
//! | `[email~k3f9x2q:…]` | `encrypt`; only if it can be turned back with a key at hand |
//! | `[]` | `drop`, in running text |
//! | `[withheld]` | a value in a field that nobody named |
//! | `[withheld 312 bytes]` | a record that could not be judged |
//!
//! Truncated and masked values need no mark: the same action leaves them as they are.

use std::net::IpAddr;

use zeroize::Zeroizing;

use super::base32::is_symbol;
use super::canonical::{ipv4, ipv6};
use super::encrypt::MAX_TOKEN_SYMBOLS;
use super::hash::{KEY_ID_SYMBOLS, token_symbols};
use super::keys::Keys;
use super::truncate::network_address;
use crate::kind::{Kind, Kinds, NAME_BYTES};
use crate::span::Span;

/// Longest residue in bytes, but for those of `encrypt`: the longest name of a kind, the key id, the longest token, a
/// network and the marks.
pub const MAX_RESIDUE_BYTES: usize = 128;

/// What stands for a value in a field that nobody named.
pub const WITHHELD: &[u8] = b"[withheld]";

/// Digits of the length of a withheld record: fewer than any card number has, or a marker could be forged
/// around one.
const MAX_LENGTH_DIGITS: usize = 11;

/// Digits of the number behind the second of two equal names.
const MAX_ORDINAL_DIGITS: usize = 7;

/// A residue, as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Residue<'h> {
    /// `[]`
    Empty,
    /// `[withheld]`, `[withheld 312 bytes]`
    Withheld,
    /// `[email]`
    Label {
        /// What the value was.
        kind: Kind,
    },
    /// `[email:k3f9x2q:…]`
    Pseudonym {
        /// What the value was.
        kind: Kind,
        /// The address of the network that stayed readable.
        network: Option<&'h [u8]>,
    },
    /// `[ipv4:k3f9x2q:198.51.100.7]`
    Address {
        /// What the value was.
        kind: Kind,
    },
    /// `[email~k3f9x2q:…]` under a key that is forgotten: nobody can tell whether it is one, so that it is exempt from
    /// nothing.
    Sealed {
        /// What the value was.
        kind: Kind,
    },
    /// `[email~k3f9x2q:…]`
    Encrypted {
        /// What the value is.
        kind: Kind,
        /// The value.
        value: Zeroizing<Vec<u8>>,
    },
}

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

    /// The residue that starts at `at`, and where it stands, if one does.
    pub fn read<'h>(&self, hay: &'h [u8], at: usize) -> Option<(Residue<'h>, Span)> {
        let rest = hay.get(at..)?.strip_prefix(b"[")?;
        let is_end = |byte: &u8| matches!(byte, b']' | b':' | b'#' | b'~' | b' ');
        let length = rest.iter().take(NAME_BYTES + 1).position(is_end)?;
        let (name, behind) = rest.split_at(length);
        let (residue, length) = match (name, behind.first()?) {
            (b"", b']') => (Residue::Empty, 0),
            (b"withheld", b']') => (Residue::Withheld, 0),
            (b"withheld", b' ') => (Residue::Withheld, length_of_withheld(behind)?),
            _ => self.of_kind(name, behind)?,
        };
        let (residue, length) = (residue, length + ordinal(&behind[length..]));
        let end = at + 1 + name.len() + length;
        (hay.get(end) == Some(&b']')).then(|| (residue, Span::new(at, end + 1)))
    }

    /// The residue that starts at `at`, if one does.
    pub fn at(&self, hay: &[u8], at: usize) -> Option<Span> {
        let (residue, span) = self.read(hay, at)?;
        (!matches!(residue, Residue::Sealed { .. })).then_some(span)
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
            || self.token_around(hay, span.start).is_some_and(|token| token.overlaps(span))
    }

    /// Whether a residue begins before a place and ends behind it.
    pub fn runs_across(&self, hay: &[u8], place: usize) -> bool {
        let from = place.saturating_sub(MAX_RESIDUE_BYTES);
        let Some(before) = hay.get(from..place) else { return false };
        memchr::memrchr_iter(b'[', before)
            .any(|at| self.at(hay, from + at).is_some_and(|residue| residue.end > place))
            || self.token_around(hay, place).is_some_and(|token| token.end > place)
    }

    /// The residue of `encrypt` that begins far before a place and goes on there. Between its last colon and its end
    /// there are symbols only, so that nothing but a run of them calls for a longer look back.
    fn token_around(&self, hay: &[u8], place: usize) -> Option<Span> {
        let before = hay.get(..place)?;
        let symbols = |text: &[u8]| {
            let last = &text[text.len().saturating_sub(MAX_TOKEN_SYMBOLS)..];
            last.len() - last.iter().rposition(|byte| !is_symbol(*byte)).map_or(0, |at| at + 1)
        };
        let mut run = symbols(before);
        // Of `…#2]` the digits are symbols as well.
        if let Some(marked) = before[..before.len() - run].strip_suffix(b"#") {
            run += 1 + symbols(marked);
        }
        if run + NAME_BYTES < MAX_RESIDUE_BYTES {
            return None;
        }
        let head = before[..before.len() - run].strip_suffix(b":")?;
        let from = head.len().saturating_sub(MAX_RESIDUE_BYTES);
        let open = from + memchr::memrchr(b'[', &head[from..])?;
        self.at(hay, open)
    }

    /// A residue of that kind, and how long it is from behind its name to its end or its number.
    fn of_kind<'h>(&self, name: &[u8], behind: &'h [u8]) -> Option<(Residue<'h>, usize)> {
        let name = std::str::from_utf8(name).ok()?;
        let kind = self.kinds.get(name)?;
        let (mark, rest) = behind.split_first()?;
        if matches!(mark, b']' | b'#') {
            return Some((Residue::Label { kind }, 0));
        }
        let (id, rest) = rest.strip_prefix(b"k")?.split_at_checked(KEY_ID_SYMBOLS)?;
        let rest = rest.strip_prefix(b":")?;
        let keys = self.keys.as_ref().filter(|keys| keys.knows(id))?;
        let longest = if *mark == b'~' { MAX_TOKEN_SYMBOLS } else { MAX_RESIDUE_BYTES };
        let is_end = |byte: &u8| matches!(byte, b']' | b'#');
        let text = rest.get(..rest.iter().take(longest + 1).position(is_end)?)?;
        let length = behind.len() - rest.len() + text.len();
        let residue = match mark {
            b'~' => {
                let mut live = keys.with_id(id).peekable();
                let is_forgotten = live.peek().is_none() && text.iter().all(|byte| is_symbol(*byte));
                match live.find_map(|key| key.decrypt(name, text)) {
                    Some(value) => Residue::Encrypted { kind, value },
                    None if is_forgotten && !text.is_empty() => Residue::Sealed { kind },
                    None => return None,
                }
            }
            b':' => pseudonym(kind, text)?,
            _ => return None,
        };
        Some((residue, length))
    }
}

/// What stands behind the key id of `[kind:k…:…]`.
fn pseudonym(kind: Kind, text: &[u8]) -> Option<Residue<'_>> {
    let is_token =
        |text: &[u8]| text.len() == token_symbols(kind) && text.iter().all(|byte| is_symbol(*byte));
    let is_address = matches!(kind, Kind::IPV4 | Kind::IPV6);
    match text.split_at_checked(token_symbols(kind)) {
        Some((token, b"")) if is_token(token) => Some(Residue::Pseudonym { kind, network: None }),
        Some((token, [b'@', network @ ..])) if is_address && is_token(token) => {
            let network = Some(network_address(network)?);
            Some(Residue::Pseudonym { kind, network })
        }
        _ => is_written_address(kind, text).then_some(Residue::Address { kind }),
    }
}

/// Whether the text is an address of that kind, as addresses are written here.
fn is_written_address(kind: Kind, text: &[u8]) -> bool {
    let address = match kind {
        Kind::IPV4 => ipv4(text).map(IpAddr::V4),
        Kind::IPV6 => ipv6(text).map(IpAddr::V6),
        _ => None,
    };
    address.is_some_and(|address| address.to_canonical().to_string().as_bytes() == text)
}

/// The length of ` 312 bytes`.
fn length_of_withheld(text: &[u8]) -> Option<usize> {
    let digits = text.get(1..)?;
    let count = digits.iter().take(MAX_LENGTH_DIGITS + 1).take_while(|byte| byte.is_ascii_digit()).count();
    let is_length = (1..=MAX_LENGTH_DIGITS).contains(&count) && digits[count..].starts_with(b" bytes]");
    is_length.then_some(1 + count + b" bytes".len())
}

/// The length of `#2`, if that stands there.
pub(super) fn ordinal(text: &[u8]) -> usize {
    let Some(digits) = text.strip_prefix(b"#") else { return 0 };
    let count = digits.iter().take(MAX_ORDINAL_DIGITS + 1).take_while(|byte| byte.is_ascii_digit()).count();
    if (1..=MAX_ORDINAL_DIGITS).contains(&count) { 1 + count } else { 0 }
}
