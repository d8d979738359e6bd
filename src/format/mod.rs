//! Bytes to records to fields, and back.
//!
//! A format is one file and one line in [`FORMATS`].

pub mod json;
pub mod text;

use crate::decoded::Decoded;
use crate::span::Span;

/// What stands in a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The name of the field whose value follows.
    Name,
    /// Text.
    Text,
    /// A number without quotes.
    Number,
    /// `true`, `false` or `null`.
    Literal,
    /// Named fields, up to the end of `whole`.
    Object,
    /// Elements without names, up to the end of `whole`.
    Array,
}

/// One part of a record. All spans count from the start of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// What it is.
    pub role: Role,
    /// The field that it lies in, by its place in the list of fields.
    pub parent: Option<usize>,
    /// The [`Role::Name`] before it, by its place in the list of fields.
    pub name: Option<usize>,
    /// The content: without quotes, escapes as written.
    pub value: Span,
    /// The content with its quotes or brackets.
    pub whole: Span,
    /// Whether the content has escapes that [`Format::decode`] undoes.
    pub escaped: bool,
}

/// The record is not of this format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotThis;

/// A grammar that yields fields.
pub trait Format: Sync {
    /// Its name in `--format` and `[input] format`.
    fn name(&self) -> &'static str;

    /// Appends the fields of a record (without its line end) in the order in which they stand.
    ///
    /// # Errors
    /// The record is not of this format; what was appended is of no use. It is then scrubbed as text.
    fn fields(&self, record: &[u8], out: &mut Vec<Field>) -> Result<(), NotThis>;

    /// Undoes the escapes of a field's content. The spans of `out` count from the start of the record.
    fn decode(&self, record: &[u8], field: &Field, out: &mut Decoded);

    /// Appends `replacement` as it must be written inside the content of a text field or name.
    fn escape(&self, replacement: &[u8], out: &mut Vec<u8>);

    /// What stands around text, so that a bare number can become one: `"` for JSON.
    fn quote(&self) -> &'static [u8];

    /// Appends, for each field of `gone` (places in the list of fields, ascending), the span that goes and
    /// what takes its place, so that the record still parses without those fields.
    fn remove(&self, fields: &[Field], gone: &[usize], out: &mut Vec<(Span, &'static [u8])>);
}

/// All formats that yield fields. `auto` asks them in this order; what none of them knows is text.
pub const FORMATS: [&dyn Format; 1] = [&json::Json];
