//! [`Layout`]: the columns of an access log as the configuration of its server says.

use memchr::memmem::Finder;

use super::super::{Field, Fields, NotThis, Role};
use super::{Column, quoted};
use crate::span::Span;

/// Columns and what stands between them.
#[derive(Debug)]
pub struct Layout {
    /// Before the first column.
    first: Vec<u8>,
    columns: Vec<Given>,
}

/// A column of a layout.
#[derive(Debug)]
struct Given {
    name: Vec<u8>,
    /// It stands in quotes.
    quoted: bool,
    /// What stands behind it, without a quote that ends it.
    behind: Finder<'static>,
}

/// A piece of a layout.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(u8),
    /// The name of a column.
    Column(String),
}

impl Layout {
    /// Reads a `log_format` of nginx or a `LogFormat` of Apache, as it stands in the configuration.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Layout, String> {
        let pieces = if is_of_nginx(text) { nginx(&joined(text))? } else { apache(&unquoted(text))? };
        let mut layout = Layout { first: Vec::new(), columns: Vec::new() };
        let mut between = Vec::new();
        let mut names: Vec<String> = Vec::new();
        for piece in pieces {
            match (piece, names.last()) {
                (Piece::Text(byte), _) => between.push(byte),
                (Piece::Column(name), Some(last)) if between.is_empty() => {
                    return Err(format!(
                        "nothing stands between `{last}` and `{name}`, so that nobody can part them"
                    ));
                }
                (Piece::Column(name), _) => {
                    layout.end_column(std::mem::take(&mut between), &names);
                    names.push(name);
                }
            }
        }
        if names.is_empty() {
            return Err("there is no column in it: `$remote_addr` and the like, or `%h`".to_owned());
        }
        layout.end_column(between, &names);
        Ok(layout)
    }

    /// Notes what stands behind the last column, or before the first.
    fn end_column(&mut self, behind: Vec<u8>, names: &[String]) {
        let Some(name) = names.last() else {
            self.first = behind;
            return;
        };
        let before_is_quote = match self.columns.last() {
            Some(last) => last.behind.needle().last() == Some(&b'"'),
            None => self.first.last() == Some(&b'"'),
        };
        let quoted = before_is_quote && behind.first() == Some(&b'"');
        let behind = if quoted { &behind[1..] } else { &behind[..] };
        let behind = Finder::new(behind).into_owned();
        self.columns.push(Given { name: name.clone().into_bytes(), quoted, behind });
    }

    /// The names of the columns.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.columns.iter().map(|column| column.name.as_slice())
    }

    /// Reads a record, which must be all that the layout says and nothing more.
    pub(super) fn fields(&self, record: &[u8], out: &mut Fields) -> Result<(), NotThis> {
        if !record.starts_with(&self.first) {
            return Err(NotThis);
        }
        let root = out.push(Field::new(Role::Object, Span::new(0, record.len())));
        let mut at = self.first.len();
        for (number, given) in (1..).zip(&self.columns) {
            let is_last = number as usize == self.columns.len();
            let column = given.read(record, at, is_last).ok_or(NotThis)?;
            column.push(record, root, number, Some(&given.name), out);
            at = column.whole.end + given.behind.needle().len();
        }
        Ok(())
    }
}

impl Given {
    fn read(&self, record: &[u8], at: usize, is_last: bool) -> Option<Column> {
        let behind = self.behind.needle();
        let ends = |rest: &[u8]| rest.starts_with(behind) && (!is_last || rest.len() == behind.len());
        if self.quoted {
            let column = quoted(record, at.checked_sub(1)?, ends);
            return ends(record.get(column.whole.end..)?).then_some(column);
        }
        let rest = record.get(at..)?;
        let length = match is_last {
            true => rest.strip_suffix(behind)?.len(),
            false => self.behind.find(rest)?,
        };
        Some(Column::plain(record, Span::new(at, at + length)))
    }
}

/// Whether there is a variable of nginx in it. Apache has directives with `%`.
fn is_of_nginx(text: &str) -> bool {
    let mut after = text.split('$').skip(1);
    after.any(|after| after.starts_with(|first: char| first.is_ascii_alphabetic() || "_{".contains(first)))
}

/// The pieces in single quotes, of which nginx makes one text: `'$remote_addr ' '$status';`.
fn joined(text: &str) -> String {
    let pieces = text.trim().trim_end_matches(';').trim_end();
    match pieces.strip_prefix('\'').and_then(|pieces| pieces.strip_suffix('\'')) {
        Some(pieces) => pieces.split('\'').step_by(2).collect(),
        None => text.to_owned(),
    }
}

/// What stands in the double quotes of httpd.conf, with its backslashes undone; a nickname may follow them.
fn unquoted(text: &str) -> String {
    if !text.contains("\\\"") {
        return text.replace("\\t", "\t");
    }
    let inner = text.trim().strip_prefix('"').and_then(|inner| inner.rsplit_once('"'));
    let inner = inner.filter(|(inner, _)| !inner.ends_with('\\')).map_or(text, |(inner, _)| inner);
    inner.replace("\\\"", "\"").replace("\\t", "\t").replace("\\\\", "\\")
}

