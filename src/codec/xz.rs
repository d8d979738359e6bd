//! Streams of xz.

use std::io;

use liblzma::stream::{Action, Check, Error, MtStreamBuilder, Status, Stream};

use super::decoder::{Member, Step, Then};
use super::encoder::{Squeeze, Squeezed};
use super::{Damage, MAX_WINDOW_BYTES, Signature};

pub(super) const SIGNATURES: [Signature; 1] = [Signature::exactly(b"\xfd7zXZ\0")];

/// Bytes that one thread compresses at a time: the window of the default level.
const BLOCK_BYTES: u64 = 8 << 20;

/// One stream, decoded.
pub(super) struct XzStream {
    stream: Stream,
}

impl XzStream {
    pub(super) fn new() -> io::Result<XzStream> {
        Ok(XzStream { stream: Stream::new_stream_decoder(MAX_WINDOW_BYTES, 0)? })
    }
}

impl Member for XzStream {
    fn begin(&mut self) -> Result<(), Damage> {
        *self = XzStream::new().map_err(|_| Damage::TooLarge)?;
        Ok(())
    }

    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Step {
        let before = (self.stream.total_in(), self.stream.total_out());
        let result = self.stream.process(input, out, Action::Run);
        Step {
            read: (self.stream.total_in() - before.0) as usize,
            written: (self.stream.total_out() - before.1) as usize,
            then: match result {
                Ok(Status::StreamEnd) => Then::Ended,
                Ok(_) => Then::GoesOn,
                Err(Error::Mem | Error::MemLimit) => Then::Failed(Damage::TooLarge),
                Err(_) => Then::Failed(Damage::Corrupt),
            },
        }
    }
}

/// Encodes one stream, block by block.
pub(super) struct XzSqueeze(Stream);

impl XzSqueeze {
    pub(super) fn new(level: u32, threads: usize) -> io::Result<XzSqueeze> {
        let mut builder = MtStreamBuilder::new();
        builder.threads(threads as u32).preset(level).check(Check::Crc64).block_size(BLOCK_BYTES);
        Ok(XzSqueeze(builder.encoder()?))
    }
}

impl Squeeze for XzSqueeze {
    fn squeeze(&mut self, input: &[u8], out: &mut [u8], last: bool) -> io::Result<Squeezed> {
        let before = (self.0.total_in(), self.0.total_out());
        let action = if last { Action::Finish } else { Action::Run };
        let status = self.0.process(input, out, action)?;
        Ok(Squeezed {
            read: (self.0.total_in() - before.0) as usize,
            written: (self.0.total_out() - before.1) as usize,
            ended: status == Status::StreamEnd,
        })
    }
}
