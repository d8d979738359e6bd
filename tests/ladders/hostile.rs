//! Times that a client may have written, and clocks that are wrong: nothing goes that has to stay, and nothing stays
//! that has to go.

use super::boundaries::until;
use super::{at, left_of};

const NOW: &str = "2026-06-01T00:00:00Z";

/// Drops what is old, redacts what is not new, and drops an old record that holds a card.
fn rules() -> String {
    format!("[records]\ndrop_after = '2y'\n{}", until("90d"))
}

/// What a client may write, of any time.
const TIMES: [&str; 7] = [
    "1970-01-01T00:00:00Z",
    "2001-01-01 00:00:00",
    "01/Jan/2001:00:00:00 +0000",
    "978307200",
    "2025-06-01T00:00:00Z",
    "2038-01-19T03:14:07Z",
    "2099-12-31T23:59:59Z",
];

/// Records with a time of their own, `NOW-` the day before now in the form of theirs, and `CHOSEN` where a client writes.
const RECORDS: [&str; 14] = [
    "203.0.113.9 - - [T_CLF] \"GET /?t=CHOSEN&ts=CHOSEN&time=CHOSEN HTTP/1.1\" 200 1 \"-\" \"ua\"",
    "203.0.113.9 - - [T_CLF] \"GET / HTTP/1.1\" 200 1 \"https://example.com/?CHOSEN\" \"CHOSEN\"",
    "203.0.113.9 - - [T_CLF] \"GET / HTTP/1.1\" 200 1 \"-\" \"[CHOSEN]\"",
    "203.0.113.9 - CHOSEN [T_CLF] \"GET / HTTP/1.1\" 200 1 \"-\" \"ua\"",
    "203.0.113.9 - [CHOSEN] [T_CLF] \"GET / HTTP/1.1\" 200 1 \"-\" \"ua\"",
    "203.0.113.9 - a\\\"[CHOSEN] [T_CLF] \"GET / HTTP/1.1\" 200 1 \"-\" \"ua\"",
    "{\"time\":\"T_ISO\",\"msg\":\"CHOSEN time=CHOSEN\",\"ip\":\"203.0.113.9\"}",
    "{\"msg\":\"{\\\"time\\\":\\\"CHOSEN\\\"}\",\"http\":{\"time\":\"CHOSEN\",\"ts\":978307200},\"ip\":\"203.0.113.9\",\"time\":\"T_ISO\"}",
    "level=info ts=T_ISO msg=\"CHOSEN ts=CHOSEN time=CHOSEN\" ip=203.0.113.9",
    "level=info msg=\"x\\\" ts=CHOSEN \\\"\" ip=203.0.113.9 ts=T_ISO",
    "<34>1 T_ISO web app - - - CHOSEN from 203.0.113.9",
    "T_ISO INFO [CHOSEN] user CHOSEN from 203.0.113.9",
    "{\"log\":\"CHOSEN 203.0.113.9\\n\",\"stream\":\"stdout\",\"time\":\"T_ISO\"}",
    "T_ISO stdout F CHOSEN from 203.0.113.9",
];

