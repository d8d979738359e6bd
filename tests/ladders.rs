//! Ladders: what is left of records by their age, at one date after another, against an obvious reference.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "ladders/boundaries.rs"]
mod boundaries;
#[path = "ladders/calendar.rs"]
mod calendar;
#[path = "ladders/hidden.rs"]
mod hidden;
#[path = "ladders/hostile.rs"]
mod hostile;
#[path = "ladders/log.rs"]
mod log;
#[path = "ladders/looked.rs"]
mod looked;
#[path = "ladders/overlaps.rs"]
mod overlaps;
#[path = "ladders/panics.rs"]
mod panics;
#[path = "ladders/parts.rs"]
mod parts;
#[path = "ladders/records.rs"]
mod records;
#[path = "ladders/residues.rs"]
mod residues;
#[path = "ladders/shield.rs"]
mod shield;
#[path = "ladders/undated.rs"]
mod undated;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use calendar::{Age, rfc3339, time};
use jiff::Timestamp;
use log::{Act, FORMS, Form, Ladder, Reading, Record, Rules, Undated, left};
use logscrub::stream::input::Source;
use logscrub::stream::{Input, Place, Scrub, Settings, Watch, drive};
use logscrub::tally::{Acted, Tally};
use logscrub::{HashKey, Policy, Scrubber};
use looked::looked;
use proptest::prelude::*;

const SECOND: i64 = 1_000_000_000;
const HOUR: i64 = 3600 * SECOND;
const DAY: i64 = 24 * HOUR;

fn stamp(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap()
}

fn scrubber(rules: &str, now: i64) -> Scrubber {
    let policy = Policy::from_toml(rules, "test", Some(Path::new(".")));
    let policy = policy.unwrap_or_else(|faults| panic!("{faults}\n{rules}"));
    Scrubber::new(Arc::new(policy), Some(HashKey::new(&[7; 32]))).at(stamp(now))
}

/// What an action leaves of a value in a text.
fn pseudonym(action: &str, value: &str) -> String {
    let rules = format!(
        "pseudonyms.keyring = 'k.toml'\n[[rule]]\nfind = ['ip', 'email', 'pan']\naction = {action}\n"
    );
    let mut out = Vec::new();
    scrubber(&rules, at("2026-01-01T00:00:00Z")).scrub(format!("of {value} in").as_bytes(), &mut out);
    let text = String::from_utf8(out).unwrap();
    text.strip_prefix("of ").and_then(|text| text.strip_suffix(" in")).unwrap().to_owned()
}

/// Returns a varying number of bytes a read.
struct Trickle(Vec<u8>, usize);

impl std::io::Read for Trickle {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.1 += 1;
        let count = (1 + self.1 * 7919 % 1997).min(into.len()).min(self.0.len());
        into[..count].copy_from_slice(&self.0[..count]);
        self.0.drain(..count);
        Ok(count)
    }
}

impl Source for Trickle {}

fn settings(threads: usize, block_bytes: usize) -> Settings {
    Settings { threads, block_bytes, ..Settings::default() }
}

/// What of the counts does not depend on how the records were come by.
fn sorted(mut tally: Tally) -> Tally {
    tally.due = None;
    tally.acted.sort_by_key(|acted| (acted.rule, acted.step, acted.kind, acted.year));
    tally
}

/// The counts of all years together.
fn of_all_years(tally: &Tally) -> Tally {
    let mut all = Tally { acted: Vec::new(), dropped_in: BTreeMap::new(), ..tally.clone() };
    tally.acted.iter().for_each(|acted| all.act(Acted { year: None, ..*acted }));
    sorted(all)
}

/// A stream.
fn stream(text: &str) -> Input<'static> {
    Input::new("stream", Trickle(text.as_bytes().to_vec(), 0))
}

/// A file of that name, last written then.
fn file(folder: &Path, name: &str, written: i64, text: &str) -> Input<'static> {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_nanos(written as u64)).unwrap();
    Input::open(&Place::Path(path)).unwrap()
}

/// What is left of the inputs.
fn run_all(scrubber: impl Scrub + Send, inputs: Vec<Input<'_>>, settings: &Settings) -> (String, Tally) {
    let mut out = Vec::new();
    let inputs = inputs.into_iter().map(Ok);
    let outcome = drive(inputs, scrubber, &mut out, &mut Watch::default(), settings);
    assert!(outcome.output.is_ok() && outcome.input_faults.is_empty());
    (String::from_utf8(out).unwrap(), outcome.tally)
}

