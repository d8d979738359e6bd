//! [`ScrubWriter`]: a program scrubs its own log output.

use std::io::{self, Write};

use super::block::{BLOCK_BYTES, Cutter, Part};
use super::worker::Worker;
use super::{MAX_RECORD_BYTES, Scrub};
use crate::scrub::Scrubber;
use crate::tally::Tally;

/// Scrubs whole lines as they are written and passes them on.
///
/// A partial line is held back until its line feed, [`finish`](ScrubWriter::finish) or the drop of the
/// writer: it might end in half an address. A line longer than [`MAX_RECORD_BYTES`] goes on piece by piece.
/// An error of the inner writer loses nothing: what was scrubbed is kept and offered again on the next call,
/// which meets the error if it persists.
#[derive(Debug)]
pub struct ScrubWriter<W: Write, S: Scrub = Scrubber> {
    /// Empty once finished.
    inner: Option<W>,
    worker: Worker<S>,
    cutter: Cutter,
    /// Scrubbed; the inner writer has not taken what lies beyond `taken`.
    out: Vec<u8>,
    taken: usize,
}

impl<W: Write, S: Scrub> ScrubWriter<W, S> {
    /// A writer that passes on to `inner` what the scrubber leaves.
    pub fn new(scrubber: S, inner: W) -> ScrubWriter<W, S> {
        let cutter = Cutter::new(MAX_RECORD_BYTES, BLOCK_BYTES).tracked(scrubber.tracker());
        let worker = Worker::new(scrubber);
        ScrubWriter { inner: Some(inner), worker, cutter, out: Vec::new(), taken: 0 }
    }

    /// Scrubs and passes on a partial last line, flushes, and returns the inner writer.
    ///
    /// # Errors
    /// Those of the inner writer, which is lost then.
    pub fn finish(mut self) -> io::Result<W> {
        self.finish_line()?;
        self.inner.take().ok_or_else(|| io::Error::other("finished twice"))
    }

    /// The counts since the last call.
    pub fn take_tally(&mut self) -> Tally {
        self.worker.take_tally()
    }

    fn finish_line(&mut self) -> io::Result<()> {
        if let Some(part) = self.cutter.finish() {
            self.scrub(part);
        }
        self.flush()
    }

    fn scrub(&mut self, part: Part) {
        self.worker.work(&part, &mut self.out);
        self.cutter.go_on_in(part.into_buffer());
    }

    /// Offers the inner writer what it has not taken yet.
    fn pass_on(&mut self) -> io::Result<()> {
        let Some(inner) = &mut self.inner else { return Ok(()) };
        while self.taken < self.out.len() {
            match inner.write(&self.out[self.taken..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(bytes) => self.taken += bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.out.clear();
        self.taken = 0;
        Ok(())
    }
}

impl<W: Write, S: Scrub> Write for ScrubWriter<W, S> {
    /// An error here means that nothing of `bytes` was taken.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pass_on()?;
        let room = self.cutter.space();
        let count = room.len().min(bytes.len());
        room[..count].copy_from_slice(&bytes[..count]);
        self.cutter.filled(count);
        while let Some(part) = self.cutter.next_part() {
            self.scrub(part);
        }
        // The bytes are taken whatever comes of this; an error that lasts shows on the next call.
        let _ = self.pass_on();
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass_on()?;
        self.inner.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl<W: Write, S: Scrub> Drop for ScrubWriter<W, S> {
    fn drop(&mut self) {
        if self.inner.is_some() {
            // Nobody is left to hear of an error: `finish` is for those who want to.
            let _ = self.finish_line();
        }
    }
}
