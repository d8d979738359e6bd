//! The keyring: a TOML file of random 256-bit keys, one a period.
//!
//! ```toml
//! version = 1
//! entries = 3                         # how many follow, so that a file that was cut is noticed; may be absent
//! every   = "30d"                     # length of the periods that `key roll` adds; absent if there are none
//!
//! [[forgotten]]                       # a key that was destroyed: its id still tells its pseudonyms from text
//! id        = "8ye0tm"
//! from      = "2025-12-02T00:00:00Z"
//! until     = "2026-01-01T00:00:00Z"
//! forgotten = "2027-01-02T03:04:05Z"  # when
//!
//! [[key]]
//! id     = "3f9x2q"                   # fingerprint of the secret, as it stands in pseudonyms
//! from   = "2026-01-01T00:00:00Z"     # first moment that it serves; absent: since ever
//! until  = "2026-01-31T00:00:00Z"     # first moment that it no longer serves; absent: for ever
//! secret = "…"                        # 64 hexadecimal digits
//!
//! [[key]]
//! scope  = "forever"                  # for `hash` with `scope = "forever"`, beside those of the periods
//! id     = "q0v7cd"
//! secret = "…"
//! ```
//!
//! [`mod@file`] checks and reads the file, [`parse`] what stands in it, [`change`] makes and destroys keys, [`mod@write`]
//! puts files in place.

pub mod change;
pub mod file;
pub mod parse;
pub mod write;

use std::fs::File;
use std::path::Path;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::age::Age;
use crate::error::Error;

/// Tests written in rules files run under this key, which is no secret, so that their results can be written
/// down. A keyring that holds it is refused.
pub const TEST_KEY: [u8; 32] = *b"logscrub: public key for tests  ";

/// The fingerprint of a secret, as it stands in pseudonyms: [`key_id`](crate::action::hash::key_id).
pub type IdOf = fn(&[u8; 32]) -> String;

