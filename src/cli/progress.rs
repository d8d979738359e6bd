//! How far a long run is: a bar on a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal};
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::print::{escaped, message};
use crate::archive::rewrite::Shared;

/// Shows a run over so many files.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    quiet: bool,
}

impl Progress {
    pub(super) fn new(files: usize, bytes: u64, quiet: bool) -> Progress {
        let shows = !quiet && io::stderr().is_terminal();
        let bar = shows.then(|| {
            let style = ProgressStyle::with_template(
                "{wide_bar} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left; file {msg}",
            );
            let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_message(format!("0/{files}"));
            bar
        });
        Progress { bar, quiet }
    }

    /// One line about a file, unless nobody wants any.
    pub(super) fn line(&self, text: &str) {
        match &self.bar {
            _ if self.quiet => {}
            Some(bar) => bar.println(escaped(text.as_bytes())),
            None => message(text),
        }
    }

    /// One line that everybody is to see.
    pub(super) fn warn(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| message(text)),
            None => message(text),
        }
    }

    pub(super) fn done(&self, files: usize, of: usize) {
        self.bar.iter().for_each(|bar| bar.set_message(format!("{files}/{of}")));
    }

    /// Does the work, and shows meanwhile how many bytes were read.
    pub(super) fn during<T>(&self, shared: &Shared, work: impl FnOnce() -> T) -> T {
        let Some(bar) = &self.bar else { return work() };
        let (over, is_over) = mpsc::channel::<()>();
        let result = std::thread::scope(|scope| {
            let show = move || {
                while is_over
                    .recv_timeout(REDRAWN)
                    .is_err_and(|cause| cause == mpsc::RecvTimeoutError::Timeout)
                {
                    bar.set_position(shared.read.load(Ordering::Relaxed));
                }
            };
            let _ = std::thread::Builder::new().spawn_scoped(scope, show);
            let result = work();
            drop(over);
            result
        });
        bar.finish_and_clear();
        result
    }
}

const REDRAWN: Duration = Duration::from_millis(200);

/// `1.5 GiB`.
pub(super) fn size(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}
