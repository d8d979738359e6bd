//! Writing to stdout and stderr. A message that cannot be written is lost, and nothing else with it.

use std::io::{self, Write};

use super::exit::Exit;
use crate::stream::{Output, Target};

/// Writes text to stderr as it is.
pub(super) fn to_stderr(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Writes one line for people to stderr: `logscrub: …`. Whatever names stand in it are escaped.
pub(super) fn message(text: &str) {
    to_stderr(&format!("logscrub: {}\n", escaped(text.as_bytes())));
}

/// Writes a fault of usage and returns its exit.
pub(super) fn usage_fault(text: &str) -> Exit {
    message(text);
    Exit::Usage
}

/// Writes all of a command's output to stdout.
pub(super) fn to_stdout(bytes: &[u8]) -> Exit {
    match Output::open(&Target::Stdout).and_then(|mut out| out.write_all(bytes)) {
        Ok(()) => Exit::Done,
        Err(cause) => Exit::of_output(&cause),
    }
}

/// The text with control characters escaped, so that a name or a line cannot command a terminal.
pub(super) fn escaped(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\t' => shown.push('\t'),
                _ if character.is_control() => shown.extend(character.escape_default()),
                // Bidirectional marks reorder what follows on a terminal.
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => shown.extend(character.escape_unicode()),
                _ => shown.push(character),
            }
        }
        chunk.invalid().iter().for_each(|byte| shown.push_str(&format!("\\x{byte:02x}")));
    }
    shown
}
