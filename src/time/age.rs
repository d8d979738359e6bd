//! Ages as rules files write them: `7d`, `2w`, `13mo`, `1y`.

use std::fmt;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

/// A span of time as it was written. Days and weeks are exact, months and years follow the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Age {
    /// How many, from 1 to 10000.
    pub number: u32,
    /// Of what.
    pub unit: AgeUnit,
}

/// What an [`Age`] counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AgeUnit {
    /// 24 hours each, `d`.
    Days,
    /// 7 days each, `w`.
    Weeks,
    /// Months of the calendar in UTC, `mo`. A day that a month does not have is its last one.
    Months,
    /// Years of the calendar in UTC, `y`, with the same clamping.
    Years,
}

impl AgeUnit {
    /// As it stands behind the number.
    pub fn symbol(self) -> &'static str {
        match self {
            AgeUnit::Days => "d",
            AgeUnit::Weeks => "w",
            AgeUnit::Months => "mo",
            AgeUnit::Years => "y",
        }
    }
}

impl Age {
    /// Reads an age.
    ///
    /// # Errors
    /// The text is none; the error says what one looks like.
    pub fn parse(text: &str) -> Result<Age, &'static str> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let unit = match unit {
            "d" => AgeUnit::Days,
            "w" => AgeUnit::Weeks,
            "mo" => AgeUnit::Months,
            "y" => AgeUnit::Years,
            "m" if digits > 0 => return Err("`m` could be minutes or months: write `mo` for months"),
            _ => return Err(FORM),
        };
        match number.parse::<u32>() {
            Ok(number @ 1..=10_000) => Ok(Age { number, unit }),
            _ => Err(FORM),
        }
    }

    /// The moment at which something of that time reaches this age; `None` if that lies past the end of time
    /// (the year 9999), so that it never does.
    ///
    /// Near the end of a month a later time may reach it first: one month after noon of 30 January is noon of
    /// 28 February, and one month after the morning of the 31st is the morning of that day.
    pub fn after(self, time: Timestamp) -> Option<Timestamp> {
        match self.length() {
            Length::Exact(length) => time.checked_add(length).ok(),
            Length::Months(months) => {
                let local = TimeZone::UTC.to_datetime(time);
                let span = Span::new().try_months(months).ok()?;
                TimeZone::UTC.to_timestamp(local.checked_add(span).ok()?).ok()
            }
        }
    }

    /// Whether something of that time has reached this age by now.
    pub fn reached(self, time: Timestamp, now: Timestamp) -> bool {
        self.after(time).is_some_and(|moment| moment <= now)
    }

    /// The last time that has reached this age by now; the beginning of time if none has.
    ///
    /// No later time has. Every earlier one has as well, but for months and years on the last day of a month,
    /// when times of the three days before may still lack hours (see [`Age::after`]): [`Age::reached`] is
    /// exact for these too.
    pub fn before(self, now: Timestamp) -> Timestamp {
        let before = match self.length() {
            Length::Exact(length) => now.checked_sub(length).ok(),
            Length::Months(months) => months_before(TimeZone::UTC.to_datetime(now), months),
        };
        before.unwrap_or(Timestamp::MIN)
    }

    /// Whether it is as long at all times.
    pub fn is_exact(self) -> bool {
        matches!(self.length(), Length::Exact(_))
    }

    /// As long as it is at least, whenever it begins.
    pub fn shortest(self) -> SignedDuration {
        SignedDuration::from_hours(24 * self.days().0)
    }

    /// Whether the other is longer, whenever they begin.
    pub fn is_shorter(self, other: Age) -> bool {
        self.days().1 < other.days().0
            || self.months().zip(other.months()).is_some_and(|(one, other)| one < other)
    }

    /// How many days there can be in it, at least and at most.
    fn days(self) -> (i64, i64) {
        match self.length() {
            Length::Exact(length) => (length.as_hours() / 24, length.as_hours() / 24),
            // 146,097 days in 400 years: no run of months is further than three days from the mean.
            Length::Months(months) => {
                let mean = months * 146_097 / 4800;
                (mean - 2, mean + 3)
            }
        }
    }

    fn months(self) -> Option<i64> {
        match self.length() {
            Length::Months(months) => Some(months),
            Length::Exact(_) => None,
        }
    }

    fn length(self) -> Length {
        let number = i64::from(self.number);
        match self.unit {
            AgeUnit::Days => Length::Exact(SignedDuration::from_hours(24 * number)),
            AgeUnit::Weeks => Length::Exact(SignedDuration::from_hours(7 * 24 * number)),
            AgeUnit::Months => Length::Months(number),
            AgeUnit::Years => Length::Months(12 * number),
        }
    }
}

