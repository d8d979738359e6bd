//! The stages of the way through a block, each by itself.
//!
//! A measurement is named `stage/log`, or `stage/level/log` where vector instructions matter.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod logs;

use std::collections::BTreeSet;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use logs::{KINDS, Log};
use logscrub::action::Tools;
use logscrub::action::residue::Residues;
use logscrub::decoded::Decoded;
use logscrub::detect::glance::{Sight, Sights, Told};
use logscrub::detect::marks::{Marks, mark_at};
use logscrub::detect::simd::Level;
use logscrub::detect::unescape::{Ansi, unescape};
use logscrub::detect::{DETECTORS, Detectors, Scratch};
use logscrub::edit::Edits;
use logscrub::finding::Finding;
use logscrub::format::json::Json;
use logscrub::format::{Field, Fields, Head, Role};
use logscrub::kind::{Kind, KindSet};
use logscrub::policy::Policy;
use logscrub::policy::decide::{Decisions, Record, Sighting};
use logscrub::policy::taint::Means;
use logscrub::span::Span;
use logscrub::stream::block::BLOCK_BYTES;

/// The detector whose candidates lie one byte behind its trigger.
const IPV4: u8 = 1;

fn levels() -> impl Iterator<Item = Level> {
    Level::ALL.iter().copied().filter(|level| level.is_here())
}

fn bytes(log: &Log) -> Throughput {
    Throughput::Bytes(log.text.len() as u64)
}

/// The bit maps of a block, and the candidates.
fn marking(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("marks");
    for log in logs::all(BLOCK_BYTES) {
        for level in levels() {
            let mut marks = Marks::default();
            mark_at(level, &log.text, &mut marks);
            let mut sights = Sights::default();
            sights.glance_at(level, &log.text, &marks, [true; 4]);
            assert_eq!(values(&log, &marks, sights.list()), log.visible(), "{level:?} {}", log.name);
            group.throughput(bytes(&log));
            group.bench_function(id(level, &log), |bencher| {
                bencher.iter(|| {
                    mark_at(level, black_box(&log.text), &mut marks);
                    marks.candidates().len()
                });
            });
        }
    }
}

/// What is told of the candidates of a block of which the marks are known.
fn glancing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("glance");
    for log in logs::all(BLOCK_BYTES) {
        for level in levels() {
            let (mut marks, mut sights) = (Marks::default(), Sights::default());
            mark_at(level, &log.text, &mut marks);
            sights.glance_at(level, &log.text, &marks, [true; 4]);
            assert_eq!(values(&log, &marks, sights.list()), log.visible(), "{level:?} {}", log.name);
            group.throughput(bytes(&log));
            group.bench_function(id(level, &log), |bencher| {
                bencher.iter(|| {
                    sights.glance_at(level, black_box(&log.text), &marks, [true; 4]);
                    sights.list().len()
                });
            });
        }
    }
}

fn id(level: Level, log: &Log) -> BenchmarkId {
    BenchmarkId::new(format!("{level:?}").to_lowercase(), log.name)
}

/// How many values of each detector the sights come to, where the exact test decides what they leave open.
fn values(log: &Log, marks: &Marks, sights: &[Sight]) -> [u64; 4] {
    let mut spans = BTreeSet::new();
    for sight in sights {
        match sight.told {
            Told::Found => {
                spans.extend([(sight.detector, Span::new(sight.start as usize, sight.end as usize))])
            }
            Told::Unsure => {
                let (line, at) = placed(log, marks, sight);
                let verdict = DETECTORS[usize::from(sight.detector)].verify(line.of(&log.text), at);
                spans.extend(verdict.outcome.map(|found| (sight.detector, found.span.shifted(line.start))));
            }
            Told::Nothing | Told::Never => {}
        }
    }
    std::array::from_fn(|at| spans.iter().filter(|(detector, _)| usize::from(*detector) == at).count() as u64)
}

/// The line of a sight and, in it, the place that the exact test asks for.
fn placed(log: &Log, marks: &Marks, sight: &Sight) -> (Span, usize) {
    let at = sight.at as usize;
    let (line, _) = marks.line(at, 0, log.text.len());
    (line, at - line.start - usize::from(sight.detector == IPV4))
}

