//! A glance at the `@` of what may be an e-mail address.

use super::super::email::{ALGORITHM_DOMAINS, NO_DOMAINS, ends_local};
use super::{Bytes, Classify, Glance, Look, Told, UNSURE, byte, low};

/// Bytes of a window on either side of the `@`.
const REACH: usize = 56;

#[inline(always)]
pub(super) fn glance<C: Classify>(look: &Look<'_, C>, bytes: &Bytes, at: usize) -> Glance {
    let Some(domain) = Domain::after(look, bytes, at) else { return UNSURE };
    if !domain.has_top() {
        let literal = byte(bytes, 1) == b'[';
        return if literal { UNSURE } else { (Told::Nothing, at, domain.end + 1) };
    }
    let window = look.window(bytes, -(REACH as isize));
    let mut name = window.name;
    let length_of = |name: u64| (!(name << (64 - REACH))).leading_zeros();
    let mut length = length_of(name);
    let mut before = byte(bytes, -1 - length as isize);
    if before == b'+' && (length as usize) < REACH {
        name |= 1 << (REACH as u32 - 1 - length);
        length = length_of(name);
        before = byte(bytes, -1 - length as isize);
    }
    let ends = ends_local(before) | cuts_local(bytes, name, length, before);
    if length as usize >= REACH || !ends {
        return UNSURE;
    }
    if length == 0 {
        let quoted = before == b'"';
        return if quoted { UNSURE } else { (Told::Nothing, at.wrapping_sub(1), at + 1) };
    }
    let local = Run::new(name, window.alnum, (REACH as u32) - length, length);
    if local.is_joined() && domain.is_host(look, bytes) {
        (Told::Found, at - length as usize, domain.end)
    } else {
        UNSURE
    }
}

/// Whether a local part ends, on its left, at a byte that may be part of one and never is in a log, before which a
/// plain name stands by itself (`2001:db8::1|jane@`).
#[inline(always)]
fn cuts_local(bytes: &Bytes, name: u64, length: u32, cut: u8) -> bool {
    // Not `=`: it and what stands around it may be marks of a rewritten sender.
    const CUTS: [bool; 256] = {
        let mut table = [false; 256];
        let (cuts, mut at) = (b"|/&?#*{}`", 0);
        while at < cuts.len() {
            table[cuts[at] as usize] = true;
            at += 1;
        }
        table
    };
    let fits = (length > 0) & (length <= REACH as u32 / 2);
    let length = length.min(REACH as u32 / 2);
    let earlier = (!(name << (64 - REACH as u32 + length + 1))).leading_zeros();
    let end = byte(bytes, -2 - (length + earlier) as isize);
    CUTS[usize::from(cut)] & fits & (length + 1 + earlier < REACH as u32) & ends_local(end)
}

/// Letters, digits and joints (`.`, `-`, `_`), the first in bit 0.
struct Run {
    joint: u64,
    last: u32,
}

impl Run {
    #[inline(always)]
    fn new(name: u64, alnum: u64, first: u32, length: u32) -> Run {
        Run { joint: (name & !alnum) >> first & low(length), last: length - 1 }
    }

    /// Whether each joint stands between two letters or digits.
    #[inline(always)]
    fn is_joined(&self) -> bool {
        let edge = 1 | 1 << self.last;
        self.joint & (self.joint << 1 | edge) == 0
    }
}

/// What follows the `@`, the first byte in bit 0.
struct Domain {
    start: usize,
    end: usize,
    joint: u64,
    dots: u64,
    letters: u64,
    length: u32,
}

impl Domain {
    #[inline(always)]
    fn after<C: Classify>(look: &Look<'_, C>, bytes: &Bytes, at: usize) -> Option<Domain> {
        let start = at + 1;
        let window = look.window(bytes, 0);
        let (name, alnum) = (window.name >> 1, window.alnum >> 1);
        let length = (!name).trailing_zeros();
        let end = start + length as usize;
        if length as usize >= REACH || !byte(bytes, 1 + length as isize).is_ascii() {
            return None;
        }
        let dots = window.dot >> 1 & low(length);
        let letters = alnum & !(window.digit >> 1) & low(length);
        Some(Domain { start, end, joint: name & !alnum & low(length), dots, letters, length })
    }

    /// Whether any label but the first begins with a letter, as a top label does.
    #[inline(always)]
    fn has_top(&self) -> bool {
        self.dots << 1 & self.letters != 0
    }

    /// Whether the bytes are a host name of two labels or more, and of no sort that takes a closer look.
    #[inline(always)]
    fn is_host<C: Classify>(&self, look: &Look<'_, C>, bytes: &Bytes) -> bool {
        // A hyphen or underscore may stand beside another, but not at the edge of a label.
        let edges = 1 | 1 << (self.length - 1) | self.dots << 1 | self.dots >> 1;
        if self.joint & edges != 0 {
            return false;
        }
        let top = 64 - self.dots.leading_zeros(); // of the last label
        let all_letters = (self.letters | !low(self.length)) >> top == u64::MAX >> top;
        let first = byte(bytes, 1) | 0x20; // a number, `v1`
        let label = look.block.get(self.start + top as usize..self.end).unwrap_or_default();
        let domain = look.block.get(self.start..self.end).unwrap_or_default();
        all_letters
            && label.len() >= 2
            && !first.is_ascii_digit()
            && first != b'v'
            && !NO_DOMAINS.contains(label)
            && !ALGORITHM_DOMAINS.contains(domain)
    }
}