/// What is left of a text: of a stream, or of a file that has this date.
fn run(scrubber: Scrubber, text: &str, date: Option<i64>, settings: &Settings) -> (String, Tally) {
    let folder = tempfile::tempdir().unwrap();
    let input = match date {
        None => stream(text),
        Some(date) => file(folder.path(), "app.log", date, text),
    };
    let (left, tally) = run_all(scrubber, vec![input], settings);
    (left, sorted(tally))
}

/// When the first record of a file comes due.
fn due(scrubber: &Scrubber, text: &str, date: i64) -> Option<i64> {
    let folder = tempfile::tempdir().unwrap();
    let input = file(folder.path(), "app.log", date, text);
    let due = run_all(scrubber.clone(), vec![input], &Settings::default()).1.due?;
    i64::try_from(due.as_nanosecond()).ok()
}

/// What is left of a stream, whatever the blocks and threads.
fn left_of(rules: &str, now: i64, text: &str) -> (String, Tally) {
    let scrubber = scrubber(rules, now);
    let left = run(scrubber.clone(), text, None, &Settings::default());
    for (threads, block) in [(1, 1), (2, 50), (3, 300)] {
        let same = run(scrubber.clone(), text, None, &settings(threads, block));
        assert_eq!(difference(&same.0, &left.0), None, "blocks of {block}");
        assert_eq!(same.1, left.1);
    }
    let settings = Settings { max_record: usize::MAX, ..Settings::default() };
    let (would_be_left, dropped, _) = looked(&scrubber, stream(text), &settings);
    assert_eq!((difference(&would_be_left, &left.0), dropped), (None, left.1.dropped), "looked at");
    left
}

/// A moment, as in `2026-03-01T00:00:00Z`.
fn at(text: &str) -> i64 {
    i64::try_from(text.parse::<Timestamp>().unwrap().as_nanosecond()).unwrap()
}

/// The first line that differs, or nothing.
fn difference(got: &str, wanted: &str) -> Option<String> {
    if got == wanted {
        return None;
    }
    let (mut one, mut other) = (got.lines(), wanted.lines());
    loop {
        let pair = (one.next(), other.next());
        if pair.0 != pair.1 {
            return Some(format!("got    {:?}\nwanted {:?}", pair.0, pair.1));
        }
    }
}

/// Mixed, from a minute to six years before the moment; those without a year in the last one.
fn mixed(now: i64) -> Vec<Record> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut next = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let mut log: Vec<Record> = (0..4000_u64)
        .map(|number| {
            let form = FORMS[next(FORMS.len() as u64) as usize];
            let minutes = match next(4) {
                0 => next(60 * 24 * 30),
                1 => next(60 * 24 * 200),
                _ => next(60 * 24 * 365 * 6),
            };
            let minutes = if form == Form::OldSyslog { minutes % (60 * 24 * 364) } else { minutes };
            Record {
                form,
                time: now - (1 + minutes as i64) * 60 * SECOND - next(SECOND as u64) as i64,
                ip: [next(256) as u8, 1 + next(255) as u8],
                mail: number as u32,
                has_card: next(4) == 0,
            }
        })
        .collect();
    part_cards(&mut log);
    log
}

/// Between a record that may be dropped for what it holds and the next one with a time stands none that does not go on
/// with it.
fn part_cards(log: &mut [Record]) {
    let mut parts = true;
    for record in log.iter_mut().rev() {
        record.has_card &= parts;
        parts = record.form.is_dated() || parts && record.form != Form::BareJson;
    }
}

fn five_steps() -> Rules {
    Rules {
        ip: vec![
            (Some(Age(7, 'd')), Act::Keep),
            (Some(Age(3, 'm')), Act::Truncate(24)),
            (Some(Age(1, 'y')), Act::Truncate(16)),
            (Some(Age(100, 'w')), Act::Truncate(8)),
            (None, Act::Redact),
        ],
        email: vec![(Some(Age(30, 'd')), Act::Keep), (None, Act::Redact)],
        pan: vec![(Some(Age(13, 'm')), Act::Keep), (None, Act::DropRecord)],
        drop_after: Some(Age(5, 'y')),
        keep_at_least: Some(Age(12, 'm')),
        undated: None,
        zone: None,
    }
}

#[test]
fn six_runs_in_a_row_are_each_one_run_at_their_date() {
    let start = time((2026, 6, 1), (12, 0, 0));
    let rules = five_steps();
    let log = mixed(start);
    let original: String = log.iter().map(|record| record.raw(&rules)).collect();
    let dates = [0, 1, 29, 90, 366, 800].map(|days| start + days * DAY + days * HOUR);
    let mut state = original.clone();
    for now in dates {
        let (wanted, _) = left(&log, &rules, Reading { now, file: Some(start) });
        let once = run(scrubber(&rules.text(), now), &original, Some(start), &Settings::default());
        assert_eq!(difference(&once.0, &wanted), None, "once at {}", rfc3339(now));
        state = run(scrubber(&rules.text(), now), &state, Some(start), &settings(2, 5000)).0;
        assert_eq!(difference(&state, &wanted), None, "in a row at {}", rfc3339(now));
    }
}

