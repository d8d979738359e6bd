//! Ladders of several steps that each leave something: what one run left, the next takes further.

use std::path::Path;
use std::sync::Arc;

use logscrub::action::keys::{KeyPeriod, Keys};
use logscrub::{HashKey, Policy, Scrubber};
use proptest::prelude::*;

use super::log::{Act, Form, Ladder, Reading, Record, Rules, left};
use super::{
    HOUR, at, cases, dates, difference, ladder, records, rfc3339, run, scrubber, settings, walk_rules,
};

fn one_of(chains: &'static [&'static [Act]]) -> impl Strategy<Value = Ladder> {
    let chain = prop::sample::select(chains);
    chain.prop_flat_map(|acts| prop::sample::subsequence(acts.to_vec(), 1..=acts.len())).prop_flat_map(ladder)
}

const IPS: &[&[Act]] = &[
    &[Act::Keep, Act::Truncate(24), Act::Truncate(16), Act::Hash, Act::Redact, Act::Drop],
    &[Act::Keep, Act::Hash, Act::Redact],
    &[Act::Keep, Act::Hash, Act::Drop],
    &[Act::Keep, Act::HashBits(24), Act::Truncate(24), Act::Truncate(16), Act::Redact],
    &[Act::Keep, Act::Truncate(24), Act::Drop],
];

const EMAILS: &[&[Act]] = &[
    &[Act::Keep, Act::HashDomain, Act::Domain, Act::Redact, Act::Drop],
    &[Act::Keep, Act::Hash, Act::Redact, Act::Drop],
    &[Act::Keep, Act::Domain, Act::Drop],
];

const CARDS: &[&[Act]] = &[
    &[Act::Keep, Act::Card, Act::LastFour, Act::Redact, Act::Drop],
    &[Act::Keep, Act::Hash, Act::Redact, Act::DropRecord],
    &[Act::Keep, Act::Card, Act::DropRecord],
    &[Act::Keep, Act::Redact, Act::DropRecord],
];

fn chains() -> impl Strategy<Value = Rules> {
    (walk_rules(one_of(CARDS)), one_of(IPS), one_of(EMAILS)).prop_map(|(rules, ip, email)| Rules {
        ip,
        email,
        ..rules
    })
}

/// Records in which every value stands in a text, so that `drop` leaves brackets.
fn texts(log: Vec<Record>) -> Vec<Record> {
    let text = |record: Record| match record.form {
        Form::Access => Record { form: Form::PlainZoned, ..record },
        Form::Json => Record { form: Form::Compose, ..record },
        Form::JsonLate => Record { form: Form::AddressFirst, ..record },
        Form::Logfmt => Record { form: Form::Syslog, ..record },
        _ => record,
    };
    log.into_iter().map(text).collect()
}

fn drops(ladder: &Ladder) -> bool {
    ladder.iter().any(|(_, act)| *act == Act::Drop)
}

fn walk() -> impl Strategy<Value = (Rules, Vec<i64>, Vec<Record>)> {
    (chains(), dates()).prop_flat_map(|(rules, dates)| {
        let is_text = drops(&rules.ip) || drops(&rules.email);
        let records = records(&dates).prop_map(move |log| if is_text { texts(log) } else { log });
        (Just(rules), Just(dates), records)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, max_shrink_iters: 3000, ..ProptestConfig::default() })]

    #[test]
    fn any_walk_over_residues_is_one_run_at_its_end((rules, dates, log) in walk(), threads in 1..4_usize, block in 1..3000_usize) {
        let original: String = log.iter().map(|record| record.raw(&rules)).collect();
        let (file, mut state) = (dates[0], original.clone());
        for now in dates {
            let (wanted, _) = left(&log, &rules, Reading { now, file: Some(file) });
            let scrubber = scrubber(&rules.text(), now);
            let once = run(scrubber.clone(), &original, Some(file), &settings(threads, block));
            prop_assert_eq!(difference(&once.0, &wanted), None, "once at {} under {}", rfc3339(now), rules.text());
            state = run(scrubber.clone(), &state, Some(file), &settings(threads, block)).0;
            prop_assert_eq!(difference(&state, &wanted), None, "in a row at {} under {}", rfc3339(now), rules.text());
            for slow in [scrubber.clone().without_fast_lane(), scrubber.clone().judging_every_record()] {
                let slow = run(slow, &original, Some(file), &settings(1, 700)).0;
                prop_assert_eq!(difference(&slow, &wanted), None, "slowly under {}", rules.text());
            }
            let again = run(scrubber, &state, Some(file), &settings(threads, block));
            prop_assert_eq!(difference(&again.0, &state), None);
            prop_assert_eq!(again.1.changed, 0);
        }
    }
}

