//! What follows the second of a time: its fraction and its zone.

use super::read::Zone;
use super::words;

/// More digits of a second than any clock writes. With this bound the places fit in a byte.
const MOST_DIGITS: usize = 40;

/// A leap second stays in its minute, as its text does when it is coarsened.
#[inline(always)]
pub(super) fn leapless(second: u8) -> u8 {
    if second == 60 { 59 } else { second }
}

/// The byte there; NUL, which is no part of a time, behind the last.
#[inline(always)]
pub(super) fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(0)
}

/// Hours that are counted to twelve are not read: better none than one that is twelve hours off.
#[inline]
pub(super) fn is_by_noon(text: &[u8], at: usize) -> bool {
    let at = at + usize::from(byte(text, at) == b' ');
    matches!(byte(text, at), b'A' | b'P' | b'a' | b'p')
        && matches!(byte(text, at + 1), b'M' | b'm')
        && !byte(text, at + 2).is_ascii_alphanumeric()
}

/// The digits behind the mark as nanoseconds, and how many there are. Behind a comma a column of numbers may follow
/// that is none of the time, so that their count is looked at (three, six or nine).
#[inline(always)]
pub(super) fn fraction(text: &[u8], at: usize, mark: u8, multiple: Option<usize>) -> Option<(u32, usize)> {
    if byte(text, at) != mark || !byte(text, at + 1).is_ascii_digit() {
        return None;
    }
    let (mut nanosecond, mut length) = (0, 0);
    while length < MOST_DIGITS {
        let digit = byte(text, at + 1 + length).wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        if length < 9 {
            nanosecond = nanosecond * 10 + u32::from(digit);
        }
        length += 1;
    }
    let is_column = multiple.is_some_and(|multiple| length % multiple != 0 || length > 9)
        || (mark == b',' && is_of_column(text, at + 1 + length));
    let scale = TENS.get(length).copied().unwrap_or(1);
    (!is_column).then_some((nanosecond * scale, length))
}

/// Whether what is before it was no fraction: `,1,2`, nor an address, `,203.0.113.9`.
#[inline(always)]
fn is_of_column(text: &[u8], at: usize) -> bool {
    let next = byte(text, at);
    next == b',' || next == b'.' && byte(text, at + 1).is_ascii_digit()
}

/// What so many digits of a second are multiplied with.
const TENS: [u32; 9] = [1_000_000_000, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1000, 100, 10];

/// What is said of the zone there, and where it ends.
#[inline(always)]
pub(super) fn zone(text: &[u8], at: usize) -> (Zone, usize) {
    let next = byte(text, at + 1);
    match byte(text, at) {
        b'Z' | b'z' if !next.is_ascii_alphanumeric() => Some((Zone::Offset(0), at + 1)),
        b'+' | b'-' if next.is_ascii_digit() => offset(text, at, true),
        b' ' if matches!(next, b'+' | b'-') => offset(text, at + 1, false),
        b' ' if next.is_ascii_uppercase() => zone_name(text, at + 1),
        b'U' | b'G' => zone_name(text, at),
        _ => None,
    }
    .unwrap_or((Zone::Unsaid, at))
}

fn zone_name(text: &[u8], at: usize) -> Option<(Zone, usize)> {
    let rest = text.get(at..)?;
    let length = rest.iter().take(6).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    Some((words::zone(rest.get(..length)?)?, at + length))
}

/// `+01:00`, `+0100`, and glued to the time `+01`, and `-240` in minutes, as Db2 writes it.
fn offset(text: &[u8], at: usize, is_glued: bool) -> Option<(Zone, usize)> {
    let rest = text.get(at + 1..)?;
    let digit =
        |place: usize| Some(rest.get(place)?.wrapping_sub(b'0')).filter(|digit| *digit <= 9).map(i32::from);
    let two = |place: usize| Some(digit(place)? * 10 + digit(place + 1)?);
    let of_hours = |place: usize| Some(two(0)? * 60 + two(place).filter(|minutes| *minutes < 60)?);
    let run = rest.iter().take(5).take_while(|byte| byte.is_ascii_digit()).count();
    let (minutes, length) = match run {
        4 => (of_hours(2)?, 4),
        2 if byte(rest, 2) == b':' && byte(rest, 3).is_ascii_digit() => (of_hours(3)?, 5),
        2 if is_glued => (two(0)? * 60, 2),
        3 if is_glued => (two(0)? * 10 + digit(2)?, 3),
        _ => return None,
    };
    // `+001.0.113.9` is an address.
    let goes_on = byte(rest, length) == b'.' && byte(rest, length + 1).is_ascii_digit();
    let is_whole = minutes < 24 * 60 && !byte(rest, length).is_ascii_digit() && !goes_on;
    let seconds = if byte(text, at) == b'-' { -60 * minutes } else { 60 * minutes };
    is_whole.then_some((Zone::Offset(seconds), at + 1 + length))
}
