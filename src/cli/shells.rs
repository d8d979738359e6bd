//! `logscrub completions` and `logscrub man`.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_mangen::Man;

use super::args::{Args, EXIT_CODES};
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
    match render(&mut page) {
        Ok(()) => to_stdout(&page),
        Err(cause) => Exit::of_output(&cause),
    }
}

fn render(page: &mut Vec<u8>) -> io::Result<()> {
    let mut command = Args::command();
    command.build();
    let filter = Man::new(command.clone());
    filter.render_title(page)?;
    filter.render_name_section(page)?;
    filter.render_synopsis_section(page)?;
    filter.render_description_section(page)?;
    filter.render_options_section(page)?;
    for below in command.get_subcommands() {
        render_command(below, page)?;
    }
    writeln!(page, ".SH \"EXIT STATUS\"\n.nf")?;
    EXIT_CODES.lines().try_for_each(|line| writeln!(page, "{}", line.replace('-', "\\-")))?;
    writeln!(page, ".fi")
}

/// A command without commands of its own is a section; of others, each of theirs is.
fn render_command(command: &clap::Command, page: &mut Vec<u8>) -> io::Result<()> {
    if command.get_name() == "help" {
        return Ok(());
    }
    if command.has_subcommands() {
        return command.get_subcommands().try_for_each(|below| render_command(below, page));
    }
    let mut section = Vec::new();
    let man = Man::new(command.clone());
    man.render_synopsis_section(&mut section)?;
    man.render_description_section(&mut section)?;
    man.render_options_section(&mut section)?;
    let title = command.get_bin_name().unwrap_or(command.get_name());
    writeln!(page, ".SH \"{}\"", title.to_uppercase())?;
    // What is a section on a page of its own stands below the heading of the command here.
    String::from_utf8_lossy(&section).lines().filter(|line| !is_preamble(line)).try_for_each(
        |line| match line.strip_prefix(".SH ") {
            Some("SYNOPSIS" | "DESCRIPTION") => writeln!(page, ".PP"),
            Some(heading) => writeln!(page, ".SS {heading}"),
            None => writeln!(page, "{line}"),
        },
    )
}

/// Definitions that every rendered part begins with, and that stand at the top of the page already.
fn is_preamble(line: &str) -> bool {
    line.starts_with(".ie ") || line.starts_with(".el ")
}
