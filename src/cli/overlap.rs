//! [`Used`]: what a run reads and writes, no two of which may be one file.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::exit::Exit;
use super::load::Scrubbers;
use super::print::usage_fault;
use crate::time::keyring::Source;

/// The files of a run, each with what it is.
#[derive(Default)]
pub(super) struct Used {
    files: Vec<(&'static str, File)>,
    /// Of files that are written, as they are before: device and inode.
    outputs: Vec<(&'static str, (u64, u64))>,
}

/// A file, or the place where one will be.
struct File {
    /// Device and inode.
    identity: Option<(u64, u64)>,
    /// Where it lies, no link on the way.
    place: PathBuf,
}

impl File {
    /// Pipes and devices are none: nothing is put in place of them.
    fn at(path: &Path) -> Option<File> {
        let about = path.metadata().ok();
        if about.as_ref().is_some_and(|about| !about.is_file()) {
            return None;
        }
        let identity = |about: Metadata| (about.dev(), about.ino());
        Some(File { identity: about.map(identity), place: place_of(path)? })
    }

    fn is_same(&self, other: &File) -> bool {
        self.place == other.place || self.identity.is_some() && self.identity == other.identity
    }
}

/// Where a file lies, or will: links are followed if they lead to one.
pub(super) fn place_of(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside = || Some(folder.canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(beside)
}

impl Used {
    /// What scrubbers go by: rules, with all that they extend, lists, keyrings.
    pub(super) fn by(scrubbers: &Scrubbers) -> Used {
        let mut used = Used::default();
        for policy in scrubbers.iter().map(|(_, scrubber)| scrubber.policy()) {
            policy.files.iter().for_each(|path| used.add("rules or a list of theirs", path));
            policy.keyring.iter().filter_map(|name| keyring_file(name)).for_each(|path| {
                used.add("the keyring", &path);
            });
        }
        used
    }

    /// Adds a file that is read.
    pub(super) fn add(&mut self, what: &'static str, path: &Path) {
        self.files.extend(File::at(path).map(|file| (what, file)));
    }

    /// Adds a file that is written, unless it is another one of the run. `name`: as it is told.
    pub(super) fn add_output(&mut self, what: &'static str, name: &str, path: &Path) -> Result<(), Exit> {
        let Some(file) = File::at(path) else { return Ok(()) };
        if let Some((other, _)) = self.files.iter().find(|(_, other)| other.is_same(&file)) {
            return Err(usage_fault(&format!("{name}: {what} would be written over {other}")));
        }
        self.outputs.extend(file.identity.map(|identity| (what, identity)));
        self.files.push((what, file));
        Ok(())
    }

    /// What is written over a file, if anything is, under whatever name.
    pub(super) fn output_over(&self, about: &Metadata) -> Option<&'static str> {
        let identity = (about.dev(), about.ino());
        self.outputs.iter().find(|(_, output)| *output == identity).map(|(what, _)| *what)
    }

    /// What the file at this place, on the way to which there is no link, is to the run.
    pub(super) fn at(&self, place: &Path) -> Option<&'static str> {
        self.files.iter().find(|(_, file)| file.place == place).map(|(what, _)| *what)
    }
}

/// Where a keyring lies.
fn keyring_file(name: &Path) -> Option<PathBuf> {
    match Source::of(name) {
        Source::Path(path) => Some(path.to_owned()),
        Source::Descriptor(number) => Some(Path::new("/dev/fd").join(number)),
        Source::Credential(name) => {
            std::env::var_os("CREDENTIALS_DIRECTORY").map(|folder| Path::new(&folder).join(name))
        }
    }
}
