//! [`Unpacker`] and [`Decoder`]: member by member, whatever the codec.

use std::fmt;
use std::io::{self, BufRead, Read};

use super::{Codec, Damage, Damaged, bzip2, gzip, lz4, xz, zstd};

/// Steps without progress that no codec takes one after another: more, and it would go on for ever.
const MAX_IDLE_STEPS: usize = 4;

/// One member of a compressed file, decoded step by step.
pub(super) trait Member: Send {
    /// Forgets the last member and begins another, whose signature comes with its first step.
    fn begin(&mut self) -> Result<(), Damage>;

    /// Decodes some. Without input: what is left of the input before.
    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Step;
}

/// What one step did.
pub(super) struct Step {
    pub(super) read: usize,
    pub(super) written: usize,
    pub(super) then: Then,
}

/// How it is after a step. What was written holds also if it failed.
pub(super) enum Then {
    GoesOn,
    Ended,
    Failed(Damage),
}

impl Step {
    pub(super) fn failed(damage: Damage) -> Step {
        Step { read: 0, written: 0, then: Then::Failed(damage) }
    }

    fn read(read: usize) -> Step {
        Step { read, written: 0, then: Then::GoesOn }
    }
}

/// Decodes compressed data, all members of it, that is read by somebody else.
pub struct Unpacker {
    members: Members,
    end: Option<Result<(), Damaged>>,
    /// The codec may hold more than could be written.
    full: bool,
}

impl fmt::Debug for Unpacker {
    /// The codec alone: the rest is data.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Unpacker").field("codec", &self.members.codec).finish_non_exhaustive()
    }
}

impl Unpacker {
    pub(super) fn new(codec: Codec) -> io::Result<Unpacker> {
        Ok(Unpacker { members: Members::new(codec)?, end: None, full: false })
    }

    /// Whether there may be more to be had without further input.
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// Decodes some of the input; without any, `at_end` says that there is no more. Returns how much was read, and how much was
    /// written: nothing if all input was read and more is needed, or if this is the end.
    ///
    /// A fault comes behind everything that could be decoded, and again with each further call.
    pub fn unpack(&mut self, input: &[u8], at_end: bool, out: &mut [u8]) -> (usize, Result<usize, Damaged>) {
        let (mut consumed, mut idle) = (0, 0);
        while self.end.is_none() && !out.is_empty() {
            let rest = input.get(consumed..).unwrap_or_default();
            let is_last = at_end && rest.is_empty();
            if rest.is_empty() && !is_last && !self.full {
                return (consumed, Ok(0));
            }
            let step = if is_last { self.members.at_end(out) } else { self.members.step(rest, out) };
            consumed += step.read;
            idle = if step.read > 0 { 0 } else { idle + 1 };
            self.full = step.written > 0 && step.written == out.len();
            match step.then {
                Then::Failed(damage) => self.fail(damage),
                Then::Ended => self.end = Some(Ok(())),
                Then::GoesOn if idle > MAX_IDLE_STEPS => self.fail(Damage::Corrupt),
                Then::GoesOn => {}
            }
            if step.written > 0 {
                return (consumed, Ok(step.written));
            }
        }
        (consumed, self.end.unwrap_or(Ok(())).map(|()| 0))
    }

    fn fail(&mut self, damage: Damage) {
        self.end = Some(Err(Damaged { codec: self.members.codec, damage }));
    }
}

/// Decodes compressed data, all members of it. A fault of the data ([`Damaged`]) comes behind everything that could be decoded,
/// and comes again with each further read. An error of the source is passed on, and the next read goes on as if it had not
/// been; so a source may return `WouldBlock` anywhere.
pub struct Decoder<'s> {
    source: Box<dyn BufRead + Send + 's>,
    unpacker: Unpacker,
}

impl fmt::Debug for Decoder<'_> {
    /// The codec alone: the rest is data.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Decoder").field("codec", &self.unpacker.members.codec).finish_non_exhaustive()
    }
}

