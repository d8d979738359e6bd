//! Digests of what is read and written, to tell within one run whether bytes are the same.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};

use hmac::Mac;
use sha2::{Digest as _, Sha256};

use xxhash_rust::xxh3::Xxh3;

use crate::action::hash::HashKey;

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

/// SHA-256 of all of a file, in hexadecimal.
///
/// # Errors
/// Those of read(2).
pub fn file_digest(file: &File) -> io::Result<String> {
    let mut digest = Sha256::new();
    each_chunk(file, |chunk| digest.update(chunk))?;
    Ok(hex(&digest.finalize()))
}

pub(super) fn file_mac(file: &File, key: &HashKey) -> io::Result<String> {
    let mut mac = key.report_mac();
    each_chunk(file, |chunk| mac.update(chunk))?;
    Ok(hex(&mac.finalize().into_bytes()))
}

fn each_chunk(mut file: &File, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    file.rewind()?;
    let mut reader = BufReader::with_capacity(CHUNK_BYTES, file);
    loop {
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            return Ok(());
        }
        each(chunk);
        let length = chunk.len();
        reader.consume(length);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const CHUNK_BYTES: usize = 128 << 10;