#[test]
fn a_time_that_a_client_chose_counts_for_nothing() {
    for (clf, iso, is_raw) in [
        ("31/May/2026:00:00:00 +0000", "2026-05-31T00:00:00Z", true),
        ("31/May/2025:00:00:00 +0000", "2025-05-31T00:00:00Z", false),
    ] {
        for record in RECORDS {
            for chosen in TIMES {
                let line =
                    record.replace("T_CLF", clf).replace("T_ISO", iso).replace("CHOSEN", chosen) + "\n";
                let (left, tally) = left_of(&rules(), at(NOW), &line);
                assert_eq!(tally.dropped, 0, "{line}");
                assert_eq!(left.contains("203.0.113.9"), is_raw, "{line}");
            }
        }
        // Nor where a record has no time of its own: it is of that of the one before.
        let others = [
            "{\"msg\":\"CHOSEN time=CHOSEN\",\"http\":{\"time\":\"CHOSEN\"},\"ip\":\"203.0.113.9\"}",
            "GET /?time=CHOSEN&ts=CHOSEN from 203.0.113.9",
            "user said time=CHOSEN ts=CHOSEN from 203.0.113.9",
            "level=info msg=\"time=CHOSEN ts=CHOSEN\" ip=203.0.113.9",
            "203.0.113.9 - - \"GET /?time=CHOSEN HTTP/1.1\" 200 1 \"-\" \"[CHOSEN]\"",
            "\tat CHOSEN from 203.0.113.9",
            "CEF:0|v|p|1|100|n|5|src=203.0.113.9 msg=rt\\=CHOSEN",
        ];
        for record in others {
            for chosen in TIMES {
                let line = format!("{iso} begins\n{}\n", record.replace("CHOSEN", chosen));
                let (left, tally) = left_of(&rules(), at(NOW), &line);
                assert_eq!(tally.dropped, 0, "{line}");
                assert_eq!(left.contains("203.0.113.9"), is_raw, "{line}");
            }
        }
    }
}

/// A record of a host whose clock is ahead is of the time of the record before; up to a day ahead it is new.
#[test]
fn a_time_ahead_of_now_is_none_beyond_a_day() {
    let old = "2025-05-31T00:00:00Z before\n";
    for (time, is_raw) in [
        ("2026-06-01T00:00:01Z", true),
        ("2026-06-02T00:00:00Z", true),
        ("2026-06-02T00:00:00.000000001Z", false),
        ("2026-06-02T00:00:01Z", false),
        ("2026-06-02T01:00:01+01:00", false),
        ("2038-01-19T03:14:07Z", false),
        ("9998-12-31T23:59:59Z", false),
    ] {
        let line = format!("{old}{time} from 203.0.113.9\nand 203.0.113.9\n");
        let (left, _) = left_of(&rules(), at(NOW), &line);
        assert_eq!(left.matches("203.0.113.9").count(), if is_raw { 2 } else { 0 }, "{line}");
        // Alone, it is of the moment at which it arrived, or as old as can be.
        let alone = format!("{time} from 203.0.113.9\n");
        assert_eq!(left_of(&rules(), at(NOW), &alone).0, alone);
        let oldest = format!("input.undated = 'oldest'\n{}", until("90d"));
        assert_eq!(left_of(&oldest, at(NOW), &alone).0.contains("203.0.113.9"), is_raw, "{alone}");
    }
}

#[test]
fn what_is_no_date_is_no_time() {
    for time in [
        "2001-02-29T00:00:00Z",
        "2001-02-30 10:00:00",
        "2001-13-01 10:00:00",
        "2001-00-10 10:00:00",
        "2001-01-32 10:00:00",
        "2001-01-01 25:00:00",
        "2001-01-01 10:61:00",
        "0000-00-00 00:00:00",
        "[32/Jan/2001:00:00:00 +0000]",
        "[01/Foo/2001:00:00:00 +0000]",
        "Feb 30 10:00:00",
    ] {
        for (before, is_raw) in [("2026-05-31T00:00:00Z a\n", true), ("2025-05-31T00:00:00Z a\n", false)] {
            let line =
                format!("{before}{time} from 203.0.113.9\n{{\"ts\":\"{time}\",\"ip\":\"203.0.113.9\"}}\n");
            let (left, tally) = left_of(&rules(), at(NOW), &line);
            assert_eq!(tally.dropped, 0, "{line}");
            assert_eq!(left.matches("203.0.113.9").count(), if is_raw { 2 } else { 0 }, "{line}");
        }
    }
}

#[test]
fn a_log_without_any_time_is_new_and_nothing_of_it_is_dropped() {
    let log =
        "from 203.0.113.9\n{\"ip\":\"203.0.113.9\",\"n\":978307200}\n\tat 203.0.113.9\n\n1970 203.0.113.9\n"
            .repeat(50);
    let (left, tally) = left_of(&rules(), at(NOW), &log);
    assert_eq!((left, tally.dropped), (log, 0));
}
