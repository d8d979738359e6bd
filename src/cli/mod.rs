//! The command line: the only code that knows clap, prints and exits. One file a command.

mod archive;
mod args;
mod erase;
mod exit;
mod explain;
mod filter;
mod key;
mod keyring;
mod lines;
mod load;
mod overlap;
mod paint;
mod print;
mod progress;
mod pseudonym;
mod report;
mod reveal;
mod rules;
mod scan;
mod shells;

use std::process::ExitCode;

use clap::Parser;

use crate::stream::sys;
use args::{Args, Command};
use exit::Exit;

/// Parses the command line, runs the command and ends with its code.
///
/// The codes, the first that applies: 2 usage, rules or key fault · 4 the output failed · 3 an input failed ·
/// 1 something was found or is not as it should be · 0 all input was read and all output accepted.
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(crate::stream::tell_place_only));
    // Raw log lines stand in the buffers: no core dump, no reading by others of the same user.
    let _ = sys::hide_memory();
    let exit = match Args::try_parse() {
        Ok(args) => run(args),
        Err(shown) => usage(&shown),
    };
    exit.end()
}

fn run(args: Args) -> Exit {
    match args.command {
        None => filter::run(&args.filter),
        Some(Command::Scan(args)) => scan::run(&args),
        Some(Command::Archive(args)) => archive::run(&args),
        Some(Command::Report(args)) => report::run(&args.command),
        Some(Command::Rules(args)) => rules::run(&args.command),
        Some(Command::Explain(args)) => explain::run(&args),
        Some(Command::Key(args)) => key::run(&args.command),
        Some(Command::Pseudonym(args)) => pseudonym::run(&args),
        Some(Command::Reveal(args)) => reveal::run(&args),
        Some(Command::Completions { shell }) => shells::completions(shell),
        Some(Command::Man) => shells::man(),
    }
}

/// `--help` and `--version` go to stdout and are no fault.
fn usage(shown: &clap::Error) -> Exit {
    let text = shown.render();
    if shown.use_stderr() {
        print::to_stderr(&text.to_string());
        return Exit::Usage;
    }
    print::to_stdout(text.to_string().as_bytes())
}
