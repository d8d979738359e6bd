//! `logscrub scan`: find only.

mod members;
mod tell;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::{Color, Scan};
use super::exit::Exit;
use super::lines::Lines;
use super::load::Scrubbers;
use super::paint::Paint;
use super::print::{escaped, message, to_stderr, usage_fault};
use crate::archive::walk::Walk;
use crate::error::reason;
use crate::policy::Policy;
use crate::scrub::{Carry, Judged, Scrubber, Tracker};
use crate::span::Span;
use crate::stream::{Fault, Input, Outcome, Output, Place, Scrub, Settings, Target, Watch, drive};
use crate::tally::Tally;
use crate::withhold::line_end;
use tell::{KEPT, Line, Show, Teller, counts};

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
        let has_found =
            |tally: &Tally| tally.dropped > 0 || tally.acted.iter().any(|acted| acted.rule != KEPT);
        let found = self.tallies.iter().any(has_found);
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

/// Finds in one file. What it writes is not the scrubbed text but the lines of the report.
#[derive(Clone)]
struct Finder {
    scrubber: Scrubber,
    lines: Lines,
    long: Long,
    teller: Teller,
}

/// A line that comes in pieces.
#[derive(Clone, Default)]
struct Long {
    /// What its age says, once its first piece was seen.
    aged: Option<Judged>,
    /// Where in the line the window starts.
    start: usize,
    window: Vec<u8>,
    /// How much of the window needs no second look.
    searched: usize,
}

impl Finder {
    fn new(scrubber: &Scrubber, args: &Scan, place: &Place, many: bool) -> Finder {
        let paint = Paint::of(if args.json { Color::Never } else { args.color });
        let teller = Teller {
            name: match place {
                Place::Stdin => "-".to_owned(),
                Place::Path(path) => path.display().to_string(),
            },
            policy: Arc::clone(scrubber.policy()),
            with_rules: args.by.has_rules() || args.erase.is_some(),
            show: Show { json: args.json, values: args.show_values, name: many, paint },
            tally: Tally::default(),
        };
        Finder { scrubber: scrubber.clone(), lines: Lines::default(), long: Long::default(), teller }
    }

    /// Searches what is new in the window of a long line.
    fn search_window(&mut self, last: bool, line: Line<'_>, out: &mut Vec<u8>) {
        let Finder { scrubber, long, teller, .. } = self;
        let due = if last { long.window.len() } else { long.window.len().saturating_sub(OVERLAP_BYTES) };
        let mut judged = scrubber.inspect_text(&long.window);
        let new = |span: Span| (long.searched..due).contains(&span.start);
        judged.sightings.retain(|finding| new(finding.span));
        judged.changes.retain(|cause| new(cause.value));
        judged.sightings.iter_mut().for_each(|finding| finding.span = finding.span.shifted(long.start));
        judged.changes.iter_mut().for_each(|cause| cause.value = cause.value.shifted(long.start));
        teller.line(line, &judged, out);
        let keep = due.saturating_sub(OVERLAP_BYTES);
        long.window.drain(..keep);
        long.start += keep;
        long.searched = due - keep;
    }
}

impl Scrub for Finder {
    fn scrub(&mut self, block: &[u8], out: &mut Vec<u8>) {
        let Finder { scrubber, lines, teller, .. } = self;
        let before = lines.so_far();
        scrubber.inspect(block, |number, record, judged| {
            let line = Line { number: before + number, bytes: record.len(), text: Some(record) };
            teller.line(line, &judged, out);
        });
        lines.add(crate::scrub::count_records(block));
    }

    /// A line too long for one piece is searched as text in overlapping windows.
    fn scrub_piece(&mut self, piece: &[u8], last: bool, out: &mut Vec<u8>) {
        let Finder { scrubber, long, teller, .. } = self;
        let number = self.lines.so_far() + 1;
        let aged = long.aged.get_or_insert_with(|| scrubber.inspect_long(piece));
        if aged.dropped.is_none() {
            long.window.extend_from_slice(piece);
            self.search_window(last, Line { number, bytes: 0, text: None }, out);
        } else if last {
            let bytes = long.start + piece.len() - line_end(piece).len();
            teller.line(Line { number, bytes, text: None }, aged, out);
        } else {
            long.start += piece.len();
        }
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
        std::mem::take(&mut self.teller.tally)
    }
}
