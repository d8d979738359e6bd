//! A glance at the last digit of what may be a card number.

use super::super::context::is_word;
use super::super::pan::{Issued, issued_by_prefix};
use super::{AROUND, Bytes, Classify, Glance, Look, Told, UNSURE, byte};
use crate::checksum::luhn;

/// Bytes before the candidate in the window: more than any card in groups takes.
const BACK: usize = 30;
const MIN_DIGITS: u32 = 12;
const MAX_DIGITS: u32 = 19;

/// Groups of digits with one byte between them, as bits, the first byte in bit 1.
struct Layout {
    bits: u64,
    bytes: u32,
}

impl Layout {
    const fn of(groups: &[u32]) -> Layout {
        let (mut bits, mut bytes, mut at) = (0, 0, 0);
        while at < groups.len() {
            bytes += if at > 0 { 1 } else { 0 };
            bits |= (u64::MAX >> (64 - groups[at])) << (bytes + 1);
            bytes += groups[at];
            at += 1;
        }
        Layout { bits, bytes }
    }

    /// Whether digits stand where they stand in the layout and nowhere else, the byte in front included.
    #[inline(always)]
    fn is(&self, digit: u64) -> bool {
        digit >> (63 - self.bytes) == self.bits
    }
}

const FOURS: Layout = Layout::of(&[4, 4, 4, 4]);
const AMEX: Layout = Layout::of(&[4, 6, 5]);
/// Layouts that are left to the exact test.
const DINERS: Layout = Layout::of(&[4, 6, 4]);
const LONG: Layout = Layout::of(&[4, 4, 4, 4, 3]);

#[inline(always)]
pub(super) fn glance<C: Classify>(look: &Look<'_, C>, bytes: &Bytes, at: usize) -> Glance {
    let after = byte(bytes, 1);
    if after.is_ascii_alphanumeric() {
        return (Told::Nothing, at, at + 2);
    }
    // The last digit in the highest bit.
    let digit = look.window(bytes, 1 - AROUND as isize).digit;
    let length = (!digit).leading_zeros();
    let shapes = [plain(bytes, length), fours(bytes, digit), amex(bytes, digit)];
    if shapes.iter().all(|shape| shape.chosen == 0) {
        return none(digit, length, at);
    }
    // All are read and one is chosen: a branch that is taken at random costs more than the two that are not needed.
    let chosen = |value: fn(&Shape) -> u64| {
        shapes.iter().fold(0, |chosen, shape| chosen | value(shape) & shape.chosen)
    };
    let digits =
        [chosen(|shape| shape.digits[0]), chosen(|shape| shape.digits[1]), chosen(|shape| shape.digits[2])];
    let start = at + 1 - chosen(|shape| shape.bytes.into()) as usize;
    let separated = chosen(|shape| u64::from(shape.separated)) != 0;
    if !luhn::holds_at_once(digits) | !separated {
        return (Told::Nothing, start - 1, at + 1); // one more digit would make it another number
    }
    let grouped = shapes[0].chosen == 0;
    judged(bytes, start, at, chosen(|shape| shape.count.into()) as u32, grouped)
}

/// A way to read the digits.
struct Shape {
    /// All ones if this is the way, zero if not.
    chosen: u64,
    digits: [u64; 3],
    count: u32,
    bytes: u32,
    /// Whether one sort of separator stands between the groups.
    separated: bool,
}

/// Digits without separators.
#[inline(always)]
fn plain(bytes: &Bytes, length: u32) -> Shape {
    let count = length.clamp(MIN_DIGITS, MAX_DIGITS);
    // What stands before the digits goes.
    let first = u64::MAX.checked_shl(8 * (24 - count)).unwrap_or(0);
    let second = u64::MAX << (8 * (16 - count.min(16)));
    let digits = [word(bytes, -23) & first, word(bytes, -15) & second, word(bytes, -7)];
    Shape { chosen: all_ones(count == length), digits, count, bytes: count, separated: true }
}

/// 4-4-4-4.
#[inline(always)]
fn fours(bytes: &Bytes, digit: u64) -> Shape {
    let separators = [byte(bytes, -14), byte(bytes, -9), byte(bytes, -4)];
    let group = |offset: isize| word(bytes, offset) & 0xffff_ffff;
    let digits = [0, group(-18) | group(-13) << 32, group(-8) | group(-3) << 32];
    let chosen = all_ones(FOURS.is(digit));
    Shape { chosen, digits, count: 16, bytes: FOURS.bytes, separated: is_one_separator(&separators) }
}

/// 4-6-5: fifteen digits, before which a zero changes nothing.
#[inline(always)]
fn amex(bytes: &Bytes, digit: u64) -> Shape {
    let separators = [byte(bytes, -12), byte(bytes, -5)];
    let (head, tail) = (word(bytes, -16), word(bytes, -8));
    let first = (head & 0xffff_ffff) << 8 | head >> 40 << 40;
    let second = tail & 0xff_ffff | tail >> 32 << 24 | u64::from(byte(bytes, 0)) << 56;
    let chosen = all_ones(AMEX.is(digit));
    let separated = is_one_separator(&separators);
    Shape { chosen, digits: [0, first, second], count: 15, bytes: AMEX.bytes, separated }
}

#[inline(always)]
fn all_ones(chosen: bool) -> u64 {
    u64::from(chosen).wrapping_neg()
}

/// What is none of these.
#[inline(always)]
fn none(digit: u64, length: u32, at: usize) -> Glance {
    if DINERS.is(digit) || LONG.is(digit) {
        return UNSURE;
    }
    // Not enough digits, and no byte that is none makes them more.
    let told = if length > MAX_DIGITS { Told::Nothing } else { Told::Never };
    (told, at - BACK, at + 2)
}

#[inline(always)]
fn is_one_separator(bytes: &[u8]) -> bool {
    let first = bytes[0];
    let equal = bytes.iter().fold(true, |equal, byte| equal & (*byte == first));
    equal & ((first == b' ') | (first == b'-') | (first == b'+'))
}

/// Eight bytes as a little-endian word.
#[inline(always)]
fn word(bytes: &Bytes, offset: isize) -> u64 {
    let at = (offset + AROUND as isize) as usize % AROUND;
    u64::from_le_bytes(std::array::from_fn(|byte| bytes[at + byte]))
}

/// What the range and the byte before say of a number of which the check digit holds.
#[inline(always)]
fn judged(bytes: &Bytes, start: usize, at: usize, count: u32, grouped: bool) -> Glance {
    let offset = start as isize - at as isize;
    let lead = (word(bytes, offset) as u32).to_le_bytes();
    let before = byte(bytes, offset - 1);
    match issued_by_prefix(lead, count, grouped) {
        Issued::No => (Told::Nothing, start - 1, at + 1),
        Issued::Yes if is_word(before) && !matches!(before, b'B' | b'_') => {
            (Told::Nothing, start - 1, at + 1)
        }
        Issued::Yes
            if !matches!(before, b'B' | b'_' | b'.' | b'-' | b'+')
                && byte(bytes, 1) != b'.'
                && count != 14 =>
        {
            (Told::Found, start, at + 1)
        }
        _ => UNSURE,
    }
}
