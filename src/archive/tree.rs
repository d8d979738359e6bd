//! The files under what was named: listed by path, opened through directories that nobody can exchange meanwhile.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::replace;
use super::walk::{self, Found, Walk};
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
    /// The same as it was named, perhaps through a link.
    pub given: PathBuf,
    /// What was known of it when it was listed.
    pub about: Metadata,
    /// Its other names (hard links), if these are all.
    pub links: Vec<Entry>,
}

impl Entry {
    fn of(root: usize, place: Place<'_>, about: &Metadata) -> Entry {
        let (relative, path) = (place.relative.to_owned(), place.path.to_owned());
        Entry { root, relative, path, given: place.given, about: about.clone(), links: Vec::new() }
    }

    /// Where it lies in a mirror of its root.
    pub fn target(&self) -> &Path {
        let name = || self.path.file_name().map_or(Path::new(""), Path::new);
        if self.relative.as_os_str().is_empty() { name() } else { &self.relative }
    }
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
    /// As it was named.
    given: PathBuf,
    is_folder: bool,
    device: u64,
    /// The directory from which all is opened: the root, or that in which it lies. Another one in its place is another.
    inode: u64,
}

impl Root {
    /// The root of that name. A symbolic link that is named is followed, those under it are not.
    ///
    /// # Errors
    /// There is none, or it is neither a file nor a directory.
    pub fn open(path: &Path) -> io::Result<Root> {
        let given = std::path::absolute(path)?;
        let path = path.canonicalize()?;
        let about = path.symlink_metadata()?;
        if !about.is_file() && !about.is_dir() {
            return Err(io::Error::other("neither a file nor a directory"));
        }
        let is_folder = about.is_dir();
        let folder = if is_folder { Some(path.as_path()) } else { path.parent() };
        let folder =
            folder.map(Folder::open).transpose()?.ok_or_else(|| io::Error::other("it has no name"))?;
        Ok(Root { given, is_folder, device: folder.device, inode: folder.inode, path })
    }

    /// Opens the directory from which all is opened.
    fn start(&self, path: &Path) -> io::Result<Folder> {
        let folder = Folder::open(path)?;
        match (folder.device, folder.inode) == (self.device, self.inode) {
            true => Ok(folder),
            false => Err(io::Error::other("another directory has taken its place")),
        }
    }

    /// Removes what an earlier run that was killed left beside a file.
    fn clean_beside(&self) {
        let Some(parent) = self.path.parent() else { return };
        let Ok(folder) = Folder::open(parent) else { return };
        let Ok(copy) = folder.descriptor.try_clone() else { return };
        let (names, _) = walk::names(copy);
        names
            .into_iter()
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
            return Ok((self.start(parent)?, self.path.file_name().ok_or_else(whole)?.to_owned()));
        }
        let mut folder = self.start(&self.path)?;
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
    inode: u64,
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
        let about = rustix::fs::fstat(&descriptor)?;
        Ok(Folder { descriptor, device: about.st_dev, inode: about.st_ino })
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
    fn takes(&self, place: &Place<'_>) -> bool {
        let is_of = |glob: &Glob| {
            let name = place.path.file_name().unwrap_or_default();
            let texts = [name, place.relative.as_os_str(), place.path.as_os_str(), place.given.as_os_str()];
            texts.iter().any(|text| glob.matches(text.as_encoded_bytes()))
        };
        (self.include.is_empty() || self.include.iter().any(is_of)) && !self.exclude.iter().any(is_of)
    }
}

/// The names of something under a root.
struct Place<'p> {
    path: &'p Path,
    relative: &'p Path,
    given: PathBuf,
}

