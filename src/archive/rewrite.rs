//! One file: decoded, scrubbed, encoded, verified, put in place.
//!
//! ```text
//! old ─► checks, lease ─► pass: decode ─► scrub ─► encode ─► new ─► pass: decode, scrub: nothing may change
//!                                                             └─► owner, mode, times, fsync ─► is the old one as it was? ─► rename
//! ```

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use hmac::Mac;
use jiff::Timestamp;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use super::container::{self, About, Members, Verdict};
use super::digest::{Digest, Digested};
use super::lease::{Lease, NoLease};
use super::nature::{self, Content, Nature};
use super::replace::Replacement;
use super::tree::Folder;
use crate::action::hash::HashKey;
use crate::codec::{Encoder, Encoding};
use crate::error::reason;
use crate::stream::input::Source;
use crate::stream::{Input, Scrub, Settings, Watch, drive};
use crate::tally::Tally;
use crate::time::file_name::date_in;

/// Where there are no leases, a file that was written to so recently may be written to still.
const STILL: Duration = Duration::from_secs(60);

/// Bytes that may be decoded before a ratio says anything.
const FREE_BYTES: u64 = 64 << 20;

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
    /// The file as it is now.
    pub about: Metadata,
    /// Its date, which says how old records without a time are.
    pub date: Option<Timestamp>,
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
    let old = Old::open((folder, name), listed, matches!(to, To::Place), how.dry)?;
    let date = date_in(name.as_encoded_bytes()).or_else(|| written(&old.about));
    let nature = Nature::of(&old.file).map_err(|cause| Skip::input(&cause))?;
    if let Content::Other(what) = nature.content {
        return Err(Skip::left_out(what));
    }
    let work = Work { folder, name, old: &old, nature, date, scrubber, how, shared, seed: seed() };
    match to {
        _ if how.dry => work.only_count(),
        To::Place => work.replace(folder, false),
        To::Folder(other) => work.replace(other, true),
    }
}

/// SHA-256 of all of a file, in hexadecimal.
///
/// # Errors
/// Those of read(2).
pub fn file_digest(file: &File) -> io::Result<String> {
    let mut digest = Sha256::new();
    each_chunk(file, |chunk| digest.update(chunk))?;
    Ok(hex(&digest.finalize()))
}

fn file_mac(file: &File, key: &HashKey) -> io::Result<String> {
    let mut mac = key.report_mac();
    each_chunk(file, |chunk| mac.update(chunk))?;
    Ok(hex(&mac.finalize().into_bytes()))
}

fn each_chunk(mut file: &File, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    file.rewind()?;
    let mut reader = BufReader::with_capacity(RAW_BYTES, file);
    loop {
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            return Ok(());
        }
        each(chunk);
        let length = chunk.len();
        reader.consume(length);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The file that is to be replaced.
struct Old {
    file: File,
    about: Metadata,
    lease: Option<Lease>,
}

impl Old {
    fn open(
        (folder, name): (&Folder, &OsStr),
        listed: &Metadata,
        in_place: bool,
        dry: bool,
    ) -> Result<Old, Skip> {
        let file = folder.read(name).map_err(|cause| match Errno::from_io_error(&cause) {
            Some(Errno::LOOP) => Skip::left_out("it has become a symbolic link"),
            _ => Skip::input(&cause),
        })?;
        let about = file.metadata().map_err(|cause| Skip::input(&cause))?;
        if !about.is_file() {
            return Err(Skip::left_out("it is no regular file any more"));
        }
        // What was decided about the one was not about the other.
        if (about.dev(), about.ino()) != (listed.dev(), listed.ino()) {
            return Err(Skip::left_out(CHANGED));
        }
        if in_place && about.nlink() > 1 {
            return Err(Skip::left_out(
                "it has a second name (a hard link), which would keep what is removed",
            ));
        }
        if !in_place || dry {
            return Ok(Old { file, about, lease: None });
        }
        let lease = match Lease::take(&file) {
            Ok(lease) => Some(lease),
            Err(NoLease::Busy) => return Err(Skip::left_out(LIVE)),
            Err(NoLease::Unsupported) if is_recent(&about) => {
                return Err(Skip::left_out("it was written to within the last minute"));
            }
            Err(NoLease::Unsupported) => None,
        };
        Ok(Old { file, about, lease })
    }

    fn is_wanted(&self) -> bool {
        self.lease.as_ref().is_some_and(Lease::is_broken)
    }

    /// Whether the file of that name is still this one, as it was.
    fn is_as_it_was(&self, folder: &Folder, name: &OsStr) -> bool {
        let Ok(now) = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) else { return false };
        let Ok(open) = self.file.metadata() else { return false };
        let was = &self.about;
        let times = |about: &Metadata| (about.mtime(), about.mtime_nsec(), about.ctime(), about.ctime_nsec());
        !self.is_wanted()
            && (now.st_dev, now.st_ino) == (was.dev(), was.ino())
            && (open.size(), open.nlink(), times(&open)) == (was.size(), was.nlink(), times(was))
    }
}

const LIVE: &str = "somebody has it open for writing";
const CHANGED: &str = "it was changed meanwhile";