/// Where a keyring comes from, as `--keyring` and `[pseudonyms] keyring` name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source<'p> {
    /// A file. One whose name looks like the others is written `./fd:3`.
    Path(&'p Path),
    /// `fd:3`: an open descriptor that the program was started with.
    Descriptor(&'p str),
    /// `credential:NAME`: a file of that name in the folder that systemd made for the service.
    Credential(&'p str),
}

impl<'p> Source<'p> {
    /// What the name means.
    pub fn of(name: &'p Path) -> Source<'p> {
        let text = name.to_str().unwrap_or_default();
        if let Some(number) = text.strip_prefix("fd:") {
            Source::Descriptor(number)
        } else if let Some(credential) = text.strip_prefix("credential:") {
            Source::Credential(credential)
        } else {
            Source::Path(name)
        }
    }
}

/// Whether the name of a keyring is that of a file, so that it may be relative to a folder.
pub fn is_path(name: &Path) -> bool {
    matches!(Source::of(name), Source::Path(_))
}

/// One key and the time that it serves.
pub struct Period {
    /// First moment, if there is one.
    pub from: Option<Timestamp>,
    /// First moment after, if there is one.
    pub until: Option<Timestamp>,
    /// Fingerprint of the secret.
    pub id: String,
    /// The secret; zeroed when dropped. Boxed, so that moving a period leaves no copy behind.
    pub secret: Box<Zeroizing<[u8; 32]>>,
}

impl std::fmt::Debug for Period {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Period").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What is left of a key that was destroyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// First moment that it served, if there was one.
    pub from: Option<Timestamp>,
    /// First moment after, if there was one.
    pub until: Option<Timestamp>,
    /// Whether it was the one of `scope = "forever"`, beside those of the periods.
    pub was_forever: bool,
    /// Fingerprint of the secret that was.
    pub id: String,
    /// When it was destroyed.
    pub forgotten: Timestamp,
}

/// What a keyring has for one moment.
#[derive(Debug)]
pub enum Served<'k> {
    /// The key of its period.
    Key(&'k Period),
    /// There was one.
    Forgotten(&'k Forgotten),
    /// It lies before the first period or beyond the last.
    None,
}

/// All keys of one file.
#[derive(Debug, Default)]
pub struct Keyring {
    every: Option<Age>,
    /// In the order of their times, as the next.
    periods: Vec<Period>,
    forgotten: Vec<Forgotten>,
    /// The one that says `scope = "forever"`.
    forever: Option<Period>,
}

impl Keyring {
    /// Reads a keyring file and checks it, the folders that lead to it, and every key in it.
    ///
    /// # Errors
    /// The file cannot be read, others have rights to it, or it is not a keyring. The text names the file
    /// and what to do, and holds no part of a key.
    pub fn open(path: &Path, id_of: IdOf) -> Result<Keyring, Error> {
        let read = || {
            let file = file::open(path)?;
            Keyring::without_gaps(&file::read(&file)?, id_of)
        };
        read().map_err(|what| file::fault(path, &what))
    }

    /// The same from a descriptor that the program was given. A regular file must be as private as a path must
    /// lead to; a pipe and a file without a name are taken, since nobody else can open them.
    ///
    /// # Errors
    /// As [`Keyring::open`]; `name` is what messages call it.
    pub fn from_descriptor(file: &File, name: &Path, id_of: IdOf) -> Result<Keyring, Error> {
        let read = || {
            file::check_descriptor(file)?;
            Keyring::without_gaps(&file::read(file)?, id_of)
        };
        read().map_err(|what| file::fault(name, &what))
    }

    fn without_gaps(text: &str, id_of: IdOf) -> Result<Keyring, String> {
        let keyring = parse::parse(text, id_of)?;
        keyring.check_gaps()?;
        Ok(keyring)
    }

    /// What serves records of that time.
    pub fn at(&self, moment: Timestamp) -> Served<'_> {
        let begun = self.periods.partition_point(|period| period.from.is_none_or(|from| from <= moment));
        let last = begun.checked_sub(1).and_then(|at| self.periods.get(at));
        if let Some(period) = last.filter(|period| period.until.is_none_or(|until| moment < until)) {
            return Served::Key(period);
        }
        let served = |gone: &&Forgotten| {
            !gone.was_forever
                && gone.from.is_none_or(|from| from <= moment)
                && gone.until.is_none_or(|until| moment < until)
        };
        self.forgotten.iter().find(served).map_or(Served::None, Served::Forgotten)
    }

    /// The key that serves now.
    ///
    /// # Errors
    /// There is none; the text says why and what to do.
    pub fn serving(&self, now: Timestamp) -> Result<&Period, String> {
        match self.at(now) {
            Served::Key(period) => Ok(period),
            Served::Forgotten(gone) => {
                Err(format!("no key serves now: {} was forgotten at {}", gone.id, gone.forgotten))
            }
            Served::None => Err(match self.last_end().filter(|end| *end <= now) {
                Some(end) => {
                    format!(
                        "no key serves now: the last period ended at {end}; `logscrub key roll` adds more"
                    )
                }
                None => match self.first_moment() {
                    Some(from) => format!("no key serves now: the first period begins at {from}"),
                    None => "no key serves now: it has none for periods".to_owned(),
                },
            }),
        }
    }

    /// The key for `scope = "forever"`: the one that says so, or the only one if it has no bounds.
    pub fn forever(&self) -> Option<&Period> {
        let only = self.periods.first().filter(|period| period.from.is_none() && period.until.is_none());
        self.forever.as_ref().or(only)
    }

    /// The same where it is needed.
    ///
    /// # Errors
    /// There is none; the text says what to do. `name` is what the keyring is called on the command line.
    pub fn serving_forever(&self, name: &Path) -> Result<&Period, String> {
        self.forever().ok_or_else(|| {
            let gone = self.forgotten.iter().filter(|gone| gone.was_forever).max_by_key(|gone| gone.forgotten);
            let gone = gone.map_or(String::new(), |gone| {
                format!(": {} was forgotten at {}", gone.id, gone.forgotten)
            });
            let name = name.display();
            format!(
                "it has no key for scope = \"forever\"{gone}; `logscrub key roll --forever --keyring {name}` makes one"
            )
        })
    }

    /// The keys of periods in the order of their times.
    pub fn periods(&self) -> impl Iterator<Item = &Period> {
        self.periods.iter()
    }

    /// What is left of destroyed keys.
    pub fn forgotten(&self) -> impl Iterator<Item = &Forgotten> {
        self.forgotten.iter()
    }

    /// The ids of all keys that are and were: those that pseudonyms can carry.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        let keys = self.periods.iter().chain(&self.forever).map(|period| period.id.as_str());
        keys.chain(self.forgotten.iter().map(|gone| gone.id.as_str()))
    }

    /// The length of the periods that are added, if there is one.
    pub fn every(&self) -> Option<Age> {
        self.every
    }

    /// The first moment that a key serves or served, if it is bounded.
    pub fn first_moment(&self) -> Option<Timestamp> {
        self.timeline().first().and_then(|span| span.from)
    }

    /// The first moment behind the last period, forgotten or not; `None` if it has no end or there is none.
    pub fn last_end(&self) -> Option<Timestamp> {
        self.timeline().last().and_then(|span| span.until)
    }

    /// Whether keys serve as long as the rules say: the keyring was made with the same length, or no period of
    /// it is longer.
    ///
    /// # Errors
    /// They do not; the text says what to do.
    pub fn check_every(&self, every: Age) -> Result<(), String> {
        if let Some(own) = self.every {
            return match own == every {
                true => Ok(()),
                false => Err(format!(
                    "its periods are of {own}, and the rules say every = \"{every}\": make them agree"
                )),
            };
        }
        let is_short = |period: &Period| {
            period
                .from
                .zip(period.until)
                .is_some_and(|(from, until)| every.after(from).is_none_or(|end| until <= end))
        };
        match self.periods.iter().find(|period| !is_short(period)) {
            Some(period) => Err(format!(
                "the key {} serves for longer than the {every} that the rules say: make a keyring with \
                 `logscrub key new --keyring FILE --every {every}`",
                period.id
            )),
            None => Ok(()),
        }
    }

    /// A digest of which keys serve when and which are forgotten: equal on two hosts if the keyrings are. It
    /// tells nothing of the secrets but their ids.
    pub fn fingerprint(&self) -> [u8; 32] {
        let time = |time: Option<Timestamp>| time.map_or("-".to_owned(), |time| time.to_string());
        let mut hash = Sha256::new();
        hash.update(b"logscrub keyring 1\n");
        if let Some(every) = self.every {
            hash.update(format!("every {every}\n"));
        }
        for span in self.timeline() {
            let what = if span.is_forgotten { "forgotten" } else { "key" };
            hash.update(format!("{what} {} {} {}\n", span.id, time(span.from), time(span.until)));
        }
        if let Some(period) = &self.forever {
            hash.update(format!("forever {}\n", period.id));
        }
        for gone in self.forgotten.iter().filter(|gone| gone.was_forever) {
            hash.update(format!("forgotten forever {}\n", gone.id));
        }
        hash.finalize().into()
    }

    /// The times that keys serve or served, in their order.
    fn timeline(&self) -> Vec<Span<'_>> {
        let keys = self.periods.iter().map(|period| Span {
            from: period.from,
            until: period.until,
            id: &period.id,
            is_forgotten: false,
        });
        let gone = self.forgotten.iter().filter(|gone| !gone.was_forever).map(|gone| Span {
            from: gone.from,
            until: gone.until,
            id: &gone.id,
            is_forgotten: true,
        });
        let mut spans: Vec<Span<'_>> = keys.chain(gone).collect();
        spans.sort_by_key(|span| span.from);
        spans
    }

    /// The times between the first and the last for which there is no key.
    fn gaps(&self) -> Vec<(Timestamp, Timestamp)> {
        let timeline = self.timeline();
        let between = timeline.windows(2).filter_map(|pair| pair[0].until.zip(pair[1].from));
        between.filter(|(until, from)| until < from).collect()
    }

    fn check_gaps(&self) -> Result<(), String> {
        match self.gaps().first() {
            Some((from, until)) => Err(format!(
                "no key serves from {from} until {until}: take the file of a host that has it; if none has, \
                 `logscrub key roll --keyring FILE` makes one"
            )),
            None => Ok(()),
        }
    }
}

/// When a key serves or served.
struct Span<'k> {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    id: &'k str,
    is_forgotten: bool,
}
