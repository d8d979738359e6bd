//! Members of gzip (RFC 1952).

use flate2::{Decompress, FlushDecompress, Status};

use super::decoder::{Member, Step, Then};
use super::{Damage, Signature};

/// Deflate is the one method that there is.
pub(super) const SIGNATURES: [Signature; 1] = [Signature::exactly(b"\x1f\x8b\x08")];

/// The binary logarithm of the largest window that deflate has.
const WINDOW_BITS: u8 = 15;

/// One member: header, deflate, checksum and length.
pub(super) struct GzipMember {
    inflate: Decompress,
}

impl GzipMember {
    pub(super) fn new() -> GzipMember {
        GzipMember { inflate: Decompress::new_gzip(WINDOW_BITS) }
    }
}

impl Member for GzipMember {
    fn begin(&mut self) -> Result<(), Damage> {
        *self = GzipMember::new();
        Ok(())
    }

    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Step {
        let before = (self.inflate.total_in(), self.inflate.total_out());
        let result = self.inflate.decompress(input, out, FlushDecompress::None);
        Step {
            read: (self.inflate.total_in() - before.0) as usize,
            written: (self.inflate.total_out() - before.1) as usize,
            then: match result {
                Ok(Status::StreamEnd) => Then::Ended,
                Ok(Status::Ok | Status::BufError) => Then::GoesOn,
                Err(_) => Then::Failed(Damage::Corrupt),
            },
        }
    }
}
