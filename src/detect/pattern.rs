//! The user's regex detectors.
//! (stub)

use crate::kind::Kind;

/// A check on the digits of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// ISO/IEC 7812-1.
    Luhn,
    /// ISO 7064 mod 97-10.
    Mod97,
}

/// (stub)
#[derive(Debug)]
pub struct Pattern {
    /// The kind.
    pub kind: Kind,
    regex: regex::bytes::Regex,
}

impl Pattern {
    /// (stub)
    ///
    /// # Errors
    /// (stub)
    pub fn new(
        kind: Kind,
        regex: &str,
        checksum: Option<Checksum>,
        keywords: Vec<String>,
    ) -> Result<Pattern, String> {
        let _ = (checksum, keywords);
        let regex = regex::bytes::Regex::new(regex).map_err(|_| "not a regular expression".to_owned())?;
        Ok(Pattern { kind, regex })
    }

    /// (stub)
    pub fn is_in(&self, hay: &[u8]) -> bool {
        self.regex.is_match(hay)
    }
}
