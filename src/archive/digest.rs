//! Digests of what is read and written, to tell within one run whether bytes are the same.

use std::io::{self, Read, Write};

use xxhash_rust::xxh3::Xxh3;

/// A digest on its way. Each run has a seed of its own, so that nobody can prepare other bytes with the same digest.
#[derive(Clone)]
pub(super) struct Digest {
    hasher: Xxh3,
    pub(super) bytes: u64,
}

impl Digest {
    pub(super) fn new(seed: u64) -> Digest {
        Digest { hasher: Xxh3::with_seed(seed), bytes: 0 }
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    pub(super) fn value(&self) -> (u64, u128) {
        (self.bytes, self.hasher.digest128())
    }
}

/// Writes on, and digests what was taken.
pub(super) struct Digested<W> {
    pub(super) inner: W,
    pub(super) digest: Digest,
}

impl<W: Write> Write for Digested<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.inner.write(bytes)?;
        self.digest.add(bytes.get(..taken).unwrap_or_default());
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<R: Read> Read for Digested<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.digest.add(into.get(..read).unwrap_or_default());
        Ok(read)
    }
}
