//! Where a keyring is read from: a file, an open descriptor, or systemd's folder of credentials.

use std::cell::RefCell;
use std::fs::File;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use super::exit::Exit;
use super::print::usage_fault;
use crate::action::hash::key_id;
use crate::stream::sys;
use crate::time::keyring::{Keyring, Source};

/// The keyrings of a run. Each is read once: a pipe gives what it holds only one time.
#[derive(Debug, Default)]
pub(super) struct Opened {
    keyrings: RefCell<Vec<(PathBuf, Rc<Keyring>)>>,
}

impl Opened {
    /// The keyring of that name. Faults are shown.
    pub(super) fn get(&self, name: &Path) -> Result<Rc<Keyring>, Exit> {
        let mut keyrings = self.keyrings.borrow_mut();
        if let Some((_, known)) = keyrings.iter().find(|(known, _)| known == name) {
            return Ok(Rc::clone(known));
        }
        let keyring = Rc::new(open(name)?);
        keyrings.push((name.to_owned(), Rc::clone(&keyring)));
        Ok(keyring)
    }
}

/// Reads a keyring from wherever its name says.
pub(super) fn open(name: &Path) -> Result<Keyring, Exit> {
    let opened = match Source::of(name) {
        Source::Path(path) => Keyring::open(path, key_id),
        Source::Descriptor(number) => Keyring::from_descriptor(&descriptor(name, number)?, name, key_id),
        Source::Credential(credential) => Keyring::open(&credential_file(name, credential)?, key_id),
    };
    opened.map_err(|fault| usage_fault(&fault.to_string()))
}

/// The file that the name stands for, if it is one that can be written to.
pub(super) fn writable(name: &Path) -> Result<&Path, Exit> {
    match Source::of(name) {
        Source::Path(path) => Ok(path),
        _ => Err(fault(name, "only a file can be changed: give its path")),
    }
}

fn descriptor(name: &Path, number: &str) -> Result<File, Exit> {
    let number = number.parse().ok().filter(|number| (3..=i32::MAX).contains(number));
    let number = number.ok_or_else(|| fault(name, "a descriptor is a number from 3, as in fd:3"))?;
    let inherited = sys::inherited(number);
    inherited.map(File::from).ok_or_else(|| fault(name, "the program was started without this descriptor"))
}

fn credential_file(name: &Path, credential: &str) -> Result<PathBuf, Exit> {
    let mut parts = Path::new(credential).components();
    if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
        return Err(fault(name, "a credential is a name without a folder, as in credential:keyring"));
    }
    match std::env::var_os("CREDENTIALS_DIRECTORY").filter(|folder| !folder.is_empty()) {
        Some(folder) => Ok(Path::new(&folder).join(credential)),
        None => Err(fault(
            name,
            &format!(
                "systemd sets no $CREDENTIALS_DIRECTORY: the unit needs LoadCredential={credential}:FILE"
            ),
        )),
    }
}

fn fault(name: &Path, what: &str) -> Exit {
    usage_fault(&format!("keyring {}: {what}", name.display()))
}
