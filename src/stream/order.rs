//! [`Order`]: parts are written in the order in which they were read, whoever scrubbed them.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::Scrub;
use super::block::Shape;
use super::feed::Fed;
use super::sink::Sink;
use super::worker::Worker;
use crate::tally::Tally;

/// A part and its scrubbed form. A piece of a long record is scrubbed when it is written: one state goes
/// through all pieces in order.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) fed: Fed,
    pub(super) scrubbed: Vec<u8>,
}

/// Two buffers to work with, of any content.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    pub(super) input: Vec<u8>,
    pub(super) scrubbed: Vec<u8>,
}

/// Where the threads hand in what they scrubbed. There is no thread that writes: whoever hands in the part whose
/// turn it is writes it, and then those behind it that came early.
pub(super) struct Order<S, W> {
    state: Mutex<State<S, W>>,
    /// Wakes threads that wait until fewer parts are early.
    fewer: Condvar,
    /// Parts that may be early: so that a thread which lost its core holds up no other for a while.
    most_early: usize,
}

struct State<S, W> {
    /// Number of the part whose turn it is: the first of `early`.
    turn: u64,
    /// `None` where a thread is still at work.
    early: VecDeque<Option<Done>>,
    waiting: usize,
    idle: Vec<Buffers>,
    /// `None` while a thread writes.
    writer: Option<Writer<S, W>>,
    output: io::Result<()>,
    tally: Tally,
    /// Closed when the output takes no more, which wakes whoever waits for input.
    alarm: Option<UnixStream>,
}

struct Writer<S, W> {
    sink: Sink<W>,
    long: Worker<S>,
}

impl<S: Scrub, W: Write> Order<S, W> {
    /// `long` scrubs long records. `alarm` is closed when the output takes no more.
    pub(super) fn new(
        sink: Sink<W>,
        long: Worker<S>,
        most_early: usize,
        alarm: Option<UnixStream>,
    ) -> Order<S, W> {
        let state = State {
            turn: 0,
            early: VecDeque::new(),
            waiting: 0,
            idle: Vec::new(),
            writer: Some(Writer { sink, long }),
            output: Ok(()),
            tally: Tally::default(),
            alarm,
        };
        Order { state: Mutex::new(state), fewer: Condvar::new(), most_early }
    }

    /// Takes a part, and buffers for the next; `None` if the output takes no more. Blocks while too many parts
    /// are early.
    pub(super) fn hand_in(&self, done: Done) -> Option<Buffers> {
        let mut state = self.lock();
        state.place(done);
        state = self.write_due(state);
        while state.early.len() > self.most_early && state.output.is_ok() {
            state.waiting += 1;
            state = self.fewer.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
        let buffers = state.idle.pop().unwrap_or_default();
        state.output.is_ok().then_some(buffers)
    }

    /// Ends the run: a thread broke down.
    pub(super) fn fail(&self, cause: io::Error) {
        self.lock().fail(cause, &self.fewer);
    }

    /// Adds the counts of a thread.
    pub(super) fn count(&self, tally: &Tally) {
        self.lock().tally.add(tally);
    }

    /// Writes what an encoding still holds back. How the output went, all counts, and the sink if it takes more.
    pub(super) fn finish(self) -> (io::Result<()>, Tally, Option<Sink<W>>) {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let State { output, mut tally, writer, .. } = state;
        // A thread that broke down while it wrote has taken the writer with it.
        let Some(mut writer) = writer else { return (output, tally, None) };
        tally.add(&writer.long.take_tally());
        let output = output.and_then(|()| writer.sink.finish());
        let sink = output.is_ok().then_some(writer.sink);
        (output, tally, sink)
    }

    fn lock(&self) -> MutexGuard<'_, State<S, W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the parts whose turn it is, unless somebody is at it, who will find them.
    fn write_due<'s>(&'s self, mut state: MutexGuard<'s, State<S, W>>) -> MutexGuard<'s, State<S, W>> {
        let Some(mut writer) = state.writer.take() else { return state };
        while let Some(mut done) = state.due() {
            drop(state);
            let written = writer.write(&mut done);
            state = self.lock();
            state.idle.push(Buffers { input: done.fed.part.into_buffer(), scrubbed: done.scrubbed });
            match written {
                Err(cause) => state.fail(cause, &self.fewer),
                Ok(()) if state.waiting > 0 => self.fewer.notify_all(),
                Ok(()) => {}
            }
        }
        state.writer = Some(writer);
        state
    }
}

impl<S, W> State<S, W> {
    fn place(&mut self, done: Done) {
        let place = (done.fed.number - self.turn) as usize;
        if self.early.len() <= place {
            self.early.resize_with(place + 1, || None);
        }
        self.early[place] = Some(done);
    }

    /// The part whose turn it is, if it is there and the output takes it.
    fn due(&mut self) -> Option<Done> {
        let done = self.early.front_mut().filter(|_| self.output.is_ok())?.take()?;
        self.early.pop_front();
        self.turn += 1;
        Some(done)
    }

    fn fail(&mut self, cause: io::Error, waiting: &Condvar) {
        if self.output.is_ok() {
            self.output = Err(cause);
        }
        self.alarm = None;
        waiting.notify_all();
    }
}

impl<S: Scrub, W: Write> Writer<S, W> {
    fn write(&mut self, done: &mut Done) -> io::Result<()> {
        let Done { fed, scrubbed } = done;
        if fed.part.shape != Shape::Records {
            scrubbed.clear();
            self.long.work(&fed.part, scrubbed);
        }
        self.sink.write(fed.origin, scrubbed)
    }
}
