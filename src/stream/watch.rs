//! [`Watch`]: waits for an input, and for what ends a run early.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;
use signal_hook::SigId;
use signal_hook::{flag, low_level};

use super::input::Input;
use super::sys;

/// Why no more is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// A signal, or the end of its grace.
    Signal,
    /// The output takes no more.
    Output,
}

/// The signals that ask to end, as a descriptor that becomes readable.
#[derive(Debug)]
pub struct Interrupts {
    bell: UnixStream,
    /// Number of the last signal.
    last: Arc<AtomicUsize>,
    /// A signal came that nobody has noticed yet.
    unnoticed: Arc<AtomicBool>,
    registered: Vec<SigId>,
}

impl Interrupts {
    /// Catches SIGTERM and SIGINT from now on, unless they are ignored: what a parent made us ignore
    /// (`nohup`, a job in the background) stays ignored.
    ///
    /// A signal that comes while the one before is still unnoticed, because the output blocks, ends the
    /// process at once.
    ///
    /// # Errors
    /// Those of sigaction(2) and socketpair(2).
    pub fn install() -> io::Result<Interrupts> {
        let (bell, clapper) = UnixStream::pair()?;
        let mut interrupts = Interrupts::new(bell, Arc::default())?;
        for signal in [Signal::TERM, Signal::INT] {
            if !sys::is_ignored(signal) {
                interrupts.register(signal, &clapper)?;
            }
        }
        Ok(interrupts)
    }

    /// As if each byte that comes out of `bell` were one signal, with the number in `last`.
    pub(super) fn new(bell: UnixStream, last: Arc<AtomicUsize>) -> io::Result<Interrupts> {
        bell.set_nonblocking(true)?;
        Ok(Interrupts { bell, last, unnoticed: Arc::default(), registered: Vec::new() })
    }

    /// The order counts: the flag is looked at before it is set.
    fn register(&mut self, signal: Signal, clapper: &UnixStream) -> io::Result<()> {
        let number = signal.as_raw();
        self.registered.push(flag::register_conditional_default(number, Arc::clone(&self.unnoticed))?);
        self.registered.push(flag::register(number, Arc::clone(&self.unnoticed))?);
        self.registered.push(flag::register_usize(number, Arc::clone(&self.last), number as usize)?);
        self.registered.push(low_level::pipe::register(number, clapper.try_clone()?)?);
        Ok(())
    }

    /// How many signals came since the last call.
    fn take(&mut self) -> usize {
        self.unnoticed.store(false, Ordering::Relaxed);
        self.bell.read(&mut [0; 64]).unwrap_or(0)
    }

    fn is_silent(&self) -> bool {
        !self.unnoticed.load(Ordering::Relaxed)
    }

    fn last(&self) -> Signal {
        Signal::from_named_raw(self.last.load(Ordering::Relaxed) as i32).unwrap_or(Signal::TERM)
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        self.registered.drain(..).for_each(|id| {
            low_level::unregister(id);
        });
    }
}

/// Waits for input and notices what ends a run early.
///
/// The first signal asks to drain: pipes, FIFOs, sockets and terminals are read until they end, for as long
/// as the grace lasts; a regular file, which can be read again, ends the run at the next record. A second
/// signal, or the end of the grace, ends the run by that signal.
#[derive(Debug, Default)]
pub struct Watch {
    interrupts: Option<Interrupts>,
    grace: Duration,
    /// The first signal, and when its grace ends, if ever.
    draining: Option<(Signal, Option<Instant>)>,
    ended_by: Option<Signal>,
    /// Closed by whoever writes when it can write no more.
    writer: Option<UnixStream>,
}

impl Watch {
    /// A watch over these signals.
    pub fn new(interrupts: Interrupts, grace: Duration) -> Watch {
        Watch { interrupts: Some(interrupts), grace, ..Watch::default() }
    }

    /// The signal by which the process is to end.
    pub fn ended_by(&self) -> Option<Signal> {
        self.ended_by
    }

    /// Notices from now on when the other end of `writer` is closed, if there is one.
    pub(super) fn attend(&mut self, writer: Option<UnixStream>) {
        self.writer = writer;
    }

    /// Returns when the next read of the input will not block.
    pub(super) fn wait(&mut self, input: &Input<'_>) -> Result<(), Stop> {
        if input.source().is_regular() && self.is_quiet() {
            return Ok(());
        }
        loop {
            let seen = self.poll(input).unwrap_or(Seen::INPUT);
            if seen.writer {
                return Err(Stop::Output);
            }
            if seen.signal {
                self.signalled();
            }
            self.give_up(input)?;
            if seen.input {
                return Ok(());
            }
        }
    }

    /// Whether no signal came: then a file, which is always readable, needs no poll before each read. That the
    /// output failed is told to whoever hands in the next block.
    fn is_quiet(&self) -> bool {
        self.draining.is_none() && self.interrupts.as_ref().is_none_or(Interrupts::is_silent)
    }

    fn signalled(&mut self) {
        let Some(interrupts) = &mut self.interrupts else { return };
        for _ in 0..interrupts.take() {
            let signal = interrupts.last();
            match self.draining {
                None => self.draining = Some((signal, Instant::now().checked_add(self.grace))),
                Some(_) => self.ended_by = Some(signal),
            }
        }
    }

