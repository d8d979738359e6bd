//! Times: every form in both directions, what is none, what hostile records hold, and random ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "times/oracle.rs"]
mod oracle;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use logscrub::time::stamp::{Clock, Moment, Stamp, Unit};
use oracle::{check, check_all, check_parts, coarsened};
use proptest::prelude::*;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

/// Of no known zone.
fn clock() -> Clock {
    Clock { zone: None, reference: time("2024-03-15T12:00:00Z") }
}

/// How much of real logs has a time at its head, for people to look over; and what was read holds.
#[test]
fn times_of_real_logs_hold() {
    let Some(shared) = std::env::var_os("LOGSCRUB_SHARED") else {
        println!("SKIPPED: LOGSCRUB_SHARED is not set, so there are no real logs to read");
        return;
    };
    let clock = clock();
    let root = std::path::Path::new(&shared).join("corpora");
    let (mut records, mut times) = (0, 0);
    for entry in walkdir::WalkDir::new(&root).sort_by_file_name() {
        let entry = entry.unwrap();
        if !entry.file_type().is_file()
            || entry.path().components().any(|part| part.as_os_str() == "LICENSES")
        {
            continue;
        }
        let text = std::fs::read(entry.path()).unwrap();
        let lines = || text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let dated = lines().filter(|line| Stamp::at_head(line, &clock).is_some()).count();
        for line in lines().take(300) {
            check_all(line, &clock);
        }
        println!(
            "{dated:6} of {:6} {}",
            lines().count(),
            entry.path().strip_prefix(&root).unwrap().display()
        );
        (records, times) = (records + lines().count(), times + dated);
    }
    println!("{times} of {records} records have a time at their head");
    assert!(times * 2 > records);
}

/// `\t`, `\xNN`, `\|` and `\\` in the table.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        (rest, _) = match (first, tail) {
            (b'\\', [b't', tail @ ..]) => (tail, bytes.push(b'\t')),
            (b'\\', [b'x', tail @ ..]) => {
                let digits = str::from_utf8(&tail[..2]).unwrap();
                (&tail[2..], bytes.push(u8::from_str_radix(digits, 16).unwrap()))
            }
            (b'\\', [escaped, tail @ ..]) => (tail, bytes.push(*escaped)),
            _ => (tail, bytes.push(*first)),
        };
    }
    bytes
}

/// The rows of the table: how the text is read, the text, and what is said of it.
fn rows() -> impl Iterator<Item = (&'static str, Vec<u8>, Vec<&'static str>)> {
    let table = include_str!("times/forms.tsv").lines().filter(|line| !line.starts_with('#'));
    table.map(|line| {
        let mut cells = line.split('\t');
        let (how, text) = (cells.next().unwrap(), cells.next().unwrap());
        (how, unescaped(text), cells.collect())
    })
}

fn read(how: &str, text: &[u8], clock: &Clock) -> Option<Stamp> {
    match how {
        "head" => Stamp::at_head(text, clock),
        "value" => Stamp::of_value(text, clock),
        _ => panic!("{how}"),
    }
}

#[test]
fn every_form_is_read_and_written() {
    let clock = clock();
    for (how, text, told) in rows() {
        let shown = String::from_utf8_lossy(&text).into_owned();
        let stamp = read(how, &text, &clock);
        let [span, utc, coarse @ ..] = &told[..] else {
            assert!(stamp.is_none(), "{how} of {shown}: {stamp:?}");
            continue;
        };
        let stamp = stamp.unwrap_or_else(|| panic!("{how} of {shown}: none"));
        assert_eq!(stamp.span.of(&text), unescaped(span), "{shown}");
        let moment = stamp.moment(None);
        let (nominal, earliest, latest) = (moment.nominal, moment.earliest(), moment.latest());
        assert_eq!(nominal, time(utc.trim_start_matches('~')), "{shown}");
        assert_eq!(earliest != latest, utc.starts_with('~'), "{shown}");
        for (unit, coarse) in Unit::ALL.into_iter().zip(coarse) {
            assert_eq!(coarsened(&stamp, &text, unit), unescaped(coarse), "{unit:?} of {shown}");
        }
        assert_eq!(coarse.len(), Unit::ALL.len(), "{shown}");
        check(&text, &stamp, |text| read(how, text, &clock));
        // What follows a head is not looked at for times, but for a second one in brackets, which makes both doubtful.
        if how == "head" {
            let tail: &[u8] = b" 1999-12-31T23:59:59Z [31/Dec/1999:23:59:59 +0000] x";
            let again = Stamp::at_head(&[&text[..], tail].concat(), &clock);
            let is_unquoted = shown.contains("- - [") && !shown.contains('"');
            let is_doubtful = shown.starts_with("#1") || shown.starts_with("#+") || is_unquoted;
            assert_eq!(again.is_none(), is_doubtful, "{shown}: {again:?}");
            assert!(again.is_none_or(|again| again.moment(None) == stamp.moment(None)), "{shown}: {again:?}");
        }
    }
}

