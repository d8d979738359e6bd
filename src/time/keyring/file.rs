//! From a path to the text of a keyring: who else could read or exchange the file is checked on what was opened.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

use zeroize::Zeroizing;

use super::parse::KEYS;
use crate::error::{Error, reason};

/// No keyring is longer: an entry has less than 256 bytes.
const KEYRING_BYTES: usize = KEYS * 256;
/// Symbolic links on the way to a file, as the kernel bounds them.
const LINKS: usize = 40;

/// A fault with the keyring of that name.
pub(super) fn fault(name: &Path, what: &str) -> Error {
    Error::new(format!("keyring {}: {what}", name.display()))
}

/// Opens a keyring that nobody else can read or exchange.
pub(super) fn open(path: &Path) -> Result<File, String> {
    let file = File::options()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32) // a FIFO must not stop the start
        .open(path)
        .map_err(|cause| reason(&cause))?;
    let about = file.metadata().map_err(|cause| reason(&cause))?;
    check_file(&about)?;
    check_way(path, Some(&about))?;
    Ok(file)
}

/// Whether a descriptor may be read as a keyring.
pub(super) fn check_descriptor(file: &File) -> Result<(), String> {
    let about = file.metadata().map_err(|cause| reason(&cause))?;
    let is_nameless = about.is_file() && about.nlink() == 0; // a memfd, or a file that was unlinked
    match about.file_type() {
        kind if kind.is_fifo() && about.mode() & 0o077 == 0 => Ok(()),
        kind if kind.is_fifo() => Err("others can open this pipe".to_owned()),
        _ if is_nameless => Ok(()),
        _ => check_file(&about),
    }
}

/// Whether nobody else may read or write a file.
///
/// # Errors
/// A sentence that says who may.
pub fn check_file(about: &Metadata) -> Result<(), String> {
    if !about.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    if about.mode() & 0o027 != 0 {
        let mode = about.mode() & 0o7777;
        return Err(format!(
            "others have rights to it (mode {mode:04o}): chmod 0600, or 0640 with a group of its own"
        ));
    }
    match is_trusted(about) {
        true => Ok(()),
        false => Err(format!("it belongs to user {}, neither to root nor to you", about.uid())),
    }
}

/// Root's or one's own.
fn is_trusted(about: &Metadata) -> bool {
    about.uid() == 0 || about.uid() == rustix::process::geteuid().as_raw()
}

/// Whether somebody else could lead the path to another file: by writing to a folder on the way, unless its sticky
/// bit keeps them from exchanging entries that are not theirs, or by owning a folder or a symbolic link on it. Links
/// are followed, and what they lead through is checked alike: Kubernetes mounts secrets through them. The way must
/// end at what was opened.
///
/// # Errors
/// A sentence that says who could.
pub fn check_way(path: &Path, opened: Option<&Metadata>) -> Result<(), String> {
    let path = std::path::absolute(path).map_err(|cause| reason(&cause))?;
    let mut place = PathBuf::from("/");
    let mut ahead = Vec::new();
    let mut links = 0;
    push_parts(&path, &mut ahead);
    check_folder(&place)?;
    while let Some(part) = ahead.pop() {
        if part == ".." {
            place.pop();
            continue;
        }
        let next = place.join(part);
        let about = next.symlink_metadata().map_err(|cause| reason(&cause))?;
        if about.is_symlink() {
            links += 1;
            if links > LINKS || !is_trusted(&about) {
                return Err(format!("others can exchange it: the link {} is not yours", next.display()));
            }
            let target = next.read_link().map_err(|cause| reason(&cause))?;
            if target.is_absolute() {
                place = PathBuf::from("/");
            }
            push_parts(&target, &mut ahead);
            continue;
        }
        if about.is_dir() {
            check_folder(&next)?;
        }
        place = next;
    }
    let Some(opened) = opened else { return Ok(()) };
    let found = place.symlink_metadata().map_err(|cause| reason(&cause))?;
    match (found.dev(), found.ino()) == (opened.dev(), opened.ino()) {
        true => Ok(()),
        false => Err("it was exchanged while it was opened: run again".to_owned()),
    }
}

/// The parts of a path, the first on top.
fn push_parts(path: &Path, ahead: &mut Vec<OsString>) {
    let parts = path.components().rev().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    });
    ahead.extend(parts);
}

fn check_folder(folder: &Path) -> Result<(), String> {
    let about = folder.metadata().map_err(|cause| reason(&cause))?;
    let is_open = about.mode() & 0o022 != 0 && about.mode() & 0o1000 == 0;
    match is_open || !is_trusted(&about) {
        true => Err(format!("others can exchange it: they can write to {}", folder.display())),
        false => Ok(()),
    }
}

/// All of the file, which leaves no copy in memory.
pub(super) fn read(mut file: &File) -> Result<Zeroizing<String>, String> {
    let mut bytes = Zeroizing::new(vec![0; 16 << 10]);
    let mut filled = 0;
    loop {
        let room = bytes.get_mut(filled..).unwrap_or_default();
        match file.read(room) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(cause) if cause.kind() == ErrorKind::Interrupted => (),
            Err(cause) => return Err(reason(&cause)),
        }
        if filled > KEYRING_BYTES {
            return Err(format!("it is longer than {KEYRING_BYTES} bytes"));
        }
        if filled == bytes.len() {
            let mut larger = Zeroizing::new(vec![0; 2 * filled]); // grown by hand: a Vec would leave its old bytes
            larger.iter_mut().zip(bytes.iter()).for_each(|(to, from)| *to = *from);
            bytes = larger;
        }
    }
    let text = std::str::from_utf8(bytes.get(..filled).unwrap_or_default());
    text.map(|text| Zeroizing::new(text.to_owned())).map_err(|_| "it is not a text file".to_owned())
}
