//! Reads dates and times of day, byte by byte: each form is told from the others by its first few bytes, so that no
//! text is read twice.

use super::civil::{self, Civil, Year};
use super::words;

/// Where one field of a time lies, from the first byte of the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) at: u8,
    pub(super) length: u8,
}

/// Where the fields of a time lie. Those that it has not are empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) year: Place,
    /// Digits or a name.
    pub(super) month: Place,
    /// Two bytes, of which the first may be a blank; three digits are those of an ordinal date.
    pub(super) day: Place,
    /// A name, or the digit of a week date.
    pub(super) weekday: Place,
    pub(super) week: Place,
    pub(super) hour: Place,
    pub(super) minute: Place,
    pub(super) second: Place,
    pub(super) fraction: Place,
}

/// What a text says of its zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    Unsaid,
    /// A name that more than one zone has.
    Vague,
    /// Seconds ahead of UTC.
    Offset(i32),
}

/// More digits of a second than any clock writes. With this bound the places fit in a byte.
const MOST_DIGITS: usize = 40;

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

/// A time that is being read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    text: &'a [u8],
    start: usize,
    pub(super) at: usize,
    pub(super) civil: Civil,
    pub(super) places: Places,
    pub(super) zone: Zone,
}

/// What separates hour, minute and second.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    /// A colon; what follows the second may be a fraction behind one too.
    Colon,
    Dot,
    /// Nothing.
    None,
}