const FORM: &str = "a number from 1 to 10000 and a unit: d, w, mo or y, as in 7d, 2w, 13mo, 1y";

enum Length {
    Exact(SignedDuration),
    Months(i64),
}

/// The last time whose day and month, so many months later and clamped, is not after `now`.
fn months_before(now: DateTime, months: i64) -> Option<Timestamp> {
    let first = Date::new(now.year(), now.month(), 1).ok()?;
    let month = first.checked_sub(Span::new().try_months(months).ok()?).ok()?;
    // Of the last day of a month, all days were clamped to it that it does not have.
    let is_last = now.day() == now.date().days_in_month();
    let day = if is_last { now.day().max(month.days_in_month()) } else { now.day() };
    let (day, time) = match day > month.days_in_month() {
        true => (month.days_in_month(), Time::MAX),
        false => (day, now.time()),
    };
    let date = Date::new(month.year(), month.month(), day).ok()?;
    TimeZone::UTC.to_timestamp(DateTime::from_parts(date, time)).ok()
}

impl fmt::Display for Age {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}", self.number, self.unit.symbol())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn age(text: &str) -> Age {
        Age::parse(text).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn ages_have_a_unit_that_cannot_be_misread() {
        for good in ["7d", "2w", "13mo", "1y", "10000d"] {
            assert_eq!(age(good).to_string(), good);
        }
        for bad in ["", "7", "d", "m", "0d", "7m", "7 d", "-7d", "1.5y", "10001d", "99999999999d", "7dd", "ß"]
        {
            assert!(Age::parse(bad).is_err(), "{bad}");
        }
        assert!(Age::parse("7m").unwrap_err().contains("`mo`"));
    }

    #[test]
    fn months_are_clamped_to_their_end() {
        for (from, span, to) in [
            ("2026-01-31T06:00:00Z", "1mo", "2026-02-28T06:00:00Z"),
            ("2024-01-31T06:00:00Z", "1mo", "2024-02-29T06:00:00Z"),
            ("2024-02-29T00:00:00Z", "1y", "2025-02-28T00:00:00Z"),
            ("2024-02-29T00:00:00Z", "4y", "2028-02-29T00:00:00Z"),
            ("2026-02-28T00:00:00Z", "1mo", "2026-03-28T00:00:00Z"),
            ("2025-12-31T23:59:59Z", "13mo", "2027-01-31T23:59:59Z"),
            ("2026-03-29T00:30:00Z", "1d", "2026-03-30T00:30:00Z"),
            ("2026-03-29T00:30:00Z", "2w", "2026-04-12T00:30:00Z"),
            ("1969-12-31T23:59:59.5Z", "2mo", "1970-02-28T23:59:59.5Z"),
        ] {
            assert_eq!(age(span).after(at(from)), Some(at(to)), "{from} {span}");
            assert!(age(span).reached(at(from), at(to)));
            assert!(!age(span).reached(at(from), at(to) - SignedDuration::from_nanos(1)));
        }
    }

    #[test]
    fn no_age_is_shorter_than_its_shortest() {
        let days = (0..8 * 366).map(|day| at("2024-01-31T12:00:00Z") + SignedDuration::from_hours(24 * day));
        for time in days {
            for text in ["1d", "3w", "1mo", "2mo", "3mo", "11mo", "13mo", "1y", "4y", "100y", "400y"] {
                let after = age(text).after(time).unwrap();
                assert!(after.duration_since(time) >= age(text).shortest(), "{text} {time}");
            }
        }
    }

    #[test]
    fn one_age_is_shorter_than_another_only_if_it_always_is() {
        let shorter = |one: &str, other: &str| age(one).is_shorter(age(other));
        for (one, other) in
            [("7d", "2w"), ("27d", "1mo"), ("1mo", "34d"), ("11mo", "1y"), ("13mo", "2y"), ("90d", "4mo")]
        {
            assert!(shorter(one, other) && !shorter(other, one), "{one} {other}");
        }
        for (one, other) in [("7d", "1w"), ("30d", "1mo"), ("12mo", "1y"), ("365d", "1y"), ("90d", "3mo")] {
            assert!(!shorter(one, other) && !shorter(other, one), "{one} {other}");
        }
        for months in 1..60 {
            let age = Age { number: months, unit: AgeUnit::Months };
            let (least, most) = age.days();
            let mut from = at("2022-12-31T00:00:00Z");
            while from < at("2025-01-02T00:00:00Z") {
                let days = age.after(from).unwrap().duration_since(from).as_hours() / 24;
                assert!((least..=most).contains(&days), "{months} months from {from}: {days} days");
                from += SignedDuration::from_hours(24);
            }
        }
    }

    #[test]
    fn time_has_ends() {
        for text in ["1d", "10000w", "1mo", "10000y"] {
            assert_eq!(age(text).after(Timestamp::MAX), None, "{text}");
            assert_eq!(age(text).before(Timestamp::MIN), Timestamp::MIN, "{text}");
        }
    }

    #[test]
    fn every_hour_around_the_ends_of_months_is_judged_exactly() {
        let hour = SignedDuration::from_hours(1);
        for span in ["1mo", "2mo", "11mo", "12mo", "1y", "13mo", "28d", "4w"] {
            let mut now = at("2024-02-25T00:30:00Z");
            while now < at("2024-06-03T00:00:00Z") {
                let before = age(span).before(now);
                assert!(age(span).reached(before, now), "{span} {now}");
                let mut later = before + SignedDuration::from_nanos(1);
                while later < before + SignedDuration::from_hours(5 * 24) {
                    assert!(!age(span).reached(later, now), "{span} {now} {later}");
                    later += hour;
                }
                now += hour;
            }
        }
    }

    proptest! {
        #[test]
        fn before_is_the_last_time_that_reached_the_age(
            seconds in -3_000_000_000_i64..8_000_000_000, number in 1_u32..400, unit in 0_usize..4, ahead in 1_i64..40_000_000
        ) {
            let unit = [AgeUnit::Days, AgeUnit::Weeks, AgeUnit::Months, AgeUnit::Years][unit];
            let (age, now) = (Age { number, unit }, Timestamp::from_second(seconds).unwrap());
            let before = age.before(now);
            prop_assert!(age.reached(before, now));
            prop_assert!(!age.reached(before + SignedDuration::from_nanos(1), now));
            prop_assert!(!age.reached(before + SignedDuration::from_secs(ahead), now));
            // The days before it that a clamped month pushes together lie within the last four.
            let earlier = before - SignedDuration::from_hours(4 * 24) - SignedDuration::from_secs(ahead);
            prop_assert!(age.reached(earlier, now));
            prop_assert_eq!(Age::parse(&age.to_string()), Ok(age));
        }

        #[test]
        fn later_never_means_younger(seconds in -3_000_000_000_i64..8_000_000_000, more in 0_i64..40_000_000, months in 1_u32..40) {
            let age = Age { number: months, unit: AgeUnit::Months };
            let time = Timestamp::from_second(seconds).unwrap();
            let moment = age.after(time).unwrap();
            prop_assert!(age.reached(time, moment + SignedDuration::from_secs(more)));
        }
    }
}