fn nginx(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        pieces.extend(rest[..at].bytes().map(Piece::Text));
        let after = &rest[at + 1..];
        let (name, behind) = match after.strip_prefix('{') {
            Some(inner) => inner.split_once('}').ok_or("`${` without its `}`")?,
            None => {
                let end = after.find(|next: char| !next.is_ascii_alphanumeric() && next != '_');
                after.split_at(end.unwrap_or(after.len()))
            }
        };
        if name.is_empty() {
            return Err("`$` without the name of a variable".to_owned());
        }
        pieces.push(Piece::Column(name.to_owned()));
        rest = behind;
    }
    pieces.extend(rest.bytes().map(Piece::Text));
    Ok(pieces)
}

fn apache(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        pieces.extend(rest[..at].bytes().map(Piece::Text));
        // Conditions on the status, and which of several requests is meant, do not change what the column is.
        let after =
            rest[at + 1..].trim_start_matches(|next: char| next.is_ascii_digit() || "!,<>".contains(next));
        let (about, after) = match after.strip_prefix('{') {
            Some(inner) => {
                let (about, after) = inner.split_once('}').ok_or("`%{` without its `}`")?;
                (Some(about), after)
            }
            None => (None, after),
        };
        let after = after.trim_start_matches(|next: char| "<>".contains(next));
        let length = if after.starts_with('^') { 3 } else { 1 };
        let (directive, behind) = after.split_at_checked(length).ok_or("`%` without a directive")?;
        directive_of_apache(directive, about, &mut pieces)?;
        rest = behind;
    }
    pieces.extend(rest.bytes().map(Piece::Text));
    Ok(pieces)
}

/// Adds what a directive writes, named as nginx names it.
fn directive_of_apache(directive: &str, about: Option<&str>, pieces: &mut Vec<Piece>) -> Result<(), String> {
    let named =
        |prefix: &str| about.map(|about| format!("{prefix}{}", about.to_lowercase().replace('-', "_")));
    let name = match (directive, about) {
        ("%", None) => {
            pieces.push(Piece::Text(b'%'));
            return Ok(());
        }
        ("t", None) => {
            let time = Piece::Column("time_local".to_owned());
            pieces.extend([Piece::Text(b'['), time, Piece::Text(b']')]);
            return Ok(());
        }
        ("i", Some(_)) => named("http_"),
        ("o", Some(_)) => named("sent_http_"),
        ("^ti", Some(_)) => named("trailer_"),
        ("^to", Some(_)) => named("sent_trailer_"),
        ("C", Some(_)) => named("cookie_"),
        ("e", Some(_)) => named("env_"),
        ("n", Some(_)) => named("note_"),
        ("p", Some("remote")) => Some("remote_port".to_owned()),
        (directive, _) => {
            NAMES.iter().find(|(known, _)| *known == directive).map(|(_, name)| (*name).to_owned())
        }
    };
    let name = name.ok_or_else(|| format!("Apache has no directive `%{directive}` that could stand here"))?;
    pieces.push(Piece::Column(name));
    Ok(())
}

const NAMES: &[(&str, &str)] = &[
    ("a", "remote_addr"),
    ("h", "remote_addr"),
    ("A", "server_addr"),
    ("b", "body_bytes_sent"),
    ("B", "body_bytes_sent"),
    ("D", "request_time"),
    ("T", "request_time"),
    ("f", "request_filename"),
    ("H", "server_protocol"),
    ("I", "request_length"),
    ("k", "connection_requests"),
    ("l", "remote_logname"),
    ("L", "request_id"),
    ("m", "request_method"),
    ("O", "bytes_sent"),
    ("p", "server_port"),
    ("P", "pid"),
    ("q", "query_string"),
    ("r", "request"),
    ("R", "handler"),
    ("s", "status"),
    ("S", "bytes_transferred"),
    ("t", "time_local"),
    ("u", "remote_user"),
    ("U", "uri"),
    ("v", "host"),
    ("V", "host"),
    ("X", "connection_status"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    fn shown(text: &str) -> String {
        match Layout::parse(text) {
            Ok(layout) => {
                let column = |column: &Given| {
                    let quote = if column.quoted { "\"" } else { "" };
                    format!("<{quote}{}{quote}>{}", text_of(&column.name), text_of(column.behind.needle()))
                };
                let columns: String = layout.columns.iter().map(column).collect();
                format!("{}{columns}", text_of(&layout.first))
            }
            Err(message) => message,
        }
    }

    #[test]
    fn layouts_are_read_as_their_servers_read_them() {
        for (text, expected) in [
            ("$a", "<a>"),
            ("x $a - ${b}c \"$d\" [$e]", "x <a> - <b>c \"<\"d\"> [<e>]"),
            ("'$a ' '\"$b\"';", "<a> \"<\"b\">"),
            ("100% $a", "100% <a>"),
            ("%h %t %%", "<remote_addr> [<time_local>] %"),
            ("%>s %!200,304{Referer}i %{%s}t", "<status> <http_referer> <time_local>"),
            ("%{VARNAME}^ti \\t%q", "<trailer_varname> \t<query_string>"),
            ("\"$a\"$b\"", "\"<\"a\"><b>\""),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_layout_is_said() {
        for (text, part) in [
            ("", "no column"),
            ("$ a", "no column"),
            ("$a$b", "between `a` and `b`"),
            ("$a ${b", "without its `}`"),
            ("$a ${}", "without the name"),
            ("$a $", "without the name"),
            ("%h%u", "between `remote_addr` and `remote_user`"),
            ("%h %", "without a directive"),
            ("%h %{a", "without its `}`"),
            ("%h %{a}", "without a directive"),
            ("%h %i", "no directive `%i`"),
            ("%ü", "without a directive"),
            ("%^", "without a directive"),
        ] {
            let message = Layout::parse(text).err().unwrap_or_default();
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
