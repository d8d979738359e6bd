//! How the program ends.

use std::io;
use std::process::ExitCode;

use rustix::process::Signal;

use super::print::message;
use crate::error::reason;
use crate::stream::sys;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// All input was read to its end and all output accepted.
    Done,
    /// `scan` found something; `rules check` or `rules test` failed; a record was withheld under `--strict`.
    Found,
    /// Usage, rules or key fault, or an output that is also an input. Nothing was read.
    Usage,
    /// An input failed; the others were processed.
    Input,
    /// The output failed.
    Output,
    /// The reader of the output went away: ends by SIGPIPE, silently, as every filter does.
    BrokenPipe,
    /// Ends by this signal.
    Signal(Signal),
}

impl Exit {
    pub(super) fn end(self) -> ExitCode {
        ExitCode::from(match self {
            Exit::Done => 0,
            Exit::Found => 1,
            Exit::Usage => 2,
            Exit::Input => 3,
            Exit::Output => 4,
            Exit::BrokenPipe => sys::die_by_sigpipe(),
            Exit::Signal(signal) => sys::die_by(signal),
        })
    }

    /// The end that a failed write leads to.
    pub(super) fn of_output(cause: &io::Error) -> Exit {
        Exit::of_output_to("output", cause)
    }

    /// The same for an output that has a name.
    pub(super) fn of_output_to(name: &str, cause: &io::Error) -> Exit {
        if cause.kind() == io::ErrorKind::BrokenPipe {
            return Exit::BrokenPipe;
        }
        message(&format!("{name}: {}", reason(cause)));
        Exit::Output
    }
}
