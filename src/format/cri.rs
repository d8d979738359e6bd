//! Logs of containers as Kubernetes keeps them (the CRI format: containerd, CRI-O).
//!
//! `2026-01-01T00:00:00.123456789Z stdout F message`: when it was read, which stream it came from, whether it is whole
//! (`F`) or goes on in the next record of the stream (`P`), the message. Tags may follow the letter behind colons.
//! Source: `kubernetes/design-proposals-archive`, `node/kubelet-cri-logging.md`.

use super::{Field, Fields, Format, Head, Layer, NotThis, Opens, Part, Role};
use crate::span::Span;

/// One line of a container's log.
#[derive(Debug)]
pub struct Cri;

const NAMES: [&str; 4] = ["cri.time", "cri.stream", "cri.tag", "cri.message"];

/// The place of the message among them.
const MESSAGE: usize = 3;

impl Format for Cri {
    fn name(&self) -> &'static str {
        "cri"
    }

    fn fields(&self, record: &[u8], _: &Head, out: &mut Fields) -> Result<(), NotThis> {
        let spans = spans(record).ok_or(NotThis)?;
        let whole = out.push(Field::new(Role::Object, Span::new(0, record.len())));
        for (at, (name, span)) in NAMES.iter().zip(spans.into_iter().flatten()).enumerate() {
            let role = if span.of(record) == b"-" && at < MESSAGE { Role::Literal } else { Role::Text };
            let name = out.give_name(name.as_bytes());
            let opens = if at == MESSAGE { Opens::Record } else { Opens::No };
            let is_framing = is_framing(at, span.of(record));
            let mut field = Field { parent: Some(whole), name, opens, is_framing, ..Field::new(role, span) };
            if at < MESSAGE && is_quoted(span.of(record)) {
                field.value = Span::new(span.start + 1, span.end - 1);
            }
            out.push(field);
        }
        Ok(())
    }

    fn escape(&self, field: &Field, text: &[u8], _: bool, out: &mut Vec<u8>) {
        let is_message = field.opens == Opens::Record || field.role == Role::Object;
        let fits = |byte: &u8| *byte != b'\n' && (is_message || !byte.is_ascii_whitespace());
        out.extend(text.iter().map(|byte| if fits(byte) { *byte } else { b'_' }));
    }

    /// What does not look like the work of an action would not be known again in the place of a time or a stream.
    fn quote(&self, field: &Field, text: &[u8]) -> &'static [u8] {
        let is_header = field.opens == Opens::No && field.role != Role::Object;
        if is_header && !field.is_quoted() && !is_edited(text) { b"\"" } else { b"" }
    }

    fn remove(&self, fields: &Fields, _: &Layer, gone: &[usize], out: &mut Vec<(Span, &'static [u8])>) {
        for field in gone.iter().map(|at| &fields.list[*at]) {
            let message = field.opens == Opens::Record || field.role == Role::Object;
            out.push((field.whole, if message { b"" } else { b"-" }));
        }
    }

    fn given_names(&self) -> &'static [&'static str] {
        &NAMES
    }

    fn part(&self, record: &[u8]) -> Option<Part> {
        let [_, Some(stream), Some(tag), content] = spans(record)? else { return None };
        let stream = Part::stream(stream.of(record));
        match (is_tag(tag.of(record), b"P"), content) {
            (goes_on, Some(content)) => Some(Part { stream, content, goes_on, is_sure: true }),
            // Where no blank is left there is no room for a message.
            (true, None) => None,
            (false, None) => {
                let content = Span::new(record.len(), record.len());
                Some(Part { stream, content, goes_on: false, is_sure: true })
            }
        }
    }

    fn has_parts(&self) -> bool {
        true
    }
}

/// Time, stream, tag, and the message if there is room for one. Rules may have acted on two of the first three.
fn spans(record: &[u8]) -> Option<[Option<Span>; 4]> {
    let mut words = [Span::default(); 3];
    let (mut from, mut known) = (0, false);
    for (at, word) in words.iter_mut().enumerate() {
        let rest = record.get(from..)?;
        let blank = memchr::memchr(b' ', rest);
        // There may be nothing behind the tag of an empty message.
        let length = if at == 2 { blank.unwrap_or(rest.len()) } else { blank? };
        if length == 0 {
            return None;
        }
        *word = Span::new(from, from + length);
        from = (from + length + 1).min(record.len());
        let is_known = [is_time, Part::is_stream, is_whole_or_part][at];
        let known_here = is_known(word.of(record));
        if !known_here && !is_edited(word.of(record)) {
            return None;
        }
        known |= known_here;
    }
    let message = (words[2].end < record.len()).then(|| Span::new(from, record.len()));
    let [time, stream, tag] = words.map(Some);
    known.then_some([time, stream, tag, message])
}

/// Whether a word is a time as RFC 3339 has it, as far as that needs to be known.
fn is_time(word: &[u8]) -> bool {
    let shape = b"0000-00-00T00:00:00";
    let fits = |(byte, shape): (&u8, &u8)| if *shape == b'0' { byte.is_ascii_digit() } else { byte == shape };
    word.len() > shape.len()
        && word.len() <= 40
        && word.iter().zip(shape).all(fits)
        && word[shape.len()..].iter().all(|byte| byte.is_ascii_digit() || b".:+-Z".contains(byte))
}

/// Whether the word at that place is one of those that Kubernetes knows. Further tags may be anything.
fn is_framing(at: usize, word: &[u8]) -> bool {
    match at {
        1 => Part::is_stream(word),
        2 => matches!(word, b"F" | b"P"),
        _ => false,
    }
}

fn is_whole_or_part(tag: &[u8]) -> bool {
    is_tag(tag, b"FP")
}

/// Whether a word looks like what an action leaves.
fn is_edited(word: &[u8]) -> bool {
    word == b"-" || word.contains(&b'*') || word.starts_with(b"[") && word.ends_with(b"]") || is_quoted(word)
}

fn is_quoted(word: &[u8]) -> bool {
    matches!(word, [b'"', .., b'"'])
}

/// Whether a tag begins with one of these letters.
fn is_tag(tag: &[u8], letters: &[u8]) -> bool {
    matches!(tag, [letter, rest @ ..] if letters.contains(letter) && matches!(rest, [] | [b':', ..]))
}
