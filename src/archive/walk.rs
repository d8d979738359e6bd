//! [`Walk`]: all that lies under a path, each directory in the order of its names.
//!
//! Not by the standard library, which panics where a directory cannot be closed.

use std::ffi::{OsStr, OsString};
use std::fs::Metadata;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Dir, Mode, OFlags};

/// A walk on its way. It follows no symbolic link but its root.
#[derive(Debug)]
pub struct Walk {
    /// The directories on the way, each with the names in it that are still to come, the last first.
    folders: Vec<(PathBuf, Vec<OsString>)>,
    is_begun: bool,
}

/// What was met.
#[derive(Debug)]
pub struct Found {
    /// Where.
    pub path: PathBuf,
    /// It is where the walk began.
    pub is_root: bool,
    /// What is known of it.
    pub about: io::Result<Metadata>,
}

impl Found {
    /// What it is called.
    pub fn name(&self) -> &OsStr {
        self.path.file_name().unwrap_or_default()
    }
}

impl Walk {
    /// From this path on.
    pub fn new(root: &Path) -> Walk {
        Walk { folders: vec![(PathBuf::new(), vec![root.as_os_str().to_owned()])], is_begun: false }
    }

    /// Goes into a directory that was just met. What was read of a directory is met even if the rest cannot be.
    ///
    /// # Errors
    /// Those of open(2) and getdents(2).
    pub fn enter(&mut self, found: &Found) -> io::Result<()> {
        let follow = if found.is_root { OFlags::empty() } else { OFlags::NOFOLLOW };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | follow;
        let (mut names, read) = names(rustix::fs::open(&found.path, flags, Mode::empty())?);
        names.sort_unstable_by(|one, other| other.cmp(one));
        self.folders.push((found.path.clone(), names));
        read
    }
}

impl Iterator for Walk {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        loop {
            let (folder, names) = self.folders.last_mut()?;
            let Some(name) = names.pop() else {
                self.folders.pop();
                continue;
            };
            let path = folder.join(name);
            let is_root = !std::mem::replace(&mut self.is_begun, true);
            let about = if is_root { path.metadata() } else { path.symlink_metadata() };
            return Some(Found { path, is_root, about });
        }
    }
}

/// The names in a directory, in no order, and whether these are all.
pub(super) fn names(folder: OwnedFd) -> (Vec<OsString>, io::Result<()>) {
    let mut names = Vec::new();
    let listed = match Dir::new(folder) {
        Ok(listed) => listed,
        Err(cause) => return (names, Err(cause.into())),
    };
    for entry in listed {
        match entry {
            Ok(entry) if matches!(entry.file_name().to_bytes(), b"." | b"..") => {}
            Ok(entry) => names.push(OsString::from_vec(entry.file_name().to_bytes().to_vec())),
            Err(cause) => return (names, Err(cause.into())),
        }
    }
    (names, Ok(()))
}
