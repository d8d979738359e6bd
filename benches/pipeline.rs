//! Whole blocks: bytes in, scrubbed bytes out. A measurement is named `scrub/policy/log`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod logs;

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use logs::{KINDS, Log};
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

criterion_group! {
    name = blocks;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(1000))
        .nresamples(10_000);
    targets = pipeline
}
criterion_main!(blocks);
