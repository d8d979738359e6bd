//! [`Replacement`]: a file is the old one or the new one, at every instant.
//!
//! The new one grows beside the old one under a name of its own, for its owner alone, and takes the name of the old one
//! when it is complete and on the disk. What a run leaves behind that is killed is found by its name, and by its lock
//! told from that of a run which is still at work.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags, Timespec, Timestamps, XattrFlags};
use rustix::io::Errno;

use super::tree::Folder;

const PREFIX: &str = ".logscrub-";
/// Symbols behind the prefix.
const SYMBOLS: usize = 16;

/// A new file on its way.
#[derive(Debug)]
pub struct Replacement<'f> {
    folder: &'f Folder,
    name: OsString,
    /// The new file, open for reading and writing.
    pub file: File,
    is_in_place: bool,
}

impl<'f> Replacement<'f> {
    /// An empty file in that directory, which its owner alone may read.
    ///
    /// # Errors
    /// Those of openat(2).
    pub fn create(folder: &'f Folder) -> io::Result<Replacement<'f>> {
        const ATTEMPTS: usize = 3;
        for _ in 1..ATTEMPTS {
            let made = Replacement::make(folder)?;
            if made.is_ours() {
                return Ok(made);
            }
        }
        Replacement::make(folder)
    }

    fn make(folder: &'f Folder) -> io::Result<Replacement<'f>> {
        let name = new_name()?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(folder, &name, flags, Mode::RUSR | Mode::WUSR)?);
        Ok(Replacement { folder, name, file, is_in_place: false })
    }

    /// Locks it. Another run that met it before it was locked takes it for left behind, and removes it. Not every file system
    /// has locks; then what a killed run left stays until somebody removes it.
    fn is_ours(&self) -> bool {
        let locked = rustix::fs::flock(&self.file, FlockOperation::NonBlockingLockExclusive);
        locked != Err(Errno::WOULDBLOCK) && self.file.metadata().is_ok_and(|about| about.nlink() == 1)
    }

    /// Takes over owner, mode, access lists and other attributes, and times. Rights to run as its owner or group are none
    /// of a log.
    ///
    /// # Errors
    /// The owner or an attribute cannot be kept: nobody may be let in who was not, or kept out who may read it.
    pub fn take_over(&self, old: &File, about: &Metadata) -> io::Result<()> {
        let made = self.file.metadata()?;
        if (made.uid(), made.gid()) != (about.uid(), about.gid()) {
            std::os::unix::fs::fchown(&self.file, Some(about.uid()), Some(about.gid()))
                .map_err(|_| io::Error::other("its owner could not be kept"))?;
        }
        copy_attributes(old, &self.file)?;
        self.file.set_permissions(Permissions::from_mode(about.mode() & 0o777))?;
        let time = |seconds: i64, nanoseconds: i64| Timespec { tv_sec: seconds, tv_nsec: nanoseconds };
        let times = Timestamps {
            last_access: time(about.atime(), about.atime_nsec()),
            last_modification: time(about.mtime(), about.mtime_nsec()),
        };
        Ok(rustix::fs::futimens(&self.file, &times)?)
    }

    /// Writes the file to the disk. To be called before it is put in place.
    ///
    /// # Errors
    /// Those of fsync(2).
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// Gives it one more name, in place of what has it, and whether that is on the disk too. To be called before it is put in place.
    ///
    /// # Errors
    /// What had the name is as it was.
    pub fn link(&self, folder: &Folder, name: &OsStr) -> io::Result<io::Result<()>> {
        let beside = new_name()?;
        rustix::fs::linkat(self.folder, &self.name, folder, &beside, AtFlags::empty())?;
        rustix::fs::renameat(folder, &beside, folder, name).inspect_err(|_| {
            let _ = rustix::fs::unlinkat(folder, &beside, AtFlags::empty());
        })?;
        Ok(folder.sync())
    }

    /// Gives it its name, in place of what has it, and what is known of it then; and whether that is on the disk too.
    ///
    /// # Errors
    /// What had the name is as it was.
    pub fn put_in_place(mut self, name: &OsStr) -> io::Result<(Metadata, io::Result<()>)> {
        let complete = self.file.metadata()?;
        rustix::fs::renameat(self.folder, &self.name, self.folder, name)?;
        self.is_in_place = true;
        // Who writes to it from now on makes another file of it: nobody may take that for the one that was scrubbed.
        let what = |about: &Metadata| (about.ino(), about.size(), about.mtime(), about.mtime_nsec());
        let about = self.file.metadata().ok().filter(|about| what(about) == what(&complete));
        Ok((about.unwrap_or(complete), self.folder.sync()))
    }
}

impl Drop for Replacement<'_> {
    fn drop(&mut self) {
        if !self.is_in_place {
            let _ = rustix::fs::unlinkat(self.folder, &self.name, AtFlags::empty());
        }
    }
}

