//! How the policy has records read.

use super::Policy;
use crate::format::{FORMATS, Fields, Format, Head};

impl Policy {
    /// The same, which reads records as another policy does and writes them as that does.
    pub(crate) fn reading_as(self, other: &Policy) -> Policy {
        Policy {
            format: other.format,
            columns: other.columns.clone(),
            head: other.head.clone(),
            numbers: other.numbers,
            ..self
        }
    }

    /// Reads the fields of a record by the first format that knows it; it is text otherwise. Where no rule asks for
    /// fields, only what has numbers without quotes or lengths in it has to be told from text.
    pub fn read(&self, bytes: &[u8], head: &Head, fields: &mut Fields) {
        let structured = self.reads_structure();
        let is_needed = |format: &dyn Format| structured || format.is_json() || format.has_counts(bytes);
        self.read_by(is_needed, bytes, head, fields);
        if fields.are_named() && (structured || !fields.format().is_json()) {
            fields.open(bytes, head);
        }
    }

    /// Reads the fields of a record, but for those that they hold in turn.
    pub fn read_outermost(&self, bytes: &[u8], head: &Head, fields: &mut Fields) {
        self.read_by(|_| true, bytes, head, fields);
    }

    fn read_by(
        &self,
        is_needed: impl Fn(&dyn Format) -> bool,
        bytes: &[u8],
        head: &Head,
        fields: &mut Fields,
    ) {
        // Whoever begins a cell as records of another format begin must not choose how the record is read.
        let is_named = |format: &&dyn Format| {
            head.columns.as_ref().is_some_and(|columns| columns.format == format.name())
        };
        let json = FORMATS.into_iter().filter(|format| format.is_json());
        let by_header = FORMATS.into_iter().filter(is_named);
        let others = FORMATS.into_iter().filter(|format| !format.is_json() && !is_named(format));
        let formats = json.chain(by_header).chain(others);
        let mut formats = formats.filter(|format| is_needed(*format) && self.format.admits(format.name()));
        if !formats.any(|format| fields.read(bytes, format, head)) {
            fields.read_text(bytes);
        }
    }
}
