//! Reports for people.

use super::Run;

/// One line: records, changed, withheld, dropped, the rules and their version.
pub fn closing_line(run: &Run<'_>) -> String {
    let tally = run.totals();
    let mut line =
        format!("{} records, {} changed, {} withheld", tally.records, tally.changed, tally.withheld);
    if tally.dropped > 0 {
        line += &format!(", {} dropped", tally.dropped);
    }
    if tally.without_key > 0 {
        line += &format!(", {} values without a key", tally.without_key);
    }
    let title = run.policy().map_or("", |policy| &policy.title);
    line + &format!("; rules {title} {}", run.version())
}

/// What to say of values that were redacted because there is no key for them, if there are any.
pub fn without_key(run: &Run<'_>) -> Option<String> {
    redacted_without_key(run.totals().without_key, false)
}

/// The same of so many. `would`: they would be redacted.
pub fn redacted_without_key(count: u64, would: bool) -> Option<String> {
    let values = if count == 1 { "1 value".to_owned() } else { format!("{count} values") };
    let done = match (would, count) {
        (true, _) => "would be",
        (false, 1) => "was",
        (false, _) => "were",
    };
    (count > 0).then(|| {
        format!("{values} {done} redacted: no key serves at the time of the record, or its time is not known")
    })
}

/// One line for each field that nobody named, and one for those whose names may not be shown.
pub fn unknown_fields(run: &Run<'_>) -> Vec<String> {
    let unknown = run.totals().unknown;
    let line = |what: &str, count: u64| {
        let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
        format!("{what}: not allowed by the rules, kept back {times}")
    };
    let named = unknown.names.iter().map(|(name, count)| line(&format!("field {name}"), *count));
    let unnamed = Some(unknown.unnamed).filter(|count| *count > 0);
    named.chain(unnamed.map(|count| line("other fields", count))).collect()
}

/// The closing line and a row for each rule and kind.
pub fn table(run: &Run<'_>) -> String {
    let mut rows = vec![["rule".to_owned(), "kind".to_owned(), "action".to_owned(), "count".to_owned()]];
    rows.extend(run.rows().iter().map(|row| {
        let source = row.source.map_or(String::new(), |source| format!("{source}: "));
        let step = row.step.map_or(String::new(), |step| format!(" (step {step})"));
        [source + row.rule + &step, row.kind.to_owned(), row.action.to_owned(), row.count.to_string()]
    }));
    format!("{}\n{}", closing_line(run), columns(&rows))
}

/// Rows in columns: text to the left, the last column to the right.
pub fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut text = String::new();
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            let width = widths[column];
            let padded =
                if column + 1 == N { format!("{cell:>width$}\n") } else { format!("{cell:<width$}  ") };
            text.push_str(&padded);
        }
    }
    text
}