#[test]
fn a_zone_that_the_text_has_not_comes_from_the_clock() {
    let at = |text: &str, clock: &Clock| Stamp::at_head(text.as_bytes(), clock).unwrap().moment(None);
    let berlin = Clock { zone: Some(Offset::from_seconds(3600).unwrap()), ..clock() };
    let known = |text| Moment::certain(time(text));
    assert_eq!(at("2024-03-01 12:34:56 x", &berlin), known("2024-03-01T11:34:56Z"));
    assert_eq!(at("2024-03-01T12:34:56Z x", &berlin), known("2024-03-01T12:34:56Z"));
    let three = |moment: Moment| (moment.nominal, moment.earliest(), moment.latest());
    let bounds = |nominal| (time(nominal), time("2024-02-29T22:34:56Z"), time("2024-03-02T00:34:56Z"));
    assert_eq!(three(at("2024-03-01 12:34:56 x", &clock())), bounds("2024-03-01T12:34:56Z"));
    // What the text names is not the clock's, and not known either.
    assert_eq!(three(at("2024-03-01 12:34:56 CST x", &berlin)), bounds("2024-03-01T11:34:56Z"));
    // Rounded in its own zone.
    let stamp = Stamp::at_head(b"2024-03-01 00:34:56 x", &berlin).unwrap();
    assert_eq!(stamp.moment(Some(Unit::Day)), known("2024-02-29T23:00:00Z"));
    assert_eq!(stamp.moment(Some(Unit::Year)), known("2023-12-31T23:00:00Z"));
}

#[test]
fn a_year_that_the_text_has_not_is_the_newest_that_fits() {
    for (reference, text, year) in [
        ("2024-01-01T00:00:00Z", "Jan  1 00:00:00 x", 2024),
        ("2023-12-31T23:00:00Z", "Jan  1 00:00:00 x", 2024),
        ("2023-12-30T23:59:59Z", "Jan  1 00:00:00 x", 2023),
        ("2024-01-01T00:00:00Z", "Dec 31 23:59:59 x", 2023),
        ("2024-01-01T00:00:00Z", "Jan  2 00:00:00 x", 2024),
        ("2024-01-01T00:00:00Z", "Jan  2 00:00:01 x", 2023),
        ("2024-02-28T00:00:00Z", "Feb 29 00:00:00 x", 2024),
        ("2024-02-27T23:59:59Z", "Feb 29 00:00:00 x", 2020),
        ("2023-06-01T00:00:00Z", "Feb 29 00:00:00 x", 2020),
        ("2103-06-01T00:00:00Z", "Feb 29 00:00:00 x", 2096),
        ("1969-06-01T00:00:00Z", "Jun  1 00:00:00 x", 1969),
        ("2024-01-01T00:00:00Z", "I1231 23:59:59.000001 7 x.go:1] x", 2023),
        ("2024-01-01T00:00:00Z", "12-31 23:59:59.000  1  2 D x", 2023),
    ] {
        let clock = Clock { zone: Some(Offset::UTC), reference: time(reference) };
        let nominal = Stamp::at_head(text.as_bytes(), &clock).unwrap().moment(None).nominal;
        assert_eq!(i32::from(nominal.to_zoned_datetime(TimeZone::UTC).year()), year, "{text} at {reference}");
        check_all(text.as_bytes(), &clock);
    }
    // The day after is one of local time.
    let east = Clock {
        zone: Some(Offset::from_seconds(14 * 3600).unwrap()),
        reference: time("2023-12-30T12:00:00Z"),
    };
    let nominal = Stamp::at_head(b"Jan  1 02:00:00 x", &east).unwrap().moment(None).nominal;
    assert_eq!(nominal, time("2023-12-31T12:00:00Z"));
}

