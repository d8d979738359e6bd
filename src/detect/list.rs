//! The user's literal dictionaries.
//! (stub)

use crate::kind::Kind;

/// (stub)
#[derive(Debug)]
pub struct List {
    /// The kind.
    pub kind: Kind,
}

impl List {
    /// (stub)
    ///
    /// # Errors
    /// (stub)
    pub fn new(kind: Kind, entries: Vec<Vec<u8>>, ignore_case: bool) -> Result<List, String> {
        let _ = (entries, ignore_case);
        Ok(List { kind })
    }
}
