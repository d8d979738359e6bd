//! Keyrings to files: a new one where none is, or in place of the old one, which is overwritten.

use std::fmt::Write as _;
use std::fs::{File, Metadata, Permissions, TryLockError};
use std::io::{self, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::OFlags;
use zeroize::Zeroizing;

use super::{IdOf, Keyring, Period, file, parse};
use crate::error::{Error, reason};

const HEADER: &str = "\
# Keys of logscrub. Whoever holds this file can test a pseudonym against a value: keep it from the logs.
version = 1
";

/// Writes a keyring where none is, for its owner alone.
///
/// # Errors
/// The file is there already, others could exchange it, or it cannot be written.
pub fn create(path: &Path, keyring: &Keyring) -> Result<(), Error> {
    let write = || {
        let folder = folder_of(path);
        file::check_way(folder, None)?;
        // Beside the target and linked into place when complete: an existing keyring is never overwritten.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(render(keyring).as_bytes())?;
        file.as_file().sync_all()?;
        file.persist_noclobber(path).map_err(|cause| cause.error)?;
        sync_folder(folder)?;
        Ok(())
    };
    write().map_err(|Fault(what)| file::fault(path, &what))
}

/// A keyring file that no other run changes.
#[derive(Debug)]
pub struct Locked {
    path: PathBuf,
    /// Open for writing too, if it may be.
    file: File,
    about: Metadata,
    /// What stands in it.
    pub keyring: Keyring,
}

impl Locked {
    /// Opens, checks and locks a keyring. Periods may have gaps between them: they are for `roll` to fill.
    ///
    /// # Errors
    /// As [`Keyring::open`]; it is locked by another run; it is a symbolic link or has a second name.
    pub fn open(path: &Path, id_of: IdOf) -> Result<Locked, Error> {
        Locked::read(path, id_of).map_err(|Fault(what)| file::fault(path, &what))
    }

    fn read(path: &Path, id_of: IdOf) -> Result<Locked, Fault> {
        if path.symlink_metadata()?.is_symlink() {
            let target = path.read_link()?;
            return Err(Fault(format!("it is a symbolic link: name the file itself ({})", target.display())));
        }
        let for_reading = file::open(path)?;
        let for_writing =
            File::options().read(true).write(true).custom_flags(OFlags::NOFOLLOW.bits() as i32).open(path);
        let file = for_writing.unwrap_or(for_reading);
        match file.try_lock() {
            Ok(()) => (),
            Err(TryLockError::WouldBlock) => {
                return Err(Fault("another `logscrub key` is at work on it".to_owned()));
            }
            Err(TryLockError::Error(cause)) => return Err(cause.into()),
        }
        let about = file.metadata()?;
        // Whoever held the lock may have put another file in place.
        file::check_way(path, Some(&about))?;
        if about.nlink() != 1 {
            return Err(Fault(
                "it has a second name (a hard link), which would keep the old keys".to_owned(),
            ));
        }
        let keyring = parse::parse(&file::read(&file)?, id_of)?;
        Ok(Locked { path: path.to_owned(), file, about, keyring })
    }

    /// Whether no time between the periods lacks a key.
    ///
    /// # Errors
    /// One does.
    pub fn check_gaps(&self) -> Result<(), Error> {
        self.keyring.check_gaps().map_err(|what| file::fault(&self.path, &what))
    }

    /// Puts the keyring in place of the file, then overwrites what the file held: with the same owner and mode,
    /// all or nothing. Says whether the old bytes could be overwritten.
    ///
    /// # Errors
    /// The file is as it was, but for a fault of the last step, the sync of the folder.
    pub fn replace(self) -> Result<bool, Error> {
        let write = || {
            let folder = folder_of(&self.path);
            let beside = folder.join(name_beside(&self.path)?);
            discard(&beside)?;
            if let Err(cause) = self.write_to(&beside) {
                let _ = discard(&beside);
                return Err(Fault::from(cause));
            }
            std::fs::rename(&beside, &self.path)?;
            sync_folder(folder)?;
            // Only now: a run that ends before leaves the old file whole.
            Ok(overwrite(&self.file).is_ok())
        };
        write().map_err(|Fault(what)| file::fault(&self.path, &what))
    }

    fn write_to(&self, beside: &Path) -> io::Result<()> {
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(beside)?;
        file.write_all(render(&self.keyring).as_bytes())?;
        let made = file.metadata()?;
        if (made.uid(), made.gid()) != (self.about.uid(), self.about.gid()) {
            fchown(&file, Some(self.about.uid()), Some(self.about.gid()))?;
        }
        file.set_permissions(Permissions::from_mode(self.about.mode() & 0o7777))?;
        file.sync_all()
    }
}

struct Fault(String);

impl From<String> for Fault {
    fn from(what: String) -> Fault {
        Fault(what)
    }
}

impl From<io::Error> for Fault {
    fn from(cause: io::Error) -> Fault {
        Fault(reason(&cause))
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// `.keyring.toml.new`: always the same, so that what a killed run left is found by the next.
fn name_beside(path: &Path) -> Result<std::ffi::OsString, Fault> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().ok_or_else(|| Fault("it is not a regular file".to_owned()))?);
    name.push(".new");
    Ok(name)
}

/// Removes what a killed run left; it holds keys.
fn discard(left: &Path) -> io::Result<()> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32;
    if let Ok(file) = File::options().write(true).custom_flags(flags).open(left)
        && file.metadata().is_ok_and(|about| about.is_file() && about.nlink() == 1)
    {
        let _ = overwrite(&file);
    }
    match std::fs::remove_file(left) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
        _ => Ok(()),
    }
}

