//! Escapes that begin with a byte which is everywhere: `=40` of quoted-printable and `#012` of rsyslog.
//!
//! `=` and `#` are not among the bytes that the marks note: nearly every record has one. Both escapes are found by
//! a search for what only they begin with, once a block and once a value that is judged.
//!
//! Quoted-printable (RFC 2045 section 6.7, RFC 2047 section 4.2) counts in an address alone: `name=4011` is a number, and
//! so is nearly every `=40` of real logs. It takes a letter behind the `=40`, and a dot behind that. rsyslog writes
//! control characters as `#` and three octal digits; those that loggers write are line ends, tabs and colours.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::span::Span;

/// Bytes before `=40` that are looked at: a local part has 64, each of which may be written with three.
const MAX_LOCAL_BYTES: usize = 192;
/// Bytes behind `=40` that are looked at: as long as a domain may be.
const MAX_DOMAIN_BYTES: usize = 255;

const AT: &[u8] = b"=40";

/// They are made once: most texts of a record are shorter than what it takes to make one.
static AT_SIGNS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(AT));
static CONTROLS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"#0"));
static COLOURS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"#033["));

/// The places of such escapes, in ascending order.
pub(super) struct PlainEscapes<'h> {
    hay: &'h [u8],
    /// The address that is gone through, of which every `=` begins an escape.
    address: Span,
    /// No address begins before this.
    searched: usize,
    control: Option<usize>,
}

impl<'h> PlainEscapes<'h> {
    pub(super) fn of(hay: &'h [u8]) -> PlainEscapes<'h> {
        let mut all =
            PlainEscapes { hay, address: Span::new(0, 0), searched: 0, control: next_control(hay, 0) };
        all.next_address();
        all
    }

    /// Goes on to the next address.
    fn next_address(&mut self) {
        while let Some(at) = AT_SIGNS.find(&self.hay[self.searched..]).map(|at| self.searched + at) {
            self.searched = at + AT.len();
            if let Some(address) = address(self.hay, at) {
                let start = address.start.max(self.address.end);
                self.address = Span::new(start, address.end);
                return;
            }
        }
        self.address.start = self.hay.len();
    }

    fn next_quoted(&mut self) -> Option<usize> {
        loop {
            let Span { start, end } = self.address;
            if start >= self.hay.len() {
                return None;
            }
            match memchr::memchr(b'=', &self.hay[start.min(end)..end]) {
                Some(at) => return Some(start + at),
                None => self.next_address(),
            }
        }
    }
}

impl Iterator for PlainEscapes<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let quoted = self.next_quoted();
        match (quoted, self.control) {
            (Some(quoted), control) if control.is_none_or(|control| quoted < control) => {
                self.address.start = quoted + 1;
                Some(quoted)
            }
            (_, control) => {
                self.control = next_control(self.hay, control? + 1);
                control
            }
        }
    }
}

/// The places of a block at which an address may be in quoted-printable, and whether one is as it is written.
pub(crate) fn quoted_addresses(block: &[u8]) -> impl Iterator<Item = (usize, bool)> {
    AT_SIGNS.find_iter(block).map(|at| (at, address(block, at).is_some()))
}

/// Appends the places of a block at which rsyslog wrote a control character.
pub(crate) fn controls(block: &[u8], out: &mut Vec<u32>) {
    let mut from = 0;
    while let Some(at) = next_control(block, from) {
        out.push(at as u32);
        from = at + 1;
    }
}

/// Whether such an escape may hide a value of the text that has no candidate: an address, once other escapes in it are
/// undone, or one with a colour in it.
pub(crate) fn may_hide(text: &[u8]) -> bool {
    AT_SIGNS.find(text).is_some() || COLOURS.find(text).is_some()
}

/// Whether the bytes on both sides of what vanishes make `=40`.
pub(super) fn splits_quoted(before: &[u8], after: &[u8]) -> bool {
    before.ends_with(b"=") && after.starts_with(b"40") || before.ends_with(b"=4") && after.starts_with(b"0")
}

