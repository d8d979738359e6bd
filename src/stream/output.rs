//! [`Output`]: standard output, or a file that is either the old one or the new one.

use std::fs::{File, Metadata, Permissions};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::Mode;
use rustix::io::Errno;
use tempfile::NamedTempFile;

use super::input::Place;
use super::sys;

/// Where the output goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Descriptor 1.
    Stdout,
    /// A file, replaced as a whole at the end; a FIFO or device, written to as it is.
    Path(PathBuf),
}

impl Target {
    /// The input that is the same regular file as this target: it would be read while it is written, or
    /// replaced by what was read from it.
    pub fn input_that_is_output<'p>(&self, inputs: &'p [Place]) -> Option<&'p Place> {
        let own = identity(&self.metadata().ok()?)?;
        inputs.iter().find(|input| input.metadata().ok().as_ref().and_then(identity) == Some(own))
    }

    fn metadata(&self) -> io::Result<Metadata> {
        match self {
            Target::Path(path) if !is_stdout(path) => path.metadata(),
            _ => stdout_file()?.metadata(),
        }
    }
}

/// Device and inode of a regular file.
fn identity(metadata: &Metadata) -> Option<(u64, u64)> {
    metadata.is_file().then(|| (metadata.dev(), metadata.ino()))
}

/// Names of descriptor 1; behind them may be a regular file, which is not to be replaced.
fn is_stdout(path: &Path) -> bool {
    ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name))
}

fn stdout_file() -> io::Result<File> {
    if sys::closed_at_start(1) {
        return Err(Errno::BADF.into());
    }
    Ok(File::from(rustix::io::dup(rustix::stdio::stdout())?))
}

/// An open output. Nothing is buffered: what [`write`](Write::write) took has been given to the system.
///
/// Dropped without [`commit`](Output::commit), a file that was to be replaced is untouched.
#[derive(Debug)]
pub struct Output {
    to: To,
}

#[derive(Debug)]
enum To {
    Descriptor(File),
    Replacement(Replacement),
}

#[derive(Debug)]
struct Replacement {
    /// Mode 0600 until it is complete: half an output must not be readable by more than the whole one.
    file: NamedTempFile,
    target: PathBuf,
    mode: u32,
}

impl Output {
    /// Opens the output.
    ///
    /// # Errors
    /// It is closed, a directory, or may not be written.
    pub fn open(target: &Target) -> io::Result<Output> {
        let to = match target {
            Target::Path(path) if !is_stdout(path) => open_path(path)?,
            _ => To::Descriptor(stdout_file()?),
        };
        Ok(Output { to })
    }

    /// Puts a complete file in its place, durably.
    ///
    /// # Errors
    /// The target is untouched, but for a fault of the last step, the sync of the directory.
    pub fn commit(self) -> io::Result<()> {
        match self.to {
            To::Descriptor(_) => Ok(()),
            To::Replacement(replacement) => replacement.commit(),
        }
    }

    /// Where a file grows that is to be put in its place; none for what is written to as it is.
    pub fn folder(&self) -> Option<&Path> {
        match &self.to {
            To::Descriptor(_) => None,
            To::Replacement(replacement) => Some(folder(&replacement.target)),
        }
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        match &self.to {
            To::Descriptor(file) => file.as_fd(),
            To::Replacement(replacement) => replacement.file.as_fd(),
        }
    }
}

impl From<File> for Output {
    /// Writes to an open file as it is.
    fn from(file: File) -> Output {
        Output { to: To::Descriptor(file) }
    }
}

impl Write for Output {
    /// A descriptor that somebody else made non-blocking is waited for.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match rustix::io::write(self.descriptor(), bytes) {
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => wait_until_writable(self.descriptor())?,
                other => return Ok(other?),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn wait_until_writable(descriptor: BorrowedFd<'_>) -> io::Result<()> {
    let mut polled = [PollFd::from_borrowed_fd(descriptor, PollFlags::OUT)];
    match poll(&mut polled, None) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn open_path(path: &Path) -> io::Result<To> {
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() => Err(Errno::ISDIR.into()),
        // Through a symbolic link: the file it names is replaced, not the link.
        Ok(metadata) if metadata.is_file() => replacement(path.canonicalize()?, metadata.mode() & 0o777),
        Ok(_) => File::options().write(true).open(path).map(To::Descriptor),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            replacement(path.to_owned(), 0o666 & !current_umask())
        }
        Err(error) => Err(error),
    }
}

fn replacement(target: PathBuf, mode: u32) -> io::Result<To> {
    let file = tempfile::Builder::new()
        .prefix(".logscrub-")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(folder(&target))?;
    Ok(To::Replacement(Replacement { file, target, mode }))
}

impl Replacement {
    fn commit(self) -> io::Result<()> {
        let Replacement { file, target, mode } = self;
        file.as_file().set_permissions(Permissions::from_mode(mode))?;
        file.as_file().sync_all()?;
        file.persist(&target).map_err(|error| error.error)?;
        match File::open(folder(&target))?.sync_all() {
            // Some file systems cannot sync a directory, and say so in this way.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            other => other,
        }
    }
}

fn folder(target: &Path) -> &Path {
    match target.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// It can be read only by setting it. This happens before any thread starts, and the value in between is the
/// strictest.
fn current_umask() -> u32 {
    let mask = rustix::process::umask(Mode::RWXG | Mode::RWXO);
    rustix::process::umask(mask);
    mask.bits()
}
