//! [`drive`]: all inputs, one after another, through the scrubber to the output.
//!
//! Every thread does the same: it reads a block, scrubs it, and writes it when it is its turn. While one reads or
//! writes the others scrub, what was read is scrubbed by the core in whose cache it is, and no thread only passes
//! on what others do. The output does not depend on the number of threads.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Scope};

use rustix::process::Signal;

use super::block::{BLOCK_BYTES, Cutter, Shape};
use super::feed::{Fed, Feed};
use super::input::{Fault, Input};
use super::order::{Buffers, Done, Order};
use super::sink::Sink;
use super::watch::Watch;
use super::worker::Worker;
use super::{MAX_RECORD_BYTES, Scrub};
use crate::tally::Tally;

/// Parts that may wait for their turn, for each thread: one that loses its core in the middle of a block holds up the
/// others only when they have done so many more. Twice as many were no faster on any log, also where a neighbour took
/// a core.
const EARLY_PER_THREAD: usize = 1;

/// How to drive. The output depends on `max_record` alone.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Threads that scrub, at most.
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
pub fn drive<'s, S, W, I>(inputs: I, scrubber: S, out: W, watch: &mut Watch, settings: &Settings) -> Outcome
where
    S: Scrub + Send,
    W: Write + Send,
    I: IntoIterator<Item = Result<Input<'s>, Fault>, IntoIter: Send>,
{
    drive_into(Sink::new(out), inputs, scrubber, watch, settings).0
}

/// Scrubs several runs of inputs, each by a scrubber of its own, to one output, in order. After one that fails to write
/// or that a signal ends there is no other.
pub fn drive_runs<'s, S, W, I>(
    runs: impl IntoIterator<Item = (S, I)>,
    out: W,
    watch: &mut Watch,
    settings: &Settings,
) -> Vec<Outcome>
where
    S: Scrub + Send,
    W: Write + Send,
    I: IntoIterator<Item = Result<Input<'s>, Fault>, IntoIter: Send>,
{
    let mut outcomes = Vec::new();
    let mut sink = Some(Sink::new(out));
    for (scrubber, inputs) in runs {
        let Some(mut open) = sink.take().filter(|_| watch.ended_by().is_none()) else { break };
        open.end_input();
        let (outcome, left) = drive_into(open, inputs, scrubber, watch, settings);
        outcomes.push(outcome);
        sink = left;
    }
    outcomes
}

/// Drives one run. The sink comes back if it takes more.
fn drive_into<'s, S, W, I>(
    sink: Sink<W>,
    inputs: I,
    scrubber: S,
    watch: &mut Watch,
    settings: &Settings,
) -> (Outcome, Option<Sink<W>>)
where
    S: Scrub + Send,
    W: Write + Send,
    I: IntoIterator<Item = Result<Input<'s>, Fault>, IntoIter: Send>,
{
    let (threads, alarm) = alarmed(settings.threads, watch);
    let cutter = Cutter::new(settings.max_record, settings.block_bytes).tracked(scrubber.tracker());
    let worker = Worker::new(scrubber);
    let order = Order::new(sink, worker.another(), EARLY_PER_THREAD * threads, alarm);
    let feed = Feed::new(inputs.into_iter(), cutter, watch);
    let intake = Mutex::new(Intake { feed, started: 1, asleep: 0 });
    let line = Line { intake, call: Condvar::new(), order, threads };
    thread::scope(|scope| line.work(scope, worker, Post::First));
    let (output, tally, sink) = line.order.finish();
    let input_faults = line.intake.into_inner().unwrap_or_else(PoisonError::into_inner).feed.into_faults();
    (Outcome { tally, output, input_faults, ended_by: watch.ended_by() }, sink)
}

/// How many threads there are to be, and what wakes one that waits for input when another cannot write; if that
/// is not to be had, one thread must do.
fn alarmed(threads: usize, watch: &mut Watch) -> (usize, Option<UnixStream>) {
    let pair = if threads > 1 { UnixStream::pair().ok() } else { None };
    let (alarm, heard) = pair.unzip();
    watch.attend(heard);
    (if alarm.is_some() { threads } else { 1 }, alarm)
}

/// What the threads share.
struct Line<'w, 's, I, S, W> {
    intake: Mutex<Intake<'w, 's, I>>,
    /// Wakes threads when there is more than the others can do, or nothing any more.
    call: Condvar,
    order: Order<S, W>,
    threads: usize,
}

struct Intake<'w, 's, I> {
    feed: Feed<'w, 's, I>,
    /// Threads that were started, or could not be.
    started: usize,
    asleep: usize,
}

/// The first thread is always there. Another is started when there is work for it, and sleeps while there is none:
/// of a slow producer each line is read by a thread that need not wake another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Post {
    First,
    Helper,
}

impl<'w, 's, I, S, W> Line<'w, 's, I, S, W>
where
    I: Iterator<Item = Result<Input<'s>, Fault>> + Send,
    S: Scrub + Send,
    W: Write + Send,
{
    /// Works to the end. A worker survives the panics of its scrubber; one beyond that must not look as if nothing
    /// were missing.
    fn work<'t>(&'t self, scope: &'t Scope<'t, '_>, mut worker: Worker<S>, post: Post) {
        let all = AssertUnwindSafe(|| self.take_turns(scope, &mut worker, post));
        if catch_unwind(all).is_err() {
            self.order.fail(io::Error::other("a block was not scrubbed"));
        }
        self.order.count(&worker.take_tally());
        self.intake().feed.end();
        self.call.notify_all();
    }

    fn take_turns<'t>(&'t self, scope: &'t Scope<'t, '_>, worker: &mut Worker<S>, post: Post) {
        let mut next = Some(Buffers::default());
        while let Some(Buffers { input, mut scrubbed }) = next {
            let (fed, short_of_hands) = self.take(input, post);
            if short_of_hands {
                let helper = worker.another();
                // If there is none to be had, those that are there must do.
                let _ = thread::Builder::new()
                    .spawn_scoped(scope, move || self.work(scope, helper, Post::Helper));
            }
            let Some(fed) = fed else { return };
            scrubbed.clear();
            if fed.part.shape == Shape::Records {
                worker.work(&fed.part, &mut scrubbed);
            }
            next = self.order.hand_in(Done { fed, scrubbed });
        }
    }

    /// The next part, and whether another thread is to be started.
    fn take(&self, input: Vec<u8>, post: Post) -> (Option<Fed>, bool) {
        let mut intake = self.intake();
        while post == Post::Helper && !intake.feed.has_more() {
            intake.asleep += 1;
            intake = self.call.wait(intake).unwrap_or_else(PoisonError::into_inner);
            intake.asleep -= 1;
        }
        let fed = intake.feed.next(input);
        let more = fed.is_some() && intake.feed.has_more();
        if more && intake.asleep > 0 {
            self.call.notify_one();
        }
        let short_of_hands = more && intake.asleep == 0 && intake.started < self.threads;
        intake.started += usize::from(short_of_hands);
        (fed, short_of_hands)
    }

    fn intake(&self) -> MutexGuard<'_, Intake<'w, 's, I>> {
        self.intake.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
