//! Dates and ages, by arithmetic of its own: nanoseconds since 1970, and years, months and days.

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Days, weeks, months, years: a number and a letter of `dwmy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Age(pub(crate) i64, pub(crate) char);

/// A day of the calendar of a whole number of days since 1970.
fn civil(days: i64) -> (i64, i64, i64) {
    let mut year = 1970 + days / 366 - 1;
    while first_day(year + 1) <= days {
        year += 1;
    }
    let mut rest = days - first_day(year);
    let mut month = 1;
    while rest >= length(year, month) {
        rest -= length(year, month);
        month += 1;
    }
    (year, month, rest + 1)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn length(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn first_day(year: i64) -> i64 {
    (1970..year).map(|year| if is_leap(year) { 366 } else { 365 }).sum()
}

fn days(year: i64, month: i64, day: i64) -> i64 {
    first_day(year) + (1..month).map(|month| length(year, month)).sum::<i64>() + day - 1
}

/// That second.
pub(crate) fn time(date: (i64, i64, i64), clock: (i64, i64, i64)) -> i64 {
    days(date.0, date.1, date.2) * DAY + (clock.0 * 3600 + clock.1 * 60 + clock.2) * SECOND
}

/// Year, month, day; hour, minute, second; nanosecond.
pub(crate) fn fields(time: i64) -> ((i64, i64, i64), (i64, i64, i64), i64) {
    let seconds = time.rem_euclid(DAY) / SECOND;
    let clock = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    (civil(time.div_euclid(DAY)), clock, time.rem_euclid(SECOND))
}

impl Age {
    fn months(self) -> Option<i64> {
        match self.1 {
            'm' => Some(self.0),
            'y' => Some(12 * self.0),
            _ => None,
        }
    }

    /// When something of that time reaches the age.
    pub(crate) fn after(self, time: i64) -> i64 {
        self.moved(time, 1)
    }

    /// About when something was written that reaches the age then.
    pub(crate) fn before(self, time: i64) -> i64 {
        self.moved(time, -1)
    }

    fn moved(self, time: i64, sign: i64) -> i64 {
        let Some(months) = self.months() else {
            return time + sign * self.0 * DAY * if self.1 == 'w' { 7 } else { 1 };
        };
        let (year, month, day) = civil(time.div_euclid(DAY));
        let month = year * 12 + month - 1 + sign * months;
        let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
        days(year, month, day.min(length(year, month))) * DAY + time.rem_euclid(DAY)
    }

    pub(crate) fn reached(self, time: i64, now: i64) -> bool {
        self.after(time) <= now
    }

    /// As a rules file has it.
    pub(crate) fn text(self) -> String {
        format!("{}{}", self.0, if self.1 == 'm' { "mo".to_owned() } else { self.1.to_string() })
    }
}

/// `2026-03-01T12:34:56.000000789Z`
pub(crate) fn rfc3339(time: i64) -> String {
    let ((year, month, day), (hour, minute, second), nano) = fields(time);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nano:09}Z")
}
