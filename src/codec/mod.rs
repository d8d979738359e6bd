//! Compressed data: which form it has, to bytes and back.
//!
//! A decoder reads all members of a file (frames, streams: each form has its word), hands on everything that can be decoded
//! and then says what is wrong with the rest. It never reads more than it was given: where its source would block, it says
//! so and goes on from there when it is asked again. An encoder writes one member that depends on the level alone.

mod bzip2;
mod decoder;
mod encoder;
mod gzip;
mod gzip_chunks;
mod gzip_head;
mod lz4;
mod signature;
mod xz;
mod zstd;

use std::fmt;
use std::io::{self, BufRead, Write};
use std::ops::RangeInclusive;

pub use decoder::{Decoder, Unpacker};
pub use encoder::Encoder;
pub use gzip_head::GzipHead;
pub use signature::Signature;

/// Memory that decoding may take: what the default of each program needs to read what it wrote at any level.
const MAX_WINDOW_BYTES: u64 = 128 << 20;

/// A form of compressed data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// What bzip2 writes.
    Bzip2,
    /// The .xz file format.
    Xz,
    /// The LZ4 frame format.
    Lz4,
}

impl Codec {
    /// All of them.
    pub const ALL: [Codec; 5] = [Codec::Gzip, Codec::Zstd, Codec::Bzip2, Codec::Xz, Codec::Lz4];

    /// What begins with these bytes, if it is compressed in a form that is known. Where there are fewer than a signature has,
    /// there are no more: it may be cut off.
    pub fn of(head: &[u8]) -> Option<Codec> {
        let is_of =
            |codec: &Codec| codec.signatures().iter().any(|known| known.begins(head) || known.is_cut(head));
        Codec::ALL.into_iter().find(is_of)
    }

    /// What messages call it.
    pub fn name(self) -> &'static str {
        match self {
            Codec::Gzip => "gzip",
            Codec::Zstd => "zstd",
            Codec::Bzip2 => "bzip2",
            Codec::Xz => "xz",
            Codec::Lz4 => "lz4",
        }
    }

    /// How a file of it begins.
    pub fn signatures(self) -> &'static [Signature] {
        match self {
            Codec::Gzip => &gzip::SIGNATURES,
            Codec::Zstd => &zstd::SIGNATURES,
            Codec::Bzip2 => &bzip2::SIGNATURES,
            Codec::Xz => &xz::SIGNATURES,
            Codec::Lz4 => &lz4::SIGNATURES,
        }
    }

    /// The levels that an encoder takes.
    pub fn levels(self) -> RangeInclusive<u32> {
        match self {
            Codec::Gzip | Codec::Xz => 0..=9,
            Codec::Zstd => 1..=22,
            Codec::Bzip2 => 1..=9,
            Codec::Lz4 => 1..=1,
        }
    }

    /// The level that its own program takes if none is named.
    pub fn default_level(self) -> u32 {
        match self {
            Codec::Gzip | Codec::Xz => 6,
            Codec::Zstd => 3,
            Codec::Bzip2 => 9,
            Codec::Lz4 => 1,
        }
    }

    /// Decodes what comes from here.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn decoder<'s>(self, source: impl BufRead + Send + 's) -> io::Result<Decoder<'s>> {
        Decoder::new(self, Box::new(source))
    }

    /// Decodes what is handed in.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn unpacker(self) -> io::Result<Unpacker> {
        Unpacker::new(self)
    }

    /// Encodes to there.
    ///
    /// # Errors
    /// The level is none of the codec's, or there is no memory or thread for it.
    pub fn encoder<W: Write>(self, out: W, settings: &Encoding) -> io::Result<Encoder<W>> {
        Encoder::new(self, out, settings)
    }
}

/// How to encode. The output does not depend on the number of threads.
#[derive(Clone, Debug, Default)]
pub struct Encoding {
    /// The default of the codec's own program, if none.
    pub level: Option<u32>,
    /// Threads that compress, where the codec can use them; none is one.
    pub threads: usize,
    /// What the header of a gzip says; others have no such thing.
    pub head: Option<GzipHead>,
}

/// What is wrong with compressed data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// It ends too early.
    Truncated,
    /// It is not what it seemed, or was changed.
    Corrupt,
    /// Something stands behind its end.
    Trailing,
    /// It takes more memory than it may.
    TooLarge,
}

/// The error of a [`Decoder`] that its data is to blame for: what a downcast of an [`io::Error`] yields. It holds no data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// What it was taken for.
    pub codec: Codec,
    /// What is wrong.
    pub damage: Damage,
}

impl Damaged {
    /// That which stands behind an error, if it is one.
    pub fn of(error: &io::Error) -> Option<Damaged> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl fmt::Display for Damaged {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.codec.name();
        match self.damage {
            Damage::Truncated => write!(out, "truncated {name}"),
            Damage::Corrupt => write!(out, "not valid {name}"),
            Damage::Trailing => write!(out, "data behind the end of {name}"),
            Damage::TooLarge => {
                write!(out, "{name} that takes more than {} MiB to decode", MAX_WINDOW_BYTES >> 20)
            }
        }
    }
}

impl std::error::Error for Damaged {}

impl From<Damaged> for io::Error {
    fn from(damaged: Damaged) -> io::Error {
        let kind = match damaged.damage {
            Damage::Truncated => io::ErrorKind::UnexpectedEof,
            _ => io::ErrorKind::InvalidData,
        };
        io::Error::new(kind, damaged)
    }
}
