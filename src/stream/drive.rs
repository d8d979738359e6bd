//! [`drive`]: all inputs, one after another, through the scrubber to the output.
//!
//! One thread reads, scrubs and writes in turn. More threads: this one reads, a pool scrubs blocks, and one
//! writes them in the order in which they were read. The output is the same.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rayon::{ThreadPool, ThreadPoolBuilder};
use rustix::process::Signal;

use super::block::{BLOCK_BYTES, Buffers, Cutter, Part, Shape};
use super::input::{Fault, Got, Input};
use super::sink::{Origin, Sink};
use super::watch::{Stop, Watch};
use super::worker::Worker;
use super::{MAX_RECORD_BYTES, Scrub};
use crate::tally::Tally;

/// Blocks in flight beyond one a thread: so that no thread waits while one block is written and one read.
const SPARE_BLOCKS: usize = 2;

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
    /// What was done.
    pub tally: Tally,
    /// Inputs that could not be read to their end; the others were.
    pub input_faults: Vec<Fault>,
    /// Whether the output took everything. `BrokenPipe`: the reader went away.
    pub output: io::Result<()>,
    /// The signal by which the process is to end; what was complete before it was written.
    pub ended_by: Option<Signal>,
}

/// Scrubs all inputs to `out`, in order. Inputs are taken, and so opened, one at a time.
pub fn drive<S, W>(
    inputs: impl IntoIterator<Item = Result<Input, Fault>>,
    scrubber: S,
    out: W,
    watch: &mut Watch,
    settings: &Settings,
) -> Outcome
where
    S: Scrub + Send + 'static,
    W: Write + Send,
{
    let buffers = Arc::new(Buffers::default());
    let worker = Worker::new(scrubber);
    let sink = Sink::new(out);
    let mut feed = Feed { watch, settings, buffers, faults: Vec::new() };
    let (tally, output) = match Threads::start(settings.threads) {
        Some(threads) => on_threads(&mut feed, inputs, worker, sink, threads),
        None => in_turn(&mut feed, inputs, worker, sink),
    };
    Outcome { tally, output, input_faults: feed.faults, ended_by: feed.watch.ended_by() }
}

/// Where the parts go.
trait Lane {
    fn send(&mut self, origin: Origin, part: Part) -> Result<(), Stop>;
}

/// Reads the inputs and cuts them into parts.
struct Feed<'a> {
    watch: &'a mut Watch,
    settings: &'a Settings,
    buffers: Arc<Buffers>,
    faults: Vec<Fault>,
}

impl Feed<'_> {
    fn all(
        &mut self,
        inputs: impl IntoIterator<Item = Result<Input, Fault>>,
        lane: &mut impl Lane,
    ) -> Result<(), Stop> {
        for (number, input) in inputs.into_iter().enumerate() {
            match input {
                Ok(input) => self.one(number, input, lane)?,
                Err(fault) => self.faults.push(fault),
            }
        }
        Ok(())
    }

    /// Whatever has arrived and is complete goes on before the next read, so that a slow producer sees no
    /// delay; a fast one fills the reads by itself.
    fn one(&mut self, number: usize, mut input: Input, lane: &mut impl Lane) -> Result<(), Stop> {
        let mut cutter =
            Cutter::new(Arc::clone(&self.buffers), self.settings.max_record, self.settings.block_bytes);
        let left = loop {
            if input.must_wait() {
                self.watch.wait(&input)?;
            }
            match input.read(cutter.space()) {
                Ok(Got::Bytes(bytes)) => cutter.filled(bytes),
                Ok(Got::Nothing) => continue,
                Ok(Got::End) => break cutter.finish(),
                Err(fault) => {
                    self.faults.push(fault);
                    break cutter.abandon();
                }
            }
            let origin = Origin { input: number, encoding: input.encoding() };
            while let Some(part) = cutter.next_part() {
                lane.send(origin, part)?;
            }
        };
        let origin = Origin { input: number, encoding: input.encoding() };
        left.map_or(Ok(()), |part| lane.send(origin, part))
    }
}

/// Scrubs and writes each part at once.
struct InTurn<S, W> {
    worker: Worker<S>,
    sink: Sink<W>,
    scrubbed: Vec<u8>,
    buffers: Arc<Buffers>,
    output: io::Result<()>,
}

impl<S: Scrub, W: Write> Lane for InTurn<S, W> {
    fn send(&mut self, origin: Origin, part: Part) -> Result<(), Stop> {
        self.scrubbed.clear();
        self.worker.work(&part, &mut self.scrubbed);
        self.buffers.give(part.into_buffer());
        self.output = self.sink.write(origin, &self.scrubbed);
        if self.output.is_ok() { Ok(()) } else { Err(Stop::Output) }
    }
}

fn in_turn<S: Scrub, W: Write>(
    feed: &mut Feed<'_>,
    inputs: impl IntoIterator<Item = Result<Input, Fault>>,
    worker: Worker<S>,
    sink: Sink<W>,
) -> (Tally, io::Result<()>) {
    let buffers = Arc::clone(&feed.buffers);
    let mut lane = InTurn { worker, sink, scrubbed: Vec::new(), buffers, output: Ok(()) };
    let _ = feed.all(inputs, &mut lane); // why it stopped early is in the lane or the watch
    let output = lane.output.and_then(|()| lane.sink.finish());
    (lane.worker.take_tally(), output)
}

