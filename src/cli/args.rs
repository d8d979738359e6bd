//! What the command line can say.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as Group, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;

use super::keyring::Opened;
use crate::time::age::Age;

/// Finds personal data and secrets in logs and keeps of each only what a policy allows.
///
/// Without a command: scrubs FILEs, or standard input, to standard output.
#[derive(Debug, Parser)]
#[command(name = "logscrub", version, args_conflicts_with_subcommands = true, after_help = EXIT_CODES)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) filter: Filter,
}

/// Shown below the help and in the manual page.
pub(super) const EXIT_CODES: &str = "\
Exit codes, the first that applies:
  2  usage, rules or key fault, or output that is also an input: nothing was read
  4  the output failed
  3  an input failed (unreadable, corrupt, not decodable); the others were processed
  1  scan found something, rules check or test failed, archive left a file out, report verify found
     another one, or a record was withheld under --strict
  0  all input was read to its end and all output accepted
A file named like a command is given as ./scan.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Find only: counts, lines shown scrubbed, or findings as JSON
    Scan(Scan),
    /// Rewrite files and trees in place, compressed ones too: for good
    Archive(Archive),
    /// What a report of `archive` says, and whether its files are still as it says
    Report(Report),
    /// The packs; one policy as it resolves; lint a file; run the tests written in it
    Rules(Rules),
    /// Each candidate of the lines on standard input, each check, and which rule won
    Explain(Explain),
    /// The keyring
    Key(Key),
    /// The pseudonyms, in each period, of the values on standard input, one a line
    Pseudonym(Pseudonym),
    /// Standard input with values in place of the tokens of `encrypt`
    Reveal(Reveal),
    /// Completions for a shell, on standard output
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// The manual page, on standard output
    Man,
}

/// What says by which rules.
#[derive(Debug, Group)]
pub(super) struct ByRules {
    /// A rules file, or a pack by name
    #[arg(short, long, value_name = "FILE|PACK", env = "LOGSCRUB_RULES", hide_env_values = true)]
    pub(super) rules: Option<String>,
    /// How records are read: auto, text, json, access, csv … [default: what the rules say, else auto]
    #[arg(short, long, value_name = "FORMAT")]
    pub(super) format: Option<String>,
    /// The keyring: a file, `credential:NAME` of systemd, or `fd:NUMBER` [default: what the rules say]
    #[arg(long, value_name = "FILE")]
    pub(super) keyring: Option<PathBuf>,
    #[arg(skip)]
    pub(super) opened: Opened,
    /// The time to take for now, as in 2026-01-31T00:00:00Z
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(super) now: Option<Timestamp>,
    /// What the input is, for rules by source
    #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
    pub(super) label: Vec<(String, String)>,
}

#[derive(Debug, Group)]
pub(super) struct Filter {
    /// Files to scrub, compressed ones too; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) by: ByRules,
    /// Write a file, as a whole at the end; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Threads that scrub, at most [default: one a core]
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) threads: Option<u16>,
    #[command(flatten)]
    pub(super) reading: Reading,
    /// End with code 1 if a record was withheld
    #[arg(long)]
    pub(super) strict: bool,
    /// Show what was done as a table on standard error at the end
    #[arg(long)]
    pub(super) stats: bool,
    /// Write what was done as JSON; it holds no values
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
    /// No closing line, and no warnings
    #[arg(short, long)]
    pub(super) quiet: bool,
    /// Whether to colour
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(super) color: Color,
}

/// How inputs are read.
#[derive(Debug, Group)]
pub(super) struct Reading {
    /// Longest record that is judged in one piece, as in 1MiB
    #[arg(long, value_name = "BYTES", default_value = "1MiB", value_parser = bytes)]
    pub(super) max_record: usize,
    /// How long pipes are drained after SIGTERM or SIGINT, as in 10s
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub(super) grace: Duration,
}

