//! [`Decoder`]: member by member, whatever the codec.

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

/// Decodes compressed data, all members of it. A fault of the data ([`Damaged`]) comes behind everything that could be decoded,
/// and comes again with each further read. An error of the source is passed on, and the next read goes on as if it had not
/// been; so a source may return `WouldBlock` anywhere.
pub struct Decoder<'s> {
    source: Box<dyn BufRead + Send + 's>,
    members: Members,
    end: Option<Result<(), Damaged>>,
}

impl std::fmt::Debug for Decoder<'_> {
    /// The codec alone: the rest is data.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Decoder").field("codec", &self.members.codec).finish_non_exhaustive()
    }
}

impl<'s> Decoder<'s> {
    pub(super) fn new(codec: Codec, source: Box<dyn BufRead + Send + 's>) -> io::Result<Decoder<'s>> {
        Ok(Decoder { source, members: Members::new(codec)?, end: None })
    }

    fn end(&mut self, end: Result<(), Damage>) -> io::Result<usize> {
        let end = end.map_err(|damage| Damaged { codec: self.members.codec, damage });
        self.end = Some(end);
        Ok(end.map(|()| 0)?)
    }
}

impl Read for Decoder<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let Some(end) = self.end {
            return Ok(end.map(|()| 0)?);
        }
        if out.is_empty() {
            return Ok(0);
        }
        let mut idle = 0;
        while idle < MAX_IDLE_STEPS {
            let input = self.source.fill_buf()?;
            let Step { read, written, then } = match input {
                [] => self.members.at_end(out),
                input => self.members.step(input, out),
            };
            self.source.consume(read);
            match then {
                _ if written > 0 => {
                    // A failure comes again with the next step: nothing can be decoded behind it.
                    self.end = match then {
                        Then::Failed(damage) => Some(Err(Damaged { codec: self.members.codec, damage })),
                        _ => None,
                    };
                    return Ok(written);
                }
                Then::GoesOn if read > 0 => idle = 0,
                Then::GoesOn => idle += 1,
                Then::Ended => return self.end(Ok(())),
                Then::Failed(damage) => return self.end(Err(damage)),
            }
        }
        self.end(Err(Damage::Corrupt))
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
