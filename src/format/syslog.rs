//! Syslog: the BSD form (RFC 3164 and what is written in its name), the form of RFC 5424, and frames with a length
//! before them (RFC 6587).
//!
//! A wrapper: its message is a record of its own. Without a priority in front a record must begin with a time; behind
//! one of RFC 3339, with which many logs begin, a host and a tag with a colon must follow.

mod read;
mod time;

use super::{Field, Fields, Format, Head, Layer, Name, NotThis, Role};
use crate::decoded::Decoded;
use crate::span::Span;
use read::Reader;

/// Syslog messages.
#[derive(Debug)]
pub struct Syslog;

/// What sort of field it is: [`Field::sort`], and the place of its name in [`NAMES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Priority,
    /// The time of the BSD form.
    Time,
    /// The time of RFC 5424.
    Stamp,
    Host,
    App,
    Pid,
    MessageId,
    Message,
}

const NAMES: [&str; 8] = [
    "syslog.priority",
    "syslog.time",
    "syslog.time",
    "syslog.host",
    "syslog.app",
    "syslog.pid",
    "syslog.msgid",
    "syslog.message",
];

/// The sort of what belongs to structured data.
const DATA: u8 = 255;

/// The priority of a message that says none (RFC 3164, section 4.3.3).
const NO_PRIORITY: &[u8] = b"13";

/// What stands where a value of the header lacks.
const NONE: &[u8] = b"-";

impl Format for Syslog {
    fn name(&self) -> &'static str {
        "syslog"
    }

    fn fields(&self, record: &[u8], _: &Head, out: &mut Fields) -> Result<(), NotThis> {
        let whole = Span::new(0, record.len());
        if !matches!(record.first(), Some(b'<' | b'-' | b'*' | b'0'..=b'9' | b'A'..=b'Z')) {
            return Err(NotThis);
        }
        let around = out.push(Field::new(Role::Object, whole));
        match read::frames(record) {
            None => Reader::new(record, whole, around).message(out),
            Some(frames) => frames.iter().try_for_each(|frame| {
                let message = frame.push(around, out);
                Reader::new(record, out.list[message].value, message).message(out)
            }),
        }
    }

    fn decode(&self, text: &[u8], field: &Field, span: Span, out: &mut Decoded) {
        if field.sort != DATA {
            return out.push_verbatim(span.of(text), span.start);
        }
        let mut at = span.start;
        while at < span.end {
            match text[at..span.end] {
                [b'\\', escaped @ (b'"' | b'\\' | b']'), ..] => {
                    out.push(&[escaped], Span::new(at, at + 2));
                    at += 2;
                }
                ref plain => {
                    let length = memchr::memchr(b'\\', &plain[1..]).map_or(plain.len(), |next| 1 + next);
                    out.push_verbatim(&plain[..length], at);
                    at += length;
                }
            }
        }
    }

    fn escape(&self, field: &Field, text: &[u8], whole: bool, out: &mut Vec<u8>) {
        let is = |sort: Sort| field.sort == sort as u8;
        if field.role == Role::Name {
            out.extend(text.iter().map(|byte| if read::is_name(*byte) { *byte } else { b'_' }));
        } else if field.sort == DATA {
            for byte in text {
                out.extend(matches!(byte, b'"' | b'\\' | b']').then_some(b'\\'));
                out.push(*byte);
            }
        } else if is(Sort::Message) || field.is_container() {
            out.extend_from_slice(text);
        } else if is(Sort::Priority) {
            let written = if read::is_priority(text) { text } else { NO_PRIORITY };
            out.extend_from_slice(if whole { written } else { b"" });
        } else if whole && is(Sort::Time) {
            out.extend_from_slice(if time::is_time(text) { text } else { time::NO_TIME });
        } else if whole && is(Sort::Stamp) {
            out.extend_from_slice(if time::is_time(text) { text } else { NONE });
        } else {
            write_word(text, whole, out);
        }
    }

    fn remove(&self, fields: &Fields, _: &Layer, gone: &[usize], out: &mut Vec<(Span, &'static [u8])>) {
        for at in gone {
            let field = &fields.list[*at];
            let Field { value, whole, sort, .. } = *field;
            out.push(match field.name {
                // What stands before a name is a blank, and before that an id or another value.
                Name::Field(name) => (Span::new(fields.list[name].whole.start - 1, whole.end), b""),
                _ if sort == Sort::Message as u8 => (value, b""),
                _ if sort == Sort::Priority as u8 => (value, NO_PRIORITY),
                _ if sort == Sort::Time as u8 => (value, time::NO_TIME),
                _ if field.is_container() => (Span::new(whole.end, whole.end), b""),
                _ => (value, NONE),
            });
        }
    }

    fn given_names(&self) -> &'static [&'static str] {
        &NAMES
    }

    fn has_counts(&self, record: &[u8]) -> bool {
        read::may_have_frames(record)
    }
}

/// Writes what is one word to readers of a header, and nothing but that: a colon at its end would make a tag of it, a
/// bracket that it does not begin with a process id.
fn write_word(text: &[u8], whole: bool, out: &mut Vec<u8>) {
    if text.is_empty() && whole {
        return out.extend_from_slice(NONE);
    }
    let opening = read::opening(text);
    let closes = text.last() == Some(&b']') && opening != Some(0);
    for (at, byte) in text.iter().enumerate() {
        let is_last = at + 1 == text.len();
        let tags = *byte == b':' && (is_last || at > 0 && text[at - 1] == b']') || is_last && closes;
        out.push(if *byte <= b' ' || tags { b'_' } else { *byte });
    }
}
