//! The moment at which a step begins to hold, to the nanosecond.

use super::{Age, at, file, left_of, run_all, scrubber, settings};

/// Redacts from that age on.
pub(crate) fn until(age: &str) -> String {
    format!(
        "[[rule]]\nfind = ['ip', 'email']\nretain = [{{ until = '{age}', action = 'keep' }}, {{ action = 'redact' }}]\n"
    )
}

/// A record is kept one nanosecond before this moment, and is not from then on.
fn changes_at(rules: &str, record: &str, moment: i64) {
    let is_raw = |now| left_of(rules, now, record).0.contains("203.0.113.9");
    assert!(is_raw(moment - 1), "{record} is to be kept under {rules}");
    assert!(!is_raw(moment), "{record} is not to be kept under {rules}");
}

#[test]
fn a_step_holds_while_now_is_before_the_time_and_its_age() {
    for (time, age, moment) in [
        ("2026-01-01T00:00:00.000000001Z", "7d", "2026-01-08T00:00:00.000000001Z"),
        ("2026-03-28T12:00:00Z", "1d", "2026-03-29T12:00:00Z"),
        ("2026-01-01T00:00:00.5Z", "2w", "2026-01-15T00:00:00.5Z"),
        ("2026-01-31T06:00:00Z", "1mo", "2026-02-28T06:00:00Z"),
        ("2026-01-30T18:00:00Z", "1mo", "2026-02-28T18:00:00Z"),
        ("2026-01-28T18:00:00Z", "1mo", "2026-02-28T18:00:00Z"),
        ("2024-01-31T06:00:00Z", "1mo", "2024-02-29T06:00:00Z"),
        ("2024-02-29T23:59:59.999999999Z", "1y", "2025-02-28T23:59:59.999999999Z"),
        ("2024-02-29T00:00:00Z", "4y", "2028-02-29T00:00:00Z"),
        ("2025-03-01T00:00:00Z", "1y", "2026-03-01T00:00:00Z"),
        ("2025-12-31T23:59:59Z", "13mo", "2027-01-31T23:59:59Z"),
        ("2026-01-01T00:00:00+05:45", "7d", "2026-01-07T18:15:00Z"),
        ("2026-01-31T23:30:00-03:00", "1mo", "2026-03-01T02:30:00Z"),
    ] {
        let record = format!("{{\"ts\":\"{time}\",\"ip\":\"203.0.113.9\"}}\n");
        changes_at(&until(age), &record, at(moment));
        changes_at(&until(age), &format!("{time} from 203.0.113.9\n"), at(moment));
    }
}

/// The ends of months, where the order of two records in age is not that of their times.
#[test]
fn months_end_alike_for_the_days_that_the_next_does_not_have() {
    let log = "2026-01-30T18:00:00Z a 203.0.113.1\n2026-01-31T06:00:00Z b 203.0.113.2\n";
    let left = |now| left_of(&until("1mo"), at(now), log).0;
    assert_eq!(
        left("2026-02-28T12:00:00Z"),
        "2026-01-30T18:00:00Z a 203.0.113.1\n2026-01-31T06:00:00Z b [ipv4]\n"
    );
    assert!(!left("2026-02-28T18:00:00Z").contains("203.0"));
}

#[test]
fn a_time_of_no_zone_is_as_old_as_it_can_be() {
    let record = "2026-01-02 00:00:00 from 203.0.113.9\n";
    changes_at(&until("7d"), record, at("2026-01-08T10:00:00Z"));
    for (zone, moment) in [
        ("UTC", "2026-01-09T00:00:00Z"),
        ("+01:00", "2026-01-08T23:00:00Z"),
        ("-08:00", "2026-01-09T08:00:00Z"),
    ] {
        let rules = format!("input.zone = '{zone}'\n{}", until("7d"));
        changes_at(&rules, record, at(moment));
        changes_at(&rules, "2026-01-02 00:00:00Z from 203.0.113.9\n", at("2026-01-09T00:00:00Z"));
    }
}

#[test]
fn a_time_of_no_zone_is_as_young_as_it_can_be_where_records_have_to_be_kept() {
    let kept = "[records]\ndrop_after = '7d'\nkeep_at_least = '7d'\n";
    let record = "2026-01-02 00:00:00 from 203.0.113.9\n";
    let is_there = |rules: &str, now| left_of(rules, now, record).1.dropped == 0;
    for (zone, moment) in [("", "2026-01-09T12:00:00Z"), ("input.zone = '+02:00'\n", "2026-01-08T22:00:00Z")]
    {
        let rules = format!("{zone}{kept}{}", until("7d"));
        assert!(is_there(&rules, at(moment) - 1) && !is_there(&rules, at(moment)), "{rules}");
    }
    let rules = format!("[records]\ndrop_after = '7d'\n{}", until("7d"));
    let moment = at("2026-01-08T10:00:00Z");
    assert!(is_there(&rules, moment - 1) && !is_there(&rules, moment));
}

/// Times without a year are of the newest year in which they are not after the date of the file, by name before time.
#[test]
fn a_time_without_a_year_is_of_that_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let written = at("2026-02-01T00:00:00Z");
    let log = "Jan 15 10:00:00 web app: from 203.0.113.9\nDec 15 10:00:00 web app: from 203.0.113.9\n";
    for (name, january, december) in [
        ("app.log", 2026, 2025),
        ("app.log-20240131", 2024, 2023),
        ("app-2024-12-20.log", 2024, 2024),
        ("app.log-20240115", 2024, 2023), // of the day of its name
        ("app.log-20240114", 2023, 2023),
    ] {
        for (line, month, year) in [(0, 1, january), (1, 12, december)] {
            let time = super::time((year, month, 15), (10, 0, 0));
            let rules = format!("input.zone = 'UTC'\n{}", until("3y"));
            let raw = |now| {
                let input = file(folder.path(), name, written, log);
                let left = run_all(scrubber(&rules, now), vec![input], &settings(1, 20)).0;
                left.lines().nth(line).unwrap().contains("203.0.113.9")
            };
            let moment = Age(3, 'y').after(time);
            assert!(raw(moment - 1) && !raw(moment), "{name}, line {line}");
        }
    }
}

#[test]
fn a_time_without_a_year_in_a_stream_is_of_the_last_year() {
    let log = "Jan 15 10:00:00 web app: from 203.0.113.9\nDec 15 10:00:00 web app: from 203.0.113.9\n";
    let rules = format!("input.zone = 'UTC'\n{}", until("90d"));
    let left = left_of(&rules, at("2026-02-01T00:00:00Z"), log).0;
    assert_eq!(left.matches("203.0.113.9").count(), 2);
    let left = left_of(&rules, at("2026-03-20T00:00:00Z"), log).0;
    assert_eq!(
        left,
        log.replace("Dec 15 10:00:00 web app: from 203.0.113.9", "Dec 15 10:00:00 web app: from [ipv4]")
    );
    // A day ahead is a clock that is wrong; two days are a year ago.
    let ahead = |line: &str| left_of(&rules, at("2026-01-14T12:00:00Z"), line).0.contains("[ipv4]");
    assert!(!ahead("Jan 15 11:00:00 web app: from 203.0.113.9\n"));
    assert!(ahead("Jan 16 13:00:00 web app: from 203.0.113.9\n"));
}