/// The steps hold from these moments on for records of the first of January.
const DATES: [&str; 5] = [
    "2026-01-02T00:00:00Z",
    "2026-01-20T00:00:00Z",
    "2026-03-01T00:00:00Z",
    "2026-08-01T00:00:00Z",
    "2027-06-01T00:00:00Z",
];

const STEPS: [&str; 7] = [
    "'keep' 'hash' 'redact' 'drop'",
    "'keep' 'keep' 'hash' 'drop'",
    "'encrypt' 'hash' 'redact' 'drop'",
    "'keep' 'encrypt' 'redact' 'drop'",
    "'keep' 'keep' 'hash' 'drop_record'",
    "'keep' 'keep' 'keep' 'mask'",
    "'keep' 'keep' 'redact' 'drop_record'",
];

const FIND: [&str; 3] = [
    "{hash={keep='domain'}} {truncate={email='domain'}} 'redact' 'drop'",
    "'keep' {truncate={ipv4=24,ipv6=48,pan='first6last4',email='domain'}} {truncate={ipv4=16,ipv6=32,pan='last4',email='domain'}} 'redact'",
    "'keep' {truncate={ipv4=24,ipv6=48}} 'hash' 'drop'",
];

/// A ladder of these four actions.
fn four(actions: &str) -> String {
    let ends = ["until = '10d', ", "until = '30d', ", "until = '6mo', ", ""];
    let mut steps = actions.split(' ').zip(ends).peekable();
    let mut text = String::from("retain = [");
    while let Some((action, end)) = steps.next() {
        text += &format!("{{ {end}action = {action} }}{}", if steps.peek().is_some() { ", " } else { "]\n" });
    }
    text
}

const LOGS: [&str; 14] = [
    "{\"ts\":\"TIME\",\"user\":\"jane.doe\",\"msg\":\"hello jane.doe, ana@example.com from 203.0.113.9\",\"ip\":\"203.0.113.9\"}\n",
    "{\"ts\":\"TIME\",\"user\":{\"id\":4711001,\"name\":\"jane.doe\"},\"list\":[\"ana@example.com\",\"203.0.113.9\",4711001]}\n",
    "{\"ts\":\"TIME\",\"user\":\"j\\u0061ne \\\"doe\\\"\",\"q\":\"{\\\"user\\\":\\\"jane.doe\\\",\\\"ip\\\":\\\"203.0.113.9\\\"}\"}\n",
    "{\"ts\":\"TIME\",\"user\":null,\"ana@example.com\":1,\"203.0.113.9\":{\"a\":[]}}\n",
    "ts=TIME level=info user=jane.doe ip=203.0.113.9 msg=\"jane.doe <ana@example.com>\"\n",
    "203.0.113.9 - jane.doe [01/Jan/2026:00:00:00 +0000] \"GET /?user=jane.doe&m=ana%40example.com HTTP/1.1\" 200 1 \"-\" \"ua 203.0.113.9\"\n",
    "203.0.113.9 - ana@example.com [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 1\n\tmore of 2001:db8::9\n",
    "<34>1 TIME host app 1 - [x@1 user=\"jane.doe\"] user=jane.doe from 203.0.113.9\n",
    "TIME INFO user: jane.doe logged in from 203.0.113.9:443, jane.doe again\n\tuser=jane.doe 2001:db8:1:2::9\n",
    "TIME stdout P user=jane.doe from 203.0.1\nTIME stdout F 13.9 and ana@example.com\n",
    "{\"log\":\"user=jane.doe 203.0.113.9\\n\",\"stream\":\"stdout\",\"time\":\"TIME\"}\n",
    "ts,user,ip,note\nTIME,jane.doe,203.0.113.9,\"of jane.doe, ana@example.com\"\n",
    "#Fields: date time user c-ip\n2026-01-01 00:00:00 jane.doe 203.0.113.9\n",
    "203.0.113.9 2026-01-01 00:00:00 UTC user=jane.doe 203.0.113.9\n[203.0.113.9] without a time\n",
];

