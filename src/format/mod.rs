//! Bytes to records to fields, and back.
//!
//! A format is one file and one line in [`FORMATS`].

pub mod access;
pub mod alb;
pub mod cef;
pub mod cri;
pub mod csv;
pub mod docker;
pub mod export;
mod fields;
mod head;
pub mod journal;
pub mod json;
pub mod leef;
pub mod logfmt;
mod pairs;
mod part;
mod request;
pub mod syslog;
pub mod text;
pub mod w3c;
pub mod xml;

use std::fmt::Debug;

pub use fields::{Field, Fields, Layer, Name, Opens, Role};
pub use head::{Columns, Head};
pub use part::{Framed, Part};

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

    /// The same where all records are said to be of this format: a header needs fewer signs of being one.
    fn header_of_its_own(&self, record: &[u8]) -> Option<Columns> {
        self.header(record)
    }

    /// Whether a record that it cannot read is one of its own all the same, so that rules by column ought to act on it
    /// and cannot.
    fn is_broken(&self, record: &[u8], head: &Head) -> bool {
        let _ = (record, head);
        false
    }

    /// Whether lengths stand in the record that edits have to keep true. Asked of every record that is edited.
    fn has_counts(&self, record: &[u8]) -> bool {
        let _ = record;
        false
    }

    /// The names that it gives to fields and that do not stand in the records, but for those of a header.
    fn given_names(&self) -> &'static [&'static str] {
        &[]
    }

    /// The word, in lower case, that all of its records begin with, before a colon. It tells in which records of a block
    /// a given name may be meant.
    fn begins_with(&self) -> Option<&'static str> {
        None
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

    /// Which part of a longer record this one is, if the format parts long records and this is one of its records.
    fn part(&self, record: &[u8]) -> Option<Part> {
        let _ = record;
        None
    }

    /// Whether it parts long records.
    fn has_parts(&self) -> bool {
        false
    }

    /// How many bytes at the end of a part's content say that the record ends there.
    fn closing(&self, content: &[u8]) -> usize {
        let _ = content;
        0
    }

    /// Whether the length of a record may be written before it, so that it may hold line feeds.
    fn is_framed(&self) -> bool {
        false
    }

    /// Where the record lies that begins here, if its length is written before it. It is read, and judged, as its name,
    /// `=` and its data.
    fn framed(&self, rest: &[u8]) -> Option<Framed> {
        let _ = rest;
        None
    }

    /// Appends a record that was read so, of which the data begin at `start`, with its length.
    fn frame(&self, record: &[u8], start: usize, out: &mut Vec<u8>) {
        let _ = start;
        out.extend_from_slice(record);
    }

    /// Whether its records may hold text in a form in which no detector knows it, [`Role::Bytes`].
    fn has_bytes(&self) -> bool {
        false
    }

    /// Whether one of the first records of an input tells that all of it is of this format, where that matters: the
    /// format has parts, or bytes, or is framed.
    fn claims(&self, record: &[u8]) -> bool {
        self.part(record).is_some()
    }
}

/// All formats that yield fields. `auto` asks them in this order; what none of them knows is text.
pub const FORMATS: [&dyn Format; 15] = [
    &docker::Docker,
    &journal::Journal,
    &export::Export,
    &json::Json,
    &cri::Cri,
    &syslog::Syslog,
    &w3c::W3c,
    &alb::Alb,
    &access::Access,
    &cef::Cef,
    &leef::Leef,
    &xml::Xml,
    &csv::CSV,
    &csv::TSV,
    &logfmt::Logfmt,
];