#[derive(Debug, Group)]
pub(super) struct Scan {
    /// Files and directories to search, compressed files and archives too; `-` or none is standard input
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) by: ByRules,
    /// Only findings of these kinds or groups
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub(super) kind: Vec<String>,
    /// Every detector, also those that are off by default
    #[arg(long)]
    pub(super) all: bool,
    /// Only what stands for one person: the identifiers in this file, one a line, and under --rules their pseudonyms
    #[arg(long, value_name = "FILE", conflicts_with_all = ["kind", "all"])]
    pub(super) erase: Option<PathBuf>,
    /// One JSON object a finding
    #[arg(long)]
    pub(super) json: bool,
    /// Show the values that were found
    #[arg(long)]
    pub(super) show_values: bool,
    #[command(flatten)]
    pub(super) reading: Reading,
    /// No counts at the end
    #[arg(short, long)]
    pub(super) quiet: bool,
    /// Whether to colour
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(super) color: Color,
}

#[derive(Debug, Group)]
pub(super) struct Archive {
    /// Files and directories
    #[arg(value_name = "PATH", required = true)]
    pub(super) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) by: ByRules,
    /// Only count what would be done: by kind, rule and year
    #[arg(short = 'n', long)]
    pub(super) dry_run: bool,
    /// Remove what stands for one person, and nothing else: their identifiers, one a line in a file, `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "into")]
    pub(super) erase: Option<PathBuf>,
    /// Write new files into this directory, as they lie under PATH, and leave the old ones alone
    #[arg(long, value_name = "DIR", conflicts_with = "dry_run")]
    pub(super) into: Option<PathBuf>,
    /// What becomes of a file with several names, if all of them lie under PATH
    #[arg(long, value_name = "WHAT", default_value = "refuse")]
    pub(super) hardlinks: HardLinks,
    /// Do not ask, even on a terminal
    #[arg(short, long)]
    pub(super) yes: bool,
    /// Only files that match: a pattern of the name or the path, as in *.gz or **/web/**
    #[arg(long, value_name = "GLOB")]
    pub(super) include: Vec<String>,
    /// No files that match
    #[arg(long, value_name = "GLOB")]
    pub(super) exclude: Vec<String>,
    /// Level of compression [default: that of each codec's own program]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=22))]
    pub(super) level: Option<u32>,
    /// What was done and when more is due [default: archive.journal in the state directory]
    #[arg(long, value_name = "FILE")]
    pub(super) journal: Option<PathBuf>,
    /// Look at every file, whatever earlier runs noted, and note nothing
    #[arg(long, conflicts_with = "journal")]
    pub(super) no_journal: bool,
    /// Files at once, and threads for a large one [default: one a core]
    #[arg(short = 'j', long, value_name = "N", visible_alias = "threads", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) jobs: Option<u16>,
    /// Let all other programs go first
    #[arg(long)]
    pub(super) nice: bool,
    /// Longest record that is judged in one piece, as in 1MiB
    #[arg(long, value_name = "BYTES", default_value = "1MiB", value_parser = bytes)]
    pub(super) max_record: usize,
    /// How many times its length a compressed file may decode to
    #[arg(long, value_name = "N", default_value = "1000", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) max_ratio: u64,
    /// Bytes that a compressed file may decode to, as in 64GiB
    #[arg(long, value_name = "BYTES", default_value = "1TiB", value_parser = size)]
    pub(super) max_size: u64,
    /// Write what was done with each file as JSON; it holds no values
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
    /// No closing line, and no line for each file
    #[arg(short, long)]
    pub(super) quiet: bool,
}

/// What becomes of files with several names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum HardLinks {
    /// It is left out
    Refuse,
    /// All of its names get the new file
    RewriteAll,
}

