//! Whole records: dropped when they are old, kept as long as they have to be.

use logscrub::stream::Settings;

use super::boundaries::until;
use super::{at, difference, left_of, run, scrubber, settings};

const NOW: &str = "2026-06-01T00:00:00Z";
const NEW: &str = "2026-05-31T00:00:00Z";
const OLD: &str = "2025-05-31T00:00:00Z";
const GONE: &str = "2020-01-01T00:00:00Z";

fn rules(more: &str) -> String {
    format!("{more}[records]\ndrop_after = '2y'\n{}", until("90d"))
}

/// What is left of the log, and how many records are dropped; the others are all there.
fn dropping(rules: &str, log: &str) -> (String, u64) {
    let (left, tally) = left_of(rules, at(NOW), log);
    let lines = |text: &str| text.split_inclusive('\n').count() as u64;
    assert_eq!(tally.records, lines(log));
    assert_eq!(lines(&left) + tally.dropped, lines(log), "{left}");
    (left, tally.dropped)
}

#[test]
fn a_record_goes_with_the_lines_that_go_on_with_it() {
    let log = format!(
        "first 203.0.113.1\n{GONE} b 203.0.113.2\n\tat c 203.0.113.3\n\n{{\"more\":\"203.0.113.4\"}}\n{OLD} d 203.0.113.5\n\tat e 203.0.113.6\n{GONE} f\n{GONE} g\n{NEW} h 203.0.113.7\n\tat i 203.0.113.8\n{GONE} without a line feed"
    );
    let left = format!(
        "first 203.0.113.1\n{OLD} d [ipv4]\n\tat e [ipv4]\n{NEW} h 203.0.113.7\n\tat i 203.0.113.8\n"
    );
    assert_eq!(dropping(&rules(""), &log), (left, 7));
    let all = format!("{GONE} a\nb\n{GONE} c");
    assert_eq!(dropping(&rules(""), &all), (String::new(), 3));
    assert_eq!(dropping(&rules(""), ""), (String::new(), 0));
}

/// Whatever the blocks: a record by itself, dropped or not, stands between a dropped one and what follows.
#[test]
fn lines_do_not_go_on_with_a_record_before_the_last() {
    let rules = "[[rule]]\nfind = ['email']\nretain = [{ until = '90d', action = 'keep' }, { action = 'drop_record' }]\n";
    let first = format!("{{\"ts\":\"{OLD}\",\"m\":\"a@example.com\"}}\n");
    let text = "plain\n  more\n";
    let by_itself = "{\"m\":\"b@example.com\"}\n";
    assert_eq!(left_of(rules, at(NOW), &format!("{first}{text}")).0, "");
    assert_eq!(left_of(rules, at(NOW), &format!("{first}{by_itself}{text}")).0, text);
    let kept = "{\"m\":\"nobody\"}\n";
    assert_eq!(left_of(rules, at(NOW), &format!("{first}{kept}{text}")).0, format!("{kept}{text}"));
    assert_eq!(left_of(rules, at(NOW), &format!("{first}{text}{kept}{text}")).0, format!("{kept}{text}"));
}

#[test]
fn lines_that_name_columns_stay_and_tell_the_time() {
    for (head, record) in [
        ("id,ip,ts,note\n", "17,IP,TIME,x\n"),
        ("note\tip\ttime\n", "x\tIP\tTIME\n"),
        ("#Software: x\n#Fields: cs-uri c-ip date time\n", "/ IP DATE 00:00:00\n"),
    ] {
        let line = |time: &str, ip: &str| {
            record.replace("IP", ip).replace("TIME", time).replace("DATE", &time[..10])
        };
        let body = [
            line(NEW, "203.0.113.1"),
            line(OLD, "203.0.113.2"),
            line(GONE, "203.0.113.3"),
            line(NEW, "203.0.113.4"),
        ];
        let log =
            [head, &body.concat(), head, &line(GONE, "203.0.113.5"), &line(OLD, "203.0.113.6")].concat();
        for more in ["", "input.format = 'auto'\n"] {
            let (left, dropped) = dropping(&rules(more), &log);
            let expected =
                [head, &body[0], &line(OLD, "[ipv4]"), &body[3], head, &line(OLD, "[ipv4]")].concat();
            assert_eq!((difference(&left, &expected), dropped), (None, 2), "{log}");
        }
    }
}

