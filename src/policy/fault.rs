//! [`Fault`]: what is wrong with a rules file, shown where it stands.
//!
//! Only the text of rules files is ever quoted here, never a log: what a person needs to mend a file is the
//! place, the line and a caret.

use std::cell::Cell;
use std::fmt;
use std::ops::Range;

/// Columns of a quoted line that are shown; a longer one is cut around the caret.
const LINE_COLUMNS: usize = 100;
/// Characters of a name or value that a message repeats.
const QUOTE_CHARS: usize = 60;
/// Faults that are kept. A file with more of them is not a rules file, and a screen holds no more.
const FAULTS_KEPT: usize = 100;
/// Faults of one file whose place is worked out. To find a line and cut it costs as much as the file is long, so
/// that a megabyte of faults would take minutes; and all but the first hundred are never shown.
const FAULTS_PLACED: usize = 1000;
/// What a tab becomes in a quoted line, so that the caret stands under its mark on any terminal.
const TAB: &str = "    ";

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Name of the rules file.
    pub file: String,
    /// Line, from 1; 0 for the file as a whole.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Characters that are marked.
    pub width: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it, one line each.
    pub help: Vec<String>,
    rank: usize,
    excerpt: Box<Excerpt>,
}

/// A source line made fit for a terminal, and where the carets go in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Excerpt {
    line: String,
    indent: usize,
    width: usize,
}

impl Fault {
    /// A fault of the file as a whole.
    pub fn of_file(file: &str, rank: usize, message: impl Into<String>) -> Fault {
        Fault {
            file: file.to_owned(),
            line: 0,
            column: 0,
            width: 0,
            message: message.into(),
            help: Vec::new(),
            rank,
            excerpt: Box::default(),
        }
    }

    /// The same with a line of help.
    #[must_use]
    pub fn help(mut self, line: impl Into<String>) -> Fault {
        self.help.push(line.into());
        self
    }
}

/// The name of a file, its text, and its place among the files of a policy: what a fault needs to be shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) file: &'a str,
    pub(crate) rank: usize,
    pub(crate) text: &'a str,
    /// Faults of this file so far.
    pub(crate) made: &'a Cell<usize>,
}

impl Place<'_> {
    /// A fault at these bytes of the text.
    pub(crate) fn fault(self, span: &Range<usize>, message: impl Into<String>) -> Fault {
        self.made.set(self.made.get() + 1);
        if self.made.get() > FAULTS_PLACED {
            return Fault::of_file(self.file, self.rank, message);
        }
        let start = floor(self.text, span.start);
        let end = floor(self.text, span.end).max(start);
        let line_start = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = self.text[start..].find('\n').map_or(self.text.len(), |at| start + at);
        let line = self.text[line_start..line_end].trim_end_matches('\r');
        let before = &self.text[line_start..start.min(line_start + line.len())];
        let marked = &self.text[line_start + before.len()..end.clamp(line_start + before.len(), line_end)];
        let marked = marked.trim_end_matches('\r');
        Fault {
            line: self.text[..line_start].matches('\n').count() + 1,
            column: before.chars().count() + 1,
            width: marked.chars().count().max(1),
            excerpt: Box::new(excerpt(line, before, marked)),
            ..Fault::of_file(self.file, self.rank, message)
        }
    }
}

/// The last character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn excerpt(line: &str, before: &str, marked: &str) -> Excerpt {
    // Only what can be shown is looked at: a line may be a megabyte long, and hold a thousand faults.
    let start = before.char_indices().nth_back(LINE_COLUMNS).map_or(0, |(at, _)| at);
    let end =
        line[before.len()..].char_indices().nth(LINE_COLUMNS).map_or(line.len(), |(at, _)| before.len() + at);
    let marked = &marked[..marked.len().min(end - before.len())];
    let indent = visible(&before[start..]).chars().count();
    let width = visible(marked).chars().count().max(1);
    let shown: Vec<char> = visible(&line[start..end]).chars().collect();
    let fits = start == 0 && end == line.len() && shown.len() <= LINE_COLUMNS;
    let from = if fits { 0 } else { indent.saturating_sub(LINE_COLUMNS / 3) };
    let to = if fits { shown.len() } else { shown.len().min(from + LINE_COLUMNS) };
    let head = if start + from > 0 { "…" } else { "" };
    let tail = if to < shown.len() || end < line.len() { "…" } else { "" };
    let middle: String = shown[from..to].iter().collect();
    let indent = indent - from + head.chars().count();
    Excerpt { line: format!("{head}{middle}{tail}"), indent, width: width.min(to - from).max(1) }
}

/// The text with tabs widened and everything escaped that would move the cursor, change colours or hide.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for symbol in text.chars() {
        match symbol {
            '\t' => shown.push_str(TAB),
            _ if is_hidden(symbol) => shown.extend(symbol.escape_unicode()),
            _ => shown.push(symbol),
        }
    }
    shown
}

