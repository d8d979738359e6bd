//! Names followed by `=` or `:` in text, so that field rules hold where a record yields no fields.
//!
//! A record that an attacker made unreadable must not lose its field rules; and running text full of
//! `password=…` gets them as well. The reading is generous on purpose: quotes and blanks around the
//! separator, escaped quotes, values in brackets.

use crate::span::Span;

/// Longest name that is looked at, in bytes. It bounds the walk back from each separator.
const MAX_NAME_BYTES: usize = 128;

/// Longest tag in which names are looked for, in bytes.
const MAX_TAG_BYTES: usize = 512;

/// Calls `wanted` with every dotted name in turn, as it is written; where it says yes, `each` gets the span
/// of the value, without quotes. Names inside such a value are passed over: it goes as a whole, and
/// so the walk stays linear.
pub(super) fn pairs<R>(
    text: &[u8],
    mut wanted: impl FnMut(&[u8]) -> Option<R>,
    mut each: impl FnMut(R, Span),
) {
    let mut from = 0;
    let mut has_elements = None;
    for at in memchr::memchr3_iter(b'=', b':', b'>', text) {
        if at < from {
            continue;
        }
        let (rule, value) = if text[at] == b'>' {
            if !*has_elements.get_or_insert_with(|| memchr::memmem::find(text, END_TAG).is_some()) {
                continue;
            }
            let Some(rule) = names_in_tag(text, at).find_map(|name| wanted(name.of(text))) else { continue };
            (rule, value_of_element(text, at + 1))
        } else {
            let Some(name) = name_before(text, at) else { continue };
            let Some(rule) = wanted(name.of(text)) else { continue };
            (rule, value_after(text, name.end, at + 1))
        };
        if !value.is_empty() {
            from = value.end;
            each(rule, value);
        }
    }
}

const END_TAG: &[u8] = b"</";

/// What the element whose start tag ends at `at` may be called: its name without a prefix, and what stands in quotes in
/// the tag (`<Data Name="user">`).
fn names_in_tag(text: &[u8], at: usize) -> impl Iterator<Item = Span> {
    let floor = at.saturating_sub(MAX_TAG_BYTES);
    let open = memchr::memrchr2(b'<', b'>', &text[floor..at]).map(|open| floor + open);
    let tag = open.filter(|open| text[*open] == b'<').map(|open| Span::new(open + 1, at));
    let tag = tag.filter(|tag| !tag.of(text).starts_with(b"/") && !tag.of(text).ends_with(b"/"));
    let element = tag.map(|tag| {
        let name = tag.of(text).iter().take_while(|byte| in_name(**byte) || **byte == b':').count();
        let prefix = memchr::memrchr(b':', &tag.of(text)[..name]).map_or(0, |colon| colon + 1);
        Span::new(tag.start + prefix, tag.start + name)
    });
    let mut rest = tag.unwrap_or_default();
    let quoted = std::iter::from_fn(move || {
        let quote = rest.start + memchr::memchr2(b'"', b'\'', rest.of(text))?;
        let length = memchr::memchr(text[quote], &text[quote + 1..rest.end])?;
        let name = Span::new(quote + 1, quote + 1 + length);
        rest.start = name.end + 1;
        Some(name)
    });
    element.into_iter().chain(quoted).filter(|name| !name.is_empty())
}

/// What stands in an element, up to the next end tag.
fn value_of_element(text: &[u8], from: usize) -> Span {
    let end = memchr::memmem::find(&text[from..], END_TAG).map_or(text.len(), |length| from + length);
    Span::new(from, end)
}

fn in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The name that ends before the separator at `at`; of `user[name]` and `name[]` it is `name`. Colours do not count.
fn name_before(text: &[u8], at: usize) -> Option<Span> {
    let floor = at.saturating_sub(MAX_NAME_BYTES);
    let mut end = at;
    while end > floor {
        end = match text[end - 1] {
            b' ' | b'\t' | b'"' | b'\'' | b'\\' | b'[' | b']' => end - 1,
            b'm' => match colour_before(&text[..end]) {
                Some(colour) => colour,
                None => break,
            },
            _ => break,
        };
    }
    let mut start = end;
    while start > floor && in_name(text[start - 1]) {
        start -= 1;
    }
    // The end of a colour looks like the beginning of a name.
    let digits = text[start..end].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let behind = start + digits + 1;
    if behind <= end && colour_before(&text[..behind]).is_some() {
        start = behind;
    }
    let name = Span::new(start, end);
    (start < end && !is_label(text, name)).then_some(name)
}

