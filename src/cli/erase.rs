//! `--erase FILE`: scrubbers that remove what stands for one person.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

use super::args::ByRules;
use super::exit::Exit;
use super::load::Scrubbers;
use super::print::{message, usage_fault};
use crate::erase::Erasure;
use crate::error::reason;

/// Longest file of identifiers: the most that may be given, each as long as it may be.
const FILE_BYTES: u64 = 6 << 20;

impl ByRules {
    /// Scrubbers that remove what these identifiers stand for under the rules that are named; without rules the
    /// identifiers themselves.
    pub(super) fn erasers(&self, identifiers: &Path, quiet: bool) -> Result<Scrubbers, Exit> {
        let identifiers = read(identifiers)?;
        let mut told: Vec<String> = Vec::new();
        let scrubbers = self.scrubbers()?.try_map(|policy| {
            let erasure = Erasure::new(policy, self.keys(policy)?.as_ref(), &identifiers);
            let erasure = erasure.map_err(|fault| usage_fault(&format!("--erase: {fault}")))?;
            for sentence in erasure.cannot_be_found() {
                if !told.contains(&sentence) {
                    told.push(sentence);
                }
            }
            Ok(erasure.scrubber())
        })?;
        if !quiet {
            told.iter().for_each(|sentence| message(&format!("cannot be found: {sentence}")));
        }
        Ok(scrubbers)
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Exit> {
    let fault = |what: &str| usage_fault(&format!("--erase {}: {what}", path.display()));
    let mut bytes = Zeroizing::new(Vec::new());
    let limit = FILE_BYTES + 1;
    let read = match path == Path::new("-") {
        true => std::io::stdin().lock().take(limit).read_to_end(&mut bytes),
        false => File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)),
    };
    read.map_err(|cause| fault(&format!("cannot be read: {}", reason(&cause))))?;
    match bytes.len() as u64 > FILE_BYTES {
        true => Err(fault("longer than 6 MiB")),
        false => Ok(bytes),
    }
}