/// The exact test of one kind at its candidates, those that a glance would decide as well. Rates are candidates.
fn verifying(criterion: &mut Criterion) {
    let logs = logs::all(BLOCK_BYTES);
    for (detector, kind) in KINDS.into_iter().enumerate() {
        let mut group = criterion.benchmark_group(format!("verify/{}", name(kind)));
        for log in &logs {
            let places = places(log, detector);
            let candidates: usize = places.iter().map(|(_, places)| places.len()).sum();
            if candidates == 0 {
                continue;
            }
            let mut run = || {
                let found = |(line, places): &(&[u8], Vec<usize>)| verify(detector, black_box(line), places);
                places.iter().map(found).sum::<u64>()
            };
            assert_eq!(run(), log.visible()[detector], "{kind:?} in {}", log.name);
            group.throughput(Throughput::Elements(candidates as u64));
            group.bench_function(log.name, |bencher| bencher.iter(&mut run));
        }
    }
}

fn name(kind: Kind) -> String {
    logscrub::kind::Kinds::default().name(kind).to_owned()
}

/// The candidates of a detector, line by line.
fn places(log: &Log, detector: usize) -> Vec<(&[u8], Vec<usize>)> {
    let (mut marks, mut sights) = (Marks::default(), Sights::default());
    mark_at(Level::best(), &log.text, &mut marks);
    sights.glance(&log.text, &marks, std::array::from_fn(|at| at == detector));
    let mut lines: Vec<(Span, Vec<usize>)> = Vec::new();
    for sight in sights.list() {
        let (line, at) = placed(log, &marks, sight);
        match lines.last_mut() {
            Some((last, places)) if *last == line => places.push(at),
            _ => lines.push((line, vec![at])),
        }
    }
    lines.into_iter().map(|(line, places)| (line.of(&log.text), places)).collect()
}

/// The values of a line.
fn verify(detector: usize, line: &[u8], places: &[usize]) -> u64 {
    let (mut found, mut resume) = (0, 0);
    for at in places {
        if *at >= resume {
            let verdict = DETECTORS[detector].verify(line, *at);
            resume = verdict.resume;
            found += u64::from(verdict.outcome.is_ok());
        }
    }
    found
}

/// All findings of a line, through its escapes.
fn finding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("find");
    let kinds: KindSet = KINDS.into_iter().collect();
    let detectors = Detectors::new(kinds, Vec::new(), Vec::new());
    for log in logs::all(BLOCK_BYTES) {
        let (mut scratch, mut found) = (Scratch::default(), Vec::new());
        let mut run = || {
            found.clear();
            log.lines().for_each(|line| detectors.find(black_box(line), &mut scratch, &mut found));
            found.len() as u64
        };
        assert_eq!(run(), log.values(), "{}", log.name);
        group.throughput(bytes(&log));
        group.bench_function(log.name, |bencher| bencher.iter(&mut run));
    }
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
    group.throughput(bytes(&log));
    group.bench_function(log.name, |bencher| bencher.iter(&mut run));
}

/// The fields of JSON lines.
fn fields(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fields");
    for log in [logs::app(BLOCK_BYTES), logs::nested(BLOCK_BYTES)] {
        let (mut fields, head) = (Fields::default(), Head::default());
        let mut run = || {
            let read = |line: &&[u8]| fields.read(black_box(line), &Json, &head);
            log.lines().filter(read).count()
        };
        assert_eq!(run(), log.lines().count());
        group.throughput(bytes(&log));
        group.bench_function(log.name, |bencher| bencher.iter(&mut run));
    }
}

/// A line of which everything is known that a decision needs.
struct Sighted<'l> {
    bytes: &'l [u8],
    fields: Fields,
    sightings: Vec<Sighting>,
}

