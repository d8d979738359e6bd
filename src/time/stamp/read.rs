//! Reads dates and times of day, byte by byte: each form is told from the others by its first few bytes, so that no
//! text is read twice.

use super::civil::{Civil, Year};
use super::tail::{byte, fraction, is_by_noon, leapless, zone};
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

/// A time that is being read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    pub(super) text: &'a [u8],
    pub(super) start: usize,
    pub(super) at: usize,
    pub(super) civil: Civil,
    pub(super) places: Places,
    pub(super) zone: Zone,
}

/// What separates hour, minute and second.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
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
    pub(super) fn run(&self) -> usize {
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

    pub(super) fn pass(&mut self, length: usize) -> Place {
        let place = Place { at: (self.at - self.start) as u8, length: length as u8 };
        self.at += length;
        place
    }

    /// So many digits as a number.
    pub(super) fn number(&mut self, length: usize) -> Option<(u16, Place)> {
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

    pub(super) fn two(&mut self) -> Option<(u8, Place)> {
        let [ten, one] = *self.text.get(self.at..)?.first_chunk()?;
        let (ten, one) = (ten.wrapping_sub(b'0'), one.wrapping_sub(b'0'));
        if ten > 9 || one > 9 {
            return None;
        }
        Some((ten * 10 + one, self.pass(2)))
    }

    /// One or two digits.
    pub(super) fn one_or_two(&mut self) -> Option<(u8, Place)> {
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
    pub(super) fn short_year(&mut self) -> Option<()> {
        let (year, place) = self.two()?;
        self.civil.year = Year::Known(i16::from(year) + if year < 69 { 2000 } else { 1900 });
        self.places.year = place;
        Some(())
    }

    pub(super) fn month(&mut self) -> Option<()> {
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

    pub(super) fn day(&mut self) -> Option<()> {
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

    /// What joins a date and a time of day, the time, and the zone.
    pub(super) fn time_behind_date(&mut self, joint: Joint) -> Option<()> {
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

    pub(super) fn time(&mut self, joint: Joint) -> Option<()> {
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
