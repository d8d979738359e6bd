//! [`Sink`]: what was scrubbed goes out in the encoding of its input, and no record spans two inputs.

use std::io::{self, Write};

use super::utf16::{Encoder, Endian};

/// Which input a part is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) input: usize,
    pub(super) encoding: Option<Endian>,
}

/// Takes the scrubbed parts in order.
#[derive(Debug)]
pub(super) struct Sink<W> {
    out: W,
    origin: Option<Origin>,
    encoder: Option<Encoder>,
    encoded: Vec<u8>,
    /// The last line has no line feed yet.
    open_line: bool,
}

impl<W: Write> Sink<W> {
    pub(super) fn new(out: W) -> Sink<W> {
        Sink { out, origin: None, encoder: None, encoded: Vec::new(), open_line: false }
    }

    /// Writes one part at once: nothing is kept for later.
    pub(super) fn write(&mut self, origin: Origin, scrubbed: &[u8]) -> io::Result<()> {
        let Some(last) = scrubbed.last() else { return Ok(()) };
        if self.origin != Some(origin) {
            self.begin(origin)?;
        }
        self.open_line = *last != b'\n';
        self.encode(scrubbed)
    }

    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.encoded.clear();
        if let Some(encoder) = &mut self.encoder {
            encoder.finish(&mut self.encoded);
        }
        self.out.write_all(&self.encoded)?;
        self.out.flush()
    }

    /// What is written next is from another input than what was written before, whatever its number.
    pub(super) fn end_input(&mut self) {
        self.origin = None;
    }

    fn begin(&mut self, origin: Origin) -> io::Result<()> {
        if std::mem::take(&mut self.open_line) {
            self.encode(b"\n")?;
        }
        self.origin = Some(origin);
        self.encoder = origin.encoding.map(Encoder::new);
        self.encoder.as_ref().map_or(Ok(()), |encoder| self.out.write_all(&encoder.endian().mark()))
    }

    fn encode(&mut self, text: &[u8]) -> io::Result<()> {
        let Some(encoder) = &mut self.encoder else { return self.out.write_all(text) };
        self.encoded.clear();
        encoder.encode(text, &mut self.encoded);
        self.out.write_all(&self.encoded)
    }
}