/// The columns of a table change in the middle of a log, behind a record that a rule drops.
#[test]
fn lines_that_name_columns_do_not_go_on_with_a_record() {
    let rules =
        "[[rule]]\nfind = ['email']\naction = 'drop_record'\n[[rule]]\nfield = ['c-user']\naction = 'mask'\n";
    let before = format!("#Fields: cs-uri c-user date time\n/a ana {} 00:00:01\n", &NEW[..10]);
    let gone = format!("/b ana@example.com {} 00:00:02\n#Remark: 7\n", &NEW[..10]);
    let behind = format!("#Fields: c-user cs-uri date time\nana /c {} 00:00:03\nana /d - -\n", &NEW[..10]);
    let (left, tally) = left_of(rules, at(NOW), &format!("{before}{gone}{behind}"));
    assert_eq!(left, format!("{before}{behind}").replace(" ana ", " *** ").replace("ana ", "*** "));
    assert_eq!(tally.dropped, 2);
    assert_eq!(left_of(rules, at(NOW), &left).0, left);
}

#[test]
fn the_parts_of_a_record_stay_or_go_together() {
    let line = |time: &str, stream: &str, sort: char, text: &str| format!("{time} {stream} {sort} {text}\n");
    let kept = [
        line(NEW, "stdout", 'P', "a 203.0.113.1 "),
        line(OLD, "stdout", 'P', "b 203.0.113.2 "),
        line(GONE, "stdout", 'F', "c 203.0.113.3"),
    ];
    let gone = [line(GONE, "stderr", 'P', "d 203.0.113.4 "), line(NEW, "stderr", 'F', "e 203.0.113.5")];
    let last = line(OLD, "stdout", 'F', "f 203.0.113.6");
    let log = [&kept[0], &gone[0], &kept[1], &gone[1], &kept[2], &last].map(String::as_str).concat();
    let expected = [kept.concat(), line(OLD, "stdout", 'F', "f [ipv4]")].concat();
    assert_eq!(dropping(&rules(""), &log), (expected, 2));

    let docker = |time: &str, text: &str| {
        format!("{{\"log\":\"{text}\",\"stream\":\"stdout\",\"time\":\"{time}\"}}\n")
    };
    let log = [
        docker(GONE, "tells the format\\n"),
        docker(GONE, "a 203.0.113.1 "),
        docker(NEW, "b 203.0.113.2\\n"),
        docker(OLD, "c 203.0.113.3 "),
        docker(GONE, "d 203.0.113.4\\n"),
    ];
    let expected = [docker(OLD, "c [ipv4] "), docker(GONE, "d [ipv4]\\n")].concat();
    assert_eq!(dropping(&rules(""), &log.concat()), (expected, 3));
}

/// A line behind a part that is dropped is of the time of that part, be it there or not.
#[test]
fn what_is_dropped_still_tells_when_the_next_line_was_written() {
    let line = |time: &str, sort: char| format!("{time} stdout {sort} x \n");
    let begins = [line(NEW, 'F'), line(GONE, 'P'), line(OLD, 'F')].concat();
    let (left, dropped) = dropping(&rules(""), &[&begins, "and 203.0.113.9\n"].concat());
    assert_eq!((left, dropped), ([&line(NEW, 'F'), "and [ipv4]\n"].concat(), 2));
}

#[test]
fn entries_of_an_exported_journal_have_their_own_times() {
    let entry = |micros: u64, ip: &str| {
        format!("__REALTIME_TIMESTAMP={micros}\n__MONOTONIC_TIMESTAMP=5\nMESSAGE={NEW} from {ip}\n_PID=1\n\n")
    };
    let [new, old, gone] = [1_780_000_000_000_000, 1_740_000_000_000_000, 1_400_000_000_000_000];
    let log = [entry(new, "203.0.113.1"), entry(old, "203.0.113.2"), entry(gone, "203.0.113.3")].concat();
    let expected = [entry(new, "203.0.113.1"), entry(old, "[ipv4]")].concat();
    assert_eq!(dropping(&rules("input.format = 'journal-export'\n"), &log), (expected, 5));
}

