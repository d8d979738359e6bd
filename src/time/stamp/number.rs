//! Times that are numbers: seconds and parts of seconds since 1970, and TAI64N.

use super::Unit;
use super::civil::floored;

/// 1990-01-01 to 2200-01-01. Counted in seconds, milliseconds, microseconds and nanoseconds these ranges are far
/// apart, so that the size of a number tells its unit.
const PLAUSIBLE_SECONDS: std::ops::Range<u64> = 631_152_000..7_258_118_400;

const SECOND: i64 = 1_000_000_000;

/// More digits than any number of a time has.
const MOST_DIGITS: usize = 40;

/// A number that stands for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number {
    /// Nanoseconds since 1970.
    nanoseconds: i64,
    /// How many of them the unit has.
    unit: i64,
    /// Of the smallest number with as many digits before the point: rounded down no further, so that the length stays.
    least: i64,
    /// How many bytes the number has.
    pub(super) length: usize,
    /// How many digits stand behind the point, and whether there is an exponent: what tells a time from a number.
    pub(super) fraction: usize,
    pub(super) has_exponent: bool,
}

impl Number {
    /// The number that the text begins with: digits, with a fraction or without, `1.709296496E9` too.
    pub(super) fn read(text: &[u8]) -> Option<Number> {
        let is_digit = |byte: &&u8| byte.is_ascii_digit();
        let whole = text.iter().take(MOST_DIGITS).take_while(is_digit).count();
        if whole == 0 || (text.starts_with(b"0") && whole > 1) {
            return None;
        }
        let behind = text.get(whole..)?;
        let fraction = match behind.strip_prefix(b".") {
            Some(rest) => rest.iter().take(MOST_DIGITS).take_while(is_digit).count(),
            None => 0,
        };
        let mantissa = whole + if fraction > 0 { fraction + 1 } else { 0 };
        let exponent = if fraction > 0 { exponent(text.get(mantissa..)?) } else { None };
        let (shift, tail) = exponent.unwrap_or((0, 0));
        let before_point = whole + shift;
        // With an exponent there is one digit before the point, or the number could not be told from a product.
        if !(9..=19).contains(&before_point) || (shift > 0 && whole != 1) {
            return None;
        }
        let digits = text.get(..mantissa)?.iter().filter(is_digit).map(|byte| u64::from(byte - b'0'));
        let mut digits = digits.chain(std::iter::repeat(0));
        let value = digits.by_ref().take(before_point).try_fold(0u64, push)?;
        let (per_second, unit) = [(1, SECOND), (1000, 1_000_000), (1_000_000, 1000), (1_000_000_000, 1)]
            .into_iter()
            .find(|(per_second, _)| PLAUSIBLE_SECONDS.contains(&(value / per_second)))?;
        let places = 9 - u64::ilog10(per_second) as usize;
        let part = digits.take(places).try_fold(0u64, push)?;
        let nanoseconds =
            i64::try_from(value).ok()?.checked_mul(unit)?.checked_add(i64::try_from(part).ok()?)?;
        let least = 10i64.pow(before_point as u32 - 1).checked_mul(unit)?;
        let (length, has_exponent) = (mantissa + tail, shift > 0);
        Some(Number { nanoseconds, unit, least, length, fraction, has_exponent })
    }

    /// Nanoseconds since 1970, rounded down.
    pub(super) fn nanoseconds(&self, unit: Option<Unit>) -> i64 {
        match unit {
            None => self.nanoseconds,
            Some(unit) => (floored(self.nanoseconds.div_euclid(SECOND), unit) * SECOND).max(self.least),
        }
    }

    /// Writes the rounded number with as many digits as `text` has.
    pub(super) fn coarsen(&self, text: &[u8], unit: Unit, out: &mut Vec<u8>) {
        let value = (self.nanoseconds(Some(unit)) / self.unit).unsigned_abs();
        let mut left = value.checked_ilog10().unwrap_or(0) + 1;
        let mut next = || {
            left = left.checked_sub(1)?;
            Some(b'0' + (value / 10u64.pow(left) % 10) as u8)
        };
        let mut is_mantissa = true;
        for byte in text {
            match byte {
                b'0'..=b'9' if is_mantissa => out.push(next().unwrap_or(b'0')),
                b'e' | b'E' => {
                    is_mantissa = false;
                    while let Some(digit) = next() {
                        out.push(digit);
                    }
                    out.push(*byte);
                }
                _ => out.push(*byte),
            }
        }
    }
}

fn push(value: u64, digit: u64) -> Option<u64> {
    value.checked_mul(10)?.checked_add(digit)
}

/// The exponent that the text begins with, and how many bytes it has.
fn exponent(text: &[u8]) -> Option<(usize, usize)> {
    let [b'e' | b'E', rest @ ..] = text else { return None };
    let unsigned = rest.strip_prefix(b"+").unwrap_or(rest);
    let digits = unsigned.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
    let value = unsigned.get(..digits)?.iter().fold(0, |value, byte| value * 10 + usize::from(byte - b'0'));
    (1..=2).contains(&digits).then_some((value, text.len() - unsigned.len() + digits))
}

/// A label of TAI64N without its `@`: 16 digits of seconds and 8 of nanoseconds, hexadecimal, in small letters.
pub(super) const TAI_DIGITS: usize = 24;

/// What multilog and qmail write for 1970: 2⁶² and the ten seconds that TAI was ahead of UTC in 1972. Programs that
/// know the leap seconds since then are as far off as there were.
const TAI_EPOCH: u64 = (1 << 62) + 10;

/// A label of TAI64N.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tai {
    /// Since 1970.
    seconds: i64,
    nanoseconds: u32,
}

impl Tai {
    pub(super) fn read(text: &[u8]) -> Option<Tai> {
        let digits = text.get(..TAI_DIGITS)?;
        let (seconds, nanoseconds) = digits.split_at_checked(16)?;
        let seconds = hexadecimal(seconds)?.checked_sub(TAI_EPOCH)?;
        let nanoseconds = u32::try_from(hexadecimal(nanoseconds)?).ok()?;
        let is_plausible = seconds < PLAUSIBLE_SECONDS.end;
        // More nanoseconds than a second has are seen in examples: they are still of that second.
        let nanoseconds = nanoseconds.min(999_999_999);
        is_plausible.then_some(Tai { seconds: i64::try_from(seconds).ok()?, nanoseconds })
    }

    pub(super) fn parts(&self, unit: Option<Unit>) -> (i64, u32) {
        match unit {
            None => (self.seconds, self.nanoseconds),
            Some(unit) => (floored(self.seconds, unit), 0),
        }
    }

    pub(super) fn coarsen(&self, unit: Unit, out: &mut Vec<u8>) {
        let seconds = self.parts(Some(unit)).0.unsigned_abs() + TAI_EPOCH;
        let shown = (0..16).rev().map(|place| (seconds >> (4 * place) & 15) as usize);
        out.extend(shown.filter_map(|digit| b"0123456789abcdef".get(digit)));
        out.extend_from_slice(b"00000000");
    }
}

fn hexadecimal(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0, |value, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        Some(value << 4 | u64::from(digit))
    })
}
