//! The content of a member, unpacked and packed.

use std::io::{self, ErrorKind, Read, Take, Write};

use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

use super::entry::{Entry, Sizes};
use crate::archive::container::corrupt;
use crate::archive::container::spool::{NewFile, Spool};

/// The methods that are understood.
pub(super) const STORED: u16 = 0;
pub(super) const DEFLATED: u16 = 8;

enum Unpacking<R> {
    Stored(Take<R>),
    Deflated(DeflateDecoder<Take<R>>),
}

/// Reads the content of a member. At its end it must be what the directory says, or reading fails.
pub(super) struct Unpacked<R> {
    unpacking: Unpacking<R>,
    crc: Crc,
    read: u64,
    sizes: Sizes,
    place: u64,
}

impl<R: Read> Unpacked<R> {
    /// The input stands at the beginning of the packed content.
    pub(super) fn new(input: R, entry: &Entry) -> Unpacked<R> {
        let packed = input.take(entry.sizes.packed);
        let unpacking = match entry.method {
            DEFLATED => Unpacking::Deflated(DeflateDecoder::new(packed)),
            _ => Unpacking::Stored(packed),
        };
        Unpacked { unpacking, crc: Crc::new(), read: 0, sizes: entry.sizes, place: entry.offset }
    }

    fn damaged(&self) -> io::Error {
        corrupt("a damaged member", self.place)
    }

    fn is_whole(&self) -> bool {
        let packed = match &self.unpacking {
            Unpacking::Stored(_) => self.read,
            Unpacking::Deflated(decoder) => decoder.total_in(),
        };
        Sizes { crc: self.crc.sum(), packed, plain: self.read } == self.sizes
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let read = match &mut self.unpacking {
            Unpacking::Stored(content) => content.read(buffer),
            Unpacking::Deflated(content) => content.read(buffer).map_err(|cause| match cause.kind() {
                ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
                    corrupt("a damaged member", self.place)
                }
                _ => cause,
            }),
        }?;
        self.crc.update(buffer.get(..read).unwrap_or_default());
        self.read = self.read.saturating_add(read as u64);
        if self.read > self.sizes.plain || read == 0 && !self.is_whole() {
            return Err(self.damaged());
        }
        Ok(read)
    }
}

enum Packing<'a> {
    Stored(Spool<'a>),
    Deflated(Deflater<'a>),
}

/// What deflates one member after another. It is large, and to allocate it anew for each of thousands can leave as many holes.
pub(super) type Deflater<'a> = DeflateEncoder<Spool<'a>>;

/// Packs new content.
pub(super) struct Packed<'a> {
    packing: Packing<'a>,
    crc: Crc,
    written: u64,
}

impl<'a> Packed<'a> {
    /// Deflated by what deflated another member, if there is such.
    pub(super) fn new(
        spool: NewFile<'a>,
        method: u16,
        level: Option<u32>,
        deflater: Option<Deflater<'a>>,
    ) -> Packed<'a> {
        let level = level.map_or(Compression::default(), |level| Compression::new(level.min(9)));
        let new = || DeflateEncoder::new(Spool::new(spool), level);
        let packing = match method {
            DEFLATED => Packing::Deflated(deflater.unwrap_or_else(new)),
            _ => Packing::Stored(Spool::new(spool)),
        };
        Packed { packing, crc: Crc::new(), written: 0 }
    }

    /// What was packed, what is to be said of it, and what may deflate another into `next`.
    pub(super) fn finish(self, next: Spool<'a>) -> io::Result<(Spool<'a>, Sizes, Option<Deflater<'a>>)> {
        let (spool, deflater) = match self.packing {
            Packing::Stored(spool) => (spool, None),
            Packing::Deflated(mut deflater) => (deflater.reset(next)?, Some(deflater)),
        };
        let sizes = Sizes { crc: self.crc.sum(), packed: spool.length(), plain: self.written };
        Ok((spool, sizes, deflater))
    }
}

impl Write for Packed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match &mut self.packing {
            Packing::Stored(spool) => spool.write(bytes),
            Packing::Deflated(encoder) => encoder.write(bytes),
        }?;
        self.crc.update(bytes.get(..written).unwrap_or_default());
        self.written = self.written.saturating_add(written as u64);
        Ok(written)
    }

    /// Nothing is to be had from what was packed before its end, and to flush would only make it longer.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
