//! The stages of the way through a block, each by itself.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod logs;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use logs::{KINDS, Log};
use logscrub::action::Tools;
use logscrub::decoded::Decoded;
use logscrub::detect::marks::Marks;
use logscrub::detect::unescape::{Ansi, unescape};
use logscrub::detect::{Candidate, Detectors, Scratch, index};
use logscrub::edit::Edits;
use logscrub::finding::Finding;
use logscrub::format::json::Json;
use logscrub::format::text::Text;
use logscrub::format::{Field, Format};
use logscrub::kind::Kind;
use logscrub::policy::Policy;
use logscrub::policy::decide::{Decisions, Record, Sighting};
use logscrub::span::Span;
use logscrub::stream::block::BLOCK_BYTES;

/// The candidates in a whole block.
fn indexing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("index");
    for log in logs::all(BLOCK_BYTES) {
        group.throughput(Throughput::Bytes(log.text.len() as u64));
        group.bench_function(log.name, |bencher| {
            let (mut marks, mut candidates) = (Marks::default(), Vec::new());
            bencher.iter(|| {
                candidates.clear();
                index(black_box(&log.text), &mut marks, &mut candidates);
                candidates.len()
            });
        });
    }
}

/// The findings of one kind, line by line, from candidates that are known.
fn detection(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("detect");
    let log = &logs::all(BLOCK_BYTES)[3];
    let lines = with_candidates(log);
    for (kind, planted) in KINDS.into_iter().zip(log.planted) {
        let detectors = Detectors::new([kind].into_iter().collect(), Vec::new(), Vec::new());
        let (mut scratch, mut found) = (Scratch::default(), Vec::new());
        let mut run = || {
            found.clear();
            for (line, candidates) in &lines {
                detectors.find_candidates(black_box(line), candidates, 0, &mut scratch, &mut found);
            }
            found.len() as u64
        };
        assert_eq!(run(), planted, "{kind:?}");
        group.throughput(Throughput::Bytes(log.text.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(name(kind)), |bencher| bencher.iter(&mut run));
    }
}

fn with_candidates(log: &Log) -> Vec<(&[u8], Vec<Candidate>)> {
    log.lines()
        .map(|line| {
            let mut candidates = Vec::new();
            index(line, &mut Marks::default(), &mut candidates);
            (line, candidates)
        })
        .collect()
}

fn name(kind: Kind) -> String {
    logscrub::kind::Kinds::default().name(kind).to_owned()
}

/// One level of escapes undone.
fn unescaping(criterion: &mut Criterion) {
    let log = logs::nested(BLOCK_BYTES);
    let mut decoded = Decoded::default();
    let mut run = || {
        let changed = |line: &&[u8]| unescape(black_box(line), Ansi::Remove, &mut decoded);
        log.lines().filter(changed).count()
    };
    assert_eq!(run(), log.lines().count());
    let mut group = criterion.benchmark_group("unescape");
    group.throughput(Throughput::Bytes(log.text.len() as u64));
    group.bench_function(log.name, |bencher| bencher.iter(&mut run));
}

/// The fields of JSON lines.
fn fields(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("json fields");
    for log in [&logs::all(BLOCK_BYTES)[1], &logs::nested(BLOCK_BYTES)] {
        let mut fields: Vec<Field> = Vec::new();
        let mut run = || {
            let read = |line: &&[u8]| {
                fields.clear();
                Json.fields(black_box(line), &mut fields).is_ok()
            };
            log.lines().filter(read).count()
        };
        assert_eq!(run(), log.lines().count());
        group.throughput(Throughput::Bytes(log.text.len() as u64));
        group.bench_function(log.name, |bencher| bencher.iter(&mut run));
    }
}

/// From findings that are known to the edited line.
fn decision(criterion: &mut Criterion) {
    let policy = Policy::from_toml("[[rule]]\nfind = ['all']\naction = 'redact'\n", "all", None).unwrap();
    let detectors = policy.detectors();
    let mut group = criterion.benchmark_group("decide and edit");
    for log in logs::all(BLOCK_BYTES).iter().filter(|log| matches!(log.name, "access" | "dense")) {
        let lines: Vec<(&[u8], Vec<Field>, Vec<Sighting>)> =
            log.lines().map(|line| sighted(&detectors, line)).collect();
        let mut decisions = Decisions::default();
        let (mut edits, mut out) = (Edits::default(), Vec::new());
        let tools = Tools { kinds: &policy.kinds, key: None };
        let mut run = || {
            let mut edited = 0;
            for (bytes, fields, sightings) in &lines {
                edits.clear();
                out.clear();
                let record = Record { bytes, format: &Text, fields, named: false };
                let mut plain = |span: Span, _: &Field, out: &mut Vec<u8>| {
                    out.extend_from_slice(span.of(bytes));
                };
                policy.decide(&record, sightings, &mut plain, &mut decisions);
                edits.plan(&policy, &record, &decisions.acting, tools, &mut plain);
                edits.splice(black_box(bytes), &mut out);
                edited += edits.list.len() as u64;
            }
            edited
        };
        assert_eq!(run(), log.planted.iter().sum::<u64>(), "{}", log.name);
        group.throughput(Throughput::Bytes(log.text.len() as u64));
        group.bench_function(log.name, |bencher| bencher.iter(&mut run));
    }
}

fn sighted<'l>(detectors: &Detectors, line: &'l [u8]) -> (&'l [u8], Vec<Field>, Vec<Sighting>) {
    let mut fields = Vec::new();
    Text.fields(line, &mut fields).unwrap();
    let mut found: Vec<Finding> = Vec::new();
    detectors.find(line, &mut Scratch::default(), &mut found);
    (line, fields, found.into_iter().map(|finding| Sighting { finding, field: 0 }).collect())
}

criterion_group! {
    name = stages;
    config = Criterion::default().sample_size(30);
    targets = indexing, detection, unescaping, fields, decision
}
criterion_main!(stages);
