//! Frames of lz4.
//!
//! The library reads a frame from a source that must not run dry. So what it reads is handed to it in pieces that it takes
//! whole: header, block, end.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};

use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};

use super::decoder::{Member, Step, Then};
use super::{Damage, Signature, zstd};

pub(super) const SIGNATURES: [Signature; 1] = [Signature::exactly(b"\x04\x22\x4d\x18")];

/// The largest block that the format has.
const MAX_BLOCK_BYTES: usize = 4 << 20;

/// Magic number, flags, block size, checksum: what every header has.
const HEADER_BYTES: usize = 7;

/// Bits of the flags, which are the fifth byte.
const HAS_DICTIONARY: u8 = 1;
const HAS_CHECKSUM: u8 = 1 << 2;
const HAS_SIZE: u8 = 1 << 3;
const BLOCKS_HAVE_CHECKSUMS: u8 = 1 << 4;

/// One frame, decoded.
pub(super) struct Lz4Frame {
    decoder: FrameDecoder<Piece>,
    /// What was read of the next piece.
    piece: Vec<u8>,
    next: Next,
    flags: u8,
}

/// Which piece comes next.
#[derive(Clone, Copy)]
enum Next {
    Header,
    Block,
    /// None: the library has all of it, and data may be left to be handed on.
    Nothing,
    /// What a skippable frame still holds.
    Skipped(usize),
}

impl Lz4Frame {
    pub(super) fn new() -> Lz4Frame {
        Lz4Frame {
            decoder: FrameDecoder::new(Piece::default()),
            piece: Vec::new(),
            next: Next::Header,
            flags: 0,
        }
    }

    /// How long the next piece is, as far as what was read of it tells.
    fn piece_bytes(&self) -> Result<usize, Damage> {
        let number = |at: usize| {
            self.piece.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes)
        };
        match self.next {
            Next::Header if zstd::SKIPPABLE.begins(&self.piece) => Ok(8),
            Next::Header => Ok(self.piece.get(4).map_or(HEADER_BYTES, |flags| header_bytes(*flags))),
            Next::Block => match number(0) {
                None => Ok(4),
                Some(0) => Ok(4 + checksum_bytes(self.flags, HAS_CHECKSUM)),
                Some(size) => {
                    let size = (size & !(1 << 31)) as usize; // the first bit: not compressed
                    let bytes = 4 + size + checksum_bytes(self.flags, BLOCKS_HAVE_CHECKSUMS);
                    if size > MAX_BLOCK_BYTES { Err(Damage::Corrupt) } else { Ok(bytes) }
                }
            },
            Next::Nothing | Next::Skipped(_) => Ok(0),
        }
    }

    /// Reads towards the end of the piece, and hands it over if that is reached.
    fn take_in(&mut self, input: &[u8]) -> Result<usize, Damage> {
        let mut rest = input;
        loop {
            let bytes = self.piece_bytes()?;
            let (part, behind) = rest.split_at((bytes - self.piece.len().min(bytes)).min(rest.len()));
            self.piece.extend_from_slice(part);
            rest = behind;
            if self.piece.len() < bytes {
                break;
            }
            if self.piece_bytes()? == bytes {
                self.hand_over();
                break;
            }
        }
        Ok(input.len() - rest.len())
    }

    fn hand_over(&mut self) {
        let piece = std::mem::take(&mut self.piece);
        self.next = match (self.next, piece.get(4..8).and_then(|bytes| bytes.try_into().ok())) {
            (Next::Header, Some(size)) if zstd::SKIPPABLE.begins(&piece) => {
                self.next = Next::Skipped(u32::from_le_bytes(size) as usize);
                return;
            }
            (Next::Header, _) => {
                self.flags = piece.get(4).copied().unwrap_or_default();
                Next::Block
            }
            _ if piece.starts_with(&[0; 4]) => Next::Nothing,
            _ => Next::Block,
        };
        self.decoder.get_mut().0 = piece.into();
    }
}

fn header_bytes(flags: u8) -> usize {
    let optional = |flag, bytes| if flags & flag == 0 { 0 } else { bytes };
    HEADER_BYTES + optional(HAS_SIZE, 8) + optional(HAS_DICTIONARY, 4)
}

fn checksum_bytes(flags: u8, flag: u8) -> usize {
    if flags & flag == 0 { 0 } else { 4 }
}

impl Member for Lz4Frame {
    fn begin(&mut self) -> Result<(), Damage> {
        *self = Lz4Frame::new();
        Ok(())
    }

    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Step {
        if let Next::Skipped(left) = self.next {
            let read = left.min(input.len());
            self.next = Next::Skipped(left - read);
            let then = if read == left { Then::Ended } else { Then::GoesOn };
            return Step { read, written: 0, then };
        }
        match self.decoder.read(out) {
            Ok(written) if written > 0 => return Step { read: 0, written, then: Then::GoesOn },
            Err(error) if error.kind() != ErrorKind::WouldBlock => return Step::failed(Damage::Corrupt),
            _ if matches!(self.next, Next::Nothing) => {
                return Step { read: 0, written: 0, then: Then::Ended };
            }
            _ => {}
        }
        match self.take_in(input) {
            Ok(read) => Step { read, written: 0, then: Then::GoesOn },
            Err(damage) => Step::failed(damage),
        }
    }
}

/// What the library has not read yet of the piece that it was handed. Dry, it would block.
#[derive(Default)]
struct Piece(VecDeque<u8>);

impl Read for Piece {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() { Err(ErrorKind::WouldBlock.into()) } else { self.0.read(out) }
    }
}

/// Encodes one frame.
pub(super) fn encoder<W: Write>(out: W) -> FrameEncoder<W> {
    let info =
        FrameInfo::new().block_size(BlockSize::Max256KB).block_mode(BlockMode::Linked).content_checksum(true);
    FrameEncoder::with_frame_info(info, out)
}