/// Whatever the way, in every format: a value in a field, and what is found, by every ladder.
#[test]
fn every_way_over_the_dates_is_one_run_at_the_last() {
    let field = |actions: &&str| format!("[[rule]]\nfield = ['user']\nas = 'user_id'\n{}", four(actions));
    let find = |actions: &&str| format!("[[rule]]\nfind = ['ip', 'email']\n{}", four(actions));
    let redacting = "[[rule]]\nfind = ['ip', 'email']\naction = 'redact'\n".to_owned();
    let policies = STEPS.iter().flat_map(|actions| {
        let rest = [find(&FIND[0]), find(&FIND[1]), find(&FIND[2]), redacting.clone()];
        rest.map(|rest| field(actions) + &rest)
    });
    let policies = policies.chain(STEPS.iter().chain(&FIND).map(find));
    let mut wrong = Vec::new();
    for rules in policies {
        let rules = format!("input.zone = 'UTC'\npseudonyms.keyring = 'k.toml'\n{rules}");
        let scrubbers = DATES.map(|date| scrubber(&rules, at(date) + HOUR));
        for log in LOGS {
            let original = log.replace("TIME", "2026-01-01T00:00:00Z");
            let one = |number: usize, text: &str| {
                run(scrubbers[number].clone(), text, None, &settings(1, 1 << 17)).0
            };
            let once: Vec<String> = (0..DATES.len()).map(|number| one(number, &original)).collect();
            for first in 0..DATES.len() {
                for second in first..DATES.len() {
                    let left = one(second, &once[first]);
                    if let Some(difference) = difference(&left, &once[second]) {
                        wrong.push(format!(
                            "{rules}{original}from {first} to {second}, by way of {:?}:\n{difference}\n",
                            once[first]
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// The key of a record is that of its own period, inherited as its age is, whatever the blocks and the threads.
#[test]
fn pseudonyms_are_of_the_periods_of_their_records() {
    let start = super::time((2026, 6, 1), (12, 0, 0));
    let rules = super::five_steps();
    let log: String = super::mixed(start).iter().map(|record| record.raw(&rules)).collect();
    let key = |number: i64| HashKey::new(&[number as u8; 32]);
    let begin = |number: i64| super::stamp(start - (60 - number) * 40 * super::DAY);
    let period = |number: i64| KeyPeriod {
        from: Some(begin(number)),
        until: Some(begin(number + 1)),
        id: key(number).id().to_owned(),
        key: (number % 7 != 0).then(|| key(number)),
    };
    let keys = Keys::new((1..62).map(period).collect(), None, Vec::new());
    for rules in [
        "pseudonyms.keyring = 'k.toml'\n[[rule]]\nfind = ['ip', 'email']\naction = 'hash'\n".to_owned(),
        format!(
            "pseudonyms.keyring = 'k.toml'\n[records]\ndrop_after = '5y'\n[[rule]]\nfind = ['ip', 'email']\n{}",
            four("'keep' 'hash' 'hash' 'redact'").replace("{ until = '30d', action = 'hash' }, ", "")
        ),
    ] {
        let policy = Policy::from_toml(&rules, "test", Some(Path::new(".")))
            .unwrap_or_else(|faults| panic!("{faults}"));
        let at = |now: i64| {
            Scrubber::with_keys(Arc::new(policy.clone()), Some(keys.clone())).at(super::stamp(now))
        };
        let once = run(at(start), &log, Some(start), &settings(1, 1 << 17)).0;
        let ids = once.match_indices("[ipv4:k").map(|(place, _)| &once[place + 6..place + 13]);
        let ids: std::collections::BTreeSet<&str> = ids.collect();
        assert!(ids.len() > 3, "{ids:?}");
        assert!(rules.contains("retain") || once.contains("[ipv4]"), "some keys are forgotten");
        for (threads, block) in [(1, 100), (2, 3000), (3, 20_000)] {
            let same = run(at(start), &log, Some(start), &settings(threads, block)).0;
            assert_eq!(difference(&same, &once), None, "{block}");
        }
        for slow in [at(start).without_fast_lane(), at(start).judging_every_record()] {
            let same = run(slow, &log, Some(start), &settings(1, 3000)).0;
            assert_eq!(difference(&same, &once), None);
        }
        let later = start + 20 * super::DAY;
        let direct = run(at(later), &log, Some(start), &settings(1, 1 << 17)).0;
        let in_a_row = run(at(later), &once, Some(start), &settings(1, 1 << 17)).0;
        assert_eq!(difference(&in_a_row, &direct), None);
    }
}

/// A mapped address is hashed as the IPv4 address in it, also where the walk leaves that step out, or the next.
#[test]
fn a_mapped_address_is_an_ipv4_address_and_a_low_one_an_address_behind_any_step() {
    let line = "2026-01-01T00:00:00Z of ::ffff:203.0.113.9 and 2001:db8::9, ::1\n";
    let keeps = "{hash={keep='/24'}} {truncate={ipv4=16,ipv6=32}}";
    for steps in [
        "'encrypt' 'hash'",
        keeps,
        "{truncate={ipv4=24,ipv6=48}} {truncate={ipv4=16,ipv6=32}}",
        "'truncate' 'hash'",
    ] {
        let [first, second] = steps.split_once(' ').map(|(one, other)| [one, other]).unwrap();
        let rules = format!(
            "pseudonyms.keyring = 'k.toml'\n[[rule]]\nfind = ['ip']\nretain = [{{ until = '7d', action = {first} }}, {{ until = '1y', action = {second} }}, {{ action = 'redact' }}]\n"
        );
        let scrub = |date: &str, line: &str| {
            let mut out = Vec::new();
            scrubber(&rules, at(date)).scrub(line.as_bytes(), &mut out);
            String::from_utf8(out).unwrap()
        };
        let [early, later, last] = ["2026-01-02T00:00:00Z", "2026-06-01T00:00:00Z", "2027-06-01T00:00:00Z"];
        let once = scrub(last, line);
        let mapped = if steps.contains("hash") { "ipv4" } else { "ipv6" };
        assert_eq!(once, format!("2026-01-01T00:00:00Z of [{mapped}] and [ipv6], [ipv6]\n"));
        let walked = scrub(early, line);
        assert_eq!(scrub(last, &walked), once);
        assert_eq!(scrub(later, &walked), scrub(later, line));
        assert_eq!(scrub(last, &scrub(later, &walked)), once);
    }
}

/// Whether another value stands in the record or not, and whether it is judged or passes the lane.
#[test]
fn a_label_is_taken_further_wherever_it_stands() {
    for (action, left) in [("'redact'", "[email] [email#2]"), ("{redact={with='gone'}}", "gone gone")] {
        let rules = format!(
            "[[rule]]\nfind = ['email']\nretain = [{{ until = '7d', action = 'truncate' }}, {{ action = {action} }}]\n"
        );
        let scrubber = scrubber(&rules, at("2027-06-01T00:00:00Z"));
        for value in ["", " ana@example.com"] {
            let line = format!("2026-01-01T00:00:00Z [email] [email#2]{value}\n");
            let wanted = format!("2026-01-01T00:00:00Z {left}");
            for mut one in [scrubber.clone(), scrubber.clone().judging_every_record()] {
                let mut out = Vec::new();
                one.scrub(line.as_bytes(), &mut out);
                let out = String::from_utf8(out).unwrap();
                assert!(out.starts_with(&wanted), "{out}");
            }
        }
    }
}
