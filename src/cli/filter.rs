//! `logscrub [FILE]...`: the filter.

use std::io::{self, IsTerminal, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::CommandFactory;

use super::args::{Args, Filter, Reading};
use super::exit::Exit;
use super::load::Scrubbers;
use super::overlap::Used;
use super::print::{message, to_stderr, usage_fault};
use crate::error::reason;
use crate::report::{self, Part, Run};
use crate::scrub::Scrubber;
use crate::stream::{Input, Interrupts, Outcome, Output, Place, Settings, Target, Watch, drive_runs};
use crate::tally::Tally;

pub(super) fn run(args: &Filter) -> Exit {
    start(args).unwrap_or_else(|exit| exit)
}

fn start(args: &Filter) -> Result<Exit, Exit> {
    refuse_command(&args.files)?;
    let scrubbers = args.by.scrubbers()?;
    let places = places(&args.files);
    let target = output(args).cloned().map_or(Target::Stdout, Target::Path);
    refuse_overlap(args, &target, &places, Used::by(&scrubbers))?;
    let mut watch = args.reading.watch()?;
    let mut output = Output::open(&target).map_err(|cause| failed(args, &cause))?;
    let settings = settings(args);
    let runs = runs(&scrubbers, &places);
    let inputs = runs.iter().map(|run| {
        let places = places.get(run.places.clone()).unwrap_or_default();
        (scrubbers.get(run.scrubber).clone(), places.iter().map(Input::open))
    });
    let outcomes = drive_runs(inputs, &mut output, &mut watch, &settings);
    let parts = parts(&scrubbers, &runs, &outcomes);
    let outcome = joined(outcomes);
    let exit = finish(args, output, &outcome);
    let run = Run { parts: &parts, faults: &outcome.input_faults };
    if args.stats {
        to_stderr(&report::text::table(&run));
    }
    if !args.quiet {
        report::text::unknown_fields(&run).iter().for_each(|line| message(line));
        report::text::without_key(&run).iter().for_each(|line| message(line));
    }
    if !args.quiet && io::stderr().is_terminal() {
        message(&report::text::closing_line(&run));
    }
    if let Some(path) = &args.report {
        let name = format!("report {}", path.display());
        write_report(path, &run).map_err(|cause| Exit::of_output_to(&name, &cause))?;
    }
    Ok(exit)
}

/// The file to write to; none is standard output, and so is `-`.
fn output(args: &Filter) -> Option<&PathBuf> {
    args.output.as_ref().filter(|path| path.as_path() != Path::new("-"))
}

/// Inputs that stand one behind another and are for the same scrubber.
struct SameRules {
    scrubber: usize,
    places: Range<usize>,
}

fn runs(scrubbers: &Scrubbers, places: &[Place]) -> Vec<SameRules> {
    let mut runs: Vec<SameRules> = Vec::new();
    for (at, place) in places.iter().enumerate() {
        let scrubber = scrubbers.number_for(place);
        match runs.last_mut().filter(|run| run.scrubber == scrubber) {
            Some(run) => run.places.end = at + 1,
            None => runs.push(SameRules { scrubber, places: at..at + 1 }),
        }
    }
    runs
}

/// What was done, by whose rules.
fn parts<'s>(scrubbers: &'s Scrubbers, runs: &[SameRules], outcomes: &[Outcome]) -> Vec<Part<'s>> {
    let part = |(source, scrubber): (Option<&str>, &'s Scrubber)| Part {
        source: source.map(str::to_owned),
        policy: scrubber.policy(),
        tally: Tally::default(),
    };
    let mut parts: Vec<Part<'s>> = scrubbers.iter().map(part).collect();
    for (run, outcome) in runs.iter().zip(outcomes) {
        parts.get_mut(run.scrubber).into_iter().for_each(|part| part.tally.add(&outcome.tally));
    }
    parts
}

