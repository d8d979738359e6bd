//! [`drive`]: all inputs, one after another, through the scrubber to the output.
//!
//! Every thread does the same: it reads a block, scrubs it, and writes it when it is its turn. While one reads or
//! writes the others scrub, what was read is scrubbed by the core in whose cache it is, and no thread only passes
//! on what others do. The output does not depend on the number of threads.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::thread;

use rustix::process::Signal;

use super::block::{BLOCK_BYTES, Cutter, Shape};
use super::feed::Feed;
use super::input::{Fault, Input};
use super::order::{Buffers, Done, Order};
use super::sink::Sink;
use super::watch::Watch;
use super::worker::Worker;
use super::{MAX_RECORD_BYTES, Scrub};
use crate::tally::Tally;

/// Parts that may wait for their turn, for each thread. One that loses its core in the middle of a block holds up the
/// others only when they have done so many more.
const EARLY_PER_THREAD: usize = 2;

/// How to drive. The output depends on `max_record` alone.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Threads that scrub.
    pub threads: usize,
    /// Bytes of a record without its line feed above which it is scrubbed piece by piece.
    pub max_record: usize,
    /// Bytes asked for in one read.
    pub block_bytes: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { threads: 1, max_record: MAX_RECORD_BYTES, block_bytes: BLOCK_BYTES }
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// What was done; of an output that failed, also what it did not take any more.
    pub tally: Tally,
    /// Inputs that could not be read to their end; the others were.
    pub input_faults: Vec<Fault>,
    /// Whether the output took everything. `BrokenPipe`: the reader went away.
    pub output: io::Result<()>,
    /// The signal by which the process is to end; what was complete before it was written.
    pub ended_by: Option<Signal>,
}

/// Scrubs all inputs to `out`, in order. Inputs are taken, and so opened, one at a time.
pub fn drive<S, W, I>(inputs: I, scrubber: S, out: W, watch: &mut Watch, settings: &Settings) -> Outcome
where
    S: Scrub + Send,
    W: Write + Send,
    I: IntoIterator<Item = Result<Input, Fault>, IntoIter: Send>,
{
    let (threads, alarm) = helpers(settings.threads, watch);
    let worker = Worker::new(scrubber);
    let order = Order::new(Sink::new(out), worker.clone(), EARLY_PER_THREAD * threads, alarm);
    let cutter = Cutter::new(settings.max_record, settings.block_bytes);
    let line = Line { feed: Mutex::new(Feed::new(inputs.into_iter(), cutter, watch)), order };
    let mut tally = line.on_threads(worker, threads);
    let (output, long) = line.order.finish();
    tally.add(&long);
    let input_faults = line.feed.into_inner().unwrap_or_else(PoisonError::into_inner).into_faults();
    Outcome { tally, output, input_faults, ended_by: watch.ended_by() }
}

/// How many threads there are to be, and what wakes one that waits for input when another cannot write; if that
/// is not to be had, one thread must do.
fn helpers(threads: usize, watch: &mut Watch) -> (usize, Option<UnixStream>) {
    let pair = if threads > 1 { UnixStream::pair().ok() } else { None };
    let (alarm, heard) = pair.unzip();
    watch.attend(heard);
    (if alarm.is_some() { threads } else { 1 }, alarm)
}

/// What the threads share.
struct Line<'w, I, S, W> {
    feed: Mutex<Feed<'w, I>>,
    order: Order<S, W>,
}

impl<I, S, W> Line<'_, I, S, W>
where
    I: Iterator<Item = Result<Input, Fault>> + Send,
    S: Scrub + Send,
    W: Write + Send,
{
    /// Works on this thread and as many others as can be had.
    fn on_threads(&self, worker: Worker<S>, threads: usize) -> Tally {
        thread::scope(|scope| {
            let spawn = |_| {
                let worker = worker.clone();
                thread::Builder::new().spawn_scoped(scope, move || self.work(worker)).ok()
            };
            let others: Vec<_> = (1..threads).filter_map(spawn).collect();
            let mut tally = self.work(worker.clone());
            others.into_iter().flat_map(|other| other.join()).for_each(|other| tally.add(&other));
            tally
        })
    }

    /// A worker survives the panics of its scrubber. One beyond that must not end as if nothing were missing.
    fn work(&self, mut worker: Worker<S>) -> Tally {
        let all = AssertUnwindSafe(|| self.take_turns(&mut worker));
        if catch_unwind(all).is_err() {
            self.order.fail(io::Error::other("a block was not scrubbed"));
        }
        worker.take_tally()
    }

    fn take_turns(&self, worker: &mut Worker<S>) {
        let mut next = Some(Buffers::default());
        while let Some(Buffers { input, mut scrubbed }) = next {
            let fed = self.feed.lock().unwrap_or_else(PoisonError::into_inner).next(input);
            let Some(fed) = fed else { return };
            scrubbed.clear();
            if fed.part.shape == Shape::Records {
                worker.work(&fed.part, &mut scrubbed);
            }
            next = self.order.hand_in(Done { fed, scrubbed });
        }
    }
}
