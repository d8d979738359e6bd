//! Reports for people.

use super::Run;

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
