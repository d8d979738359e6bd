//! `logscrub key`.

use super::args::KeyCommand;
use super::exit::Exit;
use super::print::{message, usage_fault};
use crate::action::hash::key_id;
use crate::time::keyring;

pub(super) fn run(command: &KeyCommand) -> Exit {
    let KeyCommand::New { keyring: path } = command;
    match keyring::create(path, key_id) {
        Ok(id) => {
            message(&format!("made {} with the key {id}; keep a copy where no log is", path.display()));
            Exit::Done
        }
        Err(fault) => usage_fault(&fault.to_string()),
    }
}