/// Writes zeros over all bytes, in the blocks where they lie if the file system writes in place.
fn overwrite(mut file: &File) -> io::Result<()> {
    let bytes = file.metadata()?.len();
    file.rewind()?;
    io::copy(&mut io::Read::take(io::repeat(0), bytes), &mut file)?;
    file.sync_all()
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The text of a keyring, in one piece of memory.
fn render(keyring: &Keyring) -> Zeroizing<String> {
    let entries = keyring.ids().count();
    let mut text = Zeroizing::new(String::with_capacity(HEADER.len() + 100 + 300 * entries));
    text.push_str(HEADER);
    let _ = writeln!(text, "entries = {entries}");
    if let Some(every) = keyring.every {
        let _ = writeln!(text, "every = \"{every}\"");
    }
    for gone in &keyring.forgotten {
        text.push_str("\n[[forgotten]]\n");
        scope(&mut text, gone.was_forever);
        served(&mut text, &gone.id, gone.from, gone.until);
        let _ = writeln!(text, "forgotten = \"{}\"", gone.forgotten);
    }
    keyring.forever.iter().for_each(|key| entry(&mut text, key, true));
    keyring.periods.iter().for_each(|key| entry(&mut text, key, false));
    text
}

fn entry(text: &mut String, key: &Period, is_forever: bool) {
    text.push_str("\n[[key]]\n");
    scope(text, is_forever);
    served(text, &key.id, key.from, key.until);
    text.push_str("secret = \"");
    for byte in key.secret.iter() {
        let _ = write!(text, "{byte:02x}");
    }
    text.push_str("\"\n");
}

fn scope(text: &mut String, is_forever: bool) {
    text.push_str(if is_forever { "scope = \"forever\"\n" } else { "" });
}

fn served(text: &mut String, id: &str, from: Option<Timestamp>, until: Option<Timestamp>) {
    let _ = writeln!(text, "id = \"{id}\"");
    for (name, time) in [("from", from), ("until", until)] {
        if let Some(time) = time {
            let _ = writeln!(text, "{name} = \"{time}\"");
        }
    }
}
