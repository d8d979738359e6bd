//! `logscrub scan`: find only.

mod members;

use std::io::Write;
use std::path::{Path, PathBuf};

use super::args::{Color, Scan};
use super::exit::Exit;
use super::lines::Lines;
use super::load::Scrubbers;
use super::paint::{Ink, Paint};
use super::print::{escaped, message, to_stderr, usage_fault};
use crate::archive::walk::Walk;
use crate::error::reason;
use crate::policy::Policy;
use crate::report::text::columns;
use crate::scrub::{Carry, Judged, Scrubber, Tracker};
use crate::span::Span;
use crate::stream::{Fault, Input, Outcome, Output, Place, Scrub, Settings, Target, Watch, drive};
use crate::tally::{Acted, Tally};

/// Longest line that is shown; of a longer one only its length is.
const MAX_SHOWN_BYTES: usize = 4096;

pub(super) fn run(args: &Scan) -> Exit {
    start(args).unwrap_or_else(|exit| exit)
}

fn start(args: &Scan) -> Result<Exit, Exit> {
    let scrubbers = scrubbers(args)?;
    let watch = args.reading.watch()?;
    let output = Output::open(&Target::Stdout).map_err(|cause| Exit::of_output(&cause))?;
    let tallies = vec![Tally::default(); scrubbers.iter().count()];
    let mut faults = Vec::new();
    let (files, many) = files(&args.paths, &mut faults);
    let mut search = Search { args, scrubbers: &scrubbers, watch, output, tallies, faults, many };
    for file in files {
        members::search(&mut search, &file)?;
    }
    Ok(search.end())
}

/// What was searched so far.
struct Search<'a> {
    args: &'a Scan,
    scrubbers: &'a Scrubbers,
    watch: Watch,
    output: Output,
    /// By scrubber.
    tallies: Vec<Tally>,
    faults: Vec<Fault>,
    /// Names are shown.
    many: bool,
}

impl Search<'_> {
    fn one(&mut self, place: &Place, input: Result<Input<'_>, Fault>) -> Result<(), Exit> {
        self.one_by(self.scrubbers.number_for(place), place, input)
    }

    /// Searches a file, or a member of an archive, which is named so, by the scrubber of that number.
    fn one_by(&mut self, number: usize, place: &Place, input: Result<Input<'_>, Fault>) -> Result<(), Exit> {
        let finder = Finder::new(self.scrubbers.get(number), self.args, place, self.many);
        let settings = Settings { max_record: self.args.reading.max_record, ..Settings::default() };
        let input = input.map(Input::told_of);
        let outcome = drive([input], finder, &mut self.output, &mut self.watch, &settings);
        self.add(number, outcome)
    }

    fn add(&mut self, number: usize, outcome: Outcome) -> Result<(), Exit> {
        outcome.output.map_err(|cause| Exit::of_output(&cause))?;
        self.tallies.get_mut(number).into_iter().for_each(|tally| tally.add(&outcome.tally));
        self.faults.extend(outcome.input_faults);
        outcome.ended_by.map_or(Ok(()), |signal| Err(Exit::Signal(signal)))
    }

    /// Says that something is there which is no log, so that nobody takes it for searched.
    fn pass_over(&self, place: &Place, why: &str) {
        if !self.args.quiet {
            message(&format!("{}: not searched: {why}", escaped(place.name().as_bytes())));
        }
    }

    fn end(self) -> Exit {
        self.faults.iter().for_each(|fault| message(&fault.to_string()));
        if !self.args.quiet && !self.args.json {
            to_stderr(&counts(self.scrubbers, &self.tallies));
        }
        let found = self.tallies.iter().flat_map(|tally| &tally.acted).any(|acted| acted.rule != KEPT);
        match (self.faults.is_empty(), found) {
            (false, _) => Exit::Input,
            (true, true) => Exit::Found,
            (true, false) => Exit::Done,
        }
    }
}