#[test]
fn a_record_too_long_to_be_held_goes_by_the_time_at_its_head() {
    let long = |time: &str, ip: &str| format!("{time} {} from {ip} {}\n", "x ".repeat(200), "y ".repeat(100));
    let log = [
        long(NEW, "203.0.113.1"),
        long(OLD, "203.0.113.2"),
        long(GONE, "203.0.113.3"),
        "and 203.0.113.4\n".to_owned(),
        long("", "203.0.113.5"),
        long(OLD, "203.0.113.6"),
        "and 203.0.113.7\n".to_owned(),
        long("", "203.0.113.8"),
    ]
    .concat();
    let expected = [
        long(NEW, "203.0.113.1"),
        long(OLD, "[ipv4]"),
        long(OLD, "[ipv4]"),
        "and [ipv4]\n".to_owned(),
        long("", "[ipv4]"),
    ]
    .concat();
    for threads in [1, 2] {
        for block in [7, 100, 1 << 17] {
            let settings = Settings { max_record: 256, ..settings(threads, block) };
            let (left, tally) = run(scrubber(&rules(""), at(NOW)), &log, None, &settings);
            assert_eq!(difference(&left, &expected), None, "{block}");
            assert_eq!((tally.records, tally.dropped, tally.changed, tally.withheld), (8, 3, 4, 0));
        }
    }
}

/// Of an old record that holds a card.
fn card_rules(more: &str) -> String {
    format!(
        "{more}[[rule]]\nfind = ['pan']\nretain = [{{ until = '1y', action = 'keep' }}, {{ action = 'drop_record' }}]\n"
    )
}

#[test]
fn a_record_that_has_to_be_kept_loses_the_value_instead() {
    let card = ["4111", "1111", "1111", "1111"].join(" ");
    let line = |time: &str, card: &str| format!("{time} card {card}.\n");
    let log = line(NEW, &card) + &line("2024-12-31T00:00:00Z", &card) + &line(GONE, &card);
    let (left, dropped) = dropping(&card_rules(""), &log);
    assert_eq!((left, dropped), (line(NEW, &card), 2));
    let (left, dropped) = dropping(&card_rules("records.keep_at_least = '2y'\n"), &log);
    assert_eq!((left, dropped), (line(NEW, &card) + &line("2024-12-31T00:00:00Z", "[pan]"), 1));
    // The zone is not known: it may be twelve hours younger.
    let edge = "2024-05-31 13:00:00";
    let (_, dropped) = dropping(&card_rules("records.keep_at_least = '2y'\n"), &line(edge, &card));
    assert_eq!(dropped, 0);
    let (_, dropped) =
        dropping(&card_rules("records.keep_at_least = '2y'\n[input]\nzone = 'UTC'\n"), &line(edge, &card));
    assert_eq!(dropped, 1);
}

#[test]
fn a_record_is_dropped_by_age_only_if_its_age_is_known() {
    let card = ["4111", "1111", "1111", "1111"].join(" ");
    let line = format!("card {card}.\n");
    let oldest = "[input]\nundated = 'oldest'\n";
    assert_eq!(dropping(&card_rules(oldest), &line), ("card [pan].\n".to_owned(), 0));
    let inherited = format!("{GONE} a\n{line}");
    assert_eq!(dropping(&card_rules(oldest), &inherited), (format!("{GONE} a\n"), 1));
    let always = format!("{oldest}[[rule]]\nfind = ['pan']\naction = 'drop_record'\n");
    assert_eq!(dropping(&always, &line), (String::new(), 1));
    let kept = format!(
        "{oldest}[records]\nkeep_at_least = '1d'\n[[rule]]\nfind = ['pan']\naction = 'drop_record'\n"
    );
    assert_eq!(dropping(&kept, &line), ("card [pan].\n".to_owned(), 0));
    assert_eq!(
        dropping(&format!("{oldest}[records]\ndrop_after = '1d'\n{}", until("1d")), "x 203.0.113.9\n"),
        ("x [ipv4]\n".to_owned(), 0)
    );
}

/// A private key is known by its first line, be it there or not.
#[test]
fn the_rest_of_a_key_whose_first_lines_are_dropped_stays_a_key() {
    let [begin, end] = ["BEGIN", "END"].map(|word| format!("-----{word} PRIVATE KEY-----"));
    let body = "MIIC+/canary".repeat(5);
    let times = [
        "2024-05-31T23:59:59.7Z",
        "2024-05-31T23:59:59.9Z",
        "2024-06-01T00:00:00.1Z",
        "2024-06-01T00:00:00.2Z",
    ];
    let lines = [&begin, &body, &body, &end].into_iter().zip(times);
    let log: String = lines.map(|(text, time)| format!("{time} {text}\n")).collect::<String>()
        + "2026-05-31T00:00:00Z MIIC\n";
    let rules = "[records]\ndrop_after = '2y'\n[[rule]]\nfind = ['private_key']\nretain = [{ until = '90d', action = 'keep' }, { action = 'redact' }]\n";
    let left = format!("{} [private_key]\n{} [private_key]\n2026-05-31T00:00:00Z MIIC\n", times[2], times[3]);
    assert_eq!(dropping(rules, &log), (left, 2));
}
