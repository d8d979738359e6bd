//! [`Names`]: the names without which no field rule means anything in a record.

use std::collections::HashSet;
use std::fmt;

use memchr::memmem::find_iter;

use super::selector::{Selector, normal};
use super::{Covers, Policy};
use crate::detect::ends::{BEHIND, Ends, JOINTS};

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
    /// How they end: most separators stand behind other names.
    ends: Ends,
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
        let mut names = Names::none();
        for rule in &policy.rules {
            if let Covers::Field { fields, .. } = &rule.covers {
                fields.iter().for_each(|field| names.add(field));
            }
        }
        names.last.extend(policy.words_before_given_names().map(|word| word.as_bytes().to_vec()));
        names.fill();
        names
    }

    fn none() -> Names {
        Names {
            last: HashSet::new(),
            inner: HashSet::new(),
            any: false,
            quoted: false,
            ends: Ends::default(),
            tails: vec![0; (1 << TAILS_LOG) / 32],
            bytes: [false; 256],
        }
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
        }
        if !self.is_empty() {
            [b'-', b'_', b'.'].iter().for_each(|byte| self.bytes[usize::from(*byte)] = true);
            // An escaped tab may stand between a name and its separator; the last byte of it is a letter.
            [b'<', b'/', b'>', b'\t'].iter().for_each(|byte| self.bytes[usize::from(*byte)] = true);
            // A dotted name may end in anything.
            self.ends = Ends::new(self.last.iter().map(Vec::as_slice), !self.inner.is_empty());
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
        !self.is_empty() && (matches!(byte, b'=' | b':') || BEHIND.contains(&byte))
    }

    /// Appends the separators in `text` behind wanted names, and perhaps some others.
    pub fn places(&self, text: &[u8], out: &mut Vec<u32>) {
        if self.is_empty() {
            return;
        }
        if self.quoted || memchr::memchr(ESC, text).is_some() {
            // Before the separator there may be anything, or a colour that hides the letters.
            let separators = memchr::memchr2_iter(b'=', b':', text);
            out.extend(separators.filter(|at| self.is_wanted(text, *at)).map(|at| at as u32));
            return;
        }
        let first = out.len();
        self.ends.places(text, out);
        let mut last = first;
        for at in first..out.len() {
            if self.is_wanted(text, out[at] as usize) {
                out[last] = out[at];
                last += 1;
            }
        }
        out.truncate(last);
    }

    /// Appends the ends of elements in `text`: their names stand in tags, before no separator.
    pub fn elements(&self, text: &[u8], out: &mut Vec<u32>) {
        if !self.is_empty() {
            LAST_TAGS.iter().for_each(|tag| out.extend(find_iter(text, tag).map(|at| at as u32)));
        }
    }

    /// Whether there is a wanted name in the text, or an element, which may have one.
    pub fn are_in(&self, text: &[u8]) -> bool {
        !self.is_empty()
            && (memchr::memchr2_iter(b'=', b':', text).any(|at| self.is_wanted(text, at))
                || LAST_TAGS.iter().any(|tag| find_iter(text, tag).next().is_some()))
    }

    /// Whether what an edit writes may make a wanted name, there or together with what stands beside it.
    pub fn may_be_made_by(&self, written: &[u8]) -> bool {
        let joins = |byte: Option<&u8>| {
            byte.is_some_and(|byte| {
                byte.is_ascii_alphanumeric()
                    || matches!(byte, b'.' | b'=' | b':' | b'<' | b'/' | b'>')
                    || JOINTS.contains(byte)
                    || BEHIND.contains(byte) && !matches!(byte, b'[' | b']') // see `ends_before`
            })
        };
        !self.is_empty()
            && (self.quoted || joins(written.first()) || joins(written.last()) || self.are_in(written))
    }

    /// Whether a separator stands at the head of a text, so that what takes the place of the bytes before it may be a
    /// name, or lay one bare: `user[]=`.
    pub fn ends_before(&self, text: &[u8]) -> bool {
        let next = text.iter().find(|byte| !BEHIND.contains(byte));
        !self.is_empty() && matches!(next, Some(b'=' | b':'))
    }

    /// Whether a wanted name may end before the separator at `at`.
    fn is_wanted(&self, text: &[u8], at: usize) -> bool {
        let floor = at.saturating_sub(MAX_NAME_BYTES);
        let near = &text[floor..at];
        if memchr::memchr(ESC, near).is_some() {
            return true; // a colour may be anywhere around the name
        }
        let end = near.iter().rposition(|byte| !BEHIND.contains(byte)).map_or(0, |last| last + 1);
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
        let ends_escape = |bytes: &usize| may_end_escape(&name[..*bytes]);
        (1..=ESCAPE_END_BYTES.min(name.len())).filter(ends_escape).any(|bytes| self.is_one(&name[bytes..]))
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
        let letters = name.iter().rev().filter(|byte| !JOINTS.contains(byte));
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

const ESC: u8 = 0x1b;

/// Whether a part of what looks like a name may be the end of an escape or a colour: `n`, `x0a`, `0A`, `31m`.
fn may_end_escape(part: &[u8]) -> bool {
    match part {
        [_] => true,
        [b'u' | b'x', rest @ ..] => rest.iter().all(u8::is_ascii_hexdigit),
        [rest @ .., b'm'] => rest.iter().all(u8::is_ascii_digit),
        _ => part.iter().all(u8::is_ascii_hexdigit),
    }
}

/// Bytes before what may be the end of an escape: those that begin one, and those inside a terminal colour.
const ESCAPES: [u8; 6] = [b'\\', b'%', b'[', b';', b'#', b'&'];
/// Bytes of an escape behind one of these that look like a part of a name: `u000a`, `2500` in `%252500`.
const ESCAPE_END_BYTES: usize = 8;

fn joined(tail: u64, byte: u8) -> u64 {
    tail << 8 | u64::from(byte)
}

/// Fibonacci hashing (Knuth, The Art of Computer Programming, section 6.4).
fn hash(tail: u64) -> usize {
    (tail.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - TAILS_LOG)) as usize
}

