//! One pass over a file: decoded, scrubbed, and written or only counted.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};

use jiff::Timestamp;

use super::Work;
use super::taps::{Bounded, Broken, RAW_BYTES, Raw, Tap, Watched, spool};
use crate::archive::container::{self, About, Members, Verdict};
use crate::archive::digest::{Digest, Digested};
use crate::archive::nature::{self, Content};
use crate::error::reason;
use crate::policy::hold::Hold;
use crate::stream::{Input, Scrub, Settings, Watch, drive};
use crate::tally::Tally;
use crate::time::file_name::date_in;

/// Bytes that may be decoded before a ratio says anything.
const FREE_BYTES: u64 = 64 << 20;

/// What one pass over a file saw.
pub(super) struct Pass {
    pub(super) tally: Tally,
    pub(super) members: Vec<(Vec<u8>, Cow<'static, str>)>,
    pub(super) held: Vec<(Vec<u8>, Hold)>,
    /// What was decoded.
    pub(super) read: (u64, u128),
    /// What was written, before it was encoded.
    pub(super) written: (u64, u128),
    /// Nothing changes.
    pub(super) is_same: bool,
}

/// What went wrong in a pass.
pub(super) enum Fault {
    Input(String, u64),
    Output(io::Error),
}

impl<S: Scrub + Send> Work<'_, S> {
    /// Scrubs what a file holds. `most`: how many bytes it decodes to, if that is known.
    pub(super) fn pass(
        &self,
        file: &File,
        out: &mut (dyn Write + Send),
        most: Option<u64>,
    ) -> Result<Pass, Fault> {
        let broken = Broken::default();
        let out = Watched { out, broken: &broken };
        let mut out = Digested { inner: out, digest: Digest::new(self.seed) };
        let most =
            most.map_or_else(|| self.most(file), Ok).map_err(|cause| Fault::Input(reason(&cause), 0))?;
        let mut source = self.tap(file, most).map_err(|cause| Fault::Input(reason(&cause), 0))?;
        let mut members = MemberScrub::new(self, most);
        let spool = || broken.noted(spool(self.folder, self.how.dry));
        let read = match self.nature.content {
            Content::Zip => self.zip(file, source, &mut out, &spool, &mut members),
            Content::Tar => container::rewrite_tar(&mut source, &mut out, &spool, &mut members)
                .map_err(|cause| members.fault(&cause, source.digest.bytes))
                .map(|()| source.digest.value()),
            _ => {
                let name = self.name.to_string_lossy();
                let scrubber = self.scrubber.clone();
                members
                    .scrub(scrubber, &name, self.date, &mut source, &mut out)
                    .map(|()| source.digest.value())
            }
        };
        let read = read.map_err(|fault| broken.take().map_or(fault, Fault::Output))?;
        let written = out.digest.value();
        let MemberScrub { tally, notes, held, is_same, .. } = members;
        let is_same = is_same && (self.nature.content == Content::Zip || read == written);
        Ok(Pass { tally, members: notes, held, read, written, is_same })
    }

    /// A zip is read here and there, so that its digest is of the bytes as they lie in it.
    fn zip(
        &self,
        file: &File,
        mut whole: Tap<'_>,
        out: &mut (dyn Write + Send),
        spool: container::NewFile<'_>,
        members: &mut MemberScrub<'_, S>,
    ) -> Result<(u64, u128), Fault> {
        io::copy(&mut whole, &mut io::sink()).map_err(|cause| members.fault(&cause, 0))?;
        let digest = whole.digest.value();
        let mut raw = Raw { is_counted: false, ..self.raw(file) };
        let level = self.how.level.map(|level| level.min(9));
        container::rewrite_zip(&mut raw, out, spool, members, level)
            .map_err(|cause| members.fault(&cause, 0))?;
        Ok(digest)
    }

    /// How many bytes a file may decode to.
    fn most(&self, file: &File) -> io::Result<u64> {
        let length = file.metadata()?.len();
        let by_ratio = length.saturating_mul(self.how.max_ratio).max(FREE_BYTES);
        let is_packed = self.nature.codec.is_some() || self.nature.content == Content::Zip;
        Ok(if is_packed { self.how.max_bytes.min(by_ratio) } else { u64::MAX })
    }

    fn raw<'f>(&'f self, file: &'f File) -> Raw<'f> {
        let is_counted = std::ptr::eq(file, &self.old.file);
        Raw { file, old: self.old, shared: self.shared, is_counted }
    }

