//! [`Decoded`]: a value with its escapes undone, and the way back to the bytes as written.

use crate::span::Span;

/// Decoded bytes, each with the raw range that it came from.
///
/// `ab\u0040c` decodes to `ab@c`; the decoded range `2..3` is the raw range `2..8`. A range never splits
/// an escape, so what is written in its place leaves the rest as well-formed as it was.
#[derive(Debug, Default, Clone)]
pub struct Decoded {
    /// The decoded bytes.
    pub bytes: Vec<u8>,
    raw: Vec<Span>,
}

impl Decoded {
    /// Forgets everything but keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.raw.clear();
    }

    /// Appends one decoded byte that stands at `raw`.
    pub fn push(&mut self, byte: u8, raw: Span) {
        self.bytes.push(byte);
        self.raw.push(raw);
    }

    /// Appends decoded bytes that all stand at the same `raw` range (the UTF-8 form of one escape).
    pub fn push_all(&mut self, bytes: &[u8], raw: Span) {
        bytes.iter().for_each(|byte| self.push(*byte, raw));
    }

    /// The raw range of a decoded range that is not empty.
    pub fn raw(&self, decoded: Span) -> Span {
        Span::new(self.raw[decoded.start].start, self.raw[decoded.end - 1].end)
    }
}
