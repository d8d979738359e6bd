//! The two most common forms of times, each in one look.
//!
//! That takes a third of the time that their fields take one by one. Everything is inlined, and the reader put together
//! last: bytes stored one by one and copied as sixteen make the processor wait.

use super::civil::{Civil, DAY_SECONDS, Year, days, month_length};
use super::read::{Place, Places, Reader};
use super::tail::{fraction, is_by_noon, leapless, zone};
use super::words;

/// The places of `2024-03-01T12:34:56`.
const USUAL: Places = Places {
    year: Place { at: 0, length: 4 },
    month: Place { at: 5, length: 2 },
    day: Place { at: 8, length: 2 },
    weekday: Place { at: 0, length: 0 },
    week: Place { at: 0, length: 0 },
    hour: Place { at: 11, length: 2 },
    minute: Place { at: 14, length: 2 },
    second: Place { at: 17, length: 2 },
    fraction: Place { at: 0, length: 0 },
};

/// The places of `10/Oct/2000:13:55:36`.
const USUAL_OF_ACCESS: Places = Places {
    year: Place { at: 7, length: 4 },
    month: Place { at: 3, length: 3 },
    day: Place { at: 0, length: 2 },
    hour: Place { at: 12, length: 2 },
    minute: Place { at: 15, length: 2 },
    second: Place { at: 18, length: 2 },
    ..USUAL
};

impl<'a> Reader<'a> {
    /// `2024-03-01T12:34:56`, a blank for the `T`, slashes for the hyphens.
    #[inline(always)]
    pub(super) fn usual(text: &'a [u8], start: usize) -> Option<Reader<'a>> {
        let shape: &[u8; 19] = text.get(start..)?.first_chunk()?;
        let [.., mark @ (b'-' | b'/'), _, _, same, _, _, b'T' | b' ', _, _, b':', _, _, b':', _, _] = *shape
        else {
            return None;
        };
        let mut digits = Digits { shape, are_all: mark == same };
        let (year, month, day) = (digits.four(0), digits.two(5), digits.two(8));
        let (hour, minute, second) = (digits.two(11), digits.two(14), digits.two(17));
        let civil = Civil { year: Year::Known(year), month, day, hour, minute, second, nanosecond: 0 };
        if digits.are_all { Reader::finished(text, start, start + shape.len(), civil, USUAL) } else { None }
    }

    /// `10/Oct/2000:13:55:36`
    #[inline(always)]
    pub(super) fn usual_of_access(text: &'a [u8], start: usize) -> Option<Reader<'a>> {
        let shape: &[u8; 20] = text.get(start..)?.first_chunk()?;
        let [_, _, b'/', _, _, _, b'/', _, _, _, _, b':', _, _, b':', _, _, b':', _, _] = *shape else {
            return None;
        };
        let mut digits = Digits { shape, are_all: true };
        let (day, month, year) = (digits.two(0), words::month(shape.get(3..)?)?, digits.four(7));
        let (hour, minute, second) = (digits.two(12), digits.two(15), digits.two(18));
        let civil = Civil { year: Year::Known(year), month, day, hour, minute, second, nanosecond: 0 };
        if digits.are_all {
            Reader::finished(text, start, start + shape.len(), civil, USUAL_OF_ACCESS)
        } else {
            None
        }
    }

    /// What follows the second, which ends at `at`.
    #[inline(always)]
    fn finished(text: &'a [u8], start: usize, at: usize, civil: Civil, places: Places) -> Option<Reader<'a>> {
        let (nanosecond, length) =
            fraction(text, at, b'.', None).or_else(|| fraction(text, at, b',', Some(3))).unwrap_or((0, 0));
        let second = leapless(civil.second);
        let civil = Civil { second, nanosecond, ..civil };
        let place = Place { at: (at - start + 1) as u8, length: length as u8 };
        let places =
            Places { fraction: if length > 0 { place } else { Place { at: 0, length: 0 } }, ..places };
        let at = if length > 0 { at + 1 + length } else { at };
        let (zone, end) = zone(text, at);
        let is_end = !text.get(end).is_some_and(u8::is_ascii_digit) && !is_by_noon(text, at);
        if is_end && civil.is_real() {
            Some(Reader { text, start, at: end, civil, places, zone })
        } else {
            None
        }
    }
}

/// Seconds since 1970 in UTC of `10/Oct/2000:13:55:36 -0700] "`, which ends a bracket of an access log. What is odd about
/// it, such as a second 60, is left to those who look closer.
#[inline(always)]
pub(super) fn seconds_of_access(text: &[u8], start: usize) -> Option<i64> {
    let shape: &[u8; 29] = text.get(start..)?.first_chunk()?;
    let [
        _,
        _,
        b'/',
        m0,
        m1,
        m2,
        b'/',
        _,
        _,
        _,
        _,
        b':',
        _,
        _,
        b':',
        _,
        _,
        b':',
        _,
        _,
        b' ',
        sign @ (b'+' | b'-'),
        _,
        _,
        _,
        _,
        b']',
        b' ',
        b'"',
    ] = *shape
    else {
        return None;
    };
    let mut digits = Digits { shape, are_all: true };
    let (day, year, month) = (digits.two(0), digits.four(7), words::month_of([m0, m1, m2])?);
    let (hour, minute, second) = (digits.two(12), digits.two(15), digits.two(18));
    let (hours, minutes) = (digits.two(22), digits.two(24));
    let is_day = (1..=28).contains(&day) || day > 28 && day <= month_length(i64::from(year), month);
    let is_date = (1970..2200).contains(&year) && is_day;
    let is_sound = digits.are_all && is_date && hour < 24 && minute < 60 && second < 60;
    if !is_sound || hours >= 24 || minutes >= 60 {
        return None;
    }
    let offset = 60 * (60 * i64::from(hours) + i64::from(minutes));
    let of_day = 3600 * i64::from(hour) + 60 * i64::from(minute) + i64::from(second);
    let local = days(i64::from(year), month, day) * DAY_SECONDS + of_day;
    Some(if sign == b'-' { local + offset } else { local - offset })
}

/// Digits at fixed places of a shape.
struct Digits<'a, const LENGTH: usize> {
    shape: &'a [u8; LENGTH],
    are_all: bool,
}

impl<const LENGTH: usize> Digits<'_, LENGTH> {
    #[inline(always)]
    fn two(&mut self, at: usize) -> u8 {
        let digit = |at: usize| self.shape.get(at).copied().unwrap_or(0).wrapping_sub(b'0');
        let (ten, one) = (digit(at), digit(at + 1));
        self.are_all &= ten <= 9 && one <= 9;
        ten.wrapping_mul(10).wrapping_add(one)
    }

    #[inline(always)]
    fn four(&mut self, at: usize) -> i16 {
        i16::from(self.two(at)) * 100 + i16::from(self.two(at + 2))
    }
}
