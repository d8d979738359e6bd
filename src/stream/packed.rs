//! [`Packed`]: what stands between a compressed source and an input.

use std::io;

use super::input::{Got, Source};
use crate::codec::{Codec, Unpacker};

/// Bytes of one read of what is compressed: what a pipe holds by default.
const PACKED_BYTES: usize = 64 << 10;

/// Decodes a source, with at most one read of it for a call.
pub(super) struct Packed {
    codec: Codec,
    unpacker: Unpacker,
    /// What was read, and not decoded yet from `at` on.
    read: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Packed {
    /// Of a source that begins with what was already read.
    pub(super) fn new(codec: Codec, head: Vec<u8>) -> io::Result<Packed> {
        Ok(Packed { codec, unpacker: codec.unpacker()?, read: head, at: 0, ended: false })
    }

    pub(super) fn codec(&self) -> Codec {
        self.codec
    }

    /// Whether nothing can be had without the source.
    pub(super) fn is_dry(&self) -> bool {
        self.at >= self.read.len() && !self.unpacker.is_full() && !self.ended
    }

    pub(super) fn read(&mut self, source: &mut (impl Source + ?Sized), into: &mut [u8]) -> io::Result<Got> {
        if self.is_dry() {
            self.refill(source)?;
        }
        let rest = self.read.get(self.at..).unwrap_or_default();
        let (read, written) = self.unpacker.unpack(rest, self.ended, into);
        self.at += read;
        Ok(match written? {
            0 if self.ended => Got::End,
            0 => Got::Nothing,
            written => Got::Bytes(written),
        })
    }

    fn refill(&mut self, source: &mut (impl Source + ?Sized)) -> io::Result<()> {
        self.at = 0;
        self.read.resize(PACKED_BYTES, 0);
        let result = source.read(&mut self.read);
        self.read.truncate(*result.as_ref().unwrap_or(&0));
        self.ended = result? == 0;
        Ok(())
    }
}
