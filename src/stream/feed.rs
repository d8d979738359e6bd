//! [`Feed`]: the inputs, one after another, as parts to be scrubbed.

use std::iter::Enumerate;

use super::block::{Cutter, Part};
use super::input::{Fault, Got, Input};
use super::sink::Origin;
use super::watch::Watch;

/// Bytes of a read that tell a producer which is faster than one thread: half of what a pipe holds by default.
const FILLED_BYTES: usize = 32 << 10;

/// Reads the inputs and cuts them into parts. Inputs are taken, and so opened, one at a time.
pub(super) struct Feed<'w, 's, I> {
    inputs: Enumerate<I>,
    input: Option<Input<'s>>,
    origin: Origin,
    cutter: Cutter,
    watch: &'w mut Watch,
    faults: Vec<Fault>,
    /// How many parts there were.
    parts: u64,
    /// The last read brought so much that there is probably more.
    filled: bool,
    /// There is nothing more, or no need to read it.
    ended: bool,
}

/// A part, where it comes from, and its number from 0 in the order of all parts.
#[derive(Debug)]
pub(super) struct Fed {
    pub(super) number: u64,
    pub(super) origin: Origin,
    pub(super) part: Part,
}

impl<'w, 's, I: Iterator<Item = Result<Input<'s>, Fault>>> Feed<'w, 's, I> {
    pub(super) fn new(inputs: I, cutter: Cutter, watch: &'w mut Watch) -> Feed<'w, 's, I> {
        Feed {
            inputs: inputs.enumerate(),
            input: None,
            origin: Origin { input: 0, encoding: None },
            cutter,
            watch,
            faults: Vec::new(),
            parts: 0,
            filled: false,
            ended: false,
        }
    }

    /// The next part, read into this buffer.
    ///
    /// Whatever has arrived and is complete goes on before the next read, so that a slow producer sees no
    /// delay; a fast one fills the reads by itself.
    pub(super) fn next(&mut self, buffer: Vec<u8>) -> Option<Fed> {
        self.cutter.go_on_in(buffer);
        while !self.ended {
            if let Some(part) = self.cutter.next_part().or_else(|| self.advance()) {
                let number = self.parts;
                self.parts += 1;
                return Some(Fed { number, origin: self.origin, part });
            }
        }
        None
    }

    /// Whether another thread may well find something to do, and need not sleep: also that all is over.
    pub(super) fn has_more(&self) -> bool {
        self.filled || self.ended
    }

    /// Nothing more is to be read.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// Inputs that could not be read to their end.
    pub(super) fn into_faults(self) -> Vec<Fault> {
        self.faults
    }

    /// Opens an input or reads once. What is left of an input that ends here is its last part.
    fn advance(&mut self) -> Option<Part> {
        let Some(input) = &mut self.input else {
            self.open();
            return None;
        };
        // A file that holds far more than its bytes is read for long without a read of them.
        let waits = input.must_wait() || input.source().is_regular();
        if waits && self.watch.wait(input).is_err() {
            self.ended = true; // why, the watch knows, or whoever writes
            return self.cutter.held();
        }
        let space = self.cutter.space();
        let room = space.len();
        let got = input.read(space);
        self.origin.encoding = input.encoding();
        match got {
            Ok(Got::Bytes(bytes)) => {
                self.filled = bytes >= FILLED_BYTES.min(room);
                self.cutter.filled(bytes);
            }
            Ok(Got::Nothing) => {}
            Ok(Got::End) => {
                self.input = None;
                return self.cutter.finish();
            }
            Err(fault) => {
                self.faults.push(fault);
                self.input = None;
                return self.cutter.abandon();
            }
        }
        None
    }

    fn open(&mut self) {
        match self.inputs.next() {
            Some((number, Ok(input))) => {
                self.origin = Origin { input: number, encoding: None };
                self.cutter.begin_input(input.date());
                self.input = Some(input);
            }
            Some((_, Err(fault))) => self.faults.push(fault),
            None => self.ended = true,
        }
    }
}
