//! Dates and times of day as fields, and the arithmetic of the Gregorian calendar.

use super::Unit;

pub(super) const DAY_SECONDS: i64 = 86_400;

/// The year of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Year {
    Known(i16),
    /// Not in the text: the newest in which the time is not after this, in seconds since 1970 UTC.
    Until(i64),
}

/// A time as it is written, by fields, in local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) year: Year,
    pub(super) month: u8,
    pub(super) day: u8,
    pub(super) hour: u8,
    pub(super) minute: u8,
    pub(super) second: u8,
    pub(super) nanosecond: u32,
}

impl Civil {
    pub(super) const EPOCH: Civil =
        Civil { year: Year::Known(1970), month: 1, day: 1, hour: 0, minute: 0, second: 0, nanosecond: 0 };

    /// Whether the calendar has such a time. A year that is not known may be a leap year.
    #[inline]
    pub(super) fn is_real(&self) -> bool {
        let length = match self.year {
            // The last year is not wholly in the range of `jiff::Timestamp`.
            Year::Known(year) if (0..=9998).contains(&year) => month_length(i64::from(year), self.month),
            Year::Known(_) => 0,
            Year::Until(_) => month_length(2000, self.month),
        };
        (1..=length).contains(&self.day) && self.hour < 24 && self.minute < 60 && self.second < 60
    }

    /// The same time with everything below the unit at its lowest.
    pub(super) fn floored(mut self, unit: Option<Unit>) -> Civil {
        let Some(unit) = unit else { return self };
        (self.second, self.nanosecond) = (0, 0);
        if unit >= Unit::Hour {
            self.minute = 0;
        }
        if unit >= Unit::Day {
            self.hour = 0;
        }
        if unit >= Unit::Month {
            self.day = 1;
        }
        if unit >= Unit::Year {
            self.month = 1;
        }
        self
    }

    /// Seconds since 1970 in UTC, if local time is `offset` seconds ahead of it.
    pub(super) fn seconds(&self, offset: i32) -> i64 {
        let offset = i64::from(offset);
        match self.year {
            Year::Known(year) => self.local_seconds(i64::from(year)) - offset,
            Year::Until(until) => {
                let until = until + offset;
                let newest = date(until.div_euclid(DAY_SECONDS)).0;
                // Leap years are eight years apart at most.
                let year = (newest - 9..=newest).rev().find(|year| {
                    self.day <= month_length(*year, self.month) && self.local_seconds(*year) <= until
                });
                self.local_seconds(year.unwrap_or(newest)) - offset
            }
        }
    }

    fn local_seconds(&self, year: i64) -> i64 {
        days(year, self.month, self.day) * DAY_SECONDS
            + i64::from(self.hour) * 3600
            + i64::from(self.minute) * 60
            + i64::from(self.second)
    }

    /// Days since 1970 of the date, of a year that is known.
    pub(super) fn days(&self) -> Option<i64> {
        match self.year {
            Year::Known(year) => Some(days(i64::from(year), self.month, self.day)),
            Year::Until(_) => None,
        }
    }

    /// Takes the date that is so many days after 1970.
    pub(super) fn set_days(&mut self, days: i64) -> Option<()> {
        let (year, month, day) = date(days);
        (self.year, self.month, self.day) = (Year::Known(i16::try_from(year).ok()?), month, day);
        Some(())
    }
}

/// A number of seconds since 1970 with everything below the unit taken away.
pub(super) fn floored(seconds: i64, unit: Unit) -> i64 {
    let days_of = |seconds: i64| seconds.div_euclid(DAY_SECONDS);
    match unit {
        Unit::Minute => seconds.div_euclid(60) * 60,
        Unit::Hour => seconds.div_euclid(3600) * 3600,
        Unit::Day => days_of(seconds) * DAY_SECONDS,
        Unit::Month => {
            let (year, month, _) = date(days_of(seconds));
            days(year, month, 1) * DAY_SECONDS
        }
        Unit::Year => days(date(days_of(seconds)).0, 1, 1) * DAY_SECONDS,
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// 0 for what is no month.
pub(super) fn month_length(year: i64, month: u8) -> u8 {
    match month {
        2 => 28 + u8::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

/// Days from 1970-01-01 to a date, by eras of 400 years that begin in March, so that the leap day is the last of a year.
#[inline]
pub(super) fn days(year: i64, month: u8, day: u8) -> i64 {
    let month = i64::from(month);
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The other way round: year, month and day.
pub(super) fn date(days: i64) -> (i64, u8, u8) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = (shifted + 2) % 12 + 1;
    (era * 400 + year_of_era + i64::from(month <= 2), month as u8, day as u8)
}

/// Days since 1970 of the nth day of a year, from 1.
pub(super) fn of_ordinal(year: i64, ordinal: u16) -> Option<i64> {
    (1..=365 + u16::from(is_leap(year))).contains(&ordinal).then(|| days(year, 1, 1) + i64::from(ordinal) - 1)
}

/// Which day of its year it is, from 1.
pub(super) fn ordinal(day: i64) -> u32 {
    (day - days(date(day).0, 1, 1) + 1) as u32
}

/// 1 for Monday to 7 for Sunday.
pub(super) fn weekday(days: i64) -> u8 {
    ((days + 3).rem_euclid(7) + 1) as u8
}

/// Monday of the first week of a year by ISO 8601: the week that holds 4 January.
fn first_monday(year: i64) -> i64 {
    let fourth = days(year, 1, 4);
    fourth - i64::from(weekday(fourth)) + 1
}

/// Days since 1970 of a week date of ISO 8601.
pub(super) fn of_week(year: i64, week: u8, weekday: u8) -> Option<i64> {
    let day = first_monday(year) + (i64::from(week) - 1) * 7 + i64::from(weekday) - 1;
    let is_real = week >= 1 && (1..=7).contains(&weekday) && day < first_monday(year + 1);
    is_real.then_some(day)
}

/// Year and week of ISO 8601. The year is that of the week's Thursday.
pub(super) fn week(day: i64) -> (i64, u8) {
    let thursday = day - i64::from(weekday(day)) + 4;
    let year = date(thursday).0;
    (year, ((thursday - first_monday(year)) / 7 + 1) as u8)
}
