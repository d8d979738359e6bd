//! Frames of zstd (RFC 8878).

use std::io;

use zstd::zstd_safe::zstd_sys::ZSTD_EndDirective;
use zstd::zstd_safe::{
    CCtx, CParameter, DCtx, DParameter, InBuffer, OutBuffer, ResetDirective, get_error_name,
};

use super::decoder::{Member, Step, Then};
use super::encoder::{Squeeze, Squeezed};
use super::{Damage, MAX_WINDOW_BYTES, Signature};

/// A frame that holds no data. Files of zstd may begin with one, as those of pzstd do.
pub(super) const SKIPPABLE: Signature = Signature::between(b"\x50\x2a\x4d\x18", b"\x5f\x2a\x4d\x18");

pub(super) const SIGNATURES: [Signature; 2] = [Signature::exactly(b"\x28\xb5\x2f\xfd"), SKIPPABLE];

/// The library has numbers for its errors, but only in a part that it may change.
const TOO_LARGE: &str = "Frame requires too much memory for decoding";

/// One frame, decoded.
pub(super) struct Frame {
    context: DCtx<'static>,
    /// How much is read at a time: to the end of a block. An error in the next would hide what this one holds.
    due: usize,
    /// There may be more of a block than could be written: the same holds for that.
    full: bool,
}

impl Frame {
    pub(super) fn new() -> io::Result<Frame> {
        let mut context = DCtx::try_create().ok_or(io::ErrorKind::OutOfMemory)?;
        let log = MAX_WINDOW_BYTES.ilog2();
        context.set_parameter(DParameter::WindowLogMax(log)).map_err(error)?;
        Ok(Frame { context, due: 1, full: false })
    }
}

impl Member for Frame {
    fn begin(&mut self) -> Result<(), Damage> {
        self.due = 1;
        self.full = false;
        self.context.reset(ResetDirective::SessionOnly).map(|_| ()).map_err(|_| Damage::Corrupt)
    }

    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Step {
        let due = if self.full { 0 } else { self.due };
        let input = input.get(..due).unwrap_or(input);
        let (mut from, mut to) = (InBuffer::around(input), OutBuffer::around(out));
        let result = self.context.decompress_stream(&mut to, &mut from);
        let then = match result {
            Ok(0) => Then::Ended,
            Ok(due) => {
                self.due = due;
                Then::GoesOn
            }
            Err(code) if get_error_name(code) == TOO_LARGE => Then::Failed(Damage::TooLarge),
            Err(_) => Then::Failed(Damage::Corrupt),
        };
        self.full = to.pos() == to.capacity();
        Step { read: from.pos(), written: to.pos(), then }
    }
}

/// Encodes one frame.
pub(super) struct ZstdSqueeze(CCtx<'static>);

impl ZstdSqueeze {
    pub(super) fn new(level: u32, threads: usize) -> io::Result<ZstdSqueeze> {
        let mut context = CCtx::try_create().ok_or(io::ErrorKind::OutOfMemory)?;
        // Also a single thread is one beside this: without it the output would be another.
        for parameter in [
            CParameter::CompressionLevel(level as i32),
            CParameter::ChecksumFlag(true),
            CParameter::NbWorkers(threads as u32),
        ] {
            context.set_parameter(parameter).map_err(error)?;
        }
        Ok(ZstdSqueeze(context))
    }
}

impl Squeeze for ZstdSqueeze {
    fn squeeze(&mut self, input: &[u8], out: &mut [u8], last: bool) -> io::Result<Squeezed> {
        let (mut from, mut to) = (InBuffer::around(input), OutBuffer::around(out));
        let action = if last { ZSTD_EndDirective::ZSTD_e_end } else { ZSTD_EndDirective::ZSTD_e_continue };
        let left = self.0.compress_stream2(&mut to, &mut from, action).map_err(error)?;
        Ok(Squeezed { read: from.pos(), written: to.pos(), ended: last && left == 0 })
    }
}

fn error(code: usize) -> io::Error {
    io::Error::other(get_error_name(code).to_lowercase())
}
