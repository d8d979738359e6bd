//! Running text: one field, the whole record.

use super::{Field, Format, NotThis, Role};
use crate::decoded::Decoded;
use crate::span::Span;

/// Text of any kind, one record a line. Every record is of this format.
#[derive(Debug)]
pub struct Text;

impl Format for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn fields(&self, record: &[u8], out: &mut Vec<Field>) -> Result<(), NotThis> {
        let all = Span::new(0, record.len());
        out.push(Field {
            role: Role::Text,
            parent: None,
            name: None,
            value: all,
            whole: all,
            escaped: false,
        });
        Ok(())
    }

    fn decode(&self, record: &[u8], field: &Field, out: &mut Decoded) {
        out.push_verbatim(field.value.of(record), field.value.start);
    }

    fn escape(&self, replacement: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(replacement);
    }

    fn quote(&self) -> &'static [u8] {
        b""
    }

    fn remove(&self, fields: &[Field], gone: &[usize], out: &mut Vec<(Span, &'static [u8])>) {
        out.extend(gone.iter().map(|at| (fields[*at].value, b"[]".as_slice())));
    }
}