    /// Reads what a file decodes to.
    fn tap<'f>(&'f self, mut file: &'f File, most: u64) -> io::Result<Tap<'f>> {
        file.rewind()?;
        let raw = self.raw(file);
        let source: Box<dyn Read + Send + 'f> = match self.nature.codec {
            Some(codec) => Box::new(codec.decoder(BufReader::with_capacity(RAW_BYTES, raw))?),
            None => Box::new(raw),
        };
        Ok(Digested { inner: Bounded { source, left: most }, digest: Digest::new(self.seed) })
    }
}

/// Scrubs the members of an archive; a file by itself is one.
struct MemberScrub<'w, S> {
    work: &'w Work<'w, S>,
    tally: Tally,
    notes: Vec<(Vec<u8>, Cow<'static, str>)>,
    held: Vec<(Vec<u8>, Hold)>,
    is_same: bool,
    /// Bytes that members may have in all.
    left: u64,
    /// The first fault of a member, which the archive only passes on.
    fault: Option<Fault>,
}

impl<'w, S: Scrub + Send> MemberScrub<'w, S> {
    fn new(work: &'w Work<'w, S>, most: u64) -> MemberScrub<'w, S> {
        MemberScrub {
            work,
            tally: Tally::default(),
            notes: Vec::new(),
            held: Vec::new(),
            is_same: true,
            left: most,
            fault: None,
        }
    }

    /// The fault of an archive, or of the member that it comes from.
    fn fault(&mut self, cause: &io::Error, decoded: u64) -> Fault {
        self.fault.take().unwrap_or_else(|| Fault::Input(reason(cause), decoded))
    }

    fn scrub(
        &mut self,
        scrubber: S,
        name: &str,
        date: Option<Timestamp>,
        source: &mut Tap<'_>,
        out: &mut (dyn Write + Send),
    ) -> Result<(), Fault> {
        let how = self.work.how;
        let settings = Settings { threads: how.threads, max_record: how.max_record, ..Settings::default() };
        let input = Input::new(name, &mut *source).dated(date);
        let outcome = drive([Ok(input)], scrubber, out, &mut Watch::default(), &settings);
        self.tally.add(&outcome.tally);
        outcome.output.map_err(Fault::Output)?;
        match outcome.input_faults.into_iter().next() {
            Some(fault) => Err(Fault::Input(fault.what, source.digest.bytes)),
            None => Ok(()),
        }
    }
}

impl<S: Scrub + Send> Members for MemberScrub<'_, S> {
    fn takes(&mut self, about: &About, head: &[u8]) -> bool {
        let why_not = nature::no_log(head);
        if let Some(why) = why_not {
            self.notes.push((about.name.clone(), Cow::Borrowed(why)));
            return false;
        }
        let hold = self.work.scrubber.for_member(&about.name).err();
        let is_free = hold.is_none();
        if let Some(hold) = hold {
            self.tally.note_due(Some(hold.until));
            self.held.push((about.name.clone(), *hold));
        }
        is_free
    }

    fn member(
        &mut self,
        about: &About,
        content: &mut (dyn Read + Send),
        out: &mut (dyn Write + Send),
    ) -> io::Result<Verdict> {
        let name = about.name.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let date = date_in(name).or(about.modified).or(self.work.date);
        let source: Box<dyn Read + Send + '_> = Box::new(content);
        let mut source =
            Digested { inner: Bounded { source, left: self.left }, digest: Digest::new(self.work.seed) };
        let mut out = Digested { inner: out, digest: Digest::new(self.work.seed) };
        let name = String::from_utf8_lossy(&about.name).into_owned();
        let scrubber = self.work.scrubber.for_member(&about.name).map_err(|_| io::ErrorKind::Unsupported)?;
        if let Err(fault) = self.scrub(scrubber, &name, date, &mut source, &mut out) {
            self.fault = Some(fault);
            return Err(io::Error::other("a member could not be scrubbed"));
        }
        self.left = self.left.saturating_sub(source.digest.bytes);
        let is_same = source.digest.value() == out.digest.value();
        self.is_same &= is_same;
        Ok(if is_same { Verdict::Kept } else { Verdict::Scrubbed })
    }

    fn left_alone(&mut self, about: &About, why: &'static str) {
        self.notes.push((about.name.clone(), Cow::Borrowed(why)));
    }
}
