//! A dry run counts by the year in which each record was written, whatever the date of the file.

use std::fs;

use serde_json::Value;

use crate::site::{Ran, Site, gzip, program, ran, tar_of};

const LOG: &str = "before any time: bob@example.com\n\
                   2023-05-01T00:00:00Z ana@example.com\n\
                   \tgoes on: bea@example.com\n\
                   2024-12-31T23:59:59Z ana@example.com\n\
                   2025-01-01T01:00:00+02:00 ana@example.com and bea@example.com\n\
                   2025-01-01T00:00:00Z nobody\n\
                   2025-07-01T00:00:00Z ana@example.com\n";

/// A dry run by these rules over these files, with a report.
fn dry(rules: &str, files: &[(&str, &[u8])]) -> (Ran, Value) {
    let site = Site::new();
    files.iter().for_each(|(name, bytes)| drop(site.file(name, bytes)));
    fs::write(site.beside("rules.toml"), rules).unwrap();
    let report = site.beside("report.json");
    let now = ["-n", "-q", "--now", "2026-01-01", "--report", report.to_str().unwrap()];
    let told = ran(program(&site.args(&now)));
    (told, serde_json::from_str(&fs::read_to_string(report).unwrap()).unwrap())
}

/// The rows of the table: year and count.
fn years(ran: &Ran) -> Vec<(&str, u64)> {
    let row = |line: &'_ str| line.rsplit_once(' ').unwrap().1.parse().unwrap();
    ran.stdout.lines().skip(1).map(|line| (line.split_once(' ').unwrap().0, row(line))).collect()
}

#[test]
fn each_value_counts_in_the_year_of_its_record() {
    const PLAIN: &str = "[[rule]]\nfind = ['email']\naction = 'redact'\n";
    const AGED: &str =
        "[[rule]]\nfind = ['email']\nretain = [{ until = '1d', action = 'keep' }, { action = 'redact' }]\n";
    let wanted = [("2022", 1), ("2023", 2), ("2024", 3), ("2025", 1)];
    for rules in [PLAIN, AGED] {
        let (told, report) = dry(rules, &[("app.log-20220101", LOG.as_bytes())]);
        assert_eq!(years(&told), wanted, "{told:?}");
        let acted = report["files"][0]["acted"].as_array().unwrap();
        let rows: Vec<_> =
            acted.iter().map(|row| (row["year"].to_string(), row["count"].as_u64().unwrap())).collect();
        assert_eq!(rows, wanted.map(|(year, count)| (year.to_owned(), count)));
    }
    // Files of one run, compressed and in an archive.
    let files: [(&str, &[u8]); 2] =
        [("a.log-20220101", &gzip(LOG.as_bytes())), ("b.tar", &tar_of(&LOG.as_bytes()[33..]))];
    assert_eq!(years(&dry(PLAIN, &files).0), [("2022", 1), ("2023", 4), ("2024", 6), ("2025", 2)]);
}

#[test]
fn a_record_without_a_time_is_of_the_year_that_the_rules_give_it() {
    let rules = |undated: &str| {
        format!("[input]\nundated = '{undated}'\n{}", "[[rule]]\nfind = ['email']\naction = 'redact'\n")
    };
    for (undated, year) in [
        ("file", "2022"),
        ("arrival", "2026"),
        ("newest", "undated"),
        ("oldest", "undated"),
        ("withhold", "undated"),
    ] {
        let (told, report) = dry(&rules(undated), &[("app.log-20220101", b"of ana@example.com\n")]);
        assert_eq!(years(&told), [(year, 1)], "{undated}: {told:?}");
        assert_eq!(report["files"][0]["acted"][0].get("year").is_some(), year != "undated");
        assert_eq!((&report["files"][0]["withheld"], report["files"][0].get("due")), (&0.into(), None));
    }
}

#[test]
fn dropped_records_count_in_their_year() {
    let by_age = "[records]\ndrop_after = '13mo'\n[[rule]]\nfind = ['ip']\naction = 'redact'\n";
    let (told, report) = dry(by_age, &[("app.log-20220101", LOG.as_bytes())]);
    assert_eq!(years(&told), [("2023", 2)], "{told:?}");
    assert_eq!(report["files"][0]["dropped_in"], serde_json::json!({"2023": 2}));
    assert_eq!(report["files"][0]["dropped"], 2);
    // With the lines that go on with a record.
    let by_rule = "[[rule]]\nfind = ['email']\naction = 'drop_record'\n";
    let (_, report) = dry(by_rule, &[("app.log-20220101", LOG.as_bytes())]);
    let wanted = serde_json::json!({"2022": 1, "2023": 2, "2024": 2, "2025": 1});
    assert_eq!(report["files"][0]["dropped_in"], wanted);
    let by_rule = format!("[input]\nundated = 'oldest'\n{by_rule}");
    let (told, _) = dry(&by_rule, &[("app.log-20220101", LOG.as_bytes())]);
    let dropped: Vec<_> = told.stdout.lines().filter(|line| line.contains("(all)")).collect();
    assert_eq!(dropped.len(), 4, "{told:?}");
    assert!(dropped[3].starts_with("undated"), "{told:?}");
}
