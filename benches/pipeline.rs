//! Whole blocks: bytes in, scrubbed bytes out. A measurement is named `scrub/policy/log`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod logs;

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use logs::{KINDS, Log};
use logscrub::action::keys::{KeyPeriod, Keys};
use logscrub::stream::block::BLOCK_BYTES;
use logscrub::{HashKey, Policy, Scrubber};

/// Eight blocks: what is written has left the second-level cache when the next round reads.
const LOG_BYTES: usize = 8 * BLOCK_BYTES;

const EVERYTHING: &str = "[[rule]]\nfind = ['all']\naction = 'redact'\n";
const PSEUDONYMS: &str = "pseudonyms.keyring = 'k.toml'\n[[rule]]\nfind = ['all']\naction = 'hash'\n";
const ONE_FIELD: &str =
    "[[rule]]\nfield = ['client_ip']\naction = 'drop'\n[[rule]]\nfind = ['all']\naction = 'redact'\n";

/// The content rules of the next two alone: what the fields cost is the ratio.
const VALUES: &str = "[[rule]]\nfind = ['email', 'ipv4', 'ipv6', 'pan']\naction = 'redact'\n";
/// Of the app log one record in forty holds a `card`.
const FIELDS: &str = "['user.id', 'user.name', 'user_id', 'password', 'cvv', 'card']";
const RARE_FIELDS: &str = "['password', 'cvv', 'card']";

/// A rule for fields before the rules for values.
fn with_fields(fields: &str) -> String {
    format!("[[rule]]\nname = 'fields'\nfield = {fields}\nelsewhere = 'no'\naction = 'redact'\n{VALUES}")
}

/// The access log three times as old from third to third, or from line to line, is read then: a step of the ladder
/// holds for each third.
const NOW: &str = "2026-06-10T00:00:00Z";
const DATES: [&[u8]; 3] = [b"01/Jan/2026", b"15/Apr/2026", b"08/Jun/2026"];
const LADDER: &str = "[[rule]]\nfind = ['ip', 'email']\nretain = [{ until = '7d', action = 'keep' }, { until = '90d', action = { truncate = { ipv4 = 24, email = 'domain' } } }, { action = 'redact' }]\n";
const TRUNCATED: &str =
    "[[rule]]\nfind = ['ip', 'email']\naction = { truncate = { ipv4 = 24, email = 'domain' } }\n";
const REDACTED: &str = "[[rule]]\nfind = ['ip', 'email']\naction = 'redact'\n";
const HASHED: &str = "pseudonyms.keyring = 'k.toml'\n[[rule]]\nfind = ['ip', 'email']\naction = 'hash'\n";

fn scrubber(policy: Policy) -> Scrubber {
    Scrubber::new(Arc::new(policy), Some(HashKey::new(&[7; 32])))
}

fn from_text(rules: &str) -> Scrubber {
    scrubber(Policy::from_toml(rules, "bench", Some(Path::new("."))).unwrap())
}

/// What was planted is what is acted on, kind by kind.
fn check(log: &Log) {
    let mut scrubber = from_text(EVERYTHING);
    log.blocks(BLOCK_BYTES).iter().for_each(|block| scrubber.scrub(block, &mut Vec::new()));
    let tally = scrubber.take_tally();
    for (kind, planted) in KINDS.into_iter().zip(log.planted) {
        let acted: u64 = tally.acted.iter().filter(|acted| acted.kind == kind).map(|acted| acted.count).sum();
        assert_eq!(acted, planted, "{kind:?} in {}", log.name);
    }
}

