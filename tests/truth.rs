//! The labelled lines of real logs, scored: leak recall and precision per kind.
//!
//! They are not part of the project: `LOGSCRUB_SHARED` names the folder that holds `truth/`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use logscrub::detect::{Detectors, Scratch};
use logscrub::finding::Finding;
use logscrub::kind::{Kind, Kinds};
use logscrub::span::Span;

const KINDS: [Kind; 4] = [Kind::EMAIL, Kind::IPV4, Kind::IPV6, Kind::PAN];
/// Of what must be found, and of what is found: at least this share, or all but one.
const BAR: f64 = 0.995;

struct Label {
    span: Span,
    kind: String,
    level: String,
}

#[derive(Default)]
struct Score {
    must: usize,
    leaked: usize,
    exact: usize,
    found: usize,
    wrong: usize,
}

fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("LOGSCRUB_SHARED").map(PathBuf::from);
    if folder.is_none() {
        println!("SKIPPED: LOGSCRUB_SHARED is not set, so there are no labelled lines to score");
    }
    folder
}

fn labels(path: &Path) -> HashMap<usize, Vec<Label>> {
    let mut labels: HashMap<usize, Vec<Label>> = HashMap::new();
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let label: serde_json::Value = serde_json::from_str(line).unwrap();
        let number = |name: &str| label[name].as_u64().unwrap() as usize;
        let text = |name: &str| label[name].as_str().unwrap().to_owned();
        let span = Span::new(number("start_byte"), number("end_byte"));
        labels.entry(number("sample_line")).or_default().push(Label {
            span,
            kind: text("kind"),
            level: text("level"),
        });
    }
    labels
}

/// Whether the findings together cover every byte of the span.
fn is_covered(span: Span, found: &[Finding]) -> bool {
    (span.start..span.end).all(|at| found.iter().any(|found| found.span.contains(Span::new(at, at + 1))))
}

fn around(line: &[u8], span: Span) -> String {
    let window = &line[span.start.saturating_sub(30)..line.len().min(span.end + 20)];
    String::from_utf8_lossy(window).into_owned()
}

fn score(log: &str, label_file: &str) {
    let Some(shared) = shared() else { return };
    let labels = labels(&shared.join("truth").join(label_file));
    let text = std::fs::read(shared.join("truth").join(log)).unwrap();
    let detectors = Detectors::new(KINDS.into_iter().collect(), Vec::new(), Vec::new());
    let names = Kinds::default();
    let mut scratch = Scratch::default();
    let mut scores: HashMap<Kind, Score> = HashMap::new();
    for (at, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let mut found = Vec::new();
        detectors.find(line, &mut scratch, &mut found);
        let labels = labels.get(&(at + 1)).map_or(&[][..], Vec::as_slice);
        for label in labels.iter().filter(|label| label.level == "must") {
            let Some(kind) = names.get(&label.kind) else { continue };
            let score = scores.entry(kind).or_default();
            score.must += 1;
            score.exact +=
                usize::from(found.iter().any(|found| found.kind == kind && found.span == label.span));
            if !found.iter().any(|found| found.kind == kind && found.span == label.span) {
                println!("{log}:{} other extent {}: {}", at + 1, label.kind, around(line, label.span));
            }
            if !is_covered(label.span, &found) {
                score.leaked += 1;
                println!("{log}:{} leaked {}: {}", at + 1, label.kind, around(line, label.span));
            }
        }
        for finding in &found {
            let score = scores.entry(finding.kind).or_default();
            score.found += 1;
            if !labels.iter().any(|label| label.level != "not" && label.span.overlaps(finding.span)) {
                score.wrong += 1;
                println!(
                    "{log}:{} wrong {}: {}",
                    at + 1,
                    names.name(finding.kind),
                    around(line, finding.span)
                );
            }
        }
    }
    println!("{log}: kind, must, leaked, exact, found, wrong");
    for kind in KINDS {
        let score = scores.entry(kind).or_default();
        println!(
            "  {:6} {:5} {:3} {:5} {:5} {:3}",
            names.name(kind),
            score.must,
            score.leaked,
            score.exact,
            score.found,
            score.wrong
        );
    }
    for kind in KINDS {
        let score = &scores[&kind];
        let passes = |bad: usize, all: usize| bad <= 1 || 1.0 - bad as f64 / all as f64 >= BAR;
        assert!(passes(score.leaked, score.must), "leak recall of {}", names.name(kind));
        assert!(passes(score.wrong, score.found), "precision of {}", names.name(kind));
    }
}

#[test]
fn real_lines() {
    score("sample.log", "labels.jsonl");
}

#[test]
fn real_lines_with_a_planted_value() {
    score("injected.log", "injected_labels.jsonl");
}