fn is_recent(about: &Metadata) -> bool {
    let written = about.modified().ok().map(|at| SystemTime::now().duration_since(at));
    !matches!(written, Some(Ok(since)) if since > STILL)
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

/// What one pass over a file saw.
struct Pass {
    tally: Tally,
    members: Vec<(Vec<u8>, Cow<'static, str>)>,
    /// What was decoded.
    read: (u64, u128),
    /// What was written, before it was encoded.
    written: (u64, u128),
    /// Nothing changes.
    is_same: bool,
}

/// What went wrong in a pass.
enum Fault {
    Input(String, u64),
    Output(io::Error),
}

impl<S: Scrub + Send> Work<'_, S> {
    fn only_count(&self) -> Result<Done, Skip> {
        let pass = self.pass(&self.old.file, &mut io::sink(), None).map_err(|fault| self.skip(fault))?;
        self.done(pass, self.old.about.clone(), None)
    }

    fn replace(&self, folder: &Folder, always: bool) -> Result<Done, Skip> {
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
        if !always && !self.old.is_as_it_was(folder, self.name) {
            return Err(Skip::left_out(if self.old.is_wanted() { LIVE } else { CHANGED }));
        }
        let (about, durable) = new.put_in_place(self.name).map_err(|cause| Skip::output(&cause))?;
        done.about = about;
        done.fault = durable.err().map(|cause| format!("perhaps not on the disk: {}", reason(&cause)));
        Ok(done)
    }

    /// What was done, with digests of the file as it was and as it is.
    fn done(&self, pass: Pass, about: Metadata, now: Option<&File>) -> Result<Done, Skip> {
        let Pass { tally, members, read, is_same, .. } = pass;
        let (mut before, mut after) = (None, None);
        if let (Some(key), Some(now)) = (&self.how.digests, now) {
            let keyed = key.as_ref().map(|key| file_mac(&self.old.file, key)).transpose();
            before = keyed.map_err(|cause| Skip::input(&cause))?;
            after = Some(file_digest(now).map_err(|cause| Skip::output(&cause))?);
        }
        let (date, decoded_bytes) = (self.date, read.0);
        Ok(Done { changed: !is_same, tally, decoded_bytes, members, about, date, before, after, fault: None })
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

    /// Scrubs what a file holds. `most`: how many bytes it decodes to, if that is known.
    fn pass(&self, file: &File, out: &mut (dyn Write + Send), most: Option<u64>) -> Result<Pass, Fault> {
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
                members.scrub(&name, self.date, &mut source, &mut out).map(|()| source.digest.value())
            }
        };
        let read = read.map_err(|fault| broken.take().map_or(fault, Fault::Output))?;
        let written = out.digest.value();
        let MemberScrub { tally, notes, is_same, .. } = members;
        let is_same = is_same && (self.nature.content == Content::Zip || read == written);
        Ok(Pass { tally, members: notes, read, written, is_same })
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

const RAW_BYTES: usize = 128 << 10;

/// What a file decodes to, with a digest.
type Tap<'f> = Digested<Bounded<Box<dyn Read + Send + 'f>>>;

impl Source for &mut Tap<'_> {}

/// The bytes of a file, while they are wanted.
struct Raw<'f> {
    file: &'f File,
    old: &'f Old,
    shared: &'f Shared,
    is_counted: bool,
}

impl Read for Raw<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.shared.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("the run ends"));
        }
        if self.old.is_wanted() {
            return Err(io::Error::other(LIVE));
        }
        let read = self.file.read(into)?;
        if self.is_counted {
            self.shared.read.fetch_add(read as u64, Ordering::Relaxed);
        }
        Ok(read)
    }
}

impl Seek for Raw<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let mut file = self.file;
        file.seek(to)
    }
}

/// What went wrong with writing, which those who read and write in one pass on as if it were all the same.
#[derive(Default)]
struct Broken(Mutex<Option<io::Error>>);

impl Broken {
    fn noted<T>(&self, done: io::Result<T>) -> io::Result<T> {
        done.map_err(|cause| {
            let kind = cause.kind();
            let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert(cause);
            kind.into()
        })
    }

    fn take(&self) -> Option<io::Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Writes on, and notes what goes wrong.
struct Watched<'b, W> {
    out: W,
    broken: &'b Broken,
}

impl<W: Write> Write for Watched<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.broken.noted(self.out.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.broken.noted(self.out.flush())
    }
}

/// No more than so many bytes.
pub(super) struct Bounded<R> {
    source: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(into)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| io::Error::other(TOO_LONG))?;
        Ok(read)
    }
}

const TOO_LONG: &str = "it decodes to more than --max-ratio or --max-size allows";

/// An open file that no name leads to, on the file system on which the new file will be: nothing scrubbed leaves it. Where
/// only is counted, the directory need not be one that may be written to.
fn spool(folder: &Folder, dry: bool) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR;
    match rustix::fs::openat(folder, ".", flags, mode) {
        Ok(file) => Ok(file.into()),
        Err(Errno::NOTSUP | Errno::ISDIR) => tempfile::tempfile(),
        Err(_) if dry => tempfile::tempfile(),
        Err(cause) => Err(cause.into()),
    }
}

/// Scrubs the members of an archive; a file by itself is one.
struct MemberScrub<'w, S> {
    work: &'w Work<'w, S>,
    tally: Tally,
    notes: Vec<(Vec<u8>, Cow<'static, str>)>,
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
        name: &str,
        date: Option<Timestamp>,
        source: &mut Tap<'_>,
        out: &mut (dyn Write + Send),
    ) -> Result<(), Fault> {
        let how = self.work.how;
        let settings = Settings { threads: how.threads, max_record: how.max_record, ..Settings::default() };
        let input = Input::new(name, &mut *source).dated(date);
        let outcome = drive([Ok(input)], self.work.scrubber.clone(), out, &mut Watch::default(), &settings);
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
        }
        why_not.is_none()
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
        if let Err(fault) = self.scrub(&name, date, &mut source, &mut out) {
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
