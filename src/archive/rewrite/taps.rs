//! What stands between a file and who reads or writes it: bounds, notice of what goes wrong, and of whether it is still wanted.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::Shared;
use super::old::{LIVE, Old};
use crate::archive::digest::Digested;
use crate::archive::tree::Folder;
use crate::stream::input::Source;

pub(super) const RAW_BYTES: usize = 128 << 10;

/// What a file decodes to, with a digest.
pub(super) type Tap<'f> = Digested<Bounded<Box<dyn Read + Send + 'f>>>;

impl Source for &mut Tap<'_> {}

/// The bytes of a file, while they are wanted.
pub(super) struct Raw<'f> {
    pub(super) file: &'f File,
    pub(super) old: &'f Old,
    pub(super) shared: &'f Shared,
    pub(super) is_counted: bool,
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
pub(super) struct Broken(Mutex<Option<io::Error>>);

impl Broken {
    pub(super) fn noted<T>(&self, done: io::Result<T>) -> io::Result<T> {
        done.map_err(|cause| {
            let kind = cause.kind();
            let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert(cause);
            kind.into()
        })
    }

    pub(super) fn take(&self) -> Option<io::Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Writes on, and notes what goes wrong.
pub(super) struct Watched<'b, W> {
    pub(super) out: W,
    pub(super) broken: &'b Broken,
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
    pub(super) source: R,
    pub(super) left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(into)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| io::Error::other(TOO_LONG))?;
        Ok(read)
    }
}

pub(super) const TOO_LONG: &str = "it decodes to more than --max-ratio or --max-size allows";

/// An open file that no name leads to, on the file system on which the new file will be: nothing scrubbed leaves it. Where
/// only is counted, the directory need not be one that may be written to.
pub(super) fn spool(folder: &Folder, dry: bool) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR;
    match rustix::fs::openat(folder, ".", flags, mode) {
        Ok(file) => Ok(file.into()),
        Err(Errno::NOTSUP | Errno::ISDIR) => tempfile::tempfile(),
        Err(_) if dry => tempfile::tempfile(),
        Err(cause) => Err(cause.into()),
    }
}
