//! Logs of containers as Docker keeps them (the logging driver `json-file`).
//!
//! `{"log":"message\n","stream":"stdout","time":"…"}`, perhaps with `attrs`. What the container writes without a line
//! feed within 16 KiB goes on in the next record of the stream: its `log` does not end with `\n`.

use super::json::Json;
use super::{Field, Fields, Format, Head, Layer, Name, NotThis, Opens, Part, Role};
use crate::decoded::Decoded;
use crate::span::Span;

/// One line of a container's log. It is JSON, of which `log` holds a record.
#[derive(Debug)]
pub struct Docker;

impl Format for Docker {
    fn name(&self) -> &'static str {
        "docker"
    }

    /// A record is of this format if it is an object that holds both `log` and `stream` as texts, and begins as
    /// Docker or whoever sorts by names writes it.
    fn fields(&self, record: &[u8], head: &Head, out: &mut Fields) -> Result<(), NotThis> {
        if !may_be(record) {
            return Err(NotThis);
        }
        let first = out.list.len();
        Json.fields(record, head, out)?;
        let log = member(record, &out.list[first..], first, b"log").ok_or(NotThis)?;
        let stream = member(record, &out.list[first..], first, b"stream").ok_or(NotThis)?;
        out.list[first].name = out.give_name(b"docker");
        let field = &mut out.list[first + stream];
        field.tells = true;
        field.is_framing = Part::is_stream(field.value.of(record));
        let field = &mut out.list[first + log];
        field.tells = true;
        field.value.end -= line_feed(field.value.of(record)).len();
        field.opens = Opens::Record;
        Ok(())
    }

    fn decode(&self, text: &[u8], field: &Field, span: Span, out: &mut Decoded) {
        Json.decode(text, field, span, out);
    }

    fn escape(&self, field: &Field, text: &[u8], whole: bool, out: &mut Vec<u8>) {
        Json.escape(field, text, whole, out);
    }

    fn quote(&self, field: &Field, text: &[u8]) -> &'static [u8] {
        Json.quote(field, text)
    }

    fn remove(&self, fields: &Fields, layer: &Layer, gone: &[usize], out: &mut Vec<(Span, &'static [u8])>) {
        Json.remove(fields, layer, gone, out);
    }

    fn given_names(&self) -> &'static [&'static str] {
        &["docker"]
    }

    fn may_be(&self, record: &[u8]) -> bool {
        may_be(record)
    }

    fn is_json(&self) -> bool {
        true
    }

    fn part(&self, record: &[u8]) -> Option<Part> {
        let (content, stream) = as_docker_writes(record).or_else(|| as_others_write(record))?;
        let goes_on = line_feed(content.of(record)).is_empty();
        let is_sure = !goes_on || content.len() >= LONG_BYTES;
        Some(Part { stream: Part::stream(stream.of(record)), content, goes_on, is_sure })
    }

    fn has_parts(&self) -> bool {
        true
    }

    fn closing(&self, content: &[u8]) -> usize {
        line_feed(content).len()
    }
}

/// Half of what Docker puts in a part, and no part but the last is shorter: values may have gone from it.
const LONG_BYTES: usize = 8 << 10;

/// The members of a record, with the quote behind them.
const NAMES: [&[u8]; 4] = [b"log\"", b"stream\"", b"attrs\"", b"time\""];

/// Whether the first name of an object is one of those of the format.
fn may_be(record: &[u8]) -> bool {
    let Some(rest) = record.trim_ascii_start().strip_prefix(b"{") else { return false };
    let Some(name) = rest.trim_ascii_start().strip_prefix(b"\"") else { return false };
    NAMES.iter().any(|known| name.starts_with(known))
}

/// The place of the text of that name in the object that the list begins with; `first` is the place of the list.
fn member(record: &[u8], list: &[Field], first: usize, name: &[u8]) -> Option<usize> {
    list.iter().position(|field| match field.name {
        Name::Field(at) if field.parent == Some(first) && field.role == Role::Text => {
            list[at - first].value.of(record) == name
        }
        _ => false,
    })
}

/// The line feed at the end of a message, as JSON writes it.
fn line_feed(content: &[u8]) -> &[u8] {
    let rest = content.len().saturating_sub(2);
    let backslashes = content.iter().rev().skip(1).take_while(|byte| **byte == b'\\').count();
    if content.ends_with(b"\\n") && backslashes % 2 == 1 { &content[rest..] } else { b"" }
}

/// The contents of `log` and `stream` where these are the first two members, without any blank.
fn as_docker_writes(record: &[u8]) -> Option<(Span, Span)> {
    const LOG: &[u8] = b"{\"log\":\"";
    const STREAM: &[u8] = b"\",\"stream\":\"";
    let log = text_end(record.strip_prefix(LOG)?)?;
    let log = Span::new(LOG.len(), LOG.len() + log);
    let stream = text_end(record[log.end..].strip_prefix(STREAM)?)?;
    let stream = Span::new(log.end + STREAM.len(), log.end + STREAM.len() + stream);
    let rest = &record[stream.end..];
    (rest.starts_with(b"\",\"time\":\"") || rest.starts_with(b"\",\"attrs\":{")).then_some((log, stream))
}

/// How long the content of a JSON text is, up to its closing quote.
fn text_end(text: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'"', text).find(|at| {
        let before = text[..*at].iter().rev();
        before.take_while(|byte| **byte == b'\\').count() % 2 == 0
    })
}

/// The same of any object that has no members beside those of the format: what passes the logs of containers on adds
/// some, and takes away the line feeds that tell whole records from parts.
fn as_others_write(record: &[u8]) -> Option<(Span, Span)> {
    let mut fields = Fields::default();
    let has_both = || NAMES[..2].iter().all(|name| memchr::memmem::find(record, name).is_some());
    if !may_be(record) || !has_both() || Json.fields(record, &Head::default(), &mut fields).is_err() {
        return None;
    }
    let known = |name: &[u8]| NAMES.iter().any(|known| known.strip_suffix(b"\"") == Some(name));
    let mut names = fields.list.iter().filter(|field| field.role == Role::Name && field.parent == Some(0));
    if !names.all(|name| known(name.value.of(record))) {
        return None;
    }
    let value = |name| member(record, &fields.list, 0, name).map(|at| fields.list[at].value);
    Some((value(b"log")?, value(b"stream")?))
}