fn is_hidden(symbol: char) -> bool {
    symbol.is_control()
        || matches!(symbol, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A name or value from a rules file, fit to stand in a message: between backticks, escaped, cut.
pub(crate) fn quoted(text: &str) -> String {
    let cut: String = text.chars().take(QUOTE_CHARS).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("`{}{more}`", visible(&cut.replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")))
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "error: {}", self.message)?;
        let gutter = if self.line == 0 { 1 } else { self.line.to_string().len() };
        let margin = " ".repeat(gutter);
        if self.line == 0 {
            writeln!(out, "{margin}--> {}", visible(&self.file))?;
        } else {
            let Excerpt { line, indent, width } = &*self.excerpt;
            let (blank, carets) = (" ".repeat(*indent), "^".repeat(*width));
            writeln!(out, "{margin}--> {}:{}:{}", visible(&self.file), self.line, self.column)?;
            writeln!(out, "{margin} |")?;
            writeln!(out, "{}", format!("{} | {line}", self.line).trim_end())?;
            writeln!(out, "{margin} | {blank}{carets}")?;
        }
        self.help.iter().try_for_each(|help| writeln!(out, "{margin} = help: {help}"))
    }
}

/// Everything that is wrong with the files of one policy.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Faults {
    list: Vec<Fault>,
    unkept: usize,
}

impl Faults {
    /// Notes one more, unless the same was already said of the same place.
    pub(crate) fn push(&mut self, fault: Fault) {
        if self.list.len() >= FAULTS_KEPT {
            self.unkept += 1;
        } else if !self.list.contains(&fault) {
            self.list.push(fault);
        }
    }

    /// Notes all of another lot.
    pub(crate) fn append(&mut self, other: Faults) {
        self.unkept += other.unkept;
        other.list.into_iter().for_each(|fault| self.push(fault));
    }

    /// Puts them in the order of the files and places.
    pub(crate) fn sort(&mut self) {
        self.list.sort_by_key(|fault| (fault.rank, fault.line, fault.column));
    }

    /// Nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are, those beyond the hundred that are kept included.
    pub fn len(&self) -> usize {
        self.list.len() + self.unkept
    }

    /// Each of them, in the order of the files and places.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.list.iter()
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Faults {
        Faults { list: vec![fault], unkept: 0 }
    }
}

impl std::error::Error for Faults {}

impl fmt::Display for Faults {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut files: Vec<(&str, usize)> = Vec::new();
        for fault in &self.list {
            writeln!(out, "{fault}")?;
            match files.iter_mut().find(|(file, _)| *file == fault.file) {
                Some((_, count)) => *count += 1,
                None => files.push((&fault.file, 1)),
            }
        }
        let counts: Vec<String> = files
            .iter()
            .map(|(file, count)| {
                format!("{count} fault{} in {}", if *count == 1 { "" } else { "s" }, visible(file))
            })
            .collect();
        let more = if self.unkept > 0 { format!(", and {} more", self.unkept) } else { String::new() };
        writeln!(out, "{}{more}", counts.join(", "))
    }
}

/// The word among `known` that was probably meant.
pub(crate) fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if length > 64 {
        return None; // the cost is the product of the lengths, and no word of the language is that long
    }
    let allowed = (length / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (distance(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, substitutions and swaps of neighbours between two words (optimal string alignment).
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=right.len()).collect()];
    for i in 1..=left.len() {
        let mut row = vec![i];
        for j in 1..=right.len() {
            let same = usize::from(left[i - 1] != right[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + same);
            if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_miss_is_recognised_and_a_far_one_is_not() {
        let known = ["find", "field", "in", "unless"];
        assert_eq!(suggestion("fnid", known), Some("find"));
        assert_eq!(suggestion("feild", known), Some("field"));
        assert_eq!(suggestion("Unles", known), Some("unless"));
        assert_eq!(suggestion("colour", known), None);
        assert_eq!(suggestion("x", known), None);
    }

    #[test]
    fn carets_stand_under_the_mark_behind_tabs_and_control_bytes() {
        let text = "a = 1\n\t\"\u{1b}\" = bad\n";
        let at = text.find("bad").unwrap_or_default();
        let shown = Place { file: "x.toml", rank: 0, text, made: &Cell::new(0) }
            .fault(&(at..at + 3), "no")
            .to_string();
        let mut lines = shown.lines().skip(3);
        let (line, carets) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        assert_eq!(line, "2 |     \"\\u{1b}\" = bad");
        assert_eq!(line.find("bad"), carets.find("^^^"));
    }

    #[test]
    fn a_long_line_is_cut_around_the_caret() {
        let text = format!("{}bad{}", "x".repeat(5000), "y".repeat(5000));
        let shown = Place { file: "x.toml", rank: 0, text: &text, made: &Cell::new(0) }
            .fault(&(5000..5003), "no")
            .to_string();
        assert!(shown.lines().all(|line| line.chars().count() < LINE_COLUMNS + 10));
        assert!(shown.contains("xbady"));
    }

    #[test]
    fn any_span_of_any_text_is_shown_without_a_panic() {
        for text in ["", "\n", "é\r\nü", "\r", "a\u{202e}b"] {
            for start in 0..10 {
                for end in 0..10 {
                    let _ = Place { file: "x", rank: 0, text, made: &Cell::new(0) }
                        .fault(&(start..end), "no")
                        .to_string();
                }
            }
        }
    }
}