fn pipeline(criterion: &mut Criterion) {
    let logs = logs::all(LOG_BYTES);
    logs.iter().for_each(check);
    let policies = [
        ("default", scrubber(Policy::pack("default").unwrap())),
        ("access-log", scrubber(Policy::pack("access-log").unwrap())),
        ("hash", from_text(PSEUDONYMS)),
        ("one-field", from_text(ONE_FIELD)),
        ("values", from_text(VALUES)),
        ("fields", from_text(&with_fields(FIELDS))),
        ("rare-fields", from_text(&with_fields(RARE_FIELDS))),
    ];
    let mut group = criterion.benchmark_group("scrub");
    for (policy, scrubber) in policies {
        for log in &logs {
            group.throughput(Throughput::Bytes(log.text.len() as u64));
            group.bench_function(BenchmarkId::new(policy, log.name), |bencher| {
                let (mut scrubber, mut out) = (scrubber.clone(), Vec::new());
                bencher.iter(|| {
                    for block in log.blocks(BLOCK_BYTES) {
                        out.clear();
                        scrubber.scrub(black_box(block), &mut out);
                    }
                    out.len()
                });
            });
        }
    }
}

/// The log with the dates that this tells for each line.
fn dated(log: &Log, date: impl Fn(usize) -> &'static [u8]) -> Log {
    let mut text = log.text.clone();
    let places: Vec<usize> = memchr::memmem::find_iter(&log.text, b"01/Mar/2026").collect();
    for (line, at) in places.into_iter().enumerate() {
        let date = date(line);
        text[at..at + date.len()].copy_from_slice(date);
    }
    Log { text, ..*log }
}

/// Keys of 24 periods of 30 days, in the middle of which the log lies, or one.
fn keys(periods: i32) -> Keys {
    if periods == 1 {
        return Keys::one(HashKey::new(&[7; 32]));
    }
    let begin = |number: i32| now() + jiff::SignedDuration::from_hours(24 * 30) * (number - periods / 2);
    let period = |number: i32| {
        let key = HashKey::new(&[number as u8; 32]);
        let (from, until) = (Some(begin(number)), Some(begin(number + 1)));
        KeyPeriod { from, until, id: key.id().to_owned(), key: Some(key) }
    };
    Keys::new((0..periods).map(period).collect(), None, Vec::new())
}

fn now() -> jiff::Timestamp {
    NOW.parse().unwrap()
}

fn with_keys(rules: &str, periods: i32) -> Scrubber {
    let policy = Policy::from_toml(rules, "bench", Some(Path::new("."))).unwrap();
    Scrubber::with_keys(Arc::new(policy), Some(keys(periods))).at(now())
}

/// What ages cost: beside the same without them.
fn ages(criterion: &mut Criterion) {
    let access = &logs::all(LOG_BYTES)[0];
    let lines = access.lines().count();
    let old = dated(access, |_| DATES[0]);
    let thirds = dated(access, |line| DATES[(3 * line / lines).min(2)]);
    let mixed = dated(access, |line| DATES[line % 3]);
    let laddered = with_keys(LADDER, 1);
    let hashed = [with_keys(HASHED, 1), with_keys(HASHED, 24)];
    let cases = [
        ("ladder", "none-redact", with_keys(REDACTED, 1), &old),
        ("ladder", "none-truncate", with_keys(TRUNCATED, 1), &old),
        ("ladder", "last-step", laddered.clone(), &old),
        ("ladder", "thirds", laddered.clone(), &thirds),
        ("ladder", "mixed", laddered, &mixed),
        ("hash", "redact", with_keys(REDACTED, 1), &thirds),
        ("hash", "one-key", hashed[0].clone(), &thirds),
        ("hash", "24-keys", hashed[1].clone(), &thirds),
        ("hash", "24-keys-mixed", hashed[1].clone(), &mixed),
    ];
    for (group, name, scrubber, log) in cases {
        let mut group = criterion.benchmark_group(group);
        group.throughput(Throughput::Bytes(log.text.len() as u64));
        group.bench_function(BenchmarkId::new("access", name), |bencher| {
            let (mut scrubber, mut out) = (scrubber.clone(), Vec::new());
            bencher.iter(|| {
                for block in log.blocks(BLOCK_BYTES) {
                    out.clear();
                    scrubber.scrub(black_box(block), &mut out);
                }
                out.len()
            });
        });
        group.finish();
    }
}

criterion_group! {
    name = blocks;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(1000))
        .nresamples(10_000);
    targets = pipeline, ages
}
criterion_main!(blocks);
