//! The journal of systemd as it is exported (`journalctl -o export`), a field a record.
//!
//! `FIELD=text`, or, if the text is not UTF-8 or holds line feeds: `FIELD`, a line feed, eight bytes with the length of
//! the data, the lowest first, the data, a line feed. An empty line ends an entry. A field of the second sort reaches this
//! format as if it were of the first: who cuts the input and writes it sees to the length. Source:
//! <https://systemd.io/JOURNAL_EXPORT_FORMATS/>.

use super::{Field, Fields, Format, Framed, Head, Layer, Name, NotThis, Opens, Role};
use crate::span::Span;

/// One field of an entry.
#[derive(Debug)]
pub struct Export;

/// Bytes that a name may have.
const MAX_NAME_BYTES: usize = 64;

/// Bytes of a length.
const LENGTH_BYTES: usize = 8;

impl Format for Export {
    fn name(&self) -> &'static str {
        "journal-export"
    }

    /// Only an input that is known to be an export holds such fields, and no message does: many a text has a name and an
    /// equals sign.
    fn fields(&self, record: &[u8], head: &Head, out: &mut Fields) -> Result<(), NotThis> {
        let length = name_length(record);
        let is_known = head.is_only(self) && out.list.is_empty();
        if !is_known || length == 0 || record.get(length) != Some(&b'=') {
            return Err(NotThis);
        }
        let root =
            Field { name: out.give_name(b"journal"), ..Field::new(Role::Object, Span::new(0, record.len())) };
        let parent = Some(out.push(root));
        let name = out.push(Field { parent, ..Field::new(Role::Name, Span::new(0, length)) });
        let is_message = record.starts_with(b"MESSAGE=");
        let opens = if is_message { Opens::Record } else { Opens::No };
        let value = Field::new(Role::Text, Span::new(length + 1, record.len()));
        out.push(Field { parent, name: Name::Field(name), opens, ..value });
        Ok(())
    }

    fn may_be(&self, _: &[u8]) -> bool {
        false // no name of a field begins with a bracket
    }

    fn escape(&self, _: &Field, text: &[u8], _: bool, out: &mut Vec<u8>) {
        out.extend(text.iter().map(|byte| if *byte == b'\n' { b'_' } else { *byte }));
    }

    /// A line without anything on it would end the entry.
    fn remove(&self, fields: &Fields, _: &Layer, gone: &[usize], out: &mut Vec<(Span, &'static [u8])>) {
        out.extend(gone.iter().map(|at| match &fields.list[*at] {
            root if root.role == Role::Object => (root.whole, &b"_="[..]),
            field => (field.whole, &b""[..]),
        }));
    }

    fn given_names(&self) -> &'static [&'static str] {
        &["journal"]
    }

    fn is_framed(&self) -> bool {
        true
    }

    fn framed(&self, rest: &[u8]) -> Option<Framed> {
        let name = name_length(rest);
        if name == 0 || rest.get(name) != Some(&b'\n') {
            return None;
        }
        let start = name + 1 + LENGTH_BYTES;
        let bytes = rest.get(name + 1..start).and_then(|bytes| bytes.try_into().ok());
        let length =
            bytes.map_or(0, |bytes| usize::try_from(u64::from_le_bytes(bytes)).unwrap_or(usize::MAX));
        let end = start.saturating_add(length);
        let is_sound = rest.get(end).is_none_or(|byte| *byte == b'\n');
        is_sound.then_some(Framed { name, start, end })
    }

    fn frame(&self, record: &[u8], start: usize, out: &mut Vec<u8>) {
        let (name, data) = record.split_at(start);
        out.extend_from_slice(name.strip_suffix(b"=").unwrap_or(name));
        out.push(b'\n');
        out.extend_from_slice(&(data.len() as u64).to_le_bytes());
        out.extend_from_slice(data);
    }

    fn claims(&self, record: &[u8]) -> bool {
        record.starts_with(b"__CURSOR=")
    }
}

/// How long the name at the start is; none is shorter than a byte.
fn name_length(rest: &[u8]) -> usize {
    let in_name = |byte: &&u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || **byte == b'_';
    let length = rest.iter().take(MAX_NAME_BYTES + 1).take_while(in_name).count();
    if length > MAX_NAME_BYTES || rest.first().is_some_and(u8::is_ascii_digit) { 0 } else { length }
}
