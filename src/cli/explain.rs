//! `logscrub explain`: each candidate of a line, each check, and which rule won.

use std::io::{self, BufRead, Write};

use super::args::Explain;
use super::exit::Exit;
use super::print::{escaped, message};
use crate::action::Action;
use crate::error::reason;
use crate::scrub::{Judged, Scrubber};
use crate::span::Span;
use crate::stream::{Output, Place, Target, sys};

pub(super) fn run(args: &Explain) -> Exit {
    start(args).unwrap_or_else(|exit| exit)
}

fn start(args: &Explain) -> Result<Exit, Exit> {
    let scrubbers = args.by.scrubbers()?;
    let mut scrubber = scrubbers.get(scrubbers.number_for(&Place::Stdin)).clone();
    let mut output = Output::open(&Target::Stdout).map_err(|cause| Exit::of_output(&cause))?;
    if sys::closed_at_start(0) {
        message("stdin: bad file descriptor");
        return Ok(Exit::Input);
    }
    for (number, line) in io::stdin().lock().split(b'\n').enumerate() {
        let line = line.map_err(|cause| {
            message(&format!("stdin: {}", reason(&cause)));
            Exit::Input
        })?;
        let text = explain(&mut scrubber, number + 1, &line, args.show_values);
        output.write_all(text.as_bytes()).map_err(|cause| Exit::of_output(&cause))?;
    }
    Ok(Exit::Done)
}

fn explain(scrubber: &mut Scrubber, number: usize, line: &[u8], values: bool) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let judged = scrubber.inspect_record(line);
    let mut text = format!("line {number}: {} bytes, read as {}\n", line.len(), judged.format);
    for (at, reason) in scrubber.rejected(line) {
        text += &format!("  byte {at}: no match: {reason}\n");
    }
    for finding in &judged.sightings {
        let kind = scrubber.policy().kinds.name(finding.kind);
        text += &format!("  {}: {kind}{}\n", place(finding.span), shown(line, finding.span, values));
        text += &format!("    {}\n", decided(scrubber, &judged, finding.span));
    }
    let by_field =
        |cause: &&crate::edit::Cause| !judged.sightings.iter().any(|found| found.span.overlaps(cause.value));
    for cause in judged.changes.iter().filter(by_field) {
        let why = if cause.copy { "copy of a field's value" } else { "by its field" };
        text += &format!("  {}: {why}{}\n", place(cause.value), shown(line, cause.value, values));
        text += &format!("    {}\n", decided(scrubber, &judged, cause.value));
    }
    match &judged.left {
        Some(left) => text + &format!("  -> {}\n", escaped(left)),
        None => text + "  -> dropped\n",
    }
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
    let rule = &scrubber.policy().rules[own.rule];
    let said = format!("rule `{}`: {}", rule.name, rule.action.name());
    match stronger {
        _ if changed || rule.action == Action::Keep => said,
        Some(cause) => format!("{said}; goes with {}, on which a stronger rule acts", place(cause.value)),
        None => format!("{said}; nothing is left to remove"),
    }
}
