//! Values to replacements: what is done to a value that may not stay as it is.

mod apply;
pub mod canonical;
pub mod hash;
pub mod keys;
pub mod ladder;
pub mod residue;
mod seen;
pub mod truncate;

pub use apply::{Left, Tools, apply};

/// What a rule does to a value (the words of the rules file).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Leave it as it is.
    Keep,
    /// A keyed pseudonym: `[email:k…:…]`.
    Hash(Hash),
    /// Fewer bits or digits.
    Truncate(Truncate),
    /// As many `*` as there were letters and digits; separators stay.
    Mask,
    /// A fixed text: `[kind]`, or the given one.
    Redact {
        /// Text in place of `[kind]`.
        with: Option<String>,
    },
    /// `[withheld]`: nobody said what the value is.
    Withhold,
    /// The field or pair goes; `[]` in running text.
    Drop,
    /// The whole record is not written.
    DropRecord,
}

/// Parameters of `hash`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Hash {
    /// `keep = "domain"`: the domain of an e-mail address stays readable.
    pub keep_domain: bool,
}

/// Parameters of `truncate`: what may stay of a value, by its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truncate {
    /// Leading bits of an IPv4 address that stay (0..=32; default 24).
    pub ipv4: u8,
    /// Leading bits of an IPv6 address that stay (0..=128; default 48).
    pub ipv6: u8,
    /// What stays of a card number.
    pub pan: PanKeep,
    /// `email = "domain"`: the domain stays. Otherwise an address is redacted.
    pub email_domain: bool,
}

impl Default for Truncate {
    fn default() -> Truncate {
        Truncate { ipv4: 24, ipv6: 48, pan: PanKeep::First6Last4, email_domain: true }
    }
}

/// Digits of a card number that truncation leaves (PCI SSC FAQ 1091).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PanKeep {
    /// First six and last four, of 15 to 19 digits; of fewer digits the last four only.
    First6Last4,
    /// The last four.
    Last4,
}

impl Action {
    /// Whether what is left depends on the value with its escapes undone.
    pub fn reads_plain(&self) -> bool {
        matches!(self, Action::Hash(_) | Action::Truncate(_))
    }

    /// Whether a value may stand elsewhere, or with quotes around it, after the action: it goes with its name and
    /// its separators, or what is written holds what separates fields in some format.
    pub fn depends_on_format(&self) -> bool {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:/@*#[]()<>-".contains(&byte);
        match self {
            Action::Drop => true,
            Action::Redact { with: Some(text) } => text.is_empty() || !text.bytes().all(is_plain),
            _ => false,
        }
    }

    /// Rank of what is left, weakest first: where different sightings overlap, the stronger action wins.
    pub fn strength(&self) -> u8 {
        match self {
            Action::Keep => 0,
            Action::Hash(_) => 2, // 1 is `encrypt`
            Action::Truncate(_) => 3,
            Action::Mask => 4,
            Action::Redact { .. } => 5,
            Action::Withhold => 6,
            Action::Drop => 7,
            Action::DropRecord => 8,
        }
    }

    /// The word of the rules file.
    pub fn name(&self) -> &'static str {
        match self {
            Action::Keep => "keep",
            Action::Hash(_) => "hash",
            Action::Truncate(_) => "truncate",
            Action::Mask => "mask",
            Action::Redact { .. } => "redact",
            Action::Withhold => "withhold",
            Action::Drop => "drop",
            Action::DropRecord => "drop_record",
        }
    }
}

impl Action {
    /// What the action leaves, for people: `fewer bits: ipv4 /24, ipv6 /48`.
    pub fn describe(&self) -> String {
        match self {
            Action::Keep => "the value".to_owned(),
            Action::Hash(hash) if hash.keep_domain => "a pseudonym and the domain".to_owned(),
            Action::Hash(_) => "a pseudonym".to_owned(),
            Action::Truncate(keep) => {
                let pan = if keep.pan == PanKeep::Last4 { "last 4" } else { "first 6, last 4" };
                let email = if keep.email_domain { "domain" } else { "nothing" };
                format!("ipv4 /{}, ipv6 /{}, pan {pan}, email {email}", keep.ipv4, keep.ipv6)
            }
            Action::Mask => "its length".to_owned(),
            Action::Redact { with: Some(text) } => text.clone(),
            Action::Redact { with: None } => "[kind]".to_owned(),
            Action::Withhold => "[withheld]".to_owned(),
            Action::Drop => "nothing".to_owned(),
            Action::DropRecord => "no record".to_owned(),
        }
    }
}
