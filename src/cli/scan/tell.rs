//! [`Teller`]: what is told of the lines that hold something, and the counts at the end.

use std::io::Write;
use std::sync::Arc;

use crate::cli::load::Scrubbers;
use crate::cli::paint::{Ink, Paint};
use crate::cli::print::escaped;
use crate::kind::Kind;
use crate::policy::Policy;
use crate::report::text::columns;
use crate::report::{ALL_RULES, RECORD};
use crate::scrub::{Dropped, Judged};
use crate::span::Span;
use crate::tally::{Acted, Tally};

/// Longest line that is shown; of a longer one only its length is.
const MAX_SHOWN_BYTES: usize = 4096;

/// Rule number under which kept sightings are counted.
pub(super) const KEPT: usize = usize::MAX;

/// Tells what was found in the lines of one file.
#[derive(Clone)]
pub(super) struct Teller {
    pub(super) name: String,
    pub(super) policy: Arc<Policy>,
    pub(super) with_rules: bool,
    pub(super) show: Show,
    pub(super) tally: Tally,
}

#[derive(Clone, Copy)]
pub(super) struct Show {
    pub(super) json: bool,
    pub(super) values: bool,
    pub(super) name: bool,
    pub(super) paint: Paint,
}

/// A line that was looked at.
#[derive(Clone, Copy)]
pub(super) struct Line<'l> {
    pub(super) number: u64,
    pub(super) bytes: usize,
    /// Its text; none if it came in pieces.
    pub(super) text: Option<&'l [u8]>,
}

impl Teller {
    /// Tells what was found in a line, and counts it.
    pub(super) fn line(&mut self, line: Line<'_>, judged: &Judged, out: &mut Vec<u8>) {
        self.tally.dropped += u64::from(judged.dropped.is_some());
        let found = self.findings(judged);
        for (_, kind, rule) in &found {
            self.tally.act(Acted { rule: *rule, step: 0, kind: *kind, year: None, count: 1 });
        }
        if self.with_rules && !goes_whole(judged) {
            for finding in judged.sightings.iter().filter(|finding| !is_changed(judged, finding.span)) {
                self.tally.act(Acted { rule: KEPT, step: 0, kind: finding.kind, year: None, count: 1 });
            }
        }
        if found.is_empty() && judged.dropped.is_none() {
            return;
        }
        if !self.show.json {
            return self.shown(line, judged, out);
        }
        if found.is_empty() {
            self.json(line, Span::new(0, line.bytes), RECORD, Some(ALL_RULES), out);
        }
        for (span, kind, rule) in found {
            let rule = self.policy.rules.get(rule).filter(|_| self.with_rules).map(|rule| rule.name.as_str());
            self.json(line, span, self.policy.kinds.name(kind), rule, out);
        }
    }

    /// Span, kind and rule: without rules everything that was found, overlaps included; with rules what they
    /// would change. Nothing of a record that goes as a whole, whatever it holds.
    fn findings(&self, judged: &Judged) -> Vec<(Span, Kind, usize)> {
        if goes_whole(judged) {
            Vec::new()
        } else if self.with_rules {
            judged.changes.iter().map(|cause| (cause.value, cause.kind, cause.rule)).collect()
        } else {
            judged.sightings.iter().map(|finding| (finding.span, finding.kind, 0)).collect()
        }
    }

    fn json(&self, line: Line<'_>, span: Span, kind: &str, rule: Option<&str>, out: &mut Vec<u8>) {
        let finding = serde_json::json!({
            "file": self.name, "line": line.number, "start": span.start, "end": span.end,
            "kind": kind, "rule": rule,
        });
        out.extend_from_slice(finding.to_string().as_bytes());
        out.push(b'\n');
    }

    /// The line for people: scrubbed, what stands for values coloured; as it is only with `--show-values`.
    fn shown(&self, line: Line<'_>, judged: &Judged, out: &mut Vec<u8>) {
        let Show { values, name, paint, .. } = self.show;
        if name {
            let name = paint.text(Ink::Path, &escaped(self.name.as_bytes()));
            let _ = write!(out, "{name}:");
        }
        let _ = write!(out, "{}: ", paint.text(Ink::Line, &line.number.to_string()));
        let text = match (line.text, &judged.left) {
            (Some(text), _) if values => marked(text, &spans(judged), paint),
            _ if judged.dropped.is_some() => String::new(),
            (Some(_), Some(left)) if left.len() <= MAX_SHOWN_BYTES => marked(left, &judged.residues, paint),
            (Some(_), Some(left)) => format!("[line of {} bytes]", left.len()),
            (_, _) => format!("[{} in a long line]", judged.sightings.len()),
        };
        let dropped = if judged.dropped.is_some() { "[dropped]" } else { "" };
        let gap = if dropped.is_empty() || text.is_empty() { "" } else { " " };
        let _ = writeln!(out, "{dropped}{gap}{text}");
    }
}

/// Whether a record goes for another reason than what a rule finds in it.
fn goes_whole(judged: &Judged) -> bool {
    matches!(judged.dropped, Some(Dropped::ByAge | Dropped::WithBefore))
}

fn spans(judged: &Judged) -> Vec<Span> {
    judged.sightings.iter().map(|finding| finding.span).collect()
}

/// The text with these spans coloured and control characters escaped.
fn marked(text: &[u8], spans: &[Span], paint: Paint) -> String {
    let mut shown = String::new();
    let mut from = 0;
    for span in spans.iter().filter(|span| !span.is_empty()) {
        if span.start >= from {
            shown += &escaped(&text[from..span.start]);
            shown += &paint.text(Ink::Residue, &escaped(span.of(text)));
            from = span.end;
        }
    }
    shown + &escaped(&text[from..])
}

/// Whether any change of a record touches these bytes of it.
fn is_changed(judged: &Judged, span: Span) -> bool {
    let next = judged.changes.partition_point(|change| change.value.end <= span.start);
    judged.changes.get(next).is_some_and(|change| change.value.start < span.end)
}

/// How many of each kind; what the rules keep apart, and the records that would be dropped.
pub(super) fn counts(scrubbers: &Scrubbers, tallies: &[Tally]) -> String {
    let mut rows: Vec<(String, u64)> = Vec::new();
    for ((_, scrubber), tally) in scrubbers.iter().zip(tallies) {
        for (kind, name) in scrubber.policy().kinds.iter() {
            for (is_kept, name) in [(false, name.to_owned()), (true, format!("{name} (kept)"))] {
                let of =
                    tally.acted.iter().filter(|acted| acted.kind == kind && (acted.rule == KEPT) == is_kept);
                let count: u64 = of.map(|acted| acted.count).sum();
                match rows.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, known)) => *known += count,
                    None => rows.push((name, count)),
                }
            }
        }
    }
    let dropped = tallies.iter().map(|tally| tally.dropped).sum();
    rows.push((format!("{RECORD} (dropped)"), dropped));
    let rows: Vec<[String; 2]> = rows
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| [name, count.to_string()])
        .collect();
    if rows.is_empty() { "nothing found\n".to_owned() } else { columns(&rows) }
}
