//! A record on which the scrubber fails is withheld, and those behind it are judged as ever: what it says of them holds.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use logscrub::action::keys::{KeyPeriod, Keys};
use logscrub::scrub::{Carry, Tracker};
use logscrub::stream::{Scrub, ScrubWriter};
use logscrub::tally::Tally;
use logscrub::{HashKey, Policy, Scrubber};

use super::{at, stamp};

/// Fails on a word.
#[derive(Clone)]
struct Fragile(Scrubber);

impl Scrub for Fragile {
    fn scrub(&mut self, block: &[u8], out: &mut Vec<u8>) {
        self.0.scrub(block, out);
        assert!(!block.windows(5).any(|word| word == b"panic"));
    }

    fn scrub_piece(&mut self, piece: &[u8], last: bool, out: &mut Vec<u8>) {
        self.0.scrub_piece(piece, last, out);
    }

    fn tracker(&self) -> Option<Tracker> {
        self.0.tracker()
    }

    fn go_on(&mut self, carry: &Carry) {
        self.0.go_on(carry.clone());
    }

    fn skip(&mut self, record: &[u8]) {
        self.0.skip(record);
    }

    fn take_tally(&mut self) -> Tally {
        self.0.take_tally()
    }
}

const RULES: &str = "
pseudonyms.keyring = 'k.toml'
[[rule]]
find   = ['private_key']
retain = [{ until = '7d', action = 'keep' }, { action = 'redact' }]
[[rule]]
field  = ['c-ip']
retain = [{ until = '7d', action = 'keep' }, { action = 'redact' }]
[[rule]]
find   = ['email']
retain = [{ until = '7d', action = 'keep' }, { action = 'hash' }]
";

const LOGS: [&str; 3] = [
    "2025-01-01T00:00:00Z a@example.com\nof b@example.com\n2026-05-31T00:00:00Z panic\nof c@example.com\n",
    "2025-01-01T00:00:00Z a@example.com\n2026-01-01T00:00:00Z panic\nof b@example.com\n",
    "#Fields: date time c-ip panic\n2025-01-01 00:00:00 203.0.113.9 x\n2026-05-31 00:00:00 203.0.113.9 x\n",
];

fn scrubber() -> Scrubber {
    let period = |from, until, byte| {
        let key = HashKey::new(&[byte; 32]);
        KeyPeriod { from, until, id: key.id().to_owned(), key: Some(key) }
    };
    let new_year = Some(stamp(at("2026-01-01T00:00:00Z")));
    let keys = Keys::new(vec![period(None, new_year, 1), period(new_year, None, 2)], None, Vec::new());
    let policy = Policy::from_toml(RULES, "test", Some(Path::new("."))).unwrap();
    Scrubber::with_keys(Arc::new(policy), Some(keys)).at(stamp(at("2026-06-01T00:00:00Z")))
}

#[test]
fn records_behind_one_that_fails_are_of_its_time_and_columns() {
    let begin = ["-----BEGIN RSA ", "PRIVATE KEY-----"].concat();
    let key = format!("2025-01-01T00:00:00Z panic {begin}\nMIICAAAAAAAA\n-----END RSA PRIVATE KEY-----\nx\n");
    // Lines of a key with times of their own are as old as its first.
    let dated = key
        .replace("\nMIIC", "\n2026-05-31T00:00:00Z MIIC")
        .replace("\n-----END", "\n2026-05-31T00:00:00Z -----END");
    for log in LOGS.iter().copied().chain([key.as_str(), dated.as_str()]) {
        let mut whole = Vec::new();
        scrubber().scrub(log.as_bytes(), &mut whole);
        let whole = String::from_utf8(whole).unwrap();
        let line = |(line, left): (&str, &str)| match line.contains("panic") {
            true => format!("[withheld {} bytes]\n", line.len()),
            false => format!("{left}\n"),
        };
        let wanted: String = log.lines().zip(whole.lines()).map(line).collect();
        for size in [log.len(), 1] {
            let mut writer = ScrubWriter::new(Fragile(scrubber()), Vec::new());
            log.as_bytes().chunks(size).for_each(|piece| writer.write_all(piece).unwrap());
            assert_eq!(String::from_utf8(writer.finish().unwrap()).unwrap(), wanted);
        }
    }
}