/// How all runs ended together; of the counts those alone that do not depend on the rules.
fn joined(outcomes: Vec<Outcome>) -> Outcome {
    let mut all =
        Outcome { tally: Tally::default(), input_faults: Vec::new(), output: Ok(()), ended_by: None };
    for outcome in outcomes {
        all.tally.withheld += outcome.tally.withheld;
        all.input_faults.extend(outcome.input_faults);
        all.output = all.output.and(outcome.output);
        all.ended_by = all.ended_by.or(outcome.ended_by);
    }
    all
}

/// A command behind options is read as a file: who writes so does not mean one. After `--` they do.
fn refuse_command(files: &[PathBuf]) -> Result<(), Exit> {
    let is_command =
        |file: &PathBuf| Args::command().get_subcommands().any(|known| file == Path::new(known.get_name()));
    let dashes = std::env::args_os().any(|argument| argument == "--");
    match files.first().filter(|file| !dashes && is_command(file)) {
        Some(file) => {
            let name = file.display();
            Err(usage_fault(&format!(
                "options go behind the command: logscrub {name} …; a file is given as ./{name}"
            )))
        }
        None => Ok(()),
    }
}

/// Nothing is written over what is read, and no report over the output.
fn refuse_overlap(args: &Filter, target: &Target, places: &[Place], mut used: Used) -> Result<(), Exit> {
    if let Some(input) = target.input_that_is_output(places) {
        return Err(usage_fault(&format!("{}: input is also the output", input.name())));
    }
    let inputs = places.iter().map(|place| match place {
        Place::Path(path) => path.as_path(),
        Place::Stdin => Path::new("/dev/stdin"),
    });
    match target {
        Target::Path(path) => used.add_output("the output", &path.display().to_string(), path)?,
        Target::Stdout => used.add_output("the output", "standard output", Path::new("/dev/stdout"))?,
    }
    let Some(report) = &args.report else { return Ok(()) };
    if report == Path::new("-") {
        return Err(usage_fault("a report goes to a file; one that is named so is given as ./-"));
    }
    inputs.for_each(|path| used.add("an input", path));
    used.add_output("the report", &report.display().to_string(), report)
}

/// The end that a failed write of the output leads to.
fn failed(args: &Filter, cause: &io::Error) -> Exit {
    let name = output(args).map_or("output".to_owned(), |path| path.display().to_string());
    Exit::of_output_to(&name, cause)
}

/// Puts the output in place and says which code the run ends with.
fn finish(args: &Filter, output: Output, outcome: &Outcome) -> Exit {
    outcome.input_faults.iter().for_each(|fault| message(&fault.to_string()));
    if let Err(cause) = &outcome.output {
        return failed(args, cause);
    }
    if let Some(signal) = outcome.ended_by {
        return Exit::Signal(signal); // a file that was to be replaced stays as it was
    }
    if let Err(cause) = output.commit() {
        return failed(args, &cause);
    }
    if !outcome.input_faults.is_empty() {
        return Exit::Input;
    }
    if args.strict && outcome.tally.withheld > 0 { Exit::Found } else { Exit::Done }
}

/// The inputs that are named; standard input if none is.
pub(super) fn places(files: &[PathBuf]) -> Vec<Place> {
    let place =
        |path: &PathBuf| if path == Path::new("-") { Place::Stdin } else { Place::Path(path.clone()) };
    if files.is_empty() { vec![Place::Stdin] } else { files.iter().map(place).collect() }
}

/// Writes the report beside its target and moves it there when it is complete.
fn write_report(path: &Path, run: &Run<'_>) -> io::Result<()> {
    let mut output = Output::open(&Target::Path(path.to_owned()))?;
    output.write_all(report::json::render(run).as_bytes())?;
    output.commit()
}

impl Reading {
    /// Catches signals from now on.
    pub(super) fn watch(&self) -> Result<Watch, Exit> {
        let interrupts =
            Interrupts::install().map_err(|cause| usage_fault(&format!("signals: {}", reason(&cause))))?;
        Ok(Watch::new(interrupts, self.grace))
    }
}

/// For pipes too: a thread beyond the first works only while there is more than one can do, and does it for no
/// more processor time.
fn settings(args: &Filter) -> Settings {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = args.threads.map_or_else(cores, usize::from);
    Settings { threads, max_record: args.reading.max_record, ..Settings::default() }
}
