//! The date in the name of a log file.

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::Offset;

/// The start, in UTC, of the day in the name of a file: `access.log-20240301.gz`, `app-2024-03-01.log`. Of several the last counts;
/// eight digits are one only if they stand alone and mean a day from 1990 on.
pub fn date_in(name: &[u8]) -> Option<Timestamp> {
    (0..name.len()).rev().find_map(|at| date_at(name, at))
}

fn date_at(name: &[u8], at: usize) -> Option<Timestamp> {
    let is_digit = |at: usize| name.get(at).is_some_and(u8::is_ascii_digit);
    if at > 0 && is_digit(at - 1) {
        return None;
    }
    let rest = name.get(at..)?;
    let separator = rest.get(4).filter(|byte| matches!(byte, b'-' | b'_' | b'.'));
    let (month, day) = match separator {
        Some(separator) if rest.get(7) == Some(separator) => (5, 8),
        Some(_) => return None,
        None => (4, 6),
    };
    let number = |from: usize, digits: usize| {
        let digits = rest.get(from..from + digits)?;
        digits
            .iter()
            .try_fold(0_i16, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i16::from(byte - b'0')))
    };
    let (year, month, end) = (number(0, 4)?, number(month, 2)?, day + 2);
    let day = number(day, 2)?;
    let is_day = (1990..=2200).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if is_digit(at + end) || !is_day || day > i16::from(date(year, month as i8, 1).days_in_month()) {
        return None;
    }
    Offset::UTC.to_timestamp(date(year, month as i8, day as i8).at(0, 0, 0, 0)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_rotated_logs() {
        for name in [
            "access.log-20240301.gz",
            "app-2024-03-01.log",
            "app.2024_03_01.13.log.zst",
            "2024.03.01",
            "20230101-20240301",
            "messages-20240301-1709296496",
        ] {
            let date = date_in(name.as_bytes()).map(|date| date.to_string());
            assert_eq!(date.as_deref(), Some("2024-03-01T00:00:00Z"), "{name}");
        }
        for name in [
            "",
            "access.log",
            "access.log.1",
            "app-1709296496.log",
            "120240301",
            "202403011",
            "20240230",
            "20241301",
            "19890301",
            "2024-03_01",
            "2024-03",
            "2024-03-011",
            "\u{e9}2024",
        ] {
            assert_eq!(date_in(name.as_bytes()), None, "{name}");
        }
    }
}
