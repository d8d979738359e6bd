//! [`Error`]: what went wrong outside the log and the rules.

use std::fmt;

/// A fault with the keyring or another file of the program's own. Its text never holds log bytes or keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    message: String,
}

impl Error {
    /// An error that says this: one lower-case sentence without a full stop.
    pub fn new(message: impl Into<String>) -> Error {
        Error { message: message.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// The system's words for a failure, without its number: for messages to people.
pub fn reason(cause: &std::io::Error) -> String {
    let text = cause.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}