#[derive(Debug, Group)]
pub(super) struct Report {
    #[command(subcommand)]
    pub(super) command: ReportCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum ReportCommand {
    /// What was done, in numbers
    Show {
        /// The report
        #[arg(value_name = "FILE")]
        report: PathBuf,
    },
    /// Whether the files are still those that were left
    Verify {
        /// The report
        #[arg(value_name = "FILE")]
        report: PathBuf,
    },
}

#[derive(Debug, Group)]
pub(super) struct Explain {
    #[command(flatten)]
    pub(super) by: ByRules,
    /// Show the values that were found
    #[arg(long)]
    pub(super) show_values: bool,
}

#[derive(Debug, Group)]
pub(super) struct Rules {
    #[command(subcommand)]
    pub(super) command: RulesCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum RulesCommand {
    /// The packs and the detectors
    List,
    /// A policy as it resolves
    Show {
        /// A rules file, or a pack by name
        #[arg(value_name = "FILE|PACK", default_value = "default")]
        rules: String,
        /// As one rules file, with everything that it extends in place (of lists only their digests)
        #[arg(long, conflicts_with = "at")]
        toml: bool,
        /// What is left of records of each age at that date or time, or now
        #[arg(long, value_name = "DATE", value_parser = moment_or_now)]
        at: Option<Timestamp>,
    },
    /// Faults and doubtful places of rules files
    Check {
        /// Rules files, or packs by name
        #[arg(value_name = "FILE|PACK", required = true)]
        rules: Vec<String>,
    },
    /// Run the tests written in rules files
    Test {
        /// Rules files, or packs by name
        #[arg(value_name = "FILE|PACK", required = true)]
        rules: Vec<String>,
    },
}

#[derive(Debug, Group)]
pub(super) struct Key {
    #[command(subcommand)]
    pub(super) command: KeyCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Make a keyring: one key for ever or, with --every, one key a period
    New(KeyNew),
    /// Which key serves when; no secrets
    List(KeyList),
    /// Add keys, so that there are some ahead of time
    Roll(KeyRoll),
    /// Destroy keys: nobody can test their pseudonyms against values any more, once all copies are gone
    Forget(KeyForget),
}

#[derive(Debug, Group)]
pub(super) struct KeyNew {
    /// The file to make; it must not be there
    #[arg(long, value_name = "FILE")]
    pub(super) keyring: PathBuf,
    /// Length of a period, as in 30d, 4w, 1mo, 1y
    #[arg(long, value_name = "AGE", value_parser = Age::parse)]
    pub(super) every: Option<Age>,
    /// First moment of the first period [default: the day of now]
    #[arg(long, value_name = "DATE", value_parser = moment, requires = "every")]
    pub(super) from: Option<Timestamp>,
    /// Number of periods [default: as many as reach a year ahead]
    #[arg(long, value_name = "N", requires = "every", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(super) count: Option<u16>,
    /// As many periods as reach so far
    #[arg(long, value_name = "DATE", value_parser = moment, requires = "every", conflicts_with = "count")]
    pub(super) until: Option<Timestamp>,
    /// One key for ever too, for `hash` with scope = "forever"
    #[arg(long)]
    pub(super) forever: bool,
    #[command(flatten)]
    pub(super) at: At,
}

#[derive(Debug, Group)]
pub(super) struct KeyList {
    /// The keyring: a file, `credential:NAME` of systemd, or `fd:NUMBER`
    #[arg(long, value_name = "FILE")]
    pub(super) keyring: PathBuf,
    /// One line that is equal on two hosts if their keyrings are
    #[arg(long)]
    pub(super) fingerprint: bool,
    #[command(flatten)]
    pub(super) at: At,
}

#[derive(Debug, Group)]
pub(super) struct KeyRoll {
    /// The keyring
    #[arg(long, value_name = "FILE")]
    pub(super) keyring: PathBuf,
    /// How far ahead of now there shall be keys
    #[arg(long, value_name = "AGE", default_value = "1y", value_parser = Age::parse)]
    pub(super) ahead: Age,
    /// Only a key for `hash` with scope = "forever", if there is none
    #[arg(long, conflicts_with = "ahead")]
    pub(super) forever: bool,
    #[command(flatten)]
    pub(super) at: At,
}

#[derive(Debug, Group)]
#[command(group = clap::ArgGroup::new("which").required(true))]
pub(super) struct KeyForget {
    /// The keyring
    #[arg(long, value_name = "FILE")]
    pub(super) keyring: PathBuf,
    /// Keys of periods that ended until then
    #[arg(long, value_name = "DATE", value_parser = moment, group = "which")]
    pub(super) before: Option<Timestamp>,
    /// Keys of periods that ended as long ago as --after or the rules say
    #[arg(long, group = "which", requires = "how_long")]
    pub(super) due: bool,
    /// The key for `hash` with scope = "forever"
    #[arg(long, group = "which")]
    pub(super) forever: bool,
    /// The rules whose `[pseudonyms] forget_after` says when a key is due
    #[arg(short, long, value_name = "FILE|PACK", requires = "due", group = "how_long")]
    pub(super) rules: Option<String>,
    /// How long after its period a key is due, as in 30d, 4w, 1mo, 1y
    #[arg(long, value_name = "AGE", value_parser = Age::parse, requires = "due", group = "how_long")]
    pub(super) after: Option<Age>,
    /// Only say what would go
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) at: At,
}

/// What is now.
#[derive(Debug, Group)]
pub(super) struct At {
    /// The time to take for now, as in 2026-01-31T00:00:00Z
    #[arg(long, value_name = "TIME", value_parser = moment)]
    now: Option<Timestamp>,
}

impl At {
    pub(super) fn now(&self) -> Timestamp {
        self.now.unwrap_or_else(Timestamp::now)
    }
}

#[derive(Debug, Group)]
pub(super) struct Pseudonym {
    /// What the values are: email, ipv4, or what the rules say with `as`
    #[arg(long = "as", value_name = "KIND")]
    pub(super) kind: String,
    /// The keyring
    #[arg(long, value_name = "FILE")]
    pub(super) keyring: PathBuf,
    /// One JSON object a pseudonym
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Group)]
pub(super) struct Reveal {
    /// The keyring
    #[arg(long, value_name = "FILE")]
    pub(super) keyring: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

/// `2026-01-31`, which is its first moment in UTC, or a time.
fn moment(text: &str) -> Result<Timestamp, &'static str> {
    let midnight = |day: jiff::civil::Date| jiff::tz::TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0));
    let date = || text.parse().and_then(midnight);
    let is_date = text.len() == 10;
    let moment = if is_date { date() } else { text.parse() };
    moment.map_err(|_| "a date is written as in 2026-01-31, a time as in 2026-01-31T00:00:00Z")
}

