//! `logscrub rules show --at`: what is left of the records of each age at one moment.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::show::{covered, left, named};
use crate::action::Action;
use crate::policy::{Hold, Policy, Retention, Rule, Undated};
use crate::report::text::columns;
use crate::time::age::Age;

/// Columns of a terminal or page, at most.
const COLUMNS: usize = 100;

/// Which records, when they were written, what is left of them.
type Row = [String; 4];

pub(super) fn table(policy: &Policy, now: Timestamp) -> String {
    let mut blocks: Vec<(String, Vec<Row>)> =
        policy.rules.iter().map(|rule| block(policy, rule, now)).collect();
    blocks.push(("whole records".to_owned(), records(policy, now)));
    let mut rows = vec![row("  records", "written", "what is left")];
    rows.extend(blocks.iter().flat_map(|(_, rows)| rows.iter().cloned()));
    let text = columns(&rows);
    let mut lines = text.lines().map(|line| format!("{}\n", line.trim_end()));
    let mut out = format!(
        "at {}; a date is its first moment in UTC\nthe first rule that covers a value decides\n\n{}",
        date(now),
        lines.next().unwrap_or_default()
    );
    for (head, rows) in &blocks {
        out += &format!("\n{}", wrapped(head));
        out.extend(lines.by_ref().take(rows.len()));
    }
    let rest = notes(policy, now);
    let notes: String = rest.iter().map(|note| wrapped(note)).collect();
    format!("{out}\n{notes}")
}

fn row(records: &str, written: &str, left: &str) -> Row {
    [records.to_owned(), written.to_owned(), left.to_owned(), String::new()]
}

/// A rule, and a row for each of its steps.
fn block(policy: &Policy, rule: &Rule, now: Timestamp) -> (String, Vec<Row>) {
    let (covers, mut place) = covered(policy, rule);
    if !place.starts_with("anywhere") && !place.starts_with("not ") {
        place.insert_str(0, "in ");
    }
    let clause = if rule.clause.is_empty() { String::new() } else { format!("; {}", rule.clause.join("; ")) };
    let mut from = None;
    let mut rows = Vec::new();
    for step in &rule.steps {
        let (records, written) = span(from, step.until, now);
        rows.push(row(&format!("  {records}"), &written, &left(policy, rule, &step.action)));
        from = step.until;
    }
    (format!("{}: {covers}, {place}{clause}", named(rule)), rows)
}

/// The ages from one to another, and when records of these ages were written.
fn span(from: Option<Age>, until: Option<Age>, now: Timestamp) -> (String, String) {
    let at = |age: Age| date(age.before(now));
    match (from, until) {
        (None, None) => ("of any age".to_owned(), "at any time".to_owned()),
        (None, Some(until)) => (format!("under {until}"), format!("since {}", at(until))),
        (Some(from), Some(until)) => (format!("{from} to {until}"), format!("{} to {}", at(until), at(from))),
        (Some(from), None) => (format!("{from} and older"), format!("before {}", at(from))),
    }
}

fn records(policy: &Policy, now: Timestamp) -> Vec<Row> {
    let Retention { drop_after, keep_at_least } = policy.records;
    let mut rows = Vec::new();
    if let Some(least) = keep_at_least {
        let (records, written) = span(None, Some(least), now);
        rows.push(row(&format!("  {records}"), &written, "the record: no rule drops it"));
    }
    match drop_after {
        Some(after) => {
            let (records, written) = span(Some(after), None, now);
            rows.push(row(&format!("  {records}"), &written, "no record"));
        }
        None if policy.may_drop_records() => {
            rows.push(row("  of any age", "at any time", "the record, unless a rule drops it"));
        }
        None => rows.push(row("  of any age", "at any time", "the record")),
    }
    rows
}

/// What holds of records without a time, of pseudonyms, and of what is stored already.
fn notes(policy: &Policy, now: Timestamp) -> Vec<String> {
    let mut notes: Vec<String> = policy.holds.iter().map(|hold| held(hold, now)).collect();
    if policy.depends_on_age() {
        notes.push(undated(policy.timing.undated));
        notes.push("what is stored already loses detail only when it is scrubbed again".to_owned());
    }
    let by_period = keyed(policy, Action::is_by_period).map(|names| (names, linkable(policy, now)));
    let for_ever = keyed(policy, Action::is_for_ever).map(|names| (names, LINKABLE_FOR_EVER.to_owned()));
    let both = by_period.into_iter().chain(for_ever);
    notes.extend(both.map(|(names, linkable)| format!("pseudonyms of {names}: {linkable}")));
    notes
}

/// Whether a hold is still one at that moment.
fn held(hold: &Hold, now: Timestamp) -> String {
    match hold.is_over(now) {
        true => format!("the hold `{}` is over since {}", hold.name, hold.until_date()),
        false => {
            format!(
                "what the hold `{}` covers stays as it is where it is stored, until {}",
                hold.name,
                hold.until_date()
            )
        }
    }
}

/// The rules that leave such pseudonyms, if any do, each with the age up to which.
fn keyed(policy: &Policy, is_such: fn(&Action) -> bool) -> Option<String> {
    let name = |rule: &Rule| {
        let step = rule.steps.iter().rfind(|step| is_such(&step.action))?;
        let until = step.until.map(|until| format!(" (until {until})")).unwrap_or_default();
        Some(format!("`{}`{until}", rule.name))
    };
    let names: Vec<String> = policy.rules.iter().filter_map(name).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn undated(undated: Option<Undated>) -> String {
    let what = match undated {
        None => {
            "those of streams are as old as the moment at which they are read, those of files as old as their file"
        }
        Some(Undated::Arrival) => "they are as old as the moment at which they are read",
        Some(Undated::File) => "those of files are as old as their file",
        Some(Undated::Oldest) => "they count as older than any age",
        Some(Undated::Newest) => "they count as new",
        Some(Undated::Withhold) => "they are withheld if any age would change them",
    };
    format!("records without a time, and none before them: {what}")
}

/// The same under the key for ever.
const LINKABLE_FOR_EVER: &str = "under the key for ever: whoever holds the keyring can link them until \
                                 `key forget --forever`; `key forget --due` never removes that key";

/// How long pseudonyms can be tested against values.
fn linkable(policy: &Policy, now: Timestamp) -> String {
    match (policy.every, policy.forget_after) {
        (Some(every), Some(after)) => format!(
            "whoever holds the keyring can link them for up to {every} + {after}, if `key forget --due` runs; \
             nobody can link those of records written before {}",
            date(every.before(after.before(now)))
        ),
        _ => "whoever holds the keyring can link them as long as it has their key: \
              the rules do not say when one is forgotten"
            .to_owned(),
    }
}

/// The second in which a time lies or that follows it; midnight as a date.
fn date(time: Timestamp) -> String {
    let part = SignedDuration::from_nanos(time.subsec_nanosecond().into());
    let start = time.checked_sub(part).unwrap_or(time);
    let whole =
        if part.is_zero() { start } else { start.checked_add(SignedDuration::from_secs(1)).unwrap_or(start) };
    let local = TimeZone::UTC.to_datetime(whole);
    if local.time() == Time::midnight() { local.date().to_string() } else { whole.to_string() }
}

/// The text in lines that are not too long, but for words that are.
fn wrapped(text: &str) -> String {
    let (mut out, mut width) = (String::new(), 0);
    for word in text.split(' ') {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > COLUMNS {
            out.push_str("\n   ");
            width = 3;
        }
        if width > 0 {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += length;
    }
    out + "\n"
}
