//! [`Names`]: the names without which no field rule means anything in a record.

use std::collections::HashSet;
use std::fmt;

use memchr::memmem::find_iter;

use super::selector::{Selector, normal};
use super::{Covers, Policy};

/// How far back from its separator a name is followed. A longer one counts as wanted.
const MAX_NAME_BYTES: usize = 128;

/// The names that the field rules of a policy ask for.
#[derive(Clone)]
pub struct Names {
    /// In normal form. One of them is the last part of the name.
    last: HashSet<Vec<u8>>,
    /// One of them is any part of a dotted name, for what follows it may have any name.
    inner: HashSet<Vec<u8>>,
    /// Some rule means fields of any name.
    any: bool,
    /// Some name holds bytes that only a name in quotes can.
    quoted: bool,
    /// The last two bytes before a separator, one bit each: most are no end of a wanted name.
    ends: Vec<u32>,
    /// The last three letters, in lower case, by their hash.
    thirds: Vec<u32>,
    /// The last [`TAIL_BYTES`] letters of names, or all, by their hash.
    tails: Vec<u32>,
    /// The bytes that a name may be written with.
    bytes: [bool; 256],
}

impl fmt::Debug for Names {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Names { last, inner, any, .. } = self;
        let mut shown = out.debug_struct("Names");
        shown
            .field("last", &last.len())
            .field("inner", &inner.len())
            .field("any", any)
            .finish_non_exhaustive()
    }
}

/// Letters that are looked at before a name is: those of `request_id` tell it from all other names that end in `id`.
const TAIL_BYTES: usize = 6;
/// Logarithm of the bits for tails: a thousand names set 3 % of them.
const TAILS_LOG: u32 = 15;

impl Names {
    /// The names that the rules of this policy ask for.
    pub fn of(policy: &Policy) -> Names {
        let mut names = Names {
            last: HashSet::new(),
            inner: HashSet::new(),
            any: false,
            quoted: false,
            ends: vec![0; (1 << 16) / 32],
            thirds: vec![0; (1 << TAILS_LOG) / 32],
            tails: vec![0; (1 << TAILS_LOG) / 32],
            bytes: [false; 256],
        };
        for rule in &policy.rules {
            if let Covers::Field { fields, .. } = &rule.covers {
                fields.iter().for_each(|field| names.add(field));
            }
        }
        names.last.extend(policy.words_before_given_names().map(|word| word.as_bytes().to_vec()));
        names.fill();
        names
    }

    fn add(&mut self, selector: &Selector) {
        let last = selector.last_name();
        let Some(name) = last.or_else(|| selector.any_name()) else {
            self.any = true;
            return;
        };
        // What no separator can stand behind, or no quote around, is not told from the bytes before a colon.
        self.any |= name.is_empty() || name.iter().any(|byte| matches!(byte, b'"' | b'\\' | ..b' '));
        self.quoted |= !name.iter().all(u8::is_ascii_alphanumeric);
        let names = if last.is_some() { &mut self.last } else { &mut self.inner };
        names.insert(name.to_vec());
    }

    /// Notes the ends of all names and the bytes in them, in all their spellings.
    fn fill(&mut self) {
        for name in self.last.iter().chain(&self.inner) {
            let spelt = |byte: &u8| [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()];
            name.iter().flat_map(spelt).for_each(|byte| self.bytes[usize::from(byte)] = true);
            let tail = name.iter().rev().take(TAIL_BYTES).fold(0, |tail, byte| joined(tail, *byte));
            set_bit(&mut self.tails, hash(tail));
            set_thirds(&mut self.thirds, name);
            let Some((last, before)) = name.split_last() else { continue };
            for last in spelt(last) {
                match before.last() {
                    Some(before) => {
                        spelt(before)
                            .into_iter()
                            .for_each(|before| set_bit(&mut self.ends, pair(before, last)));
                        SEPARATORS.iter().for_each(|before| set_bit(&mut self.ends, pair(*before, last)));
                    }
                    None => (0..=255).for_each(|before| set_bit(&mut self.ends, pair(before, last))),
                }
            }
        }
        for byte in BEHIND_NAMES.iter().chain(&SEPARATORS) {
            (0..=255).for_each(|before| set_bit(&mut self.ends, pair(before, *byte)));
        }
        if !self.is_empty() {
            [b'-', b'_', b'.'].iter().for_each(|byte| self.bytes[usize::from(*byte)] = true);
            // An escaped tab may stand between a name and its separator; the last byte of it is a letter.
            [b'<', b'/', b'>', b'\t'].iter().for_each(|byte| self.bytes[usize::from(*byte)] = true);
        }
    }