fn set_bit(bits: &mut [u32], at: usize) {
    bits[at / 32] |= 1 << (at % 32);
}

#[inline]
fn is_bit_set(bits: &[u32], at: usize) -> bool {
    bits.get(at / 32).is_some_and(|word| word >> (at % 32) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    /// What names, their neighbours and what looks like a name are made of.
    const PIECES: &[&str] = &[
        "id",
        "ID",
        "user",
        "User",
        "x",
        "cvv",
        "name",
        "key",
        "q",
        "_",
        "-",
        ".",
        "\"",
        "'",
        "\\",
        " ",
        "\t",
        ":",
        "=",
        "{",
        ",",
        "\n",
        "/",
        "@",
        "é",
        "0",
        "Z",
        "\\n",
        "%0A",
        "\\u000a",
        "[1m",
        "\u{1b}[36m",
        "[",
        "]",
        ";",
        "m",
    ];

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 8 } else { 4000 }, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_separator_behind_a_wanted_name_is_a_place(
            selectors in vec("(user[.])?([*][*][.])?(id|user_?id|cvv|name|q|é|@id|user name|xname)", 1..5),
            text in vec(select(PIECES), 0..60),
        ) {
            let mut names = Names::none();
            selectors.iter().filter_map(|text| Selector::parse(text).ok()).for_each(|one| names.add(&one));
            names.fill();
            let text = text.concat().into_bytes();
            let mut places = Vec::new();
            names.places(&text, &mut places);
            let wanted = |at: &usize| names.is_wanted(&text, *at);
            let exact: Vec<u32> =
                memchr::memchr2_iter(b'=', b':', &text).filter(wanted).map(|at| at as u32).collect();
            prop_assert_eq!(places, exact);
        }
    }
}
