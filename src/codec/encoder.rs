//! [`Encoder`]: one member, whatever the codec.

use std::fmt;
use std::io::{self, Write};

use lz4_flex::frame::FrameEncoder;

use super::gzip_chunks::GzipEncoder;
use super::{Codec, Encoding, bzip2, lz4, xz, zstd};

/// Bytes that a codec may write at a time.
const ROOM_BYTES: usize = 64 << 10;

/// Encodes what is written to it. Only [`finish`](Encoder::finish) ends the data: of an encoder that is dropped the output stays
/// without an end, and whoever reads it sees that. Its threads end with it.
pub struct Encoder<W: Write> {
    codec: Codec,
    form: Form<W>,
    /// Something was lost on its way out.
    failed: bool,
}

enum Form<W: Write> {
    Chunks(Box<GzipEncoder<W>>),
    Squeezed(Squeezer<W>),
    Lz4(Box<FrameEncoder<W>>),
}

impl<W: Write> Form<W> {
    fn squeezed(squeeze: impl Squeeze + 'static, out: W) -> Form<W> {
        Form::Squeezed(Squeezer { squeeze: Box::new(squeeze), room: vec![0; ROOM_BYTES], out })
    }
}

impl<W: Write> fmt::Debug for Encoder<W> {
    /// The codec alone: the rest is data.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Encoder").field("codec", &self.codec).finish_non_exhaustive()
    }
}

impl<W: Write> Encoder<W> {
    pub(super) fn new(codec: Codec, out: W, settings: &Encoding) -> io::Result<Encoder<W>> {
        let level = settings.level.unwrap_or(codec.default_level());
        let (levels, threads) = (codec.levels(), settings.threads.max(1));
        if !levels.contains(&level) {
            let what = format!("{} has levels {} to {}", codec.name(), levels.start(), levels.end());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
        let form = match codec {
            Codec::Gzip => {
                let head = settings.head.clone().unwrap_or_default();
                Form::Chunks(Box::new(GzipEncoder::new(out, level, threads, &head)?))
            }
            Codec::Zstd => Form::squeezed(zstd::ZstdSqueeze::new(level, threads)?, out),
            Codec::Bzip2 => Form::squeezed(bzip2::Bzip2Squeeze::new(level), out),
            Codec::Xz => Form::squeezed(xz::XzSqueeze::new(level, threads)?, out),
            Codec::Lz4 => Form::Lz4(Box::new(lz4::encoder(out))),
        };
        Ok(Encoder { codec, form, failed: false })
    }

    /// Writes the end and hands back what was written to.
    ///
    /// # Errors
    /// The output does not take it, or did not take something before.
    pub fn finish(self) -> io::Result<W> {
        if self.failed {
            return Err(io::Error::other("something before was not written"));
        }
        match self.form {
            Form::Chunks(encoder) => encoder.finish(),
            Form::Squeezed(encoder) => encoder.finish(),
            Form::Lz4(encoder) => Ok(encoder.finish()?),
        }
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = match &mut self.form {
            Form::Chunks(encoder) => encoder.write(bytes),
            Form::Squeezed(encoder) => encoder.write(bytes),
            Form::Lz4(encoder) => encoder.write(bytes),
        };
        self.failed |= result.is_err();
        result
    }

    /// Does nothing: to cut the data short here would make the output depend on it.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A codec, step by step.
pub(super) trait Squeeze: Send {
    /// Encodes some. `last`: there is no more input, and none with this.
    fn squeeze(&mut self, input: &[u8], out: &mut [u8], last: bool) -> io::Result<Squeezed>;
}

/// What one step did.
pub(super) struct Squeezed {
    pub(super) read: usize,
    pub(super) written: usize,
    /// The member is complete.
    pub(super) ended: bool,
}

struct Squeezer<W> {
    squeeze: Box<dyn Squeeze>,
    room: Vec<u8>,
    out: W,
}

impl<W: Write> Squeezer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let Squeezed { read, .. } = self.step(rest, false)?;
            rest = rest.get(read..).unwrap_or_default();
        }
        Ok(bytes.len())
    }

    fn finish(mut self) -> io::Result<W> {
        while !self.step(&[], true)?.ended {}
        Ok(self.out)
    }

    fn step(&mut self, input: &[u8], last: bool) -> io::Result<Squeezed> {
        let squeezed = self.squeeze.squeeze(input, &mut self.room, last)?;
        self.out.write_all(self.room.get(..squeezed.written).unwrap_or_default())?;
        Ok(squeezed)
    }
}