impl<'p> Place<'p> {
    fn of(root: &Root, path: &'p Path) -> Place<'p> {
        let relative = path.strip_prefix(&root.path).unwrap_or(Path::new(""));
        let is_root = relative.as_os_str().is_empty();
        Place { path, relative, given: if is_root { root.given.clone() } else { root.given.join(relative) } }
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
        let mut walk = Walk::new(&root.path);
        while let Some(found) = walk.next() {
            match &found.about {
                Ok(about) if about.is_dir() => notes.extend(enter(&mut walk, &found, about, root)),
                Ok(about) if about.is_file() && replace::is_leftover(found.name()) => {
                    let entry = Entry::of(number, Place::of(root, &found.path), about);
                    remove_leftover(root, &entry, cleans);
                }
                Ok(about) => {
                    let place = Place::of(root, &found.path);
                    match () {
                        () if !wanted.takes(&place) => {}
                        () if about.is_file() => entries.push(Entry::of(number, place, about)),
                        () => notes.push(no_file(found.path, about, roots)),
                    }
                }
                Err(cause) => notes.push(Note::Unreadable(found.path, reason(cause))),
            }
        }
    }
    entries
}

/// Goes into a directory, or notes why not.
fn enter(walk: &mut Walk, found: &Found, about: &Metadata, root: &Root) -> Option<Note> {
    let path = || found.path.clone();
    if !found.is_root && VERSION_CONTROL.iter().any(|name| found.name() == OsStr::new(name)) {
        return Some(Note::LeftOut(path(), "version control"));
    }
    if about.dev() != root.device {
        return Some(Note::LeftOut(path(), "on another file system"));
    }
    walk.enter(found).err().map(|cause| Note::Unreadable(path(), reason(&cause)))
}

fn no_file(path: PathBuf, about: &Metadata, roots: &[Root]) -> Note {
    let kind = about.file_type();
    match () {
        () if kind.is_symlink() => linked(path, roots),
        () if kind.is_fifo() => Note::NoFile(path, "FIFO"),
        () if kind.is_socket() => Note::NoFile(path, "socket"),
        () => Note::NoFile(path, "device"),
    }
}

/// A link is not followed. What it leads to is scrubbed where it lies, if that was named too.
fn linked(path: PathBuf, roots: &[Root]) -> Note {
    let Ok(target) = path.canonicalize() else { return Note::NoFile(path, "symbolic link to nothing") };
    let is_named = roots.iter().any(|root| target.starts_with(&root.path));
    match target.metadata() {
        Ok(about) if !is_named && about.is_file() => {
            Note::LeftOut(path, "a symbolic link to a file that lies elsewhere")
        }
        Ok(about) if !is_named && about.is_dir() => {
            Note::LeftOut(path, "a symbolic link to a directory that lies elsewhere")
        }
        _ => Note::NoFile(path, "symbolic link"),
    }
}

fn remove_leftover(root: &Root, entry: &Entry, cleans: bool) {
    if cleans && let Ok((folder, name)) = root.folder_of(entry) {
        replace::remove_leftover(&folder, &name);
    }
}

/// Which of the entries are names of one file: by the number of the first of them those of the others, if all names that the
/// file has are among the entries.
pub fn links(entries: &[Entry]) -> HashMap<usize, Vec<usize>> {
    let mut files: HashMap<(u64, u64), Vec<usize>> = HashMap::new();
    for (number, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.about.nlink() > 1) {
        files.entry((entry.about.dev(), entry.about.ino())).or_default().push(number);
    }
    // What a killed run left was a name too while the walk went on.
    let has = |number: usize| entries.get(number).and_then(|entry| entry.path.symlink_metadata().ok());
    let complete = files.into_values().filter_map(|names| {
        let (first, others) = names.split_first()?;
        let is_all = has(*first).is_some_and(|about| about.nlink() == names.len() as u64);
        (is_all && !others.is_empty()).then(|| (*first, others.to_vec()))
    });
    complete.collect()
}

/// Removes what runs that were killed left under a directory.
pub fn clean(root: &Root) {
    let nothing = Wanted { include: Vec::new(), exclude: Vec::new() };
    walk(std::slice::from_ref(root), &nothing, true, &mut Vec::new());
}
