//! `logscrub [FILE]...`: the filter.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::args::{Filter, Reading};
use super::exit::{Exit, reason};
use super::print::{message, to_stderr, usage_fault};
use crate::report::{self, Run};
use crate::stream::{Input, Interrupts, Outcome, Output, Place, Settings, Target, Watch, drive};

/// Cores up to which one thread scrubs a pipe: its writer and its reader need the others, and a second thread
/// then gains nothing.
const FEW_CORES: usize = 2;

pub(super) fn run(args: &Filter) -> Exit {
    start(args).unwrap_or_else(|exit| exit)
}

fn start(args: &Filter) -> Result<Exit, Exit> {
    if !args.label.is_empty() {
        return Err(usage_fault("--label is not yet supported: rules by source come with a later version"));
    }
    let mut scrubber = args.by.scrubber()?;
    let shows_line = !args.quiet && io::stderr().is_terminal();
    if !(shows_line || args.stats || args.report.is_some()) {
        scrubber = scrubber.without_record_count();
    }
    let policy = std::sync::Arc::clone(scrubber.policy());
    let places = places(&args.files);
    let target = args.output.clone().map_or(Target::Stdout, Target::Path);
    if let Some(input) = target.input_that_is_output(&places) {
        return Err(usage_fault(&format!(
            "{}: input is also the output",
            super::print::escaped(input.name().as_bytes())
        )));
    }
    let mut watch = args.reading.watch()?;
    let mut output = Output::open(&target).map_err(|cause| Exit::of_output(&cause))?;
    let settings = args.reading.settings(&places);
    let outcome = drive(places.iter().map(Input::open), scrubber, &mut output, &mut watch, &settings);
    let exit = finish(args, output, &outcome);
    let run = Run { policy: &policy, tally: &outcome.tally, faults: &outcome.input_faults };
    if args.stats {
        to_stderr(&report::text::table(&run));
    }
    if shows_line {
        message(&report::text::closing_line(&run));
    }
    if let Some(path) = &args.report {
        write_report(path, &run).map_err(|cause| {
            message(&format!("report {}: {}", path.display(), reason(&cause)));
            Exit::Output
        })?;
    }
    Ok(exit)
}

/// Puts the output in place and says which code the run ends with.
fn finish(args: &Filter, output: Output, outcome: &Outcome) -> Exit {
    outcome.input_faults.iter().for_each(|fault| message(&fault.to_string()));
    if let Err(cause) = &outcome.output {
        return Exit::of_output(cause);
    }
    if let Some(signal) = outcome.ended_by {
        return Exit::Signal(signal); // a file that was to be replaced stays as it was
    }
    if let Err(cause) = output.commit() {
        return Exit::of_output(&cause);
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

    pub(super) fn settings(&self, places: &[Place]) -> Settings {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let files = places.iter().all(|place| matches!(place, Place::Path(_)));
        let by_itself = if files || cores > FEW_CORES { cores } else { 1 };
        let threads = self.threads.map_or(by_itself, usize::from);
        Settings { threads, max_record: self.max_record, ..Settings::default() }
    }
}
