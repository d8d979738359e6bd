//! One file: decoded, scrubbed, encoded, verified, put in place.
//!
//! ```text
//! old ─► checks, lease ─► pass: decode ─► scrub ─► encode ─► new ─► pass: decode, scrub: nothing may change
//!                                                             └─► owner, mode, times, fsync ─► is the old one as it was? ─► rename
//! ```

mod old;
mod pass;
mod taps;

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io::{self, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use jiff::Timestamp;

use old::{CHANGED, LIVE, Old};
use pass::{Fault, Pass};

use super::digest::{file_digest, file_mac};
use super::nature::{Content, Nature};
use super::replace::Replacement;
use super::tree::Folder;
use crate::action::hash::HashKey;
use crate::codec::{Encoder, Encoding};
use crate::error::reason;
use crate::policy::hold::Hold;
use crate::stream::Scrub;
use crate::tally::Tally;
use crate::time::file_name::date_in;

/// How files are rewritten.
#[derive(Clone, Debug)]
pub struct How {
    /// Threads for a file.
    pub threads: usize,
    /// Bytes of a record above which it is scrubbed in windows.
    pub max_record: usize,
    /// The level of compression; none: that which the codec's own program takes.
    pub level: Option<u32>,
    /// Bytes that a file may decode to.
    pub max_bytes: u64,
    /// How many times as long as a file what it decodes to may be.
    pub max_ratio: u64,
    /// Only counts.
    pub dry: bool,
    /// Digests for a report are wanted: of what was, under this key if there is one, and of what is.
    pub digests: Option<Option<HashKey>>,
}

/// What a run tells its files, and they it.
#[derive(Debug, Default)]
pub struct Shared {
    /// The run is to end: files that are not complete are given up.
    pub stop: Arc<AtomicBool>,
    /// Bytes of files that were read so far.
    pub read: AtomicU64,
}

/// What was done with a file.
#[derive(Clone, Debug)]
pub struct Done {
    /// Whether something in it changes.
    pub changed: bool,
    /// What was done in it.
    pub tally: Tally,
    /// Bytes that it decodes to.
    pub decoded_bytes: u64,
    /// Members that were left alone, and why.
    pub members: Vec<(Vec<u8>, Cow<'static, str>)>,
    /// Members that a hold keeps as they are.
    pub held: Vec<(Vec<u8>, Hold)>,
    /// The file as it is now.
    pub about: Metadata,
    /// HMAC-SHA-256 of the file as it was, in hexadecimal, if it is wanted and there is a key.
    pub before: Option<String>,
    /// SHA-256 of the file as it is, in hexadecimal, if it is wanted.
    pub after: Option<String>,
    /// Why it is not known whether the new file outlives a power failure.
    pub fault: Option<String>,
}

/// Why a file is as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Skip {
    /// It is no file that can be scrubbed, or not now.
    LeftOut(Cow<'static, str>),
    /// It cannot be read to its end. So many bytes could be decoded.
    Input(String, u64),
    /// The new one could not be made.
    Output(String),
    /// The run ends.
    Stopped,
}

impl Skip {
    fn left_out(what: &'static str) -> Skip {
        Skip::LeftOut(Cow::Borrowed(what))
    }

    fn input(cause: &io::Error) -> Skip {
        Skip::Input(reason(cause), 0)
    }

    fn output(cause: &io::Error) -> Skip {
        Skip::Output(reason(cause))
    }
}

/// Where a new file goes.
#[derive(Clone, Copy, Debug)]
pub enum To<'f> {
    /// In place of the old one.
    Place,
    /// The same, of a file that has these names as well.
    Names(&'f [(Folder, OsString)]),
    /// In this directory.
    Folder(&'f Folder),
}

/// Scrubs one file. Nobody sees anything but the old one or the new one.
///
/// # Errors
/// Why the file is as it was.
pub fn rewrite<S: Scrub + Send>(
    (folder, name): (&Folder, &OsStr),
    listed: &Metadata,
    to: To<'_>,
    scrubber: &S,
    how: &How,
    shared: &Shared,
) -> Result<Done, Skip> {
    let old = Old::open((folder, name), listed, to, how.dry)?;
    let date = date_in(name.as_encoded_bytes()).or_else(|| written(&old.about));
    let nature = Nature::of(&old.file).map_err(|cause| Skip::input(&cause))?;
    if let Content::Other(what) = nature.content {
        return Err(Skip::left_out(what));
    }
    let work = Work { folder, name, old: &old, nature, date, scrubber, how, shared, seed: seed() };
    match to {
        _ if how.dry => work.only_count(),
        To::Place => work.replace(folder, false, &[]),
        To::Names(others) => work.replace(folder, false, others),
        To::Folder(other) => work.replace(other, true, &[]),
    }
}

/// When a file was last written.
fn written(about: &Metadata) -> Option<Timestamp> {
    Timestamp::new(about.mtime(), about.mtime_nsec() as i32).ok()
}

/// Without random bytes digests are as good against accidents.
fn seed() -> u64 {
    let mut bytes = [0; 8];
    let _ = getrandom::fill(&mut bytes);
    u64::from_ne_bytes(bytes)
}

/// Scrubbing one file.
struct Work<'w, S> {
    folder: &'w Folder,
    name: &'w OsStr,
    old: &'w Old,
    nature: Nature,
    date: Option<Timestamp>,
    scrubber: &'w S,
    how: &'w How,
    shared: &'w Shared,
    seed: u64,
}

impl<S: Scrub + Send> Work<'_, S> {
    fn only_count(&self) -> Result<Done, Skip> {
        let pass = self.pass(&self.old.file, &mut io::sink(), None).map_err(|fault| self.skip(fault))?;
        self.done(pass, self.old.about.clone(), None)
    }

    fn replace(&self, folder: &Folder, always: bool, others: &[(Folder, OsString)]) -> Result<Done, Skip> {
        self.check_room(folder)?;
        let new = Replacement::create(folder).map_err(|cause| Skip::output(&cause))?;
        let first = self.encode(&new.file).map_err(|fault| self.skip(fault))?;
        if first.is_same && !always {
            return self.done(first, self.old.about.clone(), Some(&self.old.file));
        }
        self.verify(&new.file, &first)?;
        let mut done = self.done(first, self.old.about.clone(), Some(&new.file))?;
        new.take_over(&self.old.file, &self.old.about).map_err(|cause| Skip::output(&cause))?;
        new.sync().map_err(|cause| Skip::output(&cause))?;
        if self.shared.stop.load(Ordering::SeqCst) {
            return Err(Skip::Stopped);
        }
        // Nothing that takes time stands between this and the rename.
        let are_its_names = || others.iter().all(|(folder, name)| self.old.is_called(folder, name));
        let is_as_it_was = || self.old.is_as_it_was(folder, self.name) && are_its_names();
        if !always && !is_as_it_was() {
            return Err(Skip::left_out(if self.old.is_wanted() { LIVE } else { CHANGED }));
        }
        self.put_in_place(new, others, &mut done)?;
        Ok(done)
    }

    /// Gives the new file all names of the old one. From the first on there is no way back.
    fn put_in_place(
        &self,
        new: Replacement<'_>,
        others: &[(Folder, OsString)],
        done: &mut Done,
    ) -> Result<(), Skip> {
        let mut results = Vec::new();
        for (folder, name) in others {
            match new.link(folder, name) {
                Err(cause) if results.is_empty() => return Err(Skip::output(&cause)),
                result => results.push(result),
            }
        }
        match new.put_in_place(self.name) {
            Err(cause) if results.is_empty() => return Err(Skip::output(&cause)),
            Err(cause) => results.push(Err(cause)),
            Ok((about, durable)) => {
                done.about = about;
                results.push(Ok(durable));
            }
        }
        let stays = |cause| format!("one of its names is still that of the old one: {}", reason(cause));
        let is_unsure = |cause| format!("perhaps not on the disk: {}", reason(cause));
        let failed = results.iter().find_map(|result| result.as_ref().err());
        let unsure = results.iter().flatten().find_map(|durable| durable.as_ref().err());
        done.fault = failed.map(stays).or_else(|| unsure.map(is_unsure));
        Ok(())
    }

    /// What was done, with digests of the file as it was and as it is.
    fn done(&self, pass: Pass, about: Metadata, now: Option<&File>) -> Result<Done, Skip> {
        let Pass { tally, members, held, read, is_same, .. } = pass;
        let (mut before, mut after) = (None, None);
        if let (Some(key), Some(now)) = (&self.how.digests, now) {
            let keyed = key.as_ref().map(|key| file_mac(&self.old.file, key)).transpose();
            before = keyed.map_err(|cause| Skip::input(&cause))?;
            after = Some(file_digest(now).map_err(|cause| Skip::output(&cause))?);
        }
        let (changed, decoded_bytes) = (!is_same, read.0);
        Ok(Done { changed, tally, decoded_bytes, members, held, about, before, after, fault: None })
    }

    /// The new file is hardly longer than the old one: replacements are short. Better none than half of one.
    fn check_room(&self, folder: &Folder) -> Result<(), Skip> {
        const SPARE_BYTES: u64 = 1 << 20;
        let length = self.old.about.size();
        let wanted = length.saturating_add(length / 8).saturating_add(SPARE_BYTES);
        match folder.free_bytes() {
            Ok(free) if free < wanted => Err(Skip::Output("no room for the new file".to_owned())),
            _ => Ok(()),
        }
    }

    fn encode(&self, new: &File) -> Result<Pass, Fault> {
        let Some(codec) = self.nature.codec else {
            let mut out = io::BufWriter::new(new);
            let pass = self.pass(&self.old.file, &mut out, None)?;
            out.flush().map_err(Fault::Output)?;
            return Ok(pass);
        };
        let level = self.how.level.map(|level| level.clamp(*codec.levels().start(), *codec.levels().end()));
        let settings = Encoding { level, threads: self.how.threads, head: self.nature.gzip.clone() };
        let mut out: Encoder<&File> = codec.encoder(new, &settings).map_err(Fault::Output)?;
        let pass = self.pass(&self.old.file, &mut out, None)?;
        out.finish().map_err(Fault::Output)?;
        Ok(pass)
    }

    /// Reads the new file as anybody will, and scrubs it once more: it must hold what was written, and nothing that the rules
    /// remove.
    fn verify(&self, mut new: &File, first: &Pass) -> Result<(), Skip> {
        let wrong = |what: &str| Skip::Output(format!("the new file was not as it should be: {what}"));
        new.rewind().map_err(|cause| Skip::output(&cause))?;
        // Of a zip it is not known: what was written is packed already.
        let most = if self.nature.content == Content::Zip { u64::MAX } else { first.written.0 };
        let second = match self.pass(new, &mut io::sink(), Some(most)) {
            Ok(second) => second,
            Err(_) if self.is_over() => return Err(self.skip_over()),
            Err(_) => return Err(wrong("it cannot be read")),
        };
        if second.read != first.written {
            return Err(wrong("it does not hold what was written"));
        }
        if second.tally.records + first.tally.dropped != first.tally.records {
            return Err(wrong("a record is missing"));
        }
        if !second.is_same {
            return Err(wrong("the rules would change it once more"));
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.shared.stop.load(Ordering::SeqCst) || self.old.is_wanted()
    }

    fn skip_over(&self) -> Skip {
        if self.shared.stop.load(Ordering::SeqCst) { Skip::Stopped } else { Skip::left_out(LIVE) }
    }

    fn skip(&self, fault: Fault) -> Skip {
        match fault {
            _ if self.is_over() => self.skip_over(),
            Fault::Input(what, decoded) => Skip::Input(what, decoded),
            Fault::Output(cause) => Skip::output(&cause),
        }
    }
}