#[test]
fn what_was_done_to_a_record_does_not_hide_its_time() {
    let rules =
        "[[rule]]\nfind = ['email']\nretain = [{ until = '1y', action = 'keep' }, { action = 'redact' }]\n";
    let scrub = |line: &str| {
        let mut out = Vec::new();
        scrubber(rules, time((2026, 6, 1), (0, 0, 0))).scrub(line.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    };
    let token = ["[ipv4:k3f9x2q:", "ABCDEFGHIJKLMNOPQRST]"].concat();
    let kept = token.replace(']', "@203.0.113.0/24]");
    let encrypted = token.replace(":k", "~k");
    for host in [
        "203.0.113.9",
        "203.0.113.0",
        "[ipv4]",
        "[ipv6]",
        "[]",
        "***.*.***.*",
        "****:**::*",
        &token,
        &kept,
        &encrypted,
    ] {
        for (before, after) in [
            ("", " - - [01/Mar/2021:10:00:00 +0000] \"GET /?m=a@example.com HTTP/1.1\" 200 1"),
            ("", " 2021-03-01 10:00:00 UTC LOG: a@example.com"),
            ("", ":443 [01/Mar/2021:10:00:00.123] web a@example.com"),
            ("[", "] 2021-03-01 10:00:00 a@example.com"),
        ] {
            let line = format!("{before}{host}{after}\n");
            let is_read = scrub(&line).contains("[email]");
            // An address alone in brackets is none that stands before a time.
            assert_eq!(is_read, before.is_empty(), "{line}");
        }
    }
    assert!(scrub("[chat] 2021-03-01 10:00:00 a@example.com\n").contains("a@"), "a message in brackets");
}

/// Each shorter than the next in every year, by more than a day.
const AGES: [Age; 15] = [
    Age(1, 'd'),
    Age(7, 'd'),
    Age(2, 'w'),
    Age(20, 'd'),
    Age(1, 'm'),
    Age(40, 'd'),
    Age(3, 'm'),
    Age(100, 'd'),
    Age(6, 'm'),
    Age(1, 'y'),
    Age(13, 'm'),
    Age(2, 'y'),
    Age(900, 'd'),
    Age(3, 'y'),
    Age(5, 'y'),
];

/// The acts, each but the last until an age.
fn ladder(acts: Vec<Act>) -> impl Strategy<Value = Ladder> {
    let ages = prop::sample::subsequence(AGES.to_vec(), acts.len() - 1);
    ages.prop_map(move |ages| ages.into_iter().map(Some).chain([None]).zip(acts.iter().copied()).collect())
}

fn some_of(acts: &'static [Act]) -> impl Strategy<Value = Ladder> {
    prop::sample::subsequence(acts.to_vec(), 1..=acts.len()).prop_flat_map(ladder)
}

fn rules() -> impl Strategy<Value = Rules> {
    walk_rules(prop_oneof![
        some_of(&[Act::Keep, Act::Redact]),
        some_of(&[Act::Keep, Act::Drop]),
        some_of(&[Act::Keep, Act::DropRecord])
    ])
}

/// Rules of which a walk is one run, with this ladder for cards.
fn walk_rules(pan: impl Strategy<Value = Ladder>) -> impl Strategy<Value = Rules> {
    let ip = some_of(&[Act::Keep, Act::Truncate(24), Act::Truncate(20), Act::Truncate(9), Act::Redact]);
    let email = some_of(&[Act::Keep, Act::Redact]);
    let undated = prop_oneof![
        2 => Just(None),
        1 => prop::sample::select(vec![Undated::Arrival, Undated::File, Undated::Oldest, Undated::Newest, Undated::Withhold]).prop_map(Some),
    ];
    let kept = prop::option::of(prop::sample::subsequence(AGES.to_vec(), 2));
    let zone = prop::option::of(-9..=14_i64);
    (ip, email, pan, undated, kept, any::<bool>(), zone).prop_map(
        |(ip, email, pan, undated, kept, drops, zone)| {
            let least = kept.as_ref().map(|kept| kept[0]);
            // A record that has to be kept loses the value instead, and is not dropped for it later.
            let at = |age: &Age| AGES.iter().position(|one| one == age);
            let drops_records = pan.iter().any(|(_, act)| *act == Act::DropRecord);
            let begins = pan.iter().filter_map(|(until, _)| until.as_ref()).next_back();
            let is_kept_first =
                least.is_none_or(|least| begins.is_some_and(|begins| at(&least) < at(begins)));
            let keep_at_least = least.filter(|_| !drops_records || is_kept_first);
            let drop_after = kept.map(|kept| kept[1]).filter(|_| drops);
            Rules { ip, email, pan, drop_after, keep_at_least, undated, zone }
        },
    )
}

/// Moments in the order of time, the first of them between 2023 and 2027.
fn dates() -> impl Strategy<Value = Vec<i64>> {
    let day = (0..1500_i64, 0..86_400_i64)
        .prop_map(|(day, second)| time((2023, 1, 1), (0, 0, 0)) + day * DAY + second * SECOND);
    let end = prop::sample::select(vec![
        (2024, 2, 29),
        (2023, 2, 28),
        (2023, 3, 31),
        (2024, 12, 31),
        (2023, 4, 30),
    ]);
    let first = prop_oneof![day, end.prop_map(|day| time(day, (11, 30, 0)))];
    (first, prop::collection::vec(1..500_i64, 0..4)).prop_map(|(first, gaps)| {
        let mut dates = vec![first];
        for gap in gaps {
            dates.push(dates[dates.len() - 1] + gap * DAY + gap * 61 * SECOND);
        }
        dates
    })
}

/// Records that none of the dates lies before. Many reach some age at about one of them.
fn records(dates: &[i64]) -> impl Strategy<Value = Vec<Record>> + use<> {
    let first = dates[0];
    let dates = dates.to_vec();
    let near = (
        prop::sample::select(AGES.to_vec()),
        prop::sample::select(dates),
        prop_oneof![Just(0), Just(-1), Just(1), Just(SECOND), Just(-SECOND), -50 * HOUR..50 * HOUR],
    )
        .prop_map(|(age, date, by)| age.before(date) + by);
    let anywhere = (0..6 * 366 * DAY).prop_map(move |by| first - by);
    let moment = prop_oneof![near, anywhere].prop_map(move |time| time.min(first - SECOND));
    let record =
        (prop::sample::select(FORMS.to_vec()), moment, any::<u8>(), 1..=255_u8, 0..10_000_u32, any::<bool>());
    let record = record.prop_map(move |(form, time, one, two, mail, has_card)| {
        let by = (first - time) % (360 * DAY);
        let time = if form == Form::OldSyslog { first - by } else { time };
        Record { form, time, ip: [one, two], mail, has_card }
    });
    prop::collection::vec(record, 1..60).prop_map(|mut log| {
        part_cards(&mut log);
        log
    })
}

fn walk() -> impl Strategy<Value = (Rules, Vec<i64>, Vec<Record>)> {
    (rules(), dates()).prop_flat_map(|(rules, dates)| {
        let records = records(&dates);
        (Just(rules), Just(dates), records)
    })
}

/// More of them find rarer faults: set `LOGSCRUB_CASES`.
fn cases() -> u32 {
    std::env::var("LOGSCRUB_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, max_shrink_iters: 3000, ..ProptestConfig::default() })]

    #[test]
    fn any_walk_is_one_run_at_its_end((rules, dates, log) in walk(), threads in 1..4_usize, block in 1..3000_usize) {
        let original: String = log.iter().map(|record| record.raw(&rules)).collect();
        let (file, mut state) = (dates[0], original.clone());
        for now in dates {
            let (wanted, dropped) = left(&log, &rules, Reading { now, file: Some(file) });
            let scrubber = scrubber(&rules.text(), now);
            let (once, tally) = run(scrubber.clone(), &original, Some(file), &settings(threads, block));
            prop_assert_eq!(difference(&once, &wanted), None, "once at {} under {}", rfc3339(now), rules.text());
            prop_assert_eq!((tally.records, tally.dropped), (log.len() as u64, dropped));
            state = run(scrubber.clone(), &state, Some(file), &Settings::default()).0;
            prop_assert_eq!(difference(&state, &wanted), None, "in a row at {} under {}", rfc3339(now), rules.text());
            let (again, tally) = run(scrubber, &state, Some(file), &settings(threads, block));
            prop_assert_eq!(difference(&again, &state), None);
            prop_assert_eq!((tally.changed, tally.dropped, tally.withheld), (0, 0, 0));
        }
    }

    /// `scan -r` says of each record what the filter makes of it, and finds nothing in what that leaves.
    #[test]
    fn a_look_sees_what_a_run_would_do_and_nothing_behind_it(
        (rules, dates, log) in walk(), block in 1..3000_usize, is_file in any::<bool>(),
    ) {
        let text: String = log.iter().map(|record| record.raw(&rules)).collect();
        let (now, date) = (dates[dates.len() - 1], dates[0]);
        let scrubber = scrubber(&rules.text(), now);
        let (left, tally) = run(scrubber.clone(), &text, is_file.then_some(date), &Settings::default());
        let folder = tempfile::tempdir().unwrap();
        let input = |text: &str| if is_file { file(folder.path(), "app.log", date, text) } else { stream(text) };
        let (would_be_left, dropped, _) = looked(&scrubber, input(&text), &settings(1, block));
        prop_assert_eq!(difference(&would_be_left, &left), None, "at {} under {}", rfc3339(now), rules.text());
        prop_assert_eq!(dropped, tally.dropped);
        let behind = looked(&scrubber, input(&left), &settings(1, block));
        prop_assert_eq!(behind, (left, 0, 0), "behind a run at {} under {}", rfc3339(now), rules.text());
    }

    /// Nobody needs to look at a file before the moment at which the last run says that something comes due.
    #[test]
    fn nothing_changes_before_it_comes_due((rules, dates, log) in walk(), wait in 0.0..1.0_f64) {
        let original: String = log.iter().map(|record| record.raw(&rules)).collect();
        let (file, now) = (dates[0], dates[0]);
        let scrubber_at = |now| scrubber(&rules.text(), now);
        let left = run(scrubber_at(now), &original, Some(file), &Settings::default()).0;
        let of_first_run = due(&scrubber_at(now), &original, file);
        let of_second_run = due(&scrubber_at(now), &left, file);
        let never = at("2060-01-01T00:00:00Z");
        for due in [of_first_run, of_second_run] {
            let due = due.unwrap_or(never).min(never);
            prop_assert!(due > now, "{} is not after {}", rfc3339(due), rfc3339(now));
            for later in [due - 1, now + ((due - now - 1) as f64 * wait) as i64] {
                let again = run(scrubber_at(later), &left, Some(file), &Settings::default()).0;
                prop_assert_eq!(difference(&again, &left), None, "at {} under {}", rfc3339(later), rules.text());
            }
        }
    }

    #[test]
    fn ages_depend_neither_on_blocks_nor_on_threads_nor_on_lanes(
        (rules, dates, log) in walk(), blocks in prop::collection::vec(1..3000_usize, 2), is_file in any::<bool>(),
    ) {
        let text: String = log.iter().map(|record| record.raw(&rules)).collect();
        let (now, file) = (dates[dates.len() - 1], is_file.then_some(dates[0]));
        let scrubber = scrubber(&rules.text(), now);
        let expected = run(scrubber.clone(), &text, file, &Settings::default());
        if file.is_none() && log.iter().all(|record| record.form != Form::OldSyslog) {
            let (wanted, _) = left(&log, &rules, Reading { now, file });
            prop_assert_eq!(difference(&expected.0, &wanted), None, "at {} under {}", rfc3339(now), rules.text());
        }
        for (threads, block) in blocks.into_iter().enumerate() {
            let got = run(scrubber.clone(), &text, file, &settings(threads + 1, block));
            prop_assert_eq!(difference(&got.0, &expected.0), None, "blocks of {} under {}", block, rules.text());
            prop_assert_eq!(got.1, expected.1.clone());
        }
        for slow in [scrubber.clone().without_fast_lane(), scrubber.clone().judging_every_record()] {
            let got = run(slow, &text, file, &settings(2, 1000));
            prop_assert_eq!(difference(&got.0, &expected.0), None, "slowly under {}", rules.text());
        }
        let by_year = run(scrubber.clone().by_year(), &text, file, &Settings::default());
        prop_assert_eq!(difference(&by_year.0, &expected.0), None, "by year under {}", rules.text());
        prop_assert_eq!(of_all_years(&by_year.1), expected.1.clone());
        let again = run(scrubber.clone().by_year().judging_every_record(), &text, file, &settings(3, 700));
        prop_assert_eq!(again.1, by_year.1);
        if file.is_none() {
            let mut direct = (scrubber, Vec::new());
            text.split_inclusive('\n').for_each(|line| direct.0.scrub(line.as_bytes(), &mut direct.1));
            prop_assert_eq!(difference(&String::from_utf8(direct.1).unwrap(), &expected.0), None, "line by line");
            prop_assert_eq!(sorted(direct.0.take_tally()), expected.1);
        }
    }
}
