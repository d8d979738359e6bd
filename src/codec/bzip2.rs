//! Streams of bzip2.

use std::io;

use bzip2::{Action, Compress, Compression, Decompress, Status};

use super::decoder::{Member, Step, Then};
use super::encoder::{Squeeze, Squeezed};
use super::{Damage, Signature};

/// The block size is a digit; the first block begins, or an empty stream ends.
pub(super) const SIGNATURES: [Signature; 2] = [
    Signature::between(b"BZh1\x31\x41\x59\x26\x53\x59", b"BZh9\x31\x41\x59\x26\x53\x59"),
    Signature::between(b"BZh1\x17\x72\x45\x38\x50\x90", b"BZh9\x17\x72\x45\x38\x50\x90"),
];

/// One stream, decoded.
pub(super) struct Bzip2Stream {
    stream: Decompress,
}

impl Bzip2Stream {
    pub(super) fn new() -> Bzip2Stream {
        Bzip2Stream { stream: Decompress::new(false) }
    }
}

impl Member for Bzip2Stream {
    fn begin(&mut self) -> Result<(), Damage> {
        *self = Bzip2Stream::new();
        Ok(())
    }

    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Step {
        let before = (self.stream.total_in(), self.stream.total_out());
        let result = self.stream.decompress(input, out);
        Step {
            read: (self.stream.total_in() - before.0) as usize,
            written: (self.stream.total_out() - before.1) as usize,
            then: match result {
                Ok(Status::StreamEnd) => Then::Ended,
                Ok(Status::MemNeeded) => Then::Failed(Damage::TooLarge),
                Ok(_) => Then::GoesOn,
                Err(_) => Then::Failed(Damage::Corrupt),
            },
        }
    }
}

/// Encodes one stream.
pub(super) struct Bzip2Squeeze(Compress);

impl Bzip2Squeeze {
    pub(super) fn new(level: u32) -> Bzip2Squeeze {
        Bzip2Squeeze(Compress::new(Compression::new(level), 0))
    }
}

impl Squeeze for Bzip2Squeeze {
    fn squeeze(&mut self, input: &[u8], out: &mut [u8], last: bool) -> io::Result<Squeezed> {
        let before = (self.0.total_in(), self.0.total_out());
        let action = if last { Action::Finish } else { Action::Run };
        let status = self.0.compress(input, out, action)?;
        Ok(Squeezed {
            read: (self.0.total_in() - before.0) as usize,
            written: (self.0.total_out() - before.1) as usize,
            ended: status == Status::StreamEnd,
        })
    }
}