/// The byte that the escape at the start of `rest` stands for, and the length of the escape.
pub(super) fn plain_escape(rest: &[u8]) -> Option<(u8, usize)> {
    match rest {
        [b'=', _, _, ..] => Some((quoted(rest)?, 3)),
        [b'#', ..] => Some((control(rest)?, 4)),
        _ => None,
    }
}

fn next_control(hay: &[u8], from: usize) -> Option<usize> {
    let mut from = from;
    loop {
        let at = from + CONTROLS.find(hay.get(from..)?)?;
        if control(&hay[at..]).is_some() {
            return Some(at);
        }
        from = at + 1;
    }
}

fn control(rest: &[u8]) -> Option<u8> {
    match rest {
        [b'#', b'0', b'1', b'1', ..] => Some(b'\t'),
        [b'#', b'0', b'1', b'2', ..] => Some(b'\n'),
        [b'#', b'0', b'1', b'5', ..] => Some(b'\r'),
        [b'#', b'0', b'3', b'3', b'[', ..] => Some(0x1b),
        _ => None,
    }
}

/// The address around the `=40` at `at`, if it is one.
fn address(hay: &[u8], at: usize) -> Option<Span> {
    let start = local_start(hay, at);
    let end = domain_end(hay, at + AT.len())?;
    (start < at).then_some(Span::new(start, end))
}

/// Where a local part begins that ends at `end`.
fn local_start(hay: &[u8], end: usize) -> usize {
    let floor = end.saturating_sub(MAX_LOCAL_BYTES);
    let mut start = end;
    loop {
        let text = &hay[floor..start];
        let escape =
            text.len().checked_sub(3).and_then(|at| quoted(&text[at..])).filter(|byte| *byte != b'@');
        let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'+' | b'-');
        start -= match escape {
            Some(_) => 3,
            None if text.last().is_some_and(in_name) => 1,
            None => return start,
        };
    }
}

/// Where a domain ends that begins at `start`; `None` if none does: it takes a letter first, and a dot.
fn domain_end(hay: &[u8], start: usize) -> Option<usize> {
    let text = &hay[start..hay.len().min(start + MAX_DOMAIN_BYTES)];
    text.first().filter(|byte| byte.is_ascii_alphabetic())?;
    let (mut at, mut dot, mut dotted) = (0, false, false);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let (byte, length) = match quoted(rest) {
            Some(byte) => (byte, 3),
            None => (rest[0], 1),
        };
        if !(byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')) {
            break;
        }
        dotted |= dot && byte.is_ascii_alphanumeric();
        dot = byte == b'.';
        at += length;
    }
    dotted.then_some(start + at)
}

/// The byte that stands for itself nowhere in an encoded address: those that mailers write so.
fn quoted(rest: &[u8]) -> Option<u8> {
    match rest.get(..3)? {
        b"=40" => Some(b'@'),
        b"=2E" => Some(b'.'),
        b"=2D" => Some(b'-'),
        b"=2B" => Some(b'+'),
        b"=5F" => Some(b'_'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Vec<usize> {
        PlainEscapes::of(text.as_bytes()).collect()
    }

    #[test]
    fn an_equals_sign_counts_in_an_address_alone() {
        assert_eq!(places("to jane=40example.com"), [7]);
        assert_eq!(places("=?utf-8?Q?jane=2Edoe=40example=2Ecom?="), [14, 20, 30]);
        assert_eq!(places("a=40b.example c=40d.example"), [1, 15]);
        assert_eq!(places("a=40b.c=40d.e"), [1, 7]);
        for text in [
            "name=4711",
            "a=40",
            "a=40.5",
            "size=40x40",
            "=40example.com",
            "MD5=405F.AB",
            "a=40example",
            "a=40 b.c",
            "a=40b.",
            "a=3Db.c",
            "a=2Eb",
        ] {
            assert!(places(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn control_characters_of_rsyslog() {
        assert_eq!(places("a#012b#011c#033[1md #0123"), [1, 6, 11, 20]);
        assert!(places("#1 #02 #0 #01 #033 #013").is_empty());
        assert_eq!(places("#012a=40b.example#012"), [0, 5, 17]);
    }
}