/// Under the rules that are named; else under one rule that covers everything.
fn scrubbers(args: &Scan) -> Result<Scrubbers, Exit> {
    if let Some(identifiers) = &args.erase {
        let reads_stdin = super::filter::places(&args.paths).contains(&Place::Stdin);
        if reads_stdin && identifiers == Path::new("-") {
            return Err(usage_fault("--erase - takes standard input, which is searched already"));
        }
        return args.by.erasers(identifiers, args.quiet);
    }
    if args.by.has_rules() {
        if !args.kind.is_empty() {
            return Err(usage_fault(
                "--kind goes without --rules: with rules, what they would change is shown",
            ));
        }
        return args.by.scrubbers();
    }
    let kinds = if args.kind.is_empty() { vec!["all".to_owned()] } else { args.kind.clone() };
    let kinds: Vec<String> = kinds.iter().map(|kind| format!("{kind:?}")).collect();
    let rules = format!("[[rule]]\nname = \"found\"\nfind = [{}]\naction = \"redact\"\n", kinds.join(", "));
    let policy = Policy::from_toml(&rules, "--kind", None).map_err(|faults| {
        faults.iter().for_each(|fault| message(&format!("--kind: {}", fault.message)));
        Exit::Usage
    })?;
    args.by.scrubber_under(policy).map(Scrubbers::one)
}

/// A file to be searched.
struct Candidate {
    place: Place,
    /// Somebody named it, and so means it whatever it holds; others were found in a directory.
    named: bool,
}

/// All regular files under the paths, in the order of their names; and whether names are to be shown.
/// Symbolic links in directories are not followed.
fn files(paths: &[PathBuf], faults: &mut Vec<Fault>) -> (Vec<Candidate>, bool) {
    let found = |path| Candidate { place: Place::Path(path), named: false };
    let mut files = Vec::new();
    for place in super::filter::places(paths) {
        match place {
            Place::Path(path) if path.is_dir() => files.extend(under(&path, faults).into_iter().map(found)),
            place => files.push(Candidate { place, named: true }),
        }
    }
    let many = files.len() > 1 || paths.iter().any(|path| path.is_dir());
    (files, many)
}

fn under(folder: &Path, faults: &mut Vec<Fault>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut walk = Walk::new(folder);
    while let Some(found) = walk.next() {
        let entered = match &found.about {
            Ok(about) if about.is_dir() => walk.enter(&found).err().map(|cause| reason(&cause)),
            Ok(about) if about.is_file() => {
                files.push(found.path);
                continue;
            }
            Ok(_) => None,
            Err(cause) => Some(reason(cause)),
        };
        let source = || found.path.display().to_string();
        faults.extend(entered.map(|what| Fault { source: source(), what, offset: None }));
    }
    files
}

/// Bytes before and behind what a window is searched for: more than the longest value.
const OVERLAP_BYTES: usize = 4 << 10;

/// Whether any change of a record touches these bytes of it.
fn is_changed(judged: &Judged, span: Span) -> bool {
    let next = judged.changes.partition_point(|change| change.value.end <= span.start);
    judged.changes.get(next).is_some_and(|change| change.value.start < span.end)
}

/// Rule number under which kept sightings are counted.
const KEPT: usize = usize::MAX;

/// Finds in one file. What it writes is not the scrubbed text but the lines of the report.
#[derive(Clone)]
struct Finder {
    scrubber: Scrubber,
    name: String,
    with_rules: bool,
    show: Show,
    lines: Lines,
    /// The line that is looked at.
    line: u64,
    long: Long,
    tally: Tally,
}

/// A line that comes in pieces.
#[derive(Clone, Default)]
struct Long {
    /// Where in the line the window starts.
    start: usize,
    window: Vec<u8>,
    /// How much of the window needs no second look.
    searched: usize,
}

#[derive(Clone, Copy)]
struct Show {
    json: bool,
    values: bool,
    name: bool,
    paint: Paint,
}

impl Finder {
    fn new(scrubber: &Scrubber, args: &Scan, place: &Place, many: bool) -> Finder {
        let paint = Paint::of(if args.json { Color::Never } else { args.color });
        Finder {
            scrubber: scrubber.clone(),
            name: match place {
                Place::Stdin => "-".to_owned(),
                Place::Path(path) => path.display().to_string(),
            },
            with_rules: args.by.has_rules() || args.erase.is_some(),
            show: Show { json: args.json, values: args.show_values, name: many, paint },
            lines: Lines::default(),
            line: 0,
            long: Long::default(),
            tally: Tally::default(),
        }
    }

    fn line(&mut self, record: &[u8], judged: &Judged, out: &mut Vec<u8>) {
        let found = self.findings(judged);
        for (_, kind, rule) in &found {
            self.tally.act(Acted { rule: *rule, step: 0, kind: *kind, year: None, count: 1 });
        }
        if self.with_rules {
            for finding in judged.sightings.iter().filter(|finding| !is_changed(judged, finding.span)) {
                self.tally.act(Acted { rule: KEPT, step: 0, kind: finding.kind, year: None, count: 1 });
            }
        }
        if found.is_empty() {
            return;
        }
        if self.show.json {
            found.iter().for_each(|finding| self.json(*finding, out));
        } else {
            self.shown(record, judged, out);
        }
    }