impl<'l> Sighted<'l> {
    fn new(detectors: &Detectors, bytes: &'l [u8]) -> Sighted<'l> {
        let (mut fields, mut sightings) = (Fields::default(), Vec::new());
        if !fields.read(bytes, &Json, &Head::default()) {
            fields.read_text(bytes);
        }
        let holds = |field: &Field| matches!(field.role, Role::Text | Role::Number);
        for (at, field) in fields.list.iter().enumerate().filter(|(_, field)| holds(field)) {
            let mut found: Vec<Finding> = Vec::new();
            detectors.find(field.value.of(bytes), &mut Scratch::default(), &mut found);
            let placed = |one: Finding| Finding { span: one.span.shifted(field.value.start), ..one };
            sightings.extend(found.into_iter().map(|one| Sighting {
                finding: placed(one),
                field: at,
                left: false,
            }));
        }
        Sighted { bytes, fields, sightings }
    }

    fn record(&self) -> Record<'_> {
        Record { bytes: self.bytes, fields: &self.fields }
    }

    fn decide(&self, policy: &Policy, decisions: &mut Decisions) {
        decisions.clear();
        let tools = Tools { kinds: &policy.kinds, keys: None, period: None };
        let means = Means { tools, residues: &Residues::default() };
        policy.decide(&self.record(), &self.sightings, means, &mut self.plain(), decisions);
        policy.part(&mut decisions.acting);
    }

    fn edit(&self, policy: &Policy, decisions: &Decisions, edits: &mut Edits, out: &mut Vec<u8>) {
        edits.clear();
        out.clear();
        let tools = Tools { kinds: &policy.kinds, keys: None, period: None };
        let means = Means { tools, residues: &Residues::default() };
        edits.plan(policy, &self.record(), &decisions.acting, means, &mut self.plain());
        edits.splice(black_box(self.bytes), out);
    }

    fn plain(&self) -> impl FnMut(Span, &Field, &mut Vec<u8>) {
        |span, _, out| out.extend_from_slice(span.of(self.bytes))
    }
}

/// From findings that are known to what is done about them, and from that to the edited line; for the lines that
/// hold any.
fn deciding(criterion: &mut Criterion) {
    let policy = Policy::from_toml("[[rule]]\nfind = ['all']\naction = 'redact'\n", "all", None).unwrap();
    let detectors = policy.detectors();
    for log in logs::all(BLOCK_BYTES).iter().filter(|log| log.values() > 0) {
        let mut lines: Vec<Sighted<'_>> = log.lines().map(|line| Sighted::new(&detectors, line)).collect();
        lines.retain(|line| !line.sightings.is_empty());
        decide(criterion, log, &policy, &lines);
        edit(criterion, log, &policy, &lines);
    }
}

fn decide(criterion: &mut Criterion, log: &Log, policy: &Policy, lines: &[Sighted<'_>]) {
    let mut decisions = Decisions::default();
    let mut run = || {
        let mut acting = 0;
        for line in black_box(lines) {
            line.decide(policy, &mut decisions);
            acting += decisions.acting.len() as u64;
        }
        acting
    };
    assert_eq!(run(), log.values(), "{}", log.name);
    let mut group = criterion.benchmark_group("decide");
    group.throughput(Throughput::Elements(log.values()));
    group.bench_function(log.name, |bencher| bencher.iter(&mut run));
}

fn edit(criterion: &mut Criterion, log: &Log, policy: &Policy, lines: &[Sighted<'_>]) {
    let decided = |line| {
        let mut decisions = Decisions::default();
        Sighted::decide(line, policy, &mut decisions);
        (line, decisions)
    };
    let lines: Vec<(&Sighted<'_>, Decisions)> = lines.iter().map(decided).collect();
    let (mut edits, mut out) = (Edits::default(), Vec::new());
    let mut run = || {
        let mut edited = 0;
        for (line, decisions) in &lines {
            line.edit(policy, decisions, &mut edits, &mut out);
            // A number in JSON takes two more, for its quotes.
            edited += edits.list.iter().filter(|edit| edit.cause.is_some()).count() as u64;
        }
        edited
    };
    assert_eq!(run(), log.values(), "{}", log.name);
    let mut group = criterion.benchmark_group("edit");
    group.throughput(Throughput::Elements(log.values()));
    group.bench_function(log.name, |bencher| bencher.iter(&mut run));
}

criterion_group! {
    name = stages;
    // Short: there are eighty, and two runs in turn tell more than one that is long.
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .nresamples(10_000);
    targets = marking, glancing, verifying, finding, unescaping, fields, deciding
}
criterion_main!(stages);
