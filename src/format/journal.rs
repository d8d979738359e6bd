//! The journal of systemd as JSON (`journalctl -o json`).
//!
//! An object with the fields of an entry. `MESSAGE` holds a record of whatever wrote it. What is not UTF-8 or holds
//! control characters, and a colour is enough for that, is an array of byte numbers; what occurs several times is an
//! array of texts. Source: `systemd.journal-fields(7)`, <https://systemd.io/JOURNAL_EXPORT_FORMATS/>.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::json::Json;
use super::{Field, Fields, Format, Head, Layer, Name, NotThis, Opens, Role};
use crate::decoded::Decoded;
use crate::span::Span;

/// One entry of the journal.
#[derive(Debug)]
pub struct Journal;

/// Fields of which every entry has at least one.
const TOLD_BY: [&[u8]; 3] = [b"\"__REALTIME_TIMESTAMP\"", b"\"__CURSOR\"", b"\"_BOOT_ID\""];

impl Format for Journal {
    fn name(&self) -> &'static str {
        "journal"
    }

    fn fields(&self, record: &[u8], head: &Head, out: &mut Fields) -> Result<(), NotThis> {
        if !may_be(record) {
            return Err(NotThis);
        }
        let first = out.list.len();
        Json.fields(record, head, out)?;
        let mut is_entry = false;
        for at in first..out.list.len() {
            let Name::Field(name) = out.list[at].name else { continue };
            if out.list[at].parent == Some(first) && TOLD_BY.contains(&out.list[name].whole.of(record)) {
                (is_entry, out.list[at].tells) = (true, true);
            }
        }
        if !is_entry {
            return Err(NotThis);
        }
        out.list[first].name = out.give_name(b"journal");
        if !head.numbers_alone {
            join_bytes(record, first, &mut out.list);
        }
        for at in first..out.list.len() {
            let Name::Field(name) = out.list[at].name else { continue };
            let field = out.list[at];
            if field.parent == Some(first)
                && field.role == Role::Text
                && out.list[name].value.of(record) == b"MESSAGE"
            {
                out.list[at].opens = Opens::Record;
            }
        }
        Ok(())
    }

    fn decode(&self, text: &[u8], field: &Field, span: Span, out: &mut Decoded) {
        if field.role != Role::Bytes {
            return Json.decode(text, field, span, out);
        }
        for number in numbers(text, span) {
            out.push(&[byte(number.of(text)).unwrap_or(b'?')], number);
        }
    }

    fn escape(&self, field: &Field, text: &[u8], whole: bool, out: &mut Vec<u8>) {
        if field.role != Role::Bytes {
            return Json.escape(field, text, whole, out);
        }
        // Between its neighbours something has to stand.
        let text = if text.is_empty() && !whole { b"_" } else { text };
        let numbers: Vec<String> = text.iter().map(u8::to_string).collect();
        out.extend_from_slice(numbers.join(",").as_bytes());
    }

    fn quote(&self, field: &Field, text: &[u8]) -> &'static [u8] {
        Json.quote(field, text)
    }

    fn remove(&self, fields: &Fields, layer: &Layer, gone: &[usize], out: &mut Vec<(Span, &'static [u8])>) {
        Json.remove(fields, layer, gone, out);
    }

    fn given_names(&self) -> &'static [&'static str] {
        &["journal"]
    }

    fn may_be(&self, record: &[u8]) -> bool {
        may_be(record)
    }

    fn is_json(&self) -> bool {
        true
    }

    fn has_bytes(&self) -> bool {
        true
    }

    fn claims(&self, record: &[u8]) -> bool {
        may_be(record) && self.fields(record, &Head::default(), &mut Fields::default()).is_ok()
    }
}

/// Whether it is an object that holds such a name somewhere. All of them begin alike, as few others do.
fn may_be(record: &[u8]) -> bool {
    static NAMES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"_"));
    let starts = |at: usize| TOLD_BY.iter().any(|name| record[at..].starts_with(name));
    record.trim_ascii_start().starts_with(b"{") && NAMES.find_iter(record).any(starts)
}

/// Makes one field of each array of byte numbers.
fn join_bytes(record: &[u8], first: usize, list: &mut Vec<Field>) {
    let joined = byte_arrays(record, first, &list[first..]);
    if !joined.contains(&true) {
        return;
    }
    let mut places = Vec::with_capacity(joined.len()); // of each field, once the elements are gone
    let mut kept = first;
    for at in first..list.len() {
        let mut field = list[at];
        places.push(kept);
        if field.parent.is_some_and(|parent| parent >= first && joined[parent - first]) {
            continue;
        }
        field.parent =
            field.parent.map(|parent| if parent < first { parent } else { places[parent - first] });
        if let Name::Field(name) = field.name {
            field.name = Name::Field(places[name - first]);
        }
        if joined[at - first] {
            (field.role, field.escaped) = (Role::Bytes, true);
        }
        list[kept] = field;
        kept += 1;
    }
    list.truncate(kept);
}

/// By field: whether it is an array of byte numbers and nothing else.
fn byte_arrays(record: &[u8], first: usize, list: &[Field]) -> Vec<bool> {
    let mut arrays = vec![false; list.len()];
    let mut others = vec![false; list.len()];
    for field in list {
        let Some(parent) = field.parent.and_then(|parent| parent.checked_sub(first)) else { continue };
        match field.role == Role::Number && byte(field.value.of(record)).is_some() {
            true => arrays[parent] = list[parent].role == Role::Array,
            false => others[parent] = true,
        }
    }
    arrays.iter().zip(others).map(|(array, other)| *array && !other).collect()
}

/// The numbers in a span, which holds nothing else but commas and blanks.
fn numbers(text: &[u8], span: Span) -> impl Iterator<Item = Span> {
    let mut at = span.start;
    std::iter::from_fn(move || {
        let ahead = &text[at..span.end];
        let start = at + ahead.iter().position(u8::is_ascii_digit)?;
        let length = text[start..span.end].iter().take_while(|byte| byte.is_ascii_digit()).count();
        at = start + length;
        Some(Span::new(start, at))
    })
}

fn byte(number: &[u8]) -> Option<u8> {
    let value = |value: u32, digit: &u8| Some(value * 10 + char::from(*digit).to_digit(10)?);
    let value = if number.len() <= 3 { number.iter().try_fold(0, value)? } else { return None };
    u8::try_from(value).ok()
}