    /// Span, kind and rule: without rules everything that was found, overlaps included; with rules what they
    /// would change.
    fn findings(&self, judged: &Judged) -> Vec<(Span, crate::kind::Kind, usize)> {
        if self.with_rules {
            judged.changes.iter().map(|cause| (cause.value, cause.kind, cause.rule)).collect()
        } else {
            judged.sightings.iter().map(|finding| (finding.span, finding.kind, 0)).collect()
        }
    }

    fn json(&self, (span, kind, rule): (Span, crate::kind::Kind, usize), out: &mut Vec<u8>) {
        let policy = self.scrubber.policy();
        let rule = self.with_rules.then(|| policy.rules[rule].name.as_str());
        let finding = serde_json::json!({
            "file": self.name, "line": self.line, "start": span.start, "end": span.end,
            "kind": policy.kinds.name(kind), "rule": rule,
        });
        out.extend_from_slice(finding.to_string().as_bytes());
        out.push(b'\n');
    }

    /// The line for people: scrubbed, what stands for values coloured; as it is only with `--show-values`.
    fn shown(&self, record: &[u8], judged: &Judged, out: &mut Vec<u8>) {
        let Show { values, name, paint, .. } = self.show;
        if name {
            let name = paint.text(Ink::Path, &escaped(self.name.as_bytes()));
            let _ = write!(out, "{name}:");
        }
        let _ = write!(out, "{}: ", paint.text(Ink::Line, &self.line.to_string()));
        let text = match (&judged.left, values) {
            _ if record.is_empty() => format!("[{} in a long line]", judged.sightings.len()),
            (_, true) => marked(record, &spans(judged), paint),
            (Some(left), false) if left.len() <= MAX_SHOWN_BYTES => marked(left, &judged.residues, paint),
            (Some(left), false) => format!("[line of {} bytes]", left.len()),
            (None, _) => "[dropped]".to_owned(),
        };
        let _ = writeln!(out, "{text}");
    }
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

impl Scrub for Finder {
    fn scrub(&mut self, block: &[u8], out: &mut Vec<u8>) {
        let mut scrubber = self.scrubber.clone();
        let before = self.lines.so_far();
        scrubber.inspect(block, |number, record, judged| {
            self.line = before + number;
            self.line(record, &judged, out);
        });
        self.lines.add(crate::scrub::count_records(block));
    }

    /// A line too long for one piece is searched as text in overlapping windows.
    fn scrub_piece(&mut self, piece: &[u8], last: bool, out: &mut Vec<u8>) {
        self.line = self.lines.so_far() + 1;
        self.long.window.extend_from_slice(piece);
        let due =
            if last { self.long.window.len() } else { self.long.window.len().saturating_sub(OVERLAP_BYTES) };
        let mut judged = self.scrubber.inspect_text(&self.long.window);
        let new = |span: Span| (self.long.searched..due).contains(&span.start);
        judged.sightings.retain(|finding| new(finding.span));
        judged.changes.retain(|cause| new(cause.value));
        judged.sightings.iter_mut().for_each(|finding| finding.span = finding.span.shifted(self.long.start));
        judged.changes.iter_mut().for_each(|cause| cause.value = cause.value.shifted(self.long.start));
        self.line(b"", &judged, out);
        let keep = due.saturating_sub(OVERLAP_BYTES);
        self.long.window.drain(..keep);
        self.long.start += keep;
        self.long.searched = due - keep;
        if last {
            self.long = Long::default();
            self.lines.add(1);
        }
    }

    fn tracker(&self) -> Option<Tracker> {
        self.scrubber.tracker()
    }

    fn go_on(&mut self, carry: &Carry) {
        self.scrubber.go_on(carry.clone());
    }

    fn skip(&mut self, record: &[u8]) {
        self.scrubber.skip(record);
        self.lines.add(1);
    }

    fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }
}

/// How many of each kind; what the rules keep apart.
fn counts(scrubbers: &Scrubbers, tallies: &[Tally]) -> String {
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
    let rows: Vec<[String; 2]> = rows
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| [name, count.to_string()])
        .collect();
    if rows.is_empty() { "nothing found\n".to_owned() } else { columns(&rows) }
}
