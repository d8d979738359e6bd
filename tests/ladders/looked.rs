//! What `scan` is told: exactly what the filter does.

use logscrub::scrub::{Carry, Tracker};
use logscrub::stream::{Input, Scrub};
use logscrub::tally::Tally;
use logscrub::{Scrubber, stream::Settings};

use super::run_all;

/// Writes what [`Scrubber::inspect`] says would be left, and counts the records of which it says that anything would be
/// changed.
#[derive(Clone)]
struct Looker(Scrubber, Tally);

impl Scrub for Looker {
    fn scrub(&mut self, block: &[u8], out: &mut Vec<u8>) {
        let Looker(scrubber, tally) = self;
        let mut lines: Vec<Option<Vec<u8>>> =
            block.split_inclusive(|byte| *byte == b'\n').map(|line| Some(line.to_vec())).collect();
        let mut last = 0;
        scrubber.inspect(block, |number, record, judged| {
            assert!(number > last, "each once, in order");
            last = number;
            let line = &mut lines[number as usize - 1];
            let end = line.as_ref().unwrap()[record.len()..].to_vec();
            assert_eq!(line.as_ref().unwrap()[..record.len()], *record);
            assert_eq!(judged.dropped.is_some(), judged.left.is_none());
            tally.dropped += u64::from(judged.dropped.is_some());
            let is_left = judged.left.as_deref().is_some_and(|left| left == record);
            tally.changed += u64::from(!is_left || !judged.changes.is_empty());
            *line = judged.left.map(|left| [left, end].concat());
        });
        lines.into_iter().flatten().for_each(|line| out.extend(line));
    }

    fn scrub_piece(&mut self, piece: &[u8], _: bool, out: &mut Vec<u8>) {
        self.scrub(piece, out);
    }

    fn tracker(&self) -> Option<Tracker> {
        self.0.tracker()
    }

    fn go_on(&mut self, carry: &Carry) {
        self.0.go_on(carry.clone());
    }

    fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.1)
    }
}

/// What a look at an input says would be left of it, how many records would be dropped, and in how many anything would be
/// changed.
pub(crate) fn looked(scrubber: &Scrubber, input: Input<'_>, settings: &Settings) -> (String, u64, u64) {
    let looker = Looker(scrubber.clone(), Tally::default());
    let (left, tally) = run_all(looker, vec![input], settings);
    (left, tally.dropped, tally.changed)
}