#[test]
fn a_date_and_a_time_of_two_fields_are_one() {
    let utc = Clock { zone: Some(Offset::UTC), ..clock() };
    for (date, hour, moment) in [
        ("2024-03-01", "12:34:56", "2024-03-01T12:34:56Z"),
        ("2024-03-01", "12:34:56.789", "2024-03-01T12:34:56.789Z"),
        ("2024-03-01", "12:34:56+0100", "2024-03-01T11:34:56Z"),
        ("2024/03/01", "9:04:05", "2024-03-01T09:04:05Z"),
        ("01-Mar-2024", "12:34", "2024-03-01T12:34:00Z"),
        ("240301", "123456", "2024-03-01T12:34:56Z"),
        ("2024-061", "12:34:56", "2024-03-01T12:34:56Z"),
        ("2024-W09-5", "12:34:56", "2024-03-01T12:34:56Z"),
    ] {
        let stamps = Stamp::of_parts(date.as_bytes(), hour.as_bytes(), &utc).unwrap();
        assert_eq!(stamps.map(|stamp| stamp.moment(None).nominal), [time(moment); 2], "{date} {hour}");
        assert_eq!(stamps.map(|stamp| stamp.span.len()), [date.len(), hour.len()]);
        check_parts(date.as_bytes(), hour.as_bytes(), stamps, &utc);
    }
    let [day, hour] = Stamp::of_parts(b"2024-03-15", b"12:34:56", &utc).unwrap();
    assert_eq!(coarsened(&day, b"2024-03-15", Unit::Hour), b"2024-03-15");
    assert_eq!(coarsened(&hour, b"12:34:56", Unit::Hour), b"12:00:00");
    assert_eq!(coarsened(&day, b"2024-03-15", Unit::Month), b"2024-03-01");
    for (date, hour) in [
        ("2024-03-01x", "12:34:56"),
        ("2024-03-01", "12:34:56x"),
        ("2024-02-30", "12:34:56"),
        ("", ""),
        ("-", "-"),
    ] {
        assert!(Stamp::of_parts(date.as_bytes(), hour.as_bytes(), &utc).is_none(), "{date} {hour}");
    }
}

