//! No finding takes the time of a record away.

use proptest::prelude::*;

use super::{at, cases, left_of, scrubber};

/// Rules that find parts of times, above a ladder.
const FINDERS: &str = "
[lists.staff]
words = ['Jan', 'May', 'Mar', 'Sun', 'Fri', 'Anna', 'time', 'ts', 'INFO', '10:00:00 Anna', '2026 x', 'stdout']
[detectors.birthday]
regex = '\\b\\d{4}-\\d\\d-\\d\\d\\b'
[detectors.birthday_of_may]
regex = '\\d\\d/[A-Z][a-z]{2}/\\d{4}'
[detectors.customer]
regex = '\\b\\d{10}\\b'
[detectors.clock]
regex = '\\d\\d:\\d\\d:\\d\\d\\S*'
[detectors.bracket]
regex = '\\[[^\\]]+\\]'
[detectors.pair]
regex = 'ts\\W+\\S+'
[detectors.first]
regex = '^.{12,33}'
";

const LADDER: &str =
    "[[rule]]\nfind = ['ip']\nretain = [{ until = '60d', action = 'keep' }, { action = 'redact' }]\n";

fn rules(find: &str, action: &str) -> String {
    format!(
        "{FINDERS}[[rule]]\nfind = [{find}]\naction = '{action}'\n[[rule]]\nfind = ['pan', 'email']\naction = 'redact'\n{LADDER}"
    )
}

/// Records of the middle of January 2026, in most of the forms in which records have times.
const RECORDS: [&str; 27] = [
    "1768471200 Anna of 2001-02-03 from 203.0.113.7",
    "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be logs.example [15/Jan/2026:10:00:00 +0000] 203.0.113.7 Anna",
    "Jan 15 10:00:00 host app[1]: Anna from 203.0.113.7",
    "Jan 15 10:00:00 Anna app[1]: of 2001-02-03 from 203.0.113.7",
    "<34>Jan 15 10:00:00 host app: 1234567890 from 203.0.113.7",
    "<34>1 2026-01-15T10:00:00Z Anna app 1 - - from 203.0.113.7",
    "203.0.113.7 - Anna [15/Jan/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 1",
    "203.0.113.7 - - [15/Jan/2026:10:00:00 +0000] \"GET /?at=2001-02-03 HTTP/1.1\" 200 1",
    "[Thu Jan 15 10:00:00.123456 2026] [core:error] [pid 1] [client 203.0.113.7:1] Anna",
    "2026-01-15T10:00:00Z Anna from 203.0.113.7",
    "2026-01-15 10:00:00,123 INFO Anna from 203.0.113.7",
    "INFO 2026-01-15 10:00:00 Anna from 203.0.113.7",
    "time=2026-01-15T10:00:00Z level=info msg=\"Anna from 203.0.113.7\"",
    "level=info ts=2026-01-15T10:00:00Z user=Anna ip=203.0.113.7",
    "level=info ts=1768471200.123 user=Anna ip=203.0.113.7",
    "{\"ts\":1768471200,\"user\":\"Anna\",\"ip\":\"203.0.113.7\"}",
    "{\"ts\":1768471200123,\"user\":\"1234567890\",\"ip\":\"203.0.113.7\"}",
    "{\"time\":\"2026-01-15T10:00:00Z\",\"born\":\"2001-02-03\",\"ip\":\"203.0.113.7\"}",
    "{\"user\":\"Anna\",\"t\":{\"$date\":\"2026-01-15T10:00:00Z\"},\"ip\":\"203.0.113.7\"}",
    "2026-01-15T10:00:00Z stdout F Anna of 2001-02-03 from 203.0.113.7",
    "{\"log\":\"Anna from 203.0.113.7\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-15T10:00:00.123Z\"}",
    "1768471200.123    1 203.0.113.7 TCP_MISS/200 1 GET http://example.com/ Anna",
    "I0115 10:00:00.123456 1 x.go:1] Anna from 203.0.113.7",
    "type=USER_LOGIN msg=audit(1768471200.789:42): acct=Anna addr=203.0.113.7",
    "[1768471200] Anna from 203.0.113.7",
    "15-Jan-2026 10:00:00.123 client 203.0.113.7#1: Anna",
    "2026/01/15 10:00:00 [error] 1#1: *1 Anna, client: 203.0.113.7",
];

