//! `logscrub reveal`: tokens of `encrypt` back to values.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::args::Reveal;
use super::exit::Exit;
use super::load::keys;
use super::print::message;
use crate::action::encrypt::reveal;
use crate::action::keys::Keys;
use crate::stream::{Input, Output, Place, Scrub, Settings, Target, Watch, drive};
use crate::tally::Tally;

pub(super) fn run(args: &Reveal) -> Exit {
    start(args).unwrap_or_else(|exit| exit)
}

/// A line is read as a whole, for a token may stand anywhere in it.
fn start(args: &Reveal) -> Result<Exit, Exit> {
    let revealer = Revealer { keys: Arc::new(keys(&args.keyring)?), stayed: Arc::default() };
    let stayed = Arc::clone(&revealer.stayed);
    let mut output = Output::open(&Target::Stdout).map_err(|cause| Exit::of_output(&cause))?;
    let settings = Settings { max_record: usize::MAX, ..Settings::default() };
    let input = Input::open(&Place::Stdin).map(Input::told_of);
    let outcome = drive([input], revealer, &mut output, &mut Watch::default(), &settings);
    outcome.output.map_err(|cause| Exit::of_output(&cause))?;
    outcome.input_faults.iter().for_each(|fault| message(&fault.to_string()));
    match stayed.load(Ordering::Relaxed) {
        0 => {}
        1 => message("1 token stays: no key of the keyring opens it"),
        some => message(&format!("{some} tokens stay: no key of the keyring opens them")),
    }
    Ok(if outcome.input_faults.is_empty() { Exit::Done } else { Exit::Input })
}

/// What it writes is the text with values in place of tokens.
#[derive(Clone)]
struct Revealer {
    keys: Arc<Keys>,
    /// Tokens that no key opens, counted by all clones together.
    stayed: Arc<AtomicU64>,
}

impl Scrub for Revealer {
    fn scrub(&mut self, block: &[u8], out: &mut Vec<u8>) {
        self.stayed.fetch_add(reveal(&self.keys, block, out), Ordering::Relaxed);
    }

    fn scrub_piece(&mut self, piece: &[u8], _: bool, out: &mut Vec<u8>) {
        self.scrub(piece, out); // no line is too long
    }

    fn take_tally(&mut self) -> Tally {
        Tally::default()
    }
}