/// Forms as `jiff` writes them, what of a second they hold, in nanoseconds, and whether they say their zone.
const WRITTEN: [(&str, i128, bool); 36] = [
    ("%Y-%m-%dT%H:%M:%S.%9f%:z", 1, true),
    ("%Y-%m-%dT%H:%M:%S.%6f%z", 1000, true),
    ("%Y-%m-%dT%H:%M:%S%:z", SECOND, true),
    ("%Y-%m-%dT%H:%M%:z", MINUTE, true),
    ("%Y%m%dT%H%M%S%z", SECOND, true),
    ("%Y%m%d%H%M%S%z", SECOND, true),
    ("%G-W%V-%uT%H:%M:%S%:z", SECOND, true),
    ("%GW%V%uT%H%M%S%z", SECOND, true),
    ("%Y-%jT%H:%M:%S%:z", SECOND, true),
    ("%Y-%m-%d %H:%M:%S,%3f", 1_000_000, false),
    ("%Y-%m-%d %H:%M:%S.%3f %z", 1_000_000, true),
    ("%Y/%m/%d %H:%M:%S", SECOND, false),
    ("%Y.%m.%d %H:%M:%S", SECOND, false),
    ("%Y:%m:%d-%H:%M:%S", SECOND, false),
    ("%Y%m%d-%H:%M:%S:%3f", 1_000_000, false),
    ("%Y-%m-%d-%H.%M.%S.%6f", 1000, false),
    ("%d/%b/%Y:%H:%M:%S %z", SECOND, true),
    ("%d/%b/%Y:%H:%M:%S.%3f", 1_000_000, false),
    ("%d-%b-%Y %H:%M:%S.%3f", 1_000_000, false),
    ("%-d %b %Y %H:%M:%S.%3f", 1_000_000, false),
    ("%d.%m.%Y %H:%M:%S", SECOND, false),
    ("%b %e %Y %H:%M:%S", SECOND, false),
    ("%a %b %e %H:%M:%S %Y", SECOND, false),
    ("%a %b %d %H:%M:%S.%6f %Y", 1000, false),
    ("%a %b %e %H:%M:%S CET %Y", SECOND, false),
    ("%a, %d %b %Y %H:%M:%S %z", SECOND, true),
    ("%a, %-d %b %Y %H:%M:%S %z", SECOND, true),
    ("%a %d %b %Y %H:%M:%S CEST", SECOND, false),
    ("%m/%d/%Y-%H:%M:%S.%6f", 1000, false),
    // Only of some years.
    ("%b %e %H:%M:%S %Y", SECOND, false),
    ("%y/%m/%d %H:%M:%S", SECOND, false),
    ("%y%m%d %H%M%S", SECOND, false),
    ("%y%m%d %k:%M:%S", SECOND, false),
    ("%b %e %H:%M:%S", SECOND, false),
    ("I%m%d %H:%M:%S.%6f", 1000, false),
    ("%m-%d %H:%M:%S.%3f", 1_000_000, false),
];
const SECOND: i128 = 1_000_000_000;
const MINUTE: i128 = 60 * SECOND;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 600, ..ProptestConfig::default() })]

    /// What is written is read: in years 1 to 9998, or in the last seventy or one if the form has no others.
    #[test]
    fn random_times_are_read_in_every_form(
        seconds in 1i64..250_000_000_000, nanosecond in 0..1_000_000_000i32, minutes in -23 * 60..=23 * 60i32,
    ) {
        let offset = Offset::from_seconds(minutes * 60).unwrap();
        for (index, (form, unit, says_zone)) in WRITTEN.into_iter().enumerate() {
            let now = time("2024-03-15T12:00:00Z");
            let seconds = match index {
                0..29 => seconds - 62_000_000_000,
                29..33 => 80_000 + seconds % 3_000_000_000,
                _ => now.as_second() - 86_400 - seconds % 31_000_000,
            };
            let moment = Timestamp::new(seconds, nanosecond).unwrap();
            let zone = if says_zone { offset } else { Offset::UTC };
            let text = moment.to_zoned_datetime(TimeZone::fixed(zone)).strftime(form).to_string();
            let clock = Clock { zone: Some(Offset::UTC), reference: now };
            let whole = moment.as_nanosecond().div_euclid(unit) * unit;
            let expected = Timestamp::from_nanosecond(whole).unwrap();
            let value = Stamp::of_value(text.as_bytes(), &clock);
            prop_assert!(value.is_some(), "{text}");
            prop_assert_eq!(value.unwrap().moment(None).nominal, expected, "{}", &text);
            let record = format!("{text} message");
            let head = Stamp::at_head(record.as_bytes(), &clock);
            prop_assert_eq!(head.map(|head| head.moment(None).nominal), Some(expected), "{}", &record);
            check_all(text.as_bytes(), &clock);
            check_all(record.as_bytes(), &clock);
        }
    }

    #[test]
    fn random_numbers_are_read(seconds in 631_152_000i64..7_258_118_400, part in 0..1_000_000_000i64) {
        let clock = clock();
        for (text, digits) in [
            (format!("{seconds}"), 0),
            (format!("{seconds}.{part:09}"), 9),
            (format!("{seconds}.{:03}", part / 1_000_000), 3),
            (format!("{seconds}{:03}", part / 1_000_000), 3),
            (format!("{seconds}{:06}", part / 1000), 6),
            (format!("{seconds}{part:09}"), 9),
            (format!("{seconds}{:03}.{:06}", part / 1_000_000, part % 1_000_000), 9),
            (format!("{:.9}E9", seconds as f64 / 1e9), 0),
            (format!("/Date({seconds}{:03})/", part / 1_000_000), 3),
            (format!("@{:016x}{part:08x}", (1u64 << 62) + 10 + seconds as u64), 9),
        ] {
            let unit = 10i64.pow(9 - digits);
            let expected = Timestamp::new(seconds, (part / unit * unit) as i32).unwrap();
            let expected = if digits == 0 { Timestamp::new(seconds, 0).unwrap() } else { expected };
            let stamp = Stamp::of_value(text.as_bytes(), &clock);
            prop_assert_eq!(stamp.map(|stamp| stamp.moment(None).nominal), Some(expected), "{}", &text);
            check_all(text.as_bytes(), &clock);
        }
    }

    /// What `jiff` takes for a time of RFC 3339 or 2822 is one, and the same.
    #[test]
    fn jiff_reads_the_same(
        text in "[0-9]{3}[0-9]-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,9})?(Z|z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])",
        mail in "((Mon|Sun), )?[0-3]?[0-9] (Jan|Feb|Jun|Dec) [12][0-9]{3} [0-2][0-9]:[0-6][0-9]:[0-6][0-9] (GMT|[+-][01][0-9][0-5][0-9])",
    ) {
        let clock = clock();
        let ours = Stamp::of_value(text.as_bytes(), &clock).map(|stamp| stamp.moment(None).nominal);
        let theirs = text.parse::<Timestamp>().ok().filter(|_| !text.starts_with("9999"));
        prop_assert_eq!(ours, theirs, "{}", text);
        // A weekday that is not that of the date is refused there.
        if let Ok(theirs) = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(&mail) {
            let ours = Stamp::of_value(mail.as_bytes(), &clock).map(|stamp| stamp.moment(None).nominal);
            prop_assert_eq!(ours, Some(theirs), "{}", mail);
        }
    }

    #[test]
    fn random_bytes_hold(text in prop::collection::vec(any::<u8>(), 0..64), tail in "[0-9TZ:., /A-z\\[\\]+-]{0,40}") {
        check_all(&text, &clock());
        check_all(tail.as_bytes(), &clock());
    }

    /// Times of the table with one byte more, less or other.
    #[test]
    fn damaged_times_hold(row in 0..400usize, at in 0..200usize, byte in prop::sample::select(&b"0123456789 :-./,TZ+[]\"AJPMeE\\@#|\x00\xFF"[..]), how in 0..3) {
        let rows: Vec<_> = rows().collect();
        let mut text = rows[row % rows.len()].1.clone();
        let at = at % (text.len() + 1);
        match how {
            0 => text.insert(at, byte),
            1 if at < text.len() => drop(text.remove(at)),
            _ if at < text.len() => text[at] = byte,
            _ => text.push(byte),
        }
        check_all(&text, &clock());
    }
}
