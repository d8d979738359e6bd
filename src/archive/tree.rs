//! The files under what was named: listed by path, opened through directories that nobody can exchange meanwhile.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::replace;
use crate::error::reason;
use crate::policy::glob::Glob;

/// Folders of version control: what is in them is no log, and breaks if it is changed.
const VERSION_CONTROL: [&str; 5] = [".git", ".hg", ".svn", ".bzr", "CVS"];

/// A file to look at.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Which of the roots it lies under.
    pub root: usize,
    /// Where it lies under the root; empty if the root is the file.
    pub relative: PathBuf,
    /// Where it lies.
    pub path: PathBuf,
    /// What was known of it when it was listed.
    pub about: Metadata,
}

/// What a walk met that is no file to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// It holds no log itself: a symbolic link, a FIFO, a device, a socket.
    NoFile(PathBuf, &'static str),
    /// It is not scrubbed, though it may hold logs.
    LeftOut(PathBuf, &'static str),
    /// It could not be listed.
    Unreadable(PathBuf, String),
}

/// What was named: a file, or a directory with all that is under it.
#[derive(Clone, Debug)]
pub struct Root {
    /// Without links on the way.
    pub path: PathBuf,
    is_folder: bool,
    device: u64,
}

impl Root {
    /// The root of that name. A symbolic link that is named is followed, those under it are not.
    ///
    /// # Errors
    /// There is none, or it is neither a file nor a directory.
    pub fn open(path: &Path) -> io::Result<Root> {
        let path = path.canonicalize()?;
        let about = path.symlink_metadata()?;
        if !about.is_file() && !about.is_dir() {
            return Err(io::Error::other("neither a file nor a directory"));
        }
        Ok(Root { path, is_folder: about.is_dir(), device: about.dev() })
    }

    /// Removes what an earlier run that was killed left beside a file.
    fn clean_beside(&self) {
        let Some(parent) = self.path.parent() else { return };
        let (Ok(folder), Ok(listed)) = (Folder::open(parent), parent.read_dir()) else { return };
        let names = listed.filter_map(|found| found.ok().map(|found| found.file_name()));
        names
            .filter(|name| replace::is_leftover(name))
            .for_each(|name| replace::remove_leftover(&folder, &name));
    }

    /// The directory of an entry, and its name in it. No part of the way may be a symbolic link by now.
    ///
    /// # Errors
    /// The way is not as it was.
    pub fn folder_of(&self, entry: &Entry) -> io::Result<(Folder, OsString)> {
        let whole = || io::Error::other("it has no name");
        if !self.is_folder {
            let parent = self.path.parent().ok_or_else(whole)?;
            return Ok((Folder::open(parent)?, self.path.file_name().ok_or_else(whole)?.to_owned()));
        }
        let mut folder = Folder::open(&self.path)?;
        let parent = entry.relative.parent().unwrap_or(Path::new(""));
        for part in parent.components() {
            let Component::Normal(name) = part else { return Err(whole()) };
            folder = folder.inner(name)?;
        }
        if folder.device != self.device {
            return Err(io::Error::other("it lies on another file system"));
        }
        Ok((folder, entry.relative.file_name().ok_or_else(whole)?.to_owned()))
    }
}

/// An open directory.
#[derive(Debug)]
pub struct Folder {
    descriptor: OwnedFd,
    device: u64,
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl Folder {
    const FLAGS: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW);

    /// The directory of that path, of which the last part may not be a symbolic link.
    ///
    /// # Errors
    /// Those of openat(2).
    pub fn open(path: &Path) -> io::Result<Folder> {
        Folder::of(rustix::fs::open(path, Folder::FLAGS, Mode::empty())?)
    }

    fn inner(&self, name: &OsStr) -> io::Result<Folder> {
        Folder::of(rustix::fs::openat(self, name, Folder::FLAGS, Mode::empty())?)
    }

    /// The same, made if it is not there.
    ///
    /// # Errors
    /// Those of mkdirat(2) and openat(2).
    pub fn make(&self, name: &OsStr) -> io::Result<Folder> {
        match rustix::fs::mkdirat(self, name, Mode::RWXU) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => self.inner(name),
            Err(cause) => Err(cause.into()),
        }
    }

    fn of(descriptor: OwnedFd) -> io::Result<Folder> {
        let device = rustix::fs::fstat(&descriptor)?.st_dev;
        Ok(Folder { descriptor, device })
    }

    /// Opens a file in it to read. What is no regular file is not waited for.
    ///
    /// # Errors
    /// Those of openat(2); it is a symbolic link.
    pub fn read(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        Ok(File::from(rustix::fs::openat(self, name, flags, Mode::empty())?))
    }

    /// Writes what was done in it to the disk.
    ///
    /// # Errors
    /// Those of fsync(2).
    pub fn sync(&self) -> io::Result<()> {
        match rustix::fs::fsync(self) {
            // Some file systems cannot sync a directory, and say so in this way.
            Ok(()) | Err(rustix::io::Errno::INVAL) => Ok(()),
            Err(cause) => Err(cause.into()),
        }
    }

    /// Bytes that may be written on its file system.
    ///
    /// # Errors
    /// Those of fstatvfs(2).
    pub fn free_bytes(&self) -> io::Result<u64> {
        let about = rustix::fs::fstatvfs(self)?;
        Ok(about.f_bavail.saturating_mul(about.f_frsize))
    }
}