/// Whether a name stands alone in brackets, as what was left of a value does: `[user]: was here`.
fn is_label(text: &[u8], name: Span) -> bool {
    let before = text[..name.start].strip_suffix(b"[");
    text.get(name.end) == Some(&b']')
        && before.is_some_and(|before| before.last().is_none_or(|byte| !in_name(*byte)))
}

/// Where the colour (`ESC[1;36m`) begins that the text ends with.
fn colour_before(text: &[u8]) -> Option<usize> {
    /// Of `1;38;5;255;48;5;255`, and some more.
    const MAX_BYTES: usize = 24;
    let numbers = text.strip_suffix(b"m")?;
    let length = numbers.iter().rev().take(MAX_BYTES).take_while(|byte| is_of_colour(**byte)).count();
    numbers[..numbers.len() - length].strip_suffix(b"\x1b[").map(<[u8]>::len)
}

/// How long the colours are that the text begins with.
fn colours(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(rest) = text[at..].strip_prefix(b"\x1b[") {
        let length = rest.iter().take_while(|byte| is_of_colour(**byte)).count();
        if rest.get(length) != Some(&b'm') {
            break;
        }
        at += length + 3;
    }
    at
}

fn is_of_colour(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b';'
}

/// The value that starts at `from`, after a separator, which may go on (`=>`, `:=`): up to the closing quote or bracket,
/// else up to a delimiter. Blanks may stand before it after a colon and an arrow, or after an equals sign that has one
/// before it: `a= b=1` gives `a` no value.
fn value_after(text: &[u8], name_end: usize, from: usize) -> Span {
    let mut start = from;
    while matches!(text.get(start), Some(b'=' | b'>')) {
        start += 1;
    }
    let is_arrow = start > from;
    start += colours(&text[start..]);
    if is_arrow || text[from - 1] == b':' || text[name_end] != b'=' {
        while matches!(text.get(start), Some(b' ' | b'\t')) {
            start += 1;
        }
        start += colours(&text[start..]);
    }
    let rest = &text[start..];
    let escapes = rest.iter().take_while(|byte| **byte == b'\\').count();
    match rest.get(escapes) {
        Some(quote @ (b'"' | b'\'')) => quoted(text, start + escapes + 1, *quote, escapes),
        Some(b'{' | b'[') if escapes == 0 => bracketed(text, start),
        Some(b'<') if escapes == 0 => {
            let length = memchr::memchr(b'>', &rest[1..]).unwrap_or(rest.len() - 1);
            Span::new(start + 1, start + 1 + length)
        }
        _ => Span::new(start, next_delimiter(text, start)),
    }
}

fn next_delimiter(text: &[u8], from: usize) -> usize {
    text[from..].iter().position(|byte| is_delimiter(*byte)).map_or(text.len(), |length| from + length)
}

/// Whether a byte ends a value that has no quotes.
pub(super) fn is_delimiter(byte: u8) -> bool {
    byte <= b' '
        || matches!(byte, b',' | b';' | b'&' | b')' | b']' | b'}' | b'"' | b'\'' | b'<' | b'>' | b'|')
}

/// Up to the closing quote, or to the end of the text if there is none. The quote that opens has so many backslashes
/// before it: texts in texts double them, so that as many stand before the one that closes, or an even number of times
/// as many and one more. With fewer, the text around ends.
fn quoted(text: &[u8], start: usize, quote: u8, escapes: usize) -> Span {
    let mut at = start;
    while let Some(found) = memchr::memchr(quote, text.get(at..).unwrap_or_default()) {
        let run = text[at..at + found].iter().rev().take_while(|byte| **byte == b'\\').count();
        if run < escapes || run % (2 * (escapes + 1)) == escapes {
            return Span::new(start, at + found - run.min(escapes));
        }
        at += found + 1;
    }
    Span::new(start, text.len())
}

