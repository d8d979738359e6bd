//! [`outermost`]: the members of a record that lie in nothing else, from the first on.

use super::BOM;
use crate::span::Span;

/// A member of the record itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outermost {
    /// Its name, with its escapes.
    pub name: Span,
    /// The content of its value: a text without its quotes; an object or array with its brackets.
    pub value: Span,
}

/// The members of a record that begins as a JSON object, one after another. They end at the first byte that is none of
/// JSON; whether what follows is, nobody looks: whoever stops early has not read the rest.
pub fn outermost(record: &[u8]) -> impl Iterator<Item = Outermost> {
    let start = if record.starts_with(BOM) { BOM.len() } else { 0 };
    let mut at = behind(record, start, b'{');
    std::iter::from_fn(move || {
        let (member, next) = member(record, at?)?;
        at = behind(record, next, b',');
        Some(member)
    })
}

/// The place behind blanks and this byte, if it stands there.
fn behind(record: &[u8], at: usize, byte: u8) -> Option<usize> {
    let at = blanks(record, at);
    (record.get(at) == Some(&byte)).then_some(at + 1)
}

fn blanks(record: &[u8], mut at: usize) -> usize {
    while matches!(record.get(at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
        at += 1;
    }
    at
}

/// The member that begins here, and the place behind it.
fn member(record: &[u8], at: usize) -> Option<(Outermost, usize)> {
    let name = text(record, blanks(record, at))?;
    let at = blanks(record, behind(record, name.end + 1, b':')?);
    let (value, next) = match record.get(at)? {
        b'"' => {
            let value = text(record, at)?;
            (value, value.end + 1)
        }
        b'{' | b'[' => {
            let end = nested(record, at)?;
            (Span::new(at, end), end)
        }
        _ => {
            let rest = record.get(at..)?;
            let is_end = |byte: &u8| matches!(byte, b',' | b'}' | b' ' | b'\t' | b'\r' | b'\n');
            let end = at + rest.iter().position(is_end)?;
            (Span::new(at, end), end)
        }
    };
    Some((Outermost { name, value }, next))
}

/// The content of the text whose quote stands here.
fn text(record: &[u8], at: usize) -> Option<Span> {
    let start = behind(record, at, b'"')?;
    let mut from = start;
    loop {
        let at = from + super::quote_or_escape(record.get(from..)?)?;
        if record[at] == b'"' {
            return Some(Span::new(start, at));
        }
        from = at + 2;
    }
}

/// The place behind the object or array that begins here.
fn nested(record: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match record.get(at)? {
            b'"' => at = text(record, at)?.end,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 1 => return Some(at + 1),
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(record: &str) -> Vec<(&str, &str)> {
        let text = |span: Span| &record[span.start..span.end];
        outermost(record.as_bytes()).map(|one| (text(one.name), text(one.value))).collect()
    }

    #[test]
    fn members_of_the_record_itself() {
        assert_eq!(
            members(r#" { "a" : 1 , "b":"x\"y\\" ,"c":{"a":[2,"}"]},"d":[{}], "e":true}"#),
            [("a", "1"), ("b", r#"x\"y\\"#), ("c", r#"{"a":[2,"}"]}"#), ("d", "[{}]"), ("e", "true")]
        );
        assert_eq!(members("\u{feff}{\"a\":\"\"}"), [("a", "")]);
    }

    #[test]
    fn what_is_broken_ends_them() {
        for record in ["", "{", "{}", "[1]", "x", r#"{"a"}"#, r#"{"a":"#, r#"{"a":"\"#, r#"{"a":"\"}"#] {
            assert_eq!(members(record), [], "{record}");
        }
        assert_eq!(members(r#"{"a":1,"b":2"#), [("a", "1")]);
        assert_eq!(members(r#"{"a":1;"b":2}"#).len(), 1);
    }
}