    /// Whether no name is asked for.
    pub fn is_empty(&self) -> bool {
        self.last.is_empty() && self.inner.is_empty() && !self.any
    }

    /// Whether any record may hold what is asked for.
    pub fn any(&self) -> bool {
        self.any
    }

    /// Whether it depends on the beginning of a name, which an escaped quote in the name hides.
    pub fn asks_for_beginnings(&self) -> bool {
        !self.inner.is_empty()
    }

    /// Whether a name may be written with this byte.
    pub fn has(&self, byte: u8) -> bool {
        self.bytes[usize::from(byte)]
    }

    /// Whether the byte may stand behind a name, as its separator or before it.
    pub fn may_end_in(&self, byte: u8) -> bool {
        !self.is_empty() && (matches!(byte, b'=' | b':') || BEHIND_NAMES.contains(&byte))
    }

    /// Appends the separators in `text` behind wanted names, the ends of elements, and perhaps some others.
    pub fn places(&self, text: &[u8], out: &mut Vec<u32>) {
        if self.is_empty() {
            return;
        }
        let separators = memchr::memchr2_iter(b'=', b':', text);
        out.extend(separators.filter(|at| self.ends_at(text, *at)).map(|at| at as u32));
        LAST_TAGS.iter().for_each(|tag| out.extend(find_iter(text, tag).map(|at| at as u32)));
    }

    /// Whether there is a wanted name in the text, or an element, which may have one.
    pub fn are_in(&self, text: &[u8]) -> bool {
        !self.is_empty()
            && (memchr::memchr2_iter(b'=', b':', text).any(|at| self.ends_at(text, at))
                || LAST_TAGS.iter().any(|tag| find_iter(text, tag).next().is_some()))
    }

    /// Whether what an edit writes may make a wanted name, there or together with what stands beside it.
    pub fn may_be_made_by(&self, written: &[u8]) -> bool {
        let joins = |byte: Option<&u8>| {
            byte.is_some_and(|byte| {
                byte.is_ascii_alphanumeric()
                    || matches!(byte, b'.' | b'=' | b':' | b'<' | b'/' | b'>')
                    || SEPARATORS.contains(byte)
                    || BEHIND_NAMES.contains(byte)
            })
        };
        !self.is_empty()
            && (self.quoted || joins(written.first()) || joins(written.last()) || self.are_in(written))
    }

    /// Whether a wanted name may end before the separator at `at`.
    #[inline]
    fn ends_at(&self, text: &[u8], at: usize) -> bool {
        let near = text[..at].strip_suffix(b"\"").unwrap_or(&text[..at]);
        match near.last_chunk() {
            Some(end) if self.inner.is_empty() && !self.may_end(*end) && !ends_colour(*end) => false,
            _ => self.is_wanted(text, at),
        }
    }

    /// Whether a wanted name may end in these bytes.
    #[inline]
    fn may_end(&self, [far, third, before, last]: [u8; 4]) -> bool {
        if !is_bit_set(&self.ends, pair(before, last)) {
            return false;
        }
        let third = if SEPARATORS.contains(&third) { far } else { third };
        is_no_letter(third) || is_no_letter(before) || is_no_letter(last) || {
            let letters = [third, before, last].map(|byte| byte.to_ascii_lowercase());
            is_bit_set(&self.thirds, hash(letters.into_iter().fold(0, joined)))
        }
    }

    fn is_wanted(&self, text: &[u8], at: usize) -> bool {
        let floor = at.saturating_sub(MAX_NAME_BYTES);
        let near = &text[floor..at];
        if memchr::memchr(ESC, near).is_some() {
            return true; // a colour may be anywhere around the name
        }
        let end = near.iter().rposition(|byte| !BEHIND_NAMES.contains(byte)).map_or(0, |last| last + 1);
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        let start = near[..end].iter().rposition(|byte| !is_name(byte)).map_or(0, |before| before + 1);
        let is_whole = start > 0 || floor == 0;
        let name = &near[start..end];
        if near[..start].last().is_some_and(|before| ESCAPES.contains(before))
            && self.is_one_behind_escape(name)
        {
            return true;
        }
        if !is_whole || (self.has_tail_of(name) || !self.inner.is_empty()) && self.is_one(name) {
            return true;
        }
        // Without quotes only formats whose separator is the equals sign know such names.
        self.quoted && (text[at] == b'=' || self.is_quoted(near, floor == 0))
    }

