//! `logscrub rules show`: one policy as it resolves.

use jiff::Timestamp;

use super::super::exit::Exit;
use super::super::load::policy;
use super::super::print::to_stdout;
use super::ages;
use crate::action::truncate::ZIP;
use crate::action::{Action, PanKeep, Truncate};
use crate::kind::Kind;
use crate::policy::selector::Selector;
use crate::policy::{Covers, Hold, Policy, Retention, Rule, Source};
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
    let holds: String = policy.holds.iter().map(hold).collect();
    format!("{}\nsha256 {fingerprint}\n{claims}{sources}{holds}", policy.title)
}

/// One line a rule; of a ladder one line a step.
fn table(policy: &Policy) -> String {
    let mut rows = vec![["rule", "covers", "where", "leaves", "clause"].map(str::to_owned)];
    for rule in &policy.rules {
        let (covers, place) = covered(policy, rule);
        let mut row = [named(rule), covers, place, String::new(), rule.clause.join("; ")];
        for step in &rule.steps {
            row[3] = match step.until {
                _ if rule.steps.len() == 1 => left(policy, rule, &step.action),
                Some(until) => format!("until {until}: {}", left(policy, rule, &step.action)),
                None => format!("then: {}", left(policy, rule, &step.action)),
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

/// What stays as it is, and how long.
fn hold(hold: &Hold) -> String {
    let paths: Vec<String> = hold.paths.iter().map(ToString::to_string).collect();
    let files = if paths.is_empty() { "all files".to_owned() } else { format!("files {}", paths.join(" ")) };
    let words = match hold.records.len() {
        0 => String::new(),
        1 => "records with 1 word in ".to_owned(),
        count => format!("records with one of {count} words in "),
    };
    format!("hold {}: {words}{files}, until {}\n", hold.name, hold.until_date())
}

/// What a rule is called.
pub(super) fn named(rule: &Rule) -> String {
    let binding = if rule.binding { " (binding)" } else { "" };
    format!("{}{binding}", rule.name)
}

/// What an action leaves of what the rule covers.
pub(super) fn left(policy: &Policy, rule: &Rule, action: &Action) -> String {
    let kinds: Vec<Kind> = match &rule.covers {
        Covers::Find { kinds, .. } => kinds.iter().collect(),
        Covers::Field { kind: Some(kind), .. } => vec![*kind],
        Covers::Field { kind: None, .. } | Covers::Unknown => return action.describe(),
    };
    let Action::Truncate(keep) = action else { return action.describe() };
    const FIRST: [Kind; 4] = [Kind::IPV4, Kind::IPV6, Kind::PAN, Kind::EMAIL];
    let first = FIRST.iter().filter(|kind| kinds.contains(kind));
    let others = kinds.iter().filter(|kind| !FIRST.contains(kind));
    let mut parts: Vec<String> = Vec::new();
    for kind in first.chain(others) {
        let part = truncated(keep, *kind, policy.kinds.name(*kind));
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    parts.join(", ")
}

/// What truncation leaves of a kind.
fn truncated(keep: &Truncate, kind: Kind, name: &str) -> String {
    match (kind, keep.time_word()) {
        (Kind::IPV4 | Kind::IPV6, _) if keep.pseudonymise => format!("{name} an address in its place"),
        (Kind::IPV4, _) => format!("{name} /{}", keep.ipv4),
        (Kind::IPV6, _) => format!("{name} /{}", keep.ipv6),
        (Kind::PAN, _) if keep.pan == PanKeep::Last4 => format!("{name} last 4"),
        (Kind::PAN, _) => format!("{name} first 6, last 4"),
        (Kind::EMAIL, _) => format!("{name} {}", if keep.email_domain { "domain" } else { "nothing" }),
        (Kind::RECORD_TIME, Some(unit)) => format!("the time to the {unit}"),
        _ if name == ZIP => match keep.zip {
            Some(digits) => format!("{name} first {digits} digits"),
            None => "[kind]".to_owned(),
        },
        (_, Some(unit)) => format!("of a time the {unit}, else [kind]"),
        (_, None) => "[kind]".to_owned(),
    }
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