impl<'s> Decoder<'s> {
    pub(super) fn new(codec: Codec, source: Box<dyn BufRead + Send + 's>) -> io::Result<Decoder<'s>> {
        Ok(Decoder { source, unpacker: Unpacker::new(codec)? })
    }
}

impl Read for Decoder<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !out.is_empty() {
            if self.unpacker.is_full() {
                let (_, written) = self.unpacker.unpack(&[], false, out);
                if written? > 0 {
                    return Ok(written?);
                }
            }
            let input = self.source.fill_buf()?;
            let at_end = input.is_empty();
            let (read, written) = self.unpacker.unpack(input, at_end, out);
            self.source.consume(read);
            if written? > 0 || at_end {
                return Ok(written?);
            }
        }
        Ok(0)
    }
}

/// The members of a file, one behind another.
struct Members {
    codec: Codec,
    member: Box<dyn Member>,
    /// A member is open.
    inside: bool,
    /// There was one before.
    some: bool,
    /// What may be the signature of the next member, or is and was not decoded yet.
    head: Vec<u8>,
}

impl Members {
    fn new(codec: Codec) -> io::Result<Members> {
        let member: Box<dyn Member> = match codec {
            Codec::Gzip => Box::new(gzip::GzipMember::new()),
            Codec::Zstd => Box::new(zstd::Frame::new()?),
            Codec::Bzip2 => Box::new(bzip2::Bzip2Stream::new()),
            Codec::Xz => Box::new(xz::XzStream::new()?),
            Codec::Lz4 => Box::new(lz4::Lz4Frame::new()),
        };
        Ok(Members { codec, member, inside: false, some: false, head: Vec::new() })
    }

    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Step {
        if !self.inside {
            return self.between(input);
        }
        if !self.head.is_empty() {
            return self.step_head(out);
        }
        let mut step = self.member.step(input, out);
        if let Then::Ended = step.then {
            self.inside = false;
            step.then = Then::GoesOn;
        }
        step
    }

    /// Decodes the signature that was held back until it was whole.
    fn step_head(&mut self, out: &mut [u8]) -> Step {
        let step = self.member.step(&self.head, out);
        self.head.drain(..step.read.min(self.head.len()));
        Step { read: 0, ..step }
    }

    fn at_end(&mut self, out: &mut [u8]) -> Step {
        let damage = match (self.inside, self.some) {
            (false, true) if self.head.is_empty() => return Step { read: 0, written: 0, then: Then::Ended },
            (false, true) => Damage::Trailing,
            (false, false) => Damage::Truncated,
            (true, _) if !self.head.is_empty() => return self.step_head(out),
            (true, _) => {
                let step = self.step(&[], out);
                if step.written > 0 || !self.inside || matches!(step.then, Then::Failed(_)) {
                    return step;
                }
                Damage::Truncated
            }
        };
        Step::failed(damage)
    }

    /// Looks for the next member.
    fn between(&mut self, input: &[u8]) -> Step {
        let padded = self.some && matches!(self.codec, Codec::Gzip | Codec::Xz);
        for (at, byte) in input.iter().enumerate() {
            if padded && self.head.is_empty() && *byte == 0 {
                continue;
            }
            self.head.push(*byte);
            if self.known().any(|known| known.begins(&self.head)) {
                return self.begin(at + 1);
            }
            if !self.known().any(|known| known.may_begin(&self.head)) {
                return Step::failed(if self.some { Damage::Trailing } else { Damage::Corrupt });
            }
        }
        Step::read(input.len())
    }

    fn known(&self) -> impl Iterator<Item = super::Signature> {
        let skippable = (self.codec == Codec::Lz4).then_some(zstd::SKIPPABLE);
        self.codec.signatures().iter().copied().chain(skippable)
    }

    fn begin(&mut self, read: usize) -> Step {
        match self.member.begin() {
            Ok(()) => {
                self.inside = true;
                self.some = true;
                Step::read(read)
            }
            Err(damage) => Step::failed(damage),
        }
    }
}