/// The same, or `now`.
fn moment_or_now(text: &str) -> Result<Timestamp, &'static str> {
    if text == "now" { Ok(Timestamp::now()) } else { moment(text) }
}

/// `namespace=payments`.
fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("a label is written as in namespace=payments".to_owned()),
    }
}

/// `1048576`, `64K`, `1MiB`: powers of 1024, as much as a record may have.
fn bytes(text: &str) -> Result<usize, String> {
    let bytes = size(text)?;
    let bytes = usize::try_from(bytes).ok().filter(|bytes| (4096..=1 << 30).contains(bytes));
    bytes.ok_or_else(|| "it must lie between 4K and 1GiB".to_owned())
}

/// The same, of any size.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let shift = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err("a number of bytes is written as in 65536, 64K or 1MiB".to_owned()),
    };
    let number: u64 = digits.parse().map_err(|_| "it does not begin with a whole number".to_owned())?;
    let bytes = number.checked_shl(shift).filter(|bytes| bytes >> shift == number);
    bytes.ok_or_else(|| "it is too large".to_owned())
}

/// `10s`, `500ms`, `2m`.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "ms" => 1,
        "s" | "" => 1000,
        "m" | "min" => 60_000,
        _ => return Err("a time is written as in 10s, 500ms or 2m".to_owned()),
    };
    let number: u64 = digits.parse().map_err(|_| "it does not begin with a whole number".to_owned())?;
    number.checked_mul(unit).map(Duration::from_millis).ok_or_else(|| "it is too long".to_owned())
}
