//! `logscrub completions` and `logscrub man`.

use clap::CommandFactory;

use super::args::Args;
use super::exit::Exit;
use super::print::to_stdout;

pub(super) fn completions(shell: clap_complete::Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "logscrub", &mut script);
    to_stdout(&script)
}

/// One page: the filter, then each command.
pub(super) fn man() -> Exit {
    let mut page = Vec::new();
    let mut command = Args::command();
    command.build();
    let mut written = clap_mangen::Man::new(command.clone()).render(&mut page);
    for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help") {
        let man = clap_mangen::Man::new(subcommand.clone());
        written = written
            .and_then(|()| man.render_synopsis_section(&mut page))
            .and_then(|()| man.render_options_section(&mut page));
    }
    match written {
        Ok(()) => to_stdout(&page),
        Err(cause) => Exit::of_output(&cause),
    }
}