/// What is left of a record by itself, in the fast lane and out of it.
fn left_at(rules: &str, now: &str, record: &str) -> String {
    let scrubber = scrubber(rules, at(now));
    let left = [scrubber.clone(), scrubber.judging_every_record()].map(|mut scrubber| {
        let mut out = Vec::new();
        scrubber.scrub(record.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    });
    assert_eq!(left[0], left[1], "{record}");
    left[0].clone()
}

/// What is left of a record at one date after another, and at the last alone.
fn walk_and_late(rules: &str, record: &str) -> (String, String, String) {
    let first = left_at(rules, "2026-02-01T00:00:00Z", record);
    let walk = left_at(rules, "2026-06-01T00:00:00Z", &first);
    let late = left_at(rules, "2026-06-01T00:00:00Z", record);
    (first, walk, late)
}

fn check(rules: &str, record: &str) -> String {
    let (first, walk, late) = walk_and_late(rules, record);
    assert!(first.contains("203.0.113.7"), "{record}: {first}");
    assert!(late.contains("[ipv4]") && !late.contains("203.0.113.7"), "{record}: {late}");
    assert_eq!(walk, late, "{record}: first {first}");
    first
}

#[test]
fn names_and_dates_in_the_time_stay_and_others_go() {
    for record in RECORDS.into_iter().filter(|record| !record.starts_with("1768471200 ")) {
        for (find, gone) in [
            ("'staff'", "Anna"),
            ("'birthday', 'birthday_of_may'", "2001-02-03"),
            ("'customer'", "1234567890"),
        ] {
            for action in ["redact", "mask", "drop"] {
                let left = check(&rules(find, action), record);
                assert!(!left.contains(gone), "{left}");
            }
        }
    }
}

/// As far as it goes on beyond the time a value is none of it.
#[test]
fn what_runs_across_the_time_goes_but_for_the_time() {
    for (find, record, left) in [
        ("'staff'", "Jan 15 10:00:00 Anna from 203.0.113.7", "Jan 15 10:00:00 [staff] from 203.0.113.7"),
        (
            "'clock'",
            "2026-01-15 10:00:00Zana@example.com 203.0.113.7",
            "2026-01-15 10:00:00[clock] 203.0.113.7",
        ),
        (
            "'clock'",
            "2026-01-15 10:00:00-ana@example.com 203.0.113.7",
            "2026-01-15 10:00:00-[clock] 203.0.113.7",
        ),
        (
            "'staff'",
            "2026-01-15 10:00:00-ana@example.com 203.0.113.7",
            "2026-01-15 10:00:00-[email] 203.0.113.7",
        ),
        (
            "'staff'",
            "2026-01-15 10:00:00,4111111111111111 203.0.113.7",
            "2026-01-15 10:00:00,[pan] 203.0.113.7",
        ),
        (
            "'staff'",
            "2026-01-15 10:00:00Z 4111 1111 1111 1111 203.0.113.7",
            "2026-01-15 10:00:00Z [pan] 203.0.113.7",
        ),
        (
            "'staff'",
            "INFO 2026-01-15 10:00:00 INFO 203.0.113.7",
            "INFO 2026-01-15 10:00:00 [staff] 203.0.113.7",
        ),
        (
            "'staff'",
            "{\"ts\":1768471200,\"a\":{\"ts\":\"203.0.113.7\"}}",
            "{\"ts\":1768471200,\"a\":{\"[staff]\":\"203.0.113.7\"}}",
        ),
        (
            "'pair'",
            "a=1 ts=2026-01-15T10:00:00Z ip=203.0.113.7",
            "a=1 ts=2026-01-15T10:00:00Z ip=203.0.113.7",
        ),
    ] {
        assert_eq!(check(&rules(find, "redact"), record), left);
    }
    let late = |find: &str, record: &str| walk_and_late(&rules(find, "redact"), record);
    let (first, walk, late) = late("'first'", "Jan 15 10:00:00 host app[1]: Anna from 203.0.113.7");
    assert_eq!(first, "Jan 15 10:00:00 [first] from 203.0.113.7");
    assert_eq!((walk, first.replace("203.0.113.7", "[ipv4]")), (late.clone(), late));
}

/// What has neither a name nor a form may be a customer's number as well, and nobody can tell: it does not go out.
#[test]
fn a_bare_number_that_a_rule_finds_is_withheld() {
    let record = RECORDS[0];
    assert!(
        check(&rules("'staff', 'birthday'", "redact"), record)
            .starts_with("1768471200 [staff] of [birthday] ")
    );
    let (first, walk, late) = walk_and_late(&rules("'customer'", "redact"), record);
    assert_eq!([first, walk, late], ["[withheld 46 bytes]"; 3]);
    // One that lies ahead is no time.
    let ahead = left_at(&rules("'customer'", "redact"), "2026-06-01T00:00:00Z", "2025550123 called");
    assert_eq!(ahead, "[customer] called");
}

/// A rule that drops records says nothing about bytes, and without ages nothing hangs on the time.
#[test]
fn what_does_not_take_the_time_away_is_not_in_question() {
    let drops = rules("'birthday'", "drop_record");
    assert_eq!(left_of(&drops, at("2026-02-01T00:00:00Z"), "2026-01-15 10:00:00 x\n").0, "");
    let ageless = format!("{FINDERS}[[rule]]\nfind = ['birthday']\naction = 'redact'\n");
    let left = left_of(&ageless, at("2026-02-01T00:00:00Z"), "2026-01-15 10:00:00 x\n").0;
    assert_eq!(left, "[birthday] 10:00:00 x\n");
    // One that lies ahead is none.
    let ahead =
        left_of(&rules("'birthday'", "redact"), at("2026-01-01T00:00:00Z"), "2026-01-15 10:00:00 x\n").0;
    assert_eq!(ahead, "[birthday] 10:00:00 x\n");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_findings_in_random_records(
        kinds in prop::collection::btree_set(prop::sample::select(vec!["staff", "birthday", "birthday_of_may", "customer", "clock", "pair", "word", "email", "pan", "ip"]), 1..4),
        word in "[a-zA-Z]{2,4}|[0-9]{2,5}|[0-9]{2}[:/-][0-9]{2}",
        action in prop::sample::select(vec!["redact", "mask", "drop"]),
        record in prop::sample::select(RECORDS.to_vec()),
        glued in prop::sample::select(vec!["", " ", ",", "-", ":", "Z", "+", "."]),
        value in prop::sample::select(vec!["", "4111111111111111", "4111 1111 1111 1111", "198.51.100.9", "2001:db8::9", "ana@example.com", "1.ana@example.com", "Anna", "2001-02-03"]),
    ) {
        let find: Vec<String> = kinds.iter().filter(|kind| **kind != "ip").map(|kind| format!("'{kind}'")).collect();
        prop_assume!(!find.is_empty());
        let rules = format!("[lists.word]\nwords = ['{word}']\n{}", rules(&find.join(", "), action));
        // Something glued to the first number that may end a time.
        let place = record.find("10:00:00").map_or(0, |at| at + 8);
        let record = match place {
            0 => record.to_owned(),
            at => format!("{}{glued}{value}{}", &record[..at], &record[at..]),
        };
        let (first, walk, late) = walk_and_late(&rules, &record);
        // What is glued to it may be what makes it no time.
        prop_assume!(!late.contains("203.0.113.7"));
        prop_assert_eq!(&walk, &late, "{}\nfirst {}\nunder {}", record, first, rules);
    }
}
