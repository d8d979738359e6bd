//! `logscrub rules show`: one policy as it resolves.

use jiff::Timestamp;

use super::super::exit::Exit;
use super::super::load::policy;
use super::super::print::to_stdout;
use super::ages;
use crate::action::{Action, PanKeep};
use crate::kind::Kind;
use crate::policy::selector::Selector;
use crate::policy::{Covers, Policy, Retention, Rule, Source};
use crate::report::text::columns;

/// `toml`: as a rules file. `at`: with what is left of records of each age at that moment.
pub(super) fn run(rules: &str, toml: bool, at: Option<Timestamp>) -> Result<Exit, Exit> {
    let policy = policy(rules)?;
    let text = match at {
        _ if toml => policy.to_toml(),
        Some(now) => head(&policy) + &ages::table(&policy, now),
        None => head(&policy) + "the first rule that covers a value decides\n\n" + &table(&policy),
    };
    Ok(to_stdout(text.as_bytes()))
}

/// What it is called, its version, and which inputs take other rules.
fn head(policy: &Policy) -> String {
    let fingerprint: String = policy.fingerprint.iter().map(|byte| format!("{byte:02x}")).collect();
    let sources: String = policy.sources.iter().map(source).collect();
    let claims: Vec<&str> = policy.claims.iter().map(|claim| claim.name()).collect();
    let claims = if claims.is_empty() { String::new() } else { format!("claims {}\n", claims.join(", ")) };
    format!("{}\nsha256 {fingerprint}\n{claims}{sources}", policy.title)
}

/// One line a rule; of a ladder one line a step.
fn table(policy: &Policy) -> String {
    let mut rows = vec![["rule", "covers", "where", "leaves", "clause"].map(str::to_owned)];
    for rule in &policy.rules {
        let (covers, place) = covered(policy, rule);
        let mut row = [named(rule), covers, place, String::new(), rule.clause.join("; ")];
        for step in &rule.steps {
            row[3] = match step.until {
                _ if rule.steps.len() == 1 => left(rule, &step.action),
                Some(until) => format!("until {until}: {}", left(rule, &step.action)),
                None => format!("then: {}", left(rule, &step.action)),
            };
            rows.push(std::mem::take(&mut row));
        }
    }
    columns_to_the_left(&rows) + &records(policy)
}

/// `[records]` and `undated`, if they say anything.
fn records(policy: &Policy) -> String {
    let Retention { drop_after, keep_at_least } = policy.records;
    let drop = drop_after.map(|age| format!("records of {age} are not written\n"));
    let keep = keep_at_least.map(|age| format!("no rule drops a record before {age}\n"));
    let lines: String = drop.into_iter().chain(keep).collect();
    if lines.is_empty() { lines } else { format!("\n{lines}") }
}

/// Which inputs take other rules.
fn source(source: &Source) -> String {
    let path = source.inputs.path.iter().map(|glob| format!("path {glob}"));
    let labels = source.inputs.labels.iter().map(|(name, glob)| format!("label {name}={glob}"));
    let inputs = path.chain(labels).collect::<Vec<_>>().join(" and ");
    format!("inputs of {inputs}: {}, {}\n", source.rules, source.policy.title)
}

/// What a rule is called.
pub(super) fn named(rule: &Rule) -> String {
    let binding = if rule.binding { " (binding)" } else { "" };
    format!("{}{binding}", rule.name)
}

/// What an action leaves of what the rule covers.
pub(super) fn left(rule: &Rule, action: &Action) -> String {
    let (Covers::Find { kinds, .. }, Action::Truncate(keep)) = (&rule.covers, action) else {
        return action.describe();
    };
    let pan = if keep.pan == PanKeep::Last4 { "pan last 4" } else { "pan first 6, last 4" };
    let email = if keep.email_domain { "email domain" } else { "email nothing" };
    let parts = [
        (Kind::IPV4, format!("ipv4 /{}", keep.ipv4)),
        (Kind::IPV6, format!("ipv6 /{}", keep.ipv6)),
        (Kind::PAN, pan.to_owned()),
        (Kind::EMAIL, email.to_owned()),
    ];
    let has_others = kinds.iter().any(|kind| parts.iter().all(|(known, _)| *known != kind));
    let parts = parts.into_iter().filter(|(kind, _)| kinds.contains(*kind)).map(|(_, part)| part);
    parts.chain(has_others.then(|| "[kind]".to_owned())).collect::<Vec<_>>().join(", ")
}

/// What a rule covers, and where.
pub(super) fn covered(policy: &Policy, rule: &Rule) -> (String, String) {
    let selectors =
        |selectors: &[Selector]| selectors.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
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
    (covers, place + &when.collect::<Vec<_>>().join(","))
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
