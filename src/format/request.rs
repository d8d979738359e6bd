//! [`Request`] and [`Query`]: the request line of HTTP and the query in it, as access logs hold them in a column.
//!
//! What follows the method is the target, blanks in it included, but for the protocol at the end. What is no request
//! line (the first bytes of TLS, nothing at all) is not opened, and stays one text.

use super::{Field, Fields, Format, Head, Layer, Name, NotThis, Opens, Role};
use crate::decoded::Decoded;
use crate::span::Span;

/// `GET /path?query HTTP/1.1`.
#[derive(Debug)]
pub(super) struct Request;

/// `name=value&name=value`.
#[derive(Debug)]
pub(super) struct Query;

impl Format for Request {
    fn name(&self) -> &'static str {
        "request"
    }

    fn fields(&self, text: &[u8], _: &Head, out: &mut Fields) -> Result<(), NotThis> {
        let parts = parts(text).ok_or(NotThis)?;
        let root = out.push(Field::new(Role::Object, Span::new(0, text.len())));
        let question = memchr::memchr(b'?', parts.target.of(text)).map(|at| parts.target.start + at);
        let path = Span::new(parts.target.start, question.unwrap_or(parts.target.end));
        push(out, text, root, "method", parts.method);
        push(out, text, root, "path", path);
        if let Some(question) = question.filter(|question| question + 1 < parts.target.end) {
            let value = Span::new(question + 1, parts.target.end);
            let whole = Span::new(question, parts.target.end);
            let name = out.give_name(b"query");
            let query = Field::new(Role::Text, value);
            out.push(Field { parent: Some(root), name, whole, opens: Opens::Query, ..query });
        }
        if let Some(protocol) = parts.protocol {
            push(out, text, root, "protocol", protocol);
        }
        Ok(())
    }

    fn decode(&self, text: &[u8], field: &Field, span: Span, out: &mut Decoded) {
        // The query is parted before its escapes are undone.
        match field.opens {
            Opens::Query => out.push_verbatim(span.of(text), span.start),
            _ => percent_decode(text, span, out),
        }
    }

    fn escape(&self, field: &Field, text: &[u8], _: bool, out: &mut Vec<u8>) {
        // What takes the place of a pair of the query has its escapes already.
        let others: &[u8] = if field.opens == Opens::Query { b"" } else { b"?%" };
        percent_encode(text, others, out);
    }

    fn remove(&self, fields: &Fields, _: &Layer, gone: &[usize], out: &mut Vec<(Span, &'static [u8])>) {
        out.extend(gone.iter().map(|at| {
            let field = &fields.list[*at];
            match field.opens {
                Opens::Query => (field.whole, b"".as_slice()),
                _ => super::access::removed(field),
            }
        }));
    }
}

struct Parts {
    method: Span,
    target: Span,
    protocol: Option<Span>,
}

fn parts(text: &[u8]) -> Option<Parts> {
    let text = text.trim_ascii_end();
    let first = memchr::memchr(b' ', text)?;
    let method = Span::new(0, first);
    if method.is_empty() || !method.of(text).iter().all(|byte| is_token(*byte)) {
        return None;
    }
    let last = memchr::memrchr(b' ', text).filter(|last| *last > first);
    let protocol = last.map(|last| Span::new(last + 1, text.len()));
    let protocol = protocol.filter(|protocol| {
        let is_third = last.is_some_and(|last| !text[first + 1..last].contains(&b' '));
        is_protocol(protocol.of(text), is_third)
    });
    let target = Span::new(first + 1, protocol.map_or(text.len(), |protocol| protocol.start - 1));
    let is_request = !target.is_empty() && (protocol.is_some() || is_method(method.of(text)));
    is_request.then_some(Parts { method, target, protocol })
}

/// Bytes of a method: those of RFC 9110 that are no delimiters elsewhere, and those of residues and escapes.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'?')
}

/// Whether a word at the end is a protocol: `HTTP/1.1`, a residue; as the third of three words whatever an edit leaves.
/// Any other may be the end of a target that was sent with blanks in it.
fn is_protocol(word: &[u8], is_third: bool) -> bool {
    let version =
        memchr::memchr(b'/', word).filter(|slash| word[..*slash].iter().all(u8::is_ascii_alphabetic));
    let is_versioned =
        version.is_some_and(|slash| slash > 0 && word.get(slash + 1).is_some_and(u8::is_ascii_digit));
    let is_residue = word.len() > 1 && word.first() == Some(&b'[') && word.last() == Some(&b']');
    is_versioned || is_residue || is_third && is_left_by_edit(word)
}

/// Whether the first word is a method though no protocol follows, as in HTTP/0.9.
fn is_method(word: &[u8]) -> bool {
    word.iter().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_')) || is_left_by_edit(word)
}