/// What threads need; if any of it is not to be had, one thread must do.
struct Threads {
    pool: ThreadPool,
    in_flight: usize,
    /// Closed when the writer ends, which wakes a reader that waits for input.
    writer: UnixStream,
    reader: UnixStream,
}

impl Threads {
    fn start(threads: usize) -> Option<Threads> {
        if threads < 2 {
            return None;
        }
        let (writer, reader) = UnixStream::pair().ok()?;
        // A worker catches the panics of a scrubber. One beyond that must not abort the process: the block
        // that never comes is an error of the output.
        let pool = ThreadPoolBuilder::new().num_threads(threads).panic_handler(|_| {}).build().ok()?;
        Some(Threads { pool, in_flight: threads + SPARE_BLOCKS, writer, reader })
    }
}

/// What the writer waits for next.
enum Next {
    /// A block that the pool scrubs.
    Block(Origin, Receiver<Scrubbed>),
    /// A part of a long record: the writer scrubs it, for one state goes through all its pieces in order.
    Long(Origin, Part),
}

struct Scrubbed {
    bytes: Vec<u8>,
    tally: Tally,
}

/// Hands blocks to the pool and tells the writer their order.
struct OnThreads<'a, S> {
    pool: &'a ThreadPool,
    order: SyncSender<Next>,
    shared: Arc<Shared<S>>,
}

/// What the pool's tasks share.
struct Shared<S> {
    /// To be cloned when all others are at work.
    first: Mutex<Worker<S>>,
    idle: Mutex<Vec<Worker<S>>>,
    buffers: Arc<Buffers>,
    outputs: Buffers,
}

impl<S: Scrub> Shared<S> {
    fn scrub(&self, part: Part) -> Scrubbed {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut worker =
            idle.unwrap_or_else(|| self.first.lock().unwrap_or_else(PoisonError::into_inner).clone());
        let mut bytes = self.outputs.take();
        bytes.clear();
        worker.work(&part, &mut bytes);
        let tally = worker.take_tally();
        self.buffers.give(part.into_buffer());
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
        Scrubbed { bytes, tally }
    }
}

impl<S: Scrub + Send + 'static> Lane for OnThreads<'_, S> {
    /// Blocks while too many parts are in flight.
    fn send(&mut self, origin: Origin, part: Part) -> Result<(), Stop> {
        if part.shape != Shape::Records {
            return self.order.send(Next::Long(origin, part)).map_err(|_| Stop::Output);
        }
        let (done, scrubbed) = sync_channel(1);
        self.order.send(Next::Block(origin, scrubbed)).map_err(|_| Stop::Output)?;
        let shared = Arc::clone(&self.shared);
        self.pool.spawn(move || {
            let _ = done.send(shared.scrub(part)); // nobody waits for it when the output has failed
        });
        Ok(())
    }
}

fn on_threads<S: Scrub + Send + 'static, W: Write + Send>(
    feed: &mut Feed<'_>,
    inputs: impl IntoIterator<Item = Result<Input, Fault>>,
    worker: Worker<S>,
    sink: Sink<W>,
    threads: Threads,
) -> (Tally, io::Result<()>) {
    let Threads { pool, in_flight, writer, reader } = threads;
    let (order, next) = sync_channel(in_flight);
    let shared = Arc::new(Shared {
        first: Mutex::new(worker.clone()),
        idle: Mutex::default(),
        buffers: Arc::clone(&feed.buffers),
        outputs: Buffers::default(),
    });
    feed.watch.attend(reader);
    thread::scope(|scope| {
        let outputs = Arc::clone(&shared);
        let writing = scope.spawn(move || {
            let ended = write_in_order(next, worker, sink, &outputs);
            drop(writer);
            ended
        });
        let mut lane = OnThreads { pool: &pool, order, shared };
        let _ = feed.all(inputs, &mut lane); // why it stopped early is in the writer's result or the watch
        drop(lane);
        writing.join().unwrap_or_else(|_| (Tally::default(), Err(io::Error::other("the writer broke down"))))
    })
}

fn write_in_order<S: Scrub, W: Write>(
    next: Receiver<Next>,
    mut long: Worker<S>,
    mut sink: Sink<W>,
    shared: &Shared<S>,
) -> (Tally, io::Result<()>) {
    let mut tally = Tally::default();
    let output = next
        .into_iter()
        .try_for_each(|next| {
            let (origin, scrubbed) = await_scrubbed(next, &mut long, shared)?;
            sink.write(origin, &scrubbed.bytes)?;
            tally.add(&scrubbed.tally);
            shared.outputs.give(scrubbed.bytes);
            Ok(())
        })
        .and_then(|()| sink.finish());
    (tally, output)
}

fn await_scrubbed<S: Scrub>(
    next: Next,
    long: &mut Worker<S>,
    shared: &Shared<S>,
) -> io::Result<(Origin, Scrubbed)> {
    match next {
        Next::Block(origin, scrubbed) => {
            let scrubbed = scrubbed.recv().map_err(|_| io::Error::other("a block was not scrubbed"))?;
            Ok((origin, scrubbed))
        }
        Next::Long(origin, part) => {
            let mut bytes = shared.outputs.take();
            bytes.clear();
            long.work(&part, &mut bytes);
            shared.buffers.give(part.into_buffer());
            Ok((origin, Scrubbed { bytes, tally: long.take_tally() }))
        }
    }
}
