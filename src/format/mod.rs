//! Bytes to records to fields, and back.
//!
//! A format is one file and one line in [`FORMATS`].

mod fields;
mod head;
pub mod json;
pub mod text;

use std::fmt::Debug;

pub use fields::{Digits, Field, Fields, Layer, Name, Opens, Role};
pub use head::{Columns, Head};

use crate::decoded::Decoded;
use crate::span::Span;

/// The record is not of this format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotThis;

/// A grammar that yields fields.
///
/// Whatever bytes it is given, the fields that it yields stand in order, each inside the field that it lies in, and
/// the first is the whole record. [`Fields`] puts the layers together; a format sees one.
pub trait Format: Sync + Debug {
    /// Its name in `--format` and `[input] format`.
    fn name(&self) -> &'static str;

    /// Appends the fields of a record (without its line end) in the order in which they stand. Spans count from the
    /// start of `record`, places in the list from its start.
    ///
    /// # Errors
    /// The record is not of this format; what was appended is of no use.
    fn fields(&self, record: &[u8], head: &Head, out: &mut Fields) -> Result<(), NotThis>;

    /// Appends a span of a field's content with its escapes undone. Spans count from the start of `text`.
    fn decode(&self, text: &[u8], field: &Field, span: Span, out: &mut Decoded) {
        let _ = field;
        out.push_verbatim(span.of(text), span.start);
    }

    /// Appends `text` as it must be written inside the content of a field so that the record still parses;
    /// `whole`: in place of all of the content, and inside what [`quote`](Format::quote) says.
    fn escape(&self, field: &Field, text: &[u8], whole: bool, out: &mut Vec<u8>);

    /// What has to stand before and after `text` where it takes the place of a whole field that has no quotes.
    fn quote(&self, field: &Field, text: &[u8]) -> &'static [u8] {
        let _ = (field, text);
        b""
    }

    /// Appends, for each field of `gone` (places in the list, ascending, all on this layer), the span that goes and
    /// what takes its place, so that the record still parses without those fields.
    fn remove(&self, fields: &Fields, layer: &Layer, gone: &[usize], out: &mut Vec<(Span, &'static [u8])>);

    /// The columns of the records that follow, if the record is a header that names them. Asked of the first lines of
    /// an input and of those that begin with `#`.
    fn header(&self, record: &[u8]) -> Option<Columns> {
        let _ = record;
        None
    }

    /// The names that it gives to fields and that do not stand in the records, but for those of a header.
    fn given_names(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether its fields have numbers.
    fn has_columns(&self) -> bool {
        false
    }

    /// Whether a record that begins with `{` or `[` may be of this format. It may say yes in vain, at the price of a
    /// slower way to edit the record.
    fn may_be(&self, record: &[u8]) -> bool {
        let _ = record;
        true
    }

    /// Whether it is JSON, whose values are searched one by one.
    fn is_json(&self) -> bool {
        false
    }
}

/// All formats that yield fields. `auto` asks them in this order; what none of them knows is text.
pub const FORMATS: [&dyn Format; 1] = [&json::Json];
