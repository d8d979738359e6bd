//! [`Identifiers`]: the lines that say who is to be erased.

use std::collections::HashSet;

use zeroize::Zeroizing;

use crate::error::Error;

/// Shorter ones stand in too many places that mean somebody else.
const MIN_BYTES: usize = 4;
/// Longer ones are no identifiers, and their tokens would be longer than what a list takes.
const MAX_BYTES: usize = 512;
/// Lines that may be given.
const MAX_IDENTIFIERS: usize = 10_000;

/// What names one person.
pub(super) struct Identifiers {
    list: Vec<Zeroizing<Vec<u8>>>,
}

impl Identifiers {
    /// Reads them, one a line. No message shows one.
    pub(super) fn read(lines: &[u8]) -> Result<Identifiers, Error> {
        let lines = lines.strip_prefix(b"\xef\xbb\xbf").unwrap_or(lines);
        let mut seen = HashSet::new();
        let mut list = Vec::new();
        for (at, line) in lines.split(|byte| *byte == b'\n').enumerate() {
            let identifier = line.trim_ascii();
            let wrong = |what: String| Err(Error::new(format!("line {} of the identifiers {what}", at + 1)));
            match identifier.len() {
                0 => continue,
                length if length < MIN_BYTES => {
                    return wrong(format!(
                        "is shorter than {MIN_BYTES} bytes: it would stand for others as well"
                    ));
                }
                length if length > MAX_BYTES => return wrong(format!("is longer than {MAX_BYTES} bytes")),
                _ if identifier.iter().any(u8::is_ascii_control) => {
                    return wrong("holds a control byte".to_owned());
                }
                _ => {}
            }
            if seen.insert(identifier) {
                list.push(Zeroizing::new(identifier.to_vec()));
            }
            if list.len() > MAX_IDENTIFIERS {
                return Err(Error::new(format!(
                    "more than {MAX_IDENTIFIERS} identifiers: erase in several runs"
                )));
            }
        }
        if list.is_empty() {
            return Err(Error::new("no identifier is given"));
        }
        Ok(Identifiers { list })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.list.iter().map(|identifier| identifier.as_slice())
    }
}