fn new_name() -> io::Result<OsString> {
    let mut bytes = [0; SYMBOLS / 2];
    getrandom::fill(&mut bytes).map_err(|_| io::Error::other("no random bytes to be had"))?;
    let symbols: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(OsString::from(format!("{PREFIX}{symbols}")))
}

/// Whether the name is one of a new file on its way.
pub fn is_leftover(name: &OsStr) -> bool {
    let symbols = name.as_bytes().strip_prefix(PREFIX.as_bytes());
    symbols.is_some_and(|symbols| symbols.len() == SYMBOLS && symbols.iter().all(u8::is_ascii_hexdigit))
}

/// Removes what a killed run left. One that is locked is of a run that is at work.
pub fn remove_leftover(folder: &Folder, name: &OsStr) {
    let is_locked = |file: &File| rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive).is_err();
    if let Ok(file) = folder.read(name)
        && file.metadata().is_ok_and(|about| about.is_file())
        && !is_locked(&file)
    {
        let _ = rustix::fs::unlinkat(folder, name, AtFlags::empty());
    }
}

/// Copies access lists and other attributes. What says with whose rights a program runs is none of a log; labels of the
/// system's own are set by the system, and kept where they may be.
fn copy_attributes(from: &File, to: &File) -> io::Result<()> {
    let names = attributes(from)?;
    if !names.iter().any(|name| name == ACCESS_LIST.as_bytes()) {
        remove_access_list(to)?;
    }
    for name in names {
        let is_of_system = name.starts_with(b"security.") || name.starts_with(b"trusted.");
        if name == b"security.capability" {
            continue;
        }
        let name = OsStr::from_bytes(&name);
        match value_of(from, name)
            .and_then(|value| Ok(rustix::fs::fsetxattr(to, name, &value, XattrFlags::empty())?))
        {
            Ok(()) => {}
            Err(_) if is_of_system => {}
            Err(_) => return Err(io::Error::other("its access list or another attribute could not be kept")),
        }
    }
    Ok(())
}

const ACCESS_LIST: &str = "system.posix_acl_access";

/// A new file gets one where its directory says so, which counts from when its group has rights.
fn remove_access_list(file: &File) -> io::Result<()> {
    match rustix::fs::fremovexattr(file, ACCESS_LIST) {
        Ok(()) | Err(Errno::NODATA | Errno::NOTSUP) => Ok(()),
        Err(_) => Err(io::Error::other("the access list that its directory gives could not be removed")),
    }
}

fn attributes(file: &File) -> io::Result<Vec<Vec<u8>>> {
    /// As much as Linux allows (XATTR_LIST_MAX).
    const MOST: usize = 64 << 10;
    let mut list = vec![0; MOST];
    let length = match rustix::fs::flistxattr(file, &mut list[..]) {
        Err(Errno::NOTSUP) => 0,
        other => other?,
    };
    let names = list[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(<[u8]>::to_vec).collect())
}

fn value_of(file: &File, name: &OsStr) -> io::Result<Vec<u8>> {
    /// As much as Linux allows (XATTR_SIZE_MAX).
    const MOST: usize = 64 << 10;
    let mut value = vec![0; MOST];
    let length = rustix::fs::fgetxattr(file, name, &mut value[..])?;
    value.truncate(length);
    Ok(value)
}
