//! A glance at a colon of what may be an IPv6 address.

use super::super::context::is_word;
use super::{Bytes, Classify, Glance, Look, Told, UNSURE, byte, low};

/// Bytes before the candidate in the window: a fourth colon stands 20 bytes into an address at most.
const BACK: usize = 24;
/// Bytes of the window.
const BYTES: u32 = 64;
const COLONS: u32 = 7;

#[inline(always)]
pub(super) fn glance<C: Classify>(look: &Look<'_, C>, bytes: &Bytes, at: usize) -> Glance {
    let window = look.window(bytes, -(BACK as isize));
    let (hex, colon) = (window.hex, window.colon);
    let run = hex | colon;
    let ahead = (!(run >> BACK)).trailing_zeros();
    let back = (!(run << (64 - BACK))).leading_zeros();
    let (first, end) = (BACK as u32 - back.min(BACK as u32), BACK as u32 + ahead);
    if first == 0 || end >= BYTES - 1 {
        return UNSURE;
    }
    let within = low(end) & !low(first);
    let (hex, colon) = (hex & within, colon & within);
    let (from, to) = (at + first as usize - BACK, at + end as usize - BACK);
    let (before, after) = (byte(bytes, -1 - back as isize), byte(bytes, ahead as isize));
    let double = colon & colon >> 1;
    let triple = double & colon >> 2;
    let three = hex & hex >> 1 & hex >> 2;
    let five = three & hex >> 3 & hex >> 4;
    if five != 0 || after == b'.' || before == b'.' || before == b')' {
        return UNSURE; // part of the run is a word, or a dotted tail or a name touches it
    }
    let colons = colon.count_ones();
    if double == 0 && colons < COLONS {
        return (Told::Nothing, from.wrapping_sub(1), to + 1); // a time, a MAC address
    }
    if is_word(before) {
        let leading = colon & colon.wrapping_neg();
        let scope = double & leading != 0 && triple & leading == 0;
        // `std::collections`.
        return if scope { (Told::Nothing, from.wrapping_sub(1), to + 1) } else { UNSURE };
    }
    // No branches from here: which form an address has is hard to foresee.
    let bit = |set: u64, place: u32| set >> (place & 63) & 1 == 1;
    let ends_in_group = bit(hex, end - 1);
    let opens = bit(hex, first) | bit(double, first);
    let closes = ends_in_group | bit(double, end.wrapping_sub(2)) & (after != b'/');
    // `a::b` has as many groups as colons.
    let groups = colons - u32::from(!bit(hex, first)) - u32::from(!ends_in_group);
    let (none, one) = (double == 0, (double != 0) & (double & double.wrapping_sub(1) == 0));
    let complete = none & (colons == COLONS) | one & (groups <= COLONS);
    let digits = window.digit & within;
    // Groups of two are an identifier if there are eight, and a time if `::` ends them.
    let no_pairs = (three != 0) | one & ends_in_group;
    let plain = (triple == 0) & no_pairs & (digits != 0) & !is_word(after);
    if opens & closes & complete & plain { (Told::Found, from, to) } else { UNSURE }
}