fn is_left_by_edit(word: &[u8]) -> bool {
    word == b"-" || matches!(word.first(), Some(b'[' | b'*')) || word.contains(&b'%')
}

fn push(out: &mut Fields, text: &[u8], root: usize, name: &str, value: Span) {
    let name = out.give_name(name.as_bytes());
    let role = if value.of(text) == b"-" { Role::Literal } else { Role::Text };
    let escaped = memchr::memchr(b'%', value.of(text)).is_some();
    out.push(Field { parent: Some(root), name, escaped, ..Field::new(role, value) });
}

impl Format for Query {
    fn name(&self) -> &'static str {
        "query"
    }

    fn fields(&self, text: &[u8], _: &Head, out: &mut Fields) -> Result<(), NotThis> {
        let root = out.push(Field::new(Role::Object, Span::new(0, text.len())));
        let mut start = 0;
        for end in memchr::memchr_iter(b'&', text).chain([text.len()]) {
            if start < end {
                pair(text, root, Span::new(start, end), out);
            }
            start = end + 1;
        }
        Ok(())
    }

    fn decode(&self, text: &[u8], _: &Field, span: Span, out: &mut Decoded) {
        percent_decode(text, span, out);
    }

    fn escape(&self, _: &Field, text: &[u8], _: bool, out: &mut Vec<u8>) {
        percent_encode(text, b"&=%", out);
    }

    /// A pair goes with the `&` between it and the pair before it, or after it if none stays before it; where none
    /// stays at all, the `?` goes too.
    fn remove(&self, fields: &Fields, layer: &Layer, gone: &[usize], out: &mut Vec<(Span, &'static [u8])>) {
        let mut goes = gone.iter().copied().peekable();
        let root = goes.next_if_eq(&layer.fields.start);
        out.extend(root.map(|root| super::access::removed(&fields.list[root])));
        let before = out.len();
        let pairs = || layer.fields.clone().filter(|at| is_pair(&fields.list[*at]));
        let (mut stays, mut last_end) = (false, 0);
        let mut starts = pairs().skip(1).map(|at| start(fields, at));
        for at in pairs() {
            let end = fields.list[at].whole.end;
            let next = starts.next();
            if goes.next_if_eq(&at).is_none() {
                stays = true;
            } else if stays {
                out.push((Span::new(last_end, end), b""));
            } else {
                out.push((Span::new(start(fields, at), next.unwrap_or(end)), b""));
            }
            last_end = end;
        }
        let whole = layer.opened.map(|opened| fields.list[opened].whole);
        if let (false, Some(whole), Some((first, _))) = (stays, whole, out.get_mut(before)) {
            first.start = whole.start;
        }
    }
}

fn pair(text: &[u8], root: usize, span: Span, out: &mut Fields) {
    let part = |role, value: Span| {
        let escaped = memchr::memchr(b'%', value.of(text)).is_some();
        Field { parent: Some(root), escaped, ..Field::new(role, value) }
    };
    let Some(equals) = memchr::memchr(b'=', span.of(text)).map(|at| span.start + at) else {
        out.push(part(Role::Text, span));
        return;
    };
    let name = out.push(part(Role::Name, Span::new(span.start, equals)));
    // With the sign before it a value is more than nothing, so that one that is empty can be removed.
    let whole = Span::new(equals, span.end);
    let value = part(Role::Text, Span::new(equals + 1, span.end));
    out.push(Field { name: Name::Field(name), whole, ..value });
}

fn is_pair(field: &Field) -> bool {
    field.role == Role::Text
}

/// Where the pair begins of which this is the value.
fn start(fields: &Fields, at: usize) -> usize {
    match fields.list[at].name {
        Name::Field(name) => fields.list[name].whole.start,
        _ => fields.list[at].whole.start,
    }
}

fn percent_decode(text: &[u8], span: Span, out: &mut Decoded) {
    let mut at = span.start;
    while at < span.end {
        let rest = Span::new(at, span.end).of(text);
        if let [b'%', high, low, ..] = rest
            && let Some(byte) = super::access::hex(*high, *low)
        {
            out.push(&[byte], Span::new(at, at + 3));
            at += 3;
            continue;
        }
        let next = rest.get(1..).and_then(|after| memchr::memchr(b'%', after));
        let length = next.map_or(rest.len(), |next| next + 1);
        out.push_verbatim(&rest[..length], at);
        at += length;
    }
}

/// Writes these bytes, and what is no part of a URL, as `%XX`. Brackets and `#` stay, as in residues.
fn percent_encode(text: &[u8], others: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        let stays = byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'<' | b'>');
        if stays && !others.contains(byte) {
            out.push(*byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
}
