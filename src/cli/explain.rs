//! `logscrub explain`: each candidate of a line, each check, and which rule won.

use jiff::Timestamp;

use super::args::Explain;
use super::exit::Exit;
use super::lines::Lines;
use super::print::{escaped, message};
use crate::action::Action;
use crate::policy::{Rule, Undated};
use crate::scrub::{Carry, Dated, Dropped, Judged, Scrubber, Tracker};
use crate::span::Span;
use crate::stream::{Input, Output, Place, Scrub, Settings, Target, Watch, drive};
use crate::tally::Tally;
use crate::time::stamp::Moment;

pub(super) fn run(args: &Explain) -> Exit {
    start(args).unwrap_or_else(|exit| exit)
}

/// Lines are read as the filter reads them, for what some of them say depends on those before. None is too long.
fn start(args: &Explain) -> Result<Exit, Exit> {
    let scrubbers = args.by.scrubbers()?;
    let scrubber = scrubbers.get(scrubbers.number_for(&Place::Stdin)).clone().judging_every_record();
    let mut output = Output::open(&Target::Stdout).map_err(|cause| Exit::of_output(&cause))?;
    let settings = Settings { max_record: usize::MAX, ..Settings::default() };
    let explainer = Explainer { scrubber, values: args.show_values, lines: Lines::default() };
    let input = Input::open(&Place::Stdin).map(Input::told_of);
    let outcome = drive([input], explainer, &mut output, &mut Watch::default(), &settings);
    outcome.output.map_err(|cause| Exit::of_output(&cause))?;
    outcome.input_faults.iter().for_each(|fault| message(&fault.to_string()));
    Ok(if outcome.input_faults.is_empty() { Exit::Done } else { Exit::Input })
}

/// What it writes is not the scrubbed text but what is to be said of each line.
#[derive(Clone)]
struct Explainer {
    scrubber: Scrubber,
    values: bool,
    lines: Lines,
}

impl Scrub for Explainer {
    fn scrub(&mut self, block: &[u8], out: &mut Vec<u8>) {
        let before = self.lines.so_far();
        let mut judged = Vec::new();
        self.scrubber
            .inspect(block, |number, record, one| judged.push((before + number, record.to_vec(), one)));
        for (number, record, one) in judged {
            out.extend(explain(&self.scrubber, number, &record, &one, self.values).bytes());
        }
        self.lines.add(crate::scrub::count_records(block));
    }

    fn scrub_piece(&mut self, piece: &[u8], _: bool, out: &mut Vec<u8>) {
        self.scrub(piece, out); // no line is too long
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
        self.scrubber.take_tally()
    }
}

fn explain(scrubber: &Scrubber, number: u64, line: &[u8], judged: &Judged, values: bool) -> String {
    let mut text = format!("line {number}: {} bytes, read as {}\n", line.len(), judged.format);
    text.extend(judged.dated.map(|(dated, now)| format!("  {}\n", age(dated, now))));
    for (at, reason) in scrubber.rejected(line) {
        text += &format!("  byte {at}: no match: {reason}\n");
    }
    for finding in &judged.sightings {
        let kind = scrubber.policy().kinds.name(finding.kind);
        text += &format!("  {}: {kind}{}\n", place(finding.span), shown(line, finding.span, values));
        text += &format!("    {}\n", decided(scrubber, judged, finding.span));
    }
    let by_field =
        |cause: &&crate::edit::Cause| !judged.sightings.iter().any(|found| found.span.overlaps(cause.value));
    for cause in judged.changes.iter().filter(by_field) {
        let why = if cause.copy { "copy of a field's value" } else { "by its field" };
        text += &format!("  {}: {why}{}\n", place(cause.value), shown(line, cause.value, values));
        text += &format!("    {}\n", decided(scrubber, judged, cause.value));
    }
    let left = judged.left.as_deref().unwrap_or_default();
    match judged.dropped {
        None => text + &format!("  -> {}\n", escaped(left)),
        Some(Dropped::ByRule) => text + "  -> dropped\n",
        Some(Dropped::ByAge) => text + "  -> dropped by its age alone\n",
        Some(Dropped::WithBefore) => text + "  -> dropped with the record before it\n",
    }
}

/// From where the age of a line is known, and what it is.
fn age(dated: Dated, now: Timestamp) -> String {
    match dated {
        Dated::Own(moment) => format!("written {}", when(moment, now)),
        Dated::Before(moment) => format!("no time of its own: as the line before, {}", when(moment, now)),
        Dated::By(undated, time) => {
            let word = undated.word();
            let taken = match (undated, time) {
                (Undated::Withhold, _) => "withheld if any age would change it".to_owned(),
                (Undated::Newest, _) => "as if it were new".to_owned(),
                (_, None) => "as if it had reached every age".to_owned(),
                (_, Some(time)) => format!("as of {time}, {}", ago(time, now)),
            };
            format!("no time: {taken} (undated = \"{word}\")")
        }
    }
}

/// A time, and how long ago that was; where its zone is not known, the time that counts for what removes.
fn when(moment: Moment, now: Timestamp) -> String {
    let (nominal, earliest) = (moment.nominal, moment.earliest());
    if nominal == earliest {
        return format!("{nominal}, {}", ago(nominal, now));
    }
    let ago = ago(earliest, now);
    format!(
        "{nominal} if in UTC; its zone is not known, and the earliest that it can be counts: {earliest}, {ago}"
    )
}

/// `100 days ago`, or hours if there are few.
fn ago(time: Timestamp, now: Timestamp) -> String {
    let hours = now.duration_since(time).as_hours();
    if hours == 0 {
        return "within an hour of now".to_owned();
    }
    let (number, unit) = if hours.abs() < 48 { (hours, "hour") } else { (hours / 24, "day") };
    let plural = if number.abs() == 1 { "" } else { "s" };
    let when = if now < time { "ahead" } else { "ago" };
    format!("{} {unit}{plural} {when}", number.abs())
}

fn place(span: Span) -> String {
    format!("bytes {}..{}", span.start, span.end)
}

fn shown(line: &[u8], span: Span, values: bool) -> String {
    if values { format!(" {}", escaped(span.of(line))) } else { String::new() }
}

/// Which rule decides about the value.
fn decided(scrubber: &Scrubber, judged: &Judged, span: Span) -> String {
    let changed = judged.changes.iter().any(|cause| cause.value == span);
    let stronger = judged.changes.iter().find(|cause| cause.value.overlaps(span));
    let Some(own) = judged.decided.iter().find(|cause| cause.value == span) else {
        return "no rule covers it".to_owned();
    };
    let rule = &scrubber.policy_for(judged).rules[own.rule];
    let said = format!("rule `{}`: {}{}", rule.name, rule.action.name(), step(rule));
    match stronger {
        _ if changed || rule.action == Action::Keep => said,
        Some(cause) => format!("{said}; goes with {}, on which a stronger rule acts", place(cause.value)),
        None => format!("{said}; nothing is left to remove"),
    }
}

/// Which step of its ladder holds.
fn step(rule: &Rule) -> String {
    let (step, steps) = (rule.step + 1, rule.steps.len());
    let until = rule.steps.get(rule.step).and_then(|step| step.until);
    match until {
        _ if steps == 1 => String::new(),
        Some(until) => format!(" (step {step} of {steps}, until {until})"),
        None => format!(" (step {step} of {steps}, the last)"),
    }
}
