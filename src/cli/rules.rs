//! `logscrub rules`: the packs; one policy as it resolves; lint a file; run the tests written in it.

use std::sync::Arc;

use super::args::RulesCommand;
use super::exit::Exit;
use super::load::policy;
use super::print::{escaped, to_stderr, to_stdout};
use crate::action::hash::HashKey;
use crate::policy::{Covers, Policy, Rule, Source, Test, check, packs};
use crate::report::text::columns;
use crate::scrub::Scrubber;
use crate::time::keyring::TEST_KEY;

pub(super) fn run(command: &RulesCommand) -> Exit {
    match command {
        RulesCommand::List => list(),
        RulesCommand::Show { rules, toml } => show(rules, *toml).unwrap_or_else(|exit| exit),
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

fn show(rules: &str, toml: bool) -> Result<Exit, Exit> {
    let policy = policy(rules)?;
    let sources: String = policy.sources.iter().map(source).collect();
    if toml {
        return Ok(to_stdout(policy.to_toml().as_bytes()));
    }
    let mut rows = vec![["rule", "covers", "where", "leaves", "clause"].map(str::to_owned)];
    rows.extend(policy.rules.iter().map(|rule| row(&policy, rule)));
    let fingerprint: String = policy.fingerprint.iter().map(|byte| format!("{byte:02x}")).collect();
    let table = columns_to_the_left(&rows);
    Ok(to_stdout(
        format!(
            "{}\nsha256 {fingerprint}\n{sources}the first rule that covers a value decides\n\n{table}",
            policy.title
        )
        .as_bytes(),
    ))
}

/// Which inputs take other rules.
fn source(source: &Source) -> String {
    let path = source.inputs.path.iter().map(|glob| format!("path {glob}"));
    let labels = source.inputs.labels.iter().map(|(name, glob)| format!("label {name}={glob}"));
    let inputs = path.chain(labels).collect::<Vec<_>>().join(" and ");
    format!("inputs of {inputs}: {}, {}\n", source.rules, source.policy.title)
}

fn row(policy: &Policy, rule: &Rule) -> [String; 5] {
    let selectors = |selectors: &[crate::policy::selector::Selector]| {
        selectors.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    let (covers, place) = match &rule.covers {
        Covers::Find { kinds, within, not_within, only, unless } => {
            let names: Vec<&str> = kinds.iter().map(|kind| policy.kinds.name(kind)).collect();
            let some = if only.is_some() || unless.is_some() { " (some values)" } else { "" };
            let place = match (within, not_within.is_empty()) {
                (Some(within), _) => selectors(within),
                (None, true) => "anywhere".to_owned(),
                (None, false) => format!("not {}", selectors(not_within)),
            };
            (names.join(" ") + some, place)
        }
        Covers::Field { fields, .. } => ("whole value".to_owned(), selectors(fields)),
        Covers::Unknown => ("whole value".to_owned(), unknown(policy)),
    };
    let when = rule.when.iter().map(|one| format!(" when {} = {}", one.field, one.holds));
    let place = place + &when.collect::<Vec<_>>().join(",");
    let binding = if rule.binding { " (binding)" } else { "" };
    [format!("{}{binding}", rule.name), covers, place, rule.action.describe(), rule.clause.join("; ")]
}

/// Where the rule acts for which no field is known.
fn unknown(policy: &Policy) -> String {
    let allowed = policy.known.iter().flat_map(|known| &known.allow).map(ToString::to_string);
    let allowed: Vec<String> = allowed.collect();
    match allowed.as_slice() {
        [] => "not in what a rule names".to_owned(),
        some => format!("not in {} or what a rule names", some.join(" ")),
    }
}

fn columns_to_the_left(rows: &[[String; 5]]) -> String {
    let text = columns(
        rows.iter()
            .map(|row| {
                let [rule, covers, place, leaves, clause] = row.clone();
                [rule, covers, place, leaves, clause, String::new()]
            })
            .collect::<Vec<_>>()
            .as_slice(),
    );
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
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