/// A residue or a bracketed value, brackets and what is glued to them included (`[]hunter2` is one value); to
/// the end of the text if it is never closed.
fn bracketed(text: &[u8], start: usize) -> Span {
    let mut depth = 0_usize;
    for (at, byte) in text.iter().enumerate().skip(start) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Span::new(start, next_delimiter(text, at + 1));
        }
    }
    Span::new(start, text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text with what a rule about `user` would act on as `#`.
    fn acted(text: &str) -> String {
        let mut out = text.as_bytes().to_vec();
        let mut spans = Vec::new();
        pairs(text.as_bytes(), |name| (name == b"user").then_some(()), |(), span| spans.push(span));
        spans.iter().rev().for_each(|span| drop(out.splice(span.start..span.end, *b"#")));
        String::from_utf8(out).unwrap_or_default()
    }

    #[test]
    fn pairs_are_seen_as_people_write_them() {
        let cases = [
            ("a user=ann, b", "a user=#, b"),
            ("user: ann b", "user: # b"),
            ("user = ann b", "user = # b"),
            ("user\t=\tann\tb", "user\t=\t#\tb"),
            ("user= b=1", "user= b=1"),
            ("?user=ann&b=1", "?user=#&b=1"),
            ("user='ann lee' b", "user='#' b"),
            (r#"user="ann \"a\" lee" b"#, r##"user="#" b"##),
            (r#""user":"ann","b":1"#, r##""user":"#","b":1"##),
            ("user=<ann@example.com>, b", "user=<#>, b"),
            ("user=<>, b", "user=<>, b"),
            (r#""user"=>"ann", "b"=>1"#, r##""user"=>"#", "b"=>1"##),
            (":user => ann, b", ":user => #, b"),
            ("user := ann; b", "user := #; b"),
            ("form[user]=ann&b=1", "form[user]=#&b=1"),
            ("user[]=ann&user[]=bob", "user[]=#&user[]=#"),
            ("form['user']=ann", "form['user']=#"),
            ("user=[x]y b", "user=# b"),
            ("user={a b} c", "user=# c"),
        ];
        for (text, wanted) in cases {
            assert_eq!(acted(text), wanted);
        }
    }

    #[test]
    fn colours_do_not_count() {
        let cases = [
            (
                "\x1b[90mINF\x1b[0m in \x1b[36muser=\x1b[0mann b",
                "\x1b[90mINF\x1b[0m in \x1b[36muser=\x1b[0m# b",
            ),
            ("\x1b[1;36muser\x1b[0m=ann b", "\x1b[1;36muser\x1b[0m=# b"),
            ("\x1b[3muser\x1b[0m\x1b[2m=\x1b[0m\"ann lee\" b", "\x1b[3muser\x1b[0m\x1b[2m=\x1b[0m\"#\" b"),
            ("\x1b[muser\x1b[m: \x1b[1mann\x1b[m b", "\x1b[muser\x1b[m: \x1b[1m#\x1b[m b"),
        ];
        for (text, wanted) in cases {
            assert_eq!(acted(text), wanted);
        }
    }

    #[test]
    fn quotes_in_texts_in_texts_close_where_they_opened() {
        let inner = r#"{"user":"ann \"a\" \\","b":1}"#;
        let once = format!("x {}", inner.replace('\\', r"\\").replace('"', r#"\""#));
        let twice = once.replace('\\', r"\\").replace('"', r#"\""#);
        assert_eq!(acted(inner), r##"{"user":"#","b":1}"##);
        assert_eq!(acted(&once), r##"x {\"user\":\"#\",\"b\":1}"##);
        assert_eq!(acted(&twice), r##"x {\\\"user\\\":\\\"#\\\",\\\"b\\\":1}"##);
        assert_eq!(acted(r#""a \"user\":\"ann" b"#), r##""a \"user\":\"#" b"##);
    }

    #[test]
    fn elements_are_seen_where_no_record_is_one() {
        let cases = [
            ("got <user>ann lee</user> <b>1</b>", "got <user>#</user> <b>1</b>"),
            ("<s:user id=\"1\">ann</s:user> x", "<s:user id=\"1\">#</s:user> x"),
            ("<Data Name='user'>ann</Data><Data", "<Data Name='user'>#</Data><Data"),
            ("<a></a><Data Name=\"user\" Type='x'>ann", "<a></a><Data Name=\"user\" Type='x'>#"),
            ("<user><![CDATA[ann]]></user", "<user>#</user"),
            ("<user/>ann</a>", "<user/>ann</a>"),
            ("<user></user>ann</a>", "<user></user>ann</a>"),
            ("<user> ann", "<user> ann"),
        ];
        for (text, wanted) in cases {
            assert_eq!(acted(text), wanted);
        }
    }
}
