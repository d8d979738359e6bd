//! `logscrub rules`: the packs; one policy as it resolves; lint a file; run the tests written in it.

mod ages;
mod show;

use std::sync::Arc;

use super::args::RulesCommand;
use super::exit::Exit;
use super::load::policy;
use super::print::{escaped, to_stderr, to_stdout};
use crate::action::hash::HashKey;
use crate::policy::{Policy, Test, check, packs};
use crate::scrub::Scrubber;
use crate::time::keyring::TEST_KEY;

pub(super) fn run(command: &RulesCommand) -> Exit {
    match command {
        RulesCommand::List => list(),
        RulesCommand::Show { rules, toml, at } => show::run(rules, *toml, *at).unwrap_or_else(|exit| exit),
        RulesCommand::Check { rules } => each(rules, check_one),
        RulesCommand::Test { rules } => each(rules, test_one),
    }
}

fn list() -> Exit {
    let row = |name: &str, title: &str| [name.to_owned(), title.to_owned()];
    let mut rows = vec![row("pack", "")];
    for (name, _) in packs::PACKS {
        let title = Policy::pack(name).map(|policy| policy.title).unwrap_or_default();
        rows.push(row(name, &title));
    }
    rows.push(row("", ""));
    rows.push(row("detector", ""));
    rows.extend(packs::DETECTORS.iter().map(|(kind, text)| row(kind, &title(text))));
    let lines: Vec<String> =
        rows.iter().map(|[name, title]| format!("{name:<12}{title}").trim_end().to_owned()).collect();
    to_stdout((lines.join("\n") + "\n").as_bytes())
}

/// The title in a detector's data.
fn title(text: &str) -> String {
    let table = text.parse::<toml::Table>().ok();
    table.and_then(|table| Some(table.get("title")?.as_str()?.to_owned())).unwrap_or_default()
}

/// Does the same with each of several rules files; the worst outcome counts.
fn each(rules: &[String], one: fn(&str) -> bool) -> Exit {
    let good = rules.iter().map(|rules| one(rules)).filter(|good| !good).count() == 0;
    if good { Exit::Done } else { Exit::Found }
}

fn check_one(rules: &str) -> bool {
    match Policy::load(rules) {
        Err(faults) => {
            to_stderr(&faults.to_string());
            false
        }
        Ok(policy) => {
            let warnings = check::check(&policy);
            warnings.iter().for_each(|warning| to_stderr(&warning.to_string()));
            check::notes(&policy).iter().for_each(|note| to_stderr(&format!("note: {note}\n")));
            let written = policy.rules.len() - usize::from(policy.known.is_some());
            let (rules_held, told) = (number(written, "rule"), number(warnings.len(), "warning"));
            to_stderr(&format!("{}: {rules_held}, {told}\n", escaped(rules.as_bytes())));
            warnings.is_empty()
        }
    }
}

fn number(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn test_one(rules: &str) -> bool {
    let Ok(policy) = policy(rules) else { return false };
    let tests = policy.tests.clone();
    let mut policy = policy;
    let sources = std::mem::take(&mut policy.sources);
    let under = |policy| Scrubber::new(Arc::new(policy), Some(HashKey::new(&TEST_KEY)));
    let mut sources: Vec<_> =
        sources.into_iter().map(|source| (source.inputs, under(source.policy))).collect();
    let mut scrubber = under(policy);
    let mut failed = 0;
    for test in &tests {
        let mut output = Vec::new();
        let source = sources.iter_mut().find(|(inputs, _)| inputs.include(None, &test.from));
        source.map_or(&mut scrubber, |(_, own)| own).try_out(test, &mut output);
        let faults = faults(test, &output);
        failed += usize::from(!faults.is_empty());
        faults.iter().for_each(|fault| to_stderr(&format!("{rules}: test `{}`: {fault}\n", test.name)));
    }
    to_stderr(&format!("{rules}: {} passed, {failed} failed\n", tests.len() - failed));
    failed == 0
}

/// What a test expects and did not get. The input of a test is written in the rules file, so it may be shown.
fn faults(test: &Test, output: &[u8]) -> Vec<String> {
    let has = |text: &Vec<u8>| memchr::memmem::find(output, text).is_some();
    let there =
        test.gone.iter().filter(|text| has(text)).map(|text| format!("{} is still there", quoted(text)));
    let missing = test.stays.iter().filter(|text| !has(text)).map(|text| format!("{} is gone", quoted(text)));
    let differs = test.expect.iter().filter(|expect| *expect != output);
    let differs = differs.map(|expect| format!("expected {}, got {}", quoted(expect), quoted(output)));
    there.chain(missing).chain(differs).collect()
}

fn quoted(text: &[u8]) -> String {
    format!("`{}`", escaped(text))
}