impl<'a> Reader<'a> {
    /// `until`: what the year is found by if the text has none.
    pub(super) fn new(text: &'a [u8], at: usize, until: i64) -> Reader<'a> {
        let civil = Civil { year: Year::Until(until), ..Civil::EPOCH };
        Reader { text, start: at, at, civil, places: Places::default(), zone: Zone::Unsaid }
    }

    /// A date with a time of day that begins here.
    pub(super) fn stamp(&mut self) -> Option<()> {
        match self.byte(0) {
            b'0'..=b'9' => self.digits_first()?,
            b'A'..=b'Z' | b'a'..=b'z' => self.name_first()?,
            _ => return None,
        }
        self.check()
    }

    /// `2024-03-01T12:34:56` in one look: by far the most common, and in a third of the time that its fields take one by
    /// one. Everything is inlined, and the reader put together last: bytes stored one by one and copied as sixteen make
    /// the processor wait.
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

    /// `10/Oct/2000:13:55:36` likewise.
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

    /// A date alone that begins here.
    pub(super) fn date(&mut self) -> Option<()> {
        self.any_date()?;
        self.check()
    }

    /// A time of day alone that begins here.
    pub(super) fn time_of_day(&mut self) -> Option<()> {
        let joint = if self.run() == 6 { Joint::None } else { Joint::Colon };
        self.time(joint)?;
        self.zone();
        self.check()
    }

    /// A month and a day without a year, and the time: `03-17 16:13:38.811`, with this between month and day or nothing.
    pub(super) fn without_year(&mut self, separator: Option<u8>) -> Option<()> {
        self.two_of_date(separator)?;
        self.check()
    }

    /// A date that begins with the number of the month, and the time.
    pub(super) fn month_first(&mut self) -> Option<()> {
        self.american()?;
        self.check()
    }

    /// `10/Oct/2000:13:55:36 -0700`; a blank in place of the first colon is Webmin's.
    pub(super) fn common_log(&mut self) -> Option<()> {
        self.day_first(b'/')?;
        self.time_behind_date(Joint::Colon)?;
        self.check()
    }

    /// Whether the time stands directly behind this byte.
    pub(super) fn is_behind(&self, byte: u8) -> bool {
        self.start.checked_sub(1).and_then(|before| self.text.get(before)) == Some(&byte)
    }

    fn check(&self) -> Option<()> {
        (self.civil.is_real() && !self.byte(0).is_ascii_digit()).then_some(())
    }

    /// The byte so many behind this place; NUL, which is no part of a time, behind the last.
    #[inline]
    pub(super) fn byte(&self, ahead: usize) -> u8 {
        byte(self.text, self.at + ahead)
    }

    /// How many digits stand here, 20 at most.
    fn run(&self) -> usize {
        let rest = self.text.get(self.at..).unwrap_or_default();
        rest.iter().take(20).take_while(|byte| byte.is_ascii_digit()).count()
    }

    pub(super) fn step(&mut self, byte: u8) -> Option<()> {
        self.is_step(byte).then_some(())
    }

    pub(super) fn is_step(&mut self, byte: u8) -> bool {
        let is_here = self.byte(0) == byte;
        self.at += usize::from(is_here);
        is_here
    }

    fn pass(&mut self, length: usize) -> Place {
        let place = Place { at: (self.at - self.start) as u8, length: length as u8 };
        self.at += length;
        place
    }

    /// So many digits as a number.
    fn number(&mut self, length: usize) -> Option<(u16, Place)> {
        let digits = self.text.get(self.at..self.at + length)?;
        let mut value = 0;
        for byte in digits {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            value = value * 10 + u16::from(digit);
        }
        Some((value, self.pass(length)))
    }

    fn two(&mut self) -> Option<(u8, Place)> {
        let [ten, one] = *self.text.get(self.at..)?.first_chunk()?;
        let (ten, one) = (ten.wrapping_sub(b'0'), one.wrapping_sub(b'0'));
        if ten > 9 || one > 9 {
            return None;
        }
        Some((ten * 10 + one, self.pass(2)))
    }

    /// One or two digits.
    fn one_or_two(&mut self) -> Option<(u8, Place)> {
        if self.byte(1).is_ascii_digit() {
            return self.two();
        }
        let (value, place) = self.number(1)?;
        Some((value as u8, place))
    }

    pub(super) fn year(&mut self) -> Option<()> {
        let (year, place) = self.number(4)?;
        self.civil.year = Year::Known(i16::try_from(year).ok()?);
        self.places.year = place;
        Some(())
    }

    /// A year of two digits by the rule of POSIX: 69 to 99 are of the last century.
    fn short_year(&mut self) -> Option<()> {
        let (year, place) = self.two()?;
        self.civil.year = Year::Known(i16::from(year) + if year < 69 { 2000 } else { 1900 });
        self.places.year = place;
        Some(())
    }

    fn month(&mut self) -> Option<()> {
        (self.civil.month, self.places.month) = self.two()?;
        Some(())
    }

    pub(super) fn month_name(&mut self) -> Option<()> {
        self.civil.month = words::month(self.text.get(self.at..)?)?;
        self.places.month = self.pass(3);
        Some(())
    }

    pub(super) fn weekday_name(&mut self) -> Option<()> {
        words::weekday(self.text.get(self.at..)?)?;
        self.places.weekday = self.pass(3);
        Some(())
    }

    fn day(&mut self) -> Option<()> {
        (self.civil.day, self.places.day) = self.two()?;
        Some(())
    }

    /// A day of one digit, or of two, of which the first may be a blank.
    pub(super) fn loose_day(&mut self) -> Option<()> {
        if self.byte(0) == b' ' {
            let day = self.byte(1).wrapping_sub(b'0');
            self.civil.day = if day > 9 { return None } else { day };
            self.places.day = self.pass(2);
        } else {
            (self.civil.day, self.places.day) = self.one_or_two()?;
        }
        Some(())
    }

    fn digits_first(&mut self) -> Option<()> {
        let run = self.run();
        match (run, self.byte(run)) {
            // Addresses, mostly.
            (3 | 5 | 9..=13 | 15.., _) => None,
            (14, _) => {
                self.compact_date()?;
                self.time(Joint::None)?;
                self.zone();
                Some(())
            }
            (2, b'-') if self.byte(3).is_ascii_digit() && self.byte(5) == b' ' => {
                self.two_of_date(Some(b'-'))
            }
            (2, b'/') if self.byte(5) == b'/' && self.byte(10) == b'-' => self.american(),
            // Spark's. With a fraction behind they are ZoneMinder's, which begin with the day or the month.
            (2, b'/') if self.byte(5) == b'/' => {
                self.any_date()?;
                self.time_behind_date(Joint::Colon)?;
                (self.places.fraction.length == 0).then_some(())
            }
            (8, _) | (7, b'T') | (4, b'W') => {
                self.any_date()?;
                let is_basic = self.byte(0) == b'T' && self.byte(3) != b':';
                self.time_behind_date(if is_basic { Joint::None } else { Joint::Colon })
            }
            (6, b' ') => {
                self.any_date()?;
                let is_basic = self.byte(3).is_ascii_digit();
                self.time_behind_date(if is_basic { Joint::None } else { Joint::Colon })
            }
            _ => {
                self.any_date()?;
                self.time_behind_date(Joint::Colon)
            }
        }
    }

    /// A date that begins with a digit and has a year.
    fn any_date(&mut self) -> Option<()> {
        let run = self.run();
        match (run, self.byte(run)) {
            (4, b'-') if self.byte(7) == b'-' => self.dashed(),
            (4, b'-') if self.byte(5) == b'W' => self.week_date(true),
            (4, b'-') => {
                self.year()?;
                self.at += 1;
                self.ordinal()
            }
            (4, b'W') => self.week_date(false),
            (4, separator @ (b'/' | b'.' | b':')) => {
                self.year()?;
                self.at += 1;
                self.month()?;
                self.step(separator)?;
                self.day()
            }
            (7, b'T') => {
                self.year()?;
                self.ordinal()
            }
            (8, _) => self.compact_date(),
            (6, _) => {
                self.short_year()?;
                self.month()?;
                self.day()
            }
            (2, b'/') if self.byte(3).is_ascii_digit() => {
                self.short_year()?;
                self.at += 1;
                self.month()?;
                self.step(b'/')?;
                self.day()
            }
            (2, b'.') => {
                self.day()?;
                self.at += 1;
                self.month()?;
                self.step(b'.')?;
                self.year()
            }
            (1 | 2, separator @ (b'/' | b'-' | b' ')) => self.day_first(separator),
            _ => None,
        }
    }

    fn dashed(&mut self) -> Option<()> {
        self.year()?;
        self.step(b'-')?;
        self.month()?;
        self.step(b'-')?;
        self.day()
    }

    fn compact_date(&mut self) -> Option<()> {
        self.year()?;
        self.month()?;
        self.day()
    }

    /// Day, name of the month, year.
    pub(super) fn day_first(&mut self, separator: u8) -> Option<()> {
        self.loose_day()?;
        self.step(separator)?;
        self.month_name()?;
        self.step(separator)?;
        self.year()
    }

    /// `2024-061`
    fn ordinal(&mut self) -> Option<()> {
        let (ordinal, place) = self.number(3)?;
        let Year::Known(year) = self.civil.year else { return None };
        self.places.day = place;
        self.civil.set_days(civil::of_ordinal(i64::from(year), ordinal)?)
    }

    /// `2024-W09-5`, and without hyphens
    fn week_date(&mut self, has_hyphens: bool) -> Option<()> {
        let (year, place) = self.number(4)?;
        // The first days of the year 0 are of a week before it, which four digits cannot say.
        if year == 0 {
            return None;
        }
        self.places.year = place;
        self.at += usize::from(has_hyphens) + 1;
        let (week, place) = self.two()?;
        self.places.week = place;
        if has_hyphens {
            self.step(b'-')?;
        }
        let (weekday, place) = self.number(1)?;
        self.places.weekday = place;
        self.civil.set_days(civil::of_week(i64::from(year), week, weekday as u8)?)
    }

    /// Month and day without a year, as logcat and Proxifier write them, and the time behind.
    fn two_of_date(&mut self, separator: Option<u8>) -> Option<()> {
        self.month()?;
        if let Some(separator) = separator {
            self.step(separator)?;
        }
        self.day()?;
        self.step(b' ')?;
        self.time(Joint::Colon)
    }

    /// `03/17/2024-16:13:38.811234` of Snort and Suricata, and `L 03/17/2024 - 16:13:38` of game servers.
    fn american(&mut self) -> Option<()> {
        self.month()?;
        self.step(b'/')?;
        self.day()?;
        self.step(b'/')?;
        self.year()?;
        let is_wide = self.is_step(b' ');
        self.step(b'-')?;
        if is_wide {
            self.step(b' ')?;
        }
        self.time(Joint::Colon)
    }

    /// What joins a date and a time of day, the time, and the zone.
    fn time_behind_date(&mut self, joint: Joint) -> Option<()> {
        let join = self.byte(0);
        if !matches!(join, b'T' | b't' | b' ' | b'-' | b'_' | b'\t' | b':') {
            return None;
        }
        self.at += 1;
        // A colon joins in the logs of web servers only: their months are names.
        if join == b':' && !self.is_named() {
            return None;
        }
        // MySQL pads the hour.
        if join == b' ' && self.byte(1).is_ascii_digit() {
            self.is_step(b' ');
        }
        let joint = if join == b'-' && self.byte(2) == b'.' { Joint::Dot } else { joint };
        self.time(joint)?;
        if join == b'-' && self.byte(0) == b':' {
            self.fraction(b':', Some(3));
        }
        self.zone();
        Some(())
    }

    fn is_named(&self) -> bool {
        self.places.month.length == 3
    }

    /// Hour, minute, mostly the second, seldom its fraction.
    pub(super) fn time_with_colons(&mut self) -> Option<()> {
        self.time(Joint::Colon)
    }

    fn time(&mut self, joint: Joint) -> Option<()> {
        if joint == Joint::None {
            (self.civil.hour, self.places.hour) = self.two()?;
            (self.civil.minute, self.places.minute) = self.two()?;
        } else {
            let separator = if joint == Joint::Dot { b'.' } else { b':' };
            (self.civil.hour, self.places.hour) = self.one_or_two()?;
            self.step(separator)?;
            (self.civil.minute, self.places.minute) = self.one_or_two()?;
            let has_second = self.byte(0) == separator && self.byte(1).is_ascii_digit();
            if !has_second {
                // Of one digit they are minutes of nobody.
                return (self.places.minute.length == 2).then_some(()).filter(|()| !self.is_by_noon());
            }
            self.at += 1;
        }
        if self.byte(0).is_ascii_digit() {
            (self.civil.second, self.places.second) = self.one_or_two()?;
            self.civil.second = leapless(self.civil.second);
            if !self.fraction(b'.', None) {
                self.fraction(b',', Some(3));
            }
        }
        Some(()).filter(|()| !self.is_by_noon())
    }

    fn is_by_noon(&self) -> bool {
        is_by_noon(self.text, self.at)
    }

    fn fraction(&mut self, mark: u8, multiple: Option<usize>) -> bool {
        let Some((nanosecond, length)) = fraction(self.text, self.at, mark, multiple) else { return false };
        self.civil.nanosecond = nanosecond;
        self.at += 1;
        self.places.fraction = self.pass(length);
        true
    }

    /// The zone, if there is one.
    pub(super) fn zone(&mut self) {
        (self.zone, self.at) = zone(self.text, self.at);
    }
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

/// A leap second stays in its minute, as its text does when it is coarsened.
#[inline(always)]
fn leapless(second: u8) -> u8 {
    if second == 60 { 59 } else { second }
}

/// The byte there; NUL, which is no part of a time, behind the last.
#[inline(always)]
fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(0)
}

/// Hours that are counted to twelve are not read: better none than one that is twelve hours off.
#[inline]
fn is_by_noon(text: &[u8], at: usize) -> bool {
    let at = at + usize::from(byte(text, at) == b' ');
    matches!(byte(text, at), b'A' | b'P' | b'a' | b'p')
        && matches!(byte(text, at + 1), b'M' | b'm')
        && !byte(text, at + 2).is_ascii_alphanumeric()
}

/// The digits behind the mark as nanoseconds, and how many there are. Behind a comma a column of numbers may follow
/// that is none of the time, so that their count is looked at (three, six or nine).
#[inline(always)]
fn fraction(text: &[u8], at: usize, mark: u8, multiple: Option<usize>) -> Option<(u32, usize)> {
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
        || (mark == b',' && byte(text, at + 1 + length) == b',');
    let scale = TENS.get(length).copied().unwrap_or(1);
    (!is_column).then_some((nanosecond * scale, length))
}

/// What so many digits of a second are multiplied with.
const TENS: [u32; 9] = [1_000_000_000, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1000, 100, 10];

/// What is said of the zone there, and where it ends.
#[inline(always)]
fn zone(text: &[u8], at: usize) -> (Zone, usize) {
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
    let is_whole = minutes < 24 * 60 && !byte(rest, length).is_ascii_digit();
    let seconds = if byte(text, at) == b'-' { -60 * minutes } else { 60 * minutes };
    is_whole.then_some((Zone::Offset(seconds), at + 1 + length))
}