    fn give_up(&mut self, input: &Input<'_>) -> Result<(), Stop> {
        if let Some((signal, until)) = self.draining {
            let late = until.is_some_and(|until| until <= Instant::now());
            if late || input.source().is_regular() {
                self.ended_by.get_or_insert(signal);
            }
        }
        self.ended_by.map_or(Ok(()), |_| Err(Stop::Signal))
    }

    /// One poll(2) of everything. A source without descriptor is always ready.
    fn poll(&self, input: &Input<'_>) -> rustix::io::Result<Seen> {
        let descriptors = [
            input.source().descriptor(),
            self.interrupts.as_ref().map(|interrupts| interrupts.bell.as_fd()),
            self.writer.as_ref().map(|writer| writer.as_fd()),
        ];
        let always = descriptors[0].is_none();
        // In place of one that is missing stands another, of which nothing is asked.
        let Some(any) = descriptors.iter().flatten().next() else { return Ok(Seen::INPUT) };
        let mut polled = descriptors.map(|descriptor| {
            let asked = if descriptor.is_some() { PollFlags::IN } else { PollFlags::empty() };
            PollFd::from_borrowed_fd(descriptor.unwrap_or(*any), asked)
        });
        match poll(&mut polled, self.timeout(always).as_ref()) {
            Err(rustix::io::Errno::INTR) => return Ok(Seen::default()),
            other => other?,
        };
        let seen = |index: usize| descriptors[index].is_some() && !polled[index].revents().is_empty();
        Ok(Seen { input: seen(0) || always, signal: seen(1), writer: seen(2) })
    }

    fn timeout(&self, at_once: bool) -> Option<Timespec> {
        if at_once {
            return Some(Timespec::default());
        }
        let until = self.draining.and_then(|(_, until)| until)?;
        Timespec::try_from(until.saturating_duration_since(Instant::now())).ok()
    }
}

#[derive(Clone, Copy, Default)]
struct Seen {
    input: bool,
    signal: bool,
    writer: bool,
}

impl Seen {
    /// If polling itself fails, the read tells what is wrong.
    const INPUT: Seen = Seen { input: true, signal: false, writer: false };
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;
    use std::os::fd::BorrowedFd;

    use super::*;
    use crate::stream::input::Source;

    const HOUR: Duration = Duration::from_secs(3600);

    /// A source whose other end the test holds.
    struct Wire {
        stream: UnixStream,
        regular: bool,
    }

    impl Read for Wire {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.stream.read(into)
        }
    }

    impl Source for Wire {
        fn descriptor(&self) -> Option<BorrowedFd<'_>> {
            Some(self.stream.as_fd())
        }

        fn is_regular(&self) -> bool {
            self.regular
        }
    }

    fn wire(regular: bool) -> (Input<'static>, UnixStream) {
        let (stream, far) = UnixStream::pair().unwrap();
        (Input::new("wire", Wire { stream, regular }), far)
    }

    fn watch(grace: Duration) -> (Watch, UnixStream) {
        let (bell, clapper) = UnixStream::pair().unwrap();
        let last = Arc::new(AtomicUsize::new(Signal::INT.as_raw() as usize));
        let interrupts = Interrupts::new(bell, last).unwrap();
        interrupts.unnoticed.store(true, Ordering::Relaxed);
        (Watch::new(interrupts, grace), clapper)
    }

    #[test]
    fn the_first_signal_drains_and_the_second_ends() {
        let (mut watch, mut clapper) = watch(HOUR);
        let (input, mut far) = wire(false);
        far.write_all(b"x").unwrap();
        assert_eq!(watch.wait(&input), Ok(()));
        clapper.write_all(b"!").unwrap();
        assert_eq!(watch.wait(&input), Ok(()));
        assert_eq!(watch.wait(&input), Ok(()));
        assert_eq!(watch.ended_by(), None);
        clapper.write_all(b"!").unwrap();
        assert_eq!(watch.wait(&input), Err(Stop::Signal));
        assert_eq!(watch.ended_by(), Some(Signal::INT));
    }

    #[test]
    fn the_end_of_the_grace_ends_a_silent_and_a_busy_input() {
        for busy in [false, true] {
            let (mut watch, mut clapper) = watch(Duration::ZERO);
            let (input, mut far) = wire(false);
            if busy {
                far.write_all(b"x").unwrap();
            }
            clapper.write_all(b"!").unwrap();
            assert_eq!(watch.wait(&input), Err(Stop::Signal));
            assert_eq!(watch.ended_by(), Some(Signal::INT));
        }
    }

    #[test]
    fn a_regular_file_ends_at_once() {
        let (mut watch, mut clapper) = watch(HOUR);
        let (input, _far) = wire(true);
        clapper.write_all(b"!").unwrap();
        assert_eq!(watch.wait(&input), Err(Stop::Signal));
        assert_eq!(watch.ended_by(), Some(Signal::INT));
    }

    #[test]
    fn a_failed_writer_is_noticed_while_the_input_is_silent() {
        let (mut watch, _clapper) = watch(HOUR);
        let (input, _far) = wire(false);
        let (writer, reader) = UnixStream::pair().unwrap();
        watch.attend(Some(reader));
        drop(writer);
        assert_eq!(watch.wait(&input), Err(Stop::Output));
        assert_eq!(watch.ended_by(), None);
    }
}