    /// Whether the name is a wanted one if what it begins with is the end of an escape: `\nHost`, `%0Auser`.
    fn is_one_behind_escape(&self, name: &[u8]) -> bool {
        (1..=ESCAPE_END_BYTES.min(name.len())).any(|bytes| self.is_one(&name[bytes..]))
    }

    /// Whether the text ends in a wanted name in quotes. `all`: nothing stands before the text.
    fn is_quoted(&self, text: &[u8], all: bool) -> bool {
        let Some(text) = text.trim_ascii_end().strip_suffix(b"\"") else { return false };
        match memchr::memrchr(b'"', text) {
            Some(quote) => self.is_one(&text[quote + 1..]),
            None => !all,
        }
    }

    /// Whether the last part of the name ends as one of the names does.
    fn has_tail_of(&self, name: &[u8]) -> bool {
        let letters = name.iter().rev().filter(|byte| !SEPARATORS.contains(byte));
        let tail = letters.take_while(|byte| **byte != b'.').take(TAIL_BYTES);
        let tail = tail.fold(0, |tail, byte| joined(tail, byte.to_ascii_lowercase()));
        is_bit_set(&self.tails, hash(tail))
    }

    fn is_one(&self, name: &[u8]) -> bool {
        let mut parts = name.rsplit(|byte| *byte == b'.').map(|part| normal(part).collect::<Vec<u8>>());
        let is_last =
            parts.next().is_some_and(|last| self.last.contains(&last) || self.inner.contains(&last));
        is_last || !self.inner.is_empty() && parts.any(|part| self.inner.contains(&part))
    }
}

/// What every element ends with: its name stands in tags, before no separator.
const LAST_TAGS: [&[u8]; 2] = [b"</", b"/>"];

/// What may stand in a name and is no part of its normal form.
const SEPARATORS: [u8; 2] = [b'-', b'_'];
/// What may stand between a name and its separator.
const BEHIND_NAMES: [u8; 8] = [b' ', b'\t', b'\r', b'"', b'\'', b'\\', b'[', b']'];

const ESC: u8 = 0x1b;

/// Whether the bytes may be the end of a colour.
fn ends_colour([.., before, last]: [u8; 4]) -> bool {
    last == b'm' && (before.is_ascii_digit() || matches!(before, b'[' | b';'))
}

/// Bytes before what may be the end of an escape: those that begin one, and those inside a terminal colour.
const ESCAPES: [u8; 6] = [b'\\', b'%', b'[', b';', b'#', b'&'];
/// Bytes of an escape behind one of these that look like a part of a name: `u000a`, `2500` in `%252500`.
const ESCAPE_END_BYTES: usize = 8;

/// Notes the last three letters of a name; where it has fewer, with anything before them.
fn set_thirds(bits: &mut [u32], name: &[u8]) {
    let mut set = |letters: [u8; 3]| set_bit(bits, hash(letters.into_iter().fold(0, joined)));
    match *name {
        [.., third, before, last] => set([third, before, last]),
        [before, last] => (0..=255).for_each(|third| set([third, before, last])),
        // Two bytes before it may be any, so that the test is of no use.
        _ => bits.fill(u32::MAX),
    }
}

/// Whether the byte is no part of a normal form, or perhaps none.
fn is_no_letter(byte: u8) -> bool {
    SEPARATORS.contains(&byte) || BEHIND_NAMES.contains(&byte)
}

fn joined(tail: u64, byte: u8) -> u64 {
    tail << 8 | u64::from(byte)
}

/// Fibonacci hashing (Knuth, The Art of Computer Programming, section 6.4).
fn hash(tail: u64) -> usize {
    (tail.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - TAILS_LOG)) as usize
}

fn pair(before: u8, last: u8) -> usize {
    usize::from(before) << 8 | usize::from(last)
}

fn set_bit(bits: &mut [u32], at: usize) {
    bits[at / 32] |= 1 << (at % 32);
}

#[inline]
fn is_bit_set(bits: &[u32], at: usize) -> bool {
    bits.get(at / 32).is_some_and(|word| word >> (at % 32) & 1 == 1)
}