/// Which files are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Patterns of which one must match, if there are any.
    pub include: Vec<Glob>,
    /// Patterns of which none may match.
    pub exclude: Vec<Glob>,
}

impl Wanted {
    fn takes(&self, entry: &Entry) -> bool {
        let is_of = |glob: &Glob| {
            let name = entry.path.file_name().unwrap_or_default();
            let texts = [name, entry.relative.as_os_str(), entry.path.as_os_str()];
            texts.iter().any(|text| glob.matches(text.as_encoded_bytes()))
        };
        (self.include.is_empty() || self.include.iter().any(is_of)) && !self.exclude.iter().any(is_of)
    }
}

/// All files under the roots, each once, in the order of their names, and what else was met. What an earlier run that was
/// killed left behind is removed, if `cleans`.
pub fn walk(roots: &[Root], wanted: &Wanted, cleans: bool, notes: &mut Vec<Note>) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (number, root) in roots.iter().enumerate() {
        let is_inside_other = |other: &Root| root.path != other.path && root.path.starts_with(&other.path);
        let is_again = roots[..number].iter().any(|other| other.path == root.path);
        if is_again || roots.iter().any(is_inside_other) {
            continue;
        }
        if cleans && !root.is_folder {
            root.clean_beside();
        }
        let mut walk =
            walkdir::WalkDir::new(&root.path).same_file_system(true).sort_by_file_name().into_iter();
        while let Some(found) = walk.next() {
            match found {
                Ok(found) if is_version_control(&found) => {
                    notes.push(Note::LeftOut(found.path().to_owned(), "version control"));
                    walk.skip_current_dir();
                }
                Ok(found) => {
                    if let Some(entry) = listed(number, root, &found, notes) {
                        if replace::is_leftover(found.file_name()) {
                            remove_leftover(root, &entry, cleans);
                        } else if wanted.takes(&entry) {
                            entries.push(entry);
                        }
                    }
                }
                Err(fault) => {
                    let path = fault.path().unwrap_or(&root.path).to_owned();
                    let what = fault.io_error().map_or_else(|| "cannot be listed".to_owned(), reason);
                    notes.push(Note::Unreadable(path, what));
                }
            }
        }
    }
    entries
}

fn is_version_control(found: &walkdir::DirEntry) -> bool {
    found.file_type().is_dir()
        && found.depth() > 0
        && VERSION_CONTROL.iter().any(|name| found.file_name() == OsStr::new(name))
}

/// The file, or a note on why it is none.
fn listed(number: usize, root: &Root, found: &walkdir::DirEntry, notes: &mut Vec<Note>) -> Option<Entry> {
    let path = found.path().to_owned();
    let kind = found.file_type();
    if kind.is_dir() {
        let is_elsewhere = found.metadata().is_ok_and(|about| about.dev() != root.device);
        is_elsewhere.then(|| notes.push(Note::LeftOut(path, "on another file system")));
        return None;
    }
    if !kind.is_file() {
        let what = match () {
            () if kind.is_symlink() => "symbolic link",
            () if kind.is_fifo() => "FIFO",
            () if kind.is_socket() => "socket",
            () => "device",
        };
        notes.push(Note::NoFile(path, what));
        return None;
    }
    match found.metadata() {
        Ok(about) => {
            let relative = path.strip_prefix(&root.path).unwrap_or(Path::new("")).to_owned();
            Some(Entry { root: number, relative, path, about })
        }
        Err(fault) => {
            let what = fault.io_error().map_or_else(|| "cannot be looked at".to_owned(), reason);
            notes.push(Note::Unreadable(path, what));
            None
        }
    }
}

fn remove_leftover(root: &Root, entry: &Entry, cleans: bool) {
    if cleans && let Ok((folder, name)) = root.folder_of(entry) {
        replace::remove_leftover(&folder, &name);
    }
}
