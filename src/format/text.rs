//! Running text: one field, the whole record.

use super::{Field, Fields, Format, Head, Layer, NotThis, Role};
use crate::span::Span;

/// Text of any kind, one record a line. Every record is of this format.
#[derive(Debug)]
pub struct Text;

impl Format for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn fields(&self, record: &[u8], _: &Head, out: &mut Fields) -> Result<(), NotThis> {
        out.push(Field::new(Role::Text, Span::new(0, record.len())));
        Ok(())
    }

    fn escape(&self, _: &Field, text: &[u8], _: bool, out: &mut Vec<u8>) {
        out.extend_from_slice(text);
    }

    fn remove(&self, fields: &Fields, _: &Layer, gone: &[usize], out: &mut Vec<(Span, &'static [u8])>) {
        out.extend(gone.iter().map(|at| (fields.list[*at].value, b"[]".as_slice())));
    }
}
