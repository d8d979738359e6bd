//! Dates that begin with a digit: which form one is of is told by how many digits there are and what stands behind.

use super::civil::{self, Year};
use super::read::{Joint, Reader};

impl Reader<'_> {
    pub(super) fn digits_first(&mut self) -> Option<()> {
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
    pub(super) fn any_date(&mut self) -> Option<()> {
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
    pub(super) fn two_of_date(&mut self, separator: Option<u8>) -> Option<()> {
        self.month()?;
        if let Some(separator) = separator {
            self.step(separator)?;
        }
        self.day()?;
        self.step(b' ')?;
        self.time(Joint::Colon)
    }

    /// `03/17/2024-16:13:38.811234` of Snort and Suricata, and `L 03/17/2024 - 16:13:38` of game servers.
    pub(super) fn american(&mut self) -> Option<()> {
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
}
