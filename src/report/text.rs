//! Reports for people.

use super::Run;
use crate::action::Action;

/// One line: records, changed, withheld, dropped, the rules and their version.
pub fn closing_line(run: &Run<'_>) -> String {
    let tally = run.tally;
    let mut line =
        format!("{} records, {} changed, {} withheld", tally.records, tally.changed, tally.withheld);
    if tally.dropped > 0 {
        line += &format!(", {} dropped", tally.dropped);
    }
    line + &format!("; rules {} {}", run.policy.title, run.version())
}

/// One line for each field that nobody named, and one for those whose names may not be shown.
pub fn unknown_fields(run: &Run<'_>) -> Vec<String> {
    let Some(known) = &run.policy.known else { return Vec::new() };
    let done = if run.policy.rules[known.rule].action == Action::Drop { "dropped" } else { "withheld" };
    let named = run.tally.unknown.names.iter();
    let named = named
        .map(|(name, count)| format!("field {name}: not allowed by the rules, {done} {}", times(*count)));
    let unnamed = Some(run.tally.unknown.unnamed).filter(|count| *count > 0);
    let unnamed =
        unnamed.map(|count| format!("other fields: not allowed by the rules, {done} {}", times(count)));
    named.chain(unnamed).collect()
}

fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

/// The closing line and a row for each rule and kind.
pub fn table(run: &Run<'_>) -> String {
    let mut rows = vec![["rule".to_owned(), "kind".to_owned(), "action".to_owned(), "count".to_owned()]];
    rows.extend(
        run.rows().iter().map(|row| {
            [row.rule.to_owned(), row.kind.to_owned(), row.action.to_owned(), row.count.to_string()]
        }),
    );
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
