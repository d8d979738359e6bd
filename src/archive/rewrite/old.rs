//! [`Old`]: the file that is to be replaced, and whether it is still as it was.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use rustix::fs::AtFlags;
use rustix::io::Errno;

use super::{Skip, To};
use crate::archive::lease::{Lease, NoLease};
use crate::archive::tree::Folder;

/// Where there are no leases, a file that was written to so recently may be written to still.
const STILL: Duration = Duration::from_secs(60);

/// The file that is to be replaced.
pub(super) struct Old {
    pub(super) file: File,
    pub(super) about: Metadata,
    pub(super) lease: Option<Lease>,
}

impl Old {
    pub(super) fn open(
        (folder, name): (&Folder, &OsStr),
        listed: &Metadata,
        to: To<'_>,
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
        let names = match to {
            To::Folder(_) => about.nlink(),
            To::Place => 1,
            To::Names(others) => 1 + others.len() as u64,
        };
        if about.nlink() > names {
            return Err(Skip::left_out(
                "it has a second name (a hard link), which would keep what is removed",
            ));
        }
        if matches!(to, To::Folder(_)) || dry {
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

    pub(super) fn is_wanted(&self) -> bool {
        self.lease.as_ref().is_some_and(Lease::is_broken)
    }

    /// Whether that is a name of this file.
    pub(super) fn is_called(&self, folder: &Folder, name: &OsStr) -> bool {
        rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|now| (now.st_dev, now.st_ino) == (self.about.dev(), self.about.ino()))
    }

    /// Whether the file of that name is still this one, as it was.
    pub(super) fn is_as_it_was(&self, folder: &Folder, name: &OsStr) -> bool {
        let Ok(open) = self.file.metadata() else { return false };
        let was = &self.about;
        let times = |about: &Metadata| (about.mtime(), about.mtime_nsec(), about.ctime(), about.ctime_nsec());
        !self.is_wanted()
            && self.is_called(folder, name)
            && (open.size(), open.nlink(), times(&open)) == (was.size(), was.nlink(), times(was))
    }
}

pub(super) const LIVE: &str = "somebody has it open for writing";
pub(super) const CHANGED: &str = "it was changed meanwhile";

pub(super) fn is_recent(about: &Metadata) -> bool {
    let written = about.modified().ok().map(|at| SystemTime::now().duration_since(at));
    !matches!(written, Some(Ok(since)) if since > STILL)
}
